# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long runs, alone and in parallel, under a rate limit that they would exceed at full speed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils import _http
from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError
from ansible_collections.originops.cloudflare.plugins.module_utils._http import RateLimiter, parse_ratelimit
from emulator.server import Emulator
from support.operations import Result, perform
from support.values import fleet, items

SMALL = 1500
"""Mappings that take 17 requests to create: the first page, the supported regions and 15 batches."""


def fill(emulator: Emulator, zone: str, retries: int = 5) -> Result:
    """Map a fleet in a zone, as the batch module does."""
    return perform(
        ensure_mappings,
        emulator.api_url,
        zone_id=emulator.add_zone(zone).id,
        retries=retries,
        mappings=items(fleet(SMALL)),
    )


def refused(emulator: Emulator) -> int:
    return sum(request.status == 429 for request in emulator.requests)


def test_a_long_batch_slows_down_before_it_is_refused() -> None:
    with Emulator(quota=14, window=1.5) as emulator:
        assert fill(emulator, "example.com")["summary"]["created"] == SMALL
        assert refused(emulator) == 0


def test_forks_cope_with_one_another() -> None:
    with Emulator(quota=20, window=1) as emulator, ThreadPoolExecutor(3) as forks:
        zones = [f"example{number}.com" for number in range(3)]
        results = list(forks.map(lambda zone: fill(emulator, zone), zones))
    assert [result["summary"]["created"] for result in results] == [SMALL] * 3


def test_without_retries_nothing_is_waited_for() -> None:
    with Emulator(quota=14, window=1000) as emulator:
        began = time.monotonic()
        with pytest.raises(CloudflareError, match="HTTP 429") as failed:
            fill(emulator, "example.com", retries=0)
    assert time.monotonic() - began < 100
    assert failed.value.result["summary"]["created"] == 1200


@pytest.mark.parametrize(
    ("header", "quotas"),
    [
        ("", []),
        ('"default";r=5;t=30', [(5, 30)]),
        (' "default" ; r=5 ;  t=30 ', [(5, 30)]),
        ('"default";t=30;r=5', [(5, 30)]),
        ('"default";q=1200;r=5;w=300;t=30;pk=:YQ==:', [(5, 30)]),
        ('"a";r=50;t=30, "b";r=1;t=9', [(50, 30), (1, 9)]),
        ('"a";r=50;t=30,"b";r=1', [(50, 30)]),
        ('"odd;r=0;t=9, name";r=7;t=8', [(7, 8)]),
        (r'"a\";r=0;t=9";r=7;t=8', [(7, 8)]),
        ("default;r=5;t=30", [(5, 30)]),
        ('"a";r=5.5;t=30', []),
        ('"a";r=-5;t=30', []),
        ('"a";r=soon;t=30', []),
        ('"a";r=99999999999999999999;t=30', []),
        ('"a', []),
    ],
)
def test_quotas_in_a_header(header: str, quotas: list[tuple[int, int]]) -> None:
    assert parse_ratelimit(header) == quotas


def test_the_scarcest_of_several_policies_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for header in ('"a";r=50;t=30, "b";r=1;t=9', '"b";r=1;t=9, "a";r=50;t=30', '"b";r=1;t=9, "c";r=2;t=9'):
        limiter = RateLimiter()
        waits: list[float] = []
        monkeypatch.setattr(_http, "_pause", lambda seconds, _stop, waits=waits: waits.append(seconds))
        limiter.update({"Ratelimit": header})
        limiter.wait(Event())
        assert waits == [4.5]
