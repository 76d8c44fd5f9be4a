#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: cloud_ip_ranges
short_description: Download the address ranges that cloud vendors publish
version_added: 1.0.0
description:
  - Downloads the files in which AWS, Azure, Google Cloud and Oracle Cloud publish their address ranges, for the filter
    P(originops.cloudflare.origin_region_of#filter) and for audits.
  - A file is downloaded only if it is newer than the local copy, provided that its server supports conditional
    requests. It replaces the copy only after it was parsed completely. An error page or a truncated file therefore does
    not replace a good copy.
  - A file that is older than the copy, or has less than half of its prefixes, does not replace it either, unless
    O(force=true).
  - If a source fails, the others are still updated. The task then fails, and the last good copies are kept. With
    O(on_unavailable=keep) it continues with these.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  dest:
    description:
      - The directory for the copies, on the host on which the task runs. It is created if it does not exist.
      - The copies are C(aws.json), C(azure.json), C(gcp.json) and C(oci.json). A small file next to each, such as
        C(aws.json.note), has the data for conditional requests, and shows that the module wrote the copy.
      - Only copies are replaced. A link, or a file that has neither such a note nor the ranges of its vendor, is left
        alone, and the source fails.
    type: path
    version_added: 1.0.0
    required: true
  sources:
    description:
      - The sources of the files. Only files of the vendors that are listed here are downloaded.
      - A source is an C(http) or C(https) URL, such as that of a mirror, or the path of a file on the host on which the
        task runs.
      - No credentials are sent, so a URL with a user or a password is rejected. Redirects are followed, but not from
        C(https) to C(http).
    type: dict
    version_added: 1.0.0
    default:
      aws: https://ip-ranges.amazonaws.com/ip-ranges.json
      azure: https://www.microsoft.com/en-us/download/details.aspx?id=56519
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
          - The source of C(ServiceTags_Public_YYYYMMDD.json), which has a new name and URL every week; or a page that
            links to files of this name, of which the newest is downloaded.
          - The default is the page "Azure IP Ranges and Service Tags - Public Cloud" of Microsoft's download site.
          - A page is an HTML document of at most 4 MiB. Its links can be relative. Only C(https) links are followed,
            or on a loopback address links to a loopback address.
          - C(az network list-service-tags --location eastus) of the Azure CLI prints the same data after a login. Its
            output, saved to a file, is a source too.
        type: str
        version_added: 1.0.0
      gcp:
        description:
          - The source of C(cloud.json). C(goog.json), which is also published, has no regions.
        type: str
        version_added: 1.0.0
      oci:
        description:
          - The source of C(public_ip_ranges.json).
        type: str
        version_added: 1.0.0
  max_age:
    description:
      - The age in hours up to which a good copy is used without a request. The age is the time since the copy was last
        known to be current. The modification time of the file is this time.
      - With V(0) the source is always requested. Sources that are local files are always compared.
    type: float
    version_added: 1.0.0
    default: 0
  on_unavailable:
    description:
      - What happens if a source cannot be downloaded, or its file does not replace the good copy.
      - V(fail) fails the task at its end.
      - V(keep) continues with the last good copy, and warns with the reason and the age of the copy. The task fails
        only if a vendor has no good copy, or a copy cannot be written.
    type: str
    version_added: 1.0.0
    choices: [fail, keep]
    default: fail
  force:
    description:
      - Whether a file with an older version, or with less than half of the prefixes, may replace a good copy.
    type: bool
    version_added: 1.0.0
    default: false
  timeout:
    description:
      - Seconds to wait for a connection, and for each part of a response.
      - More than 0, at most 3600.
    type: float
    version_added: 1.0.0
    default: 30
  retries:
    description:
      - The maximum number of retries of a request after a connection error or HTTP 429 or 5xx.
      - The wait before a retry is the server's C(Retry-After), or else half a second, doubled each time up to 30
        seconds, less a random part. If the server requests a wait of more than 300 seconds, there is no retry.
    type: int
    version_added: 1.0.0
    default: 5
  validate_certs:
    description:
      - Whether to validate the certificates of the servers.
    type: bool
    version_added: 1.0.0
    default: true
  ca_path:
    description:
      - A file or a directory with the certificates of trusted authorities, instead of those that C(requests) uses by
        default (see the environment variable E(REQUESTS_CA_BUNDLE)).
    type: path
    version_added: 1.0.0
attributes:
  check_mode:
    description: Can run in check mode, which downloads and parses the files, but writes nothing.
    support: full
  diff_mode:
    description:
      - Returns the version and the number of prefixes of each copy that has changed, or in check mode will change.
    support: full
  idempotent:
    description: Running it again changes nothing, unless a vendor has published a new file.
    support: full
requirements:
  - python >= 3.10
  - requests >= 2.25
  - urllib3 >= 1.26, which requests brings
notes:
  - Filters run on the controller, so run this module there too for use with filters, with C(hosts=localhost) or
    C(delegate_to=localhost).
  - This module connects only to the sources and not to Cloudflare, so it has none of the common options of the other
    modules.
  - A file of more than 64 MiB is rejected.
seealso:
  - plugin: originops.cloudflare.origin_region_of
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Download the ranges of all four clouds
  originops.cloudflare.cloud_ip_ranges:
    dest: "{{ playbook_dir }}/ranges"
  register: cloud

- name: Determine the cloud and region of an address
  ansible.builtin.debug:
    msg: "{{ '198.51.100.10' | originops.cloudflare.origin_region_of(**cloud.files) }}"

- name: Download files that are older than a day, and continue with the last good copies if a source fails
  originops.cloudflare.cloud_ip_ranges:
    dest: "{{ playbook_dir }}/ranges"
    max_age: 24
    on_unavailable: keep
  register: cloud

- name: Show when the files were last known to be current
  ansible.builtin.debug:
    var: cloud.times

- name: Add the ranges of Azure from a file that was saved before
  originops.cloudflare.cloud_ip_ranges:
    dest: "{{ playbook_dir }}/ranges"
    sources:
      azure: "{{ playbook_dir }}/ServiceTags_Public.json"

- name: Use a mirror if there is no access to the internet
  originops.cloudflare.cloud_ip_ranges:
    dest: "{{ playbook_dir }}/ranges"
    sources:
      aws: "{{ mirror }}/aws.json"
      azure: "{{ mirror }}/azure.json"
      gcp: "{{ mirror }}/gcp.json"
      oci: "{{ mirror }}/oci.json"
    retries: 2
  register: cloud

- name: Show the versions of the files
  ansible.builtin.debug:
    msg: "{{ item.vendor }} has version {{ item.version }} with {{ item.prefixes }} prefixes"
  loop: "{{ cloud.ranges }}"
  loop_control:
    label: "{{ item.vendor }}"
"""

RETURN = r"""
files:
  description:
    - The paths of the usable copies, by vendor, for the vendors in O(sources). In check mode these are the copies that
      were usable before.
    - They can be passed directly to P(originops.cloudflare.origin_region_of#filter).
  returned: always, except for invalid options
  type: dict
  sample:
    aws: /srv/ranges/aws.json
    gcp: /srv/ranges/gcp.json
times:
  description:
    - The times at which the copies in RV(files) were last known to be current, by vendor, in UTC.
  returned: always, except for invalid options
  type: dict
  sample:
    aws: "2026-03-01T12:00:00Z"
    gcp: "2026-03-01T12:00:00Z"
ranges:
  description: The result for each copy.
  returned: always, except for invalid options
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
      description: The source of the file.
      type: str
      returned: always
    changed:
      description: Whether the content of the copy has changed, or in check mode would change.
      type: bool
      returned: always
    version:
      description:
        - The version of the copy, which is C(syncToken) of AWS, C(changeNumber) of Azure, C(creationTime) of Google
          Cloud or C(last_updated_timestamp) of Oracle Cloud. Null if the file has none or there is no good copy.
      type: str
      returned: always
    prefixes:
      description: The number of prefixes in the copy. Null if there is no good copy.
      type: int
      returned: always
    error:
      description:
        - The reason why the source failed, null if it did not, even with O(on_unavailable=keep). The copy is unchanged
          after a failure.
      type: str
      returned: always
diff:
  description: One line for each changed copy, before and after.
  returned: in diff mode, except for invalid options
  type: dict
  sample:
    before: "aws: version 1771761600, 9098 prefixes\n"
    after: "aws: version 1772366400, 9120 prefixes\n"
"""

from ..module_utils import _python

_python.check()

from ..module_utils._argspec import TRANSPORT_SPEC
from ..module_utils._mapping import VENDORS
from ..module_utils._module import Module
from ..module_utils._ranges.download import DEFAULT_SOURCES, secret_sources, update_range_files

ARGUMENT_SPEC = {
    "dest": {"type": "path", "required": True},
    "sources": {"type": "dict", "default": DEFAULT_SOURCES, "options": {vendor: {"type": "str"} for vendor in VENDORS}},
    "max_age": {"type": "float", "default": 0},
    "on_unavailable": {"type": "str", "choices": ["fail", "keep"], "default": "fail"},
    "force": {"type": "bool", "default": False},
    **TRANSPORT_SPEC,
}


MODULE = Module(update_range_files, ARGUMENT_SPEC, {}, secret_sources)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
