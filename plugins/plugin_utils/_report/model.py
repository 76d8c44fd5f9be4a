# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of audits: reading, summing up, and common parts of formats.

The report on a zone has the structure of ZONE_REPORT; the JSON Schema of the role audit describes the aggregate too.
Texts in reports come from inventories and from the service, and cannot be trusted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from ...module_utils._errors import InvalidInput
from ...module_utils._mapping import ZONE_LIMIT, canonical, parse_address
from ...module_utils._messages import item_label, join_bounded, quote, suggest
from ...module_utils._schema import FAILING_KINDS, KINDS, SCHEMA_VERSION, ZONE, ZONE_REPORT

Report: TypeAlias = dict[str, Any]

TITLES = {kind: kind.replace("_", " ").capitalize() for kind in KINDS}
"""Titles of the kinds of findings."""

TITLE = "Audit of origin cloud regions"

GENERATOR = "originops.cloudflare.audit"
"""Name in every report. It identifies the files of this collection."""

MAX_FINDINGS = 5
"""Findings in the message of a failed audit."""


# Reading: input becomes plain data, or an error that names its place.


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{where} should be text, not {quote(str(value))}")
    return _without_controls(value)


@lru_cache(4096)
def _without_controls(text: str) -> str:
    """Replace characters that XML forbids: controls, and lone surrogates.

    Other formats are better without them too. Few texts, such as data centres and regions, are most of a report: the
    cache keeps them in memory once.
    """
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def clean(value: Any) -> Any:
    """Replace characters that XML forbids in all texts of plain data."""
    if isinstance(value, str):
        return _without_controls(value)
    if isinstance(value, Mapping):
        return {clean(key): clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


def _number(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidInput(f"{where} should be a whole number, not {quote(str(value))}")
    return int(value)


def _percentage(value: Any, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 100:
        raise InvalidInput(f"{where} should be a percentage, not {quote(str(value))}")
    return float(value)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"{where} should be true or false, not {quote(str(value))}")
    return value


def _list(value: Any, where: str) -> Iterable[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidInput(f"{where} should be a list, not {quote(str(value))}")
    return value


def _kind(value: Any, where: str) -> str:
    kind = _text(value, where)
    if kind not in KINDS:
        raise InvalidInput(f"{where} is {quote(kind)}, which is no kind of finding: {suggest(kind, KINDS)}")
    return kind


def _time(value: Any, where: str) -> str:
    time = _text(value, where)
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time, re.ASCII):
        raise InvalidInput(f"{where} should be a time like 2026-11-24T07:00:00Z, not {quote(time)}")
    return time


def _address(value: Any, where: str) -> str:
    try:
        return canonical(parse_address(value))
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from None


def _version(value: Any, where: str) -> int:
    if value != SCHEMA_VERSION:
        raise InvalidInput(f"{where} is {quote(str(value))}; this release supports version {SCHEMA_VERSION} only")
    return SCHEMA_VERSION


_PARSERS: dict[str, Callable[[Any, str], Any]] = {
    "address": _address,
    "flag": _flag,
    "kind": _kind,
    "number": _number,
    "percentage": _percentage,
    "text": _text,
    "time": _time,
    "version": _version,
}


def _validate(value: Any, shape: Any, where: str) -> Any:
    """Validate a value by a shape of _schema, and return it as plain data.

    Other keys are left out. Raises InvalidInput.
    """
    if isinstance(shape, tuple):
        return None if value is None else _validate(value, shape[0], where)
    if isinstance(shape, list):
        return [_validate(item, shape[0], f"{where}[{index}]") for index, item in enumerate(_list(value, where))]
    if isinstance(shape, dict):
        if not isinstance(value, Mapping):
            raise InvalidInput(f"{where} should be a dictionary, not {quote(str(value))}")
        if "*" in shape:
            return {_text(key, where): _validate(inner, shape["*"], f"{where}: {key}") for key, inner in value.items()}
        missing = [key for key in shape if key not in value]
        if missing:
            raise InvalidInput(f"{where} is not a report of an audit: {', '.join(missing)} missing")
        return {key: _validate(value[key], inner, f"{where}: {key}") for key, inner in shape.items()}
    return _PARSERS[shape](value, where)


def _zones(report: Any, where: str) -> Iterator[Report]:
    """Yield the reports on zones in a report or aggregate.

    Raises InvalidInput.
    """
    _validate(report, {"schema_version": "version"}, where)  # in another version the rest has another meaning
    if "zones" in report:
        for index, zone in enumerate(_list(report["zones"], f"{where}: zones")):
            yield from _zones(zone, f"{where}: zones[{index}]")
        return
    zone = _validate(report, ZONE_REPORT, where)
    if not zone["zone_id"] and not zone["zone"]:
        raise InvalidInput(f"{where} names neither zone nor zone_id")
    yield zone


def empty_report(zone: Mapping[str, str | None], audited_on: str, error: str) -> Report:
    """Return the report on a zone without a result.

    zone has zone, zone_id and account_id; error is the reason.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        **{name: zone.get(name) for name in ZONE},
        "api_version": None,
        "audited_on": audited_on,
        "error": error,
        "sources": [],
        "only_in": {},
        "ranges": {},
        "tiered_cache": None,
        "smart_tiered_cache": None,
        "obtained_codes": None,
        "total_count": 0,
        "limit": ZONE_LIMIT,
        "checked": [],
        "not_checked": dict.fromkeys(KINDS, "the zone could not be audited"),
        "unavailable": [],
        "counts": dict.fromkeys(KINDS, 0),
        "findings": [],
        "mappings": [],
        "repair": {"present": [], "absent": []},
        "traffic": None,
    }


def is_same_zone(first: Mapping[str, str | None], second: Mapping[str, str | None]) -> bool:
    """Check whether two zones are the same.

    Compares their identifiers if both have one, else name and account.
    """
    if first["zone_id"] and second["zone_id"]:
        return first["zone_id"] == second["zone_id"]
    accounts = {first["account_id"], second["account_id"]} - {None}
    return bool(first["zone"]) and _name(first) == _name(second) and len(accounts) < 2


def _name(zone: Mapping[str, str | None]) -> str:
    """Return the name of a zone for comparisons."""
    return (zone["zone"] or "").strip().rstrip(".").lower()


def aggregate(
    reports: Any, expected: Sequence[Mapping[str, str | None]] = (), fail_on: Collection[str] = FAILING_KINDS
) -> Report:
    """Sum up a report on a zone, an aggregate, or a list of either.

    The result depends on nothing else. Of several reports on a zone the latest counts. Expected zones without a
    report, also those that an aggregate expects, get one with an error. Reports that an aggregate could not merge stay
    failures. Raises InvalidInput with the item that is not a report of an audit, and the missing keys.
    """
    if isinstance(reports, Mapping):
        items = {"the report": reports}
    elif isinstance(reports, Iterable) and not isinstance(reports, str | bytes):
        items = {item_label("reports", index): item for index, item in enumerate(reports)}
    else:
        raise InvalidInput(f"{quote(str(reports))} is neither a report of an audit nor a list of them")
    zones = [zone for label, item in items.items() for zone in _zones(item, label)]
    also_expected = [
        zone for label, item in items.items() for zone in _validate(item.get("expected", []), [ZONE], label)
    ]
    not_merged = [
        reason for label, item in items.items() for reason in _validate(item.get("not_merged", []), ["text"], label)
    ]
    if not zones and not expected and not also_expected and not not_merged:
        raise InvalidInput("there is no report in the input: was any zone audited?")
    return combine(latest(zones), [*expected, *also_expected], fail_on, not_merged=not_merged)


def merge(
    aggregates: Iterable[Report],
    expected: Sequence[Mapping[str, str | None]],
    fail_on: Collection[str],
    not_merged: Sequence[str] = (),
) -> Report:
    """Sum up results of aggregate, as it does, without another validation.

    not_merged has a reason for each report that is missing.
    """
    zones, also_expected, reasons = [], [], [*not_merged]
    for report in aggregates:
        zones += report["zones"]
        also_expected += report["expected"]
        reasons += report["not_merged"]
    return combine(latest(zones), [*expected, *also_expected], fail_on, not_merged=reasons)


def latest(zones: Iterable[Report]) -> list[Report]:
    """Return the latest report on every zone.

    Of two at the same time the later one in the input counts.
    """
    found: dict[tuple[str | None, ...], Report] = {}
    for zone in sorted(zones, key=lambda zone: zone["audited_on"]):
        identity = (zone["zone_id"],) if zone["zone_id"] else (None, zone["account_id"], _name(zone))
        found[identity] = zone
    # A failure before the identifier was known counts only until the zone was audited. Without the account, that may
    # have been another zone of this name.
    return [
        zone
        for zone in found.values()
        if zone["zone_id"]
        or zone["account_id"] is None
        or not any(
            other is not zone
            and other["account_id"] == zone["account_id"]
            and is_same_zone(zone, other)
            and other["audited_on"] >= zone["audited_on"]
            for other in found.values()
        )
    ]


def combine(
    zones: Sequence[Report],
    expected: Sequence[Mapping[str, str | None]],
    fail_on: Collection[str],
    generated_on: str | None = None,
    not_merged: Iterable[str] = (),
) -> Report:
    """Sum up clean reports on different zones, and determine the failures.

    An expected zone without a report is a failure, and so is each reason in not_merged. generated_on is by default the
    time of the latest report.
    """
    reasons = [*dict.fromkeys(map(_without_controls, not_merged))]
    now = generated_on or max((zone["audited_on"] for zone in zones), default=EPOCH)
    missing: list[Report] = []
    for wanted in expected:
        if not any(is_same_zone(wanted, zone) for zone in (*zones, *missing)):
            missing.append(empty_report(wanted, now, "there is no result of its audit"))
    zones = sorted(
        [*zones, *missing], key=lambda zone: (zone["zone"] or "", zone["account_id"] or "", zone["zone_id"] or "")
    )
    audited = [zone for zone in zones if zone["error"] is None]
    totals = {
        "zones": len(zones),
        "audited": len(audited),
        "clean": sum(not zone["findings"] for zone in audited),
        "mappings": sum(zone["total_count"] for zone in zones),
        **{kind: sum(zone["counts"][kind] for zone in zones) for kind in KINDS},
    }
    return {
        "generator": GENERATOR,
        "schema_version": SCHEMA_VERSION,
        "generated_on": now,
        "fail_on": [kind for kind in KINDS if kind in fail_on],
        "failures": [*_failures(zones, totals, fail_on), *reasons],
        "totals": totals,
        "not_merged": reasons,
        "expected": [{name: zone[name] for name in ZONE} for zone in zones],
        "zones": zones,
    }


EPOCH = "1970-01-01T00:00:00Z"
"""Time of an unknown audit."""


def _failures(zones: Sequence[Report], totals: Mapping[str, int], fail_on: Collection[str]) -> list[str]:
    """Describe the failures of an audit. An empty list means that it passed."""
    failures = count_findings(totals, fail_on)
    for kind in KINDS:
        unknown = sum(kind in zone["unavailable"] for zone in zones)
        if kind in fail_on and unknown:
            failures.append(f"{pluralize(unknown, 'zone')} in which {kind} could not be checked")
    unaudited = totals["zones"] - totals["audited"]
    if unaudited:
        failures.append(f"{pluralize(unaudited, 'zone')} that could not be audited")
    return failures or ([] if zones else ["no zone to audit"])


def count_findings(totals: Mapping[str, int], kinds: Collection[str]) -> list[str]:
    """List the numbers of findings of these kinds, without zeros."""
    return [f"{totals[kind]:,} {kind}" for kind in KINDS if kind in kinds and totals[kind]]


def failure_message(report: Report) -> str:
    """Describe a failed audit: the numbers, and the first errors and findings."""
    details = [f"{zone_name(zone)}: {zone['error']}" for zone in report["zones"] if zone["error"] is not None]
    # Without an origin all mappings look stale: the reason comes before the findings.
    kinds = sorted(report["fail_on"], key=lambda kind: kind != "no_origins")
    details += [
        f"{zone_name(zone)}: {finding['message']}"
        for kind in kinds
        for zone in report["zones"]
        for finding in zone["findings"]
        if finding["kind"] == kind
    ]
    details += [
        f"{zone_name(zone)}: {zone['not_checked'][kind]}"
        for kind in report["fail_on"]
        for zone in report["zones"]
        if kind in zone["unavailable"]
    ]
    message = f"The audit found {join_bounded(report['failures'], 'failures')}"
    if not details:
        return message
    more = f"; and {len(details) - MAX_FINDINGS:,} more" if len(details) > MAX_FINDINGS else ""
    return f"{message}. {'; '.join(details[:MAX_FINDINGS])}{more}"


# Parts of the formats for people.


def zone_name(zone: Report) -> str:
    """Return the name of a zone, else its identifier."""
    return str(zone["zone"] or zone["zone_id"])


def labelled(report: Report) -> list[tuple[str, Report]]:
    """Return the zones with their labels.

    A label is the name, with the account or else the identifier if several zones share the name.
    """
    zones = report["zones"]
    names = Counter(map(zone_name, zones))
    accounts = Counter((zone_name(zone), zone["account_id"]) for zone in zones)

    def label(zone: Report) -> str:
        name, account = zone_name(zone), zone["account_id"]
        if names[name] == 1:
            return name
        if zone["zone_id"] and (not account or accounts[name, account] > 1):
            return f"{name} (zone {zone['zone_id']})"
        return f"{name} (account {account or 'not known'})"

    return [(label(zone), zone) for zone in zones]


def pluralize(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def format_location(location: Mapping[str, str | None] | None) -> str:
    """Format a location as aws/us-east-1, without a region as aws."""
    return "/".join(filter(None, (location or {}).values()))


def format_time(time: str) -> str:
    return f"{time[:10]} {time[11:16]} UTC"


def headline(report: Report) -> str:
    """Summarize the audit in one or two sentences."""
    totals = report["totals"]
    findings = sum(totals[kind] for kind in KINDS)
    audited = pluralize(totals["audited"], "zone")
    unaudited = totals["zones"] - totals["audited"]
    failures = f"{pluralize(unaudited, 'zone')} could not be audited."
    if not totals["audited"]:
        return f"Nothing is known: {failures}" if unaudited else "No zone was audited."
    if findings:
        summary = f"{pluralize(findings, 'finding')} in {totals['audited'] - totals['clean']:,} of {audited}."
    else:
        summary = f"No findings in {audited}."
    return f"{summary} {failures}" if unaudited else summary


class ZoneTraffic:
    """Traffic of a zone, with sums.

    unknown is the reason if it is not known. mapped and unmapped are the origins that requests reached, with and
    without a mapping, most requests first. silent counts origins with a mapping and without requests, unsure those
    with an unknown number of requests. compared and expected count requests to mapped origins: those that can be
    compared, and of these those through expected data centres.
    """

    def __init__(self, zone: Report) -> None:
        traffic = zone["traffic"]
        reason = traffic["error"] or (traffic["not_available"] or {}).get("reason")
        self.unknown: str | None = reason or (None if traffic["since"] else "the report has no reason")
        self.limits = "; ".join(limit["reason"] for limit in traffic["limits"])
        reached = [origin for origin in traffic["origins"] if origin["requests"] or origin["direct"]]
        self.mapped = [origin for origin in reached if origin["vendor"]]
        self.unmapped = [origin for origin in reached if not origin["vendor"]]
        others = [origin for origin in traffic["origins"] if origin["vendor"] and not origin["direct"]]
        self.silent = sum(origin["requests"] == 0 for origin in others)
        self.unsure = sum(origin["requests"] is None for origin in others)
        tiers = [
            tier for origin in self.mapped if origin["share_expected"] is not None for tier in origin["upper_tiers"]
        ]
        self.compared = sum(tier["requests"] for tier in tiers if tier["expected"] is not None)
        self.expected = sum(tier["requests"] for tier in tiers if tier["expected"])

    @property
    def share(self) -> float | None:
        """Percentage of compared requests through expected data centres."""
        return 100 * self.expected / self.compared if self.compared else None

    @property
    def rank(self) -> tuple[int, float]:
        """Rank of the zone: unknown traffic, then low shares, incomparable last."""
        return (0, 0.0) if self.unknown else (2, 0.0) if self.share is None else (1, self.share)


def observed_zones(report: Report) -> dict[int, ZoneTraffic]:
    """Return the traffic of zones with a traffic section, by their numbers."""
    zones = enumerate(report["zones"])
    return {number: ZoneTraffic(zone) for number, zone in zones if zone["traffic"] is not None}


def format_share(share: float | None) -> str:
    return "not known" if share is None else f"{share:.1f}".removesuffix(".0") + " %"


def count_requests(origins: Iterable[Mapping[str, Any]]) -> int:
    """Count the requests to origins through upper tiers."""
    return sum(origin["requests"] or 0 for origin in origins)


def traffic_headline(traffic: Iterable[ZoneTraffic]) -> str:
    """Summarize the traffic of zones in one sentence."""
    zones = [zone for zone in traffic if zone.compared]
    compared = sum(zone.compared for zone in zones)
    if not compared:
        return "No request can be compared with the expected data centres."
    share = format_share(100 * sum(zone.expected for zone in zones) / compared)
    return f"{share} of about {compared:,} requests came through data centres near the regions of the mappings."


def published_locations(zone: Report, origin: Mapping[str, Any]) -> str:
    """Describe the locations of an origin in the published ranges."""
    if origin["published"] is None:
        unreadable = "contradicted" in zone["unavailable"]
        return "the ranges could not be read" if unreadable else "no published ranges"
    return " or ".join(map(format_location, origin["published"])) or "not in the published ranges"


TRAFFIC_NOTE = (
    "A high share shows that mappings work, not that their regions are right. The numbers are estimates of Cloudflare "
    "from samples. They are read as its public documentation describes it, which was never tried on a real account."
)


class Gap(NamedTuple):
    """Kinds of findings that audited zones were not checked for.

    zones are labels. unavailable means that the data was requested, but could not be read.
    """

    kinds: tuple[str, ...]
    reason: str
    unavailable: bool
    zones: list[str]

    @property
    def text(self) -> str:
        titles = ", ".join(TITLES[kind] for kind in self.kinds)
        names = self.zones if len(self.zones) <= 3 else [pluralize(len(self.zones), "zone")]
        return f"{titles}, in {', '.join(names)}: {self.reason}"


def gaps(report: Report) -> list[Gap]:
    """List the unchecked kinds of audited zones, unreadable ones first."""
    zones: dict[tuple[tuple[str, ...], str, bool], list[str]] = {}
    for label, zone in labelled(report):
        reasons: dict[tuple[str, bool], list[str]] = {}
        for kind in KINDS:
            if kind in zone["not_checked"] and zone["error"] is None:
                reason = zone["not_checked"][kind]
                reasons.setdefault((reason, kind in zone["unavailable"]), []).append(kind)
        for (reason, unavailable), kinds in reasons.items():
            zones.setdefault((tuple(kinds), reason, unavailable), []).append(label)
    found = [Gap(*key, labels) for key, labels in zones.items()]
    return sorted(found, key=lambda gap: (not gap.unavailable, -len(gap.zones)))


def unchecked_kinds(zone: Report) -> dict[str, str]:
    """Return the kinds without findings that were not fully checked.

    The values are the reasons. Kinds that were not checked at all are included.
    """
    return {kind: reason for kind, reason in zone["not_checked"].items() if not zone["counts"].get(kind)}


# JSON


def as_json(report: Report) -> str:
    """Format the aggregate as JSON, with a line for each zone."""
    *head, (_zones, zones) = report.items()
    parts = ["{\n", *(f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},\n" for key, value in head)]
    parts.append('  "zones": [')
    for number, zone in enumerate(zones):
        parts += (",\n    " if number else "\n    ", json.dumps(zone, ensure_ascii=False))
    return "".join([*parts, "\n  ]\n}\n"])
