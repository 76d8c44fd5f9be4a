# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a plan, and account for every change of it whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError
from ansible_collections.originops.cloudflare.plugins.module_utils._generations import PAGE_SIZE, Generation, Written
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import Address, Mapping
from ansible_collections.originops.cloudflare.plugins.module_utils._plan import Change, Plan

Write = Callable[[Generation, Sequence[Change]], Written]


@dataclass
class Account:
    """What became of a plan's changes. Failed ones have a reason each; error is what ended the writing early."""

    applied: list[Change] = field(default_factory=list)
    failed: list[tuple[Change, str]] = field(default_factory=list)
    pending: list[Change] = field(default_factory=list)
    error: CloudflareError | None = None


def predict(plan: Plan) -> Account:
    """The account of a plan that goes well."""
    return Account(applied=list(plan.changes))


def apply(plan: Plan, generation: Generation, write: Write) -> Account:
    """Send the plan's batches one after the other, until one fails as a whole.

    Deletions that come last are not tried once an upsert failed: the zone keeps what it has.
    """
    account = Account(pending=list(plan.changes))
    for batch in plan.batches(PAGE_SIZE):
        if batch[0].kind == "deleted" and any(change.kind != "deleted" for change, _reason in account.failed):
            break
        del account.pending[: len(batch)]
        try:
            written = write(generation, batch)
            # A repeated deletion is refused, since nothing is there any more.
            doubtful = written.refused if batch[0].kind == "deleted" else written.unmentioned
        except CloudflareError as error:
            account.error = error
            written = Written([], {change.address: str(error) for change in batch})
            doubtful = written.refused if error.maybe_applied else ()
        done = {mapping.address: mapping for mapping in written.done}
        if doubtful:
            try:
                done |= _in_force(generation, [change for change in batch if change.address in doubtful])
            except CloudflareError as error:
                # What became of these nobody knows, so this must not pass for a refusal of single items.
                account.error = account.error or error
        for change in batch:
            if change.address in done:
                account.applied.append(replace(change, mapping=done[change.address]))
            else:
                account.failed.append((change, written.refused[change.address]))
        if account.error and len(done) < len(batch):
            break
        account.error = None  # the answer was lost, the write was not
    return account


def in_batches(generation: Generation, changes: Sequence[Change]) -> Written:
    """Write changes of one kind by one batch request."""
    mappings = [change.mapping for change in changes]
    return generation.delete_batch(mappings) if changes[0].kind == "deleted" else generation.upsert_batch(mappings)


def singly(generation: Generation, changes: Sequence[Change]) -> Written:
    """Write the one change of a plan by the request for one mapping."""
    (change,) = changes
    if change.kind == "deleted":
        generation.delete(change.address)
        return Written([change.mapping])
    return Written([generation.upsert(change.mapping)])


def creating(generation: Generation, changes: Sequence[Change]) -> Written:
    """As singly, by the request that never takes over a mapping, where the generation has one."""
    (change,) = changes
    return Written([generation.create(change.mapping)])


def _in_force(generation: Generation, changes: Sequence[Change]) -> dict[Address, Mapping]:
    """The mappings of those changes that the zone shows as done."""
    found = generation.find([change.address for change in changes]).mappings
    return {change.address: found.get(change.address, change.mapping) for change in changes if change.holds_in(found)}
