# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service that answers as a test decides, where the emulator would be too well-behaved."""

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
    """Below the base address, with the query."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Answering = Callable[[Request], Answer | None]
"""A function from a request to its answer; None drops the connection."""


def success(result: object, **info: object) -> Answer:
    """Return the API's envelope of a result. Keywords become the members of result_info."""
    envelope = {"success": True, "errors": [], "messages": [], "result": result, "result_info": info}
    return Answer(200, json.dumps(envelope).encode())


def failure(status: int, code: int, message: str = "It was refused", **headers: str) -> Answer:
    """Return the API's envelope of an error."""
    errors = [{"code": code, "message": message}]
    envelope = {"success": False, "errors": errors, "messages": [], "result": None}
    return Answer(status, json.dumps(envelope).encode(), headers)


def in_turn(*answers: Answer | None) -> Answering:
    """Return a function that gives one answer after the other, then the last for ever."""
    upcoming = chain(answers, repeat(answers[-1]))
    return lambda _request: next(upcoming)


def forward(emulator: Emulator, request: Request) -> Answer:
    """Pass a stub's request to an emulator, and return its answer."""
    connection = HTTPConnection(HOST, emulator.port, timeout=10)
    try:
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        connection.request(request.method, "/client/v4" + request.path, request.body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The head of an answer and its body are two writes, of which the second must not wait for the client.
    disable_nagle_algorithm = True
    server: Stub

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, self.headers, body)
        self.server.requests.append(request)
        answer = self.server.answering(request)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        with suppress(ConnectionError):  # clients need not read an answer to its end
            self.end_headers()
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = _answer

    def log_message(self, *_args: object) -> None:
        """Log nothing: the stub records requests."""


class Stub(ThreadingHTTPServer):
    """A service on the loopback interface, inside a `with` block."""

    daemon_threads = True

    def __init__(self, answering: Answering, tls: ssl.SSLContext | None = None) -> None:
        super().__init__((HOST, 0), _Handler)
        self.answering = answering
        self.requests: list[Request] = []
        self.connections = 0
        """Number of connections, including those that TLS then refused."""
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.server_port}"
        if tls:
            # The handshake is left to the threads, so that a client that never begins it stops nobody else.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *arguments: Any) -> None:
        """Print no traceback for a client that breaks off, or that refuses the certificate."""
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
