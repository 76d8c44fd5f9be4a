# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints to find a zone by its name or identifier: /zones."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from .state import CREATED_ON, State, Zone, identifier
from .wire import page_of, success


def blueprint(state: State) -> Blueprint:
    """Create the routes for the zones of a state."""
    routes = Blueprint("zones", __name__, url_prefix="/zones")

    @routes.get("")
    def list_zones() -> Response:
        name = request.args.get("name")
        zones = [zone for zone in tuple(state.zones.values()) if name in (None, zone.name)]
        page, info = page_of(zones, smallest=5, largest=50)
        return success([_zone(zone) for zone in page], info)

    @routes.get("/<zone_id>")
    def get_zone(zone_id: str) -> Response:
        return success(_zone(state.zone(zone_id)))

    return routes


def _zone(zone: Zone) -> dict[str, Any]:
    return {
        "id": zone.id,
        "name": zone.name,
        "status": zone.status,
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": ["ns1.registrar.example", "ns2.registrar.example"],
        "original_registrar": "Registrar, Inc. (id: 9999)",
        "original_dnshost": None,
        "created_on": CREATED_ON,
        "modified_on": CREATED_ON,
        "activated_on": CREATED_ON if zone.status == "active" else None,
        "account": {"id": zone.account_id, "name": zone.account},
        "owner": {"id": identifier("owner"), "name": "operator@emulator.example", "type": "user"},
        "meta": {
            "cdn_only": False,
            "custom_certificate_quota": 0,
            "dns_only": False,
            "foundation_dns": False,
            "page_rule_quota": 3,
            "phishing_detected": False,
            "step": 2,
        },
        "permissions": ["#zone:read", "#zone_settings:edit", "#dns_records:read"],
        "plan": {
            "id": identifier(zone.plan),
            "name": zone.plan,
            "price": 0,
            "currency": "USD",
            "frequency": "",
            "is_subscribed": False,
            "can_subscribe": False,
            # "Free Website" becomes free; the names of other plans have the same form.
            "legacy_id": zone.plan.partition(" ")[0].lower(),
            "legacy_discount": False,
            "externally_managed": False,
        },
    }
