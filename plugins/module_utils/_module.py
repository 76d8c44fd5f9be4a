# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules: an operation with its options, as Ansible runs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping as Dict
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.originops.cloudflare.plugins.module_utils._client import REQUESTS_IMPORT_ERROR
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._options import (
    ARGUMENT_SPEC,
    CREDENTIAL_VARIABLES,
    RULES,
)


def run(
    operation: Callable[[Dict[str, Any], bool], dict[str, Any]], argument_spec: dict[str, Any], **rules: Any
) -> None:
    """Run an operation, which takes the options and whether this is check mode, as a module with these options.

    This is the one place where errors become failures.
    """
    module = AnsibleModule(argument_spec={**ARGUMENT_SPEC, **argument_spec}, supports_check_mode=True, **RULES, **rules)
    if REQUESTS_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    # Ansible masks the secrets among the options by itself, but does not know those of the environment.
    secrets = (os.environ.get(CREDENTIAL_VARIABLES[name]) for name in ("api_token", "api_key"))
    module.no_log_values.update(filter(None, secrets))
    finish = module.exit_json
    try:
        result = operation(module.params, module.check_mode)
    except OriginOpsError as error:
        finish = module.fail_json
        result = {"msg": str(error), **error.facts}
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    deprecation = result.pop("deprecation", None)
    if deprecation:
        module.deprecate(deprecation, version="2.0.0", collection_name="originops.cloudflare")
    finish(**result)
