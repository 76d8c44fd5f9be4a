# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reports of an audit: read, summed up over zones, and told as JSON, as Markdown and as JUnit XML.

A report of a zone, and the aggregate of many, are dictionaries as the JSON Schema of the role audit describes them.
Texts in them come from inventories and from the service: none of them can be trusted to be just a name.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, TypeAlias
from xml.etree import ElementTree

from ansible_collections.originops.cloudflare.plugins.module_utils._audit import KINDS, SCHEMA_VERSION
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    canonical,
    nearest,
    parse_address,
    position,
    shorten,
)

Report: TypeAlias = dict[str, Any]

TITLES = {kind: kind.replace("_", " ").capitalize() for kind in KINDS}
"""What a person calls the kinds of findings."""

LISTED = 20
"""So many findings of a zone and kind, and hosts of a finding, are listed in Markdown. The others are counted."""

LONGEST = 300
"""So many characters of a text are shown in Markdown."""

TITLE = "Audit of origin cloud regions"


# Reading: what people hand in becomes plain data, or is refused by name.


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{where} should be text, not {shorten(str(value))}")
    # XML forbids control characters and halves of characters, and other formats are better off without them too.
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", value)


def _number(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidInput(f"{where} should be a whole number, not {shorten(str(value))}")
    return int(value)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"{where} should be true or false, not {shorten(str(value))}")
    return value


def _kind(value: Any, where: str) -> str:
    kind = _text(value, where)
    if kind not in KINDS:
        raise InvalidInput(f"{where} is {shorten(kind)}, which is no kind of finding: {nearest(kind, KINDS)}")
    return kind


def _time(value: Any, where: str) -> str:
    time = _text(value, where)
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time, re.ASCII):
        raise InvalidInput(f"{where} should be a time like 2026-11-24T07:00:00Z, not {shorten(time)}")
    return time


def _address(value: Any, where: str) -> str:
    try:
        return canonical(parse_address(value))
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from None


def _version(value: Any, where: str) -> int:
    if value != SCHEMA_VERSION:
        raise InvalidInput(f"{where} is {shorten(str(value))}; this release knows version {SCHEMA_VERSION} only")
    return SCHEMA_VERSION


# A shape is a function for a single value, [shape] for a list, {key: shape} for a dictionary, and (shape,) for
# what may be null.
_PLACE = {"vendor": _text, "region": _text}
_MAPPING = {"origin_ip": _address, **_PLACE}
_ZONE = {
    "schema_version": _version,
    "zone_id": (_text,),
    "zone": (_text,),
    "api_version": (_text,),
    "audited_on": _time,
    "error": (_text,),
    "tiered_cache": (_flag,),
    "smart_tiered_cache": (_flag,),
    "obtained_codes": (_flag,),
    "compared": _flag,
    "total_count": _number,
    "limit": _number,
    "counts": dict.fromkeys(KINDS, _number),
    "findings": [
        {
            "kind": _kind,
            "origin_ip": (_address,),
            "hosts": [_text],
            "actual": (_PLACE,),
            "expected": ({**_PLACE, "region": (_text,)},),
            "message": _text,
        }
    ],
    "mappings": [
        {**_MAPPING, "modified_on": (_text,), "upper_tier_colos": [_text], "hosts": [_text], "findings": [_kind]}
    ],
    "repair": {"present": [_MAPPING], "absent": [_MAPPING]},
}


def _shaped(value: Any, shape: Any, where: str) -> Any:
    """The value as plain data, keys in the order of the shape and others left out. Raises InvalidInput."""
    if isinstance(shape, tuple):
        return None if value is None else _shaped(value, shape[0], where)
    if isinstance(shape, list):
        if not isinstance(value, list | tuple):
            raise InvalidInput(f"{where} should be a list, not {shorten(str(value))}")
        return [_shaped(item, shape[0], f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(shape, dict):
        if not isinstance(value, Mapping):
            raise InvalidInput(f"{where} should be a dictionary, not {shorten(str(value))}")
        lacking = [key for key in shape if key not in value]
        if lacking:
            raise InvalidInput(f"{where} is no report of an audit: {', '.join(lacking)} missing")
        return {key: _shaped(value[key], inner, f"{where}: {key}") for key, inner in shape.items()}
    return shape(value, where)


def _zones(given: Any, where: str) -> Iterator[Report]:
    """The zone reports in one that was given, which may be an aggregate."""
    _shaped(given, {"schema_version": _version}, where)  # of another version the rest means nothing
    if "zones" in given:
        zones = _shaped(given["zones"], [lambda zone, _where: zone], f"{where}: zones")
        for index, zone in enumerate(zones):
            yield from _zones(zone, f"{where}: zones[{index}]")
        return
    zone = _shaped(given, _ZONE, where)
    if not zone["zone_id"] and not zone["zone"]:
        raise InvalidInput(f"{where} names neither zone nor zone_id")
    yield zone


def _latest(zones: Iterable[Report]) -> Iterable[Report]:
    """Of every zone the report that was audited last; of two at the same time, the one that was given last.

    A report without an identifier is about the one zone of its name, where just one is known.
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


def aggregate(given: Any) -> Report:
    """Sum up reports: one, an aggregate, or a list of either. The result depends on nothing else.

    Raises InvalidInput that names what is no report of an audit, and what it lacks.
    """
    if isinstance(given, Mapping):
        zones = list(_zones(given, "the report"))
    elif isinstance(given, Iterable) and not isinstance(given, str | bytes):
        zones = [zone for index, item in enumerate(given) for zone in _zones(item, position("reports", index))]
    else:
        raise InvalidInput(f"{shorten(str(given))} is neither a report of an audit nor a list of them")
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


# What the formats for people have in common.


def name_of(zone: Report) -> str:
    return str(zone["zone"] or zone["zone_id"])


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def place(values: Mapping[str, str | None] | None) -> str:
    """A vendor and a region as aws/us-east-1; the vendor alone where only that is known."""
    return "/".join(filter(None, (values or {}).values()))


def moment(time: str) -> str:
    return f"{time[:10]} {time[11:16]} UTC"


def headline(report: Report) -> str:
    """What the audit came to, in one or two sentences."""
    totals = report["totals"]
    findings = sum(totals[kind] for kind in KINDS)
    found = f"{counted(findings, 'finding')} in" if findings else "No findings in"
    concerned = totals["audited"] - totals["clean"]
    zones = f"{concerned:,} of {counted(totals['audited'], 'zone')}" if findings else counted(totals["audited"], "zone")
    unknown = totals["zones"] - totals["audited"]
    if not totals["audited"]:
        return f"Nothing is known: {counted(unknown, 'zone')} could not be audited."
    return f"{found} {zones}." + (f" {counted(unknown, 'zone')} could not be audited." if unknown else "")


def unknown_kinds(zone: Report) -> dict[str, str]:
    """The kinds of findings that were not, or not fully, looked for in an audited zone, and why."""
    unknown: dict[str, str] = {}
    if not zone["compared"]:
        unknown |= dict.fromkeys(("missing", "wrong", "stale"), "no inventory was given")
    if zone["obtained_codes"] is None:
        unknown["unsupported"] = "the supported regions could not be read"
    if zone["tiered_cache"] is None or zone["smart_tiered_cache"] is None:
        unknown["without_effect"] = "the settings of Tiered Cache could not be read"
    return {kind: reason for kind, reason in unknown.items() if not zone["counts"][kind]}


# JSON


def as_json(report: Report) -> str:
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


# Markdown


def _escaped(text: str) -> str:
    """Text that means itself in Markdown, on one line: what could mean more becomes a character reference."""
    line = " ".join(text.split())
    line = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
    special = r"[\\`*_\[\]<>&|~$#@!^={}]|:(?=//)|(?<=www)\."
    return re.sub(special, lambda found: f"&#{ord(found[0])};", line, flags=re.IGNORECASE)


def _listed(texts: list[str]) -> str:
    more = len(texts) - LISTED
    return _escaped(", ".join(texts[:LISTED])) + (f", and {more:,} more" if more > 0 else "")


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    header = list(header)
    yield _row(header)
    yield _row("---" for _cell in header)
    yield from map(_row, rows)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def as_markdown(report: Report) -> str:
    """A summary for the page of a pipeline's run."""
    return "\n".join(_markdown(report))


def _markdown(report: Report) -> Iterator[str]:
    totals, zones = report["totals"], report["zones"]
    yield from (f"# {TITLE}", "", f"**{headline(report)}**", "")
    clean = f"{counted(totals['clean'], 'zone')} without findings"
    yield from (f"{counted(totals['mappings'], 'mapping')}, {clean}, audited {moment(report['generated_on'])}.", "")
    failed = [zone for zone in zones if zone["error"] is not None]
    if failed:
        yield from ("## Could not be audited", "")
        yield from (f"- **{_escaped(name_of(zone))}**: {_escaped(zone['error'])}" for zone in failed)
        yield ""
    yield from ("## Zones", "")
    yield from _table(("Zone", "Mappings", *TITLES.values()), map(_overview, zones))
    for zone in zones:
        for number, (kind, group) in enumerate(groupby(zone["findings"], key=lambda finding: finding["kind"])):
            findings = list(group)
            if not number:
                yield from (f"## {_escaped(name_of(zone))}", "")
            yield from (f"### {TITLES[kind]} ({len(findings):,})", "")
            header = ("Address", "Hosts", "Actual", "Expected", "Message")
            yield from _table(header, map(_finding, findings[:LISTED]))
            if len(findings) > LISTED:
                yield from (f"… and {len(findings) - LISTED:,} more of this kind.", "")


def _overview(zone: Report) -> Iterator[str]:
    yield _escaped(name_of(zone))
    if zone["error"] is not None:
        yield "could not be audited"
        yield from ("" for _kind in KINDS)
        return
    unknown = unknown_kinds(zone)
    yield f"{zone['total_count']:,}"
    for kind in KINDS:
        count = zone["counts"][kind]
        yield f"**{count:,}**" if count else "not known" if kind in unknown else "0"


def _finding(finding: Report) -> Iterator[str]:
    yield finding["origin_ip"] or ""
    yield _listed(finding["hosts"])
    yield from (_escaped(place(finding["actual"])), _escaped(place(finding["expected"])), _escaped(finding["message"]))


# JUnit XML


def as_junit(report: Report) -> str:
    """A suite for each zone and in it a case for each kind of finding, as pipelines display them."""
    root = ElementTree.Element("testsuites", name=TITLE)
    for zone in report["zones"]:
        suite = ElementTree.SubElement(
            root, "testsuite", name=name_of(zone), timestamp=zone["audited_on"].removesuffix("Z"), time="0"
        )
        _cases(suite, zone)
        _count(suite)
    _count(root)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _cases(suite: ElementTree.Element, zone: Report) -> None:
    def case(name: str) -> ElementTree.Element:
        return ElementTree.SubElement(suite, "testcase", classname=name_of(zone), name=name, time="0")

    if zone["error"] is not None:
        message = "the zone could not be audited"
        ElementTree.SubElement(case("Audit"), "error", type="error", message=message).text = zone["error"]
        return
    unknown = unknown_kinds(zone)
    for kind, title in TITLES.items():
        findings = [finding for finding in zone["findings"] if finding["kind"] == kind]
        element = case(title)
        if findings:
            failure = ElementTree.SubElement(
                element, "failure", type=kind, message=f"{title}: {counted(len(findings), 'finding')}"
            )
            failure.text = "\n".join(map(_line, findings))
        elif kind in unknown:
            ElementTree.SubElement(element, "skipped", message=unknown[kind])


def _line(finding: Report) -> str:
    """A finding on one line: address, hosts, actual and expected place, message, as far as there are any."""
    facts = {
        "": finding["origin_ip"],
        "hosts ": ", ".join(finding["hosts"]),
        "actual ": place(finding["actual"]),
        "expected ": place(finding["expected"]),
    }
    told = "; ".join(f"{label}{value}" for label, value in facts.items() if value)
    return " ".join(f"{told}: {finding['message']}".removeprefix(": ").split())


def _count(element: ElementTree.Element) -> None:
    counted_tags = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for name, tag in counted_tags.items():
        element.set(name, str(sum(1 for _found in element.iter(tag))))
