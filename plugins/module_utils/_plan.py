# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan of changes to a zone, and its result.

A plan brings a zone to its wanted state. Pure code without HTTP and Ansible.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple

from ._errors import CloudflareError, InvalidInput
from ._mapping import ZONE_LIMIT, Address, OriginMapping, ZoneMappings, address_order, canonical


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


def _location(mapping: OriginMapping | None) -> Any:
    return mapping and [mapping.vendor, mapping.region]


NO_CHANGES = Plan((), (), 0, None)


class ApplyResult:
    """Outcome of applying a plan, or a batch of one.

    Each failed change has a reason. Unknown ones may have been applied, but the zone could not be read again; they
    have the reason of the write. error is the failure that ended the writing early.
    """

    def __init__(self, applied: Iterable[Change] = (), pending: Iterable[Change] = ()) -> None:
        self.applied = [*applied]
        self.failed: list[tuple[Change, str]] = []
        self.unknown: list[tuple[Change, str]] = []
        self.pending = [*pending]
        self.error: CloudflareError | None = None


def predict(plan: Plan) -> ApplyResult:
    """Return the result of applying a plan if nothing fails."""
    return ApplyResult(plan.changes, plan.withheld)


def make_plan(
    current: ZoneMappings,
    wanted: Mapping[Address, OriginMapping | None],
    *,
    overwrite: bool = True,
    purge: bool = False,
    listed: Collection[Address] = (),
    keep: Container[Address] = (),
) -> Plan:
    """Compare current with wanted mappings, and return the plan.

    None means that an address should have no mapping. A purge also deletes every mapping that is neither wanted, nor
    listed, nor in keep. Without overwrite, a mapping with other values raises InvalidInput.
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
        deletes += [
            Change("deleted", old, old)
            for address, old in current.mappings.items()
            if address not in named and address not in keep
        ]
    vendors = Counter(mapping.vendor for mapping in current.mappings.values()) if current.complete else {}
    return Plan(_sorted(upserts), _sorted(deletes), unchanged, current.total, vendors=vendors)


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
