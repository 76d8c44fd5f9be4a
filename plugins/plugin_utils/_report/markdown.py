# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Markdown reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from ...module_utils._schema import KINDS
from .model import TITLE, TITLES, Report, format_location, format_time, headline, pluralize, unchecked_kinds, zone_name

MAX_LISTED = 20
"""Findings of a zone and kind, and hosts of a finding, that are listed. The others are counted."""

MAX_LENGTH = 300
"""Characters of a text."""


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
    """Format the aggregate as Markdown, for the page of a pipeline's run."""
    return "\n".join(_markdown(report))


def _markdown(report: Report) -> Iterator[str]:
    totals, zones = report["totals"], report["zones"]
    yield from (f"# {TITLE}", "", f"**{headline(report)}**", "")
    clean = f"{pluralize(totals['clean'], 'zone')} without findings"
    yield from (
        f"{pluralize(totals['mappings'], 'mapping')}, {clean}, audited {format_time(report['generated_on'])}.",
        "",
    )
    failed = [zone for zone in zones if zone["error"] is not None]
    if failed:
        yield from ("## Could not be audited", "")
        yield from (f"- **{_escape(zone_name(zone))}**: {_escape(zone['error'])}" for zone in failed)
        yield ""
    yield from ("## Zones", "")
    yield from _table(("Zone", "Mappings", *TITLES.values()), map(_overview, zones))
    for zone in zones:
        if zone["findings"]:
            yield from (f"## {_escape(zone_name(zone))}", "")
        for kind, group in groupby(zone["findings"], key=lambda finding: finding["kind"]):
            findings = list(group)
            yield from (f"### {TITLES[kind]} ({len(findings):,})", "")
            header = ("Address", "Hosts", "Actual", "Expected", "Message")
            yield from _table(header, map(_finding, findings[:MAX_LISTED]))
            if len(findings) > MAX_LISTED:
                yield from (f"… and {len(findings) - MAX_LISTED:,} more of this kind.", "")


def _overview(zone: Report) -> Iterator[str]:
    yield _escape(zone_name(zone))
    if zone["error"] is not None:
        yield "could not be audited"
        yield from ("" for _kind in KINDS)
        return
    unchecked = unchecked_kinds(zone)
    yield f"{zone['total_count']:,}"
    for kind in KINDS:
        count = zone["counts"][kind]
        yield f"**{count:,}**" if count else "not known" if kind in unchecked else "0"


def _finding(finding: Report) -> Iterator[str]:
    yield finding["origin_ip"] or ""
    yield _join(finding["hosts"])
    yield _escape(format_location(finding["actual"]))
    yield _escape(format_location(finding["expected"]))
    yield _escape(finding["message"])
