# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comparison of the upper tiers of origins with mappings, in pure code."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from ipaddress import IPv6Address
from typing import Any, NamedTuple

from .._mapping import Address, OriginMapping, address_order, canonical
from .._messages import join_bounded
from .._regions import SupportedRegions

DIRECT = ""
"""Data centre of requests that came to an origin without an upper tier."""


class Limit(NamedTuple):
    """Limit of the data: a code, the reason in words, and names."""

    code: str
    reason: str
    names: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"code": self.code, "reason": self.reason, "names": [*self.names]}


class Group(NamedTuple):
    """Requests to an origin through an upper tier, or DIRECT."""

    address: Address
    colo: str
    requests: int


def colo_code(text: str) -> str | None:
    """Return the three letters of a data centre in upper case, or None.

    A number after the letters is ignored: iad02 is IAD. A word that begins with three letters is no code.
    """
    match = re.fullmatch(r"([A-Za-z]{3})([-_ ]?\d[0-9A-Za-z]*)?", text.strip())
    return match[1].upper() if match else None


def describe_origins(
    groups: Collection[Group] | None,
    complete: bool,
    mappings: Mapping[Address, OriginMapping],
    supported: SupportedRegions | None,
) -> tuple[list[dict[str, Any]], list[Limit]]:
    """Return the origins of a result, and the limits of the comparison.

    They are the mapped ones and those with requests, most requests first. groups is None if the traffic is unknown;
    if it is not complete, the requests of an origin without a group are unknown.
    """
    counts: dict[Address, Counter[str]] = defaultdict(Counter)
    for group in groups or ():
        counts[_known_spelling(group.address, mappings)][colo_code(group.colo) or group.colo] += group.requests
    nothing = Counter[str]() if groups is not None and complete else None
    expected = _expected_colos(mappings.values(), supported)
    certain = supported is not None and supported.obtained_codes
    items = [
        _origin_item(address, mapping, counts.get(address, nothing), _colos_of(mapping, expected), certain)
        for address, mapping in {**dict.fromkeys(counts), **mappings}.items()
    ]
    items.sort(key=lambda item: (-(item[1]["requests"] or 0), -(item[1]["direct"] or 0), address_order(item[0])))
    seen = [mappings[address] for address in counts if address in mappings]
    unrecognized = {colo for by_colo in counts.values() for colo in by_colo if colo != DIRECT and not colo_code(colo)}
    return [item for _address, item in items], [
        *_limits_of_regions(seen, expected, certain),
        *_limits_of_colos(unrecognized),
    ]


def _known_spelling(address: Address, mappings: Collection[Address]) -> Address:
    """Return the IPv4 address inside an IPv4-mapped one.

    The latter is kept if it has a mapping itself.
    """
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return inner if inner and address not in mappings else address


def _expected_colos(
    mappings: Iterable[OriginMapping], supported: SupportedRegions | None
) -> dict[tuple[str, str], list[str]]:
    """Return the known data centres near the regions of mappings."""
    wanted = {(mapping.vendor, mapping.region) for mapping in mappings}
    return {
        (vendor, region.name): sorted({code for colo in region.upper_tier_colos if (code := colo_code(colo))})
        for vendor, regions in (supported.vendors if supported else {}).items()
        for region in regions
        if (vendor, region.name) in wanted
    }


def _colos_of(mapping: OriginMapping | None, expected: Mapping[tuple[str, str], list[str]]) -> list[str]:
    return expected.get((mapping.vendor, mapping.region), []) if mapping else []


def _origin_item(
    address: Address, mapping: OriginMapping | None, counts: Counter[str] | None, expected: list[str], certain: bool
) -> tuple[Address, dict[str, Any]]:
    """Return an origin of a result.

    certain says whether expected has all data centres near the region.
    """
    colos = [(colo, number) for colo, number in (counts or {}).items() if colo != DIRECT and number]
    total = sum(number for _colo, number in colos)
    upper_tiers: list[dict[str, Any]] = [
        {
            "colo": colo,
            "requests": number,
            "share": _percent(number, total),
            "expected": _is_expected(colo, expected, certain),
        }
        for colo, number in sorted(colos, key=lambda item: (-item[1], item[0]))
    ]
    compared = [tier for tier in upper_tiers if tier["expected"] is not None]
    through_expected = sum(tier["requests"] for tier in compared if tier["expected"])
    return address, {
        "origin_ip": canonical(address),
        "vendor": mapping.vendor if mapping else None,
        "region": mapping.region if mapping else None,
        "requests": None if counts is None else total,
        "direct": None if counts is None else counts[DIRECT],
        "upper_tiers": upper_tiers,
        "expected": expected,
        # Data centres that cannot be compared are left out of the share.
        "share_expected": (
            _percent(through_expected, sum(tier["requests"] for tier in compared)) if certain and compared else None
        ),
    }


def _is_expected(colo: str, expected: list[str], certain: bool) -> bool | None:
    """Check whether a data centre is expected, None if unknown."""
    if colo in expected:
        return True
    return False if expected and certain and colo_code(colo) else None


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1)


def _limits_of_regions(
    mappings: Iterable[OriginMapping], expected: Mapping[tuple[str, str], list[str]], certain: bool
) -> list[Limit]:
    """Report regions of which not all data centres are known."""
    used = sorted({(mapping.vendor, mapping.region) for mapping in mappings})
    names = tuple(f"{vendor}/{region}" for vendor, region in used if not certain or not expected.get((vendor, region)))
    if not names:
        return []
    shown = join_bounded(names, "limits")
    return [Limit("incomplete_colos", f"not all data centres near these regions are known: {shown}", names)]


def _limits_of_colos(unrecognized: Collection[str]) -> list[Limit]:
    """Report data centres that cannot be compared."""
    if not unrecognized:
        return []
    names = tuple(sorted(unrecognized))
    shown = join_bounded(names, "limits")
    return [
        Limit("unknown_colos", f"data centres could not be compared, for their spelling is unknown: {shown}", names)
    ]
