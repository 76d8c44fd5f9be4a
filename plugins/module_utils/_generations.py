# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two generations of the API's endpoints as one interface: wire shapes in, mappings out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any, TypeVar

from ansible_collections.originops.cloudflare.plugins.module_utils._client import Client
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import (
    CloudflareError,
    InvalidInput,
    RegionsUnavailable,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import (
    Address,
    Mapping,
    Snapshot,
    canonical,
    parse_address,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._regions import Region, SupportedRegions

T = TypeVar("T")

PAGE_SIZE = 100
"""Mappings in a page of a list, and in a batch: the API's maximum of both."""

MOST_PAGES = 350
"""Ten times what a full zone has: more is no list that could be true."""

TIERED_CACHE_ADVICE = (
    "Supported regions need Tiered Cache: turn it on for the zone (dashboard: Caching, Tiered Cache; API: PATCH "
    '/zones/{zone_id}/argo/tiered_caching with {"value": "on"})'
)


@dataclass(frozen=True)
class Written:
    """What became of a write: the mappings that are in force or deleted, and why the others are not.

    Of the unmentioned among the latter the service said nothing at all.
    """

    done: list[Mapping]
    refused: dict[Address, str] = field(default_factory=dict)
    unmentioned: Collection[Address] = ()


class Generation(ABC):
    """What both generations share. Every public method sends requests, and raises CloudflareError."""

    name: str
    path: str
    sent_as: str
    """Names the address in what is sent."""
    received_as: str
    """Names the address in what is received."""
    batch_upsert: str
    """The HTTP method of a batch of upserts."""
    deprecation: str | None = None
    """What to tell its users."""

    def __init__(self, client: Client, zone_id: str) -> None:
        self._client = client
        self.zone_id = zone_id
        self._path = f"/zones/{zone_id}/{self.path}"
        self._reading = f"Reading the mappings in zone {zone_id}"

    @abstractmethod
    def find(self, addresses: Collection[Address]) -> Snapshot:
        """The zone as far as these addresses go, by the fewest requests."""

    @abstractmethod
    def whole(self) -> Snapshot:
        """The whole zone."""

    @abstractmethod
    def total(self) -> int:
        """How many mappings the zone holds, by one request."""

    @abstractmethod
    def upsert(self, mapping: Mapping) -> Mapping:
        """Write a mapping, whatever was there. Returns it with its modified_on."""

    def create(self, mapping: Mapping) -> Mapping:
        """Write a mapping where there was none; only the first generation has a request that is sure of that."""
        return self.upsert(mapping)

    def get(self, address: Address) -> Mapping | None:
        text = canonical(address)
        try:
            return self._call(
                f"Reading the mapping of {text}",
                "GET",
                f"/{text}",
                decode=lambda envelope: self._only(address, [self._value(envelope)]),
            )
        except CloudflareError as error:
            if error.no_mapping:
                return None
            raise

    def delete(self, address: Address) -> None:
        """Delete a mapping. One that is not there (any more) is deleted."""
        text = canonical(address)
        try:
            self._call(
                f"Deleting the mapping of {text}",
                "DELETE",
                f"/{text}",
                decode=lambda envelope: self._check_about(address, self._value(envelope)),
            )
        except CloudflareError as error:
            if not error.no_mapping:
                raise

    def upsert_batch(self, mappings: Sequence[Mapping]) -> Written:
        """Write up to 100 mappings, each judged on its own by the service."""
        return self._call(
            f"Writing a batch of {len(mappings)}",
            self.batch_upsert,
            "/batch",
            body=[self._body(mapping) for mapping in mappings],
            decode=lambda envelope: self._written(mappings, envelope),
        )

    def delete_batch(self, mappings: Sequence[Mapping]) -> Written:
        """Delete up to 100 mappings. The service refuses those that are not there (any more) too."""
        return self._call(
            f"Deleting a batch of {len(mappings)}",
            "DELETE",
            "/batch",
            body=[canonical(mapping.address) for mapping in mappings],
            decode=lambda envelope: self._written(mappings, envelope),
        )

    def supported_regions(self) -> SupportedRegions:
        """Raises RegionsUnavailable where the zone seems to have Tiered Cache off."""
        try:
            return self._call("Reading the supported regions", "GET", "/supported_regions", decode=_supported_regions)
        except CloudflareError as error:
            refused = error.status in range(400, 500) and error.status != 429 and error.errors
            if not refused or error.not_routed or error.credentials_refused:
                raise
            raise RegionsUnavailable(f"{error}. {TIERED_CACHE_ADVICE}", error.status, error.errors) from None

    def _call(
        self, doing: str, method: str, tail: str = "", *, decode: Callable[[dict[str, Any]], T], **content: Any
    ) -> T:
        return self._client.call(f"{doing} in zone {self.zone_id}", method, self._path + tail, decode=decode, **content)

    def _value(self, envelope: dict[str, Any]) -> Any:
        return envelope["result"]

    def _body(self, mapping: Mapping) -> dict[str, str]:
        return {self.sent_as: canonical(mapping.address), "vendor": mapping.vendor, "region": mapping.region}

    def _mapping(self, entry: dict[str, Any]) -> Mapping:
        modified_on = entry.get("modified_on")
        return Mapping(
            parse_address(entry[self.received_as]),
            _text(entry["vendor"]),
            _text(entry["region"]),
            None if modified_on is None else _text(modified_on),
        )

    def _only(self, address: Address, entries: list[dict[str, Any]]) -> Mapping:
        """The one of these entries that is about the address. Raises KeyError."""
        return self._by_address(entries)[address]

    def _check_about(self, address: Address, entry: dict[str, Any]) -> None:
        """Raises ValueError for an answer about another address."""
        if parse_address(entry[self.received_as]) != address:
            raise ValueError(entry)

    def _by_address(self, entries: list[dict[str, Any]]) -> dict[Address, Mapping]:
        if not isinstance(entries, list):
            raise TypeError(entries)
        return {mapping.address: mapping for mapping in map(self._mapping, entries)}

    def _written(self, mappings: Sequence[Mapping], envelope: dict[str, Any]) -> Written:
        value = self._value(envelope)
        succeeded = {parse_address(item[self.received_as]) for item in value["succeeded"] or ()}
        errors: dict[Address, str] = {}
        for item in value["failed"] or ():
            with suppress(InvalidInput):
                errors[parse_address(item[self.received_as])] = self._client.printable(str(item.get("error")))
        refused = {
            mapping.address: errors.get(mapping.address, "the service's answer does not mention it")
            for mapping in mappings
            if mapping.address not in succeeded
        }
        done = [mapping for mapping in mappings if mapping.address not in refused]
        return Written(done, refused, refused.keys() - errors.keys())


class V2(Generation):
    """The supported generation: pages of a list, PUT for one and for many, no request that only creates."""

    name = "v2"
    path = "origin/cloud_regions"
    sent_as = received_as = "origin_ip"
    batch_upsert = "PUT"

    def find(self, addresses: Collection[Address]) -> Snapshot:
        if len(addresses) == 1:
            return Snapshot(self._get_each(addresses))
        page, total = self._page(1)
        missing = [address for address in addresses if address not in page]
        if 1 + len(missing) >= ceil(total / PAGE_SIZE):
            return self._list((page, total))
        return Snapshot(page | self._get_each(missing), total)

    def whole(self) -> Snapshot:
        return self._list()

    def total(self) -> int:
        return self._page(1)[1]

    def upsert(self, mapping: Mapping) -> Mapping:
        text = canonical(mapping.address)
        return self._call(
            f"Writing the mapping {mapping}",
            "PUT",
            f"/{text}",
            body=self._body(mapping),
            decode=lambda envelope: self._only(mapping.address, [self._value(envelope)]),
        )

    def _get_each(self, addresses: Collection[Address]) -> dict[Address, Mapping]:
        found = self._client.concurrently(self.get, addresses)
        return {mapping.address: mapping for mapping in found if mapping}

    def _page(self, page: int) -> tuple[dict[Address, Mapping], int]:
        """A page of the list, and the zone's total as that page has it."""
        return self._client.page(
            self._reading, self._path, page, self._by_address, size=PAGE_SIZE, most_pages=MOST_PAGES
        )

    def _list(self, first: tuple[dict[Address, Mapping], int] | None = None) -> Snapshot:
        """The whole zone; first is page 1 where that was read."""
        mappings = self._client.whole_list(self._reading, self._page, PAGE_SIZE, first)
        return Snapshot(mappings, len(mappings), whole=True)


class V1(Generation):
    """The deprecated generation: the whole set in one answer, wrapped in a value, PATCH to write and POST to create."""

    name = "v1"
    path = "cache/origin_cloud_regions"
    sent_as = "ip"
    received_as = "origin-ip"
    batch_upsert = "PATCH"
    deprecation = (
        "The first generation of Cloudflare's endpoints for origin cloud regions was used, whose published end of life "
        "is 2026-10-01. Set api_version to auto or v2, or update the service behind api_url."
    )

    def find(self, addresses: Collection[Address]) -> Snapshot:
        if len(addresses) != 1:
            return self.whole()
        (address,) = addresses
        mapping = self.get(address)
        return Snapshot({address: mapping} if mapping else {})

    def whole(self) -> Snapshot:
        mappings = self._client.call(
            self._reading, "GET", self._path, decode=lambda envelope: self._by_address(self._value(envelope))
        )
        return Snapshot(mappings, len(mappings), whole=True)

    def total(self) -> int:
        return len(self.whole().mappings)

    def upsert(self, mapping: Mapping) -> Mapping:
        return self._call(
            f"Writing the mapping {mapping}",
            "PATCH",
            body=self._body(mapping),
            decode=lambda envelope: self._only(mapping.address, self._value(envelope)),
        )

    def create(self, mapping: Mapping) -> Mapping:
        return self._call(
            f"Creating the mapping {mapping}",
            "POST",
            body=self._body(mapping),
            decode=lambda envelope: self._only(mapping.address, [self._value(envelope)]),
        )

    def _value(self, envelope: dict[str, Any]) -> Any:
        return envelope["result"]["value"]


GENERATIONS: dict[str, tuple[type[Generation], ...]] = {"auto": (V2, V1), "v2": (V2,), "v1": (V1,)}
"""The generations to try, in order, by the option api_version."""


@dataclass
class Zone:
    """A zone to work on. Which generation serves it shows with the first read."""

    client: Client
    id: str
    api_version: str
    generation: Generation | None = None

    def first(self, read: Callable[[Generation], T]) -> tuple[Generation, T]:
        """Do the first read by the first generation that is served. Returns that generation and what was read."""
        candidates = [generation(self.client, self.id) for generation in GENERATIONS[self.api_version]]
        while True:
            generation = candidates.pop(0)
            try:
                found = read(generation)
            except CloudflareError as error:
                if not (error.not_routed and candidates):
                    raise
            else:
                self.generation = generation
                return generation, found

    def as_result(self) -> dict[str, str | None]:
        """What results say of their source, as far as it is known."""
        if self.generation is None:
            return {"zone_id": self.id}
        return {
            "zone_id": self.id,
            "api_version": self.generation.name,
            "deprecation": self.generation.deprecation,
        }


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _supported_regions(envelope: dict[str, Any]) -> SupportedRegions:
    result = envelope["result"]
    vendors = {_text(vendor): sorted(map(_region, regions)) for vendor, regions in sorted(result["vendors"].items())}
    return SupportedRegions(bool(result["obtained_codes"]), vendors)


def _region(entry: dict[str, Any]) -> Region:
    return Region(_text(entry["name"]), [_text(colo) for colo in entry.get("upper_tier_colos") or ()])
