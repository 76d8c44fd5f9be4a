# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts as described by the inventory plugins of the four clouds.

Their public addresses are for documentation.
"""

from __future__ import annotations

from typing import Any

AWS: dict[str, Any] = {
    "public_ip_address": "198.51.100.10",
    "instance_id": "i-1",
    # A local zone, with a name that does not show its region.
    "placement": {"availability_zone": "us-west-2-lax-1a", "region": "us-west-2-lax-1"},
    "network_interfaces": [{"ipv6_addresses": [{"ipv6_address": "2001:db8:1::10"}]}],
}
AZURE: dict[str, Any] = {
    "location": "eastus2",
    "vmid": "v1",
    "availability_zone": ["2"],
    "public_ipv4_address": ["192.0.2.40", "2001:db8:3::40", None],
}
GCP: dict[str, Any] = {
    "zone": "us-central1-a",
    "selfLink": "x",
    "networkInterfaces": [
        {"accessConfigs": [{"natIP": "203.0.113.20"}], "ipv6AccessConfigs": [{"externalIpv6": "2001:db8:2::20"}]}
    ],
}
OCI: dict[str, Any] = {
    # oracle.oci 5.5: variables of an instance, and those of its primary VNIC.
    "region": "iad",
    "availability_domain": "AbCd:US-ASHBURN-AD-1",
    "public_ip": "203.0.113.50",
    "ipv6_ips": [],
    "compartment_id": "ocid1.x",
}
_ARC = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/"
AZURE_ARC: dict[str, Any] = {
    # azure.azcollection 3.12, with include_arc_resource_groups: a machine anywhere, with its record in westeurope.
    "id": f"{_ARC}shop1",
    "location": "westeurope",
    "name": "shop1",
    "vmid": "v2",
    "status": "connected",
    "powerstate": "running",
    "resource_type": "Microsoft.HybridCompute/machines",
    "ansible_all_ipv4_addresses": ["10.0.0.5", "203.0.113.21"],
    "ansible_all_ipv6_addresses": ["fe80::1"],
    "public_ipv4_address": ["203.0.113.21"],
    "private_ipv4_addresses": ["10.0.0.5"],
}
AZURE_STACK_HCI: dict[str, Any] = {
    # azure.azcollection 3.12, with include_hcivm_resource_groups: a machine in a data centre of its owner.
    "id": f"{_ARC}edge1/providers/Microsoft.AzureStackHCI/virtualMachineInstances/default",
    "location": "eastus",
    "name": "edge1",
    "vmid": "v3",
    "customLocation": "edge",
    "resource_type": "microsoft.azurestackhci/virtualmachineinstances",
    "public_ip_address": [],
    "public_ipv4_address": ["203.0.113.22"],
}
FLEET = {"aws1": AWS, "az1": AZURE, "g1": GCP, "o1": OCI}
"""One host in each cloud."""

MAPPED = {
    "192.0.2.40": ("azure", "eastus2"),
    "198.51.100.10": ("aws", "us-west-2"),
    "203.0.113.20": ("gcp", "us-central1"),
    "203.0.113.50": ("oci", "us-ashburn-1"),
    "2001:db8:1::10": ("aws", "us-west-2"),
    "2001:db8:2::20": ("gcp", "us-central1"),
    "2001:db8:3::40": ("azure", "eastus2"),
}
"""Mappings of the fleet, sorted by address."""


def origin(address: str, value: str, **more: Any) -> dict[str, Any]:
    """Return a host with origin variables, from a value like aws/us-east-1."""
    vendor, region = value.split("/")
    return {"origin_ip": address, "origin_vendor": vendor, "origin_region": region, **more}
