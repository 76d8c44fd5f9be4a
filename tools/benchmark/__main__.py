# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the collection and its alternatives."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from .figures import Figures, Sample, load, machine, parse_arguments
from .plot import growth_plot
from .report import report
from .service import Service, emulated
from .subjects import Subject, subjects
from .work import QUICK, Scale, Step

ZONE = "fleet.example"


def main() -> None:
    """Measure, and write a report, a plot and the raw figures."""
    command, quick, folder = parse_arguments("bench", __doc__)
    scale = QUICK if quick else Scale()
    figures = Figures(command, machine(("ansible-core", "requests", "cloudflare")), asdict(scale))
    figures.samples.extend(_measure(scale))
    figures.machine["load average at the end"] = load()
    folder.mkdir(parents=True, exist_ok=True)
    figures.write(folder / "figures.json")
    # From what was written, so that the one file has all data of the others.
    figures = Figures.read(folder / "figures.json")
    (folder / "README.md").write_text(report(figures), "utf-8")
    (folder / "growth.svg").write_text(growth_plot(figures), "utf-8")
    print(f"{folder / 'README.md'} has the figures.")


def _measure(scale: Scale) -> Iterator[Sample]:
    """Yield all samples.

    The subjects take turns, so that a machine that slows down does so for all of them.
    """
    for latency in scale.latencies:
        with emulated(latency) as service, tempfile.TemporaryDirectory() as folder:
            for repetition in range(scale.repetitions):
                for subject in subjects(scale):
                    for step in subject.steps if repetition == 0 or subject.repeated else ():
                        sample = _sample(subject, step, latency, service, Path(folder))
                        print(f"{latency} ms, {sample.subject}: {step.case} {step.size:,} in {sample.seconds:.2f} s")
                        yield sample


def _sample(subject: Subject, step: Step, latency: int, service: Service, folder: Path) -> Sample:
    zone_id = service.set_zone(ZONE, step.current)
    service.forget_requests()
    timing = subject.run(service, zone_id, step, folder)
    requests = service.requests()
    if not service.holds(ZONE, step.wanted):
        raise SystemExit(f"{subject.name} did not do its work: the zone does not hold what it should")
    return Sample(subject.name, latency, step.case, step.size, round(timing.seconds, 4), requests, timing.memory)


if __name__ == "__main__":
    main()
