# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Origin mappings as values: addresses, vendors, regions, and lists of users."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple, TypeAlias

from ._errors import InvalidInput
from ._messages import item_label, quote, suggest

Address: TypeAlias = IPv4Address | IPv6Address

VENDORS = ("aws", "azure", "gcp", "oci")

ZONE_LIMIT = 3500
"""Mappings that a zone holds at most, by the API."""

ENTRY_KEYS = ("origin_ip", "ip", "vendor", "region", "modified_on")
"""Keys of a user's mapping; modified_on is ignored, so that mappings can be written back as they were read."""


def parse_address(text: Any) -> Address:
    """Parse one IPv4 or IPv6 address, without the blanks around it.

    An IPv4-mapped IPv6 address stays an IPv6 address. Raises InvalidInput for anything else, such as
    numbers, prefixes and addresses with a scope.
    """
    if text is None or text == "":
        raise InvalidInput("the address is missing")
    if not isinstance(text, str):
        raise InvalidInput(f"{quote(str(text))} is of type {type(text).__name__}, not the text of an address")
    trimmed = text.strip()
    try:
        address = ip_address(trimmed)
    except ValueError:
        kind = "a prefix, not a single address" if "/" in trimmed else "not an IPv4 or IPv6 address"
        raise InvalidInput(f"{quote(text)} is {kind}") from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise InvalidInput(f"{quote(text)} has a scope, which means nothing outside its own host")
    return address


def canonical(address: Address) -> str:
    """Format an address as RFC 5952 does.

    For IPv4-mapped addresses it has dotted quads, as str() has from Python 3.13 only.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return f"::ffff:{address.ipv4_mapped}"
    return str(address)


def address_order(address: Address) -> tuple[int, int]:
    """Sort key of an address: IPv4 first, then by number."""
    return address.version, int(address)


def check_vendor(vendor: Any) -> None:
    """Raise InvalidInput for an unknown vendor."""
    if vendor not in VENDORS:
        raise InvalidInput(f"vendor {quote(str(vendor))} is unknown: {suggest(str(vendor), VENDORS)}")


def validate_location(vendor: Any, region: Any) -> tuple[str, str]:
    """Return a vendor and a region if they are well-formed. Raises InvalidInput.

    Whether Cloudflare supports the region is known to the service alone.
    """
    if not vendor:
        raise InvalidInput(f"the vendor is missing: one of {', '.join(VENDORS)}")
    check_vendor(vendor)
    if not region or not isinstance(region, str):
        raise InvalidInput("the region is missing, or is not text")
    if not region.isprintable():
        raise InvalidInput(f"region {quote(region)} has control characters")
    return vendor, region


class Location(NamedTuple):
    """A vendor and a region.

    A region of None means any region of the vendor.
    """

    vendor: str
    region: str | None

    def __str__(self) -> str:
        return f"{self.vendor}/{self.region}" if self.region else f"{self.vendor}, without a region"


@dataclass(frozen=True)
class OriginMapping:
    """The mapping of one origin. Its address is its identity.

    modified_on (RFC 3339, from the API) does not count in comparisons.
    """

    address: Address
    vendor: str
    region: str
    modified_on: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{canonical(self.address)}: {self.vendor}/{self.region}"

    @property
    def location(self) -> Location:
        return Location(self.vendor, self.region)

    def value(self) -> dict[str, str | None]:
        return {"origin_ip": canonical(self.address), "vendor": self.vendor, "region": self.region}

    def as_dict(self) -> dict[str, str | None]:
        return {**self.value(), "modified_on": self.modified_on}


@dataclass(frozen=True)
class ZoneMappings:
    """Mappings read from a zone: those of some addresses, or all if complete.

    total counts all mappings of the zone, None where it was not read.
    """

    mappings: dict[Address, OriginMapping]
    total: int | None = None
    complete: bool = False


@dataclass(frozen=True)
class InvalidItem:
    """An unusable item of a list of mappings: its index, its raw values, and the error."""

    index: int
    raw: dict[str, Any]
    error: str
    option: str = "mappings"

    def __str__(self) -> str:
        return f"{item_label(self.option, self.index)}, origin_ip {quote(str(self.raw['origin_ip']))}: {self.error}"

    def as_dict(self) -> dict[str, Any]:
        return {**self.raw, "error": self.error}


@dataclass(frozen=True)
class ParsedMappings:
    """A parsed list of mappings.

    wanted has every usable address once, with None where it shall have no mapping. index has the first index of
    every address that is named at all, usable or not: a purge keeps those. conflicts describes addresses that are
    listed with different values.
    """

    wanted: dict[Address, OriginMapping | None] = field(default_factory=dict)
    index: dict[Address, int] = field(default_factory=dict)
    invalid: list[InvalidItem] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def parse_mappings(entries: Sequence[Any], present: bool, option: str = "mappings") -> ParsedMappings:
    """Parse dictionaries of origin_ip or ip, vendor and region.

    Where present is false only the addresses count, which then may be plain text.
    """
    parsed = ParsedMappings()
    values: dict[Address, tuple[Any, Any]] = {}
    for index, entry in enumerate(entries):
        raw = _normalize_entry(entry)
        try:
            if present:
                _check_keys(entry)
            address = parse_address(raw["origin_ip"])
        except InvalidInput as error:
            parsed.invalid.append(InvalidItem(index, raw, str(error), option))
            parsed.index.update(dict.fromkeys(_addresses_in(entry), index))
            continue
        first = parsed.index.setdefault(address, index)
        if not present:
            parsed.wanted[address] = None
            continue
        vendor, region = raw["vendor"], raw["region"]
        if values.setdefault(address, (vendor, region)) != (vendor, region):
            earlier, later = (quote(f"{v}/{r}") for v, r in (values[address], (vendor, region)))
            parsed.conflicts.append(
                f"{item_label(option, first)} and {item_label(option, index)} give {canonical(address)} "
                f"different values: {earlier} and {later}"
            )
        try:
            parsed.wanted[address] = OriginMapping(address, *validate_location(vendor, region))
        except InvalidInput as error:
            parsed.invalid.append(InvalidItem(index, raw, str(error), option))
    return parsed


def parse_addresses(texts: Sequence[str], option: str) -> Collection[Address]:
    """Parse a list of addresses, each once, in order.

    Raises InvalidInput naming every bad item.
    """
    addresses: dict[Address, None] = {}
    problems: list[str] = []
    for index, text in enumerate(texts):
        try:
            addresses[parse_address(text)] = None
        except InvalidInput as error:
            problems.append(f"{item_label(option, index)}: {error}")
    if problems:
        raise InvalidInput("; ".join(problems))
    return addresses.keys()


def _normalize_entry(entry: Any) -> dict[str, Any]:
    """Return the values of an entry of any type under the names of results."""
    if not isinstance(entry, dict):
        return {"origin_ip": entry, "vendor": None, "region": None}
    return {
        "origin_ip": entry.get("origin_ip", entry.get("ip")),
        "vendor": entry.get("vendor"),
        "region": entry.get("region"),
    }


def _check_keys(entry: Any) -> None:
    """Raise InvalidInput for an unknown key, or for an address under both of its names."""
    if not isinstance(entry, dict):
        raise InvalidInput("a mapping is a dictionary of origin_ip, vendor and region")
    unknown = [str(name) for name in entry if name not in ENTRY_KEYS]
    if unknown:
        raise InvalidInput(f"{', '.join(map(quote, unknown))} is unknown here: {suggest(unknown[0], ENTRY_KEYS)}")
    if "ip" in entry and "origin_ip" in entry:
        raise InvalidInput("ip and origin_ip are the same, give one")


def _addresses_in(entry: Any) -> list[Address]:
    """List the addresses in an unusable entry, less prefix lengths and scopes, so that no purge deletes them."""
    addresses = []
    for value in entry.values() if isinstance(entry, dict) else [entry]:
        with suppress(ValueError):
            addresses.append(ip_address(str(value).partition("/")[0].partition("%")[0].strip()))
    return addresses


@dataclass(frozen=True, order=True)
class Region:
    """A region by the vendor's name for it, and the data centres (IATA codes) of its upper tiers."""

    name: str
    upper_tier_colos: list[str]


@dataclass(frozen=True)
class SupportedRegions:
    """Regions that Cloudflare supports for a zone, by vendor.

    Without obtained_codes the data centres may be incomplete.
    """

    obtained_codes: bool
    vendors: dict[str, list[Region]]

    def problem(self, mapping: OriginMapping) -> str | None:
        """Describe why the service would refuse this vendor and region, None where it would not."""
        names = [region.name for region in self.vendors.get(mapping.vendor, ())]
        if mapping.region in names:
            return None
        return (
            f"region {quote(mapping.region)} is not supported for vendor {mapping.vendor}: "
            f"{suggest(mapping.region, names)}"
        )


@dataclass(frozen=True, slots=True)
class RangeMatch:
    """A published prefix that has an address.

    Region is None where the vendor names none.
    """

    vendor: str
    region: str | None
    prefix: str

    @property
    def location(self) -> Location:
        return Location(self.vendor, self.region)


@dataclass(frozen=True, slots=True)
class LookupResult:
    """Location of an address by the published ranges.

    status is found, with one match; global, with one match without a region; ambiguous, with matches that
    contradict each other; or unknown, without any. An unknown address may be in a cloud all the same.
    """

    status: str
    matches: tuple[RangeMatch, ...] = ()


Locate: TypeAlias = Callable[[Address], LookupResult]
"""Looks an address up in the published ranges."""


@dataclass(frozen=True)
class Unresolved:
    """A host without a mapping, or with fewer than it has addresses: the reason, and its known addresses."""

    host: str
    reason: str
    addresses: tuple[Address, ...] = ()

    def __str__(self) -> str:
        return f"{self.host} ({self.reason})"

    def as_dict(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "reason": self.reason,
            "addresses": [canonical(address) for address in self.addresses],
        }
