# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan of changes to a zone, and guards against accidents.

A plan brings a zone to its wanted state. Pure code without HTTP and Ansible.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple

from ._errors import InvalidInput
from ._mapping import ZONE_LIMIT, Address, Network, OriginMapping, ZoneMappings, address_order, canonical

GUARDED_SIZE = 10
"""Number of mappings in a zone from which the percentage guards apply."""


class Change(NamedTuple):
    """Change of one mapping of a zone.

    mapping is the new or the deleted value, before the previous one.
    """

    kind: str  # created, updated or deleted: the names of the result's lists
    mapping: OriginMapping
    before: OriginMapping | None

    @property
    def address(self) -> Address:
        return self.mapping.address

    def is_applied_in(self, mappings: Mapping[Address, OriginMapping]) -> bool:
        """Check whether a zone with these mappings shows the change as applied."""
        found = mappings.get(self.address)
        return found is None if self.kind == "deleted" else found == self.mapping


class Plan(NamedTuple):
    """Changes from the current to the wanted state of a zone.

    Each list is sorted by address.
    """

    upserts: tuple[Change, ...]
    deletes: tuple[Change, ...]
    unchanged: int
    total: int | None  # mappings in the zone before the changes, if read
    withheld: tuple[Change, ...] = ()  # deletions that are not made, because the list could not be read as a whole
    vendors: Mapping[str, int] = MappingProxyType({})  # mappings before, by vendor, if all were read

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes in the order of writing."""
        return self.deletes + self.upserts if self.deletes_first else self.upserts + self.deletes

    @property
    def deletes_first(self) -> bool:
        """Check whether deletions have to make room for the additions.

        Otherwise additions come first, so that no origin is ever without its mapping.
        """
        return bool(self.creations) and self.total is not None and self.total + self.creations > ZONE_LIMIT

    @property
    def creations(self) -> int:
        return sum(change.kind == "created" for change in self.upserts)

    def batches(self, size: int) -> Iterator[tuple[Change, ...]]:
        """Yield the changes in batches of at most size, in the order of writing.

        A batch has upserts or deletions, not both.
        """
        for changes in (self.deletes, self.upserts) if self.deletes_first else (self.upserts, self.deletes):
            for start in range(0, len(changes), size):
                yield changes[start : start + size]

    def without(self, addresses: Collection[Address]) -> Plan:
        """Return the plan without the upserts of these addresses."""
        return self._replace(upserts=tuple(change for change in self.upserts if change.address not in addresses))

    def withhold_deletions(self) -> Plan:
        """Return the plan without its deletions, which become withheld."""
        return self._replace(deletes=(), withheld=self.deletes)

    def checksum(self, zone_id: str) -> str:
        """Return the SHA-256 of the zone, the changes, and replaced values."""
        changes = [
            [
                canonical(change.address),
                _location(change.before),
                change.kind != "deleted" and _location(change.mapping),
            ]
            for change in _sorted([*self.upserts, *self.deletes])
        ]
        return sha256(json.dumps([zone_id, changes]).encode()).hexdigest()

    def check_limit(self, zone: str) -> None:
        """Raise InvalidInput if additions would exceed the zone's limit.

        Without a known total there is no check. A zone that already has more has another limit, which only the
        service knows.
        """
        if self.total is None or not self.creations or self.total > ZONE_LIMIT:
            return
        after = self.total + self.creations - len(self.deletes)
        if after > ZONE_LIMIT:
            raise InvalidInput(
                f"zone {zone} holds {self.total} mappings and would come to {after}, but Cloudflare allows "
                f"{ZONE_LIMIT}: remove mappings that are no longer needed first"
            )


class Guards:
    """Limits of a task's changes, in percent of the zone's mappings."""

    def __init__(self, allow_empty: bool, max_delete_percentage: float, max_update_percentage: float) -> None:
        self._allow_empty = allow_empty
        self._percentages = {
            "max_delete_percentage": max_delete_percentage,
            "max_update_percentage": max_update_percentage,
        }
        for option, allowed in self._percentages.items():
            if not 0 <= allowed <= 100:
                raise InvalidInput(f"{option}: {allowed:g} is not between 0 and 100 percent")

    def check(self, plan: Plan, zone: str, purge: bool) -> None:
        """Raise InvalidInput for a plan that changes more than allowed.

        Nothing is written then.
        """
        if purge and not (plan.unchanged or plan.upserts) and not self._allow_empty:
            raise InvalidInput(f"zone {zone}, {len(plan.deletes)} of {plan.total} mappings: {EMPTY_PURGE}")
        updates = [change for change in plan.upserts if change.kind == "updated"]
        self._check_share("delete", len(plan.deletes), plan.total, zone)
        self._check_share("update", len(updates), plan.total, zone)
        if purge and self._percentages["max_delete_percentage"] < 100:
            _check_vendors(plan, zone)

    def _check_share(self, verb: str, changes: int, total: int | None, zone: str) -> None:
        option = f"max_{verb}_percentage"
        allowed = self._percentages[option]
        if total is None or total < GUARDED_SIZE or 100 * changes / total <= allowed:
            return
        raise InvalidInput(
            f"the task would {verb} {changes} of the {total} mappings of zone {zone}, {_percent(changes, total)} "
            f"percent, but {option} is {allowed:g}: nothing was written. If this is intended, set {option} to "
            f"{_percent(changes, total)} or more"
        )


EMPTY_PURGE = (
    "purge without a usable mapping in the list would delete all mappings of the zone: check the list, or set "
    "allow_empty: true if this is intended"
)


def _check_vendors(plan: Plan, zone: str) -> None:
    """Raise InvalidInput if deletions leave no mapping of a vendor.

    An inventory source may have failed.
    """
    after = Counter(plan.vendors)
    after.subtract(change.before.vendor for change in (*plan.deletes, *plan.upserts) if change.before)
    after.update(change.mapping.vendor for change in plan.upserts)
    deleted = Counter(change.mapping.vendor for change in plan.deletes)
    for vendor, number in sorted(deleted.items()):
        if number > 1 and after[vendor] <= 0:
            before = plan.vendors[vendor]
            raise InvalidInput(
                f"the purge would delete {number} of the {before} mappings of vendor {vendor} in zone {zone}, "
                f"{_percent(number, before)} percent, and leave no mapping of this vendor, as if an inventory source "
                "had failed: nothing was written. If this is intended, set max_delete_percentage to 100"
            )


def _percent(part: int, whole: int) -> str:
    """Format a percentage, rounded up to a hundredth.

    An option of this value allows it.
    """
    return f"{-(-part * 10000 // whole) / 100:g}"


def _location(mapping: OriginMapping | None) -> Any:
    return mapping and [mapping.vendor, mapping.region]


NO_CHANGES = Plan((), (), 0, None)


def make_plan(
    current: ZoneMappings,
    wanted: Mapping[Address, OriginMapping | None],
    *,
    overwrite: bool = True,
    purge: bool = False,
    listed: Collection[Address] = (),
    keep: Collection[Network] = (),
) -> Plan:
    """Compare current with wanted mappings, and return the plan.

    None means that an address should have no mapping. A purge also deletes every mapping that is neither wanted, nor
    listed, nor in a network to keep. Without overwrite, a mapping with other values raises InvalidInput.
    """
    upserts: list[Change] = []
    deletes: list[Change] = []
    for address, mapping in wanted.items():
        before = current.mappings.get(address)
        if mapping == before:
            continue
        if mapping is not None:
            if before is not None and not overwrite:
                raise InvalidInput(
                    f"{before} exists already and was not replaced by {mapping.vendor}/{mapping.region}: "
                    "overwrite is false"
                )
            upserts.append(Change("updated" if before else "created", mapping, before))
        elif before is not None:
            deletes.append(Change("deleted", before, before))
    unchanged = len(wanted) - len(upserts) - len(deletes)
    if purge:
        named = {*wanted, *listed}
        prefixes = _by_length(keep)
        deletes += [
            Change("deleted", old, old)
            for address, old in current.mappings.items()
            if address not in named and not _is_in(address, prefixes)
        ]
    vendors = Counter(mapping.vendor for mapping in current.mappings.values()) if current.complete else {}
    return Plan(_sorted(upserts), _sorted(deletes), unchanged, current.total, vendors=vendors)


def _by_length(networks: Collection[Network]) -> dict[tuple[int, int], set[int]]:
    """Return the bits of networks by IP version and prefix length.

    A look-up in each set is fast.
    """
    prefixes: dict[tuple[int, int], set[int]] = {}
    for network in networks:
        bits = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
        prefixes.setdefault((network.version, network.prefixlen), set()).add(bits)
    return prefixes


def _is_in(address: Address, prefixes: Mapping[tuple[int, int], set[int]]) -> bool:
    number = int(address)
    return any(
        version == address.version and number >> (address.max_prefixlen - length) in bits
        for (version, length), bits in prefixes.items()
    )


def diff(changes: Iterable[Change], zone: str) -> dict[str, str]:
    """Return Ansible's diff of changes under the zone's name.

    It has one line for each mapping, sorted by address.
    """
    ordered = _sorted(changes)
    return text_diff(
        zone,
        [str(change.before) for change in ordered if change.before],
        [str(change.mapping) for change in ordered if change.kind != "deleted"],
    )


def text_diff(zone: str, before: Iterable[str], after: Iterable[str]) -> dict[str, str]:
    """Return Ansible's diff of lines under the zone's name."""
    return {
        "before_header": zone,
        "after_header": zone,
        "before": "".join(f"{line}\n" for line in before),
        "after": "".join(f"{line}\n" for line in after),
    }


def _sorted(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: address_order(change.address)))
