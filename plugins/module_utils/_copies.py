# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of the files of address ranges that the clouds publish, kept right: fetch, check, and only then replace."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping as Dict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urljoin, urlsplit

from ansible_collections.originops.cloudflare.plugins.module_utils._client import (
    RETRIED_STATUS,
    Retries,
    printable,
    read_body,
    reason,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput, OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import VENDORS
from ansible_collections.originops.cloudflare.plugins.module_utils._options import transport
from ansible_collections.originops.cloudflare.plugins.module_utils._ranges import (
    LARGEST_FILE,
    Published,
    parse,
    read_file,
)

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError
except ImportError:  # which the module tells, by _client's REQUESTS_IMPORT_ERROR
    pass

PUBLISHED_AT = {
    "aws": "https://ip-ranges.amazonaws.com/ip-ranges.json",
    "gcp": "https://www.gstatic.com/ipranges/cloud.json",
    "oci": "https://docs.oracle.com/iaas/tools/public_ip_ranges.json",
}
"""Azure's file has another address every week."""

MOST_REDIRECTS = 5

CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
"""What an answer says of its content, and the header of a later request that asks whether this still holds."""

Replace: TypeAlias = Callable[[str, str], None]
"""Moves a file to the place of another, so that there is always one or the other."""


@dataclass
class Copy:
    """The copy of a vendor's file, and what became of it.

    before is what the usable copy said that was found, after what the one says that there is in the end, or in check
    mode would be; None where there is none. error says why the source failed.
    """

    vendor: str
    source: str
    path: str
    before: Published | None = None
    after: Published | None = None
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


def keep_copies(options: Dict[str, Any], check_mode: bool, replace: Replace) -> dict[str, Any]:
    """Bring the copies up to date with their sources, each whatever becomes of the others.

    Raises InvalidInput before anything is fetched, and OriginOpsError with the full result if a source failed.
    """
    folder = os.path.abspath(options["dest"])
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise InvalidInput(f"dest: {folder!r} is not a folder")
    sources = {vendor: options["sources"][vendor] for vendor in VENDORS if options["sources"].get(vendor) is not None}
    if not sources:
        raise InvalidInput(f"sources is empty: name one or more of {', '.join(VENDORS)}")
    problems = [
        f"sources.{vendor} {problem}"
        for vendor, source in sources.items()
        if _is_url(source) and (problem := _problem(source))
    ]
    if problems:
        raise InvalidInput("; ".join(problems))
    copies = [Copy(vendor, source, os.path.join(folder, f"{vendor}.json")) for vendor, source in sources.items()]
    with _Web(**transport(options)) as web:
        for copy in copies:
            try:
                _refresh(copy, web, check_mode, replace)
            except OriginOpsError as error:
                copy.error = str(error)
    result = {
        "changed": any(copy.changed for copy in copies),
        "files": {copy.vendor: copy.path for copy in copies if (copy.before if check_mode else copy.after)},
        "ranges": [copy.as_dict() for copy in copies],
        "diff": {
            "before": "".join(_line(copy, copy.before) for copy in copies if copy.changed),
            "after": "".join(_line(copy, copy.after) for copy in copies if copy.changed),
        },
    }
    failed = [copy for copy in copies if copy.error]
    if failed:
        kept = ", ".join(copy.vendor for copy in failed if copy.after)
        raise OriginOpsError(
            f"{len(failed)} of {len(copies)} sources failed: {'; '.join(str(copy.error) for copy in failed)}. "
            + (f"The last good copies stay: {kept}" if kept else "There are no good copies from before"),
            **result,
        )
    return result


def holds_secret(source: str) -> bool:
    """Whether a source is an address that no message and no result may repeat."""
    return _is_url(source) and "@" in source


def _refresh(copy: Copy, web: _Web, check_mode: bool, replace: Replace) -> None:
    """Fetch the source, and replace the copy if that has other content. Raises OriginOpsError."""
    old = read_file(copy.vendor, copy.path) if os.path.exists(copy.path) else None
    if old is not None:
        with suppress(InvalidInput):
            copy.before = copy.after = parse(copy.vendor, old, copy.path)
    note = None
    if _is_url(copy.source):
        new, conditions = web.get(copy, _recall(copy, old) if old is not None and copy.before else {})
        if new is None:
            return
        if conditions:
            note = {"source": copy.source, "sha256": hashlib.sha256(new).hexdigest(), "conditions": conditions}
    else:
        new = read_file(copy.vendor, os.path.expanduser(copy.source))
    published = parse(copy.vendor, new, copy.source)
    if new != old:
        if not check_mode:
            _write(copy, copy.path, new, replace)
        copy.changed, copy.after = True, published
    if note and not check_mode:
        _write(copy, _note_path(copy), json.dumps(note, indent=2).encode(), replace)


def _note_path(copy: Copy) -> str:
    """Beside a copy is noted which answer it was, to ask for a newer one only."""
    return f"{copy.path}.note"


def _recall(copy: Copy, content: bytes) -> dict[str, str]:
    """The headers that ask whether this content still holds, none where it is not the one that was noted."""
    # The note spares a download, no more, so one that is unusable is not worth a word.
    with suppress(OSError, ValueError, RecursionError, LookupError, TypeError):
        with open(_note_path(copy), encoding="utf-8") as file:
            note = json.load(file)
        if note["source"] == copy.source and note["sha256"] == hashlib.sha256(content).hexdigest():
            return {name: str(note["conditions"][name]) for name in CONDITIONS.values() if name in note["conditions"]}
    return {}


def _write(copy: Copy, path: str, content: bytes, replace: Replace) -> None:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), prefix=".", delete=False) as file:
            try:
                file.write(content)
                file.flush()
                replace(file.name, path)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(file.name)
    except OSError as error:
        raise OriginOpsError(f"{copy.vendor}: cannot write {path!r}: {error.strerror}") from None


def _line(copy: Copy, published: Published | None) -> str:
    return f"{copy.vendor}: version {published.version}, {published.prefixes} prefixes\n" if published else ""


def _is_url(source: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", source) is not None


def _problem(url: str) -> str | None:
    """Why this is no address to fetch from, in words that leave it out, for it may hold a secret."""
    if "@" in url:
        return "has an @, as before it there may be a user and a password, which are never sent (in a path, write %40)"
    try:
        split = urlsplit(url)
        usable = split.scheme in ("http", "https") and split.hostname and split.port != 0
    except ValueError:
        usable = False
    return None if usable and re.fullmatch(r"[!-~]+", url) else "is not an address of http or https"


class _Web:
    """Gets files. No credentials are ever sent, not even those that a .netrc file has for a host."""

    def __init__(self, *, timeout: float, retries: int, verify: bool | str) -> None:
        """As for a Client."""
        self._timeout = timeout
        self._verify = verify
        self._session = requests.Session()
        # An auth object keeps requests from looking for one itself.
        self._session.auth = lambda request: request
        self._session.headers["User-Agent"] = "originops.cloudflare (Ansible)"
        policy = Retries(
            total=retries,
            other=0,  # a certificate does not get better
            status_forcelist=RETRIED_STATUS,
            allowed_methods={"GET"},
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=policy))

    def __enter__(self) -> _Web:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._session.close()

    def get(self, copy: Copy, conditions: dict[str, str]) -> tuple[bytes | None, dict[str, str]]:
        """What the copy's source has, None where the conditions hold; and the conditions to ask with the next time.

        Raises OriginOpsError.
        """
        url = copy.source
        try:
            for _hop in range(MOST_REDIRECTS + 1):
                with self._session.get(
                    url,
                    headers=conditions,
                    timeout=self._timeout,
                    # Given with each request: the environment's CA variables override a session's setting.
                    verify=self._verify,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    target = self._session.get_redirect_target(response)
                    if target is None:
                        return self._content(copy, response, conditions)
                url = self._redirected(copy, url, target)
        except (OSError, HTTPError, ValueError) as error:
            told = printable(reason(error, copy.source, self._timeout))
            raise OriginOpsError(f"{copy.vendor}: {told}") from None
        raise OriginOpsError(f"{copy.vendor}: {copy.source} leads to more than {MOST_REDIRECTS} redirects")

    def _content(
        self, copy: Copy, response: requests.Response, conditions: dict[str, str]
    ) -> tuple[bytes | None, dict[str, str]]:
        if response.status_code == 304 and conditions:
            return None, conditions
        if response.status_code != 200:
            raise OriginOpsError(f"{copy.vendor}: HTTP {response.status_code} from {copy.source}")
        new = {asking: response.headers[said] for said, asking in CONDITIONS.items() if said in response.headers}
        return read_body(response, LARGEST_FILE), new

    def _redirected(self, copy: Copy, url: str, target: str) -> str:
        target = urljoin(url, target)
        if (urlsplit(url).scheme, urlsplit(target).scheme) == ("https", "http"):
            raise OriginOpsError(f"{copy.vendor}: {copy.source} redirects from https to http, which is not followed")
        problem = _problem(target)
        if problem:
            raise OriginOpsError(f"{copy.vendor}: {copy.source} redirects to an address that {problem}")
        return target
