# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers of requests of tasks."""

from __future__ import annotations

from emulator.server import Emulator

from .playbook import Play, batch, checked, info, mapping, origins, tiered_cache, upper_tiers

PAGES = 3


def test_requests_for_250_origins(play: Play, emulator: Emulator) -> None:
    emulator.add_zone("fleet.example")
    addresses = [f"198.51.100.{last}" for last in range(250)]
    fleet = [mapping(address, "aws/us-east-1") for address in addresses]
    # 101 of them move, and 101 are not listed any more: one more than the maximum of a batch.
    moved = [*fleet[:48], *[mapping(address, "aws/us-west-2") for address in addresses[48:149]]]
    run = play.once(
        {
            "map": batch(fleet),
            "map again": batch(fleet),
            "purge, already right": batch(fleet, purge=True),
            "read all": info(),
            "read one": info(ip=addresses[0]),
            "read many": info(ip=addresses[100:]),
            "keep many": batch(fleet[100:]),
            "move and purge": batch(moved, purge=True, max_delete_percentage=100),
            "remove all": batch(fleet, state="absent", max_delete_percentage=100),
        },
        defaults={"api_url": emulator.api_url, "api_token": emulator.token, "zone": "fleet.example"},
    )
    # Each task takes one more read, for the zone's name.
    assert {task: (outcome.cost[0] - 1, outcome.cost[1]) for task, outcome in run.outcomes.items()} == {
        "map": (1 + 1, 3),
        "map again": (PAGES, 0),
        "purge, already right": (PAGES, 0),
        "read all": (PAGES, 0),
        "read one": (1, 0),
        "read many": (PAGES, 0),
        "keep many": (PAGES, 0),
        "move and purge": (PAGES + 1, 2 + 2),
        "remove all": (2, 2),
    }
    assert [request.path for request in run["map"].requests[:1]] == ["/zones"]
    assert [task for task, outcome in run.outcomes.items() if outcome.changed] == [
        "map",
        "move and purge",
        "remove all",
    ]
    assert max(len(request.body) for outcome in run.outcomes.values() for request in outcome.writes) == 100


def test_requests_for_the_settings_of_a_zone(play: Play, emulator: Emulator) -> None:
    zone = emulator.add_zone("fleet.example", tiered_cache=False, smart_tiered_cache=None)
    common = {"zone_id": zone.id}
    run = play.once(
        {
            "check": checked(tiered_cache(**common, enabled=True, smart=True)),
            "one": tiered_cache(**common, enabled=True),
            "both, one right": tiered_cache(**common, enabled=True, smart=True),
            "both right": tiered_cache(**common, enabled=True, smart=True),
            "both off": tiered_cache(**common, enabled=False, smart=False),
        }
    )
    assert {task: outcome.cost for task, outcome in run.outcomes.items()} == {
        "check": (2, 0),
        "one": (1, 1),
        "both, one right": (2, 1),
        "both right": (2, 0),
        "both off": (2, 2),
    }


def test_requests_for_the_origins_of_a_zone(play: Play, emulator: Emulator) -> None:
    records = [
        {"name": f"n{number}.fleet.example", "content": f"198.51.100.{number % 250}", "proxied": True}
        for number in range(1500)
    ]
    zone = emulator.add_zone("fleet.example", dns_records=records)
    pools = emulator.set_pools("Example", [{"name": "web", "origins": []}])
    balanced = emulator.add_zone(
        "balanced.example",
        dns_records=records[:1000],
        load_balancers=[{"name": "lb.fleet.example", "default_pools": pools}],
    )
    run = play.once(
        {
            "records": origins(zone_id=zone.id, load_balancers=False),
            "no load balancers": origins(zone_id=zone.id),
            "load balancers": origins(zone_id=balanced.id),
            "networks of Cloudflare": origins(zone_id=balanced.id, resolve=True),
            "by name": origins(zone="balanced.example"),
        }
    )
    # Pages of records, load balancers, zone and pools, networks.
    assert {task: outcome.cost[0] for task, outcome in run.outcomes.items()} == {
        "records": 2,
        "no load balancers": 2 + 1,
        "load balancers": 1 + 1 + 2,
        "networks of Cloudflare": 1 + 1 + 2 + 1,
        "by name": 1 + 1 + 1 + 2,
    }


def test_requests_for_the_traffic_of_zones(play: Play, emulator: Emulator) -> None:
    fleet = {f"198.51.100.{last}": ("aws", "us-east-1") for last in range(250)}
    zones = [emulator.add_zone(f"zone{number}.example", mappings=fleet) for number in range(10)]
    empty = emulator.add_zone("empty.example")
    run = play.once(
        {
            "one": upper_tiers(zone_id=zones[0].id),
            "without mappings": upper_tiers(zone_id=empty.id),
            "ten by name": upper_tiers(zones=[zone.name for zone in zones]),
        }
    )
    # Pages of mappings, supported regions, settings and traffic.
    assert {task: outcome.cost for task, outcome in run.outcomes.items()} == {
        "one": (PAGES + 1 + 2, 0),
        "without mappings": (1 + 2, 0),
        "ten by name": (10 * (1 + PAGES + 1) + 2, 0),
    }
