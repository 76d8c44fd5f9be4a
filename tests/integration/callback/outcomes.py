# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callback plugin that records each task's outcome for pytest.

The output for users is not changed.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: outcomes
type: notification
short_description: Record results, and the requests behind them
description:
  - Appends a line of JSON for each task to the file of E(OUTCOMES_FILE).
  - It has the task's result, whether that is a failure, and the requests that the emulator of E(OUTCOMES_EMULATOR)
    served meanwhile.
  - Without these variables it does nothing.
"""

import json
import os
from typing import Any
from urllib.request import urlopen

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "outcomes"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.disabled = "OUTCOMES_FILE" not in os.environ
        self._seen = 0 if self.disabled else len(self._requests())

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result, failed=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record(result, failed=True)

    def _record(self, result: Any, failed: bool) -> None:
        requests = self._requests()
        outcome = {
            "task": result._task.name,
            "failed": failed,
            "result": result._result,
            "requests": requests[self._seen :],
        }
        self._seen = len(requests)
        with open(os.environ["OUTCOMES_FILE"], "a", encoding="utf-8") as file:
            print(json.dumps(outcome, default=str), file=file)

    def _requests(self) -> list[Any]:
        with urlopen(f"{os.environ['OUTCOMES_EMULATOR']}/requests") as response:
            requests: list[Any] = json.load(response)
        return requests
