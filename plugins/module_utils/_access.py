# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operation of check_access: the permissions of credentials for a zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ._connection import ZoneClient, open_zone
from ._errors import CloudflareError, Outcome
from ._origins.configuration import fetch_records, read_load_balancers, read_pools
from ._settings import SMART_TIERED_CACHE_SETTING, TIERED_CACHE_SETTING
from ._traffic.analytics import Traffic, read_settings
from ._traffic.graphql import GraphQL
from ._zones import fetch_zone

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


class Access(NamedTuple):
    """Result of a permission check, and its reason.

    allowed is None if it could not be checked.
    """

    allowed: bool | None
    message: str | None = None
    error: CloudflareError | None = None


ALLOWED = Access(True)
NO_ACCOUNT = Access(None, f"The account of the zone is unknown without {PERMISSIONS['zones']}: set account_id")
NOT_TRIED = Access(
    None,
    "Only a write shows whether writing is allowed, so it was not tried. Write one mapping to find out: without the "
    "permission the task changes nothing, and fails with status 403 and code 9109 or 10000",
)


def check_access(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Check the permissions of the credentials to read a zone.

    Sends one request for each check. Raises OriginOpsError if nothing is allowed.
    """
    try:
        with open_zone(options) as zone:
            access = _check_zone(zone)
            return Outcome({"changed": False, **_as_result(access), **zone.source}, deprecation=zone.deprecation)
    except CloudflareError as error:
        if "zone_id" in error.result or error.status != 403:
            raise
        hint = f"If only {PERMISSIONS['zones']} is missing, check the other permissions by zone_id instead of zone"
        raise CloudflareError(f"{error}. {hint}", error.status, error.errors) from None


def _check_zone(zone: ZoneClient) -> dict[str, Access]:
    """Run every check. Raises CloudflareError if nothing is allowed."""
    client, account_id = zone.client, zone.account_id
    zones = ALLOWED
    # A zone found by its name has been read already.
    if not zone.name:
        try:
            account_id = fetch_zone(client, zone.id)["account"]["id"]
        except CloudflareError as error:
            if error.status == 401 or error.is_route_not_found:
                raise
            zones = _failed(error)

    def check_pools() -> Access:
        return _check(lambda: read_pools(client, account_id)) if account_id else NO_ACCOUNT

    checks: dict[str, Callable[[], Access]] = {
        "mappings": lambda: _check(lambda: zone.negotiate(lambda api: api.count())),
        "supported_regions": lambda: _check(lambda: zone.negotiate(lambda api: api.supported_regions())),
        "tiered_cache": lambda: _check(lambda: TIERED_CACHE_SETTING.read(client, zone.id)),
        "smart_tiered_cache": lambda: _check(lambda: SMART_TIERED_CACHE_SETTING.read(client, zone.id)),
        "dns_records": lambda: _check(lambda: fetch_records(client, zone.id, 1)),
        "load_balancers": lambda: _check(lambda: read_load_balancers(client, zone.id)),
        "pools": check_pools,
        "traffic": lambda: _check_traffic(zone),
    }
    found = client.http.map_concurrently(lambda check: check(), checks.values())
    access = {"zones": zones, **dict(zip(checks, found, strict=True))}
    if zones.error and not any(point.allowed for point in access.values()):
        message = f"None of the requests about zone {zone.label} succeeded. {zones.error}"
        raise CloudflareError(message, zones.error.status, zones.error.errors)
    return {**access, "write": NOT_TRIED}


def _check(read: Callable[[], object]) -> Access:
    """Check whether a request is allowed."""
    try:
        read()
    except CloudflareError as error:
        return _failed(error)
    return ALLOWED


def _failed(error: CloudflareError) -> Access:
    """Return the access that a failed request shows.

    Not allowed if Cloudflare itself refused the credentials, else unknown.
    """
    refused = error.errors and error.credentials_refused
    return Access(False if refused else None, str(error), error)


def _check_traffic(zone: ZoneClient) -> Access:
    """Check whether the analytics of a zone can be queried.

    Analytics have reasons in place of status and codes.
    """
    settings = read_settings(GraphQL(zone.client), [zone.id])[zone.id]
    if not isinstance(settings, Traffic):
        return ALLOWED
    if isinstance(settings.error, CloudflareError):
        return _failed(settings.error)
    if settings.error:
        return Access(None, str(settings.error))
    code, reason, _names = settings.not_available or ("", None, ())
    return Access({"permission": False, "not_listed": None}.get(code, True), reason)


def _as_result(access: Mapping[str, Access]) -> dict[str, Any]:
    """Return the fields of a result, except those that name the zone."""
    missing = [PERMISSIONS[name] for name, point in access.items() if point.allowed is False]
    return {
        "access": {
            name: {
                "allowed": point.allowed,
                "permission": PERMISSIONS[name],
                "status": point.error and point.error.status,
                "errors": point.error.errors if point.error else [],
                "message": point.message,
            }
            for name, point in access.items()
        },
        "missing_permissions": [*dict.fromkeys(missing)],
        "not_checked": {name: point.message for name, point in access.items() if point.allowed is None},
    }
