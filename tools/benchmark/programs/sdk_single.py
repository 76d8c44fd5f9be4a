# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cloudflare's SDK, with its calls for one mapping at a time.

Tools do so if every address is a separate resource.
"""

from __future__ import annotations

from collections.abc import Callable

from cloudflare import Cloudflare

from ..service import Service
from ..work import Step
from . import main


def sdk_single(service: Service, zone_id: str, step: Step) -> Callable[[], None]:
    """Write each mapping, or read each if nothing has changed."""
    regions = Cloudflare(api_token=service.token, base_url=service.api_url).cache.origin_cloud_regions

    def work() -> None:
        for mapping in step.wanted:
            address, vendor, region = mapping["origin_ip"], mapping["vendor"], mapping["region"]
            if step.upserts:
                regions.update(
                    address,
                    zone_id=zone_id,
                    body_origin_ip=address,
                    vendor=vendor,  # type: ignore[arg-type]
                    region=region,
                )
            else:
                regions.get(address, zone_id=zone_id)

    return work


if __name__ == "__main__":
    main(sdk_single)
