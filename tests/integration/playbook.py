# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks as the tests write them, and what running them came to."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible.release import __version__

from emulator.app import Recorded
from emulator.server import Emulator

CHECKOUT = Path(__file__).parents[2]
COLLECTIONS = CHECKOUT / ".cache" / "collections"
COLLECTION = "originops.cloudflare"

CORE = tuple(map(int, __version__.split(".")[:2]))
"""The release of ansible-core, such as (2, 19)."""

INVENTORY = {
    "all": {
        "hosts": {
            "localhost": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            }
        }
    }
}

OMIT = "{{ omit }}"
"""The value of an option that a task shall not have, not even from module_defaults."""

Task = dict[str, Any]

DIRECT = "originops_cloudflare_direct"
"""The variable that turns direct execution off."""

TIMES = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def region(**options: Any) -> Task:
    """A task that keeps one mapping."""
    return {f"{COLLECTION}.origin_cloud_region": options}


def batch(mappings: Any, **options: Any) -> Task:
    """A task that keeps many mappings."""
    return {f"{COLLECTION}.origin_cloud_region_batch": {"mappings": mappings, **options}}


def info(**options: Any) -> Task:
    """A task that reads mappings."""
    return {f"{COLLECTION}.origin_cloud_region_info": options}


def lookup(*terms: Any, **options: Any) -> Task:
    """A task whose result has the looked up regions as its msg."""
    query = "{{ query('originops.cloudflare.origin_cloud_supported_regions', *terms, **options) }}"
    return {"ansible.builtin.debug": {"msg": query}, "vars": {"terms": terms, "options": options}}


def checked(task: Task) -> Task:
    """The task in check mode, with its diff printed."""
    return {**task, "check_mode": True, "diff": True}


def mapping(origin_ip: str, value: str, **more: Any) -> dict[str, Any]:
    """A mapping as users write it and results have it, from a value like aws/us-east-1."""
    vendor, name = value.split("/")
    return {"origin_ip": origin_ip, "vendor": vendor, "region": name, **more}


def written(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Mappings as a diff has them, which leaves out the time of writing."""
    return [f"{it['origin_ip']}: {it['vendor']}/{it['region']}" for it in mappings]


ADDED = ("exception", "failed", "invocation")
"""What Ansible adds to results, apart from names that begin with _ansible."""


@dataclass(frozen=True)
class Outcome:
    """What a task came to."""

    failed: bool
    result: dict[str, Any]
    """What its module returned, without what Ansible adds."""
    requests: list[Recorded]
    """What the emulator answered while it ran."""

    def __getitem__(self, name: str) -> Any:
        return self.result[name]

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Outcome:
        """From what the callback plugin recorded."""
        result = {
            name: value
            for name, value in recorded["result"].items()
            if name not in ADDED and not name.startswith("_ansible")
        }
        return cls(recorded["failed"], result, [Recorded(**request) for request in recorded["requests"]])

    @property
    def changed(self) -> bool:
        return self.result.get("changed", False)

    @property
    def message(self) -> str:
        """Why it failed."""
        assert self.failed, self.result
        return str(self["msg"])

    @cached_property
    def writes(self) -> list[Recorded]:
        return [request for request in self.requests if request.method != "GET"]

    @property
    def cost(self) -> tuple[int, int]:
        """The numbers of reads and of writes."""
        return len(self.requests) - len(self.writes), len(self.writes)


@dataclass(frozen=True)
class Run:
    """What a playbook came to."""

    outcomes: dict[str, Outcome]
    """By the names of the tasks."""
    stdout: str
    stderr: str

    def __getitem__(self, task: str) -> Outcome:
        return self.outcomes[task]

    @property
    def output(self) -> str:
        """All that a user can get to see, also by printing registered results."""
        results = [json.dumps(outcome.result, ensure_ascii=False) for outcome in self.outcomes.values()]
        return "\n".join([self.stdout, self.stderr, *results])


@dataclass(frozen=True)
class Play:
    """Runs tasks against an emulator, and tells what came of each."""

    folder: Path
    emulator: Emulator

    def __call__(
        self,
        tasks: Mapping[str, Task],
        *arguments: str,
        defaults: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        also: Sequence[Emulator] = (),
    ) -> Run:
        """Run the tasks, by name, in order, whichever of them fail, and that twice: with direct execution, and without.

        Both have to come to the same in every field; the second is returned. Where faults wait in the emulator, which
        strike but once, only the first run takes place.

        defaults are options of all modules; where not given, the address of the emulator and its token. also are
        other emulators that the tasks change.
        """
        if defaults is None:
            defaults = {"api_url": self.emulator.api_url, "api_token": self.emulator.token}
        told = {"arguments": arguments, "defaults": defaults, "environment": environment or {}}
        before = [(zone, dict(zone.mappings)) for emulator in (self.emulator, *also) for zone in emulator.zones]
        faults = bool(self.emulator.faults)
        direct, run = self._run(tasks, variables={**(variables or {}), DIRECT: True}, **told)
        if faults:
            return run
        for zone, mappings in before:
            zone.mappings.clear()
            zone.mappings.update(mappings)
        as_module, run = self._run(tasks, variables={**(variables or {}), DIRECT: False}, **told)
        for one, other in zip(direct, as_module, strict=True):
            assert one == other
        return run

    def _run(
        self,
        tasks: Mapping[str, Task],
        *,
        arguments: Sequence[str],
        defaults: Mapping[str, Any],
        variables: Mapping[str, Any],
        environment: Mapping[str, str],
    ) -> tuple[list[Any], Run]:
        """What was recorded of each task, but for what two runs never have in common; and what it comes to."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        outcomes = folder / "outcomes.jsonl"
        # Apart from the tasks, as secrets should be: Ansible prints lines of a task that fails.
        (folder / "variables.json").write_text(json.dumps(variables))
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "ignore_errors": True,
            "vars_files": ["variables.json"],
            "module_defaults": {f"group/{COLLECTION}.cloudflare": defaults},
            "tasks": [{"name": name, **task} for name, task in tasks.items()],
        }
        recording = {
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback")),
            "ANSIBLE_CALLBACKS_ENABLED": "outcomes",
            "OUTCOMES_FILE": str(outcomes),
            "OUTCOMES_EMULATOR": self.emulator.control_url,
        }
        done = run_playbook(folder, [play], *arguments, environment={**recording, **environment})
        assert done.returncode == 0, done.stdout + done.stderr
        text = outcomes.read_text()
        recorded = [json.loads(line) for line in text.splitlines()]
        assert [one["task"] for one in recorded] == list(tasks)
        run = Run({one["task"]: Outcome.of(one) for one in recorded}, done.stdout, done.stderr)
        alike = [json.loads(line) for line in re.sub(TIMES, "at some time", text).splitlines()]
        for one in alike:
            one["requests"].sort(key=str)  # pages of a list are read side by side
        return alike, run


def run_playbook(
    folder: Path, playbook: Sequence[Mapping[str, Any]], *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """As start_playbook, and wait for its end."""
    with start_playbook(folder, playbook, *arguments, environment=environment) as process:
        stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def start_playbook(
    folder: Path,
    playbook: Sequence[Mapping[str, Any]],
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    group: bool = False,
) -> subprocess.Popen[str]:
    """Start ansible-playbook in a folder, on its playbook.yml and inventory.yml; where asked for, as a process group of
    its own, as a terminal does."""
    (folder / "playbook.yml").write_text(json.dumps(playbook, indent=2))
    (folder / "inventory.yml").write_text(json.dumps(INVENTORY))
    arguments = ("-i", "inventory.yml", "playbook.yml", *arguments)
    return _start(folder, "ansible-playbook", *arguments, environment=environment or {}, group=group)


def run_inventory(folder: Path, *arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ansible-inventory in a folder, on its cloudflare_zones.yml."""
    arguments = ("-i", "cloudflare_zones.yml", *arguments)
    with _start(folder, "ansible-inventory", *arguments, environment=environment) as process:
        stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def _start(
    folder: Path, program: str, *arguments: str, environment: Mapping[str, str], group: bool = False
) -> subprocess.Popen[str]:
    """Start a program of Ansible's in a folder, with this collection alone, and with no more of the caller's
    environment than PATH."""
    _link_collection()
    return subprocess.Popen(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            # Ansible prints sets in messages.
            "PYTHONHASHSEED": "0",
            "HOME": str(folder),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=group,
    )


def _link_collection() -> None:
    """Give the checkout the place that its name asks for, unless it has it."""
    place = COLLECTIONS.joinpath("ansible_collections", *COLLECTION.split("."))
    place.parent.mkdir(parents=True, exist_ok=True)
    # Another worker may have been quicker.
    with suppress(FileExistsError):
        place.symlink_to("../../../..", target_is_directory=True)
