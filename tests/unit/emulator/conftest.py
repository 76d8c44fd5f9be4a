# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator with one zone, whose every answer is held against its description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from emulator.conformance import Conformance
from emulator.server import Emulator
from emulator.state import Zone

Call = Callable[..., requests.Response]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A running emulator; the test fails if anything that it answers breaks openapi.yaml."""
    with Emulator() as emulator:
        conformance = Conformance(emulator)
        yield emulator
    assert conformance.violations == []


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    """A zone with two mappings."""
    return emulator.add_zone(
        "example.com", mappings={"192.0.2.1": ("aws", "us-east-1"), "2001:db8::1": ("gcp", "us-east1")}
    )


@pytest.fixture
def call(emulator: Emulator) -> Iterator[Call]:
    """A function that sends a request to the API, with the token that may write, over one connection."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {emulator.token}"

        def send(method: str, path: str, **options: Any) -> requests.Response:
            return session.request(method, emulator.api_url + path, **options)

        yield send
