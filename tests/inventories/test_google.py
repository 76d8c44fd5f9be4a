# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of the inventory plugin google.cloud.gcp_compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.state import Zone

from .google import HOST_NAME, MAPPED, Google
from .internet import internet
from .runner import FATAL, GROUP, Runner

EUROPE = {address for address, (_vendor, region) in MAPPED.items() if region == "europe-west1"}


@dataclass(frozen=True)
class Cloud:
    google: Google
    environment: Mapping[str, str]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Run a Compute Engine with instances."""
    google = Google()
    with internet(tmp_path, {HOST_NAME: google.answer}) as environment:
        yield Cloud(google, environment)


def source(*projects: str, **options: Any) -> dict[str, Any]:
    return {
        "plugin": "google.cloud.gcp_compute",
        "projects": [*projects],
        "auth_kind": "accesstoken",
        "access_token": "testing",
        "hostnames": ["name"],
        **GROUP,
        **options,
    }


@pytest.mark.parametrize("prefix", ["", "gcp_"])
def test_instances_of_two_projects(run: Runner, cloud: Cloud, zone: Zone, prefix: str) -> None:
    zone.replace({"203.0.113.3": ("gcp", "us-east1"), "203.0.113.99": ("gcp", "us-central1")})
    instances = source("web", "europe", vars_prefix=prefix)
    options = {"vars_prefix": prefix}
    done = run({"gcp.yml": instances}, environment=cloud.environment, options=options, skip=["no_address"], purge=True)
    assert done.status == 0, done.output
    assert done.mappings == zone.values() == MAPPED
    assert done.report["hosts"]["2001:db8:2::1"] == ["main"]
    assert done.unresolved == {"stopped": "no_address"}
    assert done.findings == {
        "missing": MAPPED.keys() - {"203.0.113.3"},
        "wrong": {"203.0.113.3"},
        "stale": {"203.0.113.99"},
        "unresolved": {None},
    }


def test_metadata_names_the_zones(run: Runner, cloud: Cloud, zone: Zone) -> None:
    instances = source("web", compose={"origin_zones": "metadata.zones"}, strict=False)
    done = run({"gcp.yml": instances}, environment=cloud.environment, zone={})
    assert done.status == 0, done.output
    assert zone.values().keys() == {"203.0.113.1", "2001:db8:2::1"}


@pytest.mark.parametrize(
    ("keep_back", "is_reported"),
    [
        ({"refused": {"europe"}}, True),
        ({"missing": {"europe"}}, False),
        ({"unreachable": {"europe-west1-b"}}, False),
    ],
    ids=["refused project", "missing project", "unreachable zone"],
)
def test_what_google_keeps_back_leaves_a_part_and_the_guards_refuse_the_purge(
    run: Runner, cloud: Cloud, zone: Zone, keep_back: dict[str, set[str]], is_reported: bool
) -> None:
    zone.replace(MAPPED)
    for name, values in keep_back.items():
        getattr(cloud.google, name).update(values)
    sources = {"gcp.yml": source("web", "europe")}
    done = run(sources, environment=cloud.environment, skip=["no_address"], purge=True)
    assert ("compute.instances.list" in done.output) == is_reported
    assert done.mappings.keys() == MAPPED.keys() - EUROPE
    assert done.status
    assert "would delete 8 of the 13 mappings" in done.output
    assert done.findings["stale"] == EUROPE
    assert zone.values() == MAPPED
    fatal = run(sources, environment={**cloud.environment, **FATAL}, skip=["no_address"])
    assert (fatal.status != 0) == is_reported
