# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operation of origin_cloud_region_batch: many mappings of a zone, or all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ._apply import MAYBE_APPLIED, ApplyResult, apply, predict, require_total
from ._connection import SharedClient, ZoneClient, open_zone
from ._endpoints import BatchResult, MappingsApi
from ._errors import CloudflareError, InvalidInput, OriginOpsError, Outcome, RegionsUnavailable
from ._mapping import (
    InvalidItem,
    Network,
    ParsedMappings,
    canonical,
    parse_mappings,
    parse_networks,
    warn_of_private,
)
from ._messages import join_bounded, quote, sentence
from ._plan import EMPTY_PURGE, NO_CHANGES, Change, Guards, Plan, diff, make_plan

if TYPE_CHECKING:
    from ._regions import SupportedRegions


def ensure_mappings(options: Mapping[str, Any], check_mode: bool, shared: SharedClient | None = None) -> Outcome:
    """Bring many mappings of a zone, or all, to their wanted state.

    A failure has the complete result too: applied, failed and pending changes. Several zones can share a client.
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
            plan = require_total(batch.plan, api) if check_mode else batch.plan
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


def _parse_guards(options: Mapping[str, Any]) -> Guards:
    """Parse the guards among the options. Raises InvalidInput."""
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


def _make_batch_plan(
    parsed: ParsedMappings, keep: Sequence[Network], zone: ZoneClient, options: Mapping[str, Any]
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


def write_batch(api: MappingsApi, changes: Sequence[Change]) -> BatchResult:
    """Write upserts or deletions with one batch request."""
    mappings = [change.mapping for change in changes]
    return api.delete_batch(mappings) if changes[0].kind == "deleted" else api.upsert_batch(mappings)


def _raise_or_warn(batch: Batch, zone: str, skip: bool) -> list[str]:
    """Return the warnings of a batch, or raise its failure.

    Warns of skipped items; with skip, refused changes are a warning too.
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
    """Return the failure of applying a plan, or None.

    Its message has the error of a batch, refused items, and the numbers.
    """
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
