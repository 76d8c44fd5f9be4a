# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The regions that Cloudflare supports for a zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import Mapping, nearest, shorten


@dataclass(frozen=True, order=True)
class Region:
    """A region by the vendor's name for it, and the IATA codes of the data centres that it leads to."""

    name: str
    upper_tier_colos: list[str]

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "upper_tier_colos": self.upper_tier_colos}


@dataclass(frozen=True)
class SupportedRegions:
    """The API's answer, regions by vendor. With obtained_codes false their data centres may be incomplete."""

    obtained_codes: bool
    vendors: dict[str, list[Region]]

    def problem(self, mapping: Mapping) -> str | None:
        """Why the service would refuse this vendor and region, None where it would not."""
        names = [region.name for region in self.vendors.get(mapping.vendor, ())]
        if mapping.region in names:
            return None
        return (
            f"region {shorten(mapping.region)} is not supported for vendor {mapping.vendor}: "
            f"{nearest(mapping.region, names)}"
        )

    def as_dict(self) -> dict[str, Any]:
        vendors = {vendor: [region.as_dict() for region in regions] for vendor, regions in self.vendors.items()}
        return {"obtained_codes": self.obtained_codes, "vendors": vendors}
