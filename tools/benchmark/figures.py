# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raw figures of a benchmark, and values computed from them."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from .process import CHECKOUT
from .subjects import BASELINE, IDLE
from .work import NOTHING


@dataclass(frozen=True)
class Sample:
    """Run of a subject: its work and its cost.

    The latency is in milliseconds per request.
    """

    subject: str
    latency: int
    case: str
    size: int
    seconds: float
    requests: int
    memory: int
    """Peak, in KiB."""


@dataclass(frozen=True)
class Measure:
    """Summary of the repetitions of one measurement."""

    samples: Sequence[Sample]

    @property
    def size(self) -> int:
        return self.samples[0].size

    @property
    def seconds(self) -> float:
        return median(sample.seconds for sample in self.samples)

    @property
    def requests(self) -> int:
        return max(sample.requests for sample in self.samples)

    @property
    def memory(self) -> float:
        """Peak, in MiB."""
        return max(sample.memory for sample in self.samples) / 1024

    def __str__(self) -> str:
        """Return the median, and the spread if there is one."""
        seconds = sorted(sample.seconds for sample in self.samples)
        spread = f" ({seconds[0]:.2f} to {seconds[-1]:.2f})" if len(seconds) > 1 else ""
        return f"{self.seconds:.2f} s{spread}"


@dataclass(frozen=True)
class Figures:
    """Samples of a run of the benchmark."""

    command: str
    machine: dict[str, Any]
    scale: dict[str, Any]
    samples: list[Sample] = field(default_factory=list)

    def measure(self, subject: str, latency: int, case: str, size: int | None = None) -> Measure:
        """Summarize a subject's samples; by default those of the largest size."""
        samples = [
            sample
            for sample in self.samples
            if sample.subject == subject and sample.latency == latency and sample.case == case
        ]
        size = max(sample.size for sample in samples) if size is None else size
        return Measure([sample for sample in samples if sample.size == size])

    def idle(self, latency: int) -> float:
        """Return the seconds of a task that does nothing."""
        return self.measure(IDLE, latency, NOTHING.case).seconds

    def baseline(self, latency: int, case: str, size: int | None = None) -> float:
        """Return the seconds of a task that does nothing and the fewest requests."""
        return self.idle(latency) + self.measure(BASELINE, latency, case, size).seconds

    def write(self, path: Path) -> None:
        write(path, **asdict(self))

    @classmethod
    def read(cls, path: Path) -> Figures:
        content = json.loads(path.read_text("utf-8"))
        return cls(**{**content, "samples": [Sample(**sample) for sample in content["samples"]]})


def parse_arguments(target: str, description: str | None) -> tuple[str, bool, Path]:
    """Parse the command line of a benchmark.

    Returns the command to run it again, whether it is the quick run, and the folder for its figures.
    """
    parser = ArgumentParser(prog=f"make {target}", description=description)
    parser.add_argument("--quick", action="store_true", help="do just enough to see that everything runs")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write the figures")
    options = parser.parse_args()
    if options.quick:
        return f"make {target} ARGS=--quick", True, options.output or Path(tempfile.mkdtemp(prefix="benchmark-"))
    return f"make {target}", False, options.output or CHECKOUT / "docs" / "benchmarks"


def write(path: Path, *, samples: Sequence[dict[str, Any]], **head: Any) -> None:
    """Write figures as readable JSON, with a line for each sample."""
    lines = ",\n".join(f"    {json.dumps(sample)}" for sample in samples)
    path.write_text(f'{json.dumps(head, indent=2)[:-2]},\n  "samples": [\n{lines}\n  ]\n}}\n', "utf-8")


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """Describe the machine, and the releases of these packages."""
    return {
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
        "Python": platform.python_version(),
        **{name: version(name) for name in packages},
        "load average at the start": load(),
    }


def load() -> str:
    """Return the load average as uptime prints it."""
    return " ".join(f"{average:.2f}" for average in os.getloadavg())
