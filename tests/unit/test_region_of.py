# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter origin_region_of, loaded by Ansible and used by templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.plugins.loader import filter_loader

from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import VENDORS
from support.published_ranges import ENTRIES, write_ranges

NAME = "originops.cloudflare.origin_region_of"


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, str]:
    return write_ranges(tmp_path)


def region_of(value: object, **paths: Any) -> Any:
    return filter_loader.get(NAME).j2_function(value, **paths)


def item(origin_ip: str, status: str, place: str = "//", candidates: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an item of the filter, from places as text.

    A place is like aws/us-west-2/198.51.100.0/24. Empty parts are null.
    """
    return {
        "origin_ip": origin_ip,
        "status": status,
        **split(place),
        "candidates": [split(candidate) for candidate in candidates],
    }


def split(place: str) -> dict[str, str | None]:
    return dict(zip(("vendor", "region", "prefix"), (part or None for part in place.split("/", 2)), strict=True))


ITEMS = {
    "198.51.100.10": item("198.51.100.10", "found", "aws/us-west-2/198.51.100.0/24"),
    " 2001:DB8:3:0::40 ": item("2001:db8:3::40", "found", "azure/eastus2/2001:db8:3::/48"),
    "203.0.113.70": item("203.0.113.70", "global", "gcp//203.0.113.64/28"),
    "203.0.113.90": item(
        "203.0.113.90",
        "ambiguous",
        candidates=("gcp/europe-west3/203.0.113.80/28", "oci/eu-frankfurt-1/203.0.113.80/28"),
    ),
    "10.0.0.1": item("10.0.0.1", "unknown"),
    "::ffff:198.51.100.10": item("::ffff:198.51.100.10", "unknown"),
}


@pytest.mark.parametrize("text", ITEMS)
def test_one_address(paths: dict[str, str], text: str) -> None:
    assert region_of(text, **paths) == ITEMS[text]


def test_many_addresses_in_order(paths: dict[str, str]) -> None:
    texts = [*ITEMS, *reversed(ITEMS)]
    for listed in (texts, tuple(texts), (text for text in texts)):
        assert region_of(listed, **paths) == [ITEMS[text] for text in texts]
    assert region_of([], **paths) == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_each_option_is_the_file_of_its_vendor(paths: dict[str, str], vendor: str) -> None:
    prefix, region = ENTRIES[vendor][0]
    address = prefix.partition("/")[0]
    assert region_of(address, **{vendor: paths[vendor]}) == item(address, "found", f"{vendor}/{region}/{prefix}")


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("198.51.100.0/24", "'198.51.100.0/24' is a prefix, not a single address"),
        ("host.example.com", "not an IPv4 or IPv6 address"),
        ("", "the address is missing"),
        (None, "the address is missing"),
        (42, "of type int"),
        ({"198.51.100.10": 1}, "of type dict"),
        (b"198.51.100.10", "of type bytes"),
        (["198.51.100.10", "1.2.3", None], "item 2 (input[1]): '1.2.3' is not an IPv4 or IPv6 address; item 3"),
    ],
    ids=str,
)
def test_invalid_addresses(paths: dict[str, str], value: object, part: str) -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        region_of(value, **paths)
    assert part in str(refused.value)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, "set one or more of aws, azure, gcp, oci"),
        ({"was": "aws.json"}, "vendor 'was' is unknown: did you mean aws?"),
        ({"aws": None}, "aws: the path of its file is of type NoneType"),
        ({"aws": "/nowhere/aws.json"}, "aws: there is no file '/nowhere/aws.json'"),
        ({"gcp": __file__}, "is not JSON"),
    ],
    ids=str,
)
def test_unusable_options(options: dict[str, Any], part: str) -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        region_of("198.51.100.10", **options)
    assert part in str(refused.value)
