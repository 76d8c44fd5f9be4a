# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of an emulator can be set, also while it runs: every request reads these values anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .faults import Fault


@dataclass(kw_only=True, eq=False)
class Settings:
    """The defaults are what the Cloudflare API publishes; the credentials are the ones that it accepts."""

    generations: Collection[str] = ("v1", "v2")
    """The generations of endpoints that are served."""
    quota: int = 1200
    """Requests in a window; past them every request is answered 429."""
    window: float = 300
    """Seconds from the first request of a window to its end."""
    limit: int = 3500
    """Mappings that a zone can hold."""
    limit_refuses: Literal["batch", "items"] = "batch"
    """What a batch that would pass the limit loses: all of it, or only the items past the limit. Not published."""
    latency: float = 0.0
    """Seconds that every request takes at least that comes to the API."""
    faults: Sequence[Fault] = ()
    """What disturbs requests before they come to the API."""

    token: str = "cfemu-rw-8Jt3KxVq6ZpLw2Rn9YbTd5HsGm7Fc4"
    read_only_token: str = "cfemu-ro-Wz4Nf7PqYc9Xj2DvKh6TbLs3Mr8Gg5"
    email: str = "operator@emulator.example"
    key: str = "4e1f9c07ab25d8306b7e4cd1f0a86352e9d17"
