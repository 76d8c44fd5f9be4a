# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit of a zone: options in, a report out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from .._connection import open_zone
from .._endpoints import MappingsApi
from .._errors import InvalidInput, Outcome, RegionsUnavailable
from .._locations import Locate, Unresolved
from .._mapping import Address, SupportedRegions, parse_address, parse_addresses, parse_mappings
from .._messages import item_label, quote
from .._zones import smart_tiered_cache, tiered_cache
from .findings import AuditInfo, ExpectedState, ZoneState, audit

UNREADABLE_SETTINGS = (
    "The credentials may not read whether Tiered Cache and Smart Tiered Cache are on, so the audit cannot determine "
    "whether mappings have an effect. Let the token read the zone's settings too: Zone, Zone Settings, Read"
)


def audit_zone(
    options: Mapping[str, Any], check_mode: bool, load_ranges: Callable[[Mapping[str, str]], Locate]
) -> Outcome:
    """Compare a zone with its expected state. Nothing is written.

    load_ranges reads the files of published ranges, by vendor.
    """
    if not 0 < options["near_limit"] <= 100:
        raise InvalidInput(f"near_limit: {options['near_limit']} is not between 1 and 100 percent")
    expected = _expected_state(options)
    paths = {vendor: path for vendor, path in (options["ranges"] or {}).items() if path}
    locate = load_ranges(paths) if paths else None
    warnings: list[str] = []
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    with open_zone(options) as zone:
        api, current = zone.negotiate(lambda api: api.fetch_all())
        reads: list[Callable[[], Any]] = [
            lambda: _supported_regions(api),
            lambda: tiered_cache(zone.client, zone.id),
            lambda: smart_tiered_cache(zone.client, zone.id),
        ]
        state = ZoneState(current.mappings, *zone.client.http.map_concurrently(lambda read: read(), reads))
    if state.tiered_cache is None or state.smart_tiered_cache is None:
        warnings.append(UNREADABLE_SETTINGS)
    if state.supported is None and state.tiered_cache is not False:
        warnings.append(
            f"Cloudflare did not return the regions that it supports for zone {zone.id}, so the audit does not look "
            "for unsupported ones"
        )
    info = AuditInfo(zone.id, options["zone"], api.name, now)
    report = audit(info, state, expected, locate, options["near_limit"])
    return Outcome({"changed": False, "report": report, **zone.source}, warnings, zone.deprecation)


def _supported_regions(api: MappingsApi) -> SupportedRegions | None:
    try:
        return api.supported_regions()
    except RegionsUnavailable:
        return None


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
            unresolved.append(Unresolved(item["host"], item["code"], item["reason"], tuple(addresses)))
    hosts: dict[Address, list[str]] = {}
    for text, names in (options["hosts"] or {}).items():
        try:
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise InvalidInput("its value is not a list of names")
            hosts.setdefault(parse_address(text), []).extend(names)
        except InvalidInput as error:
            problems.append(f"hosts[{quote(str(text))}]: {error}")
    if problems:
        raise InvalidInput("; ".join(problems))
    mappings = {address: mapping for address, mapping in parsed.wanted.items() if mapping}
    return ExpectedState(None if options["expected"] is None else mappings, unresolved, hosts)
