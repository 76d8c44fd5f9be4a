# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Example of an execution environment, up to the container engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .playbook import CHECKOUT

EXAMPLE = CHECKOUT / "docs" / "execution-environment.yml"
TARBALL = "originops-cloudflare.tar.gz"
PROGRAMS = Path(sys.executable).parent


def run(folder: Path, *command: str | Path) -> None:
    """Run a command in a directory; its environment is PATH alone."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """Return the files that ansible-builder passes to a container engine."""
    run(tmp_path, PROGRAMS / "ansible-galaxy", "collection", "build", CHECKOUT)
    [built] = tmp_path.glob("*.tar.gz")
    built.rename(tmp_path / TARBALL)
    shutil.copy2(EXAMPLE, tmp_path)
    run(tmp_path, PROGRAMS / "ansible-builder", "create")
    return tmp_path / "context" / "_build"


def test_the_image_gets_the_collection_and_its_requirements(context: Path, tmp_path: Path) -> None:
    """Run the commands of the Containerfile in their directory."""
    collections, python, system = (tmp_path / name for name in ("collections", "python.txt", "system.txt"))
    install = (PROGRAMS / "ansible-galaxy", "collection", "install", "--offline", "-r", "requirements.yml")
    run(context, *install, "--collections-path", collections)
    assert (collections / "ansible_collections/originops/cloudflare/meta/execution-environment.yml").exists()
    introspect = (sys.executable, "scripts/introspect.py", "introspect", collections)
    run(context, *introspect, f"--write-pip={python}", f"--write-bindep={system}")
    assert python.read_text() == "".join(
        f"{name}  # from collection originops.cloudflare\n" for name in ("requests>=2.25", "urllib3>=1.26")
    )
    assert not system.exists()
