# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of a zone without which its mappings have no effect. They are the same for both generations.

Each is read by one request: whether it is on, None where the credentials may not know. Raises CloudflareError.
"""

from __future__ import annotations

from ansible_collections.originops.cloudflare.plugins.module_utils._client import Client
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError


def tiered_cache(client: Client, zone_id: str) -> bool | None:
    return _is_on(client, "Tiered Cache", zone_id, "argo/tiered_caching")


def smart_tiered_cache(client: Client, zone_id: str) -> bool | None:
    """A zone whose Smart Tiered Cache was never set has it off."""
    try:
        return _is_on(client, "Smart Tiered Cache", zone_id, "cache/tiered_cache_smart_topology_enable")
    except CloudflareError as error:
        if error.status == 404 and error.errors:
            return False
        raise


def _is_on(client: Client, name: str, zone_id: str, path: str) -> bool | None:
    try:
        return client.call(
            f"Reading the setting {name} in zone {zone_id}",
            "GET",
            f"/zones/{zone_id}/{path}",
            decode=lambda envelope: {"on": True, "off": False}[envelope["result"]["value"]],
        )
    except CloudflareError as error:
        if error.status == 403 and error.credentials_refused:
            return None
        raise
