# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that all plugins share, and the client and the zone that they lead to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping as Dict
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.common.parameters import env_fallback

from ansible_collections.originops.cloudflare.plugins.module_utils._client import Client, Credentials
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput, OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._generations import GENERATIONS, Zone
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import shorten
from ansible_collections.originops.cloudflare.plugins.module_utils._zones import check_identifier, find_zone

DEFAULT_API_URL = "https://api.cloudflare.com/client/v4"

TRANSPORT_SPEC: dict[str, dict[str, Any]] = {
    "timeout": {"type": "float", "default": 30},
    "retries": {"type": "int", "default": 5},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
}

# The credentials have no fallback here: those of a task win as a whole over those of the environment, and the rule
# that excludes one another is about the task's own.
CONNECTION_SPEC: dict[str, dict[str, Any]] = {
    "api_token": {"type": "str", "no_log": True},
    "api_email": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "api_url": {
        "type": "str",
        "default": DEFAULT_API_URL,
        "fallback": (env_fallback, ["CLOUDFLARE_BASE_URL"]),
    },
    **TRANSPORT_SPEC,
}

CONNECTION_RULES: dict[str, list[tuple[str, ...]]] = {
    "mutually_exclusive": [("api_token", "api_email"), ("api_token", "api_key")],
}

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    **CONNECTION_SPEC,
    "api_version": {"type": "str", "default": "auto", "choices": list(GENERATIONS)},
    "zone_id": {"type": "str"},
    "zone": {"type": "str"},
    "account_id": {"type": "str"},
}

RULES: dict[str, list[tuple[str, ...]]] = {
    "mutually_exclusive": [*CONNECTION_RULES["mutually_exclusive"], ("zone_id", "zone")],
    "required_one_of": [("zone_id", "zone")],
}

CREDENTIAL_VARIABLES = {
    "api_token": "CLOUDFLARE_API_TOKEN",
    "api_email": "CLOUDFLARE_EMAIL",
    "api_key": "CLOUDFLARE_API_KEY",
}

LONGEST_TIMEOUT = 3600.0


@contextmanager
def open_zone(options: Dict[str, Any]) -> Iterator[Zone]:
    """The zone that the common options name. Raises InvalidInput before anything is sent, and CloudflareError."""
    for name in ("zone_id", "account_id"):
        if options[name] is not None:
            check_identifier(name, options[name])
    with open_client(options) as client:
        zone_id = options["zone_id"] or find_zone(client, options["zone"], options["account_id"])
        zone = Zone(client, zone_id, options["api_version"])
        try:
            yield zone
        except OriginOpsError as error:
            error.facts = {**zone.as_result(), **error.facts}
            raise


def open_client(options: Dict[str, Any]) -> Client:
    """The client that the options of CONNECTION_SPEC describe, before anything is sent. Raises InvalidInput."""
    return Client(_api_url(options["api_url"] or DEFAULT_API_URL), _credentials(options), **transport(options))


def transport(options: Dict[str, Any]) -> dict[str, Any]:
    """How requests are sent, by the options that name it: what Client takes beside an address. Raises InvalidInput."""
    if options["ca_path"] and not os.path.exists(options["ca_path"]):
        raise InvalidInput(f"ca_path: there is no {shorten(options['ca_path'])}")
    if not 0 < options["timeout"] <= LONGEST_TIMEOUT:
        raise InvalidInput(f"timeout: {options['timeout']:g} is not between 0 and {LONGEST_TIMEOUT:g} seconds")
    if options["retries"] < 0:
        raise InvalidInput(f"retries: {options['retries']} is less than 0")
    return {
        "timeout": options["timeout"],
        "retries": options["retries"],
        "verify": (options["ca_path"] or True) if options["validate_certs"] else False,
    }


def _credentials(options: Dict[str, Any]) -> Credentials:
    """Those of the task, else those of the environment, where the token comes first too."""
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
            "no credentials: give api_token, or api_email and api_key, or set CLOUDFLARE_API_TOKEN in the environment"
        )
    if email is None or key is None:
        raise InvalidInput("api_email and api_key are required together, of the task or of the environment")
    _check_header("api_email", email)
    _check_header("api_key", key)
    return Credentials({"X-Auth-Email": email, "X-Auth-Key": key}, key)


def _check_header(name: str, value: str) -> None:
    """What goes into a header must not end it; the message leaves the value out, which may be a secret."""
    if not re.fullmatch(r"[!-~]+", value):
        raise InvalidInput(f"{name} is empty, or has blanks, control characters or letters beyond ASCII")


def _api_url(text: str) -> str:
    """The base address without its last slash. Raises InvalidInput where a secret would go out in the clear."""
    if "@" in text:
        raise InvalidInput("api_url must not hold credentials: they have options of their own")
    try:
        url = urlsplit(text)
        host, _port = url.hostname, url.port
    except ValueError:
        raise InvalidInput(f"api_url: {shorten(text)} is not an address") from None
    plain = re.fullmatch(r"[!-~]+", text) and re.fullmatch(r"(\[[^\[\]]+\]|[^\[\]:]+)(:\d*)?", url.netloc)
    if not host or not plain or url.scheme not in ("https", "http"):
        raise InvalidInput(f"api_url: {shorten(text)} is not an https address")
    if "?" in text or "#" in text:
        raise InvalidInput(f"api_url: {shorten(text)} must not have a query or a fragment")
    if url.scheme == "http" and not _is_loopback(host):
        raise InvalidInput(f"api_url: {shorten(text)} is not https, which only a loopback address may do without")
    return url.geturl().rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
