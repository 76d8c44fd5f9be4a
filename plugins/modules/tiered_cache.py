#!/usr/bin/python
# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: tiered_cache
short_description: Turn Tiered Cache and Smart Tiered Cache of a Cloudflare zone on or off
version_added: 1.0.0
description:
  - Origin cloud region mappings have an effect only if Tiered Cache and Smart Tiered Cache are on for the zone. Without
    Tiered Cache, Cloudflare does not list the supported regions either.
  - A task takes one request for each setting to read, and one for each setting that it changes.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  enabled:
    description:
      - Whether Tiered Cache should be on. Without this option it is left alone.
      - At least one of O(enabled) and O(smart) is required.
    type: bool
    version_added: 1.0.0
  smart:
    description:
      - Whether Smart Tiered Cache should be on. Without this option it is left alone. A zone in which it was never set
        has it off.
      - It has an effect only while Tiered Cache is on. Cloudflare may not turn it off while Tiered Cache is on.
    type: bool
    version_added: 1.0.0
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
extends_documentation_fragment:
  - originops.cloudflare.cloudflare
  - originops.cloudflare.cloudflare.api_version
  - originops.cloudflare.cloudflare.zone
  - originops.cloudflare.cloudflare.attributes
notes:
  - >-
    The API token needs the permission C(Zone Settings: Edit), or C(Zone Settings: Read) in check mode.
  - The settings have no API versions, so that O(api_version) has no effect here.
  - Settings are turned off before others are turned on, and Tiered Cache before Smart Tiered Cache. The first failure
    ends the task, which reports what it changed by then.
  - A custom topology of Tiered Cache takes precedence over Smart Tiered Cache, and is not managed here.
seealso:
  - module: originops.cloudflare.origin_cloud_region_batch
  - module: originops.cloudflare.origin_cloud_region_audit
"""

EXAMPLES = r"""
- name: Let mappings have an effect
  originops.cloudflare.tiered_cache:
    zone: example.com
    enabled: true
    smart: true

- name: Show whether a setting is off, without changes
  originops.cloudflare.tiered_cache:
    zone: example.com
    smart: true
  check_mode: true
  diff: true

- name: Turn both off again
  originops.cloudflare.tiered_cache:
    zone_id: "{{ cloudflare_zone_id }}"
    enabled: false
    smart: false
"""

RETURN = r"""
tiered_cache:
  description: The settings after the task. In check mode, the settings that the task would set.
  returned: once the settings were read
  type: dict
  sample:
    enabled: true
    smart: null
  contains:
    enabled:
      description:
        - Whether Tiered Cache is on. Null if it was not read, or if it is not known whether its change was applied.
      type: bool
      returned: always
    smart:
      description:
        - Whether Smart Tiered Cache is on. Null as in RV(tiered_cache.enabled).
      type: bool
      returned: always
diff:
  description: One line for each changed setting, before and after, under the name of the zone.
  returned: in diff mode
  type: dict
  sample:
    before_header: example.com (023e105f4ecef8ad9ca31a8372d0c353)
    after_header: example.com (023e105f4ecef8ad9ca31a8372d0c353)
    before: "tiered_cache: off\n"
    after: "tiered_cache: on\n"
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
from ..module_utils._settings import ensure_tiered_cache

ARGUMENT_SPEC = {
    "enabled": {"type": "bool"},
    "smart": {"type": "bool"},
}


MODULE = zone_module(ensure_tiered_cache, ARGUMENT_SPEC)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
