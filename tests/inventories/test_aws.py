# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of the inventory plugin amazon.aws.aws_ec2."""

from __future__ import annotations

import pytest

from emulator.state import Zone

from .aws import ENVIRONMENT, EUROPE, MAPPED, Aws, source
from .runner import FATAL, Runner


@pytest.mark.parametrize(
    ("affixes", "tags"),
    [({}, "tags"), ({"hostvars_prefix": "aws_", "hostvars_suffix": "_ec2"}, "aws_tags_ec2")],
    ids=["plain", "prefix and suffix"],
)
def test_instances_in_two_regions(run: Runner, aws: Aws, zone: Zone, affixes: dict[str, str], tags: str) -> None:
    zone.replace({"198.51.100.3": ("aws", "us-west-1"), "203.0.113.99": ("aws", "us-west-2")})
    instances = source(aws, "us-west-2", "eu-west-1", **affixes)
    instances["compose"] = {"origin_zones": f"{tags}.zones | default([])"}
    done = run({"aws_ec2.yml": instances}, environment=ENVIRONMENT, options=affixes, skip=["no_address"], purge=True)
    assert done.status == 0, done.output
    assert done.mappings == zone.values() == MAPPED
    assert done.report["hosts"]["2001:db8:1::2"] == ["main"]
    assert done.unresolved == {"stopped": "no_address"}
    assert done.findings == {
        "missing": MAPPED.keys() - {"198.51.100.3"},
        "wrong": {"198.51.100.3"},
        "stale": {"203.0.113.99"},
        "unresolved": {None},
    }


def test_tags_name_the_zones(run: Runner, aws: Aws, zone: Zone) -> None:
    instances = source(aws, "us-west-2", compose={"origin_zones": "tags.zones"})
    done = run({"aws_ec2.yml": instances}, environment=ENVIRONMENT, zone={})
    assert done.status == 0, done.output
    assert zone.values().keys() == {"198.51.100.1", "198.51.100.2", "2001:db8:1::2"}


@pytest.mark.parametrize("strict", [True, False])
def test_a_partial_list_of_aws_is_refused_by_the_guards(run: Runner, aws: Aws, zone: Zone, strict: bool) -> None:
    zone.replace(MAPPED)
    aws.refused.add("eu-west-1")
    sources = {
        f"{region}.aws_ec2.yml": source(aws, region, strict_permissions=strict) for region in ("us-west-2", "eu-west-1")
    }
    done = run(sources, environment=ENVIRONMENT, skip=["no_address"], purge=True)
    assert ("You are not authorized" in done.output) == strict
    assert done.mappings.keys() == MAPPED.keys() - EUROPE
    assert done.status
    assert "would delete 8 of the 14 mappings" in done.output
    assert done.findings["stale"] == EUROPE
    assert zone.values() == MAPPED
    fatal = run(sources, environment={**ENVIRONMENT, **FATAL}, skip=["no_address"])
    assert (fatal.status != 0) == strict
