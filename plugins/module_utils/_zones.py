# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look-up of a zone by name, and the list of all zones."""

from __future__ import annotations

import re
from types import NoneType
from typing import Any

from ._client import Client, Envelope, check_identifier
from ._errors import InvalidInput
from ._messages import quote

PAGE_SIZE = 50
"""Zones in a page: the API's maximum. Far fewer accounts share a name."""

MAX_PAGES = 1000
"""Pages of the list of all zones: most requests of a rate limit window."""


def find_zone(client: Client, text: str, account_id: str | None) -> tuple[str, str]:
    """Find a zone by name, and return its identifier and its account's.

    Sends one request. Raises InvalidInput if there is no such zone, or more than one (in this account, unless that is
    None), and CloudflareError.
    """
    name = text.strip().rstrip(".").lower()
    if not _is_zone_name(name):
        raise InvalidInput(f"zone: {quote(text)} is not the name of a zone")
    zones: dict[str, dict[str, Any]] = client.call(
        f"Looking up the zone {name}",
        "GET",
        "/zones",
        query={"name": name, "per_page": PAGE_SIZE},
        decode=lambda envelope: _parse_zones(client, envelope.result),
    )
    accounts = {zone_id: zone["account"] for zone_id, zone in zones.items() if zone["name"].lower() == name}
    if not accounts:
        raise InvalidInput(
            f"zone: there is no {name} that these credentials can read. Check the name, and that they have the "
            "permission Zone: Read"
        )
    matching = [zone_id for zone_id, account in accounts.items() if account_id in (None, account["id"])]
    if len(matching) == 1:
        return matching[0], accounts[matching[0]]["id"]
    known = client.sanitize(
        "; ".join(f"{zone_id} in account {account['id']} ({account['name']})" for zone_id, account in accounts.items())
    )
    if not matching:
        raise InvalidInput(f"zone: {name} is not in account {account_id}, but is {known}")
    raise InvalidInput(f"zone: {name} is ambiguous, set account_id or zone_id: it is {known}")


def list_zones(client: Client) -> list[dict[str, Any]]:
    """Read all zones that the credentials may read, 50 with each request.

    Each is {id, name, status, account: {id, name}, plan}, where plan is the plan's name, sorted by name and then
    identifier. The service may leave out status, plan and the account's name, which are None then. They are
    free text, made printable. Raises CloudflareError.
    """
    action = "Listing the zones"

    def decode(result: Any) -> dict[str, dict[str, Any]]:
        zones = _parse_zones(client, result)
        for zone in zones.values():
            # Plays pass it back as account_id.
            check_identifier("id", zone["account"]["id"])
        return zones

    def fetch(page: int) -> tuple[dict[str, dict[str, Any]], int]:
        return client.fetch_page(action, "/zones", page, decode, size=PAGE_SIZE, max_pages=MAX_PAGES)

    zones = client.fetch_all_pages(action, fetch, PAGE_SIZE)
    return sorted(zones.values(), key=lambda zone: (zone["name"], zone["id"]))


def fetch_zone(client: Client, zone_id: str) -> dict[str, Any]:
    """Read a zone, in the shape of list_zones. Raises CloudflareError."""

    def decode(envelope: Envelope) -> dict[str, Any]:
        zone = _parse_zones(client, [envelope.result])[zone_id]
        check_identifier("account", zone["account"]["id"])
        return zone

    return client.call(f"Reading the zone {zone_id}", "GET", f"/zones/{zone_id}", decode=decode)


def _parse_zones(client: Client, result: Any) -> dict[str, dict[str, Any]]:
    """Parse the zones of a response, and return them by identifier.

    They have the shape of list_zones. Raises AttributeError, KeyError, TypeError, ValueError or InvalidInput for any
    other shape.
    """

    def label(value: Any) -> str | None:
        if not isinstance(value, (str, NoneType)):
            raise TypeError(value)
        return value and client.sanitize(value)

    if not isinstance(result, list):
        raise TypeError(result)
    for zone in result:
        check_identifier("id", zone["id"])
        if not _is_zone_name(zone["name"]):
            raise ValueError(zone["name"])
    return {
        zone["id"]: {
            "id": zone["id"],
            "name": zone["name"],
            "status": label(zone.get("status")),
            "account": {"id": client.sanitize(zone["account"]["id"]), "name": label(zone["account"].get("name"))},
            "plan": label((zone.get("plan") or {}).get("name")),
        }
        for zone in result
    }


def _is_zone_name(name: str) -> bool:
    return bool(re.fullmatch(r"[^\s/?#{}]{1,253}", name)) and name.isprintable()
