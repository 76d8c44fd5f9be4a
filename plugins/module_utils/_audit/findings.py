# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings: the state of a zone compared with its expected state.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._errors import SMART_TIERED_CACHE, TIERED_CACHE, turn_on_hint
from .._locations import Locate, Location, LookupResult, Unresolved
from .._mapping import ZONE_LIMIT, Address, OriginMapping, SupportedRegions, address_order, canonical
from .._schema import KINDS, SCHEMA_VERSION

Report = dict[str, Any]
"""Report on a zone: a ZONE_REPORT of _schema."""


@dataclass(frozen=True)
class AuditInfo:
    """Zone and time of an audit: its name if known, the time in RFC 3339, UTC."""

    zone_id: str
    zone: str | None
    api_version: str
    audited_on: str


@dataclass(frozen=True)
class ZoneState:
    """State of a zone: all of its mappings and its settings.

    supported, tiered_cache and smart_tiered_cache are None if they could not be read.
    """

    mappings: Mapping[Address, OriginMapping]
    supported: SupportedRegions | None
    tiered_cache: bool | None
    smart_tiered_cache: bool | None


@dataclass(frozen=True)
class ExpectedState:
    """Expected state of a zone.

    mappings has the mapping of every origin, None if there is nothing to compare with. hosts has the names of the
    hosts behind an address.
    """

    mappings: Mapping[Address, OriginMapping] | None = None
    unresolved: Sequence[Unresolved] = ()
    hosts: Mapping[Address, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """Deviation, with the zone's location and that of another source."""

    kind: str
    message: str
    address: Address | None = None
    hosts: Sequence[str] = ()
    actual: Location | None = None
    expected: Location | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Sort key: kind, address (none is last), host."""
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
class AddressComparison:
    """An address with its locations in the zone and in the inventory.

    unresolved is true if the address belongs to a host without a known mapping.
    """

    address: Address
    actual: Location | None
    expected: Location | None
    hosts: Sequence[str]
    unresolved: bool

    def __str__(self) -> str:
        return canonical(self.address)

    def finding(self, kind: str, message: str, expected: Location | None) -> Finding:
        """Make a finding about this address."""
        return Finding(kind, message, self.address, self.hosts, self.actual, expected)


def audit(
    info: AuditInfo, state: ZoneState, expected: ExpectedState, locate: Locate | None = None, near_limit: int = 90
) -> Report:
    """Make the report on a zone.

    locate looks addresses up in the published ranges; near_limit is in percent.
    """
    comparisons = _compare(state, expected)
    regions = _regions(state.supported)
    findings: list[Finding] = []
    for comparison in comparisons:
        if expected.mappings is not None:
            findings += _difference(comparison)
        if locate is not None:
            findings += _contradiction(comparison, locate(comparison.address))
        if regions is not None:
            findings += _unsupported(comparison, regions)
    findings += _unresolved(state, expected)
    findings += _near_limit(state, expected, near_limit)
    findings += _without_effect(info, state)
    findings.sort(key=lambda finding: finding.order)
    return _report(info, state, comparisons, findings, compared=expected.mappings is not None)


def _compare(state: ZoneState, expected: ExpectedState) -> list[AddressComparison]:
    """Compare every address of the zone and of the inventory, in order."""
    mappings = expected.mappings or {}
    unresolved: dict[Address, set[str]] = {}
    for host in expected.unresolved:
        for address in host.addresses:
            unresolved.setdefault(address, set()).add(host.host)
    return [
        AddressComparison(
            address,
            _location(state.mappings.get(address)),
            _location(mappings.get(address)),
            sorted({*expected.hosts.get(address, ()), *unresolved.get(address, ())}),
            address in unresolved,
        )
        for address in sorted(state.mappings.keys() | mappings.keys(), key=address_order)
    ]


def _location(mapping: OriginMapping | None) -> Location | None:
    return Location(mapping.vendor, mapping.region) if mapping else None


def _regions(supported: SupportedRegions | None) -> dict[Location, list[str]] | None:
    """Return the data centres of each supported region, None if unknown."""
    if supported is None:
        return None
    return {
        Location(vendor, region.name): sorted(region.upper_tier_colos)
        for vendor, regions in supported.vendors.items()
        for region in regions
    }


def _difference(comparison: AddressComparison) -> Iterator[Finding]:
    actual, expected = comparison.actual, comparison.expected
    if actual == expected:
        return
    if actual is None:
        message = f"{comparison} has no mapping, but the inventory has an origin there, in {expected}"
        yield comparison.finding("missing", message, expected)
    elif expected is not None:
        message = f"{comparison} is mapped to {actual}, but the inventory has it in {expected}"
        yield comparison.finding("wrong", message, expected)
    elif not comparison.unresolved:
        message = f"{comparison} is mapped to {actual}, but the inventory has no origin there"
        yield comparison.finding("stale", message, None)


def _contradiction(comparison: AddressComparison, published: LookupResult) -> Iterator[Finding]:
    """Yield a finding if no match agrees with the zone.

    A match without a region agrees with every region of its vendor.
    """
    actual = comparison.actual
    locations = [match.location for match in published.matches]
    if actual is None or not locations or not {actual, Location(actual.vendor, None)}.isdisjoint(locations):
        return
    vendors, regions = {location.vendor for location in locations}, {location.region for location in locations}
    # As far as all matches agree.
    expected = Location(vendors.pop(), regions.pop() if len(regions) == 1 else None) if len(vendors) == 1 else None
    places = " or ".join(f"{match.location} ({match.prefix})" for match in published.matches)
    message = f"{comparison} is mapped to {actual}, but the published ranges place it in {places}"
    yield comparison.finding("contradicted", message, expected)


def _unsupported(comparison: AddressComparison, regions: Collection[Location]) -> Iterator[Finding]:
    sources: dict[Location, list[str]] = {}
    for source, location in (("the zone", comparison.actual), ("the inventory", comparison.expected)):
        if location and location not in regions:
            sources.setdefault(location, []).append(source)
    if sources:
        places = " and ".join(f"{location} of {' and of '.join(names)}" for location, names in sources.items())
        message = f"{comparison}: Cloudflare does not, or no longer, support {places}"
        yield comparison.finding("unsupported", message, comparison.expected)


def _unresolved(state: ZoneState, expected: ExpectedState) -> Iterator[Finding]:
    """Yield a finding for each address of a host, or one without."""
    for host in expected.unresolved:
        for address in host.addresses or (None,):
            actual = _location(state.mappings.get(address)) if address else None
            yield Finding("unresolved", f"{host.host}: {host.reason}", address, [host.host], actual)


def _near_limit(state: ZoneState, expected: ExpectedState, percent: int) -> Iterator[Finding]:
    numbers = {"the zone holds": len(state.mappings), "the inventory has": len(expected.mappings or ())}
    if any(number * 100 >= ZONE_LIMIT * percent for number in numbers.values()):
        sizes = " and ".join(f"{subject} {number}" for subject, number in numbers.items() if number)
        yield Finding(
            "near_limit", f"Cloudflare allows {ZONE_LIMIT} mappings, and {sizes}, which is {percent} percent or more"
        )


def _without_effect(info: AuditInfo, state: ZoneState) -> Iterator[Finding]:
    settings = (
        ("Tiered Cache", TIERED_CACHE, state.tiered_cache),
        ("Smart Tiered Cache", SMART_TIERED_CACHE, state.smart_tiered_cache),
    )
    off = {name: path for name, path, is_on in settings if is_on is False}
    if off:
        yield Finding(
            "without_effect",
            f"The mappings have no effect, because {' and '.join(off)} {'are' if len(off) > 1 else 'is'} off: "
            f"{turn_on_hint(*off.values(), zone_id=info.zone_id)}",
        )


def _report(
    info: AuditInfo,
    state: ZoneState,
    comparisons: Sequence[AddressComparison],
    findings: Sequence[Finding],
    compared: bool,
) -> Report:
    regions = _regions(state.supported)
    kinds: dict[Address | None, dict[str, None]] = {}
    for finding in findings:
        kinds.setdefault(finding.address, {})[finding.kind] = None
    return {
        "schema_version": SCHEMA_VERSION,
        "zone_id": info.zone_id,
        "zone": info.zone,
        "api_version": info.api_version,
        "audited_on": info.audited_on,
        "error": None,
        "tiered_cache": state.tiered_cache,
        "smart_tiered_cache": state.smart_tiered_cache,
        "obtained_codes": state.supported.obtained_codes if state.supported else None,
        "compared": compared,
        "total_count": len(state.mappings),
        "limit": ZONE_LIMIT,
        "counts": {kind: sum(finding.kind == kind for finding in findings) for kind in KINDS},
        "findings": [finding.as_dict() for finding in findings],
        "mappings": [
            {
                **state.mappings[comparison.address].as_dict(),
                "upper_tier_colos": (regions or {}).get(comparison.actual, []),
                "hosts": comparison.hosts,
                "findings": [*kinds.get(comparison.address, ())],
            }
            for comparison in comparisons
            if comparison.actual
        ],
        "repair": {
            "present": [
                {"origin_ip": str(comparison), **comparison.expected._asdict()}
                for comparison in comparisons
                if comparison.expected
                and comparison.expected != comparison.actual
                and (regions is None or comparison.expected in regions)
            ],
            "absent": [
                {"origin_ip": str(comparison), **comparison.actual._asdict()}
                for comparison in comparisons
                if comparison.actual and "stale" in kinds.get(comparison.address, ())
            ],
        },
    }
