# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules do: options in, a result out. Read, plan, write; in check mode the plan is the result."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.originops.cloudflare.plugins.module_utils._apply import (
    Account,
    apply,
    creating,
    in_batches,
    predict,
    singly,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import (
    CloudflareError,
    InvalidInput,
    OriginOpsError,
    RegionsUnavailable,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._generations import Generation, Zone
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    Address,
    BadItem,
    Mapping,
    address_order,
    canonical,
    checked_values,
    parse_address,
    parse_addresses,
    parse_mappings,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._options import open_zone
from ansible_collections.originops.cloudflare.plugins.module_utils._plan import Plan, diff, make_plan

Result = dict[str, Any]

EMPTY_PURGE = (
    "purge with no usable mapping in the list would leave the zone without mappings: set allow_empty: true if that is "
    "what you want"
)

MOST_REFUSALS = 10
"""Items that a message tells of; the result has them all."""


def ensure_mapping(options: Dict[str, Any], check_mode: bool) -> Result:
    """Bring the mapping of one address to the state that is asked for."""
    try:
        address = parse_address(options["origin_ip"])
    except InvalidInput as error:
        raise InvalidInput(f"origin_ip: {error}") from None
    present, overwrite = options["state"] == "present", options["overwrite"]
    wanted = Mapping(address, *checked_values(options["vendor"], options["region"])) if present else None
    warnings: list[str] = []
    with open_zone(options) as zone:
        generation, current = zone.first(lambda generation: generation.find([address]))
        plan = make_plan(current, {address: wanted}, overwrite=overwrite)
        if check_mode:
            if plan.upserts:
                try:
                    problems = _unsupported(plan, generation)
                except RegionsUnavailable as error:
                    problems = {}
                    warnings.append(f"Check mode could not verify the region. {error}")
                if problems:
                    raise InvalidInput(f"{wanted}: {problems[address]}")
                _with_total(plan, generation).check_limit()
            account = predict(plan)
        else:
            account = apply(plan, generation, singly if overwrite or not present else creating)
            if account.error:
                raise _explained(account.error, plan, generation)
    mapping = account.applied[0].mapping if account.applied else current.mappings.get(address)
    return {
        "changed": bool(account.applied),
        "mapping": mapping.as_dict() if mapping and present else None,
        "diff": diff(account.applied),
        "warnings": warnings,
        **zone.as_result(),
    }


def ensure_mappings(options: Dict[str, Any], check_mode: bool) -> Result:
    """Bring many mappings of a zone, or all, to the state that is asked for. A failure carries the full account."""
    report = Report()
    try:
        source = _ensure_mappings(options, check_mode, report)
    except OriginOpsError as error:
        error.facts = {**report.as_result(), **error.facts}
        raise
    return {**report.as_result(), **source}


def read_mappings(options: Dict[str, Any], check_mode: bool) -> Result:
    """The mappings of a zone that pass the filters, and the supported regions if asked for."""
    addresses = parse_addresses(options["origin_ip"] or (), "origin_ip")
    vendors, regions = options["vendor"], options["region"]
    result: Result = {}
    with open_zone(options) as zone:
        generation, current = zone.first(lambda it: it.find(addresses) if addresses else it.whole())
        if options["supported_regions"]:
            result["supported_regions"] = generation.supported_regions().as_dict()
    mappings = [
        mapping
        for address, mapping in sorted(current.mappings.items(), key=lambda item: address_order(item[0]))
        if (not addresses or address in addresses)
        and (not vendors or mapping.vendor in vendors)
        and (not regions or mapping.region in regions)
    ]
    return {
        **result,
        "changed": False,
        "mappings": [mapping.as_dict() for mapping in mappings],
        "total_count": current.total if current.whole else None,
        **zone.as_result(),
    }


@dataclass
class Report:
    """A batch so far: what its result says, however it ends."""

    bad: list[BadItem] = field(default_factory=list)
    unchanged: int = 0
    account: Account = field(default_factory=Account)
    warnings: list[str] = field(default_factory=list)

    def as_result(self) -> Result:
        account = self.account
        lists: dict[str, list[Any]] = {
            kind: [change.mapping.as_dict() for change in account.applied if change.kind == kind]
            for kind in ("created", "updated", "deleted")
        }
        lists["failed_items"] = [item.as_dict() for item in self.bad]
        lists["failed_items"] += [{**change.mapping.value(), "error": error} for change, error in account.failed]
        lists["pending"] = [change.mapping.as_dict() for change in account.pending]
        summary = {name.removesuffix("_items"): len(items) for name, items in lists.items()}
        return {
            "changed": bool(account.applied),
            **lists,
            "summary": {**summary, "unchanged": self.unchanged},
            "diff": diff(account.applied),
            "warnings": self.warnings,
        }


def _ensure_mappings(options: Dict[str, Any], check_mode: bool, report: Report) -> Result:
    present, purge, skip = options["state"] == "present", options["purge"], options["on_invalid"] == "skip"
    if purge and not present:
        raise InvalidInput("purge makes a zone exactly the listed mappings, so it goes with state: present only")
    listing = parse_mappings(options["mappings"], present)
    report.bad = listing.bad
    # Regions are the service's to judge, so where others may be bad too, the failure waits for them.
    final = listing.bad and not skip and not (present and listing.wanted)
    if listing.conflicts or final:
        raise InvalidInput("; ".join([*listing.conflicts, *map(str, listing.bad)]))
    may_empty = not purge or options["allow_empty"]
    if not may_empty and not listing.wanted:
        raise InvalidInput(EMPTY_PURGE)
    with open_zone(options) as zone:
        generation, current = zone.first(lambda it: it.whole() if purge else it.find(listing.wanted))
        plan = make_plan(current, listing.wanted, purge_except=listing.index if purge else None)
        report.unchanged = plan.unchanged
        report.account.pending = list(plan.changes)
        if plan.upserts:
            problems = _unsupported(plan, generation)
            report.bad += [
                BadItem(listing.index[change.address], change.mapping.value(), problems[change.address])
                for change in plan.upserts
                if change.address in problems
            ]
            report.bad.sort(key=lambda item: item.index)
            plan = plan.without(problems)
            report.account.pending = list(plan.changes)
        if report.bad and not skip:
            raise InvalidInput("; ".join(map(str, report.bad)))
        if plan.deletes and not may_empty and not plan.unchanged and not plan.upserts:
            raise InvalidInput(EMPTY_PURGE)
        if check_mode:
            plan = _with_total(plan, generation)
        plan.check_limit()
        report.account = predict(plan) if check_mode else apply(plan, generation, in_batches)
        _judge(report, zone, skip)
    return zone.as_result()


def _judge(report: Report, zone: Zone, skip: bool) -> None:
    """Warn of what was skipped. Raises what failed, unless that may be skipped too."""
    account = report.account
    if report.bad:
        report.warnings.append(f"Skipped {len(report.bad)} unusable items: {'; '.join(map(str, report.bad))}")
    numbers = (
        f"{len(account.applied)} changes were applied, {len(account.failed)} failed, "
        f"{len(account.pending)} were not tried"
    )
    if account.error:
        raise CloudflareError(f"{account.error}. {numbers}", account.error.status, account.error.errors)
    if account.failed:
        refusals = [f"{canonical(change.address)}: {reason}" for change, reason in account.failed]
        if len(refusals) > MOST_REFUSALS:
            refusals[MOST_REFUSALS:] = [f"and {len(refusals) - MOST_REFUSALS} more, see failed_items"]
        message = f"Cloudflare refused changes in zone {zone.id}: {'; '.join(refusals)}. {numbers}"
        if not skip:
            raise OriginOpsError(message)
        report.warnings.append(message)


def _unsupported(plan: Plan, generation: Generation) -> dict[Address, str]:
    """Why the service would refuse upserts of this plan, by one request."""
    supported = generation.supported_regions()
    problems = {change.address: supported.problem(change.mapping) for change in plan.upserts}
    return {address: problem for address, problem in problems.items() if problem}


def _with_total(plan: Plan, generation: Generation) -> Plan:
    """The plan with the zone's total, read where a creation makes it matter: check mode must know the limit."""
    if plan.total is None and plan.creations:
        return replace(plan, total=generation.total())
    return plan


def _explained(error: CloudflareError, plan: Plan, generation: Generation) -> CloudflareError:
    """A refused region with the names that would do, where these can be had."""
    if 1157 not in error.codes:
        return error
    try:
        problems = _unsupported(plan, generation)
    except CloudflareError:
        return error
    return CloudflareError(". ".join([str(error), *problems.values()]), error.status, error.errors)
