# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints of the settings Tiered Cache and Smart Tiered Cache."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from .state import ApiError, State, Zone
from .wire import object_body, success

TIERED = "tiered_caching"
SMART = "tiered_cache_smart_topology_enable"


def blueprint(state: State) -> Blueprint:
    """Create the routes for the zones of a state."""
    routes = Blueprint("tiered_cache", __name__, url_prefix="/zones/<zone_id>")

    @routes.get(f"/argo/{TIERED}")
    def get_tiered_cache(zone_id: str) -> Response:
        zone = state.zone(zone_id)
        return success(_setting(zone, TIERED, zone.tiered_cache))

    @routes.patch(f"/argo/{TIERED}")
    def edit_tiered_cache(zone_id: str) -> Response:
        zone = state.zone(zone_id)
        zone.tiered_cache = _wanted()
        zone.touch_setting(TIERED)
        return success(_setting(zone, TIERED, zone.tiered_cache))

    @routes.get(f"/cache/{SMART}")
    def get_smart_tiered_cache(zone_id: str) -> Response:
        zone = state.zone(zone_id)
        return success(_setting(zone, SMART, _ever_set(zone)))

    @routes.patch(f"/cache/{SMART}")
    def edit_smart_tiered_cache(zone_id: str) -> Response:
        zone = state.zone(zone_id)
        wanted = _wanted()
        if not zone.settings.patch_creates:
            _ever_set(zone)
        return success(_set_smart(zone, wanted))

    @routes.post(f"/cache/{SMART}")
    def create_smart_tiered_cache(zone_id: str) -> Response:
        return success(_set_smart(state.zone(zone_id), _wanted()))

    @routes.delete(f"/cache/{SMART}")
    def delete_smart_tiered_cache(zone_id: str) -> Response:
        zone = state.zone(zone_id)
        setting = _setting(zone, SMART, _ever_set(zone))
        zone.smart_tiered_cache = None
        del setting["value"]  # there is none any more
        return success(setting)

    return routes


def _wanted() -> bool:
    body = object_body()
    if body not in ({"value": "on"}, {"value": "off"}):
        # The code for this error is not documented.
        raise ApiError(400, (1146, 'The request body must be {"value": "on"} or {"value": "off"}'))
    return bool(body["value"] == "on")


def _set_smart(zone: Zone, value: bool) -> dict[str, Any]:
    zone.smart_tiered_cache = value
    zone.touch_setting(SMART)
    return _setting(zone, SMART, value)


def _ever_set(zone: Zone) -> bool:
    if zone.smart_tiered_cache is None:
        raise ApiError(404, (1142, "The zone setting has never been set"))
    return zone.smart_tiered_cache


def _setting(zone: Zone, name: str, value: bool) -> dict[str, Any]:
    return {
        "id": name,
        "value": "on" if value else "off",
        "editable": zone.settings.settings_editable,
        "modified_on": zone.settings_modified_on.get(name),
    }
