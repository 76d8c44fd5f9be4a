# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Story of each module and of the lookup."""

from __future__ import annotations

import re

from emulator.server import Emulator
from emulator.state import REGIONS, Zone

from .playbook import (
    Play,
    access,
    batch,
    checked,
    export,
    info,
    lookup,
    mapping,
    origins,
    region,
    tiered_cache,
    written,
)

NOTHING = {"created": [], "updated": [], "deleted": [], "failed_items": [], "pending": []}
ZEROS = {"created": 0, "updated": 0, "deleted": 0, "unchanged": 0, "failed": 0, "pending": 0}
CHECKSUM = r"[0-9a-f]{64}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def diff_of(zone: str, before: str = "", after: str = "") -> dict[str, str]:
    """Return a diff with the zone in its headers."""
    return {"before_header": zone, "after_header": zone, "before": before, "after": after}


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
        },
        "--diff",
    )
    modified_on = run["create"]["mapping"]["modified_on"]
    assert re.fullmatch(TIME, modified_on)
    source = {"zone_id": zone.id, "api_version": "v2"}
    created = mapping("192.0.2.10", "aws/eu-west-1", modified_on=modified_on)
    updated = mapping("192.0.2.10", "aws/eu-west-2", modified_on=run["update"]["mapping"]["modified_on"])
    before, after = "192.0.2.10: aws/eu-west-1\n", "192.0.2.10: aws/eu-west-2\n"
    expected = {
        "create": {"changed": True, "mapping": created, "diff": diff_of(zone.id, "", before)},
        "create again": {"changed": False, "mapping": created, "diff": diff_of(zone.id)},
        "update": {"changed": True, "mapping": updated, "diff": diff_of(zone.id, before, after)},
        "update again": {"changed": False, "mapping": updated, "diff": diff_of(zone.id)},
        "remove": {"changed": True, "mapping": None, "diff": diff_of(zone.id, after)},
        "remove again": {"changed": False, "mapping": None, "diff": diff_of(zone.id)},
    }
    for task, result in expected.items():
        assert run[task].result == {**result, **source}, task
        assert run[task].cost == (1, int(result["changed"] is True)), task
    assert zone.values() == {"192.0.2.1": ("aws", "us-east-1"), "2001:db8::1": ("gcp", "us-east1")}
    assert run.stderr == ""


def test_many_mappings_created_updated_and_removed(play: Play, zone: Zone) -> None:
    fleet = [
        mapping("2001:db8::a", "azure/westeurope"),
        mapping("2001:DB8::1", "gcp/europe-west1"),
        {"ip": "192.0.2.10", "vendor": "oci", "region": "us-ashburn-1"},
        mapping("192.0.2.1", "aws/us-east-1"),
        # The same mapping in another spelling counts once.
        mapping("2001:db8:0::a", "azure/westeurope"),
    ]
    gone = [{"origin_ip": "192.0.2.10"}, {"ip": "2001:db8::1", "vendor": "any", "region": None}, {"ip": "192.0.2.99"}]
    run = play(
        {
            "write": batch(fleet, zone_id=zone.id),
            "write again": batch(fleet, zone_id=zone.id),
            "remove": batch(gone, zone_id=zone.id, state="absent"),
            "remove again": batch(gone, zone_id=zone.id, state="absent"),
        },
        "--diff",
    )
    checksums = [outcome.result.pop("plan_checksum") for outcome in run.outcomes.values()]
    assert all(re.fullmatch(CHECKSUM, checksum) for checksum in checksums)
    assert checksums[1] == checksums[3]
    assert len({*checksums}) == 3
    source = {"zone_id": zone.id, "api_version": "v2"}
    assert run["write"].result == {
        **NOTHING,
        **source,
        "changed": True,
        "created": [
            mapping("192.0.2.10", "oci/us-ashburn-1"),
            mapping("2001:db8::a", "azure/westeurope"),
        ],
        "updated": [mapping("2001:db8::1", "gcp/europe-west1")],
        "summary": {**ZEROS, "created": 2, "updated": 1, "unchanged": 1},
        "diff": diff_of(
            zone.id,
            "2001:db8::1: gcp/us-east1\n",
            "192.0.2.10: oci/us-ashburn-1\n2001:db8::1: gcp/europe-west1\n2001:db8::a: azure/westeurope\n",
        ),
    }
    right = {**NOTHING, **source, "changed": False, "diff": diff_of(zone.id)}
    assert run["write again"].result == {**right, "summary": {**ZEROS, "unchanged": 4}}
    removed = run["remove"]
    assert removed.result == {
        **NOTHING,
        **source,
        "changed": True,
        "deleted": removed["deleted"],
        "summary": {**ZEROS, "deleted": 2, "unchanged": 1},
        "diff": diff_of(zone.id, "192.0.2.10: oci/us-ashburn-1\n2001:db8::1: gcp/europe-west1\n"),
    }
    assert "".join(f"{line}\n" for line in written(removed["deleted"])) == removed["diff"]["before"]
    assert run["remove again"].result == {**right, "summary": {**ZEROS, "unchanged": 3}}
    assert [outcome.cost for outcome in run.outcomes.values()] == [(2, 1), (1, 0), (1, 1), (1, 0)]
    assert zone.values() == {"192.0.2.1": ("aws", "us-east-1"), "2001:db8::a": ("azure", "westeurope")}


def test_a_purge_makes_the_zone_exactly_the_list(play: Play, zone: Zone) -> None:
    fleet = [mapping("2001:db8::1", "gcp/us-east4"), mapping("192.0.2.10", "aws/us-east-1")]
    run = play(
        {
            "purge": batch(fleet, zone_id=zone.id, purge=True),
            "purge again": batch(fleet, zone_id=zone.id, purge=True),
            "empty list": batch([], zone_id=zone.id, purge=True),
            "empty list allowed": batch([], zone_id=zone.id, purge=True, allow_empty=True),
        },
        "--diff",
    )
    first = run["purge"]
    assert first["summary"] == {**ZEROS, "created": 1, "updated": 1, "deleted": 1}
    assert written(first["deleted"]) == ["192.0.2.1: aws/us-east-1"]
    assert first["diff"] == diff_of(
        zone.id,
        "192.0.2.1: aws/us-east-1\n2001:db8::1: gcp/us-east1\n",
        "192.0.2.10: aws/us-east-1\n2001:db8::1: gcp/us-east4\n",
    )
    # No origin is without its mapping at any time.
    assert [request.method for request in first.writes] == ["PUT", "DELETE"]
    assert "allow_empty" in run["empty list"].message
    assert run["empty list allowed"]["summary"] == {**ZEROS, "deleted": 2}
    assert [outcome.cost for outcome in run.outcomes.values()] == [(2, 2), (1, 0), (0, 0), (1, 1)]
    assert zone.values() == {}


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
            "one address": info(zone_id=zone.id, ip="192.0.2.20"),
            "some addresses": info(zone_id=zone.id, ip=["2001:DB8::1", "192.0.2.3", "192.0.2.4", "192.0.2.3"]),
            "all three": info(zone_id=zone.id, ip=list(fleet), vendor="aws", region=["us-east-1", "us-east1"]),
        }
    )
    found = {name: written(outcome["mappings"]) for name, outcome in run.outcomes.items()}
    assert found == {
        "all": [
            "192.0.2.3: aws/us-east-1",
            "192.0.2.20: aws/us-west-2",
            "192.0.2.100: gcp/us-east1",
            "2001:db8::1: aws/us-east-1",
        ],
        "one address": ["192.0.2.20: aws/us-west-2"],
        "some addresses": ["192.0.2.3: aws/us-east-1", "2001:db8::1: aws/us-east-1"],
        "all three": ["192.0.2.3: aws/us-east-1", "2001:db8::1: aws/us-east-1"],
    }
    whole = run["all"]
    assert {key: value for key, value in whole.result.items() if key not in ("mappings", "supported_regions")} == {
        "changed": False,
        "total_count": 4,
        "zone_id": zone.id,
        "api_version": "v2",
    }
    assert all(re.fullmatch(TIME, entry["modified_on"]) for entry in whole["mappings"])
    assert whole["supported_regions"]["obtained_codes"] is True
    assert {
        vendor: {entry["name"]: entry["upper_tier_colos"] for entry in regions}
        for vendor, regions in whole["supported_regions"]["vendors"].items()
    } == REGIONS
    assert "supported_regions" not in run["all three"].result
    assert run["one address"]["total_count"] is None
    assert [outcome.cost for outcome in run.outcomes.values()] == [(2, 0), *[(1, 0)] * 3]


def test_results_of_info_are_accepted_by_a_batch(play: Play, emulator: Emulator, zone: Zone) -> None:
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


def test_tiered_cache_turned_on_and_off(play: Play, emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com", tiered_cache=False, smart_tiered_cache=None)
    both = {"zone": "example.com", "enabled": True, "smart": True}
    run = play(
        {
            "nothing": tiered_cache(zone_id=zone.id),
            "check": checked(tiered_cache(**both)),
            "turn on": tiered_cache(**both),
            "turn on again": tiered_cache(**both),
            "turn one off": tiered_cache(zone_id=zone.id, smart=False),
        },
        "--diff",
    )
    assert "one of the following is required: enabled, smart" in run["nothing"].message
    label = f"example.com ({zone.id})"
    on = {"tiered_cache": {"enabled": True, "smart": True}, "zone_id": zone.id}
    lines = [f"tiered_cache: {value}\nsmart_tiered_cache: {value}\n" for value in ("off", "on")]
    assert run["check"].result == {"changed": True, **on, "diff": diff_of(label, *lines)}
    assert run["turn on"].result == run["check"].result
    assert run["turn on again"].result == {"changed": False, **on, "diff": diff_of(label)}
    assert run["turn one off"].result == {
        "changed": True,
        "tiered_cache": {"enabled": None, "smart": False},
        "zone_id": zone.id,
        "diff": diff_of(zone.id, "smart_tiered_cache: on\n", "smart_tiered_cache: off\n"),
    }
    assert [outcome.cost for outcome in run.outcomes.values()] == [(0, 0), (3, 0), (3, 2), (3, 0), (1, 1)]
    assert (zone.tiered_cache, zone.smart_tiered_cache) == (True, False)


def test_origins_of_a_zone_by_cloudflare(play: Play, emulator: Emulator) -> None:
    [pool] = emulator.set_pools("Example", [{"name": "web", "origins": [{"name": "one", "address": "192.0.2.20"}]}])
    zone = emulator.add_zone(
        "example.com",
        dns_records=[
            {"type": "A", "name": "www.example.com", "content": "192.0.2.10", "proxied": True},
            {"type": "A", "name": "worker.example.com", "content": "192.0.2.1", "proxied": True},
            {"type": "CNAME", "name": "api.example.com", "content": "www.example.com", "proxied": True},
            {"type": "CNAME", "name": "app.example.com", "content": "localhost", "proxied": True},
        ],
        load_balancers=[{"name": "lb.example.com", "default_pools": [pool]}],
    )
    run = play(
        {
            "read": origins(zone_id=zone.id),
            "without load balancers": origins(zone_id=zone.id, load_balancers=False),
            "with look-ups": origins(zone_id=zone.id, load_balancers="true", resolve=True),
        }
    )
    www = {
        "origin_ip": "192.0.2.10",
        "names": ["api.example.com", "www.example.com"],
        "sources": ["A record of www.example.com"],
    }
    local = {
        "hostname": "localhost",
        "names": ["app.example.com"],
        "sources": ["CNAME record of app.example.com"],
    }
    placeholder = {
        "origin": "192.0.2.1",
        "code": "placeholder",
        "reason": "a placeholder, not an origin",
        "names": ["worker.example.com"],
        "sources": ["A record of worker.example.com"],
    }
    balanced = {"origin_ip": "192.0.2.20", "names": ["lb.example.com"], "sources": ["pool web, origin one"]}
    assert run["read"].result == {
        "changed": False,
        "origins": [www, balanced],
        "hostnames": [local],
        "excluded": [placeholder],
        "load_balancers": "read",
        "zone_id": zone.id,
    }
    assert run["without load balancers"].result == {
        **run["read"].result,
        "origins": [www],
        "load_balancers": "not_read",
    }
    looked_up = run["with look-ups"]
    assert looked_up["hostnames"] == [{**local, "addresses": []}]
    assert {item["code"] for item in looked_up["excluded"]} == {"placeholder", "unusable_address"}
    assert [outcome.cost for outcome in run.outcomes.values()] == [(4, 0), (1, 0), (5, 0)]


def test_lookup_of_supported_regions(play: Play, emulator: Emulator, zone: Zone) -> None:
    common = {"api_url": emulator.api_url, "api_token": emulator.token, "zone_id": zone.id}
    run = play.once(
        {
            "all": lookup(**common),
            "two vendors": lookup("gcp", "aws", names_only=True, **common),
            "one vendor": lookup("oci", **common),
            "vendors in a list": lookup(["gcp", "aws"], "gcp", names_only=True, **common),
            "unknown vendor": lookup("gcp", "AWS", **common),
        }
    )
    assert [(entry["vendor"], entry["name"], entry["upper_tier_colos"]) for entry in run["all"]["msg"]] == [
        (vendor, name, colos) for vendor in sorted(REGIONS) for name, colos in sorted(REGIONS[vendor].items())
    ]
    assert run["two vendors"]["msg"] == sorted(REGIONS["gcp"]) + sorted(REGIONS["aws"])
    assert run["vendors in a list"]["msg"] == run["two vendors"]["msg"]
    assert [entry for entry in run["all"]["msg"] if entry["vendor"] == "oci"] == run["one vendor"]["msg"]
    assert "'AWS' is unknown: did you mean aws?" in run["unknown vendor"].message
    assert [outcome.cost for outcome in run.outcomes.values()] == [*[(1, 0)] * 4, (0, 0)]


def test_missing_permissions_are_named(play: Play, zone: Zone, emulator: Emulator) -> None:
    emulator.load_balancing = "forbidden"
    run = play(
        {
            "by name": access(zone=zone.name),
            "check mode": checked(access(zone_id=zone.id)),
            "no such zone": access(zone_id="0" * 32),
        }
    )
    assert run["by name"].result == run["check mode"].result
    assert run["by name"]["missing_permissions"] == [
        "Load Balancers: Read",
        "Load Balancing: Monitors and Pools: Read",
    ]
    assert [*run["by name"]["not_checked"]] == ["write"]
    assert not any(outcome.changed for outcome in run.outcomes.values())
    assert [run[task].cost for task in ("by name", "check mode")] == [(9, 0), (9, 0)]
    assert "Check zone_id and api_url" in run["no such zone"].message
    assert run.stderr == ""


def test_an_export_brings_another_zone_to_the_same_mappings(play: Play, zone: Zone, emulator: Emulator) -> None:
    copies = [emulator.add_zone(f"{name}.example") for name in ("list", "hosts")]
    dest = play.folder / "export"
    run = play.once({"check": checked(export(zone=zone.name, dest=str(dest)))})
    assert (run["check"].changed, dest.exists()) == (True, False)
    run = play.once({"write": export(zone=zone.name, dest=str(dest))})
    assert run["write"].cost == (2, 0)
    assert run["write"]["files"] == {
        "list": str(dest / "mappings.yml"),
        "hosts": str(dest / "hosts.yml"),
        "terraform": str(dest / "mappings.tf"),
    }
    again = {"write again": export(zone=zone.name, dest=str(dest))}
    run = play(
        {
            **again,
            "apply the list": batch("{{ origins }}", zone_id=copies[0].id),
            "apply the hosts": batch(
                "{{ groups['origins'] | map('extract', hostvars) | originops.cloudflare.origin_mappings }}",
                zone_id=copies[1].id,
            ),
        },
        *("-e", f"@{dest}/mappings.yml", "-i", f"{dest}/hosts.yml"),
    )
    assert run["write again"].changed is False
    assert copies[0].values() == copies[1].values() == zone.values()
    (dest / "hosts.yml").write_text("mine")
    failed = play(again)["write again"]
    assert failed.message.startswith("Nothing was written, because these have another content: ")
    assert (dest / "hosts.yml").read_text() == "mine"
