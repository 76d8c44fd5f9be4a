# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Published ranges of several clouds, and lookups in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from .._errors import InvalidInput
from .._locations import LookupResult, RangeMatch
from .._mapping import VENDORS, Address, canonical, check_vendor
from .._messages import type_name
from .formats import VendorRanges, invalid_if_unreadable, parse_ranges, read_file


class Ranges:
    """Published ranges of some vendors."""

    def __init__(self, vendors: Iterable[VendorRanges]) -> None:
        self._vendors = tuple(vendors)
        self._lengths = {
            version: sorted({length for ranges in self._vendors for length in ranges.tables[version]}, reverse=True)
            for version in (4, 6)
        }

    @classmethod
    def load(cls, paths: Mapping[str, str]) -> Ranges:
        """Load the vendors' files, by vendor. Raises InvalidInput.

        A file that this process has read before is read again only if it has changed.
        """
        if not paths:
            raise InvalidInput(f"no file of published ranges is set: set one or more of {', '.join(VENDORS)}")
        for vendor, path in paths.items():
            check_vendor(vendor)
            if not isinstance(path, str):
                raise InvalidInput(f"{vendor}: the path of its file is of type {type_name(path)}, not text")
        return cls(_load(vendor, path) for vendor, path in paths.items())

    def locate(self, address: Address) -> LookupResult:
        """Look up an address.

        The longest prefix wins, and at equal length a prefix with a region wins over one without.
        """
        number, bits = int(address), address.max_prefixlen
        tables = [(ranges.vendor, ranges.tables[address.version]) for ranges in self._vendors]
        for length in self._lengths[address.version]:
            network = number >> (bits - length)
            found = [
                (vendor, region)
                for vendor, table in tables
                if length in table
                for region in table[length].get(network, ())
            ]
            if found:
                prefix = f"{canonical(type(address)(network << (bits - length)))}/{length}"
                return _classify([RangeMatch(vendor, region, prefix) for vendor, region in found])
        return LookupResult("unknown")


_cache: dict[tuple[str, str], tuple[tuple[int, ...], VendorRanges]] = {}
"""Ranges by vendor and path, each with the state of its file when read."""


def _load(vendor: str, path: str) -> VendorRanges:
    path = os.path.abspath(os.path.expanduser(path))
    with invalid_if_unreadable(vendor, path):
        status = os.stat(path)
    state = status.st_mtime_ns, status.st_size, status.st_ino
    cached = _cache.get((vendor, path))
    if cached and cached[0] == state:
        return cached[1]
    ranges = parse_ranges(vendor, read_file(vendor, path), path)
    _cache[vendor, path] = state, ranges
    return ranges


def _classify(matches: list[RangeMatch]) -> LookupResult:
    regional = [match for match in matches if match.region is not None]
    best = tuple(regional or matches)
    if len(best) > 1:
        return LookupResult("ambiguous", best)
    return LookupResult("found" if regional else "global", best)
