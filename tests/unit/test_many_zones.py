# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of zones: one zone by its name and by its identifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._connection import open_client
from ansible_collections.originops.cloudflare.plugins.plugin_utils._many_zones import (
    REPEATED,
    UNMATCHED,
    ZoneEntry,
    identify_zones,
    parse_zones,
)
from emulator.faults import Fault, Respond
from emulator.server import Emulator
from emulator.state import Zone
from support.operations import options


@pytest.fixture
def zones(emulator: Emulator) -> list[Zone]:
    return [emulator.add_zone(name) for name in ("one.example", "two.example", "three.example")]


def name(zone: Zone) -> dict[str, Any]:
    return {"zone": zone.name, "addresses": ["192.0.2.1"]}


def identifier(zone: Zone) -> dict[str, Any]:
    return {"zone_id": zone.id, "addresses": ["192.0.2.2"]}


def identify(
    emulator: Emulator, listed: Sequence[Any], others: Sequence[Any] = (), *, always: bool = False
) -> tuple[list[ZoneEntry], int]:
    """Return the zones of a list with their identifiers, and the requests."""
    entries = parse_zones([*listed, *others], "zones")
    with open_client(options(emulator.api_url)) as client:
        found = identify_zones(client, entries[: len(listed)], entries[len(listed) :], always=always)
    return found, len(emulator.requests)


def test_zones_in_one_form_take_no_request(emulator: Emulator, zones: list[Zone]) -> None:
    for form in (name, identifier):
        found, requests = identify(emulator, [form(zone) for zone in zones])
        assert [zone.error for zone in found] == [None] * 3
        assert requests == 0


def test_different_zones_in_two_forms(emulator: Emulator, zones: list[Zone]) -> None:
    one, two, three = zones
    found, requests = identify(emulator, [name(one), identifier(two)], [name(three)])
    assert [(zone.zone_id, zone.error) for zone in found] == [(one.id, None), (two.id, None)]
    # Of zones of other hosts none.
    assert requests == 2


def test_the_name_of_a_zone_of_another_account(emulator: Emulator, zones: list[Zone]) -> None:
    one, *_others = zones
    twin = emulator.add_zone(one.name, account="Shops")
    found, _requests = identify(emulator, [{**name(one), "account_id": one.account_id}, identifier(twin)])
    assert [zone.error for zone in found] == [None, None]


@pytest.mark.parametrize("form", [name, identifier])
def test_one_zone_in_two_forms(emulator: Emulator, zones: list[Zone], form: Any) -> None:
    one, two, _three = zones
    other_form = identifier if form is name else name
    found, _requests = identify(emulator, [form(one), other_form(one), form(two)])
    assert [bool(zone.error and zone.error.endswith(REPEATED)) for zone in found] == [True, True, False]


@pytest.mark.parametrize("form", [name, identifier])
def test_another_host_has_the_other_form(emulator: Emulator, zones: list[Zone], form: Any) -> None:
    one, two, three = zones
    other_form = identifier if form is name else name
    found, requests = identify(emulator, [form(one), form(two)], [other_form(one), other_form(three)])
    assert [bool(zone.error and zone.error.endswith(REPEATED)) for zone in found] == [True, False]
    assert requests == 2


def test_a_failed_look_up_clears_no_other_entry(emulator: Emulator, zones: list[Zone]) -> None:
    one, two, three = zones
    listed = [name(one), identifier(one), identifier(two), name(three)]
    emulator.faults = [Fault(effect=Respond(503), path=r"/zones\?name=one"), Fault(effect=Respond(503), path=two.id)]
    found, _requests = identify(emulator, listed)
    failed, repeated, unclear, right = [zone.error for zone in found]
    assert repeated == f"{one.id} {REPEATED}"
    for error in (failed, unclear):
        assert error
        assert "HTTP 503" in error
        assert error.endswith("give all of them zone and zone_id")
    assert right is None


@pytest.mark.parametrize("always", [False, True])
def test_zones_that_no_list_has_are_not_compared(emulator: Emulator, zones: list[Zone], always: bool) -> None:
    one, *_others = zones
    unlisted = [
        ZoneEntry(one.name, error=UNMATCHED, is_listed=False),
        ZoneEntry(one.name, one.id, error="its variable is broken", is_listed=False),
        ZoneEntry(error="its variable is broken", is_listed=False),
    ]
    [entry] = parse_zones([name(one)], "zones")
    with open_client(options(emulator.api_url)) as client:
        found = identify_zones(client, [entry, *unlisted], unlisted, always=always)
    assert [zone.error for zone in found] == [None, *(zone.error for zone in unlisted)]
    assert len(emulator.requests) == always
