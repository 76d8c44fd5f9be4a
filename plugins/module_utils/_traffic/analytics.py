# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that reached origins, from GraphQL Analytics.

Built on public documentation; no real account was available to try it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Generic, NamedTuple, TypeVar

from .._client import Client, parse_text
from .._errors import CloudflareError, OriginOpsError
from .._mapping import parse_address
from .._messages import join_bounded
from .._schema import format_time
from .fills import Group, Limit
from .graphql import GraphQL, QueryError

T = TypeVar("T")

MAX_ZONES = 10
"""Zones in a query, by the API."""

MAX_GROUPS = 25_000
"""Groups in a response, for all zones: at most 3/4 of the bytes allowed."""

FIELDS = {"originIP": "dimensions_originIP", "upperTierColoName": "dimensions_upperTierColoName"}
"""Fields that some plans lack, with their names in the settings."""

FIELDS_OF_QUERY = len(FIELDS) + 1

POSSIBLE = "only the mappings and the data centres expected of them can be reported"
"""Result for a zone if its plan does not allow to read the traffic."""

NOT_ENABLED = Limit("not_enabled", f"the analytics of requests are not enabled for the zone's plan: {POSSIBLE}")

PLAN = ("for your plan", "older than", "time range", "fields cannot")
PERMISSION = ("have access", "authorized", "code authz", "http 403:")
"""Documented wordings of errors about a plan or a permission. No codes are published."""

MARGIN = 360
"""Seconds kept from a plan's oldest data: a query may wait for its limit."""

# The types are spelt as in Cloudflare's schema.
SETTINGS_QUERY = """
query Settings($zones: [string!]) {
  viewer {
    zones(filter: {zoneTag_in: $zones}) {
      zoneTag
      settings {
        httpRequestsAdaptiveGroups {
          enabled
          availableFields
          maxPageSize
          maxNumberOfFields
          maxDuration
          notOlderThan
        }
      }
    }
  }
}
"""

TRAFFIC_QUERY = """
query Traffic($zones: [string!], $since: Time!, $until: Time!, $limit: uint64!) {
  viewer {
    zones(filter: {zoneTag_in: $zones}) {
      zoneTag
      httpRequestsAdaptiveGroups(
        limit: $limit
        filter: {datetime_geq: $since, datetime_lt: $until}
        orderBy: [count_DESC]
      ) {
        count
        dimensions {
          originIP
          upperTierColoName
        }
      }
    }
  }
}
"""


@dataclass(frozen=True)
class Traffic:
    """Requests of a zone to origins, from since to until.

    groups is None if they are not known: error is then the failure, or not_available the reason. complete says whether
    there can be no further groups; limits has other gaps.
    """

    groups: Sequence[Group] | None = None
    complete: bool = False
    since: datetime | None = None
    until: datetime | None = None
    not_available: Limit | None = None
    limits: Sequence[Limit] = ()
    error: OriginOpsError | None = None


class NodeSettings(NamedTuple):
    """Limits of a zone's plan for queries. Times are in seconds."""

    fields: Collection[str]
    page_size: int
    max_fields: int
    max_duration: int
    not_older_than: int

    @property
    def seconds(self) -> int:
        """Longest time, up to now, that a query may be about."""
        return min(self.max_duration, self.not_older_than - MARGIN)


class GroupsRead(NamedTuple):
    """Groups of a zone, and whether these are all."""

    groups: Sequence[Group]
    complete: bool


@dataclass(frozen=True)
class ZonesQuery(Generic[T]):
    """A query about zones: its name in messages, text and variables.

    parse returns the value of a zone's node of the response, None for a node that is null.
    """

    action: str
    text: str
    variables: Mapping[str, Any]
    parse: Callable[[dict[str, Any]], T | None]


@dataclass(frozen=True)
class ZoneNode(Generic[T]):
    """A zone's node of a response: its value, and the errors about the zone."""

    value: T
    errors: Sequence[QueryError]


def read_traffic(client: Client, zone_ids: Collection[str], hours: int) -> dict[str, Traffic]:
    """Read the traffic of zones by two queries for every 10 zones."""
    ordered = list(dict.fromkeys(zone_ids))
    batches = [ordered[start : start + MAX_ZONES] for start in range(0, len(ordered), MAX_ZONES)]
    graphql = GraphQL(client)
    results = client.http.map_concurrently(lambda zones: _read_batch(graphql, zones, hours), batches)
    return {zone_id: traffic for result in results for zone_id, traffic in result.items()}


def _read_batch(graphql: GraphQL, zone_ids: Sequence[str], hours: int) -> dict[str, Traffic]:
    """Read the traffic of up to 10 zones."""
    nodes = read_settings(graphql, zone_ids)
    result: dict[str, Traffic] = {}
    readable: dict[str, NodeSettings] = {}
    for zone_id, node in nodes.items():
        if isinstance(node, Traffic):
            result[zone_id] = node
        elif reason := _reason_against(node.value):
            result[zone_id] = Traffic(not_available=reason)
        else:
            readable[zone_id] = node.value
    if readable:
        result |= _read_groups(graphql, readable, hours)
    return result


def read_settings(graphql: GraphQL, zone_ids: Sequence[str]) -> dict[str, ZoneNode[NodeSettings] | Traffic]:
    """Read the limits of the plans of up to 10 zones by one query.

    A zone without a node has Traffic with the reason.
    """
    query = ZonesQuery("Reading the analytics settings", SETTINGS_QUERY, {}, _parse_settings)
    return _query_zones(graphql, query, zone_ids)


def _reason_against(settings: NodeSettings) -> Limit | None:
    """Return the reason why a plan does not allow the query, or None."""
    missing = tuple(name for name, path in FIELDS.items() if path not in settings.fields)
    if missing:
        reason = f"the analytics of the zone's plan lack the fields {' and '.join(missing)}"
        return Limit("fields", f"{reason}: {POSSIBLE}", missing)
    if settings.max_fields < FIELDS_OF_QUERY:
        allowed = (
            f"the zone's plan allows {settings.max_fields} fields in a query, of which {FIELDS_OF_QUERY} are needed"
        )
        return Limit("fields", f"{allowed}: {POSSIBLE}")
    if settings.seconds < 1 or settings.page_size < 1:
        return Limit("range", f"the zone's plan allows no time range that could be read: {POSSIBLE}")
    return None


def _read_groups(graphql: GraphQL, readable: Mapping[str, NodeSettings], hours: int) -> dict[str, Traffic]:
    """Read the groups of zones by one query.

    Its time range is the longest, up to these hours, that all of their plans allow.
    """
    seconds = min(hours * 3600, *(settings.seconds for settings in readable.values()))
    limit = min(MAX_GROUPS // len(readable), *(settings.page_size for settings in readable.values()))
    until = datetime.now(timezone.utc).replace(microsecond=0)
    since = until - timedelta(seconds=seconds)
    variables = {"since": format_time(since), "until": format_time(until), "limit": limit}

    def parse(entry: dict[str, Any]) -> GroupsRead | None:
        return _parse_groups(entry, limit)

    nodes = _query_zones(graphql, ZonesQuery("Reading the traffic", TRAFFIC_QUERY, variables, parse), [*readable])
    result: dict[str, Traffic] = {}
    for zone_id, node in nodes.items():
        if isinstance(node, Traffic):
            result[zone_id] = node
            continue
        groups, complete = node.value
        limits = []
        if seconds < hours * 3600:
            plan = "its plan" if readable[zone_id].seconds == seconds else "the plan of another zone"
            limits.append(Limit("range", f"only the last {_duration(seconds)} were read, as {plan} allows no more"))
        if node.errors:
            limits.append(Limit("partial", f"Cloudflare returned errors in addition to the data: {_join(node.errors)}"))
        if not complete:
            limits.append(
                Limit("truncated", f"Cloudflare has more than {limit} groups, of which the largest were read")
            )
        if not any(group.requests for group in groups) and complete and not node.errors:
            limits.append(Limit("no_traffic", "no request reached an origin in this time, so nothing is proven"))
        result[zone_id] = Traffic(groups, complete and not node.errors, since, until, limits=limits)
    return result


def _query_zones(graphql: GraphQL, query: ZonesQuery[T], zone_ids: Sequence[str]) -> dict[str, ZoneNode[T] | Traffic]:
    """Send a query about zones.

    A zone without a node has Traffic with the reason. If the query as a whole is refused because of a plan or a
    permission, each zone is read alone, since one of them may be the cause.
    """
    label = f"zone {zone_ids[0]}" if len(zone_ids) == 1 else f"{len(zone_ids)} zones"
    action = f"{query.action} of {label}"

    def decode(data: dict[str, Any]) -> list[tuple[str | None, T | None]]:
        viewer = data["viewer"] or {"zones": None}
        entries = [(entry and entry["zoneTag"], entry and query.parse(entry)) for entry in viewer["zones"] or ()]
        tags = [tag for tag, _value in entries if tag is not None]
        if len({*tags}) < len(tags) or not {*tags} <= {*zone_ids}:
            raise ValueError(tags)
        return entries

    try:
        data, errors = graphql.query(action, query.text, {"zones": zone_ids, **query.variables}, decode)
    except CloudflareError as error:
        # Without Cloudflare's own errors, an intermediary refused, which says nothing about a permission.
        refused = error.errors and (error.credentials_refused or error.status == 403)
        failed = Traffic(not_available=_no_permission(str(error))) if refused else Traffic(error=error)
        return dict.fromkeys(zone_ids, failed)
    entries = data or []
    values = {zone_id: value for zone_id, value in entries if zone_id}
    if not values and len(zone_ids) > 1 and _has(_join(errors), *PLAN, *PERMISSION):
        alone = graphql.client.http.map_concurrently(lambda zone_id: _query_zones(graphql, query, [zone_id]), zone_ids)
        return {zone_id: node for result in alone for zone_id, node in result.items()}
    result: dict[str, ZoneNode[T] | Traffic] = {}
    for zone_id in zone_ids:
        zone_errors = _errors_about(zone_id, errors, [tag for tag, _value in entries])
        value = values.get(zone_id)
        if value is not None:
            result[zone_id] = ZoneNode(value, zone_errors)
        elif zone_errors:
            result[zone_id] = _refused(f"{query.action} of zone {zone_id}", zone_errors)
        elif zone_id in values:
            result[zone_id] = Traffic(not_available=NOT_ENABLED)
        else:
            reason = "Cloudflare's analytics do not know the zone, or these credentials may not read them"
            result[zone_id] = Traffic(not_available=Limit("not_listed", reason))
    return result


def _errors_about(zone_id: str, errors: Sequence[QueryError], tags: Sequence[str | None]) -> list[QueryError]:
    """Return the errors about a zone, or about no zone in particular.

    The number in the path of an error is that of the zone in the response.
    """
    zone_errors = []
    for error in errors:
        number = error.path[2] if len(error.path) > 2 and error.path[:2] == ("viewer", "zones") else ""
        named = tags[int(number)] if number.isdecimal() and int(number) < len(tags) else None
        if named in (None, zone_id):
            zone_errors.append(error)
    return zone_errors


def _refused(action: str, errors: Sequence[QueryError]) -> Traffic:
    """Return the traffic of a zone after a query was refused."""
    message = _join(errors)
    if _has(message, *PLAN):
        return Traffic(not_available=Limit("plan", f"the zone's plan does not allow the query: {message}"))
    if _has(message, *PERMISSION):
        return Traffic(not_available=_no_permission(message))
    return Traffic(error=CloudflareError(f"{action} failed: Cloudflare refused the query: {message}", 200))


def _has(message: str, *wordings: str) -> bool:
    return any(wording in message.casefold() for wording in wordings)


def _no_permission(message: str) -> Limit:
    return Limit("permission", f"the credentials need the permission Analytics: Read. {message}")


def _parse_settings(entry: dict[str, Any]) -> NodeSettings | None:
    node = (entry["settings"] or {"httpRequestsAdaptiveGroups": None})["httpRequestsAdaptiveGroups"]
    if node is None:
        return None
    if not isinstance(node["enabled"], bool) or not isinstance(node["availableFields"], list):
        raise TypeError(node)
    settings = NodeSettings(
        {parse_text(name) for name in node["availableFields"]},
        *(_number(node[name]) for name in ("maxPageSize", "maxNumberOfFields", "maxDuration", "notOlderThan")),
    )
    return settings if node["enabled"] else None


def _parse_groups(entry: dict[str, Any], limit: int) -> GroupsRead | None:
    node = entry["httpRequestsAdaptiveGroups"]
    if node is None:
        return None
    if not isinstance(node, list) or len(node) > limit:
        raise TypeError(node)
    groups = []
    for item in node:
        origin, colo = (parse_text(item["dimensions"][name] or "") for name in FIELDS)
        requests = _number(item["count"])
        # Most requests are served from the cache, and have no origin.
        address = parse_address(origin) if origin else None
        if address and not address.is_unspecified:
            groups.append(Group(address, colo, requests))
    return GroupsRead(groups, len(node) < limit)


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(value)
    return value


def _duration(seconds: int) -> str:
    return f"{seconds / 3600:g} hours" if seconds % 360 == 0 else f"{seconds} seconds"


def _join(errors: Sequence[QueryError]) -> str:
    return join_bounded([str(error) for error in errors])
