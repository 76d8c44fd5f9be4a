# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cloudflare's SDK, with its calls for many mappings at a time."""

from __future__ import annotations

from collections.abc import Callable

from cloudflare import Cloudflare

from ..service import Service
from ..work import BATCH, Step, batches
from . import main


def sdk_bulk(service: Service, zone_id: str, step: Step) -> Callable[[], None]:
    """Read the zone if necessary, and write the step's changes."""
    regions = Cloudflare(api_token=service.token, base_url=service.api_url).cache.origin_cloud_regions

    def work() -> None:
        if step.pages:
            list(regions.list(zone_id=zone_id, per_page=BATCH))
        for mappings in batches(step.upserts):
            regions.bulk_update(zone_id=zone_id, body=mappings)  # type: ignore[arg-type]

    return work


if __name__ == "__main__":
    main(sdk_bulk)
