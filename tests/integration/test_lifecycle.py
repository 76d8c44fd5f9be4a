# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each module and the lookup doing what it is there for, from nothing to something, to something else and back."""

from __future__ import annotations

import re

from emulator.server import Emulator
from emulator.state import REGIONS, Zone

from .playbook import Play, batch, info, lookup, mapping, region, written

NO_DIFF = {"before": "", "after": ""}
NOTHING = {"created": [], "updated": [], "deleted": [], "failed_items": [], "pending": []}
ZEROS = {"created": 0, "updated": 0, "deleted": 0, "unchanged": 0, "failed": 0, "pending": 0}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def test_one_mapping_created_updated_and_removed(play: Play, zone: Zone) -> None:
    wanted = {"zone_id": zone.id, "vendor": "aws"}
    run = play(
        {
            "create": region(**wanted, ip=" 192.0.2.10 ", region="eu-west-1"),
            "create again": region(**wanted, origin_ip="192.0.2.10", region="eu-west-1"),
            "update": region(**wanted, origin_ip="192.0.2.10", region="eu-west-2"),
            "update again": region(**wanted, ip="192.0.2.10", region="eu-west-2"),
            "remove": region(zone_id=zone.id, origin_ip="192.0.2.10", state="absent"),
            "remove again": region(zone_id=zone.id, ip="192.0.2.10", state="absent"),
        }
    )
    modified_on = run["create"]["mapping"]["modified_on"]
    assert re.fullmatch(TIME, modified_on)
    source = {"zone_id": zone.id, "api_version": "v2"}
    created = mapping("192.0.2.10", "aws/eu-west-1", modified_on=modified_on)
    updated = mapping("192.0.2.10", "aws/eu-west-2", modified_on=run["update"]["mapping"]["modified_on"])
    before, after = "192.0.2.10: aws/eu-west-1\n", "192.0.2.10: aws/eu-west-2\n"
    expected = {
        "create": {"changed": True, "mapping": created, "diff": {"before": "", "after": before}},
        "create again": {"changed": False, "mapping": created, "diff": NO_DIFF},
        "update": {"changed": True, "mapping": updated, "diff": {"before": before, "after": after}},
        "update again": {"changed": False, "mapping": updated, "diff": NO_DIFF},
        "remove": {"changed": True, "mapping": None, "diff": {"before": after, "after": ""}},
        "remove again": {"changed": False, "mapping": None, "diff": NO_DIFF},
    }
    for task, result in expected.items():
        assert run[task].result == {**result, **source}, task
        assert run[task].cost == (1, int(result["changed"] is True)), task
    assert zone.values() == {"192.0.2.1": ("aws", "us-east-1"), "2001:db8::1": ("gcp", "us-east1")}
    assert run.stderr == ""


def test_an_address_is_one_in_every_spelling(play: Play, zone: Zone) -> None:
    run = play(
        {
            "capitals and zeros": region(zone_id=zone.id, ip="2001:DB8:0::1", vendor="gcp", region="us-east1"),
            "in a list": batch([mapping("2001:0db8:0:0:0:0:0:1", "gcp/us-east1")], zone_id=zone.id),
            "mapped": region(zone_id=zone.id, ip="::ffff:192.0.2.1", vendor="oci", region="us-ashburn-1"),
            "mapped, in hexadecimal": batch([mapping("::FFFF:C000:0201", "oci/us-ashburn-1")], zone_id=zone.id),
            "read": info(zone_id=zone.id, ip=["2001:DB8::0:1", "0:0:0:0:0:ffff:c000:201"]),
            "remove": region(zone_id=zone.id, ip="2001:db8:0000::0001", state="absent"),
        }
    )
    assert [name for name, outcome in run.outcomes.items() if outcome.changed] == ["mapped", "remove"]
    assert written([run["mapped"]["mapping"]]) == ["::ffff:192.0.2.1: oci/us-ashburn-1"]
    assert run["in a list"]["summary"] == run["mapped, in hexadecimal"]["summary"] == {**ZEROS, "unchanged": 1}
    assert written(run["read"]["mappings"]) == ["::ffff:192.0.2.1: oci/us-ashburn-1", "2001:db8::1: gcp/us-east1"]
    assert run["remove"]["diff"] == {"before": "2001:db8::1: gcp/us-east1\n", "after": ""}
    # The IPv4 address is another one than the IPv6 address that has it inside.
    assert zone.values() == {"192.0.2.1": ("aws", "us-east-1"), "::ffff:192.0.2.1": ("oci", "us-ashburn-1")}


def test_overwrite_false_never_takes_over_a_mapping(play: Play, zone: Zone) -> None:
    def keep(origin_ip: str, name: str) -> dict[str, object]:
        return region(zone_id=zone.id, origin_ip=origin_ip, vendor="aws", region=name, overwrite=False)

    run = play(
        {
            "other": keep("192.0.2.1", "us-east-2"),
            "same": keep("192.0.2.1", "us-east-1"),
            "new": keep("192.0.2.2", "us-east-2"),
        }
    )
    assert re.search("192.0.2.1: aws/us-east-1 .* aws/us-east-2.* overwrite", run["other"].message)
    assert run["other"].cost == (1, 0)
    assert (run["same"].failed, run["same"].changed) == (False, False)
    assert run["new"].changed
    assert zone.values()["192.0.2.1"] == ("aws", "us-east-1")
    assert zone.values()["192.0.2.2"] == ("aws", "us-east-2")


def test_many_mappings_created_updated_and_removed(play: Play, zone: Zone) -> None:
    fleet = [
        mapping("2001:db8::a", "azure/westeurope"),
        mapping("2001:DB8::1", "gcp/europe-west1"),
        {"ip": "192.0.2.10", "vendor": "oci", "region": "us-ashburn-1"},
        mapping("192.0.2.1", "aws/us-east-1"),
        # Listed before: the same values in another spelling count once.
        mapping("2001:db8:0::a", "azure/westeurope"),
    ]
    gone = [{"origin_ip": "192.0.2.10"}, {"ip": "2001:db8::1", "vendor": "any", "region": None}, {"ip": "192.0.2.99"}]
    run = play(
        {
            "write": batch(fleet, zone_id=zone.id),
            "write again": batch(fleet, zone_id=zone.id),
            "remove": batch(gone, zone_id=zone.id, state="absent"),
            "remove again": batch(gone, zone_id=zone.id, state="absent"),
        }
    )
    source = {"zone_id": zone.id, "api_version": "v2"}
    assert run["write"].result == {
        **NOTHING,
        **source,
        "changed": True,
        "created": [
            mapping("192.0.2.10", "oci/us-ashburn-1", modified_on=None),
            mapping("2001:db8::a", "azure/westeurope", modified_on=None),
        ],
        "updated": [mapping("2001:db8::1", "gcp/europe-west1", modified_on=None)],
        "summary": {**ZEROS, "created": 2, "updated": 1, "unchanged": 1},
        "diff": {
            "before": "2001:db8::1: gcp/us-east1\n",
            "after": "192.0.2.10: oci/us-ashburn-1\n2001:db8::1: gcp/europe-west1\n2001:db8::a: azure/westeurope\n",
        },
    }
    right = {**NOTHING, **source, "changed": False, "diff": NO_DIFF}
    assert run["write again"].result == {**right, "summary": {**ZEROS, "unchanged": 4}}
    removed = run["remove"]
    assert removed.result == {
        **NOTHING,
        **source,
        "changed": True,
        "deleted": removed["deleted"],
        "summary": {**ZEROS, "deleted": 2, "unchanged": 1},
        "diff": {"before": "192.0.2.10: oci/us-ashburn-1\n2001:db8::1: gcp/europe-west1\n", "after": ""},
    }
    assert "".join(f"{line}\n" for line in written(removed["deleted"])) == removed["diff"]["before"]
    assert run["remove again"].result == {**right, "summary": {**ZEROS, "unchanged": 3}}
    assert [outcome.cost for outcome in run.outcomes.values()] == [(2, 1), (1, 0), (1, 1), (1, 0)]
    assert zone.values() == {"192.0.2.1": ("aws", "us-east-1"), "2001:db8::a": ("azure", "westeurope")}


def test_a_batch_of_one(play: Play, zone: Zone) -> None:
    one = [mapping("192.0.2.10", "aws/us-east-1")]
    run = play(
        {
            "create": batch(one, zone_id=zone.id),
            "create again": batch(one, zone_id=zone.id),
            "remove": batch(one, zone_id=zone.id, state="absent"),
        }
    )
    assert [(outcome.changed, *outcome.cost) for outcome in run.outcomes.values()] == [
        (True, 2, 1),
        (False, 1, 0),
        (True, 1, 1),
    ]
    assert written(run["create"]["created"]) == written(run["remove"]["deleted"]) == ["192.0.2.10: aws/us-east-1"]
    assert run["create again"]["summary"] == {**ZEROS, "unchanged": 1}
    assert "192.0.2.10" not in zone.values()


def test_info_reads_sorts_and_filters(play: Play, emulator: Emulator) -> None:
    fleet = {
        "2001:db8::1": ("aws", "us-east-1"),
        "192.0.2.100": ("gcp", "us-east1"),
        "192.0.2.20": ("aws", "us-west-2"),
        "192.0.2.3": ("aws", "us-east-1"),
    }
    zone = emulator.add_zone("info.example", mappings=fleet)
    run = play(
        {
            "all": info(zone_id=zone.id, supported_regions=True),
            "empty filters": info(zone_id=zone.id, origin_ip=[], vendor=[], region=[]),
            "one address": info(zone_id=zone.id, ip="192.0.2.20"),
            "some addresses": info(zone_id=zone.id, ip=["2001:DB8::1", "192.0.2.3", "192.0.2.4", "192.0.2.3"]),
            "vendors": info(zone_id=zone.id, vendor=["gcp", "oci"]),
            "all three": info(zone_id=zone.id, ip=list(fleet), vendor="aws", region=["us-east-1", "us-east1"]),
            "unknown region": info(zone_id=zone.id, region=["nowhere-1"]),
        }
    )
    everything = [
        "192.0.2.3: aws/us-east-1",
        "192.0.2.20: aws/us-west-2",
        "192.0.2.100: gcp/us-east1",
        "2001:db8::1: aws/us-east-1",
    ]
    found = {name: written(outcome["mappings"]) for name, outcome in run.outcomes.items()}
    assert found == {
        "all": everything,
        "empty filters": everything,
        "one address": ["192.0.2.20: aws/us-west-2"],
        "some addresses": ["192.0.2.3: aws/us-east-1", "2001:db8::1: aws/us-east-1"],
        "vendors": ["192.0.2.100: gcp/us-east1"],
        "all three": ["192.0.2.3: aws/us-east-1", "2001:db8::1: aws/us-east-1"],
        "unknown region": [],
    }
    whole = run["all"]
    assert {key: value for key, value in whole.result.items() if key not in ("mappings", "supported_regions")} == {
        "changed": False,
        "total_count": 4,
        "zone_id": zone.id,
        "api_version": "v2",
    }
    assert all(re.fullmatch(TIME, it["modified_on"]) for it in whole["mappings"])
    assert whole["supported_regions"]["obtained_codes"] is True
    assert {
        vendor: {it["name"]: it["upper_tier_colos"] for it in regions}
        for vendor, regions in whole["supported_regions"]["vendors"].items()
    } == REGIONS
    assert "supported_regions" not in run["empty filters"].result
    assert run["vendors"]["total_count"] == run["unknown region"]["total_count"] == 4
    assert run["one address"]["total_count"] is None
    assert [outcome.cost for outcome in run.outcomes.values()] == [(2, 0), *[(1, 0)] * 6]


def test_what_info_returns_goes_into_a_batch_as_it_is(play: Play, emulator: Emulator, zone: Zone) -> None:
    other = emulator.add_zone("example.net", mappings={"192.0.2.9": ("aws", "us-east-1")})
    run = play(
        {
            "read": {**info(zone_id=zone.id), "register": "source"},
            "back": batch("{{ source.mappings }}", zone_id=zone.id, purge=True),
            "copy": batch("{{ source.mappings }}", zone_id=other.id, purge=True),
        }
    )
    assert run["back"]["summary"] == {**ZEROS, "unchanged": 2}
    assert run["copy"]["summary"] == {**ZEROS, "created": 2, "deleted": 1}
    assert other.values() == zone.values()


def test_lookup_of_supported_regions(play: Play, emulator: Emulator, zone: Zone) -> None:
    common = {"api_url": emulator.api_url, "api_token": emulator.token, "zone_id": zone.id}
    run = play(
        {
            "all": lookup(**common),
            "two vendors": lookup("gcp", "aws", names_only=True, **common),
            "one vendor": lookup("oci", **common),
            "unknown vendor": lookup("gcp", "AWS", **common),
        }
    )
    assert [(it["vendor"], it["name"], it["upper_tier_colos"]) for it in run["all"]["msg"]] == [
        (vendor, name, colos) for vendor in sorted(REGIONS) for name, colos in sorted(REGIONS[vendor].items())
    ]
    assert run["two vendors"]["msg"] == sorted(REGIONS["gcp"]) + sorted(REGIONS["aws"])
    assert [it for it in run["all"]["msg"] if it["vendor"] == "oci"] == run["one vendor"]["msg"]
    assert "'AWS' is unknown: did you mean aws?" in run["unknown vendor"].message
    assert [outcome.cost for outcome in run.outcomes.values()] == [(1, 0), (1, 0), (1, 0), (0, 0)]
