#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: origin_cloud_region_batch
short_description: Keep many or all origin cloud region mappings of a Cloudflare zone right
version_added: 0.1.0
description:
  - Maps the addresses of many origins to the cloud vendors and regions that they run in, removes mappings, or makes
    a zone hold exactly the mappings of a list.
  - The zone is read in pages of 100, compared, and only what differs is written, in batches of 100. A zone of 250
    mappings takes 3 requests if it is right, and 5 to fill it.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  mappings:
    description:
      - The origins, a list of dictionaries.
      - The same address twice with the same values counts once, and with different values is an error.
      - Lists that M(originops.cloudflare.origin_cloud_region_info) returned can be given as they are.
    type: list
    version_added: 0.1.0
    elements: raw
    required: true
    suboptions:
      origin_ip:
        description:
          - The IPv4 or IPv6 address of the origin, in any spelling. It is compared as an address. Required.
        type: str
        version_added: 0.1.0
        aliases:
          - ip
      vendor:
        description:
          - The cloud that the origin runs in, V(aws), V(azure), V(gcp) or V(oci). Required with O(state=present),
            without meaning otherwise.
        type: str
        version_added: 0.1.0
      region:
        description:
          - The region of that cloud, spelled as the supported regions have it. Required with O(state=present),
            without meaning otherwise.
        type: str
        version_added: 0.1.0
      modified_on:
        description:
          - Without meaning, for lists that were read from a zone.
        type: str
        version_added: 0.1.0
  state:
    description:
      - Whether the addresses shall have these mappings, or none.
    type: str
    version_added: 0.1.0
    choices:
      - present
      - absent
    default: present
  purge:
    description:
      - Whether to delete all other mappings of the zone, so that it holds exactly O(mappings).
      - An address that is listed is never deleted, even where its item is unusable and O(on_invalid=skip).
      - The deletions come last, and are not done once an upsert failed. They come first only where the zone would pass
        its limit of 3,500 mappings in between.
      - Only with O(state=present).
    type: bool
    version_added: 0.1.0
    default: false
  allow_empty:
    description:
      - Whether O(purge=true) may delete every mapping of the zone because O(mappings) has no usable one.
    type: bool
    version_added: 0.1.0
    default: false
  on_invalid:
    description:
      - What to do about items with an unusable address, vendor or region.
      - V(fail) stops before the first write, and names them all.
      - V(skip) leaves them out, warns, and returns them in RV(failed_items). Items that only the service refuses are
        then warned of as well, instead of failing the task.
    type: str
    version_added: 0.1.0
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
  - originops.cloudflare.cloudflare.zone
  - originops.cloudflare.cloudflare.attributes
notes:
  - Supported regions are needed to write mappings, so Tiered Cache has to be on for the zone.
  - Where writing stops early, because the connection, the credentials or the rate limit failed, the task fails with
    all return values filled, and running it again does the rest.
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

- name: Make the zone hold exactly the mappings of a variable
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ fleet }}"
    purge: true

- name: Audit the zone against a variable, without changing anything
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ fleet }}"
    purge: true
  check_mode: true
  diff: true
  register: audit

- name: Say what the audit found
  ansible.builtin.debug:
    msg: >-
      {{ audit.summary.created }} missing, {{ audit.summary.updated }} wrong, {{ audit.summary.deleted }} stale,
      {{ audit.summary.unchanged }} right

- name: Clear the mappings of origins that were shut down
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    state: absent
    mappings:
      - origin_ip: 192.0.2.10
      - origin_ip: 198.51.100.20

- name: Clear a whole zone
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: []
    purge: true
    allow_empty: true

- name: Apply what is usable of a list from elsewhere, and tell about the rest
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

- name: Say once what several tasks share
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
  description: Mappings that were added, or in check mode would be.
  returned: always
  type: list
  elements: dict
  sample: &mappings
    - origin_ip: 192.0.2.10
      vendor: aws
      region: us-east-1
      modified_on: null
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
      description: When the mapping was last written, where the service said so, else null.
      type: str
      returned: always
updated:
  description: Mappings that got another vendor or region, with their new values.
  returned: always
  type: list
  elements: dict
  sample: *mappings
  contains: *mapping
deleted:
  description: Mappings that were removed, with their last values.
  returned: always
  type: list
  elements: dict
  sample: *mappings
  contains: *mapping
failed_items:
  description: Items that could not be used, and changes that were tried and failed.
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
      description: The address, as it was given where it is none.
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
      description: What is wrong with it, or what the service said.
      type: str
      returned: always
pending:
  description: Mappings whose write or deletion was not tried, because something before it failed.
  returned: always
  type: list
  elements: dict
  sample: []
  contains: *mapping
summary:
  description:
    - The number of each of the above, and of the listed addresses that were right from the start.
  returned: always
  type: dict
  sample:
    created: 3
    updated: 0
    deleted: 0
    unchanged: 247
    failed: 0
    pending: 0
diff:
  description: One line for each mapping that changed, before and after, sorted by address.
  returned: always
  type: dict
  sample:
    before: "192.0.2.10: aws/us-east-1\n"
    after: "192.0.2.10: aws/us-west-2\n"
zone_id:
  description: The identifier of the zone.
  returned: once the zone is known
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_version:
  description: The generation of endpoints that was used, V(v2) or V(v1).
  returned: once the zone was read
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

from ansible_collections.originops.cloudflare.plugins.module_utils._module import run
from ansible_collections.originops.cloudflare.plugins.module_utils._operations import ensure_mappings

ARGUMENT_SPEC = {
    # Raw, because the operation judges every item itself: so it can name positions, and spare the good ones.
    "mappings": {"type": "list", "elements": "raw", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge": {"type": "bool", "default": False},
    "allow_empty": {"type": "bool", "default": False},
    "on_invalid": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
}


def main() -> None:
    run(ensure_mappings, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
