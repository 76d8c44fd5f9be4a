# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of published ranges, against the possible answers of servers."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput, OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges.download import (
    MAX_REDIRECTS,
    update_range_files,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges.formats import MAX_FILE_BYTES
from ansible_collections.originops.cloudflare.plugins.modules.cloud_ip_ranges import ARGUMENT_SPEC
from emulator.server import HOST
from support.network import Authority
from support.published_ranges import ENTRIES, published, write_ranges
from support.stub import Answer, Answering, Request, Stub, in_turn

OLD, NEW = (published("aws", ENTRIES["aws"], version) for version in (1, 2))
PAGE = Answer(200, b"<!DOCTYPE html><title>Sorry</title>", {"Content-Type": "text/html"})
PASSWORD = "Wq7Lr2Tz9Kx4"


def file(text: str, **headers: str) -> Answer:
    return Answer(200, text.encode(), {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Keeper:
    """Keeps copies in a folder, and reads what is in it."""

    folder: Path

    def __call__(self, check_mode: bool = False, **chosen: Any) -> dict[str, Any]:
        chosen = {"dest": str(self.folder), "timeout": 5, "retries": 0, **chosen}
        validated = ArgumentSpecValidator(ARGUMENT_SPEC).validate(chosen)
        assert not validated.error_messages
        return update_range_files(validated.validated_parameters, check_mode).result

    def failure(self, check_mode: bool = False, **chosen: Any) -> OriginOpsError:
        with pytest.raises(OriginOpsError) as failed:
            self(check_mode, **chosen)
        assert str(failed.value).isprintable()
        return failed.value

    def of(self, url: str, **chosen: Any) -> dict[str, Any]:
        """Return what the result has about the copy of a file of aws."""
        result = self(sources={"aws": url}, **chosen)
        [copy] = result["ranges"]
        assert copy["changed"] == result["changed"]
        return copy

    def failure_of(self, url: str, **chosen: Any) -> str:
        """Why that could not be fetched."""
        error = self.failure(sources={"aws": url}, **chosen)
        [copy] = error.result["ranges"]
        assert (error.result["changed"], copy["changed"]) == (False, False)
        assert copy["error"].startswith("aws: ")
        assert copy["error"] in str(error)
        return copy["error"]

    @property
    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.folder.glob("*")} if self.folder.exists() else {}


@pytest.fixture
def keep(tmp_path: Path) -> Keeper:
    return Keeper(tmp_path / "some" / "ranges")


@pytest.fixture
def mirror() -> Iterator[Stub]:
    """Serve the four files, each with its length as ETag."""

    def answer(request: Request) -> Answer:
        vendor = request.path.removeprefix("/").removesuffix(".json")
        text = published(vendor, ENTRIES[vendor])
        tag = f'"{vendor}"'
        return Answer(304) if request.headers["If-None-Match"] == tag else file(text, ETag=tag)

    with Stub(answer) as stub:
        yield stub


def sources(stub: Stub) -> dict[str, str]:
    return {vendor: f"{stub.url}/{vendor}.json" for vendor in ENTRIES}


def test_the_first_time(keep: Keeper, mirror: Stub) -> None:
    result = keep(sources=sources(mirror))
    path = keep.folder / "oci.json"
    assert result["changed"]
    assert result["files"] == {vendor: str(keep.folder / f"{vendor}.json") for vendor in ENTRIES}
    assert result["ranges"][3] == {
        "vendor": "oci",
        "path": str(path),
        "source": f"{mirror.url}/oci.json",
        "changed": True,
        "version": "2026-03-01T12:00:00.000000",
        "prefixes": 2,
        "error": None,
    }
    assert result["diff"] == {
        "before": "",
        "after": "aws: version 1, 5 prefixes\nazure: version 1, 5 prefixes\n"
        "gcp: version 2026-03-01T12:00:00.000000, 5 prefixes\noci: version 2026-03-01T12:00:00.000000, 2 prefixes\n",
    }
    assert path.read_text() == published("oci", ENTRIES["oci"])


def test_the_second_time_nothing_is_sent_and_changed(keep: Keeper, mirror: Stub) -> None:
    first = keep(sources=sources(mirror))
    before = keep.files
    second = keep(sources=sources(mirror))
    assert not second["changed"]
    assert second["diff"] == {"before": "", "after": ""}
    assert second["files"] == first["files"]
    assert second["ranges"] == [{**copy, "changed": False} for copy in first["ranges"]]
    assert keep.files == before
    assert [request.headers["If-None-Match"] for request in mirror.requests] == [
        *[None] * 4,
        '"aws"',
        '"azure"',
        '"gcp"',
        '"oci"',
    ]


TIME = "Sun, 01 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("sent", "conditional"),
    [
        ({"ETag": 'W/"a"'}, {"If-None-Match": 'W/"a"'}),
        ({"Last_Modified": TIME}, {"If-Modified-Since": TIME}),
        ({"ETag": '"a"', "Last_Modified": TIME}, {"If-None-Match": '"a"', "If-Modified-Since": TIME}),
        ({}, {}),
    ],
    ids=str,
)
def test_a_server_is_asked_by_what_it_said(keep: Keeper, sent: dict[str, str], conditional: dict[str, str]) -> None:
    with Stub(in_turn(file(OLD, **sent))) as stub:
        assert keep.of(stub.url)["changed"]
        assert not keep.of(stub.url)["changed"]
    names = ("If-None-Match", "If-Modified-Since")
    first, second = (
        {name: request.headers[name] for name in names if name in request.headers} for request in stub.requests
    )
    assert (first, second) == ({}, conditional)


def test_a_newer_file_replaces_the_copy(keep: Keeper) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'), file(NEW, ETag='"2"'), Answer(304))) as stub:
        keep.of(stub.url)
        result = keep(sources={"aws": stub.url})
        assert (result["changed"], result["ranges"][0]["version"]) == (True, "2")
        assert result["diff"] == {"before": "aws: version 1, 5 prefixes\n", "after": "aws: version 2, 5 prefixes\n"}
        assert keep.files["aws.json"] == NEW
        assert not keep.of(stub.url)["changed"]
    assert stub.requests[-1].headers["If-None-Match"] == '"2"'


def unconditional(keep: Keeper, url: str) -> dict[str, Any]:
    """Keep a copy where the server would say that nothing is new, so that a request with conditions would show."""
    with Stub(lambda request: Answer(304) if "If-None-Match" in request.headers else file(OLD, ETag='"1"')) as stub:
        note = keep.folder / "aws.json.note"
        note.write_text(note.read_text().replace(url, stub.url))
        copy = keep.of(stub.url)
        assert "If-None-Match" not in stub.requests[0].headers
    return copy


@pytest.mark.parametrize("damage", ["", "<html>", NEW, OLD[:-10]], ids=["empty", "html", "other", "half"])
def test_a_copy_that_was_touched_is_fetched_anew(keep: Keeper, damage: str) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'))) as stub:
        keep.of(stub.url)
    (keep.folder / "aws.json").write_text(damage)
    assert unconditional(keep, stub.url)["changed"]
    assert keep.files["aws.json"] == OLD


def test_a_copy_that_was_removed_is_fetched_anew(keep: Keeper) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'))) as stub:
        keep.of(stub.url)
    (keep.folder / "aws.json").unlink()
    assert unconditional(keep, stub.url)["changed"]


@pytest.mark.parametrize("note", ["", "{", "[]", "null", "{}", '{"source": 5}', "\udcff"], ids=repr)
def test_an_unusable_note_spares_nothing(keep: Keeper, note: str) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'))) as stub:
        keep.of(stub.url)
        (keep.folder / "aws.json.note").write_bytes(note.encode(errors="surrogateescape"))
        assert not keep.of(stub.url)["changed"]
    assert "If-None-Match" not in stub.requests[1].headers


def test_another_source_is_not_asked_by_what_the_first_said(keep: Keeper) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'))) as stub:
        keep.of(f"{stub.url}/a.json")
        assert not keep.of(f"{stub.url}/b.json")["changed"]
        assert keep.of(f"{stub.url}/b.json")["error"] is None
    assert [request.headers["If-None-Match"] for request in stub.requests] == [None, None, '"1"']


@pytest.mark.parametrize(
    ("answering", "part"),
    [
        pytest.param(in_turn(PAGE), "is not JSON, or not all of it: it begins with '<!DOCTYPE html>", id="page"),
        pytest.param(in_turn(file(NEW[:-10])), "is not JSON, or not all of it", id="half"),
        pytest.param(
            in_turn(Answer(200, NEW.encode()[:-10], {"Content-Length": str(len(NEW)), "Connection": "close"})),
            "no usable answer from http://",
            id="broken off",
        ),
        pytest.param(in_turn(file("")), "it is empty", id="empty"),
        pytest.param(in_turn(file(published("gcp", ENTRIES["gcp"]))), "in the shape of the file of gcp", id="other"),
        pytest.param(in_turn(file(published("aws", []))), "has no prefixes", id="nothing"),
        pytest.param(in_turn(Answer(500, NEW.encode())), "HTTP 500 from http://", id="500"),
        pytest.param(in_turn(Answer(404, NEW.encode())), "HTTP 404 from http://", id="404"),
        pytest.param(in_turn(Answer(206, NEW.encode())), "HTTP 206 from http://", id="206"),
        pytest.param(in_turn(Answer(429, headers={"Retry-After": "1"})), "HTTP 429", id="429"),
        pytest.param(in_turn(Answer(304)), "HTTP 304", id="304 unasked"),
        pytest.param(in_turn(None), "no usable answer from http://", id="dropped"),
        pytest.param(
            in_turn(Answer(200, gzip.compress(b" " * (MAX_FILE_BYTES + 1)), {"Content-Encoding": "gzip"})),
            "more than 64 MiB",
            id="large",
        ),
        pytest.param(in_turn(Answer(200, b"no", {"Content-Encoding": "gzip"})), "no usable answer", id="gzip"),
    ],
)
def test_a_bad_answer_leaves_the_last_good_copy(keep: Keeper, answering: Answering, part: str) -> None:
    with Stub(in_turn(file(OLD))) as good, Stub(answering) as bad:
        error = keep.failure(sources={"aws": bad.url})
        assert part in str(error)
        assert str(error).endswith("There are no good copies from before")
        assert keep.files == {}
        keep.of(good.url)
        before = keep.files
        error = keep.failure(sources={"aws": bad.url})
    assert keep.files == before
    assert error.result["files"] == {"aws": str(keep.folder / "aws.json")}
    [copy] = error.result["ranges"]
    assert (copy["version"], copy["prefixes"], copy["changed"]) == ("1", 5, False)
    assert "The last good copies stay: aws" in str(error)


def test_nobody_listens(keep: Keeper) -> None:
    with Stub(in_turn(PAGE)) as stub:
        pass
    assert f"no usable answer from {stub.url}" in keep.failure_of(stub.url)


def test_one_failure_does_not_stop_the_others(keep: Keeper, mirror: Stub) -> None:
    keep(sources={"gcp": sources(mirror)["gcp"]})
    with Stub(in_turn(PAGE)) as bad:
        error = keep.failure(
            sources={**sources(mirror), "aws": "/nowhere/aws.json", "azure": bad.url, "gcp": f"{bad.url}/gcp"}
        )
    message = str(error)
    assert message.startswith("3 of 4 sources failed: aws: there is no file '/nowhere/aws.json'; azure: ")
    assert message.endswith("The last good copies stay: gcp")
    result = error.result
    assert result["changed"]
    assert result["files"] == {vendor: str(keep.folder / f"{vendor}.json") for vendor in ("gcp", "oci")}
    assert [(copy["changed"], copy["error"] is None) for copy in result["ranges"]] == [
        (False, False),
        (False, False),
        (False, False),
        (True, True),
    ]
    assert result["diff"] == {"before": "", "after": "oci: version 2026-03-01T12:00:00.000000, 2 prefixes\n"}


def test_requests_are_repeated(keep: Keeper) -> None:
    with Stub(in_turn(None, Answer(503), file(OLD))) as stub:
        assert keep.of(stub.url, retries=2)["version"] == "1"
    assert len(stub.requests) == 3


def test_what_is_not_repeated(keep: Keeper) -> None:
    for answer in (Answer(404), Answer(503, headers={"Retry-After": "301"}), PAGE):
        with Stub(in_turn(answer)) as stub:
            keep.failure_of(stub.url, retries=3)
        assert len(stub.requests) == 1


def test_a_local_file(keep: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    paths = write_ranges(tmp_path / "saved")
    assert keep(sources=paths)["changed"]
    assert sorted(keep.files) == sorted(f"{vendor}.json" for vendor in ENTRIES)
    os.utime(paths["aws"])
    assert not keep(sources={"aws": "~/saved/aws.json"})["changed"]
    Path(paths["aws"]).write_text(NEW)
    assert keep.of("~/saved/aws.json")["version"] == "2"
    Path(paths["aws"]).write_text("<html>")
    assert "is not JSON" in keep.failure_of(paths["aws"])
    assert keep.files["aws.json"] == NEW


def test_from_a_server_to_a_local_file_and_back(keep: Keeper, tmp_path: Path) -> None:
    local = tmp_path / "local.json"
    local.write_text(NEW)
    with Stub(in_turn(file(OLD, ETag='"1"'))) as stub:
        assert [keep.of(source)["version"] for source in (stub.url, str(local), stub.url)] == ["1", "2", "1"]
    assert "If-None-Match" not in stub.requests[1].headers


def test_check_mode_writes_nothing_and_foretells(keep: Keeper, tmp_path: Path) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'))) as stub:
        foretold = keep(sources={"aws": stub.url}, check_mode=True)
        assert not (tmp_path / "some").exists()
        assert foretold["files"] == {}
        done = keep(sources={"aws": stub.url})
        assert done == {**foretold, "files": {"aws": str(keep.folder / "aws.json")}}
        before = keep.files
        assert not keep(sources={"aws": stub.url}, check_mode=True)["changed"]
        stub.answering = in_turn(file(NEW, ETag='"2"'))
        foretold = keep(sources={"aws": stub.url}, check_mode=True)
        assert (foretold["changed"], foretold["ranges"][0]["version"]) == (True, "2")
        assert keep.files == before
        assert keep(sources={"aws": stub.url}) == foretold
        stub.answering = in_turn(PAGE)
        foretold_error, error = (keep.failure(check_mode=mode, sources={"aws": stub.url}) for mode in (True, False))
    assert (str(foretold_error), foretold_error.result) == (str(error), error.result)


def test_what_cannot_be_written(keep: Keeper) -> None:
    keep.folder.parent.mkdir()
    keep.folder.mkdir()
    (keep.folder / "aws.json").mkdir()
    with Stub(in_turn(file(OLD))) as stub:
        assert "aws.json' is not a file" in keep.failure_of(stub.url)
        (keep.folder / "aws.json").rmdir()
        (keep.folder / "aws.json.note").mkdir()
        stub.answering = in_turn(file(OLD, ETag='"1"'))
        error = keep.failure(sources={"aws": stub.url})
    # The copy is there, and the result says so.
    assert "aws.json.note': " in str(error)
    assert (error.result["changed"], error.result["ranges"][0]["version"]) == (True, "1")
    assert [path.name for path in keep.folder.glob(".*")] == []


@pytest.mark.parametrize(
    ("chosen", "part"),
    [
        ({"dest": __file__}, "is not a folder"),
        ({"sources": {}}, "sources is empty: name one or more of aws, azure, gcp, oci"),
        ({"sources": {"aws": "ftp://192.0.2.1/a"}}, "sources.aws is not an address of http or https"),
        ({"sources": {"aws": "file:///etc/passwd"}}, "sources.aws is not an address of http or https"),
        ({"sources": {"gcp": "https://"}}, "sources.gcp is not an address"),
        ({"sources": {"gcp": "https:/192.0.2.1/a"}}, "sources.gcp is not an address"),
        ({"sources": {"gcp": "http://[::1/"}}, "sources.gcp is not an address"),
        ({"sources": {"gcp": "http://192.0.2.1:port/"}}, "sources.gcp is not an address"),
        ({"sources": {"gcp": "http://192.0.2.1/a b"}}, "sources.gcp is not an address"),
        ({"sources": {"aws": "ftp:x", "oci": "ftp:x"}}, "sources.aws is not an address of http or https; sources.oci"),
        ({"timeout": 0}, "timeout: 0 is not between"),
        ({"retries": -1}, "retries: -1"),
        ({"ca_path": "/nowhere"}, "ca_path: there is no"),
    ],
    ids=str,
)
def test_unusable_options(keep: Keeper, chosen: dict[str, Any], part: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        keep(**chosen)
    assert part in str(refused.value)
    assert keep.files == {}


@pytest.mark.parametrize(
    "form", ["http://me:{}@{}/", "http://{}@{}/", "HTTP://me:{}@{}/", "http:/me:{}@{}", "http://x/\\me:{}@{}/"]
)
def test_an_address_with_a_password_is_refused_and_not_repeated(keep: Keeper, form: str) -> None:
    with Stub(in_turn(file(OLD))) as stub:
        error = keep.failure(sources={"aws": form.format(PASSWORD, stub.url.removeprefix("http://"))})
    assert "sources.aws has an @" in str(error)
    assert PASSWORD not in json.dumps([str(error), error.result])
    assert stub.requests == []


def test_credentials_are_never_sent(keep: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {HOST} login someone password {PASSWORD}\ndefault login x password {PASSWORD}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL"):
        monkeypatch.setenv(name, PASSWORD)
    with Stub(in_turn(Answer(302, headers={"Location": "/there"}), file(OLD))) as stub:
        keep.of(stub.url)
    assert len(stub.requests) == 2
    for request in stub.requests:
        assert "Authorization" not in request.headers
        assert PASSWORD not in str(request.headers)
        assert "originops.cloudflare" in request.headers["User-Agent"]


def test_redirects_are_followed(keep: Keeper) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'))) as target, Stub(in_turn(Answer(301))) as stub:
        stub.answering = in_turn(
            Answer(301, headers={"Location": "next"}), Answer(307, headers={"Location": f"{target.url}/aws.json"})
        )
        copy = keep.of(f"{stub.url}/a/b")
    assert [request.path for request in stub.requests + target.requests] == ["/a/b", "/a/next", "/aws.json"]
    assert copy["source"] == f"{stub.url}/a/b"


@pytest.mark.parametrize(
    ("location", "part"),
    [
        ("/again", "more than 5 redirects"),
        ("ftp://192.0.2.1/aws.json", "redirects to an address that is not an address of http or https"),
        (f"http://me:{PASSWORD}@192.0.2.1/", "redirects to an address that has an @"),
        ("http://[::1/", "redirects to an address that is not an address of http or https"),
        ("http://\xff/", "not an address of http"),
    ],
    ids=ascii,
)
def test_redirects_that_are_not_followed(keep: Keeper, location: str, part: str) -> None:
    with Stub(in_turn(Answer(302, headers={"Location": location}))) as stub:
        error = keep.failure_of(stub.url)
    assert part in error
    assert PASSWORD not in error
    assert len(stub.requests) == (1 + MAX_REDIRECTS if "again" in location else 1)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_https(keep: Keeper, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with Stub(in_turn(file(OLD)), authority.context) as stub, Stub(in_turn(file(NEW))) as plain:
        assert "certificate" in keep.failure_of(stub.url, retries=2)
        assert keep.of(stub.url, validate_certs=False)["changed"]
        assert keep.of(stub.url, ca_path=str(authority.path))["error"] is None
        assert stub.connections == 3
        # Never from https to http, but the other way.
        stub.answering = in_turn(Answer(302, headers={"Location": plain.url}))
        assert "redirects from https to http" in keep.failure_of(stub.url, ca_path=str(authority.path))
        assert "redirects from https to http" in keep.failure_of(
            stub.url.replace("https", "HTTPS"), ca_path=str(authority.path)
        )
        assert plain.requests == []
        plain.answering = in_turn(Answer(302, headers={"Location": f"{stub.url}/there"}))
        stub.answering = in_turn(file(NEW))
        assert keep.of(plain.url, ca_path=str(authority.path))["version"] == "2"


def test_a_copy_appears_as_a_whole_and_nothing_is_left_over(keep: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    move = os.replace

    def replace(new: str, path: str) -> None:
        seen.append((os.path.basename(new)[0], Path(new).read_text() == OLD, os.path.exists(path)))
        move(new, path)

    monkeypatch.setattr(os, "replace", replace)
    with Stub(in_turn(file(OLD))) as stub:
        options = {"dest": str(keep.folder), "sources": {"aws": stub.url}}
        validated = ArgumentSpecValidator(ARGUMENT_SPEC).validate(options)
        update_range_files(validated.validated_parameters, False)
    assert seen == [(".", True, False)]
    assert [path.name for path in keep.folder.iterdir()] == ["aws.json"]
