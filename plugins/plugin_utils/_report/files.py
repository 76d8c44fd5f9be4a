# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of reports, which replace only files of an earlier audit."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from ...module_utils._errors import InvalidInput, OriginOpsError
from .html import as_page
from .junit import as_junit
from .markdown import as_markdown
from .model import GENERATOR, Report, as_json

FORMATS: dict[str, tuple[str, Callable[[Report], str]]] = {
    "json": ("report.json", as_json),
    "markdown": ("report.md", as_markdown),
    "junit": ("report.xml", as_junit),
    "html": ("report.html", as_page),
}
"""Formats of a report, each with its file name and its function."""

_COMMENT = f"<!-- generator: {GENERATOR} -->"
_BEGINNINGS = {
    "json": f'{{\n  "generator": "{GENERATOR}"',
    "markdown": _COMMENT,
    "junit": f'<?xml version="1.0" encoding="UTF-8"?>\n{_COMMENT}',
    "html": f"<!DOCTYPE html>\n{_COMMENT}",
}
"""Beginnings of files. They identify the files of this collection."""

_BLOCK = 1 << 20
"""Characters that are encoded at once."""


def write_reports(folder: str, report: Report, formats: Collection[str], mode: int) -> list[str]:
    """Write an aggregate in formats, and return the paths.

    Each format has its own file, which is replaced as a whole. Reports of an earlier audit in other formats are
    replaced too: they must not pass for new ones. A missing directory is created for its owner only; mode is that of
    the files. A file that is not of this collection is left alone. Raises OriginOpsError with such files, and with
    paths that cannot be written, after all others are written.
    """
    if not folder.strip():
        raise InvalidInput("audit_folder is empty: name the directory of the reports")
    folder = os.path.expanduser(folder)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise OriginOpsError(f"The reports cannot be written: {folder}: {error.strerror}") from None
    written, foreign, failed = [], [], []
    for name in dict.fromkeys([*formats, *FORMATS]):
        file, format_report = FORMATS[name]
        path = os.path.join(folder, file)
        is_own = _is_own(path, _BEGINNINGS[name])
        if name not in formats and not is_own:
            continue
        if not is_own and os.path.lexists(path):
            foreign.append(path)
            continue
        try:
            _write(path, format_report(report), mode)
        except OSError as error:
            failed.append(f"{path}: {error.strerror}")
        else:
            written.append(path)
    problems = []
    if failed:
        problems.append(f"The reports cannot be written: {'; '.join(failed)}")
    if foreign:
        problems.append(
            f"Left alone, because no audit wrote it: {', '.join(foreign)}. Move it away, or set another audit_folder"
        )
    if problems:
        raise OriginOpsError(". ".join(problems), reports=written)
    return written


def _is_own(path: str, beginning: str) -> bool:
    """Check whether a file is readable, and begins as an audit writes it."""
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(len(beginning)) == beginning.encode()
    except OSError:
        return False


def _write(path: str, text: str, mode: int) -> None:
    """Replace a file as a whole, or leave it as it is. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(prefix=".report.", dir=os.path.dirname(path))
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            for start in range(0, len(text), _BLOCK):
                file.write(text[start : start + _BLOCK])
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def read_report(path: str) -> Any:
    """Read the JSON of write_reports, from its file or directory.

    Raises InvalidInput with the path.
    """
    path = os.path.expanduser(path)
    if os.path.isdir(path):
        path = os.path.join(path, FORMATS["json"][0])
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except OSError as error:
        raise InvalidInput(f"There is no readable report of an audit in {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise InvalidInput(f"{path} is not a report of an audit: it has no valid JSON") from None
    if not isinstance(report, dict) or report.get("generator") != GENERATOR:
        raise InvalidInput(f"{path} is not a report of an audit: its generator is not {GENERATOR}")
    return report
