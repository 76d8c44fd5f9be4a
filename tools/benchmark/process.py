# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes, run to their end, and their peak memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

LONGEST_RUN = 300
"""Seconds after which a process is stopped, which is then a failure."""

CHECKOUT = Path(__file__).parents[2]
COLLECTIONS = CHECKOUT / ".cache" / "collections"


@dataclass(frozen=True)
class Timing:
    """Seconds that a process measured in itself, and its peak memory in KiB."""

    seconds: float
    memory: int


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], stdin_text: str = "") -> tuple[str, int]:
    """Run a command in a folder, with a text on its standard input.

    It has only PATH of the caller's environment. Returns its output, and its peak memory in KiB: the largest resident
    set among it and its descendants.
    """
    with tempfile.TemporaryFile("w+") as stdin, tempfile.TemporaryFile("w+") as stdout:
        stdin.write(stdin_text)
        stdin.seek(0)
        process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(folder), **environment},
        )
        deadline = Timer(LONGEST_RUN, process.kill)
        deadline.start()
        try:
            _pid, status, usage = os.wait4(process.pid, 0)
        finally:
            deadline.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        printed = stdout.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{printed}")
    return printed, usage.ru_maxrss
