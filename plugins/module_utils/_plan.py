# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: the changes that bring a zone to its wanted state.

Pure code without HTTP and Ansible.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ._errors import InvalidInput
from ._mapping import ZONE_LIMIT, Address, OriginMapping, ZoneMappings, address_order


@dataclass(frozen=True)
class Change:
    """One change of a zone: mapping is the new or the deleted value, before the replaced one."""

    kind: str  # created, updated or deleted: the names of the result's lists
    mapping: OriginMapping
    before: OriginMapping | None

    @property
    def address(self) -> Address:
        return self.mapping.address

    def is_applied_in(self, mappings: Mapping[Address, OriginMapping]) -> bool:
        """Whether a zone with these mappings shows the change as applied."""
        found = mappings.get(self.address)
        return found is None if self.kind == "deleted" else found == self.mapping


@dataclass(frozen=True)
class Plan:
    """Changes from the current to the wanted state of a zone, each list sorted by address."""

    upserts: tuple[Change, ...]
    deletes: tuple[Change, ...]
    unchanged: int
    total: int | None  # mappings in the zone before the changes, where that was read

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes in the order of writing."""
        return self.deletes + self.upserts if self.deletes_first else self.upserts + self.deletes

    @property
    def deletes_first(self) -> bool:
        """Whether the zone has no room for the additions before the deletions.

        Else additions come first, so that no origin is ever without its mapping.
        """
        return self.total is not None and self.total + self.creations > ZONE_LIMIT

    @property
    def creations(self) -> int:
        return sum(change.kind == "created" for change in self.upserts)

    def batches(self, size: int) -> Iterator[tuple[Change, ...]]:
        """Yield the changes in the order of writing, at most size at once, each batch of one method."""
        for changes in (self.deletes, self.upserts) if self.deletes_first else (self.upserts, self.deletes):
            for start in range(0, len(changes), size):
                yield changes[start : start + size]

    def without(self, addresses: Collection[Address]) -> Plan:
        """Return the plan less the upserts of these addresses."""
        return replace(self, upserts=tuple(change for change in self.upserts if change.address not in addresses))

    def check_limit(self) -> None:
        """Raise InvalidInput if additions would exceed the zone's limit, where its total is known."""
        if self.total is None or not self.creations:
            return
        after = self.total + self.creations - len(self.deletes)
        if after > ZONE_LIMIT:
            raise InvalidInput(
                f"the zone holds {self.total} mappings and would come to {after}, but Cloudflare allows {ZONE_LIMIT}: "
                "remove mappings that are no longer needed first"
            )


NO_CHANGES = Plan((), (), 0, None)


def make_plan(
    current: ZoneMappings,
    wanted: Mapping[Address, OriginMapping | None],
    *,
    overwrite: bool = True,
    keep: Collection[Address] | None = None,
) -> Plan:
    """Compare the current with the wanted mappings, where None wants no mapping.

    With keep, every mapping that is neither wanted nor kept is deleted too. Without overwrite, a mapping with
    other values raises InvalidInput.
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
    if keep is not None:
        kept = {*wanted, *keep}
        deletes += [Change("deleted", old, old) for address, old in current.mappings.items() if address not in kept]
    return Plan(_sorted(upserts), _sorted(deletes), unchanged, current.total)


def diff(changes: Iterable[Change]) -> dict[str, str]:
    """Return Ansible's diff of changes: one line for each mapping, sorted by address."""
    ordered = _sorted(changes)
    return {
        "before": "".join(f"{change.before}\n" for change in ordered if change.before),
        "after": "".join(f"{change.mapping}\n" for change in ordered if change.kind != "deleted"),
    }


def _sorted(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: address_order(change.address)))
