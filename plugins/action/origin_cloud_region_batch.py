# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..modules.origin_cloud_region_batch import MODULE
from ..plugin_utils._in_process import InProcessActionModule

# ansible-lint calls this to check the options of tasks.
main = MODULE.main


class ActionModule(InProcessActionModule):
    module = MODULE
