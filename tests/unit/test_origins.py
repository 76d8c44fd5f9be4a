# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Origins of an emulator's zone: requests, responses and look-ups.

Responses can lack optional values, or be unexpected.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Literal

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._connection import SharedClient, open_client
from ansible_collections.originops.cloudflare.plugins.module_utils._origins.operation import read_origins
from ansible_collections.originops.cloudflare.plugins.plugin_utils._many_zones import CloudflareOrigins, ZoneEntry
from emulator.faults import Change, Fault, Merge
from emulator.server import Emulator
from emulator.state import Zone
from support.operations import SPECS, Result, options, perform, result_of
from support.values import refusal

pytestmark = pytest.mark.usefixtures("waits")

RECORDS = [
    {"type": "A", "name": "www.example.com", "content": "192.0.2.10", "proxied": True},
    {"type": "CNAME", "name": "app.example.com", "content": "app.example.net", "proxied": True},
    {"type": "A", "name": "raw.example.com", "content": "192.0.2.99"},
    {"type": "TXT", "name": "example.com", "content": "not\tprintable"},
]
WWW = {"names": ["www.example.com"], "sources": ["A record of www.example.com"]}
APP = {"hostname": "app.example.net", "names": ["app.example.com"], "sources": ["CNAME record of app.example.com"]}
NOTHING = {"changed": False, "origins": [], "hostnames": [], "excluded": [], "warnings": []}


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com", dns_records=RECORDS)


@pytest.fixture
def balanced(emulator: Emulator, zone: Zone) -> Zone:
    """Add load balancers that use pools in every way."""
    names = ("default", "fallback", "region", "country", "pop", "rule", "rule-fallback", "set", "set-fallback")
    ids = emulator.set_pools(
        zone.account,
        [
            {"name": name, "origins": [{"name": "one", "address": f"198.51.100.{number}"}]}
            for number, name in enumerate([*names, "unused"], 1)
        ],
    )
    pool = dict(zip(names, ids, strict=False))
    balancer = {
        "name": "LB.example.com",
        "default_pools": [pool["default"]],
        "fallback_pool": pool["fallback"],
        "region_pools": {"WEU": [pool["region"], pool["default"]]},
        "country_pools": {"GB": [pool["country"]]},
        "pop_pools": {"LHR": [pool["pop"]]},
        "rules": [
            {"overrides": {"region_pools": {"WEU": [pool["rule"]]}, "fallback_pool": pool["rule-fallback"]}},
            {"name": "without overrides"},
        ],
        "pool_sets": [{"overrides": {"pools": [pool["set"]], "fallback_pool": pool["set-fallback"]}}],
    }
    return emulator.add_zone(zone.name, load_balancers=[balancer, {"name": "empty.example.com"}])


def run(emulator: Emulator, target: Zone, /, **chosen: Any) -> Result:
    emulator.requests.clear()
    result = result_of(perform, read_origins, emulator.api_url, **{"zone_id": target.id, **chosen})
    assert emulator.writes == []
    return result


def paths(emulator: Emulator) -> list[str]:
    return [request.path.rpartition("/")[2] for request in emulator.requests]


def test_records_alone(emulator: Emulator, zone: Zone) -> None:
    assert run(emulator, zone) == {
        **NOTHING,
        "origins": [{"origin_ip": "192.0.2.10", **WWW}],
        "hostnames": [APP],
        "load_balancers": "read",
        "zone_id": zone.id,
    }
    assert paths(emulator) == ["dns_records", "load_balancers"]


def test_a_zone_without_anything(emulator: Emulator) -> None:
    zone = emulator.add_zone("empty.example")
    assert run(emulator, zone) == {**NOTHING, "load_balancers": "read", "zone_id": zone.id}


def test_every_use_of_a_pool_counts(emulator: Emulator, balanced: Zone) -> None:
    result = run(emulator, balanced)
    origins = {item["origin_ip"]: item for item in result["origins"]}
    assert [*origins] == ["192.0.2.10", *[f"198.51.100.{number}" for number in range(1, 10)]]
    assert origins["198.51.100.3"]["names"] == ["lb.example.com"]
    assert origins["198.51.100.3"]["sources"] == ["pool region, origin one"]
    assert (result["load_balancers"], result["excluded"]) == ("read", [])
    assert paths(emulator) == ["dns_records", "load_balancers", balanced.id, "pools"]


def test_by_name(emulator: Emulator, zone: Zone) -> None:
    assert run(emulator, zone, zone_id=None, zone="example.com")["zone_id"] == zone.id
    assert len(emulator.requests) == 3


@pytest.mark.parametrize("count", [999, 1000, 1001, 2500])
def test_all_pages_of_records_are_read(emulator: Emulator, count: int) -> None:
    records = [
        {"name": f"n{number}.example.com", "content": f"198.51.{number // 250}.{number % 250}", "proxied": True}
        for number in range(count)
    ]
    zone = emulator.add_zone("example.com", dns_records=records)
    assert len(run(emulator, zone, load_balancers="false")["origins"]) == count
    assert len(emulator.requests) == ceil(count / 1000)


def test_inconsistent_records_are_an_error(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [Fault(effect=Merge({"result_info": {"total_count": 5}}), path="/dns_records", times=None)]
    result = run(emulator, zone)
    assert f"Reading the DNS records of zone {zone.id} failed: 3 times the pages" in result["msg"]


@pytest.mark.parametrize("path", ["/load_balancers", "/pools"])
@pytest.mark.parametrize("info", [{"total_count": 11}, {"total_pages": 2}])
def test_an_incomplete_list_is_an_error(emulator: Emulator, balanced: Zone, path: str, info: Mapping[str, int]) -> None:
    emulator.faults = [Fault(effect=Merge({"result_info": info}), path=path + "$")]
    for chosen in ("auto", "true"):
        assert "of them, but has more" in run(emulator, balanced, load_balancers=chosen)["msg"]
        emulator.faults[0].matched = 0


@pytest.mark.parametrize("info", [None, {}, {"total_count": None}, {"total_count": 2, "total_pages": 1}])
def test_a_complete_list_may_have_totals(emulator: Emulator, balanced: Zone, info: object) -> None:
    emulator.faults = [Fault(effect=Merge({"result_info": info}), path="/load_balancers$")]
    assert len(run(emulator, balanced)["origins"]) == 10


@pytest.mark.parametrize(("response", "status"), [("forbidden", 403), ("not_enabled", 400)])
def test_forbidden_load_balancers(
    emulator: Emulator, balanced: Zone, response: Literal["forbidden", "not_enabled"], status: int
) -> None:
    emulator.load_balancing = response
    result = run(emulator, balanced)
    assert (result["load_balancers"], len(result["origins"])) == ("unreadable", 1)
    [warning] = result["warnings"]
    assert warning.startswith(f"The load balancers of zone {balanced.id} were left out")
    assert f"HTTP {status}" in warning
    failed = run(emulator, balanced, load_balancers=True)
    assert (failed["status"], "origins" in failed) == (status, False)
    quiet = run(emulator, balanced, load_balancers=False)
    assert (quiet["load_balancers"], quiet["warnings"]) == ("not_read", [])
    assert paths(emulator) == ["dns_records"]


@pytest.mark.parametrize("path", ["/pools", "/zones/[0-9a-f]+$"])
def test_load_balancers_without_their_pools_are_unreadable(emulator: Emulator, balanced: Zone, path: str) -> None:
    emulator.faults = [Fault(effect=refusal(403, 10000), path=path)]
    result = run(emulator, balanced)
    assert (result["load_balancers"], [item["origin_ip"] for item in result["origins"]]) == (
        "unreadable",
        ["192.0.2.10"],
    )
    assert len(result["warnings"]) == 1


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_other_errors_are_errors(emulator: Emulator, zone: Zone, status: int) -> None:
    emulator.faults = [Fault(effect=refusal(status, 10013), path="/load_balancers", times=None)]
    result = run(emulator, zone)
    assert (result["status"], result["zone_id"]) == (status, zone.id)
    emulator.faults = [Fault(effect=refusal(status, 10013), path="/dns_records", times=None)]
    assert run(emulator, zone)["status"] == status


def test_forbidden_records_are_an_error(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [Fault(effect=refusal(403, 10000), path="/dns_records")]
    result = run(emulator, zone)
    assert "Check that the credentials" in result["msg"]
    assert "origins" not in result


def replaced(value: object) -> Callable[[Any], Any]:
    """Return a function that replaces the result of a response."""
    return lambda response: {**response, "result": value}


PROXIED = {"id": "1", "type": "A", "name": "www.example.com", "content": "192.0.2.10", "proxied": True}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *[
            ("/dns_records", value)
            for value in (
                {},
                "text",
                [None],
                [[]],
                [{}],
                [{**PROXIED, "id": 1}],
                [{**PROXIED, "type": None}],
                [{**PROXIED, "name": 5}],
                [{**PROXIED, "name": "www\x1b[31m"}],
                [{**PROXIED, "content": None}],
                [{**PROXIED, "content": 3221225985}],
                [{**PROXIED, "content": "192.0.2.10\n"}],
                [{**PROXIED, "proxied": "true"}],
                [{**PROXIED, "private_routing": 1}],
            )
        ],
        *[
            ("/load_balancers$", value)
            for value in (
                {},
                [None],
                [{}],
                [{"name": None}],
                [{"name": "lb", "enabled": "no"}],
                [{"name": "lb", "proxied": 1}],
                [{"name": "lb", "default_pools": "abc"}],
                [{"name": "lb", "default_pools": [1]}],
                [{"name": "lb", "fallback_pool": 1}],
                [{"name": "lb", "region_pools": []}],
                [{"name": "lb", "pop_pools": {"LHR": "abc"}}],
                [{"name": "lb", "rules": {}}],
                [{"name": "lb", "rules": ["rule"]}],
                [{"name": "lb", "pool_sets": [{"overrides": []}]}],
                [{"name": "lb", "pool_sets": [{"overrides": {"pools": [None]}}]}],
            )
        ],
        *[
            ("/pools$", value)
            for value in (
                {},
                [{}],
                [{"id": "1"}],
                [{"id": "1", "name": "web", "enabled": 1}],
                [{"id": "1", "name": "web", "origins": {}}],
                [{"id": "1", "name": "web", "origins": [None]}],
                [{"id": "1", "name": "web", "origins": [{"name": "one"}]}],
                [{"id": "1", "name": "web", "origins": [{"name": 1, "address": "192.0.2.1"}]}],
                [{"id": "1", "name": "web", "origins": [{"address": "192.0.2.1\x00"}]}],
                [{"id": "1", "name": "web", "origins": [{"address": "192.0.2.1", "enabled": "yes"}]}],
            )
        ],
        *[
            ("/zones/[0-9a-f]+$", value)
            for value in (
                None,
                [],
                {"id": "0" * 32, "name": "example.com", "account": {"id": "1"}},
                {"name": "example.com"},
            )
        ],
        *[
            ("/ips$", value)
            for value in ({}, None, {"ipv4_cidrs": ["x"], "ipv6_cidrs": []}, {"ipv4_cidrs": [5], "ipv6_cidrs": []})
        ],
    ],
    ids=str,
)
def test_unexpected_responses_are_errors(emulator: Emulator, balanced: Zone, path: str, value: object) -> None:
    emulator.faults = [Fault(effect=Change(replaced(value)), path=path)]
    result = run(emulator, balanced, resolve=True)
    assert result["msg"].endswith("HTTP 200, but the response does not have the format of the API")
    assert "origins" not in result


@pytest.mark.parametrize("account", ["../zones", "", 5, "a" * 33])
def test_an_invalid_account_id_is_never_part_of_a_path(emulator: Emulator, balanced: Zone, account: object) -> None:
    emulator.faults = [Fault(effect=Merge({"result": {"account": {"id": account}}}), path="/zones/[0-9a-f]+$")]
    assert "Reading the zone" in run(emulator, balanced)["msg"]
    assert "pools" not in paths(emulator)


def test_lists_may_be_null(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [Fault(effect=Change(replaced(None)), path="/load_balancers$")]
    assert run(emulator, zone)["load_balancers"] == "read"


def test_a_missing_pool_is_an_error(emulator: Emulator, balanced: Zone) -> None:
    emulator.set_pools(balanced.account, [])
    result = run(emulator, balanced)
    assert "lb.example.com has the pool" in result["msg"]
    assert result["zone_id"] == balanced.id


ADDRESSES: dict[str, list[str] | Exception] = {
    "app.example.net.": ["192.0.2.20", "192.0.2.20", "2001:db8::20", "104.16.0.1", "10.0.0.1"],
    "missing.example.net.": socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    "scoped.example.net.": ["fe80::1%eth0"],
    "odd.example.net.": UnicodeError("label too long"),
    "single": ["192.0.2.30"],
    "pages.example.net.": ["104.16.0.1", "104.16.0.2"],
    "private.example.net.": ["104.16.0.1", "10.0.0.1"],
    "empty.example.net.": [],
}


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the resolver, and record the names that are looked up."""
    names: list[str] = []

    def getaddrinfo(host: str, port: int | None, **_options: Any) -> list[Any]:
        names.append(host)
        found = ADDRESSES[host]
        if isinstance(found, Exception):
            raise found
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0)) for address in found]

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, *more, **options: (
            real(host, port, *more, **options) if host == "127.0.0.1" else getaddrinfo(host, port)
        ),
    )
    return names


def hostnames(*names: str) -> list[dict[str, Any]]:
    """Return proxied CNAME records, one for each hostname."""
    return [
        {"type": "CNAME", "name": f"n{number}.example.com", "content": name, "proxied": True}
        for number, name in enumerate(names)
    ]


def test_hostnames_are_looked_up(emulator: Emulator, resolver: list[str]) -> None:
    zone = emulator.add_zone("example.com", dns_records=hostnames("app.example.net", "single"))
    result = run(emulator, zone, resolve=True)
    assert result["hostnames"] == [
        {
            "hostname": "app.example.net",
            "names": ["n0.example.com"],
            "sources": ["CNAME record of n0.example.com"],
            "addresses": ["192.0.2.20", "2001:db8::20"],
        },
        {
            "hostname": "single",
            "names": ["n1.example.com"],
            "sources": ["CNAME record of n1.example.com"],
            "addresses": ["192.0.2.30"],
        },
    ]
    assert [(item["origin"], item["code"], item["sources"]) for item in result["excluded"]] == [
        ("10.0.0.1", "private_address", ["hostname app.example.net"]),
        ("104.16.0.1", "cloudflare", ["hostname app.example.net"]),
    ]
    assert result["origins"] == []
    [warning] = result["warnings"]
    assert "2 hostnames were looked up, and can change at any time" in warning
    assert "app.example.net; single" in warning
    assert paths(emulator) == ["dns_records", "load_balancers", "ips"]
    # Search domains of the machine are not tried.
    assert sorted(resolver) == ["app.example.net.", "single"]


def test_unresolvable_names(emulator: Emulator, resolver: list[str]) -> None:
    names = ("missing.example.net", "scoped.example.net", "odd.example.net")
    zone = emulator.add_zone("example.com", dns_records=hostnames(*names))
    result = run(emulator, zone, resolve=True)
    errors = {item["hostname"]: item["error"] for item in result["hostnames"]}
    assert errors == {
        "missing.example.net": "Name or service not known",
        "odd.example.net": "label too long",
        "scoped.example.net": "'fe80::1%eth0' has a scope, which is valid only on its own host",
    }
    assert all("addresses" not in item for item in result["hostnames"])
    [warning] = result["warnings"]
    assert warning.startswith("3 hostnames could not be looked up, so their origins are unknown. missing.example.net: ")
    assert len(resolver) == 3


@pytest.mark.usefixtures("resolver")
def test_records_with_addresses_of_cloudflare(emulator: Emulator) -> None:
    records = [{"name": "www.example.com", "content": "104.16.0.1", "proxied": True}]
    zone = emulator.add_zone("example.com", dns_records=records)
    assert [item["code"] for item in run(emulator, zone, resolve=True)["excluded"]] == ["cloudflare"]
    # Otherwise Cloudflare's networks are not read.
    assert [item["origin_ip"] for item in run(emulator, zone)["origins"]] == ["104.16.0.1"]


@pytest.mark.usefixtures("resolver")
def test_hostnames_with_addresses_of_cloudflare_only(emulator: Emulator) -> None:
    names = hostnames("pages.example.net", "private.example.net", "empty.example.net")
    zone = emulator.add_zone("example.com", dns_records=names)
    chosen = options(emulator.api_url, SPECS[read_origins], zone_id=zone.id, resolve=True)
    with open_client(chosen) as client:
        known = CloudflareOrigins.read(ZoneEntry(zone_id=zone.id), chosen, SharedClient(client))
    assert known.unknown == "the addresses of empty.example.net; private.example.net are not known"
    assert [name for name, _item in known.items] == ["n2.example.com", "n1.example.com"]


def test_a_resolver_without_a_response(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    never, real = threading.Event(), socket.getaddrinfo

    def getaddrinfo(host: str, port: Any, *more: Any, **options: Any) -> Any:
        if host.startswith("stuck"):
            never.wait()
        return real("127.0.0.1", port, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    names = [f"stuck{number}.example.net" for number in range(100)]
    zone = emulator.add_zone("example.com", dns_records=hostnames(*names))
    try:
        result = run(emulator, zone, resolve=True, timeout=2)
    finally:
        never.set()
    assert {item["error"] for item in result["hostnames"]} == {"no response from the resolver within 2 seconds"}
    [warning] = result["warnings"]
    assert "and 90 more, see hostnames" in warning
