# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hints for users after a failed request.

Only failed requests need this file, so others import it then: every file adds to the start of a module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._errors import CREDENTIALS_REFUSED, MAPPING_EXISTS, REGION_UNKNOWN, ROUTE_UNKNOWN

CREDENTIALS_HINT = (
    "Check that the credentials are valid and not expired, and have the permission for this request. Mappings and "
    "settings need Zone Settings: Read, and Zone Settings: Edit to change them. The module "
    "originops.cloudflare.check_access reports what the credentials may do"
)
RATE_LIMIT_HINT = "The API allows 1,200 requests in 5 minutes for a user: wait, or spread the work"
ROUTE_HINT = (
    "Check zone_id and api_url: this is the response for unknown zones and for routes that the service does not have"
)

HINTS = {
    1135: "The zone's plan or settings do not allow this",
    1140: "Internal error of the service: try again later",
    MAPPING_EXISTS: "The address has a mapping already",
    1146: "The service accepts single IPv4 and IPv6 addresses of public origins only",
    1156: "The service could not check the region: try again later",
    REGION_UNKNOWN: (
        "See the supported regions with originops.cloudflare.origin_cloud_region_info and supported_regions: true"
    ),
    1164: (
        "Cloudflare enforces a limit of mappings for this zone, 3,500 unless its account has another: remove those "
        "that are no longer needed"
    ),
    **dict.fromkeys(ROUTE_UNKNOWN, ROUTE_HINT),
    **dict.fromkeys(CREDENTIALS_REFUSED, CREDENTIALS_HINT),
    **dict.fromkeys((971, 10100), RATE_LIMIT_HINT),
}
"""Hints for users, by Cloudflare's error code."""


def describe_response(status: int, errors: Sequence[Mapping[str, Any]]) -> str:
    """Describe an unsuccessful response by its status and errors, with hints."""
    hints = dict.fromkeys(HINTS[error["code"]] for error in errors if error["code"] in HINTS)
    if errors:
        message = "; ".join(f"{error['message']} (code {error['code']})" for error in errors)
    elif status == 429:
        message = f"too many requests. {RATE_LIMIT_HINT}"
    elif status >= 500:
        message = "the service is not available: try again later"
    elif 300 <= status < 400:
        message = "a redirect, which is not followed: check api_url"
    else:
        message = "this is not a response of the API: check api_url, and proxies in between"
    return ". ".join([message, *hints])


def turn_on_hint(*options: str, zone_id: str) -> str:
    """Describe how to turn settings of a zone on.

    options are those of the module tiered_cache: enabled, smart.
    """
    pronoun = "them" if len(options) > 1 else "it"
    values = ", ".join(f"{option}: true" for option in options)
    return (
        f"turn {pronoun} on with the module originops.cloudflare.tiered_cache (zone_id: {zone_id}, {values}), or in "
        "the dashboard: Caching, Tiered Cache"
    )
