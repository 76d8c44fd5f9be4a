# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints to find a zone by its name or identifier: /zones."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from .state import State, Zone, identifier
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
        "type": "full",
        "account": {"id": zone.account_id, "name": zone.account},
        # "Free Website" is free, and the other plans are named alike.
        "plan": {"id": identifier(zone.plan), "name": zone.plan, "legacy_id": zone.plan.partition(" ")[0].lower()},
    }
