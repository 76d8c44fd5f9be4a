# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong between a client and the API: rules that say which requests are disturbed, and how."""

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
"""Bytes after which even a body without an end has one."""


@dataclass
class Exchange:
    """A request that is disturbed on its way to the API."""

    request: Request
    app: WSGIApplication
    record: Callable[[Recorded], None]
    """The API records what comes to it; this takes what does not."""
    recorded: bool = False

    def serve(self) -> Response:
        """Let the API do what is asked for. Returns the true answer."""
        self.recorded = True
        return Response.from_app(self.app, self.request.environ, buffered=True)

    def answered(self, status: int | None) -> None:
        """See to it that the request is recorded, with this status if it did not come to the API."""
        if not self.recorded:
            self.recorded = True
            self.record(Recorded.of(self.request, status))

    def drop(self, after: float = 0) -> NoReturn:
        """End the connection by a TCP reset, without an answer, after so many seconds of silence."""
        self.answered(None)
        time.sleep(after)
        connection: socket.socket = self.request.environ["werkzeug.socket"]
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The server's files would keep the connection open: take it away from them.
        socket.close(connection.detach())
        raise ConnectionResetError


class Effect(Protocol):
    """How a request is disturbed."""

    def __call__(self, exchange: Exchange, /) -> Response:
        """What the client gets for it, where it gets anything."""


@dataclass(frozen=True)
class Answer:
    """Another answer than the true one. The request is carried out only where it is to be `applied`."""

    status: int = 200
    body: Any = ""
    """Text is sent as it is, and as HTML, all else as JSON."""
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
    """The connection is reset: before the request is carried out or, where that is `applied`, before its answer."""

    applied: bool = False

    def __call__(self, exchange: Exchange) -> Response:
        if self.applied:
            exchange.serve()
        exchange.drop()


@dataclass(frozen=True)
class Stall:
    """Silence for so many seconds, and then a reset."""

    seconds: float
    applied: bool = False

    def __call__(self, exchange: Exchange) -> Response:
        if self.applied:
            exchange.serve()
        exchange.drop(after=self.seconds)


@dataclass(frozen=True)
class Cut:
    """The true answer, whose connection ends after half of the body."""

    def __call__(self, exchange: Exchange) -> Response:
        answer = exchange.serve()
        # The Content-Length stays that of the whole body.
        return Response(self._half(answer.get_data()), answer.status, answer.headers)

    def _half(self, body: bytes) -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionAbortedError


@dataclass(frozen=True)
class Endless:
    """A body of blanks that goes on and on. The request is not carried out."""

    def __call__(self, _exchange: Exchange) -> Response:
        chunk = b" " * 64 * 1024
        return Response((chunk for _number in range(ENDLESS // len(chunk))), mimetype="application/json")


@dataclass(frozen=True)
class Merge:
    """The true answer, with these members in place of its own; objects are merged at any depth."""

    values: Mapping[str, Any]

    def __call__(self, exchange: Exchange) -> Response:
        return Change(lambda answer: _merged(answer, self.values))(exchange)


@dataclass(frozen=True)
class Change:
    """The true answer, changed by a function of its JSON value."""

    change: Callable[[Any], Any]

    def __call__(self, exchange: Exchange) -> Response:
        answer = exchange.serve()
        answer.set_data(json.dumps(self.change(json.loads(answer.get_data()))))
        return answer


@dataclass(frozen=True)
class Meanwhile:
    """Something that somebody else does just before the request, which then is answered as ever."""

    act: Callable[[], object]

    def __call__(self, exchange: Exchange) -> Response:
        self.act()
        return exchange.serve()


@dataclass(kw_only=True)
class Fault:
    """A rule. Where several are due for a request, the first of them disturbs it."""

    effect: Effect
    method: str | None = None
    """None matches all of them."""
    path: str = ""
    """A regular expression, to be found in the path below /client/v4 and its query, such as `page=2`."""
    nth: int = 1
    """The number of the first matching request that is disturbed."""
    times: int | None = 1
    """How many matching requests are disturbed from there on; None is all of them."""
    matched: int = field(default=0, init=False)
    """How many requests have matched so far, disturbed or not."""

    @property
    def name(self) -> str:
        """What recorded requests call it."""
        return type(self.effect).__name__.lower()

    def is_due(self, method: str, target: str) -> bool:
        """Count the request if it matches, and tell whether it is to be disturbed."""
        if self.method not in (None, method) or not re.search(self.path, target):
            return False
        self.matched += 1
        return self.nth <= self.matched and (self.times is None or self.matched < self.nth + self.times)


BY_NAME: dict[str, Callable[..., Effect]] = {
    "answer": Answer,
    "reset": Reset,
    "stall": Stall,
    "cut": Cut,
    "endless": Endless,
    "merge": Merge,
}
"""The effects that can be said in JSON."""


def parse(rules: Any) -> list[Fault]:
    """Rules as JSON has them: the members of Fault, where `effect` is a name, and beside them those of the effect.

    For example {"method": "PUT", "path": "/batch", "nth": 2, "effect": "answer", "status": 503}.

    Raises:
        TypeError, ValueError: They are no list of such rules.
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
    """Stands in front of the API, and disturbs it by the rules of its settings."""

    def __init__(self, app: WSGIApplication, settings: Settings, requests: list[Recorded]) -> None:
        """`requests` is where the API records what comes to it; what does not is added here."""
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
        answer = fault.effect(exchange)
        exchange.answered(answer.status_code)
        return answer(environ, start_response)

    def _due(self, request: Request) -> Fault | None:
        target = request.full_path.removesuffix("?")
        with self._lock:
            # All of them, since each counts what matches.
            due = [fault for fault in self._settings.faults if fault.is_due(request.method, target)]
        return due[0] if due else None


def _merged(answer: Any, values: Any) -> Any:
    if not isinstance(answer, dict) or not isinstance(values, Mapping):
        return values
    return {**answer, **{name: _merged(answer.get(name), value) for name, value in values.items()}}
