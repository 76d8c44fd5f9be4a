# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command `python -m emulator` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Yield a function to start the command on a free port.

    The ready file is in the temporary directory.
    """
    started = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "emulator", "--port", "0", "--ready-file", str(tmp_path / "ready.json")]
        process = subprocess.Popen(
            [*command, *arguments],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ready(folder: Path) -> dict[str, Any]:
    """Wait for the ready file, and return its content."""
    file = folder / "ready.json"
    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return json.loads(file.read_text())


def stop(content: dict[str, Any], _process: subprocess.Popen[str]) -> None:
    assert requests.post(f"{content['control_url']}/stop", timeout=10).status_code == 200


@pytest.mark.parametrize(
    "end",
    [
        stop,
        lambda _content, process: process.send_signal(signal.SIGTERM),
        lambda _content, process: process.send_signal(signal.SIGINT),
    ],
    ids=["stop endpoint", "SIGTERM", "Ctrl-C"],
)
def test_life(tmp_path: Path, run: Run, end: Callable[[dict[str, Any], subprocess.Popen[str]], None]) -> None:
    process = run()
    content = ready(tmp_path)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {content['token']}"
        zone_id = content["zones"]["example.com"]
        assert session.get(f"{content['api_url']}/zones/{zone_id}/origin/cloud_regions").status_code == 200
        # The command ends although a connection is open.
        end(content, process)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (0, "")
    assert not list(tmp_path.iterdir())
    assert f"  example.com {zone_id}\n" in out
    assert f"CLOUDFLARE_BASE_URL={content['api_url']}\n" in out
    assert f"CLOUDFLARE_API_TOKEN={content['token']}\n" in out


def test_lifetime(run: Run) -> None:
    process = run("--lifetime", "0.1")
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_options(tmp_path: Path, run: Run) -> None:
    run("--zone", "example.net", "example.org", "--api-versions", "v2", "--no-tiered-cache", "--quota", "3")
    content = ready(tmp_path)
    assert list(content["zones"]) == ["example.net", "example.org"]
    zone_url = f"{content['api_url']}/zones/{content['zones']['example.org']}"
    headers = {"X-Auth-Email": content["email"], "X-Auth-Key": content["key"]}
    responses = [
        requests.get(zone_url + path, headers=headers, timeout=10)
        for path in (
            "/origin/cloud_regions",
            "/cache/origin_cloud_regions",
            "/origin/cloud_regions/supported_regions",
            "",
        )
    ]
    assert [response.status_code for response in responses] == [200, 400, 403, 429]


def test_bad_starts(tmp_path: Path, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for arguments in (("--port", str(port)), ("--port", "65536"), ("--ready-file", str(tmp_path / "none" / "x"))):
            process = run(*arguments)
            _out, err = process.communicate(timeout=10)
            assert process.returncode == 2
            assert err.startswith("The emulator can't start: ")
            assert err.count("\n") == 1
