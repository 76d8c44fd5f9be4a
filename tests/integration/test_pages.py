# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages of docs/: their files are written, their commands run in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.server import Emulator
from support.published_ranges import write_ranges

from .playbook import CHECKOUT, run_command

PAGES = {path.stem: path.read_text("utf-8") for path in sorted((CHECKOUT / "docs").glob("*.md"))}

BLOCKS = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"# (\S+)\n")
"""First line of a block of YAML that is a file of the reader."""
STATUS = re.compile(r" # exits with (\d)$")
"""End of a command that is expected to fail."""


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if "```console\n" in text])
def test_playbooks_of_a_page(page: str, emulator: Emulator, tmp_path: Path) -> None:
    for name in ("example.com", "example.net"):
        records = [{"type": "A", "name": f"www.{name}", "content": "192.0.2.40", "proxied": True}]
        emulator.add_zone(name, mappings={"192.0.2.10": ("aws", "us-east-1")}, dns_records=records)
    write_ranges(tmp_path / "mirror")
    secret = tmp_path.with_name(f"{tmp_path.name}-token")
    secret.write_text(emulator.token)
    environment = {
        "CLOUDFLARE_BASE_URL": emulator.api_url,
        "CLOUDFLARE_API_TOKEN": emulator.token,
        "CLOUDFLARE_TOKEN_FILE": str(secret),
    }
    commands = 0
    for language, text in BLOCKS.findall(PAGES[page]):
        named = FILE.match(text)
        if named:
            path = tmp_path / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if language == "console":
            for command in re.sub(r" \\\n +", " ", text).splitlines():
                commands += 1
                expected = STATUS.search(command)
                done = run_command(tmp_path, command, environment)
                output = done.stdout + done.stderr
                assert done.returncode == int(expected[1] if expected else 0), f"{command}\n{output}"
                assert "Traceback" not in output
                assert emulator.token not in output
    assert commands
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in written if emulator.token.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_playbook_of_a_page_is_run(page: str) -> None:
    blocks = BLOCKS.findall(PAGES[page])
    commands = [text for language, text in blocks if language == "console"]
    for text in [text for language, text in blocks if language == "yaml" and re.search(r"^- .*\n  hosts:", text, re.M)]:
        named = FILE.match(text)
        assert named, text
        assert re.search(rf"ansible-(playbook|runner) .*\b{re.escape(Path(named[1]).name)}\b", "".join(commands)), (
            named[1]
        )
