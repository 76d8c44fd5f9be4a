# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints of a zone's origins, and of Cloudflare's networks.

Origins are in DNS records, load balancers and pools.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from .settings import Settings
from .state import CREATED_ON, ApiError, State, Zone, identifier
from .wire import page_of, success

PROXIABLE = ("A", "AAAA", "CNAME")
LARGEST_PAGE = 5_000_000


def blueprint(state: State) -> Blueprint:
    """Create the routes for the zones and accounts of a state."""
    routes = Blueprint("origins", __name__)

    @routes.get("/zones/<zone_id>/dns_records")
    def list_dns_records(zone_id: str) -> Response:
        zone = state.zone(zone_id)
        records = [_record(zone, record) for record in zone.dns_records]
        proxied, kind = request.args.get("proxied"), request.args.get("type")
        if proxied is not None:
            records = [record for record in records if record["proxied"] is (proxied == "true")]
        if kind is not None:
            records = [record for record in records if record["type"] == kind]
        page, info = page_of(records, smallest=1, largest=LARGEST_PAGE, default=100)
        return success(page, info)

    @routes.get("/zones/<zone_id>/load_balancers")
    def list_load_balancers(zone_id: str) -> Response:
        zone = state.zone(zone_id)
        _check_load_balancing(state.settings)
        return success([_load_balancer(zone, balancer) for balancer in zone.load_balancers])

    @routes.get("/accounts/<account_id>/load_balancers/pools")
    def list_pools(account_id: str) -> Response:
        pools = state.account_pools(account_id)
        _check_load_balancing(state.settings)
        return success([_pool(pool) for pool in pools])

    @routes.get("/ips")
    def list_networks() -> Response:
        networks = state.settings.cloudflare_networks
        return success(
            {
                "ipv4_cidrs": [network for network in networks if ":" not in network],
                "ipv6_cidrs": [network for network in networks if ":" in network],
                "etag": identifier(*networks),
            }
        )

    return routes


def _check_load_balancing(settings: Settings) -> None:
    if settings.load_balancing == "forbidden":
        raise ApiError(403, (10000, "Authentication error"))
    if settings.load_balancing == "not_enabled":
        # The code for this error is not documented.
        raise ApiError(400, (1002, "Load balancing is not enabled for this zone or account"))


def _record(zone: Zone, record: dict[str, Any]) -> dict[str, Any]:
    kind, name, content = record["type"], record["name"], record["content"]
    return {
        "id": identifier(zone.id, *map(str, (kind, name, content))),
        "proxiable": kind in PROXIABLE,
        "proxied": False,
        "ttl": 1,
        "settings": {},
        "meta": {},
        "comment": None,
        "tags": [],
        "created_on": CREATED_ON,
        "modified_on": CREATED_ON,
        **record,
    }


def _load_balancer(zone: Zone, balancer: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": identifier(zone.id, "load balancer", str(balancer["name"])),
        "enabled": True,
        "proxied": True,
        "ttl": 30,
        "steering_policy": "off",
        "default_pools": [],
        "fallback_pool": "",
        "region_pools": {},
        "country_pools": {},
        "pop_pools": {},
        "rules": [],
        "pool_sets": [],
        "session_affinity": "none",
        "zone_name": zone.name,
        "created_on": CREATED_ON,
        "modified_on": CREATED_ON,
        **balancer,
    }


def _pool(pool: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": "",
        "enabled": True,
        "minimum_origins": 1,
        "monitor": "",
        "networks": ["cloudflare"],
        "created_on": CREATED_ON,
        "modified_on": CREATED_ON,
        **pool,
        "origins": [{"enabled": True, "weight": 1, **origin} for origin in pool["origins"]],
    }
