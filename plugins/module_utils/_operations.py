# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations of the modules: options in, an Outcome out.

In check mode the outcome is the plan's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ._apply import ApplyResult, apply, create_one, predict, write_batch, write_one
from ._connection import open_zone
from ._endpoints import MappingsApi, ZoneClient
from ._errors import REGION_UNKNOWN, CloudflareError, InvalidInput, OriginOpsError, Outcome, RegionsUnavailable
from ._mapping import (
    Address,
    InvalidItem,
    OriginMapping,
    ParsedMappings,
    address_order,
    canonical,
    parse_address,
    parse_addresses,
    parse_mappings,
    validate_location,
)
from ._messages import join_bounded
from ._plan import NO_CHANGES, Plan, diff, make_plan

EMPTY_PURGE = (
    "purge with no usable mapping in the list would leave the zone without mappings: set allow_empty: true if that is "
    "what you want"
)


def ensure_mapping(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Bring the mapping of one address to its wanted state."""
    try:
        address = parse_address(options["origin_ip"])
    except InvalidInput as error:
        raise InvalidInput(f"origin_ip: {error}") from None
    present, overwrite = options["state"] == "present", options["overwrite"]
    wanted = OriginMapping(address, *validate_location(options["vendor"], options["region"])) if present else None
    warnings: list[str] = []
    with open_zone(options) as zone:
        api, current = zone.negotiate(lambda api: api.fetch([address]))
        plan = make_plan(current, {address: wanted}, overwrite=overwrite)
        if check_mode:
            if plan.upserts:
                try:
                    problems = _unsupported(plan, api)
                except RegionsUnavailable as error:
                    problems = {}
                    warnings.append(f"Check mode could not verify the region. {error}")
                if problems:
                    raise InvalidInput(f"{wanted}: {problems[address]}")
                _require_total(plan, api).check_limit()
            applied = predict(plan)
        else:
            applied = apply(plan, api, write_one if overwrite or not present else create_one)
            if applied.error:
                raise _with_region_hint(applied.error, plan, api)
    mapping = applied.applied[0].mapping if applied.applied else current.mappings.get(address)
    return Outcome(
        {
            "changed": bool(applied.applied),
            "mapping": mapping.as_dict() if mapping and present else None,
            "diff": diff(applied.applied),
            **zone.source,
        },
        warnings,
        zone.deprecation,
    )


def ensure_mappings(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Bring many mappings of a zone, or all, to their wanted state.

    A failure has the complete result too: what was applied, what failed, what is pending.
    """
    present, skip = options["state"] == "present", options["on_invalid"] == "skip"
    batch = Batch()
    try:
        parsed = parse_mappings(options["mappings"], present)
        batch = Batch(parsed.invalid)
        _check_input(parsed, options)
        with open_zone(options) as zone:
            api, plan = _make_batch_plan(parsed, zone, options)
            batch = Batch(parsed.invalid, plan)
            if plan.upserts:
                batch = _without_unsupported(batch, parsed, api)
            plan = _check_batch(batch, api, options, check_mode)
            batch = replace(batch, applied=predict(plan) if check_mode else apply(plan, api, write_batch))
            warnings = _raise_or_warn(batch, zone, skip)
    except OriginOpsError as error:
        error.outcome.result = {**batch.as_result(), **error.result}
        raise
    return Outcome({**batch.as_result(), **zone.source}, warnings, zone.deprecation)


def read_mappings(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Read the mappings of a zone that pass the filters, and the supported regions if wanted."""
    addresses = parse_addresses(options["origin_ip"] or (), "origin_ip")
    vendors, regions = options["vendor"], options["region"]
    result: dict[str, Any] = {}
    with open_zone(options) as zone:
        api, current = zone.negotiate(lambda api: api.fetch(addresses) if addresses else api.fetch_all())
        if options["supported_regions"]:
            result["supported_regions"] = asdict(api.supported_regions())
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


@dataclass(frozen=True)
class Batch:
    """A batch at one stage of its task: invalid items, the plan, and the result of applying it."""

    invalid: Sequence[InvalidItem] = ()
    plan: Plan = NO_CHANGES
    applied: ApplyResult | None = None

    def as_result(self) -> dict[str, Any]:
        """Return the fields of the task's result, however it ends."""
        applied = self.applied or ApplyResult(pending=list(self.plan.changes))
        lists: dict[str, list[Any]] = {
            kind: [change.mapping.as_dict() for change in applied.applied if change.kind == kind]
            for kind in ("created", "updated", "deleted")
        }
        lists["failed_items"] = [item.as_dict() for item in self.invalid]
        lists["failed_items"] += [{**change.mapping.value(), "error": error} for change, error in applied.failed]
        lists["pending"] = [change.mapping.as_dict() for change in applied.pending]
        summary = {name.removesuffix("_items"): len(items) for name, items in lists.items()}
        return {
            "changed": bool(applied.applied),
            **lists,
            "summary": {**summary, "unchanged": self.plan.unchanged},
            "diff": diff(applied.applied),
        }


def _check_input(parsed: ParsedMappings, options: Mapping[str, Any]) -> None:
    """Raise InvalidInput for a list that cannot be used, as far as that is known without a request."""
    present = options["state"] == "present"
    if options["purge"] and not present:
        raise InvalidInput("purge makes a zone exactly the listed mappings, so it goes with state: present only")
    # Only the service can judge regions, so where some items may have bad ones, the failure waits for these.
    is_final = parsed.invalid and options["on_invalid"] != "skip" and not (present and parsed.wanted)
    if parsed.conflicts or is_final:
        raise InvalidInput("; ".join([*parsed.conflicts, *map(str, parsed.invalid)]))
    if options["purge"] and not options["allow_empty"] and not parsed.wanted:
        raise InvalidInput(EMPTY_PURGE)


def _make_batch_plan(parsed: ParsedMappings, zone: ZoneClient, options: Mapping[str, Any]) -> tuple[MappingsApi, Plan]:
    """Read the zone, and compare it with the list."""
    purge = options["purge"]
    api, current = zone.negotiate(lambda api: api.fetch_all() if purge else api.fetch(parsed.wanted))
    return api, make_plan(current, parsed.wanted, keep=parsed.index if purge else None)


def _without_unsupported(batch: Batch, parsed: ParsedMappings, api: MappingsApi) -> Batch:
    """Move the upserts with unsupported regions from the plan to the invalid items."""
    problems = _unsupported(batch.plan, api)
    unsupported = [
        InvalidItem(parsed.index[change.address], change.mapping.value(), problems[change.address])
        for change in batch.plan.upserts
        if change.address in problems
    ]
    return Batch(sorted([*batch.invalid, *unsupported], key=lambda item: item.index), batch.plan.without(problems))


def _check_batch(batch: Batch, api: MappingsApi, options: Mapping[str, Any], check_mode: bool) -> Plan:
    """Return the plan if it may be applied, else raise InvalidInput."""
    plan = batch.plan
    if batch.invalid and options["on_invalid"] != "skip":
        raise InvalidInput("; ".join(map(str, batch.invalid)))
    empties = options["purge"] and plan.deletes and not plan.unchanged and not plan.upserts
    if empties and not options["allow_empty"]:
        raise InvalidInput(EMPTY_PURGE)
    if check_mode:
        plan = _require_total(plan, api)
    plan.check_limit()
    return plan


def _raise_or_warn(batch: Batch, zone: ZoneClient, skip: bool) -> list[str]:
    """Return warnings of skipped items.

    Raises the failure of applying, unless it may be skipped too.
    """
    warnings = []
    if batch.invalid:
        warnings.append(f"Skipped {len(batch.invalid)} unusable items: {'; '.join(map(str, batch.invalid))}")
    applied = batch.applied or ApplyResult()
    numbers = (
        f"{len(applied.applied)} changes were applied, {len(applied.failed)} failed, "
        f"{len(applied.pending)} were not tried"
    )
    error: OriginOpsError | None = None
    if applied.error:
        error = CloudflareError(f"{applied.error}. {numbers}", applied.error.status, applied.error.errors)
    elif applied.failed:
        refusals = [f"{canonical(change.address)}: {reason}" for change, reason in applied.failed]
        message = f"Cloudflare refused changes in zone {zone.id}: {join_bounded(refusals, 'failed_items')}. {numbers}"
        if skip:
            warnings.append(message)
        else:
            error = OriginOpsError(message)
    if error:
        error.outcome.warnings = warnings
        raise error
    return warnings


def _unsupported(plan: Plan, api: MappingsApi) -> dict[Address, str]:
    """Describe why the service would refuse upserts of this plan, by one request."""
    supported = api.supported_regions()
    problems = {change.address: supported.problem(change.mapping) for change in plan.upserts}
    return {address: problem for address, problem in problems.items() if problem}


def _require_total(plan: Plan, api: MappingsApi) -> Plan:
    """Return the plan with the zone's total, read where a creation needs it: check mode must know the limit."""
    if plan.total is None and plan.creations:
        return replace(plan, total=api.count())
    return plan


def _with_region_hint(error: CloudflareError, plan: Plan, api: MappingsApi) -> CloudflareError:
    """Add the names of supported regions to the refusal of a region, where they can be read."""
    if REGION_UNKNOWN not in error.codes:
        return error
    try:
        problems = _unsupported(plan, api)
    except CloudflareError:
        return error
    return CloudflareError(". ".join([str(error), *problems.values()]), error.status, error.errors)
