# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that all plugins share."""

from __future__ import annotations

from importlib.util import find_spec


class ModuleDocFragment:
    # Options for the connection to the service.
    DOCUMENTATION = r"""
options:
  api_token:
    description:
      - The API token, sent as a bearer token.
      - >-
        It needs C(Zone Settings: Read) to read mappings, C(Zone Settings: Edit) to change them, and C(Zone: Read) to
        list zones or to find a zone by name. C(Zone Settings) is the permission that Cloudflare documents for its other
        cache settings. It publishes none for the endpoints of mappings. A token without the permission gets HTTP 403
        with code 9109 or 10000.
      - If neither this option nor O(api_email) and O(api_key) are set, the environment variable E(CLOUDFLARE_API_TOKEN)
        is used, or else E(CLOUDFLARE_EMAIL) with E(CLOUDFLARE_API_KEY).
      - Mutually exclusive with O(api_email) and O(api_key).
    type: str
    version_added: 1.0.0
  api_email:
    description:
      - The e-mail address of the user of O(api_key).
      - If only one of the two options is set, the other is read from the environment variable E(CLOUDFLARE_EMAIL) or
        E(CLOUDFLARE_API_KEY).
    type: str
    version_added: 1.0.0
    aliases:
      - account_email
  api_key:
    description:
      - The global API key, which has all permissions of its user. Prefer O(api_token).
      - Required together with O(api_email).
    type: str
    version_added: 1.0.0
    aliases:
      - account_api_key
  api_url:
    description:
      - The base URL of the API, with or without a trailing slash. A URL with a user or a password is refused.
      - The scheme has to be C(https), or C(http) for a loopback address. The latter is accessed without a proxy.
      - Redirects are never followed.
      - If this option is not set, the environment variable E(CLOUDFLARE_BASE_URL) is used.
    type: str
    version_added: 1.0.0
    default: https://api.cloudflare.com/client/v4
  timeout:
    description:
      - Seconds to wait for a connection, and for each part of a response, in each request.
      - An attempt of a request ends after ten times this time, even if its response still arrives slowly.
      - More than 0, at most 3600.
    type: float
    version_added: 1.0.0
    default: 30
  retries:
    description:
      - The maximum number of retries of a request after a connection error, a truncated response, or HTTP 429 or
        5xx.
      - The wait before a retry is the service's C(Retry-After), or else half a second, doubled each time up to 30
        seconds, less a random part. If the service requests a wait of more than 300 seconds, there is no retry.
      - The total wait of a request is at most 600 seconds.
      - If an attempt of a write may have been applied, for example after a lost response, the zone is read again, even
        if the last attempt was refused.
      - If fewer than 10 requests of the rate limit are left, they are spread over the rest of its window. This delays a
        task by at most 600 seconds. To turn it off, set V(0).
    type: int
    version_added: 1.0.0
    default: 5
  validate_certs:
    description:
      - Whether to validate the certificate of the service. With V(false), an attacker on the network can read the
        credentials.
    type: bool
    version_added: 1.0.0
    default: true
  ca_path:
    description:
      - A file or a directory with the certificates of trusted authorities, instead of those that C(requests) uses by
        default (see the environment variable E(REQUESTS_CA_BUNDLE)).
    type: path
    version_added: 1.0.0
requirements:
  - python >= 3.10
  - requests >= 2.25
  - urllib3 >= 1.26, which requests brings
"""

    # The version of the endpoints.
    API_VERSION = r"""
options:
  api_version:
    description:
      - The version of the API's endpoints.
      - V(auto) uses V(v2), and V(v1) only if the first request shows that the service does not have the routes of
        V(v2). If it has neither, the error is that of V(v2).
      - Cloudflare's published end of life of V(v1), 2026-10-01, has passed. Its use causes a deprecation warning.
      - With V(v1), the creation of a mapping is retried (see O(retries)) only if it cannot have been applied.
    type: str
    version_added: 1.0.0
    choices:
      - auto
      - v2
      - v1
    default: auto
"""

    # Options to select a zone.
    ZONE = r"""
options:
  zone_id:
    description:
      - The identifier of the zone, 1 to 32 letters and digits.
      - Exactly one of O(zone_id) and O(zone) is required, where null and empty values count as not set. The identifier
        saves the request to find the zone by name.
    type: str
    version_added: 1.0.0
  zone:
    description:
      - The name of the zone, as Cloudflare shows it.
    type: str
    version_added: 1.0.0
  account_id:
    description:
      - The identifier of the account of O(zone), for a name that exists in more than one account.
    type: str
    version_added: 1.0.0
"""

    # Options of modules that work on many zones.
    MANY_ZONES = r"""
options:
  zones:
    description:
      - The zones with their origins. A text is the name of a zone. An invalid item is an error of that zone only.
      - Different items of the same zone are all errors, since each has only a part of its origins. If some items have
        only a name, and others only an identifier, each of the latter takes one more request, which reads its name.
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
      group:
        description:
          - The inventory group, or a list of groups, with the hosts that are the origins of the zone. A group that the
            inventory does not have is an error. An empty list means no hosts.
          - Without this option and O(zones[].groups), the origins are the hosts with the zone in their variable
            C(origin_zones), a list or a comma-separated string.
        type: raw
        version_added: 1.0.0
      groups:
        description:
          - More inventory groups.
        type: list
        version_added: 1.0.0
        elements: str
      addresses:
        description:
          - Further origins that are not hosts, such as load balancers. An address as text gets its region from the
            published ranges; a dictionary with C(origin_ip), C(vendor) and C(region) has its own. An item without a
            readable address is unresolved, with the code C(no_address).
        type: list
        version_added: 1.0.0
        elements: raw
        suboptions:
          origin_ip:
            description:
              - The IPv4 or IPv6 address of the origin.
            type: str
            version_added: 1.0.0
            aliases:
              - ip
          vendor:
            description:
              - The cloud vendor of the origin, V(aws), V(azure), V(gcp) or V(oci).
            type: str
            version_added: 1.0.0
          region:
            description:
              - The region of that cloud, spelled exactly like the supported region.
            type: str
            version_added: 1.0.0
      source:
        description:
          - The sources of the origins, by default O(source). V(inventory) means the hosts of the inventory,
            V(cloudflare) the origins that Cloudflare knows, as M(originops.cloudflare.zone_origins_info) reads it;
            their regions are looked up in the published ranges. With both, locations of the inventory have precedence.
        type: list
        version_added: 1.0.0
        elements: str
        choices:
          - inventory
          - cloudflare
  source:
    description:
      - The sources of the origins of zones without their own O(zones[].source).
    type: list
    version_added: 1.0.0
    elements: str
    choices:
      - inventory
      - cloudflare
    default:
      - inventory
  zones_variable:
    description:
      - The name of a variable with the zones, instead of O(zones). It is evaluated for each host of the play. With the
        keyword C(serial) the zones of the hosts of the batch are processed. If it is empty on a host of the inventory
        plugin P(originops.cloudflare.zones#inventory), the zone is that of the host.
    type: str
    version_added: 1.0.0
  filter_options:
    description:
      - Options of the filter P(originops.cloudflare.origin_mappings#filter) that control how hosts are read, such as
        C(ranges) or C(hostvars_prefix).
    type: dict
    version_added: 1.0.0
    default: {}
"""

    # Environment variables for options of plugins on the controller.
    ENVIRONMENT = r"""
options:
  api_token:
    secret: true
    env:
      - name: CLOUDFLARE_API_TOKEN
  api_email:
    env:
      - name: CLOUDFLARE_EMAIL
  api_key:
    secret: true
    env:
      - name: CLOUDFLARE_API_KEY
  api_url:
    env:
      - name: CLOUDFLARE_BASE_URL
"""

    # A module that is an action of the controller.
    CONTROLLER = r"""
attributes:
  check_mode:
    description: Can run in check mode, which sends no writes, and fails if the run would fail.
    support: full
  diff_mode:
    description: Returns what has changed, or in check mode will change, as a diff.
  idempotent:
    description: Another run changes nothing.
    support: full
  action:
    description: Runs on the controller, once for all hosts of the task with C(run_once=true).
    support: full
  action_group:
    description: Use C(group/originops.cloudflare.cloudflare) in C(module_defaults) to set the options of all modules
      that use the API.
    support: full
    membership:
      - originops.cloudflare.cloudflare
notes:
  - This always runs in Ansible's own process on the controller, and needs C(requests). It reads the variables of the
    inventory, and works on 16 zones at a time, with one set of credentials and one rate limit.
  - On macOS, set the environment variable C(no_proxy) to V(*), as for other plugins that send requests from Ansible's
    forks.
"""

    ATTRIBUTES = r"""
attributes:
  check_mode:
    description: Can run in check mode, which sends no writes, and fails if the run would fail.
  diff_mode:
    description: Returns what has changed, or in check mode will change, as a diff.
  idempotent:
    description: Another run changes nothing.
  action_group:
    description: Use C(group/originops.cloudflare.cloudflare) in C(module_defaults) to set the options of all modules
      that use the API.
    support: full
    membership:
      - originops.cloudflare.cloudflare
notes:
  - A task on the controller runs inside Ansible's own process, which saves the start of Python. This applies to tasks
    with a local connection and the controller's interpreter in its own environment (C(ansible_python_interpreter), in
    any spelling of its path), without C(async), C(become) or an C(environment) of their own, and without kept remote
    files; not on macOS. The result is the same. Invalid options are reported in the same way too. Set the variable
    C(originops_cloudflare_direct) to V(false) to turn this off.
"""


if not find_spec("ansible.module_utils.secrets"):
    # Sanity tests before ansible-core 2.22 may refuse this key.
    ModuleDocFragment.ENVIRONMENT = ModuleDocFragment.ENVIRONMENT.replace("    secret: true\n", "")
