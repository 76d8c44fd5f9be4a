# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GraphQL Analytics: a schema, and traffic generated from mappings.

The schema has the few nodes that the collection uses. Its sources are Cloudflare's documentation and public clients.
The real schema has many more nodes, and the same spelling of scalars.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Any, NamedTuple

from flask import Blueprint, Response, jsonify, request
from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    graphql_sync,
)

from .quota import Quota
from .state import REGIONS, State, Zone

NODE = "httpRequestsAdaptiveGroups"
DIMENSIONS = ("originIP", "upperTierColoName", "coloCode", "cacheStatus")
MAX_ZONES = 10
SLACK = timedelta(seconds=5)
"""Time allowed for a request for the oldest data."""

NODE_SETTINGS: Mapping[str, Any] = {
    "enabled": True,
    "availableFields": ["count", *[f"dimensions_{name}" for name in DIMENSIONS]],
    "maxPageSize": 10000,
    "maxNumberOfFields": 30,
    "maxDuration": 2678400,
    "notOlderThan": 2678400,
}
"""Default settings, with every field; Zone.analytics overrides them."""


class RefusedQuery(Exception):
    """Refusal of a whole query.

    Cloudflare refuses in this way what a plan or a permission does not allow.
    """

    def __init__(self, message: str, *path: str, status: int = 200, code: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.status = status
        self.code = code


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError(f"string cannot represent the value {value!r:.80}")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise GraphQLError(f"uint64 cannot represent the value {value!r:.80}")
    return value


def _time(value: Any) -> datetime:
    try:
        time = datetime.strptime(_text(value), "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        raise GraphQLError(f"Time cannot represent the value {value!r:.80}") from None
    return time.replace(tzinfo=timezone.utc)


STRING = GraphQLScalarType("string", parse_value=_text)
NUMBER = GraphQLScalarType("uint64", parse_value=_number)
TIME = GraphQLScalarType("Time", parse_value=_time)
FLAG = GraphQLScalarType("bool")


def _object(name: str, fields: Mapping[str, GraphQLOutputType]) -> GraphQLObjectType:
    return GraphQLObjectType(name, {field: GraphQLField(kind) for field, kind in fields.items()})


def _create_schema(state: State) -> GraphQLSchema:
    """Create the schema, with resolvers that read the zones of a state."""

    def zones(_source: Any, info: GraphQLResolveInfo[Any], filter: Mapping[str, Any]) -> list[Zone]:
        tags = filter.get("zoneTag_in", [filter["zoneTag"]] if "zoneTag" in filter else [])
        if not tags:
            raise RefusedQuery("zones filter must be set", "viewer", "zones")
        if len({*tags}) > MAX_ZONES:
            raise RefusedQuery(f"number of zones cannot be more than {MAX_ZONES}", "viewer", "zones")
        chosen = [state.zones.get(tag) for tag in dict.fromkeys(tags)]
        known = [zone for zone in chosen if zone and not zone.analytics.get("forbidden")]
        if len(known) < len(chosen):
            listed = " ".join(tag for tag in tags if tag not in {zone.id for zone in known})
            raise RefusedQuery(f"zones [{listed}] are not authorized", "viewer", "zones", code="authz")
        return [zone for zone in known if not zone.analytics.get("unlisted")]

    def settings(zone: Zone, _info: GraphQLResolveInfo[Any]) -> dict[str, Any]:
        return {NODE: _settings_of(zone)}

    def groups(
        zone: Zone,
        info: GraphQLResolveInfo[Any],
        limit: int,
        filter: Mapping[str, datetime],
        orderBy: Iterable[str] = (),
    ) -> list[dict[str, Any]]:
        path = [str(part) for part in info.path.as_list()]
        if zone.analytics.get("broken"):
            raise GraphQLError("Internal server error")
        _check_plan(zone, info, limit, filter, path)
        found = [*_groups_of(zone)]
        found.sort(key=lambda group: group["count"] if "count_ASC" in orderBy else -group["count"])
        return found[:limit]

    node = "HttpRequestsAdaptiveGroups"
    zone_type = GraphQLObjectType(
        "zone",
        {
            "zoneTag": GraphQLField(STRING, resolve=lambda zone, _info: zone.id),
            "settings": GraphQLField(
                _object(
                    "Settings",
                    {
                        NODE: _object(
                            "NodeSettings",
                            {
                                "enabled": FLAG,
                                "availableFields": GraphQLList(GraphQLNonNull(STRING)),
                                **dict.fromkeys(
                                    ("maxPageSize", "maxNumberOfFields", "maxDuration", "notOlderThan"), NUMBER
                                ),
                            },
                        )
                    },
                ),
                resolve=settings,
            ),
            NODE: GraphQLField(
                GraphQLList(
                    GraphQLNonNull(
                        _object(
                            f"Zone{node}",
                            {
                                "count": NUMBER,
                                "dimensions": _object(f"Zone{node}Dimensions", dict.fromkeys(DIMENSIONS, STRING)),
                            },
                        )
                    )
                ),
                {
                    "limit": GraphQLArgument(GraphQLNonNull(NUMBER)),
                    "filter": GraphQLArgument(
                        GraphQLNonNull(
                            GraphQLInputObjectType(
                                f"Zone{node}Filter_InputObject",
                                {name: GraphQLInputField(TIME) for name in ("datetime_geq", "datetime_lt")},
                            )
                        )
                    ),
                    "orderBy": GraphQLArgument(
                        GraphQLList(
                            GraphQLNonNull(
                                GraphQLEnumType(
                                    f"Zone{node}OrderBy", {name: name for name in ("count_DESC", "count_ASC")}
                                )
                            )
                        )
                    ),
                },
                resolve=groups,
            ),
        },
    )
    zone_filter = GraphQLInputObjectType(
        "ZoneFilter_InputObject",
        {
            "zoneTag": GraphQLInputField(STRING),
            "zoneTag_in": GraphQLInputField(GraphQLList(GraphQLNonNull(STRING))),
        },
    )
    viewer = GraphQLObjectType(
        "viewer",
        {
            "zones": GraphQLField(
                GraphQLList(GraphQLNonNull(zone_type)),
                {"filter": GraphQLArgument(GraphQLNonNull(zone_filter))},
                resolve=zones,
            )
        },
    )
    return GraphQLSchema(GraphQLObjectType("Query", {"viewer": GraphQLField(viewer, resolve=lambda *_args: {})}))


def _settings_of(zone: Zone) -> dict[str, Any]:
    return {**NODE_SETTINGS, **zone.analytics}


def _check_plan(
    zone: Zone, info: GraphQLResolveInfo[Any], limit: int, filter: Mapping[str, datetime], path: list[str]
) -> None:
    """Check a query against the plan of its zone. Raises RefusedQuery."""
    allowed = _settings_of(zone)
    fields = [*_fields_of(info.field_nodes)]
    if not allowed["enabled"]:
        raise RefusedQuery(f"zone '{zone.id}' does not have access to the path", *path, code="authz")
    for field in fields:
        if field not in allowed["availableFields"]:
            raise RefusedQuery(f"zone '{zone.id}' does not have access to the field {field}", *path, code="authz")
    if len(fields) > allowed["maxNumberOfFields"]:
        raise RefusedQuery(f"number of fields cannot be more than {allowed['maxNumberOfFields']}", *path)
    if not 0 < limit <= allowed["maxPageSize"]:
        maximum = allowed["maxPageSize"]
        raise RefusedQuery(f"limit must be positive number and not greater than {maximum}", *path)
    if not {"datetime_geq", "datetime_lt"} <= filter.keys():
        raise RefusedQuery("error parsing args for the node: filter must have a time range", *path)
    since, until = filter["datetime_geq"], filter["datetime_lt"]
    if until - since > timedelta(seconds=allowed["maxDuration"]):
        raise RefusedQuery(f"query time range is too large: it cannot be more than {allowed['maxDuration']}s", *path)
    if since < datetime.now(timezone.utc) - timedelta(seconds=allowed["notOlderThan"]) - SLACK:
        raise RefusedQuery(f"cannot request data older than {allowed['notOlderThan']}s", *path)


def _fields_of(nodes: Iterable[FieldNode], prefix: str = "") -> Iterator[str]:
    """Yield the fields of a selection, spelled as in the settings."""
    for node in nodes:
        for selection in node.selection_set.selections if node.selection_set else ():
            if isinstance(selection, FieldNode):
                name = prefix + selection.name.value
                if selection.selection_set:
                    yield from _fields_of([selection], f"{name}_")
                else:
                    yield name


class Flow(NamedTuple):
    """Number of requests that reached an address through a data centre.

    An empty data centre means none.
    """

    address: str
    colo: str
    requests: int


def flows_of(zone: Zone) -> list[Flow]:
    """Return the traffic of a zone, generated from its mappings by default.

    Zone.traffic replaces that of its addresses. An origin gets between 1,000 and 2,000 requests, the same each time:
    nine tenths of them through the first data centre of its region, the others through the second.
    """
    flows = []
    for entry in zone.entries():
        if entry.origin_ip not in zone.traffic:
            first, *others = REGIONS[entry.vendor][entry.region]
            total = 1000 + int(sha256(entry.origin_ip.encode()).hexdigest(), 16) % 1001
            fallback = total // 10 if others else 0
            flows += [Flow(entry.origin_ip, first, total - fallback)]
            flows += [Flow(entry.origin_ip, others[0], fallback)] if others else []
    flows += [
        Flow(address, colo, requests) for address, by_colo in zone.traffic.items() for colo, requests in by_colo.items()
    ]
    return flows


def _groups_of(zone: Zone) -> Iterator[dict[str, Any]]:
    flows = flows_of(zone)
    for address, colo, requests in flows:
        dimensions = {"originIP": address, "upperTierColoName": colo, "coloCode": "LHR", "cacheStatus": "miss"}
        yield {"count": requests, "dimensions": dimensions}
    if flows:
        # Requests served from the cache have no origin.
        dimensions = {"originIP": "", "upperTierColoName": "", "coloCode": "LHR", "cacheStatus": "hit"}
        yield {"count": 10 * sum(flow.requests for flow in flows), "dimensions": dimensions}


def blueprint(state: State) -> Blueprint:
    """Create the route for the zones of a state."""
    routes = Blueprint("analytics", __name__)
    schema = _create_schema(state)
    quota = Quota(lambda: state.settings.graphql_quota, lambda: state.settings.window)

    @routes.post("/graphql")
    def response() -> Response:
        allowance = quota.take()
        if not allowance.granted:
            refused = _refusal(RefusedQuery("rate limiter budget depleted, try again after 5 minutes", status=429))
            refused.headers["Retry-After"] = str(math.ceil(allowance.seconds))
            return refused
        if state.settings.analytics == "forbidden":
            return _refusal(RefusedQuery("not authorized for that account", "viewer", code="authz"))
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict) or not isinstance(body.get("query"), str):
            return _refusal(RefusedQuery("error parsing args", status=400))
        result = graphql_sync(schema, body["query"], variable_values=body.get("variables") or {})
        for error in result.errors or ():
            if isinstance(error.original_error, RefusedQuery):
                return _refusal(error.original_error)
        errors = [_error(error.message, error.path or (), error.extensions) for error in result.errors or ()]
        return jsonify({"data": result.data, "errors": errors or None})

    return routes


def _refusal(error: RefusedQuery) -> Response:
    code = {"code": error.code} if error.code else {}
    response = jsonify({"data": None, "errors": [_error(str(error), error.path, code)]})
    response.status_code = error.status
    return response


def _error(message: str, path: Iterable[str | int], extensions: Mapping[str, Any] | None) -> dict[str, Any]:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "message": message,
        "path": [str(part) for part in path] or None,
        "extensions": {"timestamp": now, **(extensions or {})},
    }
