# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The origins of an inventory: host variables in, mappings out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..module_utils._errors import InvalidInput
from ..module_utils._locations import Locate, Unresolved
from ..module_utils._mapping import Address, OriginMapping, address_order, canonical, parse_address, validate_location

Vars = Mapping[str, Any]
"""Variables of a host. Ansible evaluates each when it is read."""

Read = Callable[[str], Any]
"""Reads a variable by its name in the inventory plugin, without prefix and suffix; None if there is none."""

OCI_REGIONS: dict[str, str] = json.loads(Path(__file__).with_name("oci_regions.json").read_text("utf-8"))
"""Regions by their short codes. Oracle's older regions have one, and its inventory plugin may return it."""


@dataclass(frozen=True)
class Cloud:
    """Rules for reading the variables of a vendor's inventory plugin."""

    vendor: str
    matches: Callable[[Read], bool]
    addresses: Callable[[Read], Iterable[Any]]
    region: Callable[[Read], str | None]


@dataclass(frozen=True)
class VariableNames:
    """Names of the variables that override those of inventory plugins.

    prefixes and suffixes surround the name of every variable of a vendor's inventory plugin.
    """

    ip: str = "origin_ip"
    vendor: str = "origin_vendor"
    region: str = "origin_region"
    zones: str = "origin_zones"
    prefixes: Mapping[str, str] = field(default_factory=dict)
    suffixes: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Origins:
    """Mappings, the hosts behind each address, and hosts without a mapping."""

    mappings: dict[Address, OriginMapping] = field(default_factory=dict)
    hosts: dict[Address, list[str]] = field(default_factory=dict)
    unresolved: list[Unresolved] = field(default_factory=list)

    def sorted(self) -> list[dict[str, Any]]:
        """List the mappings for the batch module by address, IPv4 first."""
        return [self.mappings[address].value() for address in sorted(self.mappings, key=address_order)]

    def as_dict(self) -> dict[str, Any]:
        return {
            "mappings": self.sorted(),
            "hosts": {canonical(address): self.hosts[address] for address in sorted(self.hosts, key=address_order)},
            "unresolved": [host.as_dict() for host in self.unresolved],
        }


def find_origins(
    hosts: Iterable[tuple[str, Vars | str]], names: VariableNames, zone: str | None = None, locate: Locate | None = None
) -> Origins:
    """Find the mappings of hosts.

    hosts are pairs of name and variables, or of name and address. With a zone, hosts with variables count only if
    these name the zone. Locations that the variables do not have are looked up by locate. Raises InvalidInput if
    hosts contradict each other, naming both.
    """
    origins = Origins()
    conflicts: list[str] = []
    for host, variables_or_address in hosts:
        if isinstance(variables_or_address, str):
            variables: Vars = {names.ip: variables_or_address}
        else:
            variables = variables_or_address
            if zone is not None and zone not in _as_list(variables.get(names.zones)):
                continue
        for origin in _origins_of(host, variables, names, locate):
            if isinstance(origin, Unresolved):
                origins.unresolved.append(origin)
                continue
            known = origins.mappings.setdefault(origin.address, origin)
            if known != origin:
                conflicts.append(f"{' and '.join(origins.hosts[origin.address])}: {known}, but {host}: {origin}")
            elif host not in origins.hosts.setdefault(origin.address, []):
                origins.hosts[origin.address].append(host)
    if conflicts:
        raise InvalidInput(f"hosts have the same address in different regions: {'; '.join(conflicts)}")
    return origins


def _origins_of(
    host: str, variables: Vars, names: VariableNames, locate: Locate | None
) -> Iterator[OriginMapping | Unresolved]:
    """Yield a mapping for each public address of a host, or the problem."""
    cloud, read = _detect_cloud(variables, names)
    texts = _as_list(variables.get(names.ip)) or [text for text in (cloud.addresses(read) if cloud else ()) if text]
    addresses: dict[Address, None] = {}
    for text in texts:
        try:
            addresses[parse_address(text)] = None
        except InvalidInput as error:
            yield Unresolved(host, str(error))
    if not texts:
        reason = f"its {cloud.vendor} variables have no public address" if cloud else "no variable has its address"
        yield Unresolved(host, f"{reason}: set {names.ip} if it has one")
    vendor = variables.get(names.vendor) or (cloud.vendor if cloud else None)
    region = variables.get(names.region) or (cloud.region(read) if cloud and cloud.vendor == vendor else None)
    if locate and not (vendor and region):
        for address in addresses:
            published = locate(address)
            match = published.matches[0] if published.status == "found" else None
            if match and vendor in (None, match.vendor) and region in (None, match.region):
                yield OriginMapping(address, match.vendor, str(match.region))
            else:
                reason = f"neither its variables nor the published ranges give its region ({published.status})"
                yield Unresolved(host, reason, (address,))
    elif addresses:
        try:
            if not vendor and not region:
                raise InvalidInput("no variable names its cloud")
            location = validate_location(vendor, region)
        except InvalidInput as error:
            yield Unresolved(host, f"{error}: set {names.vendor} and {names.region}", (*addresses,))
        else:
            yield from (OriginMapping(address, *location) for address in addresses)


def _detect_cloud(variables: Vars, names: VariableNames) -> tuple[Cloud | None, Read]:
    """Detect the cloud of a host, and return a reader of its variables too."""
    for cloud in CLOUDS:
        prefix, suffix = names.prefixes.get(cloud.vendor, ""), names.suffixes.get(cloud.vendor, "")

        def read(name: str, prefix: str = prefix, suffix: str = suffix) -> Any:
            return variables.get(f"{prefix}{name}{suffix}")

        if cloud.matches(read):
            return cloud, read
    return None, variables.get


def _as_list(value: Any) -> list[Any]:
    """Return a value, which may be a single item, as a list."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _extract(parent: Any, *path: str) -> Iterator[Any]:
    """Yield every value at a key path, descending into lists.

    Yields nothing if the shape differs.
    """
    for item in _as_list(parent):
        if not path:
            yield item
        elif isinstance(item, Mapping):
            yield from _extract(item.get(path[0]), *path[1:])


def _aws_region(read: Read) -> str | None:
    # Not placement.region: for local and wavelength zones that is the zone less a letter.
    zone = next(_extract(read("placement"), "availability_zone"), None)
    match = re.match(r"[a-z]+(-[a-z]+)+-[0-9]+", str(zone))
    return match[0] if match else None


def _aws_addresses(read: Read) -> Iterator[Any]:
    yield read("public_ip_address")
    yield from _extract(read("network_interfaces"), "private_ip_addresses", "association", "public_ip")
    yield from _extract(read("network_interfaces"), "ipv6_addresses", "ipv6_address")


def _gcp_addresses(read: Read) -> Iterator[Any]:
    yield from _extract(read("networkInterfaces"), "accessConfigs", "natIP")
    yield from _extract(read("networkInterfaces"), "ipv6AccessConfigs", "externalIpv6")


CLOUDS = (
    Cloud(
        "aws",
        matches=lambda read: any(_extract(read("placement"), "availability_zone")),
        addresses=_aws_addresses,
        region=_aws_region,
    ),
    Cloud(
        "azure",
        matches=lambda read: bool(read("location")) and (bool(read("vmid")) or read("public_ipv4_address") is not None),
        addresses=lambda read: _as_list(read("public_ipv4_address")),
        region=lambda read: read("location"),
    ),
    Cloud(
        "gcp",
        matches=lambda read: bool(read("networkInterfaces")) and bool(read("zone")),
        addresses=_gcp_addresses,
        region=lambda read: str(read("zone")).rpartition("/")[2].rpartition("-")[0] or None,
    ),
    Cloud(
        "oci",
        matches=lambda read: bool(read("compartment_id")) and bool(read("region")),
        addresses=lambda read: _as_list(read("public_ip")),
        region=lambda read: OCI_REGIONS.get(str(read("region")).lower(), read("region")),
    ),
)
