# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of the inventory plugin azure.azcollection.azure_rm."""

from __future__ import annotations

import pytest

from emulator.state import Zone
from integration.playbook import CORE

from .azure import COMPUTE, EUROPE, MAPPED, NETWORK, group, source
from .conftest import Clouds
from .runner import FATAL, Runner


def test_machines_of_two_resource_groups(run: Runner, clouds: Clouds, zone: Zone) -> None:
    zone.replace({"192.0.2.102": ("azure", "eastus"), "203.0.113.99": ("azure", "eastus2")})
    sources = {"azure_rm.yml": source("us", "europe")}
    done = run(sources, environment=clouds.environment, skip=["no_address"], purge=True)
    assert done.status == 0, done.output
    assert done.mappings == zone.values() == MAPPED
    assert done.report["hosts"]["2001:db8:3::1"] == ["vm"]
    assert done.unresolved == {"deallocated": "no_address"}
    assert done.findings == {
        "missing": MAPPED.keys() - {"192.0.2.102"},
        "wrong": {"192.0.2.102"},
        "stale": {"203.0.113.99"},
        "unresolved": {None},
    }


def test_tags_name_the_zones(run: Runner, clouds: Clouds, zone: Zone) -> None:
    machines = source("us", compose={"origin_zones": "tags.zones"})
    done = run({"azure_rm.yml": machines}, environment=clouds.environment, zone={})
    assert done.status == 0, done.output
    assert zone.values().keys() == {"192.0.2.101", "192.0.2.102", "2001:db8:3::1"}


@pytest.mark.skipif(CORE < (2, 19), reason="the plugin of that time does not list machines of Azure Arc")
def test_a_machine_outside_of_azure(run: Runner, clouds: Clouds, zone: Zone) -> None:
    machines = source("us", include_arc_resource_groups=["elsewhere"])
    done = run({"azure_rm.yml": machines}, environment=clouds.environment, skip=["no_address"])
    assert done.status
    assert done.unresolved == {"shop1": "unknown_cloud", "deallocated": "no_address"}
    assert "its azure variables describe a machine outside of azure" in done.output
    assert zone.values() == {}
    machines["compose"] = {
        "origin_vendor": "'gcp' if name == 'shop1' else none",
        "origin_region": "'europe-west1' if name == 'shop1' else none",
    }
    assert run({"azure_rm.yml": machines}, environment=clouds.environment, skip=["no_address"]).status == 0
    assert zone.values()["45.0.0.21"] == ("gcp", "europe-west1")


def test_stopped_machines_are_skipped_by_default(run: Runner, clouds: Clouds) -> None:
    machines = source("us", "europe")
    del machines["default_host_filters"]
    done = run({"azure_rm.yml": machines}, environment=clouds.environment)
    assert done.status == 0, done.output
    assert (done.mappings.keys(), done.unresolved) == (MAPPED.keys() - {"192.0.2.104"}, {})


@pytest.mark.parametrize("kind", [COMPUTE, NETWORK], ids=["machines", "addresses"])
def test_mappings_of_forbidden_resources_are_kept(run: Runner, clouds: Clouds, zone: Zone, kind: str) -> None:
    zone.replace(MAPPED)
    clouds.azure.refused.append(f"{group('europe')}/{kind}")
    sources = {"azure_rm.yml": source("us", "europe")}
    done = run(sources, environment=clouds.environment, skip=["no_address"], purge=True)
    assert done.status
    assert zone.values() == MAPPED
    fatal = run(sources, environment={**clouds.environment, **FATAL}, skip=["no_address"])
    if CORE < (2, 21):
        assert "authorized" not in done.output
        assert done.mappings.keys() == MAPPED.keys() - EUROPE
        assert "would delete 8 of the 12 mappings" in done.output
        assert done.findings["stale"] == EUROPE
        assert fatal.status == 0
    else:
        # The plugin fails itself when it reports the refusal.
        assert done.mappings == {}
        assert "the inventory has no group 'web'" in done.output
        assert fatal.status


def test_a_refused_login(run: Runner, clouds: Clouds, zone: Zone) -> None:
    zone.replace(MAPPED)
    clouds.azure.login_is_refused = True
    sources = {"azure_rm.yml": source("us", "europe")}
    done = run(sources, environment=clouds.environment, purge=True)
    assert "AADSTS7000215" in done.output
    assert done.mappings == {}
    assert "the inventory has no group 'web'" in done.output
    assert zone.values() == MAPPED
    assert run(sources, environment={**clouds.environment, **FATAL}).status
