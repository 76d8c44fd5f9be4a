# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults: requests that a rule disturbs, and the effects on them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import requests

from emulator.faults import (
    Change,
    Cut,
    Effect,
    Endless,
    Fault,
    Meanwhile,
    Merge,
    Reset,
    Respond,
    Stall,
)
from emulator.server import Emulator
from emulator.state import Zone

Call = Callable[..., requests.Response]

ADDRESS = "192.0.2.1"


def delete(call: Call, zone: Zone, **options: Any) -> requests.Response:
    """Send a request that visibly changes the zone if it is applied."""
    return call("DELETE", f"/zones/{zone.id}/origin/cloud_regions/{ADDRESS}", **options)


def page(call: Call, zone: Zone, number: int = 1) -> requests.Response:
    return call("GET", f"/zones/{zone.id}/origin/cloud_regions?page={number}&per_page=1")


@pytest.mark.parametrize(
    ("rule", "disturbed"),
    [
        ({}, [0]),
        ({"times": 2}, [0, 1]),
        ({"times": None}, [0, 1, 2, 3, 4, 5]),
        ({"nth": 3}, [2]),
        ({"nth": 3, "times": 2}, [2, 3]),
        ({"nth": 3, "times": None}, [2, 3, 4, 5]),
        ({"method": "GET", "times": None}, [0, 1, 3, 4]),
        ({"method": "DELETE", "nth": 2}, [5]),
        ({"path": "page=2"}, [1]),
        ({"path": "page=2", "nth": 2}, [4]),
        ({"path": r"/cloud_regions\?page=1", "times": None}, [0, 3]),
        ({"path": rf"/{ADDRESS}$", "times": None}, [2, 5]),
        ({"path": "/supported_regions"}, []),
        ({"method": "PUT"}, []),
    ],
)
def test_a_rule_applies_to_matching_requests(
    emulator: Emulator, call: Call, zone: Zone, rule: dict[str, Any], disturbed: list[int]
) -> None:
    emulator.faults = [Fault(effect=Respond(503), **rule)]
    responses = [
        response for _round in range(2) for response in (page(call, zone), page(call, zone, 2), delete(call, zone))
    ]
    assert [number for number, response in enumerate(responses) if response.status_code == 503] == disturbed
    assert [number for number, request in enumerate(emulator.requests) if request.fault == "respond"] == disturbed


def test_the_first_matching_rule_applies(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.faults = [Fault(effect=Respond(502), nth=2), Fault(effect=Respond(503), times=3)]
    assert [page(call, zone).status_code for _attempt in range(4)] == [503, 502, 503, 200]


def test_rules_change_while_the_emulator_runs(emulator: Emulator, call: Call, zone: Zone) -> None:
    statuses = []
    for faults in ([Fault(effect=Respond(502))], [], [Fault(effect=Respond(503))]):
        emulator.faults = faults
        statuses.append(page(call, zone).status_code)
    assert statuses == [502, 200, 503]


def test_a_replaced_response(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.faults = [
        Fault(effect=Respond(429, {"success": False}, {"Retry-After": "7"})),
        Fault(effect=Respond(200, "<html>Sign in</html>"), nth=2),
        Fault(effect=Respond(204), nth=3),
    ]
    refused, html, nothing = (delete(call, zone) for _attempt in range(3))
    assert (refused.status_code, refused.json(), refused.headers["Retry-After"]) == (429, {"success": False}, "7")
    assert refused.headers["Content-Type"] == "application/json"
    assert (html.status_code, html.text) == (200, "<html>Sign in</html>")
    assert html.headers["Content-Type"].startswith("text/html")
    assert (nothing.status_code, nothing.content) == (204, b"")


@pytest.mark.parametrize("effect", [Reset, lambda **options: Stall(0.1, **options)], ids=["reset", "stall"])
def test_no_response(
    emulator: Emulator, call: Call, zone: Zone, effect: Callable[..., Effect], subtests: pytest.Subtests
) -> None:
    for applied in (False, True):
        with subtests.test(applied=applied):
            emulator.faults = [Fault(effect=effect(applied=applied))]
            with pytest.raises(requests.ConnectionError, match="reset"):
                delete(call, zone)
            assert (ADDRESS in zone.mappings) is not applied
    # The service continues after the lost connection.
    assert page(call, zone).status_code == 200


def test_a_stall_outlasts_the_timeout(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.faults = [Fault(effect=Stall(0.5))]
    with pytest.raises(requests.ReadTimeout):
        delete(call, zone, timeout=0.1)


@pytest.mark.parametrize("effect", [Respond(502, applied=True), Cut(), Merge({}), Change(lambda response: response)])
def test_faults_after_the_request_was_applied(emulator: Emulator, call: Call, zone: Zone, effect: Effect) -> None:
    emulator.faults = [Fault(effect=effect)]
    with call("DELETE", f"/zones/{zone.id}/origin/cloud_regions/{ADDRESS}", stream=True):
        assert ADDRESS not in zone.mappings


@pytest.mark.parametrize("effect", [Respond(502), Endless()])
def test_faults_before_the_request_is_applied(emulator: Emulator, call: Call, zone: Zone, effect: Effect) -> None:
    emulator.faults = [Fault(effect=effect)]
    with delete(call, zone, stream=True):
        assert ADDRESS in zone.mappings


def test_a_truncated_body(emulator: Emulator, call: Call, zone: Zone) -> None:
    whole = page(call, zone).content
    emulator.faults = [Fault(effect=Cut())]
    with call("GET", f"/zones/{zone.id}/origin/cloud_regions?page=1&per_page=1", stream=True) as response:
        assert (response.status_code, response.headers["Content-Length"]) == (200, str(len(whole)))
        came: list[bytes] = []
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            came.extend(response.iter_content(1))
    assert b"".join(came) == whole[: len(whole) // 2]


def test_an_endless_body(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.faults = [Fault(effect=Endless())]
    with call("GET", f"/zones/{zone.id}/origin/cloud_regions", stream=True) as response:
        assert response.status_code == 200
        assert "Content-Length" not in response.headers
        assert len(response.raw.read(20_000_000)) == 20_000_000


def test_a_modified_response(emulator: Emulator, call: Call, zone: Zone) -> None:
    true = page(call, zone).json()
    emulator.faults = [
        Fault(effect=Merge({"result_info": {"total_count": 7}, "surprise": [1]})),
        Fault(effect=Change(lambda response: {**response, "result": response["result"] * 2}), nth=2),
    ]
    info = {**true["result_info"], "total_count": 7}
    assert page(call, zone).json() == {**true, "result_info": info, "surprise": [1]}
    assert page(call, zone).json() == {**true, "result": true["result"] * 2}
    assert page(call, zone).json() == true


def test_a_concurrent_change(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.faults = [Fault(effect=Meanwhile(lambda: zone.replace({})), nth=2)]
    totals = [page(call, zone).json()["result_info"]["total_count"] for _attempt in range(2)]
    assert totals == [2, 0]


def test_records_name_the_fault(emulator: Emulator, call: Call, zone: Zone) -> None:
    for effect in (Respond(502), Reset(), Reset(applied=True), Meanwhile(lambda: None)):
        emulator.faults = [Fault(effect=effect)]
        with suppress(requests.ConnectionError):
            delete(call, zone, json=["x"])
    # A record has the status of the API if the request reached it.
    assert [(request.fault, request.status) for request in emulator.requests] == [
        ("respond", 502),
        ("reset", None),
        ("reset", 200),
        ("meanwhile", 404),
    ]
    assert {request.path for request in emulator.writes} == {f"/zones/{zone.id}/origin/cloud_regions/{ADDRESS}"}
    assert all(request.body == ["x"] for request in emulator.writes)


def control(emulator: Emulator, rules: Any) -> requests.Response:
    return requests.put(f"{emulator.control_url}/faults", json=rules, timeout=10)


def test_rules_by_the_control_endpoint(emulator: Emulator, call: Call, zone: Zone) -> None:
    rules = [
        {"effect": "respond", "method": "GET", "path": "page=2", "times": None, "status": 503, "body": {"a": 1}},
        {"effect": "merge", "nth": 2, "values": {"result_info": {"total_count": 7}}},
        {"effect": "reset", "method": "DELETE", "applied": True},
        {"effect": "stall", "method": "PUT", "seconds": 0.0},
        {"effect": "cut", "method": "PATCH"},
        {"effect": "endless", "method": "POST"},
    ]
    assert control(emulator, rules).status_code == 200
    assert (page(call, zone, 2).status_code, page(call, zone, 2).json()) == (503, {"a": 1})
    # The first rule disturbed this one's second request.
    assert page(call, zone).json()["result_info"]["total_count"] == 2
    with pytest.raises(requests.ConnectionError):
        delete(call, zone)
    assert ADDRESS not in zone.mappings
    assert control(emulator, []).status_code == 200
    assert page(call, zone, 2).status_code == 200


@pytest.mark.parametrize(
    "rules",
    [
        {},
        ["reset"],
        [{}],
        [{"effect": "meanwhile"}],
        [{"effect": ["reset"]}],
        [{"effect": "reset", "paht": "/batch"}],
        [{"effect": "reset", "status": 503}],
        [{"effect": "stall"}],
        [{"effect": "reset", "path": "("}],
    ],
)
def test_invalid_rules(emulator: Emulator, call: Call, zone: Zone, rules: Any) -> None:
    emulator.faults = [Fault(effect=Respond(503), times=None)]
    response = control(emulator, rules)
    assert response.status_code == 400
    assert response.json()["error"]
    # The previous rules remain in effect.
    assert page(call, zone).status_code == 503


def test_a_stall_does_not_block_other_requests(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.faults = [Fault(effect=Stall(4.0), method="DELETE")]
    with pytest.raises(requests.ReadTimeout):
        delete(call, zone, timeout=0.1)
    begun = time.monotonic()
    assert page(call, zone).status_code == 200
    assert time.monotonic() - begun < 3
