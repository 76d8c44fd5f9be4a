# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of all plugins has in common."""

from __future__ import annotations


class ModuleDocFragment:
    # The options that lead to the service.
    DOCUMENTATION = r"""
options:
  api_token:
    description:
      - An API token, sent as a bearer token.
      - It needs the permissions C(Zone > Cache Settings > Edit) to change mappings or C(Read) to only look at them,
        and C(Zone > Zone > Read) to list zones or to find one by its name.
      - If neither this nor O(api_email) and O(api_key) are given, the environment variable E(CLOUDFLARE_API_TOKEN) is
        used, and after it E(CLOUDFLARE_EMAIL) with E(CLOUDFLARE_API_KEY).
      - Mutually exclusive with O(api_email) and O(api_key).
    type: str
    version_added: 0.1.0
  api_email:
    description:
      - The e-mail address of the account that O(api_key) belongs to.
      - Where only one of the two is given, the other is taken from the environment variable E(CLOUDFLARE_EMAIL) or
        E(CLOUDFLARE_API_KEY).
    type: str
    version_added: 0.1.0
  api_key:
    description:
      - The global API key, which may do all that its user may. Prefer O(api_token).
      - Required together with O(api_email).
    type: str
    version_added: 0.1.0
  api_url:
    description:
      - The base address of the API, with or without a slash at its end.
      - It has to be C(https), or C(http) to a loopback address, which then is reached without any proxy.
      - Redirects are never followed.
      - The environment variable E(CLOUDFLARE_BASE_URL) is used where this is not given.
    type: str
    version_added: 0.1.0
    default: https://api.cloudflare.com/client/v4
  timeout:
    description:
      - Seconds to wait for a connection, and again for each part of an answer, in every single request.
      - More than 0, at most 3600.
    type: float
    version_added: 0.1.0
    default: 30
  retries:
    description:
      - How many times a request is repeated after a connection error, an answer that breaks off, HTTP 429, 500, 502,
        503, 504 or 520 to 524.
      - The wait before it is what the service asks for with C(Retry-After), else half a second, doubled each time up
        to 30 seconds, less a random part. A service that asks for more than 300 seconds is not waited for.
      - The waits of one request come to at most 600 seconds.
      - With fewer than 10 requests left of the rate limit, what is left is spread over the rest of its window, which
        slows a task down by at most 600 seconds, unless this is 0.
    type: int
    version_added: 0.1.0
    default: 5
  validate_certs:
    description:
      - Whether to check the certificate of the service. With V(false) the credentials can be read by whoever stands
        in between.
    type: bool
    version_added: 0.1.0
    default: true
  ca_path:
    description:
      - A file or a folder with the certificates of the authorities to trust, instead of those that C(requests) uses
        otherwise (see the environment variable E(REQUESTS_CA_BUNDLE)).
    type: path
    version_added: 0.1.0
requirements:
  - requests >= 2.25
  - urllib3 >= 1.26, which requests brings
"""

    # The options that lead to a zone of it.
    ZONE = r"""
options:
  api_version:
    description:
      - The generation of the API's endpoints.
      - V(auto) uses V(v2), and V(v1) only where the service does not know the routes of V(v2).
      - Cloudflare's published end of life of V(v1) is 2026-10-01, so using it gives a deprecation warning.
      - With V(v1), creating a mapping is repeated (see O(retries)) only where it cannot have been applied.
    type: str
    version_added: 0.1.0
    choices:
      - auto
      - v2
      - v1
    default: auto
  zone_id:
    description:
      - The identifier of the zone, 1 to 32 letters and digits.
      - Exactly one of O(zone_id) and O(zone) is required. The identifier saves the request that finds a zone by name.
    type: str
    version_added: 0.1.0
  zone:
    description:
      - The name of the zone, as Cloudflare shows it.
    type: str
    version_added: 0.1.0
  account_id:
    description:
      - The identifier of the account that O(zone) is in, for a name that is in more than one account.
    type: str
    version_added: 0.1.0
"""

    # Where plugins on the controller find the options that they are not given.
    ENVIRONMENT = r"""
options:
  api_token:
    env:
      - name: CLOUDFLARE_API_TOKEN
  api_email:
    env:
      - name: CLOUDFLARE_EMAIL
  api_key:
    env:
      - name: CLOUDFLARE_API_KEY
  api_url:
    env:
      - name: CLOUDFLARE_BASE_URL
"""

    ATTRIBUTES = r"""
attributes:
  check_mode:
    description: Can run in check mode, sends no write then, and fails where the run would.
  diff_mode:
    description: Returns what has changed, or in check mode will change, as a diff.
  idempotent:
    description: Running it again changes nothing.
  action_group:
    description: Use C(group/originops.cloudflare.cloudflare) in C(module_defaults) to set the options of all modules.
    support: full
    membership:
      - originops.cloudflare.cloudflare
notes:
  - With ansible-core 2.19 or later a task that runs on the controller itself runs inside Ansible's own process, which
    spares the start of Python. So it does with a local connection and the controller's interpreter, but without
    C(async), C(become) and an C(environment) of its own, and to the same result. Set the variable
    C(originops_cloudflare_direct) to V(false) to turn this off.
"""
