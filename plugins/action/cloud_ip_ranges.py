# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.validation import check_type_dict
from ansible.plugins.action.normal import ActionModule as NormalActionModule

from ..module_utils._errors import InvalidInput
from ..module_utils._ranges.download import check_sources
from ..modules.cloud_ip_ranges import MODULE

# ansible-lint calls this to check the options of tasks.
main = MODULE.main


class ActionModule(NormalActionModule):
    """Action that refuses passwords in sources.

    The module would do so after Ansible has logged them on its host.
    """

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            sources = check_type_dict(self._task.args.get("sources"))
            check_sources({name: source for name, source in sources.items() if isinstance(source, str)})
        except InvalidInput as error:
            return {"failed": True, "msg": str(error)}
        except TypeError:
            pass  # none, or no dictionary, which a module refuses before it logs anything
        return super().run(tmp, task_vars)
