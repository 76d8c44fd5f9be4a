# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter that turns hosts with variables of Ansible into mappings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.cloud_hosts import origin

from .playbook import COLLECTION, run_playbook

HOSTS = {
    "good": origin("192.0.2.1", "aws/us-east-1", origin_zones="Example.com., example.org"),
    "templates": {
        **origin("{{ base }}", "aws/us-east-1"),
        "base": "192.0.2.2",
        # Not needed, so not evaluated.
        "zone": "{{ nowhere }}",
        "location": "{{ nowhere }}",
    },
    "address": origin("{{ nowhere }}", "aws/us-east-1"),
    "addresses": {**origin("", "aws/us-east-1"), "origin_ip": ["192.0.2.3", "{{ nowhere.x }}"]},
    "region": origin("192.0.2.4", "aws/{{ nowhere }}"),
    "syntax": origin("{{ 1 +", "aws/us-east-1"),
    "lookup": origin("{{ lookup('ansible.builtin.file', '/nowhere') }}", "aws/us-east-1"),
    "zones": origin("192.0.2.5", "aws/us-east-1", origin_zones=["{{ nowhere }}"]),
    "runner": {"origin_ignore": "{{ 1 == 1 }}", "origin_ip": "{{ nowhere }}"},
}


def test_a_variable_that_cannot_be_evaluated_stops_its_host_only(tmp_path: Path) -> None:
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"children": {"web": {"hosts": HOSTS}}}}))
    filters = {
        "hostvars": "hostvars | FILTER(unresolved='report')",
        "group": "groups['web'] | map('extract', hostvars) | FILTER(unresolved='report', zone='example.com')",
    }
    tasks = [
        {
            "ansible.builtin.copy": {
                "content": "{{ (" + expression.replace("FILTER", f"{COLLECTION}.origin_mappings") + ") | to_json }}",
                "dest": str(tmp_path / f"{name}.result"),
                "mode": "0600",
            }
        }
        for name, expression in filters.items()
    ]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    done = run_playbook(tmp_path, [play], "-i", "hosts.json")
    assert done.returncode == 0, done.stdout + done.stderr

    def result(name: str) -> dict[str, Any]:
        return json.loads((tmp_path / f"{name}.result").read_text())

    report = result("hostvars")
    assert report["hosts"] == {"192.0.2.1": ["good"], "192.0.2.2": ["templates"], "192.0.2.5": ["zones"]}
    found = {entry["host"]: (entry["code"], entry["addresses"]) for entry in report["unresolved"]}
    found.pop("localhost", None)  # some releases list it
    assert found == {
        "address": ("variable_error", []),
        "addresses": ("variable_error", []),
        "region": ("variable_error", ["192.0.2.4"]),
        "syntax": ("variable_error", []),
        "lookup": ("variable_error", []),
    }
    reasons = {entry["host"]: entry["reason"] for entry in report["unresolved"]}
    assert "variable origin_region cannot be evaluated" in reasons["region"]
    assert "nowhere" in reasons["region"]
    of_zone = result("group")
    assert of_zone["hosts"] == {"192.0.2.1": ["good"]}
    assert [(entry["host"], entry["addresses"]) for entry in of_zone["unresolved"]] == [("zones", ["192.0.2.5"])]


def test_hosts_of_one_name_from_two_inventories(tmp_path: Path) -> None:
    named = {"inventory_hostname": "web", "region": "us-east-1"}
    hosts = [{**named, **origin(f"192.0.2.{number}", "aws/{{ region }}")} for number in (1, 2)]
    task = {
        "ansible.builtin.copy": {
            "content": f"{{{{ hosts | {COLLECTION}.origin_mappings | to_json }}}}",
            "dest": str(tmp_path / "mappings.json"),
            "mode": "0600",
        }
    }
    variables = {"region": "us-east-1", "hosts": hosts}
    done = run_playbook(tmp_path, [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [task]}])
    assert done.returncode == 0, done.stdout + done.stderr
    mappings = json.loads((tmp_path / "mappings.json").read_text())
    assert [mapping["origin_ip"] for mapping in mappings] == ["192.0.2.1", "192.0.2.2"]
