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

from .._hints import turn_on_hint
from .._locations import Locate, Location, LookupResult, Unresolved
from .._mapping import ZONE_LIMIT, Address, OriginMapping, address_order, canonical, parse_address
from .._regions import SupportedRegions
from .._schema import KINDS, SCHEMA_VERSION

MAX_OTHERS = 3
"""Data centres other than expected in the message of a misrouted origin."""

Report = dict[str, Any]
"""Report on a zone: a ZONE_REPORT of _schema."""


@dataclass(frozen=True)
class AuditInfo:
    """Zone and time of an audit.

    zone and account_id are None if they are not known. audited_on is in RFC 3339, UTC.
    """

    zone_id: str
    zone: str | None
    account_id: str | None
    api_version: str
    audited_on: str


@dataclass(frozen=True)
class ZoneState:
    """State of a zone: all of its mappings and its settings.

    supported, tiered_cache and smart_tiered_cache are None if they could not be read. has_regions is false if
    the service has no supported regions, because Tiered Cache is off.
    """

    mappings: Mapping[Address, OriginMapping]
    supported: SupportedRegions | None
    tiered_cache: bool | None
    smart_tiered_cache: bool | None
    has_regions: bool = True


@dataclass(frozen=True)
class ExpectedState:
    """Expected state of a zone.

    mappings has the mapping of every origin, None if there is nothing to compare with. hosts has the names of the
    hosts behind an address. sources names where the origins are from; by_source has the addresses of each, if there
    are several. incomplete is the reason if a source could not be read as a whole.
    """

    mappings: Mapping[Address, OriginMapping] | None = None
    unresolved: Sequence[Unresolved] = ()
    hosts: Mapping[Address, Sequence[str]] = field(default_factory=dict)
    sources: Sequence[str] = ("inventory",)
    by_source: Mapping[str, Collection[Address]] = field(default_factory=dict)
    incomplete: str | None = None

    @property
    def can_repair_stale(self) -> bool:
        """Check whether all addresses of origins are known.

        Only then can a mapping without an origin be deleted.
        """
        return bool(self.mappings) and not self.incomplete and not any(host.hides_address for host in self.unresolved)

    def only_in(self) -> dict[str, list[str]]:
        """List the addresses that only one of several sources has, by source."""
        return {
            source: [
                canonical(address)
                for address in sorted(addresses, key=address_order)
                if not any(address in other for name, other in self.by_source.items() if name != source)
            ]
            for source, addresses in self.by_source.items()
        }


@dataclass(frozen=True)
class PublishedRanges:
    """Published ranges to compare with.

    locate looks up an address. times has the time of each vendor's file in RFC 3339, UTC. error is the reason if the
    files cannot be read.
    """

    locate: Locate | None = None
    times: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class ObservedTraffic:
    """Traffic to compare with, and the thresholds of a finding.

    section is a TRAFFIC of _schema, without the part from published ranges. unknown is the reason if the share of some
    origins is not known; unavailable says whether that is a failure to read it. min_share is in percent.
    """

    section: Mapping[str, Any]
    unknown: str | None
    unavailable: bool
    min_requests: int
    min_share: float


class Checks:
    """Kinds of findings that are checked, and the reasons for the others.

    unavailable has the kinds with unreadable data.
    """

    def __init__(self) -> None:
        self.not_checked: dict[str, str] = {}
        self.unavailable: list[str] = []

    def leave_out(self, reason: str, *kinds: str, unavailable: bool = False) -> None:
        """Leave out kinds for a reason; unavailable if their data was requested."""
        self.not_checked.update(dict.fromkeys(kinds, reason))
        self.unavailable += [kind for kind in kinds if unavailable and kind not in self.unavailable]

    @property
    def checked(self) -> list[str]:
        """List the kinds that are checked."""
        return [kind for kind in KINDS if kind not in self.not_checked]


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

    def as_dict(self, colos: Mapping[Location, list[str]]) -> dict[str, Any]:
        """Return the finding as plain data, with data centres of its locations."""
        return {
            "kind": self.kind,
            "origin_ip": canonical(self.address) if self.address else None,
            "hosts": list(self.hosts),
            "actual": self.actual._asdict() if self.actual else None,
            "expected": self.expected._asdict() if self.expected else None,
            "actual_colos": colos.get(self.actual, []) if self.actual else [],
            "expected_colos": colos.get(self.expected, []) if self.expected else [],
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
    info: AuditInfo,
    state: ZoneState,
    expected: ExpectedState,
    ranges: PublishedRanges = PublishedRanges(),
    near_limit: int = 90,
    *,
    traffic: ObservedTraffic | None = None,
) -> Report:
    """Make the report on a zone.

    near_limit is in percent. traffic is None if it is not to be compared.
    """
    comparisons = _compare(state, expected)
    regions = _regions(state.supported)
    origins = {origin["origin_ip"]: origin for origin in traffic.section["origins"]} if traffic else {}
    findings: list[Finding] = []
    for comparison in comparisons:
        if expected.mappings is not None:
            findings += _difference(comparison)
        if ranges.locate is not None:
            findings += _contradiction(comparison, ranges.locate(comparison.address))
        if regions is not None:
            findings += _unsupported(comparison, regions)
        if traffic is not None and comparison.actual and (origin := origins.get(str(comparison))):
            findings += _misrouted(comparison, origin, traffic)
    findings += _unresolved(state, expected)
    findings += _near_limit(state, expected, near_limit)
    findings += _without_effect(info, state, expected)
    findings += _no_origins(state, expected)
    findings.sort(key=lambda finding: finding.order)
    checks = _checks(state, expected, ranges, traffic)
    return {
        "schema_version": SCHEMA_VERSION,
        "zone": info.zone,
        "zone_id": info.zone_id,
        "account_id": info.account_id,
        "api_version": info.api_version,
        "audited_on": info.audited_on,
        "error": None,
        "sources": [] if expected.mappings is None else list(expected.sources),
        "only_in": expected.only_in(),
        "ranges": dict(ranges.times),
        "tiered_cache": state.tiered_cache,
        "smart_tiered_cache": state.smart_tiered_cache,
        "obtained_codes": state.supported.obtained_codes if state.supported else None,
        "total_count": len(state.mappings),
        "limit": ZONE_LIMIT,
        "checked": checks.checked,
        "not_checked": checks.not_checked,
        "unavailable": checks.unavailable,
        **_contents(state, expected, comparisons, findings),
        "traffic": _section(traffic, ranges.locate) if traffic else None,
    }


def _checks(
    state: ZoneState, expected: ExpectedState, ranges: PublishedRanges, traffic: ObservedTraffic | None
) -> Checks:
    """Determine the kinds that an audit with this data checks."""
    checks = Checks()
    if expected.mappings is None:
        checks.leave_out(
            "there are no origins to compare with", "missing", "wrong", "stale", "unresolved", "no_origins"
        )
    if expected.incomplete:
        checks.leave_out(f"not all origins are known: {expected.incomplete}", "missing", "stale", unavailable=True)
    if ranges.error:
        reason = f"the published ranges could not be read: {ranges.error}"
        checks.leave_out(reason, "contradicted", unavailable=True)
        if any(host.code in ("unknown_cloud", "unknown_region") for host in expected.unresolved):
            checks.leave_out(reason, "missing", "wrong", unavailable=True)
    elif ranges.locate is None:
        checks.leave_out("there are no published ranges to compare with", "contradicted")
    if state.supported is None:
        if state.has_regions:
            checks.leave_out("the supported regions could not be read", "unsupported", unavailable=True)
        else:
            checks.leave_out("Tiered Cache is off, so there are no supported regions", "unsupported")
    if traffic is None:
        checks.leave_out("there is no traffic to compare with", "misrouted")
    elif traffic.unknown:
        reason = f"not all of the traffic could be compared: {traffic.unknown}"
        checks.leave_out(reason, "misrouted", unavailable=traffic.unavailable)
    settings = (state.tiered_cache, state.smart_tiered_cache)
    if None in settings and False not in settings:
        checks.leave_out("the settings of Tiered Cache could not be read", "without_effect", unavailable=True)
    return checks


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
        message = f"{comparison} has no mapping, but is an origin in {expected}"
        yield comparison.finding("missing", message, expected)
    elif expected is not None:
        message = f"{comparison} is mapped to {actual}, but is an origin in {expected}"
        yield comparison.finding("wrong", message, expected)
    elif not comparison.unresolved:
        message = f"{comparison} is mapped to {actual}, but is not an origin"
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
    for source, location in (("the zone", comparison.actual), ("the origins", comparison.expected)):
        if location and location not in regions:
            sources.setdefault(location, []).append(source)
    if sources:
        places = " and ".join(f"{location} of {' and of '.join(names)}" for location, names in sources.items())
        message = f"{comparison}: Cloudflare does not, or no longer, support {places}"
        yield comparison.finding("unsupported", message, comparison.expected)


def _misrouted(comparison: AddressComparison, origin: Mapping[str, Any], traffic: ObservedTraffic) -> Iterator[Finding]:
    share = origin["share_expected"]
    if share is None or origin["requests"] < traffic.min_requests:
        return
    # The share is rounded, so it is only displayed.
    compared = [tier for tier in origin["upper_tiers"] if tier["expected"] is not None]
    through_expected = sum(tier["requests"] for tier in compared if tier["expected"])
    if 100 * through_expected >= traffic.min_share * sum(tier["requests"] for tier in compared):
        return
    others = [f"{tier['colo']} ({tier['share']:g} percent)" for tier in origin["upper_tiers"] if not tier["expected"]]
    message = (
        f"{comparison} is mapped to {comparison.actual}, but {share:g} percent of about {origin['requests']} requests "
        f"came through {' or '.join(origin['expected'])}, others through {', '.join(others[:MAX_OTHERS])}"
    )
    yield comparison.finding("misrouted", message, None)


def _unresolved(state: ZoneState, expected: ExpectedState) -> Iterator[Finding]:
    """Yield a finding for each address of a host, or one if it has none."""
    for host in expected.unresolved:
        for address in host.addresses or (None,):
            actual = _location(state.mappings.get(address)) if address else None
            yield Finding("unresolved", f"{host.host}: {host.reason}", address, [host.host], actual)


def _near_limit(state: ZoneState, expected: ExpectedState, percent: int) -> Iterator[Finding]:
    numbers = {"mappings": len(state.mappings), "origins": len(expected.mappings or ())}
    if any(number * 100 >= ZONE_LIMIT * percent for number in numbers.values()):
        sizes = " and ".join(f"{number} {noun}" for noun, number in numbers.items() if number)
        yield Finding(
            "near_limit",
            f"The zone has {sizes}, {percent} percent or more of the {ZONE_LIMIT} mappings that Cloudflare allows",
        )


def _without_effect(info: AuditInfo, state: ZoneState, expected: ExpectedState) -> Iterator[Finding]:
    if not state.mappings and not expected.mappings:
        return
    settings = (
        ("Tiered Cache", "enabled", state.tiered_cache),
        ("Smart Tiered Cache", "smart", state.smart_tiered_cache),
    )
    off = {name: option for name, option, is_on in settings if is_on is False}
    if off:
        yield Finding(
            "without_effect",
            f"The mappings have no effect, because {' and '.join(off)} {'are' if len(off) > 1 else 'is'} off: "
            f"{turn_on_hint(*off.values(), zone_id=info.zone_id)}",
        )


def _no_origins(state: ZoneState, expected: ExpectedState) -> Iterator[Finding]:
    """Yield a finding if a zone with mappings has no resolved origin.

    The source has probably failed.
    """
    if expected.mappings is not None and not expected.mappings and state.mappings:
        yield Finding(
            "no_origins",
            f"The zone has {len(state.mappings)} mappings, but no origin from {' and '.join(expected.sources)}: check "
            "where the origins come from before deleting anything",
        )


def _contents(
    state: ZoneState, expected: ExpectedState, comparisons: Sequence[AddressComparison], findings: Sequence[Finding]
) -> Report:
    """Return the findings, the mappings and the repair of a report."""
    regions = _regions(state.supported)
    kinds: dict[Address | None, dict[str, None]] = {}
    for finding in findings:
        kinds.setdefault(finding.address, {})[finding.kind] = None
    return {
        "counts": {kind: sum(finding.kind == kind for finding in findings) for kind in KINDS},
        "findings": [finding.as_dict(regions or {}) for finding in findings],
        "mappings": [
            {
                **state.mappings[comparison.address].value(),
                "modified_on": state.mappings[comparison.address].modified_on,
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
                # Without any origin the source has probably failed.
                if expected.can_repair_stale and comparison.actual and "stale" in kinds.get(comparison.address, ())
            ],
        },
    }


def _section(traffic: ObservedTraffic, locate: Locate | None) -> Report:
    """Return the traffic of a report.

    Origins without a mapping have their locations by the published ranges.
    """

    def published(origin: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        if locate is None or origin["vendor"]:
            return None
        matches = locate(parse_address(origin["origin_ip"])).matches
        return [location._asdict() for location in dict.fromkeys(match.location for match in matches)]

    origins = [{**origin, "published": published(origin)} for origin in traffic.section["origins"]]
    return {**traffic.section, "origins": origins}
