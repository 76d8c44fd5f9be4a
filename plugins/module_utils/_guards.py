# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guards against accidents: limits of what a task may change in a zone."""

from __future__ import annotations

from collections import Counter

from ._errors import InvalidInput
from ._plan import Plan

GUARDED_SIZE = 10
"""Number of mappings in a zone from which the percentage guards apply."""


def check_guards(
    plan: Plan, zone: str, *, purge: bool, max_delete_percentage: float, max_update_percentage: float
) -> None:
    """Raise InvalidInput for a plan that changes more than allowed."""
    updates = [change for change in plan.upserts if change.kind == "updated"]
    _check_share("delete", len(plan.deletes), max_delete_percentage, plan.total, zone)
    _check_share("update", len(updates), max_update_percentage, plan.total, zone)
    if purge and max_delete_percentage < 100:
        _check_vendors(plan, zone)


def _check_share(verb: str, changes: int, allowed: float, total: int | None, zone: str) -> None:
    if total is None or total < GUARDED_SIZE or 100 * changes / total <= allowed:
        return
    option = f"max_{verb}_percentage"
    raise InvalidInput(
        f"the task would {verb} {changes} of the {total} mappings of zone {zone}, {_percent(changes, total)} "
        f"percent, but {option} is {allowed:g}: nothing was written. If this is intended, set {option} to "
        f"{_percent(changes, total)} or more"
    )


def _check_vendors(plan: Plan, zone: str) -> None:
    """Raise InvalidInput if deletions leave no mapping of a vendor.

    An inventory source may have failed.
    """
    after = Counter(plan.vendors)
    after.subtract(change.before.vendor for change in (*plan.deletes, *plan.upserts) if change.before)
    after.update(change.mapping.vendor for change in plan.upserts)
    deleted = Counter(change.mapping.vendor for change in plan.deletes)
    for vendor, number in sorted(deleted.items()):
        if number > 1 and after[vendor] <= 0:
            before = plan.vendors[vendor]
            raise InvalidInput(
                f"the purge would delete {number} of the {before} mappings of vendor {vendor} in zone {zone}, "
                f"{_percent(number, before)} percent, and leave no mapping of this vendor, as if an inventory source "
                "had failed: nothing was written. If this is intended, set max_delete_percentage to 100"
            )


def _percent(part: int, whole: int) -> str:
    """Format a percentage, rounded up to a hundredth.

    An option of this value allows it.
    """
    return f"{-(-part * 10000 // whole) / 100:g}"
