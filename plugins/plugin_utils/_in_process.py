# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Direct execution of modules in the controller's own process.

It saves the start of a Python for every task.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible import constants
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule
from ansible.utils.display import Display

from ..module_utils import _apply, _concurrency, _failures, _guards, _hints, _networks, _regions, _zones
from ..module_utils._argspec import register_secrets
from ..module_utils._connection import environment_secrets, may_hold_password
from ..module_utils._http import REQUESTS_IMPORT_ERROR
from ..module_utils._messages import mask, suggest
from ..module_utils._module import Module

VARIABLE = "originops_cloudflare_direct"
"""Variable that turns direct execution off if it is false."""

SECRET_OPTIONS = ("api_token", "api_key")

PRELOADED = (_apply, _concurrency, _failures, _guards, _hints, _networks, _regions, _zones)
"""Files on demand: here the process that starts the workers imports them once."""


class InProcessActionModule(ActionModule):
    """Action that runs a module in this process if the result is the same.

    Otherwise Ansible runs it as usual. This is decided once, before anything else happens.
    """

    module: Module

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        url = self._task.args.get("api_url")
        if isinstance(url, str) and may_hold_password(url):
            # The module refuses it too, but would write it to the target's log before.
            return {"failed": True, "msg": "api_url must not contain credentials: use the options for credentials"}
        if problems := option_problems(self._task.args, self.module.argument_spec):
            return {"failed": True, "msg": "; ".join(problems)}
        options = self._options(task_vars or {})
        if options is None:
            return super().run(tmp, task_vars)
        Display().vvv("Running the module in the controller's process")

        def execute() -> dict[str, Any]:
            return self.module.execute(options, check_mode=self._task.check_mode, diff=self._task.diff)

        invocation = {"invocation": {"module_args": options}} if shows_invocation(task_vars or {}) else {}
        return run_masked(execute, options, self.module.secrets(options), invocation)

    def _options(self, task_vars: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the validated options, or None if Ansible has to run the module."""
        try:
            if not self._has_same_result(task_vars):
                return None
            check_mode, diff = self._task.check_mode, self._task.diff
            # Plain values, as a module gets them, instead of Ansible's types that record their sources.
            args = json.loads(json.dumps(self._task.args))
        except (AttributeError, LookupError, TypeError, ValueError):
            # A release of ansible-core with other internals.
            return None
        if not isinstance(check_mode, bool) or not isinstance(diff, bool):
            return None
        validated = ArgumentSpecValidator(self.module.argument_spec, **self.module.rules).validate(args)
        # The module describes bad options best itself.
        return None if validated.error_messages else validated.validated_parameters

    def _has_same_result(self, task_vars: Mapping[str, Any]) -> bool:
        """Check whether nothing requires another process, host, user or Python."""
        task = self._task
        delegate = task.delegate_to
        own_vars = task_vars["ansible_delegated_vars"][delegate] if delegate else task_vars
        interpreter = self._templar.template(own_vars.get("ansible_python_interpreter"))
        return (
            REQUESTS_IMPORT_ERROR is None
            and sys.platform != "darwin"  # where threads and forks do not go together
            and self._connection.transport == "local"
            and not self._play_context.become
            and not task.async_val
            and not any(task.environment or ())
            and not constants.DEFAULT_KEEP_REMOTE_FILES
            and boolean(self._templar.template(task_vars.get(VARIABLE, True)))
            and isinstance(interpreter, str)
            and is_this_interpreter(interpreter)
        )


def run_masked(
    execute: Callable[[], dict[str, Any]],
    options: Mapping[str, Any],
    secrets: Iterable[str],
    also: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Run a function, and return its result with all secrets masked.

    The result is that of a task, with the fields of also added. Masked are the given secrets, the secret options, and
    those of the environment. An unforeseen exception is a failure.
    """
    masked = [*environment_secrets(), *secrets, *(str(options[name]) for name in SECRET_OPTIONS if options.get(name))]
    register_secrets(masked)
    try:
        result = execute()
    except Exception as error:
        message = f"{type(error).__name__}: {error}. This is a defect of the collection"
        result = {"failed": True, "msg": message, "exception": traceback.format_exc()}
    return mask({**result, **(also or {})}, masked)


def option_problems(options: Mapping[str, Any], argument_spec: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Describe mistakes in options that Ansible reports without a remedy."""
    specs = {name: spec for option, spec in argument_spec.items() for name in (option, *spec.get("aliases", ()))}
    unknown = [name for name in map(str, options) if name not in specs and not name.startswith("_")]
    problems = [
        f"{name} is a dictionary, not a list: write its items one by one, each after a dash"
        for name, value in options.items()
        if isinstance(value, Mapping) and specs.get(name, {}).get("type") == "list"
    ]
    return [*problems, *(f"option {name} is unknown: {suggest(name, specs)}" for name in unknown)]


def shows_invocation(task_vars: Mapping[str, Any]) -> bool:
    """Check whether results contain the options of their task.

    This is a setting from ansible-core 2.21 on.
    """
    if not hasattr(constants, "INJECT_INVOCATION"):
        return True
    return bool(constants.config.get_config_value("INJECT_INVOCATION", variables=task_vars))


def is_this_interpreter(path: str) -> bool:
    """Check whether a path is this process's interpreter and environment.

    The spelling of the path does not matter. A link from another directory is another environment: Python looks for
    its own beside the link.
    """
    path = os.path.expanduser(path)
    try:
        return os.path.samefile(os.path.dirname(path), os.path.dirname(sys.executable)) and os.path.samefile(
            path, sys.executable
        )
    except (OSError, ValueError):
        return False
