# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests of all operations, validated against an OpenAPI description.

The emulator's responses are validated too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._connection import open_client
from ansible_collections.originops.cloudflare.plugins.module_utils._zones import list_zones
from emulator.state import Zone
from support.operations import (
    audit_zone,
    ensure_mapping,
    ensure_mappings,
    ensure_tiered_cache,
    options,
    perform,
    read_mappings,
    read_origins,
    read_upper_tiers,
)
from support.values import as_values, fleet, items

from .conftest import ValidatingProxy

ORIGIN = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
FLEET = fleet(150)

RECORDS = [
    {"name": "www.example.com", "type": "A", "content": "203.0.113.1", "proxied": True},
    {"name": "example.com", "type": "CNAME", "content": "origin.example.net", "proxied": True},
]
POOLS = [{"name": "pool", "origins": [{"name": "one", "address": "192.0.2.2", "enabled": True}]}]

Run = Callable[..., dict[str, Any]]
Story = Callable[[Run, Zone], None]


def single(run: Run, zone: Zone) -> None:
    assert run(ensure_mapping, **ORIGIN)["changed"]
    assert run(ensure_mapping, **ORIGIN, check_mode=True)["changed"] is False
    assert run(ensure_mapping, **{**ORIGIN, "region": "eu-west-1"})["changed"]
    assert run(ensure_mapping, origin_ip="2001:db8::1", vendor="gcp", region="us-east1", check_mode=True)["changed"]
    assert run(ensure_mapping, origin_ip="192.0.2.1", state="absent")["changed"]
    assert zone.values() == {}


def batch(run: Run, zone: Zone) -> None:
    assert run(ensure_mappings, mappings=items(FLEET))["summary"]["created"] == len(FLEET)
    purged = run(ensure_mappings, mappings=[ORIGIN], purge=True, max_delete_percentage=100)
    assert purged["summary"]["deleted"] == len(FLEET)
    assert run(ensure_mappings, mappings=["192.0.2.1"], state="absent")["changed"]
    assert zone.values() == {}


def info(run: Run, zone: Zone) -> None:
    zone.replace(FLEET)
    whole = run(read_mappings, supported_regions=True)
    assert as_values(whole["mappings"]) == FLEET
    assert whole["supported_regions"]
    one, absent = "10.0.0.1", "192.0.2.99"
    assert as_values(run(read_mappings, origin_ip=[one, absent])["mappings"]) == {one: FLEET[one]}


def audit(run: Run, zone: Zone) -> None:
    zone.replace(FLEET)
    assert run(audit_zone)["report"]["total_count"] == len(FLEET)


VERSIONED: list[Story] = [single, batch, info, audit]
"""Operations with endpoints of both versions."""


def by_name(run: Run, zone: Zone) -> None:
    zone.replace(FLEET)
    assert run(read_mappings, zone=zone.name, zone_id=None, origin_ip=["10.0.0.1"])["zone_id"] == zone.id


def settings(run: Run, zone: Zone) -> None:
    for value in (False, True):
        assert run(ensure_tiered_cache, enabled=value, smart=value)["tiered_cache"] == {
            "enabled": value,
            "smart": value,
        }


def origins(run: Run, zone: Zone) -> None:
    found = run(read_origins)
    assert [item["origin_ip"] for item in found["origins"]] == ["192.0.2.2", "203.0.113.1"]


def traffic(run: Run, zone: Zone) -> None:
    zone.replace({"192.0.2.1": ("aws", "us-east-1")})
    zone.traffic = {"192.0.2.1": {"IAD": 20}}
    assert run(read_upper_tiers)["zones"]


UNVERSIONED: list[Story] = [by_name, settings, origins, traffic]


def conform(proxy: ValidatingProxy) -> None:
    """Check the requests and responses since the last check."""
    violations, undescribed = proxy.findings()
    assert violations == []
    if undescribed:
        pytest.skip(f"not in the description: {', '.join(sorted(set(undescribed)))}")


@pytest.mark.parametrize(
    ("story", "version"),
    [(story, version) for story in VERSIONED for version in ("v1", "v2")] + [(story, "v2") for story in UNVERSIONED],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_an_operation(proxy: ValidatingProxy, story: Story, version: str) -> None:
    emulator = proxy.emulator
    pools = emulator.set_pools("Example", POOLS)
    balancers = [{"name": "lb.example.com", "default_pools": pools, "fallback_pool": pools[0], "proxied": True}]
    name = f"{story.__name__}-{version}.example".replace("_", "-")
    zone = emulator.add_zone(name, dns_records=RECORDS, load_balancers=balancers)

    def run(operation: Any, **chosen: Any) -> dict[str, Any]:
        return perform(operation, proxy.url, **{"zone_id": zone.id, "api_version": version, **chosen})

    story(run, zone)
    conform(proxy)


def test_the_list_of_zones(proxy: ValidatingProxy) -> None:
    proxy.emulator.add_zone("zones.example")
    with open_client(options(proxy.url)) as client:
        assert list_zones(client)
    conform(proxy)
