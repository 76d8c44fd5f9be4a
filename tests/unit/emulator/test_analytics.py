# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GraphQL Analytics of the emulator over HTTP: schema, limits and plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from emulator.server import Emulator
from emulator.state import Zone

Call = Callable[..., requests.Response]

QUERY = """
query Q($zones: [string!], $since: Time!, $until: Time!, $limit: uint64!) {
  viewer {
    zones(filter: {zoneTag_in: $zones}) {
      zoneTag
      httpRequestsAdaptiveGroups(
        limit: $limit, filter: {datetime_geq: $since, datetime_lt: $until}, orderBy: [count_DESC]
      ) { count dimensions { originIP upperTierColoName } }
    }
  }
}
"""


def ask(call: Call, *zones: str, query: str = QUERY, hours: int = 24, **variables: Any) -> Mapping[str, Any]:
    """Return the response to a query about the last hours."""
    until = datetime.now(timezone.utc)
    since = until - timedelta(hours=hours)
    times = {"since": f"{since:%Y-%m-%dT%H:%M:%SZ}", "until": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
    body = {"query": query, "variables": {"zones": zones, "limit": 100, **times, **variables}}
    response: Mapping[str, Any] = call("POST", "/graphql", json=body).json()
    return response


def test_traffic_follows_from_mappings(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.add_zone(zone.name, traffic={"2001:db8::1": {"FRA": 7}, "203.0.113.9": {"": 3}})
    response = ask(call, zone.id)
    assert response["errors"] is None
    [entry] = response["data"]["viewer"]["zones"]
    assert entry["zoneTag"] == zone.id
    groups = entry["httpRequestsAdaptiveGroups"]
    by_origin = {
        (group["dimensions"]["originIP"], group["dimensions"]["upperTierColoName"]): group["count"] for group in groups
    }
    assert by_origin.keys() == {
        ("", ""),
        ("192.0.2.1", "IAD"),
        ("192.0.2.1", "EWR"),
        ("2001:db8::1", "FRA"),
        ("203.0.113.9", ""),
    }
    assert [group["count"] for group in groups] == sorted(by_origin.values(), reverse=True)
    assert ask(call, zone.id) == response


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (QUERY.replace("originIP", "originIp"), "Cannot query field 'originIp'"),
        (QUERY.replace("zoneTag_in", "zones"), "unknown field 'zones'"),
        (QUERY.replace("[string!]", "string"), "used in position expecting type '[string!]'"),
        (QUERY.replace("count_DESC", "total"), "does not exist in"),
        (QUERY.replace("limit: $limit, ", ""), "of type 'uint64!' is required"),
        (QUERY.replace("limit: $limit", 'limit: "many"'), "uint64"),
        (QUERY.replace("}\n}\n", ""), "Syntax Error"),
    ],
)
def test_a_wrong_query_fails(call: Call, zone: Zone, query: str, message: str) -> None:
    response = ask(call, zone.id, query=query)
    assert response["data"] is None
    assert message in " ".join(error["message"] for error in response["errors"])


@pytest.mark.parametrize(
    ("analytics", "query", "message"),
    [
        ({"forbidden": True}, {}, "are not authorized"),
        ({"enabled": False}, {}, "does not have access to the path"),
        ({"availableFields": ["count", "dimensions_originIP"]}, {}, "the field dimensions_upperTierColoName"),
        ({"maxNumberOfFields": 2}, {}, "number of fields cannot be more than 2"),
        ({"maxPageSize": 50}, {"limit": 51}, "not greater than 50"),
        ({"maxDuration": 3600}, {"hours": 2}, "time range"),
        ({"notOlderThan": 3600}, {"hours": 2}, "cannot request data older than 3600s"),
        ({}, {"since": "yesterday"}, "Time cannot represent the value"),
        ({}, {"limit": -1}, "uint64 cannot represent the value"),
        ({}, {"zones": []}, "zones filter must be set"),
        ({}, {"zones": [f"{number:032}" for number in range(11)]}, "number of zones cannot be more than 10"),
    ],
)
def test_limits(
    emulator: Emulator,
    call: Call,
    zone: Zone,
    *,
    analytics: Mapping[str, Any],
    query: Mapping[str, Any],
    message: str,
) -> None:
    emulator.add_zone(zone.name, analytics=analytics)
    response = ask(call, zone.id, **query)
    assert response["data"] is None
    assert message in " ".join(error["message"] for error in response["errors"])


def test_a_partial_response(emulator: Emulator, call: Call, zone: Zone) -> None:
    broken = emulator.add_zone("broken.example", analytics={"broken": True})
    response = ask(call, zone.id, broken.id)
    whole, part = response["data"]["viewer"]["zones"]
    assert whole["httpRequestsAdaptiveGroups"]
    assert part == {"zoneTag": broken.id, "httpRequestsAdaptiveGroups": None}
    [error] = response["errors"]
    assert error["path"] == ["viewer", "zones", "1", "httpRequestsAdaptiveGroups"]


def test_settings(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.add_zone(zone.name, analytics={"maxDuration": 86400})
    query = """query Q($zone: string) { viewer { zones(filter: {zoneTag: $zone}) { settings {
        httpRequestsAdaptiveGroups { enabled availableFields maxDuration } } } } }"""
    body = {"query": query, "variables": {"zone": zone.id}}
    [entry] = call("POST", "/graphql", json=body).json()["data"]["viewer"]["zones"]
    settings = entry["settings"]["httpRequestsAdaptiveGroups"]
    assert (settings["enabled"], settings["maxDuration"]) == (True, 86400)
    assert "dimensions_originIP" in settings["availableFields"]


def test_queries_have_a_separate_quota(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.graphql_quota = 2
    assert [ask(call, zone.id)["errors"] for _time in range(2)] == [None, None]
    response = call("POST", "/graphql", json={"query": QUERY})
    assert (response.status_code, response.json()["data"]) == (429, None)
    assert int(response.headers["Retry-After"]) > 0
    assert call("GET", f"/zones/{zone.id}").status_code == 200


def test_credentials(emulator: Emulator, call: Call, zone: Zone) -> None:
    reading = {"Authorization": f"Bearer {emulator.read_only_token}"}
    body = {"query": QUERY.replace("$since: Time!", "$since: Time"), "variables": {"zones": [zone.id]}}
    assert call("POST", "/graphql", json=body, headers=reading).status_code == 200
    assert call("POST", "/graphql", json=body, headers={"Authorization": "Bearer other"}).status_code == 401
    assert call("POST", "/graphql", data="no JSON").status_code == 400
    emulator.analytics = "forbidden"
    assert ask(call, zone.id)["errors"][0]["extensions"]["code"] == "authz"
    assert emulator.writes == []
