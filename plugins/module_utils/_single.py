# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operation of origin_cloud_region: one mapping of a zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._apply import apply, predict, require_total, unknown_outcome
from ._connection import open_zone
from ._endpoints import BatchResult, MappingsApi
from ._errors import REGION_UNKNOWN, CloudflareError, InvalidInput, Outcome, RegionsUnavailable
from ._mapping import OriginMapping, parse_origin, validate_location, warn_of_private
from ._messages import sentence
from ._plan import Change, diff, make_plan

if TYPE_CHECKING:
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
        if check_mode:
            if plan.upserts and wanted:
                try:
                    supported = api.supported_regions()
                except RegionsUnavailable as error:
                    warnings.append(f"Check mode could not verify the region. {error}")
                else:
                    _check_region(wanted, supported)
                require_total(plan, api).check_limit(zone.label)
            applied = predict(plan)
        else:
            applied = apply(plan, api, write_one if overwrite or not present else create_one)
            if applied.error and applied.unknown:
                raise unknown_outcome(applied.error)
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


def _with_region_hint(error: CloudflareError, mapping: OriginMapping | None, api: MappingsApi) -> CloudflareError:
    """Add the supported regions to the refusal of a region, if readable."""
    if REGION_UNKNOWN not in error.codes or mapping is None:
        return error
    try:
        _check_region(mapping, api.supported_regions())
    except InvalidInput as problem:
        return CloudflareError(f"{error}. {problem}", error.status, error.errors)
    except CloudflareError:
        pass
    return error
