# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""API v1, deprecated: /zones/{zone_id}/cache/origin_cloud_regions."""

from __future__ import annotations

from flask import Blueprint, Response

from .state import Batch, Entry, Item, State, Zone
from .wire import batch_body, object_body, success


def blueprint(state: State) -> Blueprint:
    """Create the routes of v1 for the zones of a state."""
    routes = Blueprint("v1", __name__, url_prefix="/zones/<zone_id>/cache/origin_cloud_regions")

    @routes.get("")
    def list_mappings(zone_id: str) -> Response:
        return _all_mappings(state.zone(zone_id))

    @routes.post("")
    def create_mapping(zone_id: str) -> Response:
        return _one_mapping(state.zone(zone_id).create(_item(object_body())))

    @routes.patch("")
    def edit_mapping(zone_id: str) -> Response:
        zone = state.zone(zone_id)
        zone.upsert(_item(object_body()))
        return _all_mappings(zone)

    # A path, because the slash of a prefix is decoded before routing: it is rejected as an invalid address.
    @routes.get("/<path:origin_ip>")
    def get_mapping(zone_id: str, origin_ip: str) -> Response:
        return _one_mapping(state.zone(zone_id).get(origin_ip))

    @routes.delete("/<path:origin_ip>")
    def delete_mapping(zone_id: str, origin_ip: str) -> Response:
        return _one_mapping(state.zone(zone_id).delete(origin_ip, code=1163))

    @routes.patch("/batch")
    def edit_batch(zone_id: str) -> Response:
        zone = state.zone(zone_id)
        batch = zone.upsert_batch(map(_item, batch_body()))
        return _outcome(zone, batch, [_mapping(entry) for entry in batch.succeeded])

    @routes.delete("/batch")
    def delete_batch(zone_id: str) -> Response:
        zone = state.zone(zone_id)
        batch = zone.delete_batch(batch_body())
        # Unlike v2, this version does not return the vendor and region of deleted mappings.
        return _outcome(zone, batch, [{"origin-ip": entry.origin_ip} for entry in batch.succeeded])

    @routes.get("/supported_regions")
    def supported_regions(zone_id: str) -> Response:
        return success(state.zone(zone_id).supported_regions())

    return routes


def _item(body: object) -> Item:
    fields = body if isinstance(body, dict) else {}
    return Item(fields.get("ip"), fields.get("vendor"), fields.get("region"))


def _setting(value: object, modified_on: str | None) -> Response:
    return success({"id": "origin_public_cloud_region", "editable": True, "modified_on": modified_on, "value": value})


def _one_mapping(entry: Entry) -> Response:
    return _setting(_entry(entry), entry.modified_on)


def _all_mappings(zone: Zone) -> Response:
    entries = zone.entries()
    return _setting([_entry(entry) for entry in entries], zone.changed_on if entries else None)


def _outcome(zone: Zone, batch: Batch, succeeded: list[dict[str, str]]) -> Response:
    failed = [{"origin-ip": item.origin_ip, "error": item.error} for item in batch.failed]
    return _setting({"succeeded": succeeded, "failed": failed}, zone.changed_on if succeeded else None)


def _mapping(entry: Entry) -> dict[str, str]:
    return {"origin-ip": entry.origin_ip, "vendor": entry.vendor, "region": entry.region}


def _entry(entry: Entry) -> dict[str, str]:
    return {**_mapping(entry), "modified_on": entry.modified_on}
