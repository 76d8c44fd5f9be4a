# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Origins of an inventory: host variables in, mappings out."""

from __future__ import annotations

import json
import re
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._errors import InvalidInput
from ..module_utils._locations import Locate, Unresolved
from ..module_utils._mapping import (
    ENTRY_KEYS,
    Address,
    OriginMapping,
    address_order,
    canonical,
    check_vendor,
    is_private,
    key_problems,
    parse_address,
    parse_origin,
    validate_location,
)
from ..module_utils._messages import MAX_LISTED, item_label, quote, sanitize, suggest

Vars: TypeAlias = Mapping[str, Any]
"""Variables of a host. Ansible evaluates each when it is read."""

Item: TypeAlias = tuple[str, Vars | str | Unresolved]
"""Name with host variables, an address, a mapping, or a known problem.

A mapping is a dictionary. It has origin_ip or ip, and may have vendor, region, and names (the names of its hosts).
"""

Read = Callable[[str], Any]
"""Reader of a variable by its name in the inventory plugin.

The name has no prefix and suffix. Returns None if there is no such variable.
"""

OCI_REGIONS: dict[str, str] = json.loads(Path(__file__).with_name("oci_regions.json").read_text("utf-8"))
"""Regions by their short codes.

Oracle's older regions have one, and its inventory plugin may return it.
"""

IGNORE_VARIABLE = "origin_ignore"
"""Name of the variable that excludes a host from the origins."""

HOST_NAME = re.compile(r"([\w-]+\.)+[\w-]*[^\W\d][\w-]*\.?")
"""Host names of at least two labels. The last label is not a number."""


class VariableError(InvalidInput):
    """Variable of a host that cannot be evaluated, or has an invalid value."""

    def __init__(self, host: str, reason: str) -> None:
        self.unresolved = Unresolved(host, "variable_error", reason)
        super().__init__(str(self.unresolved))


@dataclass(frozen=True)
class Cloud:
    """Rules for reading the variables of a vendor's inventory plugin.

    If located is false, the plugin lists machines that are outside the vendor's regions.
    """

    vendor: str
    matches: Callable[[Read], bool]
    addresses: Callable[[Read], Iterable[Any]]
    region: Callable[[Read], str | None]
    located: bool = True


@dataclass(frozen=True)
class VariableNames:
    """Names of the variables that override those of inventory plugins.

    The fields are options of the filter origin_mappings. Prefixes and suffixes surround the name of every variable
    of a plugin; the names without them are read too.
    """

    ip_variable: str = "origin_ip"
    vendor_variable: str = "origin_vendor"
    region_variable: str = "origin_region"
    zones_variable: str = "origin_zones"
    hostvars_prefix: str | Sequence[str] = ""
    hostvars_suffix: str | Sequence[str] = ""
    vars_prefix: str | Sequence[str] = ""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> VariableNames:
        """Parse options of the filter.

        Null means the default. Raises InvalidInput.
        """
        known = [entry.name for entry in fields(cls)]
        for name, value in options.items():
            if name not in known:
                raise InvalidInput(f"option {name} is unknown: {suggest(name, known)}")
            texts = value if isinstance(value, list | tuple) and name.endswith(("_prefix", "_suffix")) else [value]
            if value is not None and not all(isinstance(text, str) for text in texts):
                raise InvalidInput(f"{name}: {quote(str(value))} is not text")
        return cls(**{name: value for name, value in options.items() if value is not None})

    def affixes(self, vendor: str) -> list[tuple[str, str]]:
        """List the pairs of prefix and suffix of a vendor's variables.

        Those that the user set come first.
        """
        prefixes, suffixes = {
            "aws": (self.hostvars_prefix, self.hostvars_suffix),
            "gcp": (self.vars_prefix, ""),
        }.get(vendor, ("", ""))
        return list(dict.fromkeys(product((*_as_list(prefixes), ""), (*_as_list(suffixes), ""))))


@dataclass
class Origins:
    """Mappings, the hosts behind each address, and hosts without a mapping."""

    mappings: dict[Address, OriginMapping] = field(default_factory=dict)
    hosts: dict[Address, list[str]] = field(default_factory=dict)
    unresolved: list[Unresolved] = field(default_factory=list)

    def sorted(self) -> list[dict[str, Any]]:
        """List the mappings for the batch module by address, IPv4 first."""
        return [self.mappings[address].value() for address in sorted(self.mappings, key=address_order)]

    def addresses(self) -> Iterator[Address]:
        """Yield all addresses, also those without a mapping."""
        yield from self.mappings
        for host in self.unresolved:
            yield from host.addresses

    def as_dict(self) -> dict[str, Any]:
        return {
            "mappings": self.sorted(),
            "hosts": {canonical(address): self.hosts[address] for address in sorted(self.hosts, key=address_order)},
            "unresolved": [host.as_dict() for host in self.unresolved],
        }


@dataclass(frozen=True)
class ZoneIndex:
    """Items by the normalized name of their zone, and items of every zone.

    The latter are addresses, dictionaries of mappings, and hosts with unreadable zones.
    """

    zones: dict[str, list[Item]] = field(default_factory=dict)
    always: list[Item] = field(default_factory=list)

    def items_of(self, zone: str) -> list[Item]:
        return [*self.zones.get(normalize_zone(zone), ()), *self.always]


class OriginFinder:
    """Finder of the origins of hosts.

    The variables of each host are read once for all zones. Hosts of hostvars are cached by their names, dictionaries by
    their identity. If variables have no location, locate looks it up.
    """

    def __init__(self, names: VariableNames, locate: Locate | None = None) -> None:
        self._names = names
        self._locate = locate
        self._affixes = [(cloud, names.affixes(cloud.vendor)) for cloud in CLOUDS]
        self._advice = f"set {names.vendor_variable} and {names.region_variable}"
        self._hosts: dict[str | int, _Host] = {}

    def zones_of(self, host: str, variables: Vars) -> frozenset[str]:
        """Return the normalized names of a host's zones, none if it is no origin.

        Raises VariableError, with the host as unresolved.
        """
        reader = self._host(host, variables)
        name = self._names.zones_variable
        zones: list[str] = []
        try:
            if reader.is_ignored():
                return frozenset()
            for item in _as_list(reader.read(name)):
                if not isinstance(item, str):
                    raise VariableError(host, f"variable {name} has {quote(str(item))}, which is not a zone's name")
                zones += filter(None, map(normalize_zone, re.split(r"[,\s]+", item)))
        except VariableError as error:
            error.unresolved = self._with_addresses(error.unresolved, reader)
            raise
        return frozenset(zones)

    def index_zones(self, items: Iterable[Item]) -> ZoneIndex:
        """Group items by their zones, in one pass."""
        index = ZoneIndex()
        for host, item in items:
            if isinstance(item, str | Unresolved) or _is_entry(item):
                index.always.append((host, item))
                continue
            try:
                for zone in self.zones_of(host, item):
                    index.zones.setdefault(zone, []).append((host, item))
            except VariableError as error:
                index.always.append((host, error.unresolved))
        return index

    def collect(self, items: Iterable[Item]) -> Origins:
        """Find the mappings of items.

        An address in two locations has no mapping: it is unresolved, for all of its hosts.
        """
        claims: dict[Address, dict[OriginMapping, dict[str, None]]] = {}
        unresolved: dict[Unresolved, None] = {}
        for host, item in items:
            names = _as_list(item.get("names")) if isinstance(item, Mapping) and _is_entry(item) else []
            hosts = dict.fromkeys(map(str, names or [host]))
            for origin in self._origins_of(host, item):
                if isinstance(origin, Unresolved):
                    unresolved[origin] = None
                else:
                    claims.setdefault(origin.address, {}).setdefault(origin, {}).update(hosts)
        origins = Origins()
        for address, claimed in claims.items():
            if len(claimed) > 1:
                unresolved[_conflict(address, claimed)] = None
                continue
            for mapping, hosts in claimed.items():
                origins.mappings[address] = mapping
                origins.hosts[address] = [*hosts]
        origins.unresolved = [*unresolved]
        return origins

    def _host(self, name: str, variables: Vars) -> _Host:
        # hostvars has another object at each access. Dictionaries of one name may be from different inventories.
        key = id(variables) if isinstance(variables, dict) else name
        return self._hosts.setdefault(key, _Host(name, variables))

    def _origins_of(self, name: str, item: Vars | str | Unresolved) -> list[OriginMapping | Unresolved]:
        """List a mapping for each public address of an item, and its problems."""
        if isinstance(item, Unresolved):
            return [item]
        if isinstance(item, str) or _is_entry(item):
            try:
                value = _evaluate(item)
            except Exception as error:  # a template may raise anything
                return [Unresolved(name, "variable_error", f"it cannot be evaluated: {sanitize(str(error))}")]
            advice = "set its vendor and region too, or use published ranges"
            return [self._resolve(name, value, _Location(advice=advice))]
        host = self._host(name, item)
        if host.origins is None:
            try:
                host.origins = _merge(self._origins_of_host(host))
            except VariableError as error:
                host.origins = [self._with_addresses(error.unresolved, host)]
        return host.origins

    def _origins_of_host(self, host: _Host) -> Iterator[OriginMapping | Unresolved]:
        """Yield the origins of a host. Raises VariableError."""
        if host.is_ignored():
            return
        location = self._location_of(host)
        addresses = self._addresses_of(host)
        for address in addresses:
            yield self._resolve(host.name, address, location)
        if not addresses:
            name = self._names.ip_variable
            cloud, _read = self._cloud_of(host)
            reason = (
                f"its {cloud.vendor} variables have no public address: set {name} if it has one"
                if cloud
                else f"no variable has its address: set {name} if it has one, or the options hostvars_prefix and "
                "ip_variable if its variables have other names"
            )
            yield Unresolved(host.name, "no_address", reason)

    def _addresses_of(self, host: _Host) -> list[Any]:
        """List the addresses of a host, unchecked. Raises VariableError."""
        own = _as_list(host.read(self._names.ip_variable))
        if own:
            return own
        cloud, read = self._cloud_of(host)
        return [text for text in cloud.addresses(read) if text] if cloud else []

    def _with_addresses(self, problem: Unresolved, host: _Host) -> Unresolved:
        """Add the addresses of a host with a faulty variable, if they are known."""
        try:
            return _add_addresses(problem, self._addresses_of(host))
        except VariableError:
            return problem

    def _location_of(self, host: _Host) -> _Location:
        """Return the location in the variables of a host. Raises VariableError."""
        names = self._names
        vendor, region = host.read(names.vendor_variable), host.read(names.region_variable)
        if vendor and region and host.read(names.ip_variable):
            return _Location(vendor, region, advice=self._advice)  # the variables of the plugins do not matter
        cloud, read = self._cloud_of(host)
        if not cloud:
            return _Location(vendor, region, "no variable names its cloud", self._advice)
        if not cloud.located:
            problem = f"its {cloud.vendor} variables describe a machine outside of {cloud.vendor}"
            return _Location(vendor, region, problem, self._advice)
        vendor = vendor or cloud.vendor
        region = region or (cloud.region(read) if cloud.vendor == vendor else None)
        return _Location(vendor, region, advice=self._advice)

    def _cloud_of(self, host: _Host) -> tuple[Cloud | None, Read]:
        """Return the cloud of a host, or None, and a reader of its variables.

        Raises VariableError.
        """
        for cloud, affixes in self._affixes:
            for prefix, suffix in affixes:

                def read(name: str, prefix: str = prefix, suffix: str = suffix) -> Any:
                    return host.read(f"{prefix}{name}{suffix}")

                if cloud.matches(read):
                    return cloud, read
        return None, host.read

    def _resolve(self, host: str, item: Any, default: _Location) -> OriginMapping | Unresolved:
        """Return the mapping of an address or a dictionary, or the problem."""
        text, vendor, region = item, default.vendor, default.region
        if isinstance(item, Mapping):
            entry = {key: value for key, value in item.items() if key not in ("names", "sources")}
            text, vendor = entry.get("origin_ip", entry.get("ip")), entry.get("vendor") or vendor
            region = entry.get("region") or (region if vendor == default.vendor else None)
            if problems := key_problems(entry):
                return _without_address(host, "; ".join(problems), item)
        try:
            address = parse_origin(text)
        except InvalidInput as error:
            if isinstance(text, str) and HOST_NAME.fullmatch(text.strip()):
                return Unresolved(host, "hostname", f"{quote(text)} is a host name: set its addresses instead")
            return _without_address(host, str(error), item)
        if is_private(address):
            reason = f"{canonical(address)} is private, so Cloudflare does not reach it over the Internet"
            return Unresolved(host, "private_address", reason, (address,))
        code = "unknown_cloud"
        try:
            if vendor:
                check_vendor(vendor)
                code = "unknown_region"
            if self._locate and not (vendor and region):
                return _look_up(self._locate, host, address, replace(default, vendor=vendor, region=region))
            if not vendor and not region:
                raise InvalidInput(default.problem)
            return OriginMapping(address, *validate_location(vendor, region))
        except InvalidInput as error:
            return Unresolved(host, code, f"{error}: {default.advice}", (address,))


@dataclass(frozen=True)
class _Location:
    """Vendor and region of a host's addresses, and texts if they are missing."""

    vendor: Any = None
    region: Any = None
    problem: str = "neither vendor nor region is known"
    advice: str = ""


class _Host:
    """Variables of a host, each evaluated once."""

    def __init__(self, name: str, variables: Vars) -> None:
        self.name = name
        self._variables = variables
        self._values: dict[str, Any] = {}
        self.origins: list[OriginMapping | Unresolved] | None = None

    def read(self, name: str) -> Any:
        """Return the value of a variable, None if there is none or it is empty.

        Raises VariableError.
        """
        if name not in self._values:
            try:
                value = _evaluate(self._variables.get(name))
            except Exception as error:  # a template may raise anything
                reason = f"variable {name} cannot be evaluated: {sanitize(str(error))}"
                raise VariableError(self.name, reason) from None
            self._values[name] = None if value == "" else value
        return self._values[name]

    def is_ignored(self) -> bool:
        """Check whether variables exclude the host. Raises VariableError."""
        value = self.read(IGNORE_VARIABLE)
        try:
            return value is not None and boolean(value)
        except TypeError:
            reason = f"variable {IGNORE_VARIABLE} has {quote(str(value))}, which is neither true nor false"
            raise VariableError(self.name, reason) from None


def iterate_items(hosts: Any) -> Iterator[Item]:
    """Yield the items of an input of the filter origin_mappings.

    These are a dictionary of hosts, the variables of one host, a list of variables, addresses and dictionaries of
    mappings, or a result of the module zone_origins_info. Raises InvalidInput for anything else.
    """
    if isinstance(hosts, Mapping) and "origins" in hosts and isinstance(hosts["origins"], list):
        yield from _items_of_cloudflare(hosts)
        return
    if isinstance(hosts, Mapping) and "inventory_hostname" in hosts:
        hosts = [hosts]
    if isinstance(hosts, Mapping):
        for name in hosts:
            variables = hosts[name]  # Ansible collects them anew each time
            if not isinstance(variables, Mapping):
                raise InvalidInput(
                    f"{quote(str(name))} has no dictionary of variables: pass a dictionary of hosts, or a list"
                )
            yield str(name), ChainMap({"inventory_hostname": name}, variables)
    elif isinstance(hosts, str) or not hasattr(hosts, "__iter__"):
        raise InvalidInput("the input is neither a dictionary of hosts nor a list of their variables")
    else:
        for index, item in enumerate(hosts):
            if isinstance(item, str):
                yield item, item
            elif isinstance(item, Mapping):
                yield _name_of(item) or f"item {index + 1}", item
            else:
                raise InvalidInput(f"item {index + 1} is neither a dictionary of variables nor the text of an address")


def item_of_address(index: int, address: Any) -> Item:
    """Return the item of an address in a zone's list. It is never a host."""
    is_mapping = isinstance(address, Mapping)
    text = address.get("origin_ip", address.get("ip")) if is_mapping else address
    label = text if isinstance(text, str) else item_label("addresses", index)
    if isinstance(address, str) or (is_mapping and _is_entry(address)):
        return label, address
    problems = key_problems(address) if is_mapping else []
    try:
        parse_address(text)
    except InvalidInput as error:
        problems.append(str(error))
    return label, _without_address(label, "; ".join(problems), address)


def _items_of_cloudflare(result: Mapping[str, Any]) -> Iterator[Item]:
    """Yield the items of a zone_origins_info result. Raises InvalidInput."""
    try:
        for entry in result["origins"]:
            names = [*entry["names"]]
            yield _join_names(names), {"origin_ip": entry["origin_ip"], "names": names}
        unknown = unknown_hostnames(result)
        for entry in result.get("hostnames") or ():
            names, hostname = [*entry["names"]], str(entry["hostname"])
            for address in entry.get("addresses") or ():
                yield _join_names(names), {"origin_ip": address, "names": names}
            if hostname in unknown:
                reason = f"the addresses of {quote(hostname)} are not known: look them up with resolve: true"
                yield _join_names(names), Unresolved(_join_names(names), "hostname", reason)
    except (AttributeError, KeyError, TypeError):
        raise InvalidInput("origins and hostnames do not have the format of a result of zone_origins_info") from None


def unknown_hostnames(result: Mapping[str, Any]) -> list[str]:
    """List the hostnames in a zone_origins_info result without known origins.

    A hostname that has only addresses of Cloudflare itself is no origin.
    """
    codes: dict[str, set[str]] = {}
    for item in result.get("excluded") or ():
        for source in item.get("sources") or ():
            codes.setdefault(source, set()).add(item.get("code"))
    return [
        str(entry["hostname"])
        for entry in result.get("hostnames") or ()
        if not entry.get("addresses") and codes.get(f"hostname {entry['hostname']}") != {"cloudflare"}
    ]


def _name_of(item: Vars) -> str | None:
    if "inventory_hostname" in item:
        return str(item["inventory_hostname"])
    if not _is_entry(item):
        return None
    return _join_names(item["names"]) if item.get("names") else str(item.get("origin_ip", item.get("ip")))


def _join_names(names: Sequence[Any]) -> str:
    """Join the first 10 names, and count the others."""
    more = [f"{len(names) - MAX_LISTED} more"] if len(names) > MAX_LISTED else []
    return ", ".join([*map(str, names[:MAX_LISTED]), *more])


def normalize_zone(name: str) -> str:
    """Normalize a zone's name: lower case, no outer blanks, no final dot."""
    return name.strip().rstrip(".").lower()


def _is_entry(item: Vars) -> bool:
    """Check whether a dictionary is a mapping, not the variables of a host."""
    if "inventory_hostname" in item or not ("origin_ip" in item or "ip" in item):
        return False
    return "vendor" in item or all(key in ENTRY_KEYS or key in ("names", "sources") for key in item)


def _look_up(locate: Locate, host: str, address: Address, known: _Location) -> OriginMapping | Unresolved:
    """Return an address's mapping by the published ranges, or the problem."""
    published = locate(address)
    matches, found = published.matches, published.status == "found"
    if found and known.vendor in (None, matches[0].vendor) and known.region in (None, matches[0].region):
        return OriginMapping(address, matches[0].vendor, str(matches[0].region))
    detail = f"do not have {canonical(address)}"
    if matches:
        detail = f"have {canonical(address)} in {' or '.join(str(match.location) for match in matches)}"
    if found:
        detail += f", not in {known.vendor or known.region}"
    vendors = {known.vendor} if known.vendor else {match.vendor for match in matches}
    code = "unknown_region" if len(vendors) == 1 else "unknown_cloud"
    reason = f"no variable has its location, and the published ranges {detail}: {known.advice}"
    return Unresolved(host, code, reason, (address,))


def _conflict(address: Address, claimed: Mapping[OriginMapping, Iterable[str]]) -> Unresolved:
    """Describe an address that hosts have in different locations."""
    hosts = dict.fromkeys(host for names in claimed.values() for host in names)
    places = ", ".join(f"{mapping.vendor}/{mapping.region} ({next(iter(names))})" for mapping, names in claimed.items())
    reason = f"{canonical(address)} is in different regions: {places}"
    return Unresolved(" and ".join(hosts), "conflict", reason, (address,))


def _merge(found: Iterable[OriginMapping | Unresolved]) -> list[OriginMapping | Unresolved]:
    """Merge the problems of a host, and drop repeated mappings.

    Problems that differ in their addresses only become one.
    """
    mappings: dict[OriginMapping, None] = {}
    problems: dict[Unresolved, dict[Address, None]] = {}
    for origin in found:
        if isinstance(origin, Unresolved):
            known = problems.setdefault(replace(origin, addresses=()), {})
            known.update(dict.fromkeys(origin.addresses))
        else:
            mappings[origin] = None
    return [*mappings, *(replace(problem, addresses=tuple(known)) for problem, known in problems.items())]


def _without_address(host: str, reason: str, item: Any) -> Unresolved:
    """Describe an item without a usable address."""
    return _add_addresses(Unresolved(host, "no_address", reason), [item])


def _add_addresses(problem: Unresolved, items: Iterable[Any]) -> Unresolved:
    """Add the addresses of unusable items, and whether one is unreadable."""
    addresses: dict[Address, None] = {}
    is_unreadable = False
    for item in items:
        texts = [item]
        if isinstance(item, Mapping):
            # Both, if an item has two addresses: it is unknown which is meant.
            texts = [item[key] for key in ("origin_ip", "ip") if key in item] or [None]
        for text in texts:
            try:
                addresses[parse_address(text)] = None
            except InvalidInput:
                is_unreadable = True
    return replace(problem, addresses=tuple(addresses), is_unreadable=is_unreadable)


def _evaluate(value: Any) -> Any:
    """Return a copy of a value, recursively evaluated.

    Raises the errors of templates. ansible-core 2.16 leaves templates that it cannot evaluate as they are.
    """
    if isinstance(value, str):
        if "{{" in value or "{%" in value:
            raise ValueError(f"{quote(value)} has an undefined variable")
        return value
    if isinstance(value, Mapping):
        return {key: _evaluate(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_evaluate(item) for item in value]
    bool(value)  # raises if the value is undefined
    return value


def _as_list(value: Any) -> list[Any]:
    """Return a list, or a single item, as a list."""
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
    # Not placement.region: for local and wavelength zones that is the zone without its last letter.
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


def _in_azure_inventory(read: Read) -> bool:
    return bool(read("location")) and (bool(read("vmid")) or read("public_ipv4_address") is not None)


def _outside_azure(read: Read) -> bool:
    """Check for Azure Arc and Azure Stack HCI.

    Their location is that of the machine's record.
    """
    kind = f"{read('resource_type')} {read('id')}".lower()
    return "microsoft.hybridcompute" in kind or "microsoft.azurestackhci" in kind


def _azure_addresses(read: Read) -> Iterable[Any]:
    # The plural is that of azure.azcollection before 2.1.
    return [*_as_list(read("public_ipv4_address")), *_as_list(read("public_ipv4_addresses"))]


CLOUDS = (
    Cloud(
        "aws",
        matches=lambda read: any(_extract(read("placement"), "availability_zone")),
        addresses=_aws_addresses,
        region=_aws_region,
    ),
    Cloud(
        "azure",
        matches=lambda read: _in_azure_inventory(read) and _outside_azure(read),
        addresses=_azure_addresses,
        region=lambda read: None,
        located=False,
    ),
    Cloud(
        "azure",
        matches=_in_azure_inventory,
        addresses=_azure_addresses,
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
        addresses=lambda read: [*_as_list(read("public_ip")), *_as_list(read("ipv6_ips"))],
        region=lambda read: OCI_REGIONS.get(str(read("region")).lower(), read("region")),
    ),
)
