# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit of a zone as a module does it: options in, a report out. Apart from what writes, which need not load it."""

from __future__ import annotations

from collections.abc import Callable, Mapping as Dict
from datetime import datetime, timezone
from typing import Any

from ansible_collections.originops.cloudflare.plugins.module_utils._audit import (
    Head,
    Inventory,
    Reading,
    Unresolved,
    audit,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput, RegionsUnavailable
from ansible_collections.originops.cloudflare.plugins.module_utils._generations import Generation
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    Address,
    parse_address,
    parse_addresses,
    parse_mappings,
    position,
    shorten,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._options import open_zone
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges import Ranges
from ansible_collections.originops.cloudflare.plugins.module_utils._regions import SupportedRegions
from ansible_collections.originops.cloudflare.plugins.module_utils._settings import smart_tiered_cache, tiered_cache

UNREADABLE_SETTINGS = (
    "The credentials may not read whether Tiered Cache and Smart Tiered Cache are on, so the audit cannot tell whether "
    "mappings have an effect. Let the token read the zone's settings too: Zone, Zone Settings, Read"
)


def audit_zone(options: Dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Compare a zone with what is expected of it. Reads only, whether or not this is check mode."""
    if not 0 < options["near_limit"] <= 100:
        raise InvalidInput(f"near_limit: {options['near_limit']} is not between 1 and 100 percent")
    inventory = _inventory(options)
    paths = {vendor: path for vendor, path in (options["ranges"] or {}).items() if path}
    ranges = Ranges.load(paths) if paths else None
    warnings: list[str] = []
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    with open_zone(options) as zone:
        generation, current = zone.first(lambda generation: generation.whole())
        reads: list[Callable[[], Any]] = [
            lambda: _supported_regions(generation),
            lambda: tiered_cache(zone.client, zone.id),
            lambda: smart_tiered_cache(zone.client, zone.id),
        ]
        reading = Reading(current.mappings, *zone.client.concurrently(lambda read: read(), reads))
    if reading.tiered_cache is None or reading.smart_tiered_cache is None:
        warnings.append(UNREADABLE_SETTINGS)
    if reading.supported is None and reading.tiered_cache is not False:
        warnings.append(
            f"Cloudflare did not tell the regions that it supports for zone {zone.id}, so the audit leaves out which "
            "are unsupported"
        )
    head = Head(zone.id, options["zone"], generation.name, now)
    return {
        "changed": False,
        "report": audit(head, reading, inventory, ranges, options["near_limit"]),
        "warnings": warnings,
        **zone.as_result(),
    }


def _supported_regions(generation: Generation) -> SupportedRegions | None:
    try:
        return generation.supported_regions()
    except RegionsUnavailable:
        return None


def _inventory(options: Dict[str, Any]) -> Inventory:
    """What the options of an audit say of the origins. Raises InvalidInput naming all that is wrong with them."""
    listing = parse_mappings(options["expected"] or (), present=True, option="expected")
    problems = [*listing.conflicts, *map(str, listing.bad)]
    unresolved = []
    for index, item in enumerate(options["unresolved"] or ()):
        try:
            addresses = parse_addresses(item["addresses"] or (), "addresses")
        except InvalidInput as error:
            problems.append(f"{position('unresolved', index)}: {error}")
        else:
            unresolved.append(Unresolved(item["host"], item["reason"], tuple(addresses)))
    hosts: dict[Address, list[str]] = {}
    for text, names in (options["hosts"] or {}).items():
        try:
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise InvalidInput("its value is not a list of names")
            hosts.setdefault(parse_address(text), []).extend(names)
        except InvalidInput as error:
            problems.append(f"hosts[{shorten(str(text))}]: {error}")
    if problems:
        raise InvalidInput("; ".join(problems))
    expected = {address: mapping for address, mapping in listing.wanted.items() if mapping}
    return Inventory(None if options["expected"] is None else expected, unresolved, hosts)
