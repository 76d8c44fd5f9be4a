# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applied writes with lost responses, and failures of the next reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import Outcome
from ansible_collections.originops.cloudflare.plugins.module_utils._single import ensure_mapping
from ansible_collections.originops.cloudflare.plugins.modules import origin_cloud_region, origin_cloud_region_batch
from emulator.faults import Cut, Effect, Fault, Reset, Respond
from emulator.server import Emulator
from emulator.state import Zone
from support.operations import Result, as_result, both, options, result_of
from support.values import Values, as_values, fleet, items, refusal

pytestmark = pytest.mark.usefixtures("waits")

WRITES = ("PUT", "PATCH", "POST", "DELETE")

LOST = {
    "reset": Reset(applied=True),
    "cut-short": Cut(),
    "502": Respond(502, applied=True),
    "524": Respond(524, applied=True),
    "408": Respond(408, applied=True),
}
"""Effects that lose the response to an applied write; 408 is not retried."""

THEN = {
    "429": refusal(429, 10100),
    "429-absurd": refusal(429, 971, Retry_After="86400"),
    "403": refusal(403, 9109),
    "404": refusal(404, 1142),
    "400": refusal(400, 1146),
    "401": refusal(401, 10000),
    "503": Respond(503),
}
"""Responses to the retries."""


def batch(listed: Values, **arguments: Any) -> Callable[[Emulator, Zone, str], Result]:
    arguments = {"mappings": items(listed), "max_delete_percentage": 100, **arguments}
    return run_of(ensure_mappings, origin_cloud_region_batch.ARGUMENT_SPEC, arguments)


def single(**arguments: Any) -> Callable[[Emulator, Zone, str], Result]:
    arguments = {**items(fleet(1))[0], "state": "present", **arguments}
    return run_of(ensure_mapping, origin_cloud_region.ARGUMENT_SPEC, arguments)


def run_of(
    operation: Callable[[Mapping[str, Any], bool], Outcome], spec: dict[str, Any], arguments: dict[str, Any]
) -> Callable[[Emulator, Zone, str], Result]:
    """Return a function that runs an operation.

    It returns the result, also of a failed run.
    """

    def run(emulator: Emulator, zone: Zone, served: str) -> Result:
        chosen = options(emulator.api_url, spec, zone_id=zone.id, api_version=served, retries=2, **arguments)
        return result_of(lambda: as_result(operation(chosen, False)))

    return run


RUNS = {
    "batch-upsert": (batch(fleet(60)), fleet(30, "us-west-2"), fleet(60)),
    "batch-delete": (batch(fleet(30), state="absent"), fleet(60), fleet(30, start=30)),
    "single-create": (single(), {}, fleet(1)),
    "single-create-only": (single(overwrite=False), {}, fleet(1)),
    "single-update": (single(), fleet(1, "us-west-2"), fleet(1)),
    "single-delete": (single(state="absent"), fleet(1), {}),
}
"""Runs, each with the zone before and after it."""


def lose(effect: Effect, then: Effect | None, read: Effect | None = None) -> list[Fault]:
    """Return faults for the first write, its retries, and later reads.

    Reads fail from the second one on.
    """
    reads = r"origin(/|_)cloud_regions(?!/supported)"
    faults = [Fault(effect=effect, method=method) for method in WRITES]
    if then:
        faults += [Fault(effect=then, method=method, nth=2, times=None) for method in WRITES]
    return [*faults, Fault(effect=read, method="GET", path=reads, nth=2, times=None)] if read else faults


@both
@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(
    ("lost", "then"),
    [("408", None), *(("reset", then) for then in THEN), *((lost, "403") for lost in LOST if lost != "reset")],
)
def test_applied_changes_are_reported(emulator: Emulator, served: str, run: str, lost: str, then: str | None) -> None:
    task, before, after = RUNS[run]
    zone = emulator.add_zone("example.com", mappings=before)
    emulator.faults = lose(LOST[lost], THEN[then] if then else None)
    result = task(emulator, zone, served)
    assert zone.values() == after
    assert "msg" not in result
    assert result["changed"] is True
    if "summary" in result:
        assert {name: result["summary"][name] for name in ("failed", "pending")} == {"failed": 0, "pending": 0}
        assert as_values(result["created"]) | as_values(result["updated"]) == {
            address: value for address, value in after.items() if before.get(address) != value
        }
        assert as_values(result["deleted"]) == {
            address: value for address, value in before.items() if address not in after
        }


@both
@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("then", ["429", "403", "404", "400", "503"])
@pytest.mark.parametrize("read", ["503", "403"])
def test_unknown_outcomes_are_reported_as_unknown(
    emulator: Emulator, served: str, run: str, then: str, read: str
) -> None:
    task, before, after = RUNS[run]
    zone = emulator.add_zone("example.com", mappings=before)
    emulator.faults = lose(Reset(applied=True), THEN[then], THEN[read])
    result = task(emulator, zone, served)
    assert zone.values() == after
    if (run, then) == ("single-delete", "404"):
        # The 404 of the retry shows that the mapping is gone, without another read.
        assert ("msg" in result, result["changed"]) == (False, True)
        return
    assert "may have been applied" in result["msg"]
    assert "0 changes were applied" not in result["msg"]
    assert zone.id in result["msg"]
    assert result["changed"] is True
    if "summary" in result:
        changes = sum(before.get(address) != after.get(address) for address in before.keys() | after.keys())
        assert result["summary"]["failed"] == changes
        assert all("may have been applied" in item["error"] for item in result["failed_items"])


@both
@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("then", ["429", "403", "400"])
def test_a_clear_refusal_is_not_verified(emulator: Emulator, served: str, run: str, then: str) -> None:
    task, before, _after = RUNS[run]
    zone = emulator.add_zone("example.com", mappings=before)
    emulator.faults = lose(THEN[then], THEN[then], Respond(503))
    result = task(emulator, zone, served)
    assert "may have been applied" not in result["msg"]
    assert result["changed"] is False
    assert zone.values() == before


@both
def test_an_item_and_a_later_batch_are_both_named(emulator: Emulator, served: str) -> None:
    emulator.limit_refuses, emulator.limit = "items", 99
    zone = emulator.add_zone("example.com", mappings={})
    emulator.faults = [Fault(effect=refusal(403, 9109), method=method, nth=2) for method in ("PUT", "PATCH")]
    result = batch(fleet(250))(emulator, zone, served)
    for part in ("10.0.0.99: ", "limit of 99", "HTTP 403", "9109", "99 changes were applied, 101 failed, 50 were not"):
        assert part in result["msg"]
    assert (result["changed"], len(zone.mappings)) == (True, 99)
