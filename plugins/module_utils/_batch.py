# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operation of origin_cloud_region_batch: many mappings of a zone, or all."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ._connection import SharedClient, ZoneClient, open_zone
from ._endpoints import BatchResult, MappingsApi
from ._errors import InvalidInput, OriginOpsError, Outcome, RegionsUnavailable
from ._mapping import Address, InvalidItem, ParsedMappings, parse_mappings, warn_of_private
from ._messages import join_bounded, quote, sentence
from ._plan import NO_CHANGES, ApplyResult, Change, Plan, diff, make_plan, predict

if TYPE_CHECKING:
    from ._regions import SupportedRegions

EMPTY_PURGE = (
    "purge without a usable mapping in the list would delete all mappings of the zone: check the list, or set "
    "allow_empty: true if this is intended"
)


def ensure_mappings(options: Mapping[str, Any], check_mode: bool, shared: SharedClient | None = None) -> Outcome:
    """Bring many mappings of a zone, or all, to their wanted state.

    A failure has the complete result too: applied, failed and pending changes. Several zones can share a client.
    """
    present, skip = options["state"] == "present", options["on_invalid"] == "skip"
    batch = Batch()
    try:
        parsed = parse_mappings(options["mappings"], present)
        batch = Batch(invalid=parsed.invalid)
        _check_limits(options)
        keep = _parse_keep(options["keep"])
        _check_input(parsed, options)
        with open_zone(options, shared) as zone:
            api, plan = _make_batch_plan(parsed, keep, zone, options)
            batch = Batch(zone, parsed.invalid, plan)
            if plan.upserts:
                batch = _without_unsupported(batch, parsed, api, options.get("regions_may_be_unavailable", False))
            if batch.invalid and not skip:
                raise InvalidInput(batch.describe_invalid())
            _check_empty_purge(batch.plan, zone.label, options)
            _check_checksum(batch.plan, zone, options["plan_checksum"])
            if batch.plan.changes:
                batch = batch._replace(applied=_apply_guarded(batch.plan, zone.label, api, options, check_mode))
            warnings = _raise_or_warn(batch, zone.label, skip)
    except OriginOpsError as error:
        error.outcome.result = {**batch.as_result(), **error.result}
        raise
    warnings = [*warn_of_private([address for address, mapping in parsed.wanted.items() if mapping]), *warnings]
    return Outcome({**batch.as_result(), **zone.source}, warnings, zone.deprecation)


class Batch(NamedTuple):
    """State of a batch: invalid items, the plan, and its result.

    supported has the supported regions if items have unsupported ones.
    """

    zone: ZoneClient | None = None
    invalid: Sequence[InvalidItem] = ()
    plan: Plan = NO_CHANGES
    applied: ApplyResult | None = None
    supported: SupportedRegions | None = None

    def as_result(self) -> dict[str, Any]:
        """Return the fields of the task's result, however the task ends."""
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
            # It is safer to report a change that may have been applied.
            "changed": bool(applied.applied or applied.unknown),
            **lists,
            "summary": {**summary, "unchanged": self.plan.unchanged},
            "diff": diff(applied.applied, self.zone.label if self.zone else ""),
        }
        if self.zone:
            result["plan_checksum"] = self.plan.checksum(self.zone.id)
        return result

    def describe_invalid(self) -> str:
        """Describe the invalid items for a message.

        Names the supported regions once for each vendor.
        """
        items = join_bounded([str(item) for item in self.invalid], "failed_items")
        if not self.supported:
            return items
        return f"{sentence(items)} {self.supported.describe([item.raw['vendor'] for item in self.invalid])}"


def _check_limits(options: Mapping[str, Any]) -> None:
    """Validate the options that limit the plan. Raises InvalidInput."""
    checksum = options["plan_checksum"]
    if checksum is not None and not re.fullmatch("[0-9a-f]{64}", checksum):
        raise InvalidInput(f"plan_checksum: {quote(checksum)} is not the checksum of a plan, 64 hexadecimal digits")
    for option in ("max_delete_percentage", "max_update_percentage"):
        if not 0 <= options[option] <= 100:
            raise InvalidInput(f"{option}: {options[option]:g} is not between 0 and 100 percent")


def _parse_keep(texts: Sequence[Any] | None) -> Container[Address]:
    """Parse the addresses and networks to keep. Raises InvalidInput."""
    if not texts:
        return ()
    from ._networks import Networks, parse_networks

    return Networks(parse_networks(texts, "keep"))


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
    """Validate the list without a request. Raises InvalidInput."""
    present = options["state"] == "present"
    if options["purge"] and not present:
        raise InvalidInput("purge replaces all mappings of a zone, so it requires state: present")
    # Only the service can validate regions: if usable items may have bad ones, the failure waits to include them.
    is_final = parsed.invalid and options["on_invalid"] != "skip" and not (present and parsed.wanted)
    if parsed.conflicts or is_final:
        see = None if parsed.conflicts else "failed_items"
        raise InvalidInput(join_bounded([*parsed.conflicts, *map(str, parsed.invalid)], see))
    if options["purge"] and not options["allow_empty"] and not parsed.wanted:
        zone = options["zone"] or options["zone_id"]
        raise InvalidInput(f"zone {zone}, {len(parsed.wanted)} of {len(options['mappings'])} items: {EMPTY_PURGE}")


def _check_empty_purge(plan: Plan, zone: str, options: Mapping[str, Any]) -> None:
    """Raise InvalidInput if a purge is left without a usable mapping."""
    if options["purge"] and not options["allow_empty"] and not (plan.unchanged or plan.upserts):
        raise InvalidInput(f"zone {zone}, {len(plan.deletes)} of {plan.total} mappings: {EMPTY_PURGE}")


def _make_batch_plan(
    parsed: ParsedMappings, keep: Container[Address], zone: ZoneClient, options: Mapping[str, Any]
) -> tuple[MappingsApi, Plan]:
    """Read the zone, compare it with the list, and return API and plan."""
    purge = options["purge"]
    api, current = zone.negotiate(lambda api: api.fetch_all() if purge else api.fetch(parsed.wanted))
    plan = make_plan(current, parsed.wanted, purge=purge, listed=parsed.index, keep=keep)
    # A mapping that looks stale may belong to an item without a readable address.
    return api, plan.withhold_deletions() if purge and parsed.unreadable else plan


def _without_unsupported(batch: Batch, parsed: ParsedMappings, api: MappingsApi, may_be_unavailable: bool) -> Batch:
    """Move upserts with unsupported regions to the invalid items."""
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


def _apply_guarded(
    plan: Plan, zone: str, api: MappingsApi, options: Mapping[str, Any], check_mode: bool
) -> ApplyResult:
    """Apply a plan within the guards and the zone's limit, or predict it.

    Raises InvalidInput for a plan beyond them.
    """
    from ._apply import apply, require_total  # most tasks change nothing
    from ._guards import check_guards

    if check_mode:
        plan = require_total(plan, api)
    check_guards(
        plan,
        zone,
        purge=options["purge"],
        max_delete_percentage=options["max_delete_percentage"],
        max_update_percentage=options["max_update_percentage"],
    )
    plan.check_limit(zone)
    return predict(plan) if check_mode else apply(plan, api, write_batch)


def write_batch(api: MappingsApi, changes: Sequence[Change]) -> BatchResult:
    """Write upserts or deletions with one batch request."""
    mappings = [change.mapping for change in changes]
    return api.delete_batch(mappings) if changes[0].kind == "deleted" else api.upsert_batch(mappings)


def _raise_or_warn(batch: Batch, zone: str, skip: bool) -> list[str]:
    """Return the warnings of a batch, or raise its failure.

    Warns of skipped items; with skip, refused changes are a warning too.
    """
    warnings = []
    if batch.invalid:
        warnings.append(f"Skipped {len(batch.invalid)} unusable items: {batch.describe_invalid()}")
    if batch.plan.withheld:
        warnings.append(
            f"Nothing was deleted in zone {zone}: {len(batch.plan.withheld)} deletions are pending, because the list "
            "has items without a readable address: one of them may belong to a mapping that looks stale"
        )
    applied = batch.applied
    if not applied or not (applied.error or applied.failed):
        return warnings
    from ._apply import failure_of

    error = failure_of(applied, zone)
    if skip and not applied.error:
        return [*warnings, str(error)]
    error.outcome.warnings = warnings
    raise error
