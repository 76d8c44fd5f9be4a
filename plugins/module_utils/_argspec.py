# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs that modules, the lookup and the inventory plugin share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import env_fallback

from ._connection import DEFAULT_API_URL
from ._endpoints import API_VERSIONS
from ._errors import InvalidInput
from ._http import REQUESTS_IMPORT_ERROR

TRANSPORT_SPEC: dict[str, dict[str, Any]] = {
    "timeout": {"type": "float", "default": 30},
    "retries": {"type": "int", "default": 5},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
}

# The credentials have no fallback here: a task's own win as a whole over the environment's, and the rule of mutual
# exclusion is about the task's own.
CONNECTION_SPEC: dict[str, dict[str, Any]] = {
    "api_token": {"type": "str", "no_log": True},
    "api_email": {"type": "str", "aliases": ["account_email"]},
    "api_key": {"type": "str", "no_log": True, "aliases": ["account_api_key"]},
    "api_url": {
        "type": "str",
        "default": DEFAULT_API_URL,
        "fallback": (env_fallback, ["CLOUDFLARE_BASE_URL"]),
    },
    **TRANSPORT_SPEC,
}

CONNECTION_ALIASES = {alias: name for name, option in CONNECTION_SPEC.items() for alias in option.get("aliases", ())}
"""Options by their other names, which are those of community.general.cloudflare_dns."""

CONNECTION_RULES: dict[str, list[tuple[str, ...]]] = {
    "mutually_exclusive": [("api_token", "api_email"), ("api_token", "api_key")],
}

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    **CONNECTION_SPEC,
    "api_version": {"type": "str", "default": "auto", "choices": list(API_VERSIONS)},
    "zone_id": {"type": "str"},
    "zone": {"type": "str"},
    "account_id": {"type": "str"},
}

# That exactly one of zone_id and zone is required is checked by open_zone, for which null and empty are not given.
RULES = CONNECTION_RULES


def validate_options(validator: ArgumentSpecValidator, options: Mapping[str, Any]) -> dict[str, Any]:
    """Validate the options of a plugin as modules validate theirs.

    Raises InvalidInput, also where requests is missing.
    """
    if REQUESTS_IMPORT_ERROR:
        raise InvalidInput(missing_required_lib("requests"))
    validated = validator.validate(options)
    if validated.error_messages:
        raise InvalidInput("; ".join(validated.error_messages))
    return dict(validated.validated_parameters)
