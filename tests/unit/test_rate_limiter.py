# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rate limit for long runs, alone and in parallel.

At full speed they would exceed it.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from ansible_collections.originops.cloudflare.plugins.module_utils import _http
from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._errors import CloudflareError
from ansible_collections.originops.cloudflare.plugins.module_utils._http import (
    RateLimiter,
    parse_ratelimit,
)
from ansible_collections.originops.cloudflare.plugins.module_utils._traffic import graphql
from ansible_collections.originops.cloudflare.plugins.module_utils._traffic.analytics import read_traffic
from ansible_collections.originops.cloudflare.plugins.module_utils._traffic.graphql import WindowLimiter
from emulator.server import Emulator
from support.operations import Result, open_api, perform
from support.values import fleet, items

SMALL = 1500
"""Number of mappings that take 17 requests to create.

The requests are the first page, the supported regions and 15 batches.
"""


def fill(emulator: Emulator, zone: str, retries: int = 5) -> Result:
    """Map a fleet in a new zone with the operation of the batch module."""
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


def test_forks_share_the_rate_limit() -> None:
    with Emulator(quota=20, window=1) as emulator, ThreadPoolExecutor(3) as forks:
        zones = [f"example{number}.com" for number in range(3)]
        results = list(forks.map(lambda zone: fill(emulator, zone), zones))
    assert [result["summary"]["created"] for result in results] == [SMALL] * 3


def test_without_retries_there_are_no_waits() -> None:
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


def test_no_window_has_more_requests_than_allowed() -> None:
    now = 1000.0
    limiter = WindowLimiter(3, 60, lambda: now)
    sent = []
    for pause in (0, 5, 0, 0, 0, 0, 200, 0, 0, 0):
        now += pause
        now += limiter.reserve()
        sent.append(now - 1000)
    # The fourth is sent a minute after the first, the fifth and sixth a minute after the second and third.
    assert sent == [0, 5, 5, 60, 65, 65, 265, 265, 265, 325]


def test_threads_share_the_window() -> None:
    limiter = WindowLimiter(4, 60, lambda: 1000.0)
    with ThreadPoolExecutor(8) as threads:
        delays = threads.map(lambda _number: limiter.reserve(), range(12))
    assert sorted(delays) == [0] * 4 + [60] * 4 + [120] * 4


@pytest.mark.parametrize(("retries", "is_refused"), [(1, False), (0, True)])
def test_the_limit_of_queries_is_kept_by_all_threads(
    monkeypatch: pytest.MonkeyPatch, retries: int, is_refused: bool
) -> None:
    """Read 70 zones by 14 parallel queries. A window allows five."""
    monkeypatch.setattr(graphql, "MAX_QUERIES", 5)
    monkeypatch.setattr(graphql, "QUERY_WINDOW", 0.5)
    with Emulator(graphql_quota=5, window=0.4) as emulator:
        zones = [emulator.add_zone(f"zone{number}.example").id for number in range(70)]
        with open_api("v2", emulator.api_url, zones[0], retries=retries) as api:
            traffic = read_traffic(api._client, zones, 24)
        assert (refused(emulator) > 0) == is_refused
    assert any(known.error for known in traffic.values()) == is_refused
    if not is_refused:
        assert len(emulator.requests) == 14
