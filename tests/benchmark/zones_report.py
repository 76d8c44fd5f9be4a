# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures about many zones as a page for people, and the commands that they are about."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from .report import table, verdict

TASK = "task"
RATE_LIMITED = "task, with the rate limit in reach"
ROLE = "role"
AUDIT = "audit"
RUN = "ansible-runner run"
PIPE = "ansible-runner transmit | worker | process"

COMMANDS = {
    TASK: "ansible-playbook -i cloudflare_zones.yml fleet.yml -f {forks}",
    RATE_LIMITED: "ansible-playbook -i cloudflare_zones.yml fleet.yml -f {forks}",
    ROLE: "ansible-playbook -i origins.yml -i cloudflare_zones.yml regions.yml -f {forks}",
    AUDIT: "ansible-playbook -i origins.yml -i cloudflare_zones.yml originops.cloudflare.audit -f {forks}",
    RUN: "ansible-runner run runner -p fleet.yml --forks {forks} --quiet",
    PIPE: "ansible-runner transmit runner -p fleet.yml --forks {forks} | "
    "ansible-runner worker --private-data-dir work | ansible-runner process processed",
}
"""What a shell is given for each way to go over the zones."""

MOST_REQUESTS = 2
"""That a zone may cost where nothing changes. The audit reads more of a zone than its mappings."""

ZONES_PAGE = 50
"""Zones in one answer of the list."""

Sample = dict[str, Any]


def report(figures: dict[str, Any]) -> str:
    """A page of Markdown, of what zones.json has."""
    return "\n".join([*_head(figures), *_forks(figures), *_ways(figures), *_rate_limit(figures), *_how(figures)]) + "\n"


def _of(figures: dict[str, Any], way: str, case: str) -> list[Sample]:
    return [sample for sample in figures["samples"] if (sample["way"], sample["case"]) == (way, case)]


def _head(figures: dict[str, Any]) -> Iterator[str]:
    scale = figures["scale"]
    yield "# What many zones cost"
    yield ""
    yield f"`{figures['command']}` made this page: it runs playbooks over {scale['zones']} zones with"
    yield f"{scale['mappings']} mappings each, against the emulator of this repository, which takes"
    yield f"{scale['latency']} ms for each request. How to set such playbooks up is told in"
    yield "[Many zones](../many-zones.md). Requests are exact. Seconds depend on the machine, above all on its cores"
    yield "and on what else keeps these busy, since Ansible starts a process for each task of each host. The raw"
    yield "figures are in [zones.json](zones.json)."
    yield ""
    yield from table(("machine", ""), [(name, str(value)) for name, value in figures["machine"].items()])


def _forks(figures: dict[str, Any]) -> Iterator[str]:
    scale = figures["scale"]
    listing = ceil(scale["zones"] / ZONES_PAGE)
    yield "## By the number of forks"
    yield ""
    yield "One task of `origin_cloud_region_batch`, with the identifiers of the zones from the inventory plugin"
    yield f"`originops.cloudflare.zones`. To list the zones takes {listing} of the requests."
    yield ""
    rows = []
    for create, unchanged in zip(_of(figures, TASK, "create"), _of(figures, TASK, "unchanged"), strict=True):
        told = [f"{create['forks']}"]
        for sample in (create, unchanged):
            told += [f"{sample['seconds']:.1f} s", f"{sample['requests']:,}", f"{sample['most']}"]
        rows.append((*told, _target(unchanged)))
    yield from table(
        ("forks", "all new", "requests", "a zone", "no change", "requests", "a zone", "target for no change"), rows
    )


def _ways(figures: dict[str, Any]) -> Iterator[str]:
    forks = figures["scale"]["usual_forks"]
    yield f"## By roles and by ansible-runner, at {forks} forks"
    yield ""
    yield "Nothing changes. The role, in its exact mode, and the audit compare each zone with a group of the inventory"
    yield f"that has a host for each mapping, {figures['scale']['zones'] * figures['scale']['mappings']:,} in all."
    yield "ansible-runner runs the task of above."
    yield ""
    titles = {
        TASK: "the task of above",
        ROLE: "role `originops.cloudflare.origin_regions`",
        AUDIT: "playbook `originops.cloudflare.audit`",
        RUN: "`ansible-runner run`",
        PIPE: "`ansible-runner transmit`, `worker` and `process`",
    }
    rows = []
    for way, title in titles.items():
        for sample in _of(figures, way, "unchanged"):
            if sample["forks"] == forks:
                target = "" if way == AUDIT else _target(sample)
                rows.append(
                    (title, f"{sample['seconds']:.1f} s", f"{sample['requests']:,}", f"{sample['most']}", target)
                )
    yield from table(("by", "time", "requests", "a zone", "target"), rows)
    yield "- The role and the audit are some ten tasks for each zone, where the first row has one, and an audit writes"
    yield "  a file for each zone. It is Ansible that takes the time, not the requests."
    yield "- An audit reads the mappings, the supported regions and two settings of each zone."
    yield "- For ansible-runner the token is in a file, not in the environment. After each run all that it left is"
    yield "  searched, artifacts above all: the token is nowhere."
    yield ""


def _rate_limit(figures: dict[str, Any]) -> Iterator[str]:
    scale = figures["scale"]
    [sample] = _of(figures, RATE_LIMITED, "create")
    windows = ceil(sample["requests"] / scale["quota"])
    free = next((it for it in _of(figures, TASK, "create") if it["forks"] == sample["forks"]), None)
    yield "## With the rate limit in reach"
    yield ""
    yield "Cloudflare grants a user 1,200 requests in 300 seconds. Here the emulator grants"
    yield f"{scale['quota']} in {scale['window']} seconds, so that the {sample['requests']:,} requests of a creation"
    yield f"need {windows} windows."
    yield ""
    rows = [
        ("forks", f"{sample['forks']}"),
        ("time", f"{sample['seconds']:.1f} s"),
        *([("time without a limit", f"{free['seconds']:.1f} s")] if free else []),
        ("the least that the quota allows", f"{(windows - 1) * scale['window']} s"),
        ("requests granted", f"{sample['requests']:,}"),
        ("requests refused (429) and sent again", f"{sample['refused']:,}"),
        ("zones that failed, or hold what they should not", "0"),
    ]
    yield from table(("", ""), rows)
    yield "The run is slowed down and does not fail. A process learns from each answer how much is left, but each task"
    yield "of each zone is a process of its own, whose first request knows nothing of that yet. What is refused waits"
    yield "for as long as the service says, and is sent again."
    yield ""


def _how(figures: dict[str, Any]) -> Iterator[str]:
    yield "## How it was measured"
    yield ""
    yield "- Everything is run once. The time is that of the whole command, with Ansible's start and the inventory:"
    yield ""
    yield "  ```console"
    yield from (
        f"  {command.format(forks=figures['scale']['usual_forks'])}" for command in dict.fromkeys(COMMANDS.values())
    )
    yield "  ```"
    yield ""
    yield "- The emulator runs in a process of its own on the same machine, sets up the zones before each run, and"
    yield "  counts the requests."
    yield "- After each run the emulator is asked whether every zone holds what it should. The benchmark ends with an"
    yield "  error where one does not, where a command fails or takes longer than five minutes, where the audit's"
    yield "  report lacks a zone, and where the token is found."
    yield "- *A zone* is the most requests that any zone had. Except in the last table the rate limit is out of reach."


def _target(sample: Sample) -> str:
    return f"at most {MOST_REQUESTS}: {verdict(sample['most'] <= MOST_REQUESTS)}"
