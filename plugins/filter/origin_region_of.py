# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: origin_region_of
short_description: Determine the cloud and region of addresses by published ranges
version_added: 1.0.0
description:
  - Looks up the cloud and the region of addresses in the files in which AWS, Azure, Google Cloud and Oracle Cloud
    publish their address ranges. M(originops.cloudflare.cloud_ip_ranges) downloads these files.
  - The longest prefix with the address in all files is used. Of prefixes of equal length, those with a region take
    precedence over those without.
  - At least one file is required. Vendors without a file are not searched.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  _input:
    description:
      - An IPv4 or IPv6 address in any spelling, or a list of addresses.
    type: raw
    version_added: 1.0.0
    required: true
  aws:
    description:
      - The path of C(ip-ranges.json).
    type: path
    version_added: 1.0.0
  azure:
    description:
      - The path of C(ServiceTags_Public_YYYYMMDD.json).
    type: path
    version_added: 1.0.0
  gcp:
    description:
      - The path of C(cloud.json).
    type: path
    version_added: 1.0.0
  oci:
    description:
      - The path of C(public_ip_ranges.json).
    type: path
    version_added: 1.0.0
notes:
  - The files are read on the controller, and read again only after a change. Relative paths are relative to the
    directory in which Ansible was started.
  - An IPv4-mapped IPv6 address is looked up as an IPv6 address, so no cloud has it.
seealso:
  - module: originops.cloudflare.cloud_ip_ranges
  - plugin: originops.cloudflare.origin_mappings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Determine the cloud and region of an address
  ansible.builtin.debug:
    msg: "{{ '198.51.100.10' | originops.cloudflare.origin_region_of(aws=playbook_dir ~ '/ranges/aws.json') }}"

- name: Download the files
  originops.cloudflare.cloud_ip_ranges:
    dest: "{{ playbook_dir }}/ranges"
  register: cloud

- name: Map a load balancer to its region
  originops.cloudflare.origin_cloud_region:
    zone: example.com
    origin_ip: "{{ place.origin_ip }}"
    vendor: "{{ place.vendor }}"
    region: "{{ place.region }}"
  when: place.status == 'found'
  vars:
    place: "{{ '2001:DB8:1::10' | originops.cloudflare.origin_region_of(**cloud.files) }}"

- name: Fail if the region of an address cannot be determined
  ansible.builtin.assert:
    that: places | rejectattr('status', 'eq', 'found') | length == 0
    fail_msg: "{{ places | rejectattr('status', 'eq', 'found') }}"
  vars:
    places: "{{ ['198.51.100.10', '203.0.113.50'] | originops.cloudflare.origin_region_of(**cloud.files) }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary for an address, and a list of dictionaries in the same order for a list.
    - C(origin_ip) is the address in its canonical spelling.
    - C(status) is V(found) if the region is known. C(vendor), C(region) and C(prefix) are then set.
    - It is V(global) if the cloud publishes no region, such as for an anycast address. C(vendor) and C(prefix) are then
      set.
    - It is V(ambiguous) if prefixes of equal length have different clouds or regions. C(candidates) then lists them,
      each with C(vendor), C(region) and C(prefix). It is empty otherwise.
    - It is V(unknown) if no file has the address. The address may still be in a cloud, because clouds do not publish
      prefixes that customers bring themselves.
    - All other keys are null.
  type: raw
  sample:
    - origin_ip: 198.51.100.10
      status: found
      vendor: aws
      region: us-west-2
      prefix: 198.51.100.0/24
      candidates: []
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._errors import InvalidInput
from ..module_utils._mapping import Address, canonical, parse_address, parse_addresses
from ..module_utils._ranges.index import Ranges


def origin_region_of(value: Any, **paths: Any) -> dict[str, Any] | list[dict[str, Any]]:
    """Look addresses up, as DOCUMENTATION describes it."""
    try:
        ranges = Ranges.load(paths)
        if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
            texts = list(value)
            parse_addresses(texts, "input")  # names every bad one
            return [_locate(ranges, parse_address(text)) for text in texts]
        return _locate(ranges, parse_address(value))
    except InvalidInput as error:
        raise AnsibleFilterError(str(error)) from None


def _locate(ranges: Ranges, address: Address) -> dict[str, Any]:
    result = ranges.locate(address)
    matches = [asdict(match) for match in result.matches]
    return {
        "origin_ip": canonical(address),
        "status": result.status,
        **(matches[0] if len(matches) == 1 else {"vendor": None, "region": None, "prefix": None}),
        "candidates": matches if len(matches) > 1 else [],
    }


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"origin_region_of": origin_region_of}
