#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: zone_origins_info
short_description: Read the origins of a Cloudflare zone from its DNS records and load balancers
version_added: 1.0.0
description:
  - Returns the addresses to which Cloudflare forwards the requests of a zone, from its proxied DNS records of the types
    A, AAAA and CNAME, and from the pools of its load balancers. These are the addresses that can be mapped.
  - A CNAME record is followed through the DNS records and load balancers of its own zone, including wildcards. If it
    leads to another zone, the origins are behind a hostname.
  - Entries that cannot be mapped are returned too, with the reason.
  - The DNS records are read in pages of 1,000. Further requests read the load balancers and, if there are any, the
    account of the zone and its pools. A zone of up to 1,000 records takes 2 requests without load balancers, and 4 with
    them.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  load_balancers:
    description:
      - Whether to read the load balancers of the zone.
      - With V(auto) they are left out with a warning if Cloudflare answers with status 400 or 403, as it does if the
        credentials may not read them, or if the plan has no load balancing. With V(true) this is an error.
      - See RV(load_balancers). If load balancers exist and are not read, not all origins are known.
    type: str
    version_added: 1.0.0
    choices:
      - auto
      - 'true'
      - 'false'
    default: auto
  resolve:
    description:
      - Whether to look up the addresses of RV(hostnames) on the host that runs the task, with its own resolver. The
        addresses can change at any time, and another resolver may return other addresses. Therefore this causes a
        warning.
      - One more request reads Cloudflare's own address ranges. Addresses in them are excluded.
      - All look-ups together end after O(timeout). A name that was not resolved in this time has an error, and causes a
        warning.
    type: bool
    version_added: 1.0.0
    default: false
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
    The API token needs the permission C(DNS: Read), and for load balancers also C(Load Balancers: Read),
    C(Load Balancing: Monitors and Pools: Read) of the account, and C(Zone: Read).
  - DNS records and load balancers have no API versions, so that O(api_version) has no effect here.
  - This module does not read origins of Workers, page rules, origin rules or Spectrum applications.
seealso:
  - module: originops.cloudflare.origin_cloud_region_batch
  - plugin: originops.cloudflare.origin_mappings
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read the origins of a zone
  originops.cloudflare.zone_origins_info:
    zone: example.com
  register: zone

- name: Show their addresses
  ansible.builtin.debug:
    msg: "{{ zone.origins | map(attribute='origin_ip') }}"

- name: Show what is not known
  ansible.builtin.debug:
    msg: >-
      {{ zone.hostnames | length }} origins are behind hostnames; load balancers: {{ zone.load_balancers }}

- name: Read the origins of a zone that has no load balancers
  originops.cloudflare.zone_origins_info:
    zone_id: "{{ cloudflare_zone_id }}"
    load_balancers: false

- name: Look up the addresses of hostnames too
  originops.cloudflare.zone_origins_info:
    zone: example.com
    resolve: true
"""

RETURN = r"""
origins:
  description: Origins by address, sorted, IPv4 first.
  returned: success
  type: list
  elements: dict
  sample:
    - origin_ip: 192.0.2.10
      names:
        - www.example.com
      sources:
        - A record of www.example.com
  contains:
    origin_ip:
      description: The address in its canonical spelling (RFC 5952 for IPv6).
      type: str
      returned: success
    names: &names
      description: The proxied DNS names and the load balancers that lead there.
      type: list
      elements: str
      returned: success
    sources: &sources
      description:
        - The parts of the configuration that have it, such as C(A record of www.example.com) or
          C(pool NAME, origin NAME).
      type: list
      elements: str
      returned: success
hostnames:
  description: Origins behind hostnames outside of the zone, sorted by name.
  returned: success
  type: list
  elements: dict
  sample:
    - hostname: app.example.net
      names:
        - app.example.com
      sources:
        - CNAME record of app.example.com
  contains:
    hostname:
      description: The hostname.
      type: str
      returned: success
    names: *names
    sources: *sources
    addresses:
      description: Its addresses, without those that are in RV(excluded). The addresses are not in RV(origins).
      type: list
      elements: str
      returned: if O(resolve=true) and the look-up succeeded
    error:
      description: The reason for which the look-up failed.
      type: str
      returned: if O(resolve=true) and the look-up failed
excluded:
  description: Entries that cannot be mapped, sorted. The same address can also be an origin, with another name.
  returned: success
  type: list
  elements: dict
  sample:
    - origin: 192.0.2.1
      code: placeholder
      reason: a placeholder, not an origin
      names:
        - app.example.com
      sources:
        - A record of app.example.com
  contains:
    origin:
      description: The address or hostname.
      type: str
      returned: success
    code:
      description:
        - V(placeholder) for 192.0.2.1 and 100::/64, which are used where there is no origin; V(private_address);
          V(tunnel) for an origin behind a tunnel (private routing or a virtual network); V(disabled) for an origin,
          pool or load balancer that is disabled; V(not_proxied) for a load balancer that is not proxied; V(cloudflare)
          for an address of Cloudflare itself (with O(resolve=true) only); V(unusable_address) for an address that no
          origin has, such as a loopback address; V(loop) for CNAME records in a circle; V(invalid) for a value that is
          neither an address nor a hostname.
      type: str
      returned: success
    reason:
      description: The reason in words.
      type: str
      returned: success
    names: *names
    sources: *sources
load_balancers:
  description:
    - V(read) if the load balancers were read, also if there are none; V(unreadable) if they could not be, so that
      origins may be missing; V(not_read) with O(load_balancers=false).
  returned: success
  type: str
  sample: read
zone_id:
  description: The identifier of the zone.
  returned: once the zone is known
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
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

from ..module_utils._module import zone_module
from ..module_utils._origins.operation import read_origins

ARGUMENT_SPEC = {
    "load_balancers": {"type": "str", "choices": ["auto", "true", "false"], "default": "auto"},
    "resolve": {"type": "bool", "default": False},
}


MODULE = zone_module(read_origins, ARGUMENT_SPEC)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
