# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones: one by its name, or all of them."""

from __future__ import annotations

import re
from types import NoneType
from typing import Any

from ansible_collections.originops.cloudflare.plugins.module_utils._client import ODD_ANSWER, Client
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError, InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import shorten

MOST_ZONES = 50
"""Zones in one answer: the API's maximum, and far more accounts than have one name in common."""

MOST_PAGES = 1000
"""Of a list of all zones: most of the requests that a window of the rate limit has."""

LIST_ATTEMPTS = 3
"""A zone that is added or removed between two pages shifts others from page to page; the list is then read again."""


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
    doing = f"Looking up the zone {name}"
    envelope = client.call(doing, "GET", "/zones", query={"name": name, "per_page": MOST_ZONES})
    try:
        if not isinstance(envelope["result"], list):
            raise TypeError(envelope["result"])
        accounts: dict[str, tuple[str, str]] = {
            zone["id"]: (zone["account"]["id"], zone["account"].get("name"))
            for zone in envelope["result"]
            if zone["name"].lower() == name
        }
        for zone_id in accounts:
            check_identifier("id", zone_id)
    except (AttributeError, KeyError, TypeError, InvalidInput):
        raise CloudflareError(f"{doing} failed: {ODD_ANSWER}", 200) from None
    if not accounts:
        raise InvalidInput(f"zone: there is no {name} that these credentials may read. Check the name and their rights")
    matching = [zone_id for zone_id, (account, _name) in accounts.items() if account_id in (None, account)]
    if len(matching) == 1:
        return matching[0]
    known = "; ".join(f"{zone_id} in account {account} ({name})" for zone_id, (account, name) in accounts.items())
    if not matching:
        raise InvalidInput(f"zone: {name} is not in account {account_id}, but is {client.printable(known)}")
    raise InvalidInput(f"zone: {name} is ambiguous, give account_id or zone_id: it is {client.printable(known)}")


def list_zones(client: Client) -> list[dict[str, Any]]:
    """All zones that the credentials may read, sorted by name and then identifier, by a request for every 50.

    Each is {id, name, status, account: {id, name}, plan}, where plan is the plan's name. Of status, plan
    and the account's name the service may leave out any, which then is None, and they are made
    printable, being whatever people typed. Raises CloudflareError.
    """
    doing = "Listing the zones"

    def read(page: int) -> tuple[dict[str, dict[str, Any]], int]:
        """The zones of a page by their identifiers, and how many there are in all, as that page has it."""
        envelope = client.call(doing, "GET", "/zones", query={"page": page, "per_page": MOST_ZONES})
        try:
            if not isinstance(envelope["result"], list):
                raise TypeError(envelope["result"])
            zones = [_listed(client, zone) for zone in envelope["result"]]
            total = envelope["result_info"]["total_count"]
            if not isinstance(total, int) or not 0 <= total <= MOST_PAGES * MOST_ZONES:
                raise ValueError(total)
        except (AttributeError, KeyError, TypeError, ValueError, InvalidInput):
            raise CloudflareError(f"{doing} failed: {ODD_ANSWER}", 200) from None
        return {zone["id"]: zone for zone in zones}, total

    for _attempt in range(LIST_ATTEMPTS):
        first = read(1)
        rest = client.concurrently(read, range(2, -(-first[1] // MOST_ZONES) + 1))
        zones = {zone_id: zone for page, _total in (first, *rest) for zone_id, zone in page.items()}
        if all(total == len(zones) for _page, total in (first, *rest)):
            return sorted(zones.values(), key=lambda zone: (zone["name"], zone["id"]))
    raise CloudflareError(
        f"{doing} failed: {LIST_ATTEMPTS} times the pages of the list did not add up to its total. Others may be "
        "adding or removing zones: try again later",
        200,
    )


def _listed(client: Client, zone: dict[str, Any]) -> dict[str, Any]:
    """A zone as list_zones returns it, from one of the API's. Raises much for what is none."""

    def label(value: Any) -> str | None:
        if not isinstance(value, (str, NoneType)):
            raise TypeError(value)
        return value and client.printable(value)

    for identified in (zone, zone["account"]):
        check_identifier("id", identified["id"])
    if not _is_zone_name(zone["name"]):
        raise ValueError(zone["name"])
    return {
        "id": zone["id"],
        "name": zone["name"],
        "status": label(zone.get("status")),
        "account": {"id": zone["account"]["id"], "name": label(zone["account"].get("name"))},
        "plan": label((zone.get("plan") or {}).get("name")),
    }


def _is_zone_name(name: str) -> bool:
    return bool(re.fullmatch(r"[^\s/?#{}]{1,253}", name)) and name.isprintable()
