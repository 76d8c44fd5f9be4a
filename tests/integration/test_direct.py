# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where modules run in the controller's process, and where they run as ever.

That both come to the same is shown by every other test of this folder: see playbook.Play.
"""

from __future__ import annotations

import sys
from pathlib import Path

from emulator.state import Zone

from .playbook import DIRECT, HAS_DIRECT, Play, Task, info, run_playbook

SIGN = "Running the module in the controller's process"


def test_direct_execution_where_it_cannot_be_noticed(play: Play, zone: Zone, tmp_path: Path) -> None:
    other_python = tmp_path / "python"
    other_python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    other_python.chmod(0o755)
    read = info(zone_id=zone.id, api_url=play.emulator.api_url, api_token=play.emulator.token)
    tasks: dict[str, tuple[bool, Task]] = {
        "plain": (True, read),
        "looped": (True, {**read, "loop": [1, 2]}),
        "delegated": (True, {**read, "delegate_to": "localhost"}),
        "turned off": (False, {**read, "vars": {DIRECT: False}}),
        "own environment": (False, {**read, "environment": {"SOME": "thing"}}),
        "async": (False, {**read, "async": 30, "poll": 1}),
        "other interpreter": (False, {**read, "vars": {"ansible_python_interpreter": str(other_python)}}),
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
