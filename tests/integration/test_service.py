# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access to the service: environment, module_defaults, only v1."""

from __future__ import annotations

import json

from emulator.server import Emulator
from emulator.state import Zone

from .playbook import CORE, Play, Task, batch, info, lookup, mapping, region, written

BAD_TOKEN = "cfemu-bad-Qm5Rz8Wd3Xk7Bt2Vn9Lc4"
BAD_KEY = "9b2d7f41e6a3c8059d1f7b4e2a6c3d8f0e5a1"
BAD_EMAIL = "nobody@emulator.example"
NEW = mapping("192.0.2.10", "aws/us-west-2")
SEEDED = ["192.0.2.1: aws/us-east-1", "2001:db8::1: gcp/us-east1"]


def everything(zone: dict[str, str], **lookup_options: str) -> dict[str, Task]:
    """Return a task for each module and the lookup, each valid in a new zone."""
    return {
        "single": region(**zone, **NEW),
        "batch": batch([mapping("192.0.2.11", "aws/us-west-2")], **zone),
        "info": info(**zone),
        "lookup": lookup("oci", names_only=True, **zone, **lookup_options),
    }


def test_token_and_address_of_the_environment(play: Play, emulator: Emulator, zone: Zone) -> None:
    run = play.once(
        {**everything({"zone_id": zone.id}), "task wins": info(zone_id=zone.id, api_token=BAD_TOKEN)},
        defaults={},
        environment={
            "CLOUDFLARE_API_TOKEN": emulator.token,
            "CLOUDFLARE_BASE_URL": f"{emulator.api_url}/",
            # The token takes precedence over these.
            "CLOUDFLARE_EMAIL": BAD_EMAIL,
            "CLOUDFLARE_API_KEY": BAD_KEY,
        },
    )
    assert [name for name, outcome in run.outcomes.items() if outcome.failed] == ["task wins"]
    assert "HTTP 401" in run["task wins"].message
    assert {request.path.split("/")[1] for request in emulator.requests} == {"zones"}
    assert len(zone.values()) == 4


def test_key_of_the_environment(play: Play, emulator: Emulator, zone: Zone) -> None:
    run = play.once(
        {
            **everything({"zone_id": zone.id}, api_url=emulator.api_url),
            "e-mail of the task": info(zone_id=zone.id, api_email=BAD_EMAIL),
        },
        defaults={"api_url": emulator.api_url},
        environment={
            "CLOUDFLARE_EMAIL": emulator.email,
            "CLOUDFLARE_API_KEY": emulator.key,
            "CLOUDFLARE_BASE_URL": "http://127.0.0.1:1/",
        },
    )
    assert [name for name, outcome in run.outcomes.items() if outcome.failed] == ["e-mail of the task"]
    assert "code 9109" in run["e-mail of the task"].message


def test_credentials_of_the_task_win_over_the_environment(play: Play, emulator: Emulator, zone: Zone) -> None:
    url = {"api_url": emulator.api_url}
    token, key = {"api_token": emulator.token}, {"api_email": emulator.email, "api_key": emulator.key}
    run = play.once(
        {
            "token": region(zone_id=zone.id, **NEW, **token),
            "key": info(zone_id=zone.id, **key),
            "token, lookup": lookup(zone_id=zone.id, **token, **url),
            "key, lookup": lookup(zone_id=zone.id, **key, **url),
            "environment": info(zone_id=zone.id),
            "environment, lookup": lookup(zone_id=zone.id, **url),
        },
        defaults=url,
        environment={
            "CLOUDFLARE_API_TOKEN": BAD_TOKEN,
            "CLOUDFLARE_EMAIL": BAD_EMAIL,
            "CLOUDFLARE_API_KEY": BAD_KEY,
        },
    )
    assert [name for name, outcome in run.outcomes.items() if outcome.failed] == ["environment", "environment, lookup"]
    for name in ("environment", "environment, lookup"):
        assert "HTTP 401" in run[name].message


def test_module_defaults_of_the_group_reach_all_modules(play: Play, emulator: Emulator, zone: Zone) -> None:
    run = play(
        {"single": region(**NEW), "batch": batch([NEW]), "info": info()},
        defaults={
            "api_url": emulator.api_url,
            "api_email": emulator.email,
            "api_key": emulator.key,
            "zone": zone.name,
            "account_id": zone.account_id,
        },
    )
    assert [outcome.changed for outcome in run.outcomes.values()] == [True, False, False]
    assert {outcome["zone_id"] for outcome in run.outcomes.values()} == {zone.id}


def test_a_service_with_v1_only(play: Play, emulator: Emulator, zone: Zone) -> None:
    emulator.api_versions = ["v1"]
    common = {"api_url": emulator.api_url, "api_token": emulator.token, "zone_id": zone.id}
    run = play(
        {
            "single": region(**NEW, zone_id=zone.id),
            "batch": batch([NEW, mapping("2001:DB8::2", "oci/us-ashburn-1")], zone_id=zone.id, purge=True),
            "info": info(zone_id=zone.id, supported_regions=True),
            "lookup": lookup("aws", **common),
        }
    )
    assert [run[name]["api_version"] for name in ("single", "batch", "info")] == ["v1"] * 3
    assert run["batch"]["summary"]["deleted"] == len(SEEDED)
    assert written(run["info"]["mappings"]) == ["192.0.2.10: aws/us-west-2", "2001:db8::2: oci/us-ashburn-1"]
    for name, outcome in run.outcomes.items():
        if name == "lookup" and CORE < (2, 19):
            continue  # the result of a task does not have the warnings of its lookups yet
        assert "2026-10-01" in json.dumps(outcome["deprecations"]), name
    assert "2026-10-01" in " ".join(run.stderr.split())
