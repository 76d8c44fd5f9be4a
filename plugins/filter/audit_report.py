# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_report
short_description: Convert audit reports to JSON, Markdown, JUnit XML or HTML
version_added: 1.0.0
description:
  - Combines the reports of audited zones, and formats the result for people or pipelines.
  - The output depends only on the reports, so the same reports produce the same output.
author:
  - Contributors to the originops.cloudflare project (@originops)
positional: format
options:
  _input:
    description:
      - The report of a zone, an aggregate from this filter in JSON format, or a list of either.
      - Of several reports of the same zone, the one with the latest C(audited_on) is used.
    type: raw
    version_added: 1.0.0
    required: true
  format:
    description:
      - V(json) is the aggregate, with C(totals), C(failures) and the reports of all C(zones), sorted by name.
      - V(markdown) is for the summary page of a pipeline run. It has at most 900 kB.
      - V(junit) is JUnit XML, with a suite for each zone and a case for each kind of finding. Reports that were missing
        in a merge are an error in a suite of their own.
      - V(html) is a web page in a single file, without external resources.
    type: str
    version_added: 1.0.0
    choices:
      - json
      - markdown
      - junit
      - html
    default: json
  fail_on:
    description:
      - The kinds of findings that fail the audit, for the verdict of the report.
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
"""

EXAMPLES = r"""
- name: Save the audits of all zones as one page
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
      schema_version: 2
      zone: example.com
      zone_id: 0da42c8d2132a9ddaf714f9e7c920711
      account_id:
      api_version: v2
      audited_on: "2026-11-24T07:00:00Z"
      error:
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
        wrong: 0
        stale: 1
        contradicted: 0
        unsupported: 0
        misrouted: 0
        unresolved: 0
        near_limit: 0
        without_effect: 0
        no_origins: 0
      findings:
        - kind: stale
          origin_ip: 192.0.2.10
          hosts: []
          actual:
            vendor: aws
            region: us-east-1
          expected:
          actual_colos:
            - EWR
            - IAD
          expected_colos: []
          message: "192.0.2.10 is mapped to aws/us-east-1, but is not an origin"
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
      traffic:
"""

RETURN = r"""
_value:
  description: The formatted report, which ends with a newline.
  type: str
"""

from collections.abc import Callable, Collection
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._errors import InvalidInput
from ..module_utils._messages import quote, suggest
from ..module_utils._schema import FAILING_KINDS, KINDS
from ..plugin_utils._report.files import FORMATS
from ..plugin_utils._report.model import aggregate


def audit_report(reports: Any, format: str = "json", fail_on: Collection[str] = FAILING_KINDS) -> str:
    """Format reports of audits, as DOCUMENTATION describes it."""
    if format not in FORMATS:
        raise AnsibleFilterError(f"format {quote(str(format))} is unknown: {suggest(str(format), FORMATS)}")
    for kind in fail_on:
        if kind not in KINDS:
            raise AnsibleFilterError(f"fail_on: kind {quote(str(kind))} is unknown: {suggest(str(kind), KINDS)}")
    try:
        # Names of hosts and messages of the service must never be evaluated as templates.
        _file, format_report = FORMATS[format]
        return wrap_var(format_report(aggregate(reports, fail_on=fail_on)))
    except InvalidInput as error:
        raise AnsibleFilterError(f"audit_report: {error}") from None


class FilterModule:
    def filters(self) -> dict[str, Callable[..., str]]:
        return {"audit_report": audit_report}
