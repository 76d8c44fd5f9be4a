# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run all sessions: a line for each, and the output of those that fail."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]

SINGLE_CORE = ("sanity", "lint", "molecule", "browser")
"""Sessions that use one core most of the time, so two run at once, the longest first."""

ALL_CORES = ("unit", "playbook")
"""Sessions that use all cores, and run after the others, one by one."""

ESCAPES = re.compile(r"\x1b\[[\d;]*m")
DOTS = re.compile(r"^[.sxXEF]+ +\[ *\d+%\]\n", re.M)
CLOSING_LINE = re.compile(r"^=* *(\d+ (?:passed|failed|error|skipped)\b.* in [\d.]+s.*?) *=*$", re.M)
NOT_RUN = re.compile(r"aborted: NOT RUN: (.*?)(?: \(took [^)]*\))?\.$", re.M)
COUNTS = {
    "sanity": ("tests", re.compile(r"^Running sanity test ", re.M)),
    "lint": ("commands", re.compile(r"^nox > (?!uv )[a-z]", re.M)),
    "molecule": ("actions", re.compile(r"(?:➜ \w+:|> \w+\]) Executing$", re.M)),
}
"""What a session without pytest counts, and the lines of its output that are counted."""


async def run(session: str, cores: asyncio.Semaphore) -> bool:
    """Run a session, print its outcome, and return whether it passed."""
    async with cores:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "nox", "--session", session),
            cwd=CHECKOUT,
            env={**os.environ, "PYTEST_ADDOPTS": "--quiet --no-header"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        captured, _none = await process.communicate()
    output = ESCAPES.sub("", captured.decode(errors="replace"))
    line = f"{session:10} {extent(session, output):54} {time.monotonic() - began:4.0f} s"
    if process.returncode and (reason := NOT_RUN.search(output)):
        print(f"{session:10} NOT RUN: {reason[1]}", flush=True)
    elif process.returncode:
        print(f"\n{DOTS.sub('', output)}\n{line}  FAILED\n", flush=True)
    else:
        print(line, flush=True)
    return process.returncode == 0


def extent(session: str, output: str) -> str:
    """Return the closing line of pytest, or else the count of checks."""
    if closing := CLOSING_LINE.findall(output):
        return str(closing[-1])
    if session in COUNTS:
        unit, pattern = COUNTS[session]
        return f"{len(pattern.findall(output))} {unit}"
    return ""


async def main() -> int:
    """Run all sessions, whichever fail. Returns the exit status."""
    began = time.monotonic()
    cores = asyncio.Semaphore(2)
    passed = await asyncio.gather(*(run(session, cores) for session in SINGLE_CORE))
    passed += [await run(session, cores) for session in ALL_CORES]
    print(f"{sum(passed)} of {len(passed)} sessions passed, {time.monotonic() - began:.0f} s")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
