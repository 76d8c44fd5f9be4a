# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guards against accidents: accepted plans, and plans that are refused.

A plan is refused before the first write.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput, OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._guards import check_guards
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    Address,
    OriginMapping,
    ZoneMappings,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._networks import Networks, parse_networks
from ansible_collections.originops.cloudflare.plugins.module_utils._plan import Change, Plan, make_plan
from ansible_collections.originops.cloudflare.plugins.modules import origin_cloud_region_batch
from emulator.server import Emulator
from emulator.state import Zone
from support.operations import Result, as_result, both, mapping, options
from support.values import Values, fleet, items


def run_on(emulator: Emulator, zone: Zone, check_mode: bool, listed: list[Any] | Values, **arguments: Any) -> Result:
    """Run the batch module's operation on a zone."""
    chosen = options(
        emulator.api_url,
        origin_cloud_region_batch.ARGUMENT_SPEC,
        zone_id=zone.id,
        mappings=items(listed) if isinstance(listed, dict) else listed,
        **arguments,
    )
    return as_result(ensure_mappings(chosen, check_mode))


def refusal_of(emulator: Emulator, zone: Zone, listed: list[Any] | Values, **arguments: Any) -> str:
    """Return the message of a refusal, after comparing it with check mode.

    Nothing is written.
    """
    before, messages = zone.values(), []
    for check_mode in (True, False):
        with pytest.raises(OriginOpsError) as failed:
            run_on(emulator, zone, check_mode, listed, **arguments)
        assert failed.value.result["changed"] is False
        messages.append(str(failed.value))
    assert messages[0] == messages[1]
    assert emulator.writes == []
    assert zone.values() == before
    return messages[0]


def result_on(emulator: Emulator, zone: Zone, listed: list[Any] | Values, **arguments: Any) -> Result:
    """Return the result of a run, after comparing it with check mode.

    Check mode writes nothing.
    """
    predicted = run_on(emulator, zone, True, listed, **arguments)
    assert emulator.writes == []
    result = run_on(emulator, zone, False, listed, **arguments)
    assert (result["summary"], result["plan_checksum"]) == (predicted["summary"], predicted["plan_checksum"])
    return result


@pytest.mark.parametrize("way", ["purge", "absent"])
@pytest.mark.parametrize(
    ("size", "allowed", "refused"),
    [
        ((10, 3), 29, True),
        ((10, 3), 30, False),
        ((10, 3), 31, False),
        ((10, 4), 39.99, True),
        ((10, 3), None, False),
        ((10, 4), None, True),
        ((9, 8), None, False),
        ((9, 8), 0, False),
        ((30, 2), 0, True),
        ((30, 29), 100, False),
    ],
)
def test_share_of_deletions(
    emulator: Emulator, way: str, size: tuple[int, int], allowed: float | None, refused: bool
) -> None:
    """Delete a share of a zone. size: number of mappings, and of deletions."""
    count, deletions = size
    zone = emulator.add_zone("example.com", mappings=fleet(count))
    gone, left = fleet(deletions), fleet(count - deletions, start=deletions)
    arguments: dict[str, Any] = {"purge": True} if way == "purge" else {"state": "absent"}
    arguments |= {} if allowed is None else {"max_delete_percentage": allowed}
    listed = left if way == "purge" else gone
    if not refused:
        assert result_on(emulator, zone, listed, **arguments)["summary"]["deleted"] == deletions
        assert zone.values() == left
        return
    message = refusal_of(emulator, zone, listed, **arguments)
    share = f"{deletions * 100 / count:.3g}"
    for part in (zone.id, f"delete {deletions} of the {count}", share, "max_delete_percentage", "nothing was written"):
        assert part in message


@pytest.mark.parametrize(("count", "deletions", "percentage"), [(12, 4, 33.34), (375, 69, 18.4), (375, 123, 32.8)])
def test_a_percentage_in_a_message_allows_the_change(
    emulator: Emulator, count: int, deletions: int, percentage: float
) -> None:
    """Check fractions without a finite decimal, or without an exact binary."""
    zone = emulator.add_zone("example.com", mappings=fleet(count))
    rest = fleet(count - deletions)
    assert f"{percentage} or more" in refusal_of(emulator, zone, rest, purge=True, max_delete_percentage=1)
    result = result_on(emulator, zone, rest, purge=True, max_delete_percentage=percentage)
    assert result["summary"]["deleted"] == deletions


@both
def test_guards_ignore_a_single_address(emulator: Emulator, served: str) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(11))
    arguments = {"state": "absent", "max_delete_percentage": 0, "api_version": served}
    assert result_on(emulator, zone, ["10.0.0.0"], **arguments)["summary"]["deleted"] == 1
    emulator.requests.clear()
    assert "max_delete_percentage" in refusal_of(emulator, zone, ["10.0.0.1", "10.0.0.2"], **arguments)


def test_clearing_a_zone_requires_both_options(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(10))
    assert "allow_empty" in refusal_of(emulator, zone, [], purge=True, max_delete_percentage=100)
    assert "max_delete_percentage" in refusal_of(emulator, zone, [], purge=True, allow_empty=True)
    result_on(emulator, zone, [], purge=True, allow_empty=True, max_delete_percentage=100)
    assert zone.values() == {}


@pytest.mark.parametrize("option", ["max_delete_percentage", "max_update_percentage"])
@pytest.mark.parametrize("value", [-1, -0.01, 100.01, 101, "nan", "inf"])
def test_percentages_out_of_bounds(emulator: Emulator, option: str, value: object) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(1))
    message = refusal_of(emulator, zone, fleet(1), **{option: value})
    assert f"{option}: " in message
    assert "not between 0 and 100" in message
    assert emulator.requests == []


GCP, OCI = ("gcp", "us-east1"), ("oci", "uk-london-1")
TWO_GCP: Values = {"192.0.2.1": GCP, "192.0.2.2": GCP}


@pytest.mark.parametrize(
    ("before", "after", "arguments", "refused"),
    [
        pytest.param(fleet(1) | TWO_GCP, fleet(1), {}, True, id="two-of-three"),
        pytest.param(fleet(50) | TWO_GCP, fleet(50), {}, True, id="two-of-many"),
        pytest.param(fleet(1) | TWO_GCP, fleet(1), {"max_delete_percentage": 99.9}, True, id="almost-all-allowed"),
        pytest.param(fleet(1) | TWO_GCP, fleet(1), {"max_delete_percentage": 100}, False, id="turned-off"),
        pytest.param(fleet(1) | {"192.0.2.1": GCP}, fleet(1), {}, False, id="the-only-one"),
        pytest.param(
            fleet(1) | TWO_GCP | {"192.0.2.3": GCP}, fleet(1) | {"192.0.2.3": GCP}, {}, False, id="one-is-left"
        ),
        pytest.param(TWO_GCP, {"192.0.2.3": GCP}, {}, False, id="replaced-by-another-address"),
        pytest.param(TWO_GCP, {"192.0.2.3": OCI}, {}, True, id="replaced-by-another-vendor"),
        pytest.param(TWO_GCP, dict.fromkeys(TWO_GCP, OCI), {}, False, id="updated-to-another-vendor"),
        pytest.param(
            TWO_GCP | {"192.0.2.3": GCP}, {"192.0.2.3": OCI}, {}, True, id="the-last-updated-to-another-vendor"
        ),
        pytest.param(fleet(1) | TWO_GCP, fleet(1), {"keep": ["192.0.2.0/31"]}, False, id="one-is-kept"),
    ],
)
def test_loss_of_a_vendor(
    emulator: Emulator, before: Values, after: Values, arguments: dict[str, Any], refused: bool
) -> None:
    zone = emulator.add_zone("example.com", mappings=before)
    if not refused:
        result_on(emulator, zone, after, purge=True, **arguments)
        return
    message = refusal_of(emulator, zone, after, purge=True, **arguments)
    for part in (zone.id, "vendor gcp", "percent", "max_delete_percentage to 100"):
        assert part in message


@pytest.mark.parametrize(("allowed", "refused"), [(29, True), (30, False), (100, False), (None, False), (0, True)])
def test_share_of_updates(emulator: Emulator, allowed: float | None, refused: bool) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(10))
    wanted = fleet(3, "us-west-2")
    arguments = {} if allowed is None else {"max_update_percentage": allowed}
    if refused:
        message = refusal_of(emulator, zone, wanted, **arguments)
        assert f"update 3 of the 10 mappings of zone {zone.id}, 30 percent, but max_update_percentage" in message
    else:
        assert result_on(emulator, zone, wanted, **arguments)["summary"]["updated"] == 3


def test_updates_are_not_guarded_without_a_total(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(10))
    assert result_on(emulator, zone, fleet(1, "us-west-2"), max_update_percentage=0)["summary"]["updated"] == 1


KEPT = {"192.0.2.77": OCI, "2001:db8:1::5": OCI, "2001:db8:2::1": OCI}


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ([], []),
        (["192.0.2.77"], ["192.0.2.77"]),
        (["2001:DB8:1:0::5"], ["2001:db8:1::5"]),
        ([" 192.0.2.0/24 "], ["192.0.2.77"]),
        (["2001:db8:1::/48"], ["2001:db8:1::5"]),
        (["0.0.0.0/0"], ["192.0.2.77"]),
        (["::/0"], ["2001:db8:1::5", "2001:db8:2::1"]),
        (["198.51.100.0/24", "192.0.2.77/32", "2001:db8::/32"], [*KEPT]),
    ],
)
def test_keep(emulator: Emulator, keep: list[str], kept: list[str]) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(1) | KEPT)
    result_on(emulator, zone, fleet(1), purge=True, keep=keep, max_delete_percentage=100)
    assert [*zone.values()] == ["10.0.0.0", *kept]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("192.0.2.1/24", "has bits of a host set: did you mean 192.0.2.0/24?"),
        ("2001:db8::1/32", "has bits of a host set: did you mean 2001:db8::/32?"),
        ("192.0.2.0/33", "neither an address nor a CIDR prefix"),
        ("web1", "not an IPv4 or IPv6 address"),
    ],
)
def test_invalid_keep(emulator: Emulator, text: str, reason: str) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(1))
    message = refusal_of(emulator, zone, fleet(1), purge=True, keep=["192.0.2.0/24", text])
    assert "item 2 (keep[1])" in message
    assert reason in message
    assert emulator.requests == []


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.1:443",
        "192.0.2.01",
        "[192.0.2.1]",
        "192.0.2.1 # web1",
        "http://192.0.2.1",
        "192.0.2.1/32",
        ["192.0.2.1"],
        "192.0.2.1\u200b",
        None,
        "",
        3221225985,
        {"origin_ip": "192.0.2.250", "ip": "192.0.2.1"},
    ],
    ids=repr,
)
def test_an_address_that_cannot_be_read_keeps_all_mappings(emulator: Emulator, text: object) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(20) | {"192.0.2.1": OCI})
    addresses = text if isinstance(text, dict) else {"origin_ip": text}
    listed = [*items(fleet(19) | fleet(1, start=30)), {**addresses, "vendor": "oci", "region": "uk-london-1"}]
    result = result_on(emulator, zone, listed, purge=True, on_invalid="skip")
    assert zone.values() == fleet(20) | fleet(1, start=30) | {"192.0.2.1": OCI}
    assert [item["origin_ip"] for item in result["pending"]] == ["10.0.0.19", "192.0.2.1"]
    assert (result["summary"]["created"], result["summary"]["deleted"], result["summary"]["failed"]) == (1, 0, 1)
    assert any(zone.id in warning and "2 deletions are pending" in warning for warning in result["warnings"])


@pytest.mark.parametrize("entry", [{"vendor": "ibm", "region": "x"}, {"vendor": "oci", "region": "moon-1"}, {}])
def test_a_readable_address_of_an_invalid_item_is_only_kept_itself(emulator: Emulator, entry: dict[str, str]) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(20) | {"192.0.2.1": ("aws", "us-east-1")})
    listed = [*items(fleet(19)), {"origin_ip": "192.0.2.1", **entry}]
    assert result_on(emulator, zone, listed, purge=True, on_invalid="skip")["summary"]["deleted"] == 1
    assert zone.values() == fleet(19) | {"192.0.2.1": ("aws", "us-east-1")}


def test_a_checksum_binds_the_reviewed_plan(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(20))
    wanted = fleet(18, "us-west-2")
    reviewed = run_on(emulator, zone, True, wanted, purge=True)["plan_checksum"]
    zone.replace(fleet(19))
    message = refusal_of(emulator, zone, wanted, purge=True, plan_checksum=reviewed)
    for part in (zone.id, "plan_checksum", "18 mappings to write and 1 to delete", "nothing was written"):
        assert part in message
    zone.replace(fleet(20))
    result = result_on(emulator, zone, wanted, purge=True, plan_checksum=reviewed)
    assert (result["plan_checksum"], zone.values()) == (reviewed, wanted)


@pytest.mark.parametrize("checksum", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n"])
def test_malformed_checksums(emulator: Emulator, checksum: str) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(1))
    assert "64 hexadecimal digits" in refusal_of(emulator, zone, fleet(1), plan_checksum=checksum)
    assert emulator.requests == []


def test_a_zone_beyond_the_known_limit_has_another() -> None:
    """Accept a zone past the limit: its account may have another one.

    Only the service knows that limit.
    """
    old, new = mapping("192.0.2.1"), mapping("192.0.2.2")
    for total, refused in ((3500, True), (3501, False), (5000, False)):
        plan = make_plan(ZoneMappings({old.address: old}, total), {new.address: new})
        if refused:
            with pytest.raises(InvalidInput, match="holds 3500 mappings and would come to 3501"):
                plan.check_limit("the zone")
        else:
            plan.check_limit("the zone")


numbers = st.integers(0, 30)
places = st.sampled_from([("aws", "us-east-1"), ("aws", "us-west-2"), ("gcp", "us-east1")])
zones = st.dictionaries(numbers, places, max_size=30).map(
    lambda values: {
        address: OriginMapping(address, *place)
        for address, place in ((ip_address(0xC0000200 + number), place) for number, place in values.items())
    }
)
percentages = st.floats(0, 100)
keeps = st.lists(
    st.tuples(numbers, st.integers(24, 32)).map(lambda pair: ip_network((0xC0000200 + pair[0], pair[1]), strict=False)),
    max_size=3,
)
Mappings = dict[Address, OriginMapping]


@given(zones, zones, st.booleans(), percentages, percentages)
def test_accepted_plans_stay_within_the_guards(
    zone: Mappings, wanted: Mappings, purge: bool, delete: float, update: float
) -> None:
    current = ZoneMappings(zone, len(zone), complete=True)
    plan = make_plan(current, wanted if purge else dict.fromkeys(wanted), purge=purge)
    updates = [change for change in plan.upserts if change.kind == "updated"]
    try:
        check_guards(plan, "the zone", purge=purge, max_delete_percentage=delete, max_update_percentage=update)
    except InvalidInput:
        assert len(plan.deletes) > 1 or len(zone) >= 10
        return
    if len(zone) >= 10:
        assert len(plan.deletes) * 100 <= delete * len(zone)
        assert len(updates) * 100 <= update * len(zone)
    if purge and delete < 100:
        for vendor in {change.mapping.vendor for change in plan.deletes}:
            deleted = sum(change.mapping.vendor == vendor for change in plan.deletes)
            assert deleted < 2 or vendor in {mapping.vendor for mapping in wanted.values()}


@given(zones, zones, keeps)
def test_keep_wins_over_a_purge(zone: Mappings, wanted: Mappings, keep: list[Any]) -> None:
    plan = make_plan(ZoneMappings(zone, len(zone), complete=True), dict(wanted), purge=True, keep=Networks(keep))
    kept = {address for address in zone if any(address in network for network in keep)}
    assert {change.address for change in plan.deletes} == zone.keys() - wanted.keys() - kept
    assert parse_networks([str(network) for network in keep], "keep") == tuple(keep)


def purging(zone: Mappings, wanted: Mappings) -> Plan:
    return make_plan(ZoneMappings(zone, len(zone), complete=True), dict(wanted), purge=True)


@given(zones, zones, zones, zones, st.randoms(use_true_random=False))
def test_checksums_are_equal_exactly_for_equal_plans(
    zone: Mappings, wanted: Mappings, other_zone: Mappings, other_wanted: Mappings, random: Any
) -> None:
    plan, other = purging(zone, wanted), purging(other_zone, other_wanted)
    checksum = plan.checksum("a")
    shuffled = [dict(random.sample([*each.items()], len(each))) for each in (zone, wanted)]
    assert purging(*shuffled).checksum("a") == checksum
    assert plan.checksum("b") != checksum
    assert (other.checksum("a") == checksum) == ({*other.changes} == {*plan.changes})
    for change in plan.upserts:
        assert plan.without([change.address]).checksum("a") != checksum
    if plan.deletes:
        assert plan.withhold_deletions().checksum("a") != checksum


def test_checksums_differ_by_the_replaced_value() -> None:
    wanted, before, other = mapping("192.0.2.1"), mapping("192.0.2.1", "gcp"), mapping("192.0.2.1", "oci")
    kinds = (("created", None), ("updated", before), ("updated", other))
    plans = [Plan((Change(kind, wanted, old),), (), 0, 1) for kind, old in kinds]
    plans += [Plan((), (Change("deleted", old, old),), 0, 1) for old in (wanted, before)]
    assert len({plan.checksum("a") for plan in plans}) == 5


def test_checksums_do_not_depend_on_spelling(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com", mappings={})
    place = {"vendor": "aws", "region": "us-east-1"}
    spellings = (["2001:db8::1", "192.0.2.1"], [" 192.0.2.1 ", "2001:DB8:0::1", "192.0.2.1"])
    checksums = {
        run_on(emulator, zone, True, [{"ip": text, **place} for text in texts])["plan_checksum"] for texts in spellings
    }
    assert len(checksums) == 1
