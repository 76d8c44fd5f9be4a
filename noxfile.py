# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project's checks and tests, in the environment that `make` sets up."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
from glob import glob
from io import BytesIO
from operator import itemgetter
from pathlib import Path

import nox
import yaml

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
    """Style, types, documentation, changelog, licences, and what a Git host reads."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("yamllint", "--strict", ".")
    session.run("codespell")
    session.run("ansible-lint", env={"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)})
    session.run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--disallow-unknown-collection-refs", ".")
    session.run("antsibull-changelog", "lint")
    session.run("reuse", "lint", "--lines")
    session.run("pre-commit", "validate-config")
    session.run("check-jsonschema", "--builtin-schema=vendor.github-workflows", *glob(".github/workflows/*"))
    session.run("check-jsonschema", "--builtin-schema=vendor.github-issue-forms", *glob(".github/ISSUE_TEMPLATE/*"))


@nox.session
def sanity(session: nox.Session) -> None:
    """ansible-test sanity, on a copy at the place that the collection's name asks for."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = sanity_home()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "ansible_collections", "originops", "cloudflare")
        copy_checkout(session, copy)
        with session.chdir(copy):
            session.run("git", "init", "--quiet")
            # Without files ansible-test skips everything, and is content.
            found = session.run("ansible-test", "env", "--list-files", silent=True, env=home)
            if "galaxy.yml" not in found:
                session.error("ansible-test does not see the collection's files")
            session.run("ansible-test", "sanity", "--python", python, *session.posargs, env=home)


def copy_checkout(session: nox.Session, copy: Path) -> None:
    """Copy what git has, or would add."""
    files = session.run("git", "ls-files", "-coz", "--exclude-standard", silent=True, external=True)
    for name in filter(os.path.exists, files.split("\0")):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, target)


def sanity_home() -> dict[str, str]:
    """Make a home for ansible-test, which keeps its virtual environments below it."""
    home = CACHE / "home"
    # ansible-test fetches a script that installs pip. These versions of it are what the supported releases
    # ask for; Python brings a pip of its own, and takes no download.
    scripts = home / ".ansible" / "test" / "cache"
    scripts.mkdir(parents=True, exist_ok=True)
    for version in ("23_1_2", "24_2", "25_2"):
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


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """The documentation site, without a network; warnings are errors."""
    source, site = CACHE / "docs", "build/docs"
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    # The pages keep their places, so that their links hold there as in the checkout.
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
    """Tests of the audit's page, in a real browser."""
    if not Path("/usr/bin/chromium").exists():
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            session.error(
                "the audit's page is tested in Chromium: apt-get install chromium, which is /usr/bin/chromium"
            )
        packages = ("chromium", "fonts-dejavu-core")
        quiet = {"external": True, "silent": True, "env": {"DEBIAN_FRONTEND": "noninteractive"}}
        session.run("apt-get", "update", "-qq", **quiet)
        session.run("apt-get", "install", "-qqy", "--no-install-recommends", *packages, **quiet)
    session.run("pytest", "tests/browser", "--numprocesses=auto", "--dist=worksteal", *session.posargs)


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


@nox.session(default=False, venv_backend="venv", reuse_venv=True)
def release(session: nox.Session) -> None:
    """A release's tarball: made reproducibly, checked as Galaxy does, and used in a clean environment.

    With --trial it is made of a checkout that is not ready for a release too.
    """
    metadata = yaml.safe_load(Path("galaxy.yml").read_text())
    reasons = not_ready(session, metadata["version"])
    if reasons and "--trial" not in session.posargs:
        session.error("; ".join([*reasons, "to try all the same: make release ARGS=--trial"]))
    # What this needs does not go with the other tools, so the session has an environment of its own.
    session.install("--quiet", "galaxy-importer~=0.4.44")
    tarball = build_reproducibly(session, Path("build").absolute())
    with tempfile.TemporaryDirectory() as folder:
        if build_reproducibly(session, Path(folder)).read_bytes() != tarball.read_bytes():
            session.error("a second build has other bytes")
        with session.chdir(folder):
            checked = session.run(
                "python",
                "-m",
                "galaxy_importer.main",
                str(tarball),
                silent=True,
                env={"HOME": folder, "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true"},
            )
    if complaints := re.findall(r"^(?:WARNING|ERROR): .*", checked, re.M):
        session.error("\n".join(["galaxy-importer complains:", *complaints]))
    session.run("pytest", "tests/release", env={"ORIGINOPS_TARBALL": str(tarball)}, external=True)
    print(f"""
{tarball.relative_to(Path.cwd())}
SHA-256 {hashlib.sha256(tarball.read_bytes()).hexdigest()}
""")
    if reasons:
        print(f"Not for publishing: {'; '.join(reasons)}.")
    else:
        print(
            f"To publish it: git tag {metadata['version']}, push the tag, "
            f"ansible-galaxy collection publish {tarball.relative_to(Path.cwd())} (see Releasing in CONTRIBUTING.md)."
        )


def not_ready(session: nox.Session, version: str) -> list[str]:
    """Why a release cannot be made of the checkout."""
    reasons = []
    if session.run("git", "status", "--porcelain", silent=True, external=True):
        reasons.append("the checkout has changes that are not committed")
    if version not in yaml.safe_load(Path("changelogs/changelog.yaml").read_text())["releases"]:
        reasons.append(
            f"the changelog has no entry for {version}, the version of galaxy.yml: antsibull-changelog release"
        )
    elif glob("changelogs/fragments/*.y*ml"):
        reasons.append("changelogs/fragments has changes of no release: raise the version, antsibull-changelog release")
    return reasons


def build_reproducibly(session: nox.Session, folder: Path) -> Path:
    """Build the collection's tarball into a folder: from one commit always the same bytes."""
    time = int(session.run("git", "log", "-1", "--format=%ct", silent=True, external=True))
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "copy")
        copy_checkout(session, copy)
        session.run("ansible-galaxy", "collection", "build", str(copy), "--output-path", scratch, silent=True)
        [built] = Path(scratch).glob("*.tar.gz")
        folder.mkdir(exist_ok=True)
        tarball = folder / built.name
        tarball.write_bytes(normalised(built, time))
    return tarball


def normalised(tarball: Path, time: int) -> bytes:
    """A collection's tarball with its files sorted, and of one time.

    ansible-galaxy has them in the order in which the file system lists them, also in FILES.json, whose checksum is in
    MANIFEST.json.
    """
    with tarfile.open(tarball) as tar:
        members = {it.name: (it, tar.extractfile(it).read() if it.isfile() else b"") for it in tar}
    entry, content = members["FILES.json"]
    listing = json.loads(content)
    listing["files"].sort(key=itemgetter("name"))
    members["FILES.json"] = entry, json.dumps(listing, indent=1).encode()
    entry, content = members["MANIFEST.json"]
    manifest = json.loads(content)
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(members["FILES.json"][1]).hexdigest()
    members["MANIFEST.json"] = entry, json.dumps(manifest, indent=1).encode()
    packed = BytesIO()
    with gzip.GzipFile("", "wb", fileobj=packed, mtime=time) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        for _name, (entry, content) in sorted(members.items()):
            entry.mtime, entry.size, entry.pax_headers = time, len(content), {}
            tar.addfile(entry, BytesIO(content))
    return packed.getvalue()
