# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Getting to the service: credentials, their secrecy, zones by name, both generations, and what stands in the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from emulator.server import Emulator
from emulator.state import Zone

from .playbook import CORE, Play, Task, batch, checked, info, lookup, mapping, region, written

BAD_TOKEN = "cfemu-bad-Qm5Rz8Wd3Xk7Bt2Vn9Lc4"
BAD_KEY = "9b2d7f41e6a3c8059d1f7b4e2a6c3d8f0e5a1"
BAD_EMAIL = "nobody@emulator.example"
VARIABLES = {
    "api_token": "CLOUDFLARE_API_TOKEN",
    "api_email": "CLOUDFLARE_EMAIL",
    "api_key": "CLOUDFLARE_API_KEY",
}
NEW = mapping("192.0.2.10", "aws/us-west-2")
SEEDED = ["192.0.2.1: aws/us-east-1", "2001:db8::1: gcp/us-east1"]


def everything(zone: dict[str, str], **lookup_options: str) -> dict[str, Task]:
    """A task for each module and the lookup, all of which go well where they can reach a new zone."""
    return {
        "single": region(**zone, **NEW),
        "batch": batch([mapping("192.0.2.11", "aws/us-west-2")], **zone),
        "info": info(**zone),
        "lookup": lookup("oci", names_only=True, **zone, **lookup_options),
    }


def refused(port: int) -> str:
    """The address of a service that does not answer: nothing listens at the port any more."""
    return f"http://127.0.0.1:{port}/client/v4"


def test_token_and_address_of_the_environment(play: Play, emulator: Emulator, zone: Zone) -> None:
    run = play(
        {**everything({"zone_id": zone.id}), "task wins": info(zone_id=zone.id, api_token=BAD_TOKEN)},
        defaults={},
        environment={
            "CLOUDFLARE_API_TOKEN": emulator.token,
            "CLOUDFLARE_BASE_URL": f"{emulator.api_url}/",
            # The token goes before these.
            "CLOUDFLARE_EMAIL": BAD_EMAIL,
            "CLOUDFLARE_API_KEY": BAD_KEY,
        },
    )
    assert [name for name, outcome in run.outcomes.items() if outcome.failed] == ["task wins"]
    assert "HTTP 401" in run["task wins"].message
    assert {request.path.split("/")[1] for request in emulator.requests} == {"zones"}
    assert len(zone.values()) == 4


def test_key_of_the_environment(play: Play, emulator: Emulator, zone: Zone) -> None:
    run = play(
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
    run = play(
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


def test_zone_by_name(play: Play, emulator: Emulator, zone: Zone) -> None:
    other = emulator.add_zone("example.com", account="Other")
    alone = emulator.add_zone("example.net", account="Other")
    common = {"api_url": emulator.api_url, "api_token": emulator.token}
    run = play(
        {
            "one": info(zone="example.net"),
            "another spelling": info(zone="Example.NET."),
            "two": info(zone="example.com"),
            "two, in a batch": batch([NEW], zone="example.com", purge=True),
            "two, with account": info(zone="example.com", account_id=zone.account_id),
            "wrong account": info(zone="example.net", account_id=zone.account_id),
            "none": region(zone="example.org", **NEW),
            "lookup, one": lookup("aws", zone="example.net", **common),
            "lookup, two": lookup("aws", zone="example.com", **common),
        }
    )
    assert run["one"]["zone_id"] == run["another spelling"]["zone_id"] == alone.id
    assert run["two, with account"]["zone_id"] == zone.id
    assert written(run["two, with account"]["mappings"]) == SEEDED
    assert run["one"].cost == (2, 0)
    assert not run["lookup, one"].failed
    for name in ("two", "two, in a batch", "lookup, two"):
        message = run[name].message
        assert "ambiguous" in message
        assert "account_id" in message
        for found in (zone, other):
            assert found.id in message
            assert found.account_id in message
            assert found.account in message
    assert f"not in account {zone.account_id}" in run["wrong account"].message
    assert other.account_id in run["wrong account"].message
    assert "there is no example.org" in run["none"].message
    for name in ("two", "two, in a batch", "wrong account", "none"):
        assert run[name].cost == (1, 0)


def test_a_service_with_the_first_generation_only(play: Play, emulator: Emulator, zone: Zone) -> None:
    before = {"192.0.2.1": ("aws", "us-east-1"), "2001:db8::1": ("gcp", "us-east1")}
    moved = mapping("192.0.2.1", "aws/us-west-2")
    fleet = [moved, mapping("2001:DB8::2", "oci/us-ashburn-1")]

    def tasks(api_url: str) -> dict[str, Task]:
        common = {"api_url": api_url, "zone_id": zone.id}
        return {
            "check": checked(region(**common, **NEW)),
            "create": region(**common, **NEW),
            "other": region(**common, **moved, overwrite=False),
            "remove": region(**common, ip=NEW["origin_ip"], state="absent"),
            "batch": batch(fleet, **common, purge=True),
            "info": info(**common, supported_regions=True),
            "clear": batch(fleet, **common, state="absent"),
            "lookup": lookup("aws", api_token=emulator.token, **common),
        }

    emulator.generations = ["v1"]
    with Emulator(generations=["v2"]) as newer:
        assert newer.add_zone(zone.name, mappings=before).id == zone.id
        run = play(
            {
                **{f"v1, {name}": task for name, task in tasks(emulator.api_url).items()},
                **{f"v2, {name}": task for name, task in tasks(newer.api_url).items()},
            },
            also=[newer],
        )
        assert newer.requests

    def alike(task: str) -> Any:
        """A result without what may differ."""
        ignored = ("api_version", "modified_on", "deprecations", "warnings")
        return json.loads(
            json.dumps(run[task].result),
            object_hook=lambda it: {key: value for key, value in it.items() if key not in ignored},
        )

    for name in tasks(""):
        assert alike(f"v1, {name}") == alike(f"v2, {name}"), name
    for name, outcome in run.outcomes.items():
        if outcome.failed:
            continue
        if not name.endswith("lookup"):
            assert outcome["api_version"] == name[:2], name
        if name.endswith("lookup") and CORE < (2, 19):
            continue  # the result of a task does not have the warnings of its lookups yet
        told = json.dumps(outcome.result.get("deprecations"))
        assert ("2026-10-01" in told) is name.startswith("v1"), name
    assert "2026-10-01" in " ".join(run.stderr.split())
    assert {request.path.split("/")[3] for request in emulator.requests if request.status == 200} == {"cache"}


def test_the_generation_that_is_asked_for(play: Play, emulator: Emulator, zone: Zone) -> None:
    first = {"zone_id": zone.id, "api_version": "v1"}
    with Emulator(generations=["v1"]) as old, Emulator(generations=[]) as neither:
        run = play(
            {
                "auto": info(zone_id=zone.id),
                "v1": info(**first),
                "v1, create only": region(**first, **NEW, overwrite=False),
                "v1, take over": region(**first, **{**NEW, "region": "us-east-2"}),
                "v2": info(zone_id=zone.id, api_version="v2"),
                "v1, lookup": lookup("aws", api_url=emulator.api_url, api_token=emulator.token, **first),
                "missing: v2": info(zone_id=old.add_zone(zone.name).id, api_version="v2", api_url=old.api_url),
                "missing: both": batch([NEW], zone_id=neither.add_zone(zone.name).id, api_url=neither.api_url),
                "missing: zone": region(zone_id="0123456789abcdef0123456789abcdef", **NEW),
            }
        )
        assert neither.writes == []
    for name, outcome in run.outcomes.items():
        if name.startswith("missing"):
            assert "7003" in outcome.message
            assert "Check zone_id and api_url" in outcome.message
            continue
        assert not outcome.failed, name
        route = "/cache/origin_cloud_regions" if name.startswith("v1") else "/origin/cloud_regions"
        assert all(request.path.startswith(f"/zones/{zone.id}{route}") for request in outcome.requests), name
    assert [request.method for request in run["v1, create only"].requests] == ["GET", "POST"]
    assert [request.method for request in run["v1, take over"].requests] == ["GET", "PATCH"]
    assert [run[name]["api_version"] for name in ("auto", "v1", "v2")] == ["v2", "v1", "v2"]
    assert run["missing: zone"].writes == []


def test_tiered_cache_off(play: Play, emulator: Emulator) -> None:
    values = {f"192.0.2.{last}": ("aws", "us-east-1") for last in range(1, 5)}
    zone = emulator.add_zone("off.example", mappings=values, tiered_cache=False)
    kept = [mapping("192.0.2.1", "aws/us-east-1")]
    run = play(
        {
            "upsert": batch([NEW, *kept], zone_id=zone.id, purge=True),
            "upsert, check": checked(batch([NEW], zone_id=zone.id)),
            "right": batch(kept, zone_id=zone.id),
            "remove": batch([{"ip": "192.0.2.2"}, {"ip": "192.0.2.3"}], zone_id=zone.id, state="absent"),
            "purge": batch(kept, zone_id=zone.id, purge=True),
            "single, check": checked(region(zone_id=zone.id, **NEW)),
            "supported regions": info(zone_id=zone.id, supported_regions=True),
            "lookup": lookup(api_url=emulator.api_url, api_token=emulator.token, zone_id=zone.id),
        }
    )
    for name in ("upsert", "upsert, check", "supported regions", "lookup"):
        assert "Tiered Cache: turn it on for the zone" in run[name].message
        assert "argo/tiered_caching" in run[name].message
        assert run[name].writes == []
    assert written(run["upsert"]["pending"]) == [
        "192.0.2.10: aws/us-west-2",
        *(f"192.0.2.{last}: aws/us-east-1" for last in (2, 3, 4)),
    ]
    assert (run["right"].failed, run["right"].changed) == (False, False)
    assert written(run["remove"]["deleted"]) == ["192.0.2.2: aws/us-east-1", "192.0.2.3: aws/us-east-1"]
    assert written(run["purge"]["deleted"]) == ["192.0.2.4: aws/us-east-1"]
    warned = run["single, check"]
    assert (warned.failed, warned.changed, warned.writes) == (False, True, [])
    [warning] = warned["warnings"]
    assert "not verif" in warning
    assert "Tiered Cache" in warning
    assert list(zone.values()) == ["192.0.2.1"]


def test_failures_say_what_was_tried_and_what_to_do(play: Play, emulator: Emulator, zone: Zone) -> None:
    with Emulator() as gone:
        port = gone.port
    # On Linux this address reaches loopback, but nobody promises that it does.
    elsewhere = emulator.api_url.replace("127.0.0.1", "0.0.0.0")
    read_only = {"zone_id": zone.id, "api_token": emulator.read_only_token}
    down = {"zone_id": zone.id, "api_url": refused(port), "retries": 0}
    run = play(
        {
            "wrong token": info(zone_id=zone.id, api_token=BAD_TOKEN),
            "wrong token, zone by name": info(zone=zone.name, api_token=BAD_TOKEN),
            "reading with rights to read": info(**read_only),
            "writing with rights to read": region(**read_only, **NEW),
            "many with rights to read": batch([NEW], **read_only, purge=True),
            "down": info(**down),
            "down, in a batch": batch([NEW], **down),
            "down, in the lookup": lookup(api_token=emulator.token, **down),
            "not loopback": region(zone_id=zone.id, api_url=elsewhere, **NEW),
            "not loopback, in the lookup": lookup(zone_id=zone.id, api_url=elsewhere, api_token=emulator.token),
        }
    )
    wrong = run["wrong token"]
    for part in (zone.id, "HTTP 401", "Authentication error", "code 10000", "Check that the credentials are valid"):
        assert part in wrong.message
    assert (wrong["status"], [error["code"] for error in wrong["errors"]]) == (401, [10000])
    assert zone.name in run["wrong token, zone by name"].message
    assert not run["reading with rights to read"].failed
    single, many = run["writing with rights to read"], run["many with rights to read"]
    for outcome in (single, many):
        for part in (zone.id, "HTTP 403", "code 10000", "the token may only read"):
            assert part in outcome.message
        assert not outcome.changed
        assert len(outcome.writes) == 1
    assert written(many["failed_items"]) == ["192.0.2.10: aws/us-west-2"]
    assert written(many["pending"]) == SEEDED
    assert many["summary"] == {"created": 0, "updated": 0, "deleted": 0, "unchanged": 0, "failed": 1, "pending": 2}
    for name in ("down", "down, in a batch", "down, in the lookup"):
        assert "refused" in run[name].message
        assert f"127.0.0.1:{port}" in run[name].message
    assert run["down, in a batch"]["summary"]["created"] == 0
    for name in ("not loopback", "not loopback, in the lookup"):
        assert "is not https" in run[name].message
        assert run[name].requests == []
    assert written(run["reading with rights to read"]["mappings"]) == SEEDED
    assert len(zone.values()) == 2


def telltale(environ: dict[str, Any], start_response: Any) -> Any:
    """A service that repeats in its answer what it was sent."""
    headers = Request(environ).headers
    heard = " ".join(headers.get(name, "") for name in ("Authorization", "X-Auth-Key"))
    envelope = {"success": False, "errors": [{"code": 1000, "message": f"Heard {heard}"}], "result": None}
    return Response(json.dumps(envelope), 400, mimetype="application/json")(environ, start_response)


@pytest.mark.parametrize("names", [("api_token",), ("api_email", "api_key")], ids=["token", "key"])
@pytest.mark.parametrize("in_environment", [False, True], ids=["task", "environment"])
def test_no_secret_and_no_traceback_however_verbose(
    play: Play, emulator: Emulator, zone: Zone, names: tuple[str, ...], in_environment: bool
) -> None:
    values = {"api_token": emulator.token, "api_email": emulator.email, "api_key": emulator.key}
    # As users do it: the tasks refer to variables, which come from elsewhere.
    options = {} if in_environment else {name: f"{{{{ {name} }}}}" for name in names}
    environment = {VARIABLES[name]: values[name] for name in names} if in_environment else {}
    fleet = [mapping("192.0.2.11", "aws/us-west-2"), mapping("192.0.2.300", "aws/us-east-1")]
    good = {"zone_id": zone.id, **options}
    url = {"api_url": emulator.api_url}
    with Emulator() as echo:
        echo.api.wsgi_app = telltale  # type: ignore[method-assign]
        run = play(
            {
                "single": region(**good, **NEW),
                "batch": batch(fleet, **good, on_invalid="skip"),
                "lookup": lookup("oci", **good, **url),
                "bad option": region(**good, **{**NEW, "vendor": "awz"}),
                "bad lookup": lookup("awz", **good, **url),
                "unknown option of the lookup": lookup(fitler=1, **good, **url),
                "refused": batch(fleet, zone_id=zone.id, api_token="{{ bad_token }}", on_invalid="skip"),
                "refused lookup": lookup(zone_id=zone.id, api_token="{{ bad_token }}", **url),
                "told on": info(**good, api_url=echo.api_url),
                "told on by the lookup": lookup(**good, api_url=echo.api_url),
            },
            "-vvvv",
            "--diff",
            defaults=url,
            variables={**values, "bad_token": BAD_TOKEN},
            environment=environment,
        )
    assert [name for name, outcome in run.outcomes.items() if not outcome.failed] == ["single", "batch", "lookup"]
    for name in ("told on", "told on by the lookup"):
        # Without this the secret was not at risk.
        assert "Heard" in run[name].message
        assert "********" in run[name].message
    assert "Traceback (most recent call last)" not in run.output
    for secret in (emulator.token, emulator.key, BAD_TOKEN):
        assert secret not in run.output
        assert secret not in repr(emulator.requests)
