# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mappings and refusals in the formats of the emulator.

Mappings also in those of options and results.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emulator import faults
from emulator.server import Emulator

Values = dict[str, tuple[str, str]]
"""Mappings of the emulator's zones: vendor and region by address."""

TOKEN = Emulator.token
ZONE_ID = "023e105f4ecef8ad9ca31a8372d0c353"


def fleet(count: int, region: str = "us-east-1", *, start: int = 0) -> Values:
    """Return mappings of consecutive addresses."""
    return {f"10.0.{number // 256}.{number % 256}": ("aws", region) for number in range(start, start + count)}


def items(mappings: Values) -> list[dict[str, str]]:
    """Return mappings in the format of options and results."""
    return [
        {"origin_ip": address, "vendor": vendor, "region": region} for address, (vendor, region) in mappings.items()
    ]


def as_values(listed: Iterable[Mapping[str, Any]]) -> Values:
    """Return the mappings of a result."""
    return {item["origin_ip"]: (item["vendor"], item["region"]) for item in listed}


def refusal(status: int, code: int, **headers: str) -> faults.Respond:
    """Return an error in the API's envelope that leaks the credentials."""
    errors = [{"code": code, "message": f"It was refused for {TOKEN}"}]
    envelope = {"success": False, "errors": errors, "messages": [], "result": None}
    return faults.Respond(status, envelope, {name.replace("_", "-"): value for name, value in headers.items()})
