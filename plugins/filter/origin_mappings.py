# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: origin_mappings
short_description: Origin cloud region mappings from the variables of inventory hosts
version_added: 1.0.0
description:
  - Turns hosts into the list of mappings that M(originops.cloudflare.origin_cloud_region_batch) takes. Each public
    IPv4 and IPv6 address of a host becomes a mapping, with the cloud vendor and the region that the host is in.
  - The variables of the inventory plugins C(amazon.aws.aws_ec2), C(azure.azcollection.azure_rm),
    C(google.cloud.gcp_compute) and C(oracle.oci.oci) are recognized by their shape. Variables that you set
    yourself win, one by one.
  - A host without a public address, or whose region cannot be told, is never left out silently.
  - The same address with different regions is always an error, which names both hosts.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  _input:
    description:
      - A dictionary of hosts and their variables, such as C(hostvars).
      - Or a list of the variables of hosts, such as C(groups['web'] | map('extract', hostvars)).
      - Items of a list may also be plain addresses, of load balancers for example. Their regions come from O(ranges).
    type: raw
    version_added: 1.0.0
    required: true
  unresolved:
    description:
      - What to do about hosts without a public address or whose region cannot be told.
      - V(error) fails, and names all of them with the reason for each.
      - V(skip) leaves them out, and warns of them.
      - V(report) changes what is returned, to a dictionary of C(mappings), C(hosts) and C(unresolved).
    type: str
    version_added: 1.0.0
    choices:
      - error
      - skip
      - report
    default: error
  zone:
    description:
      - The name of a zone. Only hosts whose variable O(zones_variable) names it count, which is a text or a list.
        Plain addresses count in any case.
    type: str
    version_added: 1.0.0
  ranges:
    description:
      - Files with the address ranges that the clouds publish, paths by vendor, as
        RV(originops.cloudflare.cloud_ip_ranges#module:files) has them. They tell the vendor and the region of
        addresses where no variable does.
    type: dict
    version_added: 1.0.0
  ip_variable:
    description:
      - The variable of a host with its public address, or a list of them.
    type: str
    version_added: 1.0.0
    default: origin_ip
  vendor_variable:
    description:
      - The variable of a host with its cloud vendor.
    type: str
    version_added: 1.0.0
    default: origin_vendor
  region_variable:
    description:
      - The variable of a host with its region.
    type: str
    version_added: 1.0.0
    default: origin_region
  zones_variable:
    description:
      - The variable of a host with the names of the zones that it is an origin of.
    type: str
    version_added: 1.0.0
    default: origin_zones
  hostvars_prefix:
    description:
      - What C(amazon.aws.aws_ec2) has as its option of the same name.
    type: str
    version_added: 1.0.0
    default: ""
  hostvars_suffix:
    description:
      - What C(amazon.aws.aws_ec2) has as its option of the same name.
    type: str
    version_added: 1.0.0
    default: ""
  vars_prefix:
    description:
      - What C(google.cloud.gcp_compute) has as its option of the same name.
    type: str
    version_added: 1.0.0
    default: ""
notes:
  - Regions are Cloudflare's to judge, and M(originops.cloudflare.origin_cloud_region_batch) refuses what it does not
    support before it writes anything.
seealso:
  - module: originops.cloudflare.origin_cloud_region_batch
  - plugin: originops.cloudflare.origin_region_of
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Map every host of a group
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ groups['web'] | map('extract', hostvars) | originops.cloudflare.origin_mappings }}"

- name: Map the hosts that name the zone in their variable origin_zones, and warn of those that cannot be told
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ hostvars | originops.cloudflare.origin_mappings(zone='example.com', unresolved='skip') }}"

- name: Find out which hosts cannot be told, and why
  ansible.builtin.debug:
    msg: "{{ (hostvars | originops.cloudflare.origin_mappings(unresolved='report')).unresolved }}"

- name: Tell where load balancers are by the ranges that the clouds publish
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
    - The mappings, each address once, sorted by address, IPv4 first.
    - With O(unresolved=report) a dictionary instead. Its C(mappings) are this list, C(hosts) are the names of the
      hosts behind each address, and C(unresolved) is a list of dictionaries with C(host), C(reason), and the
      C(addresses) of the host as far as they are known.
  type: raw
  sample:
    - origin_ip: 192.0.2.40
      vendor: azure
      region: eastus2
    - origin_ip: 2001:db8:3::40
      vendor: azure
      region: eastus2
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import nearest, shorten
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges import Ranges
from ansible_collections.originops.cloudflare.plugins.plugin_utils._origins import Names, Vars, find_origins

UNRESOLVED = ("error", "skip", "report")


def origin_mappings(
    given: Any,
    *,
    unresolved: str = "error",
    zone: str | None = None,
    ranges: Mapping[str, str] | None = None,
    ip_variable: str = Names.ip,
    vendor_variable: str = Names.vendor,
    region_variable: str = Names.region,
    zones_variable: str = Names.zones,
    hostvars_prefix: str = "",
    hostvars_suffix: str = "",
    vars_prefix: str = "",
) -> list[dict[str, Any]] | dict[str, Any]:
    """See DOCUMENTATION."""
    if unresolved not in UNRESOLVED:
        raise AnsibleFilterError(
            f"unresolved: {shorten(str(unresolved))} is unknown: {nearest(str(unresolved), UNRESOLVED)}"
        )
    names = Names(
        ip_variable,
        vendor_variable,
        region_variable,
        zones_variable,
        prefixes={"aws": hostvars_prefix, "gcp": vars_prefix},
        suffixes={"aws": hostvars_suffix},
    )
    try:
        origins = find_origins(_hosts(given), names, zone, Ranges.load(ranges) if ranges else None)
    except InvalidInput as error:
        raise AnsibleFilterError(f"origin_mappings: {error}") from None
    if unresolved == "report":
        return origins.as_dict()
    if origins.unresolved:
        told = "; ".join(map(str, origins.unresolved))
        if unresolved == "error":
            raise AnsibleFilterError(
                f"origin_mappings: origins cannot be told of {len(origins.unresolved)} hosts: {told}"
            )
        Display().warning(f"origin_mappings left out {len(origins.unresolved)} hosts: {told}")
    return origins.sorted()


def _hosts(given: Any) -> Iterator[tuple[str, Vars | str]]:
    """Names and variables, or names and addresses, of whatever users have as their hosts. Raises InvalidInput."""
    if isinstance(given, Mapping) and "inventory_hostname" in given:
        given = [given]
    if isinstance(given, Mapping):
        for name in given:
            if not isinstance(given[name], Mapping):
                raise InvalidInput(
                    f"{shorten(str(name))} has no dictionary of variables: give a dictionary of hosts, or a list"
                )
            yield str(name), given[name]
    elif isinstance(given, str) or not hasattr(given, "__iter__"):
        raise InvalidInput("the input is neither a dictionary of hosts nor a list of their variables")
    else:
        for index, item in enumerate(given):
            if isinstance(item, str):
                yield item, item
            elif isinstance(item, Mapping):
                yield str(item.get("inventory_hostname", f"item {index + 1}")), item
            else:
                raise InvalidInput(f"item {index + 1} is neither a dictionary of variables nor the text of an address")


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"origin_mappings": origin_mappings}
