# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give the emulated zone of the demo DNS records and a load balancer, and write files of published ranges."""

from __future__ import annotations

import sys
from pathlib import Path

import requests

from support.published_ranges import write_ranges

RECORDS = [
    {"type": "A", "name": "www.example.com", "content": "192.0.2.40", "proxied": True},
    {"type": "AAAA", "name": "www.example.com", "content": "2001:db8:3::40", "proxied": True},
    {"type": "CNAME", "name": "blog.example.com", "content": "blog.example.net", "proxied": True},
]
ORIGINS = [
    {"name": "gcp-1", "address": "203.0.113.20", "enabled": True},
    {"name": "oci-1", "address": "203.0.113.50", "enabled": True},
    {"name": "old", "address": "203.0.113.21", "enabled": False},
]


def main() -> None:
    control, folder = sys.argv[1], Path(sys.argv[2])
    [pool] = _put(f"{control}/accounts/Example/pools", [{"name": "app", "enabled": True, "origins": ORIGINS}])["pools"]
    balancer = {
        "name": "app.example.com",
        "enabled": True,
        "proxied": True,
        "default_pools": [pool],
        "fallback_pool": pool,
    }
    _put(f"{control}/zones/example.com", {"dns_records": RECORDS, "load_balancers": [balancer]})
    write_ranges(folder)


def _put(url: str, body: object) -> dict[str, list[str]]:
    response = requests.put(url, json=body, timeout=10)
    response.raise_for_status()
    return dict(response.json())


if __name__ == "__main__":
    main()
