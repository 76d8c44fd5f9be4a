# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module cloud_ip_ranges with a mirror, and the filter for its files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest

from emulator.server import HOST
from support.published_ranges import ENTRIES, published, write_ranges

from .playbook import COLLECTION, OMIT, Outcome, Play, Task

SECRET = "Nq5Vt8Lw2Zk7Rb4Xs"
VENDORS = tuple(ENTRIES)


class Kept(NamedTuple):
    """Outcome of the module, and other results of its play."""

    outcome: Outcome
    then: Any
    output: str


Keep = Callable[..., Kept]


class Mirror(ThreadingHTTPServer):
    """HTTP server of a directory's files, inside a `with` block."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__((HOST, 0), partial(_Handler, directory=str(folder)))
        self.folder = folder
        self.url = f"http://{HOST}:{self.server_port}"
        self.responses: list[tuple[str, int]] = []
        """Paths, each with its status."""
        self.received: list[str] = []
        """Headers of all requests."""

    def __enter__(self) -> Mirror:
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self.server_close()

    def sources(self) -> dict[str, str]:
        return {vendor: f"{self.url}/{vendor}.json" for vendor in VENDORS}

    def publish(self, vendor: str, text: str, age: int) -> None:
        """Replace a file by one with an age in seconds."""
        path = self.folder / f"{vendor}.json"
        path.write_text(text)
        os.utime(path, (2_000_000_000 - age,) * 2)

    def publish_azure(self, *dates: str) -> str:
        """Publish files of Azure and a page of links, and return its address."""
        for number, date in enumerate(dates, 1):
            path = self.folder / f"ServiceTags_Public_{date}.json"
            path.write_text(published("azure", ENTRIES["azure"], number))
        links = "".join(f'<a href="ServiceTags_Public_{date}.json">{date}</a>' for date in dates)
        (self.folder / "page.html").write_text(f"<!DOCTYPE html>{links}")
        return f"{self.url}/page.html"


class _Handler(SimpleHTTPRequestHandler):
    server: Mirror

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        self.server.responses.append((self.path, int(code)))
        self.server.received.append(str(self.headers))

    def log_message(self, *_args: object) -> None:
        """Log nothing: the mirror records requests itself."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    write_ranges(tmp_path / "mirror")
    with Mirror(tmp_path / "mirror") as mirror:
        for vendor in VENDORS:
            mirror.publish(vendor, published(vendor, ENTRIES[vendor]), 1000)
        yield mirror


@pytest.fixture
def keep(play: Play, tmp_path: Path) -> Keep:
    """Return a runner of the module and of another expression."""

    def run(*arguments: str, then: str = "", environment: Mapping[str, str] | None = None, **options: Any) -> Kept:
        options = {"dest": str(tmp_path / "ranges"), "retries": 0, **options}
        tasks: dict[str, Task] = {"keep": {f"{COLLECTION}.cloud_ip_ranges": options, "register": "cloud"}}
        if then:
            tasks["then"] = {"ansible.builtin.debug": {"msg": then}}
        environment = {"HOME": str(tmp_path), **(environment or {})}
        done = play.once(tasks, *arguments, environment=environment)
        assert "Traceback" not in done.output
        return Kept(done["keep"], done["then"]["msg"] if then else None, done.output)

    return run


def states(folder: Path) -> dict[str, tuple[int, str]]:
    """Return the files of a directory with inodes, which replacements change."""
    return {path.name: (path.stat().st_ino, path.read_text()) for path in sorted(folder.glob("*"))}


def test_copies_follow_a_mirror(keep: Keep, tmp_path: Path, mirror: Mirror) -> None:
    copies = tmp_path / "ranges"
    sources = mirror.sources()
    predicted = keep("--check", sources=sources).outcome
    assert (predicted.changed, predicted["files"], copies.exists()) == (True, {}, False)
    first = keep(sources=sources).outcome
    assert first["ranges"] == predicted["ranges"]
    assert first["files"] == {vendor: str(copies / f"{vendor}.json") for vendor in VENDORS}
    before = states(copies)
    assert {name: text for name, (_inode, text) in before.items() if "note" not in name} == {
        f"{vendor}.json": published(vendor, ENTRIES[vendor]) for vendor in VENDORS
    }
    assert {oct((copies / f"{vendor}.json").stat().st_mode & 0o777) for vendor in VENDORS} == {"0o644"}

    mirror.responses.clear()
    assert not keep(sources=sources).outcome.changed
    assert mirror.responses == [(f"/{vendor}.json", 304) for vendor in VENDORS]
    assert states(copies) == before

    mirror.publish("gcp", published("gcp", ENTRIES["gcp"][1:], 2), 500)
    newer, _then, output = keep("--check", "--diff", sources=sources)
    assert [copy["vendor"] for copy in newer["ranges"] if copy["changed"]] == ["gcp"]
    for line in ("-gcp: version 2026-03-01T12:00:00.000000, 5", "+gcp: version 2026-03-02T12:00:00.000000, 4"):
        assert line in output
    assert states(copies) == before
    done = keep("--diff", sources=sources).outcome
    assert (done["ranges"], done["diff"]) == (newer["ranges"], newer["diff"])
    assert states(copies)["gcp.json"][1] == published("gcp", ENTRIES["gcp"][1:], 2)
    assert states(copies)["aws.json"] == before["aws.json"]


def test_a_bad_source_affects_neither_copies_nor_other_sources(keep: Keep, tmp_path: Path, mirror: Mirror) -> None:
    keep(sources=mirror.sources())
    before = states(tmp_path / "ranges")
    mirror.publish("aws", "<!DOCTYPE html><title>Sorry</title>", 500)
    mirror.publish("azure", published("azure", ENTRIES["azure"], 2)[:-40], 500)
    (mirror.folder / "gcp.json").unlink()
    mirror.publish("oci", published("oci", ENTRIES["oci"], 2), 500)
    then = "{{ '192.0.2.40' | originops.cloudflare.origin_region_of(**cloud.files) }}"
    outcome, place, _output = keep(then=then, sources=mirror.sources())
    assert outcome.changed
    for part in ("3 of 4 sources failed: aws: ", "begins with '<!DOCTYPE", "azure: ", "gcp: HTTP 404 from http://"):
        assert part in outcome.message
    assert outcome.message.endswith("The last good copies stay: aws, azure, gcp")
    assert [(copy["changed"], copy["error"] is None) for copy in outcome["ranges"]] == [
        *[(False, False)] * 3,
        (True, True),
    ]
    after = states(tmp_path / "ranges")
    assert {name for name in after if after[name] != before[name]} == {"oci.json", "oci.json.note"}
    assert (place["status"], place["region"]) == ("found", "eastus2")


def test_a_cache_survives_unavailable_sources(keep: Keep, tmp_path: Path, mirror: Mirror) -> None:
    copies = tmp_path / "ranges"
    sources = {**mirror.sources(), "azure": mirror.publish_azure("20260302", "20260309")}
    options = {"sources": sources, "max_age": 24, "on_unavailable": "keep"}
    then = "{{ '192.0.2.40' | originops.cloudflare.origin_region_of(**cloud.files) }}"
    first = keep(**options).outcome
    assert (first.changed, first["times"].keys(), first["ranges"][1]["version"]) == (True, first["files"].keys(), "2")

    # Recent copies need no request.
    mirror.responses.clear()
    second = keep(**options).outcome
    assert (second.changed, second["times"], mirror.responses) == (False, first["times"], [])

    # Old ones are fetched, or stay in use.
    hours_ago = time.time() - 30.5 * 3600
    for vendor in ("aws", "azure", "gcp"):
        os.utime(copies / f"{vendor}.json", (hours_ago, hours_ago))
    (mirror.folder / "aws.json").unlink()
    mirror.publish_azure()
    before = states(copies)
    outcome, place, output = keep(then=then, **options)
    assert (outcome.changed, place["region"]) == (False, "eastus2")
    assert {path for path, _status in mirror.responses} == {"/aws.json", "/page.html", "/gcp.json"}
    unwrapped = "".join(output.split())
    for warning in (
        f"aws: HTTP 404 from {sources['aws']}. The last good copy, 30.5 hours old, stays in use",
        "azure: 'http://",
    ):
        assert warning.replace(" ", "") in unwrapped
    assert outcome["times"]["gcp"] >= first["times"]["gcp"] > outcome["times"]["aws"]
    assert states(copies) == before

    # Without the option the task fails.
    failed = keep(sources=sources).outcome
    assert failed.message.startswith("2 of 4 sources failed: aws: HTTP 404 ")
    assert failed["times"] == {**outcome["times"], **{name: failed["times"][name] for name in ("gcp", "oci")}}


def test_an_older_file_is_used_by_force_only(keep: Keep, tmp_path: Path, mirror: Mirror) -> None:
    sources = {"azure": mirror.publish_azure("20260302", "20260309")}
    keep(sources=sources)
    mirror.publish_azure("20260302")
    for arguments in (["--check"], []):
        refused = keep(*arguments, sources=sources).outcome
        assert "has version 1, older than version 2 of the good copy: set force: true" in refused.message
    forced = keep(sources=sources, force=True).outcome
    assert (forced.changed, forced["ranges"][0]["version"]) == (True, "1")


def test_local_files_and_the_filter(keep: Keep, tmp_path: Path) -> None:
    sources = write_ranges(tmp_path / "saved")
    addresses = ["198.51.100.10", "2001:DB8:3::40", "203.0.113.50", "203.0.113.90", "203.0.113.70", "10.0.0.1"]
    then = f"{{{{ {addresses} | map('trim') | originops.cloudflare.origin_region_of(**cloud.files) }}}}"
    places = keep(then=then, sources=sources).then
    assert [(place["origin_ip"], place["status"], place["vendor"], place["region"]) for place in places] == [
        ("198.51.100.10", "found", "aws", "us-west-2"),
        ("2001:db8:3::40", "found", "azure", "eastus2"),
        ("203.0.113.50", "found", "oci", "us-ashburn-1"),
        ("203.0.113.90", "ambiguous", None, None),
        ("203.0.113.70", "global", "gcp", None),
        ("10.0.0.1", "unknown", None, None),
    ]


def test_no_output_has_secrets(keep: Keep, tmp_path: Path, mirror: Mirror) -> None:
    (tmp_path / ".netrc").write_text(f"machine {HOST} login someone password {SECRET}\n")
    environment = {"CLOUDFLARE_API_TOKEN": SECRET, "CLOUDFLARE_API_KEY": SECRET, "CLOUDFLARE_EMAIL": SECRET}
    outcome, _then, output = keep("-vvv", environment=environment, sources=mirror.sources())
    assert outcome.changed
    assert SECRET not in output + "".join(mirror.received)
    assert "Authorization" not in "".join(mirror.received)


@pytest.mark.parametrize("form", ["http://someone:{}@192.0.2.1/aws.json", "https:/{}@192.0.2.1"])
def test_a_password_in_an_address_is_not_repeated(keep: Keep, tmp_path: Path, form: str) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"source": form.format(SECRET)}))
    outcome, _then, output = keep("-vvv", "-e", f"@{secret}", sources={"aws": "{{ source }}"})
    assert "sources.aws has an @" in outcome.message
    assert SECRET not in output


def test_bad_options(keep: Keep) -> None:
    assert "ibm" in keep(sources={"ibm": "ibm.json"}).outcome.message
    assert "missing required arguments: dest" in keep(dest=OMIT).outcome.message
    assert "max_age: -1 is not 0 or more hours" in keep(max_age=-1).outcome.message
    assert "on_unavailable" in keep(on_unavailable="warn").outcome.message
