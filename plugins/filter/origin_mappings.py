# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: origin_mappings
short_description: Create origin cloud region mappings from the variables of inventory hosts
version_added: 1.0.0
description:
  - Converts hosts to the list of mappings for M(originops.cloudflare.origin_cloud_region_batch). Each public IPv4 and
    IPv6 address of a host becomes a mapping, with the cloud vendor and the region of the host.
  - The variables of the inventory plugins C(amazon.aws.aws_ec2), C(azure.azcollection.azure_rm),
    C(google.cloud.gcp_compute) and C(oracle.oci.oci) are recognized by their structure. Variables that you set yourself
    take precedence. O(ranges) determine what no variable determines.
  - Machines of Azure Arc and Azure Stack HCI are not in Azure. Their locations come from your own variables or from
    O(ranges).
  - Hosts with the variable C(origin_ignore) set to V(true) are left out.
  - Every other host or address gets a mapping, or is unresolved, with a code and a reason.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  _input:
    description:
      - A dictionary of hosts and their variables, such as C(hostvars).
      - Or a list of the variables of hosts, such as C(groups['web'] | map('extract', hostvars)). Dictionaries with the
        same C(inventory_hostname), as from two inventories, are different hosts.
      - Items of a list may also be addresses, of load balancers for example, with regions from O(ranges), or
        dictionaries of C(origin_ip) or C(ip), C(vendor) and C(region).
      - Or the result of the module C(originops.cloudflare.zone_origins_info). The DNS names and pools of an address
        are its hosts.
    type: raw
    version_added: 1.0.0
    required: true
  unresolved:
    description:
      - The handling of hosts and addresses without a mapping.
      - V(fail) fails, and lists these hosts with the reasons.
      - V(skip) skips these hosts with a warning. A purge would then delete the mappings of their addresses.
      - V(report) returns a dictionary of C(mappings), C(hosts) and C(unresolved) instead of a list.
    type: str
    version_added: 1.0.0
    choices:
      - fail
      - skip
      - report
    default: fail
  zone:
    description:
      - The name of a zone. Only hosts with this name in their variable O(zones_variable) are used. Addresses and
        dictionaries of mappings are always used.
    type: str
    version_added: 1.0.0
  ranges:
    description:
      - The files with the address ranges that cloud vendors publish, as a dictionary of paths by vendor, in the format
        of RV(originops.cloudflare.cloud_ip_ranges#module:files). They determine the vendor and the region of addresses
        if no variable does.
    type: dict
    version_added: 1.0.0
  ip_variable:
    description:
      - The name of the host variable with the public address, or a list of addresses. A dictionary of C(origin_ip) or
        C(ip), C(vendor) and C(region) is an address in another location than its host.
    type: str
    version_added: 1.0.0
    default: origin_ip
  vendor_variable:
    description:
      - The name of the host variable with the cloud vendor.
    type: str
    version_added: 1.0.0
    default: origin_vendor
  region_variable:
    description:
      - The name of the host variable with the region.
    type: str
    version_added: 1.0.0
    default: origin_region
  zones_variable:
    description:
      - The name of the host variable with the names of the zones for which the host is an origin, as a list or a
        comma-separated string. Upper and lower case, and a dot at the end, make no difference.
    type: str
    version_added: 1.0.0
    default: origin_zones
  hostvars_prefix:
    description:
      - The value of the option of the same name of C(amazon.aws.aws_ec2), or a list of the values of several sources.
        Variables without a prefix are recognized too.
    type: raw
    version_added: 1.0.0
    default: ""
  hostvars_suffix:
    description:
      - The value of the option of the same name of C(amazon.aws.aws_ec2), or a list, like O(hostvars_prefix).
    type: raw
    version_added: 1.0.0
    default: ""
  vars_prefix:
    description:
      - The value of the option of the same name of C(google.cloud.gcp_compute), or a list, like O(hostvars_prefix).
    type: raw
    version_added: 1.0.0
    default: ""
notes:
  - This filter does not check whether Cloudflare supports a region. M(originops.cloudflare.origin_cloud_region_batch)
    rejects unsupported regions before it writes anything.
seealso:
  - module: originops.cloudflare.origin_cloud_region_batch
  - plugin: originops.cloudflare.origin_region_of
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Map all hosts of a group
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ groups['web'] | map('extract', hostvars) | originops.cloudflare.origin_mappings }}"

- name: Map the hosts with the zone in their variable origin_zones, and warn about unresolved hosts
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ hostvars | originops.cloudflare.origin_mappings(zone='example.com', unresolved='skip') }}"

- name: Show unresolved hosts with the reasons
  ansible.builtin.debug:
    msg: "{{ (hostvars | originops.cloudflare.origin_mappings(unresolved='report')).unresolved }}"

- name: Determine the regions of load balancers by published ranges
  ansible.builtin.debug:
    msg: "{{ ['198.51.100.7', '2001:db8:2::7'] | originops.cloudflare.origin_mappings(ranges=ranges) }}"
  vars:
    ranges:
      aws: "{{ playbook_dir }}/ranges/aws.json"
      gcp: "{{ playbook_dir }}/ranges/gcp.json"
"""

RETURN = r"""
_value:
  description:
    - The mappings, without duplicates, sorted by address, IPv4 first.
    - With O(unresolved=report), a dictionary instead. C(mappings) is this list, C(hosts) has the names of the hosts of
      each address, and C(unresolved) is a list of dictionaries with C(host), C(code), C(reason), and the known
      C(addresses) without a mapping. An item with V(no_address) or V(variable_error) also has C(unreadable), which is
      V(true), if an address cannot be parsed. Then C(addresses) has the other addresses, if there are any.
    - C(code) is V(no_address) if the host has no readable public address, V(private_address) for an address that
      Cloudflare cannot reach, V(unknown_cloud) or V(unknown_region) for an unknown location, V(hostname) for a host
      name instead of an address, V(conflict) for an address that hosts have in different regions (C(host) then names
      them all), and V(variable_error) for a variable that Ansible cannot evaluate or that has an invalid value.
  type: raw
  sample:
    - origin_ip: 192.0.2.40
      vendor: azure
      region: eastus2
    - origin_ip: 2001:db8:3::40
      vendor: azure
      region: eastus2
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ..module_utils._errors import InvalidInput
from ..module_utils._messages import clip, join_bounded, quote, suggest
from ..module_utils._ranges.index import Ranges
from ..plugin_utils._inventory import OriginFinder, VariableNames, iterate_items

UNRESOLVED = ("fail", "skip", "report")


def origin_mappings(
    hosts: Any,
    *,
    unresolved: str = "fail",
    zone: str | None = None,
    ranges: Mapping[str, str] | None = None,
    **names: Any,
) -> list[dict[str, Any]] | dict[str, Any]:
    """Map hosts, as DOCUMENTATION describes it."""
    if unresolved not in UNRESOLVED:
        raise AnsibleFilterError(
            f"unresolved: {quote(str(unresolved))} is unknown: {suggest(str(unresolved), UNRESOLVED)}"
        )
    try:
        if not isinstance(zone, str | None):
            raise InvalidInput(f"zone: {quote(str(zone))} is not text")
        finder = OriginFinder(VariableNames.parse(names), Ranges.load(ranges).locate if ranges else None)
        items = iterate_items(hosts)
        origins = finder.collect(items if zone is None else finder.index_zones(items).items_of(zone))
    except InvalidInput as error:
        raise AnsibleFilterError(f"origin_mappings: {error}") from None
    if unresolved == "report":
        return origins.as_dict()
    if origins.unresolved:
        reasons = join_bounded([*map(str, origins.unresolved)], "unresolved='report'")
        count = len(origins.unresolved)
        if unresolved == "fail":
            raise AnsibleFilterError(
                clip(f"origin_mappings: the origins of {count} hosts cannot be determined: {reasons}")
            )
        Display().warning(clip(f"origin_mappings left out {count} hosts: {reasons}"))
    return origins.sorted()


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"origin_mappings": origin_mappings}
