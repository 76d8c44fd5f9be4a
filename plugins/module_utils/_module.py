# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run an operation as a module."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ._argspec import ARGUMENT_SPEC, RULES
from ._connection import CREDENTIAL_VARIABLES
from ._errors import OriginOpsError, Outcome
from ._http import REQUESTS_IMPORT_ERROR

Operation = Callable[[Mapping[str, Any], bool], Outcome]
"""Takes the options and whether check mode is on."""


def run(operation: Operation, argument_spec: dict[str, Any], **rules: Any) -> None:
    """Run an operation on a zone as a module with the common and these options."""
    run_module(operation, {**ARGUMENT_SPEC, **argument_spec}, **{**RULES, **rules})


def run_module(
    operation: Operation,
    argument_spec: dict[str, Any],
    *,
    secrets: Callable[[Mapping[str, Any]], Iterable[str]] = lambda _options: (),
    **rules: Any,
) -> None:
    """Run an operation as a module. This is the only place where exceptions become failures.

    secrets lists values among the options, beside those declared as such, that no output may show.
    """
    module = AnsibleModule(argument_spec=argument_spec, supports_check_mode=True, **rules)
    if REQUESTS_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    # Ansible masks the secrets among the options by itself, but does not know those of the environment.
    variables = (os.environ.get(CREDENTIAL_VARIABLES[name]) for name in ("api_token", "api_key"))
    module.no_log_values.update(filter(None, [*variables, *secrets(module.params)]))
    message = None
    try:
        outcome = operation(module.params, module.check_mode)
    except OriginOpsError as error:
        message, outcome = str(error), error.outcome
    for warning in outcome.warnings:
        module.warn(warning)
    if outcome.deprecation:
        module.deprecate(outcome.deprecation, version="2.0.0", collection_name="originops.cloudflare")
    if message is not None:
        module.fail_json(msg=message, **outcome.result)
    module.exit_json(**outcome.result)
