# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: a session, retries, the rate limit, bounded responses."""

from __future__ import annotations

import os
import random
import re
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from ._errors import InvalidInput
from ._messages import quote

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError, InvalidHeader, LocationValueError, MaxRetryError
    from urllib3.util.retry import Retry
except ImportError:
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

RETRIED_STATUS = frozenset({429, 500, 502, 503, 504, *range(520, 525)})
"""Statuses that a retry may mend; 520 to 524 are Cloudflare's own for an origin that it cannot reach."""

MAX_TIMEOUT = 3600.0
"""Seconds."""

MAX_RETRY_AFTER = 300
"""Seconds: the API's rate limit window. A longer Retry-After ends the retries instead of stalling the play."""

MAX_TOTAL_WAIT = 600
"""Seconds: all waits between the attempts of a request, and all delays of a task by the rate limiter."""

LOW_QUOTA = 10
"""Requests: with fewer left of the rate limit, the rest is spread over the rest of its window."""

CONCURRENT_READS = 8


def transport(options: Mapping[str, Any]) -> dict[str, Any]:
    """Validate the options of TRANSPORT_SPEC, and return HttpSession's arguments. Raises InvalidInput."""
    if options["ca_path"] and not os.path.exists(options["ca_path"]):
        raise InvalidInput(f"ca_path: there is no {quote(options['ca_path'])}")
    if not 0 < options["timeout"] <= MAX_TIMEOUT:
        raise InvalidInput(f"timeout: {options['timeout']:g} is not between 0 and {MAX_TIMEOUT:g} seconds")
    if options["retries"] < 0:
        raise InvalidInput(f"retries: {options['retries']} is less than 0")
    return {
        "timeout": options["timeout"],
        "retries": options["retries"],
        "verify": (options["ca_path"] or True) if options["validate_certs"] else False,
    }


@dataclass(frozen=True)
class Credentials:
    """Auth object of requests.

    With one, requests reads no credentials from a .netrc file.
    """

    headers: dict[str, str] = field(repr=False)
    secret: str = field(repr=False)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self.headers)
        return request

    def redact(self, text: str) -> str:
        """Mask the secret in a text."""
        return text.replace(self.secret, "********")


class Attempts:
    """Retries of one request: the number left, and the seconds waited so far.

    urllib3 decides which errors and statuses are worth a retry, and parses Retry-After; the waits are bounded here.
    """

    def __init__(self, retries: int, method: str) -> None:
        self.left = retries
        self.waited = 0.0
        self._method = method
        self._made = 0
        self._policy = Retry(
            total=1,
            other=0,  # a certificate does not get better
            status_forcelist=RETRIED_STATUS,
            allowed_methods={"GET", "PUT", "PATCH", "DELETE"},
        )

    def wait_after_error(self, error: HTTPError) -> float | None:
        """Return the seconds to wait before the next attempt, None if there is none."""
        try:
            self._policy.increment(self._method, error=error)
        except HTTPError:
            return None
        return self._next_wait(None)

    def wait_after_response(self, response: requests.Response) -> float | None:
        """Return the seconds to wait before the next attempt, None if the response is final."""
        # A POST may have been applied, unless the rate limit refused it.
        if self._method == "POST":
            retried = response.status_code == 429
        else:
            retried = self._policy.is_retry(self._method, response.status_code)
        return self._next_wait(self._retry_after(response)) if retried else None

    def _next_wait(self, retry_after: float | None) -> float | None:
        self.left -= 1
        self._made += 1
        # Half a second, doubled by each further attempt up to 30; in fact up to a half less, so that clients spread.
        backoff = min(30.0, 0.25 * 2.0**self._made)
        self.waited += retry_after or backoff
        if self.left < 0 or (retry_after or 0) > MAX_RETRY_AFTER or self.waited > MAX_TOTAL_WAIT:
            return None
        return retry_after or backoff * random.uniform(0.5, 1)

    def _retry_after(self, response: requests.Response) -> float | None:
        """Return the seconds of Retry-After, bounded, since the header may hold a number of any length."""
        try:
            seconds = self._policy.get_retry_after(response.raw)
        except (InvalidHeader, ValueError, OverflowError):
            return None
        return seconds and min(seconds, MAX_RETRY_AFTER + 1)


class RateLimiter:
    """Delays requests before the rate limit refuses them.

    Other processes share it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._delay = 0.0
        self._wait_budget: float = MAX_TOTAL_WAIT

    def wait(self) -> None:
        """Wait until the next request is due."""
        if self._delay:
            with self._lock:
                delay = min(self._delay, self._wait_budget)
                self._wait_budget -= delay
                time.sleep(delay)

    def update(self, headers: Mapping[str, str]) -> None:
        """Read the rest of the quota from a response: Ratelimit: "default";r=REQUESTS;t=SECONDS."""
        match = re.search(r";r=(\d{1,9});t=(\d{1,9})", headers.get("Ratelimit", ""))
        if match:
            left, seconds = int(match[1]), int(match[2])
            self._delay = min(seconds, MAX_RETRY_AFTER) / (left + 1) if left < LOW_QUOTA else 0.0


class HttpSession:
    """A session of requests with retries and a rate limiter.

    Close it, or use it in a with statement.
    """

    def __init__(
        self,
        auth: Callable[[requests.PreparedRequest], requests.PreparedRequest],
        *,
        timeout: float,
        retries: int,
        verify: bool | str,
        use_environment: bool = True,
    ) -> None:
        """Prepare a session.

        timeout is in seconds, for connecting and for each wait for data; verify is as of requests. use_environment
        lets proxies and certificates come from the environment.
        """
        self.timeout = timeout
        self._retries = retries
        self._verify = verify
        self._limiter = RateLimiter()
        self._session = requests.Session()
        self._session.auth = auth
        self._session.headers["User-Agent"] = "originops.cloudflare (Ansible)"
        self._session.trust_env = use_environment
        # No redirect is followed here, but requests would read its whole body and parse its target all the same.
        self._session.get_redirect_target = lambda _response: None  # type: ignore[method-assign, assignment]
        # The adapter retries nothing: it could not once a response has begun to arrive.
        adapter = HTTPAdapter(pool_maxsize=CONCURRENT_READS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def close(self) -> None:
        self._session.close()

    def send(self, method: str, url: str, *, max_bytes: int, **content: Any) -> tuple[requests.Response, bytes]:
        """Send a request, and return the final response with its body.

        Raises OSError and HTTPError.
        """
        attempts = Attempts(self._retries, method)
        if self._retries:
            self._limiter.wait()
        while True:
            try:
                response = self._session.request(
                    method,
                    url,
                    **content,
                    timeout=self.timeout,
                    # Given with each request: the environment's CA variables override a session's setting.
                    verify=self._verify,
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    body = _read_body(response, max_bytes)
            except OSError as error:
                wait = attempts.wait_after_error(cause) if (cause := _transport_error(error)) else None
                if wait is None:
                    raise
            else:
                wait = attempts.wait_after_response(response)
                if wait is None:
                    self._limiter.update(response.headers)
                    return response, body
            time.sleep(wait)


def _read_body(response: requests.Response, max_bytes: int) -> bytes:
    """Read a streamed body.

    Raises OSError if it is larger than max_bytes.
    """
    # Before 2.0 urllib3 accepts fewer bytes than announced.
    response.raw.enforce_content_length = True
    content = bytearray()
    # Before 2.6 urllib3 unpacks a whole chunk at once, which can make it a thousand times as large.
    for chunk in response.iter_content(2 * 1024):
        content += chunk
        if len(content) > max_bytes:
            raise OSError(f"the answer is larger than any that is expected: more than {max_bytes // 1024**2} MiB")
    return bytes(content)


def root_cause(error: BaseException, address: str, timeout: float) -> str:
    """Describe the innermost error of an exception of requests, which is written for developers itself."""
    *_outer, cause = _exception_chain(error)
    if isinstance(cause, TimeoutError):
        return f"no answer from {address} within {timeout:g} seconds"
    if isinstance(cause, LocationValueError):
        # Its text may have part of a proxy's password.
        return f"{address}, or a proxy of the environment, has no usable address"
    return f"no usable answer from {address}: {cause}"


def _transport_error(error: BaseException) -> HTTPError | None:
    """Return the urllib3 error inside an exception of requests, or None."""
    errors = (nested for nested in _exception_chain(error) if isinstance(nested, HTTPError))
    return next((nested for nested in errors if not isinstance(nested, MaxRetryError)), None)


def _exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and the exceptions nested in it, the innermost last."""
    seen: list[BaseException] = []
    nested: BaseException | None = error
    while nested:
        yield nested
        seen.append(nested)
        context = None if nested.__suppress_context__ else nested.__context__
        inside = [*nested.args, getattr(nested, "reason", None), nested.__cause__, context]
        # In some releases of urllib3 they form a circle.
        nested = next((inner for inner in inside if isinstance(inner, BaseException) and inner not in seen), None)
