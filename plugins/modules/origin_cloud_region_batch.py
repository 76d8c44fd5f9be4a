#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: origin_cloud_region_batch
short_description: Manage many or all origin cloud region mappings of a Cloudflare zone
version_added: 1.0.0
description:
  - Maps the addresses of many origins to the cloud vendors and regions in which they run, removes mappings, or replaces
    all mappings of a zone with a list.
  - The zone is read in pages of 100, and only differences are written, in batches of 100. A zone of 250 mappings takes
    3 requests if it is up to date, and 5 requests to fill it.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  mappings:
    description:
      - The mappings, a list of dictionaries.
      - Duplicates with equal values are ignored. The same address with different values is an error.
      - Lists that M(originops.cloudflare.origin_cloud_region_info) returned can be used unchanged.
    type: list
    version_added: 1.0.0
    elements: raw
    required: true
    suboptions:
      origin_ip:
        description:
          - The IPv4 or IPv6 address of the origin. Different spellings of an address are equal. Required.
          - Unspecified, loopback, link-local and multicast addresses are refused. A private address causes a warning,
            because Cloudflare reaches it through a tunnel only.
        type: str
        version_added: 1.0.0
        aliases:
          - ip
      vendor:
        description:
          - The cloud vendor of the origin, V(aws), V(azure), V(gcp) or V(oci). Required with O(state=present), ignored
            otherwise.
        type: str
        version_added: 1.0.0
      region:
        description:
          - The region of that cloud, spelled exactly like the supported region. Required with O(state=present), ignored
            otherwise.
        type: str
        version_added: 1.0.0
      modified_on:
        description:
          - Ignored. Allowed so that lists from a zone can be used unchanged.
        type: str
        version_added: 1.0.0
  state:
    description:
      - Whether the addresses should have these mappings or no mappings.
    type: str
    version_added: 1.0.0
    choices:
      - present
      - absent
    default: present
  purge:
    description:
      - Whether to delete all other mappings. The zone then has exactly O(mappings).
      - A listed address is never deleted, even if its item is invalid and O(on_invalid=skip). If the address of an item
        cannot be read, nothing is deleted, because it may be the address of any mapping.
      - O(max_delete_percentage) and O(keep) limit what is deleted.
      - Mappings are deleted last, and only if no upsert failed. They are deleted first only if the zone would otherwise
        temporarily exceed its limit of 3,500 mappings.
      - Only with O(state=present).
    type: bool
    version_added: 1.0.0
    default: false
  allow_empty:
    description:
      - Whether O(purge=true) may delete every mapping of the zone if O(mappings) has no valid item.
    type: bool
    version_added: 1.0.0
    default: false
  max_delete_percentage:
    description:
      - The task is refused before its first write if it would delete more than this share of the zone's mappings, in a
        zone that holds 10 or more.
      - A purge is also refused, in a zone of any size, if it would delete two or more mappings of a vendor and leave
        none of that vendor, because the failure of an inventory source looks like this.
      - V(100) turns both guards off. To delete all mappings of a zone with 10 or more, also set O(allow_empty=true).
      - It does not apply to O(state=absent) with one address, for which the zone's total is not read.
    type: float
    version_added: 1.0.0
    default: 30
  max_update_percentage:
    description:
      - The task is refused before its first write if it would change the vendor or region of more than this share of
        the zone's mappings, in a zone that holds 10 or more, if its total was read.
    type: float
    version_added: 1.0.0
    default: 100
  keep:
    description:
      - Addresses and CIDR prefixes. A purge never deletes their mappings, for example because another team manages
        them.
    type: list
    version_added: 1.0.0
    elements: str
    default: []
  plan_checksum:
    description:
      - The checksum of a reviewed plan, RV(plan_checksum) of a run in check mode. The task is refused before its first
        write unless its plan is the same.
    type: str
    version_added: 1.0.0
  on_invalid:
    description:
      - The handling of items with an invalid address, vendor or region.
      - V(fail) fails before the first write, and lists all invalid items with all errors of each.
      - V(skip) skips them with a warning, and returns them in RV(failed_items). Items that only the service rejects
        then cause a warning too, instead of a failure of the task.
    type: str
    version_added: 1.0.0
    choices:
      - fail
      - skip
    default: fail
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
extends_documentation_fragment:
  - originops.cloudflare.cloudflare
  - originops.cloudflare.cloudflare.api_version
  - originops.cloudflare.cloudflare.zone
  - originops.cloudflare.cloudflare.attributes
notes:
  - Tiered Cache has to be on for the zone to write mappings, because this needs the supported regions.
  - If writing stops early because of the connection, the credentials or the rate limit, the task fails with all return
    values set. Another run applies the remaining changes.
seealso:
  - module: originops.cloudflare.origin_cloud_region
  - module: originops.cloudflare.origin_cloud_region_info
"""

EXAMPLES = r"""
- name: Map a fleet
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings:
      - origin_ip: 192.0.2.10
        vendor: aws
        region: us-east-1
      - origin_ip: 198.51.100.20
        vendor: azure
        region: westeurope
      - origin_ip: 2001:db8::30
        vendor: gcp
        region: europe-west1

- name: Replace all mappings of a zone by those of a variable
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ fleet }}"
    purge: true

- name: Compare a zone with a variable, without changes
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ fleet }}"
    purge: true
  check_mode: true
  diff: true
  register: audit

- name: Show the differences
  ansible.builtin.debug:
    msg: >-
      {{ audit.summary.created }} missing, {{ audit.summary.updated }} wrong, {{ audit.summary.deleted }} stale,
      {{ audit.summary.unchanged }} right

- name: Remove the mappings of origins that were shut down
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    state: absent
    mappings:
      - origin_ip: 192.0.2.10
      - origin_ip: 198.51.100.20

- name: Remove all mappings of a zone
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: []
    purge: true
    allow_empty: true
    max_delete_percentage: 100

- name: Replace all mappings of a zone, but for those of another team
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ fleet }}"
    purge: true
    keep:
      - 192.0.2.10
      - 203.0.113.0/24

- name: Apply the valid items of an external list, and report the others
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ fleet }}"
    on_invalid: skip
  register: applied

- name: Use the older global API key, and a zone by its identifier
  originops.cloudflare.origin_cloud_region_batch:
    api_email: "{{ cloudflare_email }}"
    api_key: "{{ cloudflare_api_key }}"
    zone_id: "{{ cloudflare_zone_id }}"
    mappings: "{{ fleet }}"

- name: Set common options of several tasks once
  module_defaults:
    group/originops.cloudflare.cloudflare:
      api_token: "{{ cloudflare_api_token }}"
      zone: example.com
  block:
    - name: Map the fleet
      originops.cloudflare.origin_cloud_region_batch:
        mappings: "{{ fleet }}"

    - name: Read the zone back
      originops.cloudflare.origin_cloud_region_info:
      register: zone
"""

RETURN = r"""
created:
  description: Mappings that were created, or in check mode would be.
  returned: always
  type: list
  elements: dict
  sample: &mappings
    - origin_ip: 192.0.2.10
      vendor: aws
      region: us-east-1
  contains: &mapping
    origin_ip:
      description: The address in its canonical spelling (RFC 5952 for IPv6).
      type: str
      returned: always
    vendor:
      description: The cloud vendor.
      type: str
      returned: always
    region:
      description: The region of the vendor.
      type: str
      returned: always
    modified_on:
      description: The time of the last write of the mapping.
      type: str
      returned: if the service returned it
updated:
  description: Mappings with a changed vendor or region, with their new values.
  returned: always
  type: list
  elements: dict
  sample: *mappings
  contains: *mapping
deleted:
  description: Mappings that were deleted, with their last values.
  returned: always
  type: list
  elements: dict
  sample: *mappings
  contains: *mapping
failed_items:
  description: Invalid items, changes that failed, and changes that may have been applied.
  returned: always
  type: list
  elements: dict
  sample:
    - origin_ip: 192.0.2.300
      vendor: aws
      region: us-east-1
      error: "'192.0.2.300' is not an IPv4 or IPv6 address"
  contains:
    origin_ip:
      description: The address, or the original value if it is not an address.
      type: str
      returned: always
    vendor:
      description: The cloud vendor.
      type: str
      returned: always
    region:
      description: The region of the vendor.
      type: str
      returned: always
    error:
      description: The validation error, or the message of the service.
      type: str
      returned: always
pending:
  description:
    - Mappings that were not written or deleted because of an earlier failure, and deletions that were not made because
      the address of an item cannot be read.
  returned: always
  type: list
  elements: dict
  sample: []
  contains: *mapping
summary:
  description:
    - The number of mappings in each list above, and of listed addresses that were already up to date.
  returned: always
  type: dict
  sample:
    created: 3
    updated: 0
    deleted: 0
    unchanged: 247
    failed: 0
    pending: 0
plan_checksum:
  description:
    - The SHA-256 checksum of the zone and the planned changes, with the values that they replace. Pass it as
      O(plan_checksum) to apply exactly the plan that was reviewed.
  returned: once the zone was read
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
diff:
  description: One line for each changed mapping, before and after, sorted by address, under the name of the zone.
  returned: in diff mode
  type: dict
  sample:
    before_header: example.com
    after_header: example.com
    before: "192.0.2.10: aws/us-east-1\n"
    after: "192.0.2.10: aws/us-west-2\n"
zone_id:
  description: The identifier of the zone.
  returned: once the zone is known
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_version:
  description: The API version that was used, V(v2) or V(v1).
  returned: once the zone was read
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

from ..module_utils._batch import ensure_mappings
from ..module_utils._module import zone_module

ARGUMENT_SPEC = {
    # Raw: as dictionaries, Ansible would refuse plain addresses, and report the first bad item only, without its
    # position. The suboptions are documented for ansible-doc and editors.
    "mappings": {"type": "list", "elements": "raw", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge": {"type": "bool", "default": False},
    "allow_empty": {"type": "bool", "default": False},
    "max_delete_percentage": {"type": "float", "default": 30},
    "max_update_percentage": {"type": "float", "default": 100},
    "keep": {"type": "list", "elements": "str", "default": []},
    "plan_checksum": {"type": "str"},
    "on_invalid": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
}


MODULE = zone_module(ensure_mappings, ARGUMENT_SPEC)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
