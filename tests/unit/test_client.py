# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP client: responses of the API, other services and proxies."""

from __future__ import annotations

import datetime
import gzip
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.utils import format_datetime
from threading import Barrier, Thread
from typing import Any

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils._client import MAX_RESPONSE_BYTES, Client, Envelope
from ansible_collections.originops.cloudflare.plugins.module_utils._connection import open_zone
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import parse_address
from support.operations import options
from support.stub import Request, Response, Stub, failure, in_turn, success
from support.values import TOKEN

DONE = success({"done": True})


@contextmanager
def client_of(stub: Stub, **chosen: Any) -> Iterator[Client]:
    with open_zone(options(stub.url, **chosen)) as zone:
        yield zone.client


def call(stub: Stub, method: str = "GET", **chosen: Any) -> Any:
    """Return the result of one call by a client with these options."""
    with client_of(stub, **chosen) as client:
        return client.call("Trying it", method, "/it", body=None if method == "GET" else {})


def error_of(stub: Stub, method: str = "GET", **chosen: Any) -> CloudflareError:
    with pytest.raises(CloudflareError) as failed:
        call(stub, method, **chosen)
    assert str(failed.value).startswith("Trying it failed: ")
    assert str(failed.value).isprintable()
    return failed.value


def test_a_request_and_its_response() -> None:
    with Stub(in_turn(success([1], total_count=7))) as stub, client_of(stub) as client:
        envelope = client.call(
            "Trying it", "PUT", "/some/path", query={"page": 2}, body={"ip": "::1"}, decode=Envelope._asdict
        )
    assert envelope == {"result": [1], "result_info": {"total_count": 7}, "maybe_applied": False}
    [request] = stub.requests
    assert (request.method, request.path, json.loads(request.body)) == ("PUT", "/some/path?page=2", {"ip": "::1"})
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Content-Type"] == "application/json"
    assert "originops.cloudflare" in request.headers["User-Agent"]


def test_the_result_of_a_response() -> None:
    with Stub(in_turn(success([1], total_count=7))) as stub, client_of(stub) as client:
        assert client.call("Trying it", "GET", "/it") == [1]


@pytest.mark.parametrize(
    "decode",
    [
        pytest.param(lambda envelope: envelope.result["name"], id="a list"),
        pytest.param(lambda envelope: envelope.result_info["page"], id="a missing member"),
        pytest.param(lambda envelope: envelope.result.items(), id="not a dictionary"),
        pytest.param(lambda envelope: int(envelope.result[0]), id="not a number"),
        pytest.param(lambda envelope: parse_address(envelope.result[0]), id="not an address"),
    ],
)
def test_an_unexpected_shape_is_an_error(decode: Callable[[Any], Any]) -> None:
    with Stub(in_turn(success(["one"]))) as stub, client_of(stub) as client, pytest.raises(CloudflareError) as failed:
        client.call("Trying it", "GET", "/it", decode=decode)
    assert str(failed.value) == "Trying it failed: HTTP 200, but the response does not have the format of the API"
    assert failed.value.status == 200


def test_one_connection_serves_all_requests() -> None:
    with Stub(in_turn(DONE, failure(404, 1142), DONE)) as stub, client_of(stub) as client:
        client.call("Trying it", "GET", "/it")
        with pytest.raises(CloudflareError):
            client.call("Trying it", "DELETE", "/it")
        client.call("Trying it", "PUT", "/it", body=[])
    assert (len(stub.requests), stub.connections) == (3, 1)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_are_errors(method: str, status: int) -> None:
    with Stub(in_turn(Response(status, headers={"Location": "/it"}))) as stub:
        error = error_of(stub, method, retries=5)
    assert (error.status, len(stub.requests)) == (status, 1)
    assert "redirect" in str(error)
    assert not error.maybe_applied


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(Response(200, b"<html><body>Sign in</body></html>", {"Content-Type": "text/html"}), id="html"),
        pytest.param(Response(200), id="empty"),
        pytest.param(Response(204), id="no-content"),
        pytest.param(Response(200, b'{"success": true, "result": '), id="broken-json"),
        pytest.param(Response(200, b"\xff\xfe\x00"), id="no-text"),
        pytest.param(Response(200, b"[" * 100_000), id="deep"),
        pytest.param(Response(200, b"[]"), id="list"),
        pytest.param(Response(200, b"null"), id="null"),
        pytest.param(Response(200, b'{"success": true}'), id="no-result"),
        pytest.param(Response(200, b'{"result": {}}'), id="no-success"),
        pytest.param(Response(200, b'{"success": "true", "result": {}}'), id="success-as-text"),
        pytest.param(Response(200, b'{"success": false, "errors": null, "result": {}}'), id="unsuccessful"),
        pytest.param(Response(200, b'{"success": false, "errors": "all", "result": {}}'), id="errors-as-text"),
        pytest.param(Response(400, b'{"success": false, "errors": [7, "x", null, {}]}'), id="errors-without-code"),
        pytest.param(Response(400, b'{"success": false, "errors": [{"code": "7003"}]}'), id="code-as-text"),
        pytest.param(Response(500, b'{"success": true, "errors": [], "result": {}}'), id="success-with-500"),
        pytest.param(Response(502, b"<html><body>Bad gateway</body></html>"), id="bad-gateway"),
        pytest.param(Response(200, b"{}", {"Content-Encoding": "gzip"}), id="no-gzip"),
        pytest.param(Response(200, b"{", {"Content-Length": "500", "Connection": "close"}), id="cut-off"),
    ],
)
def test_responses_of_other_services(response: Response) -> None:
    with Stub(in_turn(response)) as stub:
        error = error_of(stub)
    assert error.errors == []
    assert error.status in (response.status, None)
    assert ("the service is not available" in str(error)) == (response.status >= 500)


def test_every_code_and_message_is_in_the_error() -> None:
    errors = [{"code": 1146, "message": "Bad address"}, {"code": 1157, "message": "Bad region", "source": {}}]
    refused = Response(400, json.dumps({"success": False, "errors": errors, "result": None}).encode())
    with Stub(in_turn(refused)) as stub:
        error = error_of(stub)
    for part in ("HTTP 400", "Bad address (code 1146)", "Bad region (code 1157)", "supported_regions: true"):
        assert part in str(error)
    assert error.result["status"] == 400
    assert error.result["errors"] == [
        {"code": 1146, "message": "Bad address"},
        {"code": 1157, "message": "Bad region"},
    ]


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (403, 1164, "3,500"),
        (403, 1135, "plan or settings"),
        (401, 10000, "credentials"),
        (403, 9109, "credentials"),
        (400, 7003, "zone_id"),
        (400, 7000, "api_url"),
        (429, 10100, "1,200 requests in 5 minutes"),
        (429, 971, "1,200 requests in 5 minutes"),
    ],
)
def test_known_codes_have_hints(status: int, code: int, advice: str) -> None:
    with Stub(in_turn(failure(status, code))) as stub:
        assert advice in str(error_of(stub))


def test_a_refusal_with_status_200_is_an_error() -> None:
    with Stub(in_turn(failure(200, 1157, "Bad region"))) as stub:
        error = error_of(stub, "PUT")
    assert (error.status, error.codes) == (200, {1157})


class SucceedingRetry:
    """Service with a chosen first response for each path, then successes."""

    def __init__(self, first: Sequence[Response | None]) -> None:
        self._first = dict(enumerate(first))

    def __call__(self, request: Request) -> Response | None:
        return self._first.pop(int(request.path.removeprefix("/")), DONE)


def repeated(method: str, *first: Response | None) -> list[Request]:
    """Make a call for each first response, and return all requests.

    Each call can be retried once, with success.
    """
    with Stub(SucceedingRetry(first)) as stub, client_of(stub, retries=1) as client:
        body = None if method == "GET" else {"some": "body"}
        # In parallel, because each retry waits.
        results = client.http.map_concurrently(
            lambda number: client.call("Trying it", method, f"/{number}", body=body), range(len(first))
        )
    assert results == [{"done": True}] * len(first)
    return stub.requests


def test_transient_failures_are_retried() -> None:
    statuses = [429, 500, 501, 502, 503, 504, 520, 522, 530, 599]
    assert len(repeated("GET", *(failure(status, 1140) for status in statuses))) == 2 * len(statuses)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_idempotent_requests_are_retried(method: str) -> None:
    requests = repeated(method, None, Response(503))
    assert [request.method for request in requests] == [method] * 4
    assert len({request.body for request in requests}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 422])
def test_permanent_failures_are_not_retried(status: int) -> None:
    with Stub(in_turn(failure(status, 1146))) as stub:
        assert error_of(stub, retries=5).status == status
    assert len(stub.requests) == 1


@pytest.mark.parametrize("failed", [None, Response(500), Response(503, headers={"Retry-After": "0"}), Response(520)])
def test_a_post_of_unknown_outcome_is_not_retried(failed: Response | None) -> None:
    with Stub(in_turn(failed, DONE)) as stub:
        assert error_of(stub, "POST", retries=5).maybe_applied
    assert len(stub.requests) == 1


def test_a_post_refused_by_the_rate_limit_is_retried() -> None:
    with Stub(in_turn(failure(429, 10100), DONE)) as stub:
        assert call(stub, "POST", retries=1) == {"done": True}
    assert len(stub.requests) == 2


@pytest.mark.parametrize("response", [None, failure(429, 10100), failure(503, 1140)], ids=["dropped", "429", "503"])
def test_without_retries_there_is_one_request(response: Response | None) -> None:
    with Stub(in_turn(response)) as stub:
        assert error_of(stub, retries=0).status == (response.status if response else None)
    assert len(stub.requests) == 1


def test_a_rate_limit_without_envelope_is_explained() -> None:
    with Stub(in_turn(Response(429, b"<html>slow down</html>"))) as stub:
        assert "1,200 requests in 5 minutes" in str(error_of(stub))


def test_a_date_of_retry_after_is_waited_for() -> None:
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1.5)
    with Stub(in_turn(Response(503, headers={"Retry-After": format_datetime(then, usegmt=True)}), DONE)) as stub:
        call(stub, retries=1)
    assert datetime.datetime.now(datetime.timezone.utc) >= then.replace(microsecond=0)
    assert len(stub.requests) == 2


def test_an_invalid_retry_after_is_ignored() -> None:
    waits = ["", "soon", "0", "-5", "0.1", "inf", "1e9", "Fri, 31 Dec 1999 23:59:59 GMT"]
    began = time.monotonic()
    requests = repeated("PUT", *(failure(429, 10100, **{"Retry-After": wait}) for wait in waits))
    assert time.monotonic() - began < 3
    assert len(requests) == 2 * len(waits)


@pytest.mark.parametrize("wait", ["Fri, 31 Dec 99999 23:59:59 GMT", "9" * 5000], ids=["date", "number"])
def test_an_excessive_retry_after_ends_the_retries(wait: str) -> None:
    with (
        Stub(in_turn(failure(429, 10100, **{"Retry-After": wait}))) as stub,
        pytest.raises(CloudflareError, match="HTTP 429"),
    ):
        call(stub, retries=1)


def test_no_connection() -> None:
    with Stub(in_turn(DONE)) as stub:
        pass
    error = error_of(stub)
    assert stub.url in str(error)
    assert "refused" in str(error)
    assert error.status is None


def test_a_read_timeout() -> None:
    def linger(_request: Request) -> Response:
        time.sleep(3)
        return DONE

    with Stub(linger) as stub:
        began = time.monotonic()
        error = error_of(stub, timeout=0.1)
        assert time.monotonic() - began < 3
    assert error.maybe_applied
    assert "0.1" in str(error)


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(Response(200, b" " * (MAX_RESPONSE_BYTES + 1)), id="plain"),
        pytest.param(
            Response(200, gzip.compress(b" " * (2 * MAX_RESPONSE_BYTES), 1), {"Content-Encoding": "gzip"}),
            id="compressed",
        ),
    ],
)
def test_a_response_that_is_too_large(response: Response) -> None:
    with Stub(in_turn(response)) as stub:
        assert "larger" in str(error_of(stub))


def test_the_largest_response() -> None:
    with Stub(in_turn(replace(DONE, body=DONE.body.ljust(MAX_RESPONSE_BYTES)))) as stub, client_of(stub) as client:
        client.call("Trying it", "GET", "/it")


@pytest.mark.parametrize(
    ("credentials", "secret"),
    [
        ({"api_token": "tok-7Jh3Kx9QmZ2w"}, "tok-7Jh3Kx9QmZ2w"),
        ({"api_token": None, "api_email": "me@example.com", "api_key": "key-7Jh3Kx9QmZ2w"}, "key-7Jh3Kx9QmZ2w"),
    ],
)
@pytest.mark.parametrize("status", [200, 403, 500])
def test_an_echoed_secret_is_masked(credentials: dict[str, str], secret: str, status: int) -> None:
    with Stub(in_turn(failure(status, 10000, f"{secret}: no such token; X-Auth: {secret}"))) as stub:
        error = error_of(stub, **credentials)
    assert "no such token" in str(error)
    assert secret not in f"{error} {error.errors} {error.result}"


def test_messages_are_one_line_of_bounded_length() -> None:
    with Stub(in_turn(failure(400, 1146, "Bad\r\n\x1b[31m\u2028address" + "!" * 100_000))) as stub:
        error = error_of(stub)
    assert "address" in str(error)
    assert len(str(error)) < 1000
    assert error.errors[0]["message"].isprintable()


def test_concurrent_results_have_the_order_of_the_items() -> None:
    def echo(request: Request) -> Response:
        number = int(request.path.removeprefix("/"))
        time.sleep(0.02 * (number % 3))
        return success(number)

    with Stub(echo) as stub, client_of(stub) as client:
        responses = client.http.map_concurrently(lambda number: client.call("Trying", "GET", f"/{number}"), range(20))
    assert responses == list(range(20))
    assert stub.connections <= 8


def test_two_items_are_concurrent() -> None:
    both_sent = Barrier(2, timeout=5)

    def wait(_request: Request) -> Response:
        both_sent.wait()
        return DONE

    with Stub(wait) as stub, client_of(stub) as client:
        client.http.map_concurrently(lambda number: client.call("Trying", "GET", f"/{number}"), range(2))


def test_an_error_of_a_concurrent_request_is_raised() -> None:
    def refuse_one(request: Request) -> Response:
        return failure(403, 10000) if request.path == "/3" else DONE

    with Stub(refuse_one) as stub, client_of(stub) as client, pytest.raises(CloudflareError, match="10000"):
        client.http.map_concurrently(lambda number: client.call("Trying", "GET", f"/{number}"), range(200))
    assert len(stub.requests) < 200


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_attempt_has_a_deadline(part: str) -> None:
    """Send a byte now and then, which does not trigger the timeout."""
    beginning = {"head": b"HTTP/1.1 200 OK\r\nX: ", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"}
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send_slowly() -> None:
            connection, _address = server.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(beginning[part])
                for _number in range(100):
                    connection.sendall(b" ")
                    time.sleep(0.05)

        Thread(target=send_slowly, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        with (
            open_zone(options(url, timeout=0.2)) as zone,
            pytest.raises(CloudflareError, match=r"no complete response from .* within 2 seconds") as failed,
        ):
            zone.client.call("Trying it", "PUT", "/it", body={})
        assert 1 < time.monotonic() - began < 6
    assert failed.value.maybe_applied


def test_a_failing_page_ends_the_waits_of_the_others() -> None:
    def response(request: Request) -> Response:
        if request.path == "/0":
            time.sleep(0.2)
            return failure(403, 10000)
        return failure(429, 10100, **{"Retry-After": "60"})

    began = time.monotonic()
    with Stub(response) as stub, client_of(stub, retries=5) as client:
        with pytest.raises(CloudflareError, match="10000"):
            client.http.map_concurrently(lambda number: client.call("Trying", "GET", f"/{number}"), range(20))
        assert time.monotonic() - began < 5
        time.sleep(0.3)  # requests in progress arrive
        sent = len(stub.requests)
        time.sleep(0.3)
        assert len(stub.requests) == sent <= 8


def test_nothing_is_sent_after_an_interruption() -> None:
    """Interrupt requests as Ansible does at the timeout of a task.

    It raises an exception in the main thread.
    """

    class Interruption(BaseException):
        pass

    def interrupt(*_arguments: object) -> None:
        raise Interruption

    def linger(_request: Request) -> Response:
        time.sleep(0.4)
        return failure(429, 10100, **{"Retry-After": "1"})

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with Stub(linger) as stub, client_of(stub, retries=5) as client:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(Interruption):
                client.http.map_concurrently(lambda number: client.call("Trying", "GET", f"/{number}"), range(20))
            client.http.close()
            time.sleep(1)  # requests in progress arrive; a retry would follow after 1.4 seconds
            sent = len(stub.requests)
            time.sleep(1.5)
            assert len(stub.requests) == sent <= 8
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "proxy",
    ["http://user:p[ss@127.0.0.1:9", "http://us€r:pass9@127.0.0.1:9", "http://user:@127.0.0.1:9", "http://[", "x"],
)
def test_invalid_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with (
        open_zone(options("https://127.0.0.1:9", retries=1)) as zone,
        pytest.raises(CloudflareError, match="Trying it failed: ") as failed,
    ):
        zone.client.call("Trying it", "GET", "/it")
    assert str(failed.value).isprintable()
    for secret in ("p[ss", "pass9", "user"):
        assert secret not in str(failed.value)


def test_a_limit_of_another_account_is_not_called_3500() -> None:
    with Stub(in_turn(failure(403, 1164, "The zone is at its limit of 5000 mappings"))) as stub:
        message = str(error_of(stub))
    assert "limit of 5000" in message
    assert "at most 3,500" not in message
    assert "unless its account has another" in message


def test_concurrent_requests_share_the_rest_of_the_window() -> None:
    # One request is left for a second: each of the next ones is delayed by another half a second.
    scarce = replace(DONE, headers={"Ratelimit": '"default";r=1;t=1'})
    with Stub(in_turn(scarce)) as stub, client_of(stub, retries=1) as client:
        client.call("Trying it", "GET", "/first")
        began = time.monotonic()
        client.http.map_concurrently(lambda number: client.call("Trying it", "GET", f"/{number}"), range(3))
    assert time.monotonic() - began > 1.4
