#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: audit_zones
short_description: Audit the origin cloud region mappings of many zones, and write reports
version_added: 1.0.0
description:
  - Compares many zones in parallel with their origins in the inventory, with the address ranges that cloud vendors
    publish, and with the regions that Cloudflare supports. Writes reports of all zones.
  - Fails on findings, on zones that cannot be audited, and on requested checks that were not possible. The role
    P(originops.cloudflare.audit#role) runs this module.
  - No zone is changed, with or without check mode. The reports are written in check mode too.
  - A zone takes one request for every 100 mappings, at least one, and three more.
  - With the keyword C(serial) and O(zones_variable), each batch audits the zones of its hosts, and the last one writes
    the report of all zones. Such a task needs C(register), because each batch finds the results of earlier ones there.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  inventory:
    description:
      - Whether to compare the zones with their origins. Otherwise V(missing), V(wrong), V(stale), V(unresolved) and
        V(no_origins) are not checked, and V(cloudflare) cannot be a source of origins.
    type: bool
    version_added: 1.0.0
    default: true
  ranges:
    description:
      - The files with the address ranges that cloud vendors publish, as a dictionary of paths by vendor, in the format
        of RV(originops.cloudflare.cloud_ip_ranges#module:files). Mappings that contradict these ranges are findings,
        and they determine the regions of origins if no variable does.
    type: dict
    version_added: 1.0.0
    suboptions:
      aws:
        description:
          - The file of Amazon Web Services.
        type: path
        version_added: 1.0.0
      azure:
        description:
          - The file of Microsoft Azure.
        type: path
        version_added: 1.0.0
      gcp:
        description:
          - The file of Google Cloud.
        type: path
        version_added: 1.0.0
      oci:
        description:
          - The file of Oracle Cloud.
        type: path
        version_added: 1.0.0
  near_limit:
    description:
      - A zone is near the limit if it uses at least this percentage of 3,500 mappings.
    type: int
    version_added: 1.0.0
    default: 90
  traffic:
    description:
      - Whether to read the traffic of the last 24 hours, as M(originops.cloudflare.upper_tier_info) does, and to report
        origins as C(misrouted) if most of their requests came through other data centres than expected. The reports
        have a section on the traffic of each zone.
      - >-
        The token needs the permission C(Analytics: Read). Two more queries are sent for every 10 zones. This was built
        on public documentation, and never tried on a real account.
    type: bool
    version_added: 1.0.0
    default: false
  traffic_min_requests:
    description:
      - An origin can be C(misrouted) only if it had at least this number of requests. Fewer are no evidence.
    type: int
    version_added: 1.0.0
    default: 100
  traffic_min_share:
    description:
      - An origin is C(misrouted) if less than this percentage of its requests came through expected data centres.
    type: int
    version_added: 1.0.0
    default: 50
  folder:
    description:
      - The directory for the reports on the controller, relative to the directory in which C(ansible-playbook) was
        started. It is created with access for its owner only. An empty value is an error.
      - The reports are C(report.json), C(report.md), C(report.xml) and C(report.html). The task replaces only files
        that an audit wrote. If another file has such a name, it is left alone, and the task fails.
      - The task first writes reports that say that the audit has not ended. An interrupted audit therefore leaves no
        report of an earlier audit.
    type: str
    version_added: 1.0.0
    required: true
  formats:
    description:
      - The formats of the reports. Reports of an earlier audit in O(folder) are replaced in other formats too.
    type: list
    version_added: 1.0.0
    elements: str
    choices:
      - json
      - markdown
      - junit
      - html
    default:
      - json
      - markdown
      - junit
      - html
  file_mode:
    description:
      - The mode of the files, as four octal digits in quotes. The files contain origin addresses.
    type: str
    version_added: 1.0.0
    default: "0600"
  fail_on:
    description:
      - The kinds of findings that fail the task, after all reports are written. The module
        M(originops.cloudflare.origin_cloud_region_audit) describes the kinds.
    type: list
    version_added: 1.0.0
    elements: str
    choices:
      - missing
      - wrong
      - stale
      - contradicted
      - unsupported
      - misrouted
      - unresolved
      - near_limit
      - without_effect
      - no_origins
    default:
      - missing
      - wrong
      - stale
      - contradicted
      - unsupported
      - no_origins
  reports:
    description:
      - The files C(report.json) of other audits, or their directories. The task merges them into one report, and audits
        no zone. It fails if one is missing, or if this option is null or empty.
    type: list
    version_added: 1.0.0
    elements: str
  max_age:
    description:
      - The maximum age of every result in O(reports), in hours. A time in the future is an error too.
    type: float
    version_added: 1.0.0
    default: 24
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
    support: none
"""

EXAMPLES = r"""
- name: Audit two zones
  originops.cloudflare.audit_zones:
    zones:
      - zone: example.com
        group: web
      - zone: example.net
        addresses:
          - origin_ip: 192.0.2.10
            vendor: aws
            region: us-east-1
    folder: ./part1
  register: audit

- name: Audit a zone without an inventory
  originops.cloudflare.audit_zones:
    zones:
      - zone: example.net
    inventory: false
    folder: ./part2

- name: Merge the reports of several jobs
  originops.cloudflare.audit_zones:
    reports:
      - ./part1
      - ./part2
    folder: ./audit
"""

RETURN = r"""
totals:
  description:
    - The numbers of C(zones), of C(audited) and C(clean) ones, of C(mappings), and of findings by kind.
  returned: once the reports are written, with C(serial) by the last batch only
  type: dict
  sample:
    zones: 2
    audited: 2
    clean: 1
    mappings: 40
    missing: 1
    wrong: 0
    stale: 0
    contradicted: 0
    unsupported: 0
    misrouted: 0
    unresolved: 0
    near_limit: 0
    without_effect: 0
    no_origins: 0
failures:
  description: The reasons why the audit failed, empty if it passed.
  returned: once the reports are written, with C(serial) by the last batch only
  type: list
  elements: str
  sample:
    - 1 missing
reports:
  description: The paths of the reports.
  returned: once the reports are written, with C(serial) by the last batch only
  type: list
  elements: str
  sample:
    - ./audit/report.json
audits:
  description:
    - The reports of the audits of these hosts so far, for the next batches of a play with C(serial). The structure can
      change in any release.
  returned: with O(zones_variable), once the zones are audited
  type: dict
"""
