# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address ranges that the clouds publish, and which cloud and region an address is in by them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping as Dict
from contextlib import contextmanager
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, TypeAlias

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    VENDORS,
    Address,
    canonical,
    nearest,
    shorten,
)

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes. The largest of the four, Azure's, has a few mebibytes."""

MARKS = {"aws": "ipv6_prefixes", "azure": "values", "oci": "regions", "gcp": "prefixes"}
"""The member by which a vendor's file is told from the others; that of gcp comes last, for aws has it too."""

VERSIONS = {
    "aws": "syncToken",
    "azure": "changeNumber",
    "gcp": "creationTime",
    "oci": "last_updated_timestamp",
}
"""The member that changes with each publication."""

NO_REGION = frozenset({"", "GLOBAL", "global"})

AZURE_ALIASES = {
    "brazilse": "brazilsoutheast",
    "centralfrance": "francecentral",
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
"""Names of regions in Azure's file that are not those of today."""

Table: TypeAlias = dict[int, dict[int, tuple["str | None", ...]]]
"""The regions of networks, None for no region, by the length of the prefix and then by its bits as a number."""

LENGTHS = {str(length): length for length in range(129)}


@dataclass(frozen=True)
class Published:
    """A vendor's file, understood: the version that it says it is, and its networks by IP version, 4 or 6."""

    vendor: str
    version: str | None
    tables: dict[int, Table]

    @property
    def prefixes(self) -> int:
        """How many there are, each counted once."""
        return sum(len(networks) for table in self.tables.values() for networks in table.values())


@dataclass(frozen=True, slots=True)
class Placement:
    """What a vendor says of a prefix; region is None where it names none."""

    vendor: str
    region: str | None
    prefix: str

    def as_dict(self) -> dict[str, str | None]:
        return {"vendor": self.vendor, "region": self.region, "prefix": self.prefix}


@dataclass(frozen=True, slots=True)
class Location:
    """Where an address is by the published ranges.

    status is found, with one placement; global, with one that has no region; ambiguous, with those that contradict
    each other; or unknown, with none, which is not to say that it is outside of the clouds.
    """

    status: str
    placements: tuple[Placement, ...] = ()


class Ranges:
    """The published ranges of some vendors together."""

    def __init__(self, published: Iterable[Published]) -> None:
        self._published = tuple(published)
        self._lengths = {
            version: sorted({length for one in self._published for length in one.tables[version]}, reverse=True)
            for version in (4, 6)
        }

    @classmethod
    def load(cls, paths: Dict[str, str]) -> Ranges:
        """From the vendors' files. A file that was read before is read again only once it has changed.

        Raises InvalidInput.
        """
        if not paths:
            raise InvalidInput(f"no file of published ranges is given: name one or more of {', '.join(VENDORS)}")
        for vendor, path in paths.items():
            if vendor not in VENDORS:
                raise InvalidInput(f"vendor {shorten(str(vendor))} is unknown: {nearest(str(vendor), VENDORS)}")
            if not isinstance(path, str):
                raise InvalidInput(f"{vendor}: the path of its file is of type {type(path).__name__}, not text")
        return cls(_load(vendor, path) for vendor, path in paths.items())

    def locate(self, address: Address) -> Location:
        """The longest prefix wins, and at equal length one with a region over one without."""
        number, bits = int(address), address.max_prefixlen
        tables = [(one.vendor, one.tables[address.version]) for one in self._published]
        for length in self._lengths[address.version]:
            network = number >> (bits - length)
            found = [
                (vendor, region)
                for vendor, table in tables
                if length in table
                for region in table[length].get(network, ())
            ]
            if found:
                prefix = f"{canonical(type(address)(network << (bits - length)))}/{length}"
                return _judged([Placement(vendor, region, prefix) for vendor, region in found])
        return Location("unknown")


def read_file(vendor: str, path: str) -> bytes:
    """What is in a vendor's file, or the beginning of one that is too large. Raises InvalidInput."""
    with _explained(vendor, path):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InvalidInput(f"{vendor}: {path!r} is not a file")
        with open(path, "rb") as file:
            return file.read(LARGEST_FILE + 1)


def parse(vendor: str, content: bytes, name: str) -> Published:
    """Understand a vendor's file; name is what messages call it. Raises InvalidInput for everything else."""
    if len(content) > LARGEST_FILE:
        raise InvalidInput(f"{vendor}: {name!r} is larger than {LARGEST_FILE // 1024**2} MiB")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        start = content[:200].decode(errors="replace").strip()
        what = f"it begins with {shorten(start)}" if start else "it is empty"
        raise InvalidInput(f"{vendor}: {name!r} is not JSON, or not all of it: {what}") from None
    shapes = (shape for shape, mark in MARKS.items() if isinstance(document, dict) and mark in document)
    shape = next(shapes, None)
    if shape != vendor:
        what = f"it is in the shape of the file of {shape}" if shape else f"it has no member {MARKS[vendor]}"
        raise InvalidInput(f"{vendor}: {name!r} is not the file of ranges that this vendor publishes: {what}")
    tables: dict[int, Table] = {4: {}, 6: {}}
    try:
        # Files repeat themselves for each service.
        for prefix, region in dict.fromkeys(ENTRIES[vendor](document)):
            try:
                version, length, network = _parse_prefix(prefix)
            except (KeyError, OSError, ValueError):
                raise InvalidInput(f"{vendor}: {name!r} has the malformed prefix {shorten(prefix)}") from None
            networks = tables[version].setdefault(length, {})
            regions = networks.get(network, ())
            named = None if region in NO_REGION else region
            if named not in regions:
                networks[network] = (*regions, named)
    except (AttributeError, KeyError, TypeError):
        raise InvalidInput(
            f"{vendor}: {name!r} has an entry that is not in the shape that this vendor's have"
        ) from None
    published = Published(vendor, _version(document.get(VERSIONS[vendor])), tables)
    if not published.prefixes:
        raise InvalidInput(f"{vendor}: {name!r} has no prefixes that tell of regions")
    return published


_read: dict[tuple[str, str], tuple[tuple[int, ...], Published]] = {}
"""The files that this process has read, each with what tells that it changed."""


def _load(vendor: str, path: str) -> Published:
    path = os.path.abspath(os.path.expanduser(path))
    with _explained(vendor, path):
        status = os.stat(path)
    state = status.st_mtime_ns, status.st_size, status.st_ino
    known = _read.get((vendor, path))
    if known and known[0] == state:
        return known[1]
    published = parse(vendor, read_file(vendor, path), path)
    _read[vendor, path] = state, published
    return published


@contextmanager
def _explained(vendor: str, path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InvalidInput(f"{vendor}: there is no file {path!r}") from None
    except (OSError, ValueError) as error:  # ValueError: a path that none can have
        raise InvalidInput(f"{vendor}: cannot read {path!r}: {getattr(error, 'strerror', error)}") from None


def _judged(placements: list[Placement]) -> Location:
    regional = [placement for placement in placements if placement.region is not None]
    best = tuple(regional or placements)
    if len(best) > 1:
        return Location("ambiguous", best)
    return Location("found" if regional else "global", best)


def _parse_prefix(text: str) -> tuple[int, int, int]:
    """IP version, length, and the bits of the network; objects of ipaddress take ten times as long.

    Raises KeyError, OSError and ValueError.
    """
    address, slash, given = text.partition("/")
    family, version, bits = (AF_INET6, 6, 128) if ":" in address else (AF_INET, 4, 32)
    number = int.from_bytes(inet_pton(family, address), "big")
    length = LENGTHS[given] if slash else bits
    network = number >> (bits - length)  # a negative shift is a ValueError
    if network << (bits - length) != number:
        raise ValueError("bits of a host are set")
    return version, length, network


def _version(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int)) else None


def _aws(document: Any) -> Iterator[tuple[str, str]]:
    for family, key in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        for entry in document[family]:
            yield entry[key], _text(entry["region"])


def _azure(document: Any) -> Iterator[tuple[str, str]]:
    for tag in document["values"]:
        # Tags of services repeat parts of these, some without the region that the addresses are in.
        if tag["name"].partition(".")[0] == "AzureCloud":
            region = _text(tag["properties"]["region"])
            region = AZURE_ALIASES.get(region, region)
            for prefix in tag["properties"]["addressPrefixes"]:
                yield prefix, region


def _gcp(document: Any) -> Iterator[tuple[str, str]]:
    for entry in document["prefixes"]:
        yield entry["ipv6Prefix" if "ipv6Prefix" in entry else "ipv4Prefix"], _text(entry["scope"])


def _oci(document: Any) -> Iterator[tuple[str, str]]:
    for region in document["regions"]:
        for entry in region["cidrs"]:
            yield entry["cidr"], _text(region["region"])


def _text(region: Any) -> str:
    if not isinstance(region, str):
        raise TypeError
    return region


ENTRIES = {"aws": _aws, "azure": _azure, "gcp": _gcp, "oci": _oci}
"""What a document has, as it is written there. KeyError, TypeError and AttributeError tell that it is misshapen."""
