# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random sequences of tasks, faults and changes by others.

They are compared with a model of the zone, a dictionary. Sizes are small, so that a few mappings have pages, batches
and a limit. `make model` runs many more sequences.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ansible_collections.originops.cloudflare.plugins.module_utils import _apply, _endpoints, _guards, _http, _plan
from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._info import read_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._single import ensure_mapping
from emulator.faults import Cut, Effect, Fault, Meanwhile, Reset, Respond
from emulator.server import Emulator
from support.operations import Operation, Result, perform, result_of
from support.values import TOKEN, Values, as_values, items, refusal

Value = tuple[str, str]

SEQUENCES = int(os.environ.get("ORIGINOPS_MODEL_SEQUENCES", "20"))
STEPS = 30

PAGE = 3
LIMIT = 8
GUARDED = 4
APPLIED = ("created", "updated", "deleted")
NOT_APPLIED = ("failed_items", "pending")

VALUES = [("aws", "us-east-1"), ("aws", "us-west-2"), ("gcp", "us-east1")]
UNSUPPORTED = ("aws", "moon-1")
UNKNOWN_VENDOR = ("ibm", "us-east-1")

ADDRESSES = [*(f"192.0.2.{number}" for number in range(1, 11)), "2001:db8::1", "::ffff:192.0.2.1"]
SPELLINGS = {
    **{address: address for address in ADDRESSES},
    " 192.0.2.1\n": "192.0.2.1",
    "2001:DB8:0::1": "2001:db8::1",
    "::ffff:c000:201": "::ffff:192.0.2.1",
}
UNUSABLE = {**{f"{address}/32": address for address in ADDRESSES[:6]}, "origin.example.com": None}
"""Invalid addresses, and the address that each contains, or None."""


@dataclass(frozen=True)
class Forecast:
    """Expected effect of a task on a zone without other writers."""

    before: Values
    after: Values
    unchanged: int = 0
    bad: Collection[str] = ()
    """Addresses of skipped items, or the texts given as addresses."""
    withheld: Collection[str] = ()
    """Addresses of mappings kept because the address of an item is invalid."""

    def kind(self, address: str) -> str | None:
        """Return the kind of change of an address, or None.

        The kind is the name of the list in the result. None means that the address does not change.
        """
        if self.before.get(address) == self.after.get(address):
            return None
        if address not in self.after:
            return "deleted"
        return "updated" if address in self.before else "created"

    def changes(self, kind: str) -> Values:
        """Return the mappings in one of the lists of the result."""
        values = self.before if kind == "deleted" else self.after
        return {address: value for address, value in values.items() if self.kind(address) == kind}

    @property
    def planned(self) -> set[str]:
        return {address for kind in APPLIED for address in self.changes(kind)}

    @property
    def peak(self) -> int:
        """Return the largest size of the zone during the task.

        Deletions come last if there is room.
        """
        together = len(self.before | self.after)
        return together if together <= LIMIT else len(self.after)


@dataclass(frozen=True)
class Single:
    """Task for one mapping."""

    origin_ip: str
    value: Value
    state: str
    overwrite: bool

    def __call__(self, url: str, check_mode: bool, **common: Any) -> Result:
        vendor, region = self.value
        arguments = {"origin_ip": self.origin_ip, "vendor": vendor, "region": region, "overwrite": self.overwrite}
        return run(ensure_mapping, url, check_mode, **arguments, state=self.state, **common)

    def forecast(self, before: Values) -> Forecast | None:
        """Return the forecast, or None if the task must fail without a change."""
        address = SPELLINGS.get(self.origin_ip)
        if address is None:
            return None
        if self.state == "absent":
            return Forecast(before, less(before, [address]))
        after = before | {address: self.value}
        if after == before:
            return Forecast(before, after)
        taken = address in before and not self.overwrite
        if self.value == UNSUPPORTED or taken or (address not in before and passes_limit(before, after)):
            return None
        return Forecast(before, after)

    def check_success(self, result: Result, forecast: Forecast) -> None:
        mapping = {SPELLINGS[self.origin_ip]: self.value} if self.state == "present" else {}
        assert as_values([result["mapping"]] if result["mapping"] else []) == mapping
        assert result["changed"] is (forecast.before != forecast.after)

    def check_result(
        self, result: Result, before: Values, zone: Values, others: Collection[str], _forecast: Forecast | None
    ) -> None:
        """Compare the result with the zone's mapping of the address."""
        address = SPELLINGS.get(self.origin_ip)
        assert less(zone, [address, *others]) == less(before, [address, *others])
        if "msg" in result or address in others:
            return
        assert zone.get(address) == (self.value if self.state == "present" else None)
        assert result["changed"] is (before.get(address) != zone.get(address))


@dataclass(frozen=True)
class Batch:
    """Task for many mappings, by the spellings of their addresses."""

    mappings: dict[str, Value]
    way: tuple[str, bool]
    """Options state and purge."""
    allow_empty: bool
    on_invalid: str
    max_delete: float = 100
    max_update: float = 100
    keep: tuple[str, ...] = ()

    def __call__(self, url: str, check_mode: bool, **common: Any) -> Result:
        state, purge = self.way
        arguments = {
            "mappings": items(self.mappings),
            "state": state,
            "purge": purge,
            "allow_empty": self.allow_empty,
            "on_invalid": self.on_invalid,
            "max_delete_percentage": self.max_delete,
            "max_update_percentage": self.max_update,
            "keep": [*self.keep],
        }
        return run(ensure_mappings, url, check_mode, **arguments, **common)

    def forecast(self, before: Values) -> Forecast | None:
        """Return the forecast, or None if the task must fail without a change."""
        state, purge = self.way
        present = state == "present"
        listed: dict[str, set[Value]] = {}
        for spelling, value in self.mappings.items():
            listed.setdefault(SPELLINGS.get(spelling, spelling), set()).add(value)
        if present and (any(len(values) > 1 for values in listed.values())):
            return None
        usable = {address: value for address, (value, *_more) in listed.items() if address in ADDRESSES}
        if present:
            usable = {address: value for address, value in usable.items() if value != UNKNOWN_VENDOR}
        good = {address: value for address, value in usable.items() if not present or value != UNSUPPORTED}
        bad = listed.keys() - good.keys()
        if bad and self.on_invalid == "fail":
            return None
        if not present:
            forecast = Forecast(before, less(before, good), len(good.keys() - before.keys()), bad)
            # For one address the zone's total is not read.
            return None if len(good) > 1 and self.exceeds(forecast) else forecast
        keep = {*listed, *self.keep}
        stale = less(before, keep) if purge else {}
        withheld = stale if not listed.keys().isdisjoint(UNUSABLE) else {}
        kept = less(before, less(stale, withheld))
        if purge and not self.allow_empty and not good:
            return None
        after = kept | good
        unchanged = sum(before.get(address) == value for address, value in good.items())
        forecast = Forecast(before, after, unchanged, bad, withheld)
        if good.keys() - before.keys() and passes_limit(before, after):
            return None
        # The zone's total is read for a purge, and for several addresses, even with unsupported regions.
        return None if (purge or len(usable) > 1) and self.exceeds(forecast) else forecast

    def exceeds(self, forecast: Forecast) -> bool:
        """Check whether a guard must refuse the changes."""
        before, deleted = forecast.before, forecast.changes("deleted")
        if len(before) >= GUARDED and (
            len(deleted) * 100 > self.max_delete * len(before)
            or len(forecast.changes("updated")) * 100 > self.max_update * len(before)
        ):
            return True
        vendors = [vendor for vendor, _region in deleted.values()]
        left = {vendor for vendor, _region in forecast.after.values()}
        purges = self.way[1] and self.max_delete < 100
        return purges and any(vendors.count(vendor) > 1 and vendor not in left for vendor in vendors)

    def check_success(self, result: Result, forecast: Forecast) -> None:
        for kind in APPLIED:
            assert as_values(result[kind]) == forecast.changes(kind)
        assert {SPELLINGS.get(item["origin_ip"], item["origin_ip"]) for item in result["failed_items"]} == {
            *forecast.bad
        }
        assert {item["origin_ip"] for item in result["pending"]} == {*forecast.withheld}
        assert result["summary"]["unchanged"] == forecast.unchanged
        assert result["changed"] is (forecast.before != forecast.after)
        assert len(result["warnings"]) == bool(forecast.bad) + bool(forecast.withheld)

    def check_result(
        self, result: Result, before: Values, zone: Values, others: Collection[str], forecast: Forecast | None
    ) -> None:
        """Check that the lists have all planned changes and agree with the zone."""
        # Items outside of the plan are reported as the user wrote them.
        planned = [
            item for item in result["failed_items"] if item["origin_ip"] in ADDRESSES and as_value(item) in VALUES
        ]
        lists = {name: as_values(result[name]) for name in (*APPLIED, "pending")} | {"failed": as_values(planned)}
        reported = [address for values in lists.values() for address in values]
        assert len(reported) == len({*reported})
        if forecast:
            assert {*reported} - {*forecast.bad} in (forecast.planned | {*forecast.withheld}, set())
            assert reported or zone == before
        summary = result["summary"]
        assert {name: summary[name] for name in (*APPLIED, "pending")} == {
            name: len(lists[name]) for name in (*APPLIED, "pending")
        }
        assert summary["failed"] == len(result["failed_items"])
        assert all(item["error"] for item in result["failed_items"])
        # A change that may have been applied counts as a change.
        assert result["changed"] is (any(lists[kind] for kind in APPLIED) or "may have been applied" in str(result))
        assert less(lists["created"] | lists["updated"], others).items() <= zone.items()
        assert less(lists["created"], others).keys().isdisjoint(before)
        assert less(lists["updated"] | lists["deleted"], others).keys() <= before.keys()
        assert less(lists["deleted"], others).keys().isdisjoint(zone)
        settled = [address for name in ("failed", *APPLIED) for address in lists[name]]
        assert less(zone, [*settled, *others]) == less(before, [*settled, *others])


Task = Single | Batch


def run(operation: Operation, url: str, check_mode: bool, **options: Any) -> Result:
    result = result_of(perform, operation, url, check_mode, **options)
    assert TOKEN not in str(result)
    return result


def refused(result: Result) -> bool:
    """Check whether a task failed, or skipped its item in a full zone.

    A batch of one item reads the zone's total only in check mode. Otherwise the service refuses the item, and a refused
    item may be skipped.
    """
    return "msg" in result or (result["summary"]["failed"] > 0 and "limit of" in str(result["warnings"]))


def passes_limit(before: Values, after: Values) -> bool:
    """Check whether a zone would pass the documented limit.

    A zone that is larger already has another limit, which only the service knows.
    """
    return len(before) <= LIMIT < len(after)


def less(values: dict[str, Any], addresses: Collection[str | None]) -> dict[str, Any]:
    return {address: value for address, value in values.items() if address not in addresses}


def as_value(item: dict[str, Any]) -> Value:
    return item["vendor"], item["region"]


BEFORE_THE_API = [
    refusal(429, 10100),
    refusal(429, 10100, Retry_After="2"),
    refusal(429, 971, Retry_After="86400"),
    refusal(401, 10000),
    refusal(403, 9109),
    refusal(500, 1140),
    Respond(503),
    Respond(200, "<html>Sign in</html>"),
    Reset(),
]
"""Effects that prevent a request from being applied."""

BEHIND_THE_API = [Respond(502, applied=True), Respond(200, applied=True), Reset(applied=True), Cut()]
"""Effects that lose the response to an applied request."""


def rules_of(effects: list[Effect]) -> st.SearchStrategy[Fault]:
    """Return rules that disturb some of the few requests of a task."""
    return st.builds(
        Fault,
        effect=st.sampled_from(effects),
        path=st.sampled_from(["", "/batch"]),
        nth=st.integers(1, 5),
        times=st.sampled_from([1, 2, 3, 4, None, None]),
    )


addresses = st.sampled_from(ADDRESSES)
spellings = st.sampled_from([*SPELLINGS])
good_values = st.sampled_from(VALUES)
zones = st.dictionaries(addresses, good_values, max_size=LIMIT)
singles = st.builds(
    Single,
    origin_ip=st.sampled_from([*SPELLINGS, *UNUSABLE]),
    value=good_values | st.just(UNSUPPORTED),
    state=st.sampled_from(["present", "absent"]),
    overwrite=st.booleans(),
)
fine_lists = st.dictionaries(addresses, good_values, min_size=1, max_size=LIMIT + 2)
odd_lists = st.dictionaries(
    st.sampled_from([*SPELLINGS, *UNUSABLE]), st.sampled_from([*VALUES, UNSUPPORTED, UNKNOWN_VENDOR]), max_size=5
)


def batches_of(lists: st.SearchStrategy[dict[str, Value]]) -> st.SearchStrategy[Batch]:
    return st.builds(
        Batch,
        mappings=lists,
        way=st.sampled_from([("present", False), ("present", True), ("present", True), ("absent", False)]),
        allow_empty=st.booleans(),
        on_invalid=st.sampled_from(["fail", "skip"]),
        max_delete=st.sampled_from([100, 100, 50, 30, 0]),
        max_update=st.sampled_from([100, 100, 50, 0]),
        keep=st.sampled_from([(), (), ("192.0.2.1", "192.0.2.3"), ("2001:db8::1",)]),
    )


tasks = batches_of(fine_lists) | batches_of(odd_lists) | singles


class Sequence(RuleBasedStateMachine):
    """Sequence of tasks and changes by others on one zone."""

    def __init__(self, emulator: Emulator, served: str) -> None:
        super().__init__()
        self.emulator = emulator
        self.zone = emulator.add_zone("example.com", mappings={})
        self.model: Values = {}
        self.common = {"api_version": served, "zone_id": self.zone.id, "retries": 2}

    @initialize(
        values=zones, limit=st.sampled_from([LIMIT, LIMIT, LIMIT - 3]), refuses=st.sampled_from(["batch", "items"])
    )
    def begin(self, values: Values, limit: int, refuses: str) -> None:
        """Start with some mappings and a limit.

        A limit below the documented one simulates others who fill the zone too.
        """
        self.emulator.limit = limit
        self.emulator.limit_refuses = refuses
        self.replace(values)

    @rule(values=zones)
    def replace(self, values: Values) -> None:
        self.zone.replace(values)
        self.model = dict(values)

    @rule(address=addresses, value=good_values | st.none())
    def change(self, address: str, value: Value | None) -> None:
        self.replace(less(self.model, [address]) | ({address: value} if value else {}))

    @rule(task=tasks)
    def run(self, task: Task) -> None:
        """Run a task without faults, after check mode."""
        before, forecast = self.model, task.forecast(self.model)
        self.emulator.requests.clear()
        predicted = task(self.emulator.api_url, True, **self.common)
        assert self.emulator.writes == []
        assert self.zone.values() == before
        result = task(self.emulator.api_url, False, **self.common)
        self.model = self.zone.values()
        if forecast is None:
            assert "msg" in predicted
            assert refused(result)
            assert self.model == before
            assert result["changed"] is predicted["changed"] is False
            return
        assert "msg" not in predicted
        task.check_success(predicted, forecast)
        if forecast.peak > self.emulator.limit and forecast.changes("created"):
            task.check_result(result, before, self.model, [], forecast)
            assert "limit" in str(result)
            assert result["changed"] is (self.model != before)
            return
        assert "msg" not in result
        task.check_success(result, forecast)
        assert self.model == forecast.after
        assert result["diff"] == predicted["diff"]

    @rule(task=tasks, faults=st.lists(rules_of(BEFORE_THE_API), min_size=1, max_size=2))
    def run_with_faults(self, task: Task, faults: list[Fault]) -> None:
        self.disturbed(task, faults)
        self.run(task)

    @rule(
        task=tasks,
        faults=st.lists(rules_of(BEHIND_THE_API), min_size=1, max_size=1)
        | st.lists(rules_of([*BEFORE_THE_API, *BEHIND_THE_API]), min_size=1, max_size=3),
    )
    def run_with_lost_responses(self, task: Task, faults: list[Fault]) -> None:
        self.disturbed(task, faults)
        self.run(task)

    @rule(
        task=tasks,
        lost=st.sampled_from(BEHIND_THE_API),
        then=st.lists(st.sampled_from([*BEFORE_THE_API, *BEHIND_THE_API]), max_size=2),
        read=st.none() | st.sampled_from([*BEFORE_THE_API, *BEHIND_THE_API]),
    )
    def run_with_a_lost_response_and_its_retries(
        self, task: Task, lost: Effect, then: list[Effect], read: Effect | None
    ) -> None:
        """Disturb up to three attempts of the first write, and later reads."""
        writes = "^(?!.*supported_regions)"
        effects = [lost, *then]
        faults = [
            Fault(effect=effect, method=method, path=writes, nth=number)
            for number, effect in enumerate(effects, 1)
            for method in ("PUT", "PATCH", "POST", "DELETE")
        ]
        if read:
            # The first read makes the plan.
            faults.append(Fault(effect=read, method="GET", path=writes, nth=2, times=None))
        self.disturbed(task, faults)
        self.run(task)

    @rule(task=tasks, address=addresses, value=good_values | st.none(), when=rules_of([Cut()]))
    def run_while_others_write(self, task: Task, address: str, value: Value | None, when: Fault) -> None:
        def act() -> None:
            self.zone.replace(less(self.zone.values(), [address]) | ({address: value} if value else {}))

        when.effect = Meanwhile(act)
        self.disturbed(task, [when], others=[address])
        self.run(task)

    def disturbed(self, task: Task, faults: list[Fault], others: Collection[str] = ()) -> None:
        before, forecast = self.model, task.forecast(self.model)
        self.emulator.requests.clear()
        self.emulator.faults = faults
        result = task(self.emulator.api_url, False, **self.common)
        self.emulator.faults = []
        self.model = self.zone.values()
        task.check_result(result, before, self.model, others, None if others else forecast)
        if others:
            return
        if "may have been applied" not in str(result):
            assert result["changed"] is (self.model != before)
        if forecast is None:
            assert refused(result)
            assert self.model == before
            return
        hit = [request.method for request in self.emulator.requests if request.fault]
        lost = all(fault.effect in BEHIND_THE_API for fault in faults)
        if lost and len(hit) == 1 and hit != ["GET"] and forecast.peak <= self.emulator.limit:
            # The zone shows the outcome of a write with a lost response.
            assert "msg" not in result
            task.check_success(result, forecast)
        # No other changes are made.
        for address in ADDRESSES:
            assert self.model.get(address) in (before.get(address), forecast.after.get(address))
        if "msg" not in result and "Cloudflare refused" not in str(result["warnings"]):
            assert self.model == forecast.after

    @rule(
        origins=st.lists(spellings, max_size=5),
        vendors=st.lists(st.sampled_from(["aws", "gcp", "oci"]), max_size=2),
        regions=st.lists(st.sampled_from(["us-east-1", "us-east1"]), max_size=2),
        faults=st.lists(rules_of([*BEFORE_THE_API, *BEHIND_THE_API]), max_size=1),
    )
    def look(self, origins: list[str], vendors: list[str], regions: list[str], faults: list[Fault]) -> None:
        arguments = {"origin_ip": origins, "vendor": vendors, "region": regions}
        self.emulator.faults = faults
        result = run(read_mappings, self.emulator.api_url, False, **arguments, **self.common)
        self.emulator.faults = []
        if "msg" in result:
            assert faults
            return
        expected = {
            address: (vendor, region)
            for address, (vendor, region) in self.model.items()
            if (not origins or address in [SPELLINGS[text] for text in origins])
            and (not vendors or vendor in vendors)
            and (not regions or region in regions)
        }
        assert as_values(result["mappings"]) == expected
        assert result["total_count"] in ((len(self.model), None) if origins else (len(self.model),))

    @invariant()
    def check_zone(self) -> None:
        assert self.zone.values() == self.model


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (_apply, _endpoints):
        monkeypatch.setattr(module, "PAGE_SIZE", PAGE)
    monkeypatch.setattr(_plan, "ZONE_LIMIT", LIMIT)
    monkeypatch.setattr(_guards, "GUARDED_SIZE", GUARDED)
    # Retries do not wait.
    monkeypatch.setattr(_http, "_pause", lambda _seconds, _stop: None)


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("served", ["v1", "v2"])
def test_results_are_correct_under_faults(served: str) -> None:
    with Emulator(quota=10**9) as emulator:
        run_state_machine_as_test(
            lambda: Sequence(emulator, served),
            settings=settings(max_examples=SEQUENCES, stateful_step_count=STEPS, deadline=None),
        )
