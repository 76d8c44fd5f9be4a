# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files in the formats of the clouds' published ranges.

There are small ones, and ones of real size. Their addresses are for documentation, or reserved.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

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


Network: TypeAlias = IPv4Network | IPv6Network


class Size(NamedTuple):
    """Size and spread of a vendor's file.

    ipv4 and ipv6 are numbers of different prefixes, without_region is the share of those without a region.
    """

    ipv4: int
    ipv6: int
    regions: int
    without_region: float
    ipv4_lengths: range
    ipv6_lengths: range


SIZES = {
    "aws": Size(8_300, 2_700, 38, 0.1, range(11, 33), range(36, 65)),
    "azure": Size(9_600, 3_500, 75, 0.02, range(13, 33), range(36, 58)),
    "gcp": Size(740, 60, 46, 0.05, range(14, 30), range(44, 49)),
    "oci": Size(900, 0, 48, 0, range(14, 30), range(44, 49)),
}
"""Sizes close to those of the real files."""


@cache
def real_entries(vendor: str) -> list[tuple[str, str | None]]:
    """Return as many prefixes as a vendor publishes, the same at each call.

    All are in 240.0.0.0/4 and 2001:db8::/32, which the vendors share.
    """
    size = SIZES[vendor]
    chance = random.Random(vendor)
    regions = [f"{vendor}-region-{number}" for number in range(size.regions)]
    entries: dict[tuple[str, str | None], None] = {}
    for number, lengths, everything in (
        (size.ipv4, size.ipv4_lengths, IPv4Network("240.0.0.0/4")),
        (size.ipv6, size.ipv6_lengths, IPv6Network("2001:db8::/32")),
    ):
        prefixes: set[str] = set()
        while len(prefixes) < number:
            # The longer of two lengths, since long prefixes are more frequent.
            block = _part(chance, everything, max(chance.choice(lengths), chance.choice(lengths)))
            region = chance.choice(regions)
            # Prefixes overlap: a block contains others, most of them of the same region.
            parts = [
                _part(chance, block, chance.randint(block.prefixlen, lengths[-1]))
                for _number in range(chance.randrange(6))
            ]
            for network in [block, *parts][: number - len(prefixes)]:
                place = region if chance.random() < 0.9 else chance.choice(regions)
                prefixes.add(str(network))
                entries[str(network), None if chance.random() < size.without_region else place] = None
    return list(entries)


def _part(chance: random.Random, network: Network, length: int) -> Network:
    """Return a random network of this length inside another."""
    offset = chance.getrandbits(length - network.prefixlen) << (network.max_prefixlen - length)
    return type(network)((int(network.network_address) + offset, length))


def real_file(vendor: str) -> str:
    """Return the text of a file with as many prefixes as a vendor publishes."""
    document = SHAPES[vendor](real_entries(vendor), 1)
    if vendor == "azure":
        # The tags of services repeat the prefixes of regions.
        regional = [tag for tag in document["values"] if tag["name"].startswith("AzureCloud.")]
        for service in range(5):
            names = [f"Service{service}.{tag['properties']['region']}" for tag in regional]
            document["values"] += [{**tag, "name": name, "id": name} for tag, name in zip(regional, names, strict=True)]
    return json.dumps(document)


def write_ranges(folder: Path) -> dict[str, str]:
    """Write a file VENDOR.json for each vendor, and return paths by vendor."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {vendor: folder / f"{vendor}.json" for vendor in ENTRIES}
    for vendor, path in paths.items():
        path.write_text(published(vendor, ENTRIES[vendor]))
    return {vendor: str(path) for vendor, path in paths.items()}


def published(vendor: str, entries: Entries, version: int = 1) -> str:
    """Return the text of a vendor's file.

    Prefixes are repeated as in the real files.
    """
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
            # The addresses of a service do not show a region.
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
