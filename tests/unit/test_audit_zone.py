# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit of an emulator's zone: requests, unreadable parts and errors."""

from __future__ import annotations

import json
import re
from math import ceil
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from ansible_collections.originops.cloudflare.plugins.filter.origin_mappings import origin_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._settings import ensure_tiered_cache
from emulator.faults import Fault, Respond
from emulator.server import Emulator
from emulator.state import Zone
from support.cloud_hosts import origin
from support.operations import Result, audit_zone, both, failure_of, perform
from support.published_ranges import write_ranges
from support.values import fleet, items, refusal

SCHEMA = Path(__file__).parents[2] / "roles/audit/files/report.schema.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))

SEEDED = {
    "192.0.2.1": ("aws", "us-east-1"),
    "192.0.2.2": ("gcp", "us-east1"),
    "2001:db8::1": ("oci", "uk-london-1"),
}
TIERED = "/argo/tiered_caching"
SMART = "/cache/tiered_cache_smart_topology_enable"
REGIONS = "/supported_regions"


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com", mappings=SEEDED)


def run(emulator: Emulator, audited: Zone, /, **chosen: Any) -> Result:
    """Return the result of an audit, after validating its report."""
    result = perform(audit_zone, **{"url": emulator.api_url, "zone_id": audited.id, **chosen})
    VALIDATOR.validate(result["report"])
    assert (result["changed"], emulator.writes) == (False, [])
    return result


@both
def test_a_zone_compared_with_its_inventory(emulator: Emulator, zone: Zone, served: str) -> None:
    expected = {"192.0.2.1": ("aws", "us-east-1"), "192.0.2.2": ("gcp", "us-west1"), "192.0.2.3": ("aws", "us-east-1")}
    chosen: dict[str, Any] = {
        "expected": items(expected),
        "hosts": {"192.0.2.2": ["web2"], "2001:DB8::0:1": ["old"]},
        "unresolved": [{"host": "web9", "reason": "it has no public address"}],
        "api_version": served,
    }
    result = run(emulator, zone, **chosen)
    report = result["report"]
    assert [(finding["kind"], finding["origin_ip"], finding["hosts"]) for finding in report["findings"]] == [
        ("missing", "192.0.2.3", []),
        ("wrong", "192.0.2.2", ["web2"]),
        ("stale", "2001:db8::1", ["old"]),
        ("unresolved", None, ["web9"]),
    ]
    assert (report["zone_id"], report["zone"], report["api_version"]) == (zone.id, None, served)
    assert (result["zone_id"], result["api_version"], result["warnings"]) == (zone.id, served, [])
    assert (report["tiered_cache"], report["smart_tiered_cache"], report["obtained_codes"]) == (True, True, True)
    assert report["mappings"][0]["upper_tier_colos"] == ["EWR", "IAD"]
    assert report["mappings"][0]["modified_on"] == zone.mappings["192.0.2.1"].modified_on
    in_check_mode = run(emulator, zone, **chosen, check_mode=True)["report"]
    assert in_check_mode == {**report, "audited_on": in_check_mode["audited_on"]}


@both
def test_a_repair_is_accepted_by_a_batch(emulator: Emulator, zone: Zone, served: str) -> None:
    expected = {**SEEDED, "192.0.2.2": ("gcp", "us-west1"), "192.0.2.3": ("aws", "us-east-1")}
    del expected["192.0.2.1"]
    repair = run(emulator, zone, expected=items(expected), api_version=served)["report"]["repair"]
    common = {"url": emulator.api_url, "zone_id": zone.id, "api_version": served}
    for state, mappings in repair.items():
        perform(ensure_mappings, **common, mappings=mappings, state=state)
    assert zone.values() == expected
    emulator.requests.clear()
    assert run(emulator, zone, expected=items(expected), api_version=served)["report"]["findings"] == []


@pytest.mark.parametrize(
    ("variables", "absent"),
    [
        ({"origin_ip": "192.0.2.2."}, []),
        ({"origin_ip": ["192.0.2.1", "lb.example.net"], "origin_region": "{{ nowhere }}"}, []),
        ({"origin_ip": ["192.0.2.1"], "origin_region": "{{ nowhere }}"}, ["192.0.2.2"]),
        ({}, ["192.0.2.2"]),
    ],
)
def test_a_repair_keeps_the_mapping_of_an_unreadable_address(
    emulator: Emulator, zone: Zone, variables: dict[str, Any], absent: list[str]
) -> None:
    web1 = {**origin("192.0.2.1", "aws/us-east-1"), **variables}
    hosts = {"web1": web1, "web2": origin("2001:db8::1", "oci/uk-london-1")}
    found = origin_mappings(hosts, unresolved="report")
    report = run(emulator, zone, expected=found["mappings"], unresolved=found["unresolved"])["report"]
    assert "192.0.2.2" in [finding["origin_ip"] for finding in report["findings"] if finding["kind"] == "stale"]
    assert [mapping["origin_ip"] for mapping in report["repair"]["absent"]] == absent


@pytest.mark.parametrize("count", [0, 1, 100, 101, 3500])
def test_budget(emulator: Emulator, count: int) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(count))
    report = run(emulator, zone, expected=items(fleet(count)))["report"]
    assert len(emulator.requests) == max(1, ceil(count / 100)) + 3
    assert report["total_count"] == len(report["mappings"]) == count
    emulator.requests.clear()
    run(emulator, zone, api_version="v1")
    assert len(emulator.requests) == 1 + 3


def test_a_zone_by_its_name(emulator: Emulator, zone: Zone) -> None:
    report = run(emulator, zone, zone_id=None, zone="example.com")["report"]
    assert (report["zone_id"], report["zone"]) == (zone.id, "example.com")
    assert len(emulator.requests) == 1 + 4


def test_v1_if_v2_is_not_served(emulator: Emulator, zone: Zone) -> None:
    emulator.api_versions = ("v1",)
    result = run(emulator, zone, expected=items(SEEDED))
    assert (result["report"]["api_version"], result["report"]["findings"]) == ("v1", [])
    assert "2026-10-01" in result["deprecation"]
    assert len(emulator.requests) == 2 + 3


@pytest.mark.parametrize(("tiered", "smart"), [(False, True), (True, False), (True, None), (False, None)])
def test_mappings_without_effect_and_the_hint(emulator: Emulator, zone: Zone, tiered: bool, smart: bool | None) -> None:
    emulator.add_zone(zone.name, tiered_cache=tiered, smart_tiered_cache=smart)
    result = run(emulator, zone, expected=items({**SEEDED, "192.0.2.1": ("aws", "moon-1")}))
    report = result["report"]
    assert (report["tiered_cache"], report["smart_tiered_cache"]) == (tiered, bool(smart))
    assert (report["counts"]["without_effect"], report["counts"]["unsupported"]) == (1, int(tiered))
    assert report["obtained_codes"] is (True if tiered else None)
    assert result["warnings"] == []
    message = report["findings"][-1]["message"]
    [named] = re.findall(r"the module originops\.cloudflare\.tiered_cache \((.*?)\)", message)
    chosen = yaml.safe_load(f"{{{named}}}")
    assert len(chosen) == 1 + (not tiered) + (not smart)
    assert perform(ensure_tiered_cache, emulator.api_url, **chosen)["changed"] is True
    emulator.requests.clear()
    assert run(emulator, zone)["report"]["findings"] == []


ODD = [
    *(refusal(*refused) for refused in ((400, 7003), (401, 10000), (403, 9109), (403, 1135), (500, 1140))),
    Respond(404, "<html>not found</html>"),
    *(
        Respond(200, {"success": True, "errors": [], "messages": [], "result": result})
        for result in (None, [], "on", {}, {"value": True}, {"value": "ON"}, {"value": None})
    ),
]


@pytest.mark.parametrize(
    "part",
    [
        (TIERED, "tiered_cache", "without_effect"),
        (SMART, "smart_tiered_cache", "without_effect"),
        (REGIONS, "obtained_codes", "unsupported"),
    ],
    ids=itemgetter(1),
)
@pytest.mark.parametrize("response", ODD)
def test_unreadable_parts_do_not_discard_the_rest(
    emulator: Emulator, zone: Zone, part: tuple[str, str, str], response: Respond
) -> None:
    path, name, kind = part
    emulator.faults = [Fault(effect=response, path=path, times=None)]
    result = run(emulator, zone, expected=items({**SEEDED, "192.0.2.1": ("aws", "moon-1")}))
    report = result["report"]
    assert (report[name], report["unavailable"], report["counts"]["wrong"]) == (None, [kind], 1)
    assert kind in report["not_checked"]
    [warning] = result["warnings"]
    assert warning.startswith("The audit could not read ")


@pytest.mark.parametrize(
    ("response", "is_unavailable"), [(None, False), (refusal(503, 1140), True), (refusal(403, 9109), True)]
)
def test_unreadable_regions_while_tiered_cache_is_off(
    emulator: Emulator, zone: Zone, response: Respond | None, is_unavailable: bool
) -> None:
    zone.tiered_cache = False
    emulator.faults = [Fault(effect=response, path=REGIONS, times=None)] if response else []
    result = run(emulator, zone)
    assert ("unsupported" in result["report"]["unavailable"]) == is_unavailable
    assert ("Tiered Cache is off" in result["report"]["not_checked"]["unsupported"]) != is_unavailable
    assert len(result.get("warnings", [])) == is_unavailable


def test_published_ranges(emulator: Emulator, zone: Zone, tmp_path: Path) -> None:
    paths = write_ranges(tmp_path)
    counts = [
        run(emulator, zone, ranges=ranges)["report"]["counts"]["contradicted"]
        for ranges in (None, {}, {"aws": paths["aws"]}, {"azure": paths["azure"], "gcp": None}, paths)
    ]
    assert counts == [0, 0, 0, 2, 2]
    result = run(emulator, zone, ranges={"aws": "/nowhere/aws.json"})
    assert result["report"]["unavailable"] == ["contradicted"]
    assert "there is no file '/nowhere/aws.json'" in result["warnings"][0]


def test_a_read_only_token(emulator: Emulator, zone: Zone) -> None:
    assert run(emulator, zone, api_token=emulator.read_only_token)["report"]["total_count"] == 3


GOOD = items({"192.0.2.1": ("aws", "us-east-1")})


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (
            {"expected": ["192.0.2.5", *GOOD, {"ip": "192.0.2.300", "vendor": "aws", "region": "us-east-1"}]},
            ["item 1 (expected[0])", "item 3 (expected[2])", "192.0.2.300"],
        ),
        (
            {"expected": [*GOOD, {**GOOD[0], "region": "us-west-2"}, "x"]},
            ["item 1 (expected[0]) and item 2 (expected[1]) give 192.0.2.1 different values", "(expected[2])"],
        ),
        (
            {
                "expected": ["x"],
                "unresolved": [{"host": "web1", "reason": "why", "addresses": ["192.0.2.1", "192.0.2.0/24"]}],
                "hosts": {"web1": ["192.0.2.1"], "192.0.2.1": "web1", "192.0.2.2": [2]},
            },
            ["expected[0]", "unresolved[0]", "addresses[1]", "hosts['web1']", "hosts['192.0.2.1']", "['192.0.2.2']"],
        ),
        (
            {"expected": ["x"] * 9, "hosts": {name: [] for name in "abc"}},
            ["item 9 (expected[8])", "hosts['a']: 'a' is not an IPv4 or IPv6 address; and 2 more"],
        ),
        ({"near_limit": 0}, ["near_limit: 0 is not between 1 and 100 percent"]),
        ({"near_limit": 101}, ["near_limit: 101"]),
    ],
    ids=["items", "conflict", "all at once", "many", "limit: none", "limit: too much"],
)
def test_bad_options_fail_before_the_first_request(
    emulator: Emulator, zone: Zone, chosen: dict[str, Any], says: list[str]
) -> None:
    failed = failure_of(run, emulator, zone, **chosen)
    for part in says:
        assert part in str(failed)
    assert "hosts['b']" not in str(failed)
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"zone_id": "0" * 32}, "7003"),
        ({"zone_id": None, "zone": "nowhere.example"}, "there is no nowhere.example"),
        ({"api_token": "wrong-9Rk2Lw8Bq"}, "10000"),
        ({"zone_id": ""}, "one of the following is required: zone_id, zone"),
    ],
)
def test_an_unreadable_zone(emulator: Emulator, zone: Zone, chosen: dict[str, Any], says: str) -> None:
    failed = failure_of(run, emulator, zone, **chosen)
    assert says in str(failed)
    assert "report" not in failed.result
