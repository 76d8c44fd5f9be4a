# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Application of plans: the outcome of each change.

It is compared with the final mappings of an emulator's zone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from itertools import chain, repeat

import pytest
from hypothesis import given, settings, strategies as st

from ansible_collections.originops.cloudflare.plugins.module_utils._apply import Write, apply
from ansible_collections.originops.cloudflare.plugins.module_utils._batch import write_batch
from ansible_collections.originops.cloudflare.plugins.module_utils._endpoints import MappingsApi
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import OriginMapping, canonical
from ansible_collections.originops.cloudflare.plugins.module_utils._plan import ApplyResult, Change, Plan, make_plan
from ansible_collections.originops.cloudflare.plugins.module_utils._single import create_one, write_one
from emulator.server import Emulator
from emulator.state import Zone
from support.operations import both, open_api
from support.stub import Request, Response, Stub, failure, forward, success
from support.values import Values, fleet


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com")


@pytest.fixture
def api(emulator: Emulator, zone: Zone, served: str) -> Iterator[MappingsApi]:
    with open_api(served, emulator.api_url, zone.id) as api:
        yield api


def fill(emulator: Emulator, mappings: Values) -> None:
    emulator.add_zone("example.com", mappings=mappings)


def plan_for(api: MappingsApi, wanted: Values, *, purge: bool = False) -> Plan:
    """Return the plan that brings the zone to these mappings."""
    mappings = [OriginMapping(ip_address(address), *value) for address, value in wanted.items()]
    return make_plan(api.fetch_all(), {mapping.address: mapping for mapping in mappings}, purge=purge)


def written(emulator: Emulator) -> list[tuple[str, int]]:
    """Return the recorded writes: method and number of items."""
    return [(request.method, len(request.body)) for request in emulator.writes]


def addresses(changes: Sequence[Change]) -> list[str]:
    return [canonical(change.address) for change in changes]


def check(report: ApplyResult, plan: Plan, zone: Zone) -> None:
    """Check that each change has one outcome, and the zone the applied ones."""
    parts = [*report.applied, *(change for change, _reason in report.failed), *report.pending]
    assert sorted(addresses(parts)) == sorted(addresses(plan.changes))
    assert {change.address: (change.kind, change.mapping, change.before) for change in parts} == {
        change.address: (change.kind, change.mapping, change.before) for change in plan.changes
    }
    for change in parts:
        value = None if change.kind == "deleted" else (change.mapping.vendor, change.mapping.region)
        assert (zone.values().get(canonical(change.address)) == value) == (change in report.applied)
    assert all(reason for _change, reason in report.failed)


@both
def test_all_is_applied(emulator: Emulator, zone: Zone, api: MappingsApi) -> None:
    fill(emulator, fleet(150, "us-west-2") | fleet(130, start=1000))
    wanted = fleet(250)
    plan = plan_for(api, wanted, purge=True)
    report = apply(plan, api, write_batch)
    check(report, plan, zone)
    assert report.applied == list(plan.changes)
    assert report.error is None
    assert zone.values() == wanted
    upsert = "PUT" if api.name == "v2" else "PATCH"
    assert written(emulator) == [(upsert, 100), (upsert, 100), (upsert, 50), ("DELETE", 100), ("DELETE", 30)]


@both
def test_a_full_zone_is_emptied_first(emulator: Emulator, zone: Zone, api: MappingsApi) -> None:
    fill(emulator, fleet(3500))
    wanted = fleet(3500, start=150)
    plan = plan_for(api, wanted, purge=True)
    report = apply(plan, api, write_batch)
    check(report, plan, zone)
    assert [method == "DELETE" for method, _items in written(emulator)] == [True, True, False, False]
    assert zone.values() == wanted


@both
def test_deletions_that_come_first_ignore_missing_mappings(emulator: Emulator, zone: Zone, api: MappingsApi) -> None:
    fill(emulator, fleet(3500))
    plan = plan_for(api, fleet(3500, start=2), purge=True)
    fill(emulator, fleet(3499, start=1))
    report = apply(plan, api, write_batch)
    check(report, plan, zone)
    assert (report.failed, report.pending) == ([], [])


@both
@pytest.mark.parametrize(("write", "count"), [(write_one, 1), (write_batch, 1), (write_batch, 5)])
def test_a_missing_mapping_counts_as_deleted(
    emulator: Emulator, zone: Zone, api: MappingsApi, write: Write, count: int
) -> None:
    fill(emulator, fleet(count))
    plan = plan_for(api, {}, purge=True)
    del zone.mappings["10.0.0.0"]
    report = apply(plan, api, write)
    check(report, plan, zone)
    assert report.applied == list(plan.changes)
    assert zone.values() == {}


class Unreliable:
    """Proxy of an emulator that can refuse or lose each write or its response."""

    def __init__(self, emulator: Emulator, *fates: str, blind: bool = False) -> None:
        """Take outcomes of writes. If blind, reads fail after the first write."""
        self._emulator = emulator
        self._fates = chain(fates, repeat("ok"))
        self._blind = blind
        self._wrote = False

    def __call__(self, request: Request) -> Response | None:
        if request.method == "GET":
            return failure(500, 1140) if self._blind and self._wrote else forward(self._emulator, request)
        self._wrote = True
        fate = next(self._fates)
        if fate == "refused":
            return failure(403, 10000)
        if fate == "lost request":
            return None
        response = forward(self._emulator, request)
        return {
            "ok": response,
            "lost response": None,
            "garbled response": Response(200, b"{"),
            "failure": Response(502),
        }[fate]


lost = pytest.mark.parametrize("fate", ["lost response", "garbled response", "failure"])


@both
@lost
def test_a_batch_with_a_lost_response_is_verified(emulator: Emulator, zone: Zone, served: str, fate: str) -> None:
    fill(emulator, fleet(30, start=1000))
    with Stub(Unreliable(emulator, fate, "ok", fate)) as stub, open_api(served, stub.url, zone.id) as api:
        plan = plan_for(api, fleet(130), purge=True)
        report = apply(plan, api, write_batch)
    check(report, plan, zone)
    assert (report.applied, report.error) == (list(plan.changes), None)
    assert zone.values() == fleet(130)


@both
@lost
@pytest.mark.parametrize(
    ("write", "change"),
    [
        pytest.param(write_one, ({}, fleet(1)), id="create"),
        pytest.param(create_one, ({}, fleet(1)), id="create-only"),
        pytest.param(write_batch, ({}, fleet(1)), id="create-batch"),
        pytest.param(write_one, (fleet(1, "us-west-2"), fleet(1)), id="update"),
        pytest.param(write_batch, (fleet(1, "us-west-2"), fleet(1)), id="update-batch"),
        pytest.param(write_one, (fleet(1), {}), id="delete"),
        pytest.param(write_batch, (fleet(1), {}), id="delete-batch"),
    ],
)
def test_a_change_with_a_lost_response_is_verified(
    emulator: Emulator, served: str, fate: str, write: Write, change: tuple[Values, Values]
) -> None:
    before, after = change
    zone = emulator.add_zone("example.com", mappings=before)
    with Stub(Unreliable(emulator, fate)) as stub, open_api(served, stub.url, zone.id) as api:
        plan = plan_for(api, after, purge=True)
        report = apply(plan, api, write)
    check(report, plan, zone)
    assert (report.applied, report.error) == (list(plan.changes), None)
    assert zone.values() == after


def test_an_item_refused_by_a_retry_is_verified(emulator: Emulator, zone: Zone) -> None:
    writes = 0

    def lose_and_refuse(request: Request) -> Response | None:
        nonlocal writes
        if request.method == "GET":
            return forward(emulator, request)
        writes += 1
        if writes == 1:
            forward(emulator, request)
            return None
        refused = [{"origin_ip": item["origin_ip"], "error": "Conflict"} for item in json.loads(request.body)]
        return success({"succeeded": [], "failed": refused})

    with Stub(lose_and_refuse) as stub, open_api("v2", stub.url, zone.id, retries=1) as api:
        plan = plan_for(api, fleet(3))
        report = apply(plan, api, write_batch)
    check(report, plan, zone)
    assert report.applied == list(plan.changes)


@both
def test_a_refused_item_is_not_verified(emulator: Emulator, zone: Zone, api: MappingsApi) -> None:
    plan = plan_for(api, {**fleet(2), "192.0.2.1": ("aws", "moon-1")})
    emulator.requests.clear()
    report = apply(plan, api, write_batch)
    check(report, plan, zone)
    assert ([len(report.applied), len(report.failed)], len(emulator.requests)) == ([2, 1], 1)


@both
def test_changes_are_unknown_if_the_zone_cannot_be_read_again(emulator: Emulator, zone: Zone, served: str) -> None:
    unreliable = Unreliable(emulator, "lost response", blind=True)
    with Stub(unreliable) as stub, open_api(served, stub.url, zone.id) as api:
        plan = plan_for(api, fleet(150))
        report = apply(plan, api, write_batch)
    assert (len(report.applied), len(report.unknown), len(report.pending)) == (0, 100, 50)
    assert report.error is not None


@both
def test_an_unverified_refusal_ends_the_writing(emulator: Emulator, zone: Zone, served: str) -> None:
    fill(emulator, fleet(150))
    with Stub(Unreliable(emulator, blind=True)) as stub, open_api(served, stub.url, zone.id) as api:
        plan = plan_for(api, {}, purge=True)
        del zone.mappings["10.0.0.0"]
        report = apply(plan, api, write_batch)
    assert (len(report.applied), len(report.unknown), len(report.pending)) == (99, 1, 50)
    assert report.error is not None
    assert report.error.status == 500


fates = st.lists(
    st.sampled_from(["ok", "ok", "refused", "lost request", "lost response", "garbled response", "failure"]), max_size=6
)


counts = st.integers(0, 220)


@settings(max_examples=20)
@given(served=st.sampled_from(["v1", "v2"]), fates=fates, old=counts, new=counts, start=counts, bad=st.booleans())
def test_every_change_is_reported_exactly_once(
    *, served: str, fates: list[str], old: int, new: int, start: int, bad: bool
) -> None:
    with Emulator() as emulator, Stub(Unreliable(emulator, *fates)) as stub:
        zone = emulator.add_zone("example.com", mappings=fleet(old, "us-west-2"))
        with open_api(served, stub.url, zone.id) as api:
            wanted = fleet(new, start=start) | ({"192.0.2.1": ("aws", "moon-1")} if bad else {})
            plan = plan_for(api, wanted, purge=True)
            report = apply(plan, api, write_batch)
            check(report, plan, zone)
            # The next run makes exactly the remaining changes.
            rest = plan_for(api, wanted, purge=True)
    assert sorted(addresses(rest.changes)) == sorted(
        addresses([*(change for change, _reason in report.failed), *report.pending])
    )
