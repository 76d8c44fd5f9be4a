# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State of the emulated service: zones, mappings, and the API's rules.

Independent of HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from threading import Lock
from types import EllipsisType
from typing import Any, NamedTuple

from .settings import Settings

REGIONS: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_name("regions.json").read_text("utf-8"))
"""Cloudflare data centres near each region, by vendor and region."""

CREATED_ON = "2026-01-02T03:04:05Z"
"""Creation time of zones, and of their content other than mappings."""


class ApiError(Exception):
    """Error response of the API: a status, and errors of code and message."""

    def __init__(self, status: int, *errors: tuple[int, str]) -> None:
        super().__init__("; ".join(message for _code, message in errors))
        self.status = status
        self.errors = errors


def no_route() -> ApiError:
    """Create the error of an unknown route or identifier (7003 and 7000)."""
    return ApiError(
        400,
        (7003, "Could not route to that resource, perhaps your object identifier is invalid?"),
        (7000, "No route for that URI"),
    )


def canonical(address: object) -> str:
    """Return the canonical spelling of an IP address, RFC 5952 for IPv6.

    Raises:
        ApiError: 1146, if the address is invalid, or has a scope or a prefix length.
    """
    refusal = ApiError(400, (1146, f"The origin IP is invalid or missing: {address!r:.80}"))
    # ip_address() accepts integers and scopes.
    if not isinstance(address, str) or "%" in address:
        raise refusal
    try:
        parsed = ip_address(address)
    except ValueError:
        raise refusal from None
    # Python before 3.13 spells these in hexadecimal.
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        return f"::ffff:{parsed.ipv4_mapped}"
    return str(parsed)


class Item(NamedTuple):
    """Mapping in a client's request, not validated."""

    address: object
    vendor: object
    region: object


@dataclass(frozen=True)
class Entry:
    """Stored mapping; `modified_on` is in UTC, as 2026-03-01T12:00:00Z."""

    origin_ip: str
    vendor: str
    region: str
    modified_on: str


class FailedItem(NamedTuple):
    """Failed item of a batch.

    `origin_ip` is the text that the client sent, or empty if that was not a text.
    """

    origin_ip: str
    error: str


class Batch(NamedTuple):
    """Outcome of a batch: the entries stored or deleted, and failed items."""

    succeeded: list[Entry]
    failed: list[FailedItem]

    def fail(self, address: object, error: ApiError) -> None:
        """Count an item as failed."""
        self.failed.append(FailedItem(address if isinstance(address, str) else "", str(error)))


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _validate(item: Item) -> Entry:
    address = canonical(item.address)
    vendor, region = item.vendor, item.region
    if not isinstance(vendor, str) or vendor not in REGIONS:
        raise ApiError(400, (1157, f"The vendor is unknown: {vendor!r:.80}"))
    if not isinstance(region, str) or region not in REGIONS[vendor]:
        raise ApiError(400, (1157, f"The region is unknown for vendor {vendor}: {region!r:.80}"))
    return Entry(address, vendor, region, _now())


@dataclass(eq=False)
class Zone:
    """Zone with thread-safe methods, which raise the API's errors as ApiError."""

    id: str
    name: str
    account_id: str
    account: str
    settings: Settings = field(repr=False)
    tiered_cache: bool = True
    smart_tiered_cache: bool | None = True
    """Smart Tiered Cache; None if never set, which means off."""
    obtained_codes: bool = True
    status: str = "active"
    plan: str = "Free Website"
    """Name of the plan."""
    mappings: dict[str, Entry] = field(default_factory=dict)
    """Entries by canonical address, in the order of their creation."""
    changed_on: str | None = None
    """Time of the last change of a mapping."""
    dns_records: list[dict[str, Any]] = field(default_factory=list)
    """Records in the API's format: type, name, content, optional members."""
    load_balancers: list[dict[str, Any]] = field(default_factory=list)
    """Load balancers in the API's format: name, optional members."""
    traffic: dict[str, dict[str, int]] = field(default_factory=dict)
    """Numbers of requests by address and data centre.

    They replace those that follow from the mapping of the address.
    """
    analytics: dict[str, Any] = field(default_factory=dict)
    """Settings of request analytics that differ from analytics.NODE_SETTINGS.

    Other keys: forbidden for a zone that the credentials may not read, unlisted for one that is left out, and broken
    for a partial failure.
    """
    settings_modified_on: dict[str, str] = field(default_factory=dict)
    """Time of the last change by a request, by the setting's identifier."""
    _lock: Lock = field(default_factory=Lock, repr=False)

    def values(self) -> dict[str, tuple[str, str]]:
        """Return the mappings as address -> (vendor, region)."""
        return {entry.origin_ip: (entry.vendor, entry.region) for entry in self.entries()}

    def entries(self) -> list[Entry]:
        """Return all mappings."""
        with self._lock:
            return list(self.mappings.values())

    def replace(self, mappings: Mapping[str, tuple[str, str]]) -> None:
        """Replace all mappings by address -> (vendor, region), without a limit."""
        entries = [_validate(Item(address, *pair)) for address, pair in mappings.items()]
        with self._lock:
            self.mappings.clear()
            self.mappings.update({entry.origin_ip: entry for entry in entries})
            self.changed_on = _now()

    def get(self, address: str) -> Entry:
        """Return the mapping of an address."""
        wanted = canonical(address)
        with self._lock:
            return self._find(wanted, 1142)

    def create(self, item: Item) -> Entry:
        """Create the mapping of an address that has none."""
        entry = _validate(item)
        with self._lock:
            if entry.origin_ip in self.mappings:
                raise ApiError(400, (1145, f"A mapping exists already for {entry.origin_ip}"))
            return self._store(entry)

    def upsert(self, item: Item) -> Entry:
        """Create or replace the mapping of an address."""
        entry = _validate(item)
        with self._lock:
            return self._store(entry)

    def delete(self, address: str, code: int) -> Entry:
        """Delete the mapping of an address. `code` is the error's if none exists."""
        wanted = canonical(address)
        with self._lock:
            return self._remove(wanted, code)

    def upsert_batch(self, items: Iterable[Item]) -> Batch:
        """Store the valid items of a batch."""
        batch = Batch([], [])
        valid = []
        for item in items:
            try:
                valid.append((item, _validate(item)))
            except ApiError as error:
                batch.fail(item.address, error)
        with self._lock:
            new = {entry.origin_ip for _item, entry in valid} - self.mappings.keys()
            past_limit = new and len(self.mappings) + len(new) > self.settings.limit
            if past_limit and self.settings.limit_refuses == "batch":
                raise self._full()
            for item, entry in valid:
                try:
                    batch.succeeded.append(self._store(entry))
                except ApiError as error:
                    batch.fail(item.address, error)
        return batch

    def delete_batch(self, addresses: Iterable[object]) -> Batch:
        """Delete the existing mappings of a batch of addresses."""
        batch = Batch([], [])
        with self._lock:
            for address in addresses:
                try:
                    batch.succeeded.append(self._remove(canonical(address), 1142))
                except ApiError as error:
                    batch.fail(address, error)
        return batch

    def touch_setting(self, name: str) -> None:
        """Record the time of a setting's change."""
        self.settings_modified_on[name] = _now()

    def supported_regions(self) -> dict[str, Any]:
        """Return the supported regions, equal in both API versions."""
        if not self.tiered_cache:
            raise ApiError(403, (1135, "Tiered Cache must be enabled for the zone to read its supported regions"))
        return {
            "obtained_codes": self.obtained_codes,
            "vendors": {
                vendor: [
                    {"name": name, "upper_tier_colos": colos if self.obtained_codes else []}
                    for name, colos in regions.items()
                ]
                for vendor, regions in REGIONS.items()
            },
        }

    def _find(self, address: str, code: int) -> Entry:
        if address not in self.mappings:
            raise ApiError(404, (code, f"There is no mapping for {address}"))
        return self.mappings[address]

    def _store(self, entry: Entry) -> Entry:
        if entry.origin_ip not in self.mappings and len(self.mappings) >= self.settings.limit:
            raise self._full()
        self.mappings[entry.origin_ip] = entry
        self.changed_on = entry.modified_on
        return entry

    def _remove(self, address: str, code: int) -> Entry:
        entry = self._find(address, code)
        del self.mappings[address]
        self.changed_on = _now()
        return entry

    def _full(self) -> ApiError:
        return ApiError(403, (1164, f"The zone is at its limit of {self.settings.limit} mappings"))


class State:
    """All zones, by id in the order of their creation."""

    def __init__(self, settings: Settings) -> None:
        self.zones: dict[str, Zone] = {}
        self.pools: dict[str, list[dict[str, Any]]] = {}
        """Pools by account id, in the API's format: name, optional members."""
        self.settings = settings
        self._lock = Lock()

    def zone(self, zone_id: str) -> Zone:
        """Return the zone with an identifier. Raises ApiError."""
        if zone_id not in self.zones:
            raise no_route()
        return self.zones[zone_id]

    def set_zone(
        self,
        name: str,
        *,
        account: str = "Example",
        mappings: Mapping[str, tuple[str, str]] | None = None,
        tiered_cache: bool | None = None,
        smart_tiered_cache: bool | EllipsisType | None = ...,
        obtained_codes: bool | None = None,
        status: str | None = None,
        plan: str | None = None,
        dns_records: Iterable[Mapping[str, Any]] | None = None,
        load_balancers: Iterable[Mapping[str, Any]] | None = None,
        traffic: Mapping[str, Mapping[str, int]] | None = None,
        analytics: Mapping[str, Any] | None = None,
    ) -> Zone:
        """Create a zone if it does not exist, and change the named properties.

        Args:
            mappings: See Zone.replace.
            tiered_cache: Whether Tiered Cache is on, the default of a new zone.
            smart_tiered_cache: Whether Smart Tiered Cache is on, the default of a new zone; None for never set.
            obtained_codes: Whether supported regions have their data centres, the default of a new zone.
            status: Status in the API's terms, active for a new zone.
            plan: Name of the plan, the free one for a new zone.
            dns_records: See Zone.dns_records; an identifier follows from a record's type, name and content.
            load_balancers: See Zone.load_balancers.
            traffic: See Zone.traffic.
            analytics: See Zone.analytics.

        Raises:
            ApiError: A mapping is invalid.
        """
        with self._lock:
            zone_id = identifier(account, name)
            zone = self.zones.get(zone_id) or Zone(zone_id, name, identifier(account), account, self.settings)
            if mappings is not None:
                zone.replace(mappings)
            if tiered_cache is not None:
                zone.tiered_cache = tiered_cache
            if smart_tiered_cache is not ...:
                zone.smart_tiered_cache = smart_tiered_cache
            if obtained_codes is not None:
                zone.obtained_codes = obtained_codes
            if status is not None:
                zone.status = status
            if plan is not None:
                zone.plan = plan
            if dns_records is not None:
                zone.dns_records = [{"type": "A", "name": name, "content": "", **record} for record in dns_records]
            if load_balancers is not None:
                zone.load_balancers = [{"name": name, **balancer} for balancer in load_balancers]
            if traffic is not None:
                zone.traffic = {address: dict(by_colo) for address, by_colo in traffic.items()}
            if analytics is not None:
                zone.analytics = dict(analytics)
            self.zones[zone_id] = zone
        return zone

    def set_pools(self, account: str, pools: Iterable[Mapping[str, Any]]) -> list[str]:
        """Replace the pools of an account, and return their identifiers."""
        account_id = identifier(account)
        self.pools[account_id] = [
            {"id": identifier(account, "pool", str(pool["name"])), "origins": [], **pool} for pool in pools
        ]
        return [pool["id"] for pool in self.pools[account_id]]

    def account_pools(self, account_id: str) -> list[dict[str, Any]]:
        """Return the pools of an account. Raises ApiError."""
        if account_id not in self.pools.keys() | {zone.account_id for zone in self.zones.values()}:
            raise no_route()
        return self.pools.get(account_id, [])


def identifier(*names: str) -> str:
    """Return an identifier in the API's format, the same for the same names."""
    return sha256("/".join(names).encode()).hexdigest()[:32]
