# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..module_utils._batch import ensure_mappings
from ..module_utils._connection import SharedClient, open_client
from ..module_utils._errors import InvalidInput, OriginOpsError, Outcome
from ..module_utils._locations import UNRESOLVED_CODES, Unresolved
from ..module_utils._mapping import canonical
from ..module_utils._messages import join_bounded, quote
from ..module_utils._ranges.index import Ranges
from ..module_utils._settings import ensure_tiered_cache
from ..plugin_utils._inventory import OriginFinder, Origins, VariableNames
from ..plugin_utils._many_zones import (
    INCOMPLETE_INVENTORY,
    SOURCES,
    ManyZonesAction,
    OriginSources,
    PlayHosts,
    ZoneEntry,
    ZoneOrigins,
    describe_failures,
    identify_zones,
    parse_zones,
    run_on_zones,
    zone_warnings,
)

UNSUPPORTED = "unsupported_region"


class ActionModule(ManyZonesAction):
    argument_spec: ClassVar = {
        "zones": {"type": "list", "elements": "raw"},
        "zones_variable": {"type": "str"},
        "source": {"type": "list", "elements": "str", "choices": [*SOURCES], "default": ["inventory"]},
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
        "tiered_cache": {"type": "bool", "default": False},
        "resolve": {"type": "bool", "default": False},
        "load_balancers": {"type": "str", "choices": ["auto", "true", "false"], "default": "auto"},
    }

    def operate(self, options: dict[str, Any], hosts: PlayHosts) -> Outcome:
        """Map the origins of every zone."""
        variable = options["zones_variable"]
        if options["zones"] is None and variable:
            zones, others = hosts.zones(variable, options["source"])
        else:
            zones, others = parse_zones(options["zones"] or [], "zones", options["source"]), []
        if not zones:
            raise InvalidInput(
                "there is no zone to map: set origin_regions_zones, or run this for hosts of the inventory plugin "
                "originops.cloudflare.zones"
            )
        filter_options = dict(options["filter_options"])
        paths = filter_options.pop("ranges", None)
        locate = Ranges.load(paths).locate if paths else None
        sources = OriginSources(hosts, OriginFinder(VariableNames.parse(filter_options), locate))
        lacks_hosts = hosts.lacks_hosts

        def map_zone(zone: ZoneEntry) -> Outcome:
            shared = SharedClient(client, zone.zone)
            return _map_zone(
                zone, sources.of(zone, options, shared), options, shared, self._task.check_mode, lacks_hosts=lacks_hosts
            )

        with open_client(options) as client:
            identified = identify_zones(client, zones, others)
            sources.prepare(identified)
            results = run_on_zones(client, identified, map_zone, diff=self._task.diff)
        return _outcome(zones, results)


def _map_zone(
    zone: ZoneEntry,
    found: ZoneOrigins,
    options: Mapping[str, Any],
    shared: SharedClient,
    check_mode: bool,
    *,
    lacks_hosts: bool,
) -> Outcome:
    """Bring a zone to the mappings of its origins.

    Raises OriginOpsError, like the outcome with the origins that were left out.
    """
    result: dict[str, Any] = {"unresolved": [host.as_dict() for host in found.origins.unresolved]}
    warnings = [*found.cloudflare.warnings]
    turned_on: dict[str, Any] = {}
    try:
        _check_origins(zone, found.origins, options, lacks_hosts=lacks_hosts)
        warnings += _warn_of_unresolved(found, options)
        batch = _batch_options(zone, found, options)
        if options["tiered_cache"]:
            settings = _turn_tiered_cache_on(batch, check_mode, shared)
            turned_on = {name: settings[name] for name in ("changed", "tiered_cache")}
            turned_on["tiered_cache_diff"] = settings["diff"]
            # In check mode the service still refuses the regions then.
            batch["regions_may_be_unavailable"] = check_mode and settings["changed"]
            if not batch["regions_may_be_unavailable"]:
                result |= turned_on
        outcome = ensure_mappings(batch, check_mode, shared)
        result |= turned_on  # after a refusal, check mode predicts no change
        if options["purge"] and found.cloudflare.unknown:
            error = OriginOpsError(
                f"nothing was deleted, although purge is true, because {found.cloudflare.unknown}: their mappings "
                "would look stale"
            )
            error.outcome = outcome
            raise error
    except OriginOpsError as error:
        error.outcome.result = _merge_results(result, error.outcome.result)
        error.outcome.warnings = [*warnings, *error.outcome.warnings]
        raise
    outcome.result = _merge_results(result, outcome.result)
    outcome.warnings = [*warnings, *outcome.warnings]
    return outcome


def _turn_tiered_cache_on(batch: Mapping[str, Any], check_mode: bool, shared: SharedClient) -> dict[str, Any]:
    """Turn Tiered Cache and Smart Tiered Cache on, and return the result.

    Raises OriginOpsError, before any change if the mappings are refused. Unsupported regions are the exception: as
    long as Tiered Cache is off, the service has no list of them.
    """
    wanted = {**batch, "enabled": True, "smart": True}
    settings = ensure_tiered_cache(wanted, True, shared)
    if check_mode or not settings.result["changed"]:
        return settings.result
    ensure_mappings({**batch, "regions_may_be_unavailable": True}, True, shared)
    return ensure_tiered_cache(wanted, False, shared).result


def _batch_options(zone: ZoneEntry, found: ZoneOrigins, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the batch operation.

    It purges only if all origins are known.
    """
    kept = [canonical(address) for host in found.origins.unresolved for address in host.addresses]
    return {
        **options,
        **zone.options,
        "mappings": found.origins.sorted(),
        "state": "present",
        "on_invalid": "skip" if UNSUPPORTED in options["skip"] else "fail",
        "purge": options["purge"] and not found.cloudflare.unknown and not _without_address(found.origins),
        # A mapping may be that of an origin that is left out.
        "keep": [*options["keep"], *kept],
        "plan_checksum": None,
    }


def _warn_of_unresolved(found: ZoneOrigins, options: Mapping[str, Any]) -> list[str]:
    """Warn of origins that are left out, and of deletions that they prevent."""
    unresolved = found.origins.unresolved
    if not unresolved:
        return []
    hosts = join_bounded([f"{host.host}: {host.reason} ({host.code})" for host in unresolved], "unresolved")
    warnings = [f"left out {len(unresolved)} origin{'' if len(unresolved) == 1 else 's'}: {hosts}"]
    lost = _without_address(found.origins)
    if options["purge"] and lost and not found.cloudflare.unknown:
        hosts = join_bounded(lost, "unresolved")
        warnings.append(f"nothing is deleted, because the addresses of these origins are not known: {hosts}")
    return warnings


def _without_address(origins: Origins) -> list[str]:
    """List the hosts of origins that probably have an unknown address."""
    return [host.host for host in origins.unresolved if host.hides_address]


def _merge_results(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    return {**earlier, **later, "changed": bool(earlier.get("changed") or later.get("changed"))}


def _check_origins(zone: ZoneEntry, origins: Origins, options: Mapping[str, Any], *, lacks_hosts: bool) -> None:
    """Raise InvalidInput unless a zone can be brought to these origins."""
    problems: Sequence[Unresolved] = [host for host in origins.unresolved if host.code not in options["skip"]]
    if problems:
        codes = ", ".join(sorted({host.code for host in problems}))
        reasons = join_bounded([f"{host.host}: {host.reason} ({host.code})" for host in problems], "unresolved")
        plural = "" if len(problems) == 1 else "s"
        raise InvalidInput(
            f"the origins of {len(problems)} host{plural} cannot be determined: {reasons}. Nothing was changed. Set "
            f"their variables, or leave them out with origin_regions_skip: [{codes}]"
        )
    has_origin = origins.mappings or any(host.addresses or host.hides_address for host in origins.unresolved)
    if not has_origin and not options["allow_empty"]:
        where = f" in group {', '.join(map(quote, zone.groups))}" if zone.groups else ""
        raise InvalidInput(
            f"it has no origin{where}: check the inventory, and the groups and variables that assign hosts to zones. "
            "Nothing was changed. If it has none, set origin_regions_allow_empty: true"
        )
    if options["purge"] and lacks_hosts and zone.has_hosts:
        raise InvalidInput(f"nothing was changed, because {INCOMPLETE_INVENTORY}")


def _outcome(zones: Sequence[ZoneEntry], results: Sequence[dict[str, Any]]) -> Outcome:
    """Sum up the results of zones. Raises OriginOpsError if one failed."""
    diffs = [result.pop(name, None) for result in results for name in ("tiered_cache_diff", "diff")]
    result = {
        "changed": any(result.get("changed") for result in results),
        "zones": [{**zone.identity, **result} for zone, result in zip(zones, results, strict=True)],
        "diff": [diff for diff in diffs if diff and diff["before"] != diff["after"]],
    }
    warnings = zone_warnings(zones, results)
    deprecation = next((text["msg"] for result in results for text in result.get("deprecations", ())), None)
    if failures := describe_failures(zones, results):
        error = OriginOpsError(failures, **result)
        error.outcome.warnings, error.outcome.deprecation = warnings, deprecation
        raise error
    return Outcome(result, warnings, deprecation)
