# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults at every kind of request: a run converges, or reports changes.

A run that does not converge reports every change. `make model` runs each fault at each request, and `make unit` a
selection of these pairs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from itertools import cycle, islice, repeat
from threading import Timer
from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._http import MAX_TOTAL_WAIT
from ansible_collections.originops.cloudflare.plugins.module_utils._info import read_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._single import ensure_mapping
from emulator.faults import Change, Cut, Effect, Endless, Fault, Meanwhile, Merge, Reset, Respond, Stall
from emulator.server import Emulator
from emulator.state import Zone
from support.operations import Operation, Result, audit_zone, both, perform, result_of
from support.values import TOKEN, Values, as_values, fleet, items, refusal

RETRIES = 2
LONGEST_BACKOFF = 0.5 * 2 ** (RETRIES - 1)
APPLIED = ("created", "updated", "deleted")
NOT_APPLIED = ("failed_items", "pending")


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    """Return the shared emulator without faults, records or spent quota."""
    running.faults = []
    running.quota += len(running.requests)
    running.requests.clear()
    return running


@dataclass(frozen=True)
class Run:
    """Operation on a zone, with the mappings before and after it."""

    operation: Operation
    before: Values
    after: Values
    arguments: dict[str, Any] = field(default_factory=dict)
    by_name: bool = False

    def __call__(self, emulator: Emulator, zone: Zone, **more: Any) -> Result:
        where = {"zone_id": None, "zone": zone.name} if self.by_name else {"zone_id": zone.id}
        common = {"api_version": "v2", "retries": RETRIES, **where}
        return perform(self.operation, emulator.api_url, **{**common, **self.arguments, **more})

    @property
    def planned(self) -> set[str]:
        """Return the addresses that change."""
        addresses = self.before.keys() | self.after.keys()
        return {address for address in addresses if self.before.get(address) != self.after.get(address)}

    def shows(self, result: Result) -> bool:
        """Check whether a result has the final mappings of the zone."""
        if self.operation is read_mappings:
            return as_values(result["mappings"]) == (self.after if "origin_ip" not in self.arguments else SEVENTH)
        if self.operation is audit_zone:
            return as_values(result["report"]["mappings"]) == self.after
        if self.operation is ensure_mapping:
            return as_values([result["mapping"]] if result["mapping"] else []) == self.after
        return sum(len(result[name]) for name in APPLIED) == len(self.planned)


def info(**arguments: Any) -> Run:
    return Run(read_mappings, fleet(250), fleet(250), arguments)


def purge(before: Values, after: Values, **arguments: Any) -> Run:
    arguments = {
        "mappings": items(after),
        "purge": True,
        "allow_empty": True,
        "max_delete_percentage": 100,
        **arguments,
    }
    return Run(ensure_mappings, before, after, arguments)


def single(before: Values, after: Values, **arguments: Any) -> Run:
    values = items(after)[0] if after else {"origin_ip": "10.0.0.0"}
    arguments = {"state": "present" if after else "absent", **values, **arguments}
    return Run(ensure_mapping, before, after, arguments)


SEVENTH = {"10.0.0.7": ("aws", "us-east-1")}

INFO = info()
AUDIT = Run(audit_zone, fleet(250), fleet(250), {"expected": items(fleet(250))})
# 100 creations and 105 updates in three batches, then 105 deletions in two; it takes nine requests.
PURGE = purge(fleet(105, "us-west-2") | fleet(105, start=1000), fleet(205))
CREATE = single({}, fleet(1))
UPDATE = single(fleet(1, "us-west-2"), fleet(1))
DELETE = single(fleet(1), {})


def v1(run: Run, **arguments: Any) -> Run:
    return replace(run, arguments={**run.arguments, **arguments, "api_version": "v1"})


@dataclass(frozen=True)
class Point:
    """Request of a run that is disturbed."""

    run: Run
    method: str
    path: str
    nth: int
    action: str
    """Name of the request in messages."""

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @property
    def is_optional(self) -> bool:
        """Check whether the run succeeds without the response.

        An audit needs only the mappings.
        """
        return self.run is AUDIT and "page" not in self.path

    @property
    def precedes_plan(self) -> bool:
        return not self.is_write and "supported_regions" not in self.path


POINTS = {
    "info-page-1": Point(INFO, "GET", "page=1&", 1, "Reading the mappings"),
    "info-page-3": Point(INFO, "GET", "page=3&", 1, "Reading the mappings"),
    "info-one": Point(info(origin_ip=["10.0.0.7"]), "GET", "/10.0.0.7$", 1, "Reading the mapping of 10.0.0.7"),
    "info-regions": Point(info(supported_regions=True), "GET", "/supp", 1, "Reading the supported regions"),
    "audit-page-2": Point(AUDIT, "GET", "page=2&", 1, "Reading the mappings"),
    "audit-regions": Point(AUDIT, "GET", "/supp", 1, "Reading the supported regions"),
    "audit-setting": Point(AUDIT, "GET", "/argo", 1, "Reading the setting Tiered Cache"),
    "audit-smart": Point(AUDIT, "GET", "/tiered_cache_smart", 1, "Reading the setting Smart Tiered Cache"),
    "batch-page-1": Point(PURGE, "GET", "page=1&", 1, "Reading the mappings"),
    "batch-page-2": Point(PURGE, "GET", "page=2&", 1, "Reading the mappings"),
    "batch-regions": Point(PURGE, "GET", "/supported_regions", 1, "Reading the supported regions"),
    "batch-put-first": Point(PURGE, "PUT", "/batch", 1, "Writing a batch of 100"),
    "batch-put-middle": Point(PURGE, "PUT", "/batch", 2, "Writing a batch of 100"),
    "batch-put-last": Point(PURGE, "PUT", "/batch", 3, "Writing a batch of 5"),
    "batch-delete-first": Point(PURGE, "DELETE", "/batch", 1, "Deleting a batch of 100"),
    "batch-delete-last": Point(PURGE, "DELETE", "/batch", 2, "Deleting a batch of 5"),
    "single-get": Point(UPDATE, "GET", "/10.0.0.0$", 1, "Reading the mapping of 10.0.0.0"),
    "single-put-update": Point(UPDATE, "PUT", "/10.0.0.0$", 1, "Writing the mapping 10.0.0.0: aws/us-east-1"),
    "single-put-create": Point(CREATE, "PUT", "/10.0.0.0$", 1, "Writing the mapping 10.0.0.0: aws/us-east-1"),
    "single-delete": Point(DELETE, "DELETE", "/10.0.0.0$", 1, "Deleting the mapping of 10.0.0.0"),
    "zone-by-name": Point(replace(PURGE, by_name=True), "GET", r"/zones\?name=", 1, "Looking up the zone example.com"),
    "v1-list": Point(v1(PURGE), "GET", "/origin_cloud_regions$", 1, "Reading the mappings"),
    "v1-patch-batch": Point(v1(PURGE), "PATCH", "/batch", 2, "Writing a batch of 100"),
    "v1-delete-batch": Point(v1(PURGE), "DELETE", "/batch", 1, "Deleting a batch of 100"),
    "v1-patch": Point(v1(UPDATE), "PATCH", "/origin_cloud_regions$", 1, "Writing the mapping 10.0.0.0"),
    "v1-post": Point(v1(CREATE, overwrite=False), "POST", "/origin_cloud_regions$", 1, "Creating the mapping 10.0.0.0"),
    "v1-delete": Point(v1(DELETE), "DELETE", "/10.0.0.0$", 1, "Deleting the mapping of 10.0.0.0"),
}


@dataclass(frozen=True)
class Trouble:
    """Disturbance of a request, and its details in an error."""

    effect: Effect
    status: int | None = None
    codes: tuple[int, ...] = ()
    retried: bool = False
    applied: bool = False
    """True if a disturbed write is applied nevertheless."""
    retry_after: float | None = None
    timeout: float = 10
    harmless: bool = False

    def makes_fail(self, point: Point, lasting: bool) -> bool:
        if self.harmless or (self.applied and point.is_write) or point.is_optional:
            return False
        return lasting or not self.is_retried(point)

    def is_retried(self, point: Point) -> bool:
        """Check whether the request is retried.

        A POST is retried only after 429: otherwise it may have been applied.
        """
        return self.retried and (point.method != "POST" or self.status == 429)


def limited(seconds: float | None = None, **headers: str) -> Trouble:
    return Trouble(refusal(429, 10100, **headers), 429, (10100,), retried=True, retry_after=seconds)


def envelope(result: object) -> Respond:
    return Respond(200, {"success": True, "errors": [], "messages": [], "result": result})


def widened(value: Any) -> Any:
    """Add a member to each object of a JSON value, except that of vendors."""
    if isinstance(value, list):
        return [widened(item) for item in value]
    if not isinstance(value, dict):
        return value
    more = {} if "aws" in value else {"surprise": [None]}
    return {**{name: widened(member) for name, member in value.items()}, **more}


TROUBLES = {
    "429": limited(),
    "429-seconds": limited(7, Retry_After="7"),
    "429-date": limited(30, Retry_After=formatdate(time.time() + 30, usegmt=True)),
    "429-absurd": Trouble(refusal(429, 971, Retry_After="86400"), 429, (971,)),
    "429-html": Trouble(Respond(429, "<html>Slow down</html>"), 429, retried=True),
    "500": Trouble(refusal(500, 1140), 500, (1140,), retried=True),
    **{f"{status}": Trouble(Respond(status), status, retried=True) for status in (502, 503, 504, *range(520, 525))},
    "502-applied": Trouble(Respond(502, "<html>Bad gateway</html>", applied=True), 502, retried=True, applied=True),
    "401": Trouble(refusal(401, 10000), 401, (10000,)),
    "403": Trouble(refusal(403, 9109), 403, (9109,)),
    "302": Trouble(Respond(302, "", {"Location": "https://login.example"}), 302),
    "html": Trouble(Respond(200, "<html><body>Sign in</body></html>"), 200),
    "empty": Trouble(Respond(200), 200),
    "empty-applied": Trouble(Respond(200, applied=True), 200, applied=True),
    "broken-json": Trouble(Respond(200, '{"success": true, "result": '), 200),
    "no-result": Trouble(Respond(200, {"success": True}), 200),
    "null-result": Trouble(envelope(None), 200),
    "text-result": Trouble(envelope("fine"), 200),
    "empty-result": Trouble(envelope({}), 200),
    "odd-result": Trouble(envelope({"origin_ip": 7, "value": [[]], "vendors": 7, "succeeded": 7, "failed": 7}), 200),
    "unsuccessful": Trouble(refusal(200, 1140), 200, (1140,)),
    "reset": Trouble(Reset(), retried=True),
    "lost-response": Trouble(Reset(applied=True), retried=True, applied=True),
    "cut-short": Trouble(Cut(), retried=True, applied=True),
    "stall": Trouble(Stall(1.5), retried=True, timeout=0.6),
    "stall-applied": Trouble(Stall(1.5, applied=True), retried=True, applied=True, timeout=0.6),
    "endless": Trouble(Endless()),
    "unknown-keys": Trouble(Change(widened), applied=True, harmless=True),
}

LASTING = ("429", "429-seconds", "500", "502-applied", "empty-applied", "reset", "lost-response", "cut-short")
"""Troubles also tried without end. It matters only for those retried."""

DISTURBANCES = [*((what, False) for what in TROUBLES), *((what, True) for what in LASTING)]
"""Names of troubles, and True if they last."""


def disturbances() -> Iterator[list[tuple[str, bool]]]:
    """Yield the disturbances of each point: eight, or all if requested.

    With eight, each disturbance is tried at five points. ORIGINOPS_ALL_FAULTS in the environment requests all.
    """
    if "ORIGINOPS_ALL_FAULTS" in os.environ:
        yield from repeat(DISTURBANCES)
    # Neighbours in the list are similar: taking every fifth mixes them.
    mixed = cycle([disturbance for start in range(5) for disturbance in DISTURBANCES[start::5]])
    while True:
        yield [*islice(mixed, 8)]


CASES = [
    pytest.param(point, TROUBLES[what], lasting, id=f"{where}-{what}-{'lasting' if lasting else 'once'}")
    for (where, point), chosen in zip(POINTS.items(), disturbances(), strict=False)
    for what, lasting in chosen
]


@pytest.mark.parametrize(("point", "trouble", "lasting"), CASES)
def test_a_fault(emulator: Emulator, waits: list[float], point: Point, trouble: Trouble, lasting: bool) -> None:
    zone = emulator.add_zone("example.com", mappings=point.run.before)
    times = None if lasting else 1
    emulator.faults = [Fault(effect=trouble.effect, method=point.method, path=point.path, nth=point.nth, times=times)]
    if trouble.makes_fail(point, lasting):
        with pytest.raises(OriginOpsError) as failed:
            point.run(emulator, zone, timeout=trouble.timeout)
        check_failure(failed.value, point, trouble, zone)
    else:
        result = point.run(emulator, zone, timeout=trouble.timeout)
        assert point.run.shows(result)
        assert result["changed"] is bool(point.run.planned)
        if point.run.operation is ensure_mappings:
            check_report(result, point.run, zone)
        assert zone.values() == point.run.after
    check_effort(emulator, waits, point, trouble, lasting)
    check_next_run(emulator, point.run, zone)


@pytest.mark.parametrize("where", ["info-page-1", "batch-put-middle", "single-delete", "v1-post"])
def test_a_stall_that_never_ends(emulator: Emulator, waits: list[float], where: str) -> None:
    test_a_fault(emulator, waits, POINTS[where], TROUBLES["stall"], lasting=True)


def check_failure(error: OriginOpsError, point: Point, trouble: Trouble, zone: Zone) -> None:
    """Check that the message is readable, and the result complete."""
    message, result = str(error), error.result
    assert message.isprintable()
    assert len(message) < 1000
    assert point.action in message
    assert (zone.name if "name=" in point.path else zone.id) in message
    if trouble.status not in (None, 200):
        assert f"HTTP {trouble.status}" in message
    assert all(f"(code {code})" in message for code in trouble.codes)
    assert result["status"] == trouble.status
    assert tuple(error["code"] for error in result["errors"]) == trouble.codes
    assert TOKEN not in f"{message} {result}"
    assert result.get("changed", False) is (zone.values() != point.run.before)
    if point.run.operation is not ensure_mappings:
        return
    if point.precedes_plan:
        assert [result[name] for name in (*APPLIED, *NOT_APPLIED)] == [[]] * 5
    else:
        check_report(result, point.run, zone)


def check_report(result: Mapping[str, Any], run: Run, zone: Zone) -> None:
    """Check that each change is in one list, and the lists match the zone."""
    lists = {name: as_values(result[name]) for name in (*APPLIED, *NOT_APPLIED)}
    counts = {name.removesuffix("_items"): len(mappings) for name, mappings in lists.items()}
    assert result["summary"] == {**counts, "unchanged": len(run.after) - len(run.after.keys() & run.planned)}
    assert sorted(address for mappings in lists.values() for address in mappings) == sorted(run.planned)
    current = zone.values()
    assert lists["created"].keys().isdisjoint(run.before)
    for name in ("created", "updated"):
        assert lists[name].items() <= current.items()
    assert lists["deleted"].keys().isdisjoint(current)
    for name in NOT_APPLIED:
        for address in lists[name]:
            assert current.get(address) == run.before.get(address)
    assert all(item["error"] for item in result["failed_items"])
    changed = sum(len(lists[name]) for name in APPLIED)
    assert result["changed"] is bool(changed)
    assert len({*result["diff"]["before"].splitlines(), *result["diff"]["after"].splitlines()}) >= changed


def check_effort(emulator: Emulator, waits: list[float], point: Point, trouble: Trouble, lasting: bool) -> None:
    """Check that there are no useless attempts or waits."""
    disturbed = [request for request in emulator.requests if request.fault]
    assert {request.method for request in disturbed} == {point.method}
    retried = trouble.is_retried(point)
    if not (trouble.applied and point.is_write):
        assert len(disturbed) == (RETRIES + 1 if retried and lasting else 1)
    assert len(waits) <= len(disturbed)
    assert bool(waits) is retried
    assert all(0 < wait <= (trouble.retry_after or LONGEST_BACKOFF) for wait in waits)


def check_next_run(emulator: Emulator, run: Run, zone: Zone) -> None:
    """Check that a run without the fault makes the remaining changes."""
    emulator.faults = []
    left = zone.values() != run.after
    assert run(emulator, zone)["changed"] is left
    assert zone.values() == run.after


def repeated(response: dict[str, Any]) -> dict[str, Any]:
    """Return a page whose second half repeats its first half."""
    half = response["result"][: len(response["result"]) // 2]
    return {**response, "result": half + half}


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Merge({"result_info": {"total_count": 251}}), id="total-too-large"),
        pytest.param(Merge({"result_info": {"total_count": 12}}), id="total-too-small"),
        pytest.param(Merge({"result_info": {"total_count": 0}}), id="total-of-none"),
        pytest.param(Merge({"result": []}), id="empty-page"),
        pytest.param(Change(repeated), id="repeated-page"),
    ],
)
@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize(
    ("run", "lasting"), [(INFO, False), (purge(fleet(250), fleet(3)), True)], ids=["info-once", "purge-lasting"]
)
def test_inconsistent_pages(emulator: Emulator, run: Run, lasting: bool, page: int, effect: Effect) -> None:
    zone = emulator.add_zone("example.com", mappings=run.before)
    emulator.faults = [Fault(effect=effect, path=f"page={page}&", times=None if lasting else 1)]
    result = result_of(run, emulator, zone)
    if lasting:
        assert f"Reading the mappings in zone {zone.id} failed" in result["msg"]
        assert "did not add up" in result["msg"]
        assert emulator.writes == []
    else:
        assert "msg" not in result
        assert run.shows(result)
    assert len(emulator.requests) <= 20
    check_next_run(emulator, run, zone)


@pytest.mark.parametrize(
    ("change", "after"),
    [
        pytest.param(lambda values: values.pop("10.0.0.0"), fleet(249, start=1), id="removed"),
        pytest.param(lambda values: values.update(fleet(1, start=1000)), fleet(250) | fleet(1, start=1000), id="added"),
        pytest.param(lambda values: values.clear(), {}, id="emptied"),
    ],
)
@pytest.mark.parametrize("page", [2, 3])
def test_mappings_changed_between_two_pages(
    emulator: Emulator, page: int, change: Callable[[Values], object], after: Values
) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(250))

    def act() -> None:
        values = zone.values()
        change(values)
        zone.replace(values)

    emulator.faults = [Fault(effect=Meanwhile(act), path=f"page={page}&")]
    result = INFO(emulator, zone)
    assert as_values(result["mappings"]) == zone.values() == after
    assert result["total_count"] == len(after)


def test_reads_of_a_changing_zone_are_bounded(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(250))

    def act() -> None:
        zone.replace(fleet(len(zone.mappings) - 1))

    emulator.faults = [Fault(effect=Meanwhile(act), path="page=2&", times=None)]
    result = result_of(PURGE, emulator, zone)
    assert "Others may be changing it: try again later" in result["msg"]
    assert (len(emulator.requests), emulator.writes, result["changed"]) == (9, [], False)
    check_next_run(emulator, PURGE, zone)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    "values",
    [
        pytest.param(PURGE.before | {"192.0.2.1": ("oci", "us-ashburn-1")}, id="another-added"),
        pytest.param(PURGE.before | fleet(30, "eu-west-1", start=1000), id="one-to-delete-changed"),
        pytest.param(fleet(105, "us-west-2") | fleet(60, start=1000), id="some-to-delete-removed"),
        pytest.param(fleet(55, "us-west-2", start=50) | fleet(105, start=1000), id="some-to-update-removed"),
        pytest.param(fleet(205), id="all-done"),
        pytest.param({}, id="emptied"),
    ],
)
def test_concurrent_changes_between_read_and_write(emulator: Emulator, values: Values, method: str) -> None:
    zone = emulator.add_zone("example.com", mappings=PURGE.before)
    emulator.faults = [Fault(effect=Meanwhile(lambda: zone.replace(values)), method=method)]
    result = PURGE(emulator, zone)
    assert PURGE.shows(result)
    if method == "PUT":
        # Known addresses have the wanted state; unknown ones are left to the next run.
        unknown = {address: value for address, value in values.items() if address not in PURGE.before}
        assert zone.values() == unknown | fleet(205)
    check_next_run(emulator, PURGE, zone)


@pytest.mark.parametrize("served", ["v1", "v2"])
@pytest.mark.parametrize("run", [CREATE, UPDATE, DELETE], ids=["create", "update", "delete"])
@pytest.mark.parametrize("values", [{}, fleet(1), fleet(1, "eu-west-1")], ids=["removed", "done", "changed"])
def test_concurrent_changes_before_a_single_write(emulator: Emulator, run: Run, served: str, values: Values) -> None:
    zone = emulator.add_zone("example.com", mappings=run.before)
    emulator.faults = [
        Fault(effect=Meanwhile(lambda: zone.replace(values)), method=method) for method in ("PUT", "PATCH", "DELETE")
    ]
    result = run(emulator, zone, api_version=served)
    assert [request.fault for request in emulator.writes] == ["meanwhile"]
    assert run.shows(result)
    assert zone.values() == run.after


GROW = purge(fleet(30), fleet(280), purge=False)
"""250 creations in three batches."""


@both
@pytest.mark.parametrize(
    ("refuses", "sizes"), [("batch", (100, 100, 50)), ("items", (120, 130, 0))], ids=["whole-batch", "items"]
)
def test_the_limit_in_the_middle(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, served: str, refuses: str, sizes: tuple[int, int, int]
) -> None:
    """Reach the limit as if others filled the zone after it was read."""
    monkeypatch.setattr(emulator, "limit", 150)
    monkeypatch.setattr(emulator, "limit_refuses", refuses)
    zone = emulator.add_zone("example.com", mappings=GROW.before)
    result = result_of(GROW, emulator, zone, api_version=served)
    check_report(result, GROW, zone)
    assert tuple(result["summary"][name] for name in ("created", "failed", "pending")) == sizes
    for part in ("limit", zone.id):
        assert part in result["msg"]
    assert len(result["msg"]) < 2000
    if refuses == "batch":
        assert (result["status"], result["errors"][0]["code"]) == (403, 1164)
    emulator.limit = 3500
    check_next_run(emulator, GROW, zone)


@both
@pytest.mark.parametrize("on_invalid", ["fail", "skip"])
def test_an_item_that_only_the_service_refuses(emulator: Emulator, served: str, on_invalid: str) -> None:
    """Refuse a region that the list of supported regions has."""
    run = purge(fleet(130, start=1000), fleet(150) | {"10.0.0.7": ("aws", "moon-1")})
    zone = emulator.add_zone("example.com", mappings=run.before)

    def add_region(response: dict[str, Any]) -> dict[str, Any]:
        response["result"]["vendors"]["aws"].append({"name": "moon-1", "upper_tier_colos": []})
        return response

    emulator.faults = [Fault(effect=Change(add_region), path="/supported_regions")]
    result = result_of(run, emulator, zone, api_version=served, on_invalid=on_invalid)
    check_report(result, run, zone)
    assert as_values(result["failed_items"]) == {"10.0.0.7": ("aws", "moon-1")}
    assert "moon-1" in result["failed_items"][0]["error"]
    assert (result["summary"]["created"], result["summary"]["pending"]) == (149, 130)
    text = result["msg"] if on_invalid == "fail" else " ".join(result["warnings"])
    for part in (zone.id, "10.0.0.7", "moon-1"):
        assert part in text
    assert ("msg" in result) is (on_invalid == "fail")


@both
@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("run", [purge(fleet(30), fleet(30) | SEVENTH | fleet(120, start=40)), purge(fleet(150), {})])
def test_items_missing_from_a_response(emulator: Emulator, run: Run, served: str, applied: bool) -> None:
    zone = emulator.add_zone("example.com", mappings=run.before)
    nothing = {"succeeded": [], "failed": []}
    response = envelope({**nothing, "value": nothing})
    emulator.faults = [Fault(effect=Respond(200, response.body, applied=applied), path="/batch")]
    result = result_of(run, emulator, zone, api_version=served)
    check_report(result, run, zone)
    assert result["summary"]["failed"] == (0 if applied else 100)
    assert ("msg" in result) is not applied
    check_next_run(emulator, run, zone)


@pytest.mark.parametrize("used", range(9))
def test_a_quota_used_up_in_the_middle(waits: list[float], used: int) -> None:
    """Use up a quota with a longer window than a task should wait for."""
    with Emulator(quota=used, window=1000) as spent:
        zone = spent.add_zone("example.com", mappings=PURGE.before)
        result = result_of(PURGE, spent, zone)
        assert "HTTP 429" in result["msg"]
        assert "1,200 requests in 5 minutes" in result["msg"]
        assert (result["status"], result["errors"][0]["code"]) == (429, 10100)
        assert result["changed"] is (zone.values() != PURGE.before)
        if used >= 3:
            check_report(result, PURGE, zone)
        # At most until the window ends.
        assert sum(waits) <= 1000
        spent.quota = 1000
        check_next_run(spent, PURGE, zone)


def test_waits_for_a_quota_are_not_repeated(waits: list[float]) -> None:
    """Wait once, although two headers of the response have the same wait."""
    with Emulator(quota=0, window=100) as emulator:
        zone = emulator.add_zone("example.com", mappings=fleet(1))
        result = result_of(INFO, emulator, zone, retries=1)
    assert result["status"] == 429
    assert len(emulator.requests) == 2
    assert 0 < sum(waits) <= 100


def test_a_quota_that_comes_back_is_waited_for() -> None:
    with Emulator(quota=5, window=1) as emulator:
        zone = emulator.add_zone("example.com", mappings=PURGE.before)
        began = time.monotonic()
        result = PURGE(emulator, zone)
        assert time.monotonic() - began < 8
    check_report(result, PURGE, zone)
    assert zone.values() == PURGE.after


@pytest.mark.parametrize(
    ("retry_after", "waited"),
    [
        pytest.param("250", [250, 250], id="seconds"),
        pytest.param("300", [300, 300], id="the-longest"),
        pytest.param("301", [], id="too-long"),
        pytest.param(formatdate(time.time() + 86400, usegmt=True), [], id="date"),
    ],
)
def test_all_waits_of_a_request_are_bounded(
    emulator: Emulator, waits: list[float], retry_after: str, waited: list[float]
) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(1))
    emulator.faults = [Fault(effect=refusal(429, 10100, Retry_After=retry_after), times=None)]
    result = result_of(INFO, emulator, zone, retries=50)
    assert (waits, result["status"]) == (waited, 429)


@pytest.mark.parametrize("effect", [Reset(), Cut(), Respond(503)], ids=["reset", "cut-short", "503"])
def test_backoff_is_bounded_too(emulator: Emulator, waits: list[float], effect: Effect) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(1))
    emulator.faults = [Fault(effect=effect, times=None)]
    result = result_of(INFO, emulator, zone, retries=5000)
    assert "Reading the mappings" in result["msg"]
    assert MAX_TOTAL_WAIT / 3 < sum(waits) <= MAX_TOTAL_WAIT
    assert max(waits) <= 30
    assert len(waits) == len(emulator.requests) - 1


def test_faults_of_several_kinds_share_the_retries(emulator: Emulator, waits: list[float]) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(1))
    effects = [Cut(), Respond(503), Reset(), Cut()]
    emulator.faults = [Fault(effect=effect, nth=number) for number, effect in enumerate(effects, 1)]
    assert "msg" in result_of(INFO, emulator, zone, retries=3)
    assert len(emulator.requests) == 4
    # Each wait may be twice the one before.
    assert all(wait <= 0.5 * 2**number for number, wait in enumerate(waits))
    emulator.faults = [Fault(effect=effect, nth=number) for number, effect in enumerate(effects, 1)]
    assert "msg" not in result_of(INFO, emulator, zone, retries=4)


def test_a_service_that_is_down(emulator: Emulator, waits: list[float]) -> None:
    with Emulator() as gone:
        pass
    zone = emulator.add_zone("example.com", mappings={})
    for run in (INFO, PURGE, CREATE, v1(CREATE, overwrite=False)):
        waits.clear()
        result = result_of(run, gone, zone)
        assert zone.id in result["msg"]
        assert f"no usable response from {gone.api_url}" in result["msg"]
        assert "refused" in result["msg"]
        assert len(waits) == RETRIES


def test_a_service_that_comes_back() -> None:
    with Emulator() as gone:
        pass
    back = Emulator(port=gone.port)
    zone = back.add_zone("example.com", mappings=PURGE.before)
    begin = Timer(0.3, back.__enter__)
    begin.start()
    try:
        result = PURGE(back, zone, retries=5)
    finally:
        begin.join()
        back.__exit__(None, None, None)
    check_report(result, PURGE, zone)
    assert zone.values() == PURGE.after
