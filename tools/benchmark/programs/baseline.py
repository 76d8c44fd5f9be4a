# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fewest sufficient requests, sent in sequence by a requests session."""

from __future__ import annotations

from collections.abc import Callable

import requests

from ..service import Service
from ..work import BATCH, Step, batches
from . import main


def baseline(service: Service, zone_id: str, step: Step) -> Callable[[], None]:
    """Read the necessary data, and write the step's changes, unchecked."""
    url = f"{service.api_url}/zones/{zone_id}/origin/cloud_regions"

    def work() -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {service.token}"
            responses = [session.get(url, params={"page": page + 1, "per_page": BATCH}) for page in range(step.pages)]
            responses += [session.delete(f"{url}/batch", json=batch) for batch in batches(step.deletes)]
            responses += [session.put(f"{url}/batch", json=batch) for batch in batches(step.upserts)]
            assert all(response.json()["success"] for response in responses)

    return work


if __name__ == "__main__":
    main(baseline)
