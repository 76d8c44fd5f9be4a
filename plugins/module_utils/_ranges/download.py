# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of the published files of ranges: fetch, check, then replace."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from .._errors import InvalidInput, OriginOpsError, Outcome
from .._files import check_directory
from .._http import HttpSession, Response, TransportError, transport
from .._mapping import VENDORS
from .._messages import quote, sanitize
from .formats import MAX_FILE_BYTES, VendorRanges, parse_ranges, read_file

DEFAULT_SOURCES = {
    "aws": "https://ip-ranges.amazonaws.com/ip-ranges.json",
    "azure": "https://www.microsoft.com/en-us/download/details.aspx?id=56519",
    "gcp": "https://www.gstatic.com/ipranges/cloud.json",
    "oci": "https://docs.oracle.com/iaas/tools/public_ip_ranges.json",
}
"""URLs by vendor.

That of azure is a page with a link to the file, which has another name every week.
"""

AZURE_FILE = re.compile(r"ServiceTags_Public_([0-9]{8})\.json(?![\w.%-])")
"""Name of Azure's file, and in it the date of its publication."""

MAX_PAGE_BYTES = 4 * 1024 * 1024

MAX_LINK = 1000
"""Characters of a link before the name of the file."""

MAX_REDIRECTS = 5

REDIRECTS = frozenset({301, 302, 303, 307, 308})

CONDITIONAL_HEADERS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
"""Response headers, with the headers of the next request for them."""


@dataclass
class RangeFile:
    """Local copy of a vendor's file, and the outcome of its update.

    before and after are the ranges before and after the update (in check mode, as they would be), None without a
    usable copy. modified is the time of the copy in seconds since the epoch, None without one. error is the failure
    of the source; kept is true if the copy stays in use in spite of it.
    """

    vendor: str
    source: str
    path: str
    before: VendorRanges | None = None
    after: VendorRanges | None = None
    modified: float | None = None
    changed: bool = False
    error: str | None = None
    kept: bool = False

    @property
    def hours(self) -> float:
        """Age of the copy in hours, infinite without one."""
        return float("inf") if self.modified is None else (time.time() - self.modified) / 3600

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


class Download(NamedTuple):
    """Content of a URL, None if it has not changed.

    url is the requested one, base the one after redirects, and conditions are the headers of the next request.
    """

    content: bytes | None
    url: str
    base: str
    conditions: dict[str, str]


def update_range_files(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Update the copies from their sources.

    A failed source does not stop the others. Raises InvalidInput before anything is fetched, and OriginOpsError with
    the full result if a source failed and its copy is not kept.
    """
    directory = os.path.abspath(options["dest"])
    if os.path.exists(directory) and not os.path.isdir(directory):
        raise InvalidInput(f"dest: {directory!r} is not a directory")
    if not options["max_age"] >= 0:
        raise InvalidInput(f"max_age: {options['max_age']:g} is not 0 or more hours")
    sources = {vendor: options["sources"][vendor] for vendor in VENDORS if options["sources"].get(vendor) is not None}
    if not sources:
        raise InvalidInput(f"sources is empty: name one or more of {', '.join(VENDORS)}")
    check_sources(sources)
    files = [RangeFile(vendor, source, os.path.join(directory, f"{vendor}.json")) for vendor, source in sources.items()]
    with Downloader(**transport(options)) as downloader:
        for file in files:
            _update(file, downloader, options, check_mode)
    usable = [file for file in files if (file.before if check_mode else file.after)]
    result = {
        "changed": any(file.changed for file in files),
        "files": {file.vendor: file.path for file in usable},
        "times": {file.vendor: _format_time(file.modified) for file in usable},
        "ranges": [file.as_dict() for file in files],
        "diff": {
            "before": "".join(_diff_line(file.before) for file in files if file.changed),
            "after": "".join(_diff_line(file.after) for file in files if file.changed),
        },
    }
    warnings = [
        f"{file.error}. The last good copy, {_format_age(file.hours)} old, stays in use" for file in files if file.kept
    ]
    failed = [file for file in files if file.error and not file.kept]
    if failed:
        copies = ", ".join(file.vendor for file in failed if file.after)
        error = OriginOpsError(
            f"{len(failed)} of {len(files)} sources failed: {'; '.join(str(file.error) for file in failed)}. "
            + (f"The last good copies stay: {copies}" if copies else "There are no good copies from before"),
            **result,
        )
        error.outcome.warnings = warnings
        raise error
    return Outcome(result, warnings)


def check_sources(sources: Mapping[str, str]) -> None:
    """Raise InvalidInput, without the URLs, if some are refused."""
    problems = [
        f"sources.{vendor} {problem}"
        for vendor, source in sources.items()
        if _is_url(source) and (problem := _url_problem(source))
    ]
    if problems:
        raise InvalidInput("; ".join(problems))


def secret_sources(options: Mapping[str, Any]) -> list[str]:
    """List the sources that may contain a password. No output may show them."""
    return [source for source in options["sources"].values() if source and _is_url(source) and "@" in source]


def find_azure_file(page: bytes, base: str) -> str | None:
    """Return the URL of the newest Azure file that a page links to, or None.

    base is the URL of the page, empty for a local file. Links have to be https URLs. In a page from an http URL of a
    loopback address, they may be such URLs too.
    """
    # In a script of the page, links can be JSON strings.
    text = re.sub(r"\\/|\\u002[fF]", "/", html.unescape(page.decode(errors="replace")))
    found = []
    for name in AZURE_FILE.finditer(text):
        start = re.split(r"[\s\"'`<>()=,\\]", text[max(0, name.start() - MAX_LINK) : name.start()])[-1]
        with suppress(ValueError):
            url = urljoin(base, start + name[0])
            is_file = urlsplit(url).path.rpartition("/")[2] == name[0]
            if is_file and not _url_problem(url) and (_is_https(url) or (_is_loopback(base) and _is_loopback(url))):
                found.append((name[1], url))
    return max(found)[1] if found else None


def _update(file: RangeFile, downloader: Downloader, options: Mapping[str, Any], check_mode: bool) -> None:
    """Fetch the source unless the copy is recent, and replace other content.

    Errors are recorded in the file.
    """
    try:
        old = read_file(file.vendor, file.path) if os.path.exists(file.path) else None
        if old is not None:
            with suppress(InvalidInput):
                file.before = file.after = parse_ranges(file.vendor, old, file.path)
                file.modified = _time_of(file.path)
        if file.before and _is_url(file.source) and 0 <= file.hours < options["max_age"]:
            return
        _check_own(file)
        good = old if file.before else None
        new = _fetch(file, downloader, good)
        ranges = file.before
        if new.content is not None and new.content != good:
            ranges = parse_ranges(file.vendor, new.content, new.url)
            if file.before and not options["force"]:
                _check_progress(file.before, ranges, new.url)
    except OriginOpsError as error:
        file.error = str(error)
        file.kept = options["on_unavailable"] == "keep" and file.before is not None
        return
    try:
        if ranges is not file.before:
            check_directory("dest", os.path.dirname(file.path))
            if not check_mode:
                _write(file, file.path, new.content or b"")
            file.changed, file.after = True, ranges
        if not check_mode:
            # The time of a copy is that of the last check that it is current.
            with suppress(OSError):
                os.utime(file.path)
            file.modified = _time_of(file.path)
            if new.content is not None and _is_note_replaceable(file):
                note = {
                    "source": new.url,
                    "sha256": hashlib.sha256(new.content).hexdigest(),
                    "conditions": new.conditions,
                }
                _write(file, _note_path(file), json.dumps(note, indent=2).encode())
    except OriginOpsError as error:
        file.error = str(error)


def _fetch(file: RangeFile, downloader: Downloader, good: bytes | None) -> Download:
    """Read a file's source, or the Azure file that a page links to.

    good is the content of the good copy, None without one. Raises OriginOpsError.
    """
    if _is_url(file.source):
        found = downloader.fetch(file.vendor, file.source, _conditional_headers(file, good, file.source))
    else:
        found = Download(read_file(file.vendor, os.path.expanduser(file.source)), file.source, "", {})
    if file.vendor != "azure" or found.content is None:
        return found
    start = found.content[:200].decode("utf-8-sig", errors="replace").strip()
    if not start.startswith("<"):
        return found
    if len(found.content) > MAX_PAGE_BYTES:
        raise OriginOpsError(f"azure: {file.source!r} is a page of more than {MAX_PAGE_BYTES // 1024**2} MiB")
    url = find_azure_file(found.content, found.base)
    if url is None:
        raise OriginOpsError(
            f"azure: {file.source!r} is a page without an https link to a file ServiceTags_Public_YYYYMMDD.json: "
            f"it begins with {quote(start)}"
        )
    return downloader.fetch(file.vendor, url, _conditional_headers(file, good, url))


def _check_progress(old: VendorRanges, new: VendorRanges, name: str) -> None:
    """Raise OriginOpsError for ranges that are not to replace the good copy.

    They are older, or have less than half of its prefixes.
    """
    problem = None
    if new.is_older_than(old):
        problem = f"has version {new.version}, older than version {old.version} of the good copy"
    elif new.prefixes * 2 < old.prefixes:
        problem = f"has {new.prefixes} prefixes, less than half of the {old.prefixes} of the good copy"
    if problem:
        raise OriginOpsError(f"{new.vendor}: {name!r} {problem}: set force: true if this is intended")


def _check_own(file: RangeFile) -> None:
    """Raise OriginOpsError for a file that this module did not write.

    A copy has a note, or the vendor's ranges: an update can end before it writes the note. A link is no copy.
    """
    is_copy = file.before or _read_note(file)
    if os.path.islink(file.path) or (os.path.exists(file.path) and not is_copy):
        raise OriginOpsError(
            f"{file.vendor}: {file.path!r} was not written by this module, so it is left alone: move it away, or set "
            "another dest"
        )


def _note_path(file: RangeFile) -> str:
    """Return the path of the note that identifies the response of a copy."""
    return f"{file.path}.note"


def _read_note(file: RangeFile) -> dict[str, Any] | None:
    """Read the note beside a copy, None without a usable one."""
    # Without a note there is no error: it only saves a download, and marks a damaged copy.
    with suppress(OSError, ValueError, RecursionError):
        with open(_note_path(file), encoding="utf-8") as stream:
            note = json.load(stream)
        if isinstance(note, dict) and note.keys() == {"source", "sha256", "conditions"}:
            return note
    return None


def _is_note_replaceable(file: RangeFile) -> bool:
    path = _note_path(file)
    return not os.path.islink(path) and (_read_note(file) is not None or not os.path.isfile(path))


def _conditional_headers(file: RangeFile, good: bytes | None, url: str) -> dict[str, str]:
    """Return headers to fetch only other content than that of a good copy.

    There are none without a note of this copy and URL.
    """
    note = _read_note(file)
    if good is None or not note or (note["source"], note["sha256"]) != (url, hashlib.sha256(good).hexdigest()):
        return {}
    with suppress(LookupError, TypeError):
        return {
            name: str(note["conditions"][name]) for name in CONDITIONAL_HEADERS.values() if name in note["conditions"]
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


def _time_of(path: str) -> float | None:
    """Return a file's time in seconds since the epoch, None if it is gone."""
    with suppress(OSError):
        return os.stat(path).st_mtime
    return None


def _format_time(seconds: float | None) -> str | None:
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _format_age(hours: float) -> str:
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.1f} days"


def _is_https(url: str) -> bool:
    return urlsplit(url).scheme == "https"


def _is_loopback(url: str) -> bool:
    """Check whether a URL is an http URL of a loopback address."""
    split = urlsplit(url)
    with suppress(ValueError):
        return split.scheme == "http" and ip_address(split.hostname or "").is_loopback
    return split.scheme == "http" and split.hostname == "localhost"


def _is_url(source: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", source) is not None


def _url_problem(url: str) -> str | None:
    """Return the reason to refuse a URL, or None.

    The URL is left out, since it may contain a secret.
    """
    if "@" in url:
        return "has an @, which may follow a user and a password. These are never sent (in a path, write %40)"
    try:
        split = urlsplit(url)
        usable = split.scheme in ("http", "https") and split.hostname and split.port != 0
    except ValueError:
        usable = False
    return None if usable and re.fullmatch(r"[!-~]+", url) else "is not an http or https URL"


class Downloader:
    """Downloader of files without credentials, for a with statement."""

    def __init__(self, *, timeout: float, retries: int, verify: bool | str) -> None:
        # With an auth object, requests reads no credentials from a .netrc file.
        self._http = HttpSession(lambda request: request, timeout=timeout, retries=retries, verify=verify)

    def __enter__(self) -> Downloader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.close()

    def fetch(self, vendor: str, source: str, conditions: dict[str, str]) -> Download:
        """Fetch a URL with conditional headers. Raises OriginOpsError."""
        url = source
        try:
            for _redirect in range(MAX_REDIRECTS + 1):
                response = self._http.send("GET", url, service=source, max_bytes=MAX_FILE_BYTES, headers=conditions)
                if response.status not in REDIRECTS or "Location" not in response.headers:
                    return _parse_response(vendor, source, url, response, conditions)
                url = _redirect_target(vendor, source, url, response.headers["Location"])
        except TransportError as error:
            raise OriginOpsError(f"{vendor}: {sanitize(str(error))}") from None
        raise OriginOpsError(f"{vendor}: {source} redirects more than {MAX_REDIRECTS} times")


def _parse_response(vendor: str, source: str, url: str, response: Response, conditions: dict[str, str]) -> Download:
    """Return the content and the next conditional headers.

    Raises OriginOpsError for a status other than 200, or 304 after conditional headers.
    """
    if response.status == 304 and conditions:
        return Download(None, source, url, conditions)
    if response.status != 200:
        raise OriginOpsError(f"{vendor}: HTTP {response.status} from {source}")
    next_conditions = {
        header: response.headers[name] for name, header in CONDITIONAL_HEADERS.items() if name in response.headers
    }
    return Download(response.body, source, url, next_conditions)


def _redirect_target(vendor: str, source: str, url: str, location: str) -> str:
    """Return the URL of a redirect's target.

    Raises OriginOpsError if it is not followed.
    """
    try:
        target = urljoin(url, location)
    except ValueError:
        problem = _url_problem(location)
        raise OriginOpsError(f"{vendor}: {source} redirects to a URL that {problem}") from None
    if (urlsplit(url).scheme, urlsplit(target).scheme) == ("https", "http"):
        raise OriginOpsError(f"{vendor}: {source} redirects from https to http, which is not followed")
    problem = _url_problem(target)
    if problem:
        raise OriginOpsError(f"{vendor}: {source} redirects to a URL that {problem}")
    return target
