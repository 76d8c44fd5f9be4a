# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Role that maps the origins of an inventory."""

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

WITHOUT_ADDRESS = {"public_ip": None, "region": "iad", "compartment_id": "ocid1.y"}
"""Host without a public address."""

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
        assert emulator.token not in shown(done)
        assert "Traceback" not in shown(done)
        return done

    return run


def message(done: Completed) -> str:
    """Check that a play failed, and return its output on one line."""
    assert done.returncode, done.stdout
    return shown(done)


def shown(done: Completed) -> str:
    """Return the output of a play, on one line."""
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


@pytest.mark.parametrize("purge", [False, True])
def test_additions_and_purge(assign: Assign, zone: Zone, purge: bool) -> None:
    zone.replace({**MAPPED, "192.0.2.99": ("aws", "us-east-1"), "192.0.2.40": ("aws", "us-east-1")})
    done = assign(FLEET, "--diff", purge=purge)
    assert done.returncode == 0, done.stdout
    assert zone.values().keys() - MAPPED.keys() == (set() if purge else {"192.0.2.99"})
    assert zone.values()["192.0.2.40"] == MAPPED["192.0.2.40"]
    assert done.stdout.count("-192.0.2.99: aws/us-east-1") == purge


def test_a_purge_of_a_correct_zone_reads_it_once(assign: Assign, zone: Zone, emulator: Emulator) -> None:
    zone.replace(MAPPED)
    assert "changed=0 " in assign(FLEET, purge=True).stdout
    assert [request.method for request in emulator.requests] == ["GET"]


UNKNOWN = {"lost": WITHOUT_ADDRESS, "odd": {"origin_ip": "192.0.2.77"}}


def test_unresolved_hosts_stop_a_zone(assign: Assign, emulator: Emulator) -> None:
    output = message(assign({**FLEET, **UNKNOWN}))
    assert "lost: its oci variables have no public address" in output
    assert "odd: no variable names its cloud" in output
    assert "origin_regions_skip: [no_address, unknown_cloud]" in output
    assert emulator.requests == []
    # Only hosts with a listed code are left out.
    assert "origin_regions_skip: [unknown_cloud]" in message(assign({**FLEET, **UNKNOWN}, skip=["no_address"]))


def test_hosts_without_an_address_are_no_origin(assign: Assign) -> None:
    assert "it has no origin in group 'web'" in message(assign({"lost": WITHOUT_ADDRESS}, skip=["no_address"]))


def test_addresses_of_skipped_hosts_are_kept(assign: Assign, zone: Zone) -> None:
    zone.replace({**MAPPED, "192.0.2.77": ("gcp", "us-east1"), "192.0.2.99": ("aws", "us-east-1")})
    done = assign({**FLEET, **UNKNOWN}, skip=["no_address", "unknown_cloud"], purge=True)
    assert done.returncode == 0, done.stdout
    assert zone.values() == {**MAPPED, "192.0.2.77": ("gcp", "us-east1")}
    assert "its oci variables have no public address" in shown(done)


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({"origin_ip": "web.example.com"}, "hostname"),
        ({"origin_ip": "{{ nowhere }}"}, "variable_error"),
        ({"origin_ip": "192.0.2.990"}, "no_address"),
        ({"origin_ip": {"vendor": "aws", "region": "us-east-1"}}, "no_address"),
        ({"origin_ip": ["192.0.2.98", "lb.example.net"], "origin_region": "{{ nowhere }}"}, "variable_error"),
    ],
)
def test_nothing_is_deleted_while_an_address_is_unknown(
    assign: Assign, zone: Zone, broken: dict[str, Any], code: str
) -> None:
    zone.replace({**MAPPED, "192.0.2.99": ("aws", "us-east-1")})
    done = assign({**FLEET, "odd": broken}, skip=[code], purge=True)
    assert (done.returncode, len(zone.values())) == (0, len(MAPPED) + 1)
    assert "nothing is deleted, because the addresses of these origins are not known: odd" in shown(done)


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        (None, "the addresses of these origins are not known: item 1 (addresses[0])"),
        (5, "'5' is of type"),
        ({"vendor": "aws", "region": "us-east-1"}, "the addresses of these origins are not known: item 1"),
        ({"orign_ip": "192.0.2.99", "vendor": "aws", "region": "us-east-1"}, "'orign_ip' is unknown here"),
        ({"origin_ip": "192.0.2.99", "regoin": "us-east-1"}, "192.0.2.99: 'regoin' is unknown here"),
    ],
)
def test_nothing_is_deleted_for_a_bad_item_of_addresses(assign: Assign, zone: Zone, entry: Any, part: str) -> None:
    zone.replace({**MAPPED, "192.0.2.99": ("aws", "us-east-1")})
    zones = [{"zone": zone.name, "group": "web", "addresses": [entry]}]
    done = assign(FLEET, zones=zones, skip=["no_address"], purge=True)
    assert (done.returncode, len(zone.values())) == (0, len(MAPPED) + 1)
    assert part in shown(done)


def test_an_unsupported_region(assign: Assign, emulator: Emulator, zone: Zone) -> None:
    hosts = {**FLEET, "gov": origin("192.0.2.50", "aws/us-gov-west-1")}
    assert "region 'us-gov-west-1' is not supported for vendor aws" in message(assign(hosts))
    assert (written(emulator), zone.values()) == (0, {})
    assert assign(hosts, skip=["unsupported_region"]).returncode == 0
    assert zone.values() == MAPPED


def aws(*numbers: int, network: str = "192.0.2", region: str = "us-east-1") -> dict[str, Any]:
    return {f"h{network}.{number}": origin(f"{network}.{number}", f"aws/{region}") for number in numbers}


@pytest.mark.parametrize(
    ("hosts", "allowed", "part"),
    [
        ({}, {"allow_empty": True, "max_delete_percentage": 100}, "it has no origin in group 'web'"),
        (aws(*range(6)), {"max_delete_percentage": 40}, "would delete 4 of the 10 mappings"),
        # As many as before, but of another environment.
        (aws(*range(10), network="198.51.100"), {"max_delete_percentage": 100}, "would delete 10 of the 10 mappings"),
        (aws(*range(10), region="us-west-2"), {"max_update_percentage": 100}, "would update 10 of the 10 mappings"),
        (aws(*range(7)), {}, None),
    ],
    ids=["empty", "shrunk", "replaced", "moved", "within the guards"],
)
def test_a_wrong_inventory_deletes_nothing(
    assign: Assign, zone: Zone, hosts: dict[str, Any], allowed: dict[str, Any], part: str | None
) -> None:
    before = {f"192.0.2.{number}": ("aws", "us-east-1") for number in range(10)}
    zone.replace(before)
    if part:
        for arguments in (("--check",), ()):
            assert part in message(assign(hosts, *arguments, purge=True))
            assert zone.values() == before
    assert assign(hosts, purge=True, **allowed).returncode == 0
    assert set(zone.values()) == {host["origin_ip"] for host in hosts.values()}


def test_a_failed_source_deletes_no_vendor(assign: Assign, zone: Zone) -> None:
    zone.replace({**MAPPED, "203.0.113.21": ("gcp", "us-central1")})
    before = zone.values()
    hosts = {name: variables for name, variables in FLEET.items() if name != "g1"}
    assert "mappings of vendor gcp in zone" in message(assign(hosts, purge=True))
    assert zone.values() == before


def test_mappings_of_others_are_kept(assign: Assign, zone: Zone) -> None:
    zone.replace({**MAPPED, "192.0.2.98": ("aws", "us-east-1"), "192.0.2.99": ("aws", "us-east-1")})
    assert assign(FLEET, purge=True, keep=["192.0.2.98/31"]).returncode == 0
    assert {"192.0.2.98", "192.0.2.99"} <= zone.values().keys()


def test_the_failure_of_a_zone_does_not_stop_the_others(assign: Assign, emulator: Emulator, zone: Zone) -> None:
    other = emulator.add_zone("example.net", mappings={})
    zones = [
        {"zone": "example.org", "group": "web"},
        {"zone": "typo.example", "group": "wbe"},
        {"zone": zone.name, "group": "web", "account_id": zone.account_id},
        {"zone_id": other.id, "groups": ["web"]},
    ]
    output = message(assign(FLEET, zones=zones))
    assert "2 of 4 zones failed" in output
    assert "there is no example.org" in output
    assert "; typo.example: the inventory has no group 'wbe': check the name" in output
    assert zone.values() == other.values() == MAPPED


def test_one_zone_by_its_name_and_by_its_identifier(
    assign: Assign, emulator: Emulator, zone: Zone, tmp_path: Path
) -> None:
    other = emulator.add_zone("example.net", mappings={})
    zone.replace({"192.0.2.7": ("azure", "eastus2"), **MAPPED})
    before = zone.values()
    zones = [
        {"zone": "Example.com.", "group": "web"},
        {"zone_id": zone.id, "groups": [], "addresses": ["192.0.2.7"]},
        {"zone": other.name, "group": "web"},
    ]
    ranges = {"ranges": write_ranges(tmp_path / "ranges")}
    output = message(assign(FLEET, zones=zones, purge=True, max_delete_percentage=100, filter_options=ranges))
    assert "2 of 3 zones failed" in output
    assert "Example.com.: Example.com. is listed more than once, with different origins" in output
    assert (zone.values(), other.values()) == (before, MAPPED)


def test_a_variable_of_the_name_that_the_inventory_plugin_uses(assign: Assign, emulator: Emulator) -> None:
    for value in ("prod", ["prod"], {"prod": "zones.yml"}):
        output = message(assign(FLEET, "--extra-vars", json.dumps({"cloudflare_zones_files": value})))
        assert "cloudflare_zones_files is not the variable of the inventory plugin originops.cloudflare.zones" in output
        assert emulator.requests == []


@pytest.mark.parametrize(
    ("variables", "part"),
    [
        ({"zones": []}, "there is no zone to map: set origin_regions_zones"),
        ({"zones": [{"name": "example.com"}]}, "'name' is unknown"),
        ({"zones": [{"zone": "example.com", "group": "web"}, {"zone": "Example.com."}]}, "is listed more than once"),
        ({"purge": "perhaps"}, "purge"),
        ({"skip": ["everything"]}, "everything"),
        ({"keep": ["192.0.2.1/24"]}, "did you mean 192.0.2.0/24?"),
        ({"max_delete_percentage": 101}, "max_delete_percentage: 101 is not between 0 and 100"),
        ({"filter_options": {"vras_prefix": "gcp_"}}, "vras_prefix"),
    ],
)
def test_bad_variables(assign: Assign, variables: dict[str, Any], part: str) -> None:
    assert part in message(assign(FLEET, **variables))


def test_contradicting_hosts(assign: Assign, emulator: Emulator, zone: Zone) -> None:
    hosts = {**FLEET, "one": origin("192.0.2.1", "aws/us-east-1"), "two": origin("192.0.2.1", "aws/us-west-2")}
    output = message(assign(hosts))
    assert "one and two" in output
    assert emulator.requests == []
    assert assign(hosts, skip=["conflict"]).returncode == 0
    assert zone.values() == MAPPED
