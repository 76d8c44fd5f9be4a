# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of an emulator. Every request reads the current values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .faults import Fault


@dataclass(kw_only=True, eq=False)
class Settings:
    """Settings with the documented values of the Cloudflare API as defaults.

    The credentials are those that the emulator accepts.
    """

    api_versions: Collection[str] = ("v1", "v2")
    """Served API versions."""
    quota: int = 1200
    """Requests in a window; the status of further requests is 429."""
    window: float = 300
    """Length of a window in seconds, from its first request."""
    limit: int = 3500
    """Maximum number of mappings in a zone."""
    limit_refuses: Literal["batch", "items"] = "batch"
    """Refused part of a batch that exceeds the limit.

    All, or only the items above the limit. Not documented.
    """
    patch_creates: bool = True
    """Ability of PATCH to set Smart Tiered Cache for the first time.

    Without it the status is 404. Not documented.
    """
    settings_editable: bool = True
    """Value of the settings' `editable`, which has no effect on changes."""
    load_balancing: Literal["on", "forbidden", "not_enabled"] = "on"
    """Response about load balancers and pools.

    The objects, 403 for the credentials, or 400 for the plan.
    """
    cloudflare_networks: Sequence[str] = ("173.245.48.0/20", "104.16.0.0/13", "2606:4700::/32")
    """Networks of Cloudflare, a part of the real ones."""
    analytics: Literal["on", "forbidden"] = "on"
    """Permission of the credentials to read GraphQL Analytics."""
    graphql_quota: int = 300
    """GraphQL queries in a window; the status of further queries is 429.

    The quota of requests applies in addition.
    """
    latency: float = 0.0
    """Minimum duration, in seconds, of every request that reaches the API."""
    faults: Sequence[Fault] = ()
    """Faults that disturb requests before they reach the API."""

    token: str = "cfemu-rw-8Jt3KxVq6ZpLw2Rn9YbTd5HsGm7Fc4"
    read_only_token: str = "cfemu-ro-Wz4Nf7PqYc9Xj2DvKh6TbLs3Mr8Gg5"
    email: str = "operator@emulator.example"
    key: str = "4e1f9c07ab25d8306b7e4cd1f0a86352e9d17"
