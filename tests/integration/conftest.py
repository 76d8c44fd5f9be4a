# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: a zone in an emulator, and a runner of tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.server import Emulator
from emulator.state import Zone

from .playbook import Play


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    """Return a zone with two mappings."""
    return emulator.add_zone(
        "example.com", mappings={"192.0.2.1": ("aws", "us-east-1"), "2001:db8::1": ("gcp", "us-east1")}
    )


@pytest.fixture
def play(tmp_path: Path, emulator: Emulator) -> Play:
    """Return a runner of tasks by ansible-playbook."""
    return Play(tmp_path, emulator)
