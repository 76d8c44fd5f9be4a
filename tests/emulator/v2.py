# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""API v2: /zones/{zone_id}/origin/cloud_regions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response

from .state import ApiError, Batch, Item, State, canonical
from .wire import batch_body, object_body, page_of, success


def blueprint(state: State) -> Blueprint:
    """Create the routes of v2 for the zones of a state."""
    routes = Blueprint("v2", __name__, url_prefix="/zones/<zone_id>/origin/cloud_regions")

    @routes.get("")
    def list_mappings(zone_id: str) -> Response:
        entries, info = page_of(state.zone(zone_id).entries(), smallest=1, largest=100)
        return success([asdict(entry) for entry in entries], info)

    # A path, because the slash of a prefix is decoded before routing: it is rejected as an invalid address.
    @routes.get("/<path:origin_ip>")
    def get_mapping(zone_id: str, origin_ip: str) -> Response:
        return success(asdict(state.zone(zone_id).get(origin_ip)))

    @routes.put("/<path:origin_ip>")
    def put_mapping(zone_id: str, origin_ip: str) -> Response:
        zone = state.zone(zone_id)
        item = _item(object_body())
        if canonical(item.address) != canonical(origin_ip):
            raise ApiError(400, (1146, "The origin IP of the body differs from the one of the path"))
        return success(asdict(zone.upsert(item)))

    @routes.delete("/<path:origin_ip>")
    def delete_mapping(zone_id: str, origin_ip: str) -> Response:
        return success({"origin_ip": state.zone(zone_id).delete(origin_ip, code=1142).origin_ip})

    @routes.put("/batch")
    def put_batch(zone_id: str) -> Response:
        return success(_outcome(state.zone(zone_id).upsert_batch(map(_item, batch_body()))))

    @routes.delete("/batch")
    def delete_batch(zone_id: str) -> Response:
        return success(_outcome(state.zone(zone_id).delete_batch(batch_body())))

    @routes.get("/supported_regions")
    def supported_regions(zone_id: str) -> Response:
        return success(state.zone(zone_id).supported_regions())

    return routes


def _item(body: object) -> Item:
    fields = body if isinstance(body, dict) else {}
    return Item(fields.get("origin_ip"), fields.get("vendor"), fields.get("region"))


def _outcome(batch: Batch) -> dict[str, Any]:
    return {
        "succeeded": [
            {"origin_ip": entry.origin_ip, "vendor": entry.vendor, "region": entry.region} for entry in batch.succeeded
        ],
        "failed": [{"origin_ip": item.origin_ip, "error": item.error} for item in batch.failed],
    }
