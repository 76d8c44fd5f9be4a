# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter from hosts to mappings: every cloud, and edge cases.

No host is left out silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError, AnsibleUndefinedVariable
from hypothesis import given, strategies as st

from ansible_collections.originops.cloudflare.plugins.filter.origin_mappings import origin_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._locations import UNRESOLVED_CODES
from ansible_collections.originops.cloudflare.plugins.plugin_utils._inventory import OriginFinder, VariableNames
from ansible_collections.originops.cloudflare.plugins.plugin_utils._many_zones import parse_zones
from support.cloud_hosts import AWS, AZURE, AZURE_ARC, AZURE_STACK_HCI, FLEET, GCP, MAPPED, OCI, origin
from support.published_ranges import write_ranges

OWN = origin("192.0.2.1", "aws/eu-west-1")


def mapped(hosts: Any, **options: Any) -> list[str]:
    """List mappings in short form."""
    return [f"{entry['origin_ip']} {entry['vendor']}/{entry['region']}" for entry in origin_mappings(hosts, **options)]


def reasons(hosts: Any, **options: Any) -> dict[str, str]:
    """Return the reasons for unresolved hosts."""
    report = origin_mappings(hosts, unresolved="report", **options)
    return {entry["host"]: entry["reason"] for entry in report["unresolved"]}


def unresolved(hosts: Any, **options: Any) -> list[tuple[str, str, list[str]]]:
    """List unresolved hosts with codes and addresses."""
    report = origin_mappings(hosts, unresolved="report", **options)
    return [(entry["host"], entry["code"], entry["addresses"]) for entry in report["unresolved"]]


class Variables(Mapping[str, Any]):
    """Variables of a host that record the names that are read.

    Some cannot be evaluated, as with ansible-core 2.19 and later.
    """

    def __init__(self, variables: dict[str, Any], *faulty: str) -> None:
        self._variables = {**variables, **dict.fromkeys(faulty)}
        self._faulty = faulty
        self.read: list[str] = []

    def __getitem__(self, name: str) -> Any:
        if name in self._faulty:
            raise AnsibleUndefinedVariable(f"'missing_{name}' is undefined")
        value = self._variables[name]
        self.read.append(name)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._variables

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


def test_the_four_clouds_at_once() -> None:
    expected = [f"{address} {vendor}/{region}" for address, (vendor, region) in MAPPED.items()]
    assert mapped({**FLEET, "own": OWN}) == ["192.0.2.1 aws/eu-west-1", *expected]


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
    assert mapped([host]) == [f"198.51.100.10 aws/{region}"]


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("europe-west1-b", "europe-west1"),
        ("us-south1-ai1b", "us-south1"),
        ("https://www.googleapis.com/compute/v1/projects/p/zones/asia-east2-c", "asia-east2"),
    ],
)
def test_regions_of_gcp(zone: str, region: str) -> None:
    assert mapped([{**GCP, "zone": zone}]) == [f"203.0.113.20 gcp/{region}", f"2001:db8:2::20 gcp/{region}"]


@pytest.mark.parametrize(
    ("text", "region"),
    [("iad", "us-ashburn-1"), ("PHX", "us-phoenix-1"), ("eu-frankfurt-1", "eu-frankfurt-1"), ("yny", "ap-chuncheon-1")],
)
def test_regions_of_oci(text: str, region: str) -> None:
    assert mapped([{**OCI, "region": text}]) == [f"203.0.113.50 oci/{region}"]


def test_every_address_of_every_interface_of_aws() -> None:
    interfaces = [
        {"private_ip_addresses": [{"association": {"public_ip": "198.51.100.10"}}, {"primary": False}]},
        {
            "private_ip_addresses": [{"association": {"public_ip": "198.51.100.11"}}],
            "ipv6_addresses": [{"ipv6_address": "2001:db8:1::11"}, {"ipv6_address": "2001:DB8:1:0::11"}],
        },
    ]
    assert mapped([{**AWS, "network_interfaces": interfaces}]) == [
        "198.51.100.10 aws/us-west-2",
        "198.51.100.11 aws/us-west-2",
        "2001:db8:1::11 aws/us-west-2",
    ]


def test_prefixes_and_suffixes_of_the_inventory_plugins() -> None:
    aws = {f"ec2_{name}_x": value for name, value in AWS.items()}
    gcp = {f"gcp_{name}": value for name, value in GCP.items()}
    hosts = {"a": aws, "g": gcp, "z": AZURE}
    renamed = mapped(hosts, hostvars_prefix="ec2_", hostvars_suffix="_x", vars_prefix="gcp_")
    assert renamed == mapped({"a": AWS, "g": GCP, "z": AZURE})
    assert set(reasons(hosts)) == {"a", "g"}
    assert "hostvars_prefix" in reasons(hosts)["a"]
    assert "ip_variable" in reasons(hosts)["a"]


def test_several_sources_with_and_without_prefixes_at_once() -> None:
    def renamed(variables: dict[str, Any], prefix: str, suffix: str, address: str) -> dict[str, Any]:
        return {f"{prefix}{name}{suffix}": value for name, value in {**variables, "public_ip_address": address}.items()}

    aws = {**AWS, "network_interfaces": []}
    hosts = {
        "plain": renamed(aws, "", "", "198.51.100.1"),
        "first": renamed(aws, "ec2_", "", "198.51.100.2"),
        "second": renamed(aws, "aws_", "_x", "198.51.100.3"),
        "g": {f"gcp_{name}": value for name, value in GCP.items()},
        "h": {**GCP, "networkInterfaces": [{"accessConfigs": [{"natIP": "203.0.113.21"}]}]},
    }
    prefixes = {"hostvars_prefix": ["ec2_", "aws_"], "hostvars_suffix": "_x", "vars_prefix": "gcp_"}
    assert mapped(hosts, **prefixes) == [
        "198.51.100.1 aws/us-west-2",
        "198.51.100.2 aws/us-west-2",
        "198.51.100.3 aws/us-west-2",
        "203.0.113.20 gcp/us-central1",
        "203.0.113.21 gcp/us-central1",
        "2001:db8:2::20 gcp/us-central1",
    ]
    # If a host has both, variables with the prefix of the options have precedence.
    both = {**renamed(aws, "ec2_", "", "198.51.100.2"), **hosts["plain"]}
    assert mapped([both], hostvars_prefix="ec2_") == ["198.51.100.2 aws/us-west-2"]


def test_addresses_of_oci() -> None:
    host = {**OCI, "ipv6_ips": ["2001:db8:4::50", "2001:db8:4::51"]}
    expected = ["203.0.113.50 oci/us-ashburn-1", "2001:db8:4::50 oci/us-ashburn-1", "2001:db8:4::51 oci/us-ashburn-1"]
    assert mapped([host]) == expected
    assert mapped([{**host, "public_ip": None}]) == expected[1:]


def test_addresses_of_azure_before_version_2_1_of_its_plugin() -> None:
    older = {**AZURE, "public_ipv4_addresses": AZURE["public_ipv4_address"]}
    del older["public_ipv4_address"]
    assert mapped([older]) == mapped([AZURE]) == ["192.0.2.40 azure/eastus2", "2001:db8:3::40 azure/eastus2"]
    assert unresolved({"stopped": {**older, "public_ipv4_addresses": []}}) == [("stopped", "no_address", [])]


@pytest.mark.parametrize("host", [AZURE_ARC, AZURE_STACK_HCI, {**AZURE_ARC, "resource_type": None}])
def test_arc_machines_are_not_in_azure(host: dict[str, Any], tmp_path: Path) -> None:
    [address] = host["public_ipv4_address"]
    assert unresolved({"edge": host}) == [("edge", "unknown_cloud", [address])]
    assert "outside of azure" in reasons({"edge": host})["edge"]
    # Published ranges and the user's own variables decide.
    assert mapped({"edge": host}, ranges=write_ranges(tmp_path)) == [f"{address} gcp/us-central1"]
    own = {"origin_vendor": "aws", "origin_region": "eu-west-1"}
    assert mapped({"edge": {**host, **own}}) == [f"{address} aws/eu-west-1"]
    assert unresolved({"edge": {**host, "origin_vendor": "azure"}}) == [("edge", "unknown_region", [address])]
    assert unresolved({"edge": {**host, "public_ipv4_address": []}}) == [("edge", "no_address", [])]


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
def test_custom_variables_win_one_by_one(own: dict[str, Any], mapping: str) -> None:
    assert mapped([{**OCI, **own}]) == [mapping]


def test_another_vendor_does_not_take_over_the_region() -> None:
    assert "the region is missing" in reasons({"o1": {**OCI, "origin_vendor": "gcp"}})["o1"]


def test_custom_variable_names() -> None:
    host = {"addr": "192.0.2.1", "cloud": "gcp", "where": "us-east1", "sites": ["a.example", "b.example"]}
    names = {"ip_variable": "addr", "vendor_variable": "cloud", "region_variable": "where", "zones_variable": "sites"}
    assert mapped({"h": host}, **names, zone="b.example") == ["192.0.2.1 gcp/us-east1"]
    assert mapped({"h": host}, **names, zone="c.example") == []


@pytest.mark.parametrize(
    ("host", "code", "reason"),
    [
        ({}, "no_address", "no variable has its address: set origin_ip if it has one"),
        (
            {**AWS, "public_ip_address": None, "network_interfaces": []},
            "no_address",
            "its aws variables have no public address",
        ),
        ({**AZURE, "public_ipv4_address": [None]}, "no_address", "its azure variables have no public address"),
        (
            {**GCP, "networkInterfaces": [{"accessConfigs": [{}]}]},
            "no_address",
            "its gcp variables have no public address",
        ),
        ({**OCI, "public_ip": None}, "no_address", "its oci variables have no public address"),
        ({**AWS, "placement": {"availability_zone": "here"}}, "unknown_region", "the region is missing"),
        (
            {"origin_ip": "192.0.2.1"},
            "unknown_cloud",
            "no variable names its cloud: set origin_vendor and origin_region",
        ),
        ({"origin_ip": "192.0.2.1", "origin_region": "eu-west-1"}, "unknown_cloud", "the vendor is missing"),
        ({"origin_ip": "192.0.2.1", "origin_vendor": "aws"}, "unknown_region", "the region is missing"),
        ({**OWN, "origin_vendor": "AWS"}, "unknown_cloud", "did you mean aws?"),
        ({**OWN, "origin_ip": "192.0.2.0/24"}, "no_address", "is a prefix, not a single address"),
        ({**OWN, "origin_ip": 5}, "no_address", "is of type int"),
        ({**OWN, "origin_ip": "web1"}, "no_address", "is not an IPv4 or IPv6 address"),
        ({**OWN, "origin_ip": "192.0.2.300"}, "no_address", "is not an IPv4 or IPv6 address"),
        ({**OWN, "origin_ip": "127.0.0.1"}, "no_address", "is a loopback address"),
        ({**OWN, "origin_ip": "web.example.com"}, "hostname", "'web.example.com' is a host name"),
        ({**OWN, "origin_ip": ["LB-1.example.com."]}, "hostname", "'LB-1.example.com.' is a host name"),
        ({**OWN, "origin_ip": "10.0.0.1"}, "private_address", "10.0.0.1 is private"),
        ({**OWN, "origin_ip": "fd00::1"}, "private_address", "fd00::1 is private"),
        ({**OWN, "origin_ip": "{{ missing }}"}, "variable_error", "variable origin_ip cannot be evaluated"),
        ({**AWS, "placement": "{{ missing }}"}, "variable_error", "variable placement cannot be evaluated"),
        (
            Variables(OWN, "origin_region"),
            "variable_error",
            "origin_region cannot be evaluated: 'missing_origin_region'",
        ),
        ({**OWN, "origin_ignore": "perhaps"}, "variable_error", "'perhaps', which is neither true nor false"),
        ({**OWN, "origin_ignore": [True]}, "variable_error", "which is neither true nor false"),
        ({**OWN, "origin_ip": {"ip": "192.0.2.1", "regoin": "x"}}, "no_address", "'regoin' is unknown here"),
        ({**OWN, "origin_ip": {"vendor": "aws", "region": "x"}}, "no_address", "the address is missing"),
    ],
)
def test_no_host_is_left_out_silently(
    host: dict[str, Any], code: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = {"good": AZURE, "odd": host}
    assert [entry[:2] for entry in unresolved(hosts)] == [("odd", code)]
    assert reason in reasons(hosts)["odd"]
    with pytest.raises(AnsibleFilterError, match="odd"):
        origin_mappings(hosts)
    assert mapped(hosts, unresolved="skip") == mapped({"good": AZURE})
    warned = " ".join(capsys.readouterr().err.split())
    assert "odd" in warned


@pytest.mark.parametrize("ignored", [True, "true", "yes", "on", 1])
def test_hosts_without_origins(ignored: Any) -> None:
    hosts = {"web": OWN, "runner": Variables({**AWS, "origin_ignore": ignored}, "origin_ip", "origin_zones")}
    assert mapped(hosts) == ["192.0.2.1 aws/eu-west-1"]
    assert mapped(hosts, zone="a.example") == []


@pytest.mark.parametrize("ignored", [False, "no", "", None, 0])
def test_false_values_of_origin_ignore(ignored: Any) -> None:
    assert mapped([{**OWN, "origin_ignore": ignored}]) == ["192.0.2.1 aws/eu-west-1"]


def test_the_known_addresses_of_a_host_with_a_faulty_variable() -> None:
    hosts = {
        "location": Variables({"origin_ip": ["192.0.2.1", "nonsense"]}, "origin_vendor"),
        "plugin": Variables({**OCI, "ipv6_ips": []}, "origin_region"),
        "address": Variables(OWN, "origin_ip"),
        "zones": Variables({**OWN, "origin_ip": {"ip": "192.0.2.2"}}, "origin_zones"),
        "odd": {**OWN, "origin_ip": "192.0.2.3", "origin_zones": [{"name": "a.example"}]},
    }
    zones = ("location", "plugin", "address")
    expected = [
        ("location", "variable_error", ["192.0.2.1"]),
        ("plugin", "variable_error", ["203.0.113.50"]),
        ("address", "variable_error", []),
    ]
    assert unresolved({name: hosts[name] for name in zones}) == expected
    # A host with unreadable zones may be an origin of any zone.
    assert unresolved(hosts, zone="a.example") == [
        ("zones", "variable_error", ["192.0.2.2"]),
        ("odd", "variable_error", ["192.0.2.3"]),
    ]


@pytest.mark.parametrize(
    ("other", "more", "unreadable"),
    [
        ("lb.example.net", [], True),
        ("192.0.2.300", [], True),
        ({"vendor": "aws"}, [], True),
        ({"ip": "192.0.2.2", "origin_ip": "nonsense"}, ["192.0.2.2"], True),
        ({"ip": "192.0.2.2", "regoin": "x"}, ["192.0.2.2"], False),
        ("10.0.0.1", ["10.0.0.1"], False),
    ],
    ids=str,
)
@pytest.mark.parametrize("faulty", ["origin_region", "origin_zones"])
def test_a_faulty_variable_conceals_no_unreadable_address(
    faulty: str, other: Any, more: list[str], unreadable: bool
) -> None:
    host = Variables({**OWN, "origin_ip": ["192.0.2.1", other], "origin_zones": "a.example"}, faulty)
    [entry] = origin_mappings({"h": host}, unresolved="report", zone="a.example")["unresolved"]
    assert (entry["code"], entry["addresses"]) == ("variable_error", ["192.0.2.1", *more])
    assert entry.get("unreadable", False) is unreadable


def test_irrelevant_variables_are_not_evaluated() -> None:
    assert mapped({"web": Variables(OWN, "location", "zone", "placement", "origin_zones")}) == [
        "192.0.2.1 aws/eu-west-1"
    ]


def test_a_bad_and_a_good_address() -> None:
    report = origin_mappings({"h": {**OWN, "origin_ip": ["192.0.2.1", "nonsense"]}}, unresolved="report")
    assert [entry["origin_ip"] for entry in report["mappings"]] == ["192.0.2.1"]
    assert [(entry["host"], entry["unreadable"]) for entry in report["unresolved"]] == [("h", True)]


@pytest.mark.parametrize(
    ("variables", "unreadable"),
    [
        ({**OWN, "origin_ip": "192.0.2.10."}, True),
        ({**OWN, "origin_ip": {"ip": "192.0.2.300"}}, True),
        ({**OWN, "origin_ip": {"ip": "192.0.2.1", "regoin": "x"}}, False),
        ({**OWN, "origin_ip": {"ip": "192.0.2.300", "origin_ip": "192.0.2.1"}}, True),
        ({**OWN, "origin_ip": {"ip": "192.0.2.1", "origin_ip": "192.0.2.2"}}, False),
        ({**OWN, "origin_ip": "127.0.0.1"}, False),
        ({"origin_vendor": "aws"}, False),
    ],
)
def test_an_unreadable_address_is_reported_as_such(variables: dict[str, Any], unreadable: bool) -> None:
    [entry] = origin_mappings({"h": variables}, unresolved="report")["unresolved"]
    assert entry["code"] == "no_address"
    assert {key: entry[key] for key in entry.keys() - {"host", "code", "reason", "addresses"}} == (
        {"unreadable": True} if unreadable else {}
    )


def test_the_report_lists_hosts_and_addresses() -> None:
    hosts = {"a": OWN, "b": OWN, "lost": {"origin_ip": ["192.0.2.7", "2001:DB8::7"]}}
    report = origin_mappings(hosts, unresolved="report")
    assert report["mappings"] == [{"origin_ip": "192.0.2.1", "vendor": "aws", "region": "eu-west-1"}]
    assert report["hosts"] == {"192.0.2.1": ["a", "b"]}
    assert [entry["addresses"] for entry in report["unresolved"]] == [["192.0.2.7", "2001:db8::7"]]


def test_an_address_in_two_regions_is_in_no_mapping() -> None:
    other = {**OWN, "origin_region": "eu-west-2"}
    hosts = {"one": OWN, "two": other, "three": OWN, "four": origin("192.0.2.4", "gcp/us-east1")}
    report = origin_mappings(hosts, unresolved="report")
    assert mapped(hosts, unresolved="skip") == ["192.0.2.4 gcp/us-east1"]
    assert report["hosts"] == {"192.0.2.4": ["four"]}
    assert report["unresolved"] == [
        {
            "host": "one and three and two",
            "code": "conflict",
            "reason": "192.0.2.1 is in different regions: aws/eu-west-1 (one), aws/eu-west-2 (two)",
            "addresses": ["192.0.2.1"],
        }
    ]
    with pytest.raises(AnsibleFilterError, match="one and three and two"):
        origin_mappings(hosts)


def test_long_lists_of_unresolved_hosts_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    hosts = {f"host{number}{'x' * 1000}": {} for number in range(12)}
    with pytest.raises(AnsibleFilterError) as error:
        origin_mappings(hosts)
    assert len(str(error.value)) <= 4000
    with pytest.raises(AnsibleFilterError, match="and 2 more, see unresolved='report'"):
        origin_mappings({name[:6]: {} for name in hosts})
    assert origin_mappings(hosts, unresolved="skip") == []
    assert len(capsys.readouterr().err.replace("\n", "")) < 4100
    assert len(unresolved(hosts)) == 12


def test_dictionaries_of_mappings_among_addresses(tmp_path: Path) -> None:
    balancers = [
        {"origin_ip": "198.51.100.7", "vendor": "aws", "region": "us-east-1"},
        {"ip": "198.51.100.8", "vendor": "aws", "region": "us-east-1"},
        {"origin_ip": "203.0.113.7"},
        "203.0.113.8",
    ]
    assert mapped(balancers, ranges=write_ranges(tmp_path), zone="any.example") == [
        "198.51.100.7 aws/us-east-1",
        "198.51.100.8 aws/us-east-1",
        "203.0.113.7 gcp/us-central1",
        "203.0.113.8 gcp/us-central1",
    ]
    assert unresolved(balancers) == [
        ("203.0.113.7", "unknown_cloud", ["203.0.113.7"]),
        ("203.0.113.8", "unknown_cloud", ["203.0.113.8"]),
    ]
    bad = [
        {"origin_ip": "192.0.2.1", "vendor": "aws", "regoin": "us-east-1"},
        {"origin_ip": "192.0.2.2", "ip": "192.0.2.4", "vendor": "aws", "region": "us-east-1"},
        {"origin_ip": "192.0.2.3", "vendor": "aws"},
        {"origin_ip": "lb.example.com", "vendor": "aws", "region": "us-east-1"},
        "{{ missing }}",
    ]
    assert unresolved(bad) == [
        ("192.0.2.1", "no_address", ["192.0.2.1"]),
        ("192.0.2.2", "no_address", ["192.0.2.2", "192.0.2.4"]),
        ("192.0.2.3", "unknown_region", ["192.0.2.3"]),
        ("lb.example.com", "hostname", []),
        ("{{ missing }}", "variable_error", []),
    ]


def test_dictionaries_of_mappings_in_the_address_variable() -> None:
    elsewhere = {"ip": "198.51.100.7", "vendor": "aws", "region": "us-east-1"}
    host = {**OCI, "origin_ip": ["203.0.113.50", {"ip": "203.0.113.51", "region": "us-phoenix-1"}, elsewhere]}
    assert mapped([host]) == [
        "198.51.100.7 aws/us-east-1",
        "203.0.113.50 oci/us-ashburn-1",
        "203.0.113.51 oci/us-phoenix-1",
    ]
    # The host's region does not apply to another vendor.
    other = {**OCI, "origin_ip": {"origin_ip": "192.0.2.1", "vendor": "gcp"}}
    assert unresolved({"o1": other}) == [("o1", "unknown_region", ["192.0.2.1"])]


FROM_CLOUDFLARE = {
    "changed": False,
    "zone_id": "0" * 32,
    "origins": [
        {"origin_ip": "203.0.113.7", "names": ["www.example.com", "pool eu"], "sources": ["dns", "load_balancer"]},
        {"origin_ip": "198.18.0.1", "names": ["old.example.com"], "sources": ["dns"]},
    ],
    "hostnames": [
        {"hostname": "lb.example.net", "names": ["shop.example.com", "api.example.com"], "sources": ["dns"]},
        {
            "hostname": "resolved.example.net",
            "names": ["img.example.com"],
            "sources": ["dns"],
            "addresses": ["2001:db8:3::7", "203.0.113.7"],
        },
    ],
    "excluded": [{"origin_ip": "192.0.2.1", "names": ["redirect.example.com"], "reason": "a placeholder"}],
}
"""Result of the module zone_origins_info."""


def test_origins_that_cloudflare_knows(tmp_path: Path) -> None:
    options: dict[str, Any] = {"ranges": write_ranges(tmp_path), "zone": "example.com"}
    report = origin_mappings(FROM_CLOUDFLARE, unresolved="report", **options)
    assert mapped(FROM_CLOUDFLARE, unresolved="skip", **options) == [
        "203.0.113.7 gcp/us-central1",
        "2001:db8:3::7 azure/eastus2",
    ]
    assert report["hosts"] == {
        "203.0.113.7": ["www.example.com", "pool eu", "img.example.com"],
        "2001:db8:3::7": ["img.example.com"],
    }
    assert unresolved(FROM_CLOUDFLARE, **options) == [
        ("old.example.com", "unknown_cloud", ["198.18.0.1"]),
        ("shop.example.com, api.example.com", "hostname", []),
    ]
    assert "'lb.example.net'" in report["unresolved"][1]["reason"]


def test_many_names_of_an_origin_are_counted() -> None:
    names = [f"name{number}.example.com" for number in range(14)]
    origins = [{"origin_ip": "192.0.2.1", "names": names, "sources": ["dns"]}]
    [host] = reasons({"origins": origins, "hostnames": []})
    assert host == f"{', '.join(names[:10])}, 4 more"


@pytest.mark.parametrize("origins", [["192.0.2.1"], [{"origin_ip": "192.0.2.1"}], [{"names": ["www.example.com"]}]])
def test_a_damaged_result_of_zone_origins_info(origins: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="do not have the format of a result of zone_origins_info"):
        origin_mappings({"origins": origins, "hostnames": []})


def test_inputs_of_every_kind() -> None:
    named = {**OWN, "inventory_hostname": "web"}
    expected = ["192.0.2.1 aws/eu-west-1"]
    assert mapped({"web": OWN}) == mapped([named]) == mapped(named) == mapped(iter([named])) == expected
    assert mapped([]) == mapped({}) == []
    assert reasons([{}, {"inventory_hostname": "web"}]).keys() == {"item 1", "web"}


@pytest.mark.parametrize("zone", [None, "a.example"])
def test_hosts_of_one_name_from_two_inventories(zone: str | None) -> None:
    named = {"inventory_hostname": "web", "origin_zones": "a.example"}
    first, second = {**named, **OWN}, {**named, **origin("192.0.2.2", "gcp/us-east1")}
    hosts = [first, second, {**first}, {**named, "origin_ip": "192.0.2.3"}]
    report = origin_mappings(hosts, unresolved="report", zone=zone)
    assert report["hosts"] == {"192.0.2.1": ["web"], "192.0.2.2": ["web"]}
    assert [(entry["host"], entry["addresses"]) for entry in report["unresolved"]] == [("web", ["192.0.2.3"])]
    elsewhere = {**first, "origin_region": "eu-west-2"}
    assert unresolved([first, second, elsewhere], zone=zone) == [("web", "conflict", ["192.0.2.1"])]


def test_hosts_with_names_that_mean_something_else() -> None:
    hosts = {name: {**OWN, "origin_zones": "a.example"} for name in ("ip", "origins", "hostnames", "origin_ip")}
    report = origin_mappings(hosts, unresolved="report", zone="a.example")
    assert report["hosts"] == {"192.0.2.1": [*hosts]}


@pytest.mark.parametrize(
    ("option", "part"),
    [
        ({"vras_prefix": "gcp_"}, "option vras_prefix is unknown: did you mean vars_prefix"),
        ({"ip_variable": ["a", "b"]}, "ip_variable: .* is not text"),
        ({"hostvars_prefix": [5]}, "hostvars_prefix: .* is not text"),
        ({"zone": 5}, "zone: '5' is not text"),
    ],
)
def test_bad_options(option: dict[str, Any], part: str) -> None:
    with pytest.raises(AnsibleFilterError, match=part):
        origin_mappings([], **option)


def test_options_that_are_null_have_their_defaults() -> None:
    options = dict.fromkeys(("zone", "ranges", "ip_variable", "zones_variable", "hostvars_prefix", "vars_prefix"))
    assert mapped([{**OWN}], **options) == ["192.0.2.1 aws/eu-west-1"]


@pytest.mark.parametrize("hosts", ["web", 5, None, {"web": "192.0.2.1"}, [5], [["192.0.2.1"]]])
def test_unusable_inputs(hosts: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="origin_mappings: "):
        origin_mappings(hosts)


def test_an_unknown_value_of_on_unresolved() -> None:
    with pytest.raises(AnsibleFilterError, match="did you mean skip"):
        origin_mappings([], unresolved="skipp")


@pytest.mark.parametrize(
    "zones",
    [
        "a.example",
        "A.Example.",
        " a.example ",
        "b.example,a.example",
        "b.example, a.example.",
        "b.example a.example",
        ["a.example"],
        ["b.example", " A.EXAMPLE. "],
        ["b.example,a.example"],
    ],
)
def test_zones_of_hosts(zones: Any) -> None:
    hosts = {"one": {**OWN, "origin_zones": zones}, "none": {}}
    assert mapped(hosts, zone="a.example") == mapped(hosts, zone="A.example. ") == ["192.0.2.1 aws/eu-west-1"]
    assert mapped(hosts, zone="aa.example") == mapped(hosts, zone="example") == []


def test_many_zones_in_a_single_pass() -> None:
    one = Variables(origin("192.0.2.1", "aws/us-east-1", origin_zones="a.example,b.example"))
    two = Variables(origin("192.0.2.2", "aws/us-east-1", origin_zones=["b.example"]))
    address = {"origin_ip": "203.0.113.7", "vendor": "gcp", "region": "us-central1"}
    hosts = [("one", one), ("two", two), ("203.0.113.7", address)]
    finder = OriginFinder(VariableNames())
    index = finder.index_zones(hosts)
    found = {zone: finder.collect(index.items_of(zone)).as_dict()["hosts"] for zone in ("a.example", "B.example", "c")}
    balancer = {"203.0.113.7": ["203.0.113.7"]}
    assert found == {
        "a.example": {"192.0.2.1": ["one"], **balancer},
        "B.example": {"192.0.2.1": ["one"], "192.0.2.2": ["two"], **balancer},
        "c": balancer,
    }
    for variables in (one, two):
        assert sorted(variables.read) == ["origin_ip", "origin_region", "origin_vendor", "origin_zones"]


def test_hostvars_of_a_host_are_read_once_for_all_zones() -> None:
    # Ansible creates another object each time that a host's variables are requested.
    one, again = (Variables({**OWN}) for _number in range(2))
    finder = OriginFinder(VariableNames())
    assert finder.collect([("one", one)]).hosts == finder.collect([("one", again)]).hosts
    assert again.read == []


def test_published_ranges_fill_gaps_of_variables(tmp_path: Path) -> None:
    ranges = write_ranges(tmp_path)
    assert mapped(["203.0.113.20", "2001:db8:3::7"], ranges=ranges, zone="any.example") == [
        "203.0.113.20 gcp/us-central1",
        "2001:db8:3::7 azure/eastus2",
    ]
    assert mapped({"h": {"origin_ip": "203.0.113.50", "origin_vendor": "oci"}}, ranges=ranges) == [
        "203.0.113.50 oci/us-ashburn-1"
    ]
    # A location in variables has precedence.
    assert mapped({"h": {**OWN, "origin_ip": "203.0.113.20"}}, ranges=ranges) == ["203.0.113.20 aws/eu-west-1"]


@pytest.mark.parametrize(
    ("host", "code", "reason"),
    [
        ({"origin_ip": "198.18.0.1"}, "unknown_cloud", "do not have 198.18.0.1"),
        ({"origin_ip": "198.18.0.1", "origin_vendor": "aws"}, "unknown_region", "do not have 198.18.0.1"),
        ({"origin_ip": "198.51.100.130"}, "unknown_region", "have 198.51.100.130 in aws, without a region"),
        ({"origin_ip": "192.0.2.225"}, "unknown_region", "in azure/eastus2 or azure/centralus"),
        ({"origin_ip": "203.0.113.81"}, "unknown_cloud", "in gcp/europe-west3 or oci/eu-frankfurt-1"),
        ({"origin_ip": "203.0.113.20", "origin_vendor": "aws"}, "unknown_region", "in gcp/us-central1, not in aws"),
        ({"origin_ip": "203.0.113.20", "origin_region": "x"}, "unknown_region", "in gcp/us-central1, not in x"),
        ({"origin_ip": "203.0.113.20", "origin_vendor": "Google"}, "unknown_cloud", "did you mean gcp?"),
        ({"origin_ip": "10.0.0.1"}, "private_address", "10.0.0.1 is private"),
    ],
)
def test_locations_missing_from_the_ranges_too(host: dict[str, Any], code: str, reason: str, tmp_path: Path) -> None:
    ranges = write_ranges(tmp_path)
    assert unresolved({"h": host}, ranges=ranges) == [("h", code, [host["origin_ip"]])]
    assert reason in reasons({"h": host}, ranges=ranges)["h"]


def test_addresses_partly_in_the_ranges(tmp_path: Path) -> None:
    hosts = {"h": {"origin_ip": ["203.0.113.20", "198.18.0.1", "198.18.0.2", "nonsense"]}}
    ranges = write_ranges(tmp_path)
    assert mapped(hosts, unresolved="skip", ranges=ranges) == ["203.0.113.20 gcp/us-central1"]
    assert unresolved(hosts, ranges=ranges) == [
        ("h", "unknown_cloud", ["198.18.0.1"]),
        ("h", "unknown_cloud", ["198.18.0.2"]),
        ("h", "no_address", []),
    ]


def test_entries_of_zones() -> None:
    same = [{"zone": "a.example", "group": "web"}, {"group": "web", "zone": "a.example"}]
    assert [zone.error for zone in parse_zones(same, "zones")] == [None]
    [odd] = parse_zones([{"zone": "a.example", 1: "x", "group": "web"}], "zones")
    assert "'1' is unknown" in str(odd.error)


@pytest.mark.parametrize(
    ("entries", "repeated"),
    [
        ([{"zone": "a.example", "group": "web"}, "b.example", {"zone": "A.example.", "group": "db"}], [0, 2]),
        ([{"zone": "a.example", "zone_id": "1"}, {"zone": "a.example"}], [0, 1]),
        ([{"zone": "a.example"}, {"zone": "a.example", "zone_id": "1"}], [0, 1]),
        ([{"zone": "a.example", "zone_id": "1"}, {"zone_id": "1", "group": "db"}], [0, 1]),
        ([{"zone": "a.example", "account_id": "2"}, {"zone": "a.example"}], [0, 1]),
        ([{"zone": "a.example", "account_id": "2"}, {"zone": "a.example", "account_id": "3"}], []),
        ([{"zone": "a.example", "zone_id": "1"}, {"zone": "a.example", "zone_id": "2"}], []),
        ([{"zone_id": "1"}, {"zone_id": "2"}, {"group": "web"}, {"group": "db"}], []),
        ([{"zone_id": "1"}, {"zone": "a.example"}], []),  # only a request can tell
    ],
)
def test_all_entries_of_a_repeated_zone_are_errors(entries: list[Any], repeated: list[int]) -> None:
    zones = parse_zones(entries, "zones")
    assert [index for index, zone in enumerate(zones) if "more than once" in str(zone.error)] == repeated


def test_unreadable_ranges(tmp_path: Path) -> None:
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
def test_every_host_is_a_mapping_or_unresolved(hosts: dict[str, Any]) -> None:
    report = origin_mappings(hosts, unresolved="report")
    behind = {host for names in report["hosts"].values() for host in names}
    assert behind | {host for entry in report["unresolved"] for host in entry["host"].split(" and ")} == hosts.keys()
    assert {entry["code"] for entry in report["unresolved"]} <= {*UNRESOLVED_CODES}
    addresses = [entry["origin_ip"] for entry in report["mappings"]]
    assert addresses == sorted(set(addresses), key=lambda text: (ip_address(text).version, int(ip_address(text))))
    assert addresses == list(report["hosts"])
    conflicts = {
        address for entry in report["unresolved"] if entry["code"] == "conflict" for address in entry["addresses"]
    }
    assert conflicts & {*addresses} == set()
