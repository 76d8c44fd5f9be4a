# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GraphQL queries, which have their own rate limit."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from .._client import MAX_ERRORS, Client, wrong_shape
from .._errors import InvalidInput

T = TypeVar("T")

MAX_QUERIES = 300
"""GraphQL queries of a user in a window, by the API, beside the limit of all requests."""

QUERY_WINDOW = 301.0
"""Seconds: the API's window, and one more for delayed requests."""


class QueryError(NamedTuple):
    """An error of a GraphQL query.

    path is that of a node, from the root. path and code may be empty.
    """

    message: str
    path: tuple[str, ...] = ()
    code: str = ""

    def __str__(self) -> str:
        details = [f"at {'.'.join(self.path)}"] * bool(self.path) + [f"code {self.code}"] * bool(self.code)
        return f"{self.message} ({', '.join(details)})" if details else self.message


class WindowLimiter:
    """Rate limiter of all threads, for a limit that no response reports.

    Requests are delayed, so that no window of time has more of them than allowed. clock returns seconds that never go
    back.
    """

    def __init__(self, size: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._sent: deque[float] = deque([-math.inf] * size, size)

    def reserve(self) -> float:
        """Count a request, and return the seconds until it is due."""
        with self._lock:
            now = self._clock()
            due = max(now, self._sent[0] + self._seconds)
            self._sent.append(due)
        return due - now


class GraphQL:
    """GraphQL endpoint of a client. All threads share its rate limit."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._limiter = WindowLimiter(MAX_QUERIES, QUERY_WINDOW)

    def query(
        self, action: str, text: str, variables: Mapping[str, Any], decode: Callable[[Any], T]
    ) -> tuple[T | None, list[QueryError]]:
        """Send a GraphQL query, and return its decoded data and its errors.

        There may be both; without data the former is None, and there are errors. An exception of decode means that
        the shape is not the expected one. Raises CloudflareError for everything else.
        """
        body = {"query": text, "variables": variables}
        response, content = self.client.send(
            action, "POST", "/graphql", read_only=True, delay=self._limiter.reserve, json=body
        )
        # The response to refused credentials has the envelope of the rest of the API.
        if "success" in content or not ("data" in content or content.get("errors")):
            raise self.client.error_from(action, response, content)
        try:
            errors = [
                self._parse_query_error(response.status, error) for error in (content.get("errors") or ())[:MAX_ERRORS]
            ]
            data = content.get("data")
            result = None if data is None else decode(data)
        except (AttributeError, KeyError, TypeError, ValueError, InvalidInput):
            raise wrong_shape(action) from None
        if not errors and (data is None or not 200 <= response.status < 300):
            raise self.client.error_from(action, response, content)
        return result, errors

    def _parse_query_error(self, status: int, error: dict[str, Any]) -> QueryError:
        """Parse an error of a query.

        Its message begins with the HTTP status, unless that is 200, which is usual.
        """
        path, extensions = error.get("path") or (), error.get("extensions") or {}
        if not isinstance(error["message"], str) or not isinstance(path, (list, tuple)):
            raise TypeError(error)
        return QueryError(
            self.client.sanitize(error["message"] if status == 200 else f"HTTP {status}: {error['message']}"),
            tuple(self.client.sanitize(str(part)) for part in path[:MAX_ERRORS]),
            self.client.sanitize(str(extensions.get("code") or "")),
        )
