# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Role and playbook that audit zones: findings, files and failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from emulator.faults import Fault, Respond
from emulator.server import Emulator
from emulator.state import Zone
from support.cloud_hosts import FLEET, MAPPED, origin
from support.published_ranges import write_ranges
from support.values import refusal

from .playbook import COLLECTION, INVENTORY, Completed, run_inventory, run_playbook

Audit = Callable[..., Completed]

REPORTS = {"report.json", "report.md", "report.xml", "report.html"}


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    """Return a zone with the mappings of the fleet."""
    return emulator.add_zone("example.com", mappings=MAPPED)


@pytest.fixture
def audit(tmp_path: Path, emulator: Emulator, zone: Zone) -> Audit:
    """Return a runner of the role for a group web of hosts and the zone."""

    def run(*arguments: str, hosts: Mapping[str, Any] | None = None, **variables: Any) -> Completed:
        web = {"hosts": FLEET if hosts is None else hosts}
        (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"children": {"web": web}}}))
        zones = [{"zone": zone.name, "zone_id": zone.id, "group": "web"}]
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {f"audit_{name}": value for name, value in {"zones": zones, **variables}.items()},
            "roles": [f"{COLLECTION}.audit"],
        }
        return checked(
            emulator, run_playbook(tmp_path, [play], "-i", "hosts.yml", *arguments, environment=own(emulator))
        )

    return run


def own(emulator: Emulator) -> dict[str, str]:
    return {"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token}


def checked(emulator: Emulator, done: Completed) -> Completed:
    """Check that an audit wrote to no zone and leaked nothing; return it."""
    assert emulator.writes == []
    assert emulator.token not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text("utf-8"))


def found(folder: Path) -> dict[str, list[str | None]]:
    """Return the addresses of the findings by kind, over all zones."""
    kinds: dict[str, list[str | None]] = {}
    for zone in report(folder)["zones"]:
        for finding in zone["findings"]:
            kinds.setdefault(finding["kind"], []).append(finding["origin_ip"])
    return kinds


def message(done: Completed) -> str:
    assert done.returncode, done.stdout
    return " ".join((done.stdout + done.stderr).split())


def test_a_correct_zone(audit: Audit, tmp_path: Path, zone: Zone, emulator: Emulator) -> None:
    done = audit()
    assert done.returncode == 0, done.stdout
    assert "changed=0 " in done.stdout
    assert "The audit of 1 zone passed." in done.stdout
    folder = tmp_path / "audit"
    assert found(folder) == {}
    [audited] = report(folder)["zones"]
    assert {entry["origin_ip"]: (entry["vendor"], entry["region"]) for entry in audited["mappings"]} == MAPPED
    assert all(entry["upper_tier_colos"] and entry["hosts"] for entry in audited["mappings"])
    # One page of mappings, the supported regions and two settings.
    assert len(emulator.requests) == 4
    assert {path.name for path in folder.iterdir()} == REPORTS
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("by_name_first", [False, True])
@pytest.mark.parametrize("traffic", [False, True])
def test_one_zone_by_its_name_and_by_its_identifier(
    audit: Audit, tmp_path: Path, zone: Zone, by_name_first: bool, traffic: bool
) -> None:
    zones = [{"zone_id": zone.id, "groups": [], "addresses": ["192.0.2.7"]}, {"zone": zone.name, "group": "web"}]
    ranges = write_ranges(tmp_path / "ranges")
    done = audit(zones=zones[::-1] if by_name_first else zones, ranges=ranges, traffic=traffic)
    assert "The audit found 2 zones that could not be audited" in message(done)
    errors = [entry["error"] for entry in report(tmp_path / "audit")["zones"]]
    assert [error.partition(" is ")[2] for error in errors] == ["listed more than once, with different origins"] * 2


@pytest.mark.parametrize("wrong_first", [False, True])
def test_one_zone_with_the_identifier_of_another(audit: Audit, tmp_path: Path, zone: Zone, wrong_first: bool) -> None:
    zones = [{"zone": zone.name, "group": "web"}, {"zone": "example.net", "zone_id": zone.id, "group": "web"}]
    done = audit(zones=zones[::-1] if wrong_first else zones)
    assert "The audit found 2 zones that could not be audited" in message(done)
    errors = {entry["zone"]: entry["error"] for entry in report(tmp_path / "audit")["zones"]}
    assert errors == {name: f"{name} is listed more than once, with different origins" for name in errors}
    assert errors.keys() == {zone.name, "example.net"}


def test_a_host_of_the_play_is_never_connected_to(audit: Audit, tmp_path: Path) -> None:
    done = audit("-e", json.dumps({"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}))
    assert done.returncode == 0, done.stdout
    assert {path.name for path in (tmp_path / "audit").iterdir()} == REPORTS


def test_two_audits_at_once_into_one_directory(audit: Audit, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(audit) for _number in range(2)]
    assert [run.result().returncode for run in runs] == [0, 0]
    assert {path.name for path in (tmp_path / "audit").iterdir()} == REPORTS
    assert report(tmp_path / "audit")["failures"] == []


def test_traffic(audit: Audit, tmp_path: Path, zone: Zone, emulator: Emulator) -> None:
    badly, hardly, *_others = MAPPED
    emulator.add_zone(
        zone.name, traffic={badly: {"SYD": 60, "NRT": 60}, hardly: {"SYD": 99}, "203.0.113.99": {"SYD": 9}}
    )
    done = audit(traffic=True)
    assert done.returncode == 0, done.stdout
    assert found(tmp_path / "audit") == {"misrouted": [badly]}
    # A page of mappings, the supported regions, two settings, and two queries.
    assert len(emulator.requests) == 4 + 2
    [finding] = report(tmp_path / "audit")["zones"][0]["findings"]
    assert "but 0 percent of about 120 requests came through " in finding["message"]
    assert finding["message"].endswith(", others through NRT (50 percent), SYD (50 percent)")
    traffic = report(tmp_path / "audit")["zones"][0]["traffic"]
    assert (traffic["error"], traffic["not_available"], traffic["limits"]) == (None, None, [])
    origins = {origin["origin_ip"]: origin for origin in traffic["origins"]}
    assert origins.keys() == {*MAPPED, "203.0.113.99"}
    assert [tier["expected"] for tier in origins[badly]["upper_tiers"]] == [False, False]
    assert (origins["203.0.113.99"]["vendor"], origins["203.0.113.99"]["published"]) == (None, None)
    for name in ("report.html", "report.md"):
        assert "9 requests to 1 origin" in (tmp_path / "audit" / name).read_text("utf-8")
    audit(traffic=True, ranges=write_ranges(tmp_path / "ranges"))
    [unmapped] = [
        origin for origin in report(tmp_path / "audit")["zones"][0]["traffic"]["origins"] if not origin["vendor"]
    ]
    assert unmapped["published"] == []
    chosen = {"traffic_min_requests": 99, "fail_on": ["misrouted"]}
    assert "The audit found 2 misrouted" in message(audit(traffic=True, **chosen))
    assert audit(traffic=True, traffic_min_requests=121).returncode == 0
    assert found(tmp_path / "audit") == {}
    # No traffic proves nothing, which is no failure; unknown traffic is one if the comparison was requested.
    emulator.add_zone(zone.name, traffic={address: {} for address in MAPPED})
    assert audit(traffic=True, **chosen).returncode == 0
    reason = report(tmp_path / "audit")["zones"][0]["not_checked"]["misrouted"]
    assert "no request reached an origin in this time, so nothing is proven" in reason
    broken = Respond(200, {"data": None, "errors": [{"message": "it broke"}]})
    emulator.faults = [Fault(effect=broken, path="/graphql", times=None)]
    assert "Cloudflare refused the query: it broke" in message(audit(traffic=True, **chosen))
    assert report(tmp_path / "audit")["zones"][0]["traffic"]["error"].endswith("refused the query: it broke")
    assert "refused the query: it broke" in (tmp_path / "audit" / "report.html").read_text("utf-8")
    emulator.faults = []
    emulator.analytics = "forbidden"
    assert audit(traffic=True).returncode == 0
    assert report(tmp_path / "audit")["zones"][0]["unavailable"] == ["misrouted"]
    assert report(tmp_path / "audit")["zones"][0]["traffic"]["not_available"]["code"] == "permission"
    assert "permission Analytics: Read" in message(audit(traffic=True, **chosen))
    assert audit(**chosen).returncode == 0
    assert report(tmp_path / "audit")["zones"][0]["traffic"] is None


def test_traffic_of_many_zones(audit: Audit, tmp_path: Path, emulator: Emulator) -> None:
    zones = [emulator.add_zone(f"zone{number}.example", mappings=MAPPED) for number in range(25)]
    zones[0].traffic = {next(iter(MAPPED)): {"SYD": 500}}
    zones[1].analytics = {"forbidden": True}
    entries = [{"zone": zone.name, "group": "web"} for zone in zones]
    assert audit(zones=[*entries, {"zone": "gone.example", "group": "web"}], traffic=True).returncode == 2
    assert found(tmp_path / "audit") == {"misrouted": [next(iter(MAPPED))]}
    audited = {zone["zone"]: zone for zone in report(tmp_path / "audit")["zones"]}
    assert [name for name, zone in audited.items() if zone["unavailable"]] == ["zone1.example"]
    assert [name for name, zone in audited.items() if zone["error"]] == ["gone.example"]
    assert {zone["account_id"] for name, zone in audited.items() if not zone["error"]} == {zones[0].account_id}
    # Each zone takes five: its name, mappings, supported regions and two settings. Every ten zones take two queries,
    # and one more for each of the ten with a refused zone. A zone that is gone is looked up twice.
    assert len(emulator.requests) == 25 * 5 + 2 * 3 + 10 + 2


def test_every_kind_of_finding(audit: Audit, tmp_path: Path, emulator: Emulator) -> None:
    emulator.add_zone(
        "example.com",
        mappings={
            **{address: value for address, value in MAPPED.items() if address != "203.0.113.20"},
            "192.0.2.40": ("azure", "westeurope"),
            "192.0.2.99": ("azure", "eastus2"),
            "198.51.100.99": ("gcp", "us-central1"),
        },
        smart_tiered_cache=False,
    )
    hosts = {
        **FLEET,
        "stopped": {"compartment_id": "x", "region": "iad"},
        "gov": origin("192.0.2.50", "aws/us-gov-west-1"),
        "broken": {"origin_ip": "{{ nowhere }}"},
    }
    # An audit changes no zone, so check mode writes the same reports.
    arguments = ("--check", "--diff")
    done = audit(*arguments, hosts=hosts, ranges=write_ranges(tmp_path / "ranges"), formats=["json", "junit"])
    assert found(tmp_path / "audit") == {
        "missing": ["192.0.2.50", "203.0.113.20"],
        "wrong": ["192.0.2.40"],
        "stale": ["192.0.2.99", "198.51.100.99"],
        "contradicted": ["192.0.2.40", "198.51.100.99"],
        "unsupported": ["192.0.2.50"],
        "unresolved": [None, None],
        "without_effect": [None],
    }
    output = message(done)
    assert "The audit found 2 missing; 1 wrong; 2 stale; 2 contradicted; 1 unsupported" in output
    # The first findings, and the path of the rest.
    assert "example.com: 192.0.2.50 has no mapping, but is an origin in aws/us-gov-west-1" in output
    assert str(tmp_path / "audit" / "report.json") in output
    assert {path.name for path in (tmp_path / "audit").iterdir()} == {"report.json", "report.xml"}


def test_fail_on_selects_the_kinds(audit: Audit, tmp_path: Path, emulator: Emulator) -> None:
    emulator.add_zone("example.com", mappings={**MAPPED, "192.0.2.99": ("aws", "us-east-1")}, smart_tiered_cache=False)
    for fail_on, fails in (
        ([], False),
        (["stale"], True),
        (["missing", "unresolved"], False),
        (["without_effect"], True),
    ):
        done = audit(fail_on=fail_on, formats=["json"])
        assert done.returncode == (2 if fails else 0)
        left_out = "passed. Findings that audit_fail_on leaves out: 1 stale, 1 without_effect."
        assert (left_out in done.stdout) is not fails
        assert found(tmp_path / "audit") == {"stale": ["192.0.2.99"], "without_effect": [None]}


@pytest.mark.parametrize(
    ("path", "kind"), [("/argo", "without_effect"), ("/supported_regions", "unsupported"), (None, "contradicted")]
)
def test_a_failed_check_of_a_kind_in_fail_on(
    audit: Audit, tmp_path: Path, emulator: Emulator, path: str | None, kind: str
) -> None:
    ranges = {} if path else {"aws": "/nowhere/aws.json"}
    emulator.faults = [Fault(effect=refusal(403, 1135), path=path, times=None)] if path else []
    done = audit(fail_on=[kind], ranges=ranges, formats=["json"])
    assert f"1 zone in which {kind} could not be checked" in message(done)
    [audited] = report(tmp_path / "audit")["zones"]
    # Other results are not discarded.
    assert (audited["unavailable"], audited["total_count"]) == ([kind], len(MAPPED))
    assert audit(fail_on=["missing"], ranges=ranges, formats=["json"]).returncode == 0


def test_no_inventory(audit: Audit, tmp_path: Path, zone: Zone) -> None:
    done = audit(inventory=False, hosts={}, zones=[{"zone": zone.name}], formats=["json"], file_mode="0644")
    assert done.returncode == 0, done.stdout
    [audited] = report(tmp_path / "audit")["zones"]
    assert (audited["sources"], audited["zone_id"], audited["total_count"]) == ([], zone.id, len(MAPPED))
    # Checks that need an inventory, ranges or traffic were not requested.
    without = {"missing", "wrong", "stale", "contradicted", "misrouted", "unresolved", "no_origins"}
    assert {*audited["not_checked"]} == without
    assert (tmp_path / "audit" / "report.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("by_entry", [False, True])
def test_the_source_cloudflare_without_comparing_origins(
    audit: Audit, zone: Zone, emulator: Emulator, by_entry: bool
) -> None:
    source = ["inventory", "cloudflare"]
    zones = [{"zone": zone.name, **({"source": source} if by_entry else {})}]
    output = message(audit(inventory=False, zones=zones, **({} if by_entry else {"source": source})))
    assert "example.com has the source cloudflare, but no zone is compared with its origins" in output
    assert emulator.requests == []


def test_an_empty_inventory(audit: Audit, tmp_path: Path) -> None:
    done = audit(hosts={}, formats=["json"])
    # The reason for all other findings comes first.
    reason = f"The zone has {len(MAPPED)} mappings, but no origin from inventory"
    assert f"1 no_origins. example.com: {reason}" in message(done)
    [audited] = report(tmp_path / "audit")["zones"]
    assert audited["repair"] == {"present": [], "absent": []}


def test_unreadable_zones_fail_the_audit_but_not_the_others(
    audit: Audit, tmp_path: Path, emulator: Emulator, zone: Zone
) -> None:
    twins = [emulator.add_zone("twin.example", mappings=MAPPED, account=name) for name in ("One", "Two")]
    zones = [
        {"zone": "gone.example", "zone_id": "0" * 32, "group": "web"},
        {"zone": "typo.example", "group": "wbe"},
        {"zone": zone.name, "zone_id": "", "group": "web"},
        *({"zone": twin.name, "zone_id": twin.id, "account_id": twin.account_id, "group": "web"} for twin in twins),
        {"zone": "../../group_vars/all", "group": "web"},
        {"zone_id": zone.id + "0", "group": "web"},
        {"group": "web"},
        {"zone": "key.example", "groupz": "web"},
    ]
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.json").write_text("{}")
    done = audit(zones=zones, fail_on=[], formats=["json"])
    assert "The audit found 6 zones that could not be audited" in message(done)
    written = report(tmp_path / "audit")
    assert [entry["zone"] for entry in written["zones"] if entry["error"] is None] == [zone.name, *["twin.example"] * 2]
    assert {entry["zone_id"] for entry in written["zones"]} >= {zone.id, *(twin.id for twin in twins)}
    assert len(written["expected"]) == len(zones)
    errors = " ".join(entry["error"] or "" for entry in written["zones"])
    for part in (
        "HTTP 400",
        "the inventory has no group 'wbe'",
        "is not the name of a zone",
        "it has neither zone nor",
    ):
        assert part in errors
    assert "'groupz' is unknown: did you mean group" in errors
    # No name was used as a path.
    assert {path.name for path in (tmp_path / "audit").iterdir()} == {"report.json"}
    assert (tmp_path / "group_vars" / "all.json").read_text() == "{}"


def test_nothing_of_a_user_is_deleted_or_replaced(audit: Audit, tmp_path: Path) -> None:
    own = {"zones/mine.json": "mine", "report.md": "# Notes on originops.cloudflare.audit"}
    for name, text in own.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    output = message(audit(folder="."))
    assert "Left alone, because no audit wrote it: ./report.md" in output
    assert {name: (tmp_path / name).read_text() for name in own} == own
    assert report(tmp_path)["totals"]["audited"] == 1


def test_control_characters_in_names(audit: Audit, tmp_path: Path, zone: Zone) -> None:
    names = {"web\x07": origin("192.0.2.200", "aws/us-east-1"), "lost\x07": {"origin_ip": "nowhere"}}
    zones = [{"zone": zone.name, "group": "web"}, {"zone": "example\x07.net"}]
    audit(hosts={**FLEET, **names}, zones=zones)
    suites = {
        suite.get("name"): suite for suite in ElementTree.parse(tmp_path / "audit" / "report.xml").iter("testsuite")
    }
    assert suites.keys() == {zone.name, "example\ufffd.net"}
    text = "".join(suites[zone.name].itertext())
    assert "hosts web\ufffd" in text
    assert "lost\ufffd: " in text
    for name in REPORTS:
        assert "\x07" not in (tmp_path / "audit" / name).read_text("utf-8").replace("\\u0007", "\x07")


@pytest.mark.parametrize(
    ("variables", "part"),
    [
        ({"zones": []}, "there is no zone to audit: set audit_zones"),
        ({"fail_on": ["staled"]}, "staled"),
        ({"formats": ["pdf"]}, "pdf"),
        ({"folder": ""}, "folder is empty"),
        ({"file_mode": "rw"}, "file_mode: 'rw' is not a mode"),
        ({"file_mode": 0o640}, "file_mode: '416' is not a mode"),
        ({"near_limit": 0}, "near_limit: 0 is not between"),
        ({"traffic_min_requests": 0}, "traffic_min_requests: 0 is less than 1"),
        ({"traffic_min_share": 101}, "traffic_min_share: 101 is not between 1 and 100 percent"),
        ({"zones": [7]}, "not a dictionary with zone or zone_id"),
        ({"filter_options": {"vras_prefix": "x"}}, "vras_prefix"),
    ],
)
def test_bad_variables(audit: Audit, variables: dict[str, Any], part: str) -> None:
    assert part in message(audit(**variables))


def test_a_failed_audit_leaves_no_older_report(audit: Audit, tmp_path: Path) -> None:
    assert audit().returncode == 0
    assert audit(near_limit=0).returncode == 2
    old = report(tmp_path / "audit")
    assert old["failures"] == ["1 zone that could not be audited"]
    assert old["zones"][0]["error"] == "its audit has not ended"


@pytest.fixture
def zones_of_the_playbook(tmp_path: Path, emulator: Emulator) -> list[Zone]:
    """Return three zones, and write inventories of them and their origins."""
    (tmp_path / "cloudflare_zones.yml").write_text(f"plugin: {COLLECTION}.zones\n")
    zones = [
        emulator.add_zone(f"z{number}.example", mappings={f"192.0.2.{number}": ("aws", "us-east-1")})
        for number in range(3)
    ]
    hosts = {
        f"web{number}": origin(
            f"192.0.2.{number}", "aws/us-east-1", origin_zones=f"{zone.name.upper()}., other.example"
        )
        for number, zone in enumerate(zones)
    }
    (tmp_path / "origins.yml").write_text(
        json.dumps({"all": {"children": {"web": {"hosts": hosts}}, **INVENTORY["all"]}})
    )
    return zones


SOURCES = ("-i", "cloudflare_zones.yml", "-i", "origins.yml")


def run_audit(tmp_path: Path, emulator: Emulator, *arguments: str) -> Completed:
    """Run the playbook, as users call it."""
    including = [{"ansible.builtin.import_playbook": f"{COLLECTION}.audit"}]
    arguments = (*SOURCES, "-e", json.dumps({"audit_formats": ["json"]}), *arguments)
    return checked(emulator, run_playbook(tmp_path, including, *arguments, environment=own(emulator)))


def zone_host(tmp_path: Path, emulator: Emulator, zone: Zone) -> str:
    """Return the name of a zone's host in the inventory."""
    hosts = json.loads(run_inventory(tmp_path, "--list", environment=own(emulator)).stdout)["_meta"]["hostvars"]
    return next(name for name in hosts if zone.name in name)


def test_the_playbook_over_many_zones(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]) -> None:
    done = run_audit(tmp_path, emulator)
    assert done.returncode == 0, done.stdout + done.stderr
    totals = report(tmp_path / "audit")["totals"]
    assert (totals["zones"], totals["clean"], totals["mappings"]) == (3, 3, 3)
    zones_of_the_playbook[1].replace({"192.0.2.1": ("aws", "us-west-2")})
    emulator.add_zone("z0.example", tiered_cache=False)
    assert "The audit found 1 wrong" in message(run_audit(tmp_path, emulator))
    assert found(tmp_path / "audit") == {"without_effect": [None], "wrong": ["192.0.2.1"]}
    # A variable of the zones' group applies.
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "cloudflare_zones.yml").write_text("audit_fail_on: [without_effect]\n")
    assert "The audit found 1 without_effect" in message(run_audit(tmp_path, emulator))


def test_limits(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]) -> None:
    zones_of_the_playbook[1].replace({"192.0.2.1": ("aws", "us-west-2")})
    right, wrong = (zone_host(tmp_path, emulator, zone) for zone in zones_of_the_playbook[:2])
    assert run_audit(tmp_path, emulator, "--limit", right).returncode == 0
    assert [zone["zone"] for zone in report(tmp_path / "audit")["zones"]] == ["z0.example"]
    assert "1 wrong" in message(run_audit(tmp_path, emulator, "--limit", wrong))
    # An audit of no zone is no success.
    assert "there is no zone to audit" in message(run_audit(tmp_path, emulator, "--limit", "web0"))
    assert report(tmp_path / "audit")["failures"] == ["no zone to audit"]


def test_a_failing_inventory_source(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]) -> None:
    assert run_audit(tmp_path, emulator).returncode == 0
    emulator.faults = [Fault(effect=refusal(403, 9109), path="/zones", times=None)]
    assert "there is no zone to audit" in message(run_audit(tmp_path, emulator))
    assert report(tmp_path / "audit")["failures"] == ["no zone to audit"]


def test_a_misspelt_zone_of_the_inventory_plugin(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]
) -> None:
    names = ["z?.example", "z1.exmpl", "*.test"]
    (tmp_path / "cloudflare_zones.yml").write_text(json.dumps({"plugin": f"{COLLECTION}.zones", "names": names}))
    assert "1 zone that could not be audited" in message(run_audit(tmp_path, emulator))
    [failed] = [zone for zone in report(tmp_path / "audit")["zones"] if zone["error"]]
    assert failed["zone"] == "z1.exmpl"
    assert "it is in names of the inventory plugin" in failed["error"]
    # A limit leaves it out.
    host = zone_host(tmp_path, emulator, zones_of_the_playbook[0])
    assert run_audit(tmp_path, emulator, "--limit", host).returncode == 0


def test_a_zone_that_the_inventory_plugin_excludes(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]
) -> None:
    names = [zone.name for zone in zones_of_the_playbook]
    (tmp_path / "cloudflare_zones.yml").write_text(json.dumps({"plugin": f"{COLLECTION}.zones", "names": names}))
    emulator.add_zone("z1.example", status="moved")
    assert "1 zone that could not be audited" in message(run_audit(tmp_path, emulator))
    zones = report(tmp_path / "audit")["zones"]
    assert [zone["zone"] for zone in zones if zone["error"]] == ["z1.example"]


def test_an_inventory_file_that_lists_no_zone(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]
) -> None:
    lost = tmp_path / "lost.cloudflare_zones.yml"
    lost.write_text(json.dumps({"plugin": f"{COLLECTION}.zones", "names": ["lost.example", "*.test"]}))
    assert "1 zone that could not be audited" in message(run_audit(tmp_path, emulator, "-i", lost.name))
    [failed] = [zone for zone in report(tmp_path / "audit")["zones"] if zone["error"]]
    assert failed["zone"] == "lost.example"
    # A limit leaves it out.
    host = zone_host(tmp_path, emulator, zones_of_the_playbook[0])
    assert run_audit(tmp_path, emulator, "-i", lost.name, "--limit", host).returncode == 0


ROLE = {"ansible.builtin.include_role": {"name": f"{COLLECTION}.audit"}}


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_batches_of_a_play(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone], wrong: int) -> None:
    zones_of_the_playbook[wrong].replace({})
    variables = {"audit_formats": ["json"], "audit_zones": [{"zone": "{{ cloudflare_zone_name }}"}]}
    play = {"hosts": "cloudflare_zones", "gather_facts": False, "serial": 1, "vars": variables, "tasks": [ROLE]}
    done = run_playbook(tmp_path, [play], *SOURCES, environment=own(emulator))
    assert "The audit found 1 missing" in message(done)
    written = report(tmp_path / "audit")
    assert [zone["zone"] for zone in written["zones"]] == [zone.name for zone in zones_of_the_playbook]
    assert (written["totals"]["audited"], written["totals"]["missing"]) == (3, 1)


TASK = {
    f"{COLLECTION}.audit_zones": {"zones_variable": "audit_zones", "folder": "audit", "formats": ["json"]},
    "run_once": True,
}


def run_batches(
    tmp_path: Path, emulator: Emulator, *tasks: Mapping[str, Any], variables: Mapping[str, Any] | None = None
) -> Completed:
    """Run tasks on the hosts of zones, one host at a time."""
    variables = {"audit_formats": ["json"], **(variables or {})}
    play = {"hosts": "cloudflare_zones", "gather_facts": False, "serial": 1, "vars": variables, "tasks": tasks}
    return checked(emulator, run_playbook(tmp_path, [play], *SOURCES, environment=own(emulator)))


@pytest.mark.parametrize("wrong", [0, 2])
def test_batches_of_a_task_with_a_register_of_its_own(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone], wrong: int
) -> None:
    zones_of_the_playbook[wrong].replace({})
    assert "The audit found 1 missing" in message(run_batches(tmp_path, emulator, {**TASK, "register": "audit"}))
    assert report(tmp_path / "audit")["totals"]["audited"] == 3


def test_batches_need_a_register(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]) -> None:
    assert "add register to this task" in message(run_batches(tmp_path, emulator, TASK))
    assert report(tmp_path / "audit")["failures"] == ["3 zones that could not be audited"]
    taken = message(run_batches(tmp_path, emulator, {**TASK, "register": "cloudflare_zone_name"}))
    assert "is not the result of this task" in taken
    # One batch needs none.
    host = zone_host(tmp_path, emulator, zones_of_the_playbook[0])
    play = {"hosts": host, "gather_facts": False, "serial": 1, "tasks": [TASK]}
    assert run_playbook(tmp_path, [play], *SOURCES, environment=own(emulator)).returncode == 0


@pytest.mark.parametrize("skipped", [0, 1])
def test_a_skipped_batch_has_no_result(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone], skipped: int
) -> None:
    name = zones_of_the_playbook[skipped].name
    task = {**TASK, "register": "audit", "when": f"cloudflare_zone_name != '{name}'"}
    assert f"{name}: there is no result of its audit" in message(run_batches(tmp_path, emulator, task))
    assert report(tmp_path / "audit")["totals"]["audited"] == 2


def test_a_failed_batch_has_no_result(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]) -> None:
    name = zones_of_the_playbook[0].name
    options = {
        **TASK[f"{COLLECTION}.audit_zones"],
        "near_limit": f"{{{{ 0 if cloudflare_zone_name == '{name}' else 90 }}}}",
    }
    task = {**TASK, f"{COLLECTION}.audit_zones": options, "register": "audit"}
    block = {"block": [task], "rescue": [{"ansible.builtin.debug": {"var": "audit.msg"}}]}
    assert f"{name}: there is no result of its audit" in run_batches(tmp_path, emulator, block).stdout


@pytest.mark.parametrize("first", [True, False])
def test_batches_of_two_audits_in_a_play(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone], first: bool
) -> None:
    zones_of_the_playbook[2].replace({})
    roles = [
        {**ROLE, "vars": {"audit_folder": f"{tmp_path}/first", **({} if first else {"audit_fail_on": []})}},
        {**ROLE, "vars": {"audit_folder": f"{tmp_path}/second", "audit_fail_on": ["missing"]}},
    ]
    assert "The audit found 1 missing" in message(run_batches(tmp_path, emulator, *roles))
    assert report(tmp_path / "first")["totals"]["audited"] == 3
    assert first or report(tmp_path / "second")["totals"]["audited"] == 3


@pytest.mark.parametrize("when", [False, True])
def test_batches_after_another_play(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone], when: bool
) -> None:
    zones_of_the_playbook[0].replace({})
    play = {"hosts": "cloudflare_zones", "gather_facts": False, "serial": 1}
    role = {"role": f"{COLLECTION}.audit", "when": when}
    plays = [
        {**play, "roles": [role], "vars": {"audit_fail_on": []}},
        {**play, "tasks": [ROLE], "vars": {"audit_fail_on": ["missing"]}},
    ]
    done = run_playbook(tmp_path, plays, *SOURCES, environment=own(emulator))
    assert "The audit found 1 missing." in message(done)
    assert report(tmp_path / "audit")["totals"]["audited"] == 3


@pytest.mark.parametrize("same_folder", [False, True])
@pytest.mark.parametrize("wrong", [0, 1])
def test_batches_of_an_audit_before_one_that_checks_less(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone], wrong: int, same_folder: bool
) -> None:
    zones_of_the_playbook[wrong].replace({})
    second = "first" if same_folder else "second"
    roles = [
        {**ROLE, "vars": {"audit_folder": f"{tmp_path}/first"}},
        {**ROLE, "vars": {"audit_folder": f"{tmp_path}/{second}", "audit_inventory": False}},
    ]
    assert "The audit found 1 missing" in message(run_batches(tmp_path, emulator, *roles))
    assert report(tmp_path / "first")["totals"]["audited"] == 3
    # The other way round only the second one fails.
    done = run_batches(tmp_path, emulator, *roles[::-1])
    assert "The audit of 3 zones passed." in done.stdout
    assert "The audit found 1 missing" in message(done)
    assert report(tmp_path / "first")["totals"]["audited"] == 3


def test_batches_of_plays_with_some_hosts_in_common(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]
) -> None:
    zones_of_the_playbook[1].replace({})
    hosts = [zone_host(tmp_path, emulator, zone) for zone in zones_of_the_playbook]
    play = {"gather_facts": False, "serial": 1, "tasks": [ROLE]}
    plays = [
        {**play, "hosts": f"{hosts[1]}:{hosts[2]}", "vars": {"audit_inventory": False}},
        {**play, "hosts": f"{hosts[0]}:{hosts[1]}"},
    ]
    done = run_playbook(tmp_path, plays, *SOURCES, environment=own(emulator))
    assert "The audit found 1 missing" in message(done)
    assert report(tmp_path / "audit")["totals"]["audited"] == 2


def test_a_batch_skipped_by_one_of_two_audits(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]
) -> None:
    name = zones_of_the_playbook[0].name
    roles = [
        {
            "ansible.builtin.import_role": ROLE["ansible.builtin.include_role"],
            "when": f"cloudflare_zone_name != '{name}'",
        },
        {**ROLE, "vars": {"audit_folder": f"{tmp_path}/second"}},
    ]
    play = [{"hosts": "cloudflare_zones", "gather_facts": False, "serial": 1, "tasks": roles}]
    # Only a playbook in YAML has lines.
    (tmp_path / "included.yml").write_text(yaml.safe_dump(play))
    done = run_playbook(
        tmp_path, [{"ansible.builtin.import_playbook": "included.yml"}], *SOURCES, environment=own(emulator)
    )
    assert f"{name}: there is no result of its audit" in message(done)
    assert report(tmp_path / "audit")["totals"]["audited"] == 2


@pytest.mark.parametrize(
    ("order", "failed"),
    [("inventory", True), ("reverse_inventory", True), ("reverse_inventory", False), ("reverse_sorted", False)],
)
def test_batches_in_another_order(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone], order: str, failed: bool
) -> None:
    zones_of_the_playbook[1].replace({})
    play = {"hosts": "cloudflare_zones", "gather_facts": False, "order": order}
    # The last batch has no host that can run tasks.
    name = zones_of_the_playbook[0 if order.startswith("reverse_") else 2].name
    lost = {"ansible.builtin.fail": {"msg": "lost"}, "when": f"cloudflare_zone_name == '{name}'"}
    plays = [{**play, "tasks": [lost]}] * failed + [{**play, "serial": 1, "tasks": [ROLE]}]
    done = run_playbook(tmp_path, plays, *SOURCES, environment=own(emulator))
    assert "1 missing" in message(done)
    assert report(tmp_path / "audit")["totals"]["audited"] == (2 if failed else 3)


def test_batches_in_a_random_order(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]) -> None:
    play = {"hosts": "cloudflare_zones", "gather_facts": False, "serial": 1, "order": "shuffle", "tasks": [ROLE]}
    done = run_playbook(tmp_path, [play], *SOURCES, environment=own(emulator))
    assert "the play has order: shuffle, so its last batch is not known" in message(done)


def test_a_batch_skipped_again_in_another_play(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]
) -> None:
    name = zones_of_the_playbook[0].name
    play = {"hosts": "cloudflare_zones", "gather_facts": False, "serial": 1}
    roles = [{"role": f"{COLLECTION}.audit", "when": when} for when in (False, f"cloudflare_zone_name != '{name}'")]
    plays = [{**play, "roles": [role]} for role in roles]
    done = run_playbook(tmp_path, plays, *SOURCES, environment=own(emulator))
    assert f"{name}: there is no result of its audit" in message(done)


def test_batches_with_the_same_zones(
    tmp_path: Path, emulator: Emulator, zone: Zone, zones_of_the_playbook: list[Zone]
) -> None:
    zones = [{"zone": zone.name, "group": "web"}]
    done = run_batches(tmp_path, emulator, ROLE, variables={"audit_zones": zones})
    totals = report(tmp_path / "audit")["totals"]
    assert (totals["zones"], totals["mappings"]) == (1, len(MAPPED))
    assert f"The audit found {totals['missing']} missing; {totals['stale']} stale" in message(done)
    # Every batch audits an explicit list as a whole, and needs no result of the others.
    options = {"zones": zones, "folder": "audit", "formats": ["json"]}
    done = run_batches(tmp_path, emulator, {f"{COLLECTION}.audit_zones": options, "run_once": True})
    assert "The audit found " in message(done)
    assert report(tmp_path / "audit")["totals"] == totals


@pytest.mark.parametrize("tasks_from", ["merge", "merge.yml"])
def test_a_merge_of_an_undefined_list_is_no_audit(
    tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone], tasks_from: str
) -> None:
    merge = {"ansible.builtin.include_role": {"name": f"{COLLECTION}.audit", "tasks_from": tasks_from}}
    variables = {"audit_reports": "{{ nowhere | default(none) }}"}
    play = {"hosts": "cloudflare_zones", "gather_facts": False, "vars": variables, "tasks": [merge]}
    assert run_playbook(tmp_path, [play], *SOURCES, environment=own(emulator)).returncode == 2


def test_slices_are_merged_afterwards(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]) -> None:
    hosts = [zone_host(tmp_path, emulator, zone) for zone in zones_of_the_playbook]
    play = {"hosts": "cloudflare_zones", "gather_facts": False, "tasks": [ROLE]}
    for number, host in enumerate(hosts[:2]):
        folder = ("-e", f"audit_folder={tmp_path}/slice{number}")
        done = run_playbook(tmp_path, [play], *SOURCES, *folder, "--limit", host, environment=own(emulator))
        assert done.returncode == 0, done.stdout
    merge = {"ansible.builtin.include_role": {"name": f"{COLLECTION}.audit", "tasks_from": "merge.yml"}}

    def merged(*sources: str, hosts: str = "localhost", **variables: Any) -> Completed:
        step = {**play, "hosts": hosts, "tasks": [merge], "vars": {"audit_reports": sources, **variables}}
        return run_playbook(tmp_path, [step], *SOURCES, environment=own(emulator))

    both = ("slice0", "slice1/report.json")
    assert merged(*both).returncode == 0
    names = [zone["zone"] for zone in report(tmp_path / "audit")["zones"]]
    assert names == [zone.name for zone in zones_of_the_playbook[:2]]
    # The merge expects the zones of the inventory, of which a job has lost one.
    output = message(merged(*both, hosts="cloudflare_zones"))
    assert "z2.example: there is no result of its audit" in output
    assert "no readable report" in message(merged(*both, "slice2"))
    [error] = ElementTree.parse(tmp_path / "audit" / "report.xml").iter("error")
    assert "slice2" in str(error.text)
    # The report of the merge, merged again, keeps the failure.
    (tmp_path / "audit").rename(tmp_path / "incomplete")
    assert "slice2" in message(merged("incomplete", "slice0"))
    assert merged(*both).returncode == 0
    for max_age in ("inf", 99999999):
        assert merged(*both, audit_max_age=max_age).returncode == 0
    for max_age in ("nan", -1):
        assert f"max_age: {max_age} is not 0 or more hours" in message(merged(*both, audit_max_age=max_age))
        # The report of an earlier merge does not pass for a new one.
        assert f"max_age: {max_age} is not" in " ".join(report(tmp_path / "audit")["failures"])
    old = tmp_path / "slice1" / "report.json"
    [audited] = report(tmp_path / "slice1")["zones"]
    old.write_text(old.read_text().replace(audited["audited_on"], "2026-01-01T00:00:00Z"))
    assert "more than 24 hours ago" in message(merged(*both))
    assert report(tmp_path / "audit")["failures"]


def test_times_of_zones_in_a_merge(tmp_path: Path, emulator: Emulator, zones_of_the_playbook: list[Zone]) -> None:
    changed = zones_of_the_playbook[1]

    def run(folder: str) -> str:
        done = run_audit(tmp_path, emulator, "-e", f"audit_folder={tmp_path}/{folder}")
        return done.stdout + done.stderr

    def merged(*sources: str, **variables: Any) -> str:
        options = {"reports": sources, "folder": "audit", "formats": ["json"], **variables}
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [{f"{COLLECTION}.audit_zones": options}]}
        return message(run_playbook(tmp_path, [play], *SOURCES, environment=own(emulator)))

    def date(zone: dict[str, Any], time: str) -> None:
        zone["audited_on"] = time

    def edit(folder: str, change: Callable[[dict[str, Any]], None]) -> None:
        written = report(tmp_path / folder)
        change(written)
        (tmp_path / folder / "report.json").write_text(json.dumps(written))

    assert "The audit of 3 zones passed." in run("early")
    changed.replace({})
    assert "1 missing" in run("late")
    # A job with a wrong clock does not hide a later result, whatever the maximum age is.
    edit("early", lambda written: date(written["zones"][1], "2099-01-01T00:00:00Z"))
    for max_age in (24, "inf"):
        output = merged("early", "late", max_age=max_age)
        assert f"early is of the future ({changed.name}: 2099-01-01T00:00:00Z): check the clock of its job" in output
        assert found(tmp_path / "audit") == {"missing": ["192.0.2.1"]}
    # One zone of a merged report can be old.
    edit("early", lambda written: date(written["zones"][1], "2026-01-01T00:00:00Z"))
    output = merged("early")
    assert f"early is of more than 24 hours ago (audit_max_age): {changed.name}: 2026-01-01T00:00:00Z" in output
    # Neither a report without zones nor a merge of it loses the reason.
    merged("nowhere")
    (tmp_path / "audit").rename(tmp_path / "failed")
    assert "no readable report of an audit in nowhere" in merged("failed", "late")
    assert report(tmp_path / "audit")["totals"]["audited"] == 3
