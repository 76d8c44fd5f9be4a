# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Page of the figures about many zones, and the commands behind them."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from .report import table, verdict

EMPTY = "empty playbook, zones by the plugin"
EMPTY_LIST = "empty playbook, zones by a list"
AUDIT_GROUPS = "audit, origins by group"
AUDIT_ZONES = "audit, origins by origin_zones"
ROLE_GROUPS = "role, purge"
AUDIT_LIST = "audit, list of zones"
ROLE_LIST = "role, purge, list of zones"
REPORTS = "reports"
TASK = "task"
RATE_LIMITED = "task, with the rate limit in reach"
RUN = "ansible-runner run"
PIPE = "ansible-runner transmit | worker | process"

_ALL = "-i origins.yml -i cloudflare_zones.yml"
COMMANDS = {
    EMPTY: f"ansible-playbook {_ALL} empty.yml",
    EMPTY_LIST: "ansible-playbook -i origins.yml empty.yml",
    AUDIT_GROUPS: f"ansible-playbook {_ALL} originops.cloudflare.audit",
    AUDIT_ZONES: f"ansible-playbook {_ALL} originops.cloudflare.audit",
    ROLE_GROUPS: f"ansible-playbook {_ALL} regions.yml",
    AUDIT_LIST: "ansible-playbook -i origins.yml originops.cloudflare.audit -e @listed.json",
    ROLE_LIST: "ansible-playbook -i origins.yml listed_regions.yml -e @listed.json",
    REPORTS: "ansible-playbook merge.yml",
    TASK: "ansible-playbook -i cloudflare_zones.yml fleet.yml -f {forks}",
    RATE_LIMITED: "ansible-playbook -i cloudflare_zones.yml fleet.yml -f {forks}",
    RUN: "ansible-runner run runner -p fleet.yml --forks {forks} --quiet",
    PIPE: "ansible-runner transmit runner -p fleet.yml --forks {forks} | "
    "ansible-runner worker --private-data-dir work | ansible-runner process processed",
}
"""Shell command of each way to process the zones."""

BASELINES = {
    AUDIT_GROUPS: EMPTY,
    AUDIT_ZONES: EMPTY,
    ROLE_GROUPS: EMPTY,
    AUDIT_LIST: EMPTY_LIST,
    ROLE_LIST: EMPTY_LIST,
}
"""Empty playbook of each way, with the same inventories.

The ways are those that process all zones by one task.
"""

TARGETS = {AUDIT_GROUPS: 12, AUDIT_ZONES: 12, ROLE_GROUPS: 12, AUDIT_LIST: 15, ROLE_LIST: 15}
"""Seconds."""

REPORT_TARGETS = {"time": 30, "memory": 400, "page": 10}
"""Seconds, and MB."""

MOST_REQUESTS = 2
"""Maximum of requests for a zone without changes.

The audit reads more of a zone than its mappings.
"""

ZONES_PAGE = 50
"""Zones in one page of the list."""

Sample = dict[str, Any]


def report(figures: dict[str, Any]) -> str:
    """Return a page of Markdown from the content of zones.json."""
    parts = (_head, _roles, _reports, _forks, _runner, _rate_limit, _how)
    return "\n".join(line for part in parts for line in part(figures)) + "\n"


def _of(figures: dict[str, Any], way: str, case: str) -> list[Sample]:
    return [sample for sample in figures["samples"] if (sample["way"], sample["case"]) == (way, case)]


def _head(figures: dict[str, Any]) -> Iterator[str]:
    scale = figures["scale"]
    yield "# Benchmark: many zones"
    yield ""
    yield f"How long do playbooks over {scale['zones']} zones take, with {scale['mappings']} mappings in each zone?"
    yield f"`{figures['command']}` measured it and generated this page, against the emulator of this repository, which"
    yield f"takes {scale['latency']} ms for each request. [Many zones](../many-zones.md) explains the playbooks."
    yield "Requests are exact. Seconds depend on the machine, mostly on its cores and their other load. The raw figures"
    yield "are in [zones.json](zones.json)."
    yield ""
    yield from table(("machine", ""), [(name, str(value)) for name, value in figures["machine"].items()])


def _roles(figures: dict[str, Any]) -> Iterator[str]:
    scale = figures["scale"]
    yield "## Audits and roles"
    yield ""
    yield "Nothing changes. The audit, and the role with `origin_regions_purge: true`, compare each zone with its"
    yield f"origins: {scale['zones'] * scale['mappings']:,} hosts, one for each mapping. The *baseline* is an empty"
    yield "playbook with the same inventories, and then the same requests by 16 threads of plain `requests`."
    yield ""
    titles = {
        AUDIT_GROUPS: "playbook `originops.cloudflare.audit`, a group of origins for each zone",
        AUDIT_ZONES: "the same, with the variable `origin_zones` on the origins",
        ROLE_GROUPS: "role `originops.cloudflare.origin_regions`, a group for each zone",
        AUDIT_LIST: "the audit from `localhost`, with a list of zones and groups",
        ROLE_LIST: "the role from `localhost`, with the same list",
    }
    rows = []
    for way, title in titles.items():
        [sample] = _of(figures, way, "unchanged")
        [empty] = _of(figures, BASELINES[way], "unchanged")
        baseline = f"{empty['seconds'] + sample['replayed']:.1f} s ({empty['seconds']:.1f} + {sample['replayed']:.1f})"
        target = f"at most {TARGETS[way]} s: {verdict(sample['seconds'] <= TARGETS[way])}"
        requests = (f"{sample['requests']:,}", f"{sample['most']}")
        rows.append((title, f"{sample['seconds']:.1f} s", baseline, target, _memory(sample), *requests))
    yield from table(("run", "time", "baseline", "target", "memory", "requests", "a zone"), rows)
    yield "- An audit reads the mappings, the supported regions and two settings of each zone, and writes reports"
    yield "  in four formats."
    yield "- If the inventory plugin `originops.cloudflare.zones` lists the zones, it sends a request for every 50."
    yield ""


def _reports(figures: dict[str, Any]) -> Iterator[str]:
    [sample] = _of(figures, REPORTS, "merge")
    yield "## Large reports"
    yield ""
    yield "The last step of several jobs, `merge.yml` of the role `originops.cloudflare.audit`, reads the reports of"
    yield f"{figures['scale']['reports']} zones with 3,500 mappings each, 140 of them wrong, and writes reports of all"
    yield "in four formats."
    yield ""
    measured = {"time": sample["seconds"], "memory": sample["memory"] * 1024 / 1e6, "page": sample["page"] / 1e6}
    titles = {"time": ("time", "s"), "memory": ("peak memory", "MB"), "page": ("`report.html`", "MB")}
    yield from table(
        ("", "", "target"),
        [
            (
                title,
                f"{measured[name]:.1f} {unit}",
                f"at most {REPORT_TARGETS[name]} {unit}: {verdict(measured[name] <= REPORT_TARGETS[name])}",
            )
            for name, (title, unit) in titles.items()
        ],
    )


def _forks(figures: dict[str, Any]) -> Iterator[str]:
    scale = figures["scale"]
    listing = ceil(scale["zones"] / ZONES_PAGE)
    yield "## A task for each zone, by the number of forks"
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


def _runner(figures: dict[str, Any]) -> Iterator[str]:
    yield f"## By ansible-runner, at {figures['scale']['usual_forks']} forks"
    yield ""
    yield "The task above. Nothing changes. The token is in a file, not in the environment. After each run all files"
    yield "that it left are searched, including the artifacts: none has the token."
    yield ""
    titles = {RUN: "`ansible-runner run`", PIPE: "`ansible-runner transmit`, `worker` and `process`"}
    rows = []
    for way, title in titles.items():
        [sample] = _of(figures, way, "unchanged")
        requests = (f"{sample['requests']:,}", f"{sample['most']}")
        rows.append((title, f"{sample['seconds']:.1f} s", *requests, _target(sample)))
    yield from table(("by", "time", "requests", "a zone", "target"), rows)


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
    yield "- *Memory* is the peak of the largest process."
    yield "- *A zone* is the maximum of requests for one zone. Except in the last table the rate limit is out of reach."


def _memory(sample: Sample) -> str:
    return f"{sample['memory'] * 1024 / 1e6:.0f} MB"


def _target(sample: Sample) -> str:
    return f"at most {MOST_REQUESTS}: {verdict(sample['most'] <= MOST_REQUESTS)}"
