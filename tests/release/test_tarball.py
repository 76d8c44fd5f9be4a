# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tarball of a release, installed in a clean environment.

`make release` sets its path.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator.server import Emulator

CHECKOUT = Path(__file__).parents[2]
CONTENT = {
    **{
        kind: sorted(path.stem for path in CHECKOUT.glob(f"plugins/{folder}/*.py"))
        for folder, kind in (("modules", "module"), *((kind, kind) for kind in ("filter", "inventory", "lookup")))
    },
    "role": sorted(path.name for path in CHECKOUT.glob("roles/*")),
}


@dataclass(frozen=True)
class Installation:
    """Clean environment with ansible-core, requests and the collection."""

    folder: Path

    @property
    def collection(self) -> Path:
        return self.folder / ".ansible" / "collections" / "ansible_collections" / "originops" / "cloudflare"

    def run(self, program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the installation, and check that it succeeds."""
        programs = self.folder / "venv" / "bin"
        done = subprocess.run(
            [programs / program, *arguments],
            cwd=self.folder,
            env={"PATH": f"{programs}:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.folder), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installation = Installation(tmp_path_factory.mktemp("home"))
    subprocess.run([sys.executable, "-m", "venv", installation.folder / "venv"], check=True)
    # Only pip keeps the caller's settings, such as a mirror.
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")} | {"HOME": str(Path.home())}
    installation.run("pip", "install", "--quiet", "ansible-core", **pip)
    installation.run("ansible-galaxy", "collection", "install", "--offline", os.environ["ORIGINOPS_TARBALL"])
    installation.run("pip", "install", "--quiet", "-r", str(installation.collection / "requirements.txt"), **pip)
    return installation


def test_the_content_is_complete_and_minimal(installation: Installation) -> None:
    names = {path.name for path in installation.collection.iterdir()}
    assert names == {
        *("AGENTS.md", "CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"),
        "requirements.txt",
        *("changelogs", "docs", "meta", "playbooks", "plugins", "roles"),
        *("FILES.json", "MANIFEST.json"),
    }
    guides = {path.name for path in (CHECKOUT / "docs").iterdir()} - {"site"}
    assert {path.name for path in (installation.collection / "docs").iterdir()} == guides


@pytest.mark.parametrize("kind", CONTENT)
def test_all_content_is_documented(installation: Installation, kind: str) -> None:
    names = [f"originops.cloudflare.{name}" for name in CONTENT[kind]]
    assert names
    done = installation.run("ansible-doc", "--json", "-t", kind, *names)
    assert sorted(json.loads(done.stdout)) == names
    assert done.stderr == ""


def test_the_quick_start_of_the_readme(installation: Installation) -> None:
    """Run the quick start as printed: in check mode, for real, and again."""
    playbook = re.search(
        r"^```yaml$(.*?)^```$", (installation.collection / "README.md").read_text("utf-8"), re.M | re.S
    )
    assert playbook
    (installation.folder / "playbook.yml").write_text(playbook[1])
    with Emulator() as emulator:
        zone = emulator.add_zone("example.com")

        def play(*flags: str) -> str:
            credentials = {"CLOUDFLARE_API_TOKEN": emulator.token, "CLOUDFLARE_BASE_URL": emulator.api_url}
            return installation.run("ansible-playbook", *flags, "playbook.yml", **credentials).stdout

        predicted = play("--check", "--diff")
        assert "changed=1 " in predicted
        assert "+2001:db8::30: gcp/europe-west1" in predicted
        assert zone.values() == {}
        assert "changed=1 " in play()
        assert zone.values() == {
            "192.0.2.10": ("aws", "us-east-1"),
            "198.51.100.20": ("azure", "westeurope"),
            "2001:db8::30": ("gcp", "europe-west1"),
        }
        assert "changed=0 " in play()
