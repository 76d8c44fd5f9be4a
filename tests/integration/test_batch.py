# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is particular to many mappings: purging, unusable items, full zones, and a service that refuses on the way."""

from __future__ import annotations

from ipaddress import ip_address

from emulator.server import Emulator
from emulator.state import Zone

from .playbook import Outcome, Play, batch, mapping, region, written

VIRGINIA = ("aws", "us-east-1")


def addresses(count: int) -> list[str]:
    first = ip_address("198.18.0.1")
    return [str(first + index) for index in range(count)]


def counts(outcome: Outcome) -> dict[str, int]:
    """The summary without its zeros."""
    return {name: count for name, count in outcome["summary"].items() if count}


def methods(outcome: Outcome) -> list[str]:
    return [request.method for request in outcome.writes]


def test_purge_makes_the_zone_exactly_the_list(play: Play, zone: Zone) -> None:
    zone_id = zone.id
    fleet = [mapping("2001:db8::1", "gcp/us-east4"), mapping("192.0.2.10", "aws/us-east-1")]
    run = play(
        {
            "purge": batch(fleet, zone_id=zone_id, purge=True),
            "purge again": batch(fleet, zone_id=zone_id, purge=True),
            "empty list": batch([], zone_id=zone_id, purge=True),
            "empty list allowed": batch([], zone_id=zone_id, purge=True, allow_empty=True),
            "empty list of an empty zone": batch([], zone_id=zone_id, purge=True, allow_empty=True),
            "empty list without purge": batch([], zone_id=zone_id),
        }
    )
    first = run["purge"]
    assert counts(first) == {"created": 1, "updated": 1, "deleted": 1}
    assert written(first["deleted"]) == ["192.0.2.1: aws/us-east-1"]
    assert first["diff"] == {
        "before": "192.0.2.1: aws/us-east-1\n2001:db8::1: gcp/us-east1\n",
        "after": "192.0.2.10: aws/us-east-1\n2001:db8::1: gcp/us-east4\n",
    }
    # No origin is without its mapping at any time.
    assert methods(first) == ["PUT", "DELETE"]
    assert first.cost == (2, 2)
    assert counts(run["purge again"]) == {"unchanged": 2}
    assert run["purge again"].cost == (1, 0)
    assert "allow_empty" in run["empty list"].message
    assert run["empty list"].requests == []
    assert counts(run["empty list allowed"]) == {"deleted": 2}
    assert run["empty list allowed"].cost == (1, 1)
    for name in ("empty list of an empty zone", "empty list without purge"):
        assert (run[name].failed, run[name].changed, run[name].cost) == (False, False, (1, 0)), name
    assert zone.values() == {}


def test_skipping_unusable_items_applies_the_others(play: Play, emulator: Emulator) -> None:
    before = {f"192.0.2.{last}": VIRGINIA for last in range(1, 7)}
    zone = emulator.add_zone("skip.example", mappings=before)
    fleet = [
        mapping("192.0.2.1", "aws/us-west-2"),
        mapping("192.0.2.2", "aws/us-nowhere-1"),
        mapping("192.0.2.3", "awz/us-east-1"),
        mapping("192.0.2.4/32", "aws/us-east-1"),
        {"origin_ip": "192.0.2.5", "vendor": "aws", "regoin": "us-east-1"},
        mapping("192.0.2.300", "aws/us-east-1"),
        mapping("192.0.2.30", "gcp/us-east1"),
    ]
    run = play(
        {
            "fail": batch(fleet, zone_id=zone.id, purge=True),
            "skip": batch(fleet, zone_id=zone.id, purge=True, on_invalid="skip"),
            "skip again": batch(fleet, zone_id=zone.id, purge=True, on_invalid="skip"),
        }
    )
    failed, skipped = run["fail"], run["skip"]
    assert failed.writes == []
    assert counts(failed) == {"failed": 5, "pending": 3}
    assert not skipped.failed
    assert written(skipped["updated"]) == ["192.0.2.1: aws/us-west-2"]
    assert written(skipped["created"]) == ["192.0.2.30: gcp/us-east1"]
    # Every other address is listed, though in an item of no use.
    assert written(skipped["deleted"]) == ["192.0.2.6: aws/us-east-1"]
    assert counts(skipped) == {"created": 1, "updated": 1, "deleted": 1, "failed": 5}
    bad = {item["origin_ip"]: item["error"] for item in skipped["failed_items"]}
    assert bad.keys() == {"192.0.2.2", "192.0.2.3", "192.0.2.4/32", "192.0.2.5", "192.0.2.300"}
    assert "us-nowhere-1" in bad["192.0.2.2"]
    assert "regoin" in bad["192.0.2.5"]
    [warning] = skipped["warnings"]
    for position in ("item 2 (", "item 3 (", "item 4 (", "item 5 (", "item 6 ("):
        assert position in failed.message
        assert position in warning
    again = run["skip again"]
    assert (again.failed, again.changed, again.writes) == (False, False, [])
    assert counts(again) == {"unchanged": 2, "failed": 5}
    assert zone.values() == {
        **{f"192.0.2.{last}": VIRGINIA for last in range(2, 6)},
        "192.0.2.1": ("aws", "us-west-2"),
        "192.0.2.30": ("gcp", "us-east1"),
    }


def test_purge_is_refused_where_skipping_leaves_nothing(play: Play, zone: Zone) -> None:
    offline, online = [mapping("192.0.2.300", "aws/us-east-1")], [mapping("192.0.2.77", "aws/us-nowhere-1")]
    run = play(
        {
            "bad address": batch(offline, zone_id=zone.id, purge=True, on_invalid="skip"),
            "bad region": batch(online, zone_id=zone.id, purge=True, on_invalid="skip"),
            "allowed": batch(online, zone_id=zone.id, purge=True, on_invalid="skip", allow_empty=True),
        }
    )
    assert "allow_empty" in run["bad address"].message
    assert run["bad address"].requests == []
    assert "allow_empty" in run["bad region"].message
    assert run["bad region"].writes == []
    assert counts(run["allowed"]) == {"deleted": 2, "failed": 1}
    assert zone.values() == {}


def test_deletions_come_first_where_the_zone_has_no_room(play: Play, emulator: Emulator) -> None:
    zone = emulator.add_zone("full.example", mappings=dict.fromkeys(addresses(3500), VIRGINIA))
    listed = [mapping(addresses(1)[0], "aws/us-east-1"), mapping("192.0.2.1", "aws/us-east-1")]
    run = play({"no room": batch(listed, zone_id=zone.id), "purge": batch(listed, zone_id=zone.id, purge=True)})
    assert "3500" in run["no room"].message
    assert run["no room"].writes == []
    assert counts(run["purge"]) == {"created": 1, "deleted": 3499, "unchanged": 1}
    assert methods(run["purge"]) == ["DELETE"] * 35 + ["PUT"]
    assert run["purge"].cost == (36, 36)
    assert zone.values() == dict.fromkeys([addresses(1)[0], "192.0.2.1"], VIRGINIA)


def test_an_item_that_only_the_service_refuses(play: Play, emulator: Emulator, zone: Zone) -> None:
    emulator.limit, emulator.limit_refuses = 3, "items"
    fleet = [mapping("192.0.2.10", "aws/us-east-1"), mapping("192.0.2.11", "aws/us-east-1")]
    run = play(
        {
            "refused": batch(fleet, zone_id=zone.id, purge=True),
            "refused, skip": batch(fleet, zone_id=zone.id, on_invalid="skip"),
            "make room": region(zone_id=zone.id, origin_ip="192.0.2.1", state="absent"),
            "go on": batch(fleet, zone_id=zone.id, purge=True),
        }
    )
    refused = run["refused"]
    assert "192.0.2.11" in refused.message
    assert "limit of 3" in refused.message
    assert refused.changed
    assert counts(refused) == {"created": 1, "failed": 1, "pending": 2}
    assert written(refused["created"]) == ["192.0.2.10: aws/us-east-1"]
    [failed] = refused["failed_items"]
    assert written([failed]) == ["192.0.2.11: aws/us-east-1"]
    assert "limit of 3" in failed["error"]
    assert written(refused["pending"]) == ["192.0.2.1: aws/us-east-1", "2001:db8::1: gcp/us-east1"]
    assert refused["diff"] == {"before": "", "after": "192.0.2.10: aws/us-east-1\n"}
    assert methods(refused) == ["PUT"]
    skipped = run["refused, skip"]
    assert (skipped.failed, skipped.changed) == (False, False)
    assert counts(skipped) == {"unchanged": 1, "failed": 1}
    assert "limit of 3" in skipped["warnings"][0]
    assert counts(run["go on"]) == {"created": 1, "deleted": 1, "unchanged": 1}
    assert zone.values() == {"192.0.2.10": VIRGINIA, "192.0.2.11": VIRGINIA}


def test_a_batch_that_the_service_refuses_as_a_whole(play: Play, emulator: Emulator) -> None:
    zone = emulator.add_zone("refused.example", mappings={"192.0.2.1": VIRGINIA})
    emulator.limit, emulator.limit_refuses = 150, "batch"
    fleet = [mapping(address, "aws/us-east-1") for address in addresses(250)]
    refused = play({"write": batch(fleet, zone_id=zone.id, purge=True)})["write"]
    assert "code 1164" in refused.message
    assert refused["status"] == 403
    assert [error["code"] for error in refused["errors"]] == [1164]
    assert refused.changed
    assert counts(refused) == {"created": 100, "failed": 100, "pending": 51}
    # Each change is told of once, whatever became of it.
    told = [it["origin_ip"] for name in ("created", "failed_items", "pending") for it in refused[name]]
    assert sorted(told) == sorted([*addresses(250), "192.0.2.1"])
    assert len(refused.writes) == 2
    emulator.limit = 3500
    rest = play({"write": batch(fleet, zone_id=zone.id, purge=True)})["write"]
    assert counts(rest) == {"created": 150, "deleted": 1, "unchanged": 100}
    assert zone.values() == dict.fromkeys(addresses(250), VIRGINIA)
