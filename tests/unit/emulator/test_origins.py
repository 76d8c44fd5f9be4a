# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records, load balancers and pools: rules over HTTP, Cloudflare's SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import cloudflare
import pytest
import requests
from cloudflare import Cloudflare

from emulator.server import Emulator
from emulator.state import Zone

Call = Callable[..., requests.Response]

RECORDS = [
    {"type": "A", "name": "www.example.com", "content": "192.0.2.10", "proxied": True},
    {"type": "AAAA", "name": "www.example.com", "content": "2001:db8::10", "proxied": True, "private_routing": True},
    {"type": "CNAME", "name": "app.example.com", "content": "app.example.net"},
    {"type": "MX", "name": "example.com", "content": "mail.example.net", "priority": 10},
    {"type": "TXT", "name": "example.com", "content": "v=spf1 -all"},
]
POOL = {"name": "web", "origins": [{"name": "one", "address": "192.0.2.20", "virtual_network_id": "a-network"}]}


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("", ["A", "AAAA", "CNAME", "MX", "TXT"]),
        ("?proxied=true", ["A", "AAAA"]),
        ("?proxied=false", ["CNAME", "MX", "TXT"]),
        ("?type=AAAA", ["AAAA"]),
        ("?proxied=true&type=CNAME", []),
        ("?per_page=2&page=3", ["TXT"]),
        ("?per_page=1000&page=2", []),
    ],
)
def test_records(emulator: Emulator, call: Call, zone: Zone, query: str, kinds: list[str]) -> None:
    emulator.add_zone(zone.name, dns_records=RECORDS)
    assert [record["type"] for record in call("GET", f"/zones/{zone.id}/dns_records{query}").json()["result"]] == kinds


def test_pages_of_records(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.add_zone(zone.name, dns_records=[{"content": f"198.51.100.{last}"} for last in range(150)])
    path = f"/zones/{zone.id}/dns_records"
    info = {"page": 1, "per_page": 100, "count": 100, "total_count": 150, "total_pages": 2}
    assert call("GET", path).json()["result_info"] == info
    assert len({record["id"] for record in call("GET", f"{path}?per_page=1000").json()["result"]}) == 150
    for query in ("per_page=0", "per_page=5000001", "page=0"):
        assert call("GET", f"{path}?{query}").status_code == 400


def test_unknown_zones_and_accounts(call: Call, zone: Zone) -> None:
    for path in (
        f"/zones/{'0' * 32}/dns_records",
        f"/zones/{'0' * 32}/load_balancers",
        f"/accounts/{'0' * 32}/load_balancers/pools",
    ):
        assert call("GET", path).json()["errors"][0]["code"] == 7003
    assert call("GET", f"/accounts/{zone.account_id}/load_balancers/pools").json()["result"] == []


@pytest.mark.parametrize(("response", "status"), [("on", 200), ("forbidden", 403), ("not_enabled", 400)])
def test_load_balancing_may_be_refused(
    emulator: Emulator, call: Call, zone: Zone, response: Literal["on", "forbidden", "not_enabled"], status: int
) -> None:
    emulator.load_balancing = response
    for path in (f"/zones/{zone.id}/load_balancers", f"/accounts/{zone.account_id}/load_balancers/pools"):
        assert call("GET", path).status_code == status


def test_the_control_endpoints_set_them(emulator: Emulator, zone: Zone) -> None:
    def put(path: str, body: Any) -> requests.Response:
        return requests.put(emulator.control_url + path, json=body, timeout=10)

    [pool] = put(f"/accounts/{zone.account}/pools", [POOL]).json()["pools"]
    balancer = {"name": "lb.example.com", "default_pools": [pool]}
    put(f"/zones/{zone.name}", {"dns_records": RECORDS, "load_balancers": [balancer]})
    assert (zone.dns_records, zone.load_balancers) == (RECORDS, [balancer])
    for body in (1, ["web"], [{"origins": []}]):
        assert put(f"/accounts/{zone.account}/pools", body).status_code == 400


def test_the_sdk(emulator: Emulator, zone: Zone) -> None:
    [pool] = emulator.set_pools(zone.account, [POOL])
    overrides = {"fallback_pool": pool, "region_pools": {"WEU": [pool]}}
    balancer = {
        "name": "lb.example.com",
        "default_pools": [pool],
        "fallback_pool": pool,
        "country_pools": {"GB": [pool]},
        "pop_pools": {"LHR": [pool]},
        "rules": [{"name": "rule", "condition": "true", "overrides": overrides}],
        "pool_sets": [{"name": "set", "match": {"default": True}, "overrides": {"pools": [pool]}}],
    }
    emulator.add_zone(zone.name, dns_records=RECORDS, load_balancers=[balancer])
    with Cloudflare(
        api_token=emulator.token, base_url=emulator.api_url, max_retries=0, _strict_response_validation=True
    ) as client:
        records = list(client.dns.records.list(zone_id=zone.id, per_page=2))
        assert [(record.type, record.name, record.content) for record in records] == [
            (record["type"], record["name"], record["content"]) for record in RECORDS
        ]
        assert [getattr(record, "private_routing", None) for record in records[:2]] == [None, True]
        [found] = client.load_balancers.list(zone_id=zone.id)
        assert (found.name, found.enabled, found.proxied) == ("lb.example.com", True, True)
        assert found.rules is not None
        assert found.rules[0].overrides is not None
        assert {*(found.default_pools or ()), found.fallback_pool, found.rules[0].overrides.fallback_pool} == {pool}
        [listed] = client.load_balancers.pools.list(account_id=zone.account_id)
        assert listed.origins is not None
        [origin] = listed.origins
        assert (listed.id, origin.address, origin.enabled, origin.virtual_network_id) == (
            pool,
            "192.0.2.20",
            True,
            "a-network",
        )
        networks = client.ips.list()
        assert networks is not None
        assert [*(networks.ipv4_cidrs or ()), *(networks.ipv6_cidrs or ())] == list(emulator.cloudflare_networks)
        emulator.load_balancing = "forbidden"
        with pytest.raises(cloudflare.PermissionDeniedError):
            client.load_balancers.list(zone_id=zone.id)
