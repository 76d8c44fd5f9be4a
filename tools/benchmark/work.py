# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measured work: changes of a zone, independent of the subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import TypeVar

T = TypeVar("T")

Mapping = dict[str, str]

BATCH = 100
"""Mappings in a page and in a batch: the API's maximum of both."""

REGIONS = (("aws", "us-east-1"), ("azure", "westeurope"), ("gcp", "europe-west1"), ("oci", "us-ashburn-1"))


@dataclass(frozen=True)
class Scale:
    """Amount of work. The defaults are those of `make bench`."""

    fleet: int = 3500
    growth: Sequence[int] = (10, 100, 1000)
    """Further sizes, to see how the cost grows."""
    removed: int = 100
    repetitions: int = 3
    latencies: Sequence[int] = (0, 50)
    """Milliseconds that every request takes at least."""
    by_uri: int = 10
    """Mappings in a loop over uri: a part of the fleet, as are the next two."""
    by_region: int = 100
    by_sdk: int = 50


QUICK = Scale(fleet=200, growth=(10,), removed=20, repetitions=1, latencies=(0,), by_uri=1, by_region=2, by_sdk=2)
"""Minimum to see that everything runs."""


@dataclass(frozen=True)
class Step:
    """Change of a zone, and the minimum to read and write for it."""

    case: str
    size: int
    """Number of its mappings."""
    current: list[Mapping] = field(default_factory=list)
    """Mappings of the zone before."""
    wanted: list[Mapping] = field(default_factory=list)
    """Mappings of the zone afterwards."""
    pages: int = 0
    deletes: list[str] = field(default_factory=list)
    upserts: list[Mapping] = field(default_factory=list)


NOTHING = Step("nothing", 0)


def changes(scale: Scale) -> list[Step]:
    """Return a step for every kind of change of a fleet."""
    fleet, other = _fleet(18, scale.fleet), _fleet(19, scale.fleet)
    moved = {**fleet[-1], "vendor": "aws", "region": "us-west-2"}
    kept, gone = fleet[scale.removed :], _addresses(fleet[: scale.removed])
    pages = _pages(fleet)
    return [
        *creation(scale.fleet),
        Step("change", scale.fleet, fleet, [*fleet[:-1], moved], pages, upserts=[moved]),
        Step("remove", scale.fleet, fleet, kept, pages, deletes=gone),
        Step("replace", scale.fleet, fleet, other, pages, deletes=_addresses(fleet), upserts=other),
    ]


def creation(size: int) -> list[Step]:
    """Return two steps: create a fleet in an empty zone, and change nothing."""
    fleet = _fleet(18, size)
    return [
        Step("create", size, wanted=fleet, upserts=fleet),
        Step("unchanged", size, fleet, fleet, _pages(fleet)),
    ]


def refusal(size: int) -> Step:
    """Return a step with contradictory options, which sends nothing."""
    return Step("refused", size, _fleet(18, size), _fleet(18, size))


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the items in batches for one request each."""
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _fleet(network: int, size: int) -> list[Mapping]:
    """Return mappings of addresses that RFC 2544 reserves for benchmarks.

    These are 198.18.0.0/16 and 198.19.0.0/16.
    """
    return [
        {"origin_ip": f"198.{network}.{number // 250}.{number % 250}", "vendor": vendor, "region": region}
        for number, (vendor, region) in zip(range(size), cycle(REGIONS), strict=False)
    ]


def _addresses(mappings: Sequence[Mapping]) -> list[str]:
    return [mapping["origin_ip"] for mapping in mappings]


def _pages(mappings: Sequence[Mapping]) -> int:
    return -(-len(mappings) // BATCH)
