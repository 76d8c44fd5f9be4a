# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Structure of audit reports as plain data.

The audit writes it, the report formats read it. Tests compare the role's report.schema.json and the module's RETURN
with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

SCHEMA_VERSION = 2

KINDS = (
    "missing",
    "wrong",
    "stale",
    "contradicted",
    "unsupported",
    "misrouted",
    "unresolved",
    "near_limit",
    "without_effect",
    "no_origins",
)
"""Kinds of findings, in the order of a report."""

FAILING_KINDS = ("missing", "wrong", "stale", "contradicted", "unsupported", "no_origins")
"""Kinds that fail an audit by default."""

# A shape is the name of a type, [shape] for a list, {key: shape} for a dictionary (of any keys if the key is *), or
# (shape,) if null is possible.
ZONE = {"zone": ("text",), "zone_id": ("text",), "account_id": ("text",)}
LOCATION = {"vendor": "text", "region": "text"}
MAPPING = {"origin_ip": "address", **LOCATION}
LIMIT = {"code": "text", "reason": "text", "names": ["text"]}
TRAFFIC = {
    "since": ("time",),
    "until": ("time",),
    "origins": [
        {
            "origin_ip": "address",
            "vendor": ("text",),
            "region": ("text",),
            "requests": ("number",),
            "direct": ("number",),
            "upper_tiers": [{"colo": "text", "requests": "number", "share": "percentage", "expected": ("flag",)}],
            "expected": ["text"],
            "share_expected": ("percentage",),
            "published": ([{**LOCATION, "region": ("text",)}],),
        }
    ],
    "not_available": (LIMIT,),
    "limits": [LIMIT],
    "error": ("text",),
}
ZONE_REPORT: dict[str, Any] = {
    "schema_version": "version",
    **ZONE,
    "api_version": ("text",),
    "audited_on": "time",
    "error": ("text",),
    "sources": ["text"],
    "only_in": {"*": ["address"]},
    "ranges": {"*": "time"},
    "tiered_cache": ("flag",),
    "smart_tiered_cache": ("flag",),
    "obtained_codes": ("flag",),
    "total_count": "number",
    "limit": "number",
    "checked": ["kind"],
    "not_checked": {"*": "text"},
    "unavailable": ["kind"],
    "counts": dict.fromkeys(KINDS, "number"),
    "findings": [
        {
            "kind": "kind",
            "origin_ip": ("address",),
            "hosts": ["text"],
            "actual": (LOCATION,),
            "expected": ({**LOCATION, "region": ("text",)},),
            "actual_colos": ["text"],
            "expected_colos": ["text"],
            "message": "text",
        }
    ],
    "mappings": [
        {
            **MAPPING,
            "modified_on": ("text",),
            "upper_tier_colos": ["text"],
            "hosts": ["text"],
            "findings": ["kind"],
        }
    ],
    "repair": {"present": [MAPPING], "absent": [MAPPING]},
    "traffic": (TRAFFIC,),
}


def format_time(time: datetime) -> str:
    """Format a time in UTC as in reports, by RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
