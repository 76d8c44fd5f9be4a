# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints of v1, the deprecated API version.

Loaded only if it is used, and removed with version 2.0.0.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ._client import Envelope
from ._endpoints import MappingsApi
from ._mapping import Address, OriginMapping, ZoneMappings


class MappingsApiV1(MappingsApi):
    """Endpoints of v1, the deprecated version.

    One response has the whole list. Results are wrapped in a value. PATCH writes, POST creates.
    """

    name = "v1"
    path = "cache/origin_cloud_regions"
    request_ip_key = "ip"
    response_ip_key = "origin-ip"
    batch_upsert = "PATCH"
    deprecation = (
        "Version 1 of Cloudflare's endpoints for origin cloud regions was used. Its published end of life, 2026-10-01, "
        "has passed, so it can stop at any time. Set api_version to auto or v2, or update the service behind api_url."
    )

    def fetch(self, addresses: Collection[Address]) -> ZoneMappings:
        if len(addresses) != 1:
            return self.fetch_all()
        (address,) = addresses
        mapping = self.get(address)
        return ZoneMappings({address: mapping} if mapping else {})

    def fetch_all(self) -> ZoneMappings:
        mappings = self._client.call(
            self._read_action, "GET", self._path, decode=lambda envelope: self._by_address(self._value(envelope))
        )
        return ZoneMappings(mappings, len(mappings), complete=True)

    def count(self) -> int:
        return len(self.fetch_all().mappings)

    def upsert(self, mapping: OriginMapping) -> OriginMapping:
        return self._call(
            f"Writing the mapping {mapping}",
            "PATCH",
            body=self._body(mapping),
            decode=lambda envelope: self._parse_one(mapping.address, self._value(envelope)),
        )

    def create(self, mapping: OriginMapping) -> OriginMapping:
        return self._call(
            f"Creating the mapping {mapping}",
            "POST",
            body=self._body(mapping),
            decode=lambda envelope: self._parse_one(mapping.address, [self._value(envelope)]),
        )

    def _value(self, envelope: Envelope) -> Any:
        return envelope.result["value"]
