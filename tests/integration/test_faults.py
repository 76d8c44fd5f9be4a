# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults during playbooks, and interrupted playbooks."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator.faults import Effect, Fault, Reset, Respond
from emulator.server import Emulator
from emulator.state import Zone
from support.values import Values, fleet, items, refusal

from .playbook import COLLECTION, Outcome, Play, Task, batch, info, lookup, mapping, region, start_playbook

BEFORE = fleet(5, "us-west-2") | {"192.0.2.1": ("oci", "us-ashburn-1")}
WANTED = fleet(205)
MANY = batch(items(WANTED), purge=True)
"""200 creations and 5 updates in three batches, then a deletion."""
ONE = region(**mapping("10.0.0.0", "aws/us-east-1"))
WITH_ONE = BEFORE | fleet(1)


@dataclass(frozen=True)
class Case:
    """Task that is disturbed in a zone of its own."""

    task: Task
    after: Values
    """Mappings of the zone once the task has succeeded."""
    effect: Effect
    method: str
    path: str
    nth: int = 1
    times: int | None = None
    parts: tuple[str, ...] = ()
    """Parts of the message; empty if the task succeeds despite the fault."""
    counts: tuple[int, int, int] | None = None
    """Numbers of applied, failed and pending changes."""


CASES = {
    "limited": Case(
        MANY, WANTED, refusal(429, 10100, Retry_After="1"), "PUT", "/batch", nth=2, times=1, counts=(206, 0, 0)
    ),
    "refused": Case(
        MANY,
        WANTED,
        refusal(401, 10000, Retry_After="1"),
        "PUT",
        "/batch",
        nth=3,
        parts=("Writing a batch of 5", "HTTP 401", "code 10000", "Check that the credentials are valid", "********"),
        counts=(200, 5, 1),
    ),
    "lost": Case(ONE, WITH_ONE, Reset(), "PUT", "/10.0.0.0$", parts=("Writing the mapping 10.0.0.0", "reset")),
    "web page": Case(
        info(), BEFORE, Respond(200, "<html>Sign in</html>"), "GET", "page=1", parts=("HTTP 200", "proxies")
    ),
    "lookup": Case(
        lookup(),
        BEFORE,
        refusal(403, 9109, Retry_After="1"),
        "GET",
        "/supported",
        parts=("HTTP 403", "9109", "********"),
    ),
}


def settled(task: Task, emulator: Emulator, zone: Zone) -> Task:
    """Return the task with the options for its zone, and one retry."""
    common = {"zone_id": zone.id, "retries": 1}
    [(action, task_options), *rest] = task.items()
    if not rest:
        return {action: {**task_options, **common}}
    # Defaults of modules do not apply to lookups.
    options = {**common, "api_url": emulator.api_url, "api_token": emulator.token}
    return {**task, "vars": {**task["vars"], "options": options}}


def test_faults(play: Play, emulator: Emulator, subtests: pytest.Subtests) -> None:
    zones = {name: emulator.add_zone(f"{number}.example", mappings=BEFORE) for number, name in enumerate(CASES)}
    tasks = {name: settled(case.task, emulator, zones[name]) for name, case in CASES.items()}
    emulator.faults = [
        Fault(
            effect=case.effect,
            method=case.method,
            path=f"{zones[name].id}.*{case.path}",
            nth=case.nth,
            times=case.times,
        )
        for name, case in CASES.items()
    ]
    run = play.once(tasks, "-vvvv", "--diff")
    for name, case in CASES.items():
        with subtests.test(name):
            check(run[name], case, zones[name])
    assert emulator.token not in run.output
    assert "Traceback (most recent call last)" not in run.output

    emulator.faults = []
    again = play.once(tasks)
    for name, case in CASES.items():
        with subtests.test(f"{name}, again"):
            assert not again[name].failed
            assert zones[name].values() == case.after


def check(outcome: Outcome, case: Case, zone: Zone) -> None:
    assert any(request.fault for request in outcome.requests)
    assert "module_stdout" not in outcome.result
    assert outcome.failed is bool(case.parts)
    if case.parts:
        for part in (zone.id, *case.parts):
            assert part in outcome.message
        assert len(outcome.message) < 1000
    else:
        assert zone.values() == case.after
    assert outcome.changed is (zone.values() != BEFORE)
    if not case.counts:
        return
    applied = {name: outcome[name] for name in ("created", "updated", "deleted")}
    assert (sum(map(len, applied.values())), len(outcome["failed_items"]), len(outcome["pending"])) == case.counts
    for name, mappings in applied.items():
        assert all((entry["origin_ip"] in zone.values()) is (name != "deleted") for entry in mappings)
    for entry in (*outcome["failed_items"], *outcome["pending"]):
        assert zone.values().get(entry["origin_ip"]) == BEFORE.get(entry["origin_ip"])


def quiet(emulator: Emulator) -> None:
    """Wait until no more requests arrive."""
    seen = -1
    while seen != len(emulator.requests):
        seen = len(emulator.requests)
        time.sleep(3 * emulator.latency)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_playbook_that_is_ended_in_the_middle(
    play: Play, emulator: Emulator, tmp_path: Path, end: signal.Signals
) -> None:
    wanted = fleet(1500)
    zone = emulator.add_zone("example.com", mappings={})
    defaults = {"api_url": emulator.api_url, "api_token": emulator.token, "zone_id": zone.id}
    task = batch(items(wanted))
    playbook = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {f"group/{COLLECTION}.cloudflare": defaults},
            "tasks": [task],
        }
    ]
    emulator.latency = 0.2
    with start_playbook(tmp_path, playbook, group=True) as process:
        deadline = time.monotonic() + 60
        while len(emulator.writes) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        # Like a terminal or a service manager: the whole group gets the signal.
        os.killpg(process.pid, end)
        stdout, stderr = process.communicate(timeout=60)
    quiet(emulator)
    assert process.returncode != 0
    assert emulator.token not in stdout + stderr
    there = zone.values()
    assert 200 <= len(there) < len(wanted)
    assert there.items() <= wanted.items()

    emulator.latency = 0
    rest = play.once({"again": task}, defaults=defaults)["again"]
    assert not rest.failed
    assert len(rest["created"]) == len(wanted) - len(there)
    assert zone.values() == wanted
