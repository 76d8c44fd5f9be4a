# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Emulated service in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any
from urllib.request import Request, urlopen

from .work import Mapping

LIFETIME = 3600
"""Seconds after which the service stops by itself."""

QUOTA = 10**9
"""Requests in a window, if the rate limit is not measured."""

WINDOW = 300
"""Seconds."""


@dataclass(frozen=True)
class Service:
    """Addresses of the service, and controls that only an emulated one has."""

    api_url: str
    control_url: str
    token: str

    def set_zone(self, name: str, mappings: Iterable[Mapping] = ()) -> str:
        """Replace the mappings of a zone, and return its identifier."""
        values = {mapping["origin_ip"]: (mapping["vendor"], mapping["region"]) for mapping in mappings}
        identifier: str = self._control("PUT", f"/zones/{name}", {"mappings": values})["id"]
        return identifier

    def holds(self, name: str, mappings: Iterable[Mapping]) -> bool:
        """Check whether a zone has exactly these mappings."""
        values = {mapping["origin_ip"]: [mapping["vendor"], mapping["region"]] for mapping in mappings}
        return bool(self._control("PUT", f"/zones/{name}", {})["mappings"] == values)

    def requests(self) -> int:
        """Return the number of requests received."""
        return len(self.recorded())

    def recorded(self) -> list[dict[str, Any]]:
        """Return every request received, in the format of emulator.app.Recorded."""
        recorded: list[dict[str, Any]] = self._control("GET", "/requests")
        return recorded

    def forget_requests(self) -> None:
        """Forget the requests received so far."""
        self._control("DELETE", "/requests")

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.control_url + path, data, method=method)) as response:
            return json.load(response)


@contextmanager
def emulated(latency: int, quota: int = QUOTA, window: int = WINDOW) -> Iterator[Service]:
    """Start a service; latency is in milliseconds, window in seconds."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(latency / 1000, quota, window, theirs), daemon=True)
    process.start()
    # Each process has one end only, so that it notices the end of the other, for any reason.
    theirs.close()
    try:
        yield Service(*ours.recv())
    finally:
        ours.close()
        process.join()


def _serve(latency: float, quota: int, window: int, channel: Connection) -> None:
    # The process that starts the measured ones does not import it: Linux counts its memory as theirs.
    from emulator.server import Emulator  # noqa: PLC0415

    with Emulator(latency=latency, quota=quota, window=window) as emulator:
        channel.send((emulator.api_url, emulator.control_url, emulator.token))
        channel.poll(LIFETIME)
