# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit as a task: its report, the repair by the next task, what it refuses, and what it keeps to itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator.faults import Answer, Fault
from emulator.server import Emulator
from emulator.state import Zone
from published_ranges import write_ranges

from .playbook import CHECKOUT, COLLECTION, OMIT, Play, Task, batch, checked, mapping

VALIDATOR = Draft202012Validator(json.loads((CHECKOUT / "roles/audit/files/report.schema.json").read_text("utf-8")))
FLEET = [mapping("192.0.2.1", "aws/us-west-2"), mapping("192.0.2.9", "aws/us-east-1")]
KEPT = "cfemu-audit-kept-Vt6Yw2Lk9Rm4Xb7Qd3"


def audit(**options: Any) -> Task:
    """A task that audits a zone."""
    return {f"{COLLECTION}.origin_cloud_region_audit": options}


def kinds(report: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(finding["kind"], finding["origin_ip"]) for finding in report["findings"]]


def test_audit_repair_audit(play: Play, zone: Zone, tmp_path: Path) -> None:
    common: dict[str, Any] = {"zone": zone.name, "expected": FLEET}
    unresolved = [{"host": "web3", "reason": "no variable tells its region", "addresses": ["2001:DB8::1"]}]
    repair = {name: f"{{{{ audit.report.repair.{name} }}}}" for name in ("present", "absent")}
    run = play(
        {
            "audit": {**audit(**common, hosts={"192.0.2.1": ["web1"]}), "register": "audit"},
            "audit in check mode": checked(audit(**common)),
            "audit with an unresolved host": audit(**common, unresolved=unresolved),
            "audit with ranges": audit(zone=zone.name, ranges=write_ranges(tmp_path / "ranges")),
            "present": batch(repair["present"], zone=zone.name),
            "absent": batch(repair["absent"], zone=zone.name, state="absent"),
            "audit again": audit(**common),
        }
    )
    audits = [name for name in run.outcomes if name.startswith("audit")]
    for name in audits:
        VALIDATOR.validate(run[name]["report"])
        assert (run[name].changed, run[name].cost) == (False, (1 + 4, 0))
        assert run[name]["report"]["zone"] == zone.name
        assert run[name]["zone_id"] == run[name]["report"]["zone_id"] == zone.id
    differences = [("missing", "192.0.2.9"), ("wrong", "192.0.2.1"), ("stale", "2001:db8::1")]
    assert kinds(run["audit"]["report"]) == kinds(run["audit in check mode"]["report"]) == differences
    assert run["audit"]["report"]["findings"][1]["hosts"] == ["web1"]
    spared = run["audit with an unresolved host"]["report"]
    assert kinds(spared) == [*differences[:2], ("unresolved", "2001:db8::1")]
    assert kinds(run["audit with ranges"]["report"]) == [("contradicted", "192.0.2.1")]
    assert run["present"].changed
    assert run["absent"].changed
    assert run["audit again"]["report"]["findings"] == []


def test_module_defaults_and_both_generations(play: Play, emulator: Emulator, zone: Zone) -> None:
    defaults = {"api_url": emulator.api_url, "api_token": emulator.read_only_token, "zone_id": zone.id}
    run = play({"v2": audit(), "v1": audit(api_version="v1")}, defaults=defaults)
    for name, outcome in run.outcomes.items():
        assert (outcome["api_version"], outcome["report"]["api_version"], outcome.cost) == (name, name, (4, 0))
    assert "2026-10-01" in run.output


def test_mappings_without_effect(play: Play, emulator: Emulator) -> None:
    zones = {
        "tiered": emulator.add_zone("off.example", tiered_cache=False),
        "smart": emulator.add_zone("plain.example", smart_tiered_cache=None),
    }
    run = play({name: audit(zone_id=zone.id) for name, zone in zones.items()})
    for name, zone in zones.items():
        [finding] = run[name]["report"]["findings"]
        assert finding["kind"] == "without_effect"
        assert f"PATCH /zones/{zone.id}/" in finding["message"]


def test_settings_that_the_token_may_not_read(play: Play, emulator: Emulator, zone: Zone) -> None:
    errors = [{"code": 10000, "message": "Authentication error"}]
    refused = Answer(403, {"success": False, "errors": errors, "messages": [], "result": None})
    emulator.faults = [Fault(effect=refused, path="tiered_cach", times=None)]
    run = play({"audit": audit(zone_id=zone.id)})
    report = run["audit"]["report"]
    assert (report["tiered_cache"], report["smart_tiered_cache"], report["findings"]) == (None, None, [])
    assert "Zone Settings, Read" in " ".join((run.stdout + run.stderr).split())


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "expected: items": ({"expected": [*FLEET, "192.0.2.5", {"ip": "x"}]}, "item 4 (expected[3])"),
    "expected: a conflict": (
        {"expected": [*FLEET, {**FLEET[0], "region": "us-east-1"}]},
        "item 1 (expected[0]) and item 3 (expected[2]) give 192.0.2.1 different values",
    ),
    "expected: text": ({"expected": {"192.0.2.1": "aws"}}, "expected"),
    "unresolved: a reason": ({"unresolved": [{"host": "web1"}]}, "missing required arguments: reason"),
    "unresolved: an address": (
        {"unresolved": [{"host": "web1", "reason": "why", "addresses": ["x"]}]},
        "item 1 (unresolved[0]): item 1 (addresses[0])",
    ),
    "hosts: an address": ({"hosts": {"web1": ["192.0.2.1"]}}, "hosts['web1']: 'web1' is not an IPv4 or IPv6 address"),
    "hosts: a name": ({"hosts": {"192.0.2.1": "web1"}}, "hosts['192.0.2.1']: its value is not a list of names"),
    "ranges: a vendor": ({"ranges": {"AWS": "/x"}}, "Supported parameters include: aws, azure, gcp, oci"),
    "ranges: no file": ({"ranges": {"gcp": "/nowhere/cloud.json"}}, "there is no file '/nowhere/cloud.json'"),
    "near_limit": ({"near_limit": 0}, "near_limit: 0 is not between 1 and 100 percent"),
    "near_limit: text": ({"near_limit": "soon"}, "near_limit"),
    "zone_id and zone": ({"zone": "example.com"}, "mutually exclusive: zone_id|zone"),
    "neither zone_id nor zone": ({"zone_id": OMIT}, "one of the following is required: zone_id, zone"),
}


def test_bad_input(play: Play, zone: Zone, subtests: pytest.Subtests) -> None:
    run = play({name: audit(**{"zone_id": zone.id, **options}) for name, (options, _says) in BAD.items()})
    for name, (_options, says) in BAD.items():
        with subtests.test(name):
            assert says in run[name].message
            assert not run[name].changed
            assert run[name].requests == []
    assert "Traceback" not in run.output


def test_failures_have_no_secret(play: Play, emulator: Emulator, zone: Zone) -> None:
    echo = {"success": False, "errors": [{"code": 1140, "message": f"Bearer {KEPT}"}], "messages": [], "result": None}
    emulator.token = KEPT
    emulator.faults = [Fault(effect=Answer(500, echo), path="tiered_cach", times=None)]
    common = {"api_url": emulator.api_url, "retries": 0}
    run = play(
        {
            "echoed": audit(zone_id=zone.id, api_token=KEPT),
            "unknown zone": audit(zone_id="0" * 32, api_token=KEPT),
            "unknown name": audit(zone="nowhere.example", api_token=KEPT),
            "wrong token": audit(zone_id=zone.id, api_token=f"{KEPT}-wrong"),
        },
        "-vvv",
        defaults=common,
    )
    assert all(outcome.failed for outcome in run.outcomes.values())
    assert (run["echoed"]["status"], run["wrong token"]["status"]) == (500, 401)
    assert KEPT not in run.output
