# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: origin_cloud_supported_regions
short_description: The cloud regions that Cloudflare supports for origin mappings
version_added: 0.1.0
description:
  - Returns the regions of the given vendors that an origin cloud region mapping of a zone may have, with the upper-tier
    data centres that each leads to.
  - One request, so keep the result in a variable where it is needed more than once. Tiered Cache has to be on for the
    zone.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  _terms:
    description:
      - Vendors, V(aws), V(azure), V(gcp) or V(oci). Without any, all of them.
    type: list
    version_added: 0.1.0
    elements: str
  names_only:
    description:
      - Whether to return the names of the regions instead of dictionaries.
    type: bool
    version_added: 0.1.0
    default: false
extends_documentation_fragment:
  - originops.cloudflare.cloudflare
  - originops.cloudflare.cloudflare.zone
  - originops.cloudflare.cloudflare.environment
notes:
  - C(module_defaults) do not reach lookup plugins. Give the options to the lookup, or use the environment.
seealso:
  - module: originops.cloudflare.origin_cloud_region_info
"""

EXAMPLES = r"""
- name: Show the names of the regions of AWS
  ansible.builtin.debug:
    msg: >-
      {{ query('originops.cloudflare.origin_cloud_supported_regions', 'aws', zone='example.com', names_only=true) }}

- name: Show all regions that lead to Frankfurt
  ansible.builtin.debug:
    msg: "{{ regions | selectattr('upper_tier_colos', 'contains', 'FRA') }}"
  vars:
    regions: "{{ query('originops.cloudflare.origin_cloud_supported_regions', zone='example.com') }}"

- name: Use a token and a zone identifier of your own
  ansible.builtin.debug:
    msg: >-
      {{ query('originops.cloudflare.origin_cloud_supported_regions', 'gcp', 'oci',
               api_token=cloudflare_api_token, zone_id=cloudflare_zone_id) }}
"""

RETURN = r"""
_raw:
  description:
    - One item for each region, by vendor as asked for and then by name. Only the names with O(names_only=true).
  type: list
  elements: dict
  sample:
    - vendor: aws
      name: us-east-1
      upper_tier_colos:
        - EWR
        - IAD
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.originops.cloudflare.plugins.module_utils._client import REQUESTS_IMPORT_ERROR
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import VENDORS, nearest, shorten
from ansible_collections.originops.cloudflare.plugins.module_utils._options import ARGUMENT_SPEC, RULES, open_zone

VALIDATOR = ArgumentSpecValidator({**ARGUMENT_SPEC, "names_only": {"type": "bool", "default": False}}, **RULES)


class LookupModule(LookupBase):
    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        if REQUESTS_IMPORT_ERROR:
            raise AnsibleLookupError(missing_required_lib("requests"))
        # The rules of the modules' options, which add what the environment has.
        validated = VALIDATOR.validate(kwargs)
        for name in validated.unsupported_parameters:
            raise AnsibleLookupError(f"option {name} is unknown: {nearest(name, VALIDATOR.argument_spec)}")
        if validated.error_messages:
            raise AnsibleLookupError("; ".join(validated.error_messages))
        options = validated.validated_parameters
        for term in terms:
            if term not in VENDORS:
                raise AnsibleLookupError(f"vendor {shorten(str(term))} is unknown: {nearest(str(term), VENDORS)}")
        try:
            with open_zone(options) as zone:
                generation, supported = zone.first(lambda generation: generation.supported_regions())
        except OriginOpsError as error:
            raise AnsibleLookupError(str(error)) from None
        display = Display()
        if generation.deprecation:
            display.deprecated(generation.deprecation, version="2.0.0", collection_name="originops.cloudflare")
        if not supported.obtained_codes:
            display.warning("Cloudflare could not tell all data centres: upper_tier_colos may be incomplete.")
        vendors = dict.fromkeys(terms or supported.vendors)
        if options["names_only"]:
            return [region.name for vendor in vendors for region in supported.vendors.get(vendor, ())]
        return [
            {"vendor": vendor, **region.as_dict()} for vendor in vendors for region in supported.vendors.get(vendor, ())
        ]
