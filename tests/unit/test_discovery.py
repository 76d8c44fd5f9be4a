# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pure discovery of origins in records, load balancers and pools."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network

import pytest
from hypothesis import given, strategies as st

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import canonical, parse_address
from ansible_collections.originops.cloudflare.plugins.module_utils._networks import Networks
from ansible_collections.originops.cloudflare.plugins.module_utils._origins.configuration import (
    LoadBalancer,
    Pool,
    PoolOrigin,
    Record,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._origins.discovery import (
    MAX_NAMES,
    Discovery,
    discover,
)

Found = tuple[dict[str, str], dict[str, str], dict[str, str]]
"""Names by origin, names by hostname, and codes by excluded content."""

DOMAIN = "example.com"


def record(line: str, *, private: bool = False) -> Record:
    """Parse a record: "name type content", with a + before it if proxied.

    The name is relative to the zone; @ is the zone itself.
    """
    name, kind, content = line.removeprefix("+").split(maxsplit=2)
    return Record(kind, DOMAIN if name == "@" else f"{name}.{DOMAIN}", content, line.startswith("+"), private)


def short(names: set[str]) -> str:
    return " ".join(sorted(name.removesuffix(DOMAIN).removesuffix(".") or "@" for name in names))


def shown(found: Discovery) -> Found:
    return (
        {canonical(address): short(usage.names) for address, usage in found.origins.items()},
        {hostname: short(usage.names) for hostname, usage in found.hostnames.items()},
        {target: exclusion.code for target, exclusion in found.excluded},
    )


@pytest.mark.parametrize(
    ("lines", "origins", "hostnames", "excluded"),
    [
        pytest.param(["+www A 192.0.2.10", "+www AAAA 2001:DB8:0::1"], "192.0.2.10 2001:db8::1", "", "", id="both"),
        pytest.param(["www A 192.0.2.10", "app CNAME app.example.net"], "", "", "", id="not-proxied"),
        pytest.param(["+@ CNAME app.example.net."], "", "app.example.net", "", id="out-of-the-zone"),
        pytest.param(["+@ CNAME App.Example.NET"], "", "app.example.net", "", id="case"),
        pytest.param(["+www CNAME origin.example.com", "origin A 192.0.2.10"], "192.0.2.10", "", "", id="within"),
        pytest.param(["+www CNAME ORIGIN.example.com.", "origin A 192.0.2.10"], "192.0.2.10", "", "", id="spelling"),
        pytest.param(
            ["+www CNAME a.example.com", "a CNAME b.example.com", "b A 192.0.2.10", "b AAAA 2001:db8::1"],
            "192.0.2.10 2001:db8::1",
            "",
            "",
            id="chain",
        ),
        pytest.param(
            ["+www CNAME a.example.com", "a CNAME app.example.net"], "", "app.example.net", "", id="chain-out-of-it"
        ),
        pytest.param(["+www CNAME a.example.com"], "", "a.example.com", "", id="delegated-or-missing"),
        pytest.param(["+www CNAME a.example.com", "a TXT text"], "", "a.example.com", "", id="of-another-type"),
        pytest.param(
            ["+www CNAME a.example.com", "a CNAME b.example.com", "b CNAME a.example.com"],
            "",
            "",
            "a.example.com=loop",
            id="circle",
        ),
        pytest.param(["+www CNAME www.example.com"], "", "", "www.example.com=loop", id="own-name"),
        pytest.param(["+www CNAME a.example.com", "* A 192.0.2.10"], "192.0.2.10", "", "", id="wildcard"),
        pytest.param(["+www CNAME b.a.example.com", "* A 192.0.2.10"], "192.0.2.10", "", "", id="wildcard-above"),
        pytest.param(
            ["+www CNAME b.a.example.com", "* A 192.0.2.10", "a TXT text"], "", "b.a.example.com", "", id="no-wildcard"
        ),
        pytest.param(
            ["+www CNAME b.a.example.com", "* A 192.0.2.10", "*.a A 192.0.2.11"], "192.0.2.11", "", "", id="closest"
        ),
        pytest.param(
            ["+www CNAME a.example.com", "x.a A 192.0.2.11", "* A 192.0.2.10"], "", "a.example.com", "", id="above-one"
        ),
        pytest.param(["+* A 192.0.2.10"], "192.0.2.10", "", "", id="proxied-wildcard"),
        pytest.param(["+www A 192.0.2.1", "+w6 AAAA 100::1"], "", "", "100::1=placeholder 192.0.2.1=placeholder"),
        pytest.param(
            ["+www A 10.0.0.1", "+w6 AAAA fd00::1"], "", "", "10.0.0.1=private_address fd00::1=private_address"
        ),
        pytest.param(["+www A 127.0.0.1", "+w6 AAAA ::"], "", "", "127.0.0.1=unusable_address ::=unusable_address"),
        pytest.param(["+www A 203.0.113.9"], "", "", "203.0.113.9=cloudflare", id="own"),
        pytest.param(["+www CNAME 0a.cfargotunnel.com"], "", "", "0a.cfargotunnel.com=tunnel", id="tunnel"),
        pytest.param(["+www AAAA fe80::1%eth0"], "", "", "fe80::1%eth0=invalid", id="scope"),
        pytest.param(["+www CNAME a b.example"], "", "", "a b.example=invalid", id="blank"),
        pytest.param(["+www CNAME 3221225994"], "", "", "3221225994=invalid", id="number"),
        pytest.param(["+www CNAME a.0xc0"], "", "", "a.0xc0=invalid", id="hexadecimal"),
        pytest.param(["+www CNAME _x.xn--bcher-kva.example"], "", "_x.xn--bcher-kva.example", "", id="punycode"),
        pytest.param([f"+www CNAME {'a' * 64}.example"], "", "", f"{'a' * 64}.example=invalid", id="long-label"),
        pytest.param(["+www CNAME ."], "", "", "=invalid", id="root"),
    ],
)
def test_records(lines: Sequence[str], origins: str, hostnames: str, excluded: str) -> None:
    found = discover([record(line) for line in lines], [], {}, Networks([ip_network("203.0.113.0/24")]))
    shows = shown(found)
    assert sorted(shows[0]) == origins.split()
    assert [*shows[1]] == hostnames.split()
    assert " ".join(sorted(f"{target}={code}" for target, code in shows[2].items())) == excluded


def test_names_and_sources_of_one_address_are_merged() -> None:
    records = [
        record(line)
        for line in (
            "+www A 192.0.2.10",
            "+app CNAME www.example.com",
            "+old CNAME www.example.com",
            "raw A 192.0.2.10",
        )
    ]
    pools = {"p": Pool("web", (PoolOrigin("one", "192.0.2.10"),))}
    found = discover(records, [LoadBalancer("lb.example.com", ("p", "p"))], pools)
    [usage] = found.origins.values()
    assert usage.as_dict() == {
        "names": ["app.example.com", "lb.example.com", "old.example.com", "www.example.com"],
        "sources": ["A record of www.example.com", "pool web, origin one"],
    }


def test_private_routing_anywhere_on_the_way_is_a_tunnel() -> None:
    direct = [record("+www A 192.0.2.10", private=True)]
    start = [record("+www CNAME a.example.com", private=True), record("a A 192.0.2.10")]
    end = [record("+www CNAME a.example.com"), record("a A 192.0.2.10", private=True)]
    for records in (direct, start, end):
        assert shown(discover(records, [], {})) == ({}, {}, {"192.0.2.10": "tunnel"})


def test_chains_are_followed_up_to_a_length() -> None:
    def chain(length: int) -> list[Record]:
        links = [record(f"n{number} CNAME n{number + 1}.example.com") for number in range(length - 1)]
        return [record("+www CNAME n0.example.com"), *links, record(f"n{length - 1} A 192.0.2.10")]

    assert shown(discover(chain(MAX_NAMES), [], {})) == ({"192.0.2.10": "www"}, {}, {})
    assert shown(discover(chain(MAX_NAMES + 1), [], {})) == ({}, {}, {f"n{MAX_NAMES}.example.com": "loop"})


POOLS = {
    "one": Pool("one", (PoolOrigin("a", "192.0.2.10"), PoolOrigin("b", "app.example.net"))),
    "off": Pool("off", (PoolOrigin("a", "192.0.2.20"),), enabled=False),
    "mixed": Pool(
        "mixed",
        (
            PoolOrigin("a", "192.0.2.30", enabled=False),
            PoolOrigin("b", "192.0.2.31", private=True),
            PoolOrigin("c", "10.0.0.1", private=True),
            PoolOrigin("d", "off.example.net", enabled=False),
            PoolOrigin("e", "not a name"),
        ),
    ),
}


@pytest.mark.parametrize(
    ("balancer", "expected"),
    [
        pytest.param(
            LoadBalancer("lb.example.com", ("one",)), ({"192.0.2.10": "lb"}, {"app.example.net": "lb"}, {}), id="used"
        ),
        pytest.param(
            LoadBalancer("lb.example.com", ("one",), enabled=False),
            ({}, {}, {"192.0.2.10": "disabled", "app.example.net": "disabled"}),
            id="disabled",
        ),
        pytest.param(
            LoadBalancer("lb.example.com", ("one",), proxied=False),
            ({}, {}, {"192.0.2.10": "not_proxied", "app.example.net": "not_proxied"}),
            id="not-proxied",
        ),
        pytest.param(
            LoadBalancer("lb.example.com", ("off",)), ({}, {}, {"192.0.2.20": "disabled"}), id="disabled-pool"
        ),
        pytest.param(
            LoadBalancer("lb.example.com", ("mixed",)),
            (
                {},
                {},
                {
                    "192.0.2.30": "disabled",
                    "192.0.2.31": "tunnel",
                    "10.0.0.1": "tunnel",
                    "off.example.net": "disabled",
                    "not a name": "invalid",
                },
            ),
            id="origins",
        ),
        pytest.param(LoadBalancer("lb.example.com", ()), ({}, {}, {}), id="no-pool"),
    ],
)
def test_load_balancers(balancer: LoadBalancer, expected: Found) -> None:
    assert shown(discover([], [balancer], POOLS)) == expected


def test_a_proxied_record_leads_to_a_load_balancer_that_is_not_proxied() -> None:
    records = [record("+www CNAME LB.example.com.")]
    found = discover(records, [LoadBalancer("lb.example.com", ("one",), proxied=False)], POOLS)
    assert shown(found)[:2] == ({"192.0.2.10": "www"}, {"app.example.net": "www"})
    [*excluded] = found.excluded_items()
    assert [(item["code"], item["names"]) for item in excluded] == [("not_proxied", ["lb.example.com"])] * 2


def test_a_pool_that_is_not_listed_is_an_error() -> None:
    with pytest.raises(OriginOpsError, match=r"lb\.example\.com has the pool gone"):
        discover([], [LoadBalancer("lb.example.com", ("gone",))], POOLS)


def test_addresses_of_hostnames_are_classified() -> None:
    found = discover([record("+www CNAME app.example.net")], [], {}, Networks([ip_network("203.0.113.0/24")]))
    addresses = map(parse_address, ("2001:db8::1", "203.0.113.1", "192.0.2.10", "10.0.0.1", "192.0.2.10"))
    assert [*map(canonical, found.add_addresses("app.example.net", addresses))] == ["192.0.2.10", "2001:db8::1"]
    assert [(item["origin"], item["code"], item["names"], item["sources"]) for item in found.excluded_items()] == [
        ("10.0.0.1", "private_address", ["www.example.com"], ["hostname app.example.net"]),
        ("203.0.113.1", "cloudflare", ["www.example.com"], ["hostname app.example.net"]),
    ]


NAMES = st.sampled_from(["@", "a", "b", "*", "x.a", "*.a", "b.a"])
CONTENTS = st.one_of(
    NAMES.map(lambda name: f"{name}.example.com".removeprefix("@.")),
    st.sampled_from(["192.0.2.10", "2001:db8::1", "10.0.0.1", "app.example.net", "lb.example.com"]),
    st.text(min_size=1, max_size=20),
)


@given(
    st.lists(
        st.builds(
            Record,
            st.sampled_from(["A", "AAAA", "CNAME", "TXT"]),
            NAMES.map(lambda name: f"{name}.example.com".removeprefix("@.")),
            CONTENTS,
            st.booleans(),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_every_proxied_record_has_an_origin_or_a_reason(records: list[Record]) -> None:
    found = discover(records, [LoadBalancer("lb.example.com", ("one",))], POOLS)
    groups = (found.origins, found.hostnames, found.excluded)
    reached = {name for group in groups for usage in group.values() for name in usage.names}
    assert {item.name for item in records if item.proxied and item.type != "TXT"} <= reached
    # What another record excludes is not lost.
    assert all(usage.names and usage.sources for group in groups for usage in group.values())
