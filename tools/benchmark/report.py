# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Page of the figures for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .figures import Figures, Measure
from .subjects import (
    BASELINE,
    DIRECT,
    MODULE,
    OPERATION,
    REGION_DIRECT,
    REGION_MODULE,
    SDK_BULK,
    SDK_SINGLE,
    URI,
)

CASES = {
    "create": "all new",
    "unchanged": "no change",
    "change": "one change",
    "remove": "{removed} removals",
    "replace": "replacement of all",
}

WAYS = {DIRECT: "in the controller", MODULE: "as a module"}

TARGETS = {
    (0, "create"): 1.3,
    (0, "unchanged"): 1.1,
    (0, "change"): 1.1,
    (50, "create"): 1.2,
    (50, "unchanged"): 0.5,
    (50, "change"): 0.5,
}
"""Maximum ratio of a batch task to the baseline, by latency and case."""

LEAST_SPEEDUP = 500
"""Minimum speed-up of the batch module over a loop over uri."""

MOST_SHARE = {0: 0.04}
"""Maximum ratio of a loop in the controller to a module's, by latency."""

Row = tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Comparison of a task of the batch module with the baseline."""

    figures: Figures
    latency: int
    case: str
    way: str

    @property
    def title(self) -> Row:
        return f"{self.latency} ms", CASES[self.case].format(**self.figures.scale), WAYS[self.way]

    @property
    def task(self) -> Measure:
        return self.figures.measure(self.way, self.latency, self.case)

    @property
    def requests_only(self) -> Measure:
        """Return the measure of the requests of the baseline, without a task."""
        return self.figures.measure(BASELINE, self.latency, self.case)

    @property
    def baseline(self) -> float:
        return self.figures.baseline(self.latency, self.case)

    @property
    def ratio(self) -> float:
        return self.task.seconds / self.baseline

    @property
    def target(self) -> float | None:
        return TARGETS.get((self.latency, self.case))

    @property
    def missed(self) -> bool:
        return self.target is not None and self.ratio > self.target

    @property
    def parts(self) -> dict[str, float]:
        """Return seconds by part of a task; negative if the baseline has more."""
        empty = self.figures.measure(self.way, self.latency, "refused", 1).seconds
        filled = self.figures.measure(self.way, self.latency, "refused").seconds
        operation = self.figures.measure(OPERATION, self.latency, self.case).seconds
        parts = {
            "baseline": self.baseline,
            "start": empty - self.figures.idle(self.latency),
            "arguments": filled - empty,
            "operation": operation - self.requests_only.seconds,
        }
        return {**parts, "result": self.task.seconds - sum(parts.values())}


def report(figures: Figures) -> str:
    """Return a page of Markdown."""
    comparisons = [
        Comparison(figures, latency, case, way)
        for latency in figures.scale["latencies"]
        for case in CASES
        for way in WAYS
    ]
    lines = [
        *_head(figures),
        *_instead(figures),
        *_growth(figures),
        *_against_the_baseline(figures, comparisons),
        *_loops(figures),
        *_parts(comparisons),
        *_method(figures),
    ]
    return "\n".join(lines) + "\n"


def _head(figures: Figures) -> Iterator[str]:
    latencies = " and ".join(f"{latency} ms" for latency in figures.scale["latencies"])
    slow, fleet = figures.scale["latencies"][-1], figures.scale["fleet"]
    yield "# Benchmarks"
    yield ""
    yield f"How long does it take to write {fleet:,} mappings with this collection, and with the alternatives? With"
    yield f"{slow} ms for each request:"
    yield ""
    for name, subject in (
        ("`origin_cloud_region_batch`", DIRECT),
        ("Cloudflare's Python SDK with its batch endpoints, without Ansible", SDK_BULK),
        ("Cloudflare's Python SDK, one mapping at a time, without Ansible", SDK_SINGLE),
        ("a loop over `ansible.builtin.uri`", URI),
    ):
        _measured, time, requests = _extrapolated(figures.measure(subject, slow, "create"), fleet)
        yield f"- {name}: {time}, {requests} requests."
    yield ""
    yield "The SDK with batch endpoints does less: it has no check mode, does not read the zone first, and runs without"
    yield "Ansible. [All measurements](#alternatives) are below, and [how they were made](#how-it-was-measured)."
    yield ""
    yield f"`{figures.command}` generated this page. It measures everything in one run, against the emulator of this"
    yield f"repository, which takes {latencies} for each request. Seconds depend on the machine, so compare the ratios."
    yield "The raw figures are in [figures.json](figures.json)."
    yield ""
    yield from table(("machine", ""), [(name, str(value)) for name, value in figures.machine.items()])


def _against_the_baseline(figures: Figures, comparisons: Iterable[Comparison]) -> Iterator[str]:
    yield "## Overhead"
    yield ""
    yield f"How much longer does a task of `origin_cloud_region_batch` with {figures.scale['fleet']:,} mappings take"
    yield "than necessary? The baseline is a task that does nothing (`ansible.builtin.ping`), plus the minimum of"
    yield "requests, sent in sequence from a prepared list by a bare session of `requests`. A ratio is the time of a"
    yield "task, divided by the baseline. Times are medians, with minimum and maximum. By default tasks run *in the"
    yield "controller* if possible, and *as a module* with `originops_cloudflare_direct: false`."
    yield ""
    yield "A target is a goal of this project for the ratio. Below the table, each missed target has the parts of the"
    yield "time: *arguments* and *result* are mostly Ansible's own handling of the list in the task's options and its"
    yield "result, *start* is mostly the start of a module's Python. Only *operation* is the code of this collection."
    yield "The more time requests take, the smaller is the ratio, because pages of a zone are read in parallel."
    yield ""
    rows = [
        (
            *run.title,
            str(run.task),
            f"{run.baseline:.2f} s",
            f"**{run.ratio:.2f}**",
            "" if run.target is None else f"at most {run.target:g}: {verdict(not run.missed)}",
            f"{run.task.requests:,}",
            f"{run.requests_only.requests:,}",
        )
        for run in comparisons
    ]
    yield from table(
        ("latency", "case", "run", "task", "baseline", "ratio", "target", "requests", "of the baseline"), rows
    )
    for run in comparisons:
        if run.missed:
            _baseline, *others = run.parts.items()
            added = sorted(others, key=lambda part: part[1], reverse=True)
            parts = ", ".join(f"{name} {seconds:+.2f} s" for name, seconds in added)
            yield f"- {', '.join(run.title)}: {run.ratio:.2f} instead of at most {run.target:g}. Added to the baseline"
            yield f"  of {run.baseline:.2f} s ([parts](#time-of-a-task-by-part)): {parts}."
    if not any(run.missed for run in comparisons):
        yield "Every target is met."
    yield ""


def _instead(figures: Figures) -> Iterator[str]:
    fleet = figures.scale["fleet"]
    yield "## Alternatives"
    yield ""
    yield f"{fleet:,} new mappings. If a full measurement would take too long, a part is measured and multiplied. The"
    yield "rate limit of the real service is not in these times. It delays rows with more than 1,200 requests in 5"
    yield "minutes: the SDK one by one, and the region loop in the controller. The times of the SDK do not include"
    yield "Ansible, the start of Python and imports. Memory is the largest resident set of the processes of a run, as"
    yield "the kernel reports it (`wait4`), for the measured part."
    yield ""
    rows: list[Row] = []
    for latency in figures.scale["latencies"]:
        ours = figures.measure(DIRECT, latency, "create").seconds
        for other in (DIRECT, MODULE, SDK_BULK, SDK_SINGLE, REGION_DIRECT, REGION_MODULE, URI, BASELINE):
            measure = figures.measure(other, latency, "create")
            slower = measure.seconds * fleet / measure.size / ours
            rows.append(
                (
                    f"{latency} ms",
                    "the requests of the baseline" if other == BASELINE else other,
                    *_extrapolated(measure, fleet),
                    f"{slower:,.0f}" if slower > 10 else f"{slower:.2f}",
                    f"{measure.memory:.0f} MiB",
                )
            )
    yield from table(
        ("latency", "by", "measured", "all of them", "requests", "ratio to the first row", "peak memory"), rows
    )
    for latency in figures.scale["latencies"]:
        uri = figures.measure(URI, latency, "create")
        for way, title in WAYS.items():
            speedup = uri.seconds * fleet / uri.size / figures.measure(way, latency, "create").seconds
            met = verdict(speedup >= LEAST_SPEEDUP)
            yield f"- At {latency} ms the batch module, run {title}, is {speedup:,.0f} times faster than a loop over"
            yield f"  `ansible.builtin.uri` (target: at least {LEAST_SPEEDUP}, {met})."
    yield ""
    yield "No change. The SDK reads the zone in sequence, the batch module in parallel:"
    yield ""
    rows = [
        (f"{latency} ms", other, *_extrapolated(figures.measure(other, latency, "unchanged"), fleet))
        for latency in figures.scale["latencies"]
        for other in (DIRECT, MODULE, SDK_BULK, SDK_SINGLE)
    ]
    yield from table(("latency", "by", "measured", "all of them", "requests"), rows)


def _loops(figures: Figures) -> Iterator[str]:
    yield f"## A loop of {figures.scale['by_region']} `origin_cloud_region` tasks"
    yield ""
    rows: list[Row] = []
    for latency in figures.scale["latencies"]:
        direct = figures.measure(REGION_DIRECT, latency, "create")
        module = figures.measure(REGION_MODULE, latency, "create")
        share = direct.seconds / module.seconds
        limit = MOST_SHARE.get(latency)
        target = "" if limit is None else f"at most {limit}: {verdict(share <= limit)}"
        rows.append((f"{latency} ms", str(direct), str(module), f"**{share:.2f}**", target, f"{direct.requests:,}"))
    yield from table(("latency", "in the controller", "as a module", "ratio", "target", "requests"), rows)
    yield "How much time does a loop save by running in the controller? Its requests are sent in sequence in both"
    yield "cases, so the ratio approaches 1 as the latency increases."
    yield ""


def _growth(figures: Figures) -> Iterator[str]:
    yield "## How the cost grows"
    yield ""
    yield "![Seconds by the number of mappings, at each latency; dashed lines are the baseline, and points the time of"
    yield "the SDK for the largest number](growth.svg)"
    yield ""
    rows = [
        (
            f"{latency} ms",
            CASES[case],
            f"{size:,}",
            str(figures.measure(DIRECT, latency, case, size)),
            f"{figures.baseline(latency, case, size):.2f} s",
            f"{figures.measure(DIRECT, latency, case, size).requests:,}",
        )
        for latency in figures.scale["latencies"]
        for case in ("create", "unchanged")
        for size in [*figures.scale["growth"], figures.scale["fleet"]]
    ]
    yield from table(("latency", "case", "mappings", "in the controller", "baseline", "requests"), rows)


def _parts(comparisons: Sequence[Comparison]) -> Iterator[str]:
    yield "## Time of a task by part"
    yield ""
    yield "In seconds. A negative part is a saving: it takes less time than in the baseline."
    yield ""
    yield "- *start*: a task that is refused before its first request, minus one that does nothing: mostly imports, and"
    yield "  the preparation of a module by Ansible."
    yield "- *arguments*: the additional time of the refused task if all mappings are in its options."
    yield "- *operation*: the module's own function in a bare Python process, minus the requests of the baseline:"
    yield "  parsing, planning and additional requests, minus the time that parallel reading saves."
    yield "- *result*: the rest, mostly Ansible's handling of the result and its diff."
    yield ""
    rows = [(*run.title, *(f"{seconds:.3f}" for seconds in run.parts.values())) for run in comparisons]
    yield from table(("latency", "case", "run", *comparisons[0].parts), rows)


def _method(figures: Figures) -> Iterator[str]:
    yield "## How it was measured"
    yield ""
    yield "- A callback plugin measures the time of a task, from its start until its result is shown and the playbook"
    yield "  ends. Each playbook has a single task, so the time includes what happens once in a run. It does not"
    yield "  include the start of `ansible-playbook`. The task that does nothing is measured in the same way."
    yield f"- Everything is run {figures.scale['repetitions']} times, alternating with everything else; the loops over"
    yield "  `origin_cloud_region`, and the module's function in a bare process, once."
    yield "- The emulator runs in a separate process, sets up the zone before each run, and counts the requests. After"
    yield "  each run the content of the zone is checked. No run reaches the rate limit."
    yield "- The baseline of a creation writes batches of 100 without reading. In all other cases it reads every page,"
    yield "  then deletes and writes in batches of 100. Removals and replacement are tasks with `purge: true`."


def _extrapolated(measure: Measure, fleet: int) -> Row:
    """Return a row: the measure, and its time and requests for the fleet."""
    seconds, requests = (value * fleet / measure.size for value in (measure.seconds, measure.requests))
    time = f"{seconds:.2f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    if measure.size < fleet:
        time += " (extrapolated)"
    return f"{measure.size:,} in {measure}", time, f"{requests:,.0f}"


def verdict(met: bool) -> str:
    return "met" if met else "**missed**"


def table(header: Row, rows: Iterable[Row]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
