# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The structure of audit reports as plain data: the audit writes it, the report formats read it.

The role audit's report.schema.json, the module's RETURN and the role's empty report follow it, which tests hold.
"""

from __future__ import annotations

from typing import Any

SCHEMA_VERSION = 1

KINDS = ("missing", "wrong", "stale", "contradicted", "unsupported", "unresolved", "near_limit", "without_effect")
"""Kinds of findings, in the order of a report."""

# A shape is the name of a type, [shape] for a list, {key: shape} for a dictionary, or (shape,) if null is possible.
LOCATION = {"vendor": "text", "region": "text"}
MAPPING = {"origin_ip": "address", **LOCATION}
ZONE_REPORT: dict[str, Any] = {
    "schema_version": "version",
    "zone_id": ("text",),
    "zone": ("text",),
    "api_version": ("text",),
    "audited_on": "time",
    "error": ("text",),
    "tiered_cache": ("flag",),
    "smart_tiered_cache": ("flag",),
    "obtained_codes": ("flag",),
    "compared": "flag",
    "total_count": "number",
    "limit": "number",
    "counts": dict.fromkeys(KINDS, "number"),
    "findings": [
        {
            "kind": "kind",
            "origin_ip": ("address",),
            "hosts": ["text"],
            "actual": (LOCATION,),
            "expected": ({**LOCATION, "region": ("text",)},),
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
}
