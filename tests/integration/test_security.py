# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in all output and files of a playbook, and TLS."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from werkzeug import Response

from emulator.faults import Effect, Exchange, Fault, Reset
from emulator.server import HOST, Emulator
from emulator.state import Zone
from support.network import Authority, Proxy, TlsFront

from .playbook import CORE, DIRECT, HAS_DIRECT, Play, Task, audit, batch, info, lookup, mapping, region

NEW = mapping("192.0.2.10", "aws/us-west-2")
SLOW = 0.5

SYSLOG = """
import os
import sys
import syslog


def record(*arguments):
    with open(os.environ["SYSLOG_FILE"], "a", encoding="utf-8") as file:
        print(*arguments, file=file)


syslog.syslog = record
sys.modules["systemd"] = None
"""
"""Text of a sitecustomize.py that redirects the logs of modules to a file.

They would go to syslog or the journal.
"""


class Sampler:
    """Observer of arguments of processes, and of the files of a directory."""

    def __init__(self, folder: Path, secrets: Iterable[str]) -> None:
        self._folder = folder
        self._secrets = [secret.encode() for secret in secrets]
        self.modules: set[str] = set()
        """Processes that run modules out of the directory."""
        self.arguments: set[str] = set()
        """Processes with a secret among their arguments."""
        self.files: set[str] = set()
        """Files that had a secret at any time."""

    def look(self) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            # Processes and files come and go.
            with suppress(OSError):
                arguments = path.read_bytes()
                if b"AnsiballZ_" in arguments and bytes(self._folder) in arguments:
                    self.modules.add(path.parent.name)
                if self._has_secret(arguments):
                    self.arguments.add(arguments.decode(errors="replace"))
        for folder, _folders, names in os.walk(self._folder):
            # The test itself writes secrets to the variables.
            for path in (Path(folder, name) for name in names if name != "variables.json"):
                with suppress(OSError):
                    if self._has_secret(path.read_bytes()):
                        self.files.add(str(path))

    def _has_secret(self, content: bytes) -> bool:
        return any(secret in content for secret in self._secrets)

    @contextmanager
    def looking(self) -> Iterator[None]:
        done = Event()

        def watch() -> None:
            while not done.wait(0.05):
                self.look()

        watcher = Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def sent_credentials(exchange: Exchange) -> str:
    headers = exchange.request.headers
    return " ".join(f"{name}: {headers.get(name, '')}" for name in ("Authorization", "X-Auth-Email", "X-Auth-Key"))


def echo_in_a_refusal(exchange: Exchange) -> Response:
    errors = [{"code": 10000, "message": f"Received {sent_credentials(exchange)}"}]
    return Response(json.dumps({"success": False, "errors": errors, "result": None}), 403)


def echo_in_items(exchange: Exchange) -> Response:
    """Return the response to a batch with all items failed."""
    failed = [{**item, "error": f"Received {sent_credentials(exchange)}"} for item in exchange.request.get_json()]
    envelope = {"success": True, "errors": [], "messages": [], "result": {"succeeded": [], "failed": failed}}
    return Response(json.dumps(envelope))


def echo_in_a_web_page(exchange: Exchange) -> Response:
    return Response(
        f"<html>{sent_credentials(exchange)}</html>",
        502,
        {"X-Received": sent_credentials(exchange)},
        mimetype="text/html",
    )


def echo_in_a_redirect(exchange: Exchange) -> Response:
    return Response(status=307, headers={"Location": f"/?{sent_credentials(exchange)}"})


def delay(exchange: Exchange) -> Response:
    time.sleep(SLOW)
    return exchange.serve()


FAULTS: dict[str, tuple[Task, Effect, str]] = {
    "slow": (info(), delay, "page=1&"),
    "refused": (region(**NEW), echo_in_a_refusal, "/192.0.2.10$"),
    "refused items": (batch([NEW, mapping("192.0.2.11", "aws/us-west-2")]), echo_in_items, "/batch$"),
    "refused items, skipped": (
        batch([NEW, mapping("192.0.2.300", "aws/us-west-2")], on_invalid="skip"),
        echo_in_items,
        "/batch$",
    ),
    "web page": (info(), echo_in_a_web_page, "page=1&"),
    "redirect": (info(), echo_in_a_redirect, "page=1&"),
    "reset": (batch([NEW], purge=True), Reset(), "/batch$"),
    "audit": (audit(), echo_in_a_refusal, "page=1&"),
    "bad option": (region(**{**NEW, "vendor": "awz"}), echo_in_a_refusal, "/192.0.2.10$"),
    "lookup, unknown option": (lookup("aws", fitler=1), echo_in_a_refusal, "/supported_regions$"),
    "lookup, refused": (lookup("aws"), echo_in_a_refusal, "/supported_regions$"),
    "lookup, reset": (lookup("aws"), Reset(), "/supported_regions$"),
}
"""Tasks, each with the fault of the service and its path."""

TELLING = ("refused", "refused items", "refused items, skipped", "audit", "lookup, refused")
"""Names of tasks with text of the service in a message or warning."""

DIRECTLY = [name for name in FAULTS if name != "bad option"]
BY_MODULE = ("slow", "refused items, skipped", "bad option")
"""Cases as modules: the same code turns errors into failures.

Only a module reports bad options.
"""

FINE = ("slow", "refused items, skipped")
"""Names of tasks that succeed despite their fault."""

FORMS = {
    "task token": {"api_token": "{{ token }}"},
    "task key": {"api_email": "{{ email }}", "api_key": "{{ key }}"},
    "task key by its other name": {"account_email": "{{ email }}", "account_api_key": "{{ key }}"},
    "environment token": {},
    # Its API key is in the environment.
    "environment key": {"api_email": "{{ email }}"},
}


def completed(task: Task, **common: Any) -> Task:
    """Return the task with more options of its module or its lookup."""
    if "vars" in task:
        return {**task, "vars": {**task["vars"], "options": {**task["vars"]["options"], **common}}}
    [(action, options)] = task.items()
    return {action: {**options, **common}}


@pytest.mark.parametrize(
    "direct", [True, False] if HAS_DIRECT else [False], ids={True: "direct", False: "by-module"}.get
)
def test_no_leaks(play: Play, emulator: Emulator, tmp_path: Path, direct: bool) -> None:
    with Emulator(token="cfemu-env-Ht5Zb8Qy2Kf7Wn4Rv9Xc3", key="c81a5e3f7d2b4096e1f8a7c3d5b9024f6e8a1") as other:
        tasks: dict[str, Task] = {}
        for form, credentials in FORMS.items():
            service = other if "environment" in form else emulator
            for name in DIRECTLY if direct else BY_MODULE:
                case, effect, path = FAULTS[name]
                zone = service.add_zone(f"{len(tasks)}.example", mappings={"192.0.2.1": ("aws", "us-east-1")})
                service.faults = [*service.faults, Fault(effect=effect, path=f"{zone.id}.*{path}", times=None)]
                common = {"zone_id": zone.id, "api_url": service.api_url, "retries": 0, **credentials}
                task = completed(case, **common)
                tasks[f"{form}: {name}"] = task if direct else {**task, "vars": {DIRECT: False}}
        secrets = [service.token for service in (emulator, other)] + [service.key for service in (emulator, other)]
        sampler = Sampler(tmp_path, secrets)
        # Ansible 2.21 and later have sockets there, so the path, which has the test's name, has to be short.
        temporary = tmp_path / "t"
        temporary.mkdir()
        with sampler.looking():
            run = play.once(
                tasks,
                "-vvvv",
                "--diff",
                defaults={},
                variables={"token": emulator.token, "key": emulator.key, "email": emulator.email},
                environment={
                    "CLOUDFLARE_API_TOKEN": other.token,
                    "CLOUDFLARE_API_KEY": other.key,
                    "ANSIBLE_REMOTE_TMP": str(tmp_path / "remote"),
                    "TMPDIR": str(temporary),
                    "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"),
                },
                fresh=True,
            )
    for name, outcome in run.outcomes.items():
        fault = name.partition(": ")[2]
        assert outcome.failed is (fault not in FINE), name
        if fault in TELLING:
            # Without this the secret was not at risk.
            printed = json.dumps(outcome.result)
            assert "Received" in printed, name
            assert "********" in printed, name
    assert "Traceback (most recent call last)" not in run.output
    assert not [secret for secret in secrets if secret in run.output]
    # Modules that run directly have no process, and write no secret to a file at any time.
    assert bool(sampler.modules) is not direct
    assert sampler.arguments == set()
    assert not direct or sampler.files == set()
    assert {"outcomes.jsonl", "ansible.log"} <= {path.name for path in tmp_path.rglob("*")}
    sampler.files.clear()
    sampler.look()
    assert sampler.files == set()


def test_the_log_of_a_target_has_no_secret(play: Play, emulator: Emulator, zone: Zone, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SYSLOG)
    log = tmp_path / "syslog"
    password, user, key = "pw-9fT3kQ8sLm", "us-2bV7nX4cRz", "c81a5e3f7d2b4096e1f8a7c3d5b9024f6e8a1"
    here = {"zone_id": zone.id, "api_url": emulator.api_url}
    addresses = {
        "password": f"https://someone:{password}@127.0.0.1:1/client/v4",
        "user": f"https://{user}@127.0.0.1:1/client/v4",
        "path": f"https://127.0.0.1:1/@{password}",
    }
    forms: dict[str, Task] = {
        "token": info(**here, api_token="{{ token }}"),
        "key": info(**here, api_email="someone@example.com", api_key=key),
        "environment": {**info(**here), "environment": {"CLOUDFLARE_API_TOKEN": "{{ token }}"}},
    }
    for name, url in addresses.items():
        forms[f"option, {name}"] = info(zone_id=zone.id, api_url=url, api_token="{{ token }}")
        common = {"environment": {"CLOUDFLARE_BASE_URL": url}}
        forms[f"environment, {name}"] = {**info(zone_id=zone.id, api_token="{{ token }}"), **common}
        for form, sources in (("source", {"aws": url}), ("source as text", f"aws={url}")):
            ranges = {"dest": str(tmp_path / "ranges"), "sources": sources}
            forms[f"{form}, {name}"] = {"originops.cloudflare.cloud_ip_ranges": ranges}
    run = play.once(
        {name: {**task, "vars": {DIRECT: False}} for name, task in forms.items()},
        defaults={},
        variables={"token": emulator.token},
        environment={"PYTHONPATH": str(tmp_path), "SYSLOG_FILE": str(log)},
    )
    assert [name for name, outcome in run.outcomes.items() if not outcome.failed] == ["token", "environment"]
    for name, outcome in run.outcomes.items():
        if name.startswith(("option, ", "environment, ")):
            assert "api_url must not contain credentials" in outcome.message, name
        elif name.startswith("source"):
            assert "sources.aws has an @" in outcome.message, name
    logged = log.read_text("utf-8")
    assert logged.count("Invoked with") == len(["token", "key", "environment"]) + len(addresses)
    assert [secret for secret in (emulator.token, key, password, user) if secret in logged] == []


@pytest.mark.skipif(CORE < (2, 22), reason="ansible-core masks secrets of later tasks from 2.22 on")
@pytest.mark.parametrize("direct", [True, False], ids={True: "direct", False: "by-module"}.get)
def test_a_token_of_the_environment_is_masked_in_later_tasks(
    play: Play, emulator: Emulator, zone: Zone, direct: bool
) -> None:
    here = {"zone_id": zone.id, "api_url": emulator.api_url}
    show: Task = {"ansible.builtin.debug": {"msg": "The token is {{ lookup('env', 'CLOUDFLARE_API_TOKEN') }}."}}
    for first in (info(**here), lookup("aws", **here)):
        run = play.once(
            {"before": show, "first": {**first, "vars": {**first.get("vars", {}), DIRECT: direct}}, "after": show},
            defaults={},
            environment={"CLOUDFLARE_API_TOKEN": emulator.token},
            fresh=True,
        )
        assert not run["first"].failed
        before, after = run.stdout.split("TASK [first]")
        assert f"The token is {emulator.token}." in before
        assert "The token is $REDACTED$." in after
        assert emulator.token not in after


def test_tls_and_proxies(play: Play, emulator: Emulator, zone: Zone, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    unknown = Authority(elsewhere)
    with TlsFront(authority.context, emulator.port) as front, Proxy() as proxy:
        url = f"https://{HOST}:{front.port}/client/v4"
        good = {"zone_id": zone.id, "api_token": "{{ token }}", "retries": 0}
        https = {**good, "api_url": url}
        http = {**good, "api_url": "http://192.0.2.1/client/v4"}
        run = play.once(
            {
                "trusted": region(**https, **NEW, ca_path=str(authority.path)),
                "trusted, lookup": lookup("aws", **https, ca_path=str(authority.path)),
                "unchecked": info(**https, validate_certs=False),
                "unchecked, lookup": lookup("aws", **https, validate_certs=False),
                "certificate unknown": region(**https, **NEW),
                "certificate unknown, lookup": lookup("aws", **https),
                "certificate of another authority": batch([NEW], **https, ca_path=str(unknown.path)),
                "in the clear": region(**http, **NEW),
                "in the clear, lookup": lookup("aws", **http),
            },
            "-vvvv",
            defaults={},
            variables={"token": emulator.token},
            environment={
                "HTTPS_PROXY": f"http://{HOST}:{proxy.port}",
                "HTTP_PROXY": f"http://{HOST}:{proxy.port}",
                # The tests' own requests to the emulator bypass the proxy.
                "NO_PROXY": f"{HOST}:{emulator.port}",
            },
        )
    for name, outcome in run.outcomes.items():
        if name.startswith(("trusted", "unchecked")):
            assert not outcome.failed, name
            assert outcome.requests, name
            continue
        assert ("is not https" if "clear" in name else "certificate") in outcome.message.lower(), name
        assert outcome.requests == [], name
    assert emulator.token not in run.output
    # The proxy receives only the address of the service.
    assert f"CONNECT {HOST}:{front.port} ".encode() in proxy.received
    assert b"192.0.2.1" not in proxy.received
    assert emulator.token.encode() not in proxy.received
