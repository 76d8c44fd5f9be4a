# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones mapped and audited by the origins that Cloudflare knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator.server import Emulator
from emulator.state import Zone
from support.cloud_hosts import origin
from support.published_ranges import write_ranges

from .playbook import COLLECTION, Completed, run_playbook

RECORDS = [
    {"type": "A", "name": "www.example.com", "content": "192.0.2.1", "proxied": True, "id": "placeholder"},
    {"type": "A", "name": "app.example.com", "content": "192.0.2.40", "proxied": True},
    {"type": "A", "name": "old.example.com", "content": "203.0.113.48", "proxied": True},
    {"type": "AAAA", "name": "app.example.com", "content": "2001:db8:2::1", "proxied": True},
    {"type": "CNAME", "name": "shop.example.com", "content": "shop.example.net", "proxied": True},
    {"type": "A", "name": "office.example.com", "content": "198.18.0.7", "proxied": True},
]
WANTED = {
    "192.0.2.40": ("azure", "eastus2"),
    "203.0.113.48": ("oci", "us-ashburn-1"),
    "2001:db8:2::1": ("gcp", "us-central1"),
}
STALE = {"192.0.2.99": ("azure", "eastus2")}

Run = Callable[..., Completed]


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    """Return a zone with records and a mapping that no origin has."""
    return emulator.add_zone("example.com", mappings=STALE, dns_records=RECORDS)


PLAYBOOK = {"ansible.builtin.import_playbook": f"{COLLECTION}.map_zone"}


@pytest.fixture
def map_zone(tmp_path: Path, emulator: Emulator, zone: Zone) -> Run:
    """Return a runner of the playbook, with extra variables and its own."""
    sources = write_ranges(tmp_path / "sources")

    def run(*arguments: str, own: Mapping[str, Any] | None = None, **variables: Any) -> Completed:
        extra = {"ranges_sources": sources, "ranges_folder": str(tmp_path / "ranges"), "zone": zone.name, **variables}
        done = run_playbook(
            tmp_path,
            [{**PLAYBOOK, "vars": own or {}}],
            *arguments,
            "-e",
            json.dumps(extra),
            environment={"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token},
        )
        assert "Traceback" not in done.stdout + done.stderr
        assert emulator.token not in done.stdout + done.stderr
        return done

    return run


def output(done: Completed) -> str:
    return " ".join((done.stdout + done.stderr).split())


def test_a_name_and_a_token(map_zone: Run, zone: Zone, emulator: Emulator) -> None:
    ahead = map_zone("--check", "--diff")
    assert (ahead.returncode, zone.values(), emulator.writes) == (0, STALE, [])
    run = map_zone("--diff")
    assert run.returncode == 0, run.stdout + run.stderr
    for done in (ahead, run):
        assert "+192.0.2.40: azure/eastus2" in done.stdout
        # Origins without a mapping are named.
        assert "the addresses of 'shop.example.net' are not known" in output(done)
        assert "office.example.com" in output(done)
    assert zone.values() == {**WANTED, **STALE}
    emulator.requests.clear()
    assert "changed=0 " in map_zone().stdout
    # The records, the load balancers, the zone's mappings.
    assert len(emulator.requests) <= 1 + 2 + 4


def test_nothing_is_deleted_while_origins_are_unknown(map_zone: Run, zone: Zone, emulator: Emulator) -> None:
    emulator.api_versions = ["v1"]
    done = map_zone(purge=True)
    assert "nothing was deleted, although purge is true" in output(done)
    assert "Version 1 of Cloudflare's endpoints" in output(done)
    assert (done.returncode, zone.values()) == (2, {**WANTED, **STALE})
    emulator.api_versions = ["v2"]
    emulator.add_zone(zone.name, dns_records=[record for record in RECORDS if record["type"] != "CNAME"])
    emulator.load_balancing = "forbidden"
    done = map_zone(purge=True)
    assert "the load balancers could not be read" in output(done)
    assert (done.returncode, zone.values()) == (2, {**WANTED, **STALE})
    done = map_zone(purge=True, load_balancers="false")
    assert (done.returncode, zone.values()) == (0, WANTED)


def test_variables_of_the_inventory_are_not_meant(
    map_zone: Run, zone: Zone, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_zone(zone.name, dns_records=[record for record in RECORDS if record["type"] != "CNAME"])
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.json").write_text('{"purge": true, "zone": "other.example", "resolve": true}')
    assert (map_zone().returncode, zone.values()) == (0, {**WANTED, **STALE})
    assert (map_zone(own={"purge": True}).returncode, zone.values()) == (0, WANTED)


def test_tiered_cache_is_turned_on_first(map_zone: Run, zone: Zone, emulator: Emulator) -> None:
    emulator.add_zone(zone.name, tiered_cache=False, smart_tiered_cache=None)
    assert "originops.cloudflare.tiered_cache" in output(map_zone())
    ahead = map_zone("--check", "--diff", tiered_cache=True)
    assert ahead.returncode == 0
    assert "+tiered_cache: on" in ahead.stdout
    assert "+192.0.2.40: azure/eastus2" in ahead.stdout
    assert (zone.values(), zone.tiered_cache) == (STALE, False)
    assert map_zone(tiered_cache=True).returncode == 0
    assert (zone.values(), zone.tiered_cache, zone.smart_tiered_cache) == ({**WANTED, **STALE}, True, True)
    assert "changed=0 " in map_zone(tiered_cache=True).stdout


def test_tiered_cache_stays_off_if_the_mappings_are_refused(map_zone: Run, zone: Zone, emulator: Emulator) -> None:
    others = {f"198.51.100.{number}": ("aws", "us-east-1") for number in range(20)}
    records = [record for record in RECORDS if record["type"] != "CNAME"]
    emulator.add_zone(zone.name, mappings=others, dns_records=records, tiered_cache=False)
    for refused, part in (
        ({"origin_regions_keep": ["192.0.2.1/24"]}, "has bits of a host set"),
        ({"purge": True}, "would delete 20 of the 20 mappings"),
    ):
        for arguments in ((), ("--check",)):
            done = map_zone("-vv", "--diff", *arguments, tiered_cache=True, **refused)
            assert done.returncode == 2
            assert part in output(done)
            failure = done.stdout.partition("FAILED! => ")[2]
            assert '"changed": false' in failure
            assert '"changed": true' not in failure
            assert "tiered_cache: on" not in failure
            assert (emulator.writes, zone.tiered_cache, zone.values()) == ([], False, others)


@pytest.mark.parametrize("content", ["shop.example.net", "198.18.0.7"], ids=["a hostname", "outside of all clouds"])
def test_a_zone_without_an_origin_to_map(map_zone: Run, zone: Zone, emulator: Emulator, content: str) -> None:
    kind = "CNAME" if content[0].isalpha() else "A"
    record = {"type": kind, "name": "www.example.com", "content": content, "proxied": True}
    emulator.add_zone(zone.name, dns_records=[record])
    done = map_zone()
    assert (done.returncode, zone.values()) == (0, STALE)
    assert "left out 1 origin" in output(done)
    assert content in output(done)
    assert (map_zone(purge=True).returncode, zone.values()) == (2, STALE)


def test_a_name_is_looked_up_once(map_zone: Run, zone: Zone, emulator: Emulator) -> None:
    emulator.add_zone(zone.name, tiered_cache=False)
    assert map_zone(tiered_cache=True).returncode == 0
    assert [request.path for request in emulator.requests].count("/zones") == 1


def test_several_zones(map_zone: Run, zone: Zone, emulator: Emulator) -> None:
    other = emulator.add_zone(
        "example.net", dns_records=[{"name": "example.net", "content": "192.0.2.40", "proxied": True}]
    )
    for zones in (["example.com", "example.net"], "example.com,example.net"):
        done = map_zone(zone=zones)
        assert done.returncode == 0, done.stdout
    assert other.values() == {"192.0.2.40": ("azure", "eastus2")}
    assert "there is no nowhere.example" in output(map_zone(zone=["nowhere.example", "example.com"]))
    assert zone.values() == {**WANTED, **STALE}


@pytest.mark.parametrize("arguments", [(), ("-e", "zone=")], ids=["unset", "empty"])
def test_no_zone(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Check that the playbook fails before it downloads anything."""
    play = {"ansible.builtin.import_playbook": f"{COLLECTION}.map_zone"}
    done = run_playbook(tmp_path, [play], "-e", f"ranges_folder={tmp_path}/ranges", *arguments)
    assert done.returncode != 0
    assert "Set the zone, or a list of zones: -e zone=example.com" in output(done)
    assert not (tmp_path / "ranges").exists()


def test_an_audit_while_origins_are_unknown(tmp_path: Path, emulator: Emulator, zone: Zone) -> None:
    """Check that a repair deletes no mapping of an origin that is unknown."""
    variables = {
        "audit_zones": [zone.name],
        "audit_source": ["cloudflare"],
        "audit_ranges": write_ranges(tmp_path / "ranges"),
        "audit_fail_on": ["stale"],
    }
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "roles": [f"{COLLECTION}.audit"]}
    environment = {"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token}

    def audited(values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        zone.replace(values)
        done = run_playbook(tmp_path, [play], environment=environment)
        return output(done), json.loads((tmp_path / "audit" / "report.json").read_text())

    _text, report = audited({**WANTED, **STALE})
    assert report["zones"][0]["counts"]["stale"] == 1
    assert report["zones"][0]["repair"]["absent"] == []  # it may be an address of shop.example.net
    emulator.add_zone(zone.name, dns_records=[record for record in RECORDS if record["type"] != "CNAME"])
    _text, report = audited({**WANTED, **STALE})
    assert [entry["origin_ip"] for entry in report["zones"][0]["repair"]["absent"]] == ["192.0.2.99"]
    emulator.load_balancing = "forbidden"
    text, report = audited(WANTED)
    assert "1 zone in which stale could not be checked" in text
    assert "the load balancers could not be read" in report["zones"][0]["not_checked"]["stale"]


def test_an_audit_by_unreadable_ranges(tmp_path: Path, emulator: Emulator, zone: Zone) -> None:
    """Check that origins without a location are no passed check."""
    emulator.add_zone(zone.name, mappings=WANTED, dns_records=[record for record in RECORDS if record["type"] == "A"])
    variables = {
        "audit_zones": [zone.name],
        "audit_source": ["cloudflare"],
        "audit_ranges": {"aws": "/nowhere/aws.json"},
        "audit_fail_on": ["missing", "wrong", "stale"],
    }
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "roles": [f"{COLLECTION}.audit"]}
    environment = {"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token}
    done = run_playbook(tmp_path, [play], environment=environment)
    assert done.returncode == 2
    assert "1 zone in which missing could not be checked; 1 zone in which wrong could not be checked" in output(done)


def test_an_audit_by_both_sources(tmp_path: Path, emulator: Emulator, zone: Zone) -> None:
    zone.replace({**WANTED, **STALE})
    hosts = {"web1": origin("192.0.2.40", "azure/eastus2"), "web2": origin("198.51.100.50", "aws/us-east-1")}
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"children": {"web": {"hosts": hosts}}}}))
    entry = {"zone": zone.name, "group": "web", "source": ["inventory", "cloudflare"]}
    variables = {"audit_zones": [entry], "audit_ranges": write_ranges(tmp_path / "ranges")}
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "roles": [f"{COLLECTION}.audit"]}
    environment = {"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token}
    run_playbook(tmp_path, [play], "-i", "hosts.yml", environment=environment)
    [report] = json.loads((tmp_path / "audit" / "report.json").read_text())["zones"]
    assert report["only_in"] == {
        "inventory": ["198.51.100.50"],
        "cloudflare": ["198.18.0.7", "203.0.113.48", "2001:db8:2::1"],
    }
    assert report["sources"] == ["inventory", "cloudflare"]
    [mapping] = [entry for entry in report["mappings"] if entry["origin_ip"] == "192.0.2.40"]
    assert mapping["hosts"] == ["app.example.com", "web1"]
    kinds = {(finding["kind"], finding["origin_ip"]) for finding in report["findings"]}
    assert {("missing", "198.51.100.50"), ("stale", "192.0.2.99"), ("unresolved", "198.18.0.7")} <= kinds


def test_the_inventory_has_precedence_over_the_ranges(tmp_path: Path, emulator: Emulator, zone: Zone) -> None:
    # The ranges do not have the first address, and have the second one in azure/eastus2.
    hosts = {"web1": origin("198.18.0.7", "gcp/us-east1"), "web2": origin("192.0.2.40", "aws/us-east-1")}
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"children": {"web": {"hosts": hosts}}}}))
    entry = {"zone": zone.name, "group": "web", "source": ["inventory", "cloudflare"]}
    variables = {
        "origin_regions_zones": [entry],
        "origin_regions_filter_options": {"ranges": write_ranges(tmp_path / "ranges")},
        "origin_regions_skip": ["hostname"],
    }
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "roles": [f"{COLLECTION}.origin_regions"]}
    environment = {"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token}
    done = run_playbook(tmp_path, [play], "-i", "hosts.yml", environment=environment)
    assert done.returncode == 0, output(done)
    own = {"198.18.0.7": ("gcp", "us-east1"), "192.0.2.40": ("aws", "us-east-1")}
    assert zone.values() == {**WANTED, **STALE, **own}
