# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Role that maps zones as the inventory has their origins."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator.server import Emulator
from emulator.state import Zone
from support.cloud_hosts import FLEET, MAPPED, OCI, origin
from support.published_ranges import write_ranges

from .playbook import COLLECTION, Completed, run_playbook

NEVER_TOLD = {"public_ip": None, "region": "iad", "compartment_id": "ocid1.y"}
"""A host without a public address."""

Assign = Callable[..., Completed]


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    """Return an empty zone."""
    return emulator.add_zone("example.com", mappings={})


@pytest.fixture
def assign(tmp_path: Path, emulator: Emulator, zone: Zone) -> Assign:
    """Return a runner of the role for a group web of hosts and the zone."""

    def run(hosts: Mapping[str, Any], *arguments: str, **variables: Any) -> Completed:
        (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"children": {"web": {"hosts": hosts}}}}))
        zones = [{"zone": zone.name, "zone_id": zone.id, "group": "web"}]
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {
                f"group/{COLLECTION}.cloudflare": {"api_url": emulator.api_url, "api_token": emulator.token}
            },
            "vars": {f"origin_regions_{name}": value for name, value in {"zones": zones, **variables}.items()},
            "roles": [f"{COLLECTION}.origin_regions"],
        }
        emulator.requests.clear()
        done = run_playbook(tmp_path, [play], "-i", "hosts.yml", *arguments)
        assert emulator.token not in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run


def message(done: Completed) -> str:
    """Return the output of a play that failed, on one line."""
    assert done.returncode, done.stdout
    return " ".join((done.stdout + done.stderr).split())


def written(emulator: Emulator) -> int:
    return len(emulator.writes)


def test_a_fleet_in_four_clouds(assign: Assign, emulator: Emulator, zone: Zone) -> None:
    ahead = assign(FLEET, "--check", "--diff")
    assert (ahead.returncode, zone.values(), written(emulator)) == (0, {}, 0)
    run = assign(FLEET, "--diff")
    assert run.returncode == 0, run.stdout
    assert zone.values() == MAPPED
    lines = [f"+{address}: {vendor}/{region}" for address, (vendor, region) in MAPPED.items()]
    for done in (ahead, run):
        assert [
            line for line in done.stdout.splitlines() if line.startswith("+") and not line.startswith("+++")
        ] == lines
        assert "changed=1 " in done.stdout
    again = assign(FLEET, "--diff")
    assert "changed=0 " in again.stdout
    assert [request.method for request in emulator.requests] == ["GET"]


def test_hosts_that_name_their_zones(assign: Assign, zone: Zone, emulator: Emulator) -> None:
    other = emulator.add_zone("example.net", mappings={})
    hosts = {
        "both": origin("192.0.2.1", "aws/us-east-1", origin_zones=["example.com", "example.net"]),
        "one": origin("192.0.2.2", "aws/us-east-1", origin_zones="example.net"),
        "none": {},
    }
    done = assign(hosts, zones=[{"zone": "example.com"}, {"zone": "example.net", "zone_id": other.id}])
    assert done.returncode == 0, done.stdout
    assert list(zone.values()) == ["192.0.2.1"]
    assert list(other.values()) == ["192.0.2.1", "192.0.2.2"]


def test_groups_and_addresses_of_load_balancers(assign: Assign, zone: Zone, tmp_path: Path) -> None:
    ranges = write_ranges(tmp_path / "ranges")
    zones = [
        {
            "zone": zone.name,
            "zone_id": zone.id,
            "group": ["web"],
            "addresses": ["203.0.113.7", "192.0.2.7"],
        }
    ]
    done = assign({"o1": OCI}, zones=zones, filter_options={"ranges": ranges})
    assert done.returncode == 0, done.stdout
    assert zone.values() == {
        "192.0.2.7": ("azure", "eastus2"),
        "203.0.113.7": ("gcp", "us-central1"),
        "203.0.113.50": ("oci", "us-ashburn-1"),
    }


@pytest.mark.parametrize("exact", [False, True])
def test_additive_and_exact(assign: Assign, zone: Zone, exact: bool) -> None:
    zone.replace({**MAPPED, "192.0.2.99": ("aws", "us-east-1"), "192.0.2.40": ("aws", "us-east-1")})
    done = assign(FLEET, "--diff", exact=exact)
    assert done.returncode == 0, done.stdout
    assert zone.values().keys() - MAPPED.keys() == (set() if exact else {"192.0.2.99"})
    assert zone.values()["192.0.2.40"] == MAPPED["192.0.2.40"]
    assert done.stdout.count("-192.0.2.99: aws/us-east-1") == exact


def test_an_exact_zone_that_is_right_is_read_once(assign: Assign, zone: Zone, emulator: Emulator) -> None:
    zone.replace(MAPPED)
    assert "changed=0 " in assign(FLEET, exact=True).stdout
    assert [request.method for request in emulator.requests] == ["GET"]


def test_hosts_that_cannot_be_told_stop_it(assign: Assign, emulator: Emulator) -> None:
    output = message(assign({**FLEET, "lost": NEVER_TOLD, "odd": {"origin_ip": "192.0.2.77"}}))
    assert "lost: its oci variables have no public address" in output
    assert "odd: no variable names its cloud" in output
    assert "origin_regions_unresolved to skip" in output
    assert emulator.requests == []


def test_hosts_that_cannot_be_told_may_be_skipped_and_are_never_purged(assign: Assign, zone: Zone) -> None:
    zone.replace({**MAPPED, "192.0.2.77": ("gcp", "us-east1"), "192.0.2.99": ("aws", "us-east-1")})
    hosts = {**FLEET, "lost": NEVER_TOLD, "odd": {"origin_ip": "192.0.2.77"}}
    done = assign(hosts, unresolved="skip", exact=True)
    assert done.returncode == 0, done.stdout
    assert zone.values() == {**MAPPED, "192.0.2.77": ("gcp", "us-east1")}
    assert "its oci variables have no public address" in done.stdout


def test_a_region_that_is_not_supported(assign: Assign, emulator: Emulator, zone: Zone) -> None:
    hosts = {**FLEET, "gov": origin("192.0.2.50", "aws/us-gov-west-1")}
    assert "region 'us-gov-west-1' is not supported for vendor aws" in message(assign(hosts))
    assert (written(emulator), zone.values()) == (0, {})
    assert assign(hosts, unresolved="skip").returncode == 0
    assert zone.values() == MAPPED


@pytest.mark.parametrize(
    ("hosts", "held", "refused"),
    [
        ({}, 5, True),
        ({"a": origin("192.0.2.1", "aws/us-east-1")}, 5, True),
        ({f"h{number}": origin(f"192.0.2.{number}", "aws/us-east-1") for number in range(4)}, 5, False),
        # As many as before, but others.
        ({f"h{number}": origin(f"198.51.100.{number}", "aws/us-east-1") for number in range(5)}, 5, False),
        ({}, 0, False),
    ],
)
def test_an_inventory_that_lost_origins_deletes_nothing(
    assign: Assign, emulator: Emulator, hosts: dict[str, Any], held: int, refused: bool
) -> None:
    [zone] = emulator.zones
    before = {f"192.0.2.{number}": ("aws", "us-east-1") for number in range(held)}
    zone.replace(before)
    for arguments in (("--check",), ()):
        done = assign(hosts, *arguments, exact=True)
        if refused:
            assert "Check the inventory, or set origin_regions_allow_shrink to true" in message(done)
            assert (zone.values(), written(emulator)) == (before, 0)
        else:
            assert done.returncode == 0, done.stdout
    if refused:
        assert assign(hosts, exact=True, allow_shrink=True).returncode == 0
    assert set(zone.values()) == {host["origin_ip"] for host in hosts.values()}


@pytest.mark.parametrize(
    ("variables", "part"),
    [
        ({"zones": []}, "There is no zone to work on: set origin_regions_zones"),
        ({"zones": [{"zone": "example.com", "group": "wbe"}]}, "example.com: the inventory has no group wbe"),
        ({"zones": [{"zone": "example.org", "group": "web"}]}, "there is no example.org"),
        ({"zones": [{"name": "example.com"}]}, "missing required arguments: zone"),
        ({"exact": "perhaps"}, "origin_regions_exact"),
        ({"unresolved": "report"}, "value of origin_regions_unresolved must be one of: error, skip"),
        ({"filter_options": {"vras_prefix": "gcp_"}}, "vras_prefix"),
    ],
)
def test_bad_variables(assign: Assign, emulator: Emulator, variables: dict[str, Any], part: str) -> None:
    assert part in message(assign(FLEET, **variables))
    assert written(emulator) == 0


def test_two_hosts_that_contradict_each_other(assign: Assign, emulator: Emulator) -> None:
    hosts = {"one": origin("192.0.2.1", "aws/us-east-1"), "two": origin("192.0.2.1", "aws/us-west-2")}
    output = message(assign(hosts))
    assert "one and two: 192.0.2.1 is in different regions: aws/us-east-1 (one), aws/us-west-2 (two)" in output
    assert emulator.requests == []
