# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reader and parser of the files of address ranges that clouds publish."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, TypeAlias

from .._errors import InvalidInput
from .._messages import quote

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Bytes. The largest of the four, Azure's, has a few mebibytes."""

SIGNATURE_KEYS = {"aws": "ipv6_prefixes", "azure": "values", "oci": "regions", "gcp": "prefixes"}
"""Member that identifies a vendor's file. gcp is last: aws has it too."""

VERSION_KEYS = {
    "aws": "syncToken",
    "azure": "changeNumber",
    "gcp": "creationTime",
    "oci": "last_updated_timestamp",
}
"""Member that changes with each publication."""

VERSION_PARTS = re.compile(
    r"([0-9]{1,20})|([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})[0-9.:+Z-]{0,20}"
)
"""Versions that can be compared: a number, or a time down to the second."""

NO_REGION = frozenset({"", "GLOBAL", "global"})

AZURE_ALIASES = {
    "brazilse": "brazilsoutheast",
    "centralfrance": "francecentral",
    "chilec": "chilecentral",
    "germanyn": "germanynorth",
    "germanywc": "germanywestcentral",
    "norwaye": "norwayeast",
    "norwayw": "norwaywest",
    "southfrance": "francesouth",
    "switzerlandn": "switzerlandnorth",
    "switzerlandw": "switzerlandwest",
    "usstagec": "southcentralusstg",
    "usstagee": "eastusstg",
}
"""Names in Azure's file that differ from the present name of the region."""

Table: TypeAlias = dict[int, dict[int, tuple["str | None", ...]]]
"""Regions, None for no region, by prefix length and bits of the prefix as a number."""

PREFIX_LENGTHS = {str(length): length for length in range(129)}


@dataclass(frozen=True)
class VendorRanges:
    """Parsed file of a vendor.

    version is None if the file has none; tables are by IP version, 4 and 6.
    """

    vendor: str
    version: str | None
    tables: dict[int, Table]

    @property
    def prefixes(self) -> int:
        """Number of prefixes, each counted once."""
        return sum(len(networks) for table in self.tables.values() for networks in table.values())

    def is_older_than(self, other: VendorRanges) -> bool:
        """Compare the versions of two files of a vendor.

        False if they cannot be compared.
        """
        parts, other_parts = _version_parts(self.version), _version_parts(other.version)
        return len(parts) == len(other_parts) and parts < other_parts


def read_file(vendor: str, path: str) -> bytes:
    """Read a vendor's file, or the beginning of one that is too large.

    Raises InvalidInput.
    """
    with invalid_if_unreadable(vendor, path):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InvalidInput(f"{vendor}: {path!r} is not a file")
        with open(path, "rb") as file:
            return file.read(MAX_FILE_BYTES + 1)


def parse_ranges(vendor: str, content: bytes, name: str) -> VendorRanges:
    """Parse the content of a vendor's file.

    name is that of the file in messages. Raises InvalidInput for anything else.
    """
    if len(content) > MAX_FILE_BYTES:
        raise InvalidInput(f"{vendor}: {name!r} is larger than {MAX_FILE_BYTES // 1024**2} MiB")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        start = content[:200].decode(errors="replace").strip()
        reason = f"it begins with {quote(start)}" if start else "it is empty"
        raise InvalidInput(f"{vendor}: {name!r} is not JSON, or not all of it: {reason}") from None
    members = document if isinstance(document, dict) else {}
    publisher = next((other for other, key in SIGNATURE_KEYS.items() if key in members), None)
    if publisher != vendor:
        reason = (
            f"it has the format of the file of {publisher}"
            if publisher
            else f"it has no member {SIGNATURE_KEYS[vendor]}"
        )
        raise InvalidInput(f"{vendor}: {name!r} is not the file of ranges that this vendor publishes: {reason}")
    tables: dict[int, Table] = {4: {}, 6: {}}
    try:
        # Files repeat prefixes for each service.
        for prefix, region in dict.fromkeys(READERS[vendor](document)):
            try:
                version, length, network = _parse_prefix(prefix)
            except (KeyError, OSError, ValueError):
                raise InvalidInput(f"{vendor}: {name!r} has the malformed prefix {quote(prefix)}") from None
            networks = tables[version].setdefault(length, {})
            regions = networks.get(network, ())
            region_or_none = None if region in NO_REGION else region
            if region_or_none not in regions:
                networks[network] = (*regions, region_or_none)
    except (AttributeError, KeyError, TypeError):
        raise InvalidInput(f"{vendor}: {name!r} has an entry in another format than this vendor's") from None
    version_text = document.get(VERSION_KEYS[vendor])
    ranges = VendorRanges(vendor, str(version_text) if isinstance(version_text, (str, int)) else None, tables)
    if not ranges.prefixes:
        raise InvalidInput(f"{vendor}: {name!r} has no prefixes with regions")
    return ranges


@contextmanager
def invalid_if_unreadable(vendor: str, path: str) -> Iterator[None]:
    """Raise InvalidInput for errors of reading a file."""
    try:
        yield
    except FileNotFoundError:
        raise InvalidInput(f"{vendor}: there is no file {path!r}") from None
    except (OSError, ValueError) as error:  # ValueError: an impossible path
        raise InvalidInput(f"{vendor}: cannot read {path!r}: {getattr(error, 'strerror', error)}") from None


def _version_parts(version: str | None) -> list[int]:
    """Return the numbers in a version, the most significant first.

    A version of another form has none.
    """
    match = VERSION_PARTS.fullmatch(version or "")
    return [int(part) for part in match.groups() if part] if match else []


def _parse_prefix(text: str) -> tuple[int, int, int]:
    """Parse a prefix into IP version, length and bits of the network.

    The bits are a number. Objects of ipaddress take ten times as long. Raises KeyError, OSError and ValueError.
    """
    address, slash, length_text = text.partition("/")
    family, version, bits = (AF_INET6, 6, 128) if ":" in address else (AF_INET, 4, 32)
    number = int.from_bytes(inet_pton(family, address), "big")
    length = PREFIX_LENGTHS[length_text] if slash else bits
    network = number >> (bits - length)  # a negative shift is a ValueError
    if network << (bits - length) != number:
        raise ValueError("bits of a host are set")
    return version, length, network


def _read_aws(document: Any) -> Iterator[tuple[str, str]]:
    for family, key in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        for entry in document[family]:
            yield entry[key], _require_text(entry["region"])


def _read_azure(document: Any) -> Iterator[tuple[str, str]]:
    for tag in document["values"]:
        # Tags of services repeat parts of these, some without the region that the addresses are in.
        if tag["name"].partition(".")[0] == "AzureCloud":
            region = _require_text(tag["properties"]["region"])
            region = AZURE_ALIASES.get(region, region)
            for prefix in tag["properties"]["addressPrefixes"]:
                yield prefix, region


def _read_gcp(document: Any) -> Iterator[tuple[str, str]]:
    for entry in document["prefixes"]:
        yield entry["ipv6Prefix" if "ipv6Prefix" in entry else "ipv4Prefix"], _require_text(entry["scope"])


def _read_oci(document: Any) -> Iterator[tuple[str, str]]:
    for region in document["regions"]:
        for entry in region["cidrs"]:
            yield entry["cidr"], _require_text(region["region"])


def _require_text(value: Any) -> str:
    """Return the value if it is text. Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError
    return value


READERS = {"aws": _read_aws, "azure": _read_azure, "gcp": _read_gcp, "oci": _read_oci}
"""Readers of the prefixes and regions of a document.

They raise AttributeError, KeyError or TypeError for a document of another shape.
"""
