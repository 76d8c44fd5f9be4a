# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Supported regions of a zone.

Loaded only if they are read, since tasks without a change need none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from ._mapping import VENDORS, OriginMapping
from ._messages import close_names, quote


class Region(NamedTuple):
    """Region by the vendor's name, and the data centres of its upper tiers.

    Data centres are IATA codes.
    """

    name: str
    upper_tier_colos: list[str]


class SupportedRegions(NamedTuple):
    """Regions that Cloudflare supports for a zone, by vendor.

    Without obtained_codes the data centres may be incomplete.
    """

    obtained_codes: bool
    vendors: dict[str, list[Region]]

    def problem(self, mapping: OriginMapping) -> str | None:
        """Return the reason for the service to refuse a mapping, or None."""
        names = self.names(mapping.vendor)
        if mapping.region in names:
            return None
        text = mapping.region.strip().casefold()
        others = [vendor for vendor in self.vendors if vendor != mapping.vendor and text in self.names(vendor)]
        hints = [f"{text} is a region of {vendor}" for vendor in others]
        if close := close_names(mapping.region, names):
            hints.append(f"did you mean {' or '.join(close)}?")
        problem = f"region {quote(mapping.region)} is not supported for vendor {mapping.vendor}"
        return ": ".join(filter(None, [problem, ", ".join(hints)]))

    def as_dict(self) -> dict[str, Any]:
        vendors = {vendor: [region._asdict() for region in regions] for vendor, regions in self.vendors.items()}
        return {"obtained_codes": self.obtained_codes, "vendors": vendors}

    def names(self, vendor: str) -> list[str]:
        """List the names of a vendor's regions."""
        return [region.name for region in self.vendors.get(vendor, ())]

    def describe(self, vendors: Collection[str]) -> str:
        """List the supported regions of each vendor, for the end of a message."""
        return ". ".join(
            f"Supported regions of {vendor}: {', '.join(self.names(vendor)) or 'none'}"
            for vendor in VENDORS
            if vendor in vendors
        )
