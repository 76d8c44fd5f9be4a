# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit of a zone: options in, a report out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import Any, TypeVar

from .._connection import ZoneClient, open_zone
from .._errors import CloudflareError, InvalidInput, Outcome, RegionsUnavailable
from .._locations import Locate, Unresolved
from .._mapping import Address, parse_address, parse_addresses, parse_mappings
from .._messages import item_label, join_bounded, quote
from .._schema import format_time
from .._settings import SMART_TIERED_CACHE_SETTING, TIERED_CACHE_SETTING
from .findings import AuditInfo, ExpectedState, ObservedTraffic, PublishedRanges, ZoneState, audit

T = TypeVar("T")

SETTINGS_PERMISSION = "Settings need the permission Zone Settings: Read"

LoadRanges = Callable[[Mapping[str, str]], Locate]
"""Reader of the files of published ranges, by vendor. Raises InvalidInput."""

Observe = Callable[[ZoneState], ObservedTraffic]
"""Comparison of the mappings of a zone with traffic that was read."""


def audit_zone(options: Mapping[str, Any], check_mode: bool, load_ranges: LoadRanges) -> Outcome:
    """Compare a zone with its expected state. Nothing is written."""
    check_near_limit(options["near_limit"])
    expected = _expected_state(options)
    ranges = read_ranges(options["ranges"], load_ranges)
    with open_zone(options) as zone:
        return audit_open_zone(zone, expected, ranges, options["near_limit"])


def check_near_limit(percent: int) -> None:
    """Raise InvalidInput if a value is not from 1 to 100 percent."""
    if not 0 < percent <= 100:
        raise InvalidInput(f"near_limit: {percent} is not between 1 and 100 percent")


def read_ranges(paths: Mapping[str, str | None] | None, load_ranges: LoadRanges) -> PublishedRanges:
    """Read the files of published ranges, by vendor.

    An unreadable file is the result's error.
    """
    existing = {vendor: path for vendor, path in (paths or {}).items() if path}
    if not existing:
        return PublishedRanges()
    try:
        locate = load_ranges(existing)
        times = {vendor: os.stat(os.path.expanduser(path)).st_mtime for vendor, path in existing.items()}
    except (InvalidInput, OSError) as error:
        return PublishedRanges(error=str(error))
    dates = {vendor: format_time(datetime.fromtimestamp(seconds, timezone.utc)) for vendor, seconds in times.items()}
    return PublishedRanges(locate, dates)


def audit_open_zone(
    zone: ZoneClient,
    expected: ExpectedState,
    ranges: PublishedRanges,
    near_limit: int,
    observe: Observe | None = None,
) -> Outcome:
    """Read a zone with its settings, and report on it.

    Only the mappings are required. Other data that cannot be read is null in the report, and causes a warning.
    """
    warnings: list[str] = []
    api, current = zone.negotiate(lambda api: api.fetch_all())

    def read(subject: str, function: Callable[[], T]) -> T | None:
        try:
            return function()
        except CloudflareError as error:
            unreadable[subject] = error
            return None

    unreadable: dict[str, CloudflareError] = {}
    regions = "the supported regions"
    reads: list[Callable[[], Any]] = [
        partial(read, regions, api.supported_regions),
        partial(read, "Tiered Cache", lambda: TIERED_CACHE_SETTING.read(zone.client, zone.id)),
        partial(read, "Smart Tiered Cache", lambda: SMART_TIERED_CACHE_SETTING.read(zone.client, zone.id)),
    ]
    state = ZoneState(current.mappings, *zone.client.http.map_concurrently(lambda function: function(), reads))
    if state.tiered_cache is False and isinstance(unreadable.get(regions), RegionsUnavailable):
        del unreadable[regions]
        state = replace(state, has_regions=False)
    for subject, error in sorted(unreadable.items()):
        reason = f"{error}. {SETTINGS_PERMISSION}" if error.credentials_refused else str(error)
        warnings.append(f"The audit could not read {subject}: {reason}")
    if ranges.error:
        warnings.append(f"The audit could not read the published ranges: {ranges.error}")
    info = AuditInfo(zone.id, zone.name, zone.account_id, api.name, format_time(datetime.now(timezone.utc)))
    traffic = observe(state) if observe else None
    report = audit(info, state, expected, ranges, near_limit, traffic=traffic)
    return Outcome({"changed": False, "report": report, **zone.source}, warnings, zone.deprecation)


def _expected_state(options: Mapping[str, Any]) -> ExpectedState:
    """Parse the options about origins.

    Raises InvalidInput naming all errors.
    """
    parsed = parse_mappings(options["expected"] or (), present=True, option="expected")
    problems = [*parsed.conflicts, *map(str, parsed.invalid)]
    unresolved = []
    for index, item in enumerate(options["unresolved"] or ()):
        try:
            addresses = parse_addresses(item["addresses"] or (), "addresses")
        except InvalidInput as error:
            problems.append(f"{item_label('unresolved', index)}: {error}")
        else:
            unresolved.append(
                Unresolved(item["host"], item["code"], item["reason"], tuple(addresses), item["unreadable"])
            )
    hosts: dict[Address, list[str]] = {}
    for text, names in (options["hosts"] or {}).items():
        try:
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise InvalidInput("its value is not a list of names")
            hosts.setdefault(parse_address(text), []).extend(names)
        except InvalidInput as error:
            problems.append(f"hosts[{quote(str(text))}]: {error}")
    if problems:
        raise InvalidInput(join_bounded(problems))
    mappings = {address: mapping for address, mapping in parsed.wanted.items() if mapping}
    return ExpectedState(None if options["expected"] is None else mappings, unresolved, hosts)
