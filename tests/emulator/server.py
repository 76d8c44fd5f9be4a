# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP server of the emulator on the loopback interface."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from threading import Event, Thread
from types import TracebackType
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_input_stream

from .app import QUERIES, Recorded, create_api
from .control import create_control
from .faults import Disturbance
from .settings import Settings
from .state import State, Zone

HOST = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    """Request handler that keeps connections alive, unlike its base class."""

    protocol_version = "HTTP/1.1"
    # A response is two writes, head and body: if delayed, the second would wait for the client's delayed ACK.
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        # Read the whole body: an unread rest would be parsed as the next request.
        environ["wsgi.input"] = BytesIO(get_input_stream(environ).read())
        with Response.from_app(self.server.app, environ) as response:
            self.send_response(response.status_code)
            for name, value in response.headers:
                self.send_header(name, value)
            if "Content-Length" not in response.headers:
                # The end of the connection marks the end of the body.
                self.send_header("Connection", "close")
            self.end_headers()
            for chunk in response.iter_encoded():
                self.wfile.write(chunk)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing; the emulator records requests itself."""


class _Server(ThreadedWSGIServer):
    """Server that, when it closes, ends the clients' open connections."""

    def __init__(self, listener: socket.socket, app: Any) -> None:
        self._connections: set[socket.socket] = set()
        host, port = listener.getsockname()
        super().__init__(host, port, app, _Handler, fd=listener.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@dataclass(kw_only=True, eq=False)
class Emulator(Settings):
    """Emulated API, running inside a `with` block.

    Settings can be changed while the emulator runs. `api` is the Flask application below /client/v4; wrap
    `api.wsgi_app` to observe its traffic, and set `faults` to disturb it.

    Raises:
        OSError: On entering the block, if the port is not available.
    """

    port: int = 0
    """Port number; 0 picks a free port, and is replaced by its number."""

    def __post_init__(self) -> None:
        self.requests: list[Recorded] = []
        """All requests below /client/v4, in the order of their responses.

        Requests that did not reach the API are included.
        """
        self._state = State(self)
        self.add_zone = self._state.set_zone
        self.set_pools = self._state.set_pools
        self._stop = Event()
        self.api = create_api(self, self._state, self.requests)

    def __enter__(self) -> Emulator:
        control = create_control(self, self._state, self.requests, self._stop.set)
        disturbed = Disturbance(self.api, self, self.requests)
        app = DispatcherMiddleware(NotFound(), {"/client/v4": disturbed, "/emulator": control})
        with socket.create_server((HOST, self.port), backlog=128) as listener:
            self._server = _Server(listener, app)
        self.port = self._server.port
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.002}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()

    def wait(self, timeout: float) -> None:
        """Wait for a stop request, at most `timeout` seconds."""
        self._stop.wait(timeout)

    @property
    def zones(self) -> list[Zone]:
        """All zones, in the order of their creation."""
        return list(self._state.zones.values())

    @property
    def api_url(self) -> str:
        """Base URL of the API for clients."""
        return f"http://{HOST}:{self.port}/client/v4"

    @property
    def control_url(self) -> str:
        """Base URL of the control endpoints."""
        return f"http://{HOST}:{self.port}/emulator"

    @property
    def writes(self) -> list[Recorded]:
        """Recorded requests other than GET and queries."""
        return [recorded for recorded in self.requests if recorded.method != "GET" and recorded.path != QUERIES]
