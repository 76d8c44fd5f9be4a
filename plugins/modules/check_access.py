#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: check_access
short_description: Check what the credentials may read of a Cloudflare zone
version_added: 1.0.0
description:
  - Reads each part of a zone that this collection uses, and returns whether the credentials may read it. Missing
    permissions are named.
  - Changes nothing. Whether the credentials may write cannot be checked without a write, so it is not checked.
  - A part that cannot be read does not prevent the check of the others. A failure that says nothing about a permission,
    such as a network error or a failure of the service, counts as not checked.
  - The task takes one request for each of the nine parts that can be read. If the service has only version 1 of the
    endpoints, it takes two more, and if the credentials cannot read the zone of O(zone_id), and O(account_id) is not
    set, one less.
  - The task fails if nothing can be read, as with an invalid token, or if there is no such zone.
author:
  - Contributors to the originops.cloudflare project (@originops)
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
  - Cloudflare does not publish the permission for mappings and supported regions. C(Zone Settings) is the
    documented permission of the other cache settings.
  - Cloudflare may also refuse load balancers and pools if the plan has no load balancing. The named permission is then
    not what is missing.
seealso:
  - module: originops.cloudflare.origin_cloud_region_batch
  - module: originops.cloudflare.zone_origins_info
  - module: originops.cloudflare.upper_tier_info
"""

EXAMPLES = r"""
- name: Check the token for a zone
  originops.cloudflare.check_access:
    zone: example.com
  register: check

- name: Show what is missing, and what could not be checked
  ansible.builtin.debug:
    msg:
      - "{{ check.missing_permissions }}"
      - "{{ check.not_checked }}"

- name: Stop unless mappings and DNS records can be read
  ansible.builtin.assert:
    that:
      - check.access.mappings.allowed
      - check.access.dns_records.allowed
"""

RETURN = r"""
access:
  description:
    - What the credentials may do, by part of the zone. Each part is a dictionary.
    - C(allowed) is V(true) if the request succeeded, V(false) if Cloudflare refused the credentials (HTTP 401, or code
      9109 or 10000; for V(traffic) an error about access), and null if the request failed for another reason or was not
      sent.
    - C(permission) is the permission that an API token needs.
    - C(status) and C(errors) are the HTTP status and Cloudflare's errors (C(code) and C(message)) of a failed request,
      else null and an empty list, as for V(traffic) if access is refused.
    - C(message) is the reason of the failure, or a remark, else null.
  returned: success
  type: dict
  sample:
    zones:
      allowed: true
      permission: "Zone: Read"
      status: null
      errors: []
      message: null
    dns_records:
      allowed: false
      permission: "DNS: Read"
      status: 403
      errors:
        - code: 10000
          message: Authentication error
      message: "Reading the DNS records of zone 023e105f4ecef8ad9ca31a8372d0c353 failed: HTTP 403: Authentication error
        (code 10000). Check that the credentials are valid and not expired, and have the permission for this request.
        Mappings and settings need Zone Settings: Read, and Zone Settings: Edit to change them. The module
        originops.cloudflare.check_access reports what the credentials may do"
  contains:
    zones:
      description: The zone itself, which tasks need to find a zone by name.
      type: dict
      returned: success
    mappings:
      description: The mappings of the zone.
      type: dict
      returned: success
    supported_regions:
      description: The supported regions. Not checked if Tiered Cache is off.
      type: dict
      returned: success
    tiered_cache:
      description: The setting Tiered Cache.
      type: dict
      returned: success
    smart_tiered_cache:
      description: The setting Smart Tiered Cache.
      type: dict
      returned: success
    dns_records:
      description: The DNS records of the zone, which M(originops.cloudflare.zone_origins_info) reads.
      type: dict
      returned: success
    load_balancers:
      description: The load balancers of the zone, which the same module reads.
      type: dict
      returned: success
    pools:
      description: The load balancer pools of the account, which the same module reads.
      type: dict
      returned: success
    traffic:
      description: The analytics of the zone, which M(originops.cloudflare.upper_tier_info) reads.
      type: dict
      returned: success
    write:
      description: Changes of mappings and of cache settings. Never checked.
      type: dict
      returned: success
missing_permissions:
  description: The permissions that the credentials do not have, each once.
  returned: success
  type: list
  elements: str
  sample:
    - "DNS: Read"
not_checked:
  description: The parts in RV(access) that could not be checked, each with the reason. V(write) is always one of them.
  returned: success
  type: dict
  sample:
    supported_regions: "Reading the supported regions in zone 023e105f4ecef8ad9ca31a8372d0c353 failed: no response from
      https://api.cloudflare.com/client/v4 within 30 seconds"
zone_id:
  description: The identifier of the zone.
  returned: once the zone is known
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
api_version:
  description: The API version that the service has, V(v2) or V(v1).
  returned: if mappings or supported regions were read
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

from ..module_utils._access import check_access
from ..module_utils._module import zone_module

MODULE = zone_module(check_access, {})


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
