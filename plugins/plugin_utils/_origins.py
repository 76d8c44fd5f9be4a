# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Origins as an inventory knows them: host variables in, mappings out, and the hosts that cannot be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping as Dict
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.originops.cloudflare.plugins.module_utils._audit import Unresolved
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    Address,
    Mapping,
    address_order,
    canonical,
    checked_values,
    parse_address,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges import Ranges

Vars = Dict[str, Any]
"""The variables of a host, which Ansible works out one by one as they are asked for."""

Read = Callable[[str], Any]
"""Gives a variable by the plain name that an inventory plugin has for it; None where there is none."""

OCI_REGIONS = {
    "aga": "us-saltlake-2",
    "ams": "eu-amsterdam-1",
    "arn": "eu-stockholm-1",
    "auh": "me-abudhabi-1",
    "bog": "sa-bogota-1",
    "bom": "ap-mumbai-1",
    "cdg": "eu-paris-1",
    "cwl": "uk-cardiff-1",
    "dxb": "me-dubai-1",
    "fra": "eu-frankfurt-1",
    "gru": "sa-saopaulo-1",
    "hsg": "ap-batam-1",
    "hyd": "ap-hyderabad-1",
    "iad": "us-ashburn-1",
    "icn": "ap-seoul-1",
    "jbp": "ap-kulai-2",
    "jed": "me-jeddah-1",
    "jnb": "af-johannesburg-1",
    "kix": "ap-osaka-1",
    "lej": "af-casablanca-1",
    "lhr": "uk-london-1",
    "lin": "eu-milan-1",
    "mad": "eu-madrid-1",
    "mel": "ap-melbourne-1",
    "mrs": "eu-marseille-1",
    "mtz": "il-jerusalem-1",
    "mty": "mx-monterrey-1",
    "nrq": "eu-turin-1",
    "nrt": "ap-tokyo-1",
    "onm": "ap-delhi-1",
    "ord": "us-chicago-1",
    "orf": "eu-madrid-3",
    "phx": "us-phoenix-1",
    "qro": "mx-queretaro-1",
    "ruh": "me-riyadh-1",
    "scl": "sa-santiago-1",
    "sin": "ap-singapore-1",
    "sjc": "us-sanjose-1",
    "syd": "ap-sydney-1",
    "vap": "sa-valparaiso-1",
    "vcp": "sa-vinhedo-1",
    "xsp": "ap-singapore-2",
    "yny": "ap-chuncheon-1",
    "yul": "ca-montreal-1",
    "yyz": "ca-toronto-1",
    "zrh": "eu-zurich-1",
}
"""Oracle's older regions go by a short code too, and its inventory plugin passes on either."""


@dataclass(frozen=True)
class Cloud:
    """How to tell a vendor's hosts, their public addresses and their region by what its inventory plugin says."""

    vendor: str
    made: Callable[[Read], bool]
    addresses: Callable[[Read], Iterable[Any]]
    region: Callable[[Read], str | None]


@dataclass(frozen=True)
class Names:
    """What users can call differently: the variables that win over those of inventory plugins, and prefixes."""

    ip: str = "origin_ip"
    vendor: str = "origin_vendor"
    region: str = "origin_region"
    zones: str = "origin_zones"
    prefixes: Dict[str, str] = field(default_factory=dict)
    """By vendor, before the name of every variable of its inventory plugin."""
    suffixes: Dict[str, str] = field(default_factory=dict)


@dataclass
class Origins:
    """What an inventory comes to."""

    mappings: dict[Address, Mapping] = field(default_factory=dict)
    hosts: dict[Address, list[str]] = field(default_factory=dict)
    """The hosts behind the address of each mapping."""
    unresolved: list[Unresolved] = field(default_factory=list)

    def sorted(self) -> list[dict[str, Any]]:
        """The mappings as the batch module takes them, by address, IPv4 first."""
        return [self.mappings[address].value() for address in sorted(self.mappings, key=address_order)]

    def as_dict(self) -> dict[str, Any]:
        return {
            "mappings": self.sorted(),
            "hosts": {canonical(it): self.hosts[it] for it in sorted(self.hosts, key=address_order)},
            "unresolved": [it.as_dict() for it in self.unresolved],
        }


def find_origins(
    hosts: Iterable[tuple[str, Vars | str]], names: Names, zone: str | None = None, ranges: Ranges | None = None
) -> Origins:
    """The mappings of hosts, given as name and variables, or as name and address where there are no variables.

    With a zone, hosts with variables count only where these name it. What variables do not tell is looked up
    in the published ranges. Raises InvalidInput where two hosts contradict each other, naming both.
    """
    origins = Origins()
    conflicts: list[str] = []
    for host, given in hosts:
        variables = {names.ip: given} if isinstance(given, str) else given
        if zone is not None and variables is given and zone not in _listed(variables.get(names.zones)):
            continue
        for found in _origins_of(host, variables, names, ranges):
            if isinstance(found, Unresolved):
                origins.unresolved.append(found)
                continue
            known = origins.mappings.setdefault(found.address, found)
            if known != found:
                conflicts.append(f"{' and '.join(origins.hosts[found.address])}: {known}, but {host}: {found}")
            elif host not in origins.hosts.setdefault(found.address, []):
                origins.hosts[found.address].append(host)
    if conflicts:
        raise InvalidInput(f"hosts have the same address in different regions: {'; '.join(conflicts)}")
    return origins


def _origins_of(host: str, variables: Vars, names: Names, ranges: Ranges | None) -> Iterator[Mapping | Unresolved]:
    """A mapping for each public address of a host, or why there is none."""
    cloud, read = _recognize(variables, names)
    texts = _listed(variables.get(names.ip)) or [text for text in (cloud.addresses(read) if cloud else ()) if text]
    addresses: dict[Address, None] = {}
    for text in texts:
        try:
            addresses[parse_address(text)] = None
        except InvalidInput as error:
            yield Unresolved(host, str(error))
    if not texts:
        known = f"its {cloud.vendor} variables tell no public address" if cloud else "no variable tells its address"
        yield Unresolved(host, f"{known}: set {names.ip} if it has one")
    vendor = variables.get(names.vendor) or (cloud.vendor if cloud else None)
    region = variables.get(names.region) or (cloud.region(read) if cloud and cloud.vendor == vendor else None)
    if ranges and not (vendor and region):
        for address in addresses:
            placed = ranges.locate(address)
            place = placed.placements[0] if placed.status == "found" else None
            if place and vendor in (None, place.vendor) and region in (None, place.region):
                yield Mapping(address, place.vendor, str(place.region))
            else:
                reason = f"neither its variables nor the published ranges tell its region ({placed.status})"
                yield Unresolved(host, reason, (address,))
    elif addresses:
        try:
            if not vendor and not region:
                raise InvalidInput("no variable tells its cloud")
            values = checked_values(vendor, region)
        except InvalidInput as error:
            yield Unresolved(host, f"{error}: set {names.vendor} and {names.region}", (*addresses,))
        else:
            yield from (Mapping(address, *values) for address in addresses)


def _recognize(variables: Vars, names: Names) -> tuple[Cloud | None, Read]:
    """The cloud whose inventory plugin made these variables, and a way to read them."""
    for cloud in CLOUDS:
        prefix, suffix = names.prefixes.get(cloud.vendor, ""), names.suffixes.get(cloud.vendor, "")

        def read(name: str, prefix: str = prefix, suffix: str = suffix) -> Any:
            return variables.get(f"{prefix}{name}{suffix}")

        if cloud.made(read):
            return cloud, read
    return None, variables.get


def _listed(value: Any) -> list[Any]:
    """What users write as one or as a list."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _inside(parent: Any, *path: str) -> Iterator[Any]:
    """All that stands at the end of a path of keys, through every list on the way; nothing where the shape differs."""
    for item in _listed(parent):
        if not path:
            yield item
        elif isinstance(item, Dict):
            yield from _inside(item.get(path[0]), *path[1:])


def _aws_region(read: Read) -> str | None:
    # Not placement.region: for local and wavelength zones that is the zone less a letter.
    zone = next(_inside(read("placement"), "availability_zone"), None)
    match = re.match(r"[a-z]+(-[a-z]+)+-[0-9]+", str(zone))
    return match[0] if match else None


def _aws_addresses(read: Read) -> Iterator[Any]:
    yield read("public_ip_address")
    yield from _inside(read("network_interfaces"), "private_ip_addresses", "association", "public_ip")
    yield from _inside(read("network_interfaces"), "ipv6_addresses", "ipv6_address")


def _gcp_addresses(read: Read) -> Iterator[Any]:
    yield from _inside(read("networkInterfaces"), "accessConfigs", "natIP")
    yield from _inside(read("networkInterfaces"), "ipv6AccessConfigs", "externalIpv6")


CLOUDS = (
    Cloud(
        "aws",
        made=lambda read: any(_inside(read("placement"), "availability_zone")),
        addresses=_aws_addresses,
        region=_aws_region,
    ),
    Cloud(
        "azure",
        made=lambda read: bool(read("location")) and (bool(read("vmid")) or read("public_ipv4_address") is not None),
        addresses=lambda read: _listed(read("public_ipv4_address")),
        region=lambda read: read("location"),
    ),
    Cloud(
        "gcp",
        made=lambda read: bool(read("networkInterfaces")) and bool(read("zone")),
        addresses=_gcp_addresses,
        region=lambda read: str(read("zone")).rpartition("/")[2].rpartition("-")[0] or None,
    ),
    Cloud(
        "oci",
        made=lambda read: bool(read("compartment_id")) and bool(read("region")),
        addresses=lambda read: _listed(read("public_ip")),
        region=lambda read: OCI_REGIONS.get(str(read("region")).lower(), read("region")),
    ),
)
