# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Markdown reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, starmap

from ...module_utils._schema import KINDS
from .model import (
    GENERATOR,
    TITLE,
    TITLES,
    Report,
    format_location,
    format_time,
    gaps,
    headline,
    labelled,
    pluralize,
    unchecked_kinds,
)

MAX_LISTED = 20
"""Findings of a zone and kind, and hosts of a finding, that are listed. The others are counted."""

MAX_LENGTH = 300
"""Characters of a text."""

MAX_BYTES = 900_000
"""Size of a report in UTF-8. The summary page of a GitHub workflow step takes 1 MiB."""


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
    """Format the aggregate as Markdown of at most MAX_BYTES, for the page of a pipeline's run."""
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
    for label, zone in zones:
        if zone["findings"]:
            yield from (f"## {_escape(label)}", "")
        for kind, group in groupby(zone["findings"], key=lambda finding: finding["kind"]):
            findings = list(group)
            yield from (f"### {TITLES[kind]} ({len(findings):,})", "")
            header = ("Address", "Hosts", "Actual", "Expected", "Message")
            yield from _table(header, map(_finding, findings[:MAX_LISTED]))
            if len(findings) > MAX_LISTED:
                yield from (f"… and {len(findings) - MAX_LISTED:,} more of this kind.", "")


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
