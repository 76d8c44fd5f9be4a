# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: origin_cloud_supported_regions
short_description: Return the cloud regions that Cloudflare supports for origin mappings
version_added: 1.0.0
description:
  - Returns the regions of cloud vendors that Cloudflare supports for origin cloud region mappings of a zone, with the
    upper-tier data centres of each region.
  - Each lookup sends a request, so save the result in a variable if it is needed more than once. Tiered Cache has to be
    on for the zone.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  _terms:
    description:
      - The vendors, V(aws), V(azure), V(gcp) or V(oci), also as lists. The default is all vendors.
    type: list
    version_added: 1.0.0
    elements: str
  names_only:
    description:
      - Whether to return the names of the regions instead of dictionaries.
    type: bool
    version_added: 1.0.0
    default: false
extends_documentation_fragment:
  - originops.cloudflare.cloudflare
  - originops.cloudflare.cloudflare.api_version
  - originops.cloudflare.cloudflare.zone
  - originops.cloudflare.cloudflare.environment
notes:
  - C(module_defaults) do not apply to lookup plugins. Pass the options to the lookup, or use the environment.
seealso:
  - module: originops.cloudflare.origin_cloud_region_info
"""

EXAMPLES = r"""
- name: Show the names of the regions of AWS
  ansible.builtin.debug:
    msg: >-
      {{ query('originops.cloudflare.origin_cloud_supported_regions', 'aws', zone='example.com', names_only=true) }}

- name: Show all regions with an upper tier in Frankfurt
  ansible.builtin.debug:
    msg: "{{ regions | selectattr('upper_tier_colos', 'contains', 'FRA') }}"
  vars:
    regions: "{{ query('originops.cloudflare.origin_cloud_supported_regions', zone='example.com') }}"

- name: Use an explicit token and a zone identifier
  ansible.builtin.debug:
    msg: >-
      {{ query('originops.cloudflare.origin_cloud_supported_regions', 'gcp', 'oci',
               api_token=cloudflare_api_token, zone_id=cloudflare_zone_id) }}
"""

RETURN = r"""
_raw:
  description:
    - One item for each region, in the order of the vendors in the terms, then by name. With O(names_only=true), only
      the names.
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
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ..module_utils._argspec import ARGUMENT_SPEC, CONNECTION_ALIASES, RULES, validate_options
from ..module_utils._connection import open_zone
from ..module_utils._errors import OriginOpsError
from ..module_utils._mapping import check_vendor
from ..module_utils._messages import suggest

VALIDATOR = ArgumentSpecValidator({**ARGUMENT_SPEC, "names_only": {"type": "bool", "default": False}}, **RULES)


class LookupModule(LookupBase):
    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        for name in kwargs.keys() - VALIDATOR.argument_spec.keys() - CONNECTION_ALIASES.keys():
            raise AnsibleLookupError(f"option {name} is unknown: {suggest(name, VALIDATOR.argument_spec)}")
        try:
            options = validate_options(VALIDATOR, kwargs)
            vendors = _vendors(terms)
            with open_zone(options) as zone:
                api, supported = zone.negotiate(lambda api: api.supported_regions())
        except OriginOpsError as error:
            raise AnsibleLookupError(str(error)) from None
        display = Display()
        if api.deprecation:
            display.deprecated(api.deprecation, version="2.0.0", collection_name="originops.cloudflare")
        if not supported.obtained_codes:
            display.warning("Cloudflare did not return all data centres: upper_tier_colos may be incomplete.")
        vendors = vendors or [*supported.vendors]
        if options["names_only"]:
            return [region.name for vendor in vendors for region in supported.vendors.get(vendor, ())]
        return [
            {"vendor": vendor, **region._asdict()} for vendor in vendors for region in supported.vendors.get(vendor, ())
        ]


def _vendors(terms: list[Any]) -> list[str]:
    """Return the vendors of terms, which may be lists too, each once.

    Raises InvalidInput.
    """
    vendors = [vendor for term in terms for vendor in (term if isinstance(term, list) else [term])]
    for vendor in vendors:
        check_vendor(vendor)
    return [*dict.fromkeys(vendors)]
