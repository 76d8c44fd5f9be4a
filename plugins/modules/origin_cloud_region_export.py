#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: origin_cloud_region_export
short_description: Write the origin cloud region mappings of a Cloudflare zone as files for Ansible and Terraform
version_added: 1.0.0
description:
  - Writes all mappings of a zone as a list for M(originops.cloudflare.origin_cloud_region_batch), as inventory hosts
    for the filter P(originops.cloudflare.origin_mappings#filter), and as a Terraform configuration.
  - The zone is only read, in pages of 100.
  - Never replaces a file. If one of the files exists with another content, the task fails before it writes any. If all
    exist with the same content, nothing changes.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  dest:
    description:
      - The directory of the files, on the host that runs the task. If it does not exist, it is created for its owner
        only.
      - The files have the mode C(0600), because addresses of origins let attackers bypass Cloudflare.
    type: path
    version_added: 1.0.0
    required: true
  formats:
    description:
      - The files to write.
      - V(list) is C(mappings.yml), a file of variables with a list for
        O(originops.cloudflare.origin_cloud_region_batch#module:mappings).
      - V(hosts) is C(hosts.yml), an inventory with a host for each address, in a group. Their variables are
        C(origin_ip), C(origin_vendor) and C(origin_region).
      - V(terraform) is C(mappings.tf), with a resource C(cloudflare_origin_cloud_region) and an C(import) block for
        each mapping. It needs Terraform 1.5 and version 5.20 of Cloudflare's provider, or later.
    type: list
    version_added: 1.0.0
    elements: str
    choices:
      - list
      - hosts
      - terraform
    default:
      - list
      - hosts
      - terraform
  name:
    description:
      - The name of the variable, of the group and of the resource in the files, and the first part of the names of
        hosts. Letters, digits and underscores.
      - Give each zone its own name if you use the files of several zones together.
    type: str
    version_added: 1.0.0
    default: origins
attributes:
  check_mode:
    support: full
    details:
      - Writes no file, and fails if the run would fail.
  diff_mode:
    support: none
  idempotent:
    support: full
extends_documentation_fragment:
  - originops.cloudflare.cloudflare
  - originops.cloudflare.cloudflare.api_version
  - originops.cloudflare.cloudflare.zone
  - originops.cloudflare.cloudflare.attributes
seealso:
  - module: originops.cloudflare.origin_cloud_region_batch
  - module: originops.cloudflare.origin_cloud_region_info
"""

EXAMPLES = r"""
- name: Export the mappings of a zone in all formats
  originops.cloudflare.origin_cloud_region_export:
    zone: example.com
    dest: "{{ playbook_dir }}/export"

- name: Export two zones for Terraform
  originops.cloudflare.origin_cloud_region_export:
    zone: "{{ item }}"
    name: "{{ item | replace('.', '_') }}"
    dest: "{{ playbook_dir }}/terraform/{{ item }}"
    formats: terraform
  loop:
    - example.com
    - example.net
"""

RETURN = r"""
files:
  description: The paths of the files, by format. In check mode those that a run would write.
  returned: success
  type: dict
  sample:
    list: /home/me/export/mappings.yml
    hosts: /home/me/export/hosts.yml
    terraform: /home/me/export/mappings.tf
total_count:
  description: The number of mappings in the zone.
  returned: success
  type: int
  sample: 250
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

from ..module_utils._export import export_mappings
from ..module_utils._module import zone_module

ARGUMENT_SPEC = {
    "dest": {"type": "path", "required": True},
    "formats": {
        "type": "list",
        "elements": "str",
        "choices": ["list", "hosts", "terraform"],
        "default": ["list", "hosts", "terraform"],
    },
    "name": {"type": "str", "default": "origins"},
}


MODULE = zone_module(export_mappings, ARGUMENT_SPEC)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
