# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks of tests, and the outcomes of their runs."""

from __future__ import annotations

import atexit
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ansible.release import __version__

from emulator.app import QUERIES, Recorded
from emulator.server import Emulator

CHECKOUT = Path(__file__).parents[2]
COLLECTIONS = CHECKOUT / ".cache" / "collections"
COLLECTION = "originops.cloudflare"

CORE = tuple(map(int, __version__.split(".")[:2]))
"""Release of ansible-core, such as (2, 19)."""

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
"""Value of an option that is left out, even of module_defaults."""

Task = dict[str, Any]

DIRECT = "originops_cloudflare_direct"
"""Variable that turns direct execution off."""

HAS_DIRECT = sys.platform != "darwin"
"""Availability of direct execution on this system."""

Completed = subprocess.CompletedProcess[str]

TIMES = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def region(**options: Any) -> Task:
    """Return a task that ensures one mapping."""
    return {f"{COLLECTION}.origin_cloud_region": options}


def batch(mappings: Any, **options: Any) -> Task:
    """Return a task that ensures many mappings."""
    return {f"{COLLECTION}.origin_cloud_region_batch": {"mappings": mappings, **options}}


def info(**options: Any) -> Task:
    """Return a task that reads mappings."""
    return {f"{COLLECTION}.origin_cloud_region_info": options}


def audit(**options: Any) -> Task:
    """Return a task that audits a zone."""
    return {f"{COLLECTION}.origin_cloud_region_audit": options}


def tiered_cache(**options: Any) -> Task:
    """Return a task that turns settings of Tiered Cache on or off."""
    return {f"{COLLECTION}.tiered_cache": options}


def origins(**options: Any) -> Task:
    """Return a task that reads the origins of a zone from Cloudflare."""
    return {f"{COLLECTION}.zone_origins_info": options}


def upper_tiers(**options: Any) -> Task:
    """Return a task that reads the data centres of requests to origins."""
    return {f"{COLLECTION}.upper_tier_info": options}


def access(**options: Any) -> Task:
    """Return a task that checks the read permissions of the credentials."""
    return {f"{COLLECTION}.check_access": options}


def export(**options: Any) -> Task:
    """Return a task that writes the mappings of a zone as files."""
    return {f"{COLLECTION}.origin_cloud_region_export": options}


def lookup(*terms: Any, **options: Any) -> Task:
    """Return a task with the looked up regions as the msg of its result."""
    query = "{{ query('originops.cloudflare.origin_cloud_supported_regions', *terms, **options) }}"
    return {"ansible.builtin.debug": {"msg": query}, "vars": {"terms": terms, "options": options}}


def checked(task: Task) -> Task:
    """Return the task in check mode, with its diff printed."""
    return {**task, "check_mode": True, "diff": True}


def mapping(origin_ip: str, value: str, **more: Any) -> dict[str, Any]:
    """Return a mapping in the form of options and results, from aws/us-east-1."""
    vendor, name = value.split("/")
    return {"origin_ip": origin_ip, "vendor": vendor, "region": name, **more}


def written(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return mappings in the format of a diff, without the time of writing."""
    return [f"{entry['origin_ip']}: {entry['vendor']}/{entry['region']}" for entry in mappings]


ADDED = ("exception", "failed", "invocation")
"""Keys that Ansible adds to results; others begin with _ansible."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a task."""

    failed: bool
    result: dict[str, Any]
    """Result of the module, without the additions of Ansible."""
    requests: list[Recorded]
    """Requests that the emulator served during the task."""

    def __getitem__(self, name: str) -> Any:
        return self.result[name]

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> Outcome:
        """Return the outcome that the callback plugin recorded."""
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
        """Message of a failure."""
        assert self.failed, self.result
        return str(self["msg"])

    @cached_property
    def writes(self) -> list[Recorded]:
        return [request for request in self.requests if request.method != "GET" and request.path != QUERIES]

    @property
    def cost(self) -> tuple[int, int]:
        """Numbers of reads and of writes."""
        return len(self.requests) - len(self.writes), len(self.writes)


@dataclass(frozen=True)
class Run:
    """Outcomes of a playbook, and its output."""

    outcomes: dict[str, Outcome]
    """Outcomes by the names of the tasks."""
    stdout: str
    stderr: str
    comparable: list[Any]
    """Records of all tasks, without parts that always differ between runs."""

    def __getitem__(self, task: str) -> Outcome:
        return self.outcomes[task]

    @property
    def output(self) -> str:
        """Output that a user can see, also by printing registered results."""
        results = [json.dumps(outcome.result, ensure_ascii=False) for outcome in self.outcomes.values()]
        return "\n".join([self.stdout, self.stderr, *results])


@dataclass(frozen=True)
class Play:
    """Runner of tasks against an emulator."""

    folder: Path
    emulator: Emulator

    def __call__(
        self,
        tasks: Mapping[str, Task],
        *arguments: str,
        also: Sequence[Emulator] = (),
        variables: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Run:
        """Run the tasks directly and as modules, and compare every field.

        Both runs begin with the same zones, including those of the emulators in `also`. The outcomes of the second run
        are returned. The other arguments are those of `once`.
        """
        before = [
            (zone, dict(zone.mappings), zone.tiered_cache, zone.smart_tiered_cache)
            for emulator in (self.emulator, *also)
            for zone in emulator.zones
        ]
        direct = self.once(tasks, *arguments, variables=variables, **options)
        if not HAS_DIRECT:
            return direct
        for zone, mappings, tiered, smart in before:
            zone.mappings.clear()
            zone.mappings.update(mappings)
            zone.tiered_cache, zone.smart_tiered_cache = tiered, smart
        as_module = self.once(tasks, *arguments, variables={**(variables or {}), DIRECT: False}, **options)
        for record, other in zip(direct.comparable, as_module.comparable, strict=True):
            assert record == other, f"{record}\n{other}"
        return as_module

    def once(
        self,
        tasks: Mapping[str, Task],
        *arguments: str,
        defaults: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        fresh: bool = False,
    ) -> Run:
        """Run the tasks in order, also after failures.

        They run directly, unless `variables` turn that off. `defaults` are options of all modules: by default, the
        address of the emulator and its token. The rest is as in run_playbook.
        """
        if defaults is None:
            defaults = {"api_url": self.emulator.api_url, "api_token": self.emulator.token}
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        # In a file of its own, for secrets: Ansible prints lines of a task that fails.
        (folder / "variables.json").write_text(json.dumps(variables or {}))
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "ignore_errors": True,
            "vars_files": ["variables.json"],
            "module_defaults": {f"group/{COLLECTION}.cloudflare": defaults},
            "tasks": [{"name": name, **task} for name, task in tasks.items()],
        }
        outcomes = folder / "outcomes.jsonl"
        recording = {"OUTCOMES_FILE": str(outcomes), "OUTCOMES_EMULATOR": self.emulator.control_url}
        done = run_playbook(folder, [play], *arguments, environment={**recording, **(environment or {})}, fresh=fresh)
        assert done.returncode == 0, done.stdout + done.stderr
        text = outcomes.read_text()
        records = [json.loads(line) for line in text.splitlines()]
        assert [record["task"] for record in records] == list(tasks)
        comparable = [json.loads(line) for line in re.sub(TIMES, "at some time", text).splitlines()]
        for record in comparable:
            record["requests"].sort(key=str)  # pages of a list are read in parallel
        return Run({record["task"]: Outcome.of(record) for record in records}, done.stdout, done.stderr, comparable)


def run_playbook(
    folder: Path,
    playbook: Sequence[Mapping[str, Any]],
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    fresh: bool = False,
) -> Completed:
    """Write a playbook to a directory, and run ansible-playbook on it there.

    The process is a fork of one that has loaded Ansible, see prefork. If `fresh`, it starts like a user's.
    """
    if fresh:
        with start_playbook(folder, playbook, *arguments, environment=environment) as process:
            stdout, stderr = process.communicate()
        return Completed(process.args, process.returncode, stdout, stderr)
    return _fork(folder, "playbook", *_write(folder, playbook), *arguments, environment=environment or {})


def start_playbook(
    folder: Path,
    playbook: Sequence[Mapping[str, Any]],
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    group: bool = False,
) -> subprocess.Popen[str]:
    """Start ansible-playbook.

    If `group`, it is a process group, as in a terminal.
    """
    return subprocess.Popen(
        [Path(sys.executable).with_name("ansible-playbook"), *_write(folder, playbook), *arguments],
        cwd=folder,
        env={**_base(), "HOME": str(folder), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=group,
    )


def run_inventory(folder: Path, *arguments: str, environment: Mapping[str, str]) -> Completed:
    """Run ansible-inventory in a directory, on its cloudflare_zones.yml."""
    return _fork(folder, "inventory", "-i", "cloudflare_zones.yml", *arguments, environment=environment)


def run_command(folder: Path, command: str, environment: Mapping[str, str]) -> Completed:
    """Run a command in a shell, or as a fork if it is only ansible-playbook."""
    if match := re.fullmatch(r"ansible-playbook ([\w@./=: -]+?)(?: # .*)?", command):
        return _fork(folder, "playbook", *match[1].split(), environment=environment)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**_base(), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}
        | {**environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _write(folder: Path, playbook: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Write a playbook and an inventory, and return arguments that name them."""
    (folder / "playbook.yml").write_text(json.dumps(playbook, indent=2))
    (folder / "inventory.yml").write_text(json.dumps(INVENTORY))
    return ("-i", "inventory.yml", "playbook.yml")


def _fork(folder: Path, program: str, *arguments: str, environment: Mapping[str, str]) -> Completed:
    """Run a program of Ansible as a fork of a process with its settings."""
    settings = {name: value for name, value in environment.items() if name.startswith(("ANSIBLE_", "PYTHON"))}
    process = _preforked(tuple(sorted(settings.items())))
    assert process.stdin
    assert process.stdout
    with tempfile.NamedTemporaryFile("r") as stdout, tempfile.NamedTemporaryFile("r") as stderr:
        run = {
            "program": program,
            "arguments": arguments,
            "folder": str(folder),
            "environment": {**_base(), "HOME": str(folder), **environment},
            "output": [stdout.name, stderr.name],
        }
        print(json.dumps(run), file=process.stdin, flush=True)
        return Completed(arguments, int(process.stdout.readline()), stdout.read(), stderr.read())


@cache
def _preforked(settings: tuple[tuple[str, str], ...]) -> subprocess.Popen[str]:
    """Start a process of prefork, which ends with this one."""
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("prefork.py")],
        env={**_base(), **dict(settings)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # only the tests get interrupts
    )
    atexit.register(process.communicate)
    return process


def _base() -> dict[str, str]:
    """Return an environment with this collection and the caller's PATH."""
    _link_collection()
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        # For a stable order of the sets in Ansible's messages.
        "PYTHONHASHSEED": "0",
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback")),
        "ANSIBLE_CALLBACKS_ENABLED": "outcomes",
    }


@cache
def _link_collection() -> None:
    """Link the checkout at the path that the collection's name requires."""
    place = COLLECTIONS.joinpath("ansible_collections", *COLLECTION.split("."))
    place.parent.mkdir(parents=True, exist_ok=True)
    # Another worker may have been quicker.
    with suppress(FileExistsError):
        place.symlink_to("../../../..", target_is_directory=True)
