# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both versions of the API: equal values, fewest requests, and errors.

Unexpected responses are errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._connection import open_zone
from ansible_collections.originops.cloudflare.plugins.module_utils._endpoints import MappingsApi
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError, RegionsUnavailable
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import Address, OriginMapping, canonical
from emulator.faults import Fault
from emulator.server import Emulator
from emulator.state import REGIONS, Zone
from support.operations import both, mapping, open_api, options
from support.stub import Request, Response, Stub, failure, forward, in_turn, success
from support.values import TOKEN, ZONE_ID, fleet, refusal

SEEDED = {
    "192.0.2.1": ("aws", "us-east-1"),
    "2001:db8::1": ("gcp", "us-east1"),
    "::ffff:192.0.2.1": ("azure", "westeurope"),
}


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com", mappings=SEEDED)


@pytest.fixture
def api(emulator: Emulator, zone: Zone, served: str) -> Iterator[MappingsApi]:
    """Open the zone with the API version of the test, the only one served."""
    emulator.api_versions = [served]
    with open_api(served, emulator.api_url, zone.id) as api:
        yield api


def values(mappings: dict[Address, OriginMapping]) -> dict[str, tuple[str, str]]:
    """Return mappings in the format of the emulator's zones."""
    assert all(address == mapping.address for address, mapping in mappings.items())
    return {canonical(address): (mapping.vendor, mapping.region) for address, mapping in mappings.items()}


@both
def test_get(zone: Zone, api: MappingsApi) -> None:
    for address, (vendor, region) in SEEDED.items():
        found = api.get(ip_address(address))
        assert found == mapping(address, vendor, region)
        assert found.modified_on == zone.mappings[address].modified_on
    assert api.get(ip_address("192.0.2.2")) is None


@both
def test_upsert(zone: Zone, api: MappingsApi) -> None:
    for wanted in (mapping("192.0.2.1", "gcp", "us-east1"), mapping("2001:db8::2", "oci", "uk-london-1")):
        written = api.upsert(wanted)
        assert written == wanted
        assert written.modified_on == zone.mappings[canonical(wanted.address)].modified_on
    assert zone.values() == {
        **SEEDED,
        "192.0.2.1": ("gcp", "us-east1"),
        "2001:db8::2": ("oci", "uk-london-1"),
    }


@both
def test_a_refused_upsert(zone: Zone, api: MappingsApi) -> None:
    with pytest.raises(CloudflareError, match="moon-1") as refused:
        api.upsert(mapping("192.0.2.9", "aws", "moon-1"))
    assert refused.value.codes == {1157}
    assert "192.0.2.9" in str(refused.value)
    assert zone.id in str(refused.value)
    assert zone.values() == SEEDED


@both
def test_create(zone: Zone, api: MappingsApi) -> None:
    assert api.create(mapping("192.0.2.9")) == mapping("192.0.2.9")
    assert zone.values() == {**SEEDED, "192.0.2.9": ("aws", "us-east-1")}


@pytest.mark.parametrize("served", ["v1"])
def test_only_v1_creates_atomically(zone: Zone, api: MappingsApi) -> None:
    with pytest.raises(CloudflareError) as refused:
        api.create(mapping("192.0.2.1", "gcp", "us-east1"))
    assert refused.value.codes == {1145}
    assert zone.values() == SEEDED


@both
def test_delete(zone: Zone, api: MappingsApi) -> None:
    for _twice in range(2):
        api.delete(ip_address("2001:db8::1"))
    assert zone.values().keys() == SEEDED.keys() - {"2001:db8::1"}


@both
def test_a_batch_of_upserts(emulator: Emulator, zone: Zone, api: MappingsApi) -> None:
    wanted = [mapping("192.0.2.1", "gcp", "us-east1"), mapping("192.0.2.9", "aws", "moon-1"), mapping("2001:db8::2")]
    written = api.upsert_batch(wanted)
    assert written.succeeded == [wanted[0], wanted[2]]
    assert written.failed.keys() == {wanted[1].address}
    assert "moon-1" in written.failed[wanted[1].address]
    assert zone.values() == {**SEEDED, "192.0.2.1": ("gcp", "us-east1"), "2001:db8::2": ("aws", "us-east-1")}
    assert len(emulator.requests) == 1


@both
def test_a_batch_of_deletions(emulator: Emulator, zone: Zone, api: MappingsApi) -> None:
    gone = mapping("192.0.2.9")
    present = [mapping("::ffff:192.0.2.1", *SEEDED["::ffff:192.0.2.1"]), mapping("2001:db8::1", "gcp", "us-east1")]
    written = api.delete_batch([*present, gone])
    assert written.succeeded == present
    assert written.failed.keys() == {gone.address}
    assert zone.values() == {"192.0.2.1": ("aws", "us-east-1")}
    assert len(emulator.requests) == 1


@both
def test_supported_regions(api: MappingsApi) -> None:
    supported = api.supported_regions()
    assert supported.as_dict() == {
        "obtained_codes": True,
        "vendors": {
            vendor: [{"name": name, "upper_tier_colos": regions[name]} for name in sorted(regions)]
            for vendor, regions in REGIONS.items()
        },
    }
    assert supported.problem(mapping("192.0.2.1", "aws", "us-east-1")) is None
    for vendor, region, hint in (
        ("aws", "US-East-1", "did you mean us-east-1?"),
        ("gcp", "us-east-1", "us-east-1 is a region of aws, did you mean us-east1"),
        ("oci", "mars", None),
        ("aws", "WestEurope", "westeurope is a region of azure"),
    ):
        problem = f"region '{region}' is not supported for vendor {vendor}"
        expected = f"{problem}: {hint}" if hint else problem
        assert (supported.problem(mapping("192.0.2.1", vendor, region)) or "").startswith(expected)
        assert hint or supported.problem(mapping("192.0.2.1", vendor, region)) == problem


@both
def test_supported_regions_without_data_centres(emulator: Emulator, api: MappingsApi) -> None:
    emulator.add_zone("example.com", obtained_codes=False)
    supported = api.supported_regions()
    assert supported.as_dict()["obtained_codes"] is False
    assert supported.problem(mapping("192.0.2.1")) is None


@both
def test_supported_regions_without_tiered_cache(emulator: Emulator, api: MappingsApi) -> None:
    emulator.add_zone("example.com", tiered_cache=False)
    with pytest.raises(RegionsUnavailable, match=r"Tiered Cache too: turn them on") as refused:
        api.supported_regions()
    assert refused.value.status == 403
    # Any refusal may be about the settings, unless it is about the credentials or the route.
    emulator.faults = [Fault(effect=refusal(400, 1135))]
    with pytest.raises(RegionsUnavailable):
        api.supported_regions()


@pytest.mark.parametrize(
    "response", [failure(401, 10000), failure(429, 10100), failure(500, 1140), failure(503, 1156), failure(400, 7003)]
)
def test_other_failures_do_not_blame_tiered_cache(response: Response) -> None:
    with Stub(in_turn(response)) as stub, open_api("v2", stub.url) as api, pytest.raises(CloudflareError) as failed:
        api.supported_regions()
    assert "Tiered Cache" not in str(failed.value)


@both
def test_fetching_no_address(api: MappingsApi, emulator: Emulator) -> None:
    api.fetch([])
    assert len(emulator.requests) <= 1


ZONES = [0, 1, 100, 101, 250, 3500]


@both
@pytest.mark.parametrize("count", ZONES)
def test_addresses_are_found_by_the_fewest_requests(emulator: Emulator, api: MappingsApi, count: int) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(count))
    pages = max(1, -(-count // 100))
    for number in (1, 2, 5, 100):
        # The addresses are on the last page, partly past it, or entirely past it.
        for start in sorted({max(0, count - number), max(0, count - number // 2), count}):
            wanted = list(fleet(number, start=start))
            emulator.requests.clear()
            found = api.fetch([ip_address(address) for address in wanted]).mappings
            budget = 1 if number == 1 or api.name == "v1" else min(number + 1, pages)
            assert len(emulator.requests) <= budget
            expected = {address: value for address, value in zone.values().items() if address in wanted}
            assert {address: value for address, value in values(found).items() if address in wanted} == expected


@both
@pytest.mark.parametrize("count", ZONES)
def test_a_zone_is_read_by_the_fewest_requests(emulator: Emulator, api: MappingsApi, count: int) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(count))
    current = api.fetch_all()
    assert values(current.mappings) == zone.values()
    assert (current.total, current.complete) == (count, True)
    for address, found in current.mappings.items():
        assert found.modified_on == zone.mappings[canonical(address)].modified_on
    assert len(emulator.requests) == (1 if api.name == "v1" else max(1, -(-count // 100)))
    emulator.requests.clear()
    assert api.count() == count
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("served", ["v2"])
def test_lists_are_read_in_the_largest_pages(emulator: Emulator, api: MappingsApi) -> None:
    emulator.add_zone("example.com", mappings=fleet(250))
    api.fetch_all()
    api.count()
    api.fetch([ip_address("192.0.2.1"), ip_address("192.0.2.2")])
    assert {request.query["per_page"] for request in emulator.requests} == {"100"}
    assert sorted(request.query["page"] for request in emulator.requests[:3]) == ["1", "2", "3"]


@pytest.mark.parametrize("served", ["v2"])
def test_complete_is_set_if_all_mappings_were_read(emulator: Emulator, api: MappingsApi) -> None:
    emulator.add_zone("example.com", mappings=fleet(250))
    single_read = api.fetch([ip_address("10.0.0.1")])
    assert (single_read.total, single_read.complete) == (None, False)
    some = api.fetch([ip_address("10.0.0.1"), ip_address("192.0.2.1")])
    assert (some.total, some.complete) == (250, False)
    many = api.fetch([ip_address(address) for address in fleet(5, start=200)])
    assert (many.total, many.complete) == (250, True)


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
def test_the_version_that_is_used(
    emulator: Emulator, zone: Zone, api_version: str, served: list[str], used: list[str]
) -> None:
    emulator.api_versions = served
    with open_zone(options(emulator.api_url, zone_id=zone.id, api_version=api_version)) as client:
        api, current = client.negotiate(lambda api: api.fetch_all())
    assert values(current.mappings) == SEEDED
    assert ["v2" if "/origin/" in request.path else "v1" for request in emulator.requests] == used
    assert api.name == used[-1]
    assert (api.deprecation is not None) == (api.name == "v1")
    if api.deprecation:
        assert "2026-10-01" in api.deprecation


@pytest.mark.parametrize(("api_version", "served"), [("v2", "v1"), ("v1", "v2")])
def test_a_version_that_is_not_served(emulator: Emulator, zone: Zone, api_version: str, served: str) -> None:
    emulator.api_versions = [served]
    with (
        open_zone(options(emulator.api_url, zone_id=zone.id, api_version=api_version)) as client,
        pytest.raises(CloudflareError, match="zone_id and api_url") as refused,
    ):
        client.negotiate(lambda api: api.fetch_all())
    assert refused.value.codes == {7000, 7003}
    assert len(emulator.requests) == 1


def test_an_unknown_zone_in_both_versions(emulator: Emulator) -> None:
    with open_zone(options(emulator.api_url)) as client, pytest.raises(CloudflareError, match=ZONE_ID):
        client.negotiate(lambda api: api.fetch_all())
    assert len(emulator.requests) == 2


@pytest.mark.parametrize("code", [7000, 7003])
def test_either_code_leads_to_v1(emulator: Emulator, zone: Zone, code: int) -> None:
    def serve_v1_only(request: Request) -> Response:
        return failure(400, code) if "/origin/" in request.path else forward(emulator, request)

    with Stub(serve_v1_only) as stub, open_zone(options(stub.url, zone_id=zone.id)) as client:
        api, current = client.negotiate(lambda api: api.fetch_all())
    assert api.name == "v1"
    assert values(current.mappings) == SEEDED


@pytest.mark.parametrize(
    "response",
    [
        failure(400, 1146),
        failure(404, 7003),
        failure(404, 1142),
        failure(429, 10100),
        failure(500, 1140),
        Response(400, b"<html>Bad request</html>"),
        Response(404, b"<html>Not found</html>"),
        Response(200, b"<html>Sign in</html>"),
        Response(302, headers={"Location": "/"}),
        success(None),
        None,
    ],
    ids=str,
)
def test_nothing_else_leads_to_v1(response: Response | None) -> None:
    with Stub(in_turn(response)) as stub, open_zone(options(stub.url)) as client, pytest.raises(CloudflareError):
        client.negotiate(lambda api: api.fetch_all())
    [request] = stub.requests
    assert "/origin/cloud_regions" in request.path


@both
@pytest.mark.parametrize("code", [1142, 1163])
def test_both_codes_of_a_missing_mapping(served: str, code: int) -> None:
    with Stub(in_turn(failure(404, code))) as stub, open_api(served, stub.url) as api:
        assert api.get(ip_address("192.0.2.1")) is None
        api.delete(ip_address("192.0.2.1"))
    assert len(stub.requests) == 2


@both
@pytest.mark.parametrize(
    "response",
    [
        failure(404, 1000),
        failure(400, 1142),
        failure(500, 1163),
        Response(404, b"<html>Not found</html>"),
        Response(404),
        Response(404, b'{"success": false, "errors": [], "result": null}'),
    ],
    ids=["code", "status", "server", "html", "empty", "no-code"],
)
def test_other_responses_are_no_missing_mapping(served: str, response: Response) -> None:
    with Stub(in_turn(response)) as stub, open_api(served, stub.url) as api:
        with pytest.raises(CloudflareError, match=r"Reading the mapping of 192\.0\.2\.1 in zone"):
            api.get(ip_address("192.0.2.1"))
        with pytest.raises(CloudflareError, match=r"Deleting the mapping of 192\.0\.2\.1 in zone"):
            api.delete(ip_address("192.0.2.1"))


ONE = mapping("192.0.2.1")
ENTRY = {"origin_ip": "192.0.2.1", "origin-ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
OTHER = {"origin_ip": "192.0.2.2", "origin-ip": "192.0.2.2"}
PREFIX = {"origin_ip": "192.0.2.0/24", "origin-ip": "192.0.2.0/24"}
NO_VALUES: list[Any] = [None, 7, "192.0.2.1", {}]
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
        pytest.param(lambda api: api.get(ONE.address), [*NO_ENTRIES, {**ENTRY, **OTHER}], id="get"),
        pytest.param(lambda api: api.create(ONE), [*NO_ENTRIES, {**ENTRY, **OTHER}], id="create"),
        pytest.param(lambda api: api.upsert(ONE), [*NO_ENTRIES, *([entry] for entry in NO_ENTRIES)], id="upsert"),
        pytest.param(lambda api: api.fetch_all(), [*NO_VALUES, *([entry] for entry in NO_ENTRIES)], id="whole"),
        pytest.param(lambda api: api.count(), [*NO_VALUES, *([entry] for entry in NO_ENTRIES)], id="total"),
        pytest.param(lambda api: api.upsert_batch([ONE]), NO_OUTCOMES, id="upsert_batch"),
        pytest.param(lambda api: api.delete_batch([ONE]), NO_OUTCOMES, id="delete_batch"),
    ],
)
def test_unexpected_values_are_errors(
    served: str, call: Callable[[MappingsApi], object], odd_values: list[Any], subtests: pytest.Subtests
) -> None:
    with Stub(in_turn(None)) as stub, open_api(served, stub.url) as api:
        for value in odd_values:
            stub.responder = in_turn(success(value if served == "v2" else {"value": value}, total_count=0))
            with subtests.test(value=value), pytest.raises(CloudflareError):
                call(api)


@pytest.mark.parametrize("result", [*NO_VALUES, [], [ENTRY]], ids=str)
def test_values_of_v1_are_wrapped(result: object) -> None:
    with Stub(in_turn(success(result))) as stub, open_api("v1", stub.url) as api:
        for call in (api.fetch_all, api.count, lambda: api.get(ONE.address)):
            with pytest.raises(CloudflareError, match="does not have the format"):
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
        {"obtained_codes": True, "vendors": {"aws": [None]}},
        {"obtained_codes": True, "vendors": {"aws": [{"name": None, "upper_tier_colos": []}]}},
        {"obtained_codes": True, "vendors": {"aws": [{"name": "us-east-1", "upper_tier_colos": 5}]}},
        {"vendors": {}},
    ],
    ids=str,
)
def test_unexpected_supported_regions_are_errors(served: str, result: object) -> None:
    with (
        Stub(in_turn(success(result))) as stub,
        open_api(served, stub.url) as api,
        pytest.raises(CloudflareError, match="does not have the format"),
    ):
        api.supported_regions()


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"total_count": None},
        {"total_count": 1e3},
        {"total_count": -1},
        {"total_count": 35_001},
        {"total_count": [1]},
    ],
    ids=str,
)
def test_unexpected_totals_are_errors(info: dict[str, Any]) -> None:
    with Stub(in_turn(success([ENTRY], **info))) as stub, open_api("v2", stub.url) as api:
        for read in (api.fetch_all, api.count):
            with pytest.raises(CloudflareError, match="does not have the format"):
                read()
    assert len(stub.requests) == 2


def entries(count: int, *, start: int = 0) -> list[dict[str, Any]]:
    return [
        {"origin_ip": address, "vendor": vendor, "region": region, "modified_on": None}
        for address, (vendor, region) in fleet(count, start=start).items()
    ]


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(success(entries(100), total_count=250), id="the-same-page-again-and-again"),
        pytest.param(success([], total_count=250), id="no-pages"),
        pytest.param(success(entries(20), total_count=100), id="pages-of-another-size"),
        pytest.param(success(entries(100), total_count=0), id="more-than-the-total"),
        pytest.param(success([*entries(1), *entries(1)], total_count=2), id="one-twice"),
    ],
)
def test_inconsistent_pages_are_an_error_after_few_attempts(response: Response) -> None:
    with (
        Stub(in_turn(response)) as stub,
        open_api("v2", stub.url) as api,
        pytest.raises(CloudflareError, match="did not add up"),
    ):
        api.fetch_all()
    assert len(stub.requests) <= 9


def test_a_list_changed_between_pages_is_read_again() -> None:
    changing = in_turn(
        success(entries(100), total_count=101),
        success([], total_count=100),
        success(entries(100), total_count=100),
    )
    with Stub(changing) as stub, open_api("v2", stub.url) as api:
        current = api.fetch_all()
    assert (len(current.mappings), current.total, len(stub.requests)) == (100, 100, 3)


def test_unreported_items_of_a_batch_count_as_failed() -> None:
    response = success({"succeeded": [ENTRY], "failed": None})
    other = mapping("192.0.2.2")
    with Stub(in_turn(response)) as stub, open_api("v2", stub.url) as api:
        written = api.upsert_batch([ONE, other])
    assert written.succeeded == [ONE]
    assert "does not mention it" in written.failed[other.address]


def test_times_of_a_batch_are_those_of_the_service() -> None:
    old, new = "2026-03-01T12:00:00Z", "2026-04-01T12:00:00Z"
    response = success({"succeeded": [{**ENTRY, "modified_on": new}], "failed": []})
    unchanged = success({"succeeded": [{"origin_ip": ENTRY["origin_ip"]}], "failed": []})
    with Stub(in_turn(response, unchanged)) as stub, open_api("v2", stub.url) as api:
        written = [api.delete_batch([ONE._replace(modified_on=old)]).succeeded[0] for _attempt in range(2)]
    assert [mapping.modified_on for mapping in written] == [new, old]


def test_a_failed_item_without_a_reason() -> None:
    response = success({"succeeded": [], "failed": [{"origin_ip": "192.0.2.1"}]})
    with Stub(in_turn(response)) as stub, open_api("v2", stub.url) as api:
        assert api.upsert_batch([ONE]).failed == {ONE.address: "the service returned no reason"}


def test_reasons_of_a_batch_are_cleaned() -> None:
    response = success(
        {"succeeded": [], "failed": [{"origin_ip": "192.0.2.1", "error": f"{TOKEN}\x1b[31m" + 9999 * "!"}]}
    )
    with Stub(in_turn(response)) as stub, open_api("v2", stub.url) as api:
        reason = api.upsert_batch([ONE]).failed[ONE.address]
    assert TOKEN not in reason
    assert reason.isprintable()
    assert len(reason) < 1000


@both
def test_items_reported_in_another_spelling(served: str) -> None:
    outcome = {
        "succeeded": [{"origin_ip": "2001:DB8:0::1", "origin-ip": "2001:DB8:0::1"}],
        "failed": [{"origin_ip": "2001:DB8:0::2", "origin-ip": "2001:DB8:0::2", "error": "not this one"}],
    }
    response = success(outcome if served == "v2" else {"value": outcome})
    wanted = [mapping("2001:db8::1"), mapping("2001:db8::2")]
    with Stub(in_turn(response)) as stub, open_api(served, stub.url) as api:
        written = api.upsert_batch(wanted)
    assert written.succeeded == wanted[:1]
    assert written.failed == {wanted[1].address: "not this one"}
