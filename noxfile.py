# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks and tests of the project, in the environment that `make` sets up."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from glob import glob
from pathlib import Path

import nox
import nox.command

CACHE = Path(".cache").absolute()
COLLECTIONS = CACHE / "collections"

nox.options.default_venv_backend = "none"
nox.options.envdir = str(CACHE / "nox")

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
    """Check style, types, documentation, changelog, licences and CI files."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("yamllint", "--strict", ".")
    session.run("codespell")
    session.run("python", "tools/prose.py")
    session.run("ansible-lint", env={"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)})
    session.run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--disallow-unknown-collection-refs", ".")
    session.run("antsibull-changelog", "lint")
    session.run("reuse", "lint", "--lines")
    session.run("pre-commit", "validate-config")
    session.run("check-jsonschema", "--builtin-schema=vendor.github-workflows", *glob(".github/workflows/*"))
    session.run("check-jsonschema", "--builtin-schema=vendor.github-issue-forms", *glob(".github/ISSUE_TEMPLATE/*"))


@nox.session
def sanity(session: nox.Session) -> None:
    """Run ansible-test sanity on a copy at the path that it requires."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = sanity_home()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "ansible_collections", "originops", "cloudflare")
        session.run("python", "tools/checkout.py", str(copy))
        with session.chdir(copy):
            session.run("git", "init", "--quiet")
            # Without files ansible-test skips everything, and passes.
            files = session.run("ansible-test", "env", "--list-files", silent=True, env=home)
            if "galaxy.yml" not in files:
                session.error("ansible-test does not see the collection's files")
            session.run("ansible-test", "sanity", "--python", python, *session.posargs, env=home)


def sanity_home() -> dict[str, str]:
    """Make a home for the virtual environments of ansible-test."""
    home = CACHE / "home"
    # ansible-test fetches a script that installs pip. The supported releases request these versions of it;
    # the pip that comes with Python needs no download.
    scripts = home / ".ansible" / "test" / "cache"
    scripts.mkdir(parents=True, exist_ok=True)
    for version in ("23_1_2", "24_2", "25_2"):
        (scripts / f"get_pip_{version}.py").write_text(
            "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'ensurepip'], check=True)\n"
        )
    # The configuration of pip, such as a mirror, stays in effect.
    pip = home / ".config" / "pip"
    pip.parent.mkdir(exist_ok=True)
    if not pip.is_symlink():
        pip.symlink_to(Path.home() / ".config" / "pip")
    return {"HOME": str(home)}


@nox.session
def unit(session: nox.Session) -> None:
    """Run the unit tests."""
    session.run("pytest", "tests/unit", "--numprocesses=auto", "--dist=worksteal", *session.posargs)


@nox.session(default=False)
def model(session: nox.Session) -> None:
    """Run thousands of model-based steps, and every fault at every request."""
    session.run(
        "pytest",
        "tests/unit/test_model.py",
        "tests/unit/test_faults.py",
        "--numprocesses=2",
        "--dist=worksteal",
        *session.posargs,
        env={"ORIGINOPS_MODEL_SEQUENCES": "200", "ORIGINOPS_ALL_FAULTS": "1"},
    )


@nox.session(default=False)
def mutants(session: nox.Session) -> None:
    """Count the mutants of the core that the unit tests notice."""
    session.run("python", "tools/mutants.py", *session.posargs)


@nox.session
def playbook(session: nox.Session) -> None:
    """Run the tests that run playbooks."""
    session.run(
        "pytest",
        "tests/integration",
        "--numprocesses=auto",
        "--dist=worksteal",  # the slowest may come last
        *session.posargs,
        env={"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
    )


@nox.session(default=False)
def inventories(session: nox.Session) -> None:
    """Run inventory plugins of clouds against emulated ones.

    tools/matrix.py makes environments for it.
    """
    session.run(
        "pytest",
        "tests/inventories",
        "--numprocesses=auto",
        "--dist=worksteal",
        *session.posargs,
        env={"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"},  # which takes long
    )


@nox.session(default=False)
def conformance(session: nox.Session) -> None:
    """Run all operations through a proxy that validates by OpenAPI.

    The description is the emulator's or another.
    """
    folder = CACHE / "prism"
    if not (folder / "node_modules" / ".bin" / "prism").exists():
        if not shutil.which("npm"):
            session.error("Stoplight Prism needs npm and Node.js 18 or later")
        npm = ("npm", "install", "--silent", "--no-fund", "--no-audit", f"--prefix={folder}")
        session.run(*npm, "@stoplight/prism-cli@~5.14.2", external=True)
    description = Path(*session.posargs or ("tests/emulator/openapi.yaml",)).absolute()
    session.run("pytest", "tests/conformance", env={"ORIGINOPS_OPENAPI": str(description)})


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Make the documentation site, offline; warnings are errors."""
    source, site = CACHE / "docs", "build/docs"
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    # The pages keep their places, so that their links work as in the checkout.
    shutil.copytree("docs", source / "docs", ignore=shutil.ignore_patterns("site"))
    shutil.copytree("roles/audit/files", source / "roles" / "audit" / "files")
    for page in ("README.md", "CHANGELOG.md", "docs/site/index.md"):
        shutil.copy2(page, source)
    reference = source / "reference"
    reference.mkdir(mode=0o755)
    session.run(
        "antsibull-docs",
        "collection",
        "--use-current",
        "--squash-hierarchy",
        "--fail-on-error",
        f"--dest-dir={reference}",
        "originops.cloudflare",
        env={"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
    )
    session.run(
        "sphinx-build",
        "--quiet",
        "--fail-on-warning",
        "--keep-going",
        "--conf-dir=docs/site",
        f"--doctree-dir={CACHE / 'doctrees'}",
        str(source),
        site,
    )


@nox.session
def browser(session: nox.Session) -> None:
    """Test the audit's page in a real browser."""
    environment = {"PLAYWRIGHT_BROWSERS_PATH": str(CACHE / "browsers")}
    # Headless Chromium takes half the time.
    if not any(Path("/usr/bin", name).exists() for name in ("chromium-headless-shell", "chromium")):
        try:
            if os.geteuid() == 0 and shutil.which("apt-get"):
                packages = ("chromium-headless-shell", "fonts-dejavu-core")
                quiet = {"external": True, "silent": True, "env": {"DEBIAN_FRONTEND": "noninteractive"}}
                session.run("apt-get", "update", "-qq", **quiet)
                session.run("apt-get", "install", "-qqy", "--no-install-recommends", *packages, **quiet)
            else:
                session.run("playwright", "install", "chromium-headless-shell", silent=True, env=environment)
        except nox.command.CommandFailed:
            # run_sessions.py shows this in the summary of `make test`.
            session.error("NOT RUN: there is no Chromium, and apt-get (for root) or Playwright could not install it")
    options = ("--numprocesses=auto", "--dist=worksteal", *session.posargs)
    session.run("pytest", "tests/browser", *options, env=environment)


@nox.session
def molecule(session: nox.Session) -> None:
    """Run the molecule scenarios with the collection from its tarball."""
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


@nox.session(default=False, venv_backend="venv", reuse_venv=True)
def release(session: nox.Session) -> None:
    """Make a release's tarball, check it, and use it elsewhere."""
    # The requirements conflict with those of other tools, so the session has an environment of its own.
    session.install("--quiet", "galaxy-importer~=0.4.44")
    session.run("python", "tools/release.py", *session.posargs)
