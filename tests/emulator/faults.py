# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults between a client and the API: rules, and their effects."""

from __future__ import annotations

import json
import re
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from werkzeug import Request, Response

from .app import FAULT, Recorded
from .settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENDLESS = 64 * 1024 * 1024
"""Size in bytes at which even an endless body ends."""


@dataclass
class Exchange:
    """Request that is disturbed on its way to the API."""

    request: Request
    app: WSGIApplication
    record: Callable[[Recorded], None]
    """Function to record a request that does not reach the API.

    The API records the others.
    """
    recorded: bool = False

    def serve(self) -> Response:
        """Pass the request to the API, and return its response."""
        self.recorded = True
        return Response.from_app(self.app, self.request.environ, buffered=True)

    def record_status(self, status: int | None) -> None:
        """Record the request with this status, unless the API recorded it."""
        if not self.recorded:
            self.recorded = True
            self.record(Recorded.of(self.request, status))

    def drop(self, after: float = 0) -> NoReturn:
        """Reset the TCP connection after some seconds, without a response."""
        self.record_status(None)
        time.sleep(after)
        connection: socket.socket = self.request.environ["werkzeug.socket"]
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The server's files would keep the connection open, so detach it from them.
        socket.close(connection.detach())
        raise ConnectionResetError


class Effect(Protocol):
    """Effect of a fault on a request."""

    def __call__(self, exchange: Exchange, /) -> Response:
        """Return the response for the client, or drop the connection."""


@dataclass(frozen=True)
class Respond:
    """Different response; the request is applied only if `applied`."""

    status: int = 200
    body: Any = ""
    """Text is sent unchanged as HTML, anything else as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    applied: bool = False

    def __call__(self, exchange: Exchange) -> Response:
        if self.applied:
            exchange.serve()
        if isinstance(self.body, str):
            return Response(self.body, self.status, self.headers, mimetype="text/html")
        return Response(json.dumps(self.body), self.status, self.headers, mimetype="application/json")


@dataclass(frozen=True)
class Reset:
    """Reset of the connection, before the request or, if `applied`, after it."""

    applied: bool = False

    def __call__(self, exchange: Exchange) -> Response:
        if self.applied:
            exchange.serve()
        exchange.drop()


@dataclass(frozen=True)
class Stall:
    """Delay of some seconds, and a reset of the connection."""

    seconds: float
    applied: bool = False

    def __call__(self, exchange: Exchange) -> Response:
        if self.applied:
            exchange.serve()
        exchange.drop(after=self.seconds)


@dataclass(frozen=True)
class Cut:
    """End of the connection after half of the true response's body."""

    def __call__(self, exchange: Exchange) -> Response:
        response = exchange.serve()
        # The Content-Length stays that of the whole body.
        return Response(self._half(response.get_data()), response.status, response.headers)

    def _half(self, body: bytes) -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionAbortedError


@dataclass(frozen=True)
class Endless:
    """Endless body of blanks; the request is not applied."""

    def __call__(self, _exchange: Exchange) -> Response:
        chunk = b" " * 64 * 1024
        return Response((chunk for _number in range(ENDLESS // len(chunk))), mimetype="application/json")


@dataclass(frozen=True)
class Merge:
    """Values merged into the true response, objects at any depth."""

    values: Mapping[str, Any]

    def __call__(self, exchange: Exchange) -> Response:
        return Change(lambda response: _merged(response, self.values))(exchange)


@dataclass(frozen=True)
class Change:
    """Change of the true response's JSON value by a function."""

    change: Callable[[Any], Any]

    def __call__(self, exchange: Exchange) -> Response:
        response = exchange.serve()
        response.set_data(json.dumps(self.change(json.loads(response.get_data()))))
        return response


@dataclass(frozen=True)
class Meanwhile:
    """Function called just before the request, which is served as usual."""

    act: Callable[[], object]

    def __call__(self, exchange: Exchange) -> Response:
        self.act()
        return exchange.serve()


@dataclass(kw_only=True)
class Fault:
    """Rule of a fault. The first rule that is due disturbs the request."""

    effect: Effect
    method: str | None = None
    """HTTP method; None matches every method."""
    path: str = ""
    """Regular expression to search in path and query, such as `page=2`.

    The path is the part below /client/v4.
    """
    nth: int = 1
    """Number of the first matching request that is disturbed, from 1."""
    times: int | None = 1
    """Number of matching requests to disturb from nth on; None is all."""
    matched: int = field(default=0, init=False)
    """Number of requests that have matched so far, disturbed or not."""

    @property
    def name(self) -> str:
        """Name of the fault in recorded requests."""
        return type(self.effect).__name__.lower()

    def is_due(self, method: str, target: str) -> bool:
        """Count the request if it matches, and return whether to disturb it."""
        if self.method not in (None, method) or not re.search(self.path, target):
            return False
        self.matched += 1
        return self.nth <= self.matched and (self.times is None or self.matched < self.nth + self.times)


BY_NAME: dict[str, Callable[..., Effect]] = {
    "respond": Respond,
    "reset": Reset,
    "stall": Stall,
    "cut": Cut,
    "endless": Endless,
    "merge": Merge,
}
"""Effects that can be written in JSON."""


def parse(rules: Any) -> list[Fault]:
    """Parse rules from JSON: members of Fault, and those of its effect.

    `effect` is the name of the effect:
    {"method": "PUT", "path": "/batch", "nth": 2, "effect": "respond", "status": 503}.

    Raises:
        TypeError, ValueError: The value is not a list of valid rules.
    """
    if not isinstance(rules, list):
        raise TypeError("not a list of rules")
    return [_parsed(**rule) for rule in rules]


def _parsed(
    effect: str, method: str | None = None, path: str = "", nth: int = 1, times: int | None = 1, **values: Any
) -> Fault:
    try:
        re.compile(path)
    except re.error as error:
        raise ValueError(f"path: {error}") from None
    if effect not in BY_NAME:
        raise ValueError(f"effect: {effect!r:.80} is none of {', '.join(BY_NAME)}")
    return Fault(effect=BY_NAME[effect](**values), method=method, path=path, nth=nth, times=times)


class Disturbance:
    """Middleware that disturbs requests by the rules of the settings."""

    def __init__(self, app: WSGIApplication, settings: Settings, requests: list[Recorded]) -> None:
        """Wrap the API.

        Requests that do not reach the API are appended to `requests`.
        """
        self._app = app
        self._settings = settings
        self._requests = requests
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        fault = self._due(request)
        if fault is None:
            return self._app(environ, start_response)
        environ[FAULT] = fault.name
        exchange = Exchange(request, self._app, self._requests.append)
        response = fault.effect(exchange)
        exchange.record_status(response.status_code)
        return response(environ, start_response)

    def _due(self, request: Request) -> Fault | None:
        target = request.full_path.removesuffix("?")
        with self._lock:
            # Every rule is evaluated, since each counts its matches.
            due = [fault for fault in self._settings.faults if fault.is_due(request.method, target)]
        return due[0] if due else None


def _merged(response: Any, values: Any) -> Any:
    if not isinstance(response, dict) or not isinstance(values, Mapping):
        return values
    return {**response, **{name: _merged(response.get(name), value) for name, value in values.items()}}
