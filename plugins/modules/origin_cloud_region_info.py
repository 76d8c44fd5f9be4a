#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: origin_cloud_region_info
short_description: Read the origin cloud region mappings of a Cloudflare zone
version_added: 1.0.0
description:
  - Returns the mappings of a zone from origin addresses to cloud vendors and regions, all or filtered, and optionally
    the regions that Cloudflare supports.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  origin_ip:
    description:
      - Return only the mappings of these addresses, in any spelling. An empty list is no filter.
    type: list
    version_added: 1.0.0
    elements: str
    aliases:
      - ip
  vendor:
    description:
      - Return only mappings to these cloud vendors. An empty list is no filter.
    type: list
    version_added: 1.0.0
    elements: str
    choices:
      - aws
      - azure
      - gcp
      - oci
  region:
    description:
      - Return only mappings to these regions. An empty list is no filter.
    type: list
    version_added: 1.0.0
    elements: str
  supported_regions:
    description:
      - Whether to return the supported regions too, with one more request. This needs Tiered Cache to be on for the
        zone.
    type: bool
    version_added: 1.0.0
    default: false
attributes:
  check_mode:
    support: full
    details:
      - Only reads, with and without check mode.
  diff_mode:
    support: N/A
    details:
      - Changes nothing.
  idempotent:
    support: full
extends_documentation_fragment:
  - originops.cloudflare.cloudflare
  - originops.cloudflare.cloudflare.api_version
  - originops.cloudflare.cloudflare.zone
  - originops.cloudflare.cloudflare.attributes
seealso:
  - module: originops.cloudflare.origin_cloud_region_batch
  - plugin: originops.cloudflare.origin_cloud_supported_regions
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Read all mappings of a zone
  originops.cloudflare.origin_cloud_region_info:
    zone: example.com
  register: zone

- name: Show the mappings
  ansible.builtin.debug:
    msg: "{{ zone.mappings }}"

- name: Read the mappings of two origins
  originops.cloudflare.origin_cloud_region_info:
    zone: example.com
    origin_ip:
      - 192.0.2.10
      - 2001:db8::30

- name: Read the mappings to two regions of AWS
  originops.cloudflare.origin_cloud_region_info:
    zone: example.com
    vendor:
      - aws
    region:
      - us-east-1
      - us-west-2

- name: Read the supported regions too
  originops.cloudflare.origin_cloud_region_info:
    zone: example.com
    supported_regions: true
  register: zone

- name: Show the regions of Google Cloud with their upper-tier data centres
  ansible.builtin.debug:
    msg: "{{ zone.supported_regions.vendors.gcp }}"

- name: Use the older global API key, and a zone by its identifier
  originops.cloudflare.origin_cloud_region_info:
    api_email: "{{ cloudflare_email }}"
    api_key: "{{ cloudflare_api_key }}"
    zone_id: "{{ cloudflare_zone_id }}"

- name: Copy the mappings of one zone to another
  module_defaults:
    group/originops.cloudflare.cloudflare:
      api_token: "{{ cloudflare_api_token }}"
  block:
    - name: Read the source zone
      originops.cloudflare.origin_cloud_region_info:
        zone: example.com
      register: source

    - name: Write to the other zone
      originops.cloudflare.origin_cloud_region_batch:
        zone: example.net
        mappings: "{{ source.mappings }}"
"""

RETURN = r"""
mappings:
  description: The mappings, sorted by address, IPv4 first.
  returned: success
  type: list
  elements: dict
  sample:
    - origin_ip: 192.0.2.10
      vendor: aws
      region: us-east-1
      modified_on: "2026-03-01T12:00:00Z"
  contains:
    origin_ip:
      description: The address in its canonical spelling (RFC 5952 for IPv6).
      type: str
      returned: success
    vendor:
      description: The cloud vendor.
      type: str
      returned: success
    region:
      description: The region of the vendor.
      type: str
      returned: success
    modified_on:
      description:
        - The time of the last write of the mapping by the service's clock.
      type: str
      returned: if the service returned it
total_count:
  description:
    - The number of mappings in the zone, independent of filters. Null if addresses were looked up individually.
  returned: success
  type: int
  sample: 250
supported_regions:
  description: The regions that Cloudflare supports.
  returned: if O(supported_regions=true)
  type: dict
  contains:
    obtained_codes:
      description: Whether Cloudflare returned its data centres. If not, the lists of data centres may be incomplete.
      type: bool
      returned: if O(supported_regions=true)
    vendors:
      description: A list for each vendor. Each item is a dictionary with C(name) and C(upper_tier_colos).
      type: dict
      returned: if O(supported_regions=true)
  sample:
    obtained_codes: true
    vendors:
      aws:
        - name: us-east-1
          upper_tier_colos:
            - EWR
            - IAD
zone_id:
  description: The identifier of the zone.
  returned: once the zone is known
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_version:
  description: The API version that was used, V(v2) or V(v1).
  returned: success
  type: str
  sample: v2
status:
  description: The HTTP status of the failed request, null if there was no response.
  returned: failure of a request
  type: int
  sample: 403
errors:
  description: The errors that Cloudflare returned.
  returned: failure of a request
  type: list
  elements: dict
  sample:
    - code: 10000
      message: Authentication error
"""

from ..module_utils import _python

_python.check()

from ..module_utils._info import read_mappings
from ..module_utils._mapping import VENDORS
from ..module_utils._module import zone_module

ARGUMENT_SPEC = {
    "origin_ip": {"type": "list", "elements": "str", "aliases": ["ip"]},
    "vendor": {"type": "list", "elements": "str", "choices": list(VENDORS)},
    "region": {"type": "list", "elements": "str"},
    "supported_regions": {"type": "bool", "default": False},
}


MODULE = zone_module(read_mappings, ARGUMENT_SPEC)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
