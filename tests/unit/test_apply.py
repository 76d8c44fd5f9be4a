# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying out plans: what the account says, held against what the zone of an emulator has in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from itertools import chain, repeat
from typing import NamedTuple

import pytest
from hypothesis import given, settings, strategies as st

from ansible_collections.originops.cloudflare.plugins.module_utils._apply import (
    Account,
    Write,
    apply,
    creating,
    in_batches,
    predict,
    singly,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._generations import GENERATIONS, Generation
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import Mapping, canonical
from ansible_collections.originops.cloudflare.plugins.module_utils._options import open_zone
from ansible_collections.originops.cloudflare.plugins.module_utils._plan import Change, Plan, make_plan
from emulator.server import Emulator
from emulator.state import Zone
from unit.service import Answer, Request, Stub, Values, failure, fleet, forward, options

both = pytest.mark.parametrize("served", ["v1", "v2"])


@contextmanager
def using(name: str, url: str, zone: Zone) -> Iterator[Generation]:
    [generation] = GENERATIONS[name]
    with open_zone(options(url, zone_id=zone.id)) as opened:
        yield generation(opened.client, opened.id)


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com")


@pytest.fixture
def generation(emulator: Emulator, zone: Zone, served: str) -> Iterator[Generation]:
    with using(served, emulator.api_url, zone) as generation:
        yield generation


def fill(emulator: Emulator, mappings: Values) -> None:
    emulator.add_zone("example.com", mappings=mappings)


def plan_for(generation: Generation, wanted: Values, *, purge: bool = False) -> Plan:
    """The plan that brings the zone, as it is now, to these mappings."""
    mappings = [Mapping(ip_address(address), *value) for address, value in wanted.items()]
    return make_plan(
        generation.whole(), {mapping.address: mapping for mapping in mappings}, purge_except=() if purge else None
    )


def written(emulator: Emulator) -> list[tuple[str, int]]:
    """The recorded writes, as method and number of items."""
    return [(request.method, len(request.body)) for request in emulator.writes]


def addresses(changes: Sequence[Change]) -> list[str]:
    return [canonical(change.address) for change in changes]


def check(account: Account, plan: Plan, zone: Zone) -> None:
    """An account has every change of the plan once, and what it calls applied is what the zone has."""
    parts = [*account.applied, *(change for change, _reason in account.failed), *account.pending]
    assert sorted(addresses(parts)) == sorted(addresses(plan.changes))
    assert {change.address: (change.kind, change.mapping, change.before) for change in parts} == {
        change.address: (change.kind, change.mapping, change.before) for change in plan.changes
    }
    for change in parts:
        value = None if change.kind == "deleted" else (change.mapping.vendor, change.mapping.region)
        assert (zone.values().get(canonical(change.address)) == value) == (change in account.applied)
    assert all(reason for _change, reason in account.failed)


@both
def test_all_is_applied(emulator: Emulator, zone: Zone, generation: Generation) -> None:
    fill(emulator, fleet(150, "us-west-2") | fleet(130, start=1000))
    wanted = fleet(250)
    plan = plan_for(generation, wanted, purge=True)
    account = apply(plan, generation, in_batches)
    check(account, plan, zone)
    assert account.applied == list(plan.changes)
    assert account.error is None
    assert zone.values() == wanted
    upsert = "PUT" if generation.name == "v2" else "PATCH"
    assert written(emulator) == [(upsert, 100), (upsert, 100), (upsert, 50), ("DELETE", 100), ("DELETE", 30)]


@both
def test_a_prediction_is_what_then_happens(emulator: Emulator, zone: Zone, generation: Generation) -> None:
    fill(emulator, fleet(5, "us-west-2", start=3))
    plan = plan_for(generation, fleet(5), purge=True)
    predicted = predict(plan)
    assert emulator.writes == []
    assert apply(plan, generation, in_batches) == predicted


@both
def test_an_item_that_the_service_refuses(emulator: Emulator, zone: Zone, generation: Generation) -> None:
    fill(emulator, fleet(3, start=1000))
    plan = plan_for(generation, {**fleet(101), "10.0.0.7": ("aws", "moon-1")}, purge=True)
    account = apply(plan, generation, in_batches)
    check(account, plan, zone)
    [(refused, reason)] = account.failed
    assert canonical(refused.address) == "10.0.0.7"
    assert "moon-1" in reason
    # All upserts are tried, but the deletions, which come last, are not.
    assert [len(request.body) for request in emulator.writes] == [100, 1]
    assert {change.kind for change in account.pending} == {"deleted"}
    assert len(account.pending) == 3
    assert account.error is None


@both
def test_a_batch_that_fails_as_a_whole_ends_the_writing(emulator: Emulator, zone: Zone, generation: Generation) -> None:
    emulator.limit = 150
    plan = plan_for(generation, fleet(250))
    account = apply(plan, generation, in_batches)
    check(account, plan, zone)
    assert (len(account.applied), len(account.failed), len(account.pending)) == (100, 100, 50)
    assert account.error is not None
    assert account.error.codes == {1164}
    assert len(emulator.writes) == 2


@both
def test_a_limit_that_refuses_items_does_not_end_the_writing(
    emulator: Emulator, zone: Zone, generation: Generation
) -> None:
    emulator.limit, emulator.limit_refuses = 150, "items"
    plan = plan_for(generation, fleet(250))
    account = apply(plan, generation, in_batches)
    check(account, plan, zone)
    assert (len(account.applied), len(account.failed), len(account.pending)) == (150, 100, 0)
    assert account.error is None


@both
def test_a_full_zone_is_emptied_first(emulator: Emulator, zone: Zone, generation: Generation) -> None:
    fill(emulator, fleet(3500))
    wanted = fleet(3500, start=150)
    plan = plan_for(generation, wanted, purge=True)
    account = apply(plan, generation, in_batches)
    check(account, plan, zone)
    assert [method == "DELETE" for method, _items in written(emulator)] == [True, True, False, False]
    assert zone.values() == wanted


@both
def test_deletions_that_come_first_do_not_stop_for_what_is_gone(
    emulator: Emulator, zone: Zone, generation: Generation
) -> None:
    fill(emulator, fleet(3500))
    plan = plan_for(generation, fleet(3500, start=2), purge=True)
    fill(emulator, fleet(3499, start=1))
    account = apply(plan, generation, in_batches)
    check(account, plan, zone)
    assert (account.failed, account.pending) == ([], [])


@both
@pytest.mark.parametrize(("write", "count"), [(singly, 1), (in_batches, 1), (in_batches, 5)])
def test_what_is_gone_counts_as_deleted(
    emulator: Emulator, zone: Zone, generation: Generation, write: Write, count: int
) -> None:
    fill(emulator, fleet(count))
    plan = plan_for(generation, {}, purge=True)
    del zone.mappings["10.0.0.0"]
    account = apply(plan, generation, write)
    check(account, plan, zone)
    assert account.applied == list(plan.changes)
    assert zone.values() == {}


@both
def test_a_written_mapping_has_the_time_of_writing(emulator: Emulator, zone: Zone, generation: Generation) -> None:
    account = apply(plan_for(generation, fleet(1)), generation, singly)
    assert account.applied[0].mapping.modified_on == zone.mappings["10.0.0.0"].modified_on


@pytest.mark.parametrize("served", ["v1"])
def test_creating_never_takes_over(emulator: Emulator, zone: Zone, generation: Generation) -> None:
    plan = plan_for(generation, fleet(1))
    fill(emulator, fleet(1, "us-west-2"))  # somebody else was quicker
    account = apply(plan, generation, creating)
    check(account, plan, zone)
    assert account.error is not None
    assert account.error.codes == {1145}
    assert zone.values() == fleet(1, "us-west-2")


class Unreliable:
    """Stands before an emulator, and gives every write its fate; the answer is what the client gets of it."""

    def __init__(self, emulator: Emulator, *fates: str, blind: bool = False) -> None:
        """Where blind, reads fail from the first write on."""
        self._emulator = emulator
        self._fates = chain(fates, repeat("ok"))
        self._blind = blind
        self._wrote = False

    def __call__(self, request: Request) -> Answer | None:
        if request.method == "GET":
            return failure(500, 1140) if self._blind and self._wrote else forward(self._emulator, request)
        self._wrote = True
        fate = next(self._fates)
        if fate == "refused":
            return failure(403, 10000)
        if fate == "lost request":
            return None
        answer = forward(self._emulator, request)
        return {"ok": answer, "lost answer": None, "garbled answer": Answer(200, b"{"), "failure": Answer(502)}[fate]


lost = pytest.mark.parametrize("fate", ["lost answer", "garbled answer", "failure"])


@both
@lost
def test_a_batch_whose_answer_is_lost_is_settled_by_reading(
    emulator: Emulator, zone: Zone, served: str, fate: str
) -> None:
    fill(emulator, fleet(30, start=1000))
    with Stub(Unreliable(emulator, fate, "ok", fate)) as stub, using(served, stub.url, zone) as generation:
        plan = plan_for(generation, fleet(130), purge=True)
        account = apply(plan, generation, in_batches)
    check(account, plan, zone)
    assert (account.applied, account.error) == (list(plan.changes), None)
    assert zone.values() == fleet(130)


@both
@lost
@pytest.mark.parametrize(
    ("write", "change"),
    [
        pytest.param(singly, ({}, fleet(1)), id="create"),
        pytest.param(creating, ({}, fleet(1)), id="create-only"),
        pytest.param(in_batches, ({}, fleet(1)), id="create-batch"),
        pytest.param(singly, (fleet(1, "us-west-2"), fleet(1)), id="update"),
        pytest.param(in_batches, (fleet(1, "us-west-2"), fleet(1)), id="update-batch"),
        pytest.param(singly, (fleet(1), {}), id="delete"),
        pytest.param(in_batches, (fleet(1), {}), id="delete-batch"),
    ],
)
def test_one_change_whose_answer_is_lost_is_settled_by_reading(
    emulator: Emulator, served: str, fate: str, write: Write, change: tuple[Values, Values]
) -> None:
    before, after = change
    zone = emulator.add_zone("example.com", mappings=before)
    with Stub(Unreliable(emulator, fate)) as stub, using(served, stub.url, zone) as generation:
        plan = plan_for(generation, after, purge=True)
        account = apply(plan, generation, write)
    check(account, plan, zone)
    assert (account.applied, account.error) == (list(plan.changes), None)
    assert zone.values() == after


@both
def test_a_batch_whose_request_is_lost_has_failed(emulator: Emulator, zone: Zone, served: str) -> None:
    with Stub(Unreliable(emulator, "ok", "lost request")) as stub, using(served, stub.url, zone) as generation:
        plan = plan_for(generation, fleet(250))
        account = apply(plan, generation, in_batches)
    check(account, plan, zone)
    assert (len(account.applied), len(account.failed), len(account.pending)) == (100, 100, 50)
    assert account.error is not None
    assert account.error.status is None


@both
def test_nothing_is_claimed_where_the_zone_cannot_be_read_any_more(emulator: Emulator, zone: Zone, served: str) -> None:
    unreliable = Unreliable(emulator, "lost answer", blind=True)
    with Stub(unreliable) as stub, using(served, stub.url, zone) as generation:
        plan = plan_for(generation, fleet(150))
        account = apply(plan, generation, in_batches)
    assert (len(account.applied), len(account.failed), len(account.pending)) == (0, 100, 50)
    assert account.error is not None


@both
def test_a_refusal_that_may_be_a_success_ends_the_writing_where_nobody_can_tell(
    emulator: Emulator, zone: Zone, served: str
) -> None:
    fill(emulator, fleet(150))
    with Stub(Unreliable(emulator, blind=True)) as stub, using(served, stub.url, zone) as generation:
        plan = plan_for(generation, {}, purge=True)
        del zone.mappings["10.0.0.0"]
        account = apply(plan, generation, in_batches)
    assert (len(account.applied), len(account.failed), len(account.pending)) == (99, 1, 50)
    assert account.error is not None
    assert account.error.status == 500


fates = st.lists(
    st.sampled_from(["ok", "ok", "refused", "lost request", "lost answer", "garbled answer", "failure"]), max_size=6
)


class Case(NamedTuple):
    served: str
    fates: list[str]
    old: int
    new: int
    start: int
    bad: dict[str, tuple[str, str]]


counts = st.integers(0, 220)
cases = st.builds(
    Case,
    st.sampled_from(["v1", "v2"]),
    fates,
    old=counts,
    new=counts,
    start=counts,
    bad=st.sampled_from([{}, {"192.0.2.1": ("aws", "moon-1")}]),
)


@settings(max_examples=20)
@given(cases)
def test_an_account_has_every_change_once_whatever_happens(case: Case) -> None:
    with Emulator() as emulator, Stub(Unreliable(emulator, *case.fates)) as stub:
        zone = emulator.add_zone("example.com", mappings=fleet(case.old, "us-west-2"))
        with using(case.served, stub.url, zone) as generation:
            wanted = fleet(case.new, start=case.start) | case.bad
            plan = plan_for(generation, wanted, purge=True)
            account = apply(plan, generation, in_batches)
            check(account, plan, zone)
            # Whatever failed, the next run does the rest, and no more.
            rest = plan_for(generation, wanted, purge=True)
    assert sorted(addresses(rest.changes)) == sorted(
        addresses([*(change for change, _reason in account.failed), *account.pending])
    )
