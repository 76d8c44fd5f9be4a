# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML reports: one file with style and script, which loads nothing."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from ...module_utils._mapping import VENDORS, address_order
from .model import (
    GENERATOR,
    TITLE,
    TITLES,
    Report,
    format_location,
    format_time,
    headline,
    pluralize,
    unchecked_kinds,
    zone_name,
)

MAX_BARS = 8
"""Regions of a vendor with a bar of their own in the chart. The others share one."""

FINDINGS_HEADER = ("Kind", "Zone", "Address", "Hosts", "Actual", "Expected", "Message")
MAPPINGS_HEADER = ("Address", "Vendor", "Region", "Data centres", "Hosts", "Findings")

TONES = {
    "drift": ("missing", "wrong", "stale"),
    "doubt": ("contradicted", "unsupported"),
    "note": ("unresolved", "near_limit", "without_effect"),
}
"""Kinds by colour, which is only an aid: their titles are always written out."""

LONG_TABLE = 100
"""Rows: a longer table does not lay out those out of sight."""


def as_page(report: Report) -> str:
    """Format the aggregate as HTML.

    The page is complete without its script, which adds sorting and filtering.
    """
    style, script = (Path(__file__).with_name(name).read_text("utf-8") for name in ("page.css", "page.js"))
    html = Element("html", lang="en")
    head = _add(html, "head")
    _add(head, "meta", charset="utf-8")
    policy = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}
    policy |= {"style-src": _hash(style), "script-src": _hash(script)}
    _add(head, "meta", http_equiv="Content-Security-Policy", content="; ".join(map(" ".join, policy.items())))
    _add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _add(head, "meta", name="color-scheme", content="light dark")
    _add(head, "title", f"{TITLE}: {headline(report)}")
    _add(head, "style", style)
    body = _add(html, "body")
    _add(body, "a", "Skip to the findings", class_="skip", href="#findings")
    _header(body, report)
    main = _add(body, "main")
    _not_audited(main, report)
    _totals(main, report)
    _findings(main, report)
    _chart(main, report)
    _zone_sections(main, report)
    footer = _add(body, "footer")
    _add(footer, "p", "Made by the Ansible collection originops.cloudflare. This page is one file and loads nothing.")
    _tools(body)
    _add(body, "script", script)
    return f"<!DOCTYPE html>\n<!-- generator: {GENERATOR} -->\n{tostring(html, encoding='unicode', method='html')}\n"


def _add(parent: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    """Add an element to its parent.

    Attributes are spelt with underscores: class_, aria_label.
    """
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    element = SubElement(parent, tag, names)
    element.text = text
    return element


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _time(parent: Element, time: str) -> None:
    _add(parent, "time", format_time(time), datetime=time)


def _header(body: Element, report: Report) -> None:
    header = _add(body, "header")
    _add(header, "h1", TITLE)
    _add(header, "p", headline(report), class_="headline")
    _time(_add(header, "p", "Audited ", class_="soft"), report["generated_on"])
    nav = _add(_add(header, "nav", aria_label="On this page"), "ul")
    for anchor, text in (("findings", "Findings"), ("origins", "Origins"), ("zones", "Zones")):
        _add(_add(nav, "li"), "a", text, href=f"#{anchor}")


def _section(main: Element, anchor: str, title: str) -> Element:
    section = _add(main, "section", id=anchor, aria_labelledby=f"{anchor}-title", tabindex="-1")
    _add(section, "h2", title, id=f"{anchor}-title")
    return section


def _not_audited(main: Element, report: Report) -> None:
    failed = [zone for zone in report["zones"] if zone["error"] is not None]
    if not failed:
        return
    section = _section(main, "not-audited", f"Could not be audited: {pluralize(len(failed), 'zone')}")
    section.set("class", "alert")
    zones = _add(section, "dl")
    for zone in failed:
        _add(zones, "dt", zone_name(zone))
        _add(zones, "dd", zone["error"])
        _time(_add(zones, "dd", "Tried ", class_="soft"), zone["audited_on"])


def _totals(main: Element, report: Report) -> None:
    section = _section(main, "totals", "Totals")
    strip = _add(section, "dl", class_="strip")
    for key, title in {"zones": "Zones", "clean": "Clean zones", "mappings": "Mappings", **TITLES}.items():
        count = report["totals"][key]
        item = _add(strip, "div", class_=_tone(key) if count else "none")
        _add(item, "dt", title)
        _add(item, "dd", f"{count:,}")


def _tone(kind: str) -> str:
    return next((tone for tone, kinds in TONES.items() if kind in kinds), "")


def _kind(parent: Element, kind: str, count: int | None = None) -> None:
    text = TITLES[kind] if count is None else f"{TITLES[kind]} {count:,}"
    _add(parent, "span", text, class_=f"kind {_tone(kind)}").tail = " "


def _table(parent: Element, name: str, caption: str, header: Iterable[str], size: int) -> Element:
    """Add a table for size rows, and return its body.

    The table has a header, and scrolls in a region of its own. The rows are laid out as grids or as cards, so that
    those out of sight cost nothing. Roles keep it a table for assistive technology whatever the layout is.
    """
    region = _add(parent, "div", class_="scroll", role="region", aria_label=caption, tabindex="0")
    table = _add(region, "table", class_=f"{name} long" if size > LONG_TABLE else name, role="table")
    _add(table, "caption", caption)
    row = _add(_add(table, "thead", role="rowgroup"), "tr", role="row")
    for title in header:
        _add(row, "th", title, scope="col", role="columnheader")
    return _add(table, "tbody", role="rowgroup")


def _row(body: Element, kinds: Iterable[str]) -> Element:
    row = _add(body, "tr", role="row", data_kinds=" ".join(kinds))
    row.tail = "\n"
    return row


def _cell(row: Element, text: str | None = None) -> Element:
    return _add(row, "td", text, role="cell")


def _add_names(parent: Element, text: str) -> None:
    """Add names, which may break after dots, commas and slashes."""
    parent.text, *parts = re.split(r"(?<=[.,/])(?=\S)", text)
    for part in parts:
        _add(parent, "wbr").tail = part


def _address_cell(row: Element, text: str | None, header: bool = False) -> None:
    cell = _add(row, "th", text, scope="row", role="rowheader") if header else _cell(row, text)
    if text:
        version, number = address_order(ip_address(text))
        cell.set("data-key", f"{version}{number:039}")


def _findings(main: Element, report: Report) -> None:
    section = _section(main, "findings", "Findings")
    findings = [
        (number, zone, finding) for number, zone in enumerate(report["zones"], 1) for finding in zone["findings"]
    ]
    if not findings:
        _add(section, "p", headline(report))
        return
    body = _table(section, "findings", "Findings of all zones", FINDINGS_HEADER, len(findings))
    for number, zone, finding in findings:
        row = _row(body, [finding["kind"]])
        _kind(_cell(row), finding["kind"])
        _add_names(_add(_cell(row), "a", href=f"#zone-{number}"), zone_name(zone))
        _address_cell(row, finding["origin_ip"])
        _add_names(_cell(row), ", ".join(finding["hosts"]))
        _add_names(_cell(row), format_location(finding["actual"]))
        _add_names(_cell(row), format_location(finding["expected"]))
        _cell(row, finding["message"])


def _chart(main: Element, report: Report) -> None:
    """Add bars of one scale with their numbers, which screen readers read."""
    section = _section(main, "origins", "Origins by vendor and region")
    locations = Counter(
        (mapping["vendor"], mapping["region"]) for zone in report["zones"] for mapping in zone["mappings"]
    )
    if not locations:
        _add(section, "p", "There are no mappings.")
        return
    chart = _add(section, "div", class_="chart")
    vendors = Counter[str]()
    for (vendor, _region), count in locations.items():
        vendors[vendor] += count
    bars = {vendor: _bars(vendor, locations) for vendor in sorted(vendors)}
    longest = max(count for counts in bars.values() for count in counts.values())
    for vendor, counts in bars.items():
        group = _add(chart, "div", class_=f"vendor {vendor if vendor in VENDORS else 'other'}")
        title = _add(group, "h3", f"{vendor} ")
        share = f"{pluralize(vendors[vendor], 'mapping')}, {vendors[vendor] / locations.total():.0%}"
        _add(title, "span", share, class_="soft")
        rows = _add(group, "ul")
        for region, count in counts.items():
            row = _add(rows, "li")
            _add(row, "span", region, title=region)
            drawing = _add(row, "svg", viewBox="0 0 100 1", preserveAspectRatio="none", aria_hidden="true")
            _add(drawing, "rect", width=f"{100 * count / longest:.2f}", height="1")
            _add(row, "span", f" {count:,}", class_="count")


def _bars(vendor: str, locations: Counter[tuple[str, str]]) -> dict[str, int]:
    """Count the most frequent regions of a vendor, and the others as one."""
    regions = [(region, count) for (other, region), count in locations.items() if other == vendor]
    regions.sort(key=lambda item: (-item[1], item[0]))
    # A bar for a single other region would take as much room as the region itself.
    shown = regions if len(regions) == MAX_BARS + 1 else regions[:MAX_BARS]
    rest = regions[len(shown) :]
    return dict(shown) | ({f"{len(rest)} other regions": sum(count for _region, count in rest)} if rest else {})


def _zone_sections(main: Element, report: Report) -> None:
    section = _section(main, "zones", "Zones")
    # Zones with findings come first. Findings link to zones by number.
    audited = [(number, zone) for number, zone in enumerate(report["zones"], 1) if zone["error"] is None]
    if not audited:
        _add(section, "p", headline(report))
    for number, zone in sorted(audited, key=lambda item: not item[1]["findings"]):
        _zone_section(section, number, zone)


def _zone_section(parent: Element, number: int, zone: Report) -> None:
    details = _add(parent, "details", id=f"zone-{number}", class_="zone")
    summary = _add(details, "summary")
    _add(summary, "h3", zone_name(zone))
    badges = _add(summary, "span", class_="kinds")
    for kind, count in zone["counts"].items():
        if count:
            _kind(badges, kind, count)
    if zone["findings"]:
        details.set("open", "")
    else:
        _add(badges, "span", "No findings", class_="kind good")
    _add(summary, "span", pluralize(zone["total_count"], "mapping"), class_="soft")
    states = {True: "on", False: "off", None: "could not be read"}
    complete = {True: "known", False: "known in part", None: "could not be read"}
    facts = {
        "Zone identifier": zone["zone_id"] or "not known",
        "Tiered Cache": states[zone["tiered_cache"]],
        "Smart Tiered Cache": states[zone["smart_tiered_cache"]],
        "Mappings": f"{zone['total_count']:,} of {zone['limit']:,}",
        "Data centres": complete[zone["obtained_codes"]],
        "API generation": zone["api_version"] or "not known",
        "Audited": format_time(zone["audited_on"]),
    }
    reasons: dict[str, list[str]] = {}
    for kind, reason in unchecked_kinds(zone).items():
        reasons.setdefault(reason, []).append(TITLES[kind])
    if reasons:
        facts["Not looked for"] = "; ".join(f"{', '.join(titles)} ({reason})" for reason, titles in reasons.items())
    _facts(details, facts)
    if not zone["mappings"]:
        _add(details, "p", "The zone has no mappings.")
        return
    body = _table(details, "mappings", f"Mappings of {zone_name(zone)}", MAPPINGS_HEADER, len(zone["mappings"]))
    for mapping in sorted(zone["mappings"], key=lambda mapping: not mapping["findings"]):
        kinds = dict.fromkeys(mapping["findings"])
        row = _row(body, kinds)
        _address_cell(row, mapping["origin_ip"], header=True)
        _cell(row, mapping["vendor"])
        _cell(row, mapping["region"])
        _cell(row, " ".join(mapping["upper_tier_colos"]))
        _add_names(_cell(row), ", ".join(mapping["hosts"]))
        cell = _cell(row)
        for kind in kinds:
            _kind(cell, kind)


def _facts(parent: Element, facts: dict[str, str]) -> None:
    rows = _add(parent, "dl", class_="facts")
    for name, value in facts.items():
        row = _add(rows, "div")
        _add(row, "dt", name)
        _add(row, "dd", value)


def _tools(body: Element) -> None:
    """Add the template of the tools that the script puts above every table."""
    tools = _add(_add(body, "template", id="tools"), "div", class_="tools", role="group")
    _add(_add(tools, "label", "Filter "), "input", type="search", autocomplete="off", spellcheck="false")
    choice = _add(_add(tools, "label", "Show "), "select")
    _add(choice, "option", "All rows", value="")
    _add(choice, "option", "Rows with findings", value="*")
    for kind, title in TITLES.items():
        _add(choice, "option", title, value=kind)
    _add(tools, "output", role="status")
