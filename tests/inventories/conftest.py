# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: a zone in an emulator, clouds, and a runner of plays.

The plays run on inventory sources of the clouds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator.server import Emulator
from emulator.state import Zone

from . import aws as amazon, azure, google
from .internet import internet
from .runner import Runner


@dataclass(frozen=True)
class Clouds:
    """Services of Azure and Google, and the plugins' environment for them."""

    azure: azure.Azure
    google: google.Google
    environment: Mapping[str, str]


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    """Return an empty zone."""
    return emulator.add_zone("example.com", mappings={})


@pytest.fixture
def run(tmp_path: Path, emulator: Emulator, zone: Zone) -> Runner:
    """Return a runner of plays for the zone."""
    return Runner(tmp_path, emulator, zone)


@pytest.fixture(scope="session")
def fleet() -> Iterator[amazon.Aws]:
    """Run an AWS with instances."""
    with amazon.fleet() as aws:
        yield aws


@pytest.fixture
def aws(fleet: amazon.Aws) -> Iterator[amazon.Aws]:
    """Return the AWS, which refuses nothing at first."""
    yield fleet
    fleet.refused.clear()


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[Clouds]:
    """Run Azure and Google with machines."""
    microsoft, compute = azure.Azure(), google.Google()
    services = {
        azure.LOGIN: microsoft.login,
        azure.MANAGEMENT: microsoft.response,
        google.HOST_NAME: compute.response,
    }
    with internet(tmp_path, services) as environment:
        yield Clouds(microsoft, compute, {**environment, **azure.ENVIRONMENT})
