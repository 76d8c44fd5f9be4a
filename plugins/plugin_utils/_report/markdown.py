# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Markdown reports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, starmap

from ...module_utils._schema import KINDS
from .model import (
    GENERATOR,
    TITLE,
    TITLES,
    TRAFFIC_NOTE,
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
    unchecked_kinds,
)

MAX_LISTED = 20
"""Listed findings of a zone and kind, and listed hosts of a finding.

The others are counted.
"""

MAX_TIERS = 5
"""Listed data centres of an origin. The others are counted."""

MAX_LENGTH = 300
"""Maximum of characters of a text."""

MAX_BYTES = 900_000
"""Maximum size of a report in UTF-8.

The summary page of a GitHub workflow step takes 1 MiB.
"""


def _escape(text: str) -> str:
    """Escape text for Markdown, on one line and shortened."""
    line = " ".join(text.split())
    line = line if len(line) <= MAX_LENGTH else f"{line[: MAX_LENGTH - 1]}…"
    special = r"[\\`*_\[\]<>&|~$#@!^={}]|:(?=//)|(?<=www)\."
    return re.sub(special, lambda match: f"&#{ord(match[0])};", line, flags=re.IGNORECASE)


def _join(texts: list[str]) -> str:
    more = len(texts) - MAX_LISTED
    return _escape(", ".join(texts[:MAX_LISTED])) + (f", and {more:,} more" if more > 0 else "")


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    header = list(header)
    yield _row(header)
    yield _row("---" for _cell in header)
    yield from map(_row, rows)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def as_markdown(report: Report) -> str:
    """Format the aggregate as Markdown of at most MAX_BYTES.

    It is for the page of a pipeline's run.
    """
    note = "\nThe report is cut here, because it is too long. The other formats have all of it."
    size = len(note.encode()) + 1
    kept: list[str] = []
    for line in _markdown(report):
        size += len(line.encode()) + 1
        if size > MAX_BYTES:
            return "\n".join([*kept, note, ""])
        kept.append(line)
    return "\n".join(kept)


def _markdown(report: Report) -> Iterator[str]:
    totals, zones = report["totals"], labelled(report)
    yield from (f"<!-- generator: {GENERATOR} -->", "", f"# {TITLE}", "", f"**{_verdict(report)}**", "")
    clean = f"{pluralize(totals['clean'], 'zone')} without findings"
    yield f"{headline(report)} {pluralize(totals['mappings'], 'mapping')}, {clean}."
    fail_on = f"fail on {_escape(', '.join(report['fail_on']))}" if report["fail_on"] else "fail on no finding"
    audited = f"Audited {format_time(report['generated_on'])}" if zones else "Not audited"
    yield from (f"{audited}, to {fail_on}.", "")
    failed = [(label, zone) for label, zone in zones if zone["error"] is not None]
    if failed:
        yield from ("## Could not be audited", "")
        yield from (f"- **{_escape(label)}**: {_escape(zone['error'])}" for label, zone in failed)
        yield ""
    for title, unavailable in (("Could not be checked", True), ("Not checked", False)):
        found = [gap for gap in gaps(report) if gap.unavailable is unavailable]
        if found:
            yield from (f"## {title}", "")
            yield from (f"- {_escape(gap.text)}" for gap in found)
            yield ""
    if not zones:
        return
    yield from ("## Zones", "")
    yield from _table(("Zone", "Mappings", *TITLES.values()), starmap(_overview, zones))
    traffic = observed_zones(report)
    if traffic:
        yield from ("## Traffic", "", traffic_headline(traffic.values()), "", TRAFFIC_NOTE, "")
        header = (
            "Zone",
            "Through expected data centres",
            "Requests",
            "Mapped origins",
            "Without a mapping",
            "Not known",
        )
        ranked = sorted(traffic.items(), key=lambda item: item[1].rank)
        yield from _table(header, (_traffic(zones[number][0], observed) for number, observed in ranked))
    for number, (label, zone) in enumerate(zones):
        only_in = {source: found for source, found in zone["only_in"].items() if found}
        observed = traffic.get(number)
        if zone["findings"] or only_in or (observed and (observed.mapped or observed.unmapped)):
            yield from (f"## {_escape(label)}", "")
        for source, found in only_in.items():
            more = f" and {len(found) - MAX_LISTED:,} more" if len(found) > MAX_LISTED else ""
            yield from (f"Origins in {_escape(source)} only: {', '.join(found[:MAX_LISTED])}{more}", "")
        for kind, group in groupby(zone["findings"], key=lambda finding: finding["kind"]):
            findings = list(group)
            yield from (f"### {TITLES[kind]} ({len(findings):,})", "")
            header = ("Address", "Hosts", "Actual", "Expected", "Message")
            yield from _table(header, map(_finding, findings[:MAX_LISTED]))
            if len(findings) > MAX_LISTED:
                yield from (f"… and {len(findings) - MAX_LISTED:,} more of this kind.", "")
        if observed:
            yield from _origins(zone, observed)


def _verdict(report: Report) -> str:
    return f"Failed: {', '.join(map(_escape, report['failures']))}" if report["failures"] else "Passed"


def _overview(label: str, zone: Report) -> Iterator[str]:
    yield _escape(label)
    if zone["error"] is not None:
        yield "could not be audited"
        yield from ("" for _kind in KINDS)
        return
    unchecked = unchecked_kinds(zone)
    yield f"{zone['total_count']:,}"
    for kind in KINDS:
        count = zone["counts"][kind]
        yield f"**{count:,}**" if count else "not checked" if kind in unchecked else "0"


def _finding(finding: Report) -> Iterator[str]:
    yield finding["origin_ip"] or ""
    yield _join(finding["hosts"])
    yield _escape(format_location(finding["actual"]))
    yield _escape(format_location(finding["expected"]))
    yield _escape(finding["message"])


def _traffic(label: str, traffic: ZoneTraffic) -> Iterator[str]:
    yield _escape(label)
    if traffic.unknown:
        yield from ("", "", "", "", _escape(traffic.unknown))
        return
    yield format_share(traffic.share)
    yield f"{count_requests(traffic.mapped):,}"
    yield f"{len(traffic.mapped):,} of {len(traffic.mapped) + traffic.silent + traffic.unsure:,} reached"
    unmapped = pluralize(len(traffic.unmapped), "origin")
    yield f"{pluralize(count_requests(traffic.unmapped), 'request')} to {unmapped}" if traffic.unmapped else "none"
    yield _escape(traffic.limits)


def _origins(zone: Report, traffic: ZoneTraffic) -> Iterator[str]:
    """Yield the tables of origins that requests reached.

    Misrouted origins come first, then those with most requests.
    """
    misrouted = {mapping["origin_ip"] for mapping in zone["mappings"] if "misrouted" in mapping["findings"]}
    mapped = sorted(traffic.mapped, key=lambda origin: origin["origin_ip"] not in misrouted)
    yield from _origin_table(
        "Traffic of mapped origins",
        ("Address", "Actual", "Through expected", "Requests", "Data centres (✓ expected, ? not known)"),
        mapped,
        lambda origin: (
            format_location({"vendor": origin["vendor"], "region": origin["region"]}),
            format_share(origin["share_expected"]),
        ),
    )
    yield from _origin_table(
        "Traffic of origins without a mapping",
        ("Address", "Published ranges", "Requests", "Data centres"),
        traffic.unmapped,
        lambda origin: (published_locations(zone, origin),),
    )


def _origin_table(
    title: str, header: Iterable[str], origins: list[Report], describe: Callable[[Report], Iterable[str]]
) -> Iterator[str]:
    if not origins:
        return
    yield from (f"### {title} ({len(origins):,})", "")
    rows = (
        (origin["origin_ip"], *map(_escape, describe(origin)), f"{count_requests([origin]):,}", _escape(_tiers(origin)))
        for origin in origins[:MAX_LISTED]
    )
    yield from _table(header, rows)
    if len(origins) > MAX_LISTED:
        yield from (f"… and {pluralize(len(origins) - MAX_LISTED, 'more origin')}.", "")


def _tiers(origin: Report) -> str:
    """Format the data centres of an origin, with marks if it has a mapping."""
    marks = {True: " ✓", False: "", None: " ?"} if origin["vendor"] else {}
    parts = [
        f"{tier['colo']}{marks.get(tier['expected'], '')} {format_share(tier['share'])}"
        for tier in origin["upper_tiers"][:MAX_TIERS]
    ]
    others = len(origin["upper_tiers"]) - MAX_TIERS
    parts += [f"{others:,} more"] * (others > 0)
    parts += [f"{origin['direct']:,} requests without an upper tier"] * bool(origin["direct"])
    return ", ".join(parts)
