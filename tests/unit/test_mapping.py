# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spellings of addresses and mappings: identity, and error messages."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from operator import ne
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from hypothesis import given, strategies as st

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    VENDORS,
    Address,
    OriginMapping,
    address_order,
    canonical,
    parse_address,
    parse_addresses,
    parse_mappings,
    validate_location,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._messages import quote, suggest
from support.operations import mapping

# Zeros and a few fixed groups are likely, so that there are runs to compress and IPv4-mapped addresses.
words = st.lists(st.sampled_from([0, 0, 0, 1, 0xDB8, 0xFFFF]) | st.integers(0, 0xFFFF), min_size=8, max_size=8)
mapped = st.ip_addresses(v=4).map(lambda address: IPv6Address(0xFFFF << 32 | int(address)))
addresses = (
    st.ip_addresses()
    | words.map(lambda groups: IPv6Address(b"".join(group.to_bytes(2, "big") for group in groups)))
    | mapped
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
entries = json_values | st.dictionaries(
    st.sampled_from(["origin_ip", "ip", "vendor", "region", "modified_on", "orign_ip"]),
    st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:DB8::1", "192.0.2.0/24", "aws", "AWS", "us-east-1", ""])
    | json_values,
    max_size=5,
)


@st.composite
def spellings(draw: st.DrawFn, address: Address) -> str:
    """Generate spellings of an address.

    They differ in case, leading zeros, compression, dotted quads and surrounding blanks.
    """
    text = str(address)
    if isinstance(address, IPv6Address):
        numbers = struct.unpack("!8H", address.packed)
        groups = [draw(st.sampled_from([f"{number:x}", f"{number:04x}", f"{number:04X}"])) for number in numbers]
        if draw(st.booleans()):
            groups[6:] = [str(IPv4Address(int(address) & 0xFFFFFFFF))]
        hexadecimal = [number for number, _group in zip(numbers, groups, strict=False)][: 8 if len(groups) == 8 else 6]
        runs = [
            (start, stop)
            for start in range(len(hexadecimal))
            for stop in range(start + 1, len(hexadecimal) + 1)
            if not any(hexadecimal[start:stop])
        ]
        text = ":".join(groups)
        if runs and draw(st.booleans()):
            start, stop = draw(st.sampled_from(runs))
            text = f"{':'.join(groups[:start])}::{':'.join(groups[stop:])}"
    blanks = st.text(" \t\n", max_size=2)
    return draw(blanks) + text + draw(blanks)


@given(addresses.flatmap(lambda address: st.tuples(st.just(address), spellings(address), spellings(address))))
def test_all_spellings_are_one_address(case: tuple[Address, str, str]) -> None:
    address, first, other = case
    assert parse_address(first) == parse_address(other) == address
    text = canonical(parse_address(first))
    assert text == canonical(address)
    assert parse_address(text) == address


@given(addresses, addresses)
def test_different_addresses_have_different_texts(first: Address, other: Address) -> None:
    assert (canonical(first) == canonical(other)) == (first == other)


@given(addresses)
def test_canonical_text_has_no_blanks_capitals_or_leading_zeros(address: Address) -> None:
    assert re.fullmatch(r"[0-9a-f.:]+", canonical(address))
    assert not re.search(r"(?<![0-9a-f])0[0-9a-f]", canonical(address))


@pytest.mark.parametrize(
    ("given_text", "text"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),  # the first of two longest runs
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),  # the longest run
        ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  # a single zero stays
        ("::FFFF:C000:0201", "::ffff:192.0.2.1"),
        ("::ffff:0:0", "::ffff:0.0.0.0"),
        ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
    ],
)
def test_canonical_text_is_that_of_rfc_5952(given_text: str, text: str) -> None:
    assert canonical(parse_address(given_text)) == text


def test_ipv4_mapped_is_no_ipv4() -> None:
    assert parse_address("::ffff:192.0.2.1") == IPv6Address("::ffff:192.0.2.1")
    assert parse_address("::ffff:192.0.2.1") != parse_address("192.0.2.1")


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (None, "missing"),
        ("", "missing"),
        ("  ", "not an IPv4 or IPv6 address"),
        ("192.0.2.0/24", "a prefix, not a single address: list its addresses one by one"),
        ("2001:db8::/64", "a prefix, not a single address: list its addresses one by one"),
        ("192.0.2.1/32", "a prefix, not a single address: did you mean 192.0.2.1"),
        ("192.0.2.5/24", "a prefix, not a single address: did you mean 192.0.2.5"),
        ("192.0.2.5/x", "not an IPv4 or IPv6 address"),
        ("fe80::1%eth0", "scope"),
        ("fe80::1%", "not an IPv4 or IPv6 address"),
        ("192.0.2.1%eth0", "not an IPv4 or IPv6 address"),
        ("origin.example.com", "not an IPv4 or IPv6 address"),
        ("192.0.2.256", "not an IPv4 or IPv6 address"),
        ("192.0.2.01", "not an IPv4 or IPv6 address"),
        ("3221225985", "not an IPv4 or IPv6 address"),
        ("192.0.2.1:443", "not an IPv4 or IPv6 address"),
        ("[2001:db8::1]", "not an IPv4 or IPv6 address"),
        ("١٩٢.0.2.1", "not an IPv4 or IPv6 address"),
        (3221225985, "is of type int"),
        (DataLoader().load("3221225986"), "is of type int"),
        (192.02, "is of type float"),
        (True, "is of type bool"),
        (b"\xc0\x00\x02\x01", "is of type bytes"),
        (["192.0.2.1"], "is of type list"),
        (ip_address("192.0.2.1"), "is of type IPv4Address"),
    ],
)
def test_other_texts_are_refused(wrong: object, part: str) -> None:
    with pytest.raises(InvalidInput, match=part):
        parse_address(wrong)


@given(st.text() | st.text("0123456789abcdefABCDEF:./%x ", max_size=45) | json_values)
def test_any_text_is_an_address_or_refused(anything: Any) -> None:
    try:
        address = parse_address(anything)
    except InvalidInput:
        return
    assert isinstance(anything, str)
    assert ip_address(anything.strip()) == address


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(parse_address, id="address"),
        pytest.param(lambda text: validate_location(text, "us-east-1"), id="vendor"),
        pytest.param(lambda text: parse_addresses([text], "origin_ip"), id="addresses"),
    ],
)
def test_refusals_quote_and_shorten_the_input(call: Callable[[str], object]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        call("\x1b[31m\n" + 100_000 * "x")
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 500


def test_quotes_have_at_most_60_characters() -> None:
    assert quote(60 * "x") == f"'{60 * 'x'}'"
    assert quote(61 * "x") == f"'{57 * 'x'}...'"


def test_order_is_ipv4_first_and_then_by_number() -> None:
    ordered = ["9.255.255.255", "192.0.2.9", "192.0.2.10", "::1", "::ffff:0.0.0.1", "2001:db8::9", "2001:db8::10"]
    assert sorted(map(parse_address, reversed(ordered)), key=address_order) == list(map(parse_address, ordered))


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("US-East-1", "did you mean us-east-1?"),
        (" us-east-1 ", "did you mean us-east-1?"),
        ("us-east1", "did you mean us-east-1?"),
        ("mars", "known are us-east-1, westeurope"),
        ("", "known are us-east-1, westeurope"),
    ],
)
def test_nearest(name: str, advice: str) -> None:
    assert suggest(name, ["westeurope", "us-east-1"]) == advice


def test_nearest_of_none() -> None:
    assert suggest("us-east-1", []) == "there are none"


@pytest.mark.parametrize(
    ("vendor", "region", "part"),
    [
        (None, "us-east-1", "vendor is missing: one of aws, azure, gcp, oci"),
        ("", "us-east-1", "vendor is missing"),
        ("AWS", "us-east-1", re.escape("vendor 'AWS' is unknown: did you mean aws?")),
        ("ibm", "us-east-1", "known are aws, azure, gcp, oci"),
        (1, "us-east-1", "vendor '1' is unknown"),
        (["aws"], "us-east-1", "vendor .* is unknown"),
        ("aws", None, "region is missing"),
        ("aws", "", "region is missing"),
        ("aws", 1, "not text"),
        ("aws", ["us-east-1"], "not text"),
    ],
)
def test_refused_values(vendor: object, region: object, part: str) -> None:
    with pytest.raises(InvalidInput, match=part):
        validate_location(vendor, region)


@pytest.mark.parametrize("vendor", VENDORS)
def test_values_are_not_normalized(vendor: str) -> None:
    assert validate_location(vendor, "Some-Region") == (vendor, "Some-Region")


def entry(address: object, vendor: object = "aws", region: object = "us-east-1") -> dict[str, Any]:
    return {"origin_ip": address, "vendor": vendor, "region": region}


def test_usable_entries() -> None:
    listing = parse_mappings(
        [
            entry(" 192.0.2.1 "),
            {"ip": "2001:DB8:0::1", "vendor": "gcp", "region": "us-east1"},
            {**entry("192.0.2.2"), "modified_on": "2026-03-01T12:00:00Z"},  # as it was read from a zone
        ],
        present=True,
    )
    expected = [mapping("192.0.2.1"), mapping("2001:db8::1", "gcp", "us-east1"), mapping("192.0.2.2")]
    assert list(listing.wanted.values()) == expected
    assert list(listing.wanted) == [wanted.address for wanted in expected]
    assert (listing.invalid, listing.conflicts) == ([], [])


def test_bad_entries_are_named_with_their_positions() -> None:
    listing = parse_mappings(
        [entry("192.0.2.1"), entry("192.0.2.300"), entry("192.0.2.2", "ibm"), entry("192.0.2.3", region=None)],
        present=True,
    )
    assert list(listing.wanted.values()) == [mapping("192.0.2.1")]
    assert [str(item).partition(",")[0] for item in listing.invalid] == [
        "item 2 (mappings[1])",
        "item 3 (mappings[2])",
        "item 4 (mappings[3])",
    ]
    assert listing.invalid[0].as_dict() == {**entry("192.0.2.300"), "error": listing.invalid[0].error}
    assert "'192.0.2.300'" in str(listing.invalid[0])
    assert "'192.0.2.2'" in str(listing.invalid[1])


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ("192.0.2.1", "a mapping is a dictionary of origin_ip, vendor and region"),
        (None, "a mapping is a dictionary"),
        (["192.0.2.1", "aws", "us-east-1"], "a mapping is a dictionary"),
        ({"vendor": "aws", "region": "us-east-1"}, "item 2 (mappings[1]): the address is missing"),
        (
            {"orgin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"},
            "item 2 (mappings[1]): the address is missing; 'orgin_ip' is unknown here: did you mean origin_ip?",
        ),
        ({**entry("192.0.2.1"), "vender": "aws"}, "'vender' is unknown here: did you mean vendor?"),
        ({**entry("192.0.2.1"), "State": "absent"}, "'State' is unknown here"),
        ({**entry("192.0.2.1"), None: 1}, "'None' is unknown here"),
        ({**entry("192.0.2.1"), "ip": "192.0.2.1"}, "ip and origin_ip are the same option: set one of them"),
    ],
)
def test_entries_of_another_shape(wrong: Any, part: str) -> None:
    listing = parse_mappings([entry("192.0.2.9"), wrong], present=True)
    assert list(listing.wanted.values()) == [mapping("192.0.2.9")]
    [bad] = listing.invalid
    assert part in str(bad)
    assert str(bad).startswith("item 2 (mappings[1])")


def test_duplicates_count_once() -> None:
    listing = parse_mappings(
        [entry("2001:db8::1"), {"ip": "2001:DB8:0::1", "vendor": "aws", "region": "us-east-1"}], present=True
    )
    assert list(listing.wanted.values()) == [mapping("2001:db8::1")]
    assert (listing.invalid, listing.conflicts) == ([], [])


def test_the_same_address_with_other_values_is_a_conflict_of_two_positions() -> None:
    listing = parse_mappings(
        [entry("2001:db8::1"), entry("192.0.2.1"), entry("2001:DB8:0::1", "gcp", "us-east1")], present=True
    )
    [conflict] = listing.conflicts
    for part in ("mappings[0]", "mappings[2]", "2001:db8::1", "aws/us-east-1", "gcp/us-east1"):
        assert part in conflict


def test_conflicts_quote_and_shorten_the_input() -> None:
    listing = parse_mappings(
        [entry("192.0.2.1"), entry("192.0.2.1", "aws", "\x1b[31m\n" + 100_000 * "x")], present=True
    )
    [conflict] = listing.conflicts
    assert conflict.isprintable()
    assert len(conflict) < 500


def test_absent_uses_addresses_only() -> None:
    listing = parse_mappings(
        [{"ip": "192.0.2.1"}, entry("192.0.2.2", "ibm", 5), {"origin_ip": "192.0.2.3", "note": "gone"}, entry("x")],
        present=False,
    )
    assert listing.wanted == dict.fromkeys(map(parse_address, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]))
    assert [item.index for item in listing.invalid] == [3]
    assert listing.conflicts == []


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(entry("192.0.2.1"), id="usable"),
        pytest.param(entry("192.0.2.1", "ibm"), id="vendor"),
        pytest.param(entry(" 192.0.2.1\t"), id="blanks"),
        pytest.param(entry("192.0.2.1/24"), id="prefix"),
        pytest.param(entry("192.0.2.1%eth0"), id="scope"),
        pytest.param({"ip": "192.0.2.1"}, id="alias"),
        pytest.param({**entry("192.0.2.1"), "vender": "aws"}, id="unknown-key"),
        pytest.param({**entry("192.0.2.1"), "ip": "192.0.2.2"}, id="two-addresses"),
        pytest.param({**entry("192.0.2.2"), "ip": "192.0.2.1"}, id="two-addresses-the-other"),
        pytest.param({"orign_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}, id="misspelled-key"),
        pytest.param("192.0.2.1", id="text"),
    ],
)
def test_a_purge_keeps_every_listed_address(listed: Any) -> None:
    parsed = parse_mappings([listed], present=True)
    assert parse_address("192.0.2.1") in parsed.index or parsed.unreadable


@given(st.lists(entries, max_size=4), st.booleans())
def test_every_entry_is_wanted_or_invalid(given_entries: list[Any], present: bool) -> None:
    alone = [parse_mappings([first], present) for first in given_entries]
    for listing in alone:
        assert len(listing.wanted) + len(listing.invalid) == 1
    together = parse_mappings(given_entries, present)
    assert together.wanted.keys() == {address for listing in alone for address in listing.wanted}
    assert [item.error for item in together.invalid] == [item.error for listing in alone for item in listing.invalid]
    assert together.index.keys() == {address for listing in alone for address in listing.index}
    for item in together.invalid:
        assert str(item)
        assert item.as_dict().keys() == {"origin_ip", "vendor", "region", "error"}


def test_address_lists_have_each_address_once() -> None:
    assert list(parse_addresses(["2001:DB8:0::1", "192.0.2.1", " 2001:db8::1"], "origin_ip")) == [
        ip_address("2001:db8::1"),
        ip_address("192.0.2.1"),
    ]


def test_address_lists_name_every_bad_item() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_addresses(["192.0.2.1", "x", "192.0.2.0/24"], "origin_ip")
    assert "item 2 (origin_ip[1]): 'x' is not" in str(refusal.value)
    assert "item 3 (origin_ip[2]): '192.0.2.0/24' is a prefix" in str(refusal.value)


def test_modified_on_is_ignored_in_comparisons() -> None:
    read = OriginMapping(parse_address("2001:DB8::1"), "gcp", "us-east1", "2026-03-01T12:00:00Z")
    assert read == mapping("2001:db8::1", "gcp", "us-east1")
    assert not ne(read, mapping("2001:db8::1", "gcp", "us-east1"))
    assert ne(read, mapping("2001:db8::1", "gcp", "us-east4"))
    assert str(read) == "2001:db8::1: gcp/us-east1"
    assert read.as_dict() == {
        "origin_ip": "2001:db8::1",
        "vendor": "gcp",
        "region": "us-east1",
        "modified_on": "2026-03-01T12:00:00Z",
    }
