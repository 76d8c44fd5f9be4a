# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Responses of Azure's Resource Manager, and of its login.

Resources are virtual machines, and a machine outside of Azure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from support.stub import Request, Response

LOGIN = "login.microsoftonline.com"
MANAGEMENT = "management.azure.com"

ENVIRONMENT = {
    "PYTHONPATH": str(Path(__file__).with_name("azure_sdk")),
    "AZURE_TENANT": "00000000-0000-0000-0000-00000000000a",
    "AZURE_CLIENT_ID": "00000000-0000-0000-0000-00000000000b",
    "AZURE_SECRET": "testing",
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-00000000000c",
}
"""Environment variables of the plugin, and the rest of Azure's SDK."""

MAPPED = {
    **{f"192.0.2.{number}": ("azure", "westeurope") for number in range(1, 9)},
    "192.0.2.101": ("azure", "eastus2"),
    "192.0.2.102": ("azure", "eastus2"),
    "192.0.2.104": ("azure", "eastus2"),
    "2001:db8:3::1": ("azure", "eastus2"),
}
"""Mappings of all virtual machines."""

EUROPE = {address for address, (_vendor, region) in MAPPED.items() if region == "westeurope"}

SUBSCRIPTION = f"/subscriptions/{ENVIRONMENT['AZURE_SUBSCRIPTION_ID']}"
COMPUTE = "providers/Microsoft.Compute/virtualMachines"
NETWORK = "providers/Microsoft.Network"
ARC = "providers/Microsoft.HybridCompute/machines"


@dataclass
class Azure:
    """Resources by identifier, and the prefixes of forbidden identifiers."""

    refused: list[str] = field(default_factory=list)
    login_is_refused: bool = False

    def __post_init__(self) -> None:
        self._resources = dict(_resources())

    def response(self, request: Request) -> Response:
        path = urlsplit(request.path).path
        if path == "/batch":
            requests = json.loads(request.body)["requests"]
            responses = [{"name": item["name"], **self._get(urlsplit(item["url"]).path)} for item in requests]
            return _json(200, {"responses": responses})
        response = self._get(path)
        return _json(response["httpStatusCode"], response["content"])

    def login(self, request: Request) -> Response:
        """Respond to a client's requests until it has a token."""
        tenant = ENVIRONMENT["AZURE_TENANT"]
        issuer = f"https://{LOGIN}/{tenant}"
        path = urlsplit(request.path).path
        if path.endswith("/token"):
            if self.login_is_refused:
                return _json(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret."})
            return _json(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": "testing"})
        if path.endswith("/openid-configuration"):
            return _json(
                200,
                {
                    "issuer": f"{issuer}/v2.0",
                    "authorization_endpoint": f"{issuer}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{issuer}/oauth2/v2.0/token",
                },
            )
        assert path == "/common/discovery/instance", path
        metadata = [{"preferred_network": LOGIN, "preferred_cache": "login.windows.net", "aliases": [LOGIN]}]
        return _json(
            200,
            {
                "tenant_discovery_endpoint": f"{issuer}/v2.0/.well-known/openid-configuration",
                "api-version": "1.1",
                "metadata": metadata,
            },
        )

    def _get(self, path: str) -> dict[str, Any]:
        """Return the response to a request, in the format of a batch."""
        if any(path.startswith(beginning) for beginning in self.refused):
            error = {"code": "AuthorizationFailed", "message": f"The client is not authorized to read {path}."}
            return {"httpStatusCode": 403, "content": {"error": error}}
        if path not in self._resources:
            error = {"code": "ResourceNotFound", "message": f"The resource {path} was not found."}
            return {"httpStatusCode": 404, "content": {"error": error}}
        return {"httpStatusCode": 200, "content": self._resources[path]}


def source(*groups: str, **options: Any) -> dict[str, Any]:
    """Return an inventory source of resource groups."""
    return {
        "plugin": "azure.azcollection.azure_rm",
        "auth_source": "env",
        "include_vm_resource_groups": [*groups],
        "plain_host_names": True,
        # By default the plugin leaves out stopped machines, also those with an address.
        "default_host_filters": [],
        "conditional_groups": {"web": "true"},
        **options,
    }


def group(name: str) -> str:
    """Return the identifier of a resource group."""
    return f"{SUBSCRIPTION}/resourceGroups/{name}"


def _resources() -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for name, arguments in MACHINES.items():
        resources |= _machine(name, **arguments)
    for rg in ("us", "europe"):
        names = [name for name, arguments in MACHINES.items() if arguments.get("rg", "us") == rg]
        resources[f"{group(rg)}/{COMPUTE}"] = {"value": [resources[f"{group(rg)}/{COMPUTE}/{name}"] for name in names]}
    resources[f"{group('elsewhere')}/{ARC}"] = {"value": [_arc("shop1", "45.0.0.21")]}
    return resources


MACHINES: dict[str, dict[str, Any]] = {
    "vm": {
        "interfaces": [["192.0.2.101", "2001:db8:3::1"], ["192.0.2.102"]],
        "tags": {"zones": "example.org, Example.com"},
    },
    # A deallocated machine keeps a static address, and loses a dynamic one.
    "static": {"interfaces": [["192.0.2.104"]], "state": "deallocated", "tags": {"zones": "example.org"}},
    "deallocated": {"interfaces": [[None]], "state": "deallocated"},
    **{
        f"azure{number}": {"rg": "europe", "location": "westeurope", "interfaces": [[f"192.0.2.{number}"]]}
        for number in range(1, 9)
    },
}
"""Virtual machines, with the addresses of each interface."""


def _machine(
    name: str,
    *,
    interfaces: Sequence[Sequence[str | None]],
    rg: str = "us",
    location: str = "eastus2",
    state: str = "running",
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return a machine, its state, interfaces and addresses by their paths."""
    path = f"{group(rg)}/{COMPUTE}/{name}"
    resources: dict[str, Any] = {
        f"{path}/instanceView": {
            "computerName": name,
            "osName": "debian",
            "osVersion": "13",
            "hyperVGeneration": "V2",
            "statuses": [{"code": "ProvisioningState/succeeded"}, {"code": f"PowerState/{state}"}],
        }
    }
    nics = []
    for number, addresses in enumerate(interfaces):
        nic = f"{group(rg)}/{NETWORK}/networkInterfaces/{name}-{number}"
        nics.append({"id": nic, "properties": {"primary": number == 0}})
        configurations = []
        for index, address in enumerate(addresses):
            public = f"{group(rg)}/{NETWORK}/publicIPAddresses/{name}-{number}-{index}"
            resources[public] = {
                "id": public,
                "name": f"{name}-{number}-{index}",
                "location": location,
                "properties": {
                    "publicIPAddressVersion": "IPv6" if address and ":" in address else "IPv4",
                    **({"ipAddress": address} if address else {}),
                },
            }
            configurations.append(
                {
                    "name": f"ipconfig{index}",
                    "properties": {
                        "primary": index == 0,
                        "privateIPAddress": f"10.1.{number}.{index + 4}",
                        "publicIPAddress": {"id": public},
                    },
                }
            )
        resources[nic] = {
            "id": nic,
            "name": f"{name}-{number}",
            "location": location,
            "properties": {"macAddress": "00-0D-3A-00-00-00", "ipConfigurations": configurations},
        }
    resources[path] = {
        "id": path,
        "name": name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": location,
        "tags": tags or {},
        "zones": ["2"],
        "properties": {
            "vmId": f"00000000-0000-0000-0000-{sum(name.encode()):012}",
            "hardwareProfile": {"vmSize": "Standard_B2s"},
            "provisioningState": "Succeeded",
            "timeCreated": "2026-01-01T00:00:00Z",
            "osProfile": {"computerName": name, "linuxConfiguration": {}},
            "storageProfile": {"osDisk": {"name": name, "osType": "Linux", "managedDisk": {"id": f"{path}-disk"}}},
            "networkProfile": {"networkInterfaces": nics},
        },
    }
    return resources


def _arc(name: str, public: str) -> dict[str, Any]:
    """Return a machine of Azure Arc, which can be anywhere."""
    addresses = [{"address": address, "ipAddressVersion": "IPv4"} for address in ("10.0.0.5", public)]
    return {
        "id": f"{group('elsewhere')}/{ARC}/{name}",
        "name": name,
        "type": "Microsoft.HybridCompute/machines",
        "location": "westeurope",
        "tags": {},
        "properties": {
            "vmId": f"00000000-0000-0000-0001-{sum(name.encode()):012}",
            "status": "Connected",
            "provisioningState": "Succeeded",
            "osType": "linux",
            "networkProfile": {
                "networkInterfaces": [{"name": "eth0", "macAddress": "00:00:5E:00:53:01", "ipAddresses": addresses}]
            },
        },
    }


def _json(status: int, value: Mapping[str, Any]) -> Response:
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
