# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP session with retries, a rate limiter, and bounded responses."""

from __future__ import annotations

import os
import random
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread, local
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from ._errors import InvalidInput
from ._messages import quote

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError, InvalidHeader, SecurityWarning
    from urllib3.util.retry import Retry
except ImportError:
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

if TYPE_CHECKING:
    from ._failures import Failure

T = TypeVar("T")
Item = TypeVar("Item")

RETRIED_STATUS = frozenset({429, *range(500, 600)})
"""Statuses to retry: rate limit and server errors, also Cloudflare's own."""

MAX_TIMEOUT = 3600.0
"""Maximum of the option timeout, in seconds."""

MAX_RETRY_AFTER = 300
"""Maximum Retry-After in seconds: the API's rate limit window.

A longer Retry-After ends the retries instead of stalling the play.
"""

MAX_TOTAL_WAIT = 600
"""Maximum seconds of all waits between the attempts of a request.

The delays of a task by the rate limiter have the same limit.
"""

LOW_QUOTA = 10
"""Remaining requests of the rate limit, below which requests are delayed.

They are spread over the rest of the window.
"""

CONCURRENT_READS = 8

MAX_IDLE_CONNECTIONS = 32
"""Connections kept for further requests.

Enough for 16 zones at once, of which few read pages.
"""

DEADLINE_FACTOR = 10
"""Deadline of an attempt, in timeouts, however slow the response is."""


def transport(options: Mapping[str, Any]) -> dict[str, Any]:
    """Validate the options of TRANSPORT_SPEC.

    Returns HttpSession's arguments. Raises InvalidInput.
    """
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


class Credentials:
    """Credentials as an auth object of requests.

    With an auth object, requests reads no credentials from a .netrc file.
    """

    def __init__(self, headers: dict[str, str], secret: str) -> None:
        self.headers = headers
        self.secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self.headers)
        return request

    def redact(self, text: str) -> str:
        """Mask the secret in a text."""
        return text.replace(self.secret, "********")


class TransportError(Exception):
    """Failure of a request without a usable response.

    The message is for the user, and may have foreign text. maybe_applied is true if the service may have carried out
    the request.
    """

    def __init__(self, message: str, maybe_applied: bool) -> None:
        super().__init__(message)
        self.maybe_applied = maybe_applied


class Cancelled(Exception):
    """End of the task, or failure of another concurrent request."""


class Response(NamedTuple):
    """Final response to a request.

    maybe_applied is true if the service may have carried out an earlier attempt of the same request.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    maybe_applied: bool


class Attempts:
    """Attempts of one request: the retries left, and the seconds waited.

    maybe_applied is true if one may have been applied. urllib3 decides which errors and statuses are worth a retry,
    and parses Retry-After; the waits are bounded here.
    """

    def __init__(self, retries: int, method: str) -> None:
        self.left = retries
        self.waited = 0.0
        self.maybe_applied = False
        self._method = method
        self._made = 0
        self._policy = Retry(
            total=1,
            other=0,  # a retry does not fix a certificate
            status_forcelist=RETRIED_STATUS,
            allowed_methods={"GET", "PUT", "PATCH", "DELETE"},
        )

    def wait_after_failure(self, failure: Failure) -> float | None:
        """Return the seconds until a retry, or None if there is none."""
        self.maybe_applied |= failure.may_be_sent
        if failure.transport_error is None:
            return None
        try:
            self._policy.increment(self._method, error=failure.transport_error)
        except HTTPError:
            return None
        return self._next_wait(None)

    def wait_after_response(self, response: requests.Response) -> float | None:
        """Return the seconds until a retry, or None if the response is final."""
        status = response.status_code
        # A POST may have been applied, unless the rate limit refused it.
        retried = status == 429 if self._method == "POST" else self._policy.is_retry(self._method, status)
        wait = self._next_wait(self._retry_after(response)) if retried else None
        if wait is not None:
            self.maybe_applied |= may_be_applied(status)
        return wait

    def _next_wait(self, retry_after: float | None) -> float | None:
        self.left -= 1
        self._made += 1
        # Half a second, doubled by each further attempt up to 30; random jitter of up to a half spreads the clients.
        backoff = min(30.0, 0.25 * 2.0**self._made)
        self.waited += retry_after or backoff
        if self.left < 0 or (retry_after or 0) > MAX_RETRY_AFTER or self.waited > MAX_TOTAL_WAIT:
            return None
        return retry_after or backoff * random.uniform(0.5, 1)

    def _retry_after(self, response: requests.Response) -> float | None:
        """Return the seconds of Retry-After, bounded.

        The header may have a number of any length.
        """
        try:
            seconds = self._policy.get_retry_after(response.raw)
        except (InvalidHeader, ValueError, OverflowError):
            return None
        return seconds and min(seconds, MAX_RETRY_AFTER + 1)


def may_be_applied(status: int) -> bool:
    """Check whether a write with this status may have been applied.

    Only a clear refusal excludes it.
    """
    return not 300 <= status < 500 or status == 408


class RateLimiter:
    """Delay of requests before the rate limit refuses them.

    Other processes share the limit.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._delay = 0.0
        self._wait_budget: float = MAX_TOTAL_WAIT

    def wait(self, stop: Event) -> None:
        """Wait until the next request is due. Raises Cancelled after a stop."""
        if not self._delay:
            return
        # Under the lock, so that concurrent requests wait one after the other.
        with self._lock:
            delay = min(self._delay, self._wait_budget)
            self._wait_budget -= delay
            _pause(delay, stop)

    def update(self, headers: Mapping[str, str]) -> None:
        """Read the remaining quotas from the headers of a response.

        Of several policies, the scarcest counts.
        """
        quotas = parse_ratelimit(headers.get("Ratelimit", ""))
        if quotas:
            self._delay = max(
                min(seconds, MAX_RETRY_AFTER) / (left + 1) if left < LOW_QUOTA else 0.0 for left, seconds in quotas
            )


def parse_ratelimit(header: str) -> list[tuple[int, int]]:
    """Parse a Ratelimit header into pairs of requests left and seconds.

    It lists policies, "name";r=REQUESTS;t=SECONDS. It is a structured field (RFC 9651): items may have other
    parameters, in any order, and blanks around them.
    """
    quotas = []
    for item in re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+', header):
        parameters = re.sub(r'"(?:[^"\\]|\\.)*"', "", item)
        values = dict(re.findall(r";\s*([rt])\s*=\s*(\d{1,9})(?![\d.])", parameters))
        if values.keys() == {"r", "t"}:
            quotas.append((int(values["r"]), int(values["t"])))
    return quotas


class HttpSession:
    """Session of requests with retries, a rate limiter and deadlines.

    Close it after use.
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
        """Create a session.

        timeout is in seconds, for connecting and for each wait for data; verify is that of requests. use_environment
        allows proxies and certificates from the environment.
        """
        # Requests run in threads. Before ansible-core 2.19 a thread that prints a warning waits for ever, because the
        # main thread of its worker has the lock of standard error.
        urllib3.disable_warnings(SecurityWarning)
        self._timeout = timeout
        self._retries = retries
        self._verify = verify
        self._limiter = RateLimiter()
        self._stop = Event()
        self._stops: set[Event] = {self._stop}  # of all concurrent requests
        self._thread = local()  # a thread's own stop
        self._session = requests.Session()
        self._session.auth = auth
        self._session.headers["User-Agent"] = "originops.cloudflare (Ansible)"
        self._session.trust_env = use_environment
        # Redirects are not followed, but requests would still read the whole body and parse the target.
        self._session.get_redirect_target = lambda _response: None  # type: ignore[method-assign, assignment]
        # The adapter retries nothing, because it cannot once a response has begun to arrive.
        adapter = HTTPAdapter(pool_maxsize=MAX_IDLE_CONNECTIONS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def close(self) -> None:
        """End all waits and send nothing more."""
        # First, because a concurrent call may be adding its own stop.
        self._stop.set()
        for stop in tuple(self._stops):
            stop.set()
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        service: str,
        max_bytes: int,
        read_only: bool = False,
        delay: Callable[[], float] | None = None,
        **content: Any,
    ) -> Response:
        """Send a request, and return its final response.

        service names the other side in messages. A read-only request is retried like a GET.
        delay returns the seconds that an attempt has to wait for a limit other than that of all requests.
        Raises TransportError, and Cancelled after a stop.
        """
        stop: Event = getattr(self._thread, "stop", self._stop)
        attempts = Attempts(self._retries, "GET" if read_only else method)
        if self._retries:
            self._limiter.wait(stop)
        while True:
            if delay and self._retries:
                _pause(delay(), stop)
            if stop.is_set():
                raise Cancelled
            deadline = self._timeout * DEADLINE_FACTOR
            try:
                response, body = _run_with_deadline(lambda: self._attempt(method, url, max_bytes, content), deadline)
            except (OSError, HTTPError, ValueError) as error:
                # requests does not wrap some errors of urllib3, and of odd proxies in the environment.
                from ._failures import Failure

                failure = Failure(error)
                wait = attempts.wait_after_failure(failure)
                if wait is None:
                    message = failure.describe(service, self._timeout, deadline)
                    raise TransportError(message, attempts.maybe_applied) from None
            else:
                wait = attempts.wait_after_response(response)
                if wait is None:
                    self._limiter.update(response.headers)
                    return Response(response.status_code, response.headers, body, attempts.maybe_applied)
            _pause(wait, stop)

    def map_concurrently(
        self, function: Callable[[Item], T], items: Iterable[Item], workers: int = CONCURRENT_READS
    ) -> list[T]:
        """Call a function for each item, and return the results in order.

        Raises the first error, drops the calls not begun, and ends the waits of the others at once. A function may
        itself call this.
        """
        items = list(items)
        if len(items) < 2:
            return [function(item) for item in items]
        from ._concurrency import map_in_threads

        stop = Event()

        def call(item: Item) -> T:
            self._thread.stop = stop
            return function(item)

        self._stops.add(stop)
        try:
            if self._stop.is_set():
                raise Cancelled
            return map_in_threads(call, items, workers, stop)
        finally:
            self._stops.discard(stop)

    def _attempt(
        self, method: str, url: str, max_bytes: int, content: dict[str, Any]
    ) -> tuple[requests.Response, bytes]:
        response = self._session.request(
            method,
            url,
            **content,
            timeout=self._timeout,
            # Passed with each request: CA variables of the environment override the setting of a session.
            verify=self._verify,
            allow_redirects=False,
            stream=True,
        )
        with response:
            return response, _read_body(response, max_bytes)


def _pause(seconds: float, stop: Event) -> None:
    """Wait for some seconds. Raises Cancelled after a stop."""
    if seconds and stop.wait(seconds):
        raise Cancelled


def _run_with_deadline(function: Callable[[], T], seconds: float) -> T:
    """Call a function with a deadline in seconds, and return its result.

    Raises its error, or DeadlineExceeded. The timeout bounds each single wait for data, but a server can send a byte
    at a time.
    """
    done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            done.put((function(), None))
        except BaseException as error:
            done.put((None, error))

    Thread(target=work, daemon=True).start()
    try:
        result, error = done.get(timeout=seconds)
    except Empty:
        from ._failures import DeadlineExceeded

        raise DeadlineExceeded from None
    if error:
        raise error
    return cast("T", result)


def _read_body(response: requests.Response, max_bytes: int) -> bytes:
    """Read a streamed body. Raises OSError if it exceeds max_bytes."""
    # Before 2.0 urllib3 accepts fewer bytes than announced.
    response.raw.enforce_content_length = True
    content = bytearray()
    # Before 2.6 urllib3 unpacks a whole chunk at once, which can make it a thousand times as large.
    for chunk in response.iter_content(2 * 1024):
        content += chunk
        if len(content) > max_bytes:
            raise OSError(f"the response is larger than expected: more than {max_bytes // 1024**2} MiB")
    return bytes(content)
