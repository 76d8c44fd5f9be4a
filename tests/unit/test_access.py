# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Permissions of credentials: each part of a zone, and other failures."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._access import PERMISSIONS, check_access
from emulator.faults import Effect, Fault, Reset, Respond
from emulator.server import Emulator
from emulator.state import Zone
from support.operations import Result, perform, result_of
from support.values import ZONE_ID, refusal

pytestmark = pytest.mark.usefixtures("waits")

PATHS = {
    "mappings": r"/cloud_regions(\?|$)",
    "supported_regions": "/supported_regions",
    "tiered_cache": "/argo/tiered_caching",
    "smart_tiered_cache": "/tiered_cache_smart_topology_enable",
    "dns_records": "/dns_records",
    "load_balancers": r"/zones/\w+/load_balancers",
    "pools": "/pools",
    "traffic": "/graphql",
}
"""Patterns of request paths, by part of a zone."""


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com", mappings={"192.0.2.1": ("aws", "us-east-1")})


def run(emulator: Emulator, zone_id: str | None, /, **chosen: Any) -> Result:
    emulator.requests.clear()
    result = result_of(perform, check_access, emulator.api_url, zone_id=zone_id, **chosen)
    assert emulator.writes == []
    assert result["changed"] is False
    assert emulator.token not in str(result)
    return result


def allowed(result: Result) -> dict[str, bool | None]:
    return {name: part["allowed"] for name, part in result["access"].items()}


def test_a_token_with_every_permission(emulator: Emulator, zone: Zone) -> None:
    result = run(emulator, zone.id)
    assert allowed(result) == {"zones": True, **dict.fromkeys(PATHS, True), "write": None}
    assert {name: part["permission"] for name, part in result["access"].items()} == PERMISSIONS
    assert (result["missing_permissions"], [*result["not_checked"]]) == ([], ["write"])
    assert (result["zone_id"], result["api_version"]) == (zone.id, "v2")
    assert "Only a write shows" in result["access"]["write"]["message"]
    assert len(emulator.requests) == 9
    assert run(emulator, zone.id, check_mode=True) == result
    assert run(emulator, None, zone=zone.name) == result
    assert len(emulator.requests) == 9


@pytest.mark.parametrize("code", [9109, 10000])
@pytest.mark.parametrize("part", PATHS)
def test_a_missing_permission(emulator: Emulator, zone: Zone, part: str, code: int) -> None:
    emulator.faults = [Fault(effect=refusal(403, code), path=PATHS[part], times=None)]
    result = run(emulator, zone.id)
    assert [name for name, value in allowed(result).items() if value is False] == [part]
    assert result["missing_permissions"] == [PERMISSIONS[part]]
    assert [*result["not_checked"]] == ["write"]
    found = result["access"][part]
    assert f"code {code}" in found["message"]
    if part != "traffic":
        assert (found["status"], [error["code"] for error in found["errors"]]) == (403, [code])


def test_permissions_as_the_api_refuses_them(emulator: Emulator, zone: Zone) -> None:
    emulator.load_balancing = emulator.analytics = "forbidden"
    result = run(emulator, zone.id)
    refused = ["load_balancers", "pools", "traffic"]
    assert result["missing_permissions"] == [PERMISSIONS[part] for part in refused]
    assert "not authorized" in result["access"]["traffic"]["message"]


def test_a_permission_that_several_parts_need_is_named_once(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [Fault(effect=refusal(403, 10000), path=r"/(cache|argo|cloud_regions)\b", times=None)]
    assert run(emulator, zone.id)["missing_permissions"] == ["Zone Settings: Read"]


@pytest.mark.parametrize(
    "effect",
    [Reset(), Respond(503), Respond(403, "<html>blocked</html>"), Respond(401, "log in"), refusal(429, 10100)],
    ids=["reset", "503", "a page with 403", "a page with 401", "429"],
)
@pytest.mark.parametrize("part", PATHS)
def test_other_failures_count_as_not_checked(emulator: Emulator, zone: Zone, part: str, effect: Effect) -> None:
    emulator.faults = [Fault(effect=effect, path=PATHS[part], times=None)]
    result = run(emulator, zone.id)
    assert result["missing_permissions"] == []
    assert [*result["not_checked"]] == [part, "write"]
    assert result["access"][part]["message"]


def test_refusals_by_plan_or_setting_count_as_not_checked(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com", tiered_cache=False, analytics={"unlisted": True})
    emulator.load_balancing = "not_enabled"
    result = run(emulator, zone.id)
    assert result["missing_permissions"] == []
    assert [*result["not_checked"]] == ["supported_regions", "load_balancers", "pools", "traffic", "write"]
    assert "Supported regions need Tiered Cache" in result["access"]["supported_regions"]["message"]
    assert result["access"]["supported_regions"]["errors"][0]["code"] == 1135


def test_settings_that_were_never_set_and_analytics_of_a_lesser_plan_are_allowed(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com", smart_tiered_cache=None, analytics={"enabled": False})
    access = run(emulator, zone.id)["access"]
    assert (access["smart_tiered_cache"]["allowed"], access["traffic"]["allowed"]) == (True, True)
    assert "not enabled for the zone's plan" in access["traffic"]["message"]


def test_pools_without_the_account(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [Fault(effect=refusal(403, 10000), path=rf"/zones/{zone.id}$", times=None)]
    result = run(emulator, zone.id)
    assert (result["missing_permissions"], [*result["not_checked"]]) == (["Zone: Read"], ["pools", "write"])
    assert "set account_id" in result["access"]["pools"]["message"]
    assert run(emulator, zone.id, account_id=zone.account_id)["access"]["pools"]["allowed"] is True


def test_a_service_with_version_1_only(emulator: Emulator, zone: Zone) -> None:
    emulator.api_versions = ("v1",)
    result = run(emulator, zone.id)
    assert (result["missing_permissions"], result["api_version"]) == ([], "v1")
    assert "deprecation" in result
    assert len(emulator.requests) == 9 + 2


def test_an_invalid_token(emulator: Emulator, zone: Zone) -> None:
    for chosen in ({}, {"zone": zone.name}):
        result = run(emulator, None if chosen else zone.id, api_token="invalid-token-of-the-test", **chosen)
        assert "HTTP 401" in result["msg"]
        assert "Check that the credentials are valid" in result["msg"]
        assert result["status"] == 401
        assert len(emulator.requests) == 1


def test_a_token_for_other_zones_only(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [Fault(effect=refusal(403, 9109), times=None)]
    result = run(emulator, zone.id)
    assert result["msg"].startswith(f"None of the requests about zone {zone.id} succeeded. Reading the zone ")
    assert (result["status"], result["zone_id"]) == (403, zone.id)
    by_name = run(emulator, None, zone=zone.name)
    assert by_name["msg"].endswith("Zone: Read is missing, check the other permissions by zone_id instead of zone")


def test_no_such_zone(emulator: Emulator, zone: Zone) -> None:
    assert "Check zone_id and api_url" in run(emulator, ZONE_ID)["msg"]
    assert len(emulator.requests) == 1
    assert "there is no example.org" in run(emulator, None, zone="example.org")["msg"]


def test_no_connection(emulator: Emulator, zone: Zone) -> None:
    emulator.faults = [Fault(effect=Reset(), times=None)]
    result = run(emulator, zone.id)
    assert (result["status"], "Check that the credentials" in result["msg"]) == (None, False)
