# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_report
short_description: The reports of an audit as JSON, Markdown, JUnit XML or a page
version_added: 1.0.0
description:
  - Sums up the reports that audits of zones made, and tells the result to a person or a pipeline.
  - The text depends on the reports alone, so the same reports give the same text.
author:
  - Contributors to the originops.cloudflare project (@originops)
positional: format
options:
  _input:
    description:
      - The report of a zone, an aggregate that this filter made as JSON, or a list of either.
      - Of two reports of the same zone the one with the later C(audited_on) counts.
    type: raw
    version_added: 1.0.0
    required: true
  format:
    description:
      - V(json) is the aggregate, C(totals) and the reports of all C(zones) sorted by name.
      - V(markdown) is for the summary page of a pipeline's run. Of every zone and kind of finding it lists 20.
      - V(junit) is JUnit XML, a suite for each zone and a case for each kind of finding.
      - V(html) is a page for the browser, one file that loads nothing from anywhere.
    type: str
    version_added: 1.0.0
    choices:
      - json
      - markdown
      - junit
      - html
    default: json
"""

EXAMPLES = r"""
- name: Keep what the audits of all zones came to as one page
  ansible.builtin.copy:
    content: "{{ reports | originops.cloudflare.audit_report('html') }}"
    dest: audit.html
    mode: "0600"
  vars:
    files: "{{ query('ansible.builtin.fileglob', 'reports/*.json') }}"
    reports: "{{ query('ansible.builtin.file', *files) | map('from_json') }}"
  when: files | length > 0

- name: Show the totals of an audit of one zone
  ansible.builtin.debug:
    msg: "{{ (report | originops.cloudflare.audit_report | from_json).totals }}"
  vars:
    report:
      schema_version: 1
      zone_id: 0da42c8d2132a9ddaf714f9e7c920711
      zone: example.com
      api_version: v2
      audited_on: "2026-11-24T07:00:00Z"
      error:
      tiered_cache: true
      smart_tiered_cache: true
      obtained_codes: true
      compared: true
      total_count: 1
      limit: 3500
      counts:
        missing: 0
        wrong: 0
        stale: 1
        contradicted: 0
        unsupported: 0
        unresolved: 0
        near_limit: 0
        without_effect: 0
      findings:
        - kind: stale
          origin_ip: 192.0.2.10
          hosts: []
          actual:
            vendor: aws
            region: us-east-1
          expected:
          message: No origin of the inventory has this address.
      mappings:
        - origin_ip: 192.0.2.10
          vendor: aws
          region: us-east-1
          modified_on: "2026-03-01T12:00:00Z"
          upper_tier_colos:
            - EWR
            - IAD
          hosts: []
          findings:
            - stale
      repair:
        present: []
        absent:
          - origin_ip: 192.0.2.10
            vendor: aws
            region: us-east-1
"""

RETURN = r"""
_value:
  description: The text, which ends with a newline.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import nearest, shorten
from ansible_collections.originops.cloudflare.plugins.plugin_utils._page import as_page
from ansible_collections.originops.cloudflare.plugins.plugin_utils._report import (
    aggregate,
    as_json,
    as_junit,
    as_markdown,
)

FORMATS = {"json": as_json, "markdown": as_markdown, "junit": as_junit, "html": as_page}


def audit_report(given: Any, format: str = "json") -> str:
    if format not in FORMATS:
        raise AnsibleFilterError(f"format {shorten(str(format))} is unknown: {nearest(str(format), FORMATS)}")
    try:
        # Names of hosts and messages of the service must never be taken for templates.
        return wrap_var(FORMATS[format](aggregate(given)))
    except InvalidInput as error:
        raise AnsibleFilterError(f"audit_report: {error}") from None


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"audit_report": audit_report}
