# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit as a task: its report, and the repair by the next task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from emulator.faults import Fault, Respond
from emulator.server import Emulator
from emulator.state import Zone
from support.published_ranges import write_ranges

from .playbook import CHECKOUT, Play, audit, batch, checked, mapping

VALIDATOR = Draft202012Validator(json.loads((CHECKOUT / "roles/audit/files/report.schema.json").read_text("utf-8")))
FLEET = [mapping("192.0.2.1", "aws/us-west-2"), mapping("192.0.2.9", "aws/us-east-1")]


def kinds(report: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(finding["kind"], finding["origin_ip"]) for finding in report["findings"]]


def test_audit_repair_audit(play: Play, zone: Zone, tmp_path: Path) -> None:
    common: dict[str, Any] = {"zone": zone.name, "expected": FLEET}
    unresolved = [
        {"host": "web3", "code": "unknown_region", "reason": "no variable has it", "addresses": ["2001:DB8::1"]}
    ]
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


def test_module_defaults_and_both_api_versions(play: Play, emulator: Emulator, zone: Zone) -> None:
    defaults = {"api_url": emulator.api_url, "api_token": emulator.read_only_token, "zone_id": zone.id}
    run = play.once({"v2": audit(), "v1": audit(api_version="v1")}, defaults=defaults)
    for name, outcome in run.outcomes.items():
        assert (outcome["api_version"], outcome["report"]["api_version"], outcome.cost) == (name, name, (4, 0))
    assert "2026-10-01" in run.output


def test_settings_that_the_token_may_not_read(play: Play, emulator: Emulator, zone: Zone) -> None:
    errors = [{"code": 10000, "message": "Authentication error"}]
    refused = Respond(403, {"success": False, "errors": errors, "messages": [], "result": None})
    emulator.faults = [Fault(effect=refused, path="tiered_cach", times=None)]
    run = play.once({"audit": audit(zone_id=zone.id)})
    report = run["audit"]["report"]
    assert (report["tiered_cache"], report["smart_tiered_cache"], report["findings"]) == (None, None, [])
    assert "Zone Settings: Read" in " ".join((run.stdout + run.stderr).split())
