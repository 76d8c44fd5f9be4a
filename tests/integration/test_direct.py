# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules in the controller's process, and in a process of their own.

Each call of a playbook.Play, also in other tests, compares the results of both.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
import venv
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

from emulator.faults import Exchange, Fault, Respond
from emulator.server import Emulator
from emulator.state import Zone

from .playbook import (
    CHECKOUT,
    DIRECT,
    HAS_DIRECT,
    OMIT,
    Play,
    Task,
    audit,
    batch,
    info,
    lookup,
    mapping,
    region,
    run_playbook,
)

SIGN = "Running the module in the controller's process"

NEW = mapping("192.0.2.10", "aws/us-west-2")

CALLBACK = """
from __future__ import annotations

DOCUMENTATION = "{name: patch, type: notification, short_description: Change ansible-core}"

import sys

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "patch"

"""
"""Callback plugin, which is loaded before the first task."""

COPIED_ARGUMENTS = """
from ansible.plugins.action import ActionBase

execute = ActionBase._execute_module


def execute_with_copy(self, module_name=None, module_args=None, *args, **kwargs):
    if module_args is None:
        module_args = dict(self._task.args)
    return execute(self, module_name, module_args, *args, **kwargs)


ActionBase._execute_module = execute_with_copy
"""

REQUIRED_FIELD = """
from ansible.executor import module_common

build = getattr(module_common, "_BuiltModule", None)


def build_with_field(**fields):
    if sys._getframe(1).f_globals["__name__"] != module_common.__name__:
        fields.pop("new_field")
    return build(**fields)


module_common._BuiltModule = build_with_field
"""

DEFECT = """
from ansible_collections.originops.cloudflare.plugins.module_utils import _single


def fail(options):
    raise RuntimeError(f"the token is {options['api_token']}")


_single.open_zone = fail
"""


def test_execution_in_process_has_the_same_results(play: Play, zone: Zone, tmp_path: Path) -> None:
    other_python = tmp_path / "python"
    other_python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    other_python.chmod(0o755)
    other_name = next(
        path
        for path in Path(sys.executable).parent.glob("python*")
        if path.samefile(sys.executable) and path != Path(sys.executable)
    )
    (tmp_path / "linked").mkdir()
    link = tmp_path / "linked" / "python"
    link.symlink_to(sys.executable)
    read = info(zone_id=zone.id, api_url=play.emulator.api_url, api_token=play.emulator.token)
    tasks: dict[str, tuple[bool, Task]] = {
        "plain": (True, read),
        "looped": (True, {**read, "loop": [1, 2]}),
        "delegated": (True, {**read, "delegate_to": "localhost"}),
        "turned off": (False, {**read, "vars": {DIRECT: False}}),
        "own environment": (False, {**read, "environment": {"SOME": "thing"}}),
        "async": (False, {**read, "async": 30, "poll": 1}),
        "other interpreter": (False, {**read, "vars": {"ansible_python_interpreter": str(other_python)}}),
        "other name": (True, {**read, "vars": {"ansible_python_interpreter": str(other_name)}}),
        # Such a link has the packages of another environment.
        "link from elsewhere": (
            False,
            {**read, "vars": {"ansible_python_interpreter": str(link)}, "ignore_errors": True},
        ),
    }
    done = run_playbook(
        tmp_path,
        [
            {
                "hosts": "localhost",
                "gather_facts": False,
                "tasks": [{"name": name, **task} for name, (_direct, task) in tasks.items()],
            }
        ],
        "-vvv",
        environment={"ANSIBLE_ASYNC_DIR": str(tmp_path / "async")},
        fresh=True,
    )
    assert done.returncode == 0, done.stdout
    output = dict(part.split("]", 1) for part in done.stdout.split("TASK [")[1:])
    assert {name: SIGN in text for name, text in output.items()} == {
        name: HAS_DIRECT and tasks[name][0] for name in tasks
    }
    assert output["looped"].count(SIGN) == (2 if HAS_DIRECT else 0)


def patched(folder: Path, patch: str) -> dict[str, str]:
    """Return an environment with a plugin that patches the controller."""
    (folder / "callbacks").mkdir()
    (folder / "callbacks" / "patch.py").write_text(CALLBACK + patch)
    return {"ANSIBLE_CALLBACK_PLUGINS": f"{CHECKOUT / 'tests/integration/callback'}:{folder / 'callbacks'}"}


@pytest.mark.parametrize("patch", [COPIED_ARGUMENTS, REQUIRED_FIELD], ids=["copied arguments", "required field"])
def test_another_core_neither_writes_in_check_mode_nor_fails(
    play: Play, emulator: Emulator, zone: Zone, tmp_path: Path, patch: str
) -> None:
    before = zone.values()
    tasks = {
        "region": region(**NEW, zone_id=zone.id),
        "batch": batch([NEW], zone_id=zone.id),
        "remove": region(origin_ip="192.0.2.1", state="absent", zone_id=zone.id),
        "info": info(zone_id=zone.id),
        "audit": audit(zone_id=zone.id),
    }
    run = play(tasks, "--check", environment=patched(tmp_path, patch), fresh=True)
    assert emulator.writes == []
    assert zone.values() == before
    for name, outcome in run.outcomes.items():
        assert not outcome.failed, name
        assert outcome.changed is (name in ("region", "batch", "remove")), name


def test_a_timeout_ends_a_task_and_its_requests(play: Play, emulator: Emulator) -> None:
    fleet = {f"198.51.100.{last}": ("aws", "us-east-1") for last in range(250)}
    zone = emulator.add_zone("fleet.example", mappings=fleet)
    begun = []

    def stall(exchange: Exchange) -> Response:
        begun.append(time.monotonic())
        time.sleep(30)
        return exchange.serve()

    emulator.faults = [
        Fault(effect=stall, path=f"{zone.id}.*page=2&", times=None),
        Fault(effect=Respond(503, headers={"Retry-After": "2"}), path=f"{zone.id}.*page=3&", times=None),
    ]
    run = play.once(
        {
            "stalled": {**info(zone_id=zone.id), "timeout": 3},
            "afterwards": {"ansible.builtin.wait_for": {"timeout": 4}},
        }
    )
    took = time.monotonic() - begun[0]
    # The message of ansible-core depends on its release.
    assert re.search("timed out|timeout|time frame", run["stalled"].message.lower())
    assert run["afterwards"].requests == []
    # The second task takes four seconds; the rest is for workers that end and start on a busy machine.
    assert took < 3 + 4 + 4


def test_a_defect_is_a_failure_without_traceback_and_secret(play: Play, zone: Zone, tmp_path: Path) -> None:
    run = play.once(
        {"defect": region(**NEW, zone_id=zone.id), "afterwards": info(zone_id=zone.id)},
        "-vvvv",
        environment=patched(tmp_path, DEFECT),
        fresh=True,
    )
    message = run["defect"].message
    assert "RuntimeError" in message
    assert "defect of the collection" in message
    assert play.emulator.token not in run.output
    quiet = play.once(
        {"defect": region(**NEW, zone_id=zone.id)}, environment=patched(tmp_path / "callbacks", DEFECT), fresh=True
    )
    assert "Traceback" not in quiet.stdout + quiet.stderr


def test_a_password_in_the_address_is_refused_and_masked(play: Play, zone: Zone, tmp_path: Path) -> None:
    password = "pw-9fT3kQ8sLm"
    url = f"https://someone:{password}@127.0.0.1:1/client/v4"
    common = {"zone_id": zone.id, "api_url": "{{ url }}"}
    tasks: dict[str, Task] = {
        "region": region(**NEW, **common),
        "batch": batch([NEW], **common),
        "info": info(**common),
        "audit": audit(**common),
        "lookup": lookup("aws", **common, api_token="x"),
        "bad option": info(**common, retries="many"),
    }
    log = {"ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log")}
    for variables in ({"url": url}, {"url": url, DIRECT: False}):
        run = play.once(tasks, "-vvvv", "--diff", variables=variables, environment=log, fresh=True)
        for name, outcome in run.outcomes.items():
            assert outcome.failed, name
            assert "api_url must not contain credentials" in outcome.message, name
            assert outcome.requests == [], name
        assert password not in run.output
    for direct in (True, False):
        read = {**info(zone_id=zone.id, api_token="x"), "vars": {DIRECT: direct}}
        environment = {**log, "CLOUDFLARE_BASE_URL": url}
        run = play.once({"environment": read}, "-vvvv", defaults={}, environment=environment, fresh=True)
        assert "api_url must not contain credentials" in run["environment"].message
        assert password not in run.output
    assert password not in (tmp_path / "ansible.log").read_text("utf-8")


def test_the_diff_keyword_of_a_task(play: Play, zone: Zone) -> None:
    write = batch([NEW], zone_id=zone.id)
    tasks = {"off": {**write, "diff": False, "check_mode": True}, "on": {**write, "check_mode": True}}
    run = play(tasks, "--diff")
    assert "diff" not in run["off"].result
    assert run["on"]["diff"]["after_header"] == zone.id
    run = play({"on": {**write, "diff": True, "check_mode": True}, "default": write})
    assert "diff" in run["on"].result
    assert "diff" not in run["default"].result


@pytest.mark.parametrize("empty", ["", None, "  "])
def test_empty_zones_count_as_not_set(play: Play, emulator: Emulator, zone: Zone, empty: Any) -> None:
    nothing = {"zone_id": empty, "zone": empty}
    token = {"api_url": emulator.api_url, "api_token": emulator.token}
    tasks = {
        "region": region(**NEW, **nothing),
        "batch": batch([NEW], **nothing),
        "info": info(**nothing),
        "audit": audit(**nothing),
        "lookup": lookup("aws", **nothing, **token),
        "left out": info(zone_id=empty, zone=OMIT),
    }
    run = play(tasks)
    for name, outcome in run.outcomes.items():
        assert "one of the following is required: zone_id, zone" in outcome.message, name
        assert outcome.requests == [], name
    assert "Traceback" not in run.output
    usable = play({"name empty": info(zone_id=zone.id, zone=empty), "id empty": info(zone_id=empty, zone=zone.name)})
    assert [outcome.failed for outcome in usable.outcomes.values()] == [False, False]


def test_a_python_without_requests_is_named(play: Play, zone: Zone, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    on_it = {"vars": {"ansible_python_interpreter": str(python)}}
    run = play.once({"region": {**region(**NEW, zone_id=zone.id), **on_it}, "info": {**info(zone_id=zone.id), **on_it}})
    for name, outcome in run.outcomes.items():
        assert "Python library (requests)" in outcome.message, name
        assert f'Run "{python} -m pip install requests", or set ansible_python_interpreter' in outcome.message, name
    assert "Traceback" not in run.output


def old_python() -> str | None:
    """Return a Python 3.9 of this machine, or None."""
    paths = sorted(Path.home().glob(".pyenv/versions/3.9.*/bin/python3.9"))
    return str(paths[0]) if paths else shutil.which("python3.9")


def test_an_old_python_of_the_target_is_named(play: Play, zone: Zone, tmp_path: Path) -> None:
    python = old_python()
    if python is None:
        pytest.skip("this machine has no Python 3.9")
    on_it = {"vars": {"ansible_python_interpreter": python}}
    tasks: dict[str, Task] = {
        "region": region(**NEW, zone_id=zone.id),
        "batch": batch([NEW], zone_id=zone.id),
        "info": info(zone_id=zone.id),
        "audit": audit(zone_id=zone.id),
        "ranges": {"originops.cloudflare.cloud_ip_ranges": {"dest": str(tmp_path / "ranges")}},
    }
    run = play.once({name: {**task, **on_it} for name, task in tasks.items()})
    for name, outcome in run.outcomes.items():
        assert f"need Python 3.10 or later, but {python} is 3.9." in outcome.message, name
    assert "Traceback" not in run.output
