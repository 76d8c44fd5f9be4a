# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Internet services on the loopback interface, under their own names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from emulator.server import HOST
from support.network import Authority, Proxy
from support.stub import Request, Responder, Response, Stub


@contextmanager
def internet(folder: Path, services: Mapping[str, Responder]) -> Iterator[dict[str, str]]:
    """Run services by their host names, and yield an environment for clients.

    In this environment clients reach the services and nothing else.
    """

    def response(request: Request) -> Response | None:
        return services[request.headers["Host"].partition(":")[0]](request)

    authority = Authority(folder)
    with Stub(response, authority.serving(*services)) as stub, Proxy(service=stub.server_port) as proxy:
        yield {
            "HTTPS_PROXY": f"http://{HOST}:{proxy.port}",
            "NO_PROXY": HOST,
            "REQUESTS_CA_BUNDLE": str(authority.path),
        }
