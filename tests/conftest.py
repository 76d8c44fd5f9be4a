# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixture that tests of all kinds share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.server import Emulator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Run an emulator without zones."""
    with Emulator() as emulator:
        yield emulator
