# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode, which sends no write and predicts the run exactly."""

from __future__ import annotations

import json
from typing import Any

from emulator.server import Emulator

from .playbook import Outcome, Play, batch, mapping, region

VIRGINIA = ("aws", "us-east-1")


def comparable(outcome: Outcome) -> Any:
    """Return a result without the time of writing, which the service sets."""
    return json.loads(
        json.dumps(outcome.result), object_hook=lambda value: {key: value[key] for key in value if key != "modified_on"}
    )


def test_a_run_matches_its_check_mode_and_diff(play: Play, emulator: Emulator) -> None:
    single = {f"192.0.2.{last}": VIRGINIA for last in range(1, 5)}
    before = {**single, "192.0.2.50": VIRGINIA, "2001:db8::5": ("gcp", "us-east1")}
    single_zone, many, purged = (
        emulator.add_zone(f"{name}.example", mappings=before) for name in ("single", "many", "purged")
    )
    oregon = {"zone_id": single_zone.id, "vendor": "aws", "region": "us-west-2"}
    fleet = [
        mapping("192.0.2.1", "aws/us-east-1"),
        mapping("192.0.2.2", "aws/us-west-2"),
        mapping("2001:DB8:0::7", "oci/us-ashburn-1"),
        mapping("192.0.2.300", "oci/us-ashburn-1"),
    ]
    tasks = {
        "create": region(origin_ip="2001:DB8::a", **oregon),
        "update": region(origin_ip="192.0.2.1", **oregon),
        "remove": region(origin_ip="192.0.2.3", zone_id=single_zone.id, state="absent"),
        "batch": batch(fleet, zone_id=many.id, on_invalid="skip"),
        "clear": batch([{"ip": "192.0.2.50"}, {"ip": "192.0.2.99"}], zone_id=many.id, state="absent"),
        "purge": batch(fleet[:3], zone_id=purged.id, purge=True),
    }
    check = play(tasks, "--check", "--diff")
    assert emulator.writes == []
    assert single_zone.values() == many.values() == purged.values() == before
    assert {name: outcome.cost for name, outcome in check.outcomes.items()} == {
        "create": (3, 0),
        "update": (2, 0),
        "remove": (1, 0),
        "batch": (2, 0),
        "clear": (1, 0),
        "purge": (2, 0),
    }
    assert check["create"]["mapping"] == mapping("2001:db8::a", "aws/us-west-2")

    run = play.once(tasks, "--diff")
    for name in tasks:
        assert comparable(run[name]) == comparable(check[name]), name

    # The diffs are the whole difference between the zones before and after.
    for zone, names in ((single_zone, ["create", "update", "remove"]), (many, ["batch", "clear"])):
        assert lines(zone.values()) == patched(lines(before), [check[name]["diff"] for name in names])
    assert lines(purged.values()) == patched(lines(before), [check["purge"]["diff"]])


def lines(values: dict[str, tuple[str, str]]) -> set[str]:
    return {f"{address}: {vendor}/{name}" for address, (vendor, name) in values.items()}


def patched(start: set[str], diffs: list[dict[str, str]]) -> set[str]:
    result = set(start)
    for diff in diffs:
        before = set(diff["before"].splitlines())
        assert before <= result
        result = (result - before) | set(diff["after"].splitlines())
    return result


def test_the_printed_diff(play: Play, emulator: Emulator) -> None:
    zone = emulator.add_zone("diff.example", mappings={"192.0.2.9": VIRGINIA, "192.0.2.10": VIRGINIA})
    fleet = [
        mapping("2001:DB8::1", "oci/us-ashburn-1"),
        mapping("192.0.2.10", "aws/us-west-2"),
        mapping("192.0.2.100", "gcp/us-east1"),
    ]
    run = play.once({"purge": batch(fleet, zone_id=zone.id, purge=True)}, "--diff")
    printed = [
        line.strip()
        for line in run.stdout.splitlines()
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))
    ]
    assert [line for line in run.stdout.splitlines() if line.startswith(("+++", "---"))] == [
        f"--- before: {zone.id}",
        f"+++ after: {zone.id}",
    ]
    assert printed == [
        "-192.0.2.9: aws/us-east-1",
        "-192.0.2.10: aws/us-east-1",
        "+192.0.2.10: aws/us-west-2",
        "+192.0.2.100: gcp/us-east1",
        "+2001:db8::1: oci/us-ashburn-1",
    ]
