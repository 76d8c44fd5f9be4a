# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS on the loopback interface, by moto, with instances in two regions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from support.stub import Request, Response, Stub

LOCAL_ZONE = "us-west-2-lax-1a"

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}
"""Environment variables that the plugin reads."""

MAPPED = {
    **{f"198.51.100.{number}": ("aws", "eu-west-1") for number in range(101, 109)},
    "198.51.100.1": ("aws", "us-west-2"),
    "198.51.100.2": ("aws", "us-west-2"),
    "198.51.100.3": ("aws", "us-west-2"),
    "198.51.100.4": ("aws", "us-west-2"),
    "2001:db8:1::2": ("aws", "us-west-2"),
    "2001:db8:1::3": ("aws", "us-west-2"),
}
"""Mappings of all instances."""

EUROPE = {address for address, (_vendor, region) in MAPPED.items() if region == "eu-west-1"}

REFUSED = b"""<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>UnauthorizedOperation</Code>
<Message>You are not authorized to perform this operation.</Message></Error></Errors>
<RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>"""


@dataclass
class Aws:
    """AWS by moto, and the regions in which it refuses every request."""

    url: str = ""
    refused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._moto = Client(DomainDispatcherApplication(create_backend_app))

    def response(self, request: Request) -> Response:
        scope = re.search(r"Credential=[^/]+/\d+/([\w-]+)/", request.headers["Authorization"])
        assert scope
        if scope[1] in self.refused:
            return Response(403, REFUSED)
        response = self._moto.open(
            request.path, method=request.method, headers=[*request.headers.items()], data=request.body
        )
        return Response(response.status_code, response.data, {"Content-Type": str(response.content_type)})


def source(aws: Aws, *regions: str, **options: Any) -> dict[str, Any]:
    """Return an inventory source of regions."""
    return {
        "plugin": "amazon.aws.aws_ec2",
        "endpoint_url": aws.url,
        "regions": [*regions],
        "hostnames": ["tag:Name"],
        "groups": {"web": "true"},
        **options,
    }


@contextmanager
def fleet() -> Iterator[Aws]:
    """Run an AWS with instances."""
    zones = RegionsAndZonesBackend.zones["us-west-2"]
    if LOCAL_ZONE not in [zone.name for zone in zones]:  # moto has none of its own
        zones.append(Zone(LOCAL_ZONE, "us-west-2", "usw2-lax1-az1", "local-zone"))
    aws = Aws()
    with Stub(aws.response) as service:
        aws.url = service.url
        session = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing")
        _in_us_west_2(session.client("ec2", region_name="us-west-2", endpoint_url=service.url))
        europe = session.client("ec2", region_name="eu-west-1", endpoint_url=service.url)
        subnet = _subnet(europe, "eu-west-1b")
        for number in range(101, 109):
            instance = _launch(europe, subnet, f"aws{number}")
            _associate(europe, f"198.51.100.{number}", InstanceId=instance)
        yield aws


def _in_us_west_2(ec2: Any) -> None:
    """Launch instances with two interfaces, in a local zone, and stopped ones."""
    subnet = _subnet(ec2, "us-west-2b")
    main = _launch(ec2, subnet, "main", zones="Example.com.,example.org")
    _associate(ec2, "198.51.100.1", InstanceId=main)
    second = _interface(ec2, subnet, "2001:db8:1::2")
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=main, DeviceIndex=1)
    _associate(ec2, "198.51.100.2", NetworkInterfaceId=second)
    near = _subnet(ec2, LOCAL_ZONE)
    local = _launch(ec2, near, "local", zones="example.org")
    _associate(ec2, "198.51.100.3", InstanceId=local)
    ec2.attach_network_interface(
        NetworkInterfaceId=_interface(ec2, near, "2001:db8:1::3"), InstanceId=local, DeviceIndex=1
    )
    # A stopped instance keeps an elastic address, and has no other.
    stopped = [_launch(ec2, subnet, name) for name in ("stopped", "elastic")]
    _associate(ec2, "198.51.100.4", InstanceId=stopped[1])
    ec2.stop_instances(InstanceIds=stopped)


def _subnet(ec2: Any, zone: str) -> str:
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]


def _interface(ec2: Any, subnet: str, address: str) -> str:
    """Create an interface with an IPv6 address, and return its ID."""
    created = ec2.create_network_interface(SubnetId=subnet, Ipv6Addresses=[{"Ipv6Address": address}])
    return created["NetworkInterface"]["NetworkInterfaceId"]


def _launch(ec2: Any, subnet: str, name: str, **tags: str) -> str:
    """Launch an instance without a public address, and return its ID."""
    pairs = [{"Key": key, "Value": value} for key, value in {"Name": name, **tags}.items()]
    launched = ec2.run_instances(
        ImageId="ami-00000000",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        TagSpecifications=[{"ResourceType": "instance", "Tags": pairs}],
    )
    return launched["Instances"][0]["InstanceId"]


def _associate(ec2: Any, address: str, **target: str) -> None:
    """Give an instance or an interface an elastic address."""
    allocated = ec2.allocate_address(Domain="vpc", Address=address)
    ec2.associate_address(AllocationId=allocated["AllocationId"], **target)
