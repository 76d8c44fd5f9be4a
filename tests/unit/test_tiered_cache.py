# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tiered Cache and Smart Tiered Cache: wanted states, reported changes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._settings import ensure_tiered_cache
from emulator.faults import Cut, Effect, Fault, Merge, Reset, Respond
from emulator.server import Emulator
from emulator.state import Zone
from support.operations import Result, perform, result_of
from support.values import refusal

pytestmark = pytest.mark.usefixtures("waits")

TIERED = "/argo/tiered_caching"
SMART = "/cache/tiered_cache_smart_topology_enable"

STATES = [(tiered, smart) for tiered in (True, False) for smart in (True, False, None)]
WANTED = [(enabled, smart) for enabled in (True, False, None) for smart in (True, False, None)][:-1]


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com", tiered_cache=False, smart_tiered_cache=False)


def run(emulator: Emulator, target: Zone, /, check_mode: bool = False, **chosen: Any) -> Result:
    emulator.requests.clear()
    arguments = {"zone_id": target.id, "retries": 1, **chosen}
    return result_of(perform, ensure_tiered_cache, emulator.api_url, check_mode, **arguments)


def lines(tiered: bool | None, smart: bool | None) -> str:
    """Return the lines of a diff for settings with a value."""
    texts = {True: "on", False: "off"}
    values = {"tiered_cache": tiered, "smart_tiered_cache": smart}
    return "".join(f"{name}: {texts[value]}\n" for name, value in values.items() if value is not None)


@pytest.mark.parametrize(("tiered", "smart"), STATES)
@pytest.mark.parametrize(("enabled", "wants_smart"), WANTED)
def test_every_state_from_every_other(
    emulator: Emulator, tiered: bool, smart: bool | None, enabled: bool | None, wants_smart: bool | None
) -> None:
    zone = emulator.add_zone("example.com", tiered_cache=tiered, smart_tiered_cache=smart)
    chosen = {"enabled": enabled, "smart": wants_smart}
    given = [value for value in chosen.values() if value is not None]
    # A setting that was never set is off.
    before = (tiered, bool(smart))
    changes = [
        value if value is not None and value is not old else None
        for value, old in zip(chosen.values(), before, strict=True)
    ]
    expected = {
        "changed": any(value is not None for value in changes),
        "tiered_cache": chosen,
        "zone_id": zone.id,
        "warnings": (),
        "diff": {
            "before_header": zone.id,
            "after_header": zone.id,
            "before": lines(*[None if value is None else not value for value in changes]),
            "after": lines(*changes),
        },
    }
    assert run(emulator, zone, check_mode=True, **chosen) == expected
    assert (len(emulator.requests), emulator.writes) == (len(given), [])
    assert (zone.tiered_cache, zone.smart_tiered_cache) == (tiered, smart)
    assert run(emulator, zone, **chosen) == expected
    assert len(emulator.requests) - len(emulator.writes) == len(given)
    assert len(emulator.writes) == sum(value is not None for value in changes)
    assert (zone.tiered_cache, bool(zone.smart_tiered_cache)) == tuple(
        old if value is None else value for value, old in zip(chosen.values(), before, strict=True)
    )
    again = run(emulator, zone, **chosen)
    assert (again["changed"], again["tiered_cache"], emulator.writes) == (False, chosen, [])


@pytest.mark.parametrize(
    ("tiered", "smart", "paths"),
    [
        (True, True, [TIERED, SMART]),
        (False, False, [TIERED, SMART]),
        (True, False, [SMART, TIERED]),
        (False, True, [TIERED, SMART]),
    ],
)
def test_turning_off_comes_first(emulator: Emulator, tiered: bool, smart: bool, paths: list[str]) -> None:
    zone = emulator.add_zone("example.com", tiered_cache=not tiered, smart_tiered_cache=not smart)
    run(emulator, zone, enabled=tiered, smart=smart)
    assert [request.path for request in emulator.writes] == [f"/zones/{zone.id}{path}" for path in paths]


def test_neither_setting_is_an_error(emulator: Emulator, zone: Zone) -> None:
    assert run(emulator, zone)["msg"] == "one of the following is required: enabled, smart"
    assert emulator.requests == []


def test_by_name(emulator: Emulator, zone: Zone) -> None:
    result = run(emulator, zone, zone_id=None, zone="example.com", enabled=True)
    assert (result["zone_id"], len(emulator.requests)) == (zone.id, 3)
    assert result["diff"]["before_header"] == f"example.com ({zone.id})"


def test_a_setting_that_is_not_editable_is_changed(emulator: Emulator, zone: Zone) -> None:
    emulator.settings_editable = False
    assert run(emulator, zone, enabled=True, smart=True)["changed"] is True
    assert (zone.tiered_cache, zone.smart_tiered_cache) == (True, True)


def test_an_unset_setting_is_created_if_it_is_not_editable(emulator: Emulator, zone: Zone) -> None:
    emulator.patch_creates = False
    emulator.add_zone(zone.name, smart_tiered_cache=None)
    assert run(emulator, zone, smart=False)["changed"] is False
    assert run(emulator, zone, smart=True)["changed"] is True
    assert [request.method for request in emulator.writes] == ["PATCH", "POST"]
    assert zone.smart_tiered_cache is True


@pytest.mark.parametrize("path", [TIERED, SMART])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_other_404_responses_are_errors(emulator: Emulator, zone: Zone, method: str, path: str) -> None:
    emulator.faults = [Fault(effect=Respond(404, "Not here"), method=method, path=path)]
    result = run(emulator, zone, enabled=True, smart=True)
    assert "HTTP 404" in result["msg"]
    assert "POST" not in {request.method for request in emulator.writes}


def test_tiered_cache_is_never_unset(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [Fault(effect=refusal(404, 1135), path=TIERED)]
    assert "HTTP 404" in run(emulator, zone, enabled=False)["msg"]


@pytest.mark.parametrize("path", [TIERED, SMART])
def test_forbidden_settings_are_an_error(emulator: Emulator, zone: Zone, path: str) -> None:
    emulator.faults = [Fault(effect=refusal(403, 10000), path=path, times=None)]
    result = run(emulator, zone, enabled=False, smart=False)
    assert (result["status"], result["zone_id"], result["changed"]) == (403, zone.id, False)
    assert "Check that the credentials" in result["msg"]


def test_a_failure_reports_earlier_changes(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [Fault(effect=refusal(403, 10000), method="PATCH", path=SMART, times=None)]
    result = run(emulator, zone, enabled=True, smart=True)
    assert f"Turning Smart Tiered Cache on in zone {zone.id} failed: HTTP 403" in result["msg"]
    assert (result["changed"], result["tiered_cache"]) == (True, {"enabled": True, "smart": False})
    assert (result["diff"]["before"], result["diff"]["after"]) == ("tiered_cache: off\n", "tiered_cache: on\n")
    emulator.faults = []
    assert run(emulator, zone, enabled=True, smart=True)["tiered_cache"] == {"enabled": True, "smart": True}


def test_a_failure_ends_the_writing(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [Fault(effect=refusal(403, 1135), method="PATCH", path=TIERED, times=None)]
    result = run(emulator, zone, enabled=True, smart=True)
    assert (result["changed"], result["tiered_cache"]) == (False, {"enabled": False, "smart": False})
    assert (result["errors"][0]["code"], len(emulator.writes)) == (1135, 1)


LOST = [Reset(applied=True), Cut(), Respond(502, applied=True), Respond(408, applied=True)]


@pytest.mark.parametrize("then", [None, refusal(429, 10100), refusal(403, 9109), refusal(400, 1146), Respond(503)])
@pytest.mark.parametrize("effect", LOST, ids=["reset", "cut", "502", "408"])
@pytest.mark.parametrize("path", [TIERED, SMART])
def test_a_change_with_a_lost_response_counts(
    emulator: Emulator, zone: Zone, path: str, effect: Effect, then: Effect | None
) -> None:
    emulator.faults = [Fault(effect=effect, method="PATCH", path=path, times=1 if then else 2)]
    if then:
        emulator.faults.append(Fault(effect=then, method="PATCH", path=path, nth=2))
    result = run(emulator, zone, enabled=True, smart=True)
    assert "msg" not in result
    assert (result["changed"], result["tiered_cache"]) == (True, {"enabled": True, "smart": True})


@pytest.mark.parametrize("effect", [Reset(), Respond(502)], ids=["reset", "502"])
def test_a_change_that_was_not_applied_is_not_reported(emulator: Emulator, zone: Zone, effect: Effect) -> None:
    emulator.faults = [Fault(effect=effect, method="PATCH", times=None)]
    result = run(emulator, zone, enabled=True)
    assert result["msg"].startswith(f"Turning Tiered Cache on in zone {zone.id} failed: ")
    assert "may have been applied" not in result["msg"]
    assert (result["changed"], result["tiered_cache"]) == (False, {"enabled": False, "smart": None})


def test_a_change_of_unknown_outcome(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [
        Fault(effect=Reset(applied=True), method="PATCH", path=SMART, times=None),
        Fault(effect=Respond(503), method="GET", path=SMART, nth=2, times=None),
    ]
    result = run(emulator, zone, enabled=True, smart=True)
    assert result["msg"].endswith("The change may have been applied, but the zone could not be read again")
    assert (result["changed"], result["tiered_cache"]) == (True, {"enabled": True, "smart": None})
    assert result["diff"]["after"] == "tiered_cache: on\n"


def test_a_change_that_the_service_accepts_and_ignores(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com")
    emulator.faults = [Fault(effect=Merge({"result": {"value": "on"}}), method="PATCH")]
    result = run(emulator, zone, smart=False)
    assert "had no effect: Cloudflare reports that it is on" in result["msg"]
    assert (result["changed"], result["tiered_cache"]) == (False, {"enabled": None, "smart": True})


@pytest.mark.parametrize("value", [None, True, "ON", [], {"on": 1}])
def test_values_of_another_shape(emulator: Emulator, zone: Zone, value: object) -> None:
    emulator.faults = [Fault(effect=Merge({"result": {"value": value}}), method="GET")]
    result = run(emulator, zone, enabled=True)
    assert "the response does not have the format" in result["msg"]
    assert emulator.writes == []
