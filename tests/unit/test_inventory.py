# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that turns hosts into mappings: every cloud, every trap, and nothing left out silently."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given, reject, strategies as st

from ansible_collections.originops.cloudflare.plugins.filter.origin_mappings import origin_mappings
from support.cloud_hosts import AWS, AZURE, FLEET, GCP, MAPPED, OCI, origin
from support.published_ranges import write_ranges

OWN = origin("192.0.2.1", "aws/eu-west-1")


def told(hosts: Any, **options: Any) -> list[str]:
    """List mappings in short form."""
    return [f"{it['origin_ip']} {it['vendor']}/{it['region']}" for it in origin_mappings(hosts, **options)]


def reasons(hosts: Any, **options: Any) -> dict[str, str]:
    """Why hosts are unresolved."""
    report = origin_mappings(hosts, unresolved="report", **options)
    return {it["host"]: it["reason"] for it in report["unresolved"]}


def test_the_four_clouds_at_once() -> None:
    expected = [f"{address} {vendor}/{region}" for address, (vendor, region) in MAPPED.items()]
    assert told({**FLEET, "own": OWN}) == ["192.0.2.1 aws/eu-west-1", *expected]


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("us-east-1a", "us-east-1"),
        ("us-west-2-lax-1a", "us-west-2"),
        ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
        ("us-gov-west-1b", "us-gov-west-1"),
        ("us-isob-east-1a", "us-isob-east-1"),
        ("eusc-de-east-1a", "eusc-de-east-1"),
        ("cn-northwest-1c", "cn-northwest-1"),
        ("ap-southeast-7a", "ap-southeast-7"),
    ],
)
def test_regions_of_aws(zone: str, region: str) -> None:
    host = {**AWS, "placement": {"availability_zone": zone, "region": zone[:-1]}, "network_interfaces": []}
    assert told([host]) == [f"198.51.100.10 aws/{region}"]


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("europe-west1-b", "europe-west1"),
        ("us-south1-ai1b", "us-south1"),
        ("https://www.googleapis.com/compute/v1/projects/p/zones/asia-east2-c", "asia-east2"),
    ],
)
def test_regions_of_gcp(zone: str, region: str) -> None:
    assert told([{**GCP, "zone": zone}]) == [f"203.0.113.20 gcp/{region}", f"2001:db8:2::20 gcp/{region}"]


@pytest.mark.parametrize(
    ("said", "region"),
    [("iad", "us-ashburn-1"), ("PHX", "us-phoenix-1"), ("eu-frankfurt-1", "eu-frankfurt-1"), ("yny", "ap-chuncheon-1")],
)
def test_regions_of_oci(said: str, region: str) -> None:
    assert told([{**OCI, "region": said}]) == [f"203.0.113.50 oci/{region}"]


def test_every_address_of_every_interface_of_aws() -> None:
    interfaces = [
        {"private_ip_addresses": [{"association": {"public_ip": "198.51.100.10"}}, {"primary": False}]},
        {
            "private_ip_addresses": [{"association": {"public_ip": "198.51.100.11"}}],
            "ipv6_addresses": [{"ipv6_address": "2001:db8:1::11"}, {"ipv6_address": "2001:DB8:1:0::11"}],
        },
    ]
    assert told([{**AWS, "network_interfaces": interfaces}]) == [
        "198.51.100.10 aws/us-west-2",
        "198.51.100.11 aws/us-west-2",
        "2001:db8:1::11 aws/us-west-2",
    ]


def test_prefixes_and_suffixes_of_the_inventory_plugins() -> None:
    aws = {f"ec2_{name}_x": value for name, value in AWS.items()}
    gcp = {f"gcp_{name}": value for name, value in GCP.items()}
    hosts = {"a": aws, "g": gcp, "z": AZURE}
    renamed = told(hosts, hostvars_prefix="ec2_", hostvars_suffix="_x", vars_prefix="gcp_")
    assert renamed == told({"a": AWS, "g": GCP, "z": AZURE})
    assert set(reasons(hosts)) == {"a", "g"}


@pytest.mark.parametrize(
    ("own", "mapping"),
    [
        ({"origin_ip": "192.0.2.9"}, "192.0.2.9 oci/us-ashburn-1"),
        ({"origin_ip": [" 192.0.2.9 "]}, "192.0.2.9 oci/us-ashburn-1"),
        ({"origin_region": "us-phoenix-1"}, "203.0.113.50 oci/us-phoenix-1"),
        ({"origin_vendor": "gcp", "origin_region": "us-east1"}, "203.0.113.50 gcp/us-east1"),
        ({**OWN}, "192.0.2.1 aws/eu-west-1"),
    ],
)
def test_variables_of_ones_own_win_one_by_one(own: dict[str, Any], mapping: str) -> None:
    assert told([{**OCI, **own}]) == [mapping]


def test_another_vendor_does_not_take_over_the_region() -> None:
    assert "the region is missing" in reasons({"o1": {**OCI, "origin_vendor": "gcp"}})["o1"]


def test_names_of_ones_own() -> None:
    host = {"addr": "192.0.2.1", "cloud": "gcp", "where": "us-east1", "sites": ["a.example", "b.example"]}
    names = {"ip_variable": "addr", "vendor_variable": "cloud", "region_variable": "where", "zones_variable": "sites"}
    assert told({"h": host}, **names, zone="b.example") == ["192.0.2.1 gcp/us-east1"]
    assert told({"h": host}, **names, zone="c.example") == []


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ({}, "no variable has its address: set origin_ip if it has one"),
        ({**AWS, "public_ip_address": None, "network_interfaces": []}, "its aws variables have no public address"),
        ({**AZURE, "public_ipv4_address": [None]}, "its azure variables have no public address"),
        ({**GCP, "networkInterfaces": [{"accessConfigs": [{}]}]}, "its gcp variables have no public address"),
        ({**OCI, "public_ip": None}, "its oci variables have no public address"),
        ({**AWS, "placement": {"availability_zone": "here"}}, "the region is missing"),
        ({"origin_ip": "192.0.2.1"}, "no variable names its cloud: set origin_vendor and origin_region"),
        ({**OWN, "origin_vendor": "AWS"}, "did you mean aws?"),
        ({**OWN, "origin_ip": "192.0.2.0/24"}, "is a prefix, not a single address"),
        ({**OWN, "origin_ip": 5}, "is of type int"),
        ({**OWN, "origin_ip": "web.example.com"}, "is not an IPv4 or IPv6 address"),
    ],
)
def test_no_host_is_left_out_silently(host: dict[str, Any], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    hosts = {"good": AZURE, "odd": host}
    assert reason in reasons(hosts)["odd"]
    with pytest.raises(AnsibleFilterError, match="odd"):
        origin_mappings(hosts)
    assert told(hosts, unresolved="skip") == told({"good": AZURE})
    warned = " ".join(capsys.readouterr().err.split())
    assert "odd" in warned


def test_a_bad_address_beside_a_good_one() -> None:
    report = origin_mappings({"h": {**OWN, "origin_ip": ["192.0.2.1", "nonsense"]}}, unresolved="report")
    assert [it["origin_ip"] for it in report["mappings"]] == ["192.0.2.1"]
    assert [it["host"] for it in report["unresolved"]] == ["h"]


def test_the_report_tells_hosts_and_addresses() -> None:
    hosts = {"a": OWN, "b": OWN, "lost": {"origin_ip": ["192.0.2.7", "2001:DB8::7"]}}
    report = origin_mappings(hosts, unresolved="report")
    assert report["mappings"] == [{"origin_ip": "192.0.2.1", "vendor": "aws", "region": "eu-west-1"}]
    assert report["hosts"] == {"192.0.2.1": ["a", "b"]}
    assert [it["addresses"] for it in report["unresolved"]] == [["192.0.2.7", "2001:db8::7"]]


@pytest.mark.parametrize("unresolved", ["error", "skip", "report"])
def test_a_contradiction_names_both_hosts(unresolved: str) -> None:
    hosts = {"one": OWN, "two": {**OWN, "origin_ip": "192.0.2.1", "origin_region": "eu-west-2"}}
    with pytest.raises(AnsibleFilterError, match=r"one: 192\.0\.2\.1: aws/eu-west-1, but two: .*eu-west-2"):
        origin_mappings(hosts, unresolved=unresolved)


def test_inputs_of_every_kind() -> None:
    named = {**OWN, "inventory_hostname": "web"}
    expected = ["192.0.2.1 aws/eu-west-1"]
    assert told({"web": OWN}) == told([named]) == told(named) == told(iter([named])) == expected
    assert told([]) == told({}) == []
    assert reasons([{}, {"inventory_hostname": "web"}]).keys() == {"item 1", "web"}


@pytest.mark.parametrize("hosts", ["web", 5, None, {"web": "192.0.2.1"}, [5], [["192.0.2.1"]]])
def test_inputs_of_no_use(hosts: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="origin_mappings: "):
        origin_mappings(hosts)


def test_an_unknown_way_with_unresolved_hosts() -> None:
    with pytest.raises(AnsibleFilterError, match="did you mean skip"):
        origin_mappings([], unresolved="skipp")


def test_zones_of_hosts() -> None:
    hosts = {
        "one": {**OWN, "origin_zones": "a.example"},
        "two": {**OWN, "origin_ip": "192.0.2.2", "origin_zones": ["a.example", "b.example"]},
        "none": {},
    }
    assert told(hosts, zone="a.example") == ["192.0.2.1 aws/eu-west-1", "192.0.2.2 aws/eu-west-1"]
    assert told(hosts, zone="b.example") == ["192.0.2.2 aws/eu-west-1"]


def test_published_ranges_tell_what_variables_do_not(tmp_path: Path) -> None:
    ranges = write_ranges(tmp_path)
    assert told(["203.0.113.20", "2001:db8:3::7"], ranges=ranges, zone="any.example") == [
        "203.0.113.20 gcp/us-central1",
        "2001:db8:3::7 azure/eastus2",
    ]
    assert told({"h": {"origin_ip": "203.0.113.50", "origin_vendor": "oci"}}, ranges=ranges) == [
        "203.0.113.50 oci/us-ashburn-1"
    ]
    # Variables that tell are not asked twice.
    assert told({"h": {**OWN, "origin_ip": "203.0.113.20"}}, ranges=ranges) == ["203.0.113.20 aws/eu-west-1"]
    unknown = {"far": {"origin_ip": "10.0.0.1"}, "other": {"origin_ip": "203.0.113.20", "origin_vendor": "aws"}}
    assert {host: reason.rpartition(" ")[2] for host, reason in reasons(unknown, ranges=ranges).items()} == {
        "far": "(unknown)",
        "other": "(found)",
    }


def test_ranges_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(AnsibleFilterError, match=r"origin_mappings: .*nowhere"):
        origin_mappings(["192.0.2.1"], ranges={"aws": str(tmp_path / "nowhere")})


ADDRESSES = st.one_of(st.builds(IPv4Address, st.integers(1, 40)), st.builds(IPv6Address, st.integers(1, 40))).map(str)
HOSTS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "origin_ip": st.one_of(ADDRESSES, st.lists(ADDRESSES, max_size=3)),
            "origin_vendor": st.just("gcp"),
            "origin_region": st.just("us-east1"),
            **{name: st.one_of(st.none(), st.just(value), st.integers()) for name, value in (AWS | GCP | OCI).items()},
        },
    ),
    max_size=6,
)


@given(HOSTS)
def test_every_host_is_accounted_for_whatever_its_variables(hosts: dict[str, Any]) -> None:
    try:
        report = origin_mappings(hosts, unresolved="report")
    except AnsibleFilterError:
        reject()  # two of the hosts contradict each other
    behind = {host for names in report["hosts"].values() for host in names}
    assert behind | {it["host"] for it in report["unresolved"]} == hosts.keys()
    addresses = [it["origin_ip"] for it in report["mappings"]]
    assert addresses == sorted(set(addresses), key=lambda text: (ip_address(text).version, int(ip_address(text))))
    assert addresses == list(report["hosts"])
