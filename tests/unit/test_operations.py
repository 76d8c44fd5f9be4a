# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations of modules on an emulator's zone: requests, results, errors."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from itertools import chain
from math import ceil
from typing import Any, NamedTuple

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._info import read_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._single import ensure_mapping
from ansible_collections.originops.cloudflare.plugins.modules import origin_cloud_region_batch
from emulator import faults
from emulator.faults import Fault
from emulator.server import Emulator
from emulator.state import Zone
from support.operations import Result, both, failure_of, options, perform
from support.stub import Request, Response, Stub, failure, forward
from support.values import Values, fleet, items, refusal


class Runner:
    """Runner of operations on a zone of an emulator."""

    def __init__(self, emulator: Emulator, **common: Any) -> None:
        self._emulator = emulator
        self._common = {"url": emulator.api_url, **common}

    def single(self, **arguments: Any) -> Result:
        return perform(ensure_mapping, **{"state": "present", **self._common, **arguments})

    def batch(self, mappings: list[Any] | Values, **arguments: Any) -> Result:
        listed = items(mappings) if isinstance(mappings, dict) else mappings
        return perform(ensure_mappings, **{**self._common, **arguments, "mappings": listed})

    def info(self, **arguments: Any) -> Result:
        return perform(read_mappings, **self._common, **arguments)

    def spent(self) -> tuple[int, int]:
        """Return the numbers of reads and writes since the last call."""
        writes = len(self._emulator.writes)
        reads = len(self._emulator.requests) - writes
        self._emulator.requests.clear()
        return reads, writes


def runner(emulator: Emulator, mappings: Values, **common: Any) -> tuple[Zone, Runner]:
    zone = emulator.add_zone("example.com", mappings=mappings)
    return zone, Runner(emulator, **{"zone_id": zone.id, **common})


def pages(count: int) -> int:
    return max(1, ceil(count / 100))


def lookups(count: int, number: int) -> int:
    """Return the maximum number of reads for some addresses in a zone.

    The arguments are the numbers of mappings and of addresses.
    """
    return 1 if number == 1 else min(number + 1, pages(count))


RIGHT = {"origin_ip": "10.0.0.0", "vendor": "aws", "region": "us-east-1"}
WRONG = {**RIGHT, "region": "us-west-2"}
NEW = {**RIGHT, "origin_ip": "192.0.2.99"}


@pytest.mark.parametrize("count", [1, 3499])
@pytest.mark.parametrize(
    ("arguments", "check_mode", "budget"),
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
    emulator: Emulator, count: int, arguments: Mapping[str, str], check_mode: bool, budget: tuple[int, int]
) -> None:
    _zone, run = runner(emulator, fleet(count))
    run.single(**arguments, check_mode=check_mode)
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
    ("count", "number"),
    [(1, 1), (100, 1), (100, 5), (100, 100), (101, 1), (101, 5), (101, 100), (3500, 1), (3500, 5), (3500, 3500)],
)
def test_budget_of_an_unchanged_batch(emulator: Emulator, count: int, number: int) -> None:
    _zone, run = runner(emulator, fleet(count))
    listed = fleet(number)
    most = lookups(count, number)
    writes = ceil(number / 100)
    for mappings, arguments, most_reads, expected_writes in (
        (listed, {}, most, 0),
        (fleet(number, "us-west-2"), {"check_mode": True}, most + 1, 0),
        (fleet(number, "us-west-2"), {}, most + 1, writes),
        (listed, {"state": "absent", "max_delete_percentage": 100}, most, writes),
    ):
        changes = run.batch(mappings, **arguments)["summary"]
        assert changes["updated"] + changes["deleted"] + changes["unchanged"] == number
        reads, spent_writes = run.spent()
        assert reads <= most_reads
        assert spent_writes == expected_writes


@pytest.mark.parametrize(
    ("count", "number"), [(0, 1), (0, 5), (0, 3500), (1, 5), (1, 100), (100, 5), (101, 100), (3000, 1), (3400, 100)]
)
def test_budget_of_a_batch_of_creations(emulator: Emulator, count: int, number: int) -> None:
    _zone, run = runner(emulator, fleet(count))
    listed = fleet(number, start=count)
    for check_mode in (True, False):
        assert run.batch(listed, check_mode=check_mode)["summary"]["created"] == number
        reads, writes = run.spent()
        # Check mode also needs the zone's total, which is read with a page.
        assert reads <= lookups(count, number) + 1 + (check_mode and number == 1)
        assert writes == (0 if check_mode else ceil(number / 100))


@pytest.mark.parametrize("count", [0, 1, 100, 101, 3500])
def test_budget_of_a_purge(emulator: Emulator, count: int) -> None:
    zone, run = runner(emulator, fleet(count), allow_empty=True, max_delete_percentage=100)
    run.batch(fleet(count), purge=True)
    assert run.spent() == (pages(count), 0)
    wanted = fleet(count, start=count // 3)
    summary = run.batch(wanted, purge=True, check_mode=True)["summary"]
    assert run.spent() == (pages(count) + (summary["created"] > 0), 0)
    assert run.batch(wanted, purge=True)["summary"] == summary
    writes = ceil(summary["created"] / 100) + ceil(summary["deleted"] / 100)
    assert run.spent() == (pages(count) + (summary["created"] > 0), writes)
    assert zone.values() == wanted
    run.batch([], purge=True)
    assert run.spent() == (pages(count), ceil(count / 100))


@pytest.mark.parametrize("count", [0, 1, 100, 101, 3500])
def test_budget_of_info(emulator: Emulator, count: int) -> None:
    zone, run = runner(emulator, fleet(count))
    assert len(run.info(supported_regions=True)["mappings"]) == count
    assert run.spent() == (pages(count) + 1, 0)
    for number in sorted({1, 5, 100, max(count, 1)}):
        wanted = list(fleet(number, start=max(0, count - number)))
        found = run.info(origin_ip=wanted)["mappings"]
        assert [mapping["origin_ip"] for mapping in found] == [
            address for address in wanted if address in zone.values()
        ]
        reads, writes = run.spent()
        assert (reads <= lookups(count, number), writes) == (True, 0)


SEEDED = {
    "192.0.2.1": ("aws", "us-east-1"),
    "192.0.2.2": ("gcp", "us-east1"),
    "2001:db8::1": ("oci", "uk-london-1"),
}


class Task(NamedTuple):
    """Task that changes the zone SEEDED, and its diff."""

    operation: str
    arguments: dict[str, Any]
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


def test_a_failure_before_the_zone_is_read_counts_no_mapping(emulator: Emulator) -> None:
    _zone, run = runner(emulator, SEEDED)
    error = failure_of(run.batch, ["nowhere"])
    assert emulator.requests == []
    assert (error.result["summary"]["failed"], error.result["summary"]["unchanged"]) == (1, 0)


def without_times(result: Result) -> Result:
    """Return a result without times: check mode cannot predict them."""
    result = deepcopy(result)
    lists = [result.get(name, ()) for name in ("created", "updated", "deleted", "failed_items", "pending")]
    for mapping in chain(*lists, filter(None, [result.get("mapping")])):
        mapping.pop("modified_on", None)
    return result


@both
@pytest.mark.parametrize("task", TASKS)
def test_check_mode_predicts_the_run(emulator: Emulator, served: str, task: Task) -> None:
    zone, run = runner(emulator, SEEDED, api_version=served)
    operation = getattr(run, task.operation)
    predicted = operation(**task.arguments, check_mode=True)
    assert emulator.writes == []
    assert (zone.values(), predicted["changed"]) == (SEEDED, True)
    headers = {"before_header": zone.id, "after_header": zone.id}
    assert predicted["diff"] == {**headers, "before": task.before, "after": task.after}
    assert without_times(operation(**task.arguments)) == without_times(predicted)
    assert zone.values() != SEEDED
    again = operation(**task.arguments)
    assert (again["changed"], again["diff"]) == (False, {**headers, "before": "", "after": ""})


@both
@pytest.mark.parametrize(
    ("mappings", "arguments", "part"),
    [
        pytest.param(
            {"192.0.2.9": ("aws", "US-East-1")},
            {},
            "did you mean us-east-1? Supported regions of aws: ",
            id="region-near-miss",
        ),
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
        pytest.param(
            [{"ip": "192.0.2.1", "origin_ip": "192.0.2.2"}], {"state": "absent"}, "same option", id="two-addresses"
        ),
        pytest.param([], {"purge": True}, "0 of 0 items: purge without a usable mapping", id="empty-purge"),
        pytest.param(["x"], {"purge": True, "on_invalid": "skip"}, "0 of 1 items", id="purge-of-unusable-items"),
        pytest.param(
            {"192.0.2.9": ("aws", "moon-1")},
            {"purge": True, "on_invalid": "skip"},
            "allow_empty",
            id="purge-of-unsupported-items",
        ),
        pytest.param(SEEDED, {"purge": True, "state": "absent"}, "requires state: present", id="purge-absent"),
        pytest.param(fleet(3499), {}, "would come to 3502", id="limit"),
        pytest.param({"192.0.2.9": ("aws", "us-east-1")}, {"api_token": "wrong-9Rk2Lw8Bq"}, "10000", id="credentials"),
    ],
)
def test_a_batch_fails_before_its_first_write(
    emulator: Emulator, served: str, mappings: Any, arguments: dict[str, Any], part: str
) -> None:
    zone, run = runner(emulator, SEEDED, api_version=served)
    failures = [failure_of(run.batch, mappings, check_mode=check_mode, **arguments) for check_mode in (True, False)]
    for failed in failures:
        assert part in str(failed)
        assert failed.result["changed"] is False
        assert failed.result["summary"]["created"] == failed.result["summary"]["deleted"] == 0
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
    assert [item["origin_ip"] for item in failed.result["failed_items"]] == [
        "192.0.2.5",
        "192.0.2.300",
        "192.0.2.7",
        "192.0.2.8",
    ]
    assert zone.values() == SEEDED


def test_nothing_is_sent_without_a_usable_item(emulator: Emulator) -> None:
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
def test_an_unknown_outcome_is_no_success(emulator: Emulator, served: str) -> None:
    """Lose the response to a deletion, and fail the reads after it.

    The retry of the deletion finds nothing.
    """
    zone, run = runner(emulator, fleet(1), api_version=served, retries=1)
    emulator.faults = [
        Fault(effect=faults.Respond(502, applied=True), path="/batch$", nth=1, times=1),
        Fault(effect=refusal(429, 971, Retry_After="86400"), method="GET", nth=2, times=None),
    ]
    with pytest.raises(
        OriginOpsError, match=r"HTTP 429: .*\. 1 may have been applied, .*, 0 failed, 0 were not tried"
    ) as failed:
        run.batch(fleet(1), state="absent", on_invalid="skip")
    assert [item["origin_ip"] for item in failed.value.result["failed_items"]] == ["10.0.0.0"]
    emulator.faults = []
    assert run.batch(fleet(1), state="absent")["changed"] is False
    assert zone.values() == {}


@both
def test_unusable_items_are_skipped_if_requested(emulator: Emulator, served: str) -> None:
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
        "deleted": 0,
        "unchanged": 0,
        "failed": 2,
        "pending": 2,
    }
    assert any("Nothing was deleted" in warning for warning in result["warnings"])
    assert any("moon-1" in warning for warning in result["warnings"])
    # An invalid address may belong to any mapping, so nothing is deleted.
    assert zone.values().keys() == {*SEEDED, "192.0.2.9"}


@both
def test_a_batch_that_stops_early_reports_every_change(emulator: Emulator, served: str) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(3, start=1000))
    writes: list[Request] = []

    def refuse_after_one(request: Request) -> Response:
        if request.method != "GET":
            writes.append(request)
        return failure(403, 10000) if len(writes) > 1 else forward(emulator, request)

    with Stub(refuse_after_one) as stub:
        run = Runner(emulator, zone_id=zone.id, url=stub.url, api_version=served)
        failed = failure_of(run.batch, fleet(250), purge=True)
    assert failed.result["changed"] is True
    assert failed.result["summary"] == {
        "created": 100,
        "updated": 0,
        "deleted": 0,
        "unchanged": 0,
        "failed": 100,
        "pending": 53,
    }
    for name in ("created", "updated", "deleted", "pending"):
        assert len(failed.result[name]) == failed.result["summary"][name]
    assert len(failed.result["failed_items"]) == 100
    assert failed.result["diff"]["after"].count("\n") == 100
    assert (failed.result["status"], failed.result["zone_id"], failed.result["api_version"]) == (403, zone.id, served)
    assert failed.result["errors"][0]["code"] == 10000
    assert "100 changes were applied, 100 failed, 53 were not tried" in str(failed)


def test_a_read_only_token(emulator: Emulator) -> None:
    zone, run = runner(emulator, SEEDED, api_token=emulator.read_only_token)
    assert len(run.info()["mappings"]) == 3
    assert run.single(**NEW, check_mode=True)["changed"] is True
    assert "credentials" in str(failure_of(run.single, **NEW))
    failed = failure_of(run.batch, fleet(150))
    assert (failed.result["changed"], failed.result["summary"]["failed"], failed.result["summary"]["pending"]) == (
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
    assert "enabled: true, smart: true" in str(failed)
    assert failed.result["summary"]["pending"] == 1
    assert zone.values() == SEEDED
    # Without additions no regions are needed.
    assert run.batch(SEEDED, purge=True, check_mode=check_mode)["changed"] is False
    assert run.batch([{"ip": "192.0.2.1"}], state="absent", check_mode=check_mode)["changed"] is True
    single = run.single(**NEW, check_mode=check_mode)
    assert single["changed"] is True
    assert any("could not verify" in warning for warning in single["warnings"]) == check_mode


@both
def test_allow_empty_permits_an_empty_zone(emulator: Emulator, served: str) -> None:
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
def test_nothing_is_replaced_without_overwrite(emulator: Emulator, served: str, check_mode: bool) -> None:
    zone, run = runner(emulator, fleet(1, "us-west-2"), api_version=served)
    failed = failure_of(run.single, **RIGHT, overwrite=False, check_mode=check_mode)
    for part in ("10.0.0.0", "aws/us-west-2", "aws/us-east-1", "overwrite"):
        assert part in str(failed)
    assert run.single(**WRONG, overwrite=False, check_mode=check_mode)["changed"] is False
    assert zone.values() == fleet(1, "us-west-2")


def test_v1_replaces_no_concurrent_mapping(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com")

    def create_concurrently(request: Request) -> Response:
        if request.method == "POST":
            emulator.add_zone("example.com", mappings=fleet(1, "us-west-2"))
        return forward(emulator, request)

    with Stub(create_concurrently) as stub:
        run = Runner(emulator, zone_id=zone.id, url=stub.url, api_version="v1")
        assert "1145" in str(failure_of(run.single, **RIGHT, overwrite=False))
    assert zone.values() == fleet(1, "us-west-2")


def test_many_conflicts_are_counted(emulator: Emulator) -> None:
    _zone, run = runner(emulator, SEEDED)
    listed = [*items(fleet(15)), *items(fleet(15, "us-west-2"))]
    failed = failure_of(run.batch, mappings=listed)
    # They are in no field of the result.
    assert str(failed).endswith("; and 5 more")


@both
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_misspelt_region_is_refused_with_a_suggestion(emulator: Emulator, served: str, check_mode: bool) -> None:
    zone, run = runner(emulator, SEEDED, api_version=served)
    failed = failure_of(run.single, **{**NEW, "region": "US-East-1"}, check_mode=check_mode)
    assert "did you mean us-east-1? Supported regions of aws: " in str(failed)
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
    assert run.single(**NEW, check_mode=True)["mapping"] == NEW
    assert run.single(**NEW)["mapping"]["modified_on"] == zone.mappings["192.0.2.99"].modified_on
    assert run.single(origin_ip="192.0.2.99", state="absent")["mapping"] is None


@both
def test_info(emulator: Emulator, served: str) -> None:
    zone, run = runner(emulator, dict(reversed(SEEDED.items())), api_version=served)
    for arguments, found in (
        ({}, list(SEEDED)),
        ({"origin_ip": [], "vendor": [], "region": []}, list(SEEDED)),
        ({"origin_ip": ["2001:DB8:0::1", "192.0.2.1", "192.0.2.99"]}, ["192.0.2.1", "2001:db8::1"]),
        ({"vendor": ["gcp", "oci"]}, ["192.0.2.2", "2001:db8::1"]),
        ({"region": ["us-east1", "us-east-1"]}, ["192.0.2.1", "192.0.2.2"]),
        ({"vendor": ["aws"], "region": ["us-east1"]}, []),
        ({"region": ["moon-1"]}, []),
        ({"ip": ["192.0.2.1"], "vendor": ["gcp"]}, []),
    ):
        result = run.info(**arguments)
        assert [mapping["origin_ip"] for mapping in result["mappings"]] == found
        assert result["changed"] is False
        assert (result["zone_id"], result["api_version"]) == (zone.id, served)
    assert run.info()["total_count"] == 3
    assert run.info(origin_ip=["192.0.2.1"])["total_count"] is None


def test_info_names_all_bad_addresses_before_the_first_request(emulator: Emulator) -> None:
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
    assert "enabled: true, smart: true" in str(failure_of(run.info, supported_regions=True))


def test_messages_about_many_unsupported_regions_are_short(emulator: Emulator) -> None:
    _zone, run = runner(emulator, {})
    listed = {address: ("aws" if number % 2 else "gcp", "moon-1") for number, address in enumerate(fleet(3000))}
    failed = failure_of(run.batch, listed)
    result = run.batch({**listed, **fleet(1, start=4000)}, on_invalid="skip")
    for text in (str(failed), "".join(result["warnings"])):
        assert len(text) <= 4000
        assert "and 2990 more, see failed_items" in text
        assert text.count("Supported regions of aws: ") == text.count("Supported regions of gcp: ") == 1
    assert len(failed.result["failed_items"]) == 3000


def test_all_warnings_of_a_task_are_bounded_together(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(5, start=5000))
    listed = items({address: ("aws", f"{'moon' * 20}-{number}") for number, address in enumerate(fleet(3000))})
    chosen = options(
        emulator.api_url,
        origin_cloud_region_batch.ARGUMENT_SPEC,
        zone_id=zone.id,
        mappings=[*listed, *items(fleet(1, start=4000)), {"ip": "nowhere"}],
        purge=True,
        on_invalid="skip",
    )
    result = origin_cloud_region_batch.MODULE.execute(chosen, check_mode=True, diff=False)
    assert [warning.split()[1:3] for warning in result["warnings"]] == [
        ["addresses", "are"],
        ["3001", "unusable"],
        ["was", "deleted"],
    ]
    assert sum(map(len, result["warnings"])) <= 4000


def test_all_faults_of_an_item_are_named(emulator: Emulator) -> None:
    _zone, run = runner(emulator, SEEDED)
    failed = failure_of(run.batch, [{"ip": "192.0.2.300", "vendor": "Microsoft", "region": "a\x1bb", "vender": 1}])
    for part in ("'vender' is unknown", "192.0.2.300", "did you mean azure?", "control characters"):
        assert part in str(failed)
    assert str(failed).isprintable()
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("::ffff:127.0.0.1", "loopback"),
    ],
)
def test_addresses_no_origin_can_have(emulator: Emulator, address: str, kind: str) -> None:
    _zone, run = runner(emulator, SEEDED)
    entry = {"vendor": "aws", "region": "us-east-1", "origin_ip": address}
    for failed in (failure_of(run.single, **entry), failure_of(run.batch, [entry])):
        assert kind in str(failed)
    assert emulator.requests == []


@pytest.mark.parametrize("address", ["10.0.0.9", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"])
def test_private_addresses_are_warned_of(emulator: Emulator, address: str) -> None:
    _zone, run = runner(emulator, SEEDED)
    entry = {"vendor": "aws", "region": "us-east-1", "origin_ip": address}
    for check_mode in (True, False):
        for result in (run.single(**entry, check_mode=check_mode), run.batch([entry], check_mode=check_mode)):
            [warning] = result["warnings"]
            assert address in warning
            assert "private" in warning
    assert run.single(**{**entry, "origin_ip": "192.0.2.1"})["warnings"] == []
    many = [{**entry, "origin_ip": f"10.0.1.{number}"} for number in range(12)]
    [warning] = run.batch(many, check_mode=True)["warnings"]
    assert warning.endswith("10.0.1.9; and 2 more")


@pytest.mark.parametrize("text", ["us-\x1b[31meast", "us-east\n1"])
def test_unprintable_values_of_the_service_are_refused(emulator: Emulator, text: str) -> None:
    _zone, run = runner(emulator, fleet(1))
    entry = {**RIGHT, "region": text}
    emulator.faults = [Fault(effect=faults.Merge({"result": [entry]}), path="page=1", times=None)]
    assert "does not have the format" in str(failure_of(run.info))
    emulator.faults = [Fault(effect=faults.Merge({"result": entry}), times=None)]
    assert "does not have the format" in str(failure_of(run.single, **NEW | {"origin_ip": "10.0.0.0"}))


def test_the_error_of_v2_if_no_version_is_served(emulator: Emulator) -> None:
    def response(request: Request) -> Response:
        return failure(400, 7000 if "/cache/" in request.path else 7003, request.path.split("/")[3])

    with Stub(response) as stub:
        failed = failure_of(Runner(emulator, url=stub.url).info)
    assert "7003" in str(failed)
    assert "origin (code" in str(failed)
    assert len(stub.requests) == 2
