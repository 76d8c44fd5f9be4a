# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones: one by its name, or all of them."""

from __future__ import annotations

import re
from types import NoneType
from typing import Any

from ansible_collections.originops.cloudflare.plugins.module_utils._client import Client
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import shorten

MOST_ZONES = 50
"""Zones in one answer: the API's maximum, and far more accounts than have one name in common."""

MOST_PAGES = 1000
"""Of a list of all zones: most of the requests that a window of the rate limit has."""


def check_identifier(option: str, value: str) -> None:
    """Raises InvalidInput for what cannot be the identifier of a zone or an account: it becomes part of a path."""
    if not re.fullmatch(r"[0-9A-Za-z]{1,32}", value):
        raise InvalidInput(f"{option}: {shorten(value)} is not an identifier, which has 1 to 32 letters and digits")


def find_zone(client: Client, given: str, account_id: str | None) -> str:
    """The identifier of the zone of this name, by one request.

    Raises InvalidInput where there is none or more than one, in this account if one is given,
    and CloudflareError.
    """
    name = given.strip().rstrip(".").lower()
    if not _is_zone_name(name):
        raise InvalidInput(f"zone: {shorten(given)} is not the name of a zone")
    zones: dict[str, dict[str, Any]] = client.call(
        f"Looking up the zone {name}",
        "GET",
        "/zones",
        query={"name": name, "per_page": MOST_ZONES},
        decode=lambda envelope: _listed(client, envelope["result"]),
    )
    accounts = {zone_id: zone["account"] for zone_id, zone in zones.items() if zone["name"].lower() == name}
    if not accounts:
        raise InvalidInput(f"zone: there is no {name} that these credentials may read. Check the name and their rights")
    matching = [zone_id for zone_id, account in accounts.items() if account_id in (None, account["id"])]
    if len(matching) == 1:
        return matching[0]
    known = client.printable(
        "; ".join(f"{zone_id} in account {account['id']} ({account['name']})" for zone_id, account in accounts.items())
    )
    if not matching:
        raise InvalidInput(f"zone: {name} is not in account {account_id}, but is {known}")
    raise InvalidInput(f"zone: {name} is ambiguous, give account_id or zone_id: it is {known}")


def list_zones(client: Client) -> list[dict[str, Any]]:
    """All zones that the credentials may read, sorted by name and then identifier, by a request for every 50.

    Each is {id, name, status, account: {id, name}, plan}, where plan is the plan's name. Of status, plan
    and the account's name the service may leave out any, which then is None, and they are made
    printable, being whatever people typed. Raises CloudflareError.
    """
    doing = "Listing the zones"

    def decode(result: Any) -> dict[str, dict[str, Any]]:
        zones = _listed(client, result)
        for zone in zones.values():
            # Plays hand it back as account_id.
            check_identifier("id", zone["account"]["id"])
        return zones

    def read(page: int) -> tuple[dict[str, dict[str, Any]], int]:
        return client.page(doing, "/zones", page, decode, size=MOST_ZONES, most_pages=MOST_PAGES)

    zones = client.whole_list(doing, read, MOST_ZONES)
    return sorted(zones.values(), key=lambda zone: (zone["name"], zone["id"]))


def _listed(client: Client, result: Any) -> dict[str, dict[str, Any]]:
    """The zones of an answer as list_zones returns them, by identifier. Raises much for what are none."""

    def label(value: Any) -> str | None:
        if not isinstance(value, (str, NoneType)):
            raise TypeError(value)
        return value and client.printable(value)

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
            "account": {"id": client.printable(zone["account"]["id"]), "name": label(zone["account"].get("name"))},
            "plan": label((zone.get("plan") or {}).get("name")),
        }
        for zone in result
    }


def _is_zone_name(name: str) -> bool:
    return bool(re.fullmatch(r"[^\s/?#{}]{1,253}", name)) and name.isprintable()
