# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Summary of the demonstration: the traffic of an origin before and after the repair of its mapping."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def origin(directory: str, address: str) -> dict[str, Any]:
    """Return the traffic of an origin in the report of an audit."""
    report = json.loads(Path(directory, "report.json").read_text("utf-8"))
    [zone] = report["zones"]
    return next(origin for origin in zone["traffic"]["origins"] if origin["origin_ip"] == address)


def main(audit: str, repaired: str, address: str) -> None:
    after = origin(repaired, address)
    nearby = after["expected"]
    before = sum(tier["share"] for tier in origin(audit, address)["upper_tiers"] if tier["colo"] in nearby)
    print("\n# 9. Did the repair help? The traffic, made by the emulator, which lets it follow the mappings:")
    print(
        f"requests to {address} through {' or '.join(nearby)}, near {after['region']}: "
        f"{before:.0f} % before the repair, {after['share_expected']:.0f} % now"
    )
    print(f"\nOpen {audit}/report.html for the findings, the repair and the traffic of the audit in step 6.")


main(*sys.argv[1:])
