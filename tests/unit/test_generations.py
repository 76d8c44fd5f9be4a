# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both generations of the API: the same values from either, by the fewest requests, and odd answers of services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError, RegionsUnavailable
from ansible_collections.originops.cloudflare.plugins.module_utils._generations import (
    GENERATIONS,
    Generation,
    Zone as Opened,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import Address, Mapping, canonical
from ansible_collections.originops.cloudflare.plugins.module_utils._options import open_zone
from emulator.server import Emulator
from emulator.state import REGIONS, Zone
from unit.service import TOKEN, ZONE_ID, Answer, Request, Stub, failure, fleet, forward, in_turn, options, success

SEEDED = {
    "192.0.2.1": ("aws", "us-east-1"),
    "2001:db8::1": ("gcp", "us-east1"),
    "::ffff:192.0.2.1": ("azure", "westeurope"),
}
both = pytest.mark.parametrize("served", ["v1", "v2"])


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com", mappings=SEEDED)


@contextmanager
def opened(url: str, zone_id: str = ZONE_ID, **given: Any) -> Iterator[Opened]:
    with open_zone(options(url, zone_id=zone_id, **given)) as zone:
        yield zone


@contextmanager
def using(name: str, url: str, zone_id: str = ZONE_ID) -> Iterator[Generation]:
    """The generation of this name, at a service."""
    [generation] = GENERATIONS[name]
    with opened(url, zone_id) as zone:
        yield generation(zone.client, zone.id)


@pytest.fixture
def generation(emulator: Emulator, zone: Zone, served: str) -> Iterator[Generation]:
    """The generation that a test is parametrized with, the only one that the emulator serves."""
    emulator.generations = [served]
    with using(served, emulator.api_url, zone.id) as generation:
        yield generation


def mapping(address: str, vendor: str = "aws", region: str = "us-east-1") -> Mapping:
    return Mapping(ip_address(address), vendor, region)


def values(mappings: dict[Address, Mapping]) -> dict[str, tuple[str, str]]:
    """Mappings in the form that the emulator's zones give."""
    assert all(address == mapping.address for address, mapping in mappings.items())
    return {canonical(address): (mapping.vendor, mapping.region) for address, mapping in mappings.items()}


@both
def test_get(zone: Zone, generation: Generation) -> None:
    for address, (vendor, region) in SEEDED.items():
        found = generation.get(ip_address(address))
        assert found == mapping(address, vendor, region)
        assert found.modified_on == zone.mappings[address].modified_on
    assert generation.get(ip_address("192.0.2.2")) is None


@both
@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
def test_the_whole_zone(emulator: Emulator, generation: Generation, count: int) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(count))
    snapshot = generation.whole()
    assert values(snapshot.mappings) == zone.values()
    assert (snapshot.total, snapshot.whole) == (count, True)
    assert generation.total() == count
    for address, found in snapshot.mappings.items():
        assert found.modified_on == zone.mappings[canonical(address)].modified_on


@both
def test_upsert(zone: Zone, generation: Generation) -> None:
    for wanted in (mapping("192.0.2.1", "gcp", "us-east1"), mapping("2001:db8::2", "oci", "uk-london-1")):
        written = generation.upsert(wanted)
        assert written == wanted
        assert written.modified_on == zone.mappings[canonical(wanted.address)].modified_on
    assert zone.values() == {
        **SEEDED,
        "192.0.2.1": ("gcp", "us-east1"),
        "2001:db8::2": ("oci", "uk-london-1"),
    }


@both
def test_a_refused_upsert(zone: Zone, generation: Generation) -> None:
    with pytest.raises(CloudflareError, match="moon-1") as refused:
        generation.upsert(mapping("192.0.2.9", "aws", "moon-1"))
    assert refused.value.codes == {1157}
    assert "192.0.2.9" in str(refused.value)
    assert zone.id in str(refused.value)
    assert zone.values() == SEEDED


@both
def test_create(zone: Zone, generation: Generation) -> None:
    assert generation.create(mapping("192.0.2.9")) == mapping("192.0.2.9")
    assert zone.values() == {**SEEDED, "192.0.2.9": ("aws", "us-east-1")}


@pytest.mark.parametrize("served", ["v1"])
def test_only_the_first_generation_creates_without_taking_over(zone: Zone, generation: Generation) -> None:
    with pytest.raises(CloudflareError) as refused:
        generation.create(mapping("192.0.2.1", "gcp", "us-east1"))
    assert refused.value.codes == {1145}
    assert zone.values() == SEEDED


@both
def test_delete(zone: Zone, generation: Generation) -> None:
    for _twice in range(2):
        generation.delete(ip_address("2001:db8::1"))
    assert zone.values().keys() == SEEDED.keys() - {"2001:db8::1"}


@both
def test_a_batch_of_upserts(emulator: Emulator, zone: Zone, generation: Generation) -> None:
    wanted = [mapping("192.0.2.1", "gcp", "us-east1"), mapping("192.0.2.9", "aws", "moon-1"), mapping("2001:db8::2")]
    written = generation.upsert_batch(wanted)
    assert written.done == [wanted[0], wanted[2]]
    assert written.refused.keys() == {wanted[1].address}
    assert "moon-1" in written.refused[wanted[1].address]
    assert zone.values() == {**SEEDED, "192.0.2.1": ("gcp", "us-east1"), "2001:db8::2": ("aws", "us-east-1")}
    assert len(emulator.requests) == 1


@both
def test_a_batch_of_deletions(emulator: Emulator, zone: Zone, generation: Generation) -> None:
    gone = mapping("192.0.2.9")
    there = [mapping("::ffff:192.0.2.1", *SEEDED["::ffff:192.0.2.1"]), mapping("2001:db8::1", "gcp", "us-east1")]
    written = generation.delete_batch([*there, gone])
    assert written.done == there
    assert written.refused.keys() == {gone.address}
    assert zone.values() == {"192.0.2.1": ("aws", "us-east-1")}
    assert len(emulator.requests) == 1


@both
def test_supported_regions(generation: Generation) -> None:
    supported = generation.supported_regions()
    assert supported.as_dict() == {
        "obtained_codes": True,
        "vendors": {
            vendor: [{"name": name, "upper_tier_colos": regions[name]} for name in sorted(regions)]
            for vendor, regions in REGIONS.items()
        },
    }
    assert supported.problem(mapping("192.0.2.1", "aws", "us-east-1")) is None
    for vendor, region, told in (
        ("aws", "US-East-1", "did you mean us-east-1?"),
        ("gcp", "us-east-1", "did you mean us-east1"),
        ("oci", "mars", "known are"),
    ):
        assert told in (supported.problem(mapping("192.0.2.1", vendor, region)) or "")


@both
def test_supported_regions_without_data_centres(emulator: Emulator, generation: Generation) -> None:
    emulator.add_zone("example.com", obtained_codes=False)
    supported = generation.supported_regions()
    assert supported.as_dict()["obtained_codes"] is False
    assert supported.problem(mapping("192.0.2.1")) is None


@both
def test_supported_regions_without_tiered_cache(emulator: Emulator, generation: Generation) -> None:
    emulator.add_zone("example.com", tiered_cache=False)
    with pytest.raises(RegionsUnavailable, match=r"Tiered Cache: turn it on") as refused:
        generation.supported_regions()
    assert refused.value.status == 403


@pytest.mark.parametrize("answer", [failure(401, 10000), failure(429, 10100), failure(503, 1156), failure(400, 7003)])
def test_tiered_cache_is_not_blamed_for_everything(answer: Answer) -> None:
    with Stub(in_turn(answer)) as stub, using("v2", stub.url) as generation, pytest.raises(CloudflareError) as failed:
        generation.supported_regions()
    assert "Tiered Cache" not in str(failed.value)


@both
def test_a_snapshot_of_no_address(generation: Generation, emulator: Emulator) -> None:
    generation.find([])
    assert len(emulator.requests) <= 1


ZONES = [0, 1, 100, 101, 250, 3500]


@both
@pytest.mark.parametrize("count", ZONES)
def test_addresses_are_found_by_the_fewest_requests(emulator: Emulator, generation: Generation, count: int) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(count))
    pages = max(1, -(-count // 100))
    for asked in (1, 2, 5, 100):
        # The last mappings of the zone are on its last page; of the addresses past them there are none.
        for start in sorted({max(0, count - asked), max(0, count - asked // 2), count}):
            wanted = list(fleet(asked, start=start))
            emulator.requests.clear()
            found = generation.find([ip_address(address) for address in wanted]).mappings
            budget = 1 if asked == 1 or generation.name == "v1" else min(asked + 1, pages)
            assert len(emulator.requests) <= budget
            expected = {address: value for address, value in zone.values().items() if address in wanted}
            assert {address: value for address, value in values(found).items() if address in wanted} == expected


@both
@pytest.mark.parametrize("count", ZONES)
def test_a_zone_is_read_by_the_fewest_requests(emulator: Emulator, generation: Generation, count: int) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(count))
    assert values(generation.whole().mappings) == zone.values()
    assert len(emulator.requests) == (1 if generation.name == "v1" else max(1, -(-count // 100)))
    emulator.requests.clear()
    assert generation.total() == count
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("served", ["v2"])
def test_lists_are_read_in_the_largest_pages(emulator: Emulator, generation: Generation) -> None:
    emulator.add_zone("example.com", mappings=fleet(250))
    generation.whole()
    generation.total()
    generation.find([ip_address("192.0.2.1"), ip_address("192.0.2.2")])
    assert {request.query["per_page"] for request in emulator.requests} == {"100"}
    assert sorted(request.query["page"] for request in emulator.requests[:3]) == ["1", "2", "3"]


@pytest.mark.parametrize("served", ["v2"])
def test_a_total_tells_whether_the_whole_zone_was_read(emulator: Emulator, generation: Generation) -> None:
    emulator.add_zone("example.com", mappings=fleet(250))
    one = generation.find([ip_address("10.0.0.1")])
    assert (one.total, one.whole) == (None, False)
    some = generation.find([ip_address("10.0.0.1"), ip_address("192.0.2.1")])
    assert (some.total, some.whole) == (250, False)
    many = generation.find([ip_address(address) for address in fleet(5, start=200)])
    assert (many.total, many.whole) == (250, True)


@pytest.mark.parametrize(
    ("api_version", "served", "used"),
    [
        ("auto", ["v1", "v2"], ["v2"]),
        ("auto", ["v2"], ["v2"]),
        ("auto", ["v1"], ["v2", "v1"]),
        ("v2", ["v1", "v2"], ["v2"]),
        ("v1", ["v1", "v2"], ["v1"]),
    ],
)
def test_the_generation_that_is_used(
    emulator: Emulator, zone: Zone, api_version: str, served: list[str], used: list[str]
) -> None:
    emulator.generations = served
    with opened(emulator.api_url, zone.id, api_version=api_version) as place:
        generation, snapshot = place.first(lambda generation: generation.whole())
    assert values(snapshot.mappings) == SEEDED
    assert ["v2" if "/origin/" in request.path else "v1" for request in emulator.requests] == used
    assert generation.name == used[-1]
    assert (generation.deprecation is not None) == (generation.name == "v1")
    if generation.deprecation:
        assert "2026-10-01" in generation.deprecation


@pytest.mark.parametrize(("api_version", "served"), [("v2", "v1"), ("v1", "v2")])
def test_a_generation_that_is_not_served(emulator: Emulator, zone: Zone, api_version: str, served: str) -> None:
    emulator.generations = [served]
    with (
        opened(emulator.api_url, zone.id, api_version=api_version) as place,
        pytest.raises(CloudflareError, match="zone_id and api_url") as refused,
    ):
        place.first(lambda generation: generation.whole())
    assert refused.value.codes == {7000, 7003}
    assert len(emulator.requests) == 1


def test_an_unknown_zone_is_unknown_to_both(emulator: Emulator) -> None:
    with opened(emulator.api_url) as place, pytest.raises(CloudflareError, match=ZONE_ID):
        place.first(lambda generation: generation.whole())
    assert len(emulator.requests) == 2


@pytest.mark.parametrize("code", [7000, 7003])
def test_either_code_leads_to_the_first_generation(emulator: Emulator, zone: Zone, code: int) -> None:
    def serve_v1_only(request: Request) -> Answer:
        return failure(400, code) if "/origin/" in request.path else forward(emulator, request)

    with Stub(serve_v1_only) as stub, opened(stub.url, zone.id) as place:
        generation, snapshot = place.first(lambda generation: generation.whole())
    assert generation.name == "v1"
    assert values(snapshot.mappings) == SEEDED


@pytest.mark.parametrize(
    "answer",
    [
        failure(400, 1146),
        failure(401, 10000),
        failure(403, 9109),
        failure(404, 7003),
        failure(404, 1142),
        failure(429, 10100),
        failure(500, 1140),
        Answer(400, b"<html>Bad request</html>"),
        Answer(404, b"<html>Not found</html>"),
        Answer(200, b"<html>Sign in</html>"),
        Answer(302, headers={"Location": "/"}),
        success(None),
        None,
    ],
    ids=str,
)
def test_nothing_else_leads_to_the_first_generation(answer: Answer | None) -> None:
    with Stub(in_turn(answer)) as stub, opened(stub.url) as place, pytest.raises(CloudflareError):
        place.first(lambda generation: generation.whole())
    [request] = stub.requests
    assert "/origin/cloud_regions" in request.path


@both
@pytest.mark.parametrize("code", [1142, 1163])
def test_either_code_says_that_there_is_no_mapping(served: str, code: int) -> None:
    with Stub(in_turn(failure(404, code))) as stub, using(served, stub.url) as generation:
        assert generation.get(ip_address("192.0.2.1")) is None
        generation.delete(ip_address("192.0.2.1"))
    assert len(stub.requests) == 2


@both
@pytest.mark.parametrize(
    "answer",
    [
        failure(404, 1000),
        failure(400, 1142),
        failure(500, 1163),
        Answer(404, b"<html>Not found</html>"),
        Answer(404),
        Answer(404, b'{"success": false, "errors": [], "result": null}'),
    ],
    ids=["code", "status", "server", "html", "empty", "no-code"],
)
def test_no_other_answer_says_that_there_is_no_mapping(served: str, answer: Answer) -> None:
    with Stub(in_turn(answer)) as stub, using(served, stub.url) as generation:
        with pytest.raises(CloudflareError, match=r"Reading the mapping of 192\.0\.2\.1 in zone"):
            generation.get(ip_address("192.0.2.1"))
        with pytest.raises(CloudflareError, match=r"Deleting the mapping of 192\.0\.2\.1 in zone"):
            generation.delete(ip_address("192.0.2.1"))


ONE = mapping("192.0.2.1")
ENTRY = {"origin_ip": "192.0.2.1", "origin-ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
OTHER = {"origin_ip": "192.0.2.2", "origin-ip": "192.0.2.2"}
PREFIX = {"origin_ip": "192.0.2.0/24", "origin-ip": "192.0.2.0/24"}
NO_VALUES: list[Any] = [None, True, 7, "", "192.0.2.1", {}]
NO_ENTRIES: list[Any] = [
    *NO_VALUES,
    [],
    {**ENTRY, **PREFIX},
    {**ENTRY, "origin_ip": None, "origin-ip": None},
    {**ENTRY, "vendor": None},
    {**ENTRY, "region": 5},
    {**ENTRY, "modified_on": 5},
]
NO_OUTCOMES: list[Any] = [
    *NO_VALUES,
    [],
    [ENTRY],
    {"succeeded": [ENTRY]},
    {"failed": []},
    {"succeeded": "all", "failed": []},
    {"succeeded": [None], "failed": []},
    {"succeeded": [PREFIX], "failed": []},
    {"succeeded": [], "failed": 1},
    {"succeeded": [], "failed": [{"error": "which one?"}]},
]


@both
@pytest.mark.parametrize(
    ("call", "odd_values"),
    [
        pytest.param(lambda it: it.get(ONE.address), [*NO_ENTRIES, {**ENTRY, **OTHER}], id="get"),
        pytest.param(lambda it: it.create(ONE), [*NO_ENTRIES, {**ENTRY, **OTHER}], id="create"),
        pytest.param(lambda it: it.upsert(ONE), [*NO_ENTRIES, *([entry] for entry in NO_ENTRIES)], id="upsert"),
        pytest.param(lambda it: it.whole(), [*NO_VALUES, *([entry] for entry in NO_ENTRIES)], id="whole"),
        pytest.param(lambda it: it.total(), [*NO_VALUES, *([entry] for entry in NO_ENTRIES)], id="total"),
        pytest.param(lambda it: it.upsert_batch([ONE]), NO_OUTCOMES, id="upsert_batch"),
        pytest.param(lambda it: it.delete_batch([ONE]), NO_OUTCOMES, id="delete_batch"),
    ],
)
def test_odd_values_are_errors(
    served: str, call: Callable[[Generation], object], odd_values: list[Any], subtests: pytest.Subtests
) -> None:
    with Stub(in_turn(None)) as stub, using(served, stub.url) as generation:
        for value in odd_values:
            stub.answering = in_turn(success(value if served == "v2" else {"value": value}, total_count=0))
            with subtests.test(value=value), pytest.raises(CloudflareError):
                call(generation)


@pytest.mark.parametrize("result", [*NO_VALUES, [], [ENTRY]], ids=str)
def test_values_of_the_first_generation_are_wrapped(result: object) -> None:
    with Stub(in_turn(success(result))) as stub, using("v1", stub.url) as generation:
        for call in (generation.whole, generation.total, lambda: generation.get(ONE.address)):
            with pytest.raises(CloudflareError, match="has not the shape"):
                call()


@both
@pytest.mark.parametrize(
    "result",
    [
        *NO_VALUES,
        [],
        {"obtained_codes": True},
        {"obtained_codes": True, "vendors": None},
        {"obtained_codes": True, "vendors": ["aws"]},
        {"obtained_codes": True, "vendors": {"aws": None}},
        {"obtained_codes": True, "vendors": {"aws": [None]}},
        {"obtained_codes": True, "vendors": {"aws": ["us-east-1"]}},
        {"obtained_codes": True, "vendors": {"aws": [{"name": None, "upper_tier_colos": []}]}},
        {"obtained_codes": True, "vendors": {"aws": [{"name": "us-east-1", "upper_tier_colos": 5}]}},
        {"vendors": {}},
    ],
    ids=str,
)
def test_odd_supported_regions_are_errors(served: str, result: object) -> None:
    with (
        Stub(in_turn(success(result))) as stub,
        using(served, stub.url) as generation,
        pytest.raises(CloudflareError, match="has not the shape"),
    ):
        generation.supported_regions()


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"total_count": None},
        {"total_count": "1"},
        {"total_count": 1.0},
        {"total_count": -1},
        {"total_count": 10**9},
        {"total_count": [1]},
    ],
    ids=str,
)
def test_odd_totals_are_errors(info: dict[str, Any]) -> None:
    with Stub(in_turn(success([ENTRY], **info))) as stub, using("v2", stub.url) as generation:
        for read in (generation.whole, generation.total):
            with pytest.raises(CloudflareError, match="has not the shape"):
                read()
    assert len(stub.requests) == 2


def entries(count: int, *, start: int = 0) -> list[dict[str, Any]]:
    return [
        {"origin_ip": address, "vendor": vendor, "region": region, "modified_on": None}
        for address, (vendor, region) in fleet(count, start=start).items()
    ]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(success(entries(100), total_count=250), id="the-same-page-again-and-again"),
        pytest.param(success([], total_count=250), id="no-pages"),
        pytest.param(success(entries(20), total_count=100), id="pages-of-another-size"),
        pytest.param(success(entries(100), total_count=0), id="more-than-the-total"),
        pytest.param(success([*entries(1), *entries(1)], total_count=2), id="one-twice"),
    ],
)
def test_pages_that_never_add_up_are_an_error_soon(answer: Answer) -> None:
    with (
        Stub(in_turn(answer)) as stub,
        using("v2", stub.url) as generation,
        pytest.raises(CloudflareError, match="did not add up"),
    ):
        generation.whole()
    assert len(stub.requests) <= 9


def test_a_list_that_changes_while_it_is_read_is_read_again() -> None:
    changing = in_turn(
        success(entries(100), total_count=101),
        success([], total_count=100),
        success(entries(100), total_count=100),
    )
    with Stub(changing) as stub, using("v2", stub.url) as generation:
        snapshot = generation.whole()
    assert (len(snapshot.mappings), snapshot.total, len(stub.requests)) == (100, 100, 3)


def test_what_a_batch_does_not_mention_counts_as_refused() -> None:
    answer = success({"succeeded": [ENTRY], "failed": None})
    other = mapping("192.0.2.2")
    with Stub(in_turn(answer)) as stub, using("v2", stub.url) as generation:
        written = generation.upsert_batch([ONE, other])
    assert written.done == [ONE]
    assert "does not mention it" in written.refused[other.address]


def test_reasons_of_a_batch_are_cleaned() -> None:
    answer = success(
        {"succeeded": [], "failed": [{"origin_ip": "192.0.2.1", "error": f"{TOKEN}\x1b[31m" + 9999 * "!"}]}
    )
    with Stub(in_turn(answer)) as stub, using("v2", stub.url) as generation:
        reason = generation.upsert_batch([ONE]).refused[ONE.address]
    assert TOKEN not in reason
    assert reason.isprintable()
    assert len(reason) < 1000


@both
def test_items_that_only_another_spelling_names(served: str) -> None:
    outcome = {
        "succeeded": [{"origin_ip": "2001:DB8:0::1", "origin-ip": "2001:DB8:0::1"}],
        "failed": [{"origin_ip": "2001:DB8:0::2", "origin-ip": "2001:DB8:0::2", "error": "not this one"}],
    }
    answer = success(outcome if served == "v2" else {"value": outcome})
    wanted = [mapping("2001:db8::1"), mapping("2001:db8::2")]
    with Stub(in_turn(answer)) as stub, using(served, stub.url) as generation:
        written = generation.upsert_batch(wanted)
    assert written.done == wanted[:1]
    assert written.refused == {wanted[1].address: "not this one"}
