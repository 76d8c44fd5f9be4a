# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation of responses against openapi.yaml: it finds violations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import pytest
import requests
from flask import Response

from emulator.conformance import Conformance
from emulator.server import Emulator
from emulator.state import Zone

Damage = Callable[[Response, Any], object]
"""Function that changes a response and its envelope."""

V1 = "/zones/{zone}/cache/origin_cloud_regions"
V2 = "/zones/{zone}/origin/cloud_regions"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Run an emulator without validating its responses."""
    with Emulator() as emulator:
        yield emulator


def violations(emulator: Emulator, zone: Zone, request_line: str, damage: Damage) -> list[str]:
    """Return the violations of a damaged response."""

    @emulator.api.after_request
    def spoil(response: Response) -> Response:
        envelope = response.get_json()
        damage(response, envelope)
        response.data = json.dumps(envelope)
        return response

    conformance = Conformance(emulator)
    method, path = request_line.format(zone=zone.id, account=zone.account_id).split()
    bodies = {"PUT": [], "DELETE": ["192.0.2.1"], "PATCH": [{}], "POST": {"value": "on"}}
    emulator.add_zone(
        zone.name, dns_records=[{"content": "192.0.2.10", "proxied": True}], load_balancers=[{"name": "lb.example.com"}]
    )
    emulator.set_pools(zone.account, [{"name": "pool", "origins": [{"name": "one", "address": "192.0.2.10"}]}])
    headers = {"Authorization": f"Bearer {emulator.token}"}
    requests.request(method, emulator.api_url + path, json=bodies.get(method), headers=headers, timeout=10)
    return conformance.violations


def no_damage(_response: Response, _envelope: Any) -> None:
    """Leave the response unchanged."""


@pytest.mark.parametrize(
    ("request_line", "where"),
    [
        ("GET /zones", []),
        ("GET /zones", ["result_info"]),
        ("GET /zones", ["result", 0]),
        ("GET /zones/{zone}", []),
        ("GET /zones/{zone}", ["result", "account"]),
        ("GET /zones/{zone}", ["result", "plan"]),
        ("GET /zones/{zone}/dns_records", ["result", 0]),
        ("GET /zones/{zone}/load_balancers", ["result", 0]),
        ("GET /accounts/{account}/load_balancers/pools", ["result", 0, "origins", 0]),
        ("GET /ips", ["result"]),
        ("POST /graphql", ["errors", 0]),
        ("GET /zones/{zone}/argo/tiered_caching", ["result"]),
        ("GET /zones/{zone}/cache/tiered_cache_smart_topology_enable", ["result"]),
        ("POST /zones/{zone}/cache/tiered_cache_smart_topology_enable", ["result"]),
        ("DELETE /zones/{zone}/cache/tiered_cache_smart_topology_enable", ["result"]),
        (f"GET {V2}", ["result", 1]),
        (f"GET {V2}/192.0.2.1", ["result"]),
        (f"DELETE {V2}/192.0.2.1", ["result"]),
        (f"PUT {V2}/batch", ["result"]),
        (f"DELETE {V2}/batch", ["result", "succeeded", 0]),
        (f"GET {V2}/supported_regions", ["result", "vendors"]),
        (f"GET {V1}", ["result"]),
        (f"GET {V1}", ["result", "value", 0]),
        (f"GET {V1}/192.0.2.1", ["result", "value"]),
        (f"PATCH {V1}/batch", ["result", "value", "failed", 0]),
        (f"DELETE {V1}/batch", ["result", "value", "succeeded", 0]),
        ("GET /nowhere", ["errors", 0]),
    ],
    ids=str,
)
def test_surplus_property(emulator: Emulator, zone: Zone, request_line: str, where: list[str | int]) -> None:
    def add_property(_response: Response, envelope: Any) -> None:
        reduce(lambda value, key: value[key], where, envelope)["surplus"] = 1

    [found] = violations(emulator, zone, request_line, add_property)
    method, path = request_line.format(zone=zone.id, account=zone.account_id).split()
    assert found.startswith(f"{method} {path}? ")
    assert "surplus" in found


@pytest.mark.parametrize(
    ("request_line", "damage"),
    [
        pytest.param(f"GET {V2}", lambda _, envelope: envelope.pop("result"), id="no result"),
        pytest.param(f"GET {V2}", lambda _, envelope: envelope["result"][1].pop("region"), id="no region"),
        pytest.param(f"GET {V2}", lambda _, envelope: envelope["result"][1].update(vendor="ibm"), id="vendor"),
        pytest.param(
            f"GET {V2}", lambda _, envelope: envelope["result"][1].update(origin_ip="2001:DB8::1"), id="address"
        ),
        pytest.param(
            f"GET {V2}", lambda _, envelope: envelope["result"][1].update(modified_on="2026-03-01 12:00"), id="time"
        ),
        pytest.param(
            f"GET {V2}/192.0.2.9", lambda _, envelope: envelope["errors"][0].update(code=1146), id="code of a status"
        ),
        pytest.param(f"GET {V2}", lambda response, _: setattr(response, "status_code", 201), id="status"),
        pytest.param("GET /nowhere", lambda response, _: setattr(response, "status_code", 404), id="no route"),
        pytest.param(f"GET {V2}", lambda response, _: setattr(response, "mimetype", "text/html"), id="content type"),
    ],
)
def test_damage(emulator: Emulator, zone: Zone, request_line: str, damage: Damage) -> None:
    assert len(violations(emulator, zone, request_line, damage)) == 1


def test_missing_headers(emulator: Emulator, zone: Zone) -> None:
    inner = emulator.api.wsgi_app

    def without_headers(environ: Any, start_response: Any) -> Any:
        return inner(environ, lambda status, _headers: start_response(status, [("Content-Type", "application/json")]))

    emulator.api.wsgi_app = without_headers
    found = violations(emulator, zone, f"GET {V2}", no_damage)
    assert ["Ratelimit" in violation for violation in found] == [True, True]


def test_no_damage(emulator: Emulator, zone: Zone) -> None:
    assert violations(emulator, zone, f"GET {V2}", no_damage) == []
