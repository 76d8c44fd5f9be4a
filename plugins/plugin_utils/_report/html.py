# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML reports: one file with style, script and data, which loads nothing.

The verdict, the table of zones and the first findings are plain HTML. The script draws the rest from the data.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...module_utils._mapping import VENDORS, address_order
from ...module_utils._schema import KINDS
from .model import (
    GENERATOR,
    TITLE,
    TITLES,
    TRAFFIC_NOTE,
    Gap,
    Report,
    ZoneTraffic,
    count_requests,
    format_location,
    format_share,
    format_time,
    gaps,
    headline,
    labelled,
    observed_zones,
    pluralize,
    published_locations,
    traffic_headline,
)

MAX_DRAWN = 300
"""Findings that are plain HTML. The script draws all others."""

MAX_COMMON = 63
"""Maximum of characters of a common beginning or end.

With 63 added, a number up to it is a character of ASCII.
"""

MAX_BARS = 8
"""Regions of a vendor with their own bar in the chart. Others share one."""

FINDINGS_HEADER = ("Kind", "Zone", "Origin", "Actual", "Expected", "Message")
MAPPINGS_HEADER = ("Origin", "Mapped to", "Findings")
TRAFFIC_HEADER = ("Zone", "Since", "Through expected data centres", "Requests", "Mapped origins", "Without a mapping")
TRAFFIC_LABELS = ("Since", "Expected", "Requests", "Mapped", "Unmapped")
"""Short titles, for narrow windows."""

MAPPED_HEADER = ("Origin", "Mapped to", "Through expected", "Requests", "Data centres")
UNMAPPED_HEADER = ("Origin", "Published ranges", "Requests", "Data centres")

TIER_MARKS = (False, True, None)
"""Values of expected of a data centre, by their numbers in the data."""

_INDEX = {kind: index for index, kind in enumerate(KINDS)}
_VOID = ("input", "meta", "wbr")


class Html(str):
    """Text that is HTML already.

    All other text is escaped when it is added to the page.
    """

    __slots__ = ()


def _html(*contents: str) -> Html:
    return Html("".join(part if isinstance(part, Html) else html.escape(part) for part in contents))


def _tag(tag: str, *contents: str, **attributes: str | None) -> Html:
    """Build an element.

    Attributes are spelt with underscores: class_, aria_label. An attribute that is None is left out.
    """
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    start = "".join(f' {name}="{html.escape(value)}"' for name, value in names.items())
    end = "" if tag in _VOID else f"</{tag}>"
    return Html(f"<{tag}{start}>{_html(*contents)}{end}")


def as_page(report: Report) -> str:
    """Format the aggregate as HTML."""
    return _Page(report).text()


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _time(time: str) -> Html:
    return _tag("time", format_time(time), datetime=time)


def _names(text: str) -> Html:
    """Format names, which may break after dots, commas and slashes."""
    return Html(_tag("wbr").join(_html(part) for part in re.split(r"(?<=[.,/])(?=\S)", text)))


def _two_lines(first: str, second: str, class_: str) -> Html:
    """Format a cell with a first line and an optional second one."""
    lines = _tag("div", _names(first), class_=class_) if first else Html()
    return _html(lines, _tag("div", _names(second), class_="soft")) if second else lines


def _table(name: str, caption: str, header: Iterable[str], rows: Iterable[str], foot: str = "") -> Html:
    """Build a table in a region that scrolls.

    Roles keep it a table for assistive technology if a narrow window shows its rows as cards.
    """
    titles = _html(*(_tag("th", title, scope="col", role="columnheader") for title in header))
    table = _tag(
        "table",
        _tag("caption", caption),
        _tag("thead", _tag("tr", titles, role="row"), role="rowgroup"),
        _tag("tbody", *rows, role="rowgroup"),
        _tag("tfoot", foot, role="rowgroup") if foot else Html(),
        class_=name,
        role="table",
    )
    return _tag("div", table, class_="scroll", role="region", aria_label=caption, tabindex="0")


def _row(*cells: Html, kinds: Iterable[int] | None = None) -> Html:
    return _tag("tr", *cells, role="row", data_kinds=None if kinds is None else " ".join(map(str, kinds)))


def _cell(content: str, **attributes: str | None) -> Html:
    return _tag("td", content, role="cell", **attributes)


def _section(anchor: str, title: str, *contents: str) -> Html:
    heading = _tag("h2", title, id=f"{anchor}-title")
    return _tag("section", heading, *contents, id=anchor, aria_labelledby=f"{anchor}-title", tabindex="-1")


def _facts(facts: Mapping[str, str]) -> Html:
    rows = (_tag("div", _tag("dt", name), _tag("dd", value)) for name, value in facts.items())
    return _tag("dl", *rows, class_="facts")


def _ages(ranges: Mapping[str, str]) -> Html:
    """Format the times of published ranges, by vendor."""
    return Html(", ".join(_html(vendor, " ", _time(time)) for vendor, time in sorted(ranges.items())))


def _data(anchor: str, value: Any) -> Html:
    """Build a block of data for the script.

    No text can end it, because it has no less-than sign.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return _tag("script", Html(text), type="application/json", id=anchor)


def _common(first: str, second: str) -> int:
    """Count the equal leading characters of two texts, up to MAX_COMMON."""
    low, high = 0, min(len(first), len(second), MAX_COMMON)
    while low < high:
        middle = (low + high + 1) // 2
        if first[:middle] == second[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _delta(texts: Iterable[str]) -> list[str]:
    """Shorten each text to its difference from the text before.

    Two characters begin each: the lengths, plus 63, of the common beginning and of the common end. Other texts
    than ASCII are left whole, because Python and JavaScript may count their characters differently.
    """
    result = []
    previous = ""
    for text in texts:
        start = end = 0
        if text.isascii() and previous.isascii():
            start = _common(previous, text)
            end = _common(previous[start:][: -MAX_COMMON - 1 : -1], text[start:][: -MAX_COMMON - 1 : -1])
        result.append(chr(63 + start) + chr(63 + end) + text[start : len(text) - end])
        previous = text
    return result


class _Locations:
    """Table of locations with data centres. The data has their numbers."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str | None, str], int] = {}

    def number(self, location: Mapping[str, Any] | None, colos: Sequence[str]) -> int:
        """Return the number of a location, -1 for none."""
        if location is None:
            return -1
        return self.numbers.setdefault((location["vendor"], location["region"], ", ".join(colos)), len(self.numbers))


class _Page:
    """Page under construction."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.zones = labelled(report)
        self.traffic = observed_zones(report)
        self.locations = _Locations()
        self.colos: dict[str, int] = {}
        # Few audits check traffic: without it, its column would only take up space.
        looked_for = {kind for zone in report["zones"] for kind in (*zone["checked"], *zone["unavailable"])}
        self.kinds = [kind for kind in KINDS if kind != "misrouted" or kind in looked_for]
        order = {kind: (kind not in report["fail_on"], index) for kind, index in _INDEX.items()}
        self.findings = [
            (number, label, finding) for number, (label, zone) in enumerate(self.zones) for finding in zone["findings"]
        ]
        # What fails the audit comes first.
        self.findings.sort(key=lambda item: order[item[2]["kind"]])

    def text(self) -> str:
        style, script = (Path(__file__).with_name(name).read_text("utf-8") for name in ("page.css", "page.js"))
        policy = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}
        policy |= {"style-src": _hash(style), "script-src": _hash(script)}
        verdict = "Failed" if self.report["failures"] else "Passed"
        head = _tag(
            "head",
            _tag("meta", charset="utf-8"),
            _tag("meta", http_equiv="Content-Security-Policy", content="; ".join(map(" ".join, policy.items()))),
            _tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            _tag("meta", name="color-scheme", content="light dark"),
            _tag("title", f"{verdict}: {headline(self.report)} {TITLE}"),
            _tag("style", Html(style)),
        )
        sections = self.zone_table(), self.findings_section(), self.traffic_section(), self.details(), self.chart()
        main = _tag("main", *sections)
        made = "Made by the Ansible collection originops.cloudflare. This page is one file and loads nothing."
        body = _tag(
            "body",
            _tag("a", "Skip to the findings", class_="skip", href="#findings"),
            self.header(),
            main,
            _tag("footer", _tag("p", made)),
            self.templates(),
            *self.data(),
            _tag("script", Html(script)),
        )
        return f"<!DOCTYPE html>\n<!-- generator: {GENERATOR} -->\n{_tag('html', head, body, lang='en')}\n"

    # The verdict

    def header(self) -> Html:
        report = self.report
        failed = bool(report["failures"])
        reasons = (_tag("li", self.reason(failure)) for failure in report["failures"])
        fail_on = ", ".join(TITLES[kind] for kind in report["fail_on"]) or "no finding"
        ranges: dict[str, str] = {}
        for zone in report["zones"]:
            for vendor, time in zone["ranges"].items():
                ranges[vendor] = min(time, ranges.get(vendor, time))
        audited = _time(report["generated_on"]) if report["zones"] else ""
        facts = {"Audited": audited, "Published ranges": _ages(ranges), "Fails on": fail_on}
        sections = {"zones": "Zones", "findings": "Findings"} | ({"traffic": "Traffic"} if self.traffic else {})
        sections |= {"details": "Details", "origins": "Origins"}
        links = (_tag("li", _tag("a", text, href=f"#{anchor}")) for anchor, text in sections.items())
        return _tag(
            "header",
            _tag("h1", TITLE),
            _tag(
                "div",
                _tag("p", "Failed" if failed else "Passed", class_="outcome"),
                _tag("p", headline(report), class_="headline"),
                _tag("ul", *reasons, class_="reasons") if failed else Html(),
                class_=f"verdict {'failed' if failed else 'passed'}",
            ),
            _facts({name: value for name, value in facts.items() if value}),
            self.unknown(),
            _tag("nav", _tag("ul", *links), aria_label="On this page"),
        )

    def reason(self, failure: str) -> str:
        """Return a reason of failure with the title of its kind."""
        count, _space, kind = failure.partition(" ")
        return f"{count} {TITLES[kind].lower()}" if kind in TITLES else failure

    def unknown(self) -> Html:
        """List what the audit does not know: zones, and kinds of findings."""
        failed = [
            _html(_tag("strong", _names(label)), ": ", zone["error"])
            for label, zone in self.zones
            if zone["error"] is not None
        ]
        found = gaps(self.report)
        lists = {
            "Could not be audited": failed,
            "Could not be checked": [self.gap(gap) for gap in found if gap.unavailable],
            "Not checked": [self.gap(gap) for gap in found if not gap.unavailable],
        }
        parts = (
            _tag(
                "section",
                _tag("h2", title),
                # A long list scrolls.
                _tag("ul", *(_tag("li", item) for item in items), tabindex="0" if len(items) > 5 else None),
                class_="quiet" if title == "Not checked" else "alert",
            )
            for title, items in lists.items()
            if items
        )
        return _tag("div", *parts, class_="unknown") if any(lists.values()) else Html()

    def gap(self, gap: Gap) -> Html:
        titles, _comma, rest = gap.text.partition(", in ")
        return _html(_tag("strong", titles), ", in ", _names(rest))

    # Zones and kinds

    def zone_table(self) -> Html:
        if not self.zones:
            return _section("zones", "Zones", _tag("p", headline(self.report)))
        rows = sorted(enumerate(self.zones), key=lambda item: self.rank(item[1][1]))
        totals = self.report["totals"]
        foot = _row(
            _tag("th", f"All {pluralize(totals['zones'], 'zone')}", scope="row", role="rowheader"),
            _cell(f"{totals['mappings']:,}", class_="number", data_title="Mappings"),
            *(
                _cell(f"{totals[kind]:,}", class_="number" if totals[kind] else "number zero", data_title=TITLES[kind])
                for kind in self.kinds
            ),
        )
        table = _table(
            "zones",
            "Zones and kinds of findings",
            ("Zone", "Mappings", *(TITLES[kind] for kind in self.kinds)),
            (self.zone_row(number, label, zone) for number, (label, zone) in rows),
            foot,
        )
        legend = _tag("p", "— not checked; ? could not be checked", class_="soft legend")
        return _section("zones", "Zones", table, legend if gaps(self.report) else Html())

    def rank(self, zone: Report) -> int:
        """Return the rank of a zone: failures first, clean zones last."""
        if zone["error"] is not None:
            return 0
        fail_on = self.report["fail_on"]
        if any(zone["counts"][kind] or kind in zone["unavailable"] for kind in fail_on):
            return 1
        return 2 if zone["findings"] or zone["unavailable"] else 3

    def zone_row(self, number: int, label: str, zone: Report) -> Html:
        if zone["error"] is not None:
            name = _tag("th", _names(label), scope="row", role="rowheader")
            return _row(name, _cell("could not be audited", colspan=str(len(self.kinds) + 1), class_="fail"), kinds=())
        link = _tag("a", _names(label), href=f"#zone-{number}")
        name = _tag("th", link, scope="row", role="rowheader")
        count = _cell(f"{zone['total_count']:,}", class_="number", data_title="Mappings")
        found = [index for index, kind in enumerate(KINDS) if zone["counts"][kind]]
        return _row(name, count, *(self.count(number, label, zone, kind) for kind in self.kinds), kinds=found)

    def count(self, number: int, label: str, zone: Report, kind: str) -> Html:
        """Build the cell of a zone and a kind, with a link to the findings."""
        count = zone["counts"][kind]
        if count:
            name = f"{count:,} {TITLES[kind].lower()} in {label}"
            link = _tag(
                "a",
                f"{count:,}",
                href="#findings",
                data_zone=str(number),
                data_kind=str(_INDEX[kind]),
                aria_label=name,
            )
            return _cell(link, class_=f"number {self.tone(kind)}", data_title=TITLES[kind])
        reason = zone["not_checked"].get(kind)
        if reason is None:
            return _cell("0", class_="number zero", data_title=TITLES[kind])
        unavailable = kind in zone["unavailable"]
        sign = _tag("span", "?" if unavailable else "—", aria_hidden="true")
        text = _tag("span", "could not be checked" if unavailable else "not checked", class_="hidden")
        tone = "fail" if unavailable and kind in self.report["fail_on"] else "zero"
        return _cell(_html(sign, text), class_=f"number {tone}", title=reason, data_title=TITLES[kind])

    def tone(self, kind: str) -> str:
        return "fail" if kind in self.report["fail_on"] else "note"

    def badge(self, kind: str, count: int | None = None) -> Html:
        text = TITLES[kind] if count is None else f"{TITLES[kind]} {count:,}"
        return _tag("span", text, class_=f"kind {self.tone(kind)}")

    # Findings

    def findings_section(self) -> Html:
        if not self.findings:
            return _section("findings", "Findings", _tag("p", headline(self.report)))
        rows = (self.finding_row(*item) for item in self.findings[:MAX_DRAWN])
        table = _table("findings", "Findings of all zones", FINDINGS_HEADER, rows)
        rest = len(self.findings) - MAX_DRAWN
        note = f"{pluralize(rest, 'more finding')} need JavaScript. They are in report.json too."
        return _section("findings", "Findings", table, _tag("p", note, class_="scriptless") if rest > 0 else Html())

    def finding_row(self, number: int, label: str, finding: Report) -> Html:
        cells = (
            self.badge(finding["kind"]),
            _tag("a", _names(label), href=f"#zone-{number}"),
            _two_lines(finding["origin_ip"] or "", ", ".join(finding["hosts"]), "address"),
            _two_lines(format_location(finding["actual"]), ", ".join(finding["actual_colos"]), "location"),
            _two_lines(format_location(finding["expected"]), ", ".join(finding["expected_colos"]), "location"),
            finding["message"],
        )
        return _row(*map(_cell, cells))

    # Traffic

    def traffic_section(self) -> Html:
        """Build the table of zones with a traffic section."""
        if not self.traffic:
            return Html()
        rows = sorted(self.traffic.items(), key=lambda item: item[1].rank)
        return _section(
            "traffic",
            "Traffic",
            _tag("p", traffic_headline(self.traffic.values()), class_="summary"),
            _table("traffic", "Traffic of zones", TRAFFIC_HEADER, (self.traffic_row(*row) for row in rows)),
            _tag("p", TRAFFIC_NOTE, class_="soft legend"),
        )

    def traffic_row(self, number: int, traffic: ZoneTraffic) -> Html:
        label, zone = self.zones[number]
        link = _tag("a", _names(label), href=f"#zone-{number}")
        if traffic.unknown:
            reason = _html(_tag("strong", "Not known: "), _names(traffic.unknown))
            columns = str(len(TRAFFIC_LABELS))
            return _row(_tag("th", link, scope="row", role="rowheader"), _cell(reason, colspan=columns))
        limits = _tag("div", "Known in part: ", _names(traffic.limits), class_="soft") if traffic.limits else Html()
        unmapped = pluralize(len(traffic.unmapped), "origin")
        cells = (
            _time(zone["traffic"]["since"]),
            _share(traffic.share),
            f"{count_requests(traffic.mapped):,}",
            f"{len(traffic.mapped):,} of {len(traffic.mapped) + traffic.silent + traffic.unsure:,} reached",
            f"{pluralize(count_requests(traffic.unmapped), 'request')} to {unmapped}" if traffic.unmapped else "none",
        )
        return _row(
            _tag("th", link, limits, scope="row", role="rowheader"),
            *(_cell(cell, data_title=title) for cell, title in zip(cells, TRAFFIC_LABELS, strict=True)),
        )

    # Details of zones

    def details(self) -> Html:
        audited = [(number, *item) for number, item in enumerate(self.zones) if item[1]["error"] is None]
        audited.sort(key=lambda item: self.rank(item[2]))
        zones = [self.zone_details(*item, is_open=len(self.zones) == 1) for item in audited]
        return _section("details", "Details of the zones", *zones or [_tag("p", headline(self.report))])

    def zone_details(self, number: int, label: str, zone: Report, is_open: bool) -> Html:
        badges = [self.badge(kind, zone["counts"][kind]) for kind in KINDS if zone["counts"][kind]]
        if not badges:
            partly = zone["not_checked"]
            text, tone = ("No findings in what was checked", "note") if partly else ("No findings", "good")
            badges.append(_tag("span", text, class_=f"kind {tone}"))
        if zone["unavailable"]:
            badges.append(_tag("span", "Could not be checked for all kinds", class_="kind fail"))
        summary = _tag(
            "summary",
            _tag("h3", _names(label)),
            _tag("span", pluralize(zone["total_count"], "mapping"), class_="soft"),
            _tag("span", *badges, class_="kinds"),
        )
        contents = [summary, _facts(self.zone_facts(number, zone))]
        scriptless = _tag("p", "This needs JavaScript. It is in report.json too.", class_="scriptless")
        present, absent = (len(zone["repair"][key]) for key in ("present", "absent"))
        if present or absent:
            changes = [f"{present:,} to write"] * bool(present) + [f"{absent:,} to delete"] * bool(absent)
            title = _tag("summary", f"Repair: {', '.join(changes)}")
            contents.append(_tag("details", title, scriptless, class_="repair", data_zone=str(number)))
        if zone["mappings"]:
            title = _tag("summary", f"All {pluralize(len(zone['mappings']), 'mapping')}")
            contents.append(_tag("details", title, scriptless, class_="all", data_zone=str(number)))
        traffic = self.traffic.get(number)
        if traffic and traffic.mapped:
            title = _tag("summary", f"Traffic of {pluralize(len(traffic.mapped), 'mapped origin')}")
            contents.append(_tag("details", title, scriptless, class_="mapped", data_zone=str(number)))
        if traffic and traffic.unmapped:
            title = _tag("summary", f"Traffic of {pluralize(len(traffic.unmapped), 'origin')} without a mapping")
            contents.append(_tag("details", title, scriptless, class_="unmapped", data_zone=str(number)))
        return _tag("details", *contents, id=f"zone-{number}", class_="zone", open="" if is_open else None)

    def zone_facts(self, number: int, zone: Report) -> dict[str, str]:
        states = {True: "on", False: "off", None: "could not be read"}
        complete = {True: "known", False: "known in part", None: "could not be read"}
        reasons: dict[str, list[str]] = {}
        for kind, reason in zone["not_checked"].items():
            reasons.setdefault(reason, []).append(TITLES.get(kind, kind))
        facts: dict[str, str] = {
            "Mappings": f"{zone['total_count']:,} of {zone['limit']:,}",
            "Tiered Cache": states[zone["tiered_cache"]],
            "Smart Tiered Cache": states[zone["smart_tiered_cache"]],
            "Data centres": complete[zone["obtained_codes"]],
            "Origins from": ", ".join(zone["sources"]) or "nowhere",
            "Published ranges": _ages(zone["ranges"]) or "none",
            "Audited": _html(_time(zone["audited_on"]), f" by API {zone['api_version'] or 'not known'}"),
            "Zone": zone["zone_id"] or "not known",
            "Account": zone["account_id"] or "not known",
            "Not checked": "; ".join(f"{', '.join(titles)} ({reason})" for reason, titles in reasons.items()),
        }
        if traffic := self.traffic.get(number):
            facts["Traffic"] = self.traffic_facts(traffic)
        facts |= {f"Origins in {source} only": ", ".join(found) for source, found in zone["only_in"].items()}
        if zone["account_id"] and zone["zone"]:
            path = "/".join(quote(part, safe="") for part in (zone["account_id"], zone["zone"]))
            link = _tag("a", "Open in Cloudflare", href=f"https://dash.cloudflare.com/{path}", rel="noreferrer")
            facts["Dashboard"] = link
        return {name: value for name, value in facts.items() if value}

    def traffic_facts(self, traffic: ZoneTraffic) -> str:
        if traffic.unknown:
            return f"not known: {traffic.unknown}"
        shared = f"{format_share(traffic.share)} through expected data centres"
        parts = ["nothing to compare" if traffic.share is None else shared]
        parts += [f"{pluralize(traffic.silent, 'mapped origin')} without requests"] * bool(traffic.silent)
        parts += [f"{pluralize(traffic.unsure, 'mapped origin')} not known"] * bool(traffic.unsure)
        return "; ".join([*parts, *([traffic.limits] * bool(traffic.limits))])

    # The chart

    def chart(self) -> Html:
        """Build bars of one scale with their numbers, which screen readers read."""
        locations = Counter(
            (mapping["vendor"], mapping["region"]) for zone in self.report["zones"] for mapping in zone["mappings"]
        )
        if not locations:
            return _section("origins", "Origins by vendor and region", _tag("p", "There are no mappings."))
        vendors = Counter[str]()
        for (vendor, _region), count in locations.items():
            vendors[vendor] += count
        bars = {vendor: _bars(vendor, locations) for vendor in sorted(vendors)}
        longest = max(count for counts in bars.values() for count in counts.values())
        groups = []
        for vendor, counts in bars.items():
            share = f"{pluralize(vendors[vendor], 'mapping')}, {vendors[vendor] / locations.total():.0%}"
            title = _tag("h3", f"{vendor} ", _tag("span", share, class_="soft"))
            rows = (_bar(region, count, longest) for region, count in counts.items())
            class_ = f"vendor {vendor if vendor in VENDORS else 'other'}"
            groups.append(_tag("div", title, _tag("ul", *rows), class_=class_))
        return _section("origins", "Origins by vendor and region", _tag("div", *groups, class_="chart"))

    # The data

    def templates(self) -> Html:
        """Build templates for the script: the tools of tables, and tables."""
        tools = _tag(
            "div",
            _tag("label", "Filter ", _tag("input", type="search", autocomplete="off", spellcheck="false")),
            _tag("output", role="status"),
            class_="tools",
            role="group",
        )
        tables = {"mappings": ("Mappings", MAPPINGS_HEADER)}
        if self.traffic:
            tables["mapped-traffic"] = ("Traffic of mapped origins", MAPPED_HEADER)
            tables["unmapped-traffic"] = ("Traffic of origins without a mapping", UNMAPPED_HEADER)
        return _html(
            _tag("template", tools, id="tools"),
            *(
                _tag("template", _table(name, caption, header, ()), id=name)
                for name, (caption, header) in tables.items()
            ),
        )

    def data(self) -> Iterator[Html]:
        """Yield the blocks of data, which the script reads when it needs them."""
        yield _data("data-findings", self.findings_data())
        for number, (_label, zone) in enumerate(self.zones):
            if zone["mappings"] or zone["repair"]["present"] or zone["repair"]["absent"]:
                yield _data(f"data-zone-{number}", self.zone_data(zone))
        for number, traffic in self.traffic.items():
            if traffic.mapped or traffic.unmapped:
                yield _data(f"data-traffic-{number}", self.traffic_data(self.report["zones"][number], traffic))
        totals = self.report["totals"]
        yield _data(
            "data",
            {
                "kinds": [[TITLES[kind], self.tone(kind), totals[kind]] for kind in KINDS],
                "zones": [[label, zone["zone"], zone["zone_id"], len(zone["findings"])] for label, zone in self.zones],
                "locations": list(self.locations.numbers),
                "colos": list(self.colos),
            },
        )

    def findings_data(self) -> dict[str, Any]:
        found = [finding for _number, _label, finding in self.findings]
        addresses = {finding["origin_ip"] for finding in found if finding["origin_ip"]}
        ordered = sorted(addresses, key=lambda address: address_order(ip_address(address)))
        ranks = {address: rank for rank, address in enumerate(ordered)}
        number = self.locations.number
        return {
            "kind": [_INDEX[finding["kind"]] for finding in found],
            "zone": [zone for zone, _label, _finding in self.findings],
            "ip": _delta(finding["origin_ip"] or "" for finding in found),
            "rank": [ranks.get(finding["origin_ip"], -1) for finding in found],
            "hosts": _delta(", ".join(finding["hosts"]) for finding in found),
            "actual": [number(finding["actual"], finding["actual_colos"]) for finding in found],
            "expected": [number(finding["expected"], finding["expected_colos"]) for finding in found],
            "message": _delta(finding["message"] for finding in found),
        }

    def zone_data(self, zone: Report) -> dict[str, Any]:
        mappings, present, absent = zone["mappings"], zone["repair"]["present"], zone["repair"]["absent"]
        return {
            "ip": _delta(mapping["origin_ip"] for mapping in mappings),
            "hosts": _delta(", ".join(mapping["hosts"]) for mapping in mappings),
            "location": [self.locations.number(mapping, mapping["upper_tier_colos"]) for mapping in mappings],
            "kinds": {
                index: [_INDEX[kind] for kind in dict.fromkeys(mapping["findings"])]
                for index, mapping in enumerate(mappings)
                if mapping["findings"]
            },
            "present": {
                "ip": _delta(change["origin_ip"] for change in present),
                "location": [self.locations.number(change, ()) for change in present],
            },
            "absent": _delta(change["origin_ip"] for change in absent),
        }

    def traffic_data(self, zone: Report, traffic: ZoneTraffic) -> dict[str, Any]:
        mappings = {mapping["origin_ip"]: mapping for mapping in zone["mappings"]}
        # The data is smallest in the order of addresses.
        mapped = sorted(traffic.mapped, key=lambda origin: address_order(ip_address(origin["origin_ip"])))
        hosts = [mappings[origin["origin_ip"]]["hosts"] if origin["origin_ip"] in mappings else () for origin in mapped]
        misrouted = {ip for ip, mapping in mappings.items() if "misrouted" in mapping["findings"]}
        return {
            "mapped": {
                **self.reached(mapped),
                "hosts": _delta(", ".join(names) for names in hosts),
                "location": [self.locations.number(origin, origin["expected"]) for origin in mapped],
                "share": [origin["share_expected"] for origin in mapped],
                "misrouted": [index for index, origin in enumerate(mapped) if origin["origin_ip"] in misrouted],
            },
            "unmapped": {
                **self.reached(traffic.unmapped),
                "published": _delta(published_locations(zone, origin) for origin in traffic.unmapped),
            },
        }

    def reached(self, origins: Sequence[Report]) -> dict[str, Any]:
        """Return the addresses, direct requests and data centres of origins.

        Direct requests have no upper tier. The data centres of an origin are pairs of numbers in one list: 3 times
        that of its name, plus that of its mark; and its requests.
        """
        number = self.colos.setdefault
        return {
            "ip": _delta(origin["origin_ip"] for origin in origins),
            "direct": [origin["direct"] for origin in origins],
            "tiers": [
                [
                    value
                    for tier in origin["upper_tiers"]
                    for value in (
                        3 * number(tier["colo"], len(self.colos)) + TIER_MARKS.index(tier["expected"]),
                        tier["requests"],
                    )
                ]
                for origin in origins
            ],
        }


def _share(share: float | None) -> Html:
    """Build a bar of the share of requests through expected data centres."""
    if share is None:
        return _html(format_share(share))
    rectangle = _tag("rect", width=f"{share:.2f}", height="1")
    drawing = _tag("svg", rectangle, viewBox="0 0 100 1", preserveAspectRatio="none", aria_hidden="true")
    return _tag("div", drawing, _tag("span", format_share(share)), class_="share expected")


def _bars(vendor: str, locations: Counter[tuple[str, str]]) -> dict[str, int]:
    """Count the most frequent regions of a vendor, and the others as one."""
    regions = [(region, count) for (other, region), count in locations.items() if other == vendor]
    regions.sort(key=lambda item: (-item[1], item[0]))
    # A bar for a single other region would take as much room as the region itself.
    shown = regions if len(regions) == MAX_BARS + 1 else regions[:MAX_BARS]
    rest = regions[len(shown) :]
    return dict(shown) | ({f"{len(rest)} other regions": sum(count for _region, count in rest)} if rest else {})


def _bar(region: str, count: int, longest: int) -> Html:
    rectangle = _tag("rect", width=f"{100 * count / longest:.2f}", height="1")
    drawing = _tag("svg", rectangle, viewBox="0 0 100 1", preserveAspectRatio="none", aria_hidden="true")
    return _tag("li", _tag("span", region, title=region), drawing, _tag("span", f" {count:,}", class_="count"))
