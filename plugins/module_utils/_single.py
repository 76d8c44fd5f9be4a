# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operation of origin_cloud_region: one mapping of a zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._connection import open_zone
from ._endpoints import BatchResult, MappingsApi
from ._errors import REGION_UNKNOWN, CloudflareError, InvalidInput, Outcome, RegionsUnavailable
from ._mapping import OriginMapping, parse_origin, validate_location, warn_of_private
from ._messages import sentence
from ._plan import Change, Plan, diff, make_plan

if TYPE_CHECKING:
    from ._apply import Write
    from ._regions import SupportedRegions


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
        applied: Sequence[Change] = ()
        if plan.changes and check_mode:
            warnings += _check_change(plan, api, zone.label)
            applied = plan.changes
        elif plan.changes:
            applied = _write_change(plan, api, write_one if overwrite or not present else create_one)
    mapping = applied[0].mapping if applied else current.mappings.get(address)
    return Outcome(
        {
            "changed": bool(applied),
            "mapping": mapping.as_dict() if mapping and present else None,
            "diff": diff(applied, zone.label),
            **zone.source,
        },
        warnings,
        zone.deprecation,
    )


def _check_change(plan: Plan, api: MappingsApi, zone: str) -> list[str]:
    """Check what the service would check, and return warnings.

    Raises InvalidInput for a change that the service would refuse.
    """
    if not plan.upserts:
        return []
    from ._apply import require_total  # most tasks change nothing

    warnings = []
    try:
        _check_region(plan.upserts[0].mapping, api.supported_regions())
    except RegionsUnavailable as error:
        warnings.append(f"Check mode could not verify the region. {error}")
    require_total(plan, api).check_limit(zone)
    return warnings


def _write_change(plan: Plan, api: MappingsApi, write: Write) -> Sequence[Change]:
    """Write the only change of a plan, and return it with its modified_on."""
    from ._apply import apply, unknown_outcome  # most tasks change nothing

    result = apply(plan, api, write)
    if result.error and result.unknown:
        raise unknown_outcome(result.error)
    if result.error:
        raise _with_region_hint(result.error, plan.changes[0], api)
    return result.applied


def write_one(api: MappingsApi, changes: Sequence[Change]) -> BatchResult:
    """Write the only change of a plan with the request for one mapping."""
    (change,) = changes
    if change.kind == "deleted":
        api.delete(change.address)
        return BatchResult([change.mapping], {})
    return BatchResult([api.upsert(change.mapping)], {})


def create_one(api: MappingsApi, changes: Sequence[Change]) -> BatchResult:
    """Write the only change of a plan without replacing a mapping.

    The request never replaces one, if the API version has such a request.
    """
    (change,) = changes
    return BatchResult([api.create(change.mapping)], {})


def _check_region(mapping: OriginMapping, supported: SupportedRegions) -> None:
    """Raise InvalidInput for a region that the service would refuse.

    The message lists the supported regions of the vendor.
    """
    problem = supported.problem(mapping)
    if problem:
        raise InvalidInput(f"{mapping}: {sentence(problem)} {supported.describe([mapping.vendor])}")


def _with_region_hint(error: CloudflareError, change: Change, api: MappingsApi) -> CloudflareError:
    """Add the supported regions to the refusal of a region, if readable."""
    if REGION_UNKNOWN not in error.codes or change.kind == "deleted":
        return error
    try:
        _check_region(change.mapping, api.supported_regions())
    except InvalidInput as problem:
        return CloudflareError(f"{error}. {problem}", error.status, error.errors)
    except CloudflareError:
        pass
    return error
