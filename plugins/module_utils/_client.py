# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""API client: requests in, results or CloudflareError out, lists in pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable
from math import ceil
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from ._errors import CloudflareError, InvalidInput
from ._http import Credentials, HttpSession, Response, TransportError, may_be_applied
from ._messages import quote, sanitize

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)

MAX_RESPONSE_BYTES = 4 * 1024 * 1024
"""Limit in bytes. A full zone in one response has well under one MiB."""

MAX_ERRORS = 10
"""Errors of one response that a message names. The API returns one or two."""

MIN_SECRET_LENGTH = 16
"""Characters. Shorter secrets are not real, and would match other data."""

LIST_ATTEMPTS = 3
"""Attempts to read a list: writes by others shift entries between pages."""


class Envelope(NamedTuple):
    """Envelope of a successful response: its result, and data about a list.

    maybe_applied is true if an earlier attempt of the same request may have been carried out.
    """

    result: Any
    result_info: Any
    maybe_applied: bool


class Client:
    """Client for the Cloudflare API at one base URL.

    Use it in a with statement, which closes it.
    """

    def __init__(
        self, api_url: str, credentials: Credentials, *, timeout: float, retries: int, verify: bool | str
    ) -> None:
        self._api_url = api_url
        self._credentials = credentials
        self.http = HttpSession(
            credentials,
            timeout=timeout,
            retries=retries,
            verify=verify,
            # Without TLS only loopback is used, and a proxy of the environment would carry the secret elsewhere.
            use_environment=not api_url.startswith("http:"),
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.http.close()

    def call(
        self,
        action: str,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        decode: Callable[[Envelope], T] = attrgetter("result"),
    ) -> T:
        """Send an API request, and return the decoded response.

        decode converts the envelope of a success; its exceptions mean an unexpected shape. action names the attempt in
        messages. Raises CloudflareError.
        """
        response, content = self.send(action, method, path, params=query, json=body)
        if not (200 <= response.status < 300 and content.get("success") is True and "result" in content):
            raise self.error_from(action, response, content)
        try:
            return decode(Envelope(content["result"], content.get("result_info"), response.maybe_applied))
        except (AttributeError, KeyError, TypeError, ValueError, InvalidInput):
            raise wrong_shape(action) from None

    def fetch_page(
        self, action: str, path: str, number: int, decode: Callable[[Any], dict[Key, T]], *, size: int, max_pages: int
    ) -> tuple[dict[Key, T], int]:
        """Read one page of a list.

        Returns its entries by identity, and the list's total on that page. A total of more than max_pages is an
        unexpected shape.
        """

        def entries_and_total(envelope: Envelope) -> tuple[dict[Key, T], int]:
            total = envelope.result_info["total_count"]
            if not isinstance(total, int) or not 0 <= total <= max_pages * size:
                raise ValueError(total)
            return decode(envelope.result), total

        return self.call(action, "GET", path, query={"page": number, "per_page": size}, decode=entries_and_total)

    def fetch_all_pages(
        self,
        action: str,
        fetch: Callable[[int], tuple[dict[Key, T], int]],
        size: int,
        first_page: tuple[dict[Key, T], int] | None = None,
    ) -> dict[Key, T]:
        """Read all pages of a list, and return its entries by identity.

        fetch reads a page of this size, as fetch_page does; first_page is page 1 if it was read. Raises
        CloudflareError.
        """
        for _attempt in range(LIST_ATTEMPTS):
            first_page = first_page or fetch(1)
            pages = [first_page, *self.http.map_concurrently(fetch, range(2, ceil(first_page[1] / size) + 1))]
            entries = {key: entry for page, _total in pages for key, entry in page.items()}
            if all(total == len(entries) for _page, total in pages):
                return entries
            first_page = None
        raise CloudflareError(
            f"{action} failed: {LIST_ATTEMPTS} times the pages of the list did not add up to its total. Others may be "
            "changing it: try again later",
            200,
        )

    def send(self, action: str, method: str, path: str, **content: Any) -> tuple[Response, dict[str, Any]]:
        """Send a request, and return its response and envelope.

        Raises CloudflareError if there is no response.
        """
        url = self._api_url
        try:
            response = self.http.send(method, url + path, service=url, max_bytes=MAX_RESPONSE_BYTES, **content)
        except TransportError as error:
            message = f"{action} failed: {self.sanitize(str(error))}"
            raise CloudflareError(message, maybe_applied=error.maybe_applied) from None
        return response, self._decode(response.body)

    def error_from(self, action: str, response: Response, envelope: dict[str, Any]) -> CloudflareError:
        """Return the error of an unsuccessful response."""
        from ._hints import describe_response

        listed = envelope.get("errors")
        errors = [
            {"code": error["code"], "message": self.sanitize(str(error.get("message", "")))}
            for error in (listed[:MAX_ERRORS] if isinstance(listed, list) else ())
            if isinstance(error, dict) and isinstance(error.get("code"), int)
        ]
        status = response.status
        return CloudflareError(
            f"{action} failed: HTTP {status}: {describe_response(status, errors)}",
            status,
            errors,
            maybe_applied=response.maybe_applied or may_be_applied(status),
        )

    def sanitize(self, text: str) -> str:
        """Reduce foreign text to one bounded, printable line without the secret."""
        return sanitize(self._credentials.redact(text))

    def _decode(self, content: bytes) -> dict[str, Any]:
        """Parse an envelope, and mask the secret in it.

        Returns an empty one for any other content.
        """
        try:
            envelope = json.loads(content)
            text = json.dumps(envelope)  # one spelling for all escapes of the response
            if len(self._credentials.secret) >= MIN_SECRET_LENGTH and self._credentials.secret in text:
                envelope = json.loads(self._credentials.redact(text))
        except (ValueError, RecursionError):
            return {}
        return envelope if isinstance(envelope, dict) else {}


def wrong_shape(action: str) -> CloudflareError:
    """Return the error of a successful response of unexpected shape."""
    message = "HTTP 200, but the response does not have the format of the API"
    return CloudflareError(f"{action} failed: {message}", 200, maybe_applied=True)


def check_identifier(option: str, value: str) -> None:
    """Raise InvalidInput for an invalid identifier of a zone or an account.

    It becomes part of a path.
    """
    if not re.fullmatch(r"[0-9A-Za-z]{1,32}", value):
        raise InvalidInput(f"{option}: {quote(value)} is not an identifier (1 to 32 letters and digits)")


def parse_text(value: Any) -> str:
    """Parse a printable text of a response.

    Raises TypeError or ValueError for anything else.
    """
    if not isinstance(value, str):
        raise TypeError(value)
    if not value.isprintable():
        raise ValueError(value)
    return value
