# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints of both API versions as one interface.

Mappings in and out, JSON on the wire.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ._client import Client, Envelope, parse_text
from ._errors import CloudflareError, InvalidInput, RegionsUnavailable
from ._mapping import Address, OriginMapping, ZoneMappings, canonical, parse_address

if TYPE_CHECKING:
    from ._regions import SupportedRegions

T = TypeVar("T")

PAGE_SIZE = 100
"""Mappings in a page of a list, and in a batch: the API's maximum of both."""

MAX_PAGES = 350
"""Pages of a list: ten times those of a full zone. More are not credible."""


class BatchResult(NamedTuple):
    """Result of a write: mappings written or deleted, and errors of others.

    unverified lists failed mappings that may have been applied: the response does not mention them, or the outcome of
    an earlier attempt of the request is unknown.
    """

    succeeded: list[OriginMapping]
    failed: dict[Address, str]
    unverified: Collection[Address] = ()


class MappingsApi(ABC):
    """Endpoints of a zone's mappings.

    Every public method sends requests, and can raise CloudflareError.
    """

    name: str
    path: str
    request_ip_key: str
    """Key of the address in requests."""
    response_ip_key: str
    """Key of the address in responses."""
    batch_upsert: str
    """HTTP method of a batch of upserts."""
    deprecation: str | None = None
    """Deprecation warning for users."""

    def __init__(self, client: Client, zone_id: str) -> None:
        self._client = client
        self.zone_id = zone_id
        self._path = f"/zones/{zone_id}/{self.path}"
        self._read_action = f"Reading the mappings in zone {zone_id}"

    @abstractmethod
    def fetch(self, addresses: Collection[Address]) -> ZoneMappings:
        """Read the mappings of these addresses with the fewest requests."""

    @abstractmethod
    def fetch_all(self) -> ZoneMappings:
        """Read all mappings of the zone."""

    @abstractmethod
    def count(self) -> int:
        """Read the number of mappings with one request."""

    @abstractmethod
    def upsert(self, mapping: OriginMapping) -> OriginMapping:
        """Write a mapping, and return it with its modified_on."""

    def create(self, mapping: OriginMapping) -> OriginMapping:
        """Create a mapping if the address has none.

        Only v1 has an atomic request for that.
        """
        return self.upsert(mapping)

    def get(self, address: Address) -> OriginMapping | None:
        """Read the mapping of an address. Returns None if it has none."""
        text = canonical(address)
        try:
            return self._call(
                f"Reading the mapping of {text}",
                "GET",
                f"/{text}",
                decode=lambda envelope: self._parse_one(address, [self._value(envelope)]),
            )
        except CloudflareError as error:
            if error.is_mapping_not_found:
                return None
            raise

    def delete(self, address: Address) -> None:
        """Delete a mapping. A missing one counts as deleted."""
        text = canonical(address)
        try:
            self._call(
                f"Deleting the mapping of {text}",
                "DELETE",
                f"/{text}",
                decode=lambda envelope: self._check_address(address, self._value(envelope)),
            )
        except CloudflareError as error:
            if not error.is_mapping_not_found:
                raise

    def upsert_batch(self, mappings: Sequence[OriginMapping]) -> BatchResult:
        """Write up to 100 mappings. The service validates each separately."""
        return self._call(
            f"Writing a batch of {len(mappings)}",
            self.batch_upsert,
            "/batch",
            body=[self._body(mapping) for mapping in mappings],
            decode=lambda envelope: self._parse_batch_result(mappings, envelope),
        )

    def delete_batch(self, mappings: Sequence[OriginMapping]) -> BatchResult:
        """Delete up to 100 mappings. The service refuses missing ones."""
        return self._call(
            f"Deleting a batch of {len(mappings)}",
            "DELETE",
            "/batch",
            body=[canonical(mapping.address) for mapping in mappings],
            decode=lambda envelope: self._parse_batch_result(mappings, envelope),
        )

    def supported_regions(self) -> SupportedRegions:
        """Read the supported regions.

        Raises RegionsUnavailable if Tiered Cache seems to be off.
        """
        try:
            return self._call(
                "Reading the supported regions", "GET", "/supported_regions", decode=_parse_supported_regions
            )
        except CloudflareError as error:
            refused = error.status in range(400, 500) and error.status != 429 and error.errors
            if not refused or error.is_route_not_found or error.credentials_refused:
                raise
            from ._hints import turn_on_hint

            hint = turn_on_hint("enabled", "smart", zone_id=self.zone_id)
            raise RegionsUnavailable(
                f"{error}. Supported regions need Tiered Cache, and mappings need Smart Tiered Cache too: {hint}",
                error.status,
                error.errors,
            ) from None

    def _call(self, action: str, method: str, tail: str = "", *, decode: Callable[[Envelope], T], **content: Any) -> T:
        return self._client.call(
            f"{action} in zone {self.zone_id}", method, self._path + tail, decode=decode, **content
        )

    def _value(self, envelope: Envelope) -> Any:
        return envelope.result

    def _body(self, mapping: OriginMapping) -> dict[str, str]:
        return {self.request_ip_key: canonical(mapping.address), "vendor": mapping.vendor, "region": mapping.region}

    def _parse_mapping(self, entry: dict[str, Any]) -> OriginMapping:
        modified_on = entry.get("modified_on")
        return OriginMapping(
            parse_address(entry[self.response_ip_key]),
            parse_text(entry["vendor"]),
            parse_text(entry["region"]),
            None if modified_on is None else parse_text(modified_on),
        )

    def _parse_one(self, address: Address, entries: list[dict[str, Any]]) -> OriginMapping:
        """Return the entry of this address. Raises KeyError."""
        return self._by_address(entries)[address]

    def _check_address(self, address: Address, entry: dict[str, Any]) -> None:
        """Raise ValueError for a response about another address."""
        if parse_address(entry[self.response_ip_key]) != address:
            raise ValueError(entry)

    def _by_address(self, entries: list[dict[str, Any]]) -> dict[Address, OriginMapping]:
        if not isinstance(entries, list):
            raise TypeError(entries)
        return {mapping.address: mapping for mapping in map(self._parse_mapping, entries)}

    def _parse_batch_result(self, mappings: Sequence[OriginMapping], envelope: Envelope) -> BatchResult:
        value = self._value(envelope)
        written: dict[Address, OriginMapping] = {}
        by_address = {mapping.address: mapping for mapping in mappings}
        for item in value["succeeded"] or ():
            address = parse_address(item[self.response_ip_key])
            if address in by_address:
                modified_on = item.get("modified_on") or by_address[address].modified_on
                written[address] = by_address[address]._replace(modified_on=modified_on and parse_text(modified_on))
        errors: dict[Address, str] = {}
        for item in value["failed"] or ():
            with suppress(InvalidInput):
                reason = str(item.get("error") or "the service returned no reason")
                errors[parse_address(item[self.response_ip_key])] = self._client.sanitize(reason)
        failed = {
            address: errors.get(address, "the response of the service does not mention it")
            for address in by_address
            if address not in written
        }
        unverified = failed.keys() if envelope.maybe_applied else failed.keys() - errors.keys()
        return BatchResult([*written.values()], failed, unverified)


class MappingsApiV2(MappingsApi):
    """Endpoints of v2, the supported version.

    The list has pages. PUT writes one mapping or many; no request only creates.
    """

    name = "v2"
    path = "origin/cloud_regions"
    request_ip_key = response_ip_key = "origin_ip"
    batch_upsert = "PUT"

    def fetch(self, addresses: Collection[Address]) -> ZoneMappings:
        if len(addresses) == 1:
            return ZoneMappings(self._get_each(addresses))
        page, total = self._fetch_page(1)
        missing = [address for address in addresses if address not in page]
        if 1 + len(missing) >= ceil(total / PAGE_SIZE):
            return self._fetch_list((page, total))
        return ZoneMappings(page | self._get_each(missing), total)

    def fetch_all(self) -> ZoneMappings:
        return self._fetch_list()

    def count(self) -> int:
        return self._fetch_page(1)[1]

    def upsert(self, mapping: OriginMapping) -> OriginMapping:
        return self._call(
            f"Writing the mapping {mapping}",
            "PUT",
            f"/{canonical(mapping.address)}",
            body=self._body(mapping),
            decode=lambda envelope: self._parse_one(mapping.address, [self._value(envelope)]),
        )

    def _get_each(self, addresses: Collection[Address]) -> dict[Address, OriginMapping]:
        found = self._client.http.map_concurrently(self.get, addresses)
        return {mapping.address: mapping for mapping in found if mapping}

    def _fetch_page(self, page: int) -> tuple[dict[Address, OriginMapping], int]:
        """Read one page of the list, and the zone's total on that page."""
        return self._client.fetch_page(
            self._read_action, self._path, page, self._by_address, size=PAGE_SIZE, max_pages=MAX_PAGES
        )

    def _fetch_list(self, first_page: tuple[dict[Address, OriginMapping], int] | None = None) -> ZoneMappings:
        """Read all mappings; first_page is page 1 if it was read."""
        mappings = self._client.fetch_all_pages(self._read_action, self._fetch_page, PAGE_SIZE, first_page)
        return ZoneMappings(mappings, len(mappings), complete=True)


def _parse_supported_regions(envelope: Envelope) -> SupportedRegions:
    from ._regions import Region, SupportedRegions

    def parse_region(entry: dict[str, Any]) -> Region:
        return Region(parse_text(entry["name"]), [parse_text(colo) for colo in entry.get("upper_tier_colos") or ()])

    result = envelope.result
    vendors = {
        parse_text(vendor): sorted(map(parse_region, regions)) for vendor, regions in sorted(result["vendors"].items())
    }
    return SupportedRegions(bool(result["obtained_codes"]), vendors)
