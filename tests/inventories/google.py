# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Responses of Google's Compute Engine: instances of projects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from support.stub import Request, Response

HOST_NAME = "www.googleapis.com"

MAPPED = {
    **{f"203.0.113.{number}": ("gcp", "europe-west1") for number in range(101, 109)},
    "203.0.113.1": ("gcp", "us-central1"),
    "203.0.113.2": ("gcp", "us-central1"),
    "203.0.113.3": ("gcp", "us-south1"),
    "2001:db8:2::1": ("gcp", "us-central1"),
    "2001:db8:2:3::": ("gcp", "us-south1"),
}
"""Mappings of all instances."""

EUROPE = {address for address, (_vendor, region) in MAPPED.items() if region == "europe-west1"}


@dataclass
class Google:
    """Compute Engine, with projects and zones that it does not return."""

    refused: set[str] = field(default_factory=set)
    """Projects that the caller may not read."""
    missing: set[str] = field(default_factory=set)
    unreachable: set[str] = field(default_factory=set)
    """Zones that the service cannot reach."""

    def response(self, request: Request) -> Response:
        _empty, compute, v1, projects, project, *rest = urlsplit(request.path).path.split("/")
        assert (compute, v1, projects, rest) == ("compute", "v1", "projects", ["aggregated", "instances"])
        if project in self.refused:
            return _failure(403, "forbidden", f"Required 'compute.instances.list' permission for 'projects/{project}'")
        if project in self.missing:
            return _failure(404, "notFound", f"The resource 'projects/{project}' was not found")
        items = {
            f"zones/{zone}": {"instances": instances}
            for zone, instances in FLEET[project].items()
            if zone not in self.unreachable
        }
        # Zones without instances are listed too.
        items["zones/us-east1-b"] = {
            "warning": {"code": "NO_RESULTS_ON_PAGE", "message": "There are no results for scope 'zones/us-east1-b'."}
        }
        unreachables = [f"projects/{project}/zones/{zone}" for zone in sorted(self.unreachable)]
        return _json(200, {"kind": "compute#instanceAggregatedList", "items": items, "unreachables": unreachables})


def source(*projects: str, **options: Any) -> dict[str, Any]:
    """Return an inventory source of projects."""
    return {
        "plugin": "google.cloud.gcp_compute",
        "projects": [*projects],
        "auth_kind": "accesstoken",
        "access_token": "testing",
        "hostnames": ["name"],
        "groups": {"web": "true"},
        **options,
    }


def instance(
    project: str, zone: str, name: str, interfaces: list[tuple[str | None, str | None]], **metadata: str
) -> dict[str, Any]:
    """Return an instance with the external addresses of its interfaces.

    Each interface has an IPv4 and an IPv6 address; None means no address.
    """
    base = f"https://{HOST_NAME}/compute/v1/projects/{project}"
    return {
        "kind": "compute#instance",
        "id": str(sum(name.encode())),
        "name": name,
        "status": "RUNNING" if interfaces[0][0] else "TERMINATED",
        "zone": f"{base}/zones/{zone}",
        "selfLink": f"{base}/zones/{zone}/instances/{name}",
        "machineType": f"{base}/zones/{zone}/machineTypes/e2-medium",
        "labels": {"role": "web"},
        "metadata": {"items": [{"key": key, "value": value} for key, value in metadata.items()]},
        "disks": [],
        "networkInterfaces": [
            {
                "name": f"nic{number}",
                "network": f"{base}/global/networks/default",
                "subnetwork": f"{base}/regions/{zone.rpartition('-')[0]}/subnetworks/default",
                "networkIP": f"10.128.{number}.{sum(name.encode()) % 250}",
                "accessConfigs": [_access(ipv4)],
                **({"ipv6AccessConfigs": [_access_ipv6(ipv6)]} if ipv6 else {}),
            }
            for number, (ipv4, ipv6) in enumerate(interfaces)
        ],
    }


def _access(ipv4: str | None) -> dict[str, Any]:
    """Return an access configuration.

    A stopped instance keeps it without its address.
    """
    access = {"kind": "compute#accessConfig", "type": "ONE_TO_ONE_NAT", "name": "External NAT"}
    return {**access, "natIP": ipv4} if ipv4 else access


def _access_ipv6(ipv6: str) -> dict[str, Any]:
    return {
        "kind": "compute#accessConfig",
        "type": "DIRECT_IPV6",
        "name": "external-ipv6",
        "externalIpv6": ipv6,
        "externalIpv6PrefixLength": 96,
    }


def _json(status: int, value: Mapping[str, Any]) -> Response:
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _failure(status: int, reason: str, message: str) -> Response:
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return _json(status, {"error": {"code": status, "message": message, "errors": errors}})


FLEET = {
    "web": {
        "us-central1-a": [
            instance("web", "us-central1-a", "first", [("203.0.113.1", "2001:db8:2::1")], zones="Example.com"),
            instance("web", "us-central1-a", "second", [("203.0.113.2", None), (None, None)], zones="example.org"),
            instance("web", "us-central1-a", "terminated", [(None, None)]),
        ],
        # A zone for artificial intelligence has a name of this form.
        "us-south1-ai1b": [instance("web", "us-south1-ai1b", "odd", [("203.0.113.3", "2001:db8:2:3::")])],
    },
    "europe": {
        "europe-west1-b": [
            instance("europe", "europe-west1-b", f"gcp{number}", [(f"203.0.113.{number}", None)])
            for number in range(101, 109)
        ]
    },
}
"""Instances by project and zone."""
