# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit: what was read of a zone beside what it should be, as findings and a report. Pure code."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping as Dict, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    Address,
    Mapping,
    address_order,
    canonical,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._plan import ZONE_LIMIT
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges import Location, Ranges
from ansible_collections.originops.cloudflare.plugins.module_utils._regions import SupportedRegions

Report = dict[str, Any]
"""What JSON makes of it is described by the role audit's report.schema.json."""

SCHEMA_VERSION = 1

KINDS = (
    "missing",
    "wrong",
    "stale",
    "contradicted",
    "unsupported",
    "unresolved",
    "near_limit",
    "without_effect",
)
"""The kinds of findings, in the order of a report."""


@dataclass(frozen=True)
class Head:
    """Which zone was audited, its name where that is known, and when (RFC 3339, UTC)."""

    zone_id: str
    zone: str | None
    api_version: str
    audited_on: str


@dataclass(frozen=True)
class Reading:
    """What was read of a zone: all of its mappings, and None for what could not be read of the rest."""

    mappings: Dict[Address, Mapping]
    supported: SupportedRegions | None
    tiered_cache: bool | None
    smart_tiered_cache: bool | None


@dataclass(frozen=True)
class Unresolved:
    """A host of the inventory that gets no mapping, or not all: why, and its addresses as far as they are known."""

    host: str
    reason: str
    addresses: tuple[Address, ...] = ()

    def __str__(self) -> str:
        return f"{self.host} ({self.reason})"

    def as_dict(self) -> dict[str, Any]:
        return {"host": self.host, "reason": self.reason, "addresses": [canonical(it) for it in self.addresses]}


@dataclass(frozen=True)
class Inventory:
    """What is expected of a zone: the mapping of every origin, None where there is nothing to compare with.

    hosts has the names of those behind an address.
    """

    expected: Dict[Address, Mapping] | None = None
    unresolved: Sequence[Unresolved] = ()
    hosts: Dict[Address, Sequence[str]] = field(default_factory=dict)


class Place(NamedTuple):
    """Where an origin is said to be; a region of None is any of the vendor's."""

    vendor: str
    region: str | None

    def __str__(self) -> str:
        return f"{self.vendor}/{self.region}" if self.region else f"{self.vendor}, without a region"

    @classmethod
    def of(cls, mapping: Mapping | None) -> Place | None:
        return cls(mapping.vendor, mapping.region) if mapping else None


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, with what the zone has and what another source says instead."""

    kind: str
    message: str
    address: Address | None = None
    hosts: Sequence[str] = ()
    actual: Place | None = None
    expected: Place | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Sort key: by kind, then address, those without one last, then host."""
        address = (0, *address_order(self.address)) if self.address else (1,)
        return KINDS.index(self.kind), address, *self.hosts, self.message

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "origin_ip": canonical(self.address) if self.address else None,
            "hosts": list(self.hosts),
            "actual": self.actual._asdict() if self.actual else None,
            "expected": self.expected._asdict() if self.expected else None,
            "message": self.message,
        }


@dataclass(frozen=True)
class Row:
    """One address, with what the zone and the inventory have for it."""

    address: Address
    actual: Place | None
    expected: Place | None
    hosts: Sequence[str]
    unresolved: bool
    """Whether it is known to belong to a host whose mapping is not known."""

    def __str__(self) -> str:
        return canonical(self.address)

    def finding(self, kind: str, message: str, expected: Place | None) -> Finding:
        return Finding(kind, message, self.address, self.hosts, self.actual, expected)


def audit(
    head: Head, reading: Reading, inventory: Inventory, ranges: Ranges | None = None, near_limit: int = 90
) -> Report:
    """The report on a zone. ranges are None where they are not to be looked at; near_limit is in percent."""
    rows = _rows(reading, inventory)
    regions = _regions(reading.supported)
    findings: list[Finding] = []
    for row in rows:
        if inventory.expected is not None:
            findings += _difference(row)
        if ranges is not None:
            findings += _contradiction(row, ranges.locate(row.address))
        if regions is not None:
            findings += _unsupported(row, regions)
    findings += _unresolved(reading, inventory)
    findings += _near_limit(reading, inventory, near_limit)
    findings += _without_effect(head, reading)
    findings.sort(key=lambda finding: finding.order)
    return _report(head, reading, rows, findings, compared=inventory.expected is not None)


def _rows(reading: Reading, inventory: Inventory) -> list[Row]:
    """Every address of the zone and of the inventory, in order."""
    expected = inventory.expected or {}
    unresolved: dict[Address, set[str]] = {}
    for it in inventory.unresolved:
        for address in it.addresses:
            unresolved.setdefault(address, set()).add(it.host)
    return [
        Row(
            address,
            Place.of(reading.mappings.get(address)),
            Place.of(expected.get(address)),
            sorted({*inventory.hosts.get(address, ()), *unresolved.get(address, ())}),
            address in unresolved,
        )
        for address in sorted(reading.mappings.keys() | expected.keys(), key=address_order)
    ]


def _regions(supported: SupportedRegions | None) -> dict[Place, list[str]] | None:
    """The supported regions with the data centres that they lead to, None where they are not known."""
    if supported is None:
        return None
    return {
        Place(vendor, region.name): sorted(region.upper_tier_colos)
        for vendor, regions in supported.vendors.items()
        for region in regions
    }


def _difference(row: Row) -> Iterator[Finding]:
    if row.actual == row.expected:
        return
    if row.actual is None:
        message = f"{row} has no mapping, but the inventory has an origin there, in {row.expected}"
        yield row.finding("missing", message, row.expected)
    elif row.expected is not None:
        message = f"{row} is mapped to {row.actual}, but the inventory has it in {row.expected}"
        yield row.finding("wrong", message, row.expected)
    elif not row.unresolved:
        yield row.finding("stale", f"{row} is mapped to {row.actual}, but the inventory has no origin there", None)


def _contradiction(row: Row, location: Location) -> Iterator[Finding]:
    """Of several placements one has to agree with the zone, and one without a region agrees with all of its vendor."""
    places = [Place(it.vendor, it.region) for it in location.placements]
    if row.actual is None or not places or not {row.actual, Place(row.actual.vendor, None)}.isdisjoint(places):
        return
    told = " or ".join(f"{place} ({it.prefix})" for place, it in zip(places, location.placements, strict=True))
    vendors, regions = {place.vendor for place in places}, {place.region for place in places}
    # As far as all of them say the same.
    agreed = Place(places[0].vendor, places[0].region if len(regions) == 1 else None) if len(vendors) == 1 else None
    message = f"{row} is mapped to {row.actual}, but the published ranges place it in {told}"
    yield row.finding("contradicted", message, agreed)


def _unsupported(row: Row, regions: Collection[Place]) -> Iterator[Finding]:
    whose: dict[Place, list[str]] = {}
    for owner, place in (("the zone", row.actual), ("the inventory", row.expected)):
        if place and place not in regions:
            whose.setdefault(place, []).append(owner)
    if whose:
        told = " and ".join(f"{place} of {' and of '.join(owners)}" for place, owners in whose.items())
        yield row.finding("unsupported", f"{row}: Cloudflare does not, or no longer, support {told}", row.expected)


def _unresolved(reading: Reading, inventory: Inventory) -> Iterator[Finding]:
    """One for each address of a host, so that every mapping can show its own."""
    for it in inventory.unresolved:
        for address in it.addresses or (None,):
            actual = Place.of(reading.mappings.get(address)) if address else None
            yield Finding("unresolved", f"{it.host}: {it.reason}", address, [it.host], actual)


def _near_limit(reading: Reading, inventory: Inventory, percent: int) -> Iterator[Finding]:
    numbers = {"the zone holds": len(reading.mappings), "the inventory has": len(inventory.expected or ())}
    if any(number * 100 >= ZONE_LIMIT * percent for number in numbers.values()):
        told = " and ".join(f"{what} {number}" for what, number in numbers.items() if number)
        yield Finding(
            "near_limit", f"Cloudflare allows {ZONE_LIMIT} mappings, and {told}, which is {percent} percent or more"
        )


def _without_effect(head: Head, reading: Reading) -> Iterator[Finding]:
    settings = (
        ("Tiered Cache", reading.tiered_cache, "argo/tiered_caching"),
        ("Smart Tiered Cache", reading.smart_tiered_cache, "cache/tiered_cache_smart_topology_enable"),
    )
    off = {name: f"PATCH /zones/{head.zone_id}/{path}" for name, on, path in settings if on is False}
    if off:
        yield Finding(
            "without_effect",
            f"The mappings have no effect, because {' and '.join(off)} {'are' if len(off) > 1 else 'is'} off: turn "
            f"{'them' if len(off) > 1 else 'it'} on for the zone (dashboard: Caching, Tiered Cache; "
            f'API: {" and ".join(off.values())} with {{"value": "on"}})',
        )


def _report(head: Head, reading: Reading, rows: Sequence[Row], findings: Sequence[Finding], compared: bool) -> Report:
    regions = _regions(reading.supported)
    kinds: dict[Address | None, dict[str, None]] = {}
    for finding in findings:
        kinds.setdefault(finding.address, {})[finding.kind] = None
    return {
        "schema_version": SCHEMA_VERSION,
        "zone_id": head.zone_id,
        "zone": head.zone,
        "api_version": head.api_version,
        "audited_on": head.audited_on,
        "error": None,
        "tiered_cache": reading.tiered_cache,
        "smart_tiered_cache": reading.smart_tiered_cache,
        "obtained_codes": reading.supported.obtained_codes if reading.supported else None,
        "compared": compared,
        "total_count": len(reading.mappings),
        "limit": ZONE_LIMIT,
        "counts": {kind: sum(finding.kind == kind for finding in findings) for kind in KINDS},
        "findings": [finding.as_dict() for finding in findings],
        "mappings": [
            {
                **reading.mappings[row.address].as_dict(),
                "upper_tier_colos": (regions or {}).get(row.actual, []),
                "hosts": row.hosts,
                "findings": [*kinds.get(row.address, ())],
            }
            for row in rows
            if row.actual
        ],
        "repair": {
            "present": [
                {"origin_ip": str(row), **row.expected._asdict()}
                for row in rows
                if row.expected and row.expected != row.actual and (regions is None or row.expected in regions)
            ],
            "absent": [
                {"origin_ip": str(row), **row.actual._asdict()}
                for row in rows
                if row.actual and "stale" in kinds.get(row.address, ())
            ],
        },
    }
