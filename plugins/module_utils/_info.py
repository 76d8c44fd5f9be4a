# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operation of origin_cloud_region_info: mappings and supported regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._connection import open_zone
from ._errors import Outcome
from ._mapping import address_order, parse_addresses


def read_mappings(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Read the mappings of a zone that match the filters.

    Adds the supported regions if wanted.
    """
    addresses = parse_addresses(options["origin_ip"] or (), "origin_ip")
    vendors, regions = options["vendor"], options["region"]
    result: dict[str, Any] = {}
    with open_zone(options) as zone:
        api, current = zone.negotiate(lambda api: api.fetch(addresses) if addresses else api.fetch_all())
        if options["supported_regions"]:
            result["supported_regions"] = api.supported_regions().as_dict()
    mappings = [
        mapping
        for address, mapping in sorted(current.mappings.items(), key=lambda item: address_order(item[0]))
        if (not addresses or address in addresses)
        and (not vendors or mapping.vendor in vendors)
        and (not regions or mapping.region in regions)
    ]
    result |= {
        "changed": False,
        "mappings": [mapping.as_dict() for mapping in mappings],
        "total_count": current.total if current.complete else None,
    }
    return Outcome({**result, **zone.source}, deprecation=zone.deprecation)
