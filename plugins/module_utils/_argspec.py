# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs that modules, the lookup and the inventory plugin share."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import env_fallback

from ._connection import API_VERSIONS, DEFAULT_API_URL, environment_secrets, may_hold_password
from ._errors import InvalidInput
from ._http import REQUESTS_IMPORT_ERROR

try:
    from ansible.module_utils import secrets
except ImportError:  # before ansible-core 2.22
    secrets = None


def register_secrets(values: Iterable[str]) -> None:
    """Register texts that Ansible masks in all of its output, if it can."""
    if secrets:
        secrets.register_secrets(values)


def requests_missing() -> str:
    """Return the message that requests is missing, and how to install it."""
    return f'{missing_required_lib("requests")}. Run "{sys.executable} -m pip install requests"'


def api_url_of_environment(name: str) -> str:
    """Return the URL in an environment variable, masked if necessary.

    A URL that may have a password is masked, because Ansible logs the options of a module before the module can
    refuse them. Raises AnsibleFallbackNotFound.
    """
    url: str = env_fallback(name)
    return "********@********" if may_hold_password(url) else url


TRANSPORT_SPEC: dict[str, dict[str, Any]] = {
    "timeout": {"type": "float", "default": 30},
    "retries": {"type": "int", "default": 5},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
}

# Credentials have no fallback here: those of a task replace all of the environment's, and mutual exclusion applies
# only to the task's.
CONNECTION_SPEC: dict[str, dict[str, Any]] = {
    "api_token": {"type": "str", "no_log": True},
    "api_email": {"type": "str", "aliases": ["account_email"]},
    "api_key": {"type": "str", "no_log": True, "aliases": ["account_api_key"]},
    "api_url": {
        "type": "str",
        "default": DEFAULT_API_URL,
        "fallback": (api_url_of_environment, ["CLOUDFLARE_BASE_URL"]),
    },
    **TRANSPORT_SPEC,
}

CONNECTION_ALIASES = {alias: name for name, option in CONNECTION_SPEC.items() for alias in option.get("aliases", ())}
"""Options by their aliases, the names of community.general.cloudflare_dns."""

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

# open_zone checks that exactly one of zone_id and zone is set: null and empty values count as not set.
RULES = CONNECTION_RULES


def validate_options(validator: ArgumentSpecValidator, options: Mapping[str, Any]) -> dict[str, Any]:
    """Validate the options of a plugin like those of a module.

    Lets Ansible mask the secrets of the environment. Raises InvalidInput, also if requests is missing.
    """
    register_secrets(environment_secrets())
    if REQUESTS_IMPORT_ERROR:
        raise InvalidInput(requests_missing())
    validated = validator.validate(options)
    if validated.error_messages:
        raise InvalidInput("; ".join(validated.error_messages))
    return dict(validated.validated_parameters)
