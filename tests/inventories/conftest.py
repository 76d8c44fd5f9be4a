# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: a zone in an emulator, and a runner of plays on inventory sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.server import Emulator
from emulator.state import Zone

from .runner import Runner


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    """Return an empty zone."""
    return emulator.add_zone("example.com", mappings={})


@pytest.fixture
def run(tmp_path: Path, emulator: Emulator, zone: Zone) -> Runner:
    """Return a runner of plays for the zone."""
    return Runner(tmp_path, emulator, zone)
