# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: one session, its credentials and retries, and the API's envelope turned into a result or a CloudflareError."""

from __future__ import annotations

import json
import random
import re
import time
import traceback
from collections.abc import Callable, Hashable, Iterable, Mapping as Dict
from dataclasses import dataclass, field
from math import ceil
from operator import itemgetter
from threading import Lock
from typing import Any, TypeVar, cast

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError, InvalidInput

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError, InvalidHeader, LocationValueError, MaxRetryError
    from urllib3.util.retry import Retry
except ImportError:
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
    Retry = object  # type: ignore[assignment, misc]
else:
    REQUESTS_IMPORT_ERROR = None

T = TypeVar("T")
Asked = TypeVar("Asked")
Key = TypeVar("Key", bound=Hashable)

RETRIED_STATUS = frozenset({429, 500, 502, 503, 504, *range(520, 525)})
"""Answers that may be better next time; 520 to 524 are Cloudflare's own for an origin that it cannot reach."""

LONGEST_WAIT = 300
"""Seconds: the API's rate limit window. A Retry-After beyond it ends the retries instead of stalling the play."""

MOST_WAITING = 600
"""Seconds: all that is waited between the tries of one request, and all that a task is slowed down."""

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes. A full zone in one answer takes well under one mebibyte."""

MOST_ERRORS = 10
"""Reasons of one answer that are told. The API gives one or two."""

LONG_SECRET = 16
"""Letters. Shorter secrets are no real ones, and would be found in innocent data."""

CONCURRENT_READS = 8

LIST_ATTEMPTS = 3
"""What others write between two pages of a list shifts entries from page to page, and then it is read again."""

SCARCE = 10
"""Requests: with fewer than these left of the rate limit, what is left is spread over the rest of its window."""

CREDENTIALS_ADVICE = (
    "Check that the credentials are valid, not expired, and allowed to read the zone and to edit its cache settings"
)

RATE_LIMIT_ADVICE = "The API allows 1,200 requests in 5 minutes for a user: wait, or spread the work"
ADVICE = {
    971: RATE_LIMIT_ADVICE,
    1135: "The zone's plan or settings do not allow this",
    1140: "The service failed inside: try again later",
    1145: "The address has a mapping already",
    1146: "The service accepts single IPv4 and IPv6 addresses of public origins only",
    1156: "The service could not check the region just now: try again later",
    1157: "See the supported regions with originops.cloudflare.origin_cloud_region_info and supported_regions: true",
    1164: "A zone holds at most 3,500 mappings: remove those that are no longer needed",
    7000: "Check zone_id and api_url: the service answers so for unknown zones and for routes that it does not serve",
    7003: "Check zone_id and api_url: the service answers so for unknown zones and for routes that it does not serve",
    9109: CREDENTIALS_ADVICE,
    10000: CREDENTIALS_ADVICE,
    10100: RATE_LIMIT_ADVICE,
}


@dataclass(frozen=True)
class Credentials:
    """An auth object of requests, which also keeps requests from taking credentials out of a .netrc file."""

    headers: dict[str, str] = field(repr=False)
    secret: str = field(repr=False)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self.headers)
        return request

    def redact(self, text: str) -> str:
        return text.replace(self.secret, "********")


class Retries(Retry):
    """urllib3's retries, with a backoff that begins at once and bounds on what is waited for."""

    waited = 0.0
    """Seconds between the tries so far, and before the next one; backoff counts as if it had no random part."""

    def new(self, **kwargs: Any) -> Any:
        retries = super().new(**kwargs)
        retries.waited = self.waited
        return retries

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        # The rate limit refuses before anything is applied; no other answer says that of a POST.
        if method == "POST":
            return status_code == 429
        return super().is_retry(method, status_code, has_retry_after)

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, error: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """The retries that are left. Raises the error or MaxRetryError where there are none."""
        retries = super().increment(method, url, response, error, *args, **kwargs)
        asked = self.get_retry_after(response) if response is not None else None
        retries.waited += asked or retries.longest_backoff()
        if (asked or 0) > LONGEST_WAIT or retries.waited > MOST_WAITING:
            raise MaxRetryError(cast("Any", None), url, error)
        return retries

    def get_retry_after(self, response: Any) -> float | None:
        """What the service asks for in seconds, as far as that matters: it may be a number of any length."""
        try:
            asked = super().get_retry_after(response)
        except (InvalidHeader, ValueError, OverflowError):
            return None
        return asked and min(asked, LONGEST_WAIT + 1)

    def longest_backoff(self) -> float:
        """Half a second, doubled by each further try up to 30."""
        return min(30.0, 0.25 * 2.0 ** len(self.history))

    def get_backoff_time(self) -> float:
        """The backoff less up to a half, so that clients spread."""
        return self.longest_backoff() * random.uniform(0.5, 1)


class _Pace:
    """Slows down before the rate limit refuses: forks and colleagues have a share in it too."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._delay = 0.0
        self._patience: float = MOST_WAITING

    def wait(self) -> None:
        """Wait until the next request is due."""
        if self._delay:
            with self._turn:
                delay = min(self._delay, self._patience)
                self._patience -= delay
                time.sleep(delay)

    def learn(self, headers: Dict[str, str]) -> None:
        """Take note of what an answer says is left: Ratelimit: "default";r=REQUESTS;t=SECONDS."""
        said = re.search(r";r=(\d{1,9});t=(\d{1,9})", headers.get("Ratelimit", ""))
        if said:
            left, seconds = int(said[1]), int(said[2])
            self._delay = min(seconds, LONGEST_WAIT) / (left + 1) if left < SCARCE else 0.0


class Client:
    """The Cloudflare API at one address. Close it, or use it in a with statement."""

    def __init__(
        self, api_url: str, credentials: Credentials, *, timeout: float, retries: int, verify: bool | str = True
    ) -> None:
        """timeout is in seconds and for each request; verify is as of requests."""
        self._api_url = api_url
        self._credentials = credentials
        self._timeout = timeout
        self._verify = verify
        self._pace = _Pace()
        self._session = requests.Session()
        self._session.auth = credentials
        self._session.headers["User-Agent"] = "originops.cloudflare (Ansible)"
        # None is followed, but requests would read all of its body and parse where it leads all the same.
        self._session.get_redirect_target = lambda _response: None  # type: ignore[method-assign, assignment]
        if api_url.startswith("http:"):
            # Only loopback is spoken to without TLS, and a proxy of the environment would take the secret off it.
            self._session.trust_env = False
        self._retries = Retries(
            total=retries,
            other=0,  # a certificate does not get better
            status_forcelist=RETRIED_STATUS,
            allowed_methods={"GET", "PUT", "PATCH", "DELETE"},
        )
        # It retries nothing itself: it could not once an answer has begun to come.
        adapter = HTTPAdapter(pool_maxsize=CONCURRENT_READS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._session.close()

    def call(
        self,
        doing: str,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        decode: Callable[[dict[str, Any]], T] = itemgetter("result"),
    ) -> T:
        """One request of the API, and what decode makes of its envelope once that says success.

        An envelope has a result, and result_info where it is of a list. What decode raises tells that it has not the
        shape that is expected. doing names the attempt in messages. Raises CloudflareError for everything else.
        """
        try:
            response, content = self._send(method, self._api_url + path, params=query, json=body)
        except (OSError, HTTPError) as error:
            told = self.printable(reason(error, self._api_url, self._timeout))
            raise CloudflareError(f"{doing} failed: {told}") from None
        envelope = self._decode(content)
        if not (200 <= response.status_code < 300 and envelope.get("success") is True and "result" in envelope):
            raise self._refusal(doing, response, envelope)
        try:
            return decode(envelope)
        except (AttributeError, KeyError, TypeError, ValueError, InvalidInput):
            told = "HTTP 200, but the answer has not the shape that the API's have"
            raise CloudflareError(f"{doing} failed: {told}", 200) from None

    def page(
        self, doing: str, path: str, number: int, decode: Callable[[Any], dict[Key, T]], *, size: int, most_pages: int
    ) -> tuple[dict[Key, T], int]:
        """A page of a list: its entries by what identifies them, and the list's total as that page has it.

        A total of more than most_pages has not the shape that is expected.
        """

        def entries_and_total(envelope: dict[str, Any]) -> tuple[dict[Key, T], int]:
            total = envelope["result_info"]["total_count"]
            if not isinstance(total, int) or not 0 <= total <= most_pages * size:
                raise ValueError(total)
            return decode(envelope["result"]), total

        return self.call(doing, "GET", path, query={"page": number, "per_page": size}, decode=entries_and_total)

    def whole_list(
        self,
        doing: str,
        read: Callable[[int], tuple[dict[Key, T], int]],
        size: int,
        first: tuple[dict[Key, T], int] | None = None,
    ) -> dict[Key, T]:
        """All entries of a list, by what identifies them, from pages of this size.

        read gives a page, as the method page does; first is page 1 where that was read. Raises CloudflareError.
        """
        for _attempt in range(LIST_ATTEMPTS):
            first = first or read(1)
            pages = [first, *self.concurrently(read, range(2, ceil(first[1] / size) + 1))]
            entries = {key: entry for page, _total in pages for key, entry in page.items()}
            if all(total == len(entries) for _page, total in pages):
                return entries
            first = None
        raise CloudflareError(
            f"{doing} failed: {LIST_ATTEMPTS} times the pages of the list did not add up to its total. Others may be "
            "changing it: try again later",
            200,
        )

    def concurrently(self, ask: Callable[[Asked], T], about: Iterable[Asked]) -> list[T]:
        """The answers in the order of what is asked about. Raises the first error; what has not begun is dropped."""
        about = list(about)
        if len(about) < 2:
            return [ask(one) for one in about]
        from concurrent.futures import ThreadPoolExecutor  # only paid for by large zones

        pool = ThreadPoolExecutor(CONCURRENT_READS)
        try:
            return list(pool.map(ask, about))
        finally:
            pool.shutdown(cancel_futures=True)

    def _send(self, method: str, url: str, **content: Any) -> tuple[requests.Response, bytes]:
        """The answer, with its body, that is final or comes after the last retry. Raises OSError and HTTPError."""
        retries = self._retries
        if retries.total:
            self._pace.wait()
        while True:
            try:
                response = self._session.request(
                    method,
                    url,
                    **content,
                    timeout=self._timeout,
                    # Given with each request: the environment's CA variables override a session's setting.
                    verify=self._verify,
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    body = read_body(response, LARGEST_ANSWER)
            except OSError as error:
                cause = _transport_error(error)
                if cause is None:
                    raise
                retries = retries.increment(method, url, error=cause)
                retries.sleep()
                continue
            if not retries.is_retry(method, response.status_code):
                self._pace.learn(response.headers)
                return response, body
            try:
                retries = retries.increment(method, url, response.raw)
            except MaxRetryError:
                return response, body
            retries.sleep(response.raw)

    def _refusal(self, doing: str, response: requests.Response, envelope: dict[str, Any]) -> CloudflareError:
        listed = envelope.get("errors")
        errors = [
            {"code": error["code"], "message": self.printable(str(error.get("message", "")))}
            for error in (listed[:MOST_ERRORS] if isinstance(listed, list) else ())
            if isinstance(error, dict) and isinstance(error.get("code"), int)
        ]
        status = response.status_code
        advice = dict.fromkeys(ADVICE[error["code"]] for error in errors if error["code"] in ADVICE)
        if errors:
            told = "; ".join(f"{error['message']} (code {error['code']})" for error in errors)
        elif status == 429:
            told = f"too many requests. {RATE_LIMIT_ADVICE}"
        elif status >= 500:
            told = "the service is not available: try again later"
        elif 300 <= status < 400:
            told = "a redirect, which is never followed: check api_url"
        else:
            told = "the answer is not what the API sends: check api_url, and proxies in between"
        return CloudflareError(f"{doing} failed: HTTP {status}: {'. '.join([told, *advice])}", status, errors)

    def _decode(self, content: bytes) -> dict[str, Any]:
        """The envelope, empty where the content is none; without the secret, should the service echo it."""
        try:
            envelope = json.loads(content)
            text = json.dumps(envelope)  # where everything is spelled in one way
            if len(self._credentials.secret) >= LONG_SECRET and self._credentials.secret in text:
                envelope = json.loads(self._credentials.redact(text))
        except (ValueError, RecursionError):
            return {}
        return envelope if isinstance(envelope, dict) else {}

    def printable(self, text: str) -> str:
        """A foreign text for a message: on one line, of bounded length, without the secret."""
        return printable(self._credentials.redact(text))


def read_body(response: requests.Response, most: int) -> bytes:
    """The body of an answer that comes as a stream. Raises OSError for one of more bytes than this."""
    # Before 2.0 urllib3 takes less than was announced for the whole.
    response.raw.enforce_content_length = True
    content = bytearray()
    # Before 2.6 it unpacks all of a part at once, which makes it a thousand times as large.
    for chunk in response.iter_content(2 * 1024):
        content += chunk
        if len(content) > most:
            raise OSError(f"the answer is larger than any that is expected: more than {most // 1024**2} MiB")
    return bytes(content)


def reason(error: BaseException, address: str, timeout: float) -> str:
    """What lies at the bottom of an error of requests, whose own text is for developers."""
    above: list[BaseException] = []
    nested: BaseException | None = error
    while nested:
        error = nested
        above.append(error)
        context = None if error.__suppress_context__ else error.__context__
        inside = [*error.args, getattr(error, "reason", None), error.__cause__, context]
        # In some releases of urllib3 they go round in a circle.
        nested = next((one for one in inside if isinstance(one, BaseException) and one not in above), None)
    if isinstance(error, TimeoutError):
        return f"no answer from {address} within {timeout:g} seconds"
    if isinstance(error, LocationValueError):
        # Its text may have part of a proxy's password.
        return f"{address}, or a proxy of the environment, has no usable address"
    return f"no usable answer from {address}: {error}"


def printable(text: str) -> str:
    """A foreign text for a message: on one line, of bounded length."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= 500 else line[:497] + "..."


def _transport_error(error: BaseException | None) -> HTTPError | None:
    """What urllib3 said, whose policy for retries judges it, before requests wrapped it; None where it said nothing."""
    while error:
        if isinstance(error, HTTPError) and not isinstance(error, MaxRetryError):
            return error
        nested = error.reason if isinstance(error, MaxRetryError) else next(iter(error.args), None)
        error = nested if isinstance(nested, BaseException) else None
    return None
