# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, as exceptions that carry the fields of a failed result."""

from __future__ import annotations

from typing import Any


class OriginOpsError(Exception):
    """A task cannot go on. The message is for the user; facts are further fields of the result."""

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.facts = facts


class InvalidInput(OriginOpsError):
    """What the user gave is wrong, so nothing was written."""


class CloudflareError(OriginOpsError):
    """A request failed.

    status is the HTTP status, None where no answer came; errors are Cloudflare's own, each
    {code: int, message: str}. Both are facts of the failed result too.
    """

    def __init__(self, message: str, status: int | None = None, errors: list[dict[str, Any]] | None = None) -> None:
        self.status = status
        self.errors = errors or []
        super().__init__(message, status=status, errors=self.errors)

    @property
    def codes(self) -> set[int]:
        return {error["code"] for error in self.errors}

    @property
    def no_mapping(self) -> bool:
        """The service says that this address has no mapping (other 404 answers do not say so)."""
        return self.status == 404 and not self.codes.isdisjoint({1142, 1163})

    @property
    def not_routed(self) -> bool:
        """The route is not served, or the zone identifier is unknown: the API answers both alike."""
        return self.status == 400 and not self.codes.isdisjoint({7000, 7003})

    @property
    def credentials_refused(self) -> bool:
        return self.status == 401 or not self.codes.isdisjoint({9109, 10000})

    @property
    def maybe_applied(self) -> bool:
        """Whether a write that ended so may be in force all the same: only a clear refusal tells that it is not."""
        return self.status is None or not 300 <= self.status < 500 or 1145 in self.codes


class RegionsUnavailable(CloudflareError):
    """The service refuses to tell the supported regions, as it does where Tiered Cache is off."""
