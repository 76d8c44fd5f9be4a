#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: origin_cloud_region
short_description: Manage an origin cloud region mapping of a Cloudflare zone
version_added: 1.0.0
description:
  - Maps the address of an origin to the cloud vendor and region in which it runs, or removes the mapping.
  - Cloudflare's Smart Tiered Cache then uses an upper-tier data centre near that region. Without a mapping it often
    cannot determine the location of an origin in a public cloud. A wrong mapping routes every cache fill through the
    wrong data centre.
  - For more than a few origins of a zone, use M(originops.cloudflare.origin_cloud_region_batch), which needs far fewer
    requests.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  origin_ip:
    description:
      - The IPv4 or IPv6 address of the origin. Different spellings of an address are equal.
      - Unspecified, loopback, link-local and multicast addresses are refused. A private address causes a warning,
        because Cloudflare can reach it only through a tunnel.
    type: str
    version_added: 1.0.0
    required: true
    aliases:
      - ip
  vendor:
    description:
      - The cloud vendor of the origin. Required with O(state=present).
    type: str
    version_added: 1.0.0
    choices:
      - aws
      - azure
      - gcp
      - oci
  region:
    description:
      - The region of that cloud, spelled exactly like the supported region. Required with O(state=present).
      - M(originops.cloudflare.origin_cloud_region_info) and
        P(originops.cloudflare.origin_cloud_supported_regions#lookup) return the supported regions.
    type: str
    version_added: 1.0.0
  state:
    description:
      - Whether the address should have this mapping or no mapping.
    type: str
    version_added: 1.0.0
    choices:
      - present
      - absent
    default: present
  overwrite:
    description:
      - Whether an existing mapping of the address to another vendor or region may be replaced. With V(false), such a
        mapping is an error.
      - With O(api_version=v1), the service itself refuses to replace a mapping. V(v2) has no such request, so a mapping
        that another client creates between reading and writing is replaced.
    type: bool
    version_added: 1.0.0
    default: true
attributes:
  check_mode:
    support: full
    details:
      - If the supported regions cannot be read because Tiered Cache is off, a warning reports that the region was not
        verified.
  diff_mode:
    support: full
  idempotent:
    support: full
extends_documentation_fragment:
  - originops.cloudflare.cloudflare
  - originops.cloudflare.cloudflare.api_version
  - originops.cloudflare.cloudflare.zone
  - originops.cloudflare.cloudflare.attributes
seealso:
  - module: originops.cloudflare.origin_cloud_region_batch
  - module: originops.cloudflare.origin_cloud_region_info
"""

EXAMPLES = r"""
- name: Map an origin
  originops.cloudflare.origin_cloud_region:
    zone: example.com
    origin_ip: 192.0.2.10
    vendor: aws
    region: us-east-1

- name: Map an IPv6 origin, with the zone's identifier and an explicit token
  originops.cloudflare.origin_cloud_region:
    api_token: "{{ cloudflare_api_token }}"
    zone_id: "{{ cloudflare_zone_id }}"
    origin_ip: 2001:db8::10
    vendor: gcp
    region: europe-west1

- name: Map an origin, but do not replace a different mapping
  originops.cloudflare.origin_cloud_region:
    zone: example.com
    origin_ip: 192.0.2.11
    vendor: azure
    region: westeurope
    overwrite: false

- name: Remove the mapping of an origin that was shut down
  originops.cloudflare.origin_cloud_region:
    zone: example.com
    origin_ip: 192.0.2.10
    state: absent

- name: Use the older global API key
  originops.cloudflare.origin_cloud_region:
    api_email: "{{ cloudflare_email }}"
    api_key: "{{ cloudflare_api_key }}"
    zone: example.com
    origin_ip: 192.0.2.10
    vendor: aws
    region: us-east-1

- name: Audit an origin without changes, and fail if its mapping is wrong
  originops.cloudflare.origin_cloud_region:
    zone: example.com
    origin_ip: 192.0.2.10
    vendor: aws
    region: us-east-1
  check_mode: true
  diff: true
  register: origin
  failed_when: origin is changed or origin.msg is defined

- name: Set common options of several tasks once
  module_defaults:
    group/originops.cloudflare.cloudflare:
      api_token: "{{ cloudflare_api_token }}"
      zone: example.com
  block:
    - name: Map the origin in Frankfurt
      originops.cloudflare.origin_cloud_region:
        origin_ip: 192.0.2.20
        vendor: aws
        region: eu-central-1

    - name: Map the origin in Oregon
      originops.cloudflare.origin_cloud_region:
        origin_ip: 192.0.2.21
        vendor: aws
        region: us-west-2
"""

RETURN = r"""
mapping:
  description:
    - The mapping of the address, null if there is none.
  returned: success
  type: dict
  sample:
    origin_ip: 192.0.2.10
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
      description: The time of the last write of the mapping, by the service's clock.
      type: str
      returned: if the service returned it
diff:
  description: One line for the mapping before and after, both empty if nothing changes, under the name of the zone.
  returned: in diff mode
  type: dict
  sample:
    before_header: example.com
    after_header: example.com
    before: ""
    after: "192.0.2.10: aws/us-east-1\n"
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

from ..module_utils._mapping import VENDORS
from ..module_utils._module import zone_module
from ..module_utils._single import ensure_mapping

ARGUMENT_SPEC = {
    "origin_ip": {"type": "str", "required": True, "aliases": ["ip"]},
    "vendor": {"type": "str", "choices": list(VENDORS)},
    "region": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "overwrite": {"type": "bool", "default": True},
}


MODULE = zone_module(ensure_mapping, ARGUMENT_SPEC, required_if=[("state", "present", ("vendor", "region"))])


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
