# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts of several inventory plugins in one group."""

from __future__ import annotations

from emulator.state import Zone

from . import aws as amazon, azure, google
from .conftest import Clouds
from .runner import Runner


def test_a_zone_in_three_clouds(run: Runner, aws: amazon.Aws, clouds: Clouds, zone: Zone) -> None:
    environment = {**clouds.environment, **amazon.ENVIRONMENT}
    sources = {
        "aws_ec2.yml": amazon.source(aws, "us-west-2", "eu-west-1", hostvars_prefix="aws_"),
        "azure_rm.yml": azure.source("us", "europe"),
        "gcp.yml": google.source("web"),
    }
    options = {"hostvars_prefix": "aws_"}
    done = run(sources, environment=environment, options=options, skip=["no_address"], purge=True)
    assert done.status == 0, done.output
    of_google = {address: value for address, value in google.MAPPED.items() if address not in google.EUROPE}
    mapped = {**amazon.MAPPED, **azure.MAPPED, **of_google}
    assert zone.values() == mapped
    assert done.unresolved == dict.fromkeys(["stopped", "deallocated", "terminated"], "no_address")
    clouds.google.refused.add("web")
    done = run(sources, environment=environment, options=options, skip=["no_address"], purge=True)
    assert done.status
    assert "mappings of vendor gcp in zone" in done.output
    assert done.findings["stale"] == of_google.keys()
    assert zone.values() == mapped
