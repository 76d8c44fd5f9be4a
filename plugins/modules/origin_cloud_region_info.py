#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: origin_cloud_region_info
short_description: Read the origin cloud region mappings of a Cloudflare zone
version_added: 0.1.0
description:
  - Returns the mappings of a zone from origin addresses to cloud vendors and regions, all or those that pass filters,
    and on demand the regions that Cloudflare supports.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  origin_ip:
    description:
      - Only the mappings of these addresses, in any spelling. An empty list is no filter.
    type: list
    version_added: 0.1.0
    elements: str
    aliases:
      - ip
  vendor:
    description:
      - Only mappings to these clouds. An empty list is no filter.
    type: list
    version_added: 0.1.0
    elements: str
    choices:
      - aws
      - azure
      - gcp
      - oci
  region:
    description:
      - Only mappings to these regions. An empty list is no filter.
    type: list
    version_added: 0.1.0
    elements: str
  supported_regions:
    description:
      - Whether to return the supported regions too, by one more request. They need Tiered Cache to be on for the zone.
    type: bool
    version_added: 0.1.0
    default: false
attributes:
  check_mode:
    support: full
    details:
      - Reads only, in check mode as well.
  diff_mode:
    support: N/A
    details:
      - Changes nothing.
  idempotent:
    support: full
extends_documentation_fragment:
  - originops.cloudflare.cloudflare
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

- name: Show them
  ansible.builtin.debug:
    msg: "{{ zone.mappings }}"

- name: Read the mappings of two origins
  originops.cloudflare.origin_cloud_region_info:
    zone: example.com
    origin_ip:
      - 192.0.2.10
      - 2001:db8::30

- name: Read what is mapped to two regions of AWS
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

- name: Show those of Google Cloud with the data centres that they lead to
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
    - name: Read the one
      originops.cloudflare.origin_cloud_region_info:
        zone: example.com
      register: source

    - name: Write the other
      originops.cloudflare.origin_cloud_region_batch:
        zone: example.net
        mappings: "{{ source.mappings }}"
"""

RETURN = r"""
mappings:
  description: The mappings, IPv4 first, sorted by address.
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
      description: When the mapping was last written, by the service's clock, or null where it does not say.
      type: str
      returned: success
total_count:
  description:
    - How many mappings the zone has, whatever the filters. Null where addresses were looked up one by one.
  returned: success
  type: int
  sample: 250
supported_regions:
  description: The regions that Cloudflare supports.
  returned: if O(supported_regions=true)
  type: dict
  contains:
    obtained_codes:
      description: Whether Cloudflare could tell its data centres. If not, the lists of them may be incomplete.
      type: bool
      returned: if O(supported_regions=true)
    vendors:
      description: A list for each vendor, of dictionaries with C(name) and C(upper_tier_colos).
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
  description: The generation of endpoints that was used, V(v2) or V(v1).
  returned: success
  type: str
  sample: v2
status:
  description: The HTTP status of the request that failed, null where no answer came.
  returned: failure of a request
  type: int
  sample: 403
errors:
  description: What Cloudflare gave as reasons.
  returned: failure of a request
  type: list
  elements: dict
  sample:
    - code: 10000
      message: Authentication error
"""

from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import VENDORS
from ansible_collections.originops.cloudflare.plugins.module_utils._module import run
from ansible_collections.originops.cloudflare.plugins.module_utils._operations import read_mappings

ARGUMENT_SPEC = {
    "origin_ip": {"type": "list", "elements": "str", "aliases": ["ip"]},
    "vendor": {"type": "list", "elements": "str", "choices": list(VENDORS)},
    "region": {"type": "list", "elements": "str"},
    "supported_regions": {"type": "bool", "default": False},
}


def main() -> None:
    run(read_mappings, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
