#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: origin_cloud_region_audit
short_description: Audit the origin cloud region mappings of a Cloudflare zone
version_added: 1.0.0
description:
  - Reads all mappings of a zone, and compares them with an inventory, with the address ranges that cloud vendors
    publish, with the regions that Cloudflare supports, and with the settings that mappings need to have an effect.
  - The module never writes, and findings do not make it fail. The report has the changes to repair the zone with
    M(originops.cloudflare.origin_cloud_region_batch).
  - The zone is read in pages of 100, and three more requests read the supported regions and two settings. A zone of 250
    mappings takes 6 requests.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  expected:
    description:
      - The mappings that the zone should have, in the format of
        O(originops.cloudflare.origin_cloud_region_batch#module:mappings), usually computed from an inventory.
      - Without this option, the audit does not check for missing, wrong or stale mappings. With an empty list, all
        mappings of the zone are stale, but the repair deletes none.
      - Invalid items, and the same address with different values, are errors. All are reported at once.
    type: list
    version_added: 1.0.0
    elements: raw
    suboptions:
      origin_ip:
        description:
          - The IPv4 or IPv6 address of the origin. Different spellings of an address are equal. Required.
        type: str
        version_added: 1.0.0
        aliases:
          - ip
      vendor:
        description:
          - The cloud vendor of the origin, V(aws), V(azure), V(gcp) or V(oci). Required.
        type: str
        version_added: 1.0.0
      region:
        description:
          - The region of that cloud, spelled exactly like the supported region. Required.
        type: str
        version_added: 1.0.0
      modified_on:
        description:
          - Ignored. Allowed so that lists from a zone can be used unchanged.
        type: str
        version_added: 1.0.0
  unresolved:
    description:
      - The hosts of the inventory without a known mapping. Each is a finding. Mappings of their addresses are not
        stale.
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
      code:
        description:
          - The kind of the reason, as the filter P(originops.cloudflare.origin_mappings#filter) returns it.
        type: str
        version_added: 1.0.0
        choices:
          - no_address
          - private_address
          - unknown_cloud
          - unknown_region
          - hostname
          - conflict
          - variable_error
        default: no_address
      reason:
        description:
          - The reason why the mapping is unknown, for the report.
        type: str
        version_added: 1.0.0
        required: true
      addresses:
        description:
          - The known public addresses of the host.
        type: list
        version_added: 1.0.0
        elements: str
      unreadable:
        description:
          - Whether the host has an address that cannot be parsed, as the filter
            P(originops.cloudflare.origin_mappings#filter) returns it. Any mapping may then belong to the host, so the
            repair deletes none.
        type: bool
        version_added: 1.0.0
        default: false
  hosts:
    description:
      - The hosts of each address, for the report. A dictionary with lists of names, by address in any spelling.
    type: dict
    version_added: 1.0.0
  ranges:
    description:
      - The files with the address ranges that cloud vendors publish, on the host on which the module runs. With these
        files, the audit checks for mappings that contradict the ranges.
      - Without the file of a vendor, addresses in its ranges are not checked.
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
      - A zone is near the limit if it, or O(expected), has at least this percentage of the 3,500 mappings that
        Cloudflare allows. From 1 to 100.
    type: int
    version_added: 1.0.0
    default: 90
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
notes:
  - >-
    If the token may read mappings but not the settings of the zone, a warning is issued, and the report does not
    include whether mappings have an effect. The needed permission is C(Zone Settings: Read).
  - If Tiered Cache is off, Cloudflare does not return the supported regions. The report then has no data centres, and
    does not include unsupported regions.
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

- name: Show the findings
  ansible.builtin.debug:
    msg: "{{ audit.report.findings | map(attribute='message') }}"

- name: Write missing and wrong mappings
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    mappings: "{{ audit.report.repair.present }}"

- name: Remove stale mappings
  originops.cloudflare.origin_cloud_region_batch:
    zone: example.com
    state: absent
    mappings: "{{ audit.report.repair.absent }}"

- name: Audit a zone without an inventory, by published ranges
  originops.cloudflare.origin_cloud_region_audit:
    zone: example.com
    ranges:
      aws: "{{ published_ranges.aws }}"
      gcp: "{{ published_ranges.gcp }}"
  register: audit

- name: Show the mappings that contradict the ranges
  ansible.builtin.debug:
    msg: "{{ audit.report.findings | selectattr('kind', 'eq', 'contradicted') | map(attribute='message') }}"

- name: Fail if the mappings have no effect
  ansible.builtin.assert:
    that: audit.report.counts.without_effect == 0

- name: Include the hosts of addresses, and hosts with unknown mappings, in a report
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
        code: unknown_region
        reason: no variable has its region
        addresses:
          - 2001:db8::30
  register: audit

- name: Save the report
  ansible.builtin.copy:
    content: "{{ audit.report | to_nice_json(sort_keys=false) }}"
    dest: ./example.com.json
    mode: "0600"
  diff: false
"""

RETURN = r"""
report:
  description:
    - The mappings of the zone, and the findings. The file C(report.schema.json) of the role
      P(originops.cloudflare.audit#role) is the JSON Schema of the report.
  returned: success
  type: dict
  contains:
    schema_version:
      description: The version of this structure.
      type: int
      returned: success
    zone:
      description: The option O(zone), null if the zone is specified by its identifier.
      type: str
      returned: success
    zone_id:
      description: The identifier of the zone.
      type: str
      returned: success
    account_id:
      description: The identifier of the account of the zone, null if it is not known.
      type: str
      returned: success
    api_version:
      description: The API version that was used, V(v2) or V(v1).
      type: str
      returned: success
    audited_on:
      description: The time at which the zone was read, by the clock of the host on which the module runs, in UTC.
      type: str
      returned: success
    error:
      description:
        - Always null here. In reports of zones that could not be audited it is the reason, without other data.
      type: str
      returned: success
    sources:
      description: The sources of the expected mappings, empty if there are none to compare with.
      type: list
      elements: str
      returned: success
    only_in:
      description: The addresses that only one of several sources has, by source. Empty here.
      type: dict
      returned: success
    ranges:
      description: The times of the files of published ranges, by vendor.
      type: dict
      returned: success
    tiered_cache:
      description: Whether Tiered Cache is on for the zone, null if it could not be read.
      type: bool
      returned: success
    smart_tiered_cache:
      description: Whether Smart Tiered Cache is on for the zone, null if it could not be read.
      type: bool
      returned: success
    obtained_codes:
      description:
        - Whether Cloudflare returned the data centres of all regions, null if the supported regions are not known.
      type: bool
      returned: success
    total_count:
      description: The number of mappings in the zone.
      type: int
      returned: success
    limit:
      description: The number of mappings that Cloudflare allows.
      type: int
      returned: success
    checked:
      description: The kinds of findings that were looked for.
      type: list
      elements: str
      returned: success
    not_checked:
      description: The reasons why other kinds were not checked, or only in part, by kind.
      type: dict
      returned: success
    unavailable:
      description: The kinds in C(not_checked) for which reading the data failed.
      type: list
      elements: str
      returned: success
    counts:
      description:
        - The number of findings of each kind, in the order of the report.
        - C(missing) counts expected mappings that are not in the zone, C(wrong) those with another vendor or region
          than expected, and C(stale) those in the zone that are not expected and not of an address in O(unresolved).
        - C(contradicted) counts mappings with another vendor or region than in the published ranges, and C(unsupported)
          mappings, of the zone or expected, to regions that Cloudflare does not, or no longer, support.
        - C(misrouted) counts mapped origins that were mostly reached through other data centres than those near their
          region. Only M(originops.cloudflare.audit_zones) looks for them.
        - C(unresolved) counts hosts of O(unresolved), once for each of their addresses.
        - C(near_limit), C(without_effect) and C(no_origins) concern the whole zone. Mappings have no effect if Tiered
          Cache or Smart Tiered Cache is off. C(no_origins) means that the zone has mappings, but O(expected) is empty.
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
          description: The address in its canonical spelling, null if the finding does not concern an address.
          type: str
          returned: success
        hosts:
          description: The hosts with this address.
          type: list
          elements: str
          returned: success
        actual:
          description: The C(vendor) and C(region) in the zone, null if there is no mapping.
          type: dict
          returned: success
        expected:
          description:
            - The expected C(vendor) and C(region), or, for C(contradicted), those of the published ranges if these are
              unambiguous. Null if there are none. The region alone can also be null.
          type: dict
          returned: success
        actual_colos:
          description: The upper-tier data centres of the region in the zone, as far as known.
          type: list
          elements: str
          returned: success
        expected_colos:
          description: The upper-tier data centres of the expected region, as far as known.
          type: list
          elements: str
          returned: success
        message:
          description: The finding in one sentence.
          type: str
          returned: success
    mappings:
      description: All mappings of the zone, sorted by address, IPv4 first.
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
          description:
            - The time of the last write of the mapping by the service's clock, null if the service did not return it.
          type: str
          returned: success
        upper_tier_colos:
          description: The IATA codes of the upper-tier data centres of the region, sorted, as far as known.
          type: list
          elements: str
          returned: success
        hosts:
          description: The hosts with this address.
          type: list
          elements: str
          returned: success
        findings:
          description: The kinds of findings about this address.
          type: list
          elements: str
          returned: success
    repair:
      description:
        - The changes that bring the zone to the expected state with M(originops.cloudflare.origin_cloud_region_batch).
      type: dict
      returned: success
      contains:
        present:
          description:
            - The expected mappings that are missing or wrong, without those of unsupported regions, which Cloudflare
              would reject.
          type: list
          elements: dict
          returned: success
        absent:
          description: The stale mappings, none if C(no_origins) is a finding or the address of an origin is unknown.
          type: list
          elements: dict
          returned: success
    traffic:
      description:
        - Always null here. In reports of M(originops.cloudflare.audit_zones) with
          O(originops.cloudflare.audit_zones#module:traffic) it is the traffic of the zone, with the keys of
          RV(originops.cloudflare.upper_tier_info#module:zones) from C(since) on, and C(published) for each origin.
      type: dict
      returned: success
  sample:
    schema_version: 2
    zone: example.com
    zone_id: 023e105f4ecef8ad9ca31a8372d0c353
    account_id: 01a7362d577a6c3019a474fd6f485823
    api_version: v2
    audited_on: "2026-03-01T12:00:00Z"
    error: null
    sources:
      - inventory
    only_in: {}
    ranges: {}
    tiered_cache: true
    smart_tiered_cache: true
    obtained_codes: true
    total_count: 1
    limit: 3500
    checked:
      - missing
      - wrong
      - stale
      - unsupported
      - unresolved
      - near_limit
      - without_effect
      - no_origins
    not_checked:
      contradicted: there are no published ranges to compare with
      misrouted: there is no traffic to compare with
    unavailable: []
    counts:
      missing: 0
      wrong: 1
      stale: 0
      contradicted: 0
      unsupported: 0
      misrouted: 0
      unresolved: 0
      near_limit: 0
      without_effect: 0
      no_origins: 0
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
        actual_colos:
          - PDX
          - SEA
        expected_colos:
          - EWR
          - IAD
        message: 192.0.2.10 is mapped to aws/us-west-2, but is an origin in aws/us-east-1
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
    traffic: null
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

from functools import partial

from ..module_utils._audit.operation import audit_zone
from ..module_utils._locations import UNRESOLVED_CODES
from ..module_utils._mapping import VENDORS
from ..module_utils._module import zone_module
from ..module_utils._ranges.index import Ranges

ARGUMENT_SPEC = {
    # Raw, because the operation validates every item itself, and names positions.
    "expected": {"type": "list", "elements": "raw"},
    "unresolved": {
        "type": "list",
        "elements": "dict",
        "options": {
            "host": {"type": "str", "required": True},
            "code": {"type": "str", "choices": [*UNRESOLVED_CODES], "default": "no_address"},
            "reason": {"type": "str", "required": True},
            "addresses": {"type": "list", "elements": "str"},
            "unreadable": {"type": "bool", "default": False},
        },
    },
    "hosts": {"type": "dict"},
    "ranges": {"type": "dict", "options": {vendor: {"type": "path"} for vendor in VENDORS}},
    "near_limit": {"type": "int", "default": 90},
}


OPERATION = partial(audit_zone, load_ranges=lambda paths: Ranges.load(paths).locate)
MODULE = zone_module(OPERATION, ARGUMENT_SPEC)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
