# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subjects that do the work, and their steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .playbooks import Playbook, batch, nothing, refused, region_loop, uri_loop
from .process import Timing
from .programs import Program
from .service import Service
from .work import NOTHING, Scale, Step, changes, creation, refusal

IDLE = "nothing"
BASELINE = "baseline"
DIRECT = "batch in the controller"
MODULE = "batch as a module"
OPERATION = "batch without Ansible"
REGION_DIRECT = "region loop in the controller"
REGION_MODULE = "region loop as a module"
URI = "uri loop"
SDK_SINGLE = "SDK one by one"
SDK_BULK = "SDK in bulk"


class Run(Protocol):
    def __call__(self, service: Service, zone_id: str, step: Step, folder: Path, /) -> Timing:
        """Do a step in a zone, by its identifier, with a folder for files."""


@dataclass(frozen=True)
class Subject:
    name: str
    run: Run
    steps: Sequence[Step]
    repeated: bool = True
    """Flag to run it several times. A long loop is repetition enough."""


def subjects(scale: Scale) -> Sequence[Subject]:
    """Return all subjects in the order of a repetition."""
    fleet = changes(scale)
    growth = [step for size in scale.growth for step in creation(size)]
    refusals = [refusal(1), refusal(scale.fleet)]
    looped = creation(scale.by_region)[:1]
    return (
        Subject(IDLE, Playbook(nothing), [NOTHING]),
        Subject(BASELINE, Program("baseline"), [*fleet, *growth]),
        Subject(DIRECT, Playbook(batch), [*fleet, *growth]),
        Subject(MODULE, Playbook(batch, direct=False), fleet),
        Subject(DIRECT, Playbook(refused), refusals),
        Subject(MODULE, Playbook(refused, direct=False), refusals),
        Subject(OPERATION, Program("operation"), fleet, repeated=False),
        Subject(SDK_BULK, Program("sdk_bulk"), fleet[:2]),
        Subject(SDK_SINGLE, Program("sdk_single"), creation(scale.by_sdk)),
        Subject(URI, Playbook(uri_loop), creation(scale.by_uri)[:1]),
        Subject(REGION_DIRECT, Playbook(region_loop), looped, repeated=False),
        Subject(REGION_MODULE, Playbook(region_loop, direct=False), looped, repeated=False),
    )
