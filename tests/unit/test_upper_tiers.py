# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Upper tiers of origins: traffic, plans, permissions and requests.

Unexpected responses, and the comparison in pure code, are tested here too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from math import ceil
from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import parse_address
from ansible_collections.originops.cloudflare.plugins.module_utils._regions import Region, SupportedRegions
from ansible_collections.originops.cloudflare.plugins.module_utils._traffic.analytics import (
    SETTINGS_QUERY,
    TRAFFIC_QUERY,
    read_traffic,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._traffic.fills import (
    Group,
    colo_code,
    describe_origins,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._traffic.operation import read_upper_tiers
from emulator.faults import Change, Fault, Reset, Respond
from emulator.server import Emulator
from emulator.state import REGIONS, Zone, identifier
from support.operations import Result, mapping, open_api, perform, result_of
from support.values import TOKEN, refusal

pytestmark = pytest.mark.usefixtures("waits")

ASHBURN = ("aws", "us-east-1")
MAPPINGS = {"192.0.2.1": ASHBURN, "192.0.2.2": ("gcp", "us-east1"), "2001:db8::1": ("azure", "westeurope")}
MAPPED = sorted(MAPPINGS)
SUPPORTED = SupportedRegions(True, {"aws": [Region("us-east-1", ["IAD", "ewr01"]), Region("us-west-2", [])]})


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com", mappings=MAPPINGS)


def run(emulator: Emulator, *zones: Zone, **chosen: Any) -> Result:
    """Return the result for one zone by identifier, or for several by name."""
    emulator.requests.clear()
    selection: dict[str, Any] = {"zone_id": zones[0].id}
    if len(zones) > 1:
        selection = {"zone_id": None, "zones": [zone.name for zone in zones]}
    result = result_of(perform, read_upper_tiers, emulator.api_url, **{**selection, **chosen})
    assert emulator.writes == []
    assert TOKEN not in str(result)
    return result


def only(result: Result) -> dict[str, Any]:
    [item] = result["zones"]
    zone: dict[str, Any] = item
    return zone


def codes(item: Mapping[str, Any]) -> list[str]:
    return [limit["code"] for limit in item["limits"]]


def paths(emulator: Emulator) -> list[str]:
    return [request.path.rpartition("/")[2] for request in emulator.requests]


def queries(emulator: Emulator) -> list[Any]:
    return [request.body for request in emulator.requests if request.path.endswith("/graphql")]


def test_working_mappings(emulator: Emulator, zone: Zone) -> None:
    result = run(emulator, zone)
    item = only(result)
    assert (result["changed"], result["warnings"]) == (False, [])
    assert (item["zone_id"], item["error"], item["not_available"], item["limits"]) == (zone.id, None, None, [])
    requests = [origin["requests"] for origin in item["origins"]]
    assert requests == sorted(requests, reverse=True)
    assert min(requests) >= 1000
    origins = {origin["origin_ip"]: origin for origin in item["origins"]}
    assert sorted(origins) == MAPPED
    for address, origin in origins.items():
        vendor, region = MAPPINGS[address]
        assert (origin["vendor"], origin["region"], origin["direct"]) == (vendor, region, 0)
        assert origin["expected"] == sorted(REGIONS[vendor][region])
        assert sum(tier["requests"] for tier in origin["upper_tiers"]) == origin["requests"]
        assert {tier["expected"] for tier in origin["upper_tiers"]} == {True}
        assert origin["share_expected"] == 100


def test_deviations(emulator: Emulator, zone: Zone) -> None:
    traffic = {
        "192.0.2.1": {"FRA": 750, "iad02": 200, "IAD": 50, "": 25},
        "192.0.2.2": {},
        "203.0.113.7": {"FRA": 5000},
        "203.0.113.8": {"": 3},
    }
    emulator.add_zone(zone.name, traffic=traffic)
    origins = {origin["origin_ip"]: origin for origin in only(run(emulator, zone))["origins"]}
    # Origins without a mapping are listed too. Most requests come first.
    assert [*origins] == ["203.0.113.7", "2001:db8::1", "192.0.2.1", "203.0.113.8", "192.0.2.2"]
    assert origins["192.0.2.1"] == {
        "origin_ip": "192.0.2.1",
        "vendor": "aws",
        "region": "us-east-1",
        "requests": 1000,
        "direct": 25,
        "upper_tiers": [
            {"colo": "FRA", "requests": 750, "share": 75.0, "expected": False},
            {"colo": "IAD", "requests": 250, "share": 25.0, "expected": True},
        ],
        "expected": ["EWR", "IAD"],
        "share_expected": 25.0,
    }
    assert origins["192.0.2.2"]["requests"] == 0
    assert origins["192.0.2.2"]["share_expected"] is None
    unmapped = origins["203.0.113.7"]
    assert (unmapped["vendor"], unmapped["expected"], unmapped["share_expected"]) == (None, [], None)
    assert unmapped["upper_tiers"] == [{"colo": "FRA", "requests": 5000, "share": 100.0, "expected": None}]
    assert (origins["203.0.113.8"]["requests"], origins["203.0.113.8"]["direct"]) == (0, 3)


def test_data_centres_of_unknown_spelling(emulator: Emulator, zone: Zone) -> None:
    emulator.add_zone(
        zone.name, traffic={"192.0.2.1": {"Ashburn": 400, "FRA": 75, "EWR": 25}, "192.0.2.2": {"Paris": 9}}
    )
    result = run(emulator, zone)
    item = only(result)
    origins = {origin["origin_ip"]: origin for origin in item["origins"]}
    assert [(limit["code"], limit["names"]) for limit in item["limits"]] == [("unknown_colos", ["Ashburn", "Paris"])]
    assert "data centres could not be compared, for their spelling is unknown: Ashburn; Paris" in result["warnings"][0]
    # They count neither as expected nor as unexpected.
    assert [origins[ip]["share_expected"] for ip in ("192.0.2.1", "192.0.2.2")] == [25.0, None]
    assert origins["192.0.2.1"]["upper_tiers"][0] == {
        "colo": "Ashburn",
        "requests": 400,
        "share": 80.0,
        "expected": None,
    }
    assert origins["2001:db8::1"]["share_expected"] == 100


def test_a_zone_without_traffic(emulator: Emulator, zone: Zone) -> None:
    emulator.add_zone(zone.name, traffic={address: {} for address in MAPPINGS})
    item = only(run(emulator, zone))
    assert (codes(item), item["not_available"]) == (["no_traffic"], None)
    assert [(origin["requests"], origin["share_expected"]) for origin in item["origins"]] == [(0, None)] * 3
    empty = emulator.add_zone("empty.example")
    assert (codes(only(run(emulator, empty))), paths(emulator)) == (
        ["no_traffic"],
        ["cloud_regions", "graphql", "graphql"],
    )
    zero = emulator.add_zone("zero.example", traffic={"192.0.2.1": {"IAD": 0}})
    item = only(run(emulator, zero))
    [origin] = item["origins"]
    assert codes(item) == ["no_traffic"]
    assert (origin["requests"], origin["upper_tiers"], origin["share_expected"]) == (0, [], None)


@pytest.mark.parametrize(
    ("analytics", "code", "names"),
    [
        ({"enabled": False}, "not_enabled", []),
        ({"availableFields": ["count"]}, "fields", ["originIP", "upperTierColoName"]),
        ({"availableFields": ["count", "dimensions_originIP"]}, "fields", ["upperTierColoName"]),
        ({"maxNumberOfFields": 2}, "fields", []),
        ({"maxDuration": 0}, "range", []),
        ({"notOlderThan": 360}, "range", []),
        ({"maxPageSize": 0}, "range", []),
        ({"forbidden": True}, "permission", []),
        ({"unlisted": True}, "not_listed", []),
    ],
)
def test_fields_missing_from_a_plan(
    emulator: Emulator, zone: Zone, *, analytics: Mapping[str, Any], code: str, names: list[str]
) -> None:
    emulator.add_zone(zone.name, analytics=analytics)
    other = emulator.add_zone("other.example", mappings=MAPPINGS)
    item, untouched = run(emulator, zone, other)["zones"]
    assert (item["not_available"]["code"], item["not_available"]["names"], item["error"]) == (code, names, None)
    assert (item["since"], item["limits"]) == (None, [])
    # Unknown values are null: neither zero nor a success.
    assert [origin["origin_ip"] for origin in item["origins"]] == MAPPED
    assert {(origin["requests"], origin["direct"], origin["share_expected"]) for origin in item["origins"]} == {
        (None, None, None)
    }
    assert (untouched["not_available"], untouched["limits"]) == (None, [])
    assert {origin["share_expected"] for origin in untouched["origins"]} == {100}
    result = run(emulator, zone)
    assert only(result)["not_available"]["code"] == code
    # Only the settings are read: a query that would be refused is not sent.
    assert len(queries(emulator)) == 1
    assert "settings" in queries(emulator)[0]["query"]
    [warning] = result["warnings"]
    assert warning.startswith(f"The traffic of zone {zone.id} is not known: ")
    possible = "only the mappings and the data centres expected of them can be reported"
    assert (possible in warning) == (code in ("fields", "not_enabled", "range"))


@pytest.mark.parametrize(
    ("analytics", "hours", "seconds"),
    [({"maxDuration": 7200}, 24, 7200), ({"notOlderThan": 86400}, 48, 86040), ({}, 744, 744 * 3600 - 360)],
)
def test_a_time_range_that_a_plan_shortens(
    emulator: Emulator, zone: Zone, *, analytics: Mapping[str, int], hours: int, seconds: int
) -> None:
    emulator.add_zone(zone.name, analytics=analytics)
    other = emulator.add_zone("other.example", mappings=MAPPINGS)
    result = run(emulator, zone, other, hours=hours)
    assert [codes(item) for item in result["zones"]] == [["range"], ["range"]]
    text = f"{seconds / 3600:g} hours" if seconds % 360 == 0 else f"{seconds} seconds"
    assert f"only the last {text} were read, as its plan allows no more" in result["warnings"][0]
    if analytics:
        assert "as the plan of another zone allows no more" in result["warnings"][1]
    assert {origin["share_expected"] for item in result["zones"] for origin in item["origins"]} == {100}


def test_more_groups_than_a_page(emulator: Emulator, zone: Zone) -> None:
    traffic = {"192.0.2.1": {"IAD": 500}, "192.0.2.2": {"ATL": 3}, "2001:db8::1": {"AMS": 2}}
    emulator.add_zone(zone.name, traffic=traffic, analytics={"maxPageSize": 2})
    item = only(run(emulator, zone))
    assert codes(item) == ["truncated"]
    assert [(origin["origin_ip"], origin["requests"]) for origin in item["origins"]] == [
        ("192.0.2.1", 500),
        ("192.0.2.2", None),
        ("2001:db8::1", None),
    ]


def test_a_partial_response(emulator: Emulator, zone: Zone) -> None:
    broken = emulator.add_zone("broken.example", mappings=MAPPINGS, analytics={"broken": True})
    result = run(emulator, zone, broken)
    whole, part = result["zones"]
    assert (whole["error"], whole["limits"]) == (None, [])
    assert {origin["share_expected"] for origin in whole["origins"]} == {100}
    message = "Internal server error (at viewer.zones.1.httpRequestsAdaptiveGroups)"
    assert part["error"] == f"Reading the traffic of zone {broken.id} failed: Cloudflare refused the query: {message}"
    assert {origin["requests"] for origin in part["origins"]} == {None}
    assert result["msg"] == f"1 of 2 zones could not be read. broken.example ({broken.id}): {part['error']}"


@pytest.mark.parametrize("text", ["Internal server error", "zone 'x' does not have access to the path"])
def test_partial_settings(emulator: Emulator, zone: Zone, text: str) -> None:
    other = emulator.add_zone("other.example", mappings=MAPPINGS)

    def lose_second(response: Any) -> Any:
        response["data"]["viewer"]["zones"][1]["settings"] = None
        return {**response, "errors": [{"message": text, "path": ["viewer", "zones", "1", "settings"]}]}

    emulator.faults = [Fault(effect=Change(lose_second), path="/graphql", nth=1)]
    whole, part = run(emulator, zone, other)["zones"]
    assert (whole["error"], whole["not_available"], whole["limits"]) == (None, None, [])
    assert {origin["share_expected"] for origin in whole["origins"]} == {100}
    assert {origin["requests"] for origin in part["origins"]} == {None}
    if "access" in text:
        assert (part["not_available"]["code"], part["error"]) == ("permission", None)
    else:
        assert part["error"].startswith(f"Reading the analytics settings of zone {other.id} failed: Cloudflare refused")
    # A zone with unknown settings is not in the second query.
    assert queries(emulator)[1]["variables"]["zones"] == [zone.id]


def test_errors_beside_the_data_of_a_zone(emulator: Emulator, zone: Zone) -> None:
    errors = [{"message": "some shards did not respond", "path": None}]
    emulator.faults = [Fault(effect=Change(lambda response: {**response, "errors": errors}), path="/graphql", nth=2)]
    result = run(emulator, zone)
    assert codes(only(result)) == ["partial"]
    assert "some shards did not respond" in result["warnings"][0]
    assert {origin["share_expected"] for origin in only(result)["origins"]} == {100}


@pytest.mark.parametrize("way", ["query", "request", "query with a status"])
def test_credentials_without_the_permission(emulator: Emulator, zone: Zone, way: str) -> None:
    other = emulator.add_zone("other.example")
    if way == "query":
        emulator.analytics = "forbidden"
    elif way == "request":
        emulator.faults = [Fault(effect=refusal(403, 10000), path="/graphql", times=None)]
    else:
        refused = Respond(403, {"data": None, "errors": [{"message": "no"}]})
        emulator.faults = [Fault(effect=refused, path="/graphql", times=None)]
    result = run(emulator, zone, other)
    assert [item["not_available"]["code"] for item in result["zones"]] == ["permission", "permission"]
    assert [len(item["origins"]) for item in result["zones"]] == [3, 0]
    assert "the credentials need the permission Analytics: Read" in result["warnings"][0]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("zone 'x' does not have access to the path", "permission"),
        ("cannot request data older than 86400s", "plan"),
        ("not available for your plan. Upgrade to see it", "plan"),
    ],
)
def test_plans_and_permissions_by_the_documented_errors(
    emulator: Emulator, zone: Zone, message: str, code: str
) -> None:
    refused = Respond(200, {"data": None, "errors": [{"message": message, "path": ["viewer", "zones", "0"]}]})
    emulator.faults = [Fault(effect=refused, path="/graphql", nth=2)]
    item = only(run(emulator, zone))
    assert (item["not_available"]["code"], item["error"]) == (code, None)
    assert f"{message} (at viewer.zones.0)" in item["not_available"]["reason"]


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize(
    ("status", "errors", "message"),
    [
        (200, [{"message": f"it is {TOKEN}", "path": ["viewer"], "extensions": {"code": "x"}}], "(at viewer, code x)"),
        (400, [{"message": "error parsing args"}], "refused the query: HTTP 400: error parsing args"),
        (429, [{"message": "rate limiter budget depleted"}], "refused the query: HTTP 429: rate limiter budget"),
        (200, [{"message": str(number)} for number in range(99)], "0; 1; 2; 3; 4; 5; 6; 7; 8; 9"),
    ],
)
def test_a_refused_query(
    emulator: Emulator, zone: Zone, *, nth: int, status: int, errors: list[dict[str, Any]], message: str
) -> None:
    refused = Respond(status, {"data": None, "errors": errors})
    emulator.faults = [Fault(effect=refused, path="/graphql", nth=nth)]
    result = run(emulator, zone)
    action = "Reading the traffic" if nth > 1 else "Reading the analytics settings"
    assert result["msg"].startswith(f"{action} of zone {zone.id} failed: Cloudflare refused the query: ")
    assert message in result["msg"]
    assert only(result)["error"] == result["msg"]
    assert [origin["requests"] for origin in only(result)["origins"]] == [None] * 3


def change_zone(change: Callable[[dict[str, Any]], object]) -> Callable[[Any], Any]:
    """Return a function that changes the first zone of a response in place."""

    def changed(response: Any) -> Any:
        change(response["data"]["viewer"]["zones"][0])
        return response

    return changed


def node(entry: dict[str, Any]) -> Any:
    return entry.get("settings", entry)["httpRequestsAdaptiveGroups"]


ODD: Mapping[str, tuple[int, Callable[[Any], Any]]] = {
    "a list": (1, lambda _response: []),
    "nothing": (1, lambda _response: {}),
    "no data, no errors": (1, lambda _response: {"data": None, "errors": None}),
    "data as text": (1, lambda _response: {"data": "text"}),
    "zones as text": (1, lambda _response: {"data": {"viewer": {"zones": "text"}}}),
    "zones as a number": (1, lambda _response: {"data": {"viewer": {"zones": 7}}}),
    "errors as text": (1, lambda response: {**response, "errors": "text"}),
    "errors as an object": (1, lambda response: {**response, "errors": {"message": "text"}}),
    "an error without message": (1, lambda response: {**response, "errors": [{}]}),
    "a path as text": (1, lambda response: {**response, "errors": [{"message": "x", "path": "viewer"}]}),
    "extensions as text": (1, lambda response: {**response, "errors": [{"message": "x", "extensions": "y"}]}),
    "another zone": (1, change_zone(lambda entry: entry.update(zoneTag="f" * 32))),
    "no tag": (1, change_zone(lambda entry: entry.pop("zoneTag"))),
    "a tag as a list": (1, change_zone(lambda entry: entry.update(zoneTag=[]))),
    "no settings": (1, change_zone(lambda entry: entry.pop("settings"))),
    "a flag as text": (1, change_zone(lambda entry: node(entry).update(enabled="yes"))),
    "fields as text": (1, change_zone(lambda entry: node(entry).update(availableFields="all"))),
    "a field as a number": (1, change_zone(lambda entry: node(entry).update(availableFields=[1]))),
    "a size as text": (1, change_zone(lambda entry: node(entry).update(maxPageSize="10000"))),
    "a size that is true": (1, change_zone(lambda entry: node(entry).update(maxPageSize=True))),
    "a negative time": (1, change_zone(lambda entry: node(entry).update(maxDuration=-1))),
    "groups as an object": (2, change_zone(lambda entry: entry.update(httpRequestsAdaptiveGroups={}))),
    "a group as text": (2, change_zone(lambda entry: node(entry).append("text"))),
    "no dimensions": (2, change_zone(lambda entry: node(entry)[0].pop("dimensions"))),
    "no colo": (2, change_zone(lambda entry: node(entry)[0]["dimensions"].pop("upperTierColoName"))),
    "a colo as a number": (2, change_zone(lambda entry: node(entry)[0]["dimensions"].update(upperTierColoName=7))),
    "a colo of two lines": (
        2,
        change_zone(lambda entry: node(entry)[0]["dimensions"].update(upperTierColoName="a\nb")),
    ),
    "a name as an address": (2, change_zone(lambda entry: node(entry)[0]["dimensions"].update(originIP="web1"))),
    "a count as text": (2, change_zone(lambda entry: node(entry)[0].update(count="7"))),
    "a negative count": (2, change_zone(lambda entry: node(entry)[0].update(count=-7))),
    "a broken count": (2, change_zone(lambda entry: node(entry)[0].update(count=1.5))),
    "more than the limit": (2, change_zone(lambda entry: entry.update(httpRequestsAdaptiveGroups=node(entry) * 2000))),
    "a zone twice": (2, lambda response: {"data": {"viewer": {"zones": response["data"]["viewer"]["zones"] * 2}}}),
}


@pytest.mark.parametrize("name", ODD)
def test_an_unexpected_response_is_an_error(emulator: Emulator, zone: Zone, name: str) -> None:
    nth, change = ODD[name]
    emulator.faults = [Fault(effect=Change(change), path="/graphql", nth=nth)]
    result = run(emulator, zone)
    action = "Reading the traffic" if nth > 1 else "Reading the analytics settings"
    assert result["msg"].startswith(f"{action} of zone {zone.id} failed: HTTP 200")
    assert only(result)["error"] == result["msg"]
    assert [origin["requests"] for origin in only(result)["origins"]] == [None] * 3


@pytest.mark.parametrize(
    ("nth", "data"),
    [(1, None), (1, {"viewer": None}), (2, {"viewer": {"zones": None}}), (2, {"viewer": {"zones": []}})],
)
def test_a_response_without_the_zone(emulator: Emulator, zone: Zone, nth: int, data: Any) -> None:
    errors = [{"message": "x"}]
    emulator.faults = [Fault(effect=Change(lambda _: {"data": data, "errors": errors}), path="/graphql", nth=nth)]
    assert "Cloudflare refused the query: x" in run(emulator, zone)["msg"]
    if data:
        emulator.faults = [Fault(effect=Change(lambda _: {"data": data, "errors": None}), path="/graphql", nth=nth)]
        assert only(run(emulator, zone))["not_available"]["code"] == "not_listed"


def test_empty_values(emulator: Emulator, zone: Zone) -> None:
    def add(entry: dict[str, Any]) -> None:
        for address in ("0.0.0.0", "::", None):
            node(entry).append({"count": 5, "dimensions": {"originIP": address, "upperTierColoName": None}})
        dimensions = {"originIP": "::ffff:192.0.2.1", "upperTierColoName": None}
        node(entry).append({"count": 5, "dimensions": dimensions})

    emulator.faults = [Fault(effect=Change(change_zone(add)), path="/graphql", nth=2)]
    item = only(run(emulator, zone))
    assert {origin["origin_ip"]: origin["direct"] for origin in item["origins"]} == {
        "192.0.2.1": 5,
        "192.0.2.2": 0,
        "2001:db8::1": 0,
    }


@pytest.mark.parametrize("effect", [Reset(), Respond(503), Respond(429, headers={"Retry-After": "7"})])
def test_queries_are_retried_like_reads(
    emulator: Emulator, zone: Zone, waits: list[float], effect: Reset | Respond
) -> None:
    emulator.faults = [Fault(effect=effect, path="/graphql", nth=nth) for nth in (1, 3)]
    item = only(run(emulator, zone, retries=1))
    assert {origin["share_expected"] for origin in item["origins"]} == {100}
    assert (paths(emulator).count("graphql"), len(waits)) == (4, 2)


@pytest.mark.parametrize(("effect", "message"), [(Reset(), "no usable response"), (Respond(503), "is not available")])
def test_failing_queries(emulator: Emulator, zone: Zone, effect: Reset | Respond, message: str) -> None:
    emulator.faults = [Fault(effect=effect, path="/graphql", times=None)]
    result = run(emulator, zone)
    assert message in result["msg"]
    assert [origin["requests"] for origin in only(result)["origins"]] == [None] * 3


def test_the_quota_of_queries(emulator: Emulator, zone: Zone, waits: list[float]) -> None:
    emulator.graphql_quota = 1
    result = run(emulator, zone, retries=1)
    assert "rate limiter budget depleted, try again after 5 minutes" in result["msg"]
    assert 290 < waits[0] <= 300


def test_regions_without_data_centres(emulator: Emulator, zone: Zone) -> None:
    emulator.add_zone(zone.name, obtained_codes=False)
    item = only(run(emulator, zone))
    [limit] = item["limits"]
    assert (limit["code"], limit["names"]) == (
        "incomplete_colos",
        ["aws/us-east-1", "azure/westeurope", "gcp/us-east1"],
    )
    assert {origin["share_expected"] for origin in item["origins"]} == {None}
    emulator.add_zone(zone.name, tiered_cache=False)
    item = only(run(emulator, zone))
    assert codes(item) == ["supported_regions"]
    assert {origin["share_expected"] for origin in item["origins"]} == {None}
    assert min(origin["requests"] for origin in item["origins"]) >= 1000


@pytest.mark.parametrize("served", ["v1", "v2"])
def test_requests(emulator: Emulator, served: str) -> None:
    emulator.api_versions = (served,)
    zones = [emulator.add_zone(f"zone{number}.example", mappings=MAPPINGS) for number in range(10)]
    result = run(emulator, *zones, api_version=served)
    assert [item["zone"] for item in result["zones"]] == [zone.name for zone in zones]
    # For each zone its look-up, mappings and supported regions; then two queries.
    assert len(emulator.requests) == 10 * 3 + 2
    sent = queries(emulator)
    assert [query["variables"]["zones"] for query in sent] == [[zone.id for zone in zones]] * 2
    assert not any(zone.id in query["query"] for query in sent for zone in zones)
    assert sent[1]["variables"]["limit"] == 2500
    assert ("deprecation" in result) == (served == "v1")


@pytest.mark.parametrize("count", [1, 10, 11, 200])
def test_queries_for_many_zones(emulator: Emulator, count: int) -> None:
    zones = [emulator.add_zone(f"zone{number}.example", mappings=MAPPINGS) for number in range(count)]
    zones[0].analytics = {"enabled": False}
    with open_api("v2", emulator.api_url, zones[0].id) as api:
        traffic = read_traffic(api._client, [zone.id for zone in zones], 24)
    assert traffic.keys() == {zone.id for zone in zones}
    assert sum(known.groups is None for known in traffic.values()) == 1
    sent = queries(emulator)
    texts = [query["query"] for query in sent]
    assert len(emulator.requests) == len(sent)
    # Queries differ only in their variables.
    assert {text: texts.count(text) for text in texts} == {
        SETTINGS_QUERY: ceil(count / 10),
        **({TRAFFIC_QUERY: ceil(count / 10)} if count > 1 else {}),
    }
    assert max(len(query["variables"]["zones"]) for query in sent) <= 10
    # The settings of ten zones are read before their traffic.
    queried: set[str] = set()
    for query in sent:
        if query["query"] == SETTINGS_QUERY:
            queried |= {*query["variables"]["zones"]}
        assert queried.issuperset(query["variables"]["zones"])


BAD_INPUT: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "no hours": ({"hours": 0}, "hours: 0 is not between 1 and 744"),
    "too many hours": ({"hours": 745}, "hours: 745 is not between 1 and 744"),
    "nothing": ({"zone_id": None}, "one of the following is required: zone_id, zone"),
    "two": ({"zones": ["example.com"]}, "parameters are mutually exclusive: zones|zone|zone_id"),
    "name and identifier": ({"zone": "example.com"}, "parameters are mutually exclusive: zone_id|zone"),
    "no zones": ({"zone_id": None, "zones": []}, "zones: 0 is not between 1 and 10 zones"),
    "eleven": ({"zone_id": None, "zones": [f"{n}.example" for n in range(11)]}, "zones: 11 is not between 1 and 10"),
    "a number": ({"zone_id": None, "zones": [7]}, "item 1 (zones[0]) is neither the name of a zone nor a dictionary"),
    "no name": ({"zone_id": None, "zones": ["a.example", ""]}, "item 2 (zones[1]) has neither zone nor zone_id"),
    "a name as a number": ({"zone_id": None, "zones": [{"zone": 7}]}, "item 1 (zones[0]): zone is not text"),
    "twice": ({"zone_id": None, "zones": ["a.example", "a.example"]}, "item 2 (zones[1]) is listed already"),
    "a key": ({"zone_id": None, "zones": [{"zoneid": "x"}]}, "'zoneid' is unknown: did you mean zone_id"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input(emulator: Emulator, zone: Zone, name: str) -> None:
    chosen, message = BAD_INPUT[name]
    result = run(emulator, zone, **chosen)
    assert message in result["msg"]
    assert emulator.requests == []


def test_unreadable_zones(emulator: Emulator, zone: Zone) -> None:
    missing = identifier("missing")
    entries = ["gone.example", {"zone": zone.name, "zone_id": zone.id}, {"zone_id": missing}, {"zone_id": "a/b"}]
    result = run(emulator, zone, zone_id=None, zones=entries)
    gone, found, unknown, bad = result["zones"]
    assert result["msg"].startswith("3 of 4 zones could not be read. gone.example: zone: there is no gone.example")
    assert (gone["zone"], gone["zone_id"], gone["origins"]) == ("gone.example", None, [])
    assert (found["zone"], found["zone_id"], found["error"]) == (zone.name, zone.id, None)
    assert {origin["share_expected"] for origin in found["origins"]} == {100}
    assert "HTTP 400" in unknown["error"]
    assert (unknown["zone_id"], unknown["origins"], unknown["since"]) == (missing, [], None)
    assert "zone_id: 'a/b' is not an identifier" in bad["error"]
    [alone] = run(emulator, zone, zone_id=missing)["zones"]
    assert alone["error"] == unknown["error"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("IAD", "IAD"),
        ("iad", "IAD"),
        (" iad02 ", "IAD"),
        ("Iad-02", "IAD"),
        ("IAD_3b", "IAD"),
        ("Ashburn", None),
        ("Rio de Janeiro", None),
        ("IA", None),
        ("I4D", None),
        ("42", None),
        ("", None),
        ("ＩＡＤ", None),
    ],
)
def test_spelling_of_data_centres(text: str, code: str | None) -> None:
    assert colo_code(text) == code


def groups(*counts: tuple[str, str, int]) -> list[Group]:
    return [Group(parse_address(address), colo, requests) for address, colo, requests in counts]


@pytest.mark.parametrize(
    ("counts", "share", "limits"),
    [
        ([("IAD", 3), ("EWR", 1)], 100.0, []),
        ([("iad01", 1), ("FRA", 2)], 33.3, []),
        ([("Ashburn", 9)], None, ["unknown_colos"]),
        ([("Ashburn", 9), ("EWR", 1), ("FRA", 3)], 25.0, ["unknown_colos"]),
        ([("", 9)], None, []),
        ([("", 9), ("FRA", 1)], 0.0, []),
        ([("IAD", 0)], None, []),
        ([], None, []),
    ],
)
def test_shares(counts: Collection[tuple[str, int]], share: float | None, limits: list[str]) -> None:
    address = parse_address("192.0.2.1")
    found = groups(*(("192.0.2.1", colo, requests) for colo, requests in counts))
    [item], uncertain = describe_origins(found, True, {address: mapping("192.0.2.1")}, SUPPORTED)
    assert item["share_expected"] == share
    assert [limit.code for limit in uncertain] == limits
    assert item["requests"] == sum(requests for colo, requests in counts if colo)


def cases() -> Iterator[tuple[SupportedRegions | None, str, bool | None]]:
    yield SUPPORTED, "us-east-1", True
    yield SUPPORTED, "us-west-2", None  # without data centres
    yield SUPPORTED, "us-gone-1", None
    yield SUPPORTED._replace(obtained_codes=False), "us-east-1", True
    yield None, "us-east-1", None


@pytest.mark.parametrize(("supported", "region", "expected"), [*cases()])
def test_unknown_data_centres(supported: SupportedRegions | None, region: str, expected: bool | None) -> None:
    address = parse_address("192.0.2.1")
    mapped = {address: mapping("192.0.2.1", region=region)}
    [item], uncertain = describe_origins(
        groups(("192.0.2.1", "IAD", 9), ("192.0.2.1", "FRA", 1)), True, mapped, supported
    )
    complete = supported == SUPPORTED and expected
    assert [tier["expected"] for tier in item["upper_tiers"]] == [expected, False if complete else None]
    assert item["share_expected"] == (90.0 if complete else None)
    names = [(limit.code, limit.names) for limit in uncertain]
    assert names == ([] if complete else [("incomplete_colos", (f"aws/{region}",))])


def test_a_mapped_address_inside_an_ipv6_address() -> None:
    mapped = {parse_address(text): mapping(text) for text in ("192.0.2.1", "::ffff:192.0.2.2")}
    found = groups(("::ffff:192.0.2.1", "IAD", 3), ("::ffff:192.0.2.2", "IAD", 2), ("::ffff:192.0.2.3", "IAD", 1))
    items, _limits = describe_origins(found, True, mapped, SUPPORTED)
    assert [(item["origin_ip"], item["vendor"]) for item in items] == [
        ("192.0.2.1", "aws"),
        ("::ffff:192.0.2.2", "aws"),
        ("192.0.2.3", None),
    ]
