# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation of the emulator's responses against openapi.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from openapi_core.templating.paths.exceptions import PathError
from werkzeug import Request, Response

from .server import Emulator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@cache
def _description() -> OpenAPI:
    return OpenAPI.from_file_path(str(Path(__file__).with_name("openapi.yaml")))


class Conformance:
    """Middleware that validates every response of an emulator's API."""

    def __init__(self, emulator: Emulator) -> None:
        self.violations: list[str] = []
        """Request line, status and errors of each invalid response."""
        self._validator = _description().response_validator
        self._app = emulator.api.wsgi_app
        emulator.api.wsgi_app = self  # type: ignore[method-assign]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response = Response.from_app(self._app, environ)
        self._check(Request(environ), response)
        return response(environ, start_response)

    def _check(self, request: Request, response: Response) -> None:
        openapi_response = WerkzeugOpenAPIResponse(response)
        findings = list(self._validator.iter_errors(WerkzeugOpenAPIRequest(request), openapi_response))
        if any(isinstance(finding, PathError) for finding in findings):
            unserved = Request({**request.environ, "REQUEST_METHOD": "GET", "PATH_INFO": "/unserved"})
            findings = list(self._validator.iter_errors(WerkzeugOpenAPIRequest(unserved), openapi_response))
        for finding in findings:
            schema_errors = getattr(finding.__cause__, "schema_errors", ())
            details = [f"{error.json_path}: {error.message}" for error in schema_errors] or [str(finding)]
            self.violations.append(f"{request.method} {request.full_path} {response.status}: {'; '.join(details)}")
