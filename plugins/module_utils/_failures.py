# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failed attempts of a request: their causes, and messages for users.

Only failed attempts need this file, so others import it then: every file adds to the start of a module.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException

with suppress(ImportError):  # _http reports that requests is missing
    from requests.exceptions import InvalidURL
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        LocationValueError,
        MaxRetryError,
        NewConnectionError,
        ProxyError,
        ReadTimeoutError,
    )


class DeadlineExceeded(TimeoutError):
    """Timeout of an attempt as a whole."""


class Failure:
    """Failure of an attempt by an exception of requests.

    transport_error is the urllib3 error inside it, or None. may_be_sent is false if nothing was sent.
    """

    def __init__(self, error: Exception) -> None:
        chain = [*_exception_chain(error)]
        self._cause = chain[-1]
        self.transport_error = _transport_error(chain)
        self.may_be_sent = not _is_connection_failure(self.transport_error)

    def describe(self, service: str, timeout: float, deadline: float) -> str:
        """Describe the innermost error.

        The text of the exception itself is for developers.
        """
        cause = self._cause
        if isinstance(cause, DeadlineExceeded):
            return f"no complete response from {service} within {deadline:g} seconds"
        if isinstance(cause, TimeoutError):
            return f"no response from {service} within {timeout:g} seconds"
        is_network_error = isinstance(cause, (OSError, HTTPException, HTTPError, zlib.error))
        if not is_network_error or isinstance(cause, (LocationValueError, InvalidURL)):
            # The text of such an error may have part of a proxy's password.
            return f"the URL of {service} or of a proxy of the environment is invalid"
        return f"no usable response from {service}: {cause}"


def _transport_error(chain: list[BaseException]) -> HTTPError | None:
    """Return the urllib3 error in a chain of exceptions, or None."""
    if isinstance(chain[0], DeadlineExceeded):
        return ReadTimeoutError(None, "", "")  # type: ignore[arg-type]
    errors = (error for error in chain if isinstance(error, HTTPError))
    return next((error for error in errors if not isinstance(error, MaxRetryError)), None)


def _is_connection_failure(error: HTTPError | None) -> bool:
    """Check whether an error occurred before anything was sent."""
    cause = getattr(error, "original_error", error) if isinstance(error, ProxyError) else error
    return isinstance(cause, (ConnectTimeoutError, NewConnectionError))


def _exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those nested in it, the innermost last."""
    seen: list[BaseException] = []
    nested: BaseException | None = error
    while nested:
        yield nested
        seen.append(nested)
        context = None if nested.__suppress_context__ else nested.__context__
        inside = [*nested.args, getattr(nested, "reason", None), nested.__cause__, context]
        # In some releases of urllib3 the nesting is circular.
        nested = next((inner for inner in inside if isinstance(inner, BaseException) and inner not in seen), None)
