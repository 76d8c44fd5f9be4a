# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Program that runs every operation of API v1 through Cloudflare's SDK.

It needs release 5.1.0 of the SDK; later releases do not have v1. It reads CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN and
the identifier of a zone without mappings (the argument), and prints the results as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from cloudflare import APIStatusError, Cloudflare
from cloudflare._models import BaseModel

with Cloudflare(max_retries=0, _strict_response_validation=True) as client:
    regions = client.cache.origin_cloud_regions
    zone_id = sys.argv[1]
    first = {"ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    second = {"ip": "2001:DB8:0::1", "vendor": "gcp", "region": "us-east1"}
    operations: dict[str, Callable[[], BaseModel]] = {
        "list none": lambda: regions.list(zone_id=zone_id),
        "create": lambda: regions.create(zone_id=zone_id, **first),
        "create again": lambda: regions.create(zone_id=zone_id, **first),
        "edit": lambda: regions.edit(zone_id=zone_id, **second),
        "list": lambda: regions.list(zone_id=zone_id),
        "get": lambda: regions.get("192.0.2.1", zone_id=zone_id),
        "bulk_edit": lambda: regions.bulk_edit(
            zone_id=zone_id, body=[{**first, "region": "eu-west-1"}, {**first, "region": "nowhere"}]
        ),
        "bulk_edit none": lambda: regions.bulk_edit(zone_id=zone_id, body=[{**first, "region": "nowhere"}]),
        "delete": lambda: regions.delete("2001:db8::1", zone_id=zone_id),
        "delete again": lambda: regions.delete("2001:db8::1", zone_id=zone_id),
        # The SDK sends no body by itself.
        "bulk_delete": lambda: regions.bulk_delete(zone_id=zone_id, extra_body=["192.0.2.1", "192.0.2.2"]),
        "get none": lambda: regions.get("192.0.2.1", zone_id=zone_id),
        "supported_regions": lambda: regions.supported_regions(zone_id=zone_id),
    }
    results: dict[str, object] = {}  # typed result, or the status and first code of an error
    for name, operation in operations.items():
        try:
            results[name] = operation().model_dump(mode="json", exclude_unset=True)
        except APIStatusError as error:
            results[name] = [error.status_code, error.errors[0].code]
json.dump(results, sys.stdout)
