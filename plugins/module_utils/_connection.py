# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection to a zone by options: credentials, URL checks, API version."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ._client import Client, check_identifier
from ._endpoints import MappingsApi, MappingsApiV2
from ._errors import CloudflareError, InvalidInput, OriginOpsError
from ._http import Credentials, transport
from ._messages import quote

T = TypeVar("T")

DEFAULT_API_URL = "https://api.cloudflare.com/client/v4"

CREDENTIAL_VARIABLES = {
    "api_token": "CLOUDFLARE_API_TOKEN",
    "api_email": "CLOUDFLARE_EMAIL",
    "api_key": "CLOUDFLARE_API_KEY",
}
"""Environment variables of the credentials, by option."""


API_VERSIONS = {"auto": ("v2", "v1"), "v2": ("v2",), "v1": ("v1",)}
"""Versions to try, in order, by value of the option api_version."""


class SharedClient:
    """Client for several operations on a zone.

    zone_name is its name in messages and diffs, if known. identity has the identifiers of the zone and its account,
    once the zone was found by its name.
    """

    def __init__(self, client: Client, zone_name: str | None = None) -> None:
        self.client = client
        self.zone_name = zone_name
        self.identity: tuple[str, str | None] | None = None


class ZoneClient:
    """Zone and its API. The first read determines the API version."""

    def __init__(
        self,
        client: Client,
        zone_id: str,
        api_version: str,
        *,
        name: str | None = None,
        account_id: str | None = None,
    ) -> None:
        self.client = client
        self.id = zone_id
        self.api_version = api_version
        self.name = name
        self.account_id = account_id
        self.api: MappingsApi | None = None

    def negotiate(self, read: Callable[[MappingsApi], T]) -> tuple[MappingsApi, T]:
        """Read with the first API version that is served.

        Returns that version and the data read.
        """
        first_error: CloudflareError | None = None
        candidates = [*API_VERSIONS[self.api_version]]
        while True:
            api = mappings_api(candidates.pop(0))(self.client, self.id)
            try:
                found = read(api)
            except CloudflareError as error:
                # If no version is served, the error is that of the newest.
                first_error = first_error or error
                if not error.is_route_not_found:
                    raise
                if not candidates:
                    raise first_error from None
            else:
                self.api = api
                return api, found

    @property
    def label(self) -> str:
        """Zone in messages and diffs: its name, if known, and its identifier."""
        return f"{self.name} ({self.id})" if self.name else self.id

    @property
    def source(self) -> dict[str, str]:
        """Result fields that name the zone and, if known, the API version."""
        return {"zone_id": self.id, **({"api_version": self.api.name} if self.api else {})}

    @property
    def deprecation(self) -> str | None:
        return self.api.deprecation if self.api else None


def mappings_api(version: str) -> type[MappingsApi]:
    if version == "v2":
        return MappingsApiV2
    # Imports cost every task time, and hardly any needs the deprecated version.
    from ._endpoints_v1 import MappingsApiV1

    return MappingsApiV1


@contextmanager
def open_zone(options: Mapping[str, Any], shared: SharedClient | None = None) -> Iterator[ZoneClient]:
    """Open the zone of the common options, with a shared client if given.

    A shared client stays open. Raises InvalidInput before the first request, and CloudflareError.
    """
    zone_id, name, account_id = (_text_or_none(options[option]) for option in ("zone_id", "zone", "account_id"))
    if zone_id is None and name is None:
        raise InvalidInput("one of the following is required: zone_id, zone (empty values count as not set)")
    if zone_id is not None and name is not None:
        raise InvalidInput("parameters are mutually exclusive: zone_id|zone")
    for option, value in (("zone_id", zone_id), ("account_id", account_id)):
        if value is not None:
            check_identifier(option, value)
    with nullcontext(shared.client) if shared else open_client(options) as client:
        if zone_id is None and shared and shared.identity:
            zone_id, account_id = shared.identity
        elif zone_id is None:
            from ._zones import find_zone  # only tasks with the name of a zone pay for this import

            zone_id, account_id = find_zone(client, name or "", account_id)
        if shared:
            shared.identity = zone_id, account_id
            name = shared.zone_name
        zone = ZoneClient(client, zone_id, options["api_version"], name=name and name.strip(), account_id=account_id)
        try:
            yield zone
        except OriginOpsError as error:
            error.outcome.result = {**zone.source, **error.result}
            error.outcome.deprecation = zone.deprecation
            raise


def _text_or_none(value: str | None) -> str | None:
    """Return a text, or None if it is empty or blank."""
    return value if value and value.strip() else None


def open_client(options: Mapping[str, Any]) -> Client:
    """Create a client from the options of CONNECTION_SPEC.

    Sends nothing. Raises InvalidInput.
    """
    return Client(_parse_api_url(options["api_url"] or DEFAULT_API_URL), _credentials(options), **transport(options))


def _credentials(options: Mapping[str, Any]) -> Credentials:
    """Return the credentials of the task, else those of the environment.

    In both, a token comes first.
    """
    environment = {name: os.environ.get(variable) or None for name, variable in CREDENTIAL_VARIABLES.items()}
    token, email, key = (options[name] for name in CREDENTIAL_VARIABLES)
    if token is None and email is None and key is None:
        token = environment["api_token"]
    if token is not None:
        _check_header("api_token", token)
        return Credentials({"Authorization": f"Bearer {token}"}, token)
    email = environment["api_email"] if email is None else email
    key = environment["api_key"] if key is None else key
    if email is None and key is None:
        raise InvalidInput(
            "no credentials: set api_token, or api_email and api_key, or CLOUDFLARE_API_TOKEN in the environment"
        )
    if email is None or key is None:
        raise InvalidInput("api_email and api_key are required together, of the task or of the environment")
    _check_header("api_email", email)
    _check_header("api_key", key)
    return Credentials({"X-Auth-Email": email, "X-Auth-Key": key}, key)


def _check_header(name: str, value: str) -> None:
    """Raise InvalidInput, without the value, for an invalid header value."""
    if not re.fullmatch(r"[!-~]+", value):
        raise InvalidInput(f"{name} is empty, or has blanks, control characters or letters beyond ASCII")


def _parse_api_url(text: str) -> str:
    """Validate the base URL, and return it without a trailing slash.

    Raises InvalidInput, also if a secret would be sent unencrypted.
    """
    if may_hold_password(text):
        raise InvalidInput("api_url must not contain credentials: use the options for credentials")
    try:
        url = urlsplit(text)
        host, _port = url.hostname, url.port
    except ValueError:
        raise InvalidInput(f"api_url: {quote(text)} is not a URL") from None
    plain = re.fullmatch(r"[!-~]+", text) and re.fullmatch(r"(\[[^\[\]]+\]|[^\[\]:]+)(:\d*)?", url.netloc)
    if not host or not plain or url.scheme not in ("https", "http"):
        raise InvalidInput(f"api_url: {quote(text)} is not an https URL")
    if "?" in text or "#" in text:
        raise InvalidInput(f"api_url: {quote(text)} must not have a query or a fragment")
    if url.scheme == "http" and not _is_loopback(host):
        raise InvalidInput(f"api_url: {quote(text)} is not https: http is allowed only for a loopback address")
    return url.geturl().rstrip("/")


def may_hold_password(url: str) -> bool:
    """Check whether a URL may have a user and a password.

    No message may repeat such a URL.
    """
    return "@" in url


def environment_secrets() -> list[str]:
    """Return the secrets of the environment, which no output may show."""
    values = [os.environ.get(CREDENTIAL_VARIABLES[option]) for option in ("api_token", "api_key")]
    return [value for value in values if value]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
