# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of the published files of ranges: fetch, check, then replace."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from .._errors import InvalidInput, OriginOpsError, Outcome
from .._http import HttpSession, Response, TransportError, transport
from .._mapping import VENDORS
from .._messages import sanitize
from .formats import MAX_FILE_BYTES, VendorRanges, parse_ranges, read_file

DEFAULT_SOURCES = {
    "aws": "https://ip-ranges.amazonaws.com/ip-ranges.json",
    "gcp": "https://www.gstatic.com/ipranges/cloud.json",
    "oci": "https://docs.oracle.com/iaas/tools/public_ip_ranges.json",
}
"""URLs by vendor. Azure's file has another one every week."""

MAX_REDIRECTS = 5

REDIRECTS = frozenset({301, 302, 303, 307, 308})

CONDITIONAL_HEADERS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
"""Headers of a response, and the headers of the next request that refer to them."""


@dataclass
class RangeFile:
    """Local copy of a vendor's file, and the outcome of its update.

    before and after are the ranges before and after the update (in check mode, as they would be), None without a
    usable copy. error is the failure of the source.
    """

    vendor: str
    source: str
    path: str
    before: VendorRanges | None = None
    after: VendorRanges | None = None
    changed: bool = False
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "vendor": self.vendor,
            "path": self.path,
            "source": self.source,
            "changed": self.changed,
            "version": self.after.version if self.after else None,
            "prefixes": self.after.prefixes if self.after else None,
            "error": self.error,
        }


def update_range_files(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Update the copies from their sources.

    A failed source does not stop the others. Raises InvalidInput before anything is fetched, and OriginOpsError with
    the full result if a source failed.
    """
    directory = os.path.abspath(options["dest"])
    if os.path.exists(directory) and not os.path.isdir(directory):
        raise InvalidInput(f"dest: {directory!r} is not a folder")
    sources = {vendor: options["sources"][vendor] for vendor in VENDORS if options["sources"].get(vendor) is not None}
    if not sources:
        raise InvalidInput(f"sources is empty: name one or more of {', '.join(VENDORS)}")
    problems = [
        f"sources.{vendor} {problem}"
        for vendor, source in sources.items()
        if _is_url(source) and (problem := _url_problem(source))
    ]
    if problems:
        raise InvalidInput("; ".join(problems))
    files = [RangeFile(vendor, source, os.path.join(directory, f"{vendor}.json")) for vendor, source in sources.items()]
    with Downloader(**transport(options)) as downloader:
        for file in files:
            try:
                _update(file, downloader, check_mode)
            except OriginOpsError as error:
                file.error = str(error)
    result = {
        "changed": any(file.changed for file in files),
        "files": {file.vendor: file.path for file in files if (file.before if check_mode else file.after)},
        "ranges": [file.as_dict() for file in files],
        "diff": {
            "before": "".join(_diff_line(file.before) for file in files if file.changed),
            "after": "".join(_diff_line(file.after) for file in files if file.changed),
        },
    }
    failed = [file for file in files if file.error]
    if failed:
        kept = ", ".join(file.vendor for file in failed if file.after)
        raise OriginOpsError(
            f"{len(failed)} of {len(files)} sources failed: {'; '.join(str(file.error) for file in failed)}. "
            + (f"The last good copies stay: {kept}" if kept else "There are no good copies from before"),
            **result,
        )
    return Outcome(result)


def secret_sources(options: Mapping[str, Any]) -> list[str]:
    """List the sources that may hold a password, which no output may show."""
    return [source for source in options["sources"].values() if source and _is_url(source) and "@" in source]


def _update(file: RangeFile, downloader: Downloader, check_mode: bool) -> None:
    """Fetch the source, and replace other content.

    Raises OriginOpsError.
    """
    old = read_file(file.vendor, file.path) if os.path.exists(file.path) else None
    if old is not None:
        with suppress(InvalidInput):
            file.before = file.after = parse_ranges(file.vendor, old, file.path)
    note = None
    if _is_url(file.source):
        conditions = _conditional_headers(file, old) if old is not None and file.before else {}
        new, next_conditions = downloader.fetch(file, conditions)
        if new is None:
            return
        if next_conditions:
            note = {"source": file.source, "sha256": hashlib.sha256(new).hexdigest(), "conditions": next_conditions}
    else:
        new = read_file(file.vendor, os.path.expanduser(file.source))
    ranges = parse_ranges(file.vendor, new, file.source)
    if new != old:
        if not check_mode:
            _write(file, file.path, new)
        file.changed, file.after = True, ranges
    if note and not check_mode:
        _write(file, _note_path(file), json.dumps(note, indent=2).encode())


def _note_path(file: RangeFile) -> str:
    """Path of the note beside a copy, which identifies its response."""
    return f"{file.path}.note"


def _conditional_headers(file: RangeFile, content: bytes) -> dict[str, str]:
    """Return headers to fetch only other content, none without a note."""
    # A note only saves a download, so an unusable one is not worth a message.
    with suppress(OSError, ValueError, RecursionError, LookupError, TypeError):
        with open(_note_path(file), encoding="utf-8") as stream:
            note = json.load(stream)
        if note["source"] == file.source and note["sha256"] == hashlib.sha256(content).hexdigest():
            return {
                name: str(note["conditions"][name])
                for name in CONDITIONAL_HEADERS.values()
                if name in note["conditions"]
            }
    return {}


def _write(file: RangeFile, path: str, content: bytes) -> None:
    """Replace a file atomically. It keeps its permissions."""
    directory = os.path.dirname(path)
    try:
        os.makedirs(directory, exist_ok=True)
        try:
            mode = stat.S_IMODE(os.stat(path).st_mode)
        except FileNotFoundError:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".", delete=False) as new:
            try:
                new.write(content)
                new.flush()
                os.chmod(new.name, mode)
                os.replace(new.name, path)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(new.name)
    except OSError as error:
        raise OriginOpsError(f"{file.vendor}: cannot write {path!r}: {error.strerror}") from None


def _diff_line(ranges: VendorRanges | None) -> str:
    return f"{ranges.vendor}: version {ranges.version}, {ranges.prefixes} prefixes\n" if ranges else ""


def _is_url(source: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", source) is not None


def _url_problem(url: str) -> str | None:
    """Describe why a URL is not fetched, None if it is.

    The URL is left out, since it may hold a secret.
    """
    if "@" in url:
        return "has an @, as before it there may be a user and a password, which are never sent (in a path, write %40)"
    try:
        split = urlsplit(url)
        usable = split.scheme in ("http", "https") and split.hostname and split.port != 0
    except ValueError:
        usable = False
    return None if usable and re.fullmatch(r"[!-~]+", url) else "is not an address of http or https"


class Downloader:
    """Downloads files without credentials, in a with statement."""

    def __init__(self, *, timeout: float, retries: int, verify: bool | str) -> None:
        # An auth object keeps requests from reading credentials from a .netrc file.
        self._http = HttpSession(lambda request: request, timeout=timeout, retries=retries, verify=verify)

    def __enter__(self) -> Downloader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.close()

    def fetch(self, file: RangeFile, conditions: dict[str, str]) -> tuple[bytes | None, dict[str, str]]:
        """Fetch a file's source with conditional headers. Raises OriginOpsError.

        Returns the content, None if it has not changed, and the conditional headers of the next request.
        """
        url = file.source
        try:
            for _redirect in range(MAX_REDIRECTS + 1):
                response = self._http.send(
                    "GET", url, service=file.source, max_bytes=MAX_FILE_BYTES, headers=conditions
                )
                if response.status not in REDIRECTS or "Location" not in response.headers:
                    return _parse_response(file, response, conditions)
                url = _redirect_target(file, url, response.headers["Location"])
        except TransportError as error:
            raise OriginOpsError(f"{file.vendor}: {sanitize(str(error))}") from None
        raise OriginOpsError(f"{file.vendor}: {file.source} leads to more than {MAX_REDIRECTS} redirects")


def _parse_response(
    file: RangeFile, response: Response, conditions: dict[str, str]
) -> tuple[bytes | None, dict[str, str]]:
    """Return the content and the next conditional headers, as fetch does."""
    if response.status == 304 and conditions:
        return None, conditions
    if response.status != 200:
        raise OriginOpsError(f"{file.vendor}: HTTP {response.status} from {file.source}")
    next_conditions = {
        header: response.headers[name] for name, header in CONDITIONAL_HEADERS.items() if name in response.headers
    }
    return response.body, next_conditions


def _redirect_target(file: RangeFile, url: str, location: str) -> str:
    """Return the URL that a redirect leads to.

    Raises OriginOpsError if it is not followed.
    """
    try:
        target = urljoin(url, location)
    except ValueError:
        problem = _url_problem(location)
        raise OriginOpsError(f"{file.vendor}: {file.source} redirects to an address that {problem}") from None
    if (urlsplit(url).scheme, urlsplit(target).scheme) == ("https", "http"):
        raise OriginOpsError(f"{file.vendor}: {file.source} redirects from https to http, which is not followed")
    problem = _url_problem(target)
    if problem:
        raise OriginOpsError(f"{file.vendor}: {file.source} redirects to an address that {problem}")
    return target
