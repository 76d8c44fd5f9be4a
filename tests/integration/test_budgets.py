# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that a fleet of 250 costs."""

from __future__ import annotations

from emulator.server import Emulator

from .playbook import Play, batch, info, mapping

PAGES = 3


def test_requests_for_250_origins(play: Play, emulator: Emulator) -> None:
    emulator.add_zone("fleet.example")
    addresses = [f"198.51.100.{last}" for last in range(250)]
    fleet = [mapping(address, "aws/us-east-1") for address in addresses]
    # 101 of them move, and 101 are not listed any more: one more than a batch holds.
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
    # One read more than the work takes, each time: the zone is given by its name.
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
