# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of the inventory plugin google.cloud.gcp_compute."""

from __future__ import annotations

import pytest

from emulator.state import Zone

from .conftest import Clouds
from .google import EUROPE, MAPPED, source
from .runner import FATAL, Runner


@pytest.mark.parametrize("prefix", ["", "gcp_"])
def test_instances_of_two_projects(run: Runner, clouds: Clouds, zone: Zone, prefix: str) -> None:
    zone.replace({"203.0.113.3": ("gcp", "us-east1"), "203.0.113.99": ("gcp", "us-central1")})
    instances = source("web", "europe", vars_prefix=prefix)
    options = {"vars_prefix": prefix}
    done = run({"gcp.yml": instances}, environment=clouds.environment, options=options, skip=["no_address"], purge=True)
    assert done.status == 0, done.output
    assert done.mappings == zone.values() == MAPPED
    assert done.report["hosts"]["2001:db8:2::1"] == ["first"]
    assert done.unresolved == {"terminated": "no_address"}
    assert done.findings == {
        "missing": MAPPED.keys() - {"203.0.113.3"},
        "wrong": {"203.0.113.3"},
        "stale": {"203.0.113.99"},
        "unresolved": {None},
    }


def test_metadata_names_the_zones(run: Runner, clouds: Clouds, zone: Zone) -> None:
    instances = source("web", compose={"origin_zones": "metadata.zones"})
    done = run({"gcp.yml": instances}, environment=clouds.environment, zone={})
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
def test_a_partial_list_of_google_is_refused_by_the_guards(
    run: Runner, clouds: Clouds, zone: Zone, keep_back: dict[str, set[str]], is_reported: bool
) -> None:
    zone.replace(MAPPED)
    for name, values in keep_back.items():
        getattr(clouds.google, name).update(values)
    sources = {"gcp.yml": source("web", "europe")}
    done = run(sources, environment=clouds.environment, skip=["no_address"], purge=True)
    assert ("compute.instances.list" in done.output) == is_reported
    assert done.mappings.keys() == MAPPED.keys() - EUROPE
    assert done.status
    assert "would delete 8 of the 13 mappings" in done.output
    assert done.findings["stale"] == EUROPE
    assert zone.values() == MAPPED
    fatal = run(sources, environment={**clouds.environment, **FATAL}, skip=["no_address"])
    assert (fatal.status != 0) == is_reported
