# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones by name."""

from __future__ import annotations

import re

from ansible_collections.originops.cloudflare.plugins.module_utils._client import ODD_ANSWER, Client
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError, InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import shorten

MOST_ZONES = 50
"""Zones in one answer: the API's maximum, and far more accounts than have one name in common."""


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
    if not re.fullmatch(r"[^\s/?#]{1,253}", name) or not name.isprintable():
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
