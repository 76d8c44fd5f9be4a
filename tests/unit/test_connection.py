# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Common options: validation before requests, credentials, zones by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._argspec import ARGUMENT_SPEC
from ansible_collections.originops.cloudflare.plugins.module_utils._connection import open_zone
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import (
    CloudflareError,
    InvalidInput,
    OriginOpsError,
)
from ansible_collections.originops.cloudflare.plugins.plugin_utils._in_process import option_problems
from emulator.server import Emulator
from support.operations import options
from support.stub import Response, Stub, in_turn, success
from support.values import TOKEN, ZONE_ID


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub(in_turn(success([]))) as stub:
        yield stub


def zone_of(url: str, **chosen: Any) -> str:
    """Return the identifier of the zone of these options."""
    with open_zone(options(url, **chosen)) as zone:
        return zone.id


def rejection(url: str, **chosen: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        zone_of(url, **chosen)
    assert str(refused.value).isprintable()
    return str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.cloudflare.com/client/v4",
        "https://api.cloudflare.com/client/v4/",
        "https://api.cloudflare.com:8443",
        "HTTPS://API.CLOUDFLARE.COM/client/v4",
        "https://[2001:db8::1]:8443/",
        "http://127.0.0.1",
        "http://127.8.9.10:1/",
        "http://[::1]:80/",
        "http://localhost:8790",
        "http://LOCALHOST/client/v4",
    ],
)
def test_accepted_api_urls(url: str) -> None:
    assert zone_of(url) == ZONE_ID


@pytest.mark.parametrize(
    "url",
    [
        "http://api.cloudflare.com/client/v4",
        "http://192.0.2.1",
        "http://0.0.0.0",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1%2eexample.com",
        "http://localhost.example.com",
        "http://[::1]example.com/",
        "http://2130706433",
        "http://0177.0.0.1",
        "http://127.1",
        "http://127.0.0.1\\.example.com",
        "http://127.0.0.1;example.com",
        "http://127.0.0.1@example.com",
        "http://127.0.0.1\\@example.com",
        "https://someone:secret@api.cloudflare.com",
        "http://127.0.0.1#.example.com",
        "https://api.cloudflare.com/client/v4?page=2",
        "https://api.cloudflare.com/client/v4#top",
        "http:///127.0.0.1",
        "http:127.0.0.1",
        "localhost:8790",
        "api.cloudflare.com/client/v4",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "https://",
        "https://api.cloudflare.com:port",
        "https://api.cloudflare.com:99999",
        "https://[::1",
        "http://127.0.0.1 .example.com",
        " https://api.cloudflare.com",
        "https://api.cloudflare.com\n",
        "ht\ntp://127.0.0.1",
        "https://api.cloudflare.com/\r\nX-Header: 1",
        "http://\uff11\uff12\uff17.0.0.1",
        "http://\u24dbocalhost",
        "x" * 5000,
    ],
)
def test_refused_api_urls(url: str) -> None:
    refusal = rejection(url)
    assert refusal.startswith("api_url")
    assert "secret" not in refusal
    assert len(refusal) < 300


@pytest.mark.parametrize("tail", ["", "/", "//"])
def test_a_trailing_slash_of_the_api_url_does_not_matter(stub: Stub, tail: str) -> None:
    with open_zone(options(f"{stub.url}/client/v4{tail}")) as zone:
        zone.client.call("Trying", "GET", "/zones")
    assert [request.path for request in stub.requests] == ["/client/v4/zones"]


def test_the_api_url_of_the_environment(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", stub.url)
    with open_zone(options("", api_url=None)) as zone:
        zone.client.call("Trying", "GET", "/zones")
    assert len(stub.requests) == 1
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", "http://api.example.com")
    assert rejection("", api_url=None).startswith("api_url")
    assert zone_of(stub.url) == ZONE_ID


@pytest.mark.parametrize("value", ["", None])
def test_the_api_url_without_environment(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("CLOUDFLARE_BASE_URL", value)
    assert zone_of("", api_url=None) == ZONE_ID


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("timeout", 0),
        ("timeout", -1),
        ("timeout", "nan"),
        ("timeout", "inf"),
        ("timeout", "-inf"),
        ("timeout", 3600.5),
        ("timeout", 1e300),
        ("retries", -1),
        ("ca_path", "/there/is/no/such/file"),
        ("account_id", "a/b"),
        ("account_id", "../x"),
        ("api_token", ""),
        ("api_url", "http://192.0.2.1"),
    ],
)
def test_options_are_checked_before_the_first_request(stub: Stub, option: str, value: object) -> None:
    chosen = {"zone_id": None, "zone": "example.com", option: value}
    assert option in rejection(stub.url, **chosen)
    assert stub.connections == 0


@pytest.mark.parametrize("timeout", [0.001, 30, 3600])
def test_accepted_timeouts(timeout: float) -> None:
    assert zone_of("http://127.0.0.1", timeout=timeout) == ZONE_ID


@pytest.mark.parametrize("zone_id", ["0", "a" * 32, ZONE_ID, ZONE_ID.upper()])
def test_accepted_identifiers(zone_id: str) -> None:
    assert zone_of("http://127.0.0.1", zone_id=zone_id) == zone_id


@pytest.mark.parametrize(
    "zone_id",
    [
        "a" * 33,
        "../user",
        f"{ZONE_ID}/",
        f"{ZONE_ID}\n",
        "a%2f",
        "a\\b",
        "example.com",
        "023e105f-4ecef8ad",
        "\u0663",
        "\x00",
    ],
)
def test_refused_identifiers(zone_id: str) -> None:
    assert "1 to 32 letters and digits" in rejection("http://127.0.0.1", zone_id=zone_id)


def test_an_option_name_that_is_not_text() -> None:
    assert option_problems({1: "x"}, ARGUMENT_SPEC)[0].startswith("option 1 is unknown: ")


@pytest.mark.parametrize("name", [None, "", " ", "\n"])
@pytest.mark.parametrize("zone_id", [None, "", " ", "\n"])
def test_null_and_empty_zones_count_as_not_set(stub: Stub, zone_id: str | None, name: str | None) -> None:
    chosen = {**options(stub.url), "zone_id": zone_id, "zone": name}
    with pytest.raises(InvalidInput, match="one of the following is required: zone_id, zone"), open_zone(chosen):
        pass
    assert stub.connections == 0
    with open_zone({**chosen, "zone_id": ZONE_ID, "account_id": zone_id}) as zone:
        assert (zone.id, zone.label) == (ZONE_ID, ZONE_ID)


EMAIL, KEY = "task@example.com", "task-key-5Xw9"
ENVIRONMENT = {
    "CLOUDFLARE_API_TOKEN": "environment-token-8Hq2",
    "CLOUDFLARE_EMAIL": "environment@example.com",
    "CLOUDFLARE_API_KEY": "environment-key-3Rt7",
}


def only(*names: str) -> dict[str, str]:
    return {f"CLOUDFLARE_{name}": ENVIRONMENT[f"CLOUDFLARE_{name}"] for name in names}


@pytest.mark.parametrize(
    ("task", "environment", "sent"),
    [
        pytest.param({"api_token": TOKEN}, {}, (f"Bearer {TOKEN}", None, None), id="token"),
        pytest.param({"api_token": TOKEN}, ENVIRONMENT, (f"Bearer {TOKEN}", None, None), id="token-of-task-wins"),
        pytest.param({"api_email": EMAIL, "api_key": KEY}, {}, (None, EMAIL, KEY), id="key"),
        pytest.param({"api_email": EMAIL, "api_key": KEY}, ENVIRONMENT, (None, EMAIL, KEY), id="key-of-task-wins"),
        pytest.param({}, ENVIRONMENT, ("Bearer environment-token-8Hq2", None, None), id="token-of-environment-first"),
        pytest.param(
            {},
            only("EMAIL", "API_KEY"),
            (None, "environment@example.com", "environment-key-3Rt7"),
            id="key-of-environment",
        ),
        pytest.param(
            {},
            {**ENVIRONMENT, "CLOUDFLARE_API_TOKEN": ""},
            (None, "environment@example.com", "environment-key-3Rt7"),
            id="empty-variable-is-none",
        ),
        pytest.param({"api_key": KEY}, ENVIRONMENT, (None, "environment@example.com", KEY), id="email-of-environment"),
        pytest.param({"api_email": EMAIL}, ENVIRONMENT, (None, EMAIL, "environment-key-3Rt7"), id="only-key-there"),
    ],
)
def test_credentials(
    stub: Stub,
    monkeypatch: pytest.MonkeyPatch,
    task: Mapping[str, str],
    environment: Mapping[str, str],
    sent: tuple[str | None, str | None, str | None],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with open_zone(options(stub.url, **{"api_token": None, **task})) as zone:
        zone.client.call("Trying", "GET", "/zones")
    [request] = stub.requests
    assert tuple(request.headers[name] for name in ("Authorization", "X-Auth-Email", "X-Auth-Key")) == sent


@pytest.mark.parametrize(
    ("task", "environment", "part"),
    [
        pytest.param({}, {}, "CLOUDFLARE_API_TOKEN", id="none"),
        pytest.param({"api_key": KEY}, {}, "required together", id="key-only"),
        pytest.param({"api_email": EMAIL}, {}, "required together", id="email-only"),
        pytest.param({"api_email": EMAIL}, only("API_TOKEN"), "required together", id="token-does-not-complete-a-key"),
        pytest.param({}, only("EMAIL"), "required together", id="email-of-environment-only"),
        pytest.param({"api_token": "two secrets"}, {}, "blanks", id="token-with-blank"),
        pytest.param({"api_token": "secret\u0142"}, {}, "ASCII", id="token-beyond-ascii"),
        pytest.param({"api_token": ""}, ENVIRONMENT, "api_token is empty", id="empty-token"),
        pytest.param({"api_email": "", "api_key": KEY}, {}, "api_email is empty", id="empty-email"),
    ],
)
def test_refused_credentials(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, task: Mapping[str, str], environment: Mapping[str, str], part: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    refusal = rejection(stub.url, **{"api_token": None, "zone_id": None, "zone": "example.com", **task})
    assert part in refusal
    assert "secret" not in refusal
    assert stub.connections == 0


def test_errors_carry_the_zone() -> None:
    def fail() -> None:
        with open_zone(options("http://127.0.0.1")):
            raise OriginOpsError("something went wrong")

    with pytest.raises(OriginOpsError) as failed:
        fail()
    assert failed.value.result == {"zone_id": ZONE_ID}


def find(emulator: Emulator, name: str, **chosen: Any) -> str:
    return zone_of(emulator.api_url, zone_id=None, zone=name, **chosen)


@pytest.mark.parametrize("name", ["example.com", "Example.COM", " example.com ", "example.com."])
def test_a_zone_by_name_takes_one_request(emulator: Emulator, name: str) -> None:
    emulator.add_zone("other.example.com")
    zone = emulator.add_zone("example.com")
    assert find(emulator, name) == zone.id
    [request] = emulator.requests
    assert (request.path, request.query["name"]) == ("/zones", "example.com")


def test_an_unknown_zone(emulator: Emulator) -> None:
    emulator.add_zone("example.com")
    with pytest.raises(InvalidInput, match=r"no example\.net that these credentials can read"):
        find(emulator, "example.net")
    assert len(emulator.requests) == 1


def test_a_name_in_more_than_one_account(emulator: Emulator) -> None:
    zones = [emulator.add_zone("example.com", account=account) for account in ("One", "Two")]
    with pytest.raises(InvalidInput, match="ambiguous, set account_id or zone_id") as refused:
        find(emulator, "example.com")
    for zone in zones:
        for part in (zone.id, zone.account_id, zone.account):
            assert part in str(refused.value)
        assert find(emulator, "example.com", account_id=zone.account_id) == zone.id
    with pytest.raises(InvalidInput, match="not in account f00d"):
        find(emulator, "example.com", account_id="f00d")


def test_an_account_is_checked_for_a_unique_name_too(emulator: Emulator) -> None:
    zone = emulator.add_zone("example.com")
    assert find(emulator, "example.com", account_id=zone.account_id) == zone.id
    with pytest.raises(InvalidInput, match="not in account f00d"):
        find(emulator, "example.com", account_id="f00d")


@pytest.mark.parametrize("name", [".", "a/b", "../x", "a?b", "a#b", "two zones", "a\nb", "a\x00b", "x" * 254])
def test_refused_names(stub: Stub, name: str) -> None:
    assert "is not the name of a zone" in rejection(stub.url, zone_id=None, zone=name)
    assert stub.connections == 0


@pytest.mark.parametrize("name", ["a&name=b.example", "a%2f..", "a+b", "ü.example", "=", "*"])
def test_a_name_is_a_single_query_parameter(stub: Stub, name: str) -> None:
    with pytest.raises(InvalidInput, match="there is no"):
        zone_of(stub.url, zone_id=None, zone=name)
    [request] = stub.requests
    assert request.path.startswith("/zones?name=")
    assert request.path.count("name=") == 1


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        5,
        "example.com",
        [None],
        [5],
        [{}],
        [{"id": "1", "name": "example.com"}],
        [{"id": "1", "name": None, "account": {"id": "2", "name": "One"}}],
        [{"id": None, "name": "example.com", "account": {"id": "2", "name": "One"}}],
        [{"id": ["1"], "name": "example.com", "account": {"id": "2", "name": "One"}}],
        [{"id": "../user", "name": "example.com", "account": {"id": "2", "name": "One"}}],
        [{"id": "1", "name": "example.com", "account": None}],
    ],
    ids=str,
)
def test_unexpected_responses_about_zones(result: object) -> None:
    with Stub(in_turn(success(result))) as stub, pytest.raises((CloudflareError, InvalidInput)):
        zone_of(stub.url, zone_id=None, zone="example.com")
    assert len(stub.requests) == 1


def test_a_zone_of_another_name_is_never_taken() -> None:
    other = {"id": "1", "name": "example.net", "account": {"id": "2", "name": "One"}}
    with Stub(in_turn(success([other]))) as stub:
        assert "there is no example.com" in rejection(stub.url, zone_id=None, zone="example.com")


def test_texts_of_the_service_are_cleaned_in_messages() -> None:
    zones = [
        {"id": str(number), "name": "example.com", "account": {"id": "2", "name": TOKEN + "\n"}} for number in (1, 2)
    ]
    with Stub(in_turn(success(zones))) as stub:
        assert TOKEN not in rejection(stub.url, zone_id=None, zone="example.com")


def test_a_failed_look_up_names_the_zone() -> None:
    with (
        Stub(in_turn(Response(403, b"Forbidden"))) as stub,
        pytest.raises(CloudflareError, match=r"Looking up the zone example\.com failed: HTTP 403"),
    ):
        zone_of(stub.url, zone_id=None, zone="example.com")
