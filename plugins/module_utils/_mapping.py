# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mappings as values: an address, the cloud vendor and the region behind it, and how users spell them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, TypeAlias

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput

Address: TypeAlias = IPv4Address | IPv6Address

VENDORS = ("aws", "azure", "gcp", "oci")

ENTRY_KEYS = ("origin_ip", "ip", "vendor", "region", "modified_on")
"""What a user's mapping may have; modified_on means nothing, but mappings that were read back have it."""


def parse_address(text: Any) -> Address:
    """The address that a user or the API wrote, blanks around it trimmed.

    Raises InvalidInput for everything that is not exactly one address, numbers included. An
    IPv4-mapped IPv6 address stays an IPv6 address.
    """
    if text is None or text == "":
        raise InvalidInput("the address is missing")
    if not isinstance(text, str):
        raise InvalidInput(f"{shorten(str(text))} is of type {type(text).__name__}, not the text of an address")
    trimmed = text.strip()
    try:
        address = ip_address(trimmed)
    except ValueError:
        kind = "a prefix, not a single address" if "/" in trimmed else "not an IPv4 or IPv6 address"
        raise InvalidInput(f"{shorten(text)} is {kind}") from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise InvalidInput(f"{shorten(text)} has a scope, which means nothing outside its own host")
    return address


def canonical(address: Address) -> str:
    """The text of RFC 5952, which wants dotted quads in IPv4-mapped addresses: str() does so from Python 3.13 only."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return f"::ffff:{address.ipv4_mapped}"
    return str(address)


def address_order(address: Address) -> tuple[int, int]:
    """Sort key: IPv4 first, then by number."""
    return address.version, int(address)


def shorten(text: str) -> str:
    """User's text quoted for a message."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def nearest(name: str, known: Iterable[str]) -> str:
    """Advice for a name that is not among the known ones: the likely spelling, else all of them."""
    from difflib import get_close_matches  # only paid for by a task that fails

    known = sorted(known)
    if not known:
        return "there are none"
    close = [other for other in known if other.casefold() == name.strip().casefold()]
    close = close or get_close_matches(name.casefold(), known, n=3)
    return f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(known)}"


@dataclass(frozen=True)
class Mapping:
    """One origin: its address is the identity; modified_on (RFC 3339, from the API) is no part of its value."""

    address: Address
    vendor: str
    region: str
    modified_on: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{canonical(self.address)}: {self.vendor}/{self.region}"

    def value(self) -> dict[str, str | None]:
        return {"origin_ip": canonical(self.address), "vendor": self.vendor, "region": self.region}

    def as_dict(self) -> dict[str, str | None]:
        return {**self.value(), "modified_on": self.modified_on}


@dataclass(frozen=True)
class Snapshot:
    """What was read of a zone.

    mappings holds what was asked for. total counts all mappings of the zone, None where it was
    not read. whole tells that mappings is the entire zone.
    """

    mappings: dict[Address, Mapping]
    total: int | None = None
    whole: bool = False


@dataclass(frozen=True)
class BadItem:
    """An item of a list of mappings that cannot be used: its index, as the user wrote it, and why not."""

    index: int
    given: dict[str, Any]
    error: str
    option: str = "mappings"

    def __str__(self) -> str:
        return f"{position(self.option, self.index)}, origin_ip {shorten(str(self.given['origin_ip']))}: {self.error}"

    def as_dict(self) -> dict[str, Any]:
        return {**self.given, "error": self.error}


@dataclass(frozen=True)
class Listing:
    """The option mappings, understood.

    wanted has every usable address once, with None where it shall have no mapping. index has the
    first place of every address that is named at all, usable or not: a purge must spare them.
    conflicts tells of addresses that are listed with different values.
    """

    wanted: dict[Address, Mapping | None] = field(default_factory=dict)
    index: dict[Address, int] = field(default_factory=dict)
    bad: list[BadItem] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def position(option: str, index: int) -> str:
    return f"item {index + 1} ({option}[{index}])"


def checked_values(vendor: Any, region: Any) -> tuple[str, str]:
    """A vendor and a region as a mapping has them, as far as can be told offline. Raises InvalidInput."""
    if not vendor:
        raise InvalidInput(f"the vendor is missing: one of {', '.join(VENDORS)}")
    if vendor not in VENDORS:
        raise InvalidInput(f"vendor {shorten(str(vendor))} is unknown: {nearest(str(vendor), VENDORS)}")
    if not region or not isinstance(region, str):
        raise InvalidInput("the region is missing, or is not text")
    if not region.isprintable():
        raise InvalidInput(f"region {shorten(region)} has control characters")
    return vendor, region


def parse_mappings(entries: Sequence[Any], present: bool, option: str = "mappings") -> Listing:
    """Understand an option whose entries should be dictionaries of origin_ip or ip, vendor and region.

    Where present is false only the addresses count.
    """
    listing = Listing()
    values: dict[Address, tuple[Any, Any]] = {}
    for index, entry in enumerate(entries):
        given = _given(entry)
        try:
            if present:
                _check_keys(entry)
            address = parse_address(given["origin_ip"])
        except InvalidInput as error:
            listing.bad.append(BadItem(index, given, str(error), option))
            listing.index.update(dict.fromkeys(_named(entry), index))
            continue
        first = listing.index.setdefault(address, index)
        if not present:
            listing.wanted[address] = None
            continue
        vendor, region = given["vendor"], given["region"]
        if values.setdefault(address, (vendor, region)) != (vendor, region):
            one, other = (shorten(f"{v}/{r}") for v, r in (values[address], (vendor, region)))
            listing.conflicts.append(
                f"{position(option, first)} and {position(option, index)} give {canonical(address)} "
                f"different values: {one} and {other}"
            )
        try:
            listing.wanted[address] = Mapping(address, *checked_values(vendor, region))
        except InvalidInput as error:
            listing.bad.append(BadItem(index, given, str(error), option))
    return listing


def parse_addresses(texts: Sequence[str], option: str) -> Collection[Address]:
    """The addresses of an option that is a list, each once, in order. Raises InvalidInput naming every bad one."""
    addresses: dict[Address, None] = {}
    problems: list[str] = []
    for index, text in enumerate(texts):
        try:
            addresses[parse_address(text)] = None
        except InvalidInput as error:
            problems.append(f"{position(option, index)}: {error}")
    if problems:
        raise InvalidInput("; ".join(problems))
    return addresses.keys()


def _given(entry: Any) -> dict[str, Any]:
    """What an entry says, whatever it is, under the names that results have."""
    if not isinstance(entry, dict):
        return {"origin_ip": entry, "vendor": None, "region": None}
    return {
        "origin_ip": entry.get("origin_ip", entry.get("ip")),
        "vendor": entry.get("vendor"),
        "region": entry.get("region"),
    }


def _check_keys(entry: Any) -> None:
    """Raises InvalidInput for a misspelled name, and for an address of two names."""
    if not isinstance(entry, dict):
        raise InvalidInput("a mapping is a dictionary of origin_ip, vendor and region")
    unknown = [str(name) for name in entry if name not in ENTRY_KEYS]
    if unknown:
        raise InvalidInput(f"{', '.join(map(shorten, unknown))} is unknown here: {nearest(unknown[0], ENTRY_KEYS)}")
    if "ip" in entry and "origin_ip" in entry:
        raise InvalidInput("ip and origin_ip are the same, give one")


def _named(entry: Any) -> list[Address]:
    """Whatever in an unusable entry reads as an address, a prefix or a scope aside: no purge may delete it."""
    addresses = []
    for value in entry.values() if isinstance(entry, dict) else [entry]:
        with suppress(ValueError):
            addresses.append(ip_address(str(value).partition("/")[0].partition("%")[0].strip()))
    return addresses
