# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: an emulator with one zone, and validated responses."""

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
    """Run an emulator; fail the test if a response violates openapi.yaml."""
    with Emulator() as emulator:
        conformance = Conformance(emulator)
        yield emulator
    assert conformance.violations == []


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    """Create a zone with two mappings."""
    return emulator.add_zone(
        "example.com", mappings={"192.0.2.1": ("aws", "us-east-1"), "2001:db8::1": ("gcp", "us-east1")}
    )


@pytest.fixture
def call(emulator: Emulator) -> Iterator[Call]:
    """Yield a function to send a request to the API.

    All requests use one connection, and a token that may write.
    """
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {emulator.token}"

        def send(method: str, path: str, **options: Any) -> requests.Response:
            return session.request(method, emulator.api_url + path, **options)

        yield send
