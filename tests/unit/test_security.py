# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security: credentials and contents of requests, bounds of responses."""

from __future__ import annotations

import json
import time
import tracemalloc
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from ipaddress import ip_address
from itertools import repeat
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis.strategies import SearchStrategy, characters, from_regex, ip_addresses, one_of, sampled_from, text

from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._client import MAX_RESPONSE_BYTES
from ansible_collections.originops.cloudflare.plugins.module_utils._connection import open_zone
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError, InvalidInput
from ansible_collections.originops.cloudflare.plugins.module_utils._info import read_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._messages import mask
from ansible_collections.originops.cloudflare.plugins.module_utils._single import ensure_mapping
from emulator.server import HOST
from support.network import DAY, Authority, Proxy
from support.operations import Operation, options, perform
from support.stub import Request, Response, Stub, failure, in_turn, success
from support.values import TOKEN, ZONE_ID

DONE = success({"done": True})
KEY = "cfemu-key-Zk7Wq2Lx9Vb4Nc6Ty8Rm3Ps5Hd1Jf"
TOKEN_FORM = {"api_token": TOKEN}
KEY_FORM = {"api_token": None, "api_email": "operator@emulator.example", "api_key": KEY}
FORMS = [pytest.param(TOKEN_FORM, id="token"), pytest.param(KEY_FORM, id="key")]
SECRETS = (TOKEN, KEY)


def call(url: str, **chosen: Any) -> Any:
    """Return the result of one call by a client with these options."""
    with open_zone(options(url, **chosen)) as zone:
        return zone.client.call("Trying it", "GET", "/it")


def error_of(url: str, **chosen: Any) -> str:
    with pytest.raises(CloudflareError) as failed:
        call(url, **chosen)
    assert str(failed.value).startswith("Trying it failed: ")
    assert str(failed.value).isprintable()
    assert all(secret not in f"{failed.value} {failed.value.result}" for secret in SECRETS)
    return str(failed.value)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub(in_turn(DONE)) as stub:
        yield stub


# Certificates


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def encrypted(authority: Authority) -> Iterator[Stub]:
    """Serve with a certificate of the authority."""
    with Stub(in_turn(DONE), authority.context) as stub:
        yield stub


@pytest.fixture
def paths(authority: Authority, tmp_path: Path) -> dict[str, str]:
    """Return the paths for TLS settings."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    return {
        "right": str(authority.path),
        "folder": str(authority.as_folder()),
        "wrong": str(Authority(elsewhere).path),
        "missing": str(tmp_path / "missing.pem"),
    }


ENVIRONMENTS: list[tuple[dict[str, str], bool]] = [
    ({}, False),
    ({"REQUESTS_CA_BUNDLE": "right"}, True),
    ({"REQUESTS_CA_BUNDLE": "folder"}, True),
    ({"REQUESTS_CA_BUNDLE": "wrong"}, False),
    ({"REQUESTS_CA_BUNDLE": "missing"}, False),
    ({"CURL_CA_BUNDLE": "right"}, True),
    ({"CURL_CA_BUNDLE": "wrong"}, False),
    ({"REQUESTS_CA_BUNDLE": "wrong", "CURL_CA_BUNDLE": "right"}, False),
]
"""CA variables, and True if the service is trusted without any option."""

OPTIONS: list[tuple[dict[str, Any], bool | None]] = [
    ({}, None),
    ({"validate_certs": True}, None),
    ({"validate_certs": False}, True),
    ({"ca_path": "right"}, True),
    ({"ca_path": "folder"}, True),
    ({"ca_path": "wrong"}, False),
    ({"ca_path": "wrong", "validate_certs": False}, True),
]
"""TLS options, and True if they make the service trusted.

None means that the environment decides.
"""


@pytest.mark.parametrize(
    ("chosen", "variables", "trusted"),
    [
        pytest.param(chosen, variables, by_environment if decided is None else decided, id=f"{chosen}-{variables}")
        for chosen, decided in OPTIONS
        for variables, by_environment in (ENVIRONMENTS if decided is None else ENVIRONMENTS[1:4:2])
    ],
)
def test_options_decide_on_trust_and_then_the_environment(
    *,
    encrypted: Stub,
    monkeypatch: pytest.MonkeyPatch,
    paths: Mapping[str, str],
    chosen: Mapping[str, Any],
    variables: Mapping[str, str],
    trusted: bool,
) -> None:
    for variable, path in variables.items():
        monkeypatch.setenv(variable, paths[path])
    named = {name: paths.get(value, value) for name, value in chosen.items()}
    if trusted:
        assert call(encrypted.url, **named) == {"done": True}
    else:
        assert "certificate" in error_of(encrypted.url, **named).lower()
        assert encrypted.requests == []


def test_no_thread_prints_a_warning(encrypted: Stub) -> None:
    """Check that no warning is printed: the thread could wait for ever.

    Before ansible-core 2.19 the main thread of a worker has the lock for printing.
    """
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DeprecationWarning)  # as Python does outside of tests
        assert call(encrypted.url, validate_certs=False) == {"done": True}
    assert [str(warning.message) for warning in shown] == []


@pytest.mark.parametrize(
    ("host", "valid_for", "part"),
    [
        pytest.param(HOST, timedelta(seconds=-1), "expired", id="expired"),
        pytest.param("127.0.0.2", DAY, "127.0.0.1", id="of-another-host"),
    ],
)
def test_a_trusted_authority_with_an_unsuitable_certificate(
    authority: Authority, host: str, valid_for: timedelta, part: str
) -> None:
    with Stub(in_turn(DONE), authority.serving(host, valid_for=valid_for)) as stub:
        assert part in error_of(stub.url, ca_path=str(authority.path), retries=5)
    assert (stub.requests, stub.connections) == ([], 1)


def test_an_unknown_certificate_is_refused_at_once(encrypted: Stub) -> None:
    assert "certificate" in error_of(encrypted.url, retries=5)
    assert (encrypted.requests, encrypted.connections) == ([], 1)


def test_a_ca_path_without_certificates(encrypted: Stub, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    error_of(encrypted.url, ca_path=str(empty), retries=5)
    assert encrypted.requests == []


# Proxies, redirects, .netrc


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("form", FORMS)
def test_a_proxy_of_the_environment_sees_no_secret(
    authority: Authority, encrypted: Stub, monkeypatch: pytest.MonkeyPatch, variable: str, form: Mapping[str, Any]
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv(variable, f"http://someone:proxy-password@{HOST}:{proxy.port}")
        assert call(encrypted.url, ca_path=str(authority.path), **form) == {"done": True}
    [request] = encrypted.requests
    # A part of the message is shown, without the credentials of the proxy.
    assert proxy.received.startswith(f"CONNECT {HOST}:{encrypted.server_port} ".encode())
    assert b"Proxy-Authorization: Basic" in proxy.received
    assert "Proxy-Authorization" not in request.headers
    assert any(secret in str(request.headers) for secret in SECRETS)
    for never in (*SECRETS, "X-Auth", "Bearer", "operator@", "/it"):
        assert never.encode() not in proxy.received


def test_a_certificate_is_checked_through_a_proxy_too(encrypted: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{HOST}:{proxy.port}")
        assert "certificate" in error_of(encrypted.url)
    assert proxy.received.startswith(b"CONNECT ")
    assert encrypted.requests == []


def test_no_proxy_excludes_a_host(authority: Authority, encrypted: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{HOST}:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", HOST)
        assert call(encrypted.url, ca_path=str(authority.path)) == {"done": True}
    assert proxy.received == b""


@pytest.mark.parametrize("form", FORMS)
def test_a_refusing_proxy_sees_no_secret(monkeypatch: pytest.MonkeyPatch, form: Mapping[str, Any]) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with Proxy(refusal) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:proxy-password@{HOST}:{proxy.port}")
        error = error_of("https://api.cloudflare.invalid/client/v4", **form)
    assert "407" in error
    assert "proxy-password" not in error
    assert not any(secret.encode() in proxy.received for secret in SECRETS)


@pytest.mark.parametrize(
    "proxy",
    [
        "http://someone:some#password@127.0.0.1:1",
        "http://someone:some/password@127.0.0.1:1",
        "http://someone:some?password@127.0.0.1:1",
        "http://someone:somepassword@127.0.0.1:port",
        "someone:some password@127.0.0.1",
        "socks5://someone:somepassword@127.0.0.1:1",
    ],
)
def test_the_password_of_an_unusable_proxy_is_masked(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert "some" not in error_of("https://api.cloudflare.invalid/client/v4")


@pytest.mark.parametrize("form", FORMS)
def test_loopback_is_reached_without_the_proxies_of_the_environment(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, form: Mapping[str, Any]
) -> None:
    with Proxy() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{HOST}:{proxy.port}")
        call(stub.url, **form)
    assert (proxy.received, len(stub.requests)) == (b"", 1)


def test_http_to_elsewhere_opens_no_connection(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", stub.url)
    # The first would reach the stub through the proxy, the second on systems where it means this host.
    for url in ("http://192.0.2.1/client/v4", f"http://0.0.0.0:{stub.server_port}"):
        with pytest.raises(InvalidInput, match="is not https"):
            call(url)
    assert stub.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("form", FORMS)
def test_credentials_are_not_redirected(
    authority: Authority, encrypted: Stub, stub: Stub, form: Mapping[str, Any], status: int
) -> None:
    """Redirect to the same host, to another, and out of TLS."""
    with Stub(in_turn(DONE), authority.context) as other:
        targets = [f"{encrypted.url}/other", "/other", f"{other.url}/it", f"//{HOST}:{other.server_port}/it", stub.url]
        encrypted.responder = in_turn(*(Response(status, headers={"Location": target}) for target in targets))
        for _target in targets:
            assert "a redirect" in error_of(encrypted.url, ca_path=str(authority.path), **form)
    assert [request.path for request in encrypted.requests] == ["/it"] * len(targets)
    assert (other.connections, stub.connections) == (0, 0)


@pytest.mark.parametrize("target", ["http://[", "//[", "http://:port", "\xff\xfe", "https://\xe9.example", "\t", ""])
def test_the_target_of_a_redirect_is_not_parsed(stub: Stub, target: str) -> None:
    stub.responder = in_turn(Response(302, headers={"Location": target}))
    assert "HTTP 302: a redirect, which is not followed" in error_of(stub.url, retries=5)
    assert len(stub.requests) == 1


@pytest.mark.parametrize("form", FORMS)
def test_a_netrc_file_is_ignored(
    authority: Authority, encrypted: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: Mapping[str, Any]
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {HOST} login someone password else\ndefault login x password y\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with Stub(in_turn(DONE)) as plain:
        call(plain.url, **form)
    call(encrypted.url, ca_path=str(authority.path), **form)
    token, key = (f"Bearer {TOKEN}", None) if form is TOKEN_FORM else (None, KEY)
    for request in plain.requests + encrypted.requests:
        assert request.headers.get_all("Authorization", [None]) == [token]
        assert request.headers.get_all("X-Auth-Key", [None]) == [key]


def test_secrets_are_masked_everywhere_in_a_result() -> None:
    result = {"a": [{"msg": "with token-1 and token-12", "n": 12, "none": None}, ("token-1",)], "token": True}
    assert mask(result, ["token-1", "", "token-12"]) == {
        "a": [
            {"msg": "with ******** and ********", "n": 12, "none": None},
            ["VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"],
        ],
        "token": True,
    }


# Contents of requests


@pytest.fixture(scope="module")
def silent() -> Iterator[Stub]:
    """Serve neither mappings nor zones."""

    def response(request: Request) -> Response:
        return success([]) if request.path.startswith("/zones?") else failure(404, 1142)

    with Stub(response) as stub:
        yield stub


CONTROLS = [*map(chr, range(1, 0x20)), "\x7f", "\x80", "\x85", "\x9b", "\u2028", "\u2029", "\u202e", "\ufeff"]
ORIGIN = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
PLACES = ("{}secret", "sec{}ret", "secret{}")


def rejection(operation: Operation, stub: Stub, **chosen: Any) -> str:
    """Return the error of an operation refused before its first request."""
    before = stub.connections
    with pytest.raises(InvalidInput) as refused:
        perform(operation, stub.url, **chosen)
    assert stub.connections == before
    assert str(refused.value).isprintable()
    return str(refused.value)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("option", ["api_token", "api_email", "api_key"])
def test_control_characters_in_credentials_are_refused(
    silent: Stub, monkeypatch: pytest.MonkeyPatch, option: str, place: str
) -> None:
    form = TOKEN_FORM if option == "api_token" else KEY_FORM
    variable = {"api_token": "CLOUDFLARE_API_TOKEN", "api_email": "CLOUDFLARE_EMAIL", "api_key": "CLOUDFLARE_API_KEY"}
    for control in ("\0", "\ud800", " ", "\xa0", *CONTROLS):
        refusal = rejection(read_mappings, silent, **{**form, option: place.format(control)})
        assert refusal.startswith(f"{option} ")
        assert "secret" not in refusal
    for control in CONTROLS:
        monkeypatch.setenv(variable[option], place.format(control))
        refusal = rejection(read_mappings, silent, **{**form, option: None})
        assert refusal.startswith(f"{option} ")
        assert "secret" not in refusal


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("operation", "named"),
    [
        pytest.param(read_mappings, lambda name: {"zone_id": name}, id="zone_id"),
        pytest.param(read_mappings, lambda name: {"account_id": name}, id="account_id"),
        pytest.param(read_mappings, lambda name: {"origin_ip": [name]}, id="addresses"),
        pytest.param(ensure_mapping, lambda name: {"origin_ip": name, "state": "absent"}, id="address"),
        pytest.param(ensure_mapping, lambda name: {**ORIGIN, "region": name}, id="region"),
        pytest.param(ensure_mappings, lambda name: {"mappings": [{**ORIGIN, "origin_ip": name}]}, id="address-of-item"),
        pytest.param(ensure_mappings, lambda name: {"mappings": [{**ORIGIN, "vendor": name}]}, id="vendor-of-item"),
        pytest.param(ensure_mappings, lambda name: {"mappings": [{**ORIGIN, "region": name}]}, id="region-of-item"),
    ],
)
def test_control_characters_in_names_and_identifiers_are_refused(
    silent: Stub, operation: Operation, named: Callable[[str], dict[str, Any]], place: str
) -> None:
    for control in CONTROLS:
        rejection(operation, silent, **named(place.format(control)))


def test_control_characters_in_names_of_zones_are_refused(silent: Stub) -> None:
    for control in CONTROLS:
        name = f"exam{control}ple.com"
        assert "is not the name of a zone" in rejection(read_mappings, silent, zone_id=None, zone=name)


TRICKS: SearchStrategy[str] = one_of(
    text(),
    text(characters(max_codepoint=0x7F)),
    text(sampled_from("/\\?#%&=;:.@+ 2fFeE0a\r\n\t*~[]"), max_size=40),
    from_regex(r"(192\.0\.2\.1|2001:db8::1|[0-9a-f]{32}|example\.com)?([/?#%&;@ ].*)?", fullmatch=True),
)
"""Texts that try to be more than an identifier."""


def sent(stub: Stub, operation: Operation, **chosen: Any) -> list[str]:
    """Return the targets of the requests that the service received.

    The operation may be refused.
    """
    stub.requests.clear()
    with suppress(InvalidInput, CloudflareError):
        perform(operation, stub.url, **chosen)
    return [request.path for request in stub.requests]


@given(zone_id=TRICKS)
@example(zone_id=f"{ZONE_ID}\n")
@example(zone_id="\ud800")
@example(zone_id="..")
def test_a_zone_id_is_a_single_path_segment(silent: Stub, zone_id: str) -> None:
    paths = sent(silent, read_mappings, zone_id=zone_id, origin_ip=["192.0.2.1"])
    assert paths in ([], [f"/zones/{zone_id}/origin/cloud_regions/192.0.2.1"])
    assert not paths or (zone_id.isascii() and zone_id.isalnum())


@given(origin_ip=one_of(TRICKS, ip_addresses().map(str)))
@example(origin_ip="fe80::1%25/../x")
@example(origin_ip="::ffff:192.0.2.1")
@example(origin_ip="\u0661.0.0.1")
def test_an_address_is_a_single_path_segment(silent: Stub, origin_ip: str) -> None:
    for operation, value in ((read_mappings, [origin_ip]), (ensure_mapping, origin_ip)):
        more = {"state": "absent"} if operation is ensure_mapping else {}
        for path in sent(silent, operation, origin_ip=value, **more):
            prefix, slash, address = path.rpartition("/")
            assert prefix + slash == f"/zones/{ZONE_ID}/origin/cloud_regions/"
            assert ip_address(address) == ip_address(origin_ip.strip())


@given(zone=TRICKS)
@example(zone="example.com&name=other.example")
@example(zone="%26name=other.example")
@example(zone="\ud800")
def test_a_zone_name_is_a_single_query_value(silent: Stub, zone: str) -> None:
    for target in sent(silent, read_mappings, zone_id=None, zone=zone):
        url = urlsplit(target)
        assert (url.path, url.fragment) == ("/zones", "")
        name = zone.strip().rstrip(".").lower()
        assert parse_qsl(url.query, keep_blank_values=True) == [("name", name), ("per_page", "50")]


@given(account_id=TRICKS)
def test_no_account_id_becomes_part_of_a_request(silent: Stub, account_id: str) -> None:
    targets = sent(silent, read_mappings, zone_id=None, zone="example.com", account_id=account_id)
    assert targets in ([], ["/zones?name=example.com&per_page=50"])


@settings(max_examples=30)
@given(zone_id=from_regex(r"[^0-9A-Za-z]", fullmatch=True) | text(min_size=33))
def test_identifiers_of_responses_are_validated(zone_id: str) -> None:
    found = {"id": zone_id, "name": "example.com", "account": {"id": "1", "name": "One"}}
    with Stub(in_turn(success([found]))) as stub:
        assert sent(stub, read_mappings, zone_id=None, zone="example.com") == ["/zones?name=example.com&per_page=50"]


# Bounds of responses

Body = Callable[[], Iterable[bytes]]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BLANKS = b" " * 64 * 1024
CHUNK = b"%x\r\n%s\r\n" % (len(BLANKS), BLANKS)


def zipped() -> Iterator[bytes]:
    """Yield a body that is a thousand times as large once unpacked."""
    compressor = zlib.compressobj(wbits=31)
    yield HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
    for blanks in repeat(BLANKS):
        yield compressor.compress(blanks)


def after(head: bytes, part: bytes) -> Body:
    """Return a function that yields a head, then a part without end."""

    def yield_parts() -> Iterator[bytes]:
        yield head
        yield from repeat(part)

    return yield_parts


@contextmanager
def serve_body(body: Body) -> Iterator[str]:
    """Serve this response to every request, and yield the service's URL.

    Parts are sent until the client disconnects.
    """

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            with suppress(OSError):
                for part in body():
                    self.wfile.write(part)

    with ThreadingTCPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://{HOST}:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(after(HEAD + b"Connection: close\r\n\r\n", BLANKS), id="without-length"),
        pytest.param(after(HEAD + b"Content-Length: 99999999999999\r\n\r\n", BLANKS), id="long-by-its-own-account"),
        pytest.param(after(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK), id="chunked"),
        pytest.param(zipped, id="compressed"),
        pytest.param(after(b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n", BLANKS), id="failure"),
        pytest.param(after(b"HTTP/1.1 302 No\r\nLocation: /x\r\nConnection: close\r\n\r\n", BLANKS), id="redirect"),
        pytest.param(after(HEAD, b"X-More: of this\r\n"), id="headers"),
        pytest.param(after(HEAD + b"X-More: ", BLANKS), id="long-header"),
        pytest.param(after(b"", BLANKS), id="no-http"),
    ],
)
def test_an_endless_response_takes_bounded_memory(body: Body) -> None:
    with serve_body(body) as url:
        tracemalloc.start()
        try:
            error_of(url, timeout=10)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # The response is in memory twice: in parts and as a whole.
    assert peak < 3 * MAX_RESPONSE_BYTES


def test_a_stall_in_the_middle_of_a_response_is_bounded() -> None:
    def yield_parts() -> Iterator[bytes]:
        yield HEAD + b"Content-Length: 100\r\n\r\n"
        for _number in range(3):
            time.sleep(0.1)
            yield b" "
        time.sleep(5)

    with serve_body(yield_parts) as url:
        began = time.monotonic()
        assert "within 0.3 seconds" in error_of(url, timeout=0.3)
        assert 0.5 < time.monotonic() - began < 2


def test_waits_for_a_slow_service_are_bounded() -> None:
    refused = json.dumps({"success": False, "errors": [{"code": 10100, "message": "Later"}] * 1000}).encode()
    with Stub(in_turn(Response(429, refused, {"Retry-After": "301"}))) as stub:
        assert len(error_of(stub.url, retries=10**9)) < 1000
    assert len(stub.requests) == 1
