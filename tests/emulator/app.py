# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flask application of the API: credentials, quota, errors, records.

Every request passes these before and after its route.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, request
from werkzeug import Request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from . import analytics, origins, tiered_cache, v1, v2, zones
from .quota import Allowance, Quota
from .settings import Settings
from .state import ApiError, State, no_route
from .wire import failure

API_VERSIONS = ("v1", "v2")

QUERIES = "/graphql"
"""Path of queries, which write nothing."""

FAULT = "emulator.fault"
"""Key of the fault's name in the environment of a disturbed request."""


@dataclass(frozen=True)
class Recorded:
    """Recorded request, without its headers and so without credentials."""

    method: str
    path: str
    """Path below /client/v4, decoded."""
    query: dict[str, str]
    body: Any
    """Value decoded from JSON, the text if it is not JSON, None if empty."""
    status: int | None
    """Status of the response; None without a response.

    If the request did not reach the API, a fault sent the response.
    """
    fault: str | None = None
    """Name of the fault that disturbed the request."""

    @classmethod
    def of(cls, request: Request, status: int | None) -> Recorded:
        """Record a request as received."""
        fault = request.environ.get(FAULT)
        return cls(request.method, request.path, request.args.to_dict(), _decoded_body(request), status, fault)


def create_api(settings: Settings, state: State, requests: list[Recorded]) -> Flask:
    """Create the application for /client/v4.

    Every request is appended to `requests`.
    """
    api = Flask(__name__, static_folder=None)
    api.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    api.url_map.merge_slashes = False
    quota = Quota(lambda: settings.quota, lambda: settings.window)

    @api.before_request
    def admit() -> None:
        time.sleep(settings.latency)
        g.allowance = quota.take()
        if not g.allowance.granted:
            raise ApiError(429, (10100, "Too many requests: the quota of this window is spent"))
        _authenticate(settings)
        if request.blueprint in API_VERSIONS and request.blueprint not in settings.api_versions:
            raise no_route()

    @api.after_request
    def add_rate_limit(response: Response) -> Response:
        allowance: Allowance = g.allowance
        response.headers["Ratelimit"] = f'"default";r={allowance.remaining};t={allowance.seconds}'
        response.headers["Ratelimit-Policy"] = f'"default";q={settings.quota};w={math.ceil(settings.window)}'
        if not allowance.granted:
            response.headers["Retry-After"] = str(allowance.seconds)
        return response

    @api.after_request
    def record(response: Response) -> Response:
        requests.append(Recorded.of(request, response.status_code))
        return response

    @api.errorhandler(ApiError)
    def refuse(error: ApiError) -> Response:
        return failure(error)

    @api.errorhandler(NotFound)
    @api.errorhandler(MethodNotAllowed)
    def refuse_route(_error: Exception) -> Response:
        return failure(no_route())

    for routes in (zones, origins, analytics, tiered_cache, v1, v2):
        api.register_blueprint(routes.blueprint(state))
    return api


def _authenticate(settings: Settings) -> None:
    """Check the credentials: a bearer token, or else a key.

    Raises:
        ApiError: 10000 or 9109.
    """
    if request.authorization is not None:
        token = request.authorization.token
        if token == settings.read_only_token and request.method != "GET" and request.path != QUERIES:
            raise ApiError(403, (10000, "Authentication error: the token may only read"))
        if token not in (settings.token, settings.read_only_token):
            raise ApiError(401, (10000, "Authentication error"))
        return
    email, key = request.headers.get("X-Auth-Email"), request.headers.get("X-Auth-Key")
    if not email or not key:
        raise ApiError(401, (10000, "Authentication error: no credentials"))
    if (email, key) != (settings.email, settings.key):
        raise ApiError(403, (9109, "Invalid access credentials"))


def _decoded_body(request: Request) -> Any:
    data = request.get_data()
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")
