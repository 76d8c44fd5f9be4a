# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configuration of a zone's origins: DNS records, load balancers, pools."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any, NamedTuple, TypeVar

from .._client import Client, Envelope, parse_text
from .._errors import CloudflareError
from .._networks import Networks

T = TypeVar("T")

PAGE_SIZE = 1000
"""DNS records in a page. The API allows more, but responses are bounded."""

MAX_PAGES = 500
"""Pages of records. A longer list is not credible."""

ADDRESS_TYPES = ("A", "AAAA", "CNAME")
"""Types of records with an origin, which are those that can be proxied."""


class Record(NamedTuple):
    """A DNS record.

    name is normalized; content is empty for types without an origin.
    """

    type: str
    name: str
    content: str
    proxied: bool = False
    private: bool = False  # reached by private routing


class LoadBalancer(NamedTuple):
    """A load balancer, with the identifiers of all pools that it can use."""

    name: str
    pool_ids: tuple[str, ...]
    enabled: bool = True
    proxied: bool = True


class PoolOrigin(NamedTuple):
    """An origin of a pool. Its address may be a hostname."""

    name: str
    address: str
    enabled: bool = True
    private: bool = False  # in a virtual network


class Pool(NamedTuple):
    """A pool of load balancers."""

    name: str
    origins: tuple[PoolOrigin, ...]
    enabled: bool = True


def normalize(name: str) -> str:
    """Return a DNS name in lower case, without a dot at its end."""
    return name.strip().rstrip(".").lower()


def read_records(client: Client, zone_id: str) -> list[Record]:
    """Read all DNS records of a zone. Raises CloudflareError.

    A CNAME record can lead to records that are not proxied, so there is no filter.
    """

    def fetch(page: int) -> tuple[dict[str, Record], int]:
        return fetch_records(client, zone_id, page)

    return list(client.fetch_all_pages(_reading_records(zone_id), fetch, PAGE_SIZE).values())


def fetch_records(client: Client, zone_id: str, page: int) -> tuple[dict[str, Record], int]:
    """Read a page of the DNS records of a zone.

    Returns the records by identifier, and their total. Raises CloudflareError.
    """

    def decode(result: Any) -> dict[str, Record]:
        return {parse_text(entry["id"]): _parse_record(entry) for entry in _list(result)}

    path = f"/zones/{zone_id}/dns_records"
    return client.fetch_page(_reading_records(zone_id), path, page, decode, size=PAGE_SIZE, max_pages=MAX_PAGES)


def _reading_records(zone_id: str) -> str:
    return f"Reading the DNS records of zone {zone_id}"


def read_load_balancers(client: Client, zone_id: str) -> list[LoadBalancer]:
    """Read the load balancers of a zone. Raises CloudflareError."""
    action = f"Reading the load balancers of zone {zone_id}"
    return _read_unpaged(client, action, f"/zones/{zone_id}/load_balancers", _parse_load_balancer)


def read_pools(client: Client, account_id: str) -> dict[str, Pool]:
    """Read the pools of an account, by identifier. Raises CloudflareError."""
    action = f"Reading the load balancer pools of account {account_id}"
    return dict(_read_unpaged(client, action, f"/accounts/{account_id}/load_balancers/pools", _parse_pool))


def read_networks(client: Client) -> Networks:
    """Read the networks of Cloudflare itself. Raises CloudflareError."""
    return client.call(
        "Reading Cloudflare's networks",
        "GET",
        "/ips",
        decode=lambda envelope: Networks(
            ip_network(parse_text(text))
            for kind in ("ipv4_cidrs", "ipv6_cidrs")
            for text in _list(envelope.result[kind])
        ),
    )


def _read_unpaged(client: Client, action: str, path: str, parse: Callable[[dict[str, Any]], T]) -> list[T]:
    """Read a list that comes in one response.

    Raises CloudflareError, also if the response says that it is not the whole list.
    """

    def decode(envelope: Envelope) -> tuple[list[T], bool]:
        entries = _list(envelope.result)
        info = envelope.result_info or {}
        is_complete = _number(info.get("total_count")) <= len(entries) and _number(info.get("total_pages")) <= 1
        return [parse(entry) for entry in entries], is_complete

    entries, is_complete = client.call(action, "GET", path, decode=decode)
    if not is_complete:
        raise CloudflareError(f"{action} failed: Cloudflare returned {len(entries)} of them, but has more", 200)
    return entries


def _parse_record(entry: dict[str, Any]) -> Record:
    kind = parse_text(entry["type"])
    return Record(
        kind,
        normalize(parse_text(entry["name"])),
        # Texts of other types may have any characters.
        parse_text(entry["content"]) if kind in ADDRESS_TYPES else "",
        _flag(entry, "proxied", default=False),
        _flag(entry, "private_routing", default=False),
    )


def _parse_load_balancer(entry: dict[str, Any]) -> LoadBalancer:
    settings = [entry]
    for kind in ("rules", "pool_sets"):
        settings += [_dict(item.get("overrides")) for item in _list(entry.get(kind))]
    pool_ids = dict.fromkeys(pool_id for part in settings for pool_id in _pool_ids(part))
    return LoadBalancer(
        normalize(parse_text(entry["name"])),
        tuple(pool_ids),
        _flag(entry, "enabled", default=True),
        _flag(entry, "proxied", default=False),
    )


def _pool_ids(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the pool identifiers of a load balancer, or of an override."""
    lists = [settings.get("default_pools"), settings.get("pools")]
    for kind in ("region_pools", "country_pools", "pop_pools"):
        lists += _dict(settings.get(kind)).values()
    for pool_ids in lists:
        yield from map(parse_text, _list(pool_ids))
    if settings.get("fallback_pool"):
        yield parse_text(settings["fallback_pool"])


def _parse_pool(entry: dict[str, Any]) -> tuple[str, Pool]:
    origins = tuple(
        PoolOrigin(
            parse_text(origin.get("name") or ""),
            parse_text(origin["address"]),
            _flag(origin, "enabled", default=True),
            bool(origin.get("virtual_network_id")),
        )
        for origin in _list(entry.get("origins"))
    )
    return parse_text(entry["id"]), Pool(parse_text(entry["name"]), origins, _flag(entry, "enabled", default=True))


def _flag(entry: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = entry.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _number(value: Any) -> int:
    """Return a number of result_info, 0 if it is absent."""
    if value is None:
        return 0
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _list(value: Any) -> list[Any]:
    """Return a list. The API returns null for some empty ones."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _dict(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError(value)
    return value
