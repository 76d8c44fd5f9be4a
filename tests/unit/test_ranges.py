# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Published ranges: locations of addresses, and invalid files."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import radix
from hypothesis import given, strategies as st

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._locations import LookupResult, RangeMatch
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import VENDORS, Address, parse_address
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges.formats import (
    AZURE_ALIASES,
    MAX_FILE_BYTES,
    parse_ranges,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges.index import Ranges
from support.published_ranges import ENTRIES, SHAPES, SIZES, Entries, published, real_entries, real_file, write_ranges


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, str]:
    return write_ranges(tmp_path / "ranges")


def ranges_of(**entries: Entries) -> Ranges:
    """Build ranges from the prefixes and regions of vendors."""
    return Ranges(
        parse_ranges(vendor, published(vendor, listed).encode(), vendor) for vendor, listed in entries.items()
    )


def where(ranges: Ranges, address: str) -> tuple[str, list[str]]:
    """Return the status, and matches as vendor/region (or vendor/-)."""
    location = ranges.locate(parse_address(address))
    return location.status, [f"{place.vendor}/{place.region or '-'}" for place in location.matches]


@pytest.mark.parametrize(
    ("address", "status", "places"),
    [
        ("198.51.100.0", "found", ["aws/us-west-2"]),
        ("198.51.100.10", "found", ["aws/us-west-2"]),
        ("198.51.100.64", "ambiguous", ["aws/us-west-2", "aws/us-east-1"]),
        ("198.51.100.80", "found", ["aws/us-west-2"]),
        ("198.51.100.127", "found", ["aws/us-west-2"]),
        ("198.51.100.128", "global", ["aws/-"]),
        ("198.51.100.255", "global", ["aws/-"]),
        ("198.51.101.0", "unknown", []),
        ("198.51.99.255", "unknown", []),
        ("192.0.2.40", "found", ["azure/eastus2"]),
        ("192.0.2.130", "found", ["azure/germanywestcentral"]),
        ("192.0.2.200", "global", ["azure/-"]),
        ("192.0.2.210", "found", ["azure/chilecentral"]),
        ("192.0.2.230", "ambiguous", ["azure/eastus2", "azure/centralus"]),
        ("203.0.113.20", "found", ["gcp/us-central1"]),
        ("203.0.113.50", "found", ["oci/us-ashburn-1"]),
        ("203.0.113.70", "global", ["gcp/-"]),
        ("203.0.113.90", "ambiguous", ["gcp/europe-west3", "oci/eu-frankfurt-1"]),
        ("203.0.113.96", "unknown", []),
        ("2001:db8:1::10", "found", ["aws/us-west-2"]),
        ("2001:db8:1:ff::10", "global", ["aws/-"]),
        ("2001:DB8:2::20", "found", ["gcp/us-central1"]),
        ("2001:db8:3:ffff::", "found", ["azure/eastus2"]),
        ("2001:db8:4::", "unknown", []),
        ("::ffff:198.51.100.10", "unknown", []),
        ("::", "unknown", []),
        ("255.255.255.255", "unknown", []),
    ],
)
def test_locations_of_addresses(paths: dict[str, str], address: str, status: str, places: list[str]) -> None:
    assert where(Ranges.load(paths), address) == (status, places)


def test_matches_have_the_canonical_prefix() -> None:
    ranges = ranges_of(aws=[("2001:DB8:0::/48", "us-east-1"), ("::ffff:0:0/96", "us-west-2")])
    assert ranges.locate(ip_address("2001:db8::1")) == LookupResult(
        "found", (RangeMatch("aws", "us-east-1", "2001:db8::/48"),)
    )
    [mapped] = ranges.locate(ip_address("::ffff:192.0.2.1")).matches
    assert asdict(mapped) == {"vendor": "aws", "region": "us-west-2", "prefix": "::ffff:0.0.0.0/96"}


@pytest.mark.parametrize("vendor", VENDORS)
def test_files_can_be_missing(paths: dict[str, str], vendor: str) -> None:
    alone = Ranges.load({vendor: paths[vendor]})
    others = Ranges.load({other: path for other, path in paths.items() if other != vendor})
    for prefix, _region in ENTRIES[vendor]:
        address = str(ip_network(prefix)[-1])
        assert {place.split("/")[0] for place in where(alone, address)[1]} == {vendor}
        assert vendor not in {place.split("/")[0] for place in where(others, address)[1]}


@pytest.mark.parametrize(
    ("entries", "status", "places"),
    [
        ({"aws": [("192.0.2.0/24", None), ("192.0.2.0/24", "us-east-1")]}, "found", ["aws/us-east-1"]),
        ({"aws": [("192.0.2.0/24", None)], "gcp": [("192.0.2.0/24", "us-east1")]}, "found", ["gcp/us-east1"]),
        ({"aws": [("192.0.2.0/24", None)], "gcp": [("192.0.2.0/24", None)]}, "ambiguous", ["aws/-", "gcp/-"]),
        ({"aws": [("192.0.2.0/25", None)], "gcp": [("192.0.2.0/24", "us-east1")]}, "global", ["aws/-"]),
        ({"aws": [("0.0.0.0/0", "us-east-1")], "oci": [("192.0.2.1/32", "uk-london-1")]}, "found", ["oci/uk-london-1"]),
        ({"oci": [("192.0.2.1", "uk-london-1")]}, "found", ["oci/uk-london-1"]),
        ({"oci": [("0.0.0.0/0", "uk-london-1")]}, "found", ["oci/uk-london-1"]),
        ({"azure": [("192.0.2.0/24", "eastus2"), ("192.0.2.0/24", "eastus2")]}, "found", ["azure/eastus2"]),
        # The same region by its two names.
        ({"azure": [("192.0.2.0/24", "norwaye"), ("192.0.2.0/24", "norwayeast")]}, "found", ["azure/norwayeast"]),
    ],
    ids=str,
)
def test_the_winning_prefix(entries: dict[str, Entries], status: str, places: list[str]) -> None:
    assert where(ranges_of(**entries), "192.0.2.1") == (status, places)


def test_azures_old_names_are_those_of_its_regions_today() -> None:
    names = [*AZURE_ALIASES, "westeurope"]
    ranges = ranges_of(azure=[(f"10.0.{index}.0/24", name) for index, name in enumerate(names)])
    assert [where(ranges, f"10.0.{index}.1")[1] for index in range(len(names))] == [
        [f"azure/{name}"] for name in [*AZURE_ALIASES.values(), "westeurope"]
    ]


def test_azures_tags_of_services_are_ignored() -> None:
    document = SHAPES["azure"]([("192.0.2.0/24", "eastus2")], 1)
    for name, region in (("ActionGroup", ""), ("Storage.WestUS", "westus"), ("AzureCloudish", "westus")):
        properties = {"region": region, "addressPrefixes": ["192.0.2.1/32"]}
        document["values"].append({"name": name, "properties": properties})
    ranges = Ranges([parse_ranges("azure", json.dumps(document).encode(), "azure.json")])
    assert where(ranges, "192.0.2.1") == ("found", ["azure/eastus2"])


NETWORKS = st.one_of(
    # Few bits vary, so that prefixes contain one another.
    st.builds(
        lambda bits, length: ip_network((0xC0000200 | bits, length), strict=False),
        st.integers(0, 255),
        st.integers(20, 32),
    ),
    st.builds(
        lambda bits, length: ip_network(((0x20010DB8 << 96) | bits, length), strict=False),
        st.integers(0, 255),
        st.sampled_from([0, 32, 64, 120, 124, 126, 127, 128]),
    ),
)
LISTS = st.lists(
    st.tuples(NETWORKS, st.sampled_from(["north", "south", None])),
    min_size=1,
    max_size=12,
    unique_by=str,
)
ADDRESSES = st.one_of(
    st.integers(0xC0000200, 0xC00002FF).map(ip_address),
    st.integers(0x20010DB8 << 96, (0x20010DB8 << 96) + 255).map(ip_address),
)


# oci is left out: all its prefixes have a region.
@given(st.dictionaries(st.sampled_from(["aws", "azure", "gcp"]), LISTS), st.lists(ADDRESSES, min_size=1, max_size=8))
def test_the_longest_prefix_wins_as_in_a_linear_search(
    files: dict[str, list[tuple[IPv4Network | IPv6Network, str | None]]], addresses: list[Any]
) -> None:
    everything = [(network, vendor, region) for vendor, listed in files.items() for network, region in listed]
    ranges = ranges_of(
        **{vendor: [(str(prefix), region) for prefix, region in listed] for vendor, listed in files.items()}
    )
    for address in addresses:
        around = [entry for entry in everything if address in entry[0]]
        longest = max((network.prefixlen for network, _vendor, _region in around), default=None)
        best = {(vendor, region) for network, vendor, region in around if network.prefixlen == longest}
        best = {place for place in best if place[1]} or best
        location = ranges.locate(address)
        assert {(place.vendor, place.region) for place in location.matches} == best
        assert len(location.matches) == len(best)
        for place in location.matches:
            assert (ip_network(place.prefix).prefixlen, address in ip_network(place.prefix)) == (longest, True)
        expected = "ambiguous" if len(best) > 1 else "found" if any(region for _vendor, region in best) else "global"
        assert location.status == (expected if best else "unknown")


def test_a_file_has_a_version_and_unique_prefixes() -> None:
    part = {vendor: parse_ranges(vendor, published(vendor, ENTRIES[vendor], 7).encode(), vendor) for vendor in VENDORS}
    assert {vendor: contents.version for vendor, contents in part.items()} == {
        "aws": "7",
        "azure": "7",
        "gcp": "2026-03-07T12:00:00.000000",
        "oci": "2026-03-07T12:00:00.000000",
    }
    for vendor, contents in part.items():
        assert contents.prefixes == len({prefix for prefix, _region in ENTRIES[vendor]})


def test_a_file_may_lack_a_version_and_have_a_byte_order_mark() -> None:
    document = SHAPES["aws"]([("192.0.2.0/24", "us-east-1")], 1)
    del document["syncToken"]
    assert parse_ranges("aws", json.dumps(document).encode("utf-8-sig"), "aws.json").version is None


ONE = [("192.0.2.0/24", "somewhere")]


@pytest.mark.parametrize(
    ("vendor", "text", "part"),
    [
        ("aws", "", "it is empty"),
        (
            "aws",
            "<!DOCTYPE html><title>Sorry</title>",
            "is not JSON, or not all of it: it begins with '<!DOCTYPE html>",
        ),
        ("gcp", published("gcp", ONE)[:-20], "is not JSON, or not all of it"),
        ("oci", "[" * 100_000, "is not JSON"),
        ("oci", "1" * 10_000, "is not"),
        ("aws", "\udcff".encode("utf-8", "surrogatepass"), "is not JSON"),
        ("aws", "[]", "it has no member ipv6_prefixes"),
        ("azure", "null", "it has no member values"),
        ("azure", "{}", "it has no member values"),
        ("aws", published("gcp", ONE), "the format of the file of gcp"),
        ("gcp", published("aws", ONE), "the format of the file of aws"),
        ("gcp", published("azure", ONE), "the format of the file of azure"),
        ("azure", published("oci", ONE), "the format of the file of oci"),
        ("aws", published("aws", []), "has no prefixes"),
        ("azure", published("azure", []), "has no prefixes"),
        ("gcp", published("gcp", []), "has no prefixes"),
        ("oci", published("oci", []), "has no prefixes"),
        ("azure", '{"values": [{"name": "Storage", "properties": {}}]}', "has no prefixes"),
        *(
            (vendor, published(vendor, [("192.0.2.0/24", "somewhere"), (prefix, "somewhere")]), repr(prefix))
            for vendor in ("aws", "azure", "oci")
            for prefix in ("192.0.2.1/24", "192.0.2.0/33", "192.0.2/24", "0192.0.2.0/24", "192.0.2.0/+8", "192.0.2.0/")
        ),
        *(
            ("gcp", published("gcp", [(prefix, "somewhere")]), repr(prefix))
            for prefix in ("2001:db8::/129", "2001:db8::1/64", "fe80::%eth0/64", "192.0.2.0/-1", "", "\0", "٣.0.0.0/8")
        ),
        ("gcp", '{"prefixes": [{"ipv4Prefix": "192.0.2.0/24"}]}', "in another format"),
        ("gcp", '{"prefixes": [{"scope": "us-east1"}]}', "in another format"),
        ("gcp", '{"prefixes": [{"ipv4Prefix": "192.0.2.0/24", "scope": null}]}', "in another format"),
        ("gcp", '{"prefixes": [{"ipv4Prefix": 7, "scope": "us-east1"}]}', "in another format"),
        ("gcp", '{"prefixes": [{"ipv4Prefix": ["192.0.2.0/24"], "scope": "us-east1"}]}', "in another format"),
        ("gcp", '{"prefixes": ["192.0.2.0/24"]}', "in another format"),
        ("gcp", '{"prefixes": 5}', "in another format"),
        ("aws", '{"ipv6_prefixes": []}', "in another format"),
        ("azure", '{"values": [{"name": 5}]}', "in another format"),
        ("azure", '{"values": [{"name": "AzureCloud", "properties": null}]}', "in another format"),
        ("oci", '{"regions": [{"region": "r"}]}', "in another format"),
        ("oci", '{"regions": {"region": "r"}}', "in another format"),
    ],
)
def test_refused_files(tmp_path: Path, vendor: str, text: str | bytes, part: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInput) as refused:
        Ranges.load({vendor: str(path)})
    assert str(refused.value).startswith(f"{vendor}: {str(path)!r} ")
    assert part in str(refused.value)


def test_unreadable_files(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    for path, part in {
        str(tmp_path / "none.json"): "aws: there is no file",
        str(tmp_path): "is not a file",
        str(pipe): "is not a file",
        str(tmp_path / "a\0b"): "aws: cannot read",
        str(tmp_path / ("long" * 100)): "aws: cannot read",
        str(large): "is larger than 64 MiB",
    }.items():
        with pytest.raises(InvalidInput) as refused:
            Ranges.load({"aws": path})
        assert part in str(refused.value)
        assert repr(path) in str(refused.value)


@pytest.mark.parametrize(
    ("paths", "part"),
    [
        ({}, "set one or more of aws, azure, gcp, oci"),
        ({"AWS": "aws.json"}, "vendor 'AWS' is unknown: did you mean aws?"),
        ({5: "aws.json"}, "vendor '5' is unknown"),
        ({"aws": None}, "aws: the path of its file is of type NoneType, not text"),
    ],
    ids=str,
)
def test_invalid_paths(paths: dict[Any, Any], part: str) -> None:
    with pytest.raises(InvalidInput, match=part.replace("?", r"\?")):
        Ranges.load(paths)


def test_a_path_may_be_relative_or_below_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ranges(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for path in ("~/aws.json", "aws.json"):
        assert where(Ranges.load({"aws": path}), "198.51.100.10") == ("found", ["aws/us-west-2"])


def test_only_changed_files_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "aws.json"

    def write(region: str) -> os.stat_result:
        path.write_text(published("aws", [("192.0.2.0/24", region)]))
        return path.stat()

    before = write("us-east-1")
    assert where(Ranges.load({"aws": str(path)}), "192.0.2.1") == ("found", ["aws/us-east-1"])
    # Only the content changes: the known ranges are used, so the file is not read again for each task.
    write("us-west-1")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert where(Ranges.load({"aws": str(path)}), "192.0.2.1") == ("found", ["aws/us-east-1"])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert where(Ranges.load({"aws": str(path)}), "192.0.2.1") == ("found", ["aws/us-west-1"])
    # Another file replaces it.
    other = tmp_path / "other"
    other.write_text(published("aws", [("192.0.2.0/24", "us-west-2")]))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    other.replace(path)
    assert where(Ranges.load({"aws": str(path)}), "192.0.2.1") == ("found", ["aws/us-west-2"])
    path.write_text("<html>")
    with pytest.raises(InvalidInput):
        Ranges.load({"aws": str(path)})


def test_files_of_real_size_as_another_library_reads_them(tmp_path: Path) -> None:
    tree = radix.Radix()
    prefixes = []
    paths = {vendor: tmp_path / f"{vendor}.json" for vendor in VENDORS}
    for vendor, path in paths.items():
        text = real_file(vendor)
        path.write_text(text)
        for prefix, region in real_entries(vendor):
            prefixes.append(prefix)
            tree.add(prefix).data.setdefault("places", set()).add((vendor, region))
        number = SIZES[vendor].ipv4 + SIZES[vendor].ipv6
        assert parse_ranges(vendor, text.encode(), vendor).prefixes == number
    tags = json.loads(paths["azure"].read_text())["values"]
    assert sum(len(tag["properties"]["addressPrefixes"]) for tag in tags) > 90_000
    ranges = Ranges.load({vendor: str(path) for vendor, path in paths.items()})
    statuses = Counter()
    for address in random_addresses(20_000, prefixes):
        node = tree.search_best(str(address))
        places = node.data["places"] if node else set()
        expected = {(vendor, region) for vendor, region in places if region} or places
        found = ranges.locate(address)
        assert {(place.vendor, place.region) for place in found.matches} == expected
        assert {place.prefix for place in found.matches} == ({node.prefix} if node else set())
        regional = any(region for _vendor, region in expected)
        status = "ambiguous" if len(expected) > 1 else "found" if regional else "global" if expected else "unknown"
        assert found.status == status
        statuses[status] += 1
    assert statuses.keys() == {"found", "global", "ambiguous", "unknown"}
    assert min(statuses.values()) > 50


def random_addresses(number: int, prefixes: list[str]) -> Iterator[Address]:
    """Yield addresses, most of them at or next to an end of a prefix.

    The others are random addresses in the networks of the files.
    """
    chance = random.Random(1)
    everything = [ip_network("240.0.0.0/4"), ip_network("2001:db8::/32")]
    for _number in range(number):
        near = chance.random() < 0.7
        network = ip_network(chance.choice(prefixes)) if near else chance.choice(everything)
        first, last = int(network[0]), int(network[-1])
        at = chance.choice([first, last, first - 1, last + 1]) if near else chance.randint(first, last)
        yield type(network[0])(min(at, 2**network.max_prefixlen - 1))
