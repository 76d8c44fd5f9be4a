# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests of another program, sent again by threads."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Any

import requests

THREADS = 16


def main() -> None:
    """Read requests from stdin, send them, and print the seconds it took."""
    job = json.load(sys.stdin)
    threads = local()

    def send(request: dict[str, Any]) -> bool:
        if not hasattr(threads, "session"):
            threads.session = requests.Session()
            threads.session.headers["Authorization"] = f"Bearer {job['token']}"
        url = job["api_url"] + request["path"]
        response = threads.session.request(request["method"], url, params=request["query"], json=request["body"])
        return bool(response.json()["success"])

    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(send, job["requests"]))
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
