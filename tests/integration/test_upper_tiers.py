# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Traffic of a zone: working and missing mappings, and unknown parts."""

from __future__ import annotations

from emulator.server import Emulator

from .playbook import OMIT, Play, batch, checked, mapping, upper_tiers


def test_the_traffic_of_a_zone(play: Play, emulator: Emulator) -> None:
    fleet = {"192.0.2.1": ("aws", "us-east-1"), "192.0.2.2": ("aws", "us-east-1")}
    traffic = {
        "192.0.2.2": {"FRA": 900, "IAD": 100},
        "203.0.113.9": {"FRA": 4000, "IAD": 1000},
    }
    zone = emulator.add_zone("example.com", mappings=fleet, traffic=traffic)
    basic = emulator.add_zone("basic.example", mappings=fleet, analytics={"availableFields": ["count"]})
    common = {"zone_id": zone.id}
    run = play(
        {
            "read": upper_tiers(**common),
            "check": checked(upper_tiers(**common)),
            "map the busiest": batch([mapping("203.0.113.9", "azure/germanywestcentral")], **common),
            "read again": upper_tiers(**common, hours=1),
            "two zones": upper_tiers(zones=["basic.example", {"zone_id": zone.id}]),
            "a zone that is gone": upper_tiers(zones=["gone.example", {"zone_id": zone.id}]),
            "no hours": upper_tiers(**common, hours=0),
            "hours as text": upper_tiers(**common, hours="soon"),
            "no zone": upper_tiers(zone=OMIT),
        },
        "-vvv",
    )
    [read] = run["read"]["zones"]
    assert {origin["origin_ip"]: origin["share_expected"] for origin in read["origins"]} == {
        "203.0.113.9": None,
        "192.0.2.1": 100,
        "192.0.2.2": 10,
    }
    assert read["origins"][0]["requests"] == 5000
    assert run["check"]["zones"][0]["origins"] == read["origins"]
    [again] = run["read again"]["zones"]
    busiest = again["origins"][0]
    assert (busiest["vendor"], busiest["expected"], busiest["share_expected"]) == ("azure", ["DUS", "FRA"], 80)
    first, second = run["two zones"]["zones"]
    assert (first["zone"], first["zone_id"]) == ("basic.example", basic.id)
    assert first["not_available"]["names"] == ["originIP", "upperTierColoName"]
    assert {origin["requests"] for origin in first["origins"]} == {None}
    assert second["origins"] == again["origins"]
    assert "lack the fields originIP and upperTierColoName" in run.stdout + run.stderr
    assert run["a zone that is gone"].message.startswith("1 of 2 zones could not be read. gone.example: ")
    assert run["a zone that is gone"]["zones"][1]["origins"] == again["origins"]
    assert run["no hours"].message == "hours: 0 is not between 1 and 744"
    assert "hours" in run["hours as text"].message
    assert "one of the following is required: zone_id, zone" in run["no zone"].message
    assert not any(outcome.changed for task, outcome in run.outcomes.items() if task != "map the busiest")
    assert emulator.token not in run.output
