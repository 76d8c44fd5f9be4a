# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The origins of a zone: options in, an outcome out."""

from __future__ import annotations

import socket
import time
from collections.abc import Collection, Mapping
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, TypeAlias

from .._connection import SharedClient, ZoneClient, open_zone
from .._errors import CloudflareError, InvalidInput, Outcome
from .._mapping import Address, address_order, canonical, parse_address
from .._messages import join_bounded, sanitize
from .._zones import fetch_zone
from .configuration import LoadBalancer, Pool, read_load_balancers, read_networks, read_pools, read_records
from .discovery import Discovery, discover

CONCURRENT_LOOKUPS = 32

LookedUp: TypeAlias = list[Address] | str
"""The addresses of a hostname, or an error."""


def read_origins(options: Mapping[str, Any], check_mode: bool, shared: SharedClient | None = None) -> Outcome:
    """Read the origins that Cloudflare knows for a zone."""
    warnings: list[str] = []
    with open_zone(options, shared) as zone:
        records = read_records(zone.client, zone.id)
        balancers: list[LoadBalancer] = []
        pools: dict[str, Pool] = {}
        status = "not_read"
        if options["load_balancers"] != "false":
            try:
                balancers, pools = _read_load_balancing(zone)
                status = "read"
            except CloudflareError as error:
                if options["load_balancers"] == "true" or error.status not in (400, 403):
                    raise
                status = "unreadable"
                warnings.append(
                    f"The load balancers of zone {zone.label} were left out, so origins that only they have are "
                    f"unknown. {error}. Give the token the permissions Load Balancers: Read and Load Balancing: "
                    "Monitors and Pools: Read, or set load_balancers to false if there are none"
                )
        found = discover(records, balancers, pools, read_networks(zone.client) if options["resolve"] else ())
    looked_up = _look_up_all(sorted(found.hostnames), options["timeout"]) if options["resolve"] else {}
    hostnames = _hostname_items(found, looked_up)
    return Outcome(
        {
            "changed": False,
            "origins": [
                {"origin_ip": canonical(address), **usage.as_dict()}
                for address, usage in sorted(found.origins.items(), key=lambda item: address_order(item[0]))
            ],
            "hostnames": hostnames,
            "excluded": found.excluded_items(),
            "load_balancers": status,
            **zone.source,
        },
        [*warnings, *_lookup_warnings(hostnames)],
    )


def _read_load_balancing(zone: ZoneClient) -> tuple[list[LoadBalancer], dict[str, Pool]]:
    """Read the load balancers of a zone, and if any, the pools of its account."""
    balancers = read_load_balancers(zone.client, zone.id)
    if not balancers:
        return [], {}
    return balancers, read_pools(zone.client, fetch_zone(zone.client, zone.id)["account"]["id"])


def _hostname_items(found: Discovery, looked_up: Mapping[str, LookedUp]) -> list[dict[str, Any]]:
    """Return the hostnames of a result, with their addresses or errors."""
    items = []
    for hostname, usage in sorted(found.hostnames.items()):
        item: dict[str, Any] = {"hostname": hostname, **usage.as_dict()}
        result = looked_up.get(hostname)
        if isinstance(result, str):
            item["error"] = result
        elif result is not None:
            item["addresses"] = [canonical(address) for address in found.add_addresses(hostname, result)]
        items.append(item)
    return items


def _lookup_warnings(hostnames: Collection[Mapping[str, Any]]) -> list[str]:
    """Warn of addresses that can change, and of hostnames without any."""
    warnings = []
    resolved = [item["hostname"] for item in hostnames if item.get("addresses")]
    if resolved:
        warnings.append(
            f"The addresses of {len(resolved)} hostnames were looked up, and can change at any time: run this again "
            f"regularly. {join_bounded(resolved, 'hostnames')}"
        )
    failed = [f"{item['hostname']}: {item['error']}" for item in hostnames if "error" in item]
    if failed:
        warnings.append(
            f"{len(failed)} hostnames could not be looked up, so their origins are unknown. "
            f"{join_bounded(failed, 'hostnames')}"
        )
    return warnings


def _look_up_all(hostnames: Collection[str], seconds: float) -> dict[str, LookedUp]:
    """Look up hostnames on this machine.

    seconds is the time for all of them together.
    """
    results: dict[str, LookedUp] = {}
    waiting: SimpleQueue[str] = SimpleQueue()
    for hostname in hostnames:
        waiting.put(hostname)
    done: SimpleQueue[tuple[str, LookedUp]] = SimpleQueue()
    stop = Event()

    def work() -> None:
        while not stop.is_set():
            try:
                hostname = waiting.get_nowait()
            except Empty:
                return
            done.put((hostname, _look_up(hostname)))

    # Daemons, because a look-up cannot be interrupted, and the end of a task must not wait for it.
    for _number in range(min(CONCURRENT_LOOKUPS, len(hostnames))):
        Thread(target=work, daemon=True).start()
    deadline = time.monotonic() + seconds
    try:
        while len(results) < len(hostnames):
            hostname, result = done.get(timeout=max(0.0, deadline - time.monotonic()))
            results[hostname] = result
    except Empty:
        pass
    finally:
        stop.set()
    return {
        hostname: results.get(hostname, f"no response from the resolver within {seconds:g} seconds")
        for hostname in hostnames
    }


def _look_up(hostname: str) -> LookedUp:
    # With a dot at its end a name is complete, and no search domain of this machine is tried.
    name = f"{hostname}." if "." in hostname else hostname
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return sanitize(getattr(error, "strerror", None) or str(error))
    addresses = []
    for *_rest, (text, *_more) in found:
        try:
            addresses.append(parse_address(text))
        except InvalidInput as error:
            return str(error)
    return addresses
