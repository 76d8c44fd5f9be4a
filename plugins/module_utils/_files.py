# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of directories for new files, which check mode makes too."""

from __future__ import annotations

import errno
import os

from ._errors import InvalidInput
from ._messages import quote


def check_directory(option: str, directory: str) -> None:
    """Raise InvalidInput unless a directory can be created or written."""
    try:
        existing = directory
        while not _exists(existing):
            existing = os.path.dirname(existing)
    except ValueError:  # null or unencodable characters
        raise InvalidInput(f"{option}: {quote(directory)} is not a path") from None
    if not os.path.isdir(existing):
        raise InvalidInput(f"{option}: {existing} is not a directory")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InvalidInput(f"{option}: cannot write {existing}: {os.strerror(errno.EACCES)}")


def _exists(path: str) -> bool:
    """Check whether a path exists, also as a broken link. Raises ValueError."""
    try:
        os.lstat(path)
    except OSError:
        return False
    return True
