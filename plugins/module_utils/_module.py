# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Execution of an operation as an Ansible module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ansible.module_utils import basic

from ._argspec import ARGUMENT_SPEC, RULES, register_secrets, requests_missing
from ._connection import environment_secrets, may_hold_password
from ._errors import OriginOpsError, Outcome
from ._http import REQUESTS_IMPORT_ERROR
from ._messages import clip_all, mask

Operation = Callable[[Mapping[str, Any], bool], Outcome]
"""Function from the options and check mode to an outcome."""


class Module(NamedTuple):
    """Module: its operation, its complete argument spec, and the spec's rules.

    secrets returns values of options that no output may show, in addition to those declared as secret.
    """

    operation: Operation
    argument_spec: dict[str, Any]
    rules: dict[str, Any]
    secrets: Callable[[Mapping[str, Any]], Iterable[str]]

    def main(self) -> None:
        """Run the operation as an Ansible module."""
        # By its full name, because ansible-lint replaces the class by one that only checks the options.
        module = basic.AnsibleModule(argument_spec=self.argument_spec, supports_check_mode=True, **self.rules)
        if REQUESTS_IMPORT_ERROR:
            message = f"{requests_missing()}, or set ansible_python_interpreter to a Python that has it"
            module.fail_json(msg=message, exception=REQUESTS_IMPORT_ERROR)
        # Ansible masks the secrets among the options by itself, but does not know those of the environment.
        secrets = [*environment_secrets(), *self.secrets(module.params)]
        module.no_log_values.update(secrets)  # before ansible-core 2.22
        register_secrets(secrets)
        result = self.execute(module.params, check_mode=module.check_mode, diff=module._diff)
        # ansible-core 2.22 masks secrets only where it displays a result.
        result = mask(result, module.no_log_values)
        for warning in result.pop("warnings", ()):
            module.warn(warning)
        for deprecation in result.pop("deprecations", ()):
            module.deprecate(deprecation["msg"], version="2.0.0", collection_name="originops.cloudflare")
        finish = module.fail_json if result.pop("failed") else module.exit_json
        finish(**result)

    def execute(self, options: Mapping[str, Any], *, check_mode: bool, diff: bool) -> dict[str, Any]:
        """Run the operation, and return the task's result."""
        return result_of(lambda: self.operation(options, check_mode), diff=diff)


def result_of(operation: Callable[[], Outcome], *, diff: bool) -> dict[str, Any]:
    """Run an operation, and return the result of its task.

    This is the only place where errors become failures.
    """
    try:
        outcome = operation()
    except OriginOpsError as error:
        outcome = error.outcome
        outcome.result["msg"] = str(error)
        failed = True
    else:
        failed = False
    result = {**outcome.result, "failed": failed}
    if not diff:
        result.pop("diff", None)
    if outcome.warnings:
        result["warnings"] = clip_all(outcome.warnings)
    if outcome.deprecation:
        result["deprecations"] = [
            {"msg": outcome.deprecation, "version": "2.0.0", "collection_name": "originops.cloudflare"}
        ]
    return result


def zone_module(operation: Operation, argument_spec: dict[str, Any], **rules: Any) -> Module:
    """Return a module for a zone, with the common options and these."""
    return Module(operation, {**ARGUMENT_SPEC, **argument_spec}, {**RULES, **rules}, secret_urls)


def secret_urls(options: Mapping[str, Any]) -> list[str]:
    """List the URLs among the common options that may have a password."""
    url = options["api_url"]
    return [url] if url and may_hold_password(url) else []
