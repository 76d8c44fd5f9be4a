# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules do, as operations on an emulator's zone: requests that they may spend, results and failures."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from itertools import chain
from math import ceil
from typing import Any, NamedTuple

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._operations import (
    ensure_mapping,
    ensure_mappings,
    read_mappings,
)
from ansible_collections.originops.cloudflare.plugins.modules import (
    origin_cloud_region,
    origin_cloud_region_batch,
    origin_cloud_region_info,
)
from emulator import faults
from emulator.faults import Fault
from emulator.server import Emulator
from emulator.state import Zone
from unit.service import TOKEN, Answer, Request, Stub, Values, failure, fleet, forward, items, options, refusal

Result = dict[str, Any]

both = pytest.mark.parametrize("served", ["v1", "v2"])


class Runner:
    """Runs operations on a zone of an emulator."""

    def __init__(self, emulator: Emulator, **common: Any) -> None:
        self._emulator = emulator
        self._common = {"url": emulator.api_url, **common}

    def single(self, *, check_mode: bool = False, **given: Any) -> Result:
        given = {"state": "present", **self._common, **given}
        return ensure_mapping(options(spec=origin_cloud_region.ARGUMENT_SPEC, **given), check_mode)

    def batch(self, mappings: list[Any] | Values, *, check_mode: bool = False, **given: Any) -> Result:
        listed = items(mappings) if isinstance(mappings, dict) else mappings
        given = {**self._common, **given, "mappings": listed}
        return ensure_mappings(options(spec=origin_cloud_region_batch.ARGUMENT_SPEC, **given), check_mode)

    def info(self, **given: Any) -> Result:
        return read_mappings(options(spec=origin_cloud_region_info.ARGUMENT_SPEC, **self._common, **given), False)

    def spent(self) -> tuple[int, int]:
        """The reads and writes since this was last asked."""
        writes = len(self._emulator.writes)
        reads = len(self._emulator.requests) - writes
        self._emulator.requests.clear()
        return reads, writes


def runner(emulator: Emulator, mappings: Values, **common: Any) -> tuple[Zone, Runner]:
    zone = emulator.add_zone("example.com", mappings=mappings)
    return zone, Runner(emulator, **{"zone_id": zone.id, **common})


def pages(count: int) -> int:
    return max(1, ceil(count / 100))


def looked_up(count: int, asked: int) -> int:
    """The most reads that finding so many addresses in a zone of this size may take."""
    return 1 if asked == 1 else min(asked + 1, pages(count))


RIGHT = {"origin_ip": "10.0.0.0", "vendor": "aws", "region": "us-east-1"}
WRONG = {**RIGHT, "region": "us-west-2"}
NEW = {**RIGHT, "origin_ip": "192.0.2.99"}


@pytest.mark.parametrize("count", [1, 3499])
@pytest.mark.parametrize(
    ("given", "check_mode", "budget"),
    [
        pytest.param(RIGHT, False, (1, 0), id="right"),
        pytest.param(RIGHT, True, (1, 0), id="check-right"),
        pytest.param(WRONG, False, (1, 1), id="update"),
        pytest.param(NEW, False, (1, 1), id="create"),
        pytest.param({"origin_ip": "10.0.0.0", "state": "absent"}, False, (1, 1), id="delete"),
        pytest.param({"origin_ip": "192.0.2.99", "state": "absent"}, False, (1, 0), id="absent-already"),
        pytest.param(WRONG, True, (2, 0), id="check-update"),
        pytest.param(NEW, True, (3, 0), id="check-create"),
        pytest.param({"origin_ip": "10.0.0.0", "state": "absent"}, True, (1, 0), id="check-delete"),
    ],
)
def test_budget_of_a_single_mapping(
    emulator: Emulator, count: int, given: Mapping[str, str], check_mode: bool, budget: tuple[int, int]
) -> None:
    _zone, run = runner(emulator, fleet(count))
    run.single(**given, check_mode=check_mode)
    assert run.spent() == budget


def test_budget_of_a_zone_by_name(emulator: Emulator) -> None:
    _zone, run = runner(emulator, fleet(1), zone_id=None, zone="example.com")
    run.single(**RIGHT)
    assert run.spent() == (2, 0)
    run.batch(fleet(1), purge=True)
    assert run.spent() == (2, 0)
    run.info()
    assert run.spent() == (2, 0)


@pytest.mark.parametrize("check_mode", [False, True])
def test_budget_of_a_batch_of_one(emulator: Emulator, check_mode: bool) -> None:
    zone, run = runner(emulator, fleet(250))
    for mappings, reads, writes in (
        (fleet(1), 1, 0),
        (fleet(1, "us-west-2"), 2, 1),
        (fleet(1, start=300), 3 if check_mode else 2, 1),
    ):
        run.batch(mappings, check_mode=check_mode)
        assert run.spent() == (reads, 0 if check_mode else writes)
    assert (zone.values() == fleet(250)) == check_mode


@pytest.mark.parametrize(
    ("count", "asked"),
    [(1, 1), (100, 1), (100, 5), (100, 100), (101, 1), (101, 5), (101, 100), (3500, 1), (3500, 5), (3500, 3500)],
)
def test_budget_of_a_batch_of_what_is_there(emulator: Emulator, count: int, asked: int) -> None:
    _zone, run = runner(emulator, fleet(count))
    listed = fleet(asked)
    most = looked_up(count, asked)
    writes = ceil(asked / 100)
    for mappings, given, most_reads, expected_writes in (
        (listed, {}, most, 0),
        (fleet(asked, "us-west-2"), {"check_mode": True}, most + 1, 0),
        (fleet(asked, "us-west-2"), {}, most + 1, writes),
        (listed, {"state": "absent"}, most, writes),
    ):
        changes = run.batch(mappings, **given)["summary"]
        assert changes["updated"] + changes["deleted"] + changes["unchanged"] == asked
        reads, spent_writes = run.spent()
        assert reads <= most_reads
        assert spent_writes == expected_writes


@pytest.mark.parametrize(
    ("count", "asked"), [(0, 1), (0, 5), (0, 3500), (1, 5), (1, 100), (100, 5), (101, 100), (3000, 1), (3400, 100)]
)
def test_budget_of_a_batch_of_what_is_new(emulator: Emulator, count: int, asked: int) -> None:
    _zone, run = runner(emulator, fleet(count))
    listed = fleet(asked, start=count)
    for check_mode in (True, False):
        assert run.batch(listed, check_mode=check_mode)["summary"]["created"] == asked
        reads, writes = run.spent()
        # Check mode needs the zone's total too, which comes with a page.
        assert reads <= looked_up(count, asked) + 1 + (check_mode and asked == 1)
        assert writes == (0 if check_mode else ceil(asked / 100))


@pytest.mark.parametrize("count", [0, 1, 100, 101, 3500])
def test_budget_of_a_purge(emulator: Emulator, count: int) -> None:
    zone, run = runner(emulator, fleet(count))
    run.batch(fleet(count), purge=True, allow_empty=True)
    assert run.spent() == (pages(count), 0)
    wanted = fleet(count, start=count // 3)
    summary = run.batch(wanted, purge=True, allow_empty=True, check_mode=True)["summary"]
    assert run.spent() == (pages(count) + (summary["created"] > 0), 0)
    assert run.batch(wanted, purge=True, allow_empty=True)["summary"] == summary
    writes = ceil(summary["created"] / 100) + ceil(summary["deleted"] / 100)
    assert run.spent() == (pages(count) + (summary["created"] > 0), writes)
    assert zone.values() == wanted
    run.batch([], purge=True, allow_empty=True)
    assert run.spent() == (pages(count), ceil(count / 100))


@pytest.mark.parametrize("count", [0, 1, 100, 101, 3500])
def test_budget_of_info(emulator: Emulator, count: int) -> None:
    zone, run = runner(emulator, fleet(count))
    assert len(run.info(supported_regions=True)["mappings"]) == count
    assert run.spent() == (pages(count) + 1, 0)
    for asked in sorted({1, 5, 100, max(count, 1)}):
        wanted = list(fleet(asked, start=max(0, count - asked)))
        found = run.info(origin_ip=wanted)["mappings"]
        assert [mapping["origin_ip"] for mapping in found] == [
            address for address in wanted if address in zone.values()
        ]
        reads, writes = run.spent()
        assert (reads <= looked_up(count, asked), writes) == (True, 0)


def test_mapping_a_fleet_and_doing_it_again(emulator: Emulator) -> None:
    _zone, run = runner(emulator, {})
    run.batch(fleet(250))
    assert run.spent() == (1 + 1, 3)
    run.batch(fleet(250))
    assert run.spent() == (3, 0)


SEEDED = {
    "192.0.2.1": ("aws", "us-east-1"),
    "192.0.2.2": ("gcp", "us-east1"),
    "2001:db8::1": ("oci", "uk-london-1"),
}


class Task(NamedTuple):
    """A task of either module that changes the zone SEEDED, and the diff that it gives."""

    operation: str
    given: dict[str, Any]
    before: str
    after: str


TASKS = [
    pytest.param(
        Task(
            "single",
            {"origin_ip": "2001:DB8:0::2", "vendor": "aws", "region": "us-east-1"},
            "",
            "2001:db8::2: aws/us-east-1\n",
        ),
        id="create",
    ),
    pytest.param(
        Task(
            "single",
            {"ip": "192.0.2.1", "vendor": "gcp", "region": "us-east1"},
            "192.0.2.1: aws/us-east-1\n",
            "192.0.2.1: gcp/us-east1\n",
        ),
        id="update",
    ),
    pytest.param(
        Task("single", {"origin_ip": "2001:DB8::1", "state": "absent"}, "2001:db8::1: oci/uk-london-1\n", ""),
        id="delete",
    ),
    pytest.param(
        Task(
            "single",
            {"origin_ip": "192.0.2.9", "vendor": "aws", "region": "us-east-1", "overwrite": False},
            "",
            "192.0.2.9: aws/us-east-1\n",
        ),
        id="create-only",
    ),
    pytest.param(
        Task(
            "batch",
            {"mappings": {"192.0.2.1": ("aws", "us-east-1"), "192.0.2.2": ("aws", "us-west-2")}},
            "192.0.2.2: gcp/us-east1\n",
            "192.0.2.2: aws/us-west-2\n",
        ),
        id="merge",
    ),
    pytest.param(
        Task(
            "batch",
            {"mappings": {"192.0.2.10": ("aws", "us-east-1"), "192.0.2.2": ("gcp", "us-west1")}, "purge": True},
            "192.0.2.1: aws/us-east-1\n192.0.2.2: gcp/us-east1\n2001:db8::1: oci/uk-london-1\n",
            "192.0.2.2: gcp/us-west1\n192.0.2.10: aws/us-east-1\n",
        ),
        id="purge",
    ),
    pytest.param(
        Task(
            "batch",
            {"mappings": [{"ip": "2001:DB8:0::1"}, {"ip": "192.0.2.9"}], "state": "absent"},
            "2001:db8::1: oci/uk-london-1\n",
            "",
        ),
        id="clear",
    ),
]


def without_times(result: Result) -> Result:
    """A result less what only the service knows before a write."""
    result = deepcopy(result)
    lists = [result.get(name, ()) for name in ("created", "updated", "deleted", "failed_items", "pending")]
    for mapping in chain(*lists, filter(None, [result.get("mapping")])):
        mapping.pop("modified_on", None)
    return result


@both
@pytest.mark.parametrize("task", TASKS)
def test_check_mode_says_what_the_run_then_does(emulator: Emulator, served: str, task: Task) -> None:
    zone, run = runner(emulator, SEEDED, api_version=served)
    operation = getattr(run, task.operation)
    predicted = operation(**task.given, check_mode=True)
    assert emulator.writes == []
    assert (zone.values(), predicted["changed"]) == (SEEDED, True)
    assert predicted["diff"] == {"before": task.before, "after": task.after}
    assert without_times(operation(**task.given)) == without_times(predicted)
    assert zone.values() != SEEDED
    again = operation(**task.given)
    assert (again["changed"], again["diff"]) == (False, {"before": "", "after": ""})


def failure_of(operation: Any, *args: Any, **given: Any) -> OriginOpsError:
    with pytest.raises(OriginOpsError) as failed:
        operation(*args, **given)
    assert TOKEN not in f"{failed.value} {failed.value.facts}"
    return failed.value


@both
@pytest.mark.parametrize(
    ("mappings", "given", "told"),
    [
        pytest.param({"192.0.2.9": ("aws", "US-East-1")}, {}, "did you mean us-east-1?", id="region-near-miss"),
        pytest.param({"192.0.2.9": ("gcp", "us-east-1")}, {}, "not supported for vendor gcp", id="region-of-another"),
        pytest.param({"192.0.2.9": ("AWS", "us-east-1")}, {}, "did you mean aws?", id="vendor-near-miss"),
        pytest.param([{"ip": "192.0.2.0/24"}], {"state": "absent"}, "mappings[0]", id="prefix"),
        pytest.param(items(fleet(1)) + items(fleet(1, "us-west-2")), {}, "different values", id="conflict"),
        pytest.param(
            items(fleet(1)) + items(fleet(1, "us-west-2")),
            {"on_invalid": "skip"},
            "different values",
            id="conflict-skip",
        ),
        pytest.param([], {"purge": True}, "allow_empty", id="empty-purge"),
        pytest.param(["x"], {"purge": True, "on_invalid": "skip"}, "allow_empty", id="purge-of-unusable-items"),
        pytest.param(
            {"192.0.2.9": ("aws", "moon-1")},
            {"purge": True, "on_invalid": "skip"},
            "allow_empty",
            id="purge-of-unsupported-items",
        ),
        pytest.param(SEEDED, {"purge": True, "state": "absent"}, "state: present only", id="purge-absent"),
        pytest.param(fleet(3499), {}, "would come to 3502", id="limit"),
        pytest.param({"192.0.2.9": ("aws", "us-east-1")}, {"api_token": "wrong-9Rk2Lw8Bq"}, "10000", id="credentials"),
    ],
)
def test_a_batch_fails_before_its_first_write(
    emulator: Emulator, served: str, mappings: Any, given: dict[str, Any], told: str
) -> None:
    zone, run = runner(emulator, SEEDED, api_version=served)
    failures = [failure_of(run.batch, mappings, check_mode=check_mode, **given) for check_mode in (True, False)]
    for failed in failures:
        assert told in str(failed)
        assert failed.facts["changed"] is False
        assert failed.facts["summary"]["created"] == failed.facts["summary"]["deleted"] == 0
    assert str(failures[0]) == str(failures[1])
    assert emulator.writes == []
    assert zone.values() == SEEDED


@pytest.mark.parametrize("check_mode", [True, False])
def test_all_bad_items_are_named_at_once(emulator: Emulator, check_mode: bool) -> None:
    zone, run = runner(emulator, SEEDED)
    bad = [
        "192.0.2.5",
        {"ip": "192.0.2.300", "vendor": "aws", "region": "us-east-1"},
        {"ip": "192.0.2.7", "vendor": "ibm", "region": "us-east-1"},
        {"ip": "192.0.2.8", "vendor": "aws", "region": "moon-1"},
    ]
    failed = failure_of(run.batch, [*items(fleet(1)), *bad], check_mode=check_mode)
    for index in range(1, 5):
        assert f"mappings[{index}]" in str(failed)
    assert [item["origin_ip"] for item in failed.facts["failed_items"]] == [
        "192.0.2.5",
        "192.0.2.300",
        "192.0.2.7",
        "192.0.2.8",
    ]
    assert zone.values() == SEEDED


def test_nothing_is_sent_where_no_item_is_usable(emulator: Emulator) -> None:
    _zone, run = runner(emulator, SEEDED)
    failure_of(run.batch, ["x", {"ip": "192.0.2.0/24"}])
    failure_of(run.batch, ["x"], state="absent")
    assert emulator.requests == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_creation_past_the_limit_in_check_mode_fails_as_the_run_does(emulator: Emulator, check_mode: bool) -> None:
    zone, run = runner(emulator, fleet(3500))
    failed = failure_of(run.single, **NEW, check_mode=check_mode)
    assert "3,500" in str(failed) or "3500" in str(failed)
    failed = failure_of(run.batch, [NEW], check_mode=check_mode)
    assert "3,500" in str(failed) or "3500" in str(failed)
    assert zone.values() == fleet(3500)


@both
def test_what_nobody_can_tell_is_no_success(emulator: Emulator, served: str) -> None:
    """The answer to a deletion is lost, its repetition finds nothing, and the zone can't be read again."""
    zone, run = runner(emulator, fleet(1), api_version=served, retries=1)
    emulator.faults = [
        Fault(effect=faults.Answer(502, applied=True), path="/batch$", nth=1, times=1),
        Fault(effect=refusal(429, 971, Retry_After="86400"), method="GET", nth=2, times=None),
    ]
    with pytest.raises(
        OriginOpsError, match=r"HTTP 429: .*0 changes were applied, 1 failed, 0 were not tried"
    ) as failed:
        run.batch(fleet(1), state="absent", on_invalid="skip")
    assert [item["origin_ip"] for item in failed.value.facts["failed_items"]] == ["10.0.0.0"]
    emulator.faults = []
    assert run.batch(fleet(1), state="absent")["changed"] is False
    assert zone.values() == {}


@both
def test_unusable_items_are_skipped_on_demand(emulator: Emulator, served: str) -> None:
    zone, run = runner(emulator, SEEDED, api_version=served)
    listed = [
        {"ip": "192.0.2.9", "vendor": "aws", "region": "us-east-1"},
        {"ip": "192.0.2.1", "vendor": "aws", "region": "moon-1"},
        {"ip": "192.0.2.2/32", "vendor": "gcp", "region": "us-east1"},
    ]
    result = run.batch(listed, purge=True, on_invalid="skip")
    assert [item["origin_ip"] for item in result["failed_items"]] == ["192.0.2.1", "192.0.2.2/32"]
    assert result["summary"] == {
        "created": 1,
        "updated": 0,
        "deleted": 1,
        "unchanged": 0,
        "failed": 2,
        "pending": 0,
    }
    assert any("moon-1" in warning for warning in result["warnings"])
    # What is listed stays, even though its item cannot be used.
    assert zone.values().keys() == {"192.0.2.1", "192.0.2.2", "192.0.2.9"}


def test_items_that_only_the_service_refuses(emulator: Emulator) -> None:
    emulator.limit, emulator.limit_refuses = 4, "items"
    zone, run = runner(emulator, SEEDED)
    failed = failure_of(run.batch, fleet(3))
    assert failed.facts["changed"] is True
    assert failed.facts["summary"] == {
        "created": 1,
        "updated": 0,
        "deleted": 0,
        "unchanged": 0,
        "failed": 2,
        "pending": 0,
    }
    result = run.batch(fleet(3), on_invalid="skip")
    assert (result["changed"], result["summary"]["failed"], result["summary"]["unchanged"]) == (False, 2, 1)
    assert any("10.0.0.2" in warning for warning in result["warnings"])
    assert len(zone.values()) == 4


@both
def test_a_batch_that_stops_early_says_what_was_done(emulator: Emulator, served: str) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(3, start=1000))
    writes: list[Request] = []

    def stop_after_one(request: Request) -> Answer:
        if request.method != "GET":
            writes.append(request)
        return failure(403, 10000) if len(writes) > 1 else forward(emulator, request)

    with Stub(stop_after_one) as stub:
        run = Runner(emulator, zone_id=zone.id, url=stub.url, api_version=served)
        failed = failure_of(run.batch, fleet(250), purge=True)
    assert failed.facts["changed"] is True
    assert failed.facts["summary"] == {
        "created": 100,
        "updated": 0,
        "deleted": 0,
        "unchanged": 0,
        "failed": 100,
        "pending": 53,
    }
    for name in ("created", "updated", "deleted", "pending"):
        assert len(failed.facts[name]) == failed.facts["summary"][name]
    assert len(failed.facts["failed_items"]) == 100
    assert failed.facts["diff"]["after"].count("\n") == 100
    assert (failed.facts["status"], failed.facts["zone_id"], failed.facts["api_version"]) == (403, zone.id, served)
    assert failed.facts["errors"][0]["code"] == 10000
    assert "100 changes were applied, 100 failed, 53 were not tried" in str(failed)


def test_a_token_that_may_only_read(emulator: Emulator) -> None:
    zone, run = runner(emulator, SEEDED, api_token=emulator.read_only_token)
    assert len(run.info()["mappings"]) == 3
    assert run.single(**NEW, check_mode=True)["changed"] is True
    assert "credentials" in str(failure_of(run.single, **NEW))
    failed = failure_of(run.batch, fleet(150))
    assert (failed.facts["changed"], failed.facts["summary"]["failed"], failed.facts["summary"]["pending"]) == (
        False,
        100,
        50,
    )
    assert zone.values() == SEEDED


@both
@pytest.mark.parametrize("check_mode", [True, False])
def test_without_tiered_cache(emulator: Emulator, served: str, check_mode: bool) -> None:
    zone, run = runner(emulator, SEEDED, api_version=served)
    emulator.add_zone("example.com", tiered_cache=False)
    failed = failure_of(run.batch, {**SEEDED, "192.0.2.9": ("aws", "us-east-1")}, check_mode=check_mode)
    assert "Tiered Cache: turn it on" in str(failed)
    assert failed.facts["summary"]["pending"] == 1
    assert zone.values() == SEEDED
    # Nothing to add needs no regions.
    assert run.batch(SEEDED, purge=True, check_mode=check_mode)["changed"] is False
    assert run.batch([{"ip": "192.0.2.1"}], state="absent", check_mode=check_mode)["changed"] is True
    single = run.single(**NEW, check_mode=check_mode)
    assert single["changed"] is True
    assert any("could not verify" in warning for warning in single["warnings"]) == check_mode


@both
def test_a_zone_is_emptied_where_that_is_allowed(emulator: Emulator, served: str) -> None:
    zone, run = runner(emulator, SEEDED, api_version=served)
    assert run.batch([], purge=True, allow_empty=True)["summary"]["deleted"] == 3
    assert zone.values() == {}


def test_an_empty_list_without_purge_changes_nothing(emulator: Emulator) -> None:
    zone, run = runner(emulator, SEEDED)
    for state in ("present", "absent"):
        assert run.batch([], state=state)["changed"] is False
    assert zone.values() == SEEDED


@both
@pytest.mark.parametrize("check_mode", [True, False])
def test_nothing_is_taken_over_without_overwrite(emulator: Emulator, served: str, check_mode: bool) -> None:
    zone, run = runner(emulator, fleet(1, "us-west-2"), api_version=served)
    failed = failure_of(run.single, **RIGHT, overwrite=False, check_mode=check_mode)
    for part in ("10.0.0.0", "aws/us-west-2", "aws/us-east-1", "overwrite"):
        assert part in str(failed)
    assert run.single(**WRONG, overwrite=False, check_mode=check_mode)["changed"] is False
    assert zone.values() == fleet(1, "us-west-2")


def test_not_even_what_appears_in_between_is_taken_over_by_v1(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com")

    def another_is_quicker(request: Request) -> Answer:
        if request.method == "POST":
            emulator.add_zone("example.com", mappings=fleet(1, "us-west-2"))
        return forward(emulator, request)

    with Stub(another_is_quicker) as stub:
        run = Runner(emulator, zone_id=zone.id, url=stub.url, api_version="v1")
        assert "1145" in str(failure_of(run.single, **RIGHT, overwrite=False))
    assert zone.values() == fleet(1, "us-west-2")


@both
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_near_miss_of_a_region_is_refused_with_the_right_spelling(
    emulator: Emulator, served: str, check_mode: bool
) -> None:
    zone, run = runner(emulator, SEEDED, api_version=served)
    failed = failure_of(run.single, **{**NEW, "region": "US-East-1"}, check_mode=check_mode)
    assert "did you mean us-east-1?" in str(failed)
    assert zone.values() == SEEDED


def test_a_single_result(emulator: Emulator) -> None:
    zone, run = runner(emulator, SEEDED)
    result = run.single(origin_ip=" 2001:DB8:0::1 ", vendor="oci", region="uk-london-1")
    assert result["mapping"] == {
        "origin_ip": "2001:db8::1",
        "vendor": "oci",
        "region": "uk-london-1",
        "modified_on": zone.mappings["2001:db8::1"].modified_on,
    }
    assert (result["zone_id"], result["api_version"]) == (zone.id, "v2")
    assert run.single(**NEW, check_mode=True)["mapping"] == {**NEW, "modified_on": None}
    assert run.single(**NEW)["mapping"]["modified_on"] == zone.mappings["192.0.2.99"].modified_on
    assert run.single(origin_ip="192.0.2.99", state="absent")["mapping"] is None


@both
def test_info(emulator: Emulator, served: str) -> None:
    zone, run = runner(emulator, dict(reversed(SEEDED.items())), api_version=served)
    for given, found in (
        ({}, list(SEEDED)),
        ({"origin_ip": [], "vendor": [], "region": []}, list(SEEDED)),
        ({"origin_ip": ["2001:DB8:0::1", "192.0.2.1", "192.0.2.99"]}, ["192.0.2.1", "2001:db8::1"]),
        ({"vendor": ["gcp", "oci"]}, ["192.0.2.2", "2001:db8::1"]),
        ({"region": ["us-east1", "us-east-1"]}, ["192.0.2.1", "192.0.2.2"]),
        ({"vendor": ["aws"], "region": ["us-east1"]}, []),
        ({"region": ["moon-1"]}, []),
        ({"ip": ["192.0.2.1"], "vendor": ["gcp"]}, []),
    ):
        result = run.info(**given)
        assert [mapping["origin_ip"] for mapping in result["mappings"]] == found
        assert result["changed"] is False
        assert (result["zone_id"], result["api_version"]) == (zone.id, served)
    assert run.info()["total_count"] == 3
    assert run.info(origin_ip=["192.0.2.1"])["total_count"] is None


def test_info_names_all_bad_addresses_before_anything_is_sent(emulator: Emulator) -> None:
    _zone, run = runner(emulator, SEEDED)
    failed = failure_of(run.info, origin_ip=["192.0.2.1", "x", "192.0.2.0/24"])
    assert "origin_ip[1]" in str(failed)
    assert "origin_ip[2]" in str(failed)
    assert emulator.requests == []


def test_info_about_supported_regions(emulator: Emulator) -> None:
    _zone, run = runner(emulator, SEEDED)
    assert "supported_regions" not in run.info()
    assert run.spent() == (1, 0)
    supported = run.info(supported_regions=True)["supported_regions"]
    assert supported["obtained_codes"] is True
    assert supported["vendors"].keys() == {"aws", "azure", "gcp", "oci"}
    emulator.add_zone("example.com", tiered_cache=False)
    assert "Tiered Cache: turn it on" in str(failure_of(run.info, supported_regions=True))
