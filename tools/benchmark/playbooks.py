# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks of one task that does the work, timed by a callback plugin."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .process import COLLECTIONS, Timing, run
from .service import Service
from .work import Step

COLLECTION = "originops.cloudflare"

INVENTORY = {
    "all": {
        "hosts": {
            "localhost": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            }
        }
    }
}

Task = dict[str, Any]


@dataclass(frozen=True)
class Playbook:
    """Task that does a step in a zone, given by its identifier.

    The wanted mappings of the step are in the variable fleet.
    """

    task: Callable[[Service, str, Step], Task]
    direct: bool = True
    """Permission to run modules in the controller's own process."""

    def __call__(self, service: Service, zone_id: str, step: Step, folder: Path) -> Timing:
        folder = Path(tempfile.mkdtemp(dir=folder))
        defaults = {"api_url": service.api_url, "api_token": service.token, "zone_id": zone_id}
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {f"group/{COLLECTION}.cloudflare": defaults},
            "tasks": [{"name": step.case, **self.task(service, zone_id, step)}],
        }
        variables = {"fleet": step.wanted, "originops_cloudflare_direct": self.direct}
        (folder / "playbook.yml").write_text(json.dumps([play]))
        (folder / "inventory.yml").write_text(json.dumps(INVENTORY))
        (folder / "variables.json").write_text(json.dumps(variables))
        seconds = folder / "seconds"
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback")),
            "ANSIBLE_CALLBACKS_ENABLED": "stopwatch",
            "STOPWATCH_FILE": str(seconds),
        }
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        # As extra variables, which Ansible reads once; files of a play are read again and again.
        command = [program, "-i", "inventory.yml", "-e", "@variables.json", "playbook.yml"]
        _printed, memory = run(command, folder, environment)
        return Timing(float(seconds.read_text("utf-8")), memory)


def nothing(_service: Service, _zone_id: str, _step: Step) -> Task:
    """Return a task that does nothing."""
    return {"ansible.builtin.ping": {}}


def batch(_service: Service, _zone_id: str, step: Step) -> Task:
    """Return a task of the module for many mappings."""
    options = {"mappings": "{{ fleet }}", "purge": bool(step.deletes), "max_delete_percentage": 100}
    return {f"{COLLECTION}.origin_cloud_region_batch": options}


def refused(_service: Service, _zone_id: str, _step: Step) -> Task:
    """Return a task with contradictory options, which sends no request."""
    options = {"mappings": "{{ fleet }}", "state": "absent", "purge": True}
    return {f"{COLLECTION}.origin_cloud_region_batch": options, "failed_when": False}


def region_loop(_service: Service, _zone_id: str, _step: Step) -> Task:
    """Return a loop over the module for one mapping."""
    item = {name: f"{{{{ item.{name} }}}}" for name in ("origin_ip", "vendor", "region")}
    return {f"{COLLECTION}.origin_cloud_region": item, "loop": "{{ fleet }}"}


def uri_loop(service: Service, zone_id: str, _step: Step) -> Task:
    """Return a loop over Ansible's own module for HTTP."""
    request = {
        "url": f"{service.api_url}/zones/{zone_id}/origin/cloud_regions/{{{{ item.origin_ip }}}}",
        "method": "PUT",
        "headers": {"Authorization": f"Bearer {service.token}"},
        "body": "{{ item }}",
        "body_format": "json",
    }
    return {"ansible.builtin.uri": request, "loop": "{{ fleet }}"}
