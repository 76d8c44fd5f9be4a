# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Upper tiers of the origins of zones: options in, an outcome out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._client import Client
from .._connection import SharedClient, open_client, open_zone
from .._errors import CloudflareError, InvalidInput, OriginOpsError, Outcome
from .._mapping import Address, OriginMapping
from .._messages import item_label, join_bounded, quote, suggest
from .._regions import SupportedRegions
from .._schema import format_time
from .analytics import MAX_ZONES, Traffic, read_traffic
from .fills import Limit, describe_origins

MAX_HOURS = 744
"""Hours in 31 days, the longest time of any plan."""

ENTRY_KEYS = ("zone", "zone_id", "account_id")


class ZoneRead(NamedTuple):
    """A zone with its mappings and supported regions.

    unsupported is the reason if the latter are unknown; error is the failure if the zone could not be read.
    """

    label: str
    source: Mapping[str, Any]
    mappings: Mapping[Address, OriginMapping] = {}
    supported: SupportedRegions | None = None
    unsupported: str | None = None
    deprecation: str | None = None
    error: OriginOpsError | None = None


def read_upper_tiers(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Read the upper-tier data centres of requests to the origins of zones.

    If a zone cannot be read, the others are read; the failure has the complete result.
    """
    if not 1 <= options["hours"] <= MAX_HOURS:
        raise InvalidInput(f"hours: {options['hours']} is not between 1 and {MAX_HOURS}")
    chosen = _parse_zones(options)
    with open_client(options) as client:
        zones = client.http.map_concurrently(lambda zone: _read_zone({**options, **zone}, client), chosen)
        zone_ids = [zone.source["zone_id"] for zone in zones if not zone.error]
        traffic = read_traffic(client, zone_ids, options["hours"])
    items = []
    warnings = []
    failed: list[tuple[str, OriginOpsError]] = []
    for zone in zones:
        known = Traffic(error=zone.error) if zone.error else traffic[zone.source["zone_id"]]
        described = describe_traffic(known, zone.mappings, zone.supported, zone.unsupported)
        items.append({"zone": None, "zone_id": None, "api_version": None, **zone.source, **described})
        if known.error:
            failed.append((zone.label, known.error))
        if known.not_available:
            warnings.append(f"The traffic of zone {zone.label} is not known: {known.not_available.reason}")
        if described["limits"]:
            reasons = "; ".join(limit["reason"] for limit in described["limits"])
            warnings.append(f"The traffic of zone {zone.label} is known in part: {reasons}")
    outcome = Outcome(
        {"changed": False, "zones": items}, warnings, next(filter(None, (zone.deprecation for zone in zones)), None)
    )
    if failed:
        raise _failure(failed, len(zones), outcome)
    return outcome


def describe_traffic(
    known: Traffic,
    mappings: Mapping[Address, OriginMapping],
    supported: SupportedRegions | None,
    unsupported: str | None = None,
) -> dict[str, Any]:
    """Compare the traffic of a zone with its mappings.

    Returns the part of a result, or of a report, about the traffic. unsupported is the reason why the supported regions
    are unknown, if it is known.
    """
    origins, uncertain = describe_origins(known.groups, known.complete, mappings, supported)
    limits = [*known.limits, *uncertain]
    if unsupported:
        # Without supported regions no data centre is known, which is one reason and not two.
        limits = [limit for limit in limits if limit.code != "incomplete_colos"]
        reason = f"the data centres near the regions could not be read: {unsupported}"
        limits.append(Limit("supported_regions", reason))
    return {
        "since": known.since and format_time(known.since),
        "until": known.until and format_time(known.until),
        "origins": origins,
        "not_available": known.not_available and known.not_available.as_dict(),
        "limits": [limit.as_dict() for limit in limits],
        "error": known.error and str(known.error),
    }


def _parse_zones(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the options that select each zone.

    Raises InvalidInput naming every bad item.
    """
    entries = options["zones"]
    if entries is None:
        return [{}]
    if options["zone"] or options["zone_id"]:
        raise InvalidInput("parameters are mutually exclusive: zones|zone|zone_id")
    if not 1 <= len(entries) <= MAX_ZONES:
        raise InvalidInput(f"zones: {len(entries)} is not between 1 and {MAX_ZONES} zones, as a query is about")
    zones = []
    problems = []
    for index, entry in enumerate(entries):
        fields = {"zone": entry} if isinstance(entry, str) else entry
        if not isinstance(fields, dict):
            problems.append(f"{item_label('zones', index)} is neither the name of a zone nor a dictionary")
            continue
        wrong = [str(key) for key in fields if key not in ENTRY_KEYS]
        problems += [
            f"{item_label('zones', index)}: {quote(key)} is unknown: {suggest(key, ENTRY_KEYS)}" for key in wrong
        ]
        values = {key: fields.get(key) or None for key in ENTRY_KEYS}
        problems += [
            f"{item_label('zones', index)}: {key} is not text"
            for key, value in values.items()
            if value is not None and not isinstance(value, str)
        ]
        if not values["zone"] and not values["zone_id"]:
            problems.append(f"{item_label('zones', index)} has neither zone nor zone_id")
        zone = {**values, "account_id": values["account_id"] or options["account_id"]}
        if zone in zones:
            problems.append(f"{item_label('zones', index)} is listed already")
        zones.append(zone)
    if problems:
        raise InvalidInput(join_bounded(problems))
    return zones


def _read_zone(options: Mapping[str, Any], client: Client) -> ZoneRead:
    """Read the mappings and the supported regions of a zone."""
    name = options["zone"]
    # An entry of zones with both is found by its identifier.
    selected = {**options, "zone": None if options["zones"] and options["zone_id"] else name}
    source: dict[str, Any] = {"zone": name}
    supported = unsupported = None
    try:
        with open_zone(selected, SharedClient(client, name)) as zone:
            api, current = zone.negotiate(lambda api: api.fetch_all())
            if current.mappings:
                try:
                    supported = api.supported_regions()
                except CloudflareError as error:
                    unsupported = str(error)
    except OriginOpsError as error:
        source["zone_id"] = error.result.get("zone_id") or options["zone_id"]
        return ZoneRead(name or options["zone_id"] or "without a name", source, error=error)
    return ZoneRead(zone.label, {**source, **zone.source}, current.mappings, supported, unsupported, zone.deprecation)


def _failure(failed: Sequence[tuple[str, OriginOpsError]], zones: int, outcome: Outcome) -> OriginOpsError:
    """Return the error of a task, with the complete result."""
    first = failed[0][1]
    message = str(first)
    if zones > 1:
        texts = [f"{label}: {error}" for label, error in failed]
        message = f"{len(failed)} of {zones} zones could not be read. {join_bounded(texts, 'zones')}"
    request_fields = {name: first.result[name] for name in ("status", "errors") if name in first.result}
    failure = OriginOpsError(message, **outcome.result, **request_fields)
    failure.outcome.warnings, failure.outcome.deprecation = outcome.warnings, outcome.deprecation
    return failure
