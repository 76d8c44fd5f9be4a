# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callback plugin that times the task of a playbook for the benchmark."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: stopwatch
type: notification
short_description: Record how long a task took
description:
  - Writes the seconds from the start of the task to the end of the playbook into the file of E(STOPWATCH_FILE).
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no type information
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "stopwatch"
    CALLBACK_NEEDS_ENABLED = True

    _began = 0.0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._began = time.perf_counter()

    # Not at the result: for each plugin that takes it, Ansible copies it, and that time would be the stopwatch's own.
    def v2_playbook_on_stats(self, stats: Any) -> None:
        seconds = time.perf_counter() - self._began
        Path(os.environ["STOPWATCH_FILE"]).write_text(str(seconds), "utf-8")
