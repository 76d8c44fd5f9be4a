# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random responses: an operation soon returns a result or an error.

The error is for the user. Neither has the secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import lookup_loader
from hypothesis import given, settings, strategies as st
from werkzeug import Response

from ansible_collections.originops.cloudflare.plugins.module_utils import _http, _zones
from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._client import LIST_ATTEMPTS
from ansible_collections.originops.cloudflare.plugins.module_utils._connection import open_client
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._http import MAX_RETRY_AFTER
from ansible_collections.originops.cloudflare.plugins.module_utils._info import read_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._origins.operation import read_origins
from ansible_collections.originops.cloudflare.plugins.module_utils._settings import ensure_tiered_cache
from ansible_collections.originops.cloudflare.plugins.module_utils._single import ensure_mapping
from emulator.faults import Change, Effect, Exchange, Fault, Respond
from emulator.server import Emulator
from support.operations import Operation, Result, audit_zone, options, perform
from support.values import TOKEN, fleet

RETRIES = 1
MOST_REQUESTS = (1 + RETRIES) * (LIST_ATTEMPTS * _zones.MAX_PAGES + 10)
LOOKUP = "originops.cloudflare.origin_cloud_supported_regions"

BEFORE = fleet(105) | {"2001:db8::1": ("oci", "uk-london-1")}
ITEMS = [
    {"origin_ip": "10.0.0.1", "vendor": "aws", "region": "us-west-2"},
    {"origin_ip": "192.0.2.99", "vendor": "gcp", "region": "us-east1"},
    {"origin_ip": "2001:db8::1", "vendor": "oci", "region": "uk-london-1"},
]


def run(operation: Operation, *, check_mode: bool = False, **chosen: Any) -> Callable[..., Result]:
    return lambda url, **common: perform(operation, url, check_mode, **{**common, **chosen})


def list_zones(url: str, **common: Any) -> Any:
    with open_client(options(url, **common)) as client:
        return {"zones": _zones.list_zones(client)}


def look_up(url: str, **common: Any) -> Any:
    chosen = {**common, "api_url": url, "api_token": TOKEN, "zone": "example.com", "zone_id": None}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    return lookup_loader.get(LOOKUP).run(["aws"], variables={}, **chosen)


PRESENT = {**ITEMS[0], "state": "present"}
BY_NAME = {"zone": "example.com", "zone_id": None}

OPERATIONS = {
    "single": run(ensure_mapping, **PRESENT),
    "single-absent": run(ensure_mapping, **ITEMS[0], state="absent", api_version="v1"),
    "single-create": run(ensure_mapping, **{**PRESENT, **ITEMS[1]}, overwrite=False, api_version="v1"),
    "batch": run(ensure_mappings, mappings=ITEMS),
    "batch-purge": run(ensure_mappings, mappings=ITEMS, purge=True, **BY_NAME),
    "batch-absent": run(ensure_mappings, mappings=ITEMS, state="absent"),
    "batch-check": run(ensure_mappings, mappings=ITEMS[1:2], check_mode=True),
    "batch-v1": run(ensure_mappings, mappings=ITEMS, purge=True, api_version="v1", on_invalid="skip"),
    "info": run(read_mappings, supported_regions=True, **BY_NAME),
    "info-some": run(read_mappings, origin_ip=["10.0.0.1", "192.0.2.99"], api_version="v1"),
    "tiered-cache": run(ensure_tiered_cache, enabled=False, smart=False),
    "origins": run(read_origins),
    "lookup": look_up,
    "audit": run(audit_zone, expected=ITEMS),
    "zones": list_zones,
}

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Altered:
    """Response of the emulator, with one JSON value replaced or removed."""

    place: int
    value: Any = None
    removed: bool = False

    def __call__(self, exchange: Exchange) -> Response:
        return Change(self._altered)(exchange)

    def _altered(self, response: Any) -> Any:
        path = list(paths(response))[self.place % len(list(paths(response)))]
        if not path:
            return self.value
        *way, last = path
        parent = response
        for step in way:
            parent = parent[step]
        if self.removed:
            del parent[last]
        else:
            parent[last] = self.value
        return response


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each value in a JSON value.

    Lists are read up to the second item.
    """
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value[:2] if isinstance(value, list) else ())
    for name, member in members:
        yield from paths(member, (*path, name))


@dataclass(frozen=True)
class Forged:
    """Response with any status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def __call__(self, _exchange: Exchange) -> Response:
        return Response(self.body, self.status, self.headers)


@dataclass(frozen=True)
class Noise:
    """Arbitrary bytes, and the end of the connection."""

    data: bytes

    def __call__(self, exchange: Exchange) -> Response:
        exchange.record_status(None)
        exchange.request.environ["werkzeug.socket"].sendall(self.data)
        raise ConnectionAbortedError


NAMES = [
    *("success", "errors", "messages", "result", "result_info", "code", "message", "total_count", "value", "id"),
    *("succeeded", "failed", "error", "origin_ip", "origin-ip", "vendor", "region", "modified_on"),
    *("obtained_codes", "vendors", "aws", "name", "upper_tier_colos", "account"),
    *("type", "content", "proxied", "enabled", "default_pools", "rules", "overrides", "origins", "address"),
]
numbers = st.integers() | st.floats() | st.sampled_from([0, 1, 100, 107, -1, 10**9, 10**30, 7003, 1142, 1157])
texts = st.text(max_size=20) | st.sampled_from(
    ["10.0.0.1", "192.0.2.99", "2001:db8::1", "10.0.0.0/8", "aws", "us-west-2", "example.com", "../user", "\ud800"]
)
leaves = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    leaves,
    lambda inside: (
        st.lists(inside, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inside, max_size=6)
    ),
    max_leaves=15,
)
envelopes = st.fixed_dictionaries(
    {"success": st.just(True) | leaves, "result": values},
    optional={"errors": values, "messages": values, "result_info": values},
)
refusals = st.fixed_dictionaries(
    {
        "success": st.just(False),
        "errors": st.lists(st.fixed_dictionaries({"code": numbers, "message": texts | st.just(TOKEN) | values})),
    }
)
statuses = st.sampled_from([200, 200, 200, 201, 204, 206, 301, 304, 400, 401, 403, 404, 429, 500, 503, 520, 599]) | (
    st.integers(200, 999)
)
header_texts = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=20)
headers = st.dictionaries(
    st.sampled_from(["Retry-After", "Ratelimit", "Location", "Content-Type", "Content-Encoding", "Set-Cookie", "Date"]),
    st.sampled_from(
        ['"default";r=0;t=999999999', "-1", "1e9", "9" * 400, "gzip", "deflate, br", "http://192.0.2.1/", TOKEN]
    )
    | header_texts,
    max_size=3,
)
json_responses = st.builds(
    Respond, statuses, (envelopes | refusals | values).filter(lambda response: not isinstance(response, str)), headers
)
"""Responses with JSON, except strings, which would be sent as HTML."""
raw_responses = st.builds(Forged, statuses, headers, st.binary(max_size=200))
altered_responses = st.builds(Altered, st.integers(0, 500), values) | st.builds(
    Altered, st.integers(0, 500), removed=st.just(True)
)
noises = st.builds(
    Noise,
    st.binary(max_size=100)
    | st.binary(max_size=100).map(lambda data: b"HTTP/1.1 200 OK\r\n" + data)
    | st.binary(max_size=100).map(lambda data: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data),
)


def rules_of(effects: st.SearchStrategy[Effect]) -> st.SearchStrategy[list[Fault]]:
    """Return rules for some of the first requests of an operation.

    A rule can last, and then disturbs all later requests too.
    """
    rule = st.builds(Fault, effect=effects, nth=st.integers(1, 6), times=st.sampled_from([1, 2, None]))
    return st.lists(rule, min_size=1, max_size=3)


@pytest.fixture(scope="module")
def waits() -> Iterator[list[float]]:
    """Record waits between requests, in seconds, without waiting."""
    waits: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_http, "_pause", lambda seconds, _stop: waits.append(seconds) if seconds else None)
        yield waits


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(quota=10**9) as emulator:
        yield emulator


def check(emulator: Emulator, waits: list[float], name: str, faults: list[Fault]) -> None:
    pools = emulator.set_pools("Example", [{"name": "web", "origins": [{"name": "one", "address": "192.0.2.20"}]}])
    zone = emulator.add_zone(
        "example.com",
        mappings=BEFORE,
        tiered_cache=True,
        smart_tiered_cache=True,
        dns_records=[{"content": "192.0.2.10", "proxied": True}],
        load_balancers=[{"name": "lb.example.com", "default_pools": pools}],
    )
    emulator.requests.clear()
    waits.clear()
    emulator.faults = faults
    try:
        result = OPERATIONS[name](emulator.api_url, zone_id=zone.id, retries=RETRIES, timeout=2)
    except (OriginOpsError, AnsibleLookupError) as error:
        result = {"msg": str(error), **getattr(error, "result", {})}
    finally:
        emulator.faults = []
    if "msg" in result:
        assert result["msg"].isprintable()
    assert TOKEN not in json.dumps(result, allow_nan=False)
    assert len(emulator.requests) <= MOST_REQUESTS
    assert all(0 <= wait <= MAX_RETRY_AFTER for wait in waits)


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=24)
@given(faults=rules_of(json_responses | altered_responses | raw_responses | noises))
def test_any_response(emulator: Emulator, waits: list[float], name: str, faults: list[Fault]) -> None:
    check(emulator, waits, name, faults)


@pytest.mark.parametrize("name", ["info", "batch", "lookup"])
def test_the_secret_in_place_of_a_region(emulator: Emulator, waits: list[float], name: str) -> None:
    """Respond like a service that echoes the request."""

    def echo(response: Any) -> Any:
        return json.loads(json.dumps(response).replace("us-east-1", TOKEN))

    check(emulator, waits, name, [Fault(effect=Change(echo), nth=number) for number in range(1, 5)])


def test_json_of_any_depth(emulator: Emulator, waits: list[float]) -> None:
    """Try depths that can just be parsed, and then not be formatted."""
    for depth in [*range(800, 1000, 5), 10**6]:
        errors = f'[{{"code": 1000, "message": {"[" * depth}{"]" * depth}}}]'
        forged = Forged(400, {}, f'{{"success": false, "errors": {errors}}}'.encode())
        check(emulator, waits, "batch", [Fault(effect=forged, times=None)])
