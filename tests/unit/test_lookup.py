# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookup plugin, loaded and run by Ansible."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import lookup_loader

from emulator.server import Emulator
from emulator.state import REGIONS, Zone
from support.values import TOKEN, ZONE_ID

NAME = "originops.cloudflare.origin_cloud_supported_regions"


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com")


def look_up(*terms: Any, **chosen: Any) -> list[Any]:
    """Return the value of the lookup. None leaves an option out."""
    options = {name: value for name, value in chosen.items() if value is not None}
    return lookup_loader.get(NAME).run(list(terms), variables={}, **options)


def rejection(*terms: Any, **chosen: Any) -> str:
    with pytest.raises(AnsibleLookupError) as failed:
        look_up(*terms, **chosen)
    assert TOKEN not in str(failed.value)
    return str(failed.value)


def options_for(emulator: Emulator, **chosen: Any) -> dict[str, Any]:
    """Return the options for the emulator's zone."""
    return {"api_url": emulator.api_url, "api_token": TOKEN, "zone": "example.com", "retries": 0, **chosen}


def regions_of(*vendors: str) -> list[dict[str, Any]]:
    return [
        {"vendor": vendor, "name": name, "upper_tier_colos": REGIONS[vendor][name]}
        for vendor in vendors
        for name in sorted(REGIONS[vendor])
    ]


def test_without_terms_all_vendors(emulator: Emulator, zone: Zone) -> None:
    assert look_up(**options_for(emulator)) == regions_of("aws", "azure", "gcp", "oci")
    assert len(emulator.requests) == 2


@pytest.mark.parametrize("terms", [["oci"], ["oci", "aws"]], ids=str)
def test_terms_are_vendors_in_order(emulator: Emulator, zone: Zone, terms: list[str]) -> None:
    assert look_up(*terms, **options_for(emulator, zone=None, zone_id=zone.id)) == regions_of(*terms)
    assert len(emulator.requests) == 1


def test_a_vendor_twice_counts_once(emulator: Emulator, zone: Zone) -> None:
    assert look_up("gcp", "gcp", **options_for(emulator)) == regions_of("gcp")


@pytest.mark.parametrize("names_only", [True, "yes"])
def test_names_only(emulator: Emulator, zone: Zone, names_only: object) -> None:
    assert look_up("gcp", names_only=names_only, **options_for(emulator)) == sorted(REGIONS["gcp"])


def test_terms_may_be_lists(emulator: Emulator, zone: Zone) -> None:
    assert look_up(["gcp", "oci"], "gcp", **options_for(emulator)) == look_up("gcp", "oci", **options_for(emulator))
    assert len(emulator.requests) == 4


def test_results_are_plain_data(emulator: Emulator, zone: Zone) -> None:
    first = look_up("aws", **options_for(emulator))[0]
    assert {type(value) for value in first.values()} == {str, list}
    assert first.keys() == {"vendor", "name", "upper_tier_colos"}


@pytest.mark.parametrize(
    ("term", "part"),
    [
        ("AWS", "vendor 'AWS' is unknown: did you mean aws?"),
        ("ibm", "known are aws, azure, gcp, oci"),
        ("", "vendor '' is unknown"),
        (None, "is unknown"),
        (5, "is unknown"),
        (["aws", "ibm"], "vendor 'ibm' is unknown"),
        ("amazon", "did you mean aws?"),
        ({"vendor": "aws"}, "is unknown"),
    ],
)
def test_unknown_vendors(emulator: Emulator, zone: Zone, term: object, part: str) -> None:
    assert part in rejection("aws", term, **options_for(emulator))
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("chosen", "part"),
    [
        ({"name_only": True}, "option name_only is unknown: did you mean names_only?"),
        ({"token": TOKEN}, "option token is unknown"),
        ({"names_only": "perhaps"}, "names_only"),
        ({"zone_id": ZONE_ID}, "mutually exclusive"),
        ({"zone": None}, "zone_id, zone"),
        ({"api_email": "me@example.com"}, "mutually exclusive"),
        ({"api_version": "v3"}, "v3"),
        ({"timeout": "soon"}, "timeout"),
        ({"timeout": 0}, "timeout"),
        ({"retries": -1}, "retries"),
        ({"api_url": "http://192.0.2.1"}, "api_url"),
        ({"zone": None, "zone_id": "../user"}, "zone_id"),
        ({"api_token": None}, "no credentials"),
    ],
    ids=str,
)
def test_unusable_options(emulator: Emulator, zone: Zone, chosen: dict[str, Any], part: str) -> None:
    assert part in rejection(**options_for(emulator, **chosen))
    assert emulator.requests == []


def test_failures_of_the_service(emulator: Emulator, zone: Zone) -> None:
    assert "there is no example.net" in rejection(**options_for(emulator, zone="example.net"))
    assert "10000" in rejection(**options_for(emulator, api_token="wrong-6Wd4Hs9Pz"))
    emulator.add_zone("example.com", tiered_cache=False)
    assert "Tiered Cache too: turn them on" in rejection(**options_for(emulator))


def test_no_service() -> None:
    assert "http://127.0.0.1:9" in rejection(api_url="http://127.0.0.1:9", api_token=TOKEN, zone_id=ZONE_ID, retries=0)


@pytest.mark.parametrize(
    "variables",
    [
        {"CLOUDFLARE_API_TOKEN": Emulator.token},
        {"CLOUDFLARE_EMAIL": Emulator.email, "CLOUDFLARE_API_KEY": Emulator.key},
    ],
    ids=["token", "key"],
)
def test_the_environment(
    emulator: Emulator, zone: Zone, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in {"CLOUDFLARE_BASE_URL": emulator.api_url, **variables}.items():
        monkeypatch.setenv(name, value)
    assert look_up("oci", zone="example.com") == regions_of("oci")
    assert "10000" in rejection(zone="example.com", api_token="wrong-6Wd4Hs9Pz")


def test_v1_is_deprecated(emulator: Emulator, zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    emulator.api_versions = ["v1"]
    assert look_up("gcp", **options_for(emulator)) == regions_of("gcp")
    assert "2026-10-01" in capsys.readouterr().err


def test_missing_data_centres_are_warned_of(emulator: Emulator, zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    emulator.add_zone("example.com", obtained_codes=False)
    regions = look_up("gcp", **options_for(emulator))
    assert [region["upper_tier_colos"] for region in regions] == [[] for _region in regions]
    assert "may be incomplete" in " ".join(capsys.readouterr().err.split())
