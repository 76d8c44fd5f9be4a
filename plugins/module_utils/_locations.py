# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locations of addresses from published ranges and inventories.

The wings share these; modules that write need not load them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from ._mapping import Address, canonical


class Location(NamedTuple):
    """Vendor and region. A region of None means any region of the vendor."""

    vendor: str
    region: str | None

    def __str__(self) -> str:
        return f"{self.vendor}/{self.region}" if self.region else f"{self.vendor}, without a region"


@dataclass(frozen=True, slots=True)
class RangeMatch:
    """Published prefix that contains an address.

    region is None if the vendor names none.
    """

    vendor: str
    region: str | None
    prefix: str

    @property
    def location(self) -> Location:
        return Location(self.vendor, self.region)


@dataclass(frozen=True, slots=True)
class LookupResult:
    """Location of an address by the published ranges.

    status is found, with one match; global, with one match without a region; ambiguous, with matches that
    contradict each other; or unknown, without any. An unknown address may still be in a cloud.
    """

    status: str
    matches: tuple[RangeMatch, ...] = ()


Locate: TypeAlias = Callable[[Address], LookupResult]
"""Function that looks an address up in the published ranges."""


UNRESOLVED_CODES = (
    "no_address",
    "private_address",
    "unknown_cloud",
    "unknown_region",
    "hostname",
    "conflict",
    "variable_error",
)


@dataclass(frozen=True)
class Unresolved:
    """Host without a mapping, or with fewer than it has addresses.

    code is one of UNRESOLVED_CODES; addresses are those without a mapping, as far as they are known. is_unreadable
    means that a further address cannot be parsed.
    """

    host: str
    code: str
    reason: str
    addresses: tuple[Address, ...] = ()
    is_unreadable: bool = False

    def __str__(self) -> str:
        return f"{self.host} ({self.reason})"

    @property
    def hides_address(self) -> bool:
        """Check whether the host may have an unknown address.

        A mapping that looks stale may belong to it.
        """
        return self.is_unreadable or (not self.addresses and self.code in ("hostname", "variable_error"))

    def as_dict(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "code": self.code,
            "reason": self.reason,
            "addresses": [canonical(address) for address in self.addresses],
            **({"unreadable": True} if self.is_unreadable else {}),
        }
