# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What unit tests share: a service that answers as it is told, beside the emulator, and the way to either."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from threading import Thread
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.originops.cloudflare.plugins.module_utils._options import ARGUMENT_SPEC, RULES
from emulator import faults
from emulator.server import HOST, Emulator

Values = dict[str, tuple[str, str]]
"""Mappings in the form that zones of the emulator take and give."""

TOKEN = Emulator.token
ZONE_ID = "023e105f4ecef8ad9ca31a8372d0c353"


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
"""What a stub does with a request; None drops the connection."""


def success(result: object, **info: object) -> Answer:
    """The API's envelope of a result; what is named further goes into result_info."""
    envelope = {"success": True, "errors": [], "messages": [], "result": result, "result_info": info}
    return Answer(200, json.dumps(envelope).encode())


def failure(status: int, code: int, message: str = "It was refused", **headers: str) -> Answer:
    """The API's envelope of a refusal."""
    errors = [{"code": code, "message": message}]
    envelope = {"success": False, "errors": errors, "messages": [], "result": None}
    return Answer(status, json.dumps(envelope).encode(), headers)


def in_turn(*answers: Answer | None) -> Answering:
    """One answer after the other, and the last again and again."""
    upcoming = chain(answers, repeat(answers[-1]))
    return lambda _request: next(upcoming)


def forward(emulator: Emulator, request: Request) -> Answer:
    """What an emulator answers to a request that came to a stub."""
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
        """Log nothing: the stub records requests itself."""


class Stub(ThreadingHTTPServer):
    """A service on the loopback interface, inside a `with` block."""

    daemon_threads = True

    def __init__(self, answering: Answering, tls: ssl.SSLContext | None = None) -> None:
        super().__init__((HOST, 0), _Handler)
        self.answering = answering
        self.requests: list[Request] = []
        self.connections = 0
        """How many were begun, also those that TLS then refused."""
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.server_port}"
        if tls:
            # The handshake is left to the threads, so that a client that never begins it stops nobody else.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

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


def options(url: str, spec: Mapping[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """The options as Ansible hands them to a plugin: its own of this spec, and the common ones, which lead to a zone.

    What is given as None is left out, so that the environment or a default has its turn.
    """
    common = {"api_url": url, "api_token": TOKEN, "zone_id": ZONE_ID, "timeout": 5, "retries": 0}
    chosen = {name: value for name, value in {**common, **given}.items() if value is not None}
    validated = ArgumentSpecValidator({**ARGUMENT_SPEC, **(spec or {})}, **RULES).validate(chosen)
    assert not validated.error_messages
    return validated.validated_parameters


def fleet(count: int, region: str = "us-east-1", *, start: int = 0) -> Values:
    """Mappings of so many addresses."""
    return {f"10.0.{number // 256}.{number % 256}": ("aws", region) for number in range(start, start + count)}


def items(mappings: Values) -> list[dict[str, str]]:
    """Mappings in the form that options take and results give."""
    return [
        {"origin_ip": address, "vendor": vendor, "region": region} for address, (vendor, region) in mappings.items()
    ]


def refusal(status: int, code: int, **headers: str) -> faults.Answer:
    """How an emulator refuses with the API's own envelope. It repeats the credentials, as it should not."""
    errors = [{"code": code, "message": f"It was refused for {TOKEN}"}]
    envelope = {"success": False, "errors": errors, "messages": [], "result": None}
    return faults.Answer(status, envelope, {name.replace("_", "-"): value for name, value in headers.items()})
