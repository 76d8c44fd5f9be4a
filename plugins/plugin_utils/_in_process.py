# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Direct execution: a module in the controller's own process, which spares the start of Python for every task."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule
from ansible.utils.display import Display

from ..module_utils._http import REQUESTS_IMPORT_ERROR

try:
    from ansible.executor.module_common import _BuiltModule
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # before ansible-core 2.19, whose warnings do not find their way out of this process either
    patch_module_args = None

VARIABLE = "originops_cloudflare_direct"
"""Set to false, it turns direct execution off."""


class DirectActionModule(ActionModule):
    """Runs a module as Ansible does, but for the last step, where nobody could notice the difference.

    Ansible prepares the arguments, and understands what the module prints, as ever. What is handed to
    the module's interpreter otherwise, a call of the same module's main function here does.
    """

    main: Callable[[], None]

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._direct = (
            patch_module_args is not None
            and REQUESTS_IMPORT_ERROR is None
            and self._connection.transport == "local"
            and not self._play_context.become
            and not self._task.async_val
            and not any(self._task.environment or ())
            and not constants.DEFAULT_KEEP_REMOTE_FILES
            and boolean(self._templar.template((task_vars or {}).get(VARIABLE, True)))
        )
        return super().run(tmp, task_vars)

    def _is_pipelining_enabled(self, *args: Any, **kwargs: Any) -> bool:
        # Without a file to run, and a temporary folder for it.
        return self._direct or super()._is_pipelining_enabled(*args, **kwargs)

    def _configure_module(self, module_name: str, module_args: Any, task_vars: dict[str, Any]) -> Any:
        # Packing a module costs as much as running it. Only an interpreter that has to be found yet is left to Ansible.
        delegate = self._task.delegate_to
        own_vars = task_vars["ansible_delegated_vars"][delegate] if delegate else task_vars
        interpreter = self._templar.template(own_vars.get("ansible_python_interpreter"))
        if not self._direct or interpreter != sys.executable:
            return super()._configure_module(module_name, module_args, task_vars)
        path = self._shared_loader_obj.module_loader.find_plugin(module_name)
        shebang = f"#!{sys.executable}"
        module = _BuiltModule(
            b_module_data=b"not packed", module_style="new", shebang=shebang, serialization_profile="legacy"
        )
        return module, path

    def _low_level_execute_command(self, cmd: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        is_module = bool(kwargs.get("in_data"))
        if not self._direct or not is_module or self._used_interpreter != f"#!{sys.executable}":
            return super()._low_level_execute_command(cmd, *args, **kwargs)
        Display().vvv("Running the module in the controller's process")
        status: Any = 0
        with redirect_stdout(io.StringIO()) as stdout, redirect_stderr(io.StringIO()) as stderr:
            try:
                with patch_module_args(self._task.args):
                    type(self).main()
            except SystemExit as exit:
                status = exit.code or 0
            except Exception:
                traceback.print_exc()
                status = 1
        return {"rc": status, "stdout": stdout.getvalue(), "stderr": stderr.getvalue()}
