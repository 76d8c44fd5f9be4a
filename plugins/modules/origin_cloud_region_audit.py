#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: origin_cloud_region_audit
short_description: Audit the origin cloud region mappings of a Cloudflare zone
version_added: 1.0.0
description:
  - Reads all mappings of a zone and reports what is not as it should be, in comparison with an inventory, with the
    address ranges that the clouds publish, with the regions that Cloudflare supports, and with the settings without
    which mappings have no effect.
  - It never writes, and findings do not make it fail. The report says how to repair the zone with
    M(originops.cloudflare.origin_cloud_region_batch).
  - A zone is read in pages of 100, and three more requests read the supported regions and two settings. A zone of 250
    mappings takes 6 requests.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  expected:
    description:
      - The mappings that the zone should have, as O(originops.cloudflare.origin_cloud_region_batch#module:mappings)
        has them, usually computed from an inventory.
      - Where this is left out there is nothing to compare with, and the audit does not look for what is missing, wrong
        or stale. With an empty list all mappings of the zone are stale.
      - Items that cannot be used, and the same address with different values, are errors, all named at once.
    type: list
    version_added: 1.0.0
    elements: raw
    suboptions:
      origin_ip:
        description:
          - The IPv4 or IPv6 address of the origin, in any spelling. It is compared as an address. Required.
        type: str
        version_added: 1.0.0
        aliases:
          - ip
      vendor:
        description:
          - The cloud that the origin runs in, V(aws), V(azure), V(gcp) or V(oci). Required.
        type: str
        version_added: 1.0.0
      region:
        description:
          - The region of that cloud, spelled as the supported regions have it. Required.
        type: str
        version_added: 1.0.0
      modified_on:
        description:
          - Without meaning, for lists that were read from a zone.
        type: str
        version_added: 1.0.0
  unresolved:
    description:
      - The hosts of the inventory whose mapping is not known. Each is a finding, and a mapping of one of their
        addresses is not stale.
    type: list
    version_added: 1.0.0
    elements: dict
    suboptions:
      host:
        description:
          - The name of the host.
        type: str
        version_added: 1.0.0
        required: true
      reason:
        description:
          - Why its mapping is not known, for the report.
        type: str
        version_added: 1.0.0
        required: true
      addresses:
        description:
          - Such public addresses of it as are known.
        type: list
        version_added: 1.0.0
        elements: str
  hosts:
    description:
      - The hosts behind addresses, for the report. A dictionary of lists of names, by address in any spelling.
    type: dict
    version_added: 1.0.0
  ranges:
    description:
      - The files of address ranges that the clouds publish, on the host where the module runs. With them the audit
        looks for mappings that they contradict.
      - Vendors without a file are not looked at.
    type: dict
    version_added: 1.0.0
    suboptions:
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
  near_limit:
    description:
      - How full, in percent of the 3,500 mappings that Cloudflare allows, a zone or its O(expected) mappings may be
        before that is a finding. From 1 to 100.
    type: int
    version_added: 1.0.0
    default: 90
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
notes:
  - A token that may read mappings but not the settings of the zone gets a warning, and a report that leaves out
    whether mappings have an effect. The permission is Zone, Zone Settings, Read.
  - Where Tiered Cache is off, Cloudflare does not tell the supported regions. The report then has no data centres, and
    leaves out which regions are unsupported.
seealso:
  - module: originops.cloudflare.origin_cloud_region_batch
  - module: originops.cloudflare.origin_cloud_region_info
"""

EXAMPLES = r"""
- name: Compare a zone with a variable
  originops.cloudflare.origin_cloud_region_audit:
    zone: example.com
    expected: "{{ fleet }}"
  register: audit

- name: Say what was found
  ansible.builtin.debug:
    msg: "{{ audit.report.findings | map(attribute='message') }}"

- name: Map what is missing or wrong
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ audit.report.repair.present }}"

- name: Remove what is stale
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    state: absent
    mappings: "{{ audit.report.repair.absent }}"

- name: Audit a zone without an inventory, by the ranges that the clouds publish
  originops.cloudflare.origin_cloud_region_audit:
    zone: example.com
    ranges:
      aws: "{{ published_ranges.aws }}"
      gcp: "{{ published_ranges.gcp }}"
  register: audit

- name: Say where the ranges contradict the zone
  ansible.builtin.debug:
    msg: "{{ audit.report.findings | selectattr('kind', 'eq', 'contradicted') | map(attribute='message') }}"

- name: Fail where the mappings have no effect
  ansible.builtin.assert:
    that: audit.report.counts.without_effect == 0

- name: Tell a report which hosts are behind the addresses, and which are not known
  originops.cloudflare.origin_cloud_region_audit:
    zone_id: "{{ cloudflare_zone_id }}"
    expected: "{{ fleet }}"
    hosts:
      192.0.2.10:
        - web1
      198.51.100.20:
        - web2
    unresolved:
      - host: web3
        reason: no variable tells its region
        addresses:
          - 2001:db8::30
  register: audit

- name: Keep the report
  ansible.builtin.copy:
    content: "{{ audit.report | to_nice_json(sort_keys=false) }}"
    dest: ./example.com.json
    mode: "0600"
  diff: false
"""

RETURN = r"""
report:
  description:
    - What the zone has, and what of it is not as it should be. The file C(report.schema.json) of the role
      P(originops.cloudflare.audit#role) describes it as a JSON Schema.
  returned: success
  type: dict
  contains:
    schema_version:
      description: The version of this structure.
      type: int
      returned: success
    zone_id:
      description: The identifier of the zone.
      type: str
      returned: success
    zone:
      description: The option O(zone), null where the zone is given by its identifier.
      type: str
      returned: success
    api_version:
      description: The generation of endpoints that was used, V(v2) or V(v1).
      type: str
      returned: success
    audited_on:
      description: When the zone was read, by the clock of the host where the module runs, in UTC.
      type: str
      returned: success
    error:
      description: Always null here. Reports on zones that could not be audited say why, and have nothing else.
      type: str
      returned: success
    tiered_cache:
      description: Whether Tiered Cache is on for the zone, null where the credentials may not know.
      type: bool
      returned: success
    smart_tiered_cache:
      description: Whether Smart Tiered Cache is on for the zone, null where the credentials may not know.
      type: bool
      returned: success
    obtained_codes:
      description:
        - Whether Cloudflare could tell the data centres of all regions, null where it did not tell the supported
          regions.
      type: bool
      returned: success
    compared:
      description: Whether there was something to compare with, O(expected).
      type: bool
      returned: success
    total_count:
      description: How many mappings the zone has.
      type: int
      returned: success
    limit:
      description: How many mappings Cloudflare allows.
      type: int
      returned: success
    counts:
      description:
        - The number of findings of each kind, in the order of the report.
        - C(missing) is expected, but not in the zone. C(wrong) has another vendor or region than expected. C(stale) is
          in the zone, but not expected, and no address of O(unresolved).
        - C(contradicted) is in another place by the published ranges. C(unsupported) is a region, of the zone or
          expected, that Cloudflare does not support, or no longer.
        - C(unresolved) is a host of O(unresolved), once for each of its addresses.
        - C(near_limit) and C(without_effect) are about the zone. Mappings have no effect where Tiered Cache or Smart
          Tiered Cache is off.
      type: dict
      returned: success
    findings:
      description: The findings, sorted by kind, address and host.
      type: list
      elements: dict
      returned: success
      contains:
        kind:
          description: The kind, a key of C(counts).
          type: str
          returned: success
        origin_ip:
          description: The address in its canonical spelling, null where the finding is about none.
          type: str
          returned: success
        hosts:
          description: The hosts behind the address.
          type: list
          elements: str
          returned: success
        actual:
          description: The C(vendor) and C(region) that the zone has, null where it has none.
          type: dict
          returned: success
        expected:
          description:
            - The C(vendor) and C(region) that are expected, or where C(contradicted) those of the published ranges as
              far as they tell just one. Null where there are none; the region alone can be null too.
          type: dict
          returned: success
        message:
          description: What was found, in one sentence.
          type: str
          returned: success
    mappings:
      description: All mappings of the zone, IPv4 first, sorted by address.
      type: list
      elements: dict
      returned: success
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
        upper_tier_colos:
          description: The IATA codes of the data centres that it leads to, sorted, as far as they are known.
          type: list
          elements: str
          returned: success
        hosts:
          description: The hosts behind the address.
          type: list
          elements: str
          returned: success
        findings:
          description: The kinds of the findings about this address.
          type: list
          elements: str
          returned: success
    repair:
      description: What M(originops.cloudflare.origin_cloud_region_batch) has to do for the zone to be as expected.
      type: dict
      returned: success
      contains:
        present:
          description:
            - The expected mappings that are missing or wrong, without those of unsupported regions, which Cloudflare
              would refuse.
          type: list
          elements: dict
          returned: success
        absent:
          description: The stale mappings.
          type: list
          elements: dict
          returned: success
  sample:
    schema_version: 1
    zone_id: 023e105f4ecef8ad9ca31a8372d0c353
    zone: example.com
    api_version: v2
    audited_on: "2026-03-01T12:00:00Z"
    error: null
    tiered_cache: true
    smart_tiered_cache: true
    obtained_codes: true
    compared: true
    total_count: 1
    limit: 3500
    counts:
      missing: 0
      wrong: 1
      stale: 0
      contradicted: 0
      unsupported: 0
      unresolved: 0
      near_limit: 0
      without_effect: 0
    findings:
      - kind: wrong
        origin_ip: 192.0.2.10
        hosts:
          - web1
        actual:
          vendor: aws
          region: us-west-2
        expected:
          vendor: aws
          region: us-east-1
        message: 192.0.2.10 is mapped to aws/us-west-2, but the inventory has it in aws/us-east-1
    mappings:
      - origin_ip: 192.0.2.10
        vendor: aws
        region: us-west-2
        modified_on: "2026-02-01T12:00:00Z"
        upper_tier_colos:
          - PDX
          - SEA
        hosts:
          - web1
        findings:
          - wrong
    repair:
      present:
        - origin_ip: 192.0.2.10
          vendor: aws
          region: us-east-1
      absent: []
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

from ansible_collections.originops.cloudflare.plugins.module_utils._audit_zone import audit_zone
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import VENDORS
from ansible_collections.originops.cloudflare.plugins.module_utils._module import run

ARGUMENT_SPEC = {
    # Raw, because the operation judges every item itself: so it can name positions.
    "expected": {"type": "list", "elements": "raw"},
    "unresolved": {
        "type": "list",
        "elements": "dict",
        "options": {
            "host": {"type": "str", "required": True},
            "reason": {"type": "str", "required": True},
            "addresses": {"type": "list", "elements": "str"},
        },
    },
    "hosts": {"type": "dict"},
    "ranges": {"type": "dict", "options": {vendor: {"type": "path"} for vendor in VENDORS}},
    "near_limit": {"type": "int", "default": 90},
}


def main() -> None:
    run(audit_zone, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
