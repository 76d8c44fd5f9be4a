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
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]

STAGES = ((["unit"], ["sanity"]), (["browser"], ["lint", "molecule"]), (["playbook"],))
"""Sessions for two cores, in stages.

The lists of a stage run in parallel, the sessions of a list in sequence. The tests of playbooks use both cores. The
unit tests wait half of the time, but for no longer than they expect, so what runs in parallel has a low priority.
"""

LOW_PRIORITY = "sanity"

ESCAPES = re.compile(r"\x1b\[[\d;]*m")
DOTS = re.compile(r"^[.sxXEF]+ +\[ *\d+%\]\n", re.M)
CLOSING_LINE = re.compile(r"^=* *(\d+ (?:passed|failed|error|skipped)\b.* in [\d.]+s.*?) *=*$", re.M)
NOT_RUN = re.compile(r"aborted: NOT RUN: (.*?)(?: \(took [^)]*\))?\.$", re.M)
COUNTS = {
    "sanity": ("tests", re.compile(r"^Running sanity test ", re.M)),
    "lint": ("commands", re.compile(r"^nox > (?!uv )[a-z]", re.M)),
    "molecule": ("actions", re.compile(r"(?:➜ \w+:|> \w+\]) Executing$", re.M)),
}
"""Units that sessions without pytest count, and the lines counted."""


async def run(session: str) -> bool:
    """Run a session, print its outcome, and return whether it passed."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", "19" if session == LOW_PRIORITY else "0"),
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


async def in_turn(sessions: Sequence[str]) -> list[bool]:
    return [await run(session) for session in sessions]


def extent(session: str, output: str) -> str:
    """Return the closing line of pytest, or else the count of checks."""
    if closing := CLOSING_LINE.findall(output):
        return str(closing[-1])
    if session in COUNTS:
        unit, pattern = COUNTS[session]
        return f"{len(pattern.findall(output))} {unit}"
    return ""


async def main() -> int:
    """Run all sessions, even if some fail, and return the exit status."""
    began = time.monotonic()
    passed: list[bool] = []
    for stage in STAGES:
        for outcomes in await asyncio.gather(*map(in_turn, stage)):
            passed += outcomes
    print(f"{sum(passed)} of {len(passed)} sessions passed, {time.monotonic() - began:.0f} s")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
