# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small files in the formats of the clouds' published ranges, over addresses for documentation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

Entries: TypeAlias = Iterable[tuple[str, str | None]]
"""Prefixes with their regions, None if the cloud names none."""

ENTRIES: dict[str, list[tuple[str, str | None]]] = {
    "aws": [
        ("198.51.100.0/24", "us-west-2"),
        ("198.51.100.64/28", "us-west-2"),  # ambiguous
        ("198.51.100.64/28", "us-east-1"),
        ("198.51.100.128/25", None),
        ("2001:db8:1::/48", "us-west-2"),
        ("2001:db8:1:ff::/64", None),
    ],
    "azure": [
        ("192.0.2.0/24", "eastus2"),
        ("192.0.2.128/26", "germanywc"),  # an old name of germanywestcentral
        ("192.0.2.192/28", None),
        ("192.0.2.208/28", "chilec"),  # chilecentral
        ("192.0.2.224/28", "eastus2"),  # ambiguous
        ("192.0.2.224/28", "centralus"),
        ("2001:db8:3::/48", "eastus2"),
    ],
    "gcp": [
        ("203.0.113.0/26", "us-central1"),
        ("203.0.113.64/28", None),
        ("203.0.113.80/28", "europe-west3"),  # ambiguous, for oci has it too
        ("2001:db8:2::/48", "us-central1"),
        ("2001:db8:2:ff::/64", None),
    ],
    "oci": [
        ("203.0.113.48/28", "us-ashburn-1"),  # inside a prefix of gcp
        ("203.0.113.80/28", "eu-frankfurt-1"),
    ],
}


def write_ranges(folder: Path) -> dict[str, str]:
    """Write a file for each vendor, FOLDER/VENDOR.json. Returns their paths by vendor."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {vendor: folder / f"{vendor}.json" for vendor in ENTRIES}
    for vendor, path in paths.items():
        path.write_text(published(vendor, ENTRIES[vendor]))
    return {vendor: str(path) for vendor, path in paths.items()}


def published(vendor: str, entries: Entries, version: int = 1) -> str:
    """Return the text of a vendor's file, with repeated prefixes like the real ones."""
    return json.dumps(SHAPES[vendor](list(entries), version), indent=2)


def _aws(entries: Entries, version: int) -> dict[str, Any]:
    def listed(version: int, key: str) -> list[dict[str, str]]:
        return [
            {key: prefix, "region": region or "GLOBAL", "service": service, "network_border_group": region or "GLOBAL"}
            for prefix, region in entries
            for service in ("AMAZON", "EC2")
            if _version(prefix) == version
        ]

    return {
        "syncToken": str(version),
        "createDate": "2026-03-01-12-00-00",
        "prefixes": listed(4, "ip_prefix"),
        "ipv6_prefixes": listed(6, "ipv6_prefix"),
    }


def _azure(entries: Entries, version: int) -> dict[str, Any]:
    def tag(name: str, region: str, prefixes: Iterable[str]) -> dict[str, Any]:
        properties = {
            "changeNumber": version,
            "region": region,
            "regionId": 0,
            "platform": "Azure",
            "systemService": "" if name.startswith("AzureCloud") else name.partition(".")[0],
            "addressPrefixes": list(prefixes),
            "networkFeatures": ["API", "NSG"],
        }
        return {"name": name, "id": name, "properties": properties}

    entries = list(entries)
    regions = {region: None for _prefix, region in entries if region}
    of_regions = {region: [prefix for prefix, other in entries if other == region] for region in regions}
    everything = [prefix for prefix, _region in entries]
    return {
        "changeNumber": version,
        "cloud": "Public",
        "values": [
            # A service's addresses say nothing of the region.
            tag("ActionGroup", "", [prefix for prefix, region in entries if region][:1]),
            *(tag(f"AzureCloud.{region}", region, prefixes) for region, prefixes in of_regions.items()),
            *(tag(f"Storage.{region}", region, prefixes) for region, prefixes in of_regions.items()),
            tag("AzureCloud", "", everything),
        ],
    }


def _gcp(entries: Entries, version: int) -> dict[str, Any]:
    return {
        "syncToken": str(1_772_366_400_000 + version),
        "creationTime": f"2026-03-{version:02}T12:00:00.000000",
        "prefixes": [
            {f"ipv{_version(prefix)}Prefix": prefix, "service": "Google Cloud", "scope": region or "global"}
            for prefix, region in entries
        ],
    }


def _oci(entries: Entries, version: int) -> dict[str, Any]:
    entries = list(entries)
    return {
        "last_updated_timestamp": f"2026-03-{version:02}T12:00:00.000000",
        "regions": [
            {
                "region": region,
                "cidrs": [{"cidr": prefix, "tags": ["OCI"]} for prefix, other in entries if other == region],
            }
            for region in dict.fromkeys(region for _prefix, region in entries)
        ],
    }


def _version(prefix: str) -> int:
    return 6 if ":" in prefix else 4


SHAPES: dict[str, Callable[[Entries, int], dict[str, Any]]] = {
    "aws": _aws,
    "azure": _azure,
    "gcp": _gcp,
    "oci": _oci,
}
