# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project's checks and tests, in the environment that `make` sets up."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import nox

CACHE = Path(".cache").absolute()
COLLECTIONS = CACHE / "collections"

nox.options.default_venv_backend = "none"

# Every tool is the one beside this Python. Shims of version managers would shadow the interpreters
# that ansible-test looks for, with programs that fail where it runs them.
os.environ["PATH"] = os.pathsep.join(
    [
        str(Path(sys.executable).parent),
        *(folder for folder in os.environ["PATH"].split(os.pathsep) if not folder.endswith("/shims")),
    ]
)
# A developer's own settings and credentials stay out of the tests, and what Ansible keeps stays in the checkout.
for name in [name for name in os.environ if name.startswith(("ANSIBLE_", "CLOUDFLARE_"))]:
    del os.environ[name]
os.environ["ANSIBLE_HOME"] = str(CACHE / "ansible")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, documentation and changelog."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("yamllint", "--strict", ".")
    session.run("ansible-lint", env={"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)})
    session.run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--disallow-unknown-collection-refs", ".")
    session.run("antsibull-changelog", "lint")


@nox.session
def sanity(session: nox.Session) -> None:
    """ansible-test sanity, on a copy at the place that the collection's name asks for."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = sanity_home()
    files = session.run("git", "ls-files", "-coz", "--exclude-standard", silent=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "ansible_collections", "originops", "cloudflare")
        for name in filter(os.path.exists, files.split("\0")):
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, target)
        with session.chdir(copy):
            session.run("git", "init", "--quiet")
            # Without files ansible-test skips everything, and is content.
            found = session.run("ansible-test", "env", "--list-files", silent=True, env=home)
            if "galaxy.yml" not in found:
                session.error("ansible-test does not see the collection's files")
            session.run("ansible-test", "sanity", "--python", python, *session.posargs, env=home)


def sanity_home() -> dict[str, str]:
    """Make a home for ansible-test, which keeps its virtual environments below it."""
    home = CACHE / "home"
    # ansible-test fetches a script that installs pip. These versions of it are what the supported releases
    # ask for; Python brings a pip of its own, and takes no download.
    scripts = home / ".ansible" / "test" / "cache"
    scripts.mkdir(parents=True, exist_ok=True)
    for version in ("24_2", "25_2"):
        (scripts / f"get_pip_{version}.py").write_text(
            "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'ensurepip'], check=True)\n"
        )
    # A mirror that pip is told to use stays in use.
    pip = home / ".config" / "pip"
    pip.parent.mkdir(exist_ok=True)
    if not pip.is_symlink():
        pip.symlink_to(Path.home() / ".config" / "pip")
    return {"HOME": str(home)}


@nox.session
def unit(session: nox.Session) -> None:
    """Unit tests."""
    session.run("pytest", "tests/unit", "--numprocesses=auto", "--dist=worksteal", *session.posargs)


@nox.session(default=False)
def model(session: nox.Session) -> None:
    """The model-based test with thousands of steps, where the unit tests have hundreds."""
    session.run(
        "pytest",
        "tests/unit/test_model.py",
        "--numprocesses=2",
        *session.posargs,
        env={"ORIGINOPS_MODEL_SEQUENCES": "200"},
    )


@nox.session
def playbook(session: nox.Session) -> None:
    """Tests that run playbooks."""
    session.run(
        "pytest",
        "tests/integration",
        "--numprocesses=auto",
        "--dist=worksteal",  # the slowest may come last
        *session.posargs,
        env={"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
    )


@nox.session
def molecule(session: nox.Session) -> None:
    """The molecule scenarios, with the collection as users get it: installed from its tarball."""
    folder = CACHE / "molecule"
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(folder / "state"),
    }
    shutil.rmtree(folder, ignore_errors=True)
    session.run("ansible-galaxy", "collection", "build", "--output-path", str(folder))
    [tarball] = folder.glob("*.tar.gz")
    session.run("ansible-galaxy", "collection", "install", "--offline", str(tarball), env=environment)
    session.run("molecule", "test", *session.posargs, env=environment)
