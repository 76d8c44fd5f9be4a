# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to change: pure code, which knows nothing of HTTP or Ansible."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping as Dict
from dataclasses import dataclass, replace

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    Address,
    Mapping,
    Snapshot,
    address_order,
)

ZONE_LIMIT = 3500
"""The most mappings that a zone holds, by the API."""


@dataclass(frozen=True)
class Change:
    """One change of a zone: mapping is what will be there, or what is deleted; before is what it replaces."""

    kind: str  # created, updated or deleted: the names of the result's lists
    mapping: Mapping
    before: Mapping | None

    @property
    def address(self) -> Address:
        return self.mapping.address

    def holds_in(self, mappings: Dict[Address, Mapping]) -> bool:
        """Whether a zone with these mappings shows this change as done."""
        found = mappings.get(self.address)
        return found is None if self.kind == "deleted" else found == self.mapping


@dataclass(frozen=True)
class Plan:
    """The changes that bring a zone from what was read to what is wanted, each list sorted by address."""

    upserts: tuple[Change, ...]
    deletes: tuple[Change, ...]
    unchanged: int
    total: int | None  # mappings in the zone before the changes, where that was read

    @property
    def changes(self) -> tuple[Change, ...]:
        """In the order of writing."""
        return self.deletes + self.upserts if self.deletes_first else self.upserts + self.deletes

    @property
    def deletes_first(self) -> bool:
        """Additions come first, so that no origin is ever without its mapping, unless the zone has no room for that."""
        return self.total is not None and self.total + self.creations > ZONE_LIMIT

    @property
    def creations(self) -> int:
        return sum(change.kind == "created" for change in self.upserts)

    def batches(self, size: int) -> Iterator[tuple[Change, ...]]:
        """The changes in the order of writing, at most size at a time, never upserts and deletions together."""
        for changes in (self.deletes, self.upserts) if self.deletes_first else (self.upserts, self.deletes):
            for start in range(0, len(changes), size):
                yield changes[start : start + size]

    def without(self, addresses: Collection[Address]) -> Plan:
        """The plan less the upserts of these addresses."""
        return replace(self, upserts=tuple(change for change in self.upserts if change.address not in addresses))

    def check_limit(self) -> None:
        """Raises InvalidInput where additions would bring the zone past its limit, as far as its total is known."""
        if self.total is None or not self.creations:
            return
        after = self.total + self.creations - len(self.deletes)
        if after > ZONE_LIMIT:
            raise InvalidInput(
                f"the zone holds {self.total} mappings and would come to {after}, but Cloudflare allows {ZONE_LIMIT}: "
                "remove mappings that are no longer needed first"
            )


def make_plan(
    current: Snapshot,
    wanted: Dict[Address, Mapping | None],
    *,
    overwrite: bool = True,
    purge_except: Collection[Address] | None = None,
) -> Plan:
    """Compare what is with what is wanted, where None wants no mapping.

    Where purge_except is given, every mapping that is neither wanted nor one of these goes too.
    With overwrite false a mapping of other values raises InvalidInput.
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
                    f"{before} is there already and was not replaced by {mapping.vendor}/{mapping.region}: "
                    "overwrite is false"
                )
            upserts.append(Change("updated" if before else "created", mapping, before))
        elif before is not None:
            deletes.append(Change("deleted", before, before))
    unchanged = len(wanted) - len(upserts) - len(deletes)
    if purge_except is not None:
        spared = {*wanted, *purge_except}
        deletes += [Change("deleted", old, old) for address, old in current.mappings.items() if address not in spared]
    return Plan(_sorted(upserts), _sorted(deletes), unchanged, current.total)


def diff(changes: Iterable[Change]) -> dict[str, str]:
    """Ansible's diff of these changes: one line a mapping that changes, sorted by address."""
    ordered = _sorted(changes)
    return {
        "before": "".join(f"{change.before}\n" for change in ordered if change.before),
        "after": "".join(f"{change.mapping}\n" for change in ordered if change.kind != "deleted"),
    }


def _sorted(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: address_order(change.address)))
