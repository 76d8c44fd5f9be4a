# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of filter, role and audit on cloud hosts of inventory plugins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.server import Emulator
from emulator.state import Zone
from integration.playbook import COLLECTION, run_playbook

FATAL = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
"""Setting that makes a failed source fatal, if its plugin reports it."""


@dataclass(frozen=True)
class Run:
    """Outcome of a play, with the results that it wrote."""

    status: int
    output: str
    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        """Report of the filter."""
        return json.loads((self.folder / "report.json").read_text())

    @property
    def mappings(self) -> dict[str, tuple[str, str]]:
        """Mappings of the filter, in the form of a zone's values."""
        return {entry["origin_ip"]: (entry["vendor"], entry["region"]) for entry in self.report["mappings"]}

    @property
    def unresolved(self) -> dict[str, str]:
        """Codes of the unresolved hosts."""
        return {entry["host"]: entry["code"] for entry in self.report["unresolved"]}

    @property
    def findings(self) -> dict[str, set[str | None]]:
        """Addresses of the audit's findings by kind."""
        [zone] = json.loads((self.folder / "audit" / "report.json").read_text())["zones"]
        kinds: dict[str, set[str | None]] = {}
        for finding in zone["findings"]:
            kinds.setdefault(finding["kind"], set()).add(finding["origin_ip"])
        return kinds


@dataclass(frozen=True)
class Runner:
    """Runner of a play that reports, audits and then maps hosts.

    The hosts are those of inventory sources. The zone is example.com, with the hosts of the group web.
    """

    folder: Path
    emulator: Emulator
    zone: Zone

    def __call__(
        self,
        sources: Mapping[str, Mapping[str, Any]],
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        zone: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        skip: Sequence[str] = (),
        purge: bool = False,
    ) -> Run:
        """Run the play on inventory sources, given by file name.

        `zone` replaces the group by other keys of a zone of the role; `options` are those of the filter. No finding of
        the audit fails the play.
        """
        for name, source in sources.items():
            (self.folder / name).write_text(json.dumps(source))
        zones = [{"zone": self.zone.name, **({"group": "web"} if zone is None else zone)}]
        options = options or {}
        hosts = "groups['web'] | default([]) | map('extract', hostvars)"
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {
                f"group/{COLLECTION}.cloudflare": {
                    "api_url": self.emulator.api_url,
                    "api_token": self.emulator.token,
                }
            },
            "vars": {
                "filter_options": {"unresolved": "report", **options},
                "origin_regions_zones": zones,
                "origin_regions_filter_options": options,
                "origin_regions_skip": [*skip],
                "origin_regions_purge": purge,
                "audit_zones": zones,
                "audit_filter_options": options,
                "audit_fail_on": [],
                "audit_folder": str(self.folder / "audit"),
            },
            "tasks": [
                {
                    "ansible.builtin.copy": {
                        "content": f"{{{{ {hosts} | {COLLECTION}.origin_mappings(**filter_options) | to_json }}}}",
                        "dest": str(self.folder / "report.json"),
                        "mode": "0600",
                    }
                },
                {"ansible.builtin.include_role": {"name": f"{COLLECTION}.audit"}},
                {"ansible.builtin.include_role": {"name": f"{COLLECTION}.origin_regions"}},
            ],
        }
        inventories = [argument for name in sources for argument in ("-i", name)]
        done = run_playbook(self.folder, [play], *inventories, *arguments, environment=environment)
        output = done.stdout + done.stderr
        assert self.emulator.token not in output
        assert "Traceback" not in output, output
        return Run(done.returncode, " ".join(output.split()), self.folder)
