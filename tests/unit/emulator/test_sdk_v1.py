# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""API v1 through the last release of Cloudflare's SDK that has it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from emulator.server import Emulator
from emulator.state import REGIONS

PYTHON = "ORIGINOPS_SDK_V1_PYTHON"
NOW = "2026-03-01T12:00:00Z"


def setting(value: object, modified_on: str | None = NOW) -> dict[str, object]:
    return {"id": "origin_public_cloud_region", "editable": True, "modified_on": modified_on, "value": value}


def test_every_operation(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    if PYTHON not in os.environ:
        pytest.fail(
            f"{PYTHON} names no interpreter that has the SDK's release 5.1.0: `make unit` sets it", pytrace=False
        )
    monkeypatch.setattr("emulator.state._now", lambda: NOW)
    finished = subprocess.run(
        [os.environ[PYTHON], str(Path(__file__).with_name("sdk_v1_driver.py")), emulator.add_zone("example.com").id],
        env={"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    results = json.loads(finished.stdout)

    first = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1", "modified_on": NOW}
    second = {"origin_ip": "2001:db8::1", "vendor": "gcp", "region": "us-east1", "modified_on": NOW}
    edited = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "eu-west-1"}
    refused = {"origin_ip": "192.0.2.1", "error": "The region is unknown for vendor aws: 'nowhere'"}
    absent = {"origin_ip": "192.0.2.2", "error": "There is no mapping for 192.0.2.2"}
    vendors = results.pop("supported_regions")["vendors"]
    assert results == {
        "list none": setting([], None),
        "create": setting(first),
        "create again": [400, 1145],
        "edit": setting([first, second]),
        "list": setting([first, second]),
        "get": setting(first),
        "bulk_edit": setting({"succeeded": [edited], "failed": [refused]}),
        "bulk_edit none": setting({"succeeded": [], "failed": [refused]}, None),
        "delete": setting(second),
        "delete again": [404, 1163],
        "bulk_delete": setting({"succeeded": [{"origin_ip": "192.0.2.1"}], "failed": [absent]}),
        "get none": [404, 1142],
    }
    assert {vendor: [region["name"] for region in regions] for vendor, regions in vendors.items()} == {
        vendor: list(regions) for vendor, regions in REGIONS.items()
    }
