# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Outcomes and exceptions.

Every exception has the fields of a failed result.

OriginOpsError              a task fails
├── InvalidInput            the input is wrong; nothing was written
└── CloudflareError         a request failed
    └── RegionsUnavailable  the supported regions are refused, as without Tiered Cache
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._messages import clip

# Codes and meanings of Cloudflare's API reference.
MAPPING_MISSING = frozenset({1142, 1163})  # no mapping for this address; 1163 for a deletion by v1
MAPPING_EXISTS = 1145  # the address is mapped already (creation by v1)
REGION_UNKNOWN = 1157  # unknown vendor, or a region unknown for it
ROUTE_UNKNOWN = frozenset({7000, 7003})  # no such route, or a malformed identifier
CREDENTIALS_REFUSED = frozenset({9109, 10000})  # invalid credentials, or a missing permission


class Outcome:
    """Outcome of an operation: result fields, warnings, and a deprecation."""

    def __init__(self, result: dict[str, Any], warnings: Sequence[str] = (), deprecation: str | None = None) -> None:
        self.result = result
        self.warnings = warnings
        self.deprecation = deprecation


class OriginOpsError(Exception):
    """Failure of a task.

    The message is for the user; the outcome has the rest.
    """

    def __init__(self, message: str, **result: Any) -> None:
        super().__init__(clip(message))
        self.outcome = Outcome(result)

    @property
    def result(self) -> dict[str, Any]:
        """Fields of the failed result, without its message."""
        return self.outcome.result


class InvalidInput(OriginOpsError):
    """Invalid input of the user. Nothing was written."""


class CloudflareError(OriginOpsError):
    """Failure of a request.

    status is the HTTP status, None without a response; errors are Cloudflare's own, each
    {code: int, message: str}. Both are fields of the failed result too. maybe_applied is true if the write may
    have been applied in spite of the failure.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        errors: list[dict[str, Any]] | None = None,
        *,
        maybe_applied: bool = False,
    ) -> None:
        self.status = status
        self.errors = errors or []
        self.maybe_applied = maybe_applied or MAPPING_EXISTS in self.codes
        super().__init__(message, status=status, errors=self.errors)

    @property
    def codes(self) -> set[int]:
        """Cloudflare's error codes."""
        return {error["code"] for error in self.errors}

    @property
    def is_mapping_not_found(self) -> bool:
        """Check whether the address has no mapping.

        Other 404 responses do not mean that.
        """
        return self.status == 404 and not self.codes.isdisjoint(MAPPING_MISSING)

    @property
    def is_route_not_found(self) -> bool:
        """Check whether the route or the zone identifier is unknown.

        The response is the same for both.
        """
        return self.status == 400 and not self.codes.isdisjoint(ROUTE_UNKNOWN)

    @property
    def credentials_refused(self) -> bool:
        """Check whether the credentials are invalid or lack a permission."""
        return self.status == 401 or not self.codes.isdisjoint(CREDENTIALS_REFUSED)


class RegionsUnavailable(CloudflareError):
    """Refusal of the supported regions, as without Tiered Cache."""
