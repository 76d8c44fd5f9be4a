# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operation of tiered_cache: Tiered Cache and Smart Tiered Cache.

Mappings depend on these settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ._client import Client
from ._connection import SharedClient, ZoneClient, open_zone
from ._errors import CloudflareError, InvalidInput, Outcome
from ._plan import text_diff


class Setting(NamedTuple):
    """Cache setting of a zone, on or off.

    key is used in results, name in messages, path in the API. A setting with has_creation may never have been set in a
    zone: the API then returns 404, which means off.
    """

    key: str
    name: str
    path: str
    has_creation: bool = False

    def read(self, client: Client, zone_id: str) -> bool:
        """Read whether the setting is on. Raises CloudflareError."""
        try:
            return self._call(client, f"Reading the setting {self.name} in zone {zone_id}", "GET", zone_id)
        except CloudflareError as error:
            if self._never_set(error):
                return False
            raise

    def write(self, client: Client, zone_id: str, value: bool) -> bool:
        """Turn the setting on or off, and return the value that it then has.

        Raises CloudflareError.
        """
        action = f"Turning {self.name} {on_off(value)} in zone {zone_id}"
        try:
            return self._call(client, action, "PATCH", zone_id, body={"value": on_off(value)})
        except CloudflareError as error:
            if not self._never_set(error):
                raise
        return self._call(client, action, "POST", zone_id, body={"value": on_off(value)})

    def _call(self, client: Client, action: str, method: str, zone_id: str, **content: Any) -> bool:
        return client.call(
            action,
            method,
            f"/zones/{zone_id}/{self.path}",
            decode=lambda envelope: {"on": True, "off": False}[envelope.result["value"]],
            **content,
        )

    def _never_set(self, error: CloudflareError) -> bool:
        """Check whether the API reports that the setting was never set.

        A 404 response from something in between does not count.
        """
        return self.has_creation and error.status == 404 and bool(error.errors)


TIERED_CACHE_SETTING = Setting("tiered_cache", "Tiered Cache", "argo/tiered_caching")
SMART_TIERED_CACHE_SETTING = Setting(
    "smart_tiered_cache", "Smart Tiered Cache", "cache/tiered_cache_smart_topology_enable", has_creation=True
)
CACHE_SETTINGS = {"enabled": TIERED_CACHE_SETTING, "smart": SMART_TIERED_CACHE_SETTING}
"""Settings by option of the module tiered_cache."""


def on_off(value: bool) -> str:
    """Format the value of a setting as the API does."""
    return "on" if value else "off"


def ensure_tiered_cache(options: Mapping[str, Any], check_mode: bool, shared: SharedClient | None = None) -> Outcome:
    """Turn the cache settings that the options name on or off.

    A failure has the complete result too. A setting that was not read, or has an unknown value, is null in it.
    """
    wanted = {setting: options[name] for name, setting in CACHE_SETTINGS.items() if options[name] is not None}
    if not wanted:
        raise InvalidInput("one of the following is required: enabled, smart")
    with open_zone(options, shared) as zone:
        values = zone.client.http.map_concurrently(lambda setting: setting.read(zone.client, zone.id), wanted)
        before = dict(zip(wanted, values, strict=True))
        after: dict[Setting, bool | None] = {**before}
        changes = [setting for setting, value in wanted.items() if value is not before[setting]]
        # Turn settings off first: Smart Tiered Cache may stay on while Tiered Cache is on.
        for setting in sorted(changes, key=lambda setting: wanted[setting]):
            try:
                if not check_mode:
                    _switch(setting, wanted[setting], zone)
            except CloudflareError as error:
                if error.result.get("changed"):
                    after[setting] = None
                error.outcome.result = {**_settings_result(before, after, zone.label), **error.result}
                raise
            after[setting] = wanted[setting]
    return Outcome({**_settings_result(before, after, zone.label), **zone.source})


def _switch(setting: Setting, value: bool, zone: ZoneClient) -> None:
    """Turn a setting on or off. Raises CloudflareError.

    After a lost response the setting is read again.
    """
    try:
        actual = setting.write(zone.client, zone.id, value)
    except CloudflareError as error:
        if not error.maybe_applied:
            raise
        try:
            actual = setting.read(zone.client, zone.id)
        except CloudflareError:
            from ._apply import unknown_outcome

            raise unknown_outcome(error) from None
        if actual is not value:
            raise
    if actual is not value:
        raise CloudflareError(
            f"Turning {setting.name} {on_off(value)} in zone {zone.label} had no effect: Cloudflare reports that it "
            f"is {on_off(actual)}. Check the plan of the zone; Smart Tiered Cache may stay on while Tiered Cache is on",
            200,
        )


def _settings_result(before: Mapping[Setting, bool], after: Mapping[Setting, bool | None], zone: str) -> dict[str, Any]:
    """Return the fields of a result, except those that name the zone."""
    changed = [setting for setting, value in after.items() if value not in (None, before[setting])]
    return {
        "changed": bool(changed),
        "tiered_cache": {name: after.get(setting) for name, setting in CACHE_SETTINGS.items()},
        "diff": text_diff(
            zone,
            [f"{setting.key}: {on_off(before[setting])}" for setting in changed],
            [f"{setting.key}: {on_off(bool(after[setting]))}" for setting in changed],
        ),
    }
