# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Discovery of a zone's origins from its configuration.

Pure code without HTTP and Ansible.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, NamedTuple

from .._errors import InvalidInput, OriginOpsError
from .._mapping import Address, address_order, canonical, check_origin, is_private, parse_address
from .._networks import Networks
from .configuration import ADDRESS_TYPES, LoadBalancer, Pool, PoolOrigin, Record, normalize

PLACEHOLDERS = Networks(map(ip_network, ("192.0.2.1/32", "100::/64")))
"""Addresses of proxied records without an origin (Workers, redirects)."""

TUNNEL_DOMAIN = ".cfargotunnel.com"

MAX_NAMES = 32
"""Names that a chain of CNAME records may have."""

HOSTNAME = re.compile(r"([\w-]{1,63}\.)*[^\W\d_][\w-]{0,62}")
"""A hostname. Its last label begins with a letter: resolvers take numbers for addresses."""


class Exclusion(NamedTuple):
    """Reason why a target is no origin to map, as a code and in words."""

    code: str
    reason: str


PLACEHOLDER = Exclusion("placeholder", "a placeholder, not an origin")
PRIVATE = Exclusion("private_address", "a private address, which Cloudflare can reach only through a tunnel")
TUNNEL = Exclusion("tunnel", "Cloudflare reaches it through a tunnel")
CLOUDFLARE = Exclusion("cloudflare", "an address of Cloudflare itself")
BALANCER_DISABLED = Exclusion("disabled", "the load balancer is disabled")
POOL_DISABLED = Exclusion("disabled", "the pool is disabled")
ORIGIN_DISABLED = Exclusion("disabled", "the origin is disabled in its pool")
NOT_PROXIED = Exclusion("not_proxied", "the load balancer is not proxied: clients connect to the origin themselves")
LOOP = Exclusion("loop", f"CNAME records lead in a circle, or through more than {MAX_NAMES} names")
INVALID = Exclusion("invalid", "neither an address nor a hostname")


class Target(NamedTuple):
    """Final target of a public name: an address or a hostname, as written."""

    text: str
    source: str
    exclusion: Exclusion | None = None


@dataclass
class Usage:
    """Public names of an origin, and the parts of the configuration with it."""

    names: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)

    def add(self, names: Iterable[str], sources: Iterable[str]) -> None:
        self.names.update(names)
        self.sources.update(sources)

    def as_dict(self) -> dict[str, list[str]]:
        return {"names": sorted(self.names), "sources": sorted(self.sources)}


@dataclass
class Discovery:
    """Origins by address, origins behind hostnames, and exclusions, each once."""

    networks: Container[Address] = ()  # those of Cloudflare, if they were read
    origins: defaultdict[Address, Usage] = field(default_factory=lambda: defaultdict(Usage))
    hostnames: defaultdict[str, Usage] = field(default_factory=lambda: defaultdict(Usage))
    excluded: defaultdict[tuple[str, Exclusion], Usage] = field(default_factory=lambda: defaultdict(Usage))

    def add(self, name: str, target: Target) -> None:
        """Add a target of a public name as an origin, hostname or exclusion."""
        found = [name], [target.source]
        try:
            address = parse_address(target.text)
        except InvalidInput:
            self._add_hostname(target, *found)
            return
        exclusion = target.exclusion or self._exclusion(address)
        if exclusion:
            self._exclude(canonical(address), exclusion, *found)
        else:
            self.origins[address].add(*found)

    def add_addresses(self, hostname: str, addresses: Iterable[Address]) -> list[Address]:
        """Return the addresses of a hostname that can be origins, sorted.

        The others are excluded.
        """
        usage = self.hostnames[hostname]
        usable = []
        for address in sorted(set(addresses), key=address_order):
            exclusion = self._exclusion(address)
            if exclusion:
                self._exclude(canonical(address), exclusion, usage.names, [f"hostname {hostname}"])
            else:
                usable.append(address)
        return usable

    def excluded_items(self) -> list[dict[str, Any]]:
        """Return the excluded targets, each with its reason."""
        return [
            {"origin": target, **exclusion._asdict(), **usage.as_dict()}
            for (target, exclusion), usage in sorted(self.excluded.items(), key=lambda item: item[0])
        ]

    def _add_hostname(self, target: Target, names: Sequence[str], sources: Sequence[str]) -> None:
        hostname = normalize(target.text)
        exclusion = target.exclusion
        if len(hostname) > 253 or not HOSTNAME.fullmatch(hostname):
            exclusion = exclusion or INVALID
        elif hostname.endswith(TUNNEL_DOMAIN):
            exclusion = exclusion or TUNNEL
        if exclusion:
            self._exclude(hostname, exclusion, names, sources)
        else:
            self.hostnames[hostname].add(names, sources)

    def _exclude(self, target: str, exclusion: Exclusion, names: Iterable[str], sources: Iterable[str]) -> None:
        self.excluded[target, exclusion].add(names, sources)

    def _exclusion(self, address: Address) -> Exclusion | None:
        """Return the reason why an address is no origin to map, or None."""
        try:
            check_origin(address)
        except InvalidInput as error:
            return Exclusion("unusable_address", str(error))
        if address in PLACEHOLDERS:
            return PLACEHOLDER
        if is_private(address):
            return PRIVATE
        if address in self.networks:
            return CLOUDFLARE
        return None


def discover(
    records: Sequence[Record],
    balancers: Sequence[LoadBalancer],
    pools: Mapping[str, Pool],
    networks: Container[Address] = (),
) -> Discovery:
    """Find the origins of proxied records and of load balancers.

    networks are those of Cloudflare itself. Raises OriginOpsError for a load balancer with an unknown pool.
    """
    configuration = _Configuration(records, balancers, pools)
    found = Discovery(networks)
    starts: list[Record | LoadBalancer] = [*balancers]
    starts += [record for record in records if record.proxied and record.type in ADDRESS_TYPES]
    for start in starts:
        for target in configuration.targets(start):
            found.add(start.name, target)
    return found


class _Configuration:
    """Records and load balancers by name, and the paths through them."""

    def __init__(self, records: Sequence[Record], balancers: Sequence[LoadBalancer], pools: Mapping[str, Pool]) -> None:
        self._pools = pools
        self._by_name: dict[str, list[Record | LoadBalancer]] = {}
        items: list[Record | LoadBalancer] = [*records, *balancers]
        for item in items:
            self._by_name.setdefault(item.name, []).append(item)
        self._nodes = {name for owner in self._by_name for name in _with_parents(owner)}

    def targets(self, start: Record | LoadBalancer) -> Iterator[Target]:
        """Yield the targets of a record or a load balancer.

        CNAME records of the zone itself are followed.
        """
        pending = [(start, False)]
        seen: set[str] = set()
        while pending:
            item, private = pending.pop()
            if isinstance(item, LoadBalancer):
                # Through a proxied record Cloudflare connects to the origins of any load balancer.
                yield from self._pool_targets(item, proxied=item.proxied or item is not start)
                continue
            private = private or item.private
            target = Target(item.content, f"{item.type} record of {item.name}", TUNNEL if private else None)
            name = normalize(item.content)
            following = self._resolve(name) if item.type == "CNAME" else []
            if not following:
                yield target
            elif name in seen or len(seen) >= MAX_NAMES:
                yield target._replace(exclusion=LOOP)
            else:
                seen.add(name)
                pending += [(other, private) for other in following]

    def _resolve(self, name: str) -> list[Record | LoadBalancer]:
        """Return the records and load balancers of a name.

        A name that is not in the zone has those of the closest wildcard (RFC 4592).
        """
        if name not in self._nodes:
            parent = next((parent for parent in _with_parents(name) if parent in self._nodes), "")
            name = f"*.{parent}"
        return [
            item for item in self._by_name.get(name, ()) if isinstance(item, LoadBalancer) or item.type in ADDRESS_TYPES
        ]

    def _pool_targets(self, balancer: LoadBalancer, proxied: bool) -> Iterator[Target]:
        for pool_id in balancer.pool_ids:
            if pool_id not in self._pools:
                raise OriginOpsError(
                    f"load balancer {balancer.name} has the pool {pool_id}, which is not among the pools of the zone's "
                    "account, so its origins are unknown. Check the load balancer, and try again"
                )
            pool = self._pools[pool_id]
            for origin in pool.origins:
                source = f"pool {pool.name}, origin {origin.name}"
                yield Target(origin.address, source, _pool_exclusion(balancer, proxied, pool, origin))


def _pool_exclusion(balancer: LoadBalancer, proxied: bool, pool: Pool, origin: PoolOrigin) -> Exclusion | None:
    if not balancer.enabled:
        return BALANCER_DISABLED
    if not proxied:
        return NOT_PROXIED
    if not pool.enabled:
        return POOL_DISABLED
    if not origin.enabled:
        return ORIGIN_DISABLED
    return TUNNEL if origin.private else None


def _with_parents(name: str) -> Iterator[str]:
    """Yield a DNS name and all names above it, the longest first."""
    while name:
        yield name
        name = name.partition(".")[2]
