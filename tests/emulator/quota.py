# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quota of requests in a window of time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple


class Allowance(NamedTuple):
    """State of the quota for one request."""

    granted: bool
    remaining: int
    seconds: int
    """Seconds until the window ends."""


class Quota:
    """Number of requests in a fixed window, which its first request opens."""

    def __init__(self, size: Callable[[], int], seconds: Callable[[], float]) -> None:
        self._size = size
        self._seconds = seconds
        self._lock = Lock()
        self._opened = -math.inf
        self._used = 0

    def take(self) -> Allowance:
        """Spend one request if one is left, and return the quota's state."""
        with self._lock:
            now = time.monotonic()
            if now >= self._opened + self._seconds():
                self._opened, self._used = now, 0
            granted = self._used < self._size()
            self._used += granted
            remaining = max(0, self._size() - self._used)
            return Allowance(granted, remaining, math.ceil(self._opened + self._seconds() - now))
