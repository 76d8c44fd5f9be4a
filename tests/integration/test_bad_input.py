# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users get wrong. Each mistake fails, says clearly what it is, and is found before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.server import Emulator
from emulator.state import Zone

from .playbook import OMIT, Outcome, Play, Task, batch, info, lookup, mapping, region

UNREACHABLE = "http://192.0.2.1/client/v4"

ADDRESSES: list[tuple[Any, str]] = [
    ("", "the address is missing"),
    ("  ", "is not an IPv4 or IPv6 address"),
    ("192.0.2.0/24", "'192.0.2.0/24' is a prefix"),
    ("192.0.2.1/32", "'192.0.2.1/32' is a prefix"),
    ("fe80::1%eth0", "'fe80::1%eth0' has a scope"),
    ("origin.example.com", "'origin.example.com' is not an IPv4 or IPv6 address"),
    ("3221225985", "is not an IPv4 or IPv6 address"),
    ("192.0.2.010", "'192.0.2.010' is not an IPv4 or IPv6 address"),
    ("192.0.2.1;", "'192.0.2.1;' is not an IPv4 or IPv6 address"),
    ("192.0.2.1/../../x", "is a prefix"),
    ("192.0.2", "'192.0.2' is not an IPv4 or IPv6 address"),
    ("2001:db8:::1", "'2001:db8:::1' is not an IPv4 or IPv6 address"),
    ("[2001:db8::1]", "'[2001:db8::1]' is not an IPv4 or IPv6 address"),
    ("1" * 5000, "111...' is not an IPv4 or IPv6 address"),
]

# In a list of raw items types come as they are; elsewhere Ansible has made text of them.
NO_TEXT: list[tuple[Any, str]] = [
    (None, "the address is missing"),
    (3221225985, "'3221225985' is of type int"),
    (["192.0.2.1"], "is of type list"),
    ({"address": "192.0.2.1"}, "is of type dict"),
    (True, "'True' is of type bool"),
]

ITEMS: list[tuple[Any, str]] = [
    ("192.0.2.1", "a mapping is a dictionary"),
    (None, "a mapping is a dictionary"),
    (["192.0.2.1", "aws", "us-east-1"], "a mapping is a dictionary"),
    ({}, "the address is missing"),
    ({"vendor": "aws", "region": "us-east-1"}, "the address is missing"),
    ({**mapping("192.0.2.50", "aws/us-east-1"), "weight": 5}, "'weight' is unknown here"),
    ({"orign_ip": "192.0.2.51", "vendor": "aws", "region": "us-east-1"}, "did you mean origin_ip?"),
    ({**mapping("192.0.2.52", "aws/us-east-1"), "ip": "192.0.2.52"}, "ip and origin_ip are the same"),
    (mapping("192.0.2.53", "AWS/us-east-1"), "'AWS' is unknown: did you mean aws?"),
    (mapping("192.0.2.54", "amazon/us-east-1"), "'amazon' is unknown"),
    ({"origin_ip": "192.0.2.55", "region": "us-east-1"}, "the vendor is missing"),
    ({"origin_ip": "192.0.2.56", "vendor": ["aws"], "region": "us-east-1"}, "is unknown: did you mean aws?"),
    ({"origin_ip": "192.0.2.57", "vendor": "aws"}, "the region is missing"),
    ({"origin_ip": "192.0.2.58", "vendor": "aws", "region": 5}, "the region is missing, or is not text"),
]

FINE = mapping("192.0.2.60", "aws/us-east-1")

COMMON: dict[str, tuple[dict[str, Any], str]] = {
    "zone_id: a slash": ({"zone_id": "abc/def"}, "zone_id: 'abc/def' is not an identifier"),
    "zone_id: dots": ({"zone_id": "../accounts"}, "zone_id: '../accounts' is not an identifier"),
    "zone_id: too long": ({"zone_id": "a" * 33}, "is not an identifier, which has 1 to 32 letters and digits"),
    "zone_id: empty": ({"zone_id": ""}, "zone_id: '' is not an identifier"),
    "zone_id and zone": ({"zone": "example.com"}, "mutually exclusive: zone_id|zone"),
    "neither zone_id nor zone": ({"zone_id": OMIT}, "one of the following is required: zone_id, zone"),
    "zone: a slash": ({"zone_id": OMIT, "zone": "example.com/x"}, "'example.com/x' is not the name of a zone"),
    "zone: empty": ({"zone_id": OMIT, "zone": ""}, "zone: '' is not the name of a zone"),
    "zone: blanks": ({"zone_id": OMIT, "zone": "example .com"}, "'example .com' is not the name of a zone"),
    "account_id": ({"account_id": "my account"}, "account_id: 'my account' is not an identifier"),
    "api_url: ftp": ({"api_url": "ftp://127.0.0.1/client/v4"}, "is not an https address"),
    "api_url: no scheme": ({"api_url": "api.cloudflare.com/client/v4"}, "is not an https address"),
    "api_url: not https": ({"api_url": UNREACHABLE}, "is not https"),
    "api_url: credentials": ({"api_url": "https://me:x@192.0.2.1/client/v4"}, "api_url must not hold credentials"),
    "api_url: a query": ({"api_url": "https://192.0.2.1/client/v4?a=b"}, "must not have a query"),
    "api_token: two lines": ({"api_token": "cfemu-line-one-4Kd8\ncfemu-line-two-7Hs2"}, "api_token is empty, or has"),
    "api_token: empty": ({"api_token": ""}, "api_token is empty"),
    "api_token and api_email": ({"api_email": "me@example.com"}, "mutually exclusive: api_token|api_email"),
    "api_email alone": ({"api_token": OMIT, "api_email": "me@example.com"}, "required together"),
    "no credentials": ({"api_token": OMIT}, "no credentials: give api_token, or api_email and api_key"),
    "api_version": ({"api_version": "v3"}, "value of api_version must be one of: auto, v2, v1"),
    "timeout: zero": ({"timeout": 0}, "timeout: 0 is not between"),
    "timeout: negative": ({"timeout": -1}, "timeout: -1 is not between"),
    "timeout: nan": ({"timeout": "nan"}, "timeout: nan is not between"),
    "timeout: infinite": ({"timeout": "inf"}, "timeout: inf is not between"),
    "timeout: text": ({"timeout": "soon"}, "timeout"),
    "retries: negative": ({"retries": -1}, "retries: -1 is less than 0"),
    "retries: text": ({"retries": "many"}, "retries"),
    "ca_path": ({"ca_path": "/nowhere/ca.pem"}, "ca_path: there is no '/nowhere/ca.pem'"),
    "unknown option": ({"zoneid": "abc"}, "Unsupported parameters"),
}
"""Options that all have in common: those that are given instead or as well, and what the message has to say."""

SINGLE: dict[str, tuple[dict[str, Any], str]] = {
    # Some of the addresses: those of a list cost a task together, but these cost one each.
    **{f"origin_ip: {text[:20]!r}": ({"origin_ip": text}, says) for text, says in ADDRESSES[::7]},
    "origin_ip: a number": ({"origin_ip": 3221225985}, "is not an IPv4 or IPv6 address"),
    "origin_ip: a list": ({"origin_ip": ["192.0.2.1"]}, "is not an IPv4 or IPv6 address"),
    "origin_ip: null": ({"origin_ip": None}, "origin_ip"),
    "origin_ip: missing": ({"origin_ip": OMIT}, "missing required arguments: origin_ip"),
    "vendor: near miss": ({"vendor": "AWS"}, "value of vendor must be one of: aws, azure, gcp, oci"),
    "vendor: missing": ({"vendor": OMIT}, "state is present but all of the following are missing: vendor"),
    "region: missing": ({"region": OMIT}, "state is present but all of the following are missing: region"),
    "region: empty": ({"region": ""}, "the region is missing"),
}

BATCH: dict[str, tuple[dict[str, Any], str]] = {
    "mappings: text": ({"mappings": {"192.0.2.1": "aws"}}, "mappings"),
    "mappings: missing": ({"mappings": OMIT}, "missing required arguments: mappings"),
    "a conflict": (
        {"mappings": [FINE, {**FINE, "origin_ip": "192.0.2.61"}, {**FINE, "region": "us-west-2"}]},
        "item 1 (mappings[0]) and item 3 (mappings[2]) give 192.0.2.60 different values",
    ),
    "a conflict, with skip": (
        {"mappings": [mapping("2001:db8::1", "gcp/us-east1"), mapping("2001:DB8:0::1", "gcp/us-east4")]}
        | {"on_invalid": "skip"},
        "item 1 (mappings[0]) and item 2 (mappings[1]) give 2001:db8::1 different values",
    ),
    "purge and absent": ({"purge": True, "state": "absent"}, "purge makes a zone exactly the listed mappings"),
    "purge and nothing": ({"purge": True, "mappings": []}, "allow_empty: true"),
    "on_invalid": ({"on_invalid": "ignore"}, "value of on_invalid must be one of: fail, skip"),
    "state": ({"state": "purged"}, "value of state must be one of: present, absent"),
    "absent: a bad address": (
        {"state": "absent", "mappings": [{"ip": "192.0.2.1"}, {"ip": "192.0.2.0/24"}]},
        "item 2 (mappings[1])",
    ),
}

INFO: dict[str, tuple[dict[str, Any], str]] = {
    "vendor": ({"vendor": ["aws", "amazon"]}, "value of vendor must be one or more of: aws, azure, gcp, oci"),
    "supported_regions": ({"supported_regions": "perhaps"}, "supported_regions"),
}

LOOKUP: dict[str, tuple[dict[str, Any], str]] = {
    "vendor: unknown": ({"terms": ["aws", "amazon"]}, "vendor 'amazon' is unknown: "),
    "vendor: near miss": ({"terms": ["Azure"]}, "vendor 'Azure' is unknown: did you mean azure?"),
    "vendor: a number": ({"terms": [5]}, "vendor '5' is unknown"),
    "unknown option": ({"name_only": True}, "option name_only is unknown: did you mean names_only?"),
    "names_only": ({"names_only": "perhaps"}, "names_only"),
    "no zone": ({"zone_id": OMIT}, "one of the following is required: zone_id, zone"),
}


def check(cases: dict[str, tuple[dict[str, Any], str]], outcomes: dict[str, Outcome], tests: pytest.Subtests) -> None:
    """Every case failed with its message, and without a request."""
    for name, (_options, says) in cases.items():
        with tests.test(name):
            outcome = outcomes[name]
            assert says in outcome.message
            assert "Traceback" not in outcome.message
            assert len(outcome.message) < 1000
            assert not outcome.changed
            assert outcome.requests == []


def tasks(make: Any, cases: dict[str, tuple[dict[str, Any], str]], **usable: Any) -> dict[str, Task]:
    return {name: make(**{**usable, **options}) for name, (options, _says) in cases.items()}


def test_bad_options_of_one_mapping(play: Play, zone: Zone, subtests: pytest.Subtests) -> None:
    run = play(tasks(region, SINGLE, zone_id=zone.id, **FINE))
    check(SINGLE, run.outcomes, subtests)
    assert "Traceback" not in run.output


def test_bad_common_options(play: Play, zone: Zone, subtests: pytest.Subtests) -> None:
    # Some of them, and the modules take turns. All of them go to the lookup, which has the same and takes less time.
    modules = (region, batch, info)
    usable = ({"zone_id": zone.id, **FINE}, {"zone_id": zone.id, "mappings": [FINE]}, {"zone_id": zone.id})
    cases = dict(list(COMMON.items())[::3])
    run = play(
        {
            name: modules[index % 3](**{**usable[index % 3], **options})
            for index, (name, (options, _says)) in enumerate(cases.items())
        }
    )
    check(cases, run.outcomes, subtests)
    assert "Traceback" not in run.output


def test_bad_options_of_a_batch_and_of_info(play: Play, zone: Zone, subtests: pytest.Subtests) -> None:
    batches = {f"batch, {name}": case for name, case in BATCH.items()}
    infos = {f"info, {name}": case for name, case in INFO.items()}
    run = play(
        {
            **tasks(batch, batches, zone_id=zone.id, mappings=[FINE]),
            **tasks(info, infos, zone_id=zone.id),
        }
    )
    check({**batches, **infos}, run.outcomes, subtests)
    assert "Traceback" not in run.output


def test_bad_items_are_named_all_at_once(play: Play, zone: Zone, subtests: pytest.Subtests) -> None:
    bad = [({"origin_ip": text, "vendor": "aws", "region": "us-east-1"}, says) for text, says in ADDRESSES + NO_TEXT]
    bad += ITEMS
    items = [item for item, _says in bad]
    unknown = mapping("192.0.2.70", "aws/US-East-1")
    texts = ["192.0.2.1", *(text for text, _says in ADDRESSES)]
    run = play(
        {
            "bad": batch(items, zone_id=zone.id),
            "bad, among good": batch([FINE, *items, unknown, mapping("192.0.2.71", "gcp/us-east-1")], zone_id=zone.id),
            "addresses": info(zone_id=zone.id, ip=texts),
        }
    )
    alone, among = run["bad"], run["bad, among good"]
    assert alone.requests == among.writes == []
    assert not alone.changed
    assert not among.changed
    # The service's word on regions is waited for, so that a user need not start over for each kind of mistake.
    more = [(unknown, "'US-East-1' is not supported for vendor aws: did you mean us-east-1?"), (None, "gcp")]
    for outcome, cases, offset in ((alone, bad, 1), (among, bad + more, 2)):
        assert outcome["summary"]["failed"] == len(outcome["failed_items"]) == len(cases)
        for index, ((item, says), failed) in enumerate(zip(cases, outcome["failed_items"], strict=True)):
            with subtests.test(str(item)[:80]):
                assert says in failed["error"]
                position = index + offset
                assert f"item {position} (mappings[{position - 1}])" in outcome.message
    assert run["addresses"].requests == []
    problems = run["addresses"].message.split("; item ")
    for position, (text, says), problem in zip(range(2, 99), ADDRESSES, problems, strict=False):
        with subtests.test(text[:80]):
            assert f"{position} (origin_ip[{position - 1}]): " in problem
            assert says in problem
    assert "Traceback" not in run.output


def test_a_region_that_only_the_service_knows_to_be_wrong(play: Play, zone: Zone) -> None:
    before = zone.values()
    regions = ("us-east-99", "../us-east-1")
    run = play({name: region(zone_id=zone.id, origin_ip="192.0.2.1", vendor="aws", region=name) for name in regions})
    for name in regions:
        assert "code 1157" in run[name].message
        assert f"region '{name}' is not supported for vendor aws: " in run[name].message
    assert zone.values() == before


def test_bad_options_of_the_lookup(play: Play, emulator: Emulator, zone: Zone, subtests: pytest.Subtests) -> None:
    usable = {"api_url": emulator.api_url, "api_token": emulator.token, "zone_id": zone.id}
    # What a lookup leaves out is left out: there are no defaults behind it.
    common = {name: case for name, case in COMMON.items() if name != "unknown option"}
    cases = {**common, **LOOKUP}
    given = {
        name: {key: value for key, value in {**usable, **options}.items() if value != OMIT}
        for name, (options, _says) in cases.items()
    }
    run = play({name: lookup(*options.pop("terms", ()), **options) for name, options in given.items()})
    check(cases, run.outcomes, subtests)
    assert "Traceback" not in run.output
