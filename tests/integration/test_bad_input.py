# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in options: each fails with its message, before a request."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.server import Emulator
from emulator.state import Zone

from .playbook import OMIT, Outcome, Play, Task, audit, batch, info, lookup, mapping, region

FINE = mapping("192.0.2.60", "aws/us-east-1")

REGION: dict[str, tuple[dict[str, Any], str]] = {
    "vendor: near miss": ({"vendor": "AWS"}, "value of vendor must be one of: aws, azure, gcp, oci"),
    "vendor: missing": ({"vendor": OMIT}, "state is present but all of the following are missing: vendor"),
    "origin_ip: missing": ({"origin_ip": OMIT}, "missing required arguments: origin_ip"),
    # Ansible converts these to text.
    "origin_ip: a number": ({"origin_ip": 3221225985}, "'3221225985' is not an IPv4 or IPv6 address"),
    "origin_ip: a list": ({"origin_ip": ["192.0.2.1"]}, "is not an IPv4 or IPv6 address"),
    "zone_id and zone": ({"zone": "example.com"}, "mutually exclusive: zone_id|zone"),
    "zone_id: a slash": ({"zone_id": "abc/def"}, "zone_id: 'abc/def' is not an identifier"),
    "unknown option": ({"zoneid": "abc"}, "option zoneid is unknown: did you mean zone_id"),
    "a misspelt option that is required": (
        {"origin_ip": OMIT, "orgin_ip": "192.0.2.1"},
        "option orgin_ip is unknown: did you mean origin_ip",
    ),
}
"""Options that make a valid task fail, and a part of the message."""

BATCH: dict[str, tuple[dict[str, Any], str]] = {
    "mappings: a dictionary": ({"mappings": FINE}, "mappings is a dictionary, not a list: write its items one by one"),
    "mappings: missing": ({"mappings": OMIT}, "missing required arguments: mappings"),
    # Types in a list of raw items are not converted.
    "items": ({"mappings": ["192.0.2.1", {**FINE, "origin_ip": 5}]}, "'5' is of type int"),
    "on_invalid": ({"on_invalid": "ignore"}, "value of on_invalid must be one of: fail, skip"),
    "api_token and api_email": ({"api_email": "me@example.com"}, "mutually exclusive: api_token|api_email"),
    "api_email alone": ({"api_token": OMIT, "api_email": "me@example.com"}, "required together"),
    "api_version": ({"api_version": "v3"}, "value of api_version must be one of: auto, v2, v1"),
}

INFO: dict[str, tuple[dict[str, Any], str]] = {
    "vendor": ({"vendor": ["aws", "amazon"]}, "value of vendor must be one or more of: aws, azure, gcp, oci"),
    "supported_regions": ({"supported_regions": "perhaps"}, "supported_regions"),
    "addresses": ({"ip": ["192.0.2.1", "192.0.2.0/24"]}, "item 2 (origin_ip[1]): '192.0.2.0/24' is a prefix"),
    "neither zone_id nor zone": ({"zone_id": OMIT}, "one of the following is required: zone_id, zone"),
    "no credentials": ({"api_token": OMIT}, "no credentials: set api_token, or api_email and api_key"),
    "timeout": ({"timeout": "soon"}, "timeout"),
    "retries": ({"retries": "many"}, "retries"),
}

AUDIT: dict[str, tuple[dict[str, Any], str]] = {
    "expected: items": ({"expected": [FINE, "192.0.2.5", {"ip": "x"}]}, "item 3 (expected[2])"),
    "expected: text": ({"expected": {"192.0.2.1": "aws"}}, "expected"),
    "unresolved: a reason": ({"unresolved": [{"host": "web1"}]}, "missing required arguments: reason"),
    "hosts: a name": ({"hosts": {"192.0.2.1": "web1"}}, "hosts['192.0.2.1']: its value is not a list of names"),
    "ranges: a vendor": ({"ranges": {"AWS": "/x"}}, "Supported parameters include: aws, azure, gcp, oci"),
    "near_limit": ({"near_limit": "soon"}, "near_limit"),
}

LOOKUP: dict[str, tuple[dict[str, Any], str]] = {
    "vendor": ({"terms": [5]}, "vendor '5' is unknown"),
    "unknown option": ({"name_only": True}, "option name_only is unknown: did you mean names_only?"),
    "names_only": ({"names_only": "perhaps"}, "names_only"),
    "no zone": ({"zone_id": None}, "one of the following is required: zone_id, zone"),
    "zone_id and zone": ({"zone": "example.com"}, "mutually exclusive: zone_id|zone"),
}

BOTH = ("region, vendor: near miss", "batch, items", "info, vendor", "audit, unresolved: a reason")
"""Cases for both ways of execution: the same code checks arguments."""


def check(outcome: Outcome, part: str) -> None:
    """Check that a task failed with its message, and without a request."""
    assert part in outcome.message
    assert "Traceback" not in outcome.message
    assert len(outcome.message) < 1000
    assert not outcome.changed
    assert outcome.requests == []


def test_bad_options(play: Play, emulator: Emulator, zone: Zone, subtests: pytest.Subtests) -> None:
    common = {"zone_id": zone.id}
    modules: tuple[tuple[str, Any, dict[str, Any], dict[str, tuple[dict[str, Any], str]]], ...] = (
        ("region", region, {**common, **FINE}, REGION),
        ("batch", batch, {**common, "mappings": [FINE]}, BATCH),
        ("info", info, common, INFO),
        ("audit", audit, common, AUDIT),
    )
    tasks: dict[str, Task] = {}
    parts: dict[str, str] = {}
    for module, make, usable, cases in modules:
        for name, (options, part) in cases.items():
            tasks[f"{module}, {name}"] = make(**{**usable, **options})
            parts[f"{module}, {name}"] = part
    usable = {"api_url": emulator.api_url, "api_token": emulator.token, **common}
    for name, (options, part) in LOOKUP.items():
        chosen = {option: value for option, value in {**usable, **options}.items() if value is not None}
        tasks[f"lookup, {name}"] = lookup(*chosen.pop("terms", ()), **chosen)
        parts[f"lookup, {name}"] = part
    run = play.once(tasks)
    for name, part in parts.items():
        with subtests.test(name):
            check(run[name], part)
    assert "Traceback" not in run.output
    run = play({name: tasks[name] for name in BOTH})
    for name in BOTH:
        check(run[name], parts[name])
