# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test every supported ansible-core with every Python that it supports.

Rows without a Python on this machine are reported as NOT RUN.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]

SUPPORTED = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
    "2.22": ("3.13", "3.14"),
}
"""Releases of ansible-core with the Pythons of controllers, oldest first."""

CANDIDATES = {"2.22"}
"""Releases of which pip accepts release candidates.

There may be nothing else yet.
"""

LEFT_OUT = {"2.22": {"sanity": ["--skip-test", "pylint"]}}
"""Arguments by release and session.

The pylint of 2.22.0rc1 requires an archive from GitHub, not from a registry.
"""

LOWEST = ("ansible-core==2.16.0", "requests==2.25.0", "urllib3==1.26.0")
"""Minimum versions in requirements.txt and meta/runtime.yml.

They are tested on the oldest Python.
"""

INVENTORIES = {"2.16": "ansible~=9.0", "2.19": "ansible~=12.0", "2.21": "ansible~=14.0"}
"""Packages with inventory plugins for these releases of ansible-core.

These releases all support Python 3.12.
"""

CLOUDS = (
    "azure-cli-core~=2.91",
    "azure-identity~=1.27",
    "azure-mgmt-compute~=33.0",
    "boto3~=1.44",
    "google-auth~=2.63",
    "moto[server]~=5.2",
    "msrestazure~=0.6.4",
    "netaddr~=1.3",
)
"""Requirements of the inventory plugins, and an emulated AWS."""

SESSIONS = {
    "unit": ["--ignore=tests/unit/emulator"],
    "playbook": [f"--ignore=tests/integration/test_{name}.py" for name in ("benchmark", "execution_environment")],
    "sanity": [],
    "inventories": [],
}
"""Sessions of nox with their arguments.

The arguments leave out tests that do not depend on ansible-core.
"""


@dataclass(frozen=True)
class Row:
    """Tests in one environment."""

    name: str
    python: str
    packages: Sequence[str]
    """Versions of these, and the newest of everything else."""
    sessions: Sequence[str]

    @property
    def release(self) -> str:
        return self.name.split("-")[0]

    def is_chosen(self, words: Sequence[str]) -> bool:
        return not words or any(word in (self.name, self.release) for word in words)

    def run(self, python: str) -> dict[str, str]:
        """Run the sessions in a new environment, and return their outcomes."""
        environment = CHECKOUT / ".cache" / "nox" / f"matrix-{self.name}"
        requirements = ("-r", "requirements.txt", "-r", "requirements-test.txt")
        pip = (environment / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade")
        if not (succeeds(python, "-m", "venv", environment) and succeeds(*pip, *self.packages, *requirements)):
            return dict.fromkeys(self.sessions, "NO SET-UP")
        nox = environment / "bin" / "nox"
        outcomes = {}
        for session in self.sessions:
            left_out = LEFT_OUT.get(self.release, {}).get(session, ())
            passed = succeeds(nox, "--session", session, "--", *SESSIONS[session], *left_out)
            outcomes[session] = ("partly" if left_out else "passed") if passed else "FAILED"
        return outcomes


def interpreter(python: str) -> str | None:
    """Find a Python in PATH or among those of pyenv, leaving out its shims."""
    folders = [folder for folder in os.environ["PATH"].split(os.pathsep) if not folder.endswith("/shims")]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders += map(str, pyenv.glob(f"versions/{python}.*/bin"))
    return shutil.which(f"python{python}", path=os.pathsep.join(folders))


def rows() -> list[Row]:
    """Return all rows.

    Unit tests run everywhere; the rest once for each ansible-core, on its newest Python on this machine. Tests of
    inventory plugins have environments of their own.
    """
    everything = []
    thorough = [session for session in SESSIONS if session != "inventories"]
    for core, pythons in SUPPORTED.items():
        newest = next(filter(interpreter, reversed(pythons)), None)
        first = f"{core}.0rc1" if core in CANDIDATES else f"{core}.0"
        everything += [
            Row(f"{core}-{python}", python, [f"ansible-core~={first}"], thorough if python == newest else ["unit"])
            for python in pythons
        ]
    return [
        *everything,
        Row("lowest", SUPPORTED["2.16"][0], LOWEST, ["unit", "playbook"]),
        *(
            Row(f"inventories-{core}", "3.12", [package, *CLOUDS], ["inventories"])
            for core, package in INVENTORIES.items()
        ),
    ]


def succeeds(*command: str | Path) -> bool:
    print("\n$", *command, flush=True)
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode == 0


def line(name: str, *cells: str) -> str:
    return f"{name:17}" + "".join(f"{cell:11}" for cell in cells)


def main() -> int:
    table = rows()
    parser = ArgumentParser(prog="make matrix", description=__doc__)
    parser.add_argument("chosen", nargs="*", metavar="ROW", help="such as 2.16, 2.16-3.10, lowest or inventories (all)")
    chosen = parser.parse_args().chosen
    for word in chosen:
        if not any(row.is_chosen([word]) for row in table):
            parser.error(f"there is no row {word}: the rows are {', '.join(row.name for row in table)}")
    lines = [line("", *SESSIONS)]
    results: list[str] = []
    for row in table:
        if not row.is_chosen(chosen):
            lines.append(line(row.name, "NOT RUN: not chosen"))
        elif python := interpreter(row.python):
            outcomes = row.run(python)
            results += outcomes.values()
            lines.append(line(row.name, *(outcomes.get(session, "-") for session in SESSIONS)))
        else:
            lines.append(line(row.name, f"NOT RUN: there is no Python {row.python} here"))
    notes = [f"lowest is {' '.join(LOWEST)}"]
    notes += [
        f"partly: {session} of {release} with {' '.join(arguments)}"
        for release, sessions in LEFT_OUT.items()
        for session, arguments in sessions.items()
    ]
    print("", *lines, *notes, sep="\n")
    return 0 if results and {*results} <= {"passed", "partly"} else 1


if __name__ == "__main__":
    sys.exit(main())
