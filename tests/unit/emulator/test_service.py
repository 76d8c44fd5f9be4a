# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All requests: credentials, quota, connections, records, zones, control."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import requests

from emulator.app import Recorded
from emulator.server import Emulator
from emulator.state import Zone

Call = Callable[..., requests.Response]


def codes(response: requests.Response) -> list[int]:
    return [error["code"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, 10000),
        ({"Authorization": "Bearer {token}x"}, 401, 10000),
        ({"Authorization": "Basic {token}"}, 401, 10000),
        ({"Authorization": "{token}"}, 401, 10000),
        ({"X-Auth-Email": "{email}"}, 401, 10000),
        ({"X-Auth-Email": "{email}", "X-Auth-Key": "{key}x"}, 403, 9109),
        ({"X-Auth-Email": "x{email}", "X-Auth-Key": "{key}"}, 403, 9109),
        ({"Authorization": "Bearer x", "X-Auth-Email": "{email}", "X-Auth-Key": "{key}"}, 401, 10000),
        ({"Authorization": "Bearer {read_only_token}"}, 403, 10000),
    ],
)
def test_refused_credentials(emulator: Emulator, zone: Zone, headers: dict[str, str], status: int, code: int) -> None:
    credentials = {name: value.format(**vars(emulator)) for name, value in headers.items()}
    url = f"{emulator.api_url}/zones/{zone.id}/origin/cloud_regions/192.0.2.1"
    response = requests.delete(url, headers=credentials, timeout=10)
    assert (response.status_code, codes(response)) == (status, [code])
    assert "192.0.2.1" in zone.mappings


def test_accepted_credentials(emulator: Emulator, zone: Zone) -> None:
    url = f"{emulator.api_url}/zones/{zone.id}/origin/cloud_regions"
    for method, headers in (
        ("GET", {"Authorization": f"Bearer {emulator.read_only_token}"}),
        ("DELETE", {"X-Auth-Email": emulator.email, "X-Auth-Key": emulator.key}),
    ):
        assert requests.request(method, f"{url}/192.0.2.1", headers=headers, timeout=10).status_code == 200


def test_quota(emulator: Emulator, call: Call, zone: Zone) -> None:
    emulator.quota = 2
    emulator.window = 30
    responses = [call("GET", f"/zones/{zone.id}") for _attempt in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 429, 429]
    assert {response.headers["Ratelimit-Policy"] for response in responses} == {'"default";q=2;w=30'}
    for response, left in zip(responses, (1, 0, 0, 0), strict=True):
        remaining, seconds = response.headers["Ratelimit"].removeprefix('"default";r=').split(";t=")
        assert int(remaining) == left
        assert 20 < int(seconds) <= 30
        assert response.headers.get("Retry-After") == (seconds if response.status_code == 429 else None)
    assert codes(responses[2]) == [10100]

    # The next window has a new quota.
    emulator.window = 0
    assert call("GET", f"/zones/{zone.id}").status_code == 200


def test_keep_alive(call: Call, zone: Zone) -> None:
    path = f"/zones/{zone.id}/origin/cloud_regions"
    ports = set()
    for method, below in (("GET", ""), ("PUT", "/batch"), ("GET", "/nowhere"), ("GET", "")):
        with call(method, path + below, json=[], stream=True) as response:
            ports.add(response.raw.connection.sock.getsockname())
            assert response.json()
    assert len(ports) == 1


def test_nothing_is_served_after_the_end() -> None:
    with requests.Session() as session:
        with Emulator() as emulator:
            assert session.get(emulator.api_url).status_code == 401
        with pytest.raises(requests.ConnectionError):
            session.get(emulator.api_url)


def test_latency(emulator: Emulator, call: Call) -> None:
    emulator.latency = 0.1
    began = time.monotonic()
    call("GET", "/zones")
    assert time.monotonic() - began >= 0.1


def test_concurrent_requests(emulator: Emulator, zone: Zone) -> None:
    url = f"{emulator.api_url}/zones/{zone.id}/origin/cloud_regions"
    bodies = [
        [{"origin_ip": f"10.0.{batch}.{i}", "vendor": "aws", "region": "us-east-1"} for i in range(10)]
        for batch in range(8)
    ]
    inner = emulator.api.wsgi_app
    all_there = Barrier(len(bodies), timeout=30)

    def wait_for_all(environ: Any, start_response: Any) -> Any:
        all_there.wait()
        return inner(environ, start_response)

    def put(body: object) -> requests.Response:
        return requests.put(
            f"{url}/batch", json=body, headers={"Authorization": f"Bearer {emulator.token}"}, timeout=60
        )

    emulator.api.wsgi_app = wait_for_all
    with ThreadPoolExecutor(len(bodies)) as pool:
        responses = list(pool.map(put, bodies))
    assert all(len(response.json()["result"]["succeeded"]) == 10 for response in responses)
    assert len(zone.mappings) == 82
    # Each batch is atomic: its mappings are adjacent.
    added = [address.rsplit(".", 1)[0] for address in list(zone.mappings)[2:]]
    assert all(len(set(added[i : i + 10])) == 1 for i in range(0, 80, 10))


def test_records(emulator: Emulator, call: Call, zone: Zone) -> None:
    path = f"/zones/{zone.id}/origin/cloud_regions"
    call("GET", f"{path}/2001%3Adb8%3A%3A1?a=b")
    call("PUT", f"{path}/batch", json=[1])
    call("DELETE", f"{path}/batch", data=b"\xff[")
    requests.get(f"{emulator.api_url}/nowhere", timeout=10)
    assert emulator.requests == [
        Recorded("GET", f"{path}/2001:db8::1", {"a": "b"}, None, 200),
        Recorded("PUT", f"{path}/batch", {}, [1], 200),
        Recorded("DELETE", f"{path}/batch", {}, "�[", 400),
        Recorded("GET", "/nowhere", {}, None, 401),
    ]
    assert emulator.writes == emulator.requests[1:3]
    emulator.requests.clear()
    assert emulator.writes == []


def test_zones(emulator: Emulator, call: Call, zone: Zone) -> None:
    other = emulator.add_zone(zone.name, account="Other")
    emulator.add_zone("example.net")
    assert emulator.add_zone(zone.name) is zone
    assert len({zone.id, other.id, zone.account_id, other.account_id}) == 4

    response = call("GET", f"/zones?name={zone.name}").json()
    assert [found["id"] for found in response["result"]] == [zone.id, other.id]
    listed = response["result"][1]
    assert (listed["id"], listed["name"], listed["status"]) == (other.id, zone.name, "active")
    assert listed["account"] == {"id": other.account_id, "name": "Other"}
    assert (listed["plan"]["name"], listed["plan"]["legacy_id"]) == ("Free Website", "free")
    assert response["result_info"] == {"page": 1, "per_page": 20, "count": 2, "total_count": 2, "total_pages": 1}
    assert call("GET", f"/zones/{other.id}").json()["result"] == listed
    emulator.add_zone(zone.name, account="Other", status="pending", plan="Pro Website")
    changed = call("GET", f"/zones/{other.id}").json()["result"]
    assert (changed["status"], changed["plan"]["legacy_id"]) == ("pending", "pro")

    response = call("GET", "/zones?name=example.org").json()
    assert (response["result"], response["result_info"]["total_pages"]) == ([], 0)

    assert [found["name"] for found in call("GET", "/zones?per_page=5").json()["result"]] == [
        "example.com",
        "example.com",
        "example.net",
    ]
    for query in ("per_page=4", "per_page=51", "page=0"):
        assert codes(call("GET", f"/zones?{query}")) == [1146]


def test_control(emulator: Emulator, call: Call) -> None:
    emulator.quota = 1

    def control(method: str, path: str, **options: object) -> requests.Response:
        return requests.request(method, emulator.control_url + path, timeout=10, **options)

    settings = {"mappings": {"2001:DB8::1": ["aws", "us-east-1"]}, "account": "Other", "tiered_cache": False}
    created = control("PUT", "/zones/example.net", json=settings).json()
    zone = emulator.add_zone("example.net", account="Other")
    assert created == {
        "id": zone.id,
        "name": "example.net",
        "account": {"id": zone.account_id, "name": "Other"},
        "tiered_cache": False,
        "smart_tiered_cache": True,
        "obtained_codes": True,
        "status": "active",
        "plan": "Free Website",
        "dns_records": [],
        "load_balancers": [],
        "traffic": {},
        "analytics": {},
        "mappings": {"2001:db8::1": ["aws", "us-east-1"]},
    }
    # Other values do not change.
    changed = control("PUT", "/zones/example.net", json={"account": "Other", "obtained_codes": False})
    assert changed.json() == {**created, "obtained_codes": False}

    call("GET", f"/zones/{zone.id}")
    assert control("GET", "/requests").json() == [
        {"method": "GET", "path": f"/zones/{zone.id}", "query": {}, "body": None, "status": 200, "fault": None}
    ]
    assert control("DELETE", "/requests").status_code == 200
    assert emulator.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"tired_cache": true}',
        b'{"mappings": ["192.0.2.1"]}',
        b'{"dns_records": ["192.0.2.1"]}',
        b'{"load_balancers": 1}',
        b'{"mappings": {"192.0.2.1": "aws"}}',
        b'{"mappings": {"192.0.2.1": ["aws", "nowhere"]}}',
    ],
)
def test_control_refuses(emulator: Emulator, zone: Zone, body: bytes) -> None:
    response = requests.put(f"{emulator.control_url}/zones/{zone.name}", data=body, timeout=10)
    assert response.status_code == 400
    assert response.json()["error"]
    assert len(zone.mappings) == 2
