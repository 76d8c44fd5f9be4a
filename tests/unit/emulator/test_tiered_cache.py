# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of Tiered Cache: rules over HTTP, and Cloudflare's SDK."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import cloudflare
import pytest
import requests
from cloudflare import Cloudflare
from cloudflare.types.argo import TieredCachingEditResponse, TieredCachingGetResponse
from cloudflare.types.cache import (
    SmartTieredCacheCreateResponse,
    SmartTieredCacheDeleteResponse,
    SmartTieredCacheEditResponse,
    SmartTieredCacheGetResponse,
)

from emulator.server import Emulator
from emulator.state import Zone

Call = Callable[..., requests.Response]

TIERED = "/zones/{}/argo/tiered_caching"
SMART = "/zones/{}/cache/tiered_cache_smart_topology_enable"
NOW = "2026-03-01T12:00:00Z"

either = pytest.mark.parametrize("path", [TIERED, SMART], ids=["tiered", "smart"])


def setting(path: str, value: str, modified_on: str | None = None) -> dict[str, Any]:
    return {"id": path.rpartition("/")[2], "value": value, "editable": True, "modified_on": modified_on}


@either
def test_default_of_a_new_zone(call: Call, zone: Zone, path: str) -> None:
    assert call("GET", path.format(zone.id)).json()["result"] == setting(path, "on")


@either
def test_edit(call: Call, zone: Zone, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.state._now", lambda: NOW)
    field = "tiered_cache" if path is TIERED else "smart_tiered_cache"
    for value in ("off", "on"):
        response = call("PATCH", path.format(zone.id), json={"value": value})
        assert response.json()["result"] == setting(path, value, NOW)
        assert call("GET", path.format(zone.id)).json()["result"] == setting(path, value, NOW)
        assert getattr(zone, field) is (value == "on")


@either
@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"{}", b'"on"', b'{"value": true}', b'{"value": "On"}', b'{"value": "on", "more": 1}'],
)
def test_bad_body(call: Call, zone: Zone, path: str, body: bytes) -> None:
    response = call("PATCH", path.format(zone.id), data=body)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, 1146)
    assert (zone.tiered_cache, zone.smart_tiered_cache) == (True, True)


def test_supported_regions_need_tiered_cache(call: Call, zone: Zone) -> None:
    regions = f"/zones/{zone.id}/origin/cloud_regions/supported_regions"
    for value, status in (("off", 403), ("on", 200)):
        call("PATCH", TIERED.format(zone.id), json={"value": value})
        assert call("GET", regions).status_code == status


def test_an_unset_setting_is_not_found(emulator: Emulator, call: Call, zone: Zone) -> None:
    path = SMART.format(zone.id)
    emulator.add_zone(zone.name, smart_tiered_cache=None)
    for method in ("GET", "DELETE"):
        response = call(method, path)
        assert (response.status_code, response.json()["errors"][0]["code"]) == (404, 1142)
    call("PATCH", path, json={"value": "off"})
    assert call("GET", path).json()["result"]["value"] == "off"
    assert "value" not in call("DELETE", path).json()["result"]
    assert zone.smart_tiered_cache is None


def test_an_unset_setting_is_created(emulator: Emulator, call: Call, zone: Zone) -> None:
    path = SMART.format(zone.id)
    emulator.patch_creates = False
    emulator.add_zone(zone.name, smart_tiered_cache=None)
    assert call("PATCH", path, json={"value": "on"}).status_code == 404
    assert zone.smart_tiered_cache is None
    assert call("POST", path, json={"value": "on"}).json()["result"]["value"] == "on"
    assert call("PATCH", path, json={"value": "off"}).json()["result"]["value"] == "off"
    assert zone.smart_tiered_cache is False


@either
def test_a_setting_that_is_not_editable_can_be_changed(emulator: Emulator, call: Call, zone: Zone, path: str) -> None:
    emulator.settings_editable = False
    changed = call("PATCH", path.format(zone.id), json={"value": "off"}).json()["result"]
    assert (changed["editable"], changed["value"]) == (False, "off")
    assert call("GET", path.format(zone.id)).json()["result"] == changed


@either
def test_other_methods_and_zones_have_no_route(call: Call, zone: Zone, path: str) -> None:
    for method in ("PUT", *(("POST", "DELETE") if path is TIERED else ())):
        assert call(method, path.format(zone.id)).json()["errors"][0]["code"] == 7003
    assert call("GET", path.format("0" * 32)).json()["errors"][0]["code"] == 7003


def test_both_are_independent_of_the_api_version(emulator: Emulator, call: Call, zone: Zone) -> None:
    for served in ("v1", "v2"):
        emulator.api_versions = (served,)
        assert [call("GET", path.format(zone.id)).status_code for path in (TIERED, SMART)] == [200, 200]


def test_the_control_endpoint_sets_them(emulator: Emulator, zone: Zone) -> None:
    def put(**body: bool | None) -> tuple[Any, Any]:
        facts = requests.put(f"{emulator.control_url}/zones/{zone.name}", json=body, timeout=10).json()
        assert (facts["tiered_cache"], facts["smart_tiered_cache"]) == (
            zone.tiered_cache,
            zone.smart_tiered_cache,
        )
        return facts["tiered_cache"], facts["smart_tiered_cache"]

    assert put() == (True, True)
    assert put(smart_tiered_cache=False) == (True, False)
    assert put(tiered_cache=False) == (False, False)
    assert put(smart_tiered_cache=None) == (False, None)
    assert put(tiered_cache=True) == (True, None)


def test_the_sdk(emulator: Emulator, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.state._now", lambda: NOW)
    now = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    smart: dict[str, Any] = {"id": "tiered_cache_smart_topology_enable", "editable": True}
    tiered: dict[str, Any] = {"id": "tiered_caching", "editable": True}
    with Cloudflare(
        api_token=emulator.token, base_url=emulator.api_url, max_retries=0, _strict_response_validation=True
    ) as client:
        caching, topology = client.argo.tiered_caching, client.cache.smart_tiered_cache
        assert caching.get(zone_id=zone.id) == TieredCachingGetResponse(**tiered, value="on")
        edited = caching.edit(zone_id=zone.id, value="off")
        assert edited == TieredCachingEditResponse(**tiered, value="off", modified_on=now)
        assert topology.get(zone_id=zone.id) == SmartTieredCacheGetResponse(**smart, value="on")
        changed = topology.edit(zone_id=zone.id, value="off")
        assert changed == SmartTieredCacheEditResponse(**smart, value="off", modified_on=now)
        created = topology.create(zone_id=zone.id, value="on")
        assert created == SmartTieredCacheCreateResponse(**smart, value="on", modified_on=now)
        assert topology.delete(zone_id=zone.id) == SmartTieredCacheDeleteResponse(**smart, modified_on=now)
        with pytest.raises(cloudflare.NotFoundError) as caught:
            topology.get(zone_id=zone.id)
        assert caught.value.errors[0].code == 1142
    assert (zone.tiered_cache, zone.smart_tiered_cache) == (False, None)
