# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Outcomes and exceptions.

Every exception has the fields of a failed result.

OriginOpsError              a task fails
├── InvalidInput            the input is wrong; nothing was written
└── CloudflareError         a request failed
    └── RegionsUnavailable  the supported regions are refused, as without Tiered Cache
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._messages import clip

CREDENTIALS_HINT = (
    "Check that the credentials are valid and not expired, and have the permission for this request. Mappings and "
    "settings need Zone Settings: Read, and Zone Settings: Edit to change them. The module "
    "originops.cloudflare.check_access reports what the credentials may do"
)
PERMISSIONS = {
    "zones": "Zone: Read",
    "mappings": "Zone Settings: Read",
    "supported_regions": "Zone Settings: Read",
    "tiered_cache": "Zone Settings: Read",
    "smart_tiered_cache": "Zone Settings: Read",
    "dns_records": "DNS: Read",
    "load_balancers": "Load Balancers: Read",
    "pools": "Load Balancing: Monitors and Pools: Read",
    "traffic": "Analytics: Read",
    "write": "Zone Settings: Edit",
}
"""Permissions of an API token, by what they allow.

Cloudflare publishes none for mappings and supported regions: Zone Settings is documented for the other cache settings.
"""
RATE_LIMIT_HINT = "The API allows 1,200 requests in 5 minutes for a user: wait, or spread the work"
ROUTE_HINT = (
    "Check zone_id and api_url: this is the response for unknown zones and for routes that the service does not have"
)

TIERED_CACHE = "argo/tiered_caching"
SMART_TIERED_CACHE = "cache/tiered_cache_smart_topology_enable"


def turn_on_hint(*settings: str, zone_id: str) -> str:
    """Describe how to turn settings of a zone on.

    settings are paths in the API: TIERED_CACHE, SMART_TIERED_CACHE.
    """
    pronoun = "them" if len(settings) > 1 else "it"
    names = {TIERED_CACHE: "enabled", SMART_TIERED_CACHE: "smart"}
    options = ", ".join(f"{names[path]}: true" for path in settings)
    return (
        f"turn {pronoun} on with the module originops.cloudflare.tiered_cache (zone_id: {zone_id}, {options}), or in "
        "the dashboard: Caching, Tiered Cache"
    )


# Codes and meanings of Cloudflare's API reference.
MAPPING_MISSING = frozenset({1142, 1163})  # no mapping for this address; 1163 for a deletion by v1
MAPPING_EXISTS = 1145  # the address is mapped already (creation by v1)
REGION_UNKNOWN = 1157  # unknown vendor, or a region unknown for it
ROUTE_UNKNOWN = frozenset({7000, 7003})  # no such route, or a malformed identifier
CREDENTIALS_REFUSED = frozenset({9109, 10000})  # invalid credentials, or a missing permission
RATE_LIMITED = frozenset({971, 10100})  # too many requests
ZONE_FULL = 1164  # the zone is at its limit of mappings

HINTS = {
    1135: "The zone's plan or settings do not allow this",
    1140: "Internal error of the service: try again later",
    MAPPING_EXISTS: "The address has a mapping already",
    1146: "The service accepts single IPv4 and IPv6 addresses of public origins only",
    1156: "The service could not check the region: try again later",
    REGION_UNKNOWN: (
        "See the supported regions with originops.cloudflare.origin_cloud_region_info and supported_regions: true"
    ),
    ZONE_FULL: (
        "Cloudflare enforces a limit of mappings for this zone, 3,500 unless its account has another: remove those "
        "that are no longer needed"
    ),
    **dict.fromkeys(ROUTE_UNKNOWN, ROUTE_HINT),
    **dict.fromkeys(CREDENTIALS_REFUSED, CREDENTIALS_HINT),
    **dict.fromkeys(RATE_LIMITED, RATE_LIMIT_HINT),
}
"""Hints for users, by Cloudflare's error code."""


class Outcome:
    """Outcome of an operation: result fields, warnings, and a deprecation."""

    def __init__(self, result: dict[str, Any], warnings: Sequence[str] = (), deprecation: str | None = None) -> None:
        self.result = result
        self.warnings = warnings
        self.deprecation = deprecation


class OriginOpsError(Exception):
    """Failure of a task.

    The message is for the user; the outcome has the rest.
    """

    def __init__(self, message: str, **result: Any) -> None:
        super().__init__(clip(message))
        self.outcome = Outcome(result)

    @property
    def result(self) -> dict[str, Any]:
        """Fields of the failed result, without its message."""
        return self.outcome.result


class InvalidInput(OriginOpsError):
    """Invalid input of the user. Nothing was written."""


class CloudflareError(OriginOpsError):
    """Failure of a request.

    status is the HTTP status, None without a response; errors are Cloudflare's own, each
    {code: int, message: str}. Both are fields of the failed result too. maybe_applied is true if the write may
    have been applied in spite of the failure.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        errors: list[dict[str, Any]] | None = None,
        *,
        maybe_applied: bool = False,
    ) -> None:
        self.status = status
        self.errors = errors or []
        self.maybe_applied = maybe_applied or MAPPING_EXISTS in self.codes
        super().__init__(message, status=status, errors=self.errors)

    @property
    def codes(self) -> set[int]:
        """Cloudflare's error codes."""
        return {error["code"] for error in self.errors}

    @property
    def is_mapping_not_found(self) -> bool:
        """Check whether the address has no mapping.

        Other 404 responses do not mean that.
        """
        return self.status == 404 and not self.codes.isdisjoint(MAPPING_MISSING)

    @property
    def is_route_not_found(self) -> bool:
        """Check whether the route or the zone identifier is unknown.

        The response is the same for both.
        """
        return self.status == 400 and not self.codes.isdisjoint(ROUTE_UNKNOWN)

    @property
    def credentials_refused(self) -> bool:
        """Check whether the credentials are invalid or lack a permission."""
        return self.status == 401 or not self.codes.isdisjoint(CREDENTIALS_REFUSED)


class RegionsUnavailable(CloudflareError):
    """Refusal of the supported regions, as without Tiered Cache."""
