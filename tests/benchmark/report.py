# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as a page for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .figures import Figures, Measure
from .subjects import (
    DIRECT,
    FLOOR,
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
    "replace": "exact replacement of all",
}

WAYS = {DIRECT: "in the controller", MODULE: "as a module"}

TARGETS = {
    (0, "create"): 1.3,
    (0, "unchanged"): 1.3,
    (0, "change"): 1.3,
    (50, "create"): 1.2,
    (50, "unchanged"): 0.7,
    (50, "change"): 0.7,
}
"""The most that a task of the batch module may take, as a ratio to the floor, by latency and case."""

LEAST_SPEEDUP = 500
"""How many times faster the batch module has to be than a loop over uri."""

MOST_SHARE = 0.2
"""What a loop in the controller may take of the time that it takes as a module."""

Row = tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """A task of the batch module against the floor."""

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
    def least(self) -> Measure:
        """The requests of the floor."""
        return self.figures.measure(FLOOR, self.latency, self.case)

    @property
    def floor(self) -> float:
        return self.figures.floor(self.latency, self.case)

    @property
    def ratio(self) -> float:
        return self.task.seconds / self.floor

    @property
    def target(self) -> float | None:
        return TARGETS.get((self.latency, self.case))

    @property
    def missed(self) -> bool:
        return self.target is not None and self.ratio > self.target

    @property
    def parts(self) -> dict[str, float]:
        """Where the seconds go. What a task has less of than the floor is negative."""
        unasked = self.figures.measure(self.way, self.latency, "refused", 1).seconds
        loaded = self.figures.measure(self.way, self.latency, "refused").seconds
        operation = self.figures.measure(OPERATION, self.latency, self.case).seconds
        parts = {
            "floor": self.floor,
            "start": unasked - self.figures.idle(self.latency),
            "arguments": loaded - unasked,
            "operation": operation - self.least.seconds,
        }
        return {**parts, "result": self.task.seconds - sum(parts.values())}


def report(figures: Figures) -> str:
    """A page of Markdown."""
    comparisons = [
        Comparison(figures, latency, case, way)
        for latency in figures.scale["latencies"]
        for case in CASES
        for way in WAYS
    ]
    lines = [
        *_head(figures),
        *_against_the_floor(figures, comparisons),
        *_instead(figures),
        *_loops(figures),
        *_growth(figures),
        *_parts(comparisons),
        *_how(figures),
    ]
    return "\n".join(lines) + "\n"


def _head(figures: Figures) -> Iterator[str]:
    latencies = " and ".join(f"{latency} ms" for latency in figures.scale["latencies"])
    yield "# What the collection costs"
    yield ""
    yield f"`{figures.command}` made this page: in one go it measures the collection and what people use without it,"
    yield f"against the emulator of this repository, which takes {latencies} for each request. Trust the ratios, since"
    yield "seconds depend on the machine. The raw figures are in [figures.json](figures.json)."
    yield ""
    yield from table(("machine", ""), [(name, str(value)) for name, value in figures.machine.items()])


def _against_the_floor(figures: Figures, comparisons: Iterable[Comparison]) -> Iterator[str]:
    yield f"## `origin_cloud_region_batch` with {figures.scale['fleet']:,} mappings, against the floor"
    yield ""
    yield "The floor is a task that does nothing (`ansible.builtin.ping`), plus the fewest requests that will do, sent"
    yield "one after the other by a bare session of `requests` that is told what to read and to write. Tasks run"
    yield "*in the controller* by default where they can, and *as a module* with `originops_cloudflare_direct: false`."
    yield "Times are medians, with the least and the most; a ratio is what a task takes, divided by the floor."
    yield ""
    rows = [
        (
            *it.title,
            str(it.task),
            f"{it.floor:.2f} s",
            f"**{it.ratio:.2f}**",
            "" if it.target is None else f"at most {it.target:g}: {verdict(not it.missed)}",
            f"{it.task.requests:,}",
            f"{it.least.requests:,}",
        )
        for it in comparisons
    ]
    yield from table(("latency", "case", "run", "task", "floor", "ratio", "target", "requests", "of the floor"), rows)
    for it in comparisons:
        if it.missed:
            _floor, *others = it.parts.items()
            added = sorted(others, key=lambda part: part[1], reverse=True)
            told = ", ".join(f"{name} {seconds:+.2f} s" for name, seconds in added)
            yield f"- {', '.join(it.title)}: **missed**, {it.ratio:.2f} instead of at most {it.target:g}. What comes"
            yield f"  to the floor of {it.floor:.2f} s, as explained [below](#where-the-time-of-a-task-goes): {told}."
    if not any(it.missed for it in comparisons):
        yield "Every target is met."
    yield ""


def _instead(figures: Figures) -> Iterator[str]:
    fleet = figures.scale["fleet"]
    yield f"## {fleet:,} new mappings, and what people do instead"
    yield ""
    yield "Where all of them would take too long, a part is measured and multiplied. What the rate limit of the real"
    yield "service adds, 1,200 requests in 5 minutes, is not in these times: who sends 3,500 waits 10 minutes more."
    yield "The SDK's times leave out Ansible, the start of Python and all imports. Memory is the largest resident set"
    yield "among the processes of a run, as the kernel tells it (`wait4`), for the part that was measured."
    yield ""
    rows: list[Row] = []
    for latency in figures.scale["latencies"]:
        ours = figures.measure(DIRECT, latency, "create").seconds
        for other in (DIRECT, MODULE, SDK_BULK, SDK_SINGLE, REGION_DIRECT, REGION_MODULE, URI, FLOOR):
            measure = figures.measure(other, latency, "create")
            slower = measure.seconds * fleet / measure.size / ours
            rows.append(
                (
                    f"{latency} ms",
                    "the requests of the floor" if other == FLOOR else other,
                    *_extrapolated(measure, fleet),
                    f"{slower:,.0f}" if slower > 10 else f"{slower:.2f}",
                    f"{measure.memory:.0f} MiB",
                )
            )
    yield from table(("latency", "by", "measured", "all of them", "requests", "to the first line", "peak memory"), rows)
    for latency in figures.scale["latencies"]:
        uri = figures.measure(URI, latency, "create")
        for way, title in WAYS.items():
            speedup = uri.seconds * fleet / uri.size / figures.measure(way, latency, "create").seconds
            met = verdict(speedup >= LEAST_SPEEDUP)
            yield f"- At {latency} ms the batch module, run {title}, is **{speedup:,.0f} times** faster than a loop"
            yield f"  over `ansible.builtin.uri` (target: at least {LEAST_SPEEDUP}, {met})."
    yield ""
    yield "To find out that nothing has changed, on the same terms:"
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
        target = f"at most {MOST_SHARE}: {verdict(share <= MOST_SHARE)}"
        rows.append((f"{latency} ms", str(direct), str(module), f"**{share:.2f}**", target, f"{direct.requests:,}"))
    yield from table(("latency", "in the controller", "as a module", "ratio", "target", "requests"), rows)
    yield "The requests are sent one after the other either way, so the ratio tends to 1 as the service gets slower."
    yield ""


def _growth(figures: Figures) -> Iterator[str]:
    yield "## How the cost grows"
    yield ""
    yield "![Seconds by the number of mappings, at each latency, with the floor as a dashed line](growth.svg)"
    yield ""
    rows = [
        (
            f"{latency} ms",
            CASES[case],
            f"{size:,}",
            str(figures.measure(DIRECT, latency, case, size)),
            f"{figures.floor(latency, case, size):.2f} s",
            f"{figures.measure(DIRECT, latency, case, size).requests:,}",
        )
        for latency in figures.scale["latencies"]
        for case in ("create", "unchanged")
        for size in [*figures.scale["growth"], figures.scale["fleet"]]
    ]
    yield from table(("latency", "case", "mappings", "in the controller", "floor", "requests"), rows)


def _parts(comparisons: Sequence[Comparison]) -> Iterator[str]:
    yield "## Where the time of a task goes"
    yield ""
    yield "In seconds; what a task has less of than the floor is negative."
    yield ""
    yield "- *start*: a task that is refused before its first request, less one that does nothing: imports above all,"
    yield "  and what Ansible does to prepare a module."
    yield "- *arguments*: what that refusal takes longer with all mappings in its options."
    yield "- *operation*: the module's own function in a bare Python process, less the requests of the floor. That is"
    yield "  parsing, planning and the requests that the floor does not send, less what concurrent reading saves."
    yield "- *result*: the rest, above all handing the result and its diff to Ansible."
    yield ""
    rows = [(*it.title, *(f"{seconds:.3f}" for seconds in it.parts.values())) for it in comparisons]
    yield from table(("latency", "case", "run", *comparisons[0].parts), rows)


def _how(figures: Figures) -> Iterator[str]:
    yield "## How it was measured"
    yield ""
    yield "- The time of a task is from its start until its result is shown and the playbook at its end, as a callback"
    yield "  plugin sees it. Each task is the only one of its playbook, so it pays for what happens once in a run."
    yield "  The start of `ansible-playbook` itself is not counted. The task that does nothing is measured likewise."
    yield f"- Everything is run {figures.scale['repetitions']} times, in turn with everything else; the loops over"
    yield "  `origin_cloud_region`, and the module's function in a bare process, once."
    yield "- The emulator runs in a process of its own, sets up the zone before each run, counts the requests, and is"
    yield "  asked afterwards whether the zone holds what it should. Its rate limit is out of reach."
    yield "- The floor of a creation is batches of 100, written unseen. That of all else is to read every page, then to"
    yield "  delete and to write in batches of 100. Removals and replacement are tasks with `purge: true`."


def _extrapolated(measure: Measure, fleet: int) -> Row:
    """What was measured, and the time and requests that it makes for the whole fleet."""
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
