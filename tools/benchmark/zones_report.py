# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Page of the figures about many zones, and the commands behind them."""

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
    """Return a page of Markdown from the content of zones.json."""
    return "\n".join([*_head(figures), *_forks(figures), *_ways(figures), *_rate_limit(figures), *_how(figures)]) + "\n"


def _of(figures: dict[str, Any], way: str, case: str) -> list[Sample]:
    return [sample for sample in figures["samples"] if (sample["way"], sample["case"]) == (way, case)]


def _head(figures: dict[str, Any]) -> Iterator[str]:
    scale = figures["scale"]
    yield "# Benchmark: many zones"
    yield ""
    yield f"`{figures['command']}` generated this page: it runs playbooks over {scale['zones']} zones with"
    yield f"{scale['mappings']} mappings each, against the emulator of this repository, which takes"
    yield f"{scale['latency']} ms for each request. [Many zones](../many-zones.md) explains such playbooks."
    yield "Requests are exact. Seconds depend on the machine, mostly on its cores and their other load, since Ansible"
    yield "starts a process for each task of each host. The raw figures are in [zones.json](zones.json)."
    yield ""
    yield from table(("machine", ""), [(name, str(value)) for name, value in figures["machine"].items()])


def _forks(figures: dict[str, Any]) -> Iterator[str]:
    scale = figures["scale"]
    listing = ceil(scale["zones"] / ZONES_PAGE)
    yield "## By the number of forks"
    yield ""
    yield "One task of `origin_cloud_region_batch`, with the identifiers of the zones from the inventory plugin"
    yield f"`originops.cloudflare.zones`. Listing the zones takes {listing} of the requests."
    yield ""
    rows = []
    for create, unchanged in zip(_of(figures, TASK, "create"), _of(figures, TASK, "unchanged"), strict=True):
        cells = [f"{create['forks']}"]
        for sample in (create, unchanged):
            cells += [f"{sample['seconds']:.1f} s", f"{sample['requests']:,}", f"{sample['most']}"]
        rows.append((*cells, _target(unchanged)))
    yield from table(
        ("forks", "all new", "requests", "a zone", "no change", "requests", "a zone", "target for no change"), rows
    )


def _ways(figures: dict[str, Any]) -> Iterator[str]:
    forks = figures["scale"]["usual_forks"]
    yield f"## By roles and by ansible-runner, at {forks} forks"
    yield ""
    yield "Nothing changes. The role, with `origin_regions_exact: true`, and the audit compare each zone with a"
    yield f"group of one host for each mapping, {figures['scale']['zones'] * figures['scale']['mappings']:,} in all."
    yield "ansible-runner runs the task above."
    yield ""
    titles = {
        TASK: "the task above",
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
    yield "- The role and the audit run some ten tasks for each zone, the first row runs one, and an audit writes a"
    yield "  file for each zone. Ansible takes the time, not the requests."
    yield "- An audit reads the mappings, the supported regions and two settings of each zone."
    yield "- For ansible-runner the token is in a file, not in the environment. After each run all files that it left"
    yield "  are searched, including the artifacts: none has the token."
    yield ""


def _rate_limit(figures: dict[str, Any]) -> Iterator[str]:
    scale = figures["scale"]
    [sample] = _of(figures, RATE_LIMITED, "create")
    windows = ceil(sample["requests"] / scale["quota"])
    free = next((other for other in _of(figures, TASK, "create") if other["forks"] == sample["forks"]), None)
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
        ("minimum by the quota", f"{(windows - 1) * scale['window']} s"),
        ("requests granted", f"{sample['requests']:,}"),
        ("requests refused (429) and retried", f"{sample['refused']:,}"),
        ("zones that failed, or have wrong content", "0"),
    ]
    yield from table(("", ""), rows)
    yield "The run slows down and does not fail. A process reads the rest of the quota from each response, but each"
    yield "task of each zone is a new process, which sends its first request without knowing the quota. A refused"
    yield "request is retried after the delay that the service asks for."
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
    yield "- After each run the content of every zone is checked. The benchmark ends with an error if it is wrong, if a"
    yield "  command fails or takes longer than five minutes, if the audit's report lacks a zone, or if the token is"
    yield "  found."
    yield "- *A zone* is the maximum of requests for one zone. Except in the last table the rate limit is out of reach."


def _target(sample: Sample) -> str:
    return f"at most {MOST_REQUESTS}: {verdict(sample['most'] <= MOST_REQUESTS)}"
