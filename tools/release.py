# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a release's tarball, check it, and use it in a clean environment.

The check is that of Galaxy. Needs galaxy-importer beside this Python, and ansible-galaxy and pytest in PATH, as
`make release` has them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from argparse import ArgumentParser
from io import BytesIO
from operator import itemgetter
from pathlib import Path

import yaml

from checkout import CHECKOUT, copy_checkout


def main() -> None:
    """Make the release, or exit with the problems that prevent it."""
    parser = ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("--trial", action="store_true", help="also of a checkout that is not ready for a release")
    trial = parser.parse_args().trial
    version = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text("utf-8"))["version"]
    reasons = not_ready(version)
    if reasons and not trial:
        sys.exit("; ".join([*reasons, "to try anyway: make release ARGS=--trial"]))
    tarball = build_reproducibly(CHECKOUT / "build")
    with tempfile.TemporaryDirectory() as folder:
        if build_reproducibly(Path(folder)).read_bytes() != tarball.read_bytes():
            sys.exit("a second build has other bytes")
    if complaints := importer_complaints(tarball):
        sys.exit("\n".join(["galaxy-importer complains:", *complaints]))
    tests = subprocess.run(
        ["pytest", "tests/release"], cwd=CHECKOUT, env={**os.environ, "ORIGINOPS_TARBALL": str(tarball)}, check=False
    )
    if tests.returncode:
        sys.exit(tests.returncode)
    place = tarball.relative_to(CHECKOUT)
    print(f"\n{place}\nSHA-256 {hashlib.sha256(tarball.read_bytes()).hexdigest()}\n")
    if reasons:
        print(f"Not for publishing: {'; '.join(reasons)}.")
    else:
        print(
            f"To publish it: git tag {version}, push the tag, "
            f"ansible-galaxy collection publish {place} (see Releasing in CONTRIBUTING.md)."
        )


def not_ready(version: str) -> list[str]:
    """List the reasons why the checkout is not ready for a release."""
    reasons = []
    if output("git", "status", "--porcelain"):
        reasons.append("the checkout has changes that are not committed")
    if version not in yaml.safe_load((CHECKOUT / "changelogs/changelog.yaml").read_text("utf-8"))["releases"]:
        reasons.append(
            f"the changelog has no entry for {version}, the version of galaxy.yml: antsibull-changelog release"
        )
    elif any(CHECKOUT.glob("changelogs/fragments/*.y*ml")):
        reasons.append("changelogs/fragments has changes of no release: raise the version, antsibull-changelog release")
    return reasons


def build_reproducibly(folder: Path) -> Path:
    """Build the tarball reproducibly: the same bytes for the same commit."""
    time = int(output("git", "log", "-1", "--format=%ct"))
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "copy")
        copy_checkout(copy)
        output("ansible-galaxy", "collection", "build", str(copy), "--output-path", scratch)
        [built] = Path(scratch).glob("*.tar.gz")
        folder.mkdir(exist_ok=True)
        tarball = folder / built.name
        tarball.write_bytes(normalised(built, time))
    return tarball


def normalised(tarball: Path, time: int) -> bytes:
    """Repack a collection's tarball with its files sorted, and of one time.

    ansible-galaxy has them in the order of the file system, also in FILES.json. The checksum of that is in
    MANIFEST.json.
    """
    members: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
    with tarfile.open(tarball) as tar:
        for entry in tar:
            file = tar.extractfile(entry)
            members[entry.name] = entry, file.read() if file else b""
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


def importer_complaints(tarball: Path) -> list[str]:
    """List the warnings and errors of Galaxy's own importer."""
    with tempfile.TemporaryDirectory() as folder:
        checked = output(
            *(sys.executable, "-m", "galaxy_importer.main", str(tarball)),
            folder=Path(folder),
            environment={"HOME": folder, "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true"},
        )
    return re.findall(r"^(?:WARNING|ERROR): .*", checked, re.M)


def output(*command: str, folder: Path = CHECKOUT, environment: dict[str, str] | None = None) -> str:
    """Run a command that has to succeed, and return what it prints."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


if __name__ == "__main__":
    main()
