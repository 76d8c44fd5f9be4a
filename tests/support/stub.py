# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Service with a test's responses, for behaviour the emulator lacks."""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from threading import Thread
from typing import Any

from emulator.server import HOST, Emulator


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    """Path below the base address, with the query."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Responder = Callable[[Request], Response | None]
"""Function from a request to its response; None drops the connection."""


def success(result: object, **info: object) -> Response:
    """Return the API's envelope of a result, with `info` as result_info."""
    envelope = {"success": True, "errors": [], "messages": [], "result": result, "result_info": info}
    return Response(200, json.dumps(envelope).encode())


def failure(status: int, code: int, message: str = "It was refused", **headers: str) -> Response:
    """Return the API's envelope of an error."""
    errors = [{"code": code, "message": message}]
    envelope = {"success": False, "errors": errors, "messages": [], "result": None}
    return Response(status, json.dumps(envelope).encode(), headers)


def in_turn(*responses: Response | None) -> Responder:
    """Return a function that gives responses in order, then repeats the last."""
    upcoming = chain(responses, repeat(responses[-1]))
    return lambda _request: next(upcoming)


def forward(emulator: Emulator, request: Request) -> Response:
    """Pass a stub's request to an emulator, and return its response."""
    connection = HTTPConnection(HOST, emulator.port, timeout=10)
    try:
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        connection.request(request.method, "/client/v4" + request.path, request.body, headers)
        response = connection.getresponse()
        return Response(response.status, response.read())
    finally:
        connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A response is two writes, head and body; the second must not wait for the client.
    disable_nagle_algorithm = True
    server: Stub

    def _response(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, self.headers, body)
        self.server.requests.append(request)
        response = self.server.responder(request)
        if response is None:
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in {"Content-Length": str(len(response.body)), **response.headers}.items():
            self.send_header(name, value)
        with suppress(ConnectionError):  # clients need not read a response to its end
            self.end_headers()
            self.wfile.write(response.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = _response

    def log_message(self, *_args: object) -> None:
        """Log nothing: the stub records requests."""


class Stub(ThreadingHTTPServer):
    """Service on the loopback interface, inside a `with` block."""

    daemon_threads = True

    def __init__(self, responder: Responder, tls: ssl.SSLContext | None = None) -> None:
        super().__init__((HOST, 0), _Handler)
        self.responder = responder
        self.requests: list[Request] = []
        self.connections = 0
        """Number of connections, including those that TLS then refused."""
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.server_port}"
        if tls:
            # Threads do the handshake, so that a client that never begins it blocks no others.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *arguments: Any) -> None:
        """Print no traceback if a client disconnects or refuses the certificate."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(*arguments)

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    def __enter__(self) -> Stub:
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
