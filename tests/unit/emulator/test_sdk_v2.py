# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""API v2 through Cloudflare's SDK, which validates every response."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cloudflare
import pytest
from cloudflare import Cloudflare
from cloudflare.resources.cache.origin_cloud_regions import OriginCloudRegionsResource
from cloudflare.types.cache import (
    OriginCloudRegionBulkDeleteResponse,
    OriginCloudRegionBulkUpdateResponse,
    OriginCloudRegionDeleteResponse,
    OriginCloudRegionGetResponse,
    OriginCloudRegionListResponse,
    OriginCloudRegionUpdateResponse,
)

from emulator.server import Emulator
from emulator.state import REGIONS, Zone


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Cloudflare]:
    with Cloudflare(
        api_token=emulator.token, base_url=emulator.api_url, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


@pytest.fixture
def regions(client: Cloudflare) -> OriginCloudRegionsResource:
    return client.cache.origin_cloud_regions


def expected(zone: Zone, address: str) -> dict[str, str]:
    entry = zone.mappings[address]
    return {
        "origin_ip": address,
        "vendor": entry.vendor,
        "region": entry.region,
        "modified_on": entry.modified_on,
    }


def test_list_goes_through_all_pages(emulator: Emulator, zone: Zone, regions: OriginCloudRegionsResource) -> None:
    emulator.add_zone(zone.name, mappings={f"10.0.0.{i}": ("oci", "uk-london-1") for i in range(250)})
    listed = list(regions.list(zone_id=zone.id, per_page=100))
    assert listed == [
        OriginCloudRegionListResponse.model_validate(expected(zone, address)) for address in zone.mappings
    ]
    # The SDK stops at the first page without items.
    assert [request.query["page"] for request in emulator.requests if "page" in request.query] == ["2", "3", "4"]


def test_get(zone: Zone, regions: OriginCloudRegionsResource) -> None:
    mapping = regions.get("2001:DB8:0::1", zone_id=zone.id)
    assert mapping == OriginCloudRegionGetResponse.model_validate(expected(zone, "2001:db8::1"))


def test_update(zone: Zone, regions: OriginCloudRegionsResource) -> None:
    mapping = regions.update(
        "192.0.2.9", zone_id=zone.id, body_origin_ip="192.0.2.9", vendor="azure", region="westeurope"
    )
    assert zone.values()["192.0.2.9"] == ("azure", "westeurope")
    assert mapping == OriginCloudRegionUpdateResponse.model_validate(expected(zone, "192.0.2.9"))


def test_delete(zone: Zone, regions: OriginCloudRegionsResource) -> None:
    assert regions.delete("192.0.2.1", zone_id=zone.id) == OriginCloudRegionDeleteResponse(origin_ip="192.0.2.1")
    assert zone.values() == {"2001:db8::1": ("gcp", "us-east1")}


def test_bulk_update(zone: Zone, regions: OriginCloudRegionsResource) -> None:
    outcome = regions.bulk_update(
        zone_id=zone.id,
        body=[
            {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "eu-west-1"},
            {"origin_ip": "192.0.2.2", "vendor": "aws", "region": "nowhere"},
        ],
    )
    assert outcome == OriginCloudRegionBulkUpdateResponse.model_validate(
        {
            "succeeded": [{"origin_ip": "192.0.2.1", "vendor": "aws", "region": "eu-west-1"}],
            "failed": [{"origin_ip": "192.0.2.2", "error": "The region is unknown for vendor aws: 'nowhere'"}],
        }
    )
    assert zone.values() == {"192.0.2.1": ("aws", "eu-west-1"), "2001:db8::1": ("gcp", "us-east1")}


def test_bulk_delete(zone: Zone, regions: OriginCloudRegionsResource) -> None:
    # The SDK sends no body by itself.
    outcome = regions.bulk_delete(zone_id=zone.id, extra_body=["192.0.2.1", "192.0.2.2"])
    assert outcome == OriginCloudRegionBulkDeleteResponse.model_validate(
        {
            "succeeded": [{"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}],
            "failed": [{"origin_ip": "192.0.2.2", "error": "There is no mapping for 192.0.2.2"}],
        }
    )
    assert zone.values() == {"2001:db8::1": ("gcp", "us-east1")}


def test_supported_regions(zone: Zone, regions: OriginCloudRegionsResource) -> None:
    supported = regions.supported_regions(zone_id=zone.id)
    assert supported is not None
    assert supported.obtained_codes
    offered = {
        vendor: {region.name: region.upper_tier_colos for region in regions}
        for vendor, regions in supported.vendors.items()
    }
    assert offered == REGIONS


@pytest.mark.parametrize(
    ("operation", "error", "code"),
    [
        (lambda regions, zone: regions.get("192.0.2.9", zone_id=zone.id), cloudflare.NotFoundError, 1142),
        (lambda regions, zone: regions.get("example.com", zone_id=zone.id), cloudflare.BadRequestError, 1146),
        (
            lambda regions, zone: regions.update(
                "192.0.2.1", zone_id=zone.id, body_origin_ip="192.0.2.1", vendor="aws", region="us-east1"
            ),
            cloudflare.BadRequestError,
            1157,
        ),
        (lambda regions, zone: regions.list(zone_id="0" * 32), cloudflare.BadRequestError, 7003),
        (lambda regions, zone: regions.bulk_delete(zone_id=zone.id), cloudflare.BadRequestError, 1146),
    ],
    ids=["no mapping", "no address", "no region", "no zone", "no body"],
)
def test_errors(
    zone: Zone,
    regions: OriginCloudRegionsResource,
    operation: Callable[[OriginCloudRegionsResource, Zone], object],
    error: type[cloudflare.APIStatusError],
    code: int,
) -> None:
    with pytest.raises(error) as caught:
        operation(regions, zone)
    assert caught.value.errors[0].code == code


def test_service_errors(emulator: Emulator, zone: Zone, client: Cloudflare) -> None:
    with pytest.raises(cloudflare.AuthenticationError):
        client.with_options(api_token=emulator.token[:-1]).cache.origin_cloud_regions.list(zone_id=zone.id)
    with pytest.raises(cloudflare.PermissionDeniedError):
        client.with_options(api_token=emulator.read_only_token).cache.origin_cloud_regions.delete(
            "192.0.2.1", zone_id=zone.id
        )
    emulator.quota = 0
    with pytest.raises(cloudflare.RateLimitError):
        client.cache.origin_cloud_regions.list(zone_id=zone.id)


def test_zones_by_global_key(emulator: Emulator, zone: Zone) -> None:
    with Cloudflare(
        api_email=emulator.email, api_key=emulator.key, base_url=emulator.api_url, _strict_response_validation=True
    ) as client:
        [listed] = client.zones.list(name=zone.name)
        assert listed == client.zones.get(zone_id=zone.id)
    assert (listed.id, listed.name, listed.account.id) == (zone.id, zone.name, zone.account_id)
    assert (listed.status, listed.type, listed.plan.name) == (zone.status, "full", zone.plan)
    assert (listed.paused, listed.development_mode, len(listed.name_servers)) == (False, 0, 2)


def test_zones_go_through_all_pages(emulator: Emulator) -> None:
    names = [emulator.add_zone(f"zone-{i}.example").name for i in range(60)]
    with Cloudflare(api_token=emulator.token, base_url=emulator.api_url) as client:
        assert [zone.name for zone in client.zones.list(per_page=50)] == names
