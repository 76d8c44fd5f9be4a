#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: map_zones
short_description: Map many zones to their origins in the inventory
version_added: 1.0.0
description:
  - Computes the mappings of each zone from the host variables of its origins, and writes the differences. Works on many
    zones in parallel. The role P(originops.cloudflare.origin_regions#role) runs this module.
  - If an origin of a zone cannot be determined, or the zone has no origin, the zone is not changed and has failed. The
    other zones are updated. The task fails at the end.
  - The guards and the requests of a zone are those of M(originops.cloudflare.origin_cloud_region_batch), which reads a
    zone once.
  - With O(purge=true), a zone is refused if the inventory lacks hosts that the inventory plugin
    P(originops.cloudflare.zones#inventory) added, as in a slice of a job.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  purge:
    description:
      - Whether to delete mappings of addresses without an origin, so that a zone has exactly the mappings of its
        origins.
    type: bool
    version_added: 1.0.0
    default: false
  keep:
    description:
      - Addresses and CIDR prefixes of mappings that are never deleted, for example because another team manages them.
    type: list
    version_added: 1.0.0
    elements: str
    default: []
  max_delete_percentage:
    description:
      - The maximum percentage of a zone's mappings to delete, as
        O(originops.cloudflare.origin_cloud_region_batch#module:max_delete_percentage).
    type: float
    version_added: 1.0.0
    default: 30
  max_update_percentage:
    description:
      - The maximum percentage of a zone's mappings to change to another vendor or region, as
        O(originops.cloudflare.origin_cloud_region_batch#module:max_update_percentage).
    type: float
    version_added: 1.0.0
    default: 30
  skip:
    description:
      - Codes of unresolved hosts and addresses to leave out with a warning. Without their code here, they fail the
        zone. Existing mappings of their addresses are kept.
      - V(no_address) is a host without a public address, V(private_address) one with a private address,
        V(unknown_cloud) and V(unknown_region) one without a known location, V(hostname) a name instead of an address,
        V(conflict) an address that has two locations, and V(variable_error) a variable that cannot be evaluated.
        V(unsupported_region) leaves out mappings to regions that Cloudflare does not support.
      - If the address of such an origin is not known, nothing is deleted.
    type: list
    version_added: 1.0.0
    elements: str
    choices:
      - no_address
      - private_address
      - unknown_cloud
      - unknown_region
      - hostname
      - conflict
      - variable_error
      - unsupported_region
    default: []
  allow_empty:
    description:
      - Whether a zone may have no origin at all. Otherwise a zone without origins is an error, with or without
        O(purge).
    type: bool
    version_added: 1.0.0
    default: false
  tiered_cache:
    description:
      - Whether to turn on Tiered Cache and Smart Tiered Cache for the zones first. Mappings have no effect without
        them. This takes a request for each setting. If one has to change, it takes one for each change, and those of
        check mode, since the settings of a zone stay as they are if a guard refuses its mappings. An unsupported
        region can be found only once Tiered Cache is on.
    type: bool
    version_added: 1.0.0
    default: false
  resolve:
    description:
      - Whether to look up the addresses of hostnames that Cloudflare forwards to, on the controller, for zones with
        the source V(cloudflare). These addresses can change.
    type: bool
    version_added: 1.0.0
    default: false
  load_balancers:
    description:
      - Whether to read the load balancers of zones with the source V(cloudflare), as
        O(originops.cloudflare.zone_origins_info#module:load_balancers).
    type: str
    version_added: 1.0.0
    choices:
      - auto
      - 'true'
      - 'false'
    default: auto
extends_documentation_fragment:
  - originops.cloudflare.cloudflare
  - originops.cloudflare.cloudflare.api_version
  - originops.cloudflare.cloudflare.many_zones
  - originops.cloudflare.cloudflare.controller
attributes:
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Map two zones
  originops.cloudflare.map_zones:
    zones:
      - zone: example.com
        group: web
      - zone: example.net
        addresses:
          - origin_ip: 192.0.2.10
            vendor: aws
            region: us-east-1
  register: mapped

- name: Show the number of changes in each zone
  ansible.builtin.debug:
    msg: "{{ mapped.zones | map(attribute='summary') }}"
"""

RETURN = r"""
zones:
  description:
    - The result of each zone, with C(zone), C(zone_id) and C(account_id) of its item, C(failed), and if there are any,
      C(msg) of a failure and C(warnings).
    - Once the origins of the zone were read, it has C(changed) and the C(unresolved) ones, and once its mappings were
      compared with them, the return values of M(originops.cloudflare.origin_cloud_region_batch). With
      O(tiered_cache=true) it also has C(tiered_cache), as M(originops.cloudflare.tiered_cache) returns it, but not if
      the mappings are refused before a setting changes. A zone that fails earlier lacks these keys.
  returned: always, except for invalid options
  type: list
  elements: dict
  sample:
    - zone: example.com
      zone_id: 023e105f4ecef8ad9ca31a8372d0c353
      account_id:
      api_version: v2
      failed: false
      changed: true
      created:
        - origin_ip: 192.0.2.10
          vendor: aws
          region: us-east-1
          modified_on: "2026-03-01T12:00:00Z"
      updated: []
      deleted: []
      failed_items: []
      pending: []
      summary:
        created: 1
        updated: 0
        deleted: 0
        failed: 0
        pending: 0
        unchanged: 4
      plan_checksum: 5b4c0c2f3d2a7d0e2f6f0f3b3a8c7a8f6d1a8c0c9a5c7f1f1b2e4d6c8a0b2c4d
      unresolved: []
diff:
  description: The changes of each changed zone.
  returned: in diff mode, except for invalid options
  type: list
  elements: dict
  sample:
    - before_header: example.com (023e105f4ecef8ad9ca31a8372d0c353)
      after_header: example.com (023e105f4ecef8ad9ca31a8372d0c353)
      before: ""
      after: |
        192.0.2.10: aws/us-east-1
"""
