# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations of the modules: options in, an Outcome out.

In check mode the outcome is the plan's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ._apply import MAYBE_APPLIED, ApplyResult, apply, create_one, maybe_applied, predict, write_batch, write_one
from ._connection import SharedClient, open_zone
from ._endpoints import MappingsApi, ZoneClient
from ._errors import REGION_UNKNOWN, CloudflareError, InvalidInput, OriginOpsError, Outcome, RegionsUnavailable
from ._mapping import (
    InvalidItem,
    Network,
    OriginMapping,
    ParsedMappings,
    SupportedRegions,
    address_order,
    canonical,
    parse_addresses,
    parse_mappings,
    parse_networks,
    parse_origin,
    validate_location,
    warn_of_private,
)
from ._messages import join_bounded, quote
from ._plan import EMPTY_PURGE, NO_CHANGES, Guards, Plan, diff, make_plan


def ensure_mapping(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Bring the mapping of one address to its wanted state."""
    try:
        address = parse_origin(options["origin_ip"])
    except InvalidInput as error:
        raise InvalidInput(f"origin_ip: {error}") from None
    present, overwrite = options["state"] == "present", options["overwrite"]
    wanted = OriginMapping(address, *validate_location(options["vendor"], options["region"])) if present else None
    warnings = warn_of_private([address]) if present else []
    with open_zone(options) as zone:
        api, current = zone.negotiate(lambda api: api.fetch([address]))
        plan = make_plan(current, {address: wanted}, overwrite=overwrite)
        if check_mode:
            if plan.upserts and wanted:
                try:
                    supported = api.supported_regions()
                except RegionsUnavailable as error:
                    warnings.append(f"Check mode could not verify the region. {error}")
                else:
                    _check_region(wanted, supported)
                _require_total(plan, api).check_limit(zone.label)
            applied = predict(plan)
        else:
            applied = apply(plan, api, write_one if overwrite or not present else create_one)
            if applied.error and applied.unknown:
                raise maybe_applied(applied.error)
            if applied.error:
                raise _with_region_hint(applied.error, wanted, api)
    mapping = applied.applied[0].mapping if applied.applied else current.mappings.get(address)
    return Outcome(
        {
            "changed": bool(applied.applied),
            "mapping": mapping.as_dict() if mapping and present else None,
            "diff": diff(applied.applied, zone.label),
            **zone.source,
        },
        warnings,
        zone.deprecation,
    )


def ensure_mappings(options: Mapping[str, Any], check_mode: bool, shared: SharedClient | None = None) -> Outcome:
    """Bring many mappings of a zone, or all, to their wanted state.

    A failure has the complete result too: what was applied, what failed, what is pending. Several zones can share a
    client.
    """
    present, skip = options["state"] == "present", options["on_invalid"] == "skip"
    batch = Batch()
    try:
        parsed = parse_mappings(options["mappings"], present)
        batch = Batch(invalid=parsed.invalid)
        guards = _parse_guards(options)
        keep = parse_networks(options["keep"] or (), "keep")
        _check_input(parsed, options)
        with open_zone(options, shared) as zone:
            api, plan = _make_batch_plan(parsed, keep, zone, options)
            batch = Batch(zone, parsed.invalid, plan)
            if plan.upserts:
                batch = _without_unsupported(batch, parsed, api, options.get("regions_may_be_unavailable", False))
            if batch.invalid and not skip:
                raise InvalidInput(batch.describe_invalid())
            plan = _require_total(batch.plan, api) if check_mode else batch.plan
            guards.check(plan, zone.label, options["purge"])
            plan.check_limit(zone.label)
            _check_checksum(plan, zone, options["plan_checksum"])
            batch = batch._replace(applied=predict(plan) if check_mode else apply(plan, api, write_batch))
            warnings = _raise_or_warn(batch, zone.label, skip)
    except OriginOpsError as error:
        error.outcome.result = {**batch.as_result(), **error.result}
        raise
    warnings = [*warn_of_private([address for address, mapping in parsed.wanted.items() if mapping]), *warnings]
    return Outcome({**batch.as_result(), **zone.source}, warnings, zone.deprecation)


def read_mappings(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Read the mappings of a zone that pass the filters, and the supported regions if wanted."""
    addresses = parse_addresses(options["origin_ip"] or (), "origin_ip")
    vendors, regions = options["vendor"], options["region"]
    result: dict[str, Any] = {}
    with open_zone(options) as zone:
        api, current = zone.negotiate(lambda api: api.fetch(addresses) if addresses else api.fetch_all())
        if options["supported_regions"]:
            result["supported_regions"] = api.supported_regions().as_dict()
    mappings = [
        mapping
        for address, mapping in sorted(current.mappings.items(), key=lambda item: address_order(item[0]))
        if (not addresses or address in addresses)
        and (not vendors or mapping.vendor in vendors)
        and (not regions or mapping.region in regions)
    ]
    result |= {
        "changed": False,
        "mappings": [mapping.as_dict() for mapping in mappings],
        "total_count": current.total if current.complete else None,
    }
    return Outcome({**result, **zone.source}, deprecation=zone.deprecation)


class Batch(NamedTuple):
    """A batch at one stage of its task: invalid items, the plan, and the result of applying it.

    supported has the regions where items have unsupported ones.
    """

    zone: ZoneClient | None = None
    invalid: Sequence[InvalidItem] = ()
    plan: Plan = NO_CHANGES
    applied: ApplyResult | None = None
    supported: SupportedRegions | None = None

    def as_result(self) -> dict[str, Any]:
        """Return the fields of the task's result, however it ends."""
        applied = self.applied or ApplyResult(pending=[*self.plan.changes, *self.plan.withheld])
        lists: dict[str, list[Any]] = {
            kind: [change.mapping.as_dict() for change in applied.applied if change.kind == kind]
            for kind in ("created", "updated", "deleted")
        }
        lists["failed_items"] = [item.as_dict() for item in self.invalid]
        lists["failed_items"] += [
            {**change.mapping.value(), "error": error} for change, error in (*applied.failed, *applied.unknown)
        ]
        lists["pending"] = [change.mapping.as_dict() for change in applied.pending]
        summary = {name.removesuffix("_items"): len(items) for name, items in lists.items()}
        result = {
            # Of a change that may have been applied it is safer to assume that it was.
            "changed": bool(applied.applied or applied.unknown),
            **lists,
            "summary": {**summary, "unchanged": self.plan.unchanged},
            "diff": diff(applied.applied, self.zone.label if self.zone else ""),
        }
        if self.zone:
            result["plan_checksum"] = self.plan.checksum(self.zone.id)
        return result

    def describe_invalid(self) -> str:
        """Describe the invalid items for a message, and name the supported regions once for each vendor."""
        items = join_bounded([str(item) for item in self.invalid], "failed_items")
        if not self.supported:
            return items
        return f"{items}. {self.supported.describe([item.raw['vendor'] for item in self.invalid])}"


def _parse_guards(options: Mapping[str, Any]) -> Guards:
    """Return the guards of the options. Raises InvalidInput."""
    checksum = options["plan_checksum"]
    if checksum is not None and not re.fullmatch("[0-9a-f]{64}", checksum):
        raise InvalidInput(f"plan_checksum: {quote(checksum)} is not the checksum of a plan, 64 hexadecimal digits")
    return Guards(options["allow_empty"], options["max_delete_percentage"], options["max_update_percentage"])


def _check_checksum(plan: Plan, zone: ZoneClient, expected: str | None) -> None:
    """Raise InvalidInput unless the plan is the expected one."""
    actual = plan.checksum(zone.id)
    if expected not in (None, actual):
        raise InvalidInput(
            f"the plan for zone {zone.label} is not the one of plan_checksum: it has {len(plan.upserts)} mappings to "
            f"write and {len(plan.deletes)} to delete now: nothing was written. Review it in check mode; its checksum "
            f"is {actual}"
        )


def _check_input(parsed: ParsedMappings, options: Mapping[str, Any]) -> None:
    """Raise InvalidInput for a list that cannot be used, as far as that is known without a request."""
    present = options["state"] == "present"
    if options["purge"] and not present:
        raise InvalidInput("purge replaces all mappings of a zone, so it requires state: present")
    # Only the service can judge regions, so where some items may have bad ones, the failure waits for these.
    is_final = parsed.invalid and options["on_invalid"] != "skip" and not (present and parsed.wanted)
    if parsed.conflicts or is_final:
        raise InvalidInput(join_bounded([*parsed.conflicts, *map(str, parsed.invalid)], "failed_items"))
    if options["purge"] and not options["allow_empty"] and not parsed.wanted:
        raise InvalidInput(EMPTY_PURGE)


def _make_batch_plan(
    parsed: ParsedMappings, keep: Sequence[Network], zone: ZoneClient, options: Mapping[str, Any]
) -> tuple[MappingsApi, Plan]:
    """Read the zone, and compare it with the list."""
    purge = options["purge"]
    api, current = zone.negotiate(lambda api: api.fetch_all() if purge else api.fetch(parsed.wanted))
    plan = make_plan(current, parsed.wanted, purge=purge, listed=parsed.index, keep=keep)
    # A mapping that looks stale may be that of an address that cannot be read.
    return api, plan.withhold_deletions() if purge and parsed.unreadable else plan


def _without_unsupported(batch: Batch, parsed: ParsedMappings, api: MappingsApi, may_be_unavailable: bool) -> Batch:
    """Move the upserts with unsupported regions from the plan to the invalid items."""
    try:
        supported = api.supported_regions()
    except RegionsUnavailable:
        if may_be_unavailable:
            return batch
        raise
    problems = {change.address: supported.problem(change.mapping) for change in batch.plan.upserts}
    unsupported = [
        InvalidItem(parsed.index[change.address], change.mapping.value(), problem)
        for change in batch.plan.upserts
        if (problem := problems[change.address])
    ]
    if not unsupported:
        return batch
    invalid = sorted([*batch.invalid, *unsupported], key=lambda item: item.index)
    plan = batch.plan.without([address for address, problem in problems.items() if problem])
    return batch._replace(invalid=invalid, plan=plan, supported=supported)


def _raise_or_warn(batch: Batch, zone: str, skip: bool) -> list[str]:
    """Return warnings of skipped items.

    Raises the failure of applying, unless it may be skipped too.
    """
    applied = batch.applied or ApplyResult()
    warnings = []
    if batch.invalid:
        warnings.append(f"Skipped {len(batch.invalid)} unusable items: {batch.describe_invalid()}")
    if batch.plan.withheld:
        warnings.append(
            f"Nothing was deleted in zone {zone}: {len(batch.plan.withheld)} deletions are pending, because the list "
            "has items without a readable address: one of them may belong to a mapping that looks stale"
        )
    error = _failure(applied, zone)
    if not error:
        return warnings
    if skip and not applied.error:
        return [*warnings, str(error)]
    error.outcome.warnings = warnings
    raise error


def _failure(applied: ApplyResult, zone: str) -> OriginOpsError | None:
    """Describe the failure of applying a plan: refused items, the error of a batch, and the numbers."""
    parts = []
    if applied.error:
        parts.append(str(applied.error))
    whole_batch = {str(applied.error)} if applied.error else set()
    refused = [
        f"{canonical(change.address)}: {reason}" for change, reason in applied.failed if reason not in whole_batch
    ]
    if refused:
        parts.append(f"Cloudflare refused changes in zone {zone}: {join_bounded(refused, 'failed_items')}")
    if not parts:
        return None
    numbers = [f"{len(applied.applied)} changes were applied"] if applied.applied or not applied.unknown else []
    numbers += [f"{len(applied.unknown)} {MAYBE_APPLIED}"] if applied.unknown else []
    numbers += [f"{len(applied.failed)} failed", f"{len(applied.pending)} were not tried"]
    message = ". ".join([*parts, ", ".join(numbers)])
    if applied.error:
        return CloudflareError(message, applied.error.status, applied.error.errors)
    return OriginOpsError(message)


def _check_region(mapping: OriginMapping, supported: SupportedRegions) -> None:
    """Raise InvalidInput for a region that the service would refuse, with all that it supports."""
    problem = supported.problem(mapping)
    if problem:
        raise InvalidInput(f"{mapping}: {problem}. {supported.describe([mapping.vendor])}")


def _require_total(plan: Plan, api: MappingsApi) -> Plan:
    """Return the plan with the zone's total, read where a creation needs it: check mode must know the limit."""
    if plan.total is None and plan.creations:
        return plan._replace(total=api.count())
    return plan


def _with_region_hint(error: CloudflareError, mapping: OriginMapping | None, api: MappingsApi) -> CloudflareError:
    """Add the supported regions to the refusal of a region, where they can be read."""
    if REGION_UNKNOWN not in error.codes or mapping is None:
        return error
    try:
        _check_region(mapping, api.supported_regions())
    except InvalidInput as problem:
        return CloudflareError(f"{error}. {problem}", error.status, error.errors)
    except CloudflareError:
        pass
    return error
