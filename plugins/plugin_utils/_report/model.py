# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of audits: reading, summing up, and what all formats share.

The report on a zone has the structure of ZONE_REPORT; the JSON Schema of the role audit describes the aggregate too.
Texts in reports come from inventories and from the service, and cannot be trusted.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from ...module_utils._errors import InvalidInput
from ...module_utils._mapping import canonical, parse_address
from ...module_utils._messages import item_label, quote, suggest
from ...module_utils._schema import KINDS, SCHEMA_VERSION, ZONE_REPORT

Report: TypeAlias = dict[str, Any]

TITLES = {kind: kind.replace("_", " ").capitalize() for kind in KINDS}
"""Titles of the kinds of findings."""

TITLE = "Audit of origin cloud regions"


# Reading: input becomes plain data, or is refused by name.


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{where} should be text, not {quote(str(value))}")
    # XML forbids control characters and halves of characters, and other formats are better off without them too.
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", value)


def _number(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidInput(f"{where} should be a whole number, not {quote(str(value))}")
    return int(value)


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
        raise InvalidInput(f"{where} is {quote(str(value))}; this release knows version {SCHEMA_VERSION} only")
    return SCHEMA_VERSION


_PARSERS: dict[str, Callable[[Any, str], Any]] = {
    "address": _address,
    "flag": _flag,
    "kind": _kind,
    "number": _number,
    "text": _text,
    "time": _time,
    "version": _version,
}


def _validate(value: Any, shape: Any, where: str) -> Any:
    """Return a value of a shape of _schema as plain data.

    Other keys are left out. Raises InvalidInput.
    """
    if isinstance(shape, tuple):
        return None if value is None else _validate(value, shape[0], where)
    if isinstance(shape, list):
        return [_validate(item, shape[0], f"{where}[{index}]") for index, item in enumerate(_list(value, where))]
    if isinstance(shape, dict):
        if not isinstance(value, Mapping):
            raise InvalidInput(f"{where} should be a dictionary, not {quote(str(value))}")
        missing = [key for key in shape if key not in value]
        if missing:
            raise InvalidInput(f"{where} is no report of an audit: {', '.join(missing)} missing")
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


def _latest(zones: Iterable[Report]) -> Iterable[Report]:
    """Return the latest report on every zone.

    Of two at the same time the later one in the input counts. A report without an identifier is about the zone of its
    name, if only one is known.
    """
    zones = sorted(zones, key=lambda zone: zone["audited_on"])
    identifiers: defaultdict[str | None, set[str]] = defaultdict(set)
    for zone in zones:
        identifiers[zone["zone"]] |= {zone["zone_id"]} - {None}
    latest: dict[tuple[str | None, str | None], Report] = {}
    for zone in zones:
        known = identifiers[zone["zone"]]
        identity = zone["zone_id"] or (min(known) if len(known) == 1 else None)
        latest[identity, None if identity else zone["zone"]] = zone
    return latest.values()


def aggregate(reports: Any) -> Report:
    """Sum up a report on a zone, an aggregate, or a list of either.

    The result depends on nothing else. Raises InvalidInput naming the item that is no report of an audit, and the
    missing keys.
    """
    if isinstance(reports, Mapping):
        zones = list(_zones(reports, "the report"))
    elif isinstance(reports, Iterable) and not isinstance(reports, str | bytes):
        zones = [zone for index, item in enumerate(reports) for zone in _zones(item, item_label("reports", index))]
    else:
        raise InvalidInput(f"{quote(str(reports))} is neither a report of an audit nor a list of them")
    if not zones:
        raise InvalidInput("there is no report in the input: was any zone audited?")
    zones = sorted(_latest(zones), key=lambda zone: (zone["zone"] or "", zone["zone_id"] or ""))
    audited = [zone for zone in zones if zone["error"] is None]
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_on": max(zone["audited_on"] for zone in zones),
        "totals": {
            "zones": len(zones),
            "audited": len(audited),
            "clean": sum(not zone["findings"] for zone in audited),
            "mappings": sum(zone["total_count"] for zone in zones),
            **{kind: sum(zone["counts"][kind] for zone in zones) for kind in KINDS},
        },
        "zones": zones,
    }


# Parts of the formats for people.


def zone_name(zone: Report) -> str:
    """Name a zone by its name, else by its identifier."""
    return str(zone["zone"] or zone["zone_id"])


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
        return f"Nothing is known: {failures}"
    if findings:
        summary = f"{pluralize(findings, 'finding')} in {totals['audited'] - totals['clean']:,} of {audited}."
    else:
        summary = f"No findings in {audited}."
    return f"{summary} {failures}" if unaudited else summary


def unchecked_kinds(zone: Report) -> dict[str, str]:
    """Return the kinds that were not, or not fully, looked for, with reasons."""
    reasons: dict[str, str] = {}
    if not zone["compared"]:
        reasons |= dict.fromkeys(("missing", "wrong", "stale"), "no inventory was given")
    if zone["obtained_codes"] is None:
        reasons["unsupported"] = "the supported regions could not be read"
    if zone["tiered_cache"] is None or zone["smart_tiered_cache"] is None:
        reasons["without_effect"] = "the settings of Tiered Cache could not be read"
    return {kind: reason for kind, reason in reasons.items() if not zone["counts"][kind]}


# JSON


def as_json(report: Report) -> str:
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"
