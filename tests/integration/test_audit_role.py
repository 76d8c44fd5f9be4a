# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Role and playbook that audit zones: findings, files and failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from emulator.server import Emulator
from emulator.state import Zone
from support.cloud_hosts import FLEET, MAPPED, origin
from support.published_ranges import write_ranges

from .playbook import COLLECTION, INVENTORY, Completed, run_playbook

Audit = Callable[..., Completed]

REPORTS = {"report.json", "report.md", "report.xml", "report.html"}


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    """Return a zone as the fleet wants it."""
    return emulator.add_zone("example.com", mappings=MAPPED)


@pytest.fixture
def audit(tmp_path: Path, emulator: Emulator, zone: Zone) -> Audit:
    """Return a runner of the role for a group web of hosts and the zone."""

    def run(*arguments: str, hosts: Mapping[str, Any] | None = None, **variables: Any) -> Completed:
        web = {"hosts": FLEET if hosts is None else hosts}
        (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"children": {"web": web}}}))
        zones = [{"zone": zone.name, "zone_id": zone.id, "group": "web"}]
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {f"audit_{name}": value for name, value in {"zones": zones, **variables}.items()},
            "roles": [f"{COLLECTION}.audit"],
        }
        return checked(
            emulator, run_playbook(tmp_path, [play], "-i", "hosts.yml", *arguments, environment=own(emulator))
        )

    return run


def own(emulator: Emulator) -> dict[str, str]:
    return {"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token}


def checked(emulator: Emulator, done: Completed) -> Completed:
    """Check that an audit wrote to no zone, leaked nothing, and return it."""
    assert emulator.writes == []
    assert emulator.token not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text("utf-8"))


def found(folder: Path) -> dict[str, list[str | None]]:
    """Return the addresses of the findings by kind, over all zones."""
    kinds: dict[str, list[str | None]] = {}
    for zone in report(folder)["zones"]:
        for finding in zone["findings"]:
            kinds.setdefault(finding["kind"], []).append(finding["origin_ip"])
    return kinds


def message(done: Completed) -> str:
    assert done.returncode, done.stdout
    return " ".join((done.stdout + done.stderr).split())


def test_a_zone_that_is_right(audit: Audit, tmp_path: Path, zone: Zone, emulator: Emulator) -> None:
    done = audit()
    assert done.returncode == 0, done.stdout
    assert "changed=0 " in done.stdout
    folder = tmp_path / "audit"
    assert found(folder) == {}
    [audited] = report(folder)["zones"]
    assert {entry["origin_ip"]: (entry["vendor"], entry["region"]) for entry in audited["mappings"]} == MAPPED
    assert all(entry["upper_tier_colos"] and entry["hosts"] for entry in audited["mappings"])
    # One page of mappings, the supported regions and two settings.
    assert len(emulator.requests) == 4
    assert {path.name for path in folder.iterdir()} == {*REPORTS, "zones"}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_every_kind_of_finding(audit: Audit, tmp_path: Path, emulator: Emulator) -> None:
    emulator.add_zone(
        "example.com",
        mappings={
            **{address: value for address, value in MAPPED.items() if address != "203.0.113.20"},
            "192.0.2.40": ("azure", "westeurope"),
            "192.0.2.99": ("azure", "eastus2"),
            "198.51.100.99": ("gcp", "us-central1"),
        },
        smart_tiered_cache=False,
    )
    hosts = {
        **FLEET,
        "stopped": {"compartment_id": "x", "region": "iad"},
        "gov": origin("198.18.0.1", "aws/us-gov-west-1"),
    }
    # An audit changes no zone, so check mode writes the same reports.
    arguments = ("--check", "--diff")
    done = audit(*arguments, hosts=hosts, ranges=write_ranges(tmp_path / "ranges"), formats=["json", "junit"])
    assert found(tmp_path / "audit") == {
        "missing": ["198.18.0.1", "203.0.113.20"],
        "wrong": ["192.0.2.40"],
        "stale": ["192.0.2.99", "198.51.100.99"],
        "contradicted": ["192.0.2.40", "198.51.100.99"],
        "unsupported": ["198.18.0.1"],
        "unresolved": [None],
        "without_effect": [None],
    }
    assert "The audit found 2 missing, 1 wrong, 2 stale, 2 contradicted, 1 unsupported" in message(done)
    suites = ElementTree.parse(tmp_path / "audit" / "report.xml").getroot()
    assert len(suites.findall(".//failure")) == len(found(tmp_path / "audit"))


def steps(hosts: str, *names: str, **variables: Any) -> dict[str, Any]:
    """Return a play of these steps of the role."""
    roles = [{"ansible.builtin.include_role": {"name": f"{COLLECTION}.audit", "tasks_from": name}} for name in names]
    play = {"hosts": hosts, "gather_facts": False, "tasks": roles}
    return {**play, "vars": {f"audit_{name}": value for name, value in variables.items()}}


def test_what_fails_the_play_is_chosen(audit: Audit, tmp_path: Path, emulator: Emulator) -> None:
    emulator.add_zone("example.com", mappings={**MAPPED, "192.0.2.99": ("aws", "us-east-1")}, smart_tiered_cache=False)
    done = audit(fail_on=[], formats=["json"])
    assert done.returncode == 0, done.stdout
    assert found(tmp_path / "audit") == {"stale": ["192.0.2.99"], "without_effect": [None]}
    for fail_on, fails in (
        (["stale"], True),
        (["missing", "wrong"], False),
        (["unresolved"], False),
        (["without_effect"], True),
    ):
        done = run_playbook(tmp_path, [steps("localhost", "report.yml", fail_on=fail_on, formats=[])])
        assert done.returncode == (2 if fails else 0), done.stdout


def test_no_inventory(audit: Audit, tmp_path: Path, zone: Zone) -> None:
    done = audit(inventory=False, hosts={}, zones=[{"zone": zone.name}], formats=["json"], file_mode="0644")
    assert done.returncode == 0, done.stdout
    [audited] = report(tmp_path / "audit")["zones"]
    assert (audited["compared"], audited["zone_id"], audited["total_count"]) == (False, zone.id, len(MAPPED))
    assert {path.name for path in (tmp_path / "audit").iterdir()} == {"report.json", "zones"}
    assert (tmp_path / "audit" / "report.json").stat().st_mode & 0o777 == 0o644


def test_zones_that_cannot_be_audited_fail_it_but_spare_the_others(audit: Audit, tmp_path: Path, zone: Zone) -> None:
    zones = [
        {"zone": "gone.example", "zone_id": "0" * 32, "group": "web"},
        {"zone": "typo.example", "group": "wbe"},
        {"zone": zone.name, "zone_id": zone.id, "group": "web"},
    ]
    done = audit(zones=zones, fail_on=[], formats=["json"])
    assert "The audit found 2 zones that could not be audited" in message(done)
    errors = {entry["zone"]: entry["error"] for entry in report(tmp_path / "audit")["zones"]}
    assert errors.pop(zone.name) is None
    assert "HTTP 400" in errors["gone.example"]
    assert "the inventory has no group wbe" in errors["typo.example"]


@pytest.mark.parametrize(
    ("variables", "part"),
    [
        ({"zones": []}, "There is no zone to audit: set audit_zones"),
        ({"fail_on": ["staled"]}, "audit_fail_on"),
        ({"formats": ["pdf"]}, "audit_formats"),
    ],
)
def test_bad_variables(audit: Audit, variables: dict[str, Any], part: str) -> None:
    assert part in message(audit(**variables))


@pytest.fixture
def zones_of_the_playbook(tmp_path: Path, emulator: Emulator) -> list[Zone]:
    """Return two zones; inventories have them, and an origin for each."""
    (tmp_path / "cloudflare_zones.yml").write_text(f"plugin: {COLLECTION}.zones\n")
    zones = [
        emulator.add_zone(f"z{number}.example", mappings={f"192.0.2.{number}": ("aws", "us-east-1")})
        for number in range(2)
    ]
    hosts = {
        f"web{number}": origin(f"192.0.2.{number}", "aws/us-east-1", origin_zones=zone.name)
        for number, zone in enumerate(zones)
    }
    (tmp_path / "origins.yml").write_text(
        json.dumps({"all": {"children": {"web": {"hosts": hosts}}, **INVENTORY["all"]}})
    )
    return zones


SOURCES = ("-i", "cloudflare_zones.yml", "-i", "origins.yml")


def run_audit(tmp_path: Path, emulator: Emulator, *arguments: str) -> Completed:
    """Run the playbook, as users call it."""
    including = [{"ansible.builtin.import_playbook": f"{COLLECTION}.audit"}]
    arguments = (*SOURCES, "-f", "3", "-e", json.dumps({"audit_formats": ["json"]}), *arguments)
    return checked(emulator, run_playbook(tmp_path, including, *arguments, environment=own(emulator)))


def test_the_playbook_over_many_zones(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]) -> None:
    done = run_audit(tmp_path, emulator)
    assert done.returncode == 0, done.stdout + done.stderr
    totals = report(tmp_path / "audit")["totals"]
    assert (totals["zones"], totals["clean"], totals["mappings"]) == (2, 2, 2)
    zones_of_the_playbook[1].replace({"192.0.2.1": ("aws", "us-west-2")})
    emulator.add_zone("z0.example", tiered_cache=False)
    assert "The audit found 1 wrong" in message(run_audit(tmp_path, emulator))
    assert found(tmp_path / "audit") == {"without_effect": [None], "wrong": ["192.0.2.1"]}
    # What an earlier audit has left of other zones is not reported again.
    run_audit(tmp_path, emulator, "--limit", "localhost:z1.example")
    assert report(tmp_path / "audit")["totals"]["zones"] == 1


def test_slices_are_put_together_afterwards(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]
) -> None:
    for number, pattern in enumerate(["z0.example", "z1.example"]):
        plays = [steps(hosts, name) for hosts, name in (("localhost", "prepare.yml"), (pattern, "zones.yml"))]
        arguments = ("-e", f"audit_folder={tmp_path}/slice{number}")
        done = run_playbook(tmp_path, plays, *SOURCES, *arguments, environment=own(emulator))
        assert done.returncode == 0, done.stdout
    sources = [f"{tmp_path}/slice0", f"{tmp_path}/slice1"]
    together = steps("localhost", "prepare.yml", "report.yml", sources=sources, formats=["json"])
    done = run_playbook(tmp_path, [together], *SOURCES)
    assert done.returncode == 0, done.stdout
    names = [zone["zone"] for zone in report(tmp_path / "audit")["zones"]]
    assert names == [zone.name for zone in zones_of_the_playbook]
