#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: upper_tier_info
short_description: Read which upper-tier data centres sent requests to the origins of zones
version_added: 1.0.0
description:
  - Reads Cloudflare's GraphQL Analytics. Returns for each origin the upper-tier data centres that sent requests to it,
    and compares them with those that Cloudflare lists for the region of its mapping. This shows whether a mapping has
    the intended effect.
  - Origins with requests but without a mapping are listed too.
  - Built on Cloudflare's public documentation, and tested with an emulated service. It was never tried on a real
    account. Compare its first results with the dashboard.
  - Missing data is reported, see RV(zones[].not_available) and RV(zones[].limits). The other results are complete.
  - For each zone the task reads the mappings, and if there are any, the supported regions. A zone by name takes one
    more request. One query reads the limits of the plans, and one the traffic of all zones. If Cloudflare refuses a
    query about several zones because of a missing permission, each zone is read separately.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  zones:
    description:
      - Up to 10 zones, instead of O(zone) or O(zone_id). A text is the name of a zone, a dictionary has C(zone),
        C(zone_id) or both, and optionally C(account_id), by default O(account_id).
      - If a zone cannot be read, the task fails with the result of the others in RV(zones).
    type: list
    version_added: 1.0.0
    elements: raw
    suboptions:
      zone:
        description:
          - The name of the zone. This option, O(zones[].zone_id), or both are required.
        type: str
        version_added: 1.0.0
      zone_id:
        description:
          - The identifier of the zone, which saves the request to find the zone by name.
        type: str
        version_added: 1.0.0
      account_id:
        description:
          - The identifier of the account, for a name that exists in more than one account.
        type: str
        version_added: 1.0.0
  hours:
    description:
      - The number of hours up to now to read, from 1 to 744. The plan of a zone may allow less, see RV(zones[].limits).
    type: int
    version_added: 1.0.0
    default: 24
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
    The API token needs the permission C(Analytics: Read) in addition to those to read mappings.
  - Numbers of requests are estimates of Cloudflare from samples.
  - Cloudflare allows a user 300 GraphQL queries in 5 minutes. A task that needs more waits; those of other tasks are
    not counted.
  - Requests can come through another data centre than expected for a valid reason, such as the fallback, or the pool of
    a load balancer, which has one upper tier for all of its origins. A change of a mapping is visible only after some
    time.
seealso:
  - module: originops.cloudflare.origin_cloud_region_audit
  - module: originops.cloudflare.tiered_cache
"""

EXAMPLES = r"""
- name: Read through which data centres the origins of a zone were reached
  originops.cloudflare.upper_tier_info:
    zone: example.com
  register: traffic

- name: Show the mapped origins that most requests reached through other data centres
  ansible.builtin.debug:
    msg: >-
      {{ traffic.zones[0].origins | selectattr('share_expected', 'number') | selectattr('share_expected', 'lt', 50) }}

- name: Show what is not known
  ansible.builtin.debug:
    msg: "{{ traffic.zones[0].not_available or traffic.zones[0].limits }}"

- name: Read the last three days of several zones
  originops.cloudflare.upper_tier_info:
    zones:
      - example.com
      - zone: example.net
    hours: 72
"""

RETURN = r"""
zones:
  description: The zones, in the order of the options.
  returned: unless the options are invalid
  type: list
  elements: dict
  contains:
    zone:
      description: The name of the zone, null if only O(zone_id) is set.
      type: str
      returned: always
      sample: example.com
    zone_id:
      description: The identifier of the zone, null if it is not known.
      type: str
      returned: always
      sample: 023e105f4ecef8ad9ca31a8372d0c353
    api_version:
      description: The version of the API that was used to read the mappings, null if they were not read.
      type: str
      returned: always
      sample: v2
    since:
      description: The time from which on requests count, in UTC, null if the traffic is not known.
      type: str
      returned: always
      sample: "2026-03-01T12:00:00Z"
    until:
      description: The time until which requests count, in UTC, null if the traffic is not known.
      type: str
      returned: always
      sample: "2026-03-02T12:00:00Z"
    origins:
      description: The origins with a mapping or with requests, most requests first.
      type: list
      elements: dict
      returned: always
      sample:
        - origin_ip: 192.0.2.10
          vendor: aws
          region: us-east-1
          requests: 1000
          direct: 20
          upper_tiers:
            - {colo: IAD, requests: 900, share: 90.0, expected: true}
            - {colo: FRA, requests: 100, share: 10.0, expected: false}
          expected: [EWR, IAD]
          share_expected: 90.0
      contains:
        origin_ip:
          description: The address in its canonical spelling (RFC 5952 for IPv6).
          type: str
          returned: always
        vendor:
          description: The vendor of the mapping, null without a mapping.
          type: str
          returned: always
        region:
          description: The region of the mapping, null without a mapping.
          type: str
          returned: always
        requests:
          description: The estimated number of requests that reached the origin through upper tiers, null if not known.
          type: int
          returned: always
        direct:
          description:
            - The estimated number of requests that reached the origin without an upper tier, for example because they
              are not cached. They are not in RV(zones[].origins[].requests). Null if not known.
          type: int
          returned: always
        upper_tiers:
          description: The data centres, most requests first.
          type: list
          elements: dict
          returned: always
          contains:
            colo:
              description:
                - The data centre, three letters (IATA code) if its spelling can be compared, else as Cloudflare spells
                  it.
              type: str
              returned: always
            requests:
              description: The estimated number of requests.
              type: int
              returned: always
            share:
              description: The percentage of RV(zones[].origins[].requests).
              type: float
              returned: always
            expected:
              description:
                - Whether it is one of RV(zones[].origins[].expected). Null if that is not known, as without a mapping.
              type: bool
              returned: always
        expected:
          description: The data centres that Cloudflare lists for the region of the mapping, as far as they are known.
          type: list
          elements: str
          returned: always
        share_expected:
          description:
            - The percentage of requests through expected data centres, among those that can be compared. Null if it is
              not known, as without a mapping, without requests, or if the expected data centres are not all known.
          type: float
          returned: always
    not_available:
      description: The reason why the traffic is not known. Null if it is known.
      type: dict
      returned: always
      contains:
        code: &code
          description:
            - In RV(zones[].not_available), V(permission) for credentials that may not read the analytics; V(plan) for a
              query that the plan does not allow; V(not_enabled) for a plan without analytics of requests; V(fields) for
              one that lacks the fields in C(names); V(range) for one that allows no time range; V(not_listed) for a
              zone that the analytics do not know.
            - In RV(zones[].limits), V(range) for less time than O(hours); V(truncated) for more groups of requests
              than can be read, where the smallest are missing; V(partial) for errors in addition to the data;
              V(no_traffic) if no request reached an origin; V(supported_regions) if the expected data centres could not
              be read; V(incomplete_colos) if they are not all known for the regions in C(names); V(unknown_colos) for
              data centres in C(names) of which the spelling cannot be compared.
          type: str
          returned: always
        reason: &reason
          description: The reason in words.
          type: str
          returned: always
        names: &names
          description: The fields, regions or data centres in question.
          type: list
          elements: str
          returned: always
    limits:
      description: What else is not known.
      type: list
      elements: dict
      returned: always
      contains:
        code: *code
        reason: *reason
        names: *names
    error:
      description: The error, if the zone or its traffic could not be read, which fails the task; else null.
      type: str
      returned: always
status:
  description: The HTTP status of the first failed request, null if there was no response.
  returned: failure of a request
  type: int
  sample: 403
errors:
  description: The errors that Cloudflare returned to it.
  returned: failure of a request
  type: list
  elements: dict
  sample:
    - code: 10000
      message: Authentication error
"""

from ..module_utils import _python

_python.check()

from ..module_utils._module import zone_module
from ..module_utils._traffic.operation import read_upper_tiers

ARGUMENT_SPEC = {
    "zones": {"type": "list", "elements": "raw"},
    "hours": {"type": "int", "default": 24},
}


MODULE = zone_module(read_upper_tiers, ARGUMENT_SPEC)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
