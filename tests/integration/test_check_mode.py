# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode sends no write, and says exactly what the run then does, or why it will fail."""

from __future__ import annotations

import json
from typing import Any

from emulator.server import Emulator
from emulator.state import Zone

from .playbook import Outcome, Play, Task, batch, checked, info, lookup, mapping, region

VIRGINIA = ("aws", "us-east-1")


def foretold(outcome: Outcome) -> Any:
    """A result but for the time of writing, which only the service knows."""
    return json.loads(
        json.dumps(outcome.result), object_hook=lambda it: {key: it[key] for key in it if key != "modified_on"}
    )


def test_the_run_does_what_check_mode_and_its_diff_said(play: Play, emulator: Emulator) -> None:
    single = {f"192.0.2.{last}": VIRGINIA for last in range(1, 5)}
    before = {**single, "192.0.2.50": VIRGINIA, "2001:db8::5": ("gcp", "us-east1")}
    one, many, all_of_it = (emulator.add_zone(f"{name}.example", mappings=before) for name in ("one", "many", "all"))
    oregon = {"zone_id": one.id, "vendor": "aws", "region": "us-west-2"}
    fleet = [
        mapping("192.0.2.1", "aws/us-east-1"),
        mapping("192.0.2.2", "aws/us-west-2"),
        mapping("2001:DB8:0::7", "oci/us-ashburn-1"),
        mapping("192.0.2.300", "oci/us-ashburn-1"),
    ]
    source = {"api_url": emulator.api_url, "api_token": emulator.token, "zone_id": one.id}
    tasks = {
        "create": region(origin_ip="2001:DB8::a", **oregon),
        "update": region(origin_ip="192.0.2.1", **oregon),
        "keep": region(origin_ip="192.0.2.2", zone_id=one.id, vendor="aws", region="us-east-1"),
        "remove": region(origin_ip="192.0.2.3", zone_id=one.id, state="absent"),
        "remove nothing": region(origin_ip="192.0.2.99", zone_id=one.id, state="absent"),
        "batch": batch(fleet, zone_id=many.id, on_invalid="skip"),
        "batch of one": batch([mapping("192.0.2.88", "gcp/us-east1")], zone_id=many.id),
        "clear": batch([{"ip": "192.0.2.50"}, {"ip": "192.0.2.99"}], zone_id=many.id, state="absent"),
        "purge": batch(fleet[:3], zone_id=all_of_it.id, purge=True),
        "read": info(zone_id=one.id),
        "lookup": lookup("aws", names_only=True, **source),
    }
    check = play(tasks, "--check", "--diff")
    assert emulator.writes == []
    assert one.values() == many.values() == all_of_it.values() == before
    assert {name: outcome.cost for name, outcome in check.outcomes.items()} == {
        "create": (3, 0),
        "update": (2, 0),
        "keep": (1, 0),
        "remove": (1, 0),
        "remove nothing": (1, 0),
        "batch": (2, 0),
        "batch of one": (3, 0),
        "clear": (1, 0),
        "purge": (2, 0),
        "read": (1, 0),
        "lookup": (1, 0),
    }
    assert [name for name, outcome in check.outcomes.items() if not outcome.changed] == [
        "keep",
        "remove nothing",
        "read",
        "lookup",
    ]
    assert check["create"]["mapping"] == mapping("2001:db8::a", "aws/us-west-2", modified_on=None)

    run = play(tasks)
    for name in tasks.keys() - {"read"}:
        assert foretold(run[name]) == foretold(check[name]), name

    # The diffs are the whole difference between the zones before and after.
    for zone, names in ((one, ["create", "update", "remove"]), (many, ["batch", "batch of one", "clear"])):
        assert lines(zone.values()) == patched(lines(before), [check[name]["diff"] for name in names])
    assert lines(all_of_it.values()) == patched(lines(before), [check["purge"]["diff"]])


def lines(values: dict[str, tuple[str, str]]) -> set[str]:
    return {f"{address}: {vendor}/{name}" for address, (vendor, name) in values.items()}


def patched(start: set[str], diffs: list[dict[str, str]]) -> set[str]:
    result = set(start)
    for diff in diffs:
        before = set(diff["before"].splitlines())
        assert before <= result
        result = (result - before) | set(diff["after"].splitlines())
    return result


def test_the_diff_as_ansible_prints_it(play: Play, emulator: Emulator) -> None:
    zone = emulator.add_zone("diff.example", mappings={"192.0.2.9": VIRGINIA, "192.0.2.10": VIRGINIA})
    fleet = [
        mapping("2001:DB8::1", "oci/us-ashburn-1"),
        mapping("192.0.2.10", "aws/us-west-2"),
        mapping("192.0.2.100", "gcp/us-east1"),
    ]
    run = play({"purge": batch(fleet, zone_id=zone.id, purge=True)}, "--diff")
    printed = [line.strip() for line in run.stdout.splitlines() if line.startswith(("+", "-")) and line[1:2] != line[0]]
    assert printed == [
        "-192.0.2.9: aws/us-east-1",
        "-192.0.2.10: aws/us-east-1",
        "+192.0.2.10: aws/us-west-2",
        "+192.0.2.100: gcp/us-east1",
        "+2001:db8::1: oci/us-ashburn-1",
    ]


def test_check_mode_fails_where_the_run_fails(play: Play, emulator: Emulator, zone: Zone) -> None:
    full = emulator.add_zone("full.example", mappings={f"10.0.{i // 250}.{i % 250}": VIRGINIA for i in range(3500)})
    before, before_full = zone.values(), full.values()
    other = mapping("192.0.2.1", "aws/us-west-2")
    new = mapping("192.0.2.10", "aws/us-west-2")
    tasks: dict[str, tuple[Task, str]] = {
        "unknown region": (
            region(zone_id=zone.id, origin_ip="192.0.2.10", vendor="aws", region="US-East-1"),
            "did you mean us-east-1?",
        ),
        "unknown region in a batch": (
            batch([new, mapping("192.0.2.11", "gcp/us-east-1")], zone_id=zone.id),
            "item 2 (mappings[1])",
        ),
        "limit": (region(zone_id=full.id, **new), "3500"),
        "limit in a batch of one": (batch([new], zone_id=full.id), "3500"),
        "conflict": (batch([new, other, {**new, "region": "us-east-2"}], zone_id=zone.id), "mappings[0]"),
        "overwrite": (region(zone_id=zone.id, **other, overwrite=False), "overwrite is false"),
        "credentials": (region(zone_id=zone.id, **new, api_token="cfemu-none-Hq7Vx2Rk9Zt4Ys6"), "HTTP 401"),
        "empty purge": (batch([], zone_id=zone.id, purge=True), "allow_empty"),
    }
    both = {f"check, {name}": checked(task) for name, (task, _text) in tasks.items()}
    run = play({**both, **{f"run, {name}": task for name, (task, _text) in tasks.items()}})
    for name, (_task, text) in tasks.items():
        for mode in ("check", "run"):
            assert text in run[f"{mode}, {name}"].message, (mode, name)
        assert run[f"check, {name}"].writes == [], name
    assert zone.values() == before
    assert full.values() == before_full
