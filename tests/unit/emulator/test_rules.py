# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules and error codes of the API, in both versions, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from emulator.server import Emulator
from emulator.state import Zone, canonical

Call = Callable[..., requests.Response]

SEEDED = {"192.0.2.1": ("aws", "us-east-1"), "2001:db8::1": ("gcp", "us-east1")}
NO_ROUTE = [7003, 7000]


@dataclass(frozen=True)
class ApiVersion:
    """Names in an API version for operations that both versions have."""

    name: str
    root: str
    ip: str
    """Key of the address in a request."""
    origin_ip: str
    """Key of the address in a response."""
    upsert: str
    """HTTP method to store mappings."""

    def path(self, zone: Zone, below: str = "") -> str:
        return f"/zones/{zone.id}{self.root}{below}"

    def item(self, address: object, vendor: object = "aws", region: object = "us-east-1") -> dict[str, object]:
        return {self.ip: address, "vendor": vendor, "region": region}

    def value(self, response: requests.Response) -> Any:
        result = response.json()["result"]
        return result if self.name == "v2" else result["value"]


V1 = ApiVersion("v1", "/cache/origin_cloud_regions", "ip", "origin-ip", "PATCH")
V2 = ApiVersion("v2", "/origin/cloud_regions", "origin_ip", "origin_ip", "PUT")
both = pytest.mark.parametrize("version", [V1, V2], ids=["v1", "v2"])


def codes(response: requests.Response) -> list[int]:
    return [error["code"] for error in response.json()["errors"]]


def numbered(count: int) -> list[str]:
    return [f"10.0.{i // 256}.{i % 256}" for i in range(count)]


@pytest.mark.parametrize(
    ("address", "spelling"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("::", "::"),
        ("::FFFF:C000:0201", "::ffff:192.0.2.1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
    ],
)
def test_canonical_addresses(address: str, spelling: str) -> None:
    assert canonical(address) == spelling


@both
def test_spellings_are_one_mapping(call: Call, zone: Zone, version: ApiVersion) -> None:
    items = [
        version.item("2001:DB8:0:0::1", "oci", "uk-london-1"),
        version.item("::ffff:c000:201"),
    ]
    assert call(version.upsert, version.path(zone, "/batch"), json=items).status_code == 200
    assert list(zone.mappings) == [*SEEDED, "::ffff:192.0.2.1"]
    for path in ("/2001%3ADB8%3A%3A0001", "/2001:db8::1"):
        found = version.value(call("GET", version.path(zone, path)))
        assert (found[version.origin_ip], found["vendor"]) == ("2001:db8::1", "oci")
    assert call("DELETE", version.path(zone, "/2001:DB8::1")).status_code == 200
    assert list(zone.mappings) == ["192.0.2.1", "::ffff:192.0.2.1"]


@both
@pytest.mark.parametrize(
    "path", ["192.0.2.0%2F24", "192.0.2.0/24", "fe80::1%25eth0", "3221225985", "example.com", "%20"]
)
def test_bad_address_in_path(call: Call, zone: Zone, version: ApiVersion, path: str) -> None:
    for method in ("GET", "DELETE"):
        response = call(method, version.path(zone, f"/{path}"))
        assert (response.status_code, codes(response)) == (400, [1146])


@both
@pytest.mark.parametrize(
    ("item", "code"),
    [
        ((None, "aws", "us-east-1"), 1146),
        (("", "aws", "us-east-1"), 1146),
        ((" 192.0.2.9", "aws", "us-east-1"), 1146),
        (("192.0.2.0/24", "aws", "us-east-1"), 1146),
        (("192.0.2.09", "aws", "us-east-1"), 1146),
        (("fe80::1%eth0", "aws", "us-east-1"), 1146),
        ((3221225985, "aws", "us-east-1"), 1146),
        ((["192.0.2.9"], "aws", "us-east-1"), 1146),
        (("192.0.2.9", "ibm", "us-east-1"), 1157),
        (("192.0.2.9", "AWS", "us-east-1"), 1157),
        (("192.0.2.9", None, "us-east-1"), 1157),
        (("192.0.2.9", ["aws"], "us-east-1"), 1157),
        (("192.0.2.9", "aws", "us-east1"), 1157),
        (("192.0.2.9", "aws", "US-East-1"), 1157),
        (("192.0.2.9", "aws", None), 1157),
        (("192.0.2.9", "aws", {}), 1157),
    ],
)
def test_bad_item(call: Call, zone: Zone, version: ApiVersion, item: tuple[object, object, object], code: int) -> None:
    bad = version.item(*item)
    single = "" if version is V1 else "/192.0.2.9"
    response = call(version.upsert, version.path(zone, single), json=bad)
    assert (response.status_code, codes(response)) == (400, [code])

    # In a batch it does not affect other items.
    response = call(version.upsert, version.path(zone, "/batch"), json=[bad, version.item("192.0.2.8")])
    assert response.status_code == 200
    [failed] = version.value(response)["failed"]
    assert failed[version.origin_ip] == (item[0] if isinstance(item[0], str) else "")
    assert zone.values() == {**SEEDED, "192.0.2.8": ("aws", "us-east-1")}


@both
@pytest.mark.parametrize("item", [None, 1, "192.0.2.9", [], {}])
def test_batch_item_of_another_shape(call: Call, zone: Zone, version: ApiVersion, item: object) -> None:
    response = call(version.upsert, version.path(zone, "/batch"), json=[item])
    outcome = version.value(response)
    assert (response.status_code, outcome["succeeded"]) == (200, [])
    assert outcome["failed"] == [
        {version.origin_ip: "", "error": "The origin IP is invalid or missing: None"},
    ]


@both
def test_batch_delete_judges_each_address(call: Call, zone: Zone, version: ApiVersion) -> None:
    body = ["2001:DB8::1", "2001:db8::1", "192.0.2.9", "192.0.2.0/24", None]
    response = call("DELETE", version.path(zone, "/batch"), json=body)
    outcome = version.value(response)
    assert response.status_code == 200
    assert [item[version.origin_ip] for item in outcome["succeeded"]] == ["2001:db8::1"]
    assert [item[version.origin_ip] for item in outcome["failed"]] == [*body[1:4], ""]
    assert list(zone.mappings) == ["192.0.2.1"]


@both
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"{}", b"null", b'"192.0.2.1"', b"[" + b"1," * 100 + b"1]"])
def test_bad_batch(call: Call, zone: Zone, version: ApiVersion, body: bytes) -> None:
    for method in (version.upsert, "DELETE"):
        response = call(method, version.path(zone, "/batch"), data=body)
        assert (response.status_code, codes(response)) == (400, [1146])
    assert zone.values() == SEEDED


@both
def test_batch_of_none_and_of_100(call: Call, zone: Zone, version: ApiVersion) -> None:
    for addresses in ([], numbered(100)):
        path = version.path(zone, "/batch")
        stored = call(version.upsert, path, json=[version.item(address) for address in addresses])
        deleted = call("DELETE", path, json=addresses)
        for response in (stored, deleted):
            outcome = version.value(response)
            assert [item[version.origin_ip] for item in outcome["succeeded"]] == addresses
            assert outcome["failed"] == []
    assert zone.values() == SEEDED


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null"])
def test_bad_single_body(call: Call, zone: Zone, body: bytes) -> None:
    for method, path in (("POST", V1.path(zone)), ("PATCH", V1.path(zone)), ("PUT", V2.path(zone, "/192.0.2.1"))):
        response = call(method, path, data=body)
        assert (response.status_code, codes(response)) == (400, [1146])


@both
def test_no_mapping(call: Call, zone: Zone, version: ApiVersion) -> None:
    for method, code in (("GET", 1142), ("DELETE", 1142 if version is V2 else 1163)):
        response = call(method, version.path(zone, "/192.0.2.9"))
        assert (response.status_code, codes(response)) == (404, [code])


def test_body_must_name_the_address_of_the_path(call: Call, zone: Zone) -> None:
    path = V2.path(zone, "/192.0.2.9")
    response = call("PUT", path, json=V2.item("192.0.2.8"))
    assert (response.status_code, codes(response)) == (400, [1146])
    assert call("PUT", V2.path(zone, "/2001:DB8::0:9"), json=V2.item("2001:db8::9")).status_code == 200
    assert list(zone.mappings) == [*SEEDED, "2001:db8::9"]


def test_create_never_overwrites(call: Call, zone: Zone) -> None:
    response = call("POST", V1.path(zone), json=V1.item("2001:DB8::1"))
    assert (response.status_code, codes(response)) == (400, [1145])
    assert zone.values() == SEEDED


def test_v1_returns_the_time_of_the_last_change(call: Call, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    now = "2026-03-01T12:00:00Z"
    before = zone.mappings["2001:db8::1"].modified_on
    monkeypatch.setattr("emulator.state._now", lambda: now)

    def modified_on(method: str, below: str = "", body: object = None) -> str | None:
        return call(method, V1.path(zone, below), json=body).json()["result"]["modified_on"]

    assert modified_on("GET") == before
    assert modified_on("DELETE", "/batch", ["192.0.2.1"]) == now
    assert modified_on("DELETE", "/batch", ["192.0.2.1"]) is None
    assert modified_on("GET") == now
    assert modified_on("GET", "/2001:db8::1") == before
    assert modified_on("DELETE", "/batch", ["2001:db8::1"]) == now
    assert modified_on("GET") is None


@pytest.mark.parametrize(
    ("query", "info"),
    [
        ("", (1, 20, 20, 7)),
        ("?page=7", (7, 20, 3, 7)),
        ("?page=8", (8, 20, 0, 7)),
        ("?per_page=100", (1, 100, 100, 2)),
        ("?per_page=1&page=123", (123, 1, 1, 123)),
    ],
)
def test_pages(emulator: Emulator, call: Call, zone: Zone, query: str, info: tuple[int, int, int, int]) -> None:
    page, per_page, count, pages = info
    addresses = numbered(123)
    emulator.add_zone(zone.name, mappings=dict.fromkeys(addresses, ("aws", "us-east-1")))
    response = call("GET", V2.path(zone) + query).json()
    first = (page - 1) * per_page
    assert [mapping["origin_ip"] for mapping in response["result"]] == addresses[first : first + per_page]
    assert response["result_info"] == {
        "page": page,
        "per_page": per_page,
        "count": count,
        "total_count": 123,
        "total_pages": pages,
    }


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "page=", "per_page=0", "per_page=101", "per_page=1.5"]
)
def test_bad_pages(call: Call, zone: Zone, query: str) -> None:
    response = call("GET", f"{V2.path(zone)}?{query}")
    assert (response.status_code, codes(response)) == (400, [1146])


@both
def test_limit(emulator: Emulator, call: Call, zone: Zone, version: ApiVersion) -> None:
    emulator.limit = 3
    single = "" if version is V1 else "/192.0.2.{}"
    for last, expected in ((8, (200, [])), (9, (403, [1164])), (8, (200, []))):
        response = call(version.upsert, version.path(zone, single.format(last)), json=version.item(f"192.0.2.{last}"))
        assert (response.status_code, codes(response)) == expected
    assert len(zone.mappings) == 3


def test_limit_of_create(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.limit = 2
    response = call("POST", V1.path(zone), json=V1.item("192.0.2.9"))
    assert (response.status_code, codes(response)) == (403, [1164])


@both
def test_limit_refuses_batch(emulator: Emulator, call: Call, zone: Zone, version: ApiVersion) -> None:
    emulator.limit = 3
    path = version.path(zone, "/batch")
    changes = [version.item(address, "oci", "uk-london-1") for address in ("192.0.2.1", "192.0.2.8", "192.0.2.9")]
    response = call(version.upsert, path, json=changes)
    assert (response.status_code, codes(response)) == (403, [1164])
    assert zone.values() == SEEDED
    assert call(version.upsert, path, json=changes[:2]).status_code == 200

    # A zone past its limit accepts updates of existing mappings.
    emulator.limit = 1
    assert call(version.upsert, path, json=changes[:2]).status_code == 200


@both
def test_limit_refuses_items(emulator: Emulator, call: Call, zone: Zone, version: ApiVersion) -> None:
    emulator.limit = 3
    emulator.limit_refuses = "items"
    addresses = ["192.0.2.8", "192.0.2.9", "192.0.2.1", "192.0.2.7"]
    response = call(
        version.upsert,
        version.path(zone, "/batch"),
        json=[version.item(address, "oci", "uk-london-1") for address in addresses],
    )
    outcome = version.value(response)
    assert response.status_code == 200
    assert [item[version.origin_ip] for item in outcome["succeeded"]] == ["192.0.2.8", "192.0.2.1"]
    assert [item[version.origin_ip] for item in outcome["failed"]] == ["192.0.2.9", "192.0.2.7"]
    assert list(zone.mappings) == [*SEEDED, "192.0.2.8"]


@both
def test_tiered_cache(call: Call, zone: Zone, version: ApiVersion) -> None:
    zone.tiered_cache = False
    response = call("GET", version.path(zone, "/supported_regions"))
    assert (response.status_code, codes(response)) == (403, [1135])
    assert "Tiered Cache" in response.json()["errors"][0]["message"]
    assert call("DELETE", version.path(zone, "/192.0.2.1")).status_code == 200


@both
@pytest.mark.parametrize(("obtained", "colos"), [(True, ["IAD", "EWR"]), (False, [])])
def test_obtained_codes(call: Call, zone: Zone, version: ApiVersion, obtained: bool, colos: list[str]) -> None:
    zone.obtained_codes = obtained
    result = call("GET", version.path(zone, "/supported_regions")).json()["result"]
    assert result["obtained_codes"] is obtained
    assert {"name": "us-east-1", "upper_tier_colos": colos} in result["vendors"]["aws"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/zones/{zone}/origin/cloud_region"),
        ("GET", "/zones/{zone}/origin/cloud_regions/"),
        ("GET", "/zones/{zone}//origin/cloud_regions"),
        ("POST", "/zones/{zone}/origin/cloud_regions"),
        ("PATCH", "/zones/{zone}/origin/cloud_regions/192.0.2.1"),
        ("POST", "/zones/{zone}/origin/cloud_regions/batch"),
        ("OPTIONS", "/zones/{zone}/origin/cloud_regions"),
        ("PUT", "/zones/{zone}/cache/origin_cloud_regions"),
        ("PUT", "/zones/{zone}/cache/origin_cloud_regions/192.0.2.1"),
        ("POST", "/zones/{zone}/cache/origin_cloud_regions/batch"),
        ("DELETE", "/zones/{zone}"),
        ("GET", "/zones/" + "0" * 32),
        ("GET", "/zones/" + "0" * 32 + "/origin/cloud_regions"),
        ("GET", "/zones/" + "0" * 32 + "/cache/origin_cloud_regions"),
        ("PUT", "/zones/example.com/origin/cloud_regions/batch"),
        ("GET", "/"),
    ],
)
def test_no_route(call: Call, zone: Zone, method: str, path: str) -> None:
    response = call(method, path.format(zone=zone.id))
    assert (response.status_code, codes(response)) == (400, NO_ROUTE)


@both
def test_unserved_version(emulator: Emulator, call: Call, zone: Zone, version: ApiVersion) -> None:
    emulator.api_versions = [other.name for other in (V1, V2) if other is not version]
    for other in (V1, V2):
        for path in ("", "/192.0.2.1", "/supported_regions"):
            response = call("GET", other.path(zone, path))
            assert codes(response) == (NO_ROUTE if other is version else [])
