# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planner: effects, limits and order of plans, tested by properties."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from math import ceil
from random import Random

import pytest
from hypothesis import given, strategies as st

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    ZONE_LIMIT,
    Address,
    OriginMapping,
    ZoneMappings,
    address_order,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._plan import Plan, diff, make_plan
from support.operations import mapping

Mappings = dict[Address, OriginMapping]
Wanted = dict[Address, OriginMapping | None]

# With few addresses and values, wanted mappings often exist, with equal or other values.
addresses = st.sampled_from([*map(ip_address, ("192.0.2.9", "192.0.2.10", "198.51.100.1", "::1", "2001:db8::10"))])
values = st.sampled_from([("aws", "us-east-1"), ("aws", "eu-central-1"), ("gcp", "us-east1")])
mappings = st.builds(
    lambda address, value, stamp: OriginMapping(address, *value, stamp), addresses, values, st.none() | st.text()
)
zones = st.lists(mappings).map(lambda listed: {mapping.address: mapping for mapping in listed})
desired = st.tuples(zones, st.sets(addresses)).map(lambda pair: {**pair[0], **dict.fromkeys(pair[1])})
kept = st.none() | st.sets(addresses)


def planned(current: ZoneMappings, wanted: Wanted, listed: Collection[Address] | None) -> Plan:
    """Plan a purge of all but the listed addresses, or no purge at all."""
    return make_plan(current, wanted, purge=listed is not None, listed=listed or ())


def lines(plan: Plan) -> dict[str, str]:
    """Return a diff without its headers."""
    return {name: text for name, text in diff(plan.changes, "example.com").items() if not name.endswith("header")}


def current(zone: Mappings, total: int | None = None) -> ZoneMappings:
    return ZoneMappings(zone, len(zone) if total is None else total, complete=True)


def apply_plan(zone: Mappings, plan: Plan) -> Mappings:
    """Return the zone after the plan is applied."""
    after = dict(zone)
    for change in plan.changes:
        if change.kind == "deleted":
            del after[change.address]
        else:
            after[change.address] = change.mapping
    return after


@given(zones, desired, kept)
def test_a_plan_leads_to_the_wanted_state(zone: Mappings, wanted: Wanted, keep: Collection[Address] | None) -> None:
    plan = planned(current(zone), wanted, keep)
    kept = {
        address: mapping
        for address, mapping in zone.items()
        if address not in wanted and (keep is None or address in keep)
    }
    assert apply_plan(zone, plan) == {**kept, **{address: mapping for address, mapping in wanted.items() if mapping}}


@given(zones, desired, kept)
def test_planning_is_idempotent(zone: Mappings, wanted: Wanted, keep: Collection[Address] | None) -> None:
    after = apply_plan(zone, planned(current(zone), wanted, keep))
    again = planned(current(after), wanted, keep)
    assert again.changes == ()
    assert again.unchanged == len(wanted)


@given(zones, desired, kept)
def test_every_change_has_an_effect(zone: Mappings, wanted: Wanted, keep: Collection[Address] | None) -> None:
    plan = planned(current(zone), wanted, keep)
    assert plan.unchanged == sum(zone.get(address) == mapping for address, mapping in wanted.items())
    for change in plan.changes:
        before = zone.get(change.address)
        assert change.before == before
        kinds = {
            "created": before is None,
            "updated": before not in (None, change.mapping),
            "deleted": before == change.mapping,
        }
        assert kinds[change.kind]


@given(zones, desired, kept, st.randoms(use_true_random=False))
def test_the_order_of_the_input_never_matters(
    zone: Mappings, wanted: Wanted, keep: Collection[Address] | None, random: Random
) -> None:
    shuffled_zone = dict(random.sample(list(zone.items()), len(zone)))
    shuffled_wanted = dict(random.sample(list(wanted.items()), len(wanted)))
    plan = planned(current(zone), wanted, keep)
    again = planned(current(shuffled_zone), shuffled_wanted, keep)
    assert again == plan
    assert diff(reversed(plan.changes), "z") == diff(again.changes, "z")


@given(zones, desired, kept, st.integers(ZONE_LIMIT - 5, ZONE_LIMIT), st.integers(1, 4))
def test_batches(zone: Mappings, wanted: Wanted, keep: Collection[Address] | None, total: int, size: int) -> None:
    plan = planned(current(zone, total), wanted, keep)
    batches = list(plan.batches(size))
    assert tuple(change for batch in batches for change in batch) == plan.changes
    assert len(batches) == ceil(len(plan.upserts) / size) + ceil(len(plan.deletes) / size)
    for batch in batches:
        assert 1 <= len(batch) <= size
        assert len({change.kind == "deleted" for change in batch}) == 1
        assert list(batch) == sorted(batch, key=lambda change: address_order(change.address))


@given(zones, desired, kept, st.integers(ZONE_LIMIT - 5, ZONE_LIMIT + 5))
def test_deletions_come_first_exactly_if_the_zone_has_no_room(
    zone: Mappings, wanted: Wanted, keep: Collection[Address] | None, total: int
) -> None:
    plan = planned(current(zone, total), wanted, keep)
    creations = len({address for address, mapping in wanted.items() if mapping} - zone.keys())
    too_many = creations > 0 and total + creations > ZONE_LIMIT
    assert plan.deletes_first == too_many
    if plan.deletes and plan.upserts:
        assert (plan.changes[0].kind == "deleted") == too_many
    try:
        plan.check_limit("the zone")
    except InvalidInput:
        assert creations
        assert total + creations - len(plan.deletes) > ZONE_LIMIT
        return
    if total > ZONE_LIMIT:  # the zone has another limit
        return
    for change in plan.changes:
        total += {"created": 1, "updated": 0, "deleted": -1}[change.kind]
        assert total <= ZONE_LIMIT


OLD, NEW, STALE = mapping("192.0.2.1"), mapping("192.0.2.2"), mapping("192.0.2.3")


def wanting(*wanted: OriginMapping) -> Wanted:
    return {each.address: each for each in wanted}


def test_exceeding_the_limit_is_refused_with_the_numbers() -> None:
    plan = make_plan(current({OLD.address: OLD}, total=3500), wanting(OLD, NEW))
    with pytest.raises(InvalidInput, match="holds 3500 mappings and would come to 3501"):
        plan.check_limit("the zone")


@pytest.mark.parametrize(
    ("current", "wanted", "purge"),
    [
        pytest.param(current({OLD.address: OLD}, total=3499), wanting(NEW), False, id="room-for-one"),
        pytest.param(current({STALE.address: STALE}, total=3500), wanting(NEW), True, id="room-by-deletion"),
        pytest.param(current({OLD.address: OLD}, total=4000), {OLD.address: None}, False, id="deletion-only"),
        pytest.param(
            current({OLD.address: OLD}, total=4000), wanting(mapping("192.0.2.1", "gcp")), False, id="update-only"
        ),
        pytest.param(ZoneMappings({}), wanting(NEW), False, id="unknown-total"),
    ],
)
def test_within_the_limit(current: ZoneMappings, wanted: Wanted, purge: bool) -> None:
    plan = make_plan(current, wanted, purge=purge)
    assert len(plan.changes) > 0
    plan.check_limit("the zone")


def test_additions_come_first_if_the_total_is_unknown() -> None:
    plan = make_plan(ZoneMappings({STALE.address: STALE}), {STALE.address: None, NEW.address: NEW})
    assert [change.kind for change in plan.changes] == ["created", "deleted"]


def test_nothing_is_replaced_without_overwrite() -> None:
    with pytest.raises(InvalidInput, match=r"192\.0\.2\.1: aws/us-east-1 exists already .* gcp/us-east1"):
        make_plan(current({OLD.address: OLD}), wanting(mapping("192.0.2.1", "gcp", "us-east1")), overwrite=False)


def test_overwrite_concerns_other_values_only() -> None:
    zone = current({OLD.address: OLD, STALE.address: STALE})
    plan = make_plan(zone, {**wanting(OLD, NEW), STALE.address: None}, overwrite=False)
    assert [(change.kind, change.mapping) for change in plan.changes] == [("created", NEW), ("deleted", STALE)]
    assert plan.unchanged == 1


@given(zones, desired, kept)
def test_a_diff_has_one_line_per_change(zone: Mappings, wanted: Wanted, keep: Collection[Address] | None) -> None:
    plan = planned(current(zone), wanted, keep)
    after = apply_plan(zone, plan)
    changed = sorted((zone.items() ^ after.items()), key=lambda item: address_order(item[0]))
    assert lines(plan) == {
        "before": "".join(f"{zone[address]}\n" for address, before in changed if zone.get(address) is before),
        "after": "".join(f"{after[address]}\n" for address, now in changed if after.get(address) is now),
    }


def test_the_text_of_a_diff() -> None:
    zone = {each.address: each for each in (OLD, STALE, mapping("::ffff:192.0.2.7"), mapping("192.0.2.10"))}
    wanted = wanting(OLD, mapping("192.0.2.10", "gcp", "us-east1"), mapping("::ffff:192.0.2.7", "oci"), NEW)
    assert lines(make_plan(current(zone), wanted, purge=True)) == {
        "before": "192.0.2.3: aws/us-east-1\n192.0.2.10: aws/us-east-1\n::ffff:192.0.2.7: aws/us-east-1\n",
        "after": "192.0.2.2: aws/us-east-1\n192.0.2.10: gcp/us-east1\n::ffff:192.0.2.7: oci/us-east-1\n",
    }


@given(zones, desired, kept, st.sets(addresses))
def test_leaving_out_upserts(
    zone: Mappings, wanted: Wanted, keep: Collection[Address] | None, refused: set[Address]
) -> None:
    plan = planned(current(zone), wanted, keep)
    assert plan.without(refused).changes == tuple(
        change for change in plan.changes if change.kind == "deleted" or change.address not in refused
    )
