# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: origin_region_of
short_description: The cloud and the region of an address by the ranges that the clouds publish
version_added: 1.0.0
description:
  - Tells in which cloud and region addresses are, by the files in which AWS, Azure, Google Cloud and Oracle Cloud
    publish their address ranges. M(originops.cloudflare.cloud_ip_ranges) keeps copies of them.
  - The longest prefix that has the address wins, over all files together. Of prefixes of equal length one with a region
    wins over one without.
  - Give at least one file. A vendor without a file is not looked at.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  _input:
    description:
      - An IPv4 or IPv6 address, in any spelling, or a list of them.
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
  - The files are read on the controller, and again only once they have changed. Paths without a folder count from where
    Ansible was started.
  - An IPv4-mapped IPv6 address is an IPv6 address, which no cloud has.
seealso:
  - module: originops.cloudflare.cloud_ip_ranges
  - plugin: originops.cloudflare.origin_mappings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Tell where an address is
  ansible.builtin.debug:
    msg: "{{ '198.51.100.10' | originops.cloudflare.origin_region_of(aws=playbook_dir ~ '/ranges/aws.json') }}"

- name: Keep copies of the files
  originops.cloudflare.cloud_ip_ranges:
    dest: "{{ playbook_dir }}/ranges"
  register: cloud

- name: Map a load balancer to the region that it is in
  originops.cloudflare.origin_cloud_region:
    zone: example.com
    origin_ip: "{{ place.origin_ip }}"
    vendor: "{{ place.vendor }}"
    region: "{{ place.region }}"
  when: place.status == 'found'
  vars:
    place: "{{ '2001:DB8:1::10' | originops.cloudflare.origin_region_of(**cloud.files) }}"

- name: Refuse to go on with addresses that cannot be told
  ansible.builtin.assert:
    that: places | rejectattr('status', 'eq', 'found') | length == 0
    fail_msg: "{{ places | rejectattr('status', 'eq', 'found') }}"
  vars:
    places: "{{ ['198.51.100.10', '203.0.113.50'] | originops.cloudflare.origin_region_of(**cloud.files) }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary for an address, and a list of them, in the same order, for a list.
    - C(origin_ip) is the address in its canonical spelling.
    - C(status) is V(found), with C(vendor), C(region) and C(prefix).
    - Or V(global), with C(vendor) and C(prefix), where the cloud names no region, as for an address that it announces
      everywhere.
    - Or V(ambiguous), where prefixes of equal length tell of different clouds or regions. C(candidates) has them all,
      each with C(vendor), C(region) and C(prefix). It is empty otherwise.
    - Or V(unknown), where no file has the address. It may be in a cloud all the same, because clouds leave out the
      prefixes that customers bring with them.
    - What is not said is null.
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
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    Address,
    canonical,
    parse_address,
    parse_addresses,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges import Ranges


def origin_region_of(value: Any, **paths: Any) -> dict[str, Any] | list[dict[str, Any]]:
    """See DOCUMENTATION."""
    try:
        ranges = Ranges.load(paths)
        if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
            texts = list(value)
            parse_addresses(texts, "input")  # names every bad one
            return [_place(ranges, parse_address(text)) for text in texts]
        return _place(ranges, parse_address(value))
    except InvalidInput as error:
        raise AnsibleFilterError(str(error)) from None


def _place(ranges: Ranges, address: Address) -> dict[str, Any]:
    location = ranges.locate(address)
    places = [place.as_dict() for place in location.placements]
    [only] = places if len(places) == 1 else [{"vendor": None, "region": None, "prefix": None}]
    return {
        "origin_ip": canonical(address),
        "status": location.status,
        **only,
        "candidates": places if len(places) > 1 else [],
    }


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"origin_region_of": origin_region_of}
