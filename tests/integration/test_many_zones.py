# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parallel plays over zones: requests, rate limit, slices, ansible-runner."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator.server import Emulator
from emulator.state import Zone

from .playbook import COLLECTION, HAS_DIRECT, Completed, batch, mapping, run_command, run_inventory, run_playbook

ZONES = 6
ZONE_NAMES = [f"{number:02}.example" for number in range(ZONES)]
FLEET = [mapping(f"192.0.2.{number}", "aws/us-east-1") for number in range(20)]
RIGHT = {entry["origin_ip"]: ("aws", "us-east-1") for entry in FLEET}
TOKEN = "{{ lookup('ansible.builtin.file', lookup('ansible.builtin.env', 'CLOUDFLARE_TOKEN_FILE')) }}"

PLAY: dict[str, Any] = {"hosts": "cloudflare_zones", "gather_facts": False}
TASKS = [batch(FLEET, zone_id="{{ cloudflare_zone_id }}")]

GROUP = "origins_of_zone"
ZONE = {"zone": "{{ cloudflare_zone_name }}", "zone_id": "{{ cloudflare_zone_id }}", "group": GROUP}
ORIGINS = {
    entry["origin_ip"]: {
        "origin_ip": entry["origin_ip"],
        "origin_vendor": entry["vendor"],
        "origin_region": entry["region"],
    }
    for entry in FLEET
}

ORIGIN_HOSTS = {"all": {"children": {GROUP: {"hosts": ORIGINS, "vars": {"origin_zones": ZONE_NAMES}}}}}

COSTS = {"origin_regions": 1, "audit": 4}
"""Requests for a zone without differences, by role."""


@pytest.fixture
def zones(emulator: Emulator) -> list[Zone]:
    """Return zones without mappings."""
    return [emulator.add_zone(name) for name in ZONE_NAMES]


@pytest.fixture
def environment(emulator: Emulator) -> dict[str, str]:
    return {
        "CLOUDFLARE_BASE_URL": emulator.api_url,
        "CLOUDFLARE_API_TOKEN": emulator.token,
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    }


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def over_all(folder: Path, play: Mapping[str, Any], *arguments: str, environment: Mapping[str, str]) -> Completed:
    """Run a play over the zones with several forks, and check its success."""
    write(folder / "cloudflare_zones.yml", {"plugin": f"{COLLECTION}.zones"})
    arguments = ("-f", "8", *arguments, "-i", "cloudflare_zones.yml")
    done = run_playbook(folder, [{**PLAY, **play}], *arguments, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def role_play(role: str) -> dict[str, Any]:
    """Return a play with a role that purges or audits the plugin's zones."""
    return {
        "vars": {"origin_regions_zones": [ZONE], "origin_regions_purge": True, "audit_zones": [ZONE]},
        "tasks": [{"ansible.builtin.include_role": {"name": f"{COLLECTION}.{role}"}}],
    }


def spent(emulator: Emulator) -> Counter[str]:
    """Return and reset the numbers of requests by zone, and for their list."""
    requests = Counter(request.path.split("/")[2] if request.path != "/zones" else "" for request in emulator.requests)
    emulator.requests.clear()
    return requests


def test_a_task(emulator: Emulator, zones: list[Zone], environment: dict[str, str], tmp_path: Path) -> None:
    over_all(tmp_path, {"tasks": TASKS}, environment=environment)
    assert [zone.values() for zone in zones] == [RIGHT] * ZONES
    assert spent(emulator) == {"": 1, **{zone.id: 3 for zone in zones}}
    done = over_all(tmp_path, {"tasks": TASKS}, environment=environment)
    assert done.stdout.count(" changed=0 ") == ZONES
    assert spent(emulator) == {"": 1, **{zone.id: 1 for zone in zones}}


@pytest.mark.parametrize("role", COSTS)
def test_roles_work_on_all_zones_by_one_task(
    emulator: Emulator, zones: list[Zone], environment: dict[str, str], tmp_path: Path, role: str
) -> None:
    for zone in zones:
        zone.replace(RIGHT)
    write(tmp_path / "origins.yml", ORIGIN_HOSTS)
    done = over_all(tmp_path, role_play(role), "-i", "origins.yml", environment=environment)
    assert spent(emulator) == {"": 1, **{zone.id: COSTS[role] for zone in zones}}
    # Ansible prints a task's name each time that it begins the task, and each host that ran it.
    names = re.findall(r"^TASK \[(.+?)\] \*", done.stdout, re.M)
    assert [name for name, times in Counter(names).items() if times > 1] == []
    assert len(re.findall(r"^ok: ", done.stdout, re.M)) == len(names) - 1  # the role is included


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("role", COSTS)
def test_batches_that_list_a_zone_with_different_origins(
    emulator: Emulator, zones: list[Zone], environment: dict[str, str], tmp_path: Path, role: str, *, mixed: bool
) -> None:
    zone, *_others = zones
    zone.replace(RIGHT)
    entries = [
        {**name, "group": [], "addresses": part}
        for name, part in (
            ({"zone": zone.name}, FLEET[:15]),
            ({"zone_id": zone.id} if mixed else {"zone": zone.name}, FLEET[15:]),
        )
    ]
    hosts = {
        f"host{number}": {"origin_regions_zones": [entry], "audit_zones": [entry]}
        for number, entry in enumerate(entries)
    }
    write(tmp_path / "hosts.yml", {"all": {"hosts": hosts}})
    play = {"hosts": "host*", "gather_facts": False, "serial": 1, "vars": {"origin_regions_purge": True}}
    tasks = [{"ansible.builtin.include_role": {"name": f"{COLLECTION}.{role}"}}]
    done = run_playbook(tmp_path, [{**play, "tasks": tasks}], "-i", "hosts.yml", environment=environment)
    assert done.returncode, done.stdout
    assert "is listed more than once" in " ".join((done.stdout + done.stderr).split())
    assert zone.values() == RIGHT
    # Only an audit continues after a batch with a failure.
    assert done.stdout.count("\nPLAY [") == (2 if role == "audit" else 1)
    # Only the service knows both the name and the identifier of a zone. An audit continues with the second form.
    looked_up = {"/zones", f"/zones/{zone.id}"} if role == "audit" else {"/zones"}
    assert {request.path for request in emulator.requests} == (looked_up if mixed else set())


@pytest.mark.parametrize(
    ("role", "first", "second", "refused"),
    [
        ("origin_regions", {"origin_regions_purge": True}, {}, "origin_regions_purge"),
        ("origin_regions", {}, {"origin_regions_keep": ["192.0.2.0/24"]}, "origin_regions_keep"),
        ("audit", {"audit_fail_on": ["stale"]}, {"audit_fail_on": ["wrong"]}, "audit_fail_on"),
        (
            "origin_regions",
            {"origin_regions_purge": "{{ own }}", "own": True},
            {"origin_regions_purge": "{{ own }}", "own": False},
            "origin_regions_purge",
        ),
        ("origin_regions", {}, {"origin_regions_purge": "{{ missing }}"}, "origin_regions_purge"),
        # Defaults, templates of the same value, and variables of others do not matter.
        (
            "origin_regions",
            {"origin_regions_purge": "{{ own }}", "own": False, "origin_regions_owner": "one"},
            {"origin_regions_purge": False, "origin_regions_skip": [], "origin_regions_owner": "two"},
            None,
        ),
    ],
)
def test_options_that_differ_between_hosts(
    emulator: Emulator,
    zones: list[Zone],
    environment: dict[str, str],
    tmp_path: Path,
    *,
    role: str,
    first: dict[str, Any],
    second: dict[str, Any],
    refused: str | None,
) -> None:
    def host(zone: Zone) -> dict[str, Any]:
        entry = {"zone": zone.name, "group": [], "addresses": FLEET}
        return {"origin_regions_zones": [entry], "audit_zones": [entry]}

    write(tmp_path / "hosts.yml", {"all": {"hosts": {"one": host(zones[0]) | first, "two": host(zones[1]) | second}}})
    tasks = [{"ansible.builtin.include_role": {"name": f"{COLLECTION}.{role}"}}]
    play = {"hosts": "one:two", "gather_facts": False, "tasks": tasks}
    done = run_playbook(tmp_path, [play], "-i", "hosts.yml", environment=environment)
    output = " ".join((done.stdout + done.stderr).split())
    if refused:
        assert f"{refused} differs between the hosts one and two" in output
        assert (done.returncode, emulator.requests) == (2, [])
    else:
        assert (done.returncode, [zone.values() for zone in zones[:2]]) == (0, [RIGHT, RIGHT]), output


OTHERS = {f"203.0.113.{number}": ("gcp", "us-central1") for number in range(3)}
GROUPS = {
    "web": {"hosts": ORIGINS},
    "db": {
        "hosts": {
            address: {"origin_ip": address, "origin_vendor": vendor, "origin_region": region}
            for address, (vendor, region) in OTHERS.items()
        }
    },
}


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("role", COSTS)
def test_a_condition_that_excludes_a_zone(
    emulator: Emulator, zones: list[Zone], environment: dict[str, str], tmp_path: Path, *, role: str, static: bool
) -> None:
    write(tmp_path / "cloudflare_zones.yml", {"plugin": f"{COLLECTION}.zones"})
    write(tmp_path / "origins.yml", ORIGIN_HOSTS)
    for zone in zones:
        zone.replace(RIGHT)

    def run(condition: str) -> Completed:
        play = {**PLAY, **role_play(role)}
        [task] = play.pop("tasks")
        if static:
            play["roles"] = [{"role": f"{COLLECTION}.{role}", "when": condition}]
        else:
            play["tasks"] = [{"block": [{**task, "when": condition}]}]
        emulator.requests.clear()
        arguments = ("-i", "origins.yml", "-i", "cloudflare_zones.yml")
        return run_playbook(tmp_path, [play], *arguments, environment=environment)

    done = run(f"cloudflare_zone_name != '{ZONE_NAMES[3]}'")
    output = " ".join((done.stdout + done.stderr).split())
    assert f"when excludes the host zone-{ZONE_NAMES[3]}, but not zone-{ZONE_NAMES[0]}" in output
    assert (done.returncode, spent(emulator)) == (2, {"": 1})
    if static:
        # With include_role Ansible itself evaluates it for each host.
        write(tmp_path / "host_vars" / f"zone-{ZONE_NAMES[0]}.yml", {"included": True})
        done = run("included")
        output = " ".join((done.stdout + done.stderr).split())
        assert f"when cannot be evaluated for the host zone-{ZONE_NAMES[1]}: " in output
        assert "defect" not in output
        assert "Traceback" not in output
        assert (done.returncode, spent(emulator)) == (2, {"": 1})
    assert run("cloudflare_zone_name is defined").returncode == 0
    assert spent(emulator) == {"": 1, **{zone.id: COSTS[role] for zone in zones}}


@pytest.mark.parametrize("place", ["vars_files", "role_defaults", "including_role", "play"])
def test_variables_are_those_of_a_task_for_each_host(
    emulator: Emulator, zones: list[Zone], environment: dict[str, str], tmp_path: Path, place: str
) -> None:
    first, second, *_others = zones
    for zone in (first, second):
        zone.replace({**RIGHT, **OTHERS})
    entry = {**ZONE, "group": "{{ fleet_group }}"}
    play: dict[str, Any] = {
        **PLAY,
        "hosts": f"zone-{first.name}:zone-{second.name}",
        "vars": {"origin_regions_zones": [entry], "origin_regions_purge": True},
        "roles": [f"{COLLECTION}.origin_regions"],
    }
    groups = {first: "web", second: "db"}
    if place == "vars_files":
        # Ansible evaluates the names of these files for each host.
        play["vars_files"] = ["{{ cloudflare_zone_name }}.yml"]
        for zone, group in groups.items():
            write(tmp_path / f"{zone.name}.yml", {"fleet_group": group})
    else:
        for zone, group in groups.items():
            write(tmp_path / "host_vars" / f"zone-{zone.name}.yml", {"fleet_group": group})
    if place == "role_defaults":
        write(tmp_path / "roles" / "fleet" / "defaults" / "main.yml", {"fleet_group": "web"})
        play["roles"] = ["fleet", *play["roles"]]
    if place == "including_role":
        write(tmp_path / "roles" / "fleet" / "defaults" / "main.yml", {"fleet_group": "web"})
        include = {"ansible.builtin.include_role": {"name": play.pop("roles")[0]}}
        write(tmp_path / "roles" / "fleet" / "tasks" / "main.yml", [include])
        play["tasks"] = [{"ansible.builtin.include_role": {"name": "fleet"}}]
    if place == "play":
        play["vars"]["fleet_group"] = "web"
    write(tmp_path / "origins.yml", {"all": {"children": GROUPS}})
    write(tmp_path / "cloudflare_zones.yml", {"plugin": f"{COLLECTION}.zones"})
    arguments = ("-i", "origins.yml", "-i", "cloudflare_zones.yml")
    play["vars"]["origin_regions_max_delete_percentage"] = 100
    done = run_playbook(tmp_path, [play], *arguments, environment=environment)
    expected = {
        "vars_files": (2, RIGHT, {**RIGHT, **OTHERS}),
        "role_defaults": (0, RIGHT, OTHERS),
        "including_role": (0, RIGHT, OTHERS),
        "play": (0, RIGHT, RIGHT),
    }
    assert (done.returncode, first.values(), second.values()) == expected[place], done.stdout
    if place == "vars_files":
        assert "'fleet_group' is undefined" in done.stdout + done.stderr


def test_a_token_of_ansible_vault(emulator: Emulator, zones: list[Zone], tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pw-9fT3kQ8sLm")
    environment = {"CLOUDFLARE_BASE_URL": emulator.api_url, "ANSIBLE_VAULT_PASSWORD_FILE": str(tmp_path / "password")}
    (tmp_path / "token").write_text(emulator.token)
    encrypted = run_command(tmp_path, "ansible-vault encrypt_string --stdin-name api_token < token", environment)
    assert encrypted.returncode == 0, encrypted.stderr
    (tmp_path / "variables.yml").write_text(encrypted.stdout)
    zones_option = f"zones: {json.dumps(ZONE_NAMES)}"
    inline = textwrap.indent(f"{zones_option}\n{encrypted.stdout}", "    ")
    (tmp_path / "inline.yml").write_text(f"- {COLLECTION}.map_zones:\n{inline}")
    by_variable = {"api_token": "{{ api_token }}"}
    tasks = [
        {"ansible.builtin.include_tasks": "inline.yml"},
        {f"{COLLECTION}.audit_zones": {**by_variable, "zones": ZONE_NAMES, "folder": str(tmp_path / "audit")}},
        {f"{COLLECTION}.origin_cloud_region_info": {**by_variable, "zone": ZONE_NAMES[0]}},
    ]
    write(tmp_path / "origins.yml", ORIGIN_HOSTS)
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": ["variables.yml"], "tasks": tasks}
    done = run_playbook(tmp_path, [play], "-i", "origins.yml", "-vvv", environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [zone.values() for zone in zones] == [RIGHT] * ZONES
    assert emulator.token not in done.stdout + done.stderr


def sliced(folder: Path, environment: Mapping[str, str], number: int, count: int) -> Path:
    """Write the inventory of a job slice as AWX does.

    A slice has every count-th of all hosts, by name.
    """
    listing = run_inventory(folder, "-i", "origins.yml", "--list", "--export", environment=environment)
    assert listing.returncode == 0, listing.stderr
    printed = json.loads(listing.stdout)
    variables = printed.pop("_meta")["hostvars"]
    hosts = {name: variables[name] for name in sorted(variables)[number::count]}
    groups = {
        name: {
            "hosts": {host: {} for host in group.get("hosts", ()) if host in hosts},
            "vars": group.get("vars", {}),
        }
        for name, group in printed.items()
        if name not in ("all", "ungrouped")
    }
    path = folder / f"slice_{number}_of_{count}.yml"
    write(path, {"all": {"hosts": hosts, "vars": printed["all"].get("vars", {}), "children": groups}})
    return path


@pytest.mark.usefixtures("zones")
@pytest.mark.parametrize(
    ("variables", "refused"),
    [
        ({}, True),
        ({"origin_regions_zones": [{**ZONE, "group": None}]}, True),
        ({"origin_regions_purge": False}, False),
        ({"origin_regions_zones": [{**ZONE, "group": [], "addresses": FLEET}]}, False),
    ],
    ids=["group", "origin_zones", "without purge", "addresses"],
)
def test_a_slice_of_the_inventory(
    emulator: Emulator,
    environment: dict[str, str],
    tmp_path: Path,
    variables: dict[str, Any],
    refused: bool,
) -> None:
    for zone in emulator.zones:
        zone.replace(RIGHT)
    write(tmp_path / "origins.yml", ORIGIN_HOSTS)
    write(tmp_path / "cloudflare_zones.yml", {"plugin": f"{COLLECTION}.zones"})
    play = role_play("origin_regions")
    play["vars"] |= variables

    def run(number: int, count: int) -> Completed:
        inventory = sliced(tmp_path, environment, number, count)
        return run_playbook(tmp_path, [{**PLAY, **play}], "-i", inventory.name, environment=environment)

    whole = run(0, 1)
    assert whole.returncode == 0, whole.stdout
    assert f"{COLLECTION}.origin_regions" in whole.stdout
    for number in range(2):
        part = run(number, 2)
        output = " ".join((part.stdout + part.stderr).split())
        assert ("the inventory lacks zones that the inventory plugin listed, as in a slice" in output) is refused
        assert bool(part.returncode) is refused, output
    assert [zone.values() for zone in emulator.zones] == [RIGHT] * ZONES
    assert emulator.writes == []


def test_a_slice_without_a_zone(
    emulator: Emulator, zones: list[Zone], environment: dict[str, str], tmp_path: Path
) -> None:
    zones[0].replace(RIGHT)
    write(tmp_path / "origins.yml", ORIGIN_HOSTS)
    write(tmp_path / "cloudflare_zones.yml", {"plugin": f"{COLLECTION}.zones"})
    play = {**PLAY, **role_play("origin_regions"), "hosts": "localhost"}
    play["vars"] |= {
        "origin_regions_zones": [{"zone": zones[0].name, "group": GROUP}],
        "origin_regions_max_delete_percentage": 100,
    }
    one_origin = sliced(tmp_path, environment, 0, len(FLEET) + ZONES)
    done = run_playbook(tmp_path, [play], "-i", one_origin.name, environment=environment)
    assert "the inventory lacks zones" in " ".join((done.stdout + done.stderr).split())
    assert (done.returncode, zones[0].values()) == (2, RIGHT)


def test_an_audit_of_a_slice(
    emulator: Emulator, zones: list[Zone], environment: dict[str, str], tmp_path: Path
) -> None:
    for zone in zones:
        zone.replace(RIGHT)
    write(tmp_path / "origins.yml", ORIGIN_HOSTS)
    write(tmp_path / "cloudflare_zones.yml", {"plugin": f"{COLLECTION}.zones"})
    play = role_play("audit")
    cut = sliced(tmp_path, environment, 0, 2).name
    done = run_playbook(tmp_path, [{**PLAY, **play}], "-i", cut, environment=environment)
    assert done.returncode == 2
    totals = json.loads((tmp_path / "audit" / "report.json").read_text())["totals"]
    # No mapping is stale because a slice lacks its origin.
    assert (totals["zones"], totals["audited"], totals["stale"]) == (ZONES // 2, 0, 0)
    play["vars"]["audit_zones"] = [{**ZONE, "group": [], "addresses": FLEET}]
    done = run_playbook(tmp_path, [{**PLAY, **play}], "-i", cut, environment=environment)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not HAS_DIRECT, reason="modules that start a Python each are too slow for the rate limit")
def test_the_rate_limit_slows_down(zones: list[Zone], emulator: Emulator, tmp_path: Path, environment: Any) -> None:
    emulator.quota, emulator.window = 8, 1
    over_all(tmp_path, {"tasks": TASKS}, environment=environment)
    assert [zone.values() for zone in zones] == [RIGHT] * ZONES
    statuses = Counter(request.status for request in emulator.requests)
    # Without refusals the quota was not reached.
    assert statuses[429]
    assert statuses == {200: 1 + 3 * ZONES, 429: statuses[429]}


@pytest.mark.parametrize(
    "command",
    [
        "ansible-runner run runner -p fleet.yml --forks 8",
        "ansible-runner transmit runner -p fleet.yml --forks 8"
        " | ansible-runner worker --private-data-dir work | ansible-runner process processed",
    ],
    ids=["run", "transmit"],
)
def test_ansible_runner(
    emulator: Emulator, zones: list[Zone], environment: dict[str, str], tmp_path: Path, command: str
) -> None:
    defaults = {f"group/{COLLECTION}.cloudflare": {"api_token": TOKEN}}
    write(tmp_path / "runner/inventory/cloudflare_zones.yml", {"plugin": f"{COLLECTION}.zones", "api_token": TOKEN})
    write(tmp_path / "runner/project/fleet.yml", [{**PLAY, "module_defaults": defaults, "tasks": TASKS}])
    secret = tmp_path / "token"
    secret.write_text(emulator.token)
    del environment["CLOUDFLARE_API_TOKEN"]
    done = run_command(tmp_path, command, {**environment, "CLOUDFLARE_TOKEN_FILE": str(secret)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert emulator.token not in done.stdout + done.stderr
    assert [zone.values() for zone in zones] == [RIGHT] * ZONES
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    artifacts = [content for path, content in files.items() if "artifacts" in path.parts]
    # They have the environment, and the outcome of each zone.
    assert any(b"CLOUDFLARE_TOKEN_FILE" in content for content in artifacts)
    assert all(any(zone.name.encode() in content for content in artifacts) for zone in zones)
    assert [path for path, content in files.items() if emulator.token.encode() in content] == [secret]
