# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role and the playbook that audit zones, run against the emulator: what they find, write and fail on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cloud_hosts import FLEET, MAPPED, origin
from emulator.server import Emulator
from emulator.state import Zone
from published_ranges import write_ranges

from .playbook import CHECKOUT, COLLECTION, INVENTORY, run_playbook

Completed = subprocess.CompletedProcess[str]
Audit = Callable[..., Completed]

REPORTS = {"report.json", "report.md", "report.xml", "report.html"}


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    """A zone as the fleet wants it."""
    return emulator.add_zone("example.com", mappings=MAPPED)


@pytest.fixture
def audit(tmp_path: Path, emulator: Emulator, zone: Zone) -> Audit:
    """Runs the role with these hosts in the group web, for the zone by that group unless variables say otherwise."""

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
    """What holds of every audit: it writes nothing to a zone, leaks nothing, and shows no traceback."""
    assert emulator.writes == []
    assert emulator.token not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text("utf-8"))


def found(folder: Path) -> dict[str, list[str | None]]:
    """The addresses of the findings by kind, over all zones."""
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
    assert {it["origin_ip"]: (it["vendor"], it["region"]) for it in audited["mappings"]} == MAPPED
    assert all(it["upper_tier_colos"] and it["hosts"] for it in audited["mappings"])
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
        "gov": origin("10.0.0.1", "aws/us-gov-west-1"),
    }
    done = audit(hosts=hosts, ranges=write_ranges(tmp_path / "ranges"))
    assert found(tmp_path / "audit") == {
        "missing": ["10.0.0.1", "203.0.113.20"],
        "wrong": ["192.0.2.40"],
        "stale": ["192.0.2.99", "198.51.100.99"],
        "contradicted": ["192.0.2.40", "198.51.100.99"],
        "unsupported": ["10.0.0.1"],
        "unresolved": [None],
        "without_effect": [None],
    }
    assert "The audit found 2 missing, 1 wrong, 2 stale, 2 contradicted, 1 unsupported" in message(done)
    suites = ElementTree.parse(tmp_path / "audit" / "report.xml").getroot()
    assert len(suites.findall(".//failure")) == len(found(tmp_path / "audit"))


@pytest.mark.parametrize(
    ("fail_on", "fails"),
    [
        ([], False),
        (["stale"], True),
        (["missing", "wrong"], False),
        (["unresolved"], False),
        (["without_effect"], True),
    ],
)
def test_what_fails_the_play_is_chosen(
    audit: Audit, tmp_path: Path, emulator: Emulator, fail_on: list[str], fails: bool
) -> None:
    emulator.add_zone("example.com", mappings={**MAPPED, "192.0.2.99": ("aws", "us-east-1")}, smart_tiered_cache=False)
    done = audit(fail_on=fail_on)
    assert done.returncode == (2 if fails else 0), done.stdout
    assert found(tmp_path / "audit") == {"stale": ["192.0.2.99"], "without_effect": [None]}


def test_check_mode_audits_as_well(audit: Audit, tmp_path: Path, zone: Zone) -> None:
    zone.replace({})
    assert "The audit found 7 missing" in message(audit("--check", "--diff"))
    assert len(found(tmp_path / "audit")["missing"]) == len(MAPPED)


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
    assert "The audit found 2 zones that could not be audited" in message(audit(zones=zones, fail_on=[]))
    errors = {it["zone"]: it["error"] for it in report(tmp_path / "audit")["zones"]}
    assert errors.pop(zone.name) is None
    assert "HTTP 400" in errors["gone.example"]
    assert "the inventory has no group wbe" in errors["typo.example"]


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"zones": []}, "There is no zone to audit: set audit_zones"),
        ({"fail_on": ["staled"]}, "audit_fail_on"),
        ({"formats": ["pdf"]}, "audit_formats"),
    ],
)
def test_bad_variables(audit: Audit, variables: dict[str, Any], told: str) -> None:
    assert told in message(audit(**variables))


@pytest.fixture
def zones_of_the_playbook(tmp_path: Path, emulator: Emulator) -> list[Zone]:
    """Six zones, an inventory file that finds them, and one with an origin for each."""
    (tmp_path / "cloudflare_zones.yml").write_text(f"plugin: {COLLECTION}.zones\n")
    zones = [
        emulator.add_zone(f"z{number}.example", mappings={f"192.0.2.{number}": ("aws", "us-east-1")})
        for number in range(6)
    ]
    hosts = {
        f"web{number}": origin(f"192.0.2.{number}", "aws/us-east-1", origin_zones=zone.name)
        for number, zone in enumerate(zones)
    }
    (tmp_path / "origins.yml").write_text(
        json.dumps({"all": {"children": {"web": {"hosts": hosts}}, **INVENTORY["all"]}})
    )
    return zones


PLAYBOOK = CHECKOUT / "playbooks" / "audit.yml"
SOURCES = ("-i", "cloudflare_zones.yml", "-i", "origins.yml")


def run_audit(tmp_path: Path, emulator: Emulator, *arguments: str) -> Completed:
    """The playbook, as users call it."""
    including = [{"ansible.builtin.import_playbook": f"{COLLECTION}.audit"}]
    return checked(emulator, run_playbook(tmp_path, including, *SOURCES, *arguments, environment=own(emulator)))


def test_the_playbook_over_many_zones(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]) -> None:
    done = run_audit(tmp_path, emulator, "-f", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    totals = report(tmp_path / "audit")["totals"]
    assert (totals["zones"], totals["clean"], totals["mappings"]) == (6, 6, 6)
    zones_of_the_playbook[3].replace({"192.0.2.3": ("aws", "us-west-2")})
    emulator.add_zone("z5.example", tiered_cache=False)
    assert "The audit found 1 wrong" in message(run_audit(tmp_path, emulator, "-f", "3"))
    assert found(tmp_path / "audit") == {"wrong": ["192.0.2.3"], "without_effect": [None]}


def test_what_an_earlier_audit_left_is_not_reported(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]
) -> None:
    run_audit(tmp_path, emulator)
    assert report(tmp_path / "audit")["totals"]["zones"] == len(zones_of_the_playbook)
    run_audit(tmp_path, emulator, "--limit", "localhost:z1.example")
    assert report(tmp_path / "audit")["totals"]["zones"] == 1


def test_slices_are_put_together_afterwards(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]
) -> None:
    def steps(hosts: str, *names: str) -> dict[str, Any]:
        roles = [
            {"ansible.builtin.include_role": {"name": f"{COLLECTION}.audit", "tasks_from": name}} for name in names
        ]
        return {"hosts": hosts, "gather_facts": False, "tasks": roles}

    for number, pattern in enumerate(["z0.example:z1.example:z2.example", "z3.example:z4.example:z5.example"]):
        play = steps(pattern, "zones.yml")
        arguments = ("-e", f"audit_folder={tmp_path}/slice{number}")
        done = run_playbook(
            tmp_path, [steps("localhost", "prepare.yml"), play], *SOURCES, *arguments, environment=own(emulator)
        )
        assert done.returncode == 0, done.stdout
    sources = json.dumps({"audit_sources": [f"{tmp_path}/slice0", f"{tmp_path}/slice1"]})
    done = run_playbook(tmp_path, [steps("localhost", "prepare.yml", "report.yml")], *SOURCES, "-e", sources)
    assert done.returncode == 0, done.stdout
    names = [zone["zone"] for zone in report(tmp_path / "audit")["zones"]]
    assert names == [zone.name for zone in zones_of_the_playbook]
