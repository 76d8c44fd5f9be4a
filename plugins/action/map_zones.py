# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..module_utils._connection import SharedClient, open_client
from ..module_utils._errors import InvalidInput, OriginOpsError, Outcome
from ..module_utils._locations import UNRESOLVED_CODES, Unresolved
from ..module_utils._mapping import canonical
from ..module_utils._messages import join_bounded
from ..module_utils._operations import ensure_mappings
from ..module_utils._ranges.index import Ranges
from ..plugin_utils._inventory import OriginFinder, Origins, VariableNames
from ..plugin_utils._many_zones import (
    CUT,
    InventoryOrigins,
    ManyZonesAction,
    PlayHosts,
    ZoneEntry,
    describe_failures,
    parse_zones,
    run_on_zones,
    zone_warnings,
)

UNSUPPORTED = "unsupported_region"

WITHOUT_ADDRESS = ("hostname", "variable_error")
"""Codes of origins that probably have an address, although nobody knows which."""


class ActionModule(ManyZonesAction):
    argument_spec: ClassVar = {
        "zones": {"type": "raw"},
        "zones_variable": {"type": "str"},
        "filter_options": {"type": "dict", "default": {}},
        "purge": {"type": "bool", "default": False},
        "keep": {"type": "list", "elements": "str", "default": []},
        "max_delete_percentage": {"type": "float", "default": 30},
        "max_update_percentage": {"type": "float", "default": 30},
        "skip": {
            "type": "list",
            "elements": "str",
            "choices": [*UNRESOLVED_CODES, UNSUPPORTED],
            "default": [],
        },
        "allow_empty": {"type": "bool", "default": False},
    }

    def operate(self, options: dict[str, Any], hosts: PlayHosts) -> Outcome:
        """Bring every zone to the mappings of its origins."""
        variable = options["zones_variable"]
        if options["zones"] is None and variable:
            zones = hosts.zones(hosts.batch, variable)
        else:
            zones = parse_zones(options["zones"] or [], "zones")
        if not zones:
            raise InvalidInput(
                "there is no zone to map: set origin_regions_zones, or run this for hosts of the inventory plugin "
                "originops.cloudflare.zones"
            )
        filter_options = dict(options["filter_options"])
        paths = filter_options.pop("ranges", None)
        locate = Ranges.load(paths).locate if paths else None
        inventory = InventoryOrigins(hosts, OriginFinder(VariableNames.parse(filter_options), locate))
        is_cut = hosts.is_cut
        tasks = {zone: ZoneTask.plan(zone, inventory, options, is_cut=is_cut) for zone in zones if not zone.error}

        def bring(zone: ZoneEntry) -> Outcome:
            return tasks[zone].run(self._task.check_mode, SharedClient(client, zone.zone))

        with open_client(options) as client:
            results = run_on_zones(client, zones, bring, diff=self._task.diff)
        return _outcome(zones, results)


@dataclass(frozen=True)
class ZoneTask:
    """Work on a zone: the options of the batch operation, or the error that prevents it; and the hosts left out."""

    options: Mapping[str, Any] | InvalidInput
    unresolved: Sequence[Unresolved] = ()
    warnings: Sequence[str] = ()

    @classmethod
    def plan(
        cls, zone: ZoneEntry, inventory: InventoryOrigins, options: Mapping[str, Any], *, is_cut: bool
    ) -> ZoneTask:
        """Find the origins of a zone, and decide what to do with them."""
        try:
            origins = inventory.of(zone)
        except InvalidInput as error:
            return cls(error)
        unresolved = origins.unresolved
        try:
            _check_origins(zone, origins, options, is_cut=is_cut)
        except InvalidInput as error:
            return cls(error, unresolved)
        warnings = []
        if unresolved:
            hosts = join_bounded([f"{host.host}: {host.reason} ({host.code})" for host in unresolved], "unresolved")
            warnings.append(f"left out {len(unresolved)} hosts: {hosts}")
        lost = [host.host for host in unresolved if not host.addresses and host.code in WITHOUT_ADDRESS]
        if options["purge"] and lost:
            hosts = join_bounded(lost, "unresolved")
            warnings.append(f"nothing is deleted, because the addresses of these origins are not known: {hosts}")
        batch = {
            **options,
            **zone.options,
            "mappings": origins.sorted(),
            "state": "present",
            "purge": options["purge"] and not lost,
            "on_invalid": "skip" if UNSUPPORTED in options["skip"] else "fail",
            # A mapping may be that of a host that is left out.
            "keep": [*options["keep"], *(canonical(address) for host in unresolved for address in host.addresses)],
            "plan_checksum": None,
        }
        return cls(batch, unresolved, warnings)

    def run(self, check_mode: bool, shared: SharedClient) -> Outcome:
        """Do the work. Raises OriginOpsError, with the hosts left out too."""
        unresolved = {"unresolved": [host.as_dict() for host in self.unresolved]}
        try:
            if isinstance(self.options, InvalidInput):
                raise self.options
            outcome = ensure_mappings(self.options, check_mode, shared)
        except OriginOpsError as error:
            error.outcome.result |= unresolved
            raise
        outcome.result |= unresolved
        outcome.warnings = [*self.warnings, *outcome.warnings]
        return outcome


def _check_origins(zone: ZoneEntry, origins: Origins, options: Mapping[str, Any], *, is_cut: bool) -> None:
    """Raise InvalidInput unless a zone can be brought to these origins."""
    problems: Sequence[Unresolved] = [host for host in origins.unresolved if host.code not in options["skip"]]
    if problems:
        codes = ", ".join(sorted({host.code for host in problems}))
        reasons = join_bounded([f"{host.host}: {host.reason} ({host.code})" for host in problems], "unresolved")
        raise InvalidInput(
            f"the origins of {len(problems)} hosts cannot be determined: {reasons}. Nothing was changed. Set their "
            f"variables, or leave them out with origin_regions_skip: [{codes}]"
        )
    if not origins.mappings and not options["allow_empty"]:
        raise InvalidInput(
            "it has no origin: check the inventory, and the groups and variables that assign hosts to zones. Nothing "
            "was changed. If it has none, set origin_regions_allow_empty: true"
        )
    if options["purge"] and is_cut and zone.has_hosts:
        raise InvalidInput(f"nothing was changed, because {CUT}")


def _outcome(zones: Sequence[ZoneEntry], results: Sequence[dict[str, Any]]) -> Outcome:
    """Sum up the results of zones. Raises OriginOpsError if one failed."""
    diffs = [diff for result in results if (diff := result.pop("diff", None)) and diff["before"] != diff["after"]]
    result = {
        "changed": any(result.get("changed") for result in results),
        "zones": [{**zone.identity, **result} for zone, result in zip(zones, results, strict=True)],
        "diff": diffs,
    }
    warnings = zone_warnings(zones, results)
    deprecation = next((text["msg"] for result in results for text in result.get("deprecations", ())), None)
    if failures := describe_failures(zones, results):
        error = OriginOpsError(failures, **result)
        error.outcome.warnings, error.outcome.deprecation = warnings, deprecation
        raise error
    return Outcome(result, warnings, deprecation)
