# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of published ranges, against all kinds of responses."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import (
    InvalidInput,
    OriginOpsError,
    Outcome,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges.download import (
    DEFAULT_SOURCES,
    MAX_PAGE_BYTES,
    MAX_REDIRECTS,
    find_azure_file,
    update_range_files,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges.formats import MAX_FILE_BYTES
from ansible_collections.originops.cloudflare.plugins.modules.cloud_ip_ranges import ARGUMENT_SPEC
from emulator.server import HOST
from support.network import Authority
from support.published_ranges import ENTRIES, published, write_ranges
from support.stub import Request, Responder, Response, Stub, in_turn

OLD, NEW = (published("aws", ENTRIES["aws"], version) for version in (1, 2))
PAGE = Response(200, b"<!DOCTYPE html><title>Sorry</title>", {"Content-Type": "text/html"})
PASSWORD = "Wq7Lr2Tz9Kx4"


def file(text: str, **headers: str) -> Response:
    return Response(200, text.encode(), {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Keeper:
    """Folder of copies, with methods to update and read them."""

    folder: Path

    def __call__(self, check_mode: bool = False, **chosen: Any) -> dict[str, Any]:
        return self.outcome(check_mode, **chosen).result

    def outcome(self, check_mode: bool = False, **chosen: Any) -> Outcome:
        chosen = {"dest": str(self.folder), "timeout": 5, "retries": 0, **chosen}
        validated = ArgumentSpecValidator(ARGUMENT_SPEC).validate(chosen)
        assert not validated.error_messages
        return update_range_files(validated.validated_parameters, check_mode)

    def failure(self, check_mode: bool = False, **chosen: Any) -> OriginOpsError:
        with pytest.raises(OriginOpsError) as failed:
            self(check_mode, **chosen)
        assert str(failed.value).isprintable()
        return failed.value

    def of(self, url: str, **chosen: Any) -> dict[str, Any]:
        """Return the entry for aws in the result of an update."""
        result = self(sources={"aws": url}, **chosen)
        [copy] = result["ranges"]
        assert copy["changed"] == result["changed"]
        return copy

    def failure_of(self, url: str, **chosen: Any) -> str:
        """Return the error of a failed download."""
        error = self.failure(sources={"aws": url}, **chosen)
        [copy] = error.result["ranges"]
        assert (error.result["changed"], copy["changed"]) == (False, False)
        assert copy["error"].startswith("aws: ")
        assert copy["error"] in str(error)
        return copy["error"]

    def made(self, age: float, *vendors: str) -> None:
        """Set the age of copies, in hours."""
        for vendor in vendors or ("aws",):
            os.utime(self.folder / f"{vendor}.json", (time.time() - age * 3600,) * 2)

    @property
    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.folder.glob("*")} if self.folder.exists() else {}


@pytest.fixture
def keep(tmp_path: Path) -> Keeper:
    return Keeper(tmp_path / "some" / "ranges")


@pytest.fixture
def mirror() -> Iterator[Stub]:
    """Serve the four files, each with its vendor's name as ETag."""

    def response(request: Request) -> Response:
        vendor = request.path.removeprefix("/").removesuffix(".json")
        text = published(vendor, ENTRIES[vendor])
        tag = f'"{vendor}"'
        return Response(304) if request.headers["If-None-Match"] == tag else file(text, ETag=tag)

    with Stub(response) as stub:
        yield stub


def sources(stub: Stub) -> dict[str, str]:
    return {vendor: f"{stub.url}/{vendor}.json" for vendor in ENTRIES}


def test_a_first_run(keep: Keeper, mirror: Stub) -> None:
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
        "after": "aws: version 1, 5 prefixes\nazure: version 1, 6 prefixes\n"
        "gcp: version 2026-03-01T12:00:00.000000, 5 prefixes\noci: version 2026-03-01T12:00:00.000000, 2 prefixes\n",
    }
    assert path.read_text() == published("oci", ENTRIES["oci"])


def test_a_second_run_sends_and_changes_nothing(keep: Keeper, mirror: Stub) -> None:
    first = keep(sources=sources(mirror))
    before = keep.files
    keep.made(30, *ENTRIES)
    os.utime(keep.folder / "gcp.json", (1_772_366_400.5,) * 2)
    assert keep(sources=sources(mirror), check_mode=True)["times"]["gcp"] == "2026-03-01T12:00:00Z"
    mirror.requests.clear()
    second = keep(sources=sources(mirror))
    assert not second["changed"]
    # The server confirmed that the copies are current.
    assert second["times"].keys() == first["times"].keys() == first["files"].keys()
    assert min(second["times"].values()) >= min(first["times"].values())
    assert second["diff"] == {"before": "", "after": ""}
    assert second["files"] == first["files"]
    assert second["ranges"] == [{**copy, "changed": False} for copy in first["ranges"]]
    assert keep.files == before
    assert [request.headers["If-None-Match"] for request in mirror.requests] == ['"aws"', '"azure"', '"gcp"', '"oci"']


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
def test_requests_have_the_validators_of_the_server(
    keep: Keeper, sent: dict[str, str], conditional: dict[str, str]
) -> None:
    with Stub(in_turn(file(OLD, **sent))) as stub:
        assert keep.of(stub.url)["changed"]
        assert not keep.of(stub.url)["changed"]
    names = ("If-None-Match", "If-Modified-Since")
    first, second = (
        {name: request.headers[name] for name in names if name in request.headers} for request in stub.requests
    )
    assert (first, second) == ({}, conditional)


def test_a_newer_file_replaces_the_copy(keep: Keeper) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'), file(NEW, ETag='"2"'), Response(304))) as stub:
        keep.of(stub.url)
        result = keep(sources={"aws": stub.url})
        assert (result["changed"], result["ranges"][0]["version"]) == (True, "2")
        assert result["diff"] == {"before": "aws: version 1, 5 prefixes\n", "after": "aws: version 2, 5 prefixes\n"}
        assert keep.files["aws.json"] == NEW
        assert not keep.of(stub.url)["changed"]
    assert stub.requests[-1].headers["If-None-Match"] == '"2"'


def unconditional(keep: Keeper, url: str) -> dict[str, Any]:
    """Update a copy, and check that the request is unconditional.

    The server responds to a conditional request with 304.
    """
    with Stub(lambda request: Response(304) if "If-None-Match" in request.headers else file(OLD, ETag='"1"')) as stub:
        note = keep.folder / "aws.json.note"
        note.write_text(note.read_text().replace(url, stub.url))
        copy = keep.of(stub.url)
        assert "If-None-Match" not in stub.requests[0].headers
    return copy


@pytest.mark.parametrize(
    "damage",
    ["", "<html>", published("aws", ENTRIES["aws"], 0), OLD[:-10]],
    ids=["empty", "html", "other", "half"],
)
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
def test_an_unusable_note_is_ignored(keep: Keeper, note: str) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'))) as stub:
        keep.of(stub.url)
        (keep.folder / "aws.json.note").write_bytes(note.encode(errors="surrogateescape"))
        assert not keep.of(stub.url)["changed"]
    assert "If-None-Match" not in stub.requests[1].headers


def test_validators_are_bound_to_their_source(keep: Keeper) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'))) as stub:
        keep.of(f"{stub.url}/a.json")
        assert not keep.of(f"{stub.url}/b.json")["changed"]
        assert keep.of(f"{stub.url}/b.json")["error"] is None
    assert [request.headers["If-None-Match"] for request in stub.requests] == [None, None, '"1"']


@pytest.mark.parametrize(
    ("responder", "part"),
    [
        pytest.param(in_turn(PAGE), "is not JSON, or not all of it: it begins with '<!DOCTYPE html>", id="page"),
        pytest.param(in_turn(file(NEW[:-10])), "is not JSON, or not all of it", id="half"),
        pytest.param(
            in_turn(Response(200, NEW.encode()[:-10], {"Content-Length": str(len(NEW)), "Connection": "close"})),
            "no usable response from http://",
            id="broken off",
        ),
        pytest.param(in_turn(file("")), "it is empty", id="empty"),
        pytest.param(in_turn(file(published("gcp", ENTRIES["gcp"]))), "the format of the file of gcp", id="other"),
        pytest.param(in_turn(file(published("aws", []))), "has no prefixes", id="nothing"),
        pytest.param(in_turn(Response(500, NEW.encode())), "HTTP 500 from http://", id="500"),
        pytest.param(in_turn(Response(404, NEW.encode())), "HTTP 404 from http://", id="404"),
        pytest.param(in_turn(Response(206, NEW.encode())), "HTTP 206 from http://", id="206"),
        pytest.param(in_turn(Response(429, headers={"Retry-After": "1"})), "HTTP 429", id="429"),
        pytest.param(in_turn(Response(304)), "HTTP 304", id="304 unasked"),
        pytest.param(in_turn(None), "no usable response from http://", id="dropped"),
        pytest.param(
            in_turn(Response(200, gzip.compress(b" " * (MAX_FILE_BYTES + 1)), {"Content-Encoding": "gzip"})),
            "more than 64 MiB",
            id="large",
        ),
        pytest.param(in_turn(Response(200, b"no", {"Content-Encoding": "gzip"})), "no usable response", id="gzip"),
    ],
)
def test_a_bad_response_keeps_the_last_good_copy(keep: Keeper, responder: Responder, part: str) -> None:
    with Stub(in_turn(file(OLD))) as good, Stub(responder) as bad:
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


def test_connection_refused(keep: Keeper) -> None:
    with Stub(in_turn(PAGE)) as stub:
        pass
    assert f"no usable response from {stub.url}" in keep.failure_of(stub.url)


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


def test_requests_are_retried(keep: Keeper) -> None:
    with Stub(in_turn(None, Response(503), file(OLD))) as stub:
        assert keep.of(stub.url, retries=2)["version"] == "1"
    assert len(stub.requests) == 3


def test_failures_without_retry(keep: Keeper) -> None:
    for response in (Response(404), Response(503, headers={"Retry-After": "301"}), PAGE):
        with Stub(in_turn(response)) as stub:
            keep.failure_of(stub.url, retries=3)
        assert len(stub.requests) == 1


def test_a_local_file(keep: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    paths = write_ranges(tmp_path / "saved")
    assert keep(sources=paths)["changed"]
    assert {vendor: keep.files[f"{vendor}.json"] for vendor in ENTRIES} == {
        vendor: Path(path).read_text() for vendor, path in paths.items()
    }
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
        assert [keep.of(source, force=True)["version"] for source in (stub.url, str(local), stub.url)] == [
            "1",
            "2",
            "1",
        ]
    assert "If-None-Match" not in stub.requests[1].headers


def test_check_mode_predicts_and_writes_nothing(keep: Keeper, tmp_path: Path) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'))) as stub:
        foretold = keep(sources={"aws": stub.url}, check_mode=True)
        assert not (tmp_path / "some").exists()
        assert (foretold["files"], foretold["times"]) == ({}, {})
        done = keep(sources={"aws": stub.url})
        assert done == {**foretold, "files": {"aws": str(keep.folder / "aws.json")}, "times": done["times"]}
        before = keep.files
        assert not keep(sources={"aws": stub.url}, check_mode=True)["changed"]
        stub.responder = in_turn(file(NEW, ETag='"2"'))
        foretold = keep(sources={"aws": stub.url}, check_mode=True)
        assert (foretold["changed"], foretold["ranges"][0]["version"]) == (True, "2")
        assert keep.files == before
        done = keep(sources={"aws": stub.url})
        assert done == {**foretold, "times": done["times"]}
        stub.responder = in_turn(PAGE)
        foretold_error, error = (keep.failure(check_mode=mode, sources={"aws": stub.url}) for mode in (True, False))
    assert (str(foretold_error), foretold_error.result) == (str(error), error.result)


def make_text(path: Path) -> None:
    path.write_text("{mine: true}")


def make_empty_file(path: Path) -> None:
    path.touch()


def make_ranges_of_another_vendor(path: Path) -> None:
    path.write_text(published("gcp", ENTRIES["gcp"]))


def make_link(path: Path) -> None:
    path.with_name("target.json").write_text(OLD)
    path.symlink_to("target.json")


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere.json")


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the inodes and times of files, to detect writes."""
    return {path.name: (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in folder.iterdir()}


@pytest.mark.parametrize(
    "make", [make_text, make_empty_file, make_ranges_of_another_vendor, make_link, make_dangling_link]
)
def test_foreign_files_are_left_alone(keep: Keeper, mirror: Stub, make: Callable[[Path], None]) -> None:
    keep.folder.mkdir(parents=True)
    path = keep.folder / "aws.json"
    make(path)
    before = stamps(keep.folder)
    local = keep.folder.parent / "new.json"
    local.write_text(NEW)
    for check_mode in (True, False):
        error = keep.failure(check_mode, sources={**sources(mirror), "aws": str(local)})
        assert f"1 of 4 sources failed: aws: {str(path)!r} was not written by this module" in str(error)
        assert [copy["error"] is None for copy in error.result["ranges"]] == [False, True, True, True]
    after = stamps(keep.folder)
    assert before.items() <= after.items()
    assert "azure.json" in after
    assert "aws.json.note" not in after
    path.unlink()
    assert keep(sources={"aws": str(local)})["changed"]


def test_a_foreign_note_is_left_alone(keep: Keeper) -> None:
    keep.folder.mkdir(parents=True)
    (keep.folder / "aws.json.note").write_text("Ask Ann.")
    with Stub(in_turn(file(OLD, ETag='"1"'), file(NEW, ETag='"2"'))) as stub:
        assert keep.of(stub.url)["version"] == "1"
        assert keep.of(stub.url)["version"] == "2"
    assert keep.files == {"aws.json": NEW, "aws.json.note": "Ask Ann."}


def test_an_interrupted_update_is_resumed(keep: Keeper) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'), file(NEW, ETag='"2"'), file(NEW, ETag='"2"'))) as stub:
        keep.of(stub.url)
        (keep.folder / "aws.json.note").unlink()
        assert keep.of(stub.url)["changed"]
        (keep.folder / "aws.json").write_text(NEW[:-10])
        assert keep.of(stub.url)["changed"]
    assert keep.files["aws.json"] == NEW


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("name", "problem"), [("file/below", "is not a directory"), ("a\0b", "is not a path")])
def test_an_unusable_directory(keep: Keeper, tmp_path: Path, check_mode: bool, name: str, problem: str) -> None:
    (tmp_path / "file").write_text("")
    with Stub(in_turn(file(OLD))) as stub:
        error = keep.failure(check_mode, sources={"aws": stub.url}, dest=str(tmp_path / name))
    assert problem in str(error)
    assert error.result["changed"] is False


def test_unwritable_files(keep: Keeper) -> None:
    keep.folder.parent.mkdir()
    keep.folder.mkdir()
    (keep.folder / "aws.json").mkdir()
    with Stub(in_turn(file(OLD))) as stub:
        assert "aws.json' is not a file" in keep.failure_of(stub.url)
        (keep.folder / "aws.json").rmdir()
        (keep.folder / "aws.json.note").mkdir()
        stub.responder = in_turn(file(OLD, ETag='"1"'))
        error = keep.failure(sources={"aws": stub.url})
    # The copy was written, and the result reports it.
    assert "aws.json.note': " in str(error)
    assert (error.result["changed"], error.result["ranges"][0]["version"]) == (True, "1")
    assert [path.name for path in keep.folder.glob(".*")] == []


@pytest.mark.parametrize(
    ("chosen", "part"),
    [
        ({"dest": __file__}, "is not a directory"),
        ({"sources": {}}, "sources is empty: name one or more of aws, azure, gcp, oci"),
        ({"sources": {"aws": "ftp://192.0.2.1/a"}}, "sources.aws is not an http or https URL"),
        ({"sources": {"aws": "file:///etc/passwd"}}, "sources.aws is not an http or https URL"),
        ({"sources": {"gcp": "https://"}}, "sources.gcp is not an http or https URL"),
        ({"sources": {"gcp": "https:/192.0.2.1/a"}}, "sources.gcp is not an http or https URL"),
        ({"sources": {"gcp": "http://[::1/"}}, "sources.gcp is not an http or https URL"),
        ({"sources": {"gcp": "http://192.0.2.1:port/"}}, "sources.gcp is not an http or https URL"),
        ({"sources": {"gcp": "http://192.0.2.1/a b"}}, "sources.gcp is not an http or https URL"),
        ({"sources": {"aws": "ftp:x", "oci": "ftp:x"}}, "sources.aws is not an http or https URL; sources.oci"),
        ({"timeout": 0}, "timeout: 0 is not between"),
        ({"retries": -1}, "retries: -1"),
        ({"max_age": -0.5}, "max_age: -0.5 is not 0 or more hours"),
        ({"max_age": "nan"}, "max_age: nan is not"),
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
    with Stub(in_turn(Response(302, headers={"Location": "/there"}), file(OLD))) as stub:
        keep.of(stub.url)
    assert len(stub.requests) == 2
    for request in stub.requests:
        assert "Authorization" not in request.headers
        assert PASSWORD not in str(request.headers)
        assert "originops.cloudflare" in request.headers["User-Agent"]


def test_a_proxy_of_the_environment_is_used(keep: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    with Stub(in_turn(file(OLD))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert keep.of("http://ranges.example/aws.json")["version"] == "1"


def test_redirects_are_followed(keep: Keeper) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'))) as target, Stub(in_turn(Response(301))) as stub:
        stub.responder = in_turn(
            Response(301, headers={"Location": "next"}), Response(307, headers={"Location": f"{target.url}/aws.json"})
        )
        copy = keep.of(f"{stub.url}/a/b")
    assert [request.path for request in stub.requests + target.requests] == ["/a/b", "/a/next", "/aws.json"]
    assert copy["source"] == f"{stub.url}/a/b"


@pytest.mark.parametrize(
    ("location", "part"),
    [
        ("/again", "redirects more than 5 times"),
        ("ftp://192.0.2.1/aws.json", "redirects to a URL that is not an http or https URL"),
        (f"http://me:{PASSWORD}@192.0.2.1/", "redirects to a URL that has an @"),
        ("http://[::1/", "redirects to a URL that is not an http or https URL"),
        ("http://\xff/", "not an http or https URL"),
    ],
    ids=ascii,
)
def test_redirects_that_are_not_followed(keep: Keeper, location: str, part: str) -> None:
    with Stub(in_turn(Response(302, headers={"Location": location}))) as stub:
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
        # Redirects from https to http are refused; the reverse is allowed.
        stub.responder = in_turn(Response(302, headers={"Location": plain.url}))
        assert "redirects from https to http" in keep.failure_of(stub.url, ca_path=str(authority.path))
        assert "redirects from https to http" in keep.failure_of(
            stub.url.replace("https", "HTTPS"), ca_path=str(authority.path)
        )
        assert plain.requests == []
        plain.responder = in_turn(Response(302, headers={"Location": f"{stub.url}/there"}))
        stub.responder = in_turn(file(NEW))
        assert keep.of(plain.url, ca_path=str(authority.path))["version"] == "2"


def test_copies_are_replaced_atomically(keep: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    move = os.replace

    def replace(new: str, path: str) -> None:
        seen.append((os.path.basename(new)[0], Path(new).read_text() == OLD, os.path.exists(path)))
        move(new, path)

    monkeypatch.setattr(os, "replace", replace)
    with Stub(in_turn(file(OLD))) as stub:
        keep.of(stub.url)
    assert seen == [(".", True, False), (".", False, False)]  # the copy, then its note
    assert {path.name for path in keep.folder.iterdir()} == {"aws.json", "aws.json.note"}


def many(vendor: str, number: int, version: int) -> str:
    """Return the text of a file with this number of prefixes."""
    return published(vendor, [(f"240.0.{index}.0/24", "somewhere") for index in range(number)], version)


@pytest.mark.parametrize(
    ("vendor", "new", "part"),
    [
        *(
            (vendor, published(vendor, ENTRIES[vendor], 1), f"has version {old}, older than version {good} of the good")
            for vendor, old, good in [
                ("aws", "1", "20"),
                ("azure", "1", "20"),
                ("gcp", "2026-03-01T12:00:00.000000", "2026-03-20T12:00:00.000000"),
                ("oci", "2026-03-01T12:00:00.000000", "2026-03-20T12:00:00.000000"),
            ]
        ),
        ("gcp", published("gcp", ENTRIES["gcp"][:2], 21), "has 2 prefixes, less than half of the 5 of the good copy"),
        ("aws", published("aws", ENTRIES["aws"][:1], 20), "has 1 prefixes, less than half of the 5 of the good copy"),
    ],
    ids=["old aws", "old azure", "old gcp", "old oci", "small gcp", "small aws of the same version"],
)
def test_a_file_with_losses_replaces_no_good_copy(keep: Keeper, vendor: str, new: str, part: str) -> None:
    good = published(vendor, ENTRIES[vendor], 20)
    with Stub(in_turn(file(good, ETag='"1"'), file(new, ETag='"2"'))) as stub:
        source = {vendor: f"{stub.url}/there.json"}
        keep(sources=source)
        before = keep.files
        for check_mode in (True, False):
            error = keep.failure(check_mode, sources=source)
            assert f"{vendor}: '{stub.url}/there.json' {part}" in str(error)
            assert "set force: true if this is intended. The last good copies stay: " in str(error)
            assert not error.result["changed"]
        assert keep.files == before
        assert keep(sources=source, force=True)["changed"]
    assert keep.files[f"{vendor}.json"] == new


@pytest.mark.parametrize(
    ("good", "new"),
    [
        pytest.param(many("aws", 10, 9), many("aws", 5, 10), id="half, and a version with more digits"),
        pytest.param(many("gcp", 10, 3), many("gcp", 9, 3), id="of the same time"),
        pytest.param(many("aws", 1, 7).replace('"7"', "null"), many("aws", 1, 6), id="no version before"),
        pytest.param(many("aws", 1, 7), many("aws", 1, 6).replace('"6"', "null"), id="no version now"),
        pytest.param(many("gcp", 2, 7), many("gcp", 1, 6).replace("2026-03-06T", "6 March"), id="no time"),
        pytest.param(
            many("oci", 2, 7).replace("12:00:00.000000", "12:00:00.9"),
            many("oci", 1, 7).replace("12:00:00.000000", "12:00:00Z"),
            id="other spelling",
        ),
    ],
)
def test_replacement_of_a_good_copy(keep: Keeper, tmp_path: Path, good: str, new: str) -> None:
    vendor = "gcp" if "creationTime" in new else "oci" if "last_updated" in new else "aws"
    keep.folder.mkdir(parents=True)
    (keep.folder / f"{vendor}.json").write_text(good)
    source = tmp_path / "new.json"
    source.write_text(new)
    assert keep(sources={vendor: str(source)})["changed"]
    assert keep.files[f"{vendor}.json"] == new


def test_the_last_good_copies_are_kept_with_their_age(keep: Keeper, mirror: Stub) -> None:
    keep(sources=sources(mirror))
    before = keep.files
    keep.made(30.51, "aws")
    keep.made(0.91, "azure")
    keep.made(24 * 7.21, "gcp")
    with Stub(in_turn(Response(503))) as bad:
        chosen = {**sources(mirror), "aws": f"{bad.url}/a", "azure": "/nowhere", "gcp": f"{bad.url}/b"}
        outcome = keep.outcome(sources=chosen, on_unavailable="keep")
        foretold = keep.outcome(True, sources=chosen, on_unavailable="keep")
    assert outcome.warnings == foretold.warnings
    assert outcome.warnings == [
        f"aws: HTTP 503 from {bad.url}/a. The last good copy, 30.5 hours old, stays in use",
        "azure: there is no file '/nowhere'. The last good copy, 0.9 hours old, stays in use",
        f"gcp: HTTP 503 from {bad.url}/b. The last good copy, 7.2 days old, stays in use",
    ]
    assert not outcome.result["changed"]
    assert outcome.result["files"].keys() == outcome.result["times"].keys() == ENTRIES.keys()
    assert outcome.result["times"]["gcp"] < outcome.result["times"]["aws"] < outcome.result["times"]["azure"]
    assert [copy["error"] is None for copy in outcome.result["ranges"]] == [False, False, False, True]
    assert keep.files == before


@pytest.mark.parametrize(
    ("response", "part"),
    [
        (PAGE, "is not JSON"),
        (file(published("aws", ENTRIES["aws"], 0)), "older than version 1"),
        (file(published("aws", ENTRIES["aws"][:1], 2)), "less than half"),
        (None, "no usable response from"),
    ],
    ids=["page", "older", "smaller", "dropped"],
)
def test_refused_sources_are_unavailable_too(keep: Keeper, response: Response | None, part: str) -> None:
    with Stub(in_turn(file(OLD), response)) as stub:
        keep.of(stub.url)
        [warning] = keep.outcome(sources={"aws": stub.url}, on_unavailable="keep").warnings
    assert part in warning
    assert keep.files["aws.json"] == OLD


def test_without_a_copy_to_keep_the_task_fails(keep: Keeper, mirror: Stub) -> None:
    keep(sources={"aws": sources(mirror)["aws"]})
    (keep.folder / "gcp.json").write_text("<html>")
    with Stub(in_turn(Response(404))) as bad:
        chosen = {vendor: f"{bad.url}/{vendor}" for vendor in ("aws", "azure", "gcp")}
        error = keep.failure(sources={**sources(mirror), **chosen}, on_unavailable="keep")
    assert str(error).startswith("2 of 4 sources failed: azure: HTTP 404 from ")
    assert [warning.partition(" from")[0] for warning in error.outcome.warnings] == ["aws: HTTP 404"]
    assert error.result["files"].keys() == {"aws", "oci"}


def test_an_unwritable_copy_is_a_failure(keep: Keeper) -> None:
    with Stub(in_turn(file(OLD, ETag='"1"'), file(NEW, ETag='"2"'))) as stub:
        keep.of(stub.url)
        (keep.folder / "aws.json.note").unlink()
        (keep.folder / "aws.json.note").mkdir()
        error = keep.failure(sources={"aws": stub.url}, on_unavailable="keep")
    assert "cannot write" in str(error)
    assert error.outcome.warnings == []


def test_a_young_copy_is_used_without_a_request(keep: Keeper, mirror: Stub) -> None:
    first = keep(sources=sources(mirror), max_age=24)
    mirror.requests.clear()
    keep.made(23, "aws", "gcp")
    keep.made(25, "azure")
    keep.made(-1, "oci")  # in the future, as after a correction of the clock
    second = keep(sources=sources(mirror), max_age=24)
    assert second["ranges"] == [{**copy, "changed": False} for copy in first["ranges"]]
    assert [request.path for request in mirror.requests] == ["/azure.json", "/oci.json"]
    # Now the other copies are young too.
    keep(sources=sources(mirror), max_age=24)
    assert len(mirror.requests) == 2
    keep(sources=sources(mirror))
    assert len(mirror.requests) == 6


def test_a_damaged_young_copy_is_fetched(keep: Keeper, tmp_path: Path) -> None:
    local = tmp_path / "local.json"
    local.write_text(NEW)
    with Stub(in_turn(file(OLD))) as stub:
        keep.of(stub.url, max_age=24)
        (keep.folder / "aws.json").write_text(OLD[:-10])
        assert keep.of(stub.url, max_age=24)["changed"]
        assert len(stub.requests) == 2
    # A local file is always compared.
    assert keep.of(str(local), max_age=24)["version"] == "2"


HOST_OF_FILES = "https://download.example.com/download/7/1"


@pytest.mark.parametrize(
    ("page", "base", "found"),
    [
        pytest.param(
            f'<a href="{HOST_OF_FILES}/ServiceTags_Public_20260302.json">x</a>',
            "https://www.example.com/details?id=1",
            f"{HOST_OF_FILES}/ServiceTags_Public_20260302.json",
            id="link",
        ),
        pytest.param(
            f"<a href={HOST_OF_FILES}/a/ServiceTags_Public_20251229.json>x</a>"
            f"<a href='{HOST_OF_FILES}/b/ServiceTags_Public_20260105.json'>x</a>"
            f"<p>{HOST_OF_FILES}/c/ServiceTags_Public_20251222.json</p>",
            "https://www.example.com/",
            f"{HOST_OF_FILES}/b/ServiceTags_Public_20260105.json",
            id="newest",
        ),
        pytest.param(
            '<script>{"url":"https:\\/\\/d.example.com\\u002Fa\\u002fServiceTags_Public_20260302.json","n":1}</script>',
            "https://www.example.com/",
            "https://d.example.com/a/ServiceTags_Public_20260302.json",
            id="JSON",
        ),
        pytest.param(
            '<a data="{&quot;url&quot;:&quot;https&#58;&#x2F;/d.example.com/ServiceTags_Public_20260302.json&quot;}">',
            "https://www.example.com/",
            "https://d.example.com/ServiceTags_Public_20260302.json",
            id="HTML entities",
        ),
        *(
            pytest.param(f'<a href="{link}">', "https://www.example.com/azure/page?id=1", found, id=link)
            for link, found in [
                ("ServiceTags_Public_20260302.json", "https://www.example.com/azure/ServiceTags_Public_20260302.json"),
                ("../x/ServiceTags_Public_20260302.json", "https://www.example.com/x/ServiceTags_Public_20260302.json"),
                ("/ServiceTags_Public_20260302.json", "https://www.example.com/ServiceTags_Public_20260302.json"),
                ("//d.example/ServiceTags_Public_20260302.json", "https://d.example/ServiceTags_Public_20260302.json"),
                (
                    "ServiceTags_Public_20260302.json?a=1",
                    "https://www.example.com/azure/ServiceTags_Public_20260302.json",
                ),
                ("http://d.example/ServiceTags_Public_20260302.json", None),
                ("http://127.0.0.1/ServiceTags_Public_20260302.json", None),
                ("ftp://d.example/ServiceTags_Public_20260302.json", None),
                ("file:///etc/ServiceTags_Public_20260302.json", None),
                ("https://me:word@d.example/ServiceTags_Public_20260302.json", None),
                ("https://[::1/ServiceTags_Public_20260302.json", None),
                ("https://d.example/get?/ServiceTags_Public_20260302.json", None),
                ("https://d.example/#/ServiceTags_Public_20260302.json", None),
                ("https://d.example/MyServiceTags_Public_20260302.json", None),
                ("https://d.example/ServiceTags_Public_20260302.json.exe", None),
                ("https://d.example/ServiceTags_Public_20260302.jsonp", None),
                ("https://d.example/ServiceTags_Public_2026.json", None),
                ("https://d.example/ServiceTags_AzureGovernment_20260302.json", None),
                ("https://d.example/é/ServiceTags_Public_20260302.json", None),
                (f"https://d.example/{'a' * 2000}/ServiceTags_Public.json", None),
                ("", None),
            ]
        ),
        *(
            pytest.param(f"<a href={link}>", base, found, id=f"{base} {link}")
            for base, link, found in [
                ("http://127.0.0.1:8080/a", "ServiceTags_Public_20260302.json", True),
                ("http://[::1]/a", "http://127.0.0.1:1/ServiceTags_Public_20260302.json", True),
                ("http://localhost/", "http://localhost/ServiceTags_Public_20260302.json", True),
                ("http://127.0.0.1/", "http://192.0.2.1/ServiceTags_Public_20260302.json", False),
                ("http://192.0.2.1/", "http://127.0.0.1/ServiceTags_Public_20260302.json", False),
                ("http://192.0.2.1/", "ServiceTags_Public_20260302.json", False),
                ("http://192.0.2.1/", "https://192.0.2.1/ServiceTags_Public_20260302.json", True),
                ("http://localhost.example/", "ServiceTags_Public_20260302.json", False),
                ("", "ServiceTags_Public_20260302.json", False),
                ("", "https://192.0.2.1/ServiceTags_Public_20260302.json", True),
            ]
        ),
    ],
)
def test_the_link_to_azures_file(page: str, base: str, found: str | bool | None) -> None:
    url = find_azure_file(page.encode(), base)
    assert (url is not None) == found if isinstance(found, bool) else url == found


class Centre:
    """Download centre: a page with links to Azure's files, and the files.

    The ETag of a file is its path.
    """

    def __init__(self, **files: str) -> None:
        self.files = files
        self.page = "".join(f'<a href="/download/7/ServiceTags_Public_{date}.json">{date}</a>' for date in files)

    def __call__(self, request: Request) -> Response:
        if request.path == "/moved":
            return Response(302, headers={"Location": "/page"})
        if request.path == "/page":
            html = f"\ufeff\n<!DOCTYPE html><html>{self.page}</html>"
            return file(html, Content_Type="text/html; charset=utf-8", ETag='"page"')
        tag = f'"{request.path}"'
        if request.headers["If-None-Match"] == tag:
            return Response(304)
        return file(self.files[request.path[-13:-5]], ETag=tag)


AZURE = {date: published("azure", ENTRIES["azure"], number) for number, date in enumerate(("20260302", "20260309"), 1)}


@pytest.mark.parametrize("page", ["/page", "/moved"])
def test_azures_page_leads_to_the_newest_file(keep: Keeper, page: str) -> None:
    with Stub(Centre(**{"20260302": AZURE["20260302"]})) as stub:
        source = {"azure": stub.url + page}
        first = keep(sources=source)
        assert (first["changed"], first["ranges"][0]["source"]) == (True, source["azure"])
        assert keep.files["azure.json"] == AZURE["20260302"]
        stub.requests.clear()
        assert not keep(sources=source)["changed"]
        path = "/download/7/ServiceTags_Public_20260302.json"
        assert [(request.path, request.headers["If-None-Match"]) for request in stub.requests] == [
            *([("/moved", None)] if page == "/moved" else []),
            ("/page", None),
            (path, f'"{path}"'),
        ]
        # A new file has another name, so there is no ETag for it.
        stub.responder = Centre(**AZURE)
        stub.requests.clear()
        assert keep(sources=source)["ranges"][0]["version"] == "2"
        assert keep.files["azure.json"] == AZURE["20260309"]
        assert [request.headers["If-None-Match"] for request in stub.requests if "json" in request.path] == [None]
        stub.requests.clear()
        assert not keep(sources=source, max_age=1)["changed"]
        assert stub.requests == []
        # The URL of the file uses the same note.
        direct = {"azure": f"{stub.url}/download/7/ServiceTags_Public_20260309.json"}
        assert not keep(sources=direct)["changed"]
        assert stub.requests[0].headers["If-None-Match"] is not None
        # The page links an older file again.
        stub.responder = Centre(**{"20260302": AZURE["20260302"]})
        error = keep.failure(sources=source)
    assert "/ServiceTags_Public_20260302.json' has version 1, older than version 2" in str(error)


def test_a_saved_page(keep: Keeper, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    page = tmp_path / "page.html"
    with Stub(Centre(**AZURE), authority.context) as stub:
        page.write_text(f"<html><a href={stub.url}/ServiceTags_Public_20260302.json>")
        assert keep(sources={"azure": str(page)}, ca_path=str(authority.path))["changed"]
        page.write_text("<html><a href=ServiceTags_Public_20260302.json>")
        assert "is a page without an https link" in str(keep.failure(sources={"azure": str(page)}))


@pytest.mark.parametrize(
    ("responses", "part"),
    [
        (
            [PAGE],
            "is a page without an https link to a file ServiceTags_Public_YYYYMMDD.json: it begins with '<!DOCTYPE ",
        ),
        ([file("<a href=http://192.0.2.1/ServiceTags_Public_20260302.json>")], "is a page without an https link"),
        ([file("<" + " " * MAX_PAGE_BYTES)], "is a page of more than 4 MiB"),
        ([file("<a href=ServiceTags_Public_20260302.json>"), Response(404)], "HTTP 404 from http://"),
        ([file("<a href=ServiceTags_Public_20260302.json>")], "ServiceTags_Public_20260302.json' is not JSON"),
        ([file("<a href=ServiceTags_Public_20260302.json>"), Response(304)], "HTTP 304 from http://"),
        (
            [file("<a href=ServiceTags_Public_20260302.json>"), file(published("gcp", ENTRIES["gcp"]))],
            "it has the format of the file of gcp",
        ),
    ],
    ids=["no link", "http", "large", "404", "page after page", "304", "other"],
)
def test_pages_without_a_link(keep: Keeper, responses: list[Response], part: str) -> None:
    with Stub(in_turn(file(AZURE["20260302"]))) as good:
        keep(sources={"azure": good.url})
    before = keep.files
    with Stub(in_turn(*responses)) as stub:
        error = keep.failure(sources={"azure": f"{stub.url}/page"})
        assert part in str(error)
        [warning] = keep.outcome(sources={"azure": stub.url}, on_unavailable="keep").warnings
    assert warning.startswith("azure: ")
    assert keep.files == before


def test_a_page_is_a_source_of_azure_only(keep: Keeper) -> None:
    with Stub(in_turn(file("<a href=ServiceTags_Public_20260302.json>"))) as stub:
        assert "is not JSON" in keep.failure_of(stub.url)
    assert len(stub.requests) == 1


def test_every_vendor_has_a_default_source() -> None:
    assert DEFAULT_SOURCES.keys() == ENTRIES.keys()
