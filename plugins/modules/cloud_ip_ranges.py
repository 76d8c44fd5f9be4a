#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_ip_ranges
short_description: Keep copies of the address ranges that the clouds publish
version_added: 1.0.0
description:
  - Fetches the files in which AWS, Azure, Google Cloud and Oracle Cloud publish their address ranges, for the filter
    P(originops.cloudflare.origin_region_of#filter) and for audits.
  - A file is fetched only if it is newer than the copy, as far as its server can tell, and replaces the copy only
    after it was read as a whole. So an error page or half a file never takes the place of the last good copy.
  - Where a source fails the others are still brought up to date. The task then fails, and the copies that were good
    before stay.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  dest:
    description:
      - The folder of the copies, on the host that the task runs on. It is created if need be.
      - The copies are C(aws.json), C(azure.json), C(gcp.json) and C(oci.json). A small file beside each, such as
        C(aws.json.note), keeps what its server needs to tell whether there is a newer one.
    type: path
    version_added: 1.0.0
    required: true
  sources:
    description:
      - Where to fetch the files from. Only the vendors named here are fetched.
      - A source is an address of C(http) or C(https), such as that of a mirror, or the path of a file on the host that
        the task runs on.
      - No credentials are sent, so an address with a user or a password is refused. Redirects are followed, but not
        from C(https) to C(http).
    type: dict
    version_added: 1.0.0
    default:
      aws: https://ip-ranges.amazonaws.com/ip-ranges.json
      gcp: https://www.gstatic.com/ipranges/cloud.json
      oci: https://docs.oracle.com/iaas/tools/public_ip_ranges.json
    suboptions:
      aws:
        description:
          - The source of C(ip-ranges.json).
        type: str
        version_added: 1.0.0
      azure:
        description:
          - The source of C(ServiceTags_Public_YYYYMMDD.json), which has a new name and address every week, so there is
            no default.
          - Microsoft links the present one on the page "Azure IP Ranges and Service Tags - Public Cloud" of its
            download center, U(https://www.microsoft.com/en-us/download/details.aspx?id=56519).
            C(az network list-service-tags --location eastus) of the Azure CLI prints the same for those who are logged
            in. Save either where this option then points to.
        type: str
        version_added: 1.0.0
      gcp:
        description:
          - The source of C(cloud.json). C(goog.json), which is published beside it, has no regions.
        type: str
        version_added: 1.0.0
      oci:
        description:
          - The source of C(public_ip_ranges.json).
        type: str
        version_added: 1.0.0
  timeout:
    description:
      - Seconds to wait for a connection, and again for each part of an answer.
      - More than 0, at most 3600.
    type: float
    version_added: 1.0.0
    default: 30
  retries:
    description:
      - How many times a request is repeated after a connection error, HTTP 429, 500, 502, 503, 504 or 520 to 524.
      - The wait before it is what the server asks for with C(Retry-After), else half a second, doubled each time up
        to 30 seconds, less a random part. A server that asks for more than 300 seconds is not waited for.
    type: int
    version_added: 1.0.0
    default: 5
  validate_certs:
    description:
      - Whether to check the certificates of the servers.
    type: bool
    version_added: 1.0.0
    default: true
  ca_path:
    description:
      - A file or a folder with the certificates of the authorities to trust, instead of those that C(requests) uses
        otherwise (see the environment variable E(REQUESTS_CA_BUNDLE)).
    type: path
    version_added: 1.0.0
attributes:
  check_mode:
    description: Can run in check mode, fetches and reads the files then, but writes nothing.
    support: full
  diff_mode:
    description: Returns the version and the number of prefixes of each copy that has changed, or will change.
    support: full
  idempotent:
    description: Running it again changes nothing, unless a vendor has published a new file.
    support: full
requirements:
  - requests >= 2.25
  - urllib3 >= 1.26, which requests brings
notes:
  - Filters run on the controller, so for them run this there too, with C(hosts=localhost) or C(delegate_to=localhost).
  - It speaks to the sources only and not to Cloudflare, so it has none of the options that the other modules share.
  - A file of more than 64 MiB is refused.
seealso:
  - plugin: originops.cloudflare.origin_region_of
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Keep copies of the ranges of AWS, Google Cloud and Oracle Cloud
  originops.cloudflare.cloud_ip_ranges:
    dest: "{{ playbook_dir }}/ranges"
  register: cloud

- name: Tell where an address is
  ansible.builtin.debug:
    msg: "{{ '198.51.100.10' | originops.cloudflare.origin_region_of(**cloud.files) }}"

- name: Add those of Azure, from a file that was saved this week
  originops.cloudflare.cloud_ip_ranges:
    dest: "{{ playbook_dir }}/ranges"
    sources:
      azure: "{{ playbook_dir }}/ServiceTags_Public.json"

- name: Use a mirror, where there is no way to the internet
  originops.cloudflare.cloud_ip_ranges:
    dest: "{{ playbook_dir }}/ranges"
    sources:
      aws: "{{ mirror }}/aws.json"
      azure: "{{ mirror }}/azure.json"
      gcp: "{{ mirror }}/gcp.json"
      oci: "{{ mirror }}/oci.json"
    retries: 2
  register: cloud

- name: Say how old they are
  ansible.builtin.debug:
    msg: "{{ item.vendor }} has version {{ item.version }} with {{ item.prefixes }} prefixes"
  loop: "{{ cloud.ranges }}"
  loop_control:
    label: "{{ item.vendor }}"

- name: Go on with the last good copies where a source fails
  originops.cloudflare.cloud_ip_ranges:
    dest: "{{ playbook_dir }}/ranges"
  register: cloud
  failed_when: cloud.files | default({}) | length < 3
"""

RETURN = r"""
files:
  description:
    - The paths of the copies that can be used, by vendor, of the vendors in O(sources). In check mode they are those
      that could be used before.
    - Hand them to P(originops.cloudflare.origin_region_of#filter) as they are.
  returned: always, but for bad options
  type: dict
  sample:
    aws: /srv/ranges/aws.json
    gcp: /srv/ranges/gcp.json
ranges:
  description: What became of each copy.
  returned: always, but for bad options
  type: list
  elements: dict
  sample:
    - vendor: aws
      path: /srv/ranges/aws.json
      source: https://ip-ranges.amazonaws.com/ip-ranges.json
      changed: true
      version: "1772366400"
      prefixes: 9120
      error: null
  contains:
    vendor:
      description: The cloud vendor.
      type: str
      returned: always
    path:
      description: The path of the copy.
      type: str
      returned: always
    source:
      description: Where it is fetched from.
      type: str
      returned: always
    changed:
      description: Whether the copy got other content, or in check mode would.
      type: bool
      returned: always
    version:
      description:
        - What the copy says of its version, C(syncToken) of AWS, C(changeNumber) of Azure, C(creationTime) of Google
          Cloud and C(last_updated_timestamp) of Oracle Cloud. Null where it says nothing or there is no good copy.
      type: str
      returned: always
    prefixes:
      description: The number of different prefixes that it has, null where there is no good copy.
      type: int
      returned: always
    error:
      description: Why the source failed, null where it did not. The copy is then as it was before.
      type: str
      returned: always
diff:
  description: One line for each copy that changed, before and after.
  returned: always, but for bad options
  type: dict
  sample:
    before: "aws: version 1771761600, 9098 prefixes\n"
    after: "aws: version 1772366400, 9120 prefixes\n"
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.originops.cloudflare.plugins.module_utils._client import REQUESTS_IMPORT_ERROR
from ansible_collections.originops.cloudflare.plugins.module_utils._copies import (
    PUBLISHED_AT,
    holds_secret,
    keep_copies,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import VENDORS
from ansible_collections.originops.cloudflare.plugins.module_utils._options import TRANSPORT_SPEC

ARGUMENT_SPEC = {
    "dest": {"type": "path", "required": True},
    "sources": {"type": "dict", "default": PUBLISHED_AT, "options": {vendor: {"type": "str"} for vendor in VENDORS}},
    **TRANSPORT_SPEC,
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if REQUESTS_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    # They are refused, but Ansible would show them among the options of the failed task.
    module.no_log_values.update(filter(holds_secret, filter(None, module.params["sources"].values())))
    try:
        result = keep_copies(module.params, module.check_mode, module.atomic_move)
    except OriginOpsError as error:
        module.fail_json(msg=str(error), **error.facts)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
