# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit function: every kind of finding, repairs, and the report's schema."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator

from ansible_collections.originops.cloudflare.plugins.module_utils._audit.findings import (
    AuditInfo,
    ExpectedState,
    ObservedTraffic,
    PublishedRanges,
    ZoneState,
    audit,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._locations import Unresolved
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import Address, OriginMapping
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges.index import Ranges
from ansible_collections.originops.cloudflare.plugins.module_utils._regions import Region, SupportedRegions
from ansible_collections.originops.cloudflare.plugins.module_utils._schema import KINDS, ZONE_REPORT
from ansible_collections.originops.cloudflare.plugins.modules import origin_cloud_region_audit
from ansible_collections.originops.cloudflare.plugins.plugin_utils._report.model import aggregate, empty_report
from support.published_ranges import write_ranges

ROOT = Path(__file__).parents[2]
SCHEMA = Draft202012Validator(json.loads((ROOT / "roles/audit/files/report.schema.json").read_text("utf-8")))

HEAD = AuditInfo("023e105f4ecef8ad9ca31a8372d0c353", "example.com", None, "v2", "2026-03-01T12:00:00Z")
SUPPORTED = SupportedRegions(
    obtained_codes=True,
    vendors={
        "aws": [Region("us-east-1", ["IAD", "EWR"]), Region("us-west-2", ["SEA"])],
        "azure": [Region("eastus2", ["RIC"])],
        "gcp": [Region("europe-west3", ["FRA"]), Region("us-central1", ["ORD"])],
        "oci": [Region("us-ashburn-1", ["IAD"])],
    },
)

COLOS = {"aws/us-east-1": ["EWR", "IAD"], "aws/us-west-2": ["SEA"], "gcp/us-central1": ["ORD"]}

Report = dict[str, Any]
Values = Mapping[str, str]
"""Mappings as {"192.0.2.1": "aws/us-east-1"}."""


def mappings(values: Values) -> dict[Address, OriginMapping]:
    return {
        address: OriginMapping(address, *value.split("/"), "2026-02-01T12:00:00Z")
        for address, value in ((ip_address(text), value) for text, value in values.items())
    }


def unresolved(host: str, *addresses: str) -> Unresolved:
    return Unresolved(host, "unknown_region", "no variable has its region", tuple(map(ip_address, addresses)))


def audited(
    zone: Values,
    expected: Values | None = None,
    *,
    supported: SupportedRegions | None = SUPPORTED,
    tiered: bool | None = True,
    smart: bool | None = True,
    has_regions: bool = True,
    hosts: Mapping[str, list[str]] | None = None,
    unresolved: Iterable[Unresolved] = (),
    ranges: Ranges | None = None,
    near_limit: int = 90,
    traffic: ObservedTraffic | None = None,
) -> Report:
    """Return a report, after validating its schema and consistency."""
    inventory = ExpectedState(
        None if expected is None else mappings(expected),
        list(unresolved),
        {ip_address(text): names for text, names in (hosts or {}).items()},
    )
    published = PublishedRanges(ranges.locate) if ranges else PublishedRanges()
    state = ZoneState(mappings(zone), supported, tiered, smart, has_regions)
    report = audit(HEAD, state, inventory, published, near_limit, traffic=traffic)
    SCHEMA.validate(report)
    assert {*report["checked"]}.isdisjoint(report["not_checked"])
    assert {*report["checked"], *report["not_checked"]} == {*KINDS}
    assert {*report["unavailable"]} <= report["not_checked"].keys()
    assert report["counts"] == {kind: Counter(entry["kind"] for entry in report["findings"])[kind] for kind in KINDS}
    for mapping in report["mappings"]:
        about = [entry["kind"] for entry in report["findings"] if entry["origin_ip"] == mapping["origin_ip"]]
        assert mapping["findings"] == list(dict.fromkeys(about))
    return report


def summary_of(report: Report) -> list[tuple[str, str | None]]:
    return [(finding["kind"], finding["origin_ip"]) for finding in report["findings"]]


def place(value: str) -> dict[str, str | None]:
    vendor, _slash, region = value.partition("/")
    return {"vendor": vendor, "region": region or None}


@pytest.fixture(scope="module")
def ranges(tmp_path_factory: pytest.TempPathFactory) -> Ranges:
    return Ranges.load(write_ranges(tmp_path_factory.mktemp("ranges")))


def test_a_correct_zone() -> None:
    values = {"2001:db8::1": "gcp/us-central1", "192.0.2.10": "aws/us-east-1", "192.0.2.9": "aws/us-west-2"}
    report = audited(values, values, hosts={"192.0.2.9": ["web2", "web1"]})
    assert list(report) == [
        "schema_version",
        "zone",
        "zone_id",
        "account_id",
        "api_version",
        "audited_on",
        "error",
        "sources",
        "only_in",
        "ranges",
        "tiered_cache",
        "smart_tiered_cache",
        "obtained_codes",
        "total_count",
        "limit",
        "checked",
        "not_checked",
        "unavailable",
        "counts",
        "findings",
        "mappings",
        "repair",
        "traffic",
    ]
    assert report["findings"] == []
    assert (report["total_count"], report["sources"], report["obtained_codes"]) == (3, ["inventory"], True)
    assert report["not_checked"] == {
        "contradicted": "there are no published ranges to compare with",
        "misrouted": "there is no traffic to compare with",
    }
    assert [mapping["origin_ip"] for mapping in report["mappings"]] == ["192.0.2.9", "192.0.2.10", "2001:db8::1"]
    assert report["mappings"][0]["hosts"] == ["web1", "web2"]
    assert report["mappings"][1] == {
        "origin_ip": "192.0.2.10",
        "vendor": "aws",
        "region": "us-east-1",
        "modified_on": "2026-02-01T12:00:00Z",
        "upper_tier_colos": ["EWR", "IAD"],
        "hosts": [],
        "findings": [],
    }


def reached(address: str, **colos: int) -> Report:
    """Return an origin of the traffic.

    Only 192.0.2.1 has a mapping. Of its data centres, IAD is expected.
    """
    mapped = address == "192.0.2.1"
    total = sum(colos.values())
    tiers = [
        {"colo": colo, "requests": number, "share": 100 * number / total, "expected": colo == "IAD" if mapped else None}
        for colo, number in colos.items()
    ]
    return {
        "origin_ip": address,
        "vendor": "aws" if mapped else None,
        "region": "us-east-1" if mapped else None,
        "requests": total,
        "direct": 0,
        "upper_tiers": tiers,
        "expected": ["EWR", "IAD"] if mapped else [],
        "share_expected": round(100 * colos.get("IAD", 0) / total, 1) if mapped else None,
    }


def observed(*origins: Report, unknown: str | None = None, unavailable: bool = False) -> ObservedTraffic:
    section = {
        "since": "2026-02-28T12:00:00Z",
        "until": "2026-03-01T12:00:00Z",
        "origins": [*origins],
        "not_available": None,
        "limits": [],
        "error": None,
    }
    return ObservedTraffic(section, unknown, unavailable, min_requests=100, min_share=50)


@pytest.mark.parametrize(
    ("expected", "others", "is_finding"), [(49, 51, True), (0, 100, True), (0, 99, False), (10**9, 10**9, False)]
)
def test_misrouted(expected: int, others: int, is_finding: bool) -> None:
    traffic = observed(reached("192.0.2.1", FRA=others - 2, SYD=2, IAD=expected), reached("192.0.2.9", FRA=10**6))
    report = audited({"192.0.2.1": "aws/us-east-1"}, None, hosts={"192.0.2.1": ["web1"]}, traffic=traffic)
    assert "misrouted" in report["checked"]
    assert report["counts"]["misrouted"] == is_finding
    if is_finding:
        [finding] = report["findings"]
        assert finding["message"] == (
            f"192.0.2.1 is mapped to aws/us-east-1, but {expected} percent of about 100 requests came through "
            f"EWR or IAD, others through FRA ({98 - expected} percent), SYD (2 percent)"
        )
        assert (finding["origin_ip"], finding["hosts"], finding["expected"]) == ("192.0.2.1", ["web1"], None)
        assert finding["actual"] == {"vendor": "aws", "region": "us-east-1"}
    assert report["repair"] == {"present": [], "absent": []}


@pytest.mark.parametrize(("expected", "others"), [(4996, 5004), (5000, 5000)])
def test_shares_are_compared_before_rounding(expected: int, others: int) -> None:
    report = audited(
        {"192.0.2.1": "aws/us-east-1"}, None, traffic=observed(reached("192.0.2.1", FRA=others, IAD=expected))
    )
    messages = [finding["message"] for finding in report["findings"]]
    assert ["but 50 percent of about 10000 requests" in message for message in messages] == [True] * (expected < others)


@pytest.mark.parametrize("unavailable", [True, False])
def test_incomplete_traffic(unavailable: bool) -> None:
    traffic = observed(reached("192.0.2.1", FRA=500), unknown="why", unavailable=unavailable)
    report = audited({"192.0.2.1": "aws/us-east-1"}, None, traffic=traffic)
    assert report["counts"]["misrouted"] == 1
    assert report["not_checked"]["misrouted"] == "not all of the traffic could be compared: why"
    assert report["unavailable"] == ["misrouted"] * unavailable


UNMAPPED = {
    "198.51.100.1": ["aws/us-west-2"],
    "198.51.100.200": ["aws"],
    "203.0.113.81": ["gcp/europe-west3", "oci/eu-frankfurt-1"],
    "203.0.113.200": [],
}
"""Locations in the published ranges of addresses without a mapping."""


def test_published_ranges_of_origins_without_a_mapping(ranges: Ranges) -> None:
    addresses = ["192.0.2.1", *UNMAPPED]
    traffic = observed(*(reached(address, FRA=5) for address in addresses))
    zone = {"192.0.2.1": "aws/us-east-1"}
    published = {
        origin["origin_ip"]: origin["published"]
        for origin in audited(zone, ranges=ranges, traffic=traffic)["traffic"]["origins"]
    }
    assert published == {"192.0.2.1": None, **{address: [*map(place, found)] for address, found in UNMAPPED.items()}}
    without = audited(zone, traffic=traffic)["traffic"]
    assert {origin["published"] for origin in without["origins"]} == {None}
    assert audited(zone)["traffic"] is None


@pytest.mark.parametrize(
    ("zone", "expected", "kind"),
    [
        (None, "aws/us-east-1", "missing"),
        ("aws/us-west-2", "aws/us-east-1", "wrong"),
        ("gcp/us-central1", "aws/us-east-1", "wrong"),
        ("aws/us-east-1", None, "stale"),
    ],
)
def test_differences(zone: str | None, expected: str | None, kind: str) -> None:
    right = {"192.0.2.2": "aws/us-east-1"}
    has, wants = ({"192.0.2.1": value} if value else {} for value in (zone, expected))
    report = audited({**right, **has}, {**right, **wants}, hosts={"192.0.2.1": ["web1"]})
    [finding] = report["findings"]
    message = finding.pop("message")
    assert finding == {
        "kind": kind,
        "origin_ip": "192.0.2.1",
        "hosts": ["web1"],
        "actual": place(zone) if zone else None,
        "expected": place(expected) if expected else None,
        "actual_colos": COLOS.get(zone, []),
        "expected_colos": COLOS.get(expected, []),
    }
    for part in filter(None, ("192.0.2.1", zone, expected)):
        assert part in message
    change = {"origin_ip": "192.0.2.1", **place(expected or zone or "")}
    assert report["repair"] == {"present": [change] if expected else [], "absent": [] if expected else [change]}
    # Without an inventory there is nothing to compare with.
    alone = audited(has)
    assert (alone["findings"], alone["sources"]) == ([], [])
    assert {"missing", "wrong", "stale", "no_origins"} <= alone["not_checked"].keys()
    assert alone["unavailable"] == []
    assert alone["repair"] == {"present": [], "absent": []}


@pytest.mark.parametrize("lost", [[], [unresolved("web1"), unresolved("web2", "192.0.2.2")]])
def test_a_source_without_origins_repairs_nothing(lost: list[Unresolved]) -> None:
    report = audited({"192.0.2.1": "aws/us-east-1", "192.0.2.2": "aws/us-east-1"}, {}, unresolved=lost)
    assert report["counts"]["no_origins"] == 1
    assert report["repair"] == {"present": [], "absent": []}
    assert "2 mappings, but no origin from inventory" in report["findings"][-1]["message"]
    assert audited({}, {})["counts"]["no_origins"] == 0


@pytest.mark.parametrize(
    ("state", "kind", "unavailable"),
    [
        ({"supported": None}, "unsupported", True),
        ({"supported": None, "tiered": None}, "unsupported", True),
        ({"supported": None, "tiered": False}, "unsupported", True),
        ({"supported": None, "tiered": False, "has_regions": False}, "unsupported", False),
        ({"tiered": None}, "without_effect", True),
        ({"smart": None}, "without_effect", True),
    ],
)
def test_unchecked_kinds(state: dict[str, Any], kind: str, unavailable: bool) -> None:
    report = audited({"192.0.2.1": "aws/us-east-1"}, {"192.0.2.1": "aws/us-east-1"}, **state)
    assert report["not_checked"][kind]
    assert (kind in report["unavailable"]) == unavailable
    assert bool(aggregate(report, fail_on=[kind])["failures"]) == unavailable


@pytest.mark.parametrize(
    ("code", "unavailable"),
    [
        (None, ["contradicted"]),
        ("private_address", ["contradicted"]),
        ("unknown_cloud", ["contradicted", "missing", "wrong"]),
        ("unknown_region", ["contradicted", "missing", "wrong"]),
    ],
)
def test_unreadable_ranges(code: str | None, unavailable: list[str]) -> None:
    state = ZoneState(mappings({"192.0.2.1": "aws/us-east-1"}), SUPPORTED, True, True)
    # The ranges may have the location of an origin that no variable has.
    hosts = [replace(unresolved("web1", "192.0.2.1"), code=code)] if code else []
    report = audit(HEAD, state, ExpectedState({}, hosts), PublishedRanges(error="no such file"))
    SCHEMA.validate(report)
    reason = "the published ranges could not be read: no such file"
    assert {kind: report["not_checked"][kind] for kind in unavailable} == dict.fromkeys(unavailable, reason)
    assert report["unavailable"] == unavailable


def test_a_mapping_without_a_time() -> None:
    address = ip_address("192.0.2.1")
    state = ZoneState({address: OriginMapping(address, "aws", "us-east-1")}, SUPPORTED, True, True)
    report = audit(HEAD, state, ExpectedState())
    SCHEMA.validate(report)
    assert report["mappings"][0]["modified_on"] is None


def test_addresses_of_unresolved_hosts_are_not_stale() -> None:
    zone = {"192.0.2.1": "aws/us-east-1", "192.0.2.2": "aws/us-east-1"}
    report = audited(
        zone,
        {"192.0.2.3": "aws/us-east-1"},
        unresolved=[unresolved("web2"), unresolved("web1", "192.0.2.1", "192.0.2.3", "192.0.2.4")],
    )
    assert summary_of(report) == [
        ("missing", "192.0.2.3"),
        ("stale", "192.0.2.2"),
        ("unresolved", "192.0.2.1"),
        ("unresolved", "192.0.2.3"),
        ("unresolved", "192.0.2.4"),
        ("unresolved", None),
    ]
    assert [finding["hosts"] for finding in report["findings"]] == [
        ["web1"],
        [],
        ["web1"],
        ["web1"],
        ["web1"],
        ["web2"],
    ]
    assert report["findings"][-1]["message"] == "web2: no variable has its region"
    assert report["findings"][2]["actual"] == place("aws/us-east-1")
    assert report["mappings"][0]["hosts"] == ["web1"]
    # Unresolved hosts are reported without an inventory too.
    assert audited(zone, unresolved=[unresolved("web2")])["counts"]["unresolved"] == 1


@pytest.mark.parametrize(
    ("address", "zone", "expected"),
    [
        # found
        ("192.0.2.1", "azure/eastus2", False),
        ("192.0.2.1", "azure/centralus", "azure/eastus2"),
        ("192.0.2.1", "aws/us-east-1", "azure/eastus2"),
        ("203.0.113.48", "gcp/us-central1", "oci/us-ashburn-1"),
        ("2001:db8:2::1", "gcp/us-central1", False),
        # global
        ("203.0.113.64", "gcp/europe-west3", False),
        ("203.0.113.64", "aws/us-east-1", "gcp"),
        # ambiguous
        ("198.51.100.64", "aws/us-east-1", False),
        ("198.51.100.64", "aws/us-west-2", False),
        ("198.51.100.64", "aws/eu-west-1", "aws"),
        ("203.0.113.80", "oci/eu-frankfurt-1", False),
        ("203.0.113.80", "gcp/us-central1", None),
        # unknown
        ("2001:db8:ffff::1", "aws/us-east-1", False),
    ],
)
def test_contradictions(ranges: Ranges, address: str, zone: str, expected: str | bool | None) -> None:
    report = audited({address: zone}, supported=None, ranges=ranges)
    assert summary_of(report) == ([] if expected is False else [("contradicted", address)])
    for finding in report["findings"]:
        assert (finding["actual"], finding["expected"]) == (place(zone), place(str(expected)) if expected else None)
        for placement in ranges.locate(ip_address(address)).matches:
            assert placement.prefix in finding["message"]


def test_contradictions_are_about_the_zone_alone(ranges: Ranges) -> None:
    assert summary_of(audited({}, {"192.0.2.1": "aws/us-east-1"}, ranges=ranges)) == [("missing", "192.0.2.1")]
    assert summary_of(audited({"192.0.2.1": "aws/us-east-1"})) == []


@pytest.mark.parametrize(
    ("zone", "expected", "says"),
    [
        ("aws/moon-1", None, "aws/moon-1 of the zone"),
        ("aws/moon-1", "aws/us-east-1", "aws/moon-1 of the zone"),
        (None, "aws/moon-1", "aws/moon-1 of the origins"),
        ("aws/us-east-1", "gcp/us-east-1", "gcp/us-east-1 of the origins"),
        ("aws/moon-1", "aws/moon-1", "aws/moon-1 of the zone and of the origins"),
        ("aws/moon-1", "ibm/moon-2", "aws/moon-1 of the zone and ibm/moon-2 of the origins"),
    ],
)
def test_unsupported_regions(zone: str | None, expected: str | None, says: str) -> None:
    has, wants = ({"192.0.2.1": value} if value else {} for value in (zone, expected))
    report = audited(has, wants)
    [finding] = [finding for finding in report["findings"] if finding["kind"] == "unsupported"]
    assert finding["message"].endswith(says)
    assert finding["actual"] == (place(zone) if zone else None)
    assert finding["expected"] == (place(expected) if expected else None)
    wanted = [{"origin_ip": "192.0.2.1", **place("aws/us-east-1")}] if expected == "aws/us-east-1" else []
    assert report["repair"]["present"] == wanted
    # Without the supported regions, unsupported ones cannot be determined.
    blind = audited(has, wants, supported=None)
    assert (blind["counts"]["unsupported"], blind["obtained_codes"]) == (0, None)
    assert all(mapping["upper_tier_colos"] == [] for mapping in blind["mappings"])
    if expected and zone != expected:
        assert blind["repair"]["present"] == [{"origin_ip": "192.0.2.1", **place(expected)}]


def fleet(count: int) -> dict[str, str]:
    return {f"10.0.{number // 256}.{number % 256}": "aws/us-east-1" for number in range(count)}


@pytest.mark.parametrize(
    ("zone", "expected", "percent", "numbers"),
    [
        (3149, None, 90, None),
        (3150, None, 90, ["3150"]),
        (3150, 3150, 91, None),
        (10, 3150, 90, ["10", "3150"]),
        (3500, 0, 100, ["3500"]),
        (3499, 3499, 100, None),
        (35, None, 1, ["35"]),
    ],
)
def test_near_the_limit(zone: int, expected: int | None, percent: int, numbers: list[str] | None) -> None:
    report = audited(fleet(zone), None if expected is None else fleet(expected), near_limit=percent)
    found = [finding for finding in report["findings"] if finding["kind"] == "near_limit"]
    assert bool(found) == bool(numbers)
    for finding in found:
        assert (finding["origin_ip"], finding["actual"], finding["expected"]) == (None, None, None)
        for number in (*(numbers or ()), "3500", f"{percent} percent"):
            assert number in finding["message"]


@pytest.mark.parametrize(
    ("tiered", "smart", "says"),
    [
        (True, True, None),
        (None, None, None),
        (None, True, None),
        (False, True, "because Tiered Cache is off"),
        (False, None, "because Tiered Cache is off"),
        (True, False, "because Smart Tiered Cache is off"),
        (None, False, "because Smart Tiered Cache is off"),
        (False, False, "because Tiered Cache and Smart Tiered Cache are off"),
    ],
)
def test_without_effect(tiered: bool | None, smart: bool | None, says: str | None) -> None:
    assert summary_of(audited({}, tiered=tiered, smart=smart)) == []  # nothing is without effect
    report = audited({"192.0.2.1": "aws/us-east-1"}, tiered=tiered, smart=smart)
    assert summary_of(report) == ([("without_effect", None)] if says else [])
    assert (report["tiered_cache"], report["smart_tiered_cache"]) == (tiered, smart)
    for finding in report["findings"]:
        assert str(says) in finding["message"]
        assert f"originops.cloudflare.tiered_cache (zone_id: {HEAD.zone_id}, " in finding["message"]
        for option, on in (("enabled", tiered), ("smart", smart)):
            assert (f"{option}: true" in finding["message"]) == (on is False)


def test_all_kinds_at_once_come_in_order(ranges: Ranges) -> None:
    report = audited(
        {"192.0.2.10": "aws/us-east-1", "192.0.2.9": "aws/moon-1", "198.51.100.1": "aws/us-west-2"},
        {"2001:db8::1": "aws/us-east-1", "192.0.2.9": "azure/eastus2", "198.51.100.2": "aws/us-west-2"},
        smart=False,
        near_limit=1,
        ranges=ranges,
        unresolved=[unresolved("web3"), unresolved("web1", "192.0.2.10"), unresolved("web0", "192.0.2.10")],
    )
    assert summary_of(report) == [
        ("missing", "198.51.100.2"),
        ("missing", "2001:db8::1"),
        ("wrong", "192.0.2.9"),
        ("stale", "198.51.100.1"),
        ("contradicted", "192.0.2.9"),
        ("contradicted", "192.0.2.10"),
        ("unsupported", "192.0.2.9"),
        ("unresolved", "192.0.2.10"),
        ("unresolved", "192.0.2.10"),
        ("unresolved", None),
        ("without_effect", None),
    ]
    assert [entry["hosts"] for entry in report["findings"] if entry["kind"] == "unresolved"] == [
        ["web0"],
        ["web1"],
        ["web3"],
    ]
    assert {mapping["origin_ip"]: mapping["findings"] for mapping in report["mappings"]} == {
        "192.0.2.9": ["wrong", "contradicted", "unsupported"],
        "192.0.2.10": ["contradicted", "unresolved"],
        "198.51.100.1": ["stale"],
    }


@pytest.mark.parametrize(
    "damage",
    [
        {"surplus": 1},
        {"schema_version": 1},
        {"zone_id": ""},
        {"audited_on": "2026-03-01 12:00"},
        {"counts": {}},
        {"findings": [{"kind": "odd"}]},
        {"mappings": [{"origin_ip": "192.0.2.1"}]},
        {"repair": {"present": []}},
        {"tiered_cache": "on"},
        {"traffic": {}},
    ],
    ids=str,
)
def test_the_schema_rejects_other_structures(damage: Report) -> None:
    assert not SCHEMA.is_valid({**audited({}), **damage})


def test_the_schema_is_closed_and_has_descriptions() -> None:
    Draft202012Validator.check_schema(SCHEMA.schema)

    def describe(schema: Any, where: str) -> None:
        for name, inner in schema.get("properties", {}).items():
            assert "description" in inner or "$ref" in inner, f"{where}.{name}"
            describe(inner, f"{where}.{name}")
        if "properties" in schema:
            assert schema["additionalProperties"] is False, where
            assert schema["required"] == list(schema["properties"]), where

    for name, schema in SCHEMA.schema["$defs"].items():
        assert "description" in schema, name
        describe(schema, name)


def test_the_schema_has_the_kinds() -> None:
    definitions = SCHEMA.schema["$defs"]
    assert definitions["kind"]["enum"] == list(definitions["counts"]["properties"]) == list(KINDS)
    assert list(definitions["aggregate"]["properties"]["totals"]["properties"])[-len(KINDS) :] == list(KINDS)


def shape_of(schema: Any) -> Any:
    """Convert a JSON Schema to a shape of _schema."""
    names = {"integer": "number", "number": "percentage", "boolean": "flag", "string": "text"}
    reference = schema.get("$ref", "").rpartition("/")[2]
    if reference in ("address", "kind", "time"):
        return reference
    if reference:
        return shape_of(SCHEMA.schema["$defs"][reference])
    if "const" in schema:
        return "version"
    if "anyOf" in schema:
        inner, null = schema["anyOf"]
        return (shape_of(inner),) if null == {"type": "null"} else schema
    if "enum" in schema:
        return ("text",) if None in schema["enum"] else "text"
    match schema["type"]:
        case [name, "null"]:
            return (names[name],)
        case "array":
            return [shape_of(schema["items"])]
        case "object":
            if "properties" not in schema:
                return {"*": shape_of(schema["additionalProperties"])}
            return {name: shape_of(inner) for name, inner in schema["properties"].items()}
        case name:
            return names[name]


def test_the_schema_has_the_structure() -> None:
    assert repr(shape_of(SCHEMA.schema["$defs"]["zone"])) == repr(ZONE_REPORT)


def type_of(shape: Any) -> str:
    """Return Ansible's type of a shape."""
    if isinstance(shape, list | dict):
        return type(shape).__name__
    return {"flag": "bool", "number": "int", "percentage": "float", "version": "int"}.get(shape, "str")


def check_documentation(documented: Any, shape: Any) -> None:
    shape = shape[0] if isinstance(shape, tuple) else shape
    assert documented["type"] == type_of(shape)
    if isinstance(shape, list):
        [shape] = shape
        assert documented["elements"] == type_of(shape)
    if "contains" in documented:  # small dictionaries are described by a sentence
        assert list(documented["contains"]) == list(shape)
        for key, member in documented["contains"].items():
            check_documentation(member, shape[key])


def test_the_module_documents_the_structure() -> None:
    documented = yaml.safe_load(origin_cloud_region_audit.RETURN)["report"]
    assert [key for key, member in documented["contains"].items() if "contains" in member] == [
        "findings",
        "mappings",
        "repair",
    ]
    check_documentation(documented, ZONE_REPORT)


def test_an_empty_report_has_the_structure() -> None:
    report = empty_report({"zone": "example.com"}, "2026-03-01T12:00:00Z", "no response")
    assert repr(aggregate(report)["zones"]) == repr([report])
    SCHEMA.validate(report)


ADDRESSES = st.sampled_from([*(f"192.0.2.{last}" for last in range(1, 9)), "2001:db8::1", "2001:db8::2"])
PLACES = st.sampled_from(
    ["aws/us-east-1", "aws/us-west-2", "gcp/us-central1", "azure/eastus2", "aws/moon-1", "oci/us-ashburn-1"]
)
VALUES = st.dictionaries(ADDRESSES, PLACES)
HOSTS = st.lists(st.builds(lambda host, at: unresolved(host, *at), st.sampled_from("abc"), st.sets(ADDRESSES)))


def as_values(listed: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {entry["origin_ip"]: f"{entry['vendor']}/{entry['region']}" for entry in listed}


@given(VALUES, VALUES, HOSTS, st.sampled_from([SUPPORTED, None]))
def test_a_repaired_zone_has_no_findings(
    zone: dict[str, str], expected: dict[str, str], hosts: list[Unresolved], supported: SupportedRegions | None
) -> None:
    repair = audited(zone, expected, unresolved=hosts, supported=supported)["repair"]
    present, absent = as_values(repair["present"]), as_values(repair["absent"])
    assert absent.keys().isdisjoint(expected)
    repaired = {**{at: value for at, value in zone.items() if at not in absent}, **present}
    again = audited(repaired, expected, unresolved=hosts, supported=supported)
    assert again["repair"] == {"present": [], "absent": []}
    refused = {entry["origin_ip"] for entry in again["findings"] if entry["kind"] == "unsupported"}
    left = {entry["origin_ip"] for entry in again["findings"] if entry["kind"] in ("missing", "wrong", "stale")}
    if not expected:  # the source has probably failed
        assert repair == {"present": [], "absent": []}
        return
    assert left <= {at for at in refused if expected.get(at) == "aws/moon-1"}
    # A repair only sets mappings of the inventory, and only deletes mappings of the zone.
    assert present.items() <= expected.items()
    assert absent.items() <= zone.items()


@given(VALUES, st.none() | VALUES, HOSTS, st.randoms())
def test_a_report_does_not_depend_on_the_order_of_its_input(
    zone: dict[str, str], expected: dict[str, str] | None, hosts: list[Unresolved], random: Any
) -> None:
    def shuffled(values: dict[str, str]) -> dict[str, str]:
        return dict(random.sample(list(values.items()), len(values)))

    report = audited(zone, expected, unresolved=hosts)
    other = audited(
        shuffled(zone),
        None if expected is None else shuffled(expected),
        unresolved=random.sample(hosts, len(hosts)),
    )
    assert json.dumps(other) == json.dumps(report)
