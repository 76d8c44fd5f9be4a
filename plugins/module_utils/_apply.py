# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Execution of a plan, with an outcome for every change, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ._endpoints import PAGE_SIZE, BatchResult, MappingsApi
from ._errors import CloudflareError, OriginOpsError
from ._mapping import Address, OriginMapping, canonical
from ._messages import join_bounded
from ._plan import ApplyResult, Change, Plan

Write = Callable[[MappingsApi, Sequence[Change]], BatchResult]

MAYBE_APPLIED = "may have been applied, but the zone could not be read again"


def require_total(plan: Plan, api: MappingsApi) -> Plan:
    """Return the plan with the zone's total, read if a creation needs it.

    Check mode needs it to check the limit.
    """
    if plan.total is None and plan.creations:
        return plan._replace(total=api.count())
    return plan


def apply(plan: Plan, api: MappingsApi, write: Write) -> ApplyResult:
    """Send the batches of a plan in order, until one fails as a whole.

    Deletions that come last are not tried after a failed upsert, so that the zone keeps its mappings.
    """
    result = ApplyResult(pending=[*plan.changes, *plan.withheld])
    for batch in plan.batches(PAGE_SIZE):
        if batch[0].kind == "deleted" and any(change.kind != "deleted" for change, _reason in result.failed):
            break
        del result.pending[: len(batch)]
        outcome = _write_and_verify(batch, api, write)
        result.applied += outcome.applied
        result.failed += outcome.failed
        result.unknown += outcome.unknown
        result.error = outcome.error
        if result.error:
            break
    return result


def _write_and_verify(batch: Sequence[Change], api: MappingsApi, write: Write) -> ApplyResult:
    """Write a batch, and verify unclear changes by reading the zone again."""
    error: CloudflareError | None = None
    try:
        result = write(api, batch)
        # A repeated deletion is refused, because the mapping is gone.
        unverified = result.failed if batch[0].kind == "deleted" else result.unverified
    except CloudflareError as failure:
        error = failure
        result = BatchResult([], {change.address: str(failure) for change in batch})
        unverified = result.failed if failure.maybe_applied else ()
    succeeded = {mapping.address: mapping for mapping in result.succeeded}
    unknown: Collection[Address] = ()
    if unverified:
        try:
            succeeded |= _verify(api, [change for change in batch if change.address in unverified])
        except CloudflareError as failure:
            unknown = unverified
            error = error or failure
    outcome = ApplyResult()
    for change in batch:
        if change.address in succeeded:
            outcome.applied.append(change._replace(mapping=succeeded[change.address]))
        elif change.address in unknown:
            outcome.unknown.append((change, f"it may have been applied: {result.failed[change.address]}"))
        else:
            outcome.failed.append((change, result.failed[change.address]))
    if outcome.failed or outcome.unknown:
        outcome.error = error
    return outcome


def _verify(api: MappingsApi, changes: Sequence[Change]) -> dict[Address, OriginMapping]:
    """Read the zone, and return the mappings of changes that were applied."""
    found = api.fetch([change.address for change in changes]).mappings
    return {
        change.address: found.get(change.address, change.mapping) for change in changes if change.is_applied_in(found)
    }


def failure_of(applied: ApplyResult, zone: str) -> OriginOpsError:
    """Return the failure of applying a plan to a zone.

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
    numbers = [f"{len(applied.applied)} changes were applied"] if applied.applied or not applied.unknown else []
    numbers += [f"{len(applied.unknown)} {MAYBE_APPLIED}"] if applied.unknown else []
    numbers += [f"{len(applied.failed)} failed", f"{len(applied.pending)} were not tried"]
    message = ". ".join([*parts, ", ".join(numbers)])
    if applied.error:
        return CloudflareError(message, applied.error.status, applied.error.errors)
    return OriginOpsError(message)


def unknown_outcome(error: CloudflareError) -> CloudflareError:
    """Return the failure of a single write of unknown outcome.

    It is safer to assume that the write was applied.
    """
    failure = CloudflareError(f"{error}. The change {MAYBE_APPLIED}", error.status, error.errors)
    failure.result["changed"] = True
    return failure
