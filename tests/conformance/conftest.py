# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: an emulator behind Stoplight Prism.

Prism is a proxy that validates against an OpenAPI description.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest
import requests

from emulator.server import HOST, Emulator
from unit.conftest import plain_environment, pytest_configure, pytest_unconfigure

__all__ = ["plain_environment", "pytest_configure", "pytest_unconfigure"]  # for this directory too

CHECKOUT = Path(__file__).parents[2]
PRISM = CHECKOUT / ".cache" / "prism" / "node_modules" / ".bin" / "prism"
DESCRIPTION = os.environ["ORIGINOPS_OPENAPI"]

REQUEST = re.compile(r"\[HTTP SERVER\] (\w+ \S+) .*Request received")
VIOLATION = re.compile(r"\[VALIDATOR\] .*Violation: (.*)")
UNDESCRIBED = "request Selected route not found"

START_SECONDS = 60


class ValidatingProxy:
    """Prism in front of an emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        with socket.create_server((HOST, 0)) as listener:
            port = listener.getsockname()[1]
        self.url = f"http://{HOST}:{port}"
        self._numbers = count()
        self._lines: Queue[str] = Queue()
        self._process = subprocess.Popen(
            [PRISM, "proxy", DESCRIPTION, emulator.api_url, "--host", HOST, "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )
        self._reader = Thread(target=self._read)
        self._reader.start()
        try:
            self._read_until("Prism is listening")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line)

    def _read_until(self, text: str) -> list[str]:
        """Return the lines before the one with a text."""
        lines: list[str] = []
        while not lines or text not in lines[-1]:
            try:
                lines.append(self._lines.get(timeout=START_SECONDS))
            except Empty:
                pytest.fail(f"Prism does not print {text!r}:\n{''.join(lines)}", pytrace=False)
        return lines[:-1]

    def findings(self) -> tuple[list[str], list[str]]:
        """Return violations and undescribed requests since the last call."""
        # Prism prints violations after its response, so this waits for the report of another request.
        mark = f"/mark{next(self._numbers)}"
        requests.get(f"{self.url}{mark}", timeout=START_SECONDS)
        violations, undescribed = [], []
        request = None
        for line in self._read_until(mark):
            if found := REQUEST.search(line):
                request = found[1]
            elif request and (found := VIOLATION.search(line)):  # before the first request: about the last mark
                if found[1].strip() == UNDESCRIBED:
                    undescribed.append(request)
                else:
                    violations.append(f"{request}: {found[1].strip()}")
        return violations, undescribed


@pytest.fixture(scope="session")
def proxy() -> Iterator[ValidatingProxy]:
    with Emulator() as emulator:
        proxy = ValidatingProxy(emulator)
        yield proxy
        proxy.close()
