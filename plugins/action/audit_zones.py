# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, ClassVar

from ..module_utils._audit.findings import ExpectedState, ObservedTraffic, PublishedRanges, ZoneState
from ..module_utils._audit.operation import audit_open_zone, check_near_limit, read_ranges
from ..module_utils._connection import SharedClient, open_client, open_zone
from ..module_utils._errors import InvalidInput, OriginOpsError, Outcome
from ..module_utils._mapping import VENDORS
from ..module_utils._messages import join_bounded, sentence
from ..module_utils._ranges.index import Ranges
from ..module_utils._schema import FAILING_KINDS, KINDS, format_time
from ..module_utils._traffic.analytics import Traffic, read_traffic
from ..module_utils._traffic.operation import describe_traffic
from ..plugin_utils._inventory import OriginFinder, VariableNames
from ..plugin_utils._many_zones import (
    INCOMPLETE_INVENTORY,
    REPEATED,
    SOURCES,
    ManyZonesAction,
    OriginSources,
    PlayHosts,
    ZoneEntry,
    identify_zones,
    parse_zones,
    run_on_zones,
    zone_warnings,
)
from ..plugin_utils._report.files import FORMATS, read_report, write_reports
from ..plugin_utils._report.model import (
    Report,
    aggregate,
    clean,
    combine,
    count_findings,
    empty_report,
    failure_message,
    latest,
    merge,
    zone_name,
)

TRAFFIC_HOURS = 24

UNLIMITED_AGE = 10**6
"""Hours, 114 years: more than the age of any report."""

CLOCK_DIFFERENCE = timedelta(minutes=5)
"""Maximum difference between the clocks of two jobs."""

NOT_FOUND = Traffic(error=OriginOpsError("the zone was not found when its traffic was to be read"))
"""Traffic of a zone that only its audit found."""


class ActionModule(ManyZonesAction):
    argument_spec: ClassVar = {
        "zones": {"type": "list", "elements": "raw"},
        "zones_variable": {"type": "str"},
        "source": {"type": "list", "elements": "str", "choices": [*SOURCES], "default": ["inventory"]},
        "inventory": {"type": "bool", "default": True},
        "filter_options": {"type": "dict", "default": {}},
        "ranges": {"type": "dict", "options": {vendor: {"type": "path"} for vendor in VENDORS}},
        "near_limit": {"type": "int", "default": 90},
        "traffic": {"type": "bool", "default": False},
        "traffic_min_requests": {"type": "int", "default": 100},
        "traffic_min_share": {"type": "int", "default": 50},
        "folder": {"type": "str", "required": True},
        "formats": {"type": "list", "elements": "str", "choices": [*FORMATS], "default": [*FORMATS]},
        "file_mode": {"type": "str", "default": "0600"},
        "fail_on": {"type": "list", "elements": "str", "choices": [*KINDS], "default": [*FAILING_KINDS]},
        "reports": {"type": "list", "elements": "str"},
        "max_age": {"type": "float", "default": 24},
        "resolve": {"type": "bool", "default": False},
        "load_balancers": {"type": "str", "choices": ["auto", "true", "false"], "default": "auto"},
    }

    def operate(self, options: dict[str, Any], hosts: PlayHosts) -> Outcome:
        """Audit the zones of this batch of hosts, or merge reports.

        Writes the report of all zones.
        """
        files = ReportFiles(options)
        zones, others = _zones(options, hosts)
        expected = clean([zone.identity for zone in (*zones, *others)])
        now = datetime.now(timezone.utc)
        # A list that is null has no reports, and must not pass for an audit.
        if "reports" in self._task.args:
            return files.finish(_merge(options, expected, now))
        # Every batch audits an explicit list of zones as a whole.
        batches = Batches(hosts, self._task) if _is_by_host(options) else None
        earlier = batches.reports if batches else []
        # An audit that ends halfway leaves this, never the report of an earlier one.
        unfinished = [
            empty_report(zone, format_time(now), "its audit has not ended") for zone in expected[: len(zones)]
        ]
        files.write(combine(latest([*earlier, *unfinished]), expected, options["fail_on"], format_time(now)))
        if batches and batches.problem:
            raise InvalidInput(batches.problem)
        if not expected:
            raise InvalidInput(
                "there is no zone to audit: set audit_zones, or run this for hosts of the inventory plugin "
                "originops.cloudflare.zones"
            )
        own_source = next((zone for zone in (*zones, *others) if "cloudflare" in zone.sources), None)
        if own_source and not options["inventory"]:
            raise InvalidInput(
                f"{own_source.label} has the source cloudflare, but no zone is compared with its origins, because "
                "inventory is false: leave out one of them"
            )
        check_near_limit(options["near_limit"])
        if options["traffic_min_requests"] < 1:
            raise InvalidInput(f"traffic_min_requests: {options['traffic_min_requests']} is less than 1")
        if not 1 <= options["traffic_min_share"] <= 100:
            raise InvalidInput(f"traffic_min_share: {options['traffic_min_share']} is not between 1 and 100 percent")
        ranges = read_ranges(options["ranges"], lambda paths: Ranges.load(paths).locate)
        results = _audit(options, hosts, zones, others, ranges)
        reports = clean([_report_of(zone, result, now) for zone, result in zip(zones, results, strict=True)])
        report = combine(latest([*earlier, *reports]), expected, options["fail_on"], format_time(now))
        warnings = zone_warnings(zones, results)
        if not batches:
            return files.finish(report, warnings)
        audits = batches.audits(reports)
        if batches.is_last:
            return files.finish(report, warnings, audits=audits)
        files.write(report)
        message = "The audit continues with the next hosts of the play"
        return Outcome({"changed": False, "msg": message, "audits": audits}, warnings)


def _registered_name(register: str | Mapping[str, str] | None) -> str | None:
    """Return the variable with the result of a task.

    From ansible-core 2.21 on, register is a dictionary: other variables in it have parts of the result.
    """
    names = [register] if isinstance(register, str) else [*(register or ())]
    return names[0] if len(names) == 1 else None


def _is_result(value: Any) -> bool:
    """Check whether a variable has the result of a task."""
    return isinstance(value, Mapping) and not {"changed", "failed", "skipped", "unreachable"}.isdisjoint(value)


def _audits_of(result: Mapping[str, Any]) -> Mapping[str, list[list[Report]]]:
    """Return the reports in a result, by audit.

    Results of other tasks have none.
    """
    audits = result.get("audits")
    return audits if isinstance(audits, Mapping) else {}


class Batches:
    """Batches of a play with the keyword serial, for the audit of a task.

    reports are those of earlier batches; is_last is true for the last batch; problem is the reason if one of them
    cannot be known.
    """

    def __init__(self, hosts: PlayHosts, task: Any) -> None:
        register = _registered_name(task.register)
        values = hosts.registered(register) if register else {}
        results = {host: value for host, value in values.items() if _is_result(value)}
        before = [results.pop(host) for host in hosts.batch if host in results]
        self._audits: dict[str, list[list[Report]]] = {
            name: reports for result in before for name, reports in _audits_of(result).items()
        }
        self._name = _audit_name(task)
        # The same task can audit again, as in a loop or in a play of an imported playbook.
        self._earlier = self._audits.get(self._name, [])
        number = len(self._earlier)
        audits = [_audits_of(result).get(self._name, []) for result in results.values()]
        # All hosts of a batch share the same result.
        shared = {id(reports[number]): reports[number] for reports in audits if len(reports) > number}
        self.reports: list[Report] = [report for reports in shared.values() for report in reports]
        # Results do not show which batch is the last: one that was skipped or failed can be of an earlier play.
        order = task.get_play().order
        self.is_last = _last_host(hosts.active, order) in hosts.batch
        self.problem = None if {*hosts.batch} >= {*hosts.active} else _problem(register, values, order)

    def audits(self, reports: list[Report]) -> dict[str, list[list[Report]]]:
        """Return the reports of this audit, and of earlier ones of these hosts.

        The reports of the last batch are left out: no other batch needs them.
        """
        return {**self._audits, self._name: [*self._earlier, [] if self.is_last else reports]}


def _audit_name(task: Any) -> str:
    """Return a name that the audits of one task in one play share.

    It depends on no variable, which could differ between batches.
    """
    play, include = task.get_play(), task.get_first_parent_include()
    places = [play.get_path(), include.get_path() if include else "", task.get_path()]
    # A playbook in the format JSON has no numbers of lines, and one can be imported twice.
    identity = json.dumps([*places, play.get_name(), play.hosts], default=str)
    return hashlib.sha256(identity.encode()).hexdigest()


def _last_host(hosts: Sequence[str], order: str | None) -> str:
    """Return the last host by the keyword order of a play."""
    if order in ("sorted", "reverse_sorted"):
        hosts = sorted(hosts)
    return hosts[0 if (order or "").startswith("reverse_") else -1]


def _problem(register: str | None, values: Mapping[str, Any], order: str | None) -> str | None:
    """Return the reason if a batch of a play cannot know the other batches."""
    if not register:
        return (
            "the play has more hosts than this batch: add register to this task, because the keyword serial needs "
            "the results of earlier batches"
        )
    if others := [host for host, value in values.items() if not _is_result(value)]:
        return (
            f"the variable {register} of host {min(others)} is not the result of this task: the keyword serial "
            "needs the whole result in register, under a name that nothing else has"
        )
    if order == "shuffle":
        return "the play has order: shuffle, so its last batch is not known: use another order with the keyword serial"
    return None


class ReportFiles:
    """Files of reports, by the options folder, formats and file_mode."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        # Without quotes YAML reads 0640 as the number 416.
        if not re.fullmatch("0[0-7]{3}", options["file_mode"]):
            raise InvalidInput(
                f'file_mode: {options["file_mode"]!r} is not a mode of four octal digits in quotes, such as "0640"'
            )
        if not options["folder"].strip():
            raise InvalidInput("audit_folder is empty: name the directory of the reports")
        self._mode = int(options["file_mode"], 8)
        self._folder = options["folder"]
        self._formats = options["formats"]

    def write(self, report: Report) -> tuple[list[str], str | None]:
        """Write a report, and return the paths, and the error if there is one."""
        try:
            return write_reports(self._folder, report, self._formats, self._mode), None
        except OriginOpsError as error:
            return error.result.get("reports", []), str(error)

    def finish(self, report: Report, warnings: Sequence[str] = (), **result: Any) -> Outcome:
        """Write the report of an audit, and return its outcome with this result.

        Raises OriginOpsError if the audit failed.
        """
        paths, problem = self.write(report)
        where = f"Reports: {', '.join(paths)}" if paths else "No report was written, because formats is empty"
        result |= {"changed": False, "totals": report["totals"], "failures": report["failures"], "reports": paths}
        problems = [failure_message(report)] if report["failures"] else []
        problems += [problem] if problem else []
        if problems:
            error = OriginOpsError(f"{sentence('. '.join(problems))} {where}", **result)
            error.outcome.warnings = [*warnings]
            raise error
        number = report["totals"]["audited"]
        others = count_findings(report["totals"], {*KINDS}.difference(report["fail_on"]))
        also = [f"Findings that audit_fail_on leaves out: {', '.join(others)}"] if others else []
        message = f"The audit of {number:,} zone{'' if number == 1 else 's'} passed. {'. '.join([*also, where])}"
        return Outcome({**result, "msg": message}, [*warnings])


def _is_by_host(options: Mapping[str, Any]) -> bool:
    """Check whether every host of the play has its own zones."""
    return options["zones"] is None and bool(options["zones_variable"])


def _zones(options: Mapping[str, Any], hosts: PlayHosts) -> tuple[list[ZoneEntry], list[ZoneEntry]]:
    """Return the zones to audit now, and those of the other hosts of the play."""
    if not _is_by_host(options):
        return parse_zones(options["zones"] or [], "zones", options["source"]), []
    zones, others = hosts.zones(options["zones_variable"], options["source"])
    first = zones if hosts.all[0] in hosts.batch else others
    first += hosts.unmatched_zones
    return zones, others


def _audit(
    options: Mapping[str, Any],
    hosts: PlayHosts,
    zones: Sequence[ZoneEntry],
    others: Sequence[ZoneEntry],
    ranges: PublishedRanges,
) -> list[dict[str, Any]]:
    """Audit zones in parallel, and return the result of each."""
    filter_options = dict(options["filter_options"])
    locate = ranges.locate
    if paths := filter_options.pop("ranges", None):
        locate = Ranges.load(paths).locate
    sources = OriginSources(hosts, OriginFinder(VariableNames.parse(filter_options), locate))
    lacks_hosts = hosts.lacks_hosts

    def audit(zone: ZoneEntry) -> Outcome:
        shared = SharedClient(client, zone.zone)
        expected, warnings = ExpectedState(), ()
        if options["inventory"]:
            if lacks_hosts and zone.has_hosts:
                raise InvalidInput(f"not audited, because {INCOMPLETE_INVENTORY}")
            found = sources.of(zone, options, shared)
            origins, warnings = found.origins, found.cloudflare.warnings
            expected = ExpectedState(
                origins.mappings,
                origins.unresolved,
                origins.hosts,
                zone.sources,
                found.by_source,
                found.cloudflare.unreadable,
            )
        observe = None
        if options["traffic"]:
            observe = partial(_observe, traffic.get(zone.zone_id, NOT_FOUND), options)
        with open_zone({**options, **zone.options}, shared) as opened:
            outcome = audit_open_zone(opened, expected, ranges, options["near_limit"], observe)
        outcome.warnings = [*warnings, *outcome.warnings]
        return outcome

    with open_client(options) as client:
        identified = identify_zones(client, zones, others, always=options["traffic"])
        if options["inventory"]:
            sources.prepare(identified)
        zone_ids = [zone.zone_id for zone in identified if zone.zone_id and not zone.error]
        traffic = read_traffic(client, zone_ids, TRAFFIC_HOURS) if zone_ids and options["traffic"] else {}
        return _refuse_repetitions(identified, run_on_zones(client, identified, audit, diff=False))


def _refuse_repetitions(zones: Sequence[ZoneEntry], results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return results, with errors for entries that turned out to be one zone."""
    zone_ids = [None if zone.error else result.get("zone_id") for zone, result in zip(zones, results, strict=True)]
    numbers = Counter(zone_ids)
    return [
        {"failed": True, "msg": f"{zone.label} {REPEATED}"} if zone_id and numbers[zone_id] > 1 else result
        for zone, zone_id, result in zip(zones, zone_ids, results, strict=True)
    ]


def _observe(traffic: Traffic, options: Mapping[str, Any], state: ZoneState) -> ObservedTraffic:
    """Compare mappings with traffic, for the audit of a zone."""
    section = describe_traffic(traffic, state.mappings, state.supported)
    # A shorter time range is still enough to compare.
    limits = [limit for limit in section["limits"] if limit["code"] != "range"]
    reasons = [limit["reason"] for limit in limits]
    if traffic.not_available:
        reasons = [traffic.not_available.reason]
    elif traffic.error:
        reasons = [str(traffic.error)]
    return ObservedTraffic(
        section,
        "; ".join(reasons) or None,
        traffic.groups is None or any(limit["code"] != "no_traffic" for limit in limits),
        options["traffic_min_requests"],
        options["traffic_min_share"],
    )


def _report_of(zone: ZoneEntry, result: Mapping[str, Any], now: datetime) -> Report:
    """Return the report in a result, with the zone's names in the list."""
    if result["failed"]:
        known = {**zone.identity, "zone_id": result.get("zone_id") or zone.zone_id}
        return empty_report(known, format_time(now), result["msg"])
    listed = {name: value for name, value in zone.identity.items() if value}
    return {**result["report"], **listed}


def _merge(options: Mapping[str, Any], expected: Sequence[Mapping[str, str | None]], now: datetime) -> Report:
    """Merge the reports of several jobs.

    A report that is missing, too old or of the future is a failure. The latest report on a zone would otherwise be that
    of a wrong clock.
    """
    hours = options["max_age"]
    if not hours >= 0:
        problem = f"max_age: {hours:g} is not 0 or more hours"
        return combine([], expected, options["fail_on"], format_time(now), [problem])
    oldest = format_time(now - timedelta(hours=min(hours, UNLIMITED_AGE)))
    newest = format_time(now + CLOCK_DIFFERENCE)
    reports, problems = [], []
    for path in options["reports"] or ():
        try:
            report = aggregate(read_report(path), fail_on=options["fail_on"])
        except InvalidInput as error:
            problems.append(str(error))
            continue
        zones = report["zones"]
        if not zones:
            problems += report["not_merged"]
        elif future := _list_times(zone for zone in zones if zone["audited_on"] > newest):
            problems.append(f"{path} is of the future ({future}): check the clock of its job")
        elif old := _list_times(zone for zone in zones if zone["audited_on"] < oldest):
            problems.append(f"{path} is of more than {hours:g} hours ago (audit_max_age): {old}")
        else:
            reports.append(report)
    if reports:
        return merge(reports, expected, options["fail_on"], problems)
    return combine([], expected, options["fail_on"], format_time(now), problems)


def _list_times(zones: Iterable[Report]) -> str:
    """List zones with the times of their audits, a bounded number of them."""
    return join_bounded([f"{zone_name(zone)}: {zone['audited_on']}" for zone in zones])
