# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operation of the batch module, without Ansible around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.originops.cloudflare.plugins.module_utils import _argspec, _batch
from ansible_collections.originops.cloudflare.plugins.modules import origin_cloud_region_batch

from ..service import Service
from ..work import Step
from . import main

SPEC: dict[str, Any] = {**_argspec.ARGUMENT_SPEC, **origin_cloud_region_batch.ARGUMENT_SPEC}
DEFAULTS = {name: option.get("default") for name, option in SPEC.items()}


def operation(service: Service, zone_id: str, step: Step) -> Callable[[], None]:
    """Bring the zone to its wanted state."""
    options = {
        **DEFAULTS,
        "api_url": service.api_url,
        "api_token": service.token,
        "zone_id": zone_id,
        "mappings": step.wanted,
        "purge": bool(step.deletes),
        "max_delete_percentage": 100,
    }

    def work() -> None:
        _batch.ensure_mappings(options, check_mode=False)

    return work


if __name__ == "__main__":
    main(operation)
