# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory of zones, by ansible-inventory and in plays over it."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from emulator.faults import Fault, Respond
from emulator.server import Emulator

from .playbook import COLLECTION, HAS_DIRECT, Completed, batch, info, mapping, run_inventory, run_playbook
from .test_direct import SIGN
from .test_security import echo_in_a_refusal

UNPARSED_FAILS = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}


@pytest.fixture
def environment(emulator: Emulator) -> dict[str, str]:
    return {"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token}


def write(folder: Path, **options: Any) -> None:
    """Write the inventory file with these options."""
    content = {"plugin": f"{COLLECTION}.zones", **options}
    (folder / "cloudflare_zones.yml").write_text(json.dumps(content))


def listed(done: Completed) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return the variables of the hosts, and the hosts of the groups."""
    assert done.returncode == 0, done.stderr
    # Values of a service are marked as no templates.
    printed = json.loads(done.stdout, object_hook=lambda value: value.get("__ansible_unsafe", value))
    groups = {name: group.get("hosts", []) for name, group in printed.items() if name not in ("_meta", "all")}
    return printed["_meta"]["hostvars"], groups


def spent(emulator: Emulator) -> Counter[str]:
    """Return and reset the numbers of requests by path and status."""
    requests = Counter(f"{request.path} {request.status}" for request in emulator.requests)
    emulator.requests.clear()
    return requests


def test_the_list(emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    for number in range(116):
        emulator.add_zone(f"{number:03}.example")
    shop = emulator.add_zone("shop.example.com", account="Shops", plan="Pro Website", status="pending")
    emulator.add_zone("moved.example.com", status="moved")
    twice = [emulator.add_zone("example.com", account=account) for account in ("Shops", "Example")]
    write(
        tmp_path,
        names=["*example.com", "00[0-1].*"],
        statuses=["active", "pending"],
        keyed_groups=[
            {"key": "cloudflare_zone_plan", "prefix": "plan"},
            {"key": "cloudflare_zone_account.name", "prefix": "", "separator": ""},
        ],
        groups={"unready": "cloudflare_zone_status != 'active'"},
        compose={"label": "cloudflare_zone_name ~ '!'"},
    )
    variables, groups = listed(run_inventory(tmp_path, "--list", environment=environment))
    assert spent(emulator) == {"/zones 200": 3}
    doubles = sorted(f"zone-example.com_{zone.id}" for zone in twice)
    assert groups == {
        "cloudflare_zones": ["zone-000.example", "zone-001.example", *doubles, "zone-shop.example.com"],
        "plan_Free_Website": ["zone-000.example", "zone-001.example", *doubles],
        "plan_Pro_Website": ["zone-shop.example.com"],
        "Example": ["zone-000.example", "zone-001.example", f"zone-example.com_{twice[1].id}"],
        "Shops": [f"zone-example.com_{twice[0].id}", "zone-shop.example.com"],
        "unready": ["zone-shop.example.com"],
    }
    assert variables["zone-shop.example.com"] == {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "cloudflare_zone_id": shop.id,
        "cloudflare_zone_name": "shop.example.com",
        "cloudflare_zone_status": "pending",
        "cloudflare_zone_account": {"id": shop.account_id, "name": "Shops"},
        "cloudflare_zone_plan": "Pro Website",
        "cloudflare_zones_inventory": {"file": str(tmp_path / "cloudflare_zones.yml"), "zones": 5, "unmatched": []},
        "cloudflare_zones_files": {str(tmp_path / "cloudflare_zones.yml"): {"zones": 5, "unmatched": []}},
        "label": "shop.example.com!",
    }


def test_a_play_over_the_zones(emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    zones = [
        emulator.add_zone(f"{number}.example", mappings={"192.0.2.1": ("aws", "us-east-1")}) for number in range(6)
    ]
    write(tmp_path)
    origins = [mapping("192.0.2.1", "aws/us-east-1"), mapping("192.0.2.2", "gcp/us-east1")]
    play = {
        "hosts": "cloudflare_zones",
        "gather_facts": False,
        "module_defaults": {f"group/{COLLECTION}.cloudflare": {"zone_id": "{{ cloudflare_zone_id }}"}},
        "tasks": [batch(origins)],
    }
    run = [tmp_path, [play], "-i", "cloudflare_zones.yml", "-f", "4", "-vvv"]
    done = run_playbook(*run, environment=environment)
    assert done.returncode == 0, done.stdout
    assert all(zone.values()["192.0.2.2"] == ("gcp", "us-east1") for zone in zones)
    assert done.stdout.count(SIGN) == (len(zones) if HAS_DIRECT else 0)
    spent(emulator)
    # A second run changes nothing, and takes one request for each zone and those of the list.
    done = run_playbook(*run, environment=environment)
    assert re.findall(r"^(\S+) +: ok=1 +changed=0 ", done.stdout, re.M) == [f"zone-{zone.name}" for zone in zones]
    assert spent(emulator) == {
        "/zones 200": 1,
        **{f"/zones/{zone.id}/origin/cloud_regions 200": 1 for zone in zones},
    }


def test_the_cache(emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    emulator.add_zone("example.com")
    emulator.add_zone("example.net")
    cached = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    write(tmp_path, **cached)
    variables, _groups = listed(run_inventory(tmp_path, "--list", environment=environment))
    assert spent(emulator) == {"/zones 200": 1}
    assert listed(run_inventory(tmp_path, "--list", environment=environment))[0] == variables
    write(tmp_path, **cached, names=["*.net"])
    assert [*listed(run_inventory(tmp_path, "--list", environment=environment))[0]] == ["zone-example.net"]
    assert spent(emulator) == {}

    emulator.add_zone("another.net")
    play = {
        "hosts": "cloudflare_zones",
        "gather_facts": False,
        "tasks": [{"ansible.builtin.meta": "refresh_inventory"}],
    }
    seen = []
    for arguments in ([], ["--flush-cache"], []):
        done = run_playbook(
            tmp_path, [play], "-i", "cloudflare_zones.yml", "--list-hosts", *arguments, environment=environment
        )
        seen.append((sorted(re.findall(r"^      (\S+)$", done.stdout, re.M)), spent(emulator)))
    assert seen == [
        (["zone-example.net"], {}),
        (["zone-another.net", "zone-example.net"], {"/zones 200": 1}),
        (["zone-another.net", "zone-example.net"], {}),
    ]
    run_playbook(tmp_path, [play], "-i", "cloudflare_zones.yml", environment=environment)
    assert spent(emulator) == {"/zones 200": 1}


def test_failures(emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    for number in range(60):
        emulator.add_zone(f"zone-{number:02}.example")

    def refusal(*arguments: str, **options: Any) -> str:
        write(tmp_path, **options)
        done = run_inventory(tmp_path, "--list", *arguments, environment={**environment, **UNPARSED_FAILS})
        assert done.returncode != 0
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        return " ".join(done.stderr.split())

    refused = refusal(api_token="wrong-6Wd4Hs9Pz")
    assert (
        "Listing the zones failed: HTTP 401: Authentication error (code 10000). Check that the credentials" in refused
    )
    assert "option name is unknown: did you mean names?" in refusal(name="example.com")
    assert "timeout: 0 is not between 0 and 3600 seconds" in refusal(timeout=0)
    spent(emulator)
    nothing = {"success": True, "errors": [], "messages": [], "result": [], "result_info": {"total_count": 60}}
    emulator.faults = [Fault(effect=Respond(body=nothing), path="page=2&", times=None)]
    assert "3 times the pages of the list did not add up to its total" in refusal()
    # By default, Ansible does not fail but warns.
    done = run_inventory(tmp_path, "--list", environment=environment)
    assert done.returncode == 0
    warnings = " ".join(done.stderr.split())
    assert "did not add up" in warnings
    assert "Ansible continues without these zones, unless ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED is true" in warnings


def test_a_play_over_unreadable_zones(emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    emulator.add_zone("example.com")
    write(tmp_path, api_token="wrong-6Wd4Hs9Pz")
    play = {"hosts": "cloudflare_zones", "gather_facts": False, "tasks": [info(zone_id="{{ cloudflare_zone_id }}")]}
    has_zones = {"that": "groups['cloudflare_zones'] | default([]) | length > 0"}
    require = {"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.assert": has_zones}]}

    def status(plays: list[dict[str, Any]], settings: dict[str, str]) -> int:
        done = run_playbook(tmp_path, plays, "-i", "cloudflare_zones.yml", environment={**environment, **settings})
        assert "Authentication error (code 10000)" in done.stdout + done.stderr
        return done.returncode

    # Ansible skips a play without hosts, so the notes of the plugin name two ways to fail.
    assert status([play], {}) == 0
    assert status([play], UNPARSED_FAILS) != 0
    assert status([require, play], {}) != 0
    write(tmp_path)
    done = run_playbook(tmp_path, [require, play], "-i", "cloudflare_zones.yml", environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_server_with_the_name_of_its_zone(emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    emulator.add_zone("example.com")
    write(tmp_path)
    servers = {"web": {"hosts": {"example.com": {"ansible_connection": "there.is.none"}}}}
    (tmp_path / "servers.yml").write_text(json.dumps({"all": {"children": servers}}))
    play = {"hosts": "web", "gather_facts": False, "tasks": [{"ansible.builtin.command": "touch on_the_controller"}]}
    for order in (["cloudflare_zones.yml", "servers.yml"], ["servers.yml", "cloudflare_zones.yml"]):
        sources = [argument for name in order for argument in ("-i", name)]
        done = run_playbook(tmp_path, [play], *sources, environment=environment)
        assert done.returncode != 0
        assert not (tmp_path / "on_the_controller").exists()


def test_a_file_of_another_name(emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    emulator.add_zone("example.com")
    write(tmp_path)
    (tmp_path / "cloudflare_zones.yml").rename(tmp_path / "zones.yml")
    play = {"hosts": "all", "gather_facts": False, "tasks": []}
    done = run_playbook(tmp_path, [play], "-i", "zones.yml", environment=environment)
    explanation = "has to end with cloudflare_zones.yml or cloudflare_zones.yaml"
    assert explanation in " ".join(done.stderr.split())
    assert spent(emulator) == {}


def test_secrets_are_nowhere(emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    emulator.add_zone("example.com")
    secrets = (emulator.token, emulator.key)
    key = {"api_email": emulator.email, "api_key": emulator.key}
    same_key = {"account_email": emulator.email, "account_api_key": emulator.key}
    template = {"api_token": "{{ lookup('ansible.builtin.env', 'CLOUDFLARE_API_TOKEN') }}"}
    outputs = []
    for faults in ((), (Fault(effect=echo_in_a_refusal, path="page=1&", times=None),)):
        emulator.faults = faults
        for number, options in enumerate(({}, {"api_token": emulator.token}, key, same_key, template)):
            cache = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / f"cache-{number}")}
            write(tmp_path, **options, **({} if faults else cache))
            done = run_inventory(
                tmp_path,
                "--list",
                "-vvvv",
                environment={**environment, "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log")},
            )
            # Without this the secret was not at risk.
            assert ("Received" in done.stderr) is bool(faults)
            assert ("********" in done.stderr) is bool(faults)
            outputs.append(done.stdout + done.stderr)
    emulator.faults = ()
    for options in ({"api_token": {"value": emulator.token}}, {**key, "timeout": "soon"}, {**key, "retries": -1}):
        write(tmp_path, **options)
        done = run_inventory(tmp_path, "--list", "-vvvv", environment=environment)
        assert "Failed to parse" in done.stderr
        outputs.append(done.stdout + done.stderr)
    (tmp_path / "cloudflare_zones.yml").unlink()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"ansible.log"} < {path.name for path in files}
    outputs += [path.read_text("utf-8") for path in files]
    assert not [secret for secret in secrets for output in outputs if secret in output]


def test_names_that_look_like_templates_are_data(
    emulator: Emulator, environment: dict[str, str], tmp_path: Path
) -> None:
    account = "Example {{ lookup('ansible.builtin.pipe', 'touch evaluated') }}"
    emulator.add_zone("example.com", account=account)
    write(tmp_path, compose={"label": "cloudflare_zone_account.name ~ '!'"}, keyed_groups=[{"key": "label"}])
    play = {
        "hosts": "cloudflare_zones",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.assert": {"that": "cloudflare_zone_account.name ~ '!' == label"}},
            {"ansible.builtin.debug": {"msg": "{{ cloudflare_zone_account.name }}"}},
            info(zone_id="{{ cloudflare_zone_id }}"),
        ],
    }
    done = run_playbook(tmp_path, [play], "-i", "cloudflare_zones.yml", environment=environment)
    assert done.returncode == 0, done.stdout
    assert "touch evaluated" in done.stdout
    assert not (tmp_path / "evaluated").exists()
