# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Python programs that do the work without Ansible, in own processes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ..process import COLLECTIONS, Timing, run
from ..service import Service
from ..work import Step

Way = Callable[[Service, str, Step], Callable[[], None]]
"""Function that prepares a step in a zone, and returns the timed part.

The zone is given by its identifier.
"""


@dataclass(frozen=True)
class Program:
    """Module of this package, run as a program."""

    name: str

    def __call__(self, service: Service, zone_id: str, step: Step, folder: Path) -> Timing:
        job = {"service": asdict(service), "zone_id": zone_id, "step": asdict(step)}
        environment = {"PYTHONPATH": f"{Path(__file__).parents[2]}:{COLLECTIONS}"}
        command = [sys.executable, "-m", f"{__name__}.{self.name}"]
        printed, memory = run(command, folder, environment, json.dumps(job))
        return Timing(float(printed), memory)


def main(way: Way) -> None:
    """Do the job on stdin this way, and print the seconds that it took."""
    job = json.load(sys.stdin)
    work = way(Service(**job["service"]), job["zone_id"], Step(**job["step"]))
    began = time.perf_counter()
    work()
    print(time.perf_counter() - began)
