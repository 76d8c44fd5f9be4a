# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Origin mappings as values: addresses, vendors, regions, input lists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface, ip_network
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ._errors import InvalidInput
from ._messages import item_label, join_bounded, quote, suggest, type_name

T = TypeVar("T")

Address: TypeAlias = IPv4Address | IPv6Address

VENDORS = ("aws", "azure", "gcp", "oci")

VENDOR_SYNONYMS = {"amazon": "aws", "google": "gcp", "microsoft": "azure", "oracle": "oci"}

PRIVATE_NETWORKS = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
"""RFC 1918, RFC 6598 (carrier-grade NAT) and RFC 4193 (unique local)."""

ZONE_LIMIT = 3500
"""Maximum number of mappings in a zone, by the API."""

ENTRY_KEYS = ("origin_ip", "ip", "vendor", "region", "modified_on")
"""Keys of a user's mapping.

modified_on is ignored, so that mappings can be written back as they were read.
"""

TWO_ADDRESSES = "ip and origin_ip are the same option: set one of them"


def parse_address(text: Any) -> Address:
    """Parse an IPv4 or IPv6 address, without the blanks around it.

    An IPv4-mapped IPv6 address stays an IPv6 address. Raises InvalidInput for anything else, such as
    numbers, prefixes and addresses with a scope.
    """
    if text is None or text == "":
        raise InvalidInput("the address is missing")
    if not isinstance(text, str):
        raise InvalidInput(f"{quote(str(text))} is of type {type_name(text)}, not the text of an address")
    trimmed = text.strip()
    try:
        address = ip_address(trimmed)
    except ValueError:
        raise InvalidInput(f"{quote(text)} is {_describe_non_address(trimmed)}") from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise InvalidInput(f"{quote(text)} has a scope, which is valid only on its own host")
    return address


def _describe_non_address(text: str) -> str:
    """Describe a text that is no address, with a suggestion if possible."""
    try:
        interface = ip_interface(text)
    except ValueError:
        return "not an IPv4 or IPv6 address"
    # The configuration of an interface has a host with its network, such as 192.0.2.5/24.
    is_host = interface.network.num_addresses == 1 or interface.ip != interface.network.network_address
    hint = f"did you mean {canonical(interface.ip)}?" if is_host else "list its addresses one by one"
    return f"a prefix, not a single address: {hint}"


def check_origin(address: Address) -> None:
    """Raise InvalidInput for an address that no origin can have."""
    inner = _without_mapping(address)
    for kind in ("unspecified", "loopback", "link_local", "multicast"):
        if getattr(inner, f"is_{kind}"):
            shown = {"unspecified": "the unspecified", "link_local": "a link-local"}.get(kind, f"a {kind}")
            raise InvalidInput(f"{quote(canonical(address))} is {shown} address, which no origin has")


def parse_origin(text: Any) -> Address:
    """Parse the address of an origin from user input. Raises InvalidInput."""
    address = parse_address(text)
    check_origin(address)
    return address


def is_private(address: Address) -> bool:
    """Check whether Cloudflare cannot reach an address over the Internet."""
    inner = _without_mapping(address)
    return any(inner.version == network.version and inner in network for network in PRIVATE_NETWORKS)


def warn_of_private(addresses: Collection[Address]) -> list[str]:
    """Return one warning of all private addresses, if there are any."""
    private = [canonical(address) for address in sorted(filter(is_private, addresses), key=address_order)]
    if not private:
        return []
    return [
        f"{len(private)} addresses are private, so Cloudflare can reach them only through a tunnel: "
        f"{join_bounded(private)}"
    ]


def _without_mapping(address: Address) -> Address:
    """Return the IPv4 address in an IPv4-mapped IPv6 one, else the address."""
    return getattr(address, "ipv4_mapped", None) or address


def canonical(address: Address) -> str:
    """Format an address as RFC 5952 specifies.

    IPv4-mapped addresses have dotted quads, which str() has from Python 3.13 only.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return f"::ffff:{address.ipv4_mapped}"
    return str(address)


def address_order(address: Address) -> tuple[int, int]:
    """Return the sort key of an address: IPv4 first, then by number."""
    return address.version, int(address)


def validate_location(vendor: Any, region: Any) -> tuple[str, str]:
    """Validate the form of a vendor and a region, and return them.

    Raises InvalidInput. Only the service knows whether Cloudflare supports the region.
    """
    problems = _location_problems(vendor, region)
    if problems:
        raise InvalidInput("; ".join(problems))
    return vendor, region


def check_vendor(vendor: Any) -> None:
    """Raise InvalidInput for an unknown vendor, with a suggestion."""
    if vendor in VENDORS:
        return
    text = str(vendor)
    synonym = VENDOR_SYNONYMS.get(text.strip().casefold())
    hint = f"did you mean {synonym}?" if synonym else suggest(text, VENDORS)
    raise InvalidInput(f"vendor {quote(text)} is unknown: {hint}")


def _location_problems(vendor: Any, region: Any) -> list[str]:
    """List the faults of a vendor and a region known without a request."""
    problems = []
    if not vendor:
        problems.append(f"the vendor is missing: one of {', '.join(VENDORS)}")
    else:
        try:
            check_vendor(vendor)
        except InvalidInput as error:
            problems.append(str(error))
    if not region or not isinstance(region, str):
        problems.append("the region is missing, or is not text")
    elif not region.isprintable():
        problems.append(f"region {quote(region)} has control characters")
    return problems


class OriginMapping(NamedTuple):
    """Mapping of one origin, identified by its address.

    modified_on (RFC 3339, from the API) does not count in comparisons.
    """

    address: Address
    vendor: str
    region: str
    modified_on: str | None = None

    # Not a dataclass, which has all of this, but takes five times as long to import.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, OriginMapping) and self[:3] == other[:3]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:3])

    def __str__(self) -> str:
        return f"{canonical(self.address)}: {self.vendor}/{self.region}"

    def value(self) -> dict[str, str | None]:
        return {"origin_ip": canonical(self.address), "vendor": self.vendor, "region": self.region}

    def as_dict(self) -> dict[str, str | None]:
        return {**self.value(), **({"modified_on": self.modified_on} if self.modified_on else {})}


class ZoneMappings(NamedTuple):
    """Mappings read from a zone: those of some addresses, or all if complete.

    total counts all mappings of the zone, or is None if it was not read.
    """

    mappings: dict[Address, OriginMapping]
    total: int | None = None
    complete: bool = False


class InvalidItem:
    """Invalid item of a list of mappings: index, raw values, and error."""

    def __init__(self, index: int, raw: dict[str, Any], error: str, option: str = "mappings") -> None:
        self.index = index
        self.raw = raw
        self.error = error
        self.option = option

    def __str__(self) -> str:
        address = self.raw["origin_ip"]
        shown = f", origin_ip {quote(str(address))}" if address is not None else ""
        return f"{item_label(self.option, self.index)}{shown}: {self.error}"

    def as_dict(self) -> dict[str, Any]:
        return {**self.raw, "error": self.error}


class ParsedMappings:
    """Result of parsing a list of mappings.

    wanted has every usable address once, with None for an address that should have no mapping. index has the first
    index of every address that can be read, usable or not: a purge keeps those. unreadable counts items without a
    readable address. conflicts describes addresses that are listed with different values.
    """

    def __init__(self) -> None:
        self.wanted: dict[Address, OriginMapping | None] = {}
        self.index: dict[Address, int] = {}
        self.invalid: list[InvalidItem] = []
        self.conflicts: list[str] = []
        self.unreadable = 0


def parse_mappings(entries: Sequence[Any], present: bool, option: str = "mappings") -> ParsedMappings:
    """Parse dictionaries of origin_ip or ip, vendor and region.

    If present is false, only the addresses count, which then may be plain text.
    """
    parsed = ParsedMappings()
    values: dict[Address, tuple[Any, Any]] = {}
    for index, entry in enumerate(entries):
        raw = _normalize_entry(entry)
        vendor, region = raw["vendor"], raw["region"]
        problems: list[str] = []
        address = None
        try:
            address = parse_address(raw["origin_ip"])
            check_origin(address)
        except InvalidInput as error:
            problems.append(str(error))
        # Of two addresses in one item, it is unknown which is meant.
        has_two = isinstance(entry, dict) and {"ip", "origin_ip"} <= entry.keys()
        parsed.unreadable += address is None or has_two
        if present:
            problems += _location_problems(vendor, region) if isinstance(entry, dict) else []
            # Last, because its suggestion ends with a question mark.
            problems += key_problems(entry)
        elif has_two:
            problems.append(TWO_ADDRESSES)
        if address:
            first = parsed.index.setdefault(address, index)
            if present and values.setdefault(address, (vendor, region)) != (vendor, region):
                earlier, later = (quote(f"{v}/{r}") for v, r in (values[address], (vendor, region)))
                parsed.conflicts.append(
                    f"{item_label(option, first)} and {item_label(option, index)} give {canonical(address)} "
                    f"different values: {earlier} and {later}"
                )
        if problems:
            parsed.invalid.append(InvalidItem(index, raw, "; ".join(problems), option))
        elif address:
            parsed.wanted[address] = OriginMapping(address, vendor, region) if present else None
    return parsed


def parse_addresses(texts: Sequence[str], option: str) -> Collection[Address]:
    """Parse a list of addresses, each once, in order.

    Raises InvalidInput for all invalid items together.
    """
    return dict.fromkeys(parse_each(texts, option, parse_origin)).keys()


def parse_each(texts: Sequence[Any], option: str, parse: Callable[[Any], T]) -> list[T]:
    """Parse the items of an option.

    Raises InvalidInput for all invalid ones together.
    """
    parsed: list[T] = []
    problems: list[str] = []
    for index, text in enumerate(texts):
        try:
            parsed.append(parse(text))
        except InvalidInput as error:
            problems.append(f"{item_label(option, index)}: {error}")
    if problems:
        raise InvalidInput(join_bounded(problems))
    return parsed


def _normalize_entry(entry: Any) -> dict[str, Any]:
    """Return the values of an entry of any type by the keys of results."""
    if not isinstance(entry, dict):
        return {"origin_ip": entry, "vendor": None, "region": None}
    return {
        "origin_ip": entry.get("origin_ip", entry.get("ip")),
        "vendor": entry.get("vendor"),
        "region": entry.get("region"),
    }


def key_problems(entry: Any) -> list[str]:
    """List the faults of an entry's keys: unknown ones, or ip and origin_ip."""
    if not isinstance(entry, dict):
        return ["a mapping is a dictionary of origin_ip, vendor and region"]
    problems = []
    unknown = [str(name) for name in entry if name not in ENTRY_KEYS]
    if unknown:
        shown = ", ".join(map(quote, unknown[:3]))
        problems.append(f"{shown} is unknown here: {suggest(unknown[0], ENTRY_KEYS)}")
    if "ip" in entry and "origin_ip" in entry:
        problems.append(TWO_ADDRESSES)
    return problems
