# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations and endpoints, called as the collection's plugins do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.originops.cloudflare.plugins.module_utils._access import check_access
from ansible_collections.originops.cloudflare.plugins.module_utils._argspec import ARGUMENT_SPEC, RULES
from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._connection import mappings_api, open_zone
from ansible_collections.originops.cloudflare.plugins.module_utils._endpoints import MappingsApi
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import OriginOpsError, Outcome
from ansible_collections.originops.cloudflare.plugins.module_utils._export import export_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._info import read_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import OriginMapping, parse_address
from ansible_collections.originops.cloudflare.plugins.module_utils._origins.operation import read_origins
from ansible_collections.originops.cloudflare.plugins.module_utils._settings import ensure_tiered_cache
from ansible_collections.originops.cloudflare.plugins.module_utils._single import ensure_mapping
from ansible_collections.originops.cloudflare.plugins.module_utils._traffic.operation import read_upper_tiers
from ansible_collections.originops.cloudflare.plugins.modules import (
    origin_cloud_region,
    origin_cloud_region_audit,
    origin_cloud_region_batch,
    origin_cloud_region_export,
    origin_cloud_region_info,
    tiered_cache,
    upper_tier_info,
    zone_origins_info,
)
from support.values import TOKEN, ZONE_ID

audit_zone = origin_cloud_region_audit.OPERATION
"""Operation of the audit's module."""

Result = dict[str, Any]
Operation = Callable[[Mapping[str, Any], bool], Outcome]

SPECS: dict[Operation, dict[str, Any]] = {
    ensure_mapping: origin_cloud_region.ARGUMENT_SPEC,
    ensure_mappings: origin_cloud_region_batch.ARGUMENT_SPEC,
    read_mappings: origin_cloud_region_info.ARGUMENT_SPEC,
    ensure_tiered_cache: tiered_cache.ARGUMENT_SPEC,
    read_origins: zone_origins_info.ARGUMENT_SPEC,
    read_upper_tiers: upper_tier_info.ARGUMENT_SPEC,
    check_access: {},
    export_mappings: origin_cloud_region_export.ARGUMENT_SPEC,
    audit_zone: origin_cloud_region_audit.ARGUMENT_SPEC,
}
"""Argument specs of the modules' own options."""

both = pytest.mark.parametrize("served", ["v1", "v2"])
"""Marker that runs a test with each version of the API."""


def options(url: str, spec: Mapping[str, Any] | None = None, **chosen: Any) -> dict[str, Any]:
    """Return options as Ansible passes them to a plugin.

    They are those of its spec, and the common ones, which select a zone. None leaves an option out, so that the
    environment or a default is used.
    """
    common = {"api_url": url, "api_token": TOKEN, "zone_id": ZONE_ID, "timeout": 5, "retries": 0}
    present = {name: value for name, value in {**common, **chosen}.items() if value is not None}
    validated = ArgumentSpecValidator({**ARGUMENT_SPEC, **(spec or {})}, **RULES).validate(present)
    assert not validated.error_messages
    return validated.validated_parameters


def as_result(outcome: Outcome) -> Result:
    """Return all that a task shows of an outcome, as one dictionary."""
    shown: Result = {**outcome.result, "warnings": outcome.warnings}
    return {**shown, "deprecation": outcome.deprecation} if outcome.deprecation else shown


def perform(operation: Operation, url: str, check_mode: bool = False, **chosen: Any) -> Result:
    """Run an operation with these options, and return its result."""
    return as_result(operation(options(url, SPECS[operation], **chosen), check_mode))


def result_of(run: Callable[..., Result], *arguments: Any, **keywords: Any) -> Result:
    """Return the result of a run, with the message as `msg` if it fails."""
    try:
        return run(*arguments, **keywords)
    except OriginOpsError as error:
        return {"changed": False, **as_result(error.outcome), "msg": str(error)}


def failure_of(operation: Callable[..., object], *arguments: Any, **keywords: Any) -> OriginOpsError:
    """Return the error of an operation that has to fail.

    Check that the error does not contain the token.
    """
    with pytest.raises(OriginOpsError) as failed:
        operation(*arguments, **keywords)
    assert TOKEN not in f"{failed.value} {failed.value.result}"
    return failed.value


@contextmanager
def open_api(version: str, url: str, zone_id: str = ZONE_ID, **chosen: Any) -> Iterator[MappingsApi]:
    """Open a zone's mappings with one version of the API."""
    with open_zone(options(url, zone_id=zone_id, **chosen)) as zone:
        yield mappings_api(version)(zone.client, zone.id)


def mapping(address: str, vendor: str = "aws", region: str = "us-east-1") -> OriginMapping:
    return OriginMapping(parse_address(address), vendor, region)
