# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory plugin, loaded and run by Ansible, and its list of zones."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from hypothesis import HealthCheck, given, settings, strategies as st

from emulator.server import Emulator
from support.stub import Request, Response, Stub, in_turn, success
from support.values import TOKEN

NAME = "originops.cloudflare.zones"
GROUP = "cloudflare_zones"

Read = Callable[..., InventoryData]


@pytest.fixture
def read(emulator: Emulator, tmp_path: Path) -> Read:
    """Return a function to read an inventory file with these options.

    It adds the options for the emulator. None leaves an option out.
    """

    def parse(inventory: InventoryData | None = None, *, use_cache: bool = True, **options: Any) -> InventoryData:
        path = tmp_path / "cloudflare_zones.yml"
        common = {"plugin": NAME, "api_url": emulator.api_url, "api_token": TOKEN, "retries": 0}
        path.write_text(json.dumps({name: value for name, value in {**common, **options}.items() if value is not None}))
        inventory = inventory or InventoryData()
        plugin = inventory_loader.get(NAME)
        assert plugin.verify_file(str(path))
        plugin.parse(inventory, DataLoader(), str(path), cache=use_cache)
        if options.get("cache"):
            plugin.update_cache_if_changed()
        return inventory

    return parse


def hosts(inventory: InventoryData) -> list[str]:
    """Return the names of the hosts.

    Each must be in the group of all zones.
    """
    names = [host.name for host in inventory.groups[GROUP].get_hosts()]
    assert sorted(names) == sorted(inventory.hosts)
    return names


def members(inventory: InventoryData) -> dict[str, list[str]]:
    """Return the hosts of all other groups that have hosts."""
    return {
        name: [host.name for host in group.get_hosts()]
        for name, group in inventory.groups.items()
        if name not in ("all", "ungrouped", GROUP) and group.get_hosts()
    }


def rejection(read: Read, **options: Any) -> str:
    with pytest.raises(AnsibleError) as failed:
        read(**options)
    assert TOKEN not in str(failed.value)
    return str(failed.value)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("cloudflare_zones.yml", True),
        ("cloudflare_zones.yaml", True),
        ("production.cloudflare_zones.yml", True),
        ("cloudflare_zones.json", False),
        ("cloudflare_zones.yml.orig", False),
    ],
)
def test_files(tmp_path: Path, name: str, wanted: bool, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    assert not inventory_loader.get(NAME).verify_file(str(path))
    path.write_text(f"plugin: {NAME}")
    assert inventory_loader.get(NAME).verify_file(str(path)) is wanted
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "explained"),
    [
        (f"plugin: {NAME}", True),
        (f"---\n# Zones\nplugin: '{NAME}' # all\nnames: []\n", True),
        (f'{{"names": [],\n "plugin": "{NAME}"}}', False),
        (f'{{"plugin": "{NAME}"}}', True),
        (f"# plugin: {NAME}", False),
        (f"all:\n  vars:\n    plugin: {NAME}", False),
        (f"plugin: {NAME}_of_others", False),
        ("plugin: amazon.aws.aws_ec2", False),
        (f"plugin: {NAME}\n{'#' * 2**16}", False),
        ("", False),
    ],
)
def test_a_file_of_another_name_is_explained(
    tmp_path: Path, content: str, explained: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "production.yml"
    path.write_text(content)
    assert not inventory_loader.get(NAME).verify_file(str(path))
    warning = " ".join(capsys.readouterr().err.split())
    expected = f"has to end with {GROUP}.yml or {GROUP}.yaml"
    assert (expected in warning) is explained
    assert bool(warning) is explained


def test_variables_of_a_host(emulator: Emulator, read: Read, tmp_path: Path) -> None:
    zone = emulator.add_zone("example.com", account="One", plan="Pro Website")
    inventory = read()
    assert hosts(inventory) == ["zone-example.com"]
    variables = inventory.hosts["zone-example.com"].vars
    assert variables["cloudflare_zones_inventory"] == {
        "file": str(tmp_path / "cloudflare_zones.yml"),
        "zones": 1,
        "unmatched": [],
    }
    assert inventory.groups["all"].vars == {
        "cloudflare_zones_files": {str(tmp_path / "cloudflare_zones.yml"): {"zones": 1, "unmatched": []}}
    }
    assert {name: value for name, value in variables.items() if "inventory" not in name} == {
        "cloudflare_zone_id": zone.id,
        "cloudflare_zone_name": "example.com",
        "cloudflare_zone_status": "active",
        "cloudflare_zone_account": {"id": zone.account_id, "name": "One"},
        "cloudflare_zone_plan": "Pro Website",
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
    }


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (50, 1), (51, 2), (120, 3)])
def test_zones_take_a_request_for_every_50(emulator: Emulator, read: Read, count: int, requests: int) -> None:
    names = [emulator.add_zone(f"zone-{number:03}.example").name for number in reversed(range(count))]
    assert hosts(read()) == [f"zone-{name}" for name in sorted(names)]
    assert [request.query["per_page"] for request in emulator.requests] == ["50"] * requests
    assert {request.query["page"] for request in emulator.requests} == {str(page + 1) for page in range(requests)}


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        ({}, "a b c"),
        ({"names": [], "accounts": []}, "a b c"),
        ({"names": ["?.example.com"]}, "a b"),
        ({"names": ["A.Example.COM"]}, "a"),
        ({"names": ["*.example.com", "c.*"]}, "a b c"),
        ({"names": ["[!a].example.*"]}, "b c"),
        ({"names": ["example.com", "*.com.au", "a.example"]}, ""),
        ({"names": "a.*,c.*"}, "a c"),
        ({"names": "{{ ['a', 'b'] | map('regex_replace', '$', '.*') }}"}, "a b"),
        ({"accounts": ["One"]}, "a b"),
        ({"accounts": ["Two", "One"]}, "a b c"),
        ({"accounts": ["{second}"]}, "c"),
        ({"accounts": ["T[vw]*"]}, "c"),
        ({"accounts": ["One"], "names": ["c.*"]}, ""),
        ({"statuses": ["pending"]}, "d"),
        ({"statuses": ["moved", "active"]}, "a b c e"),
        ({"statuses": []}, "a b c d e"),
        ({"statuses": ["pending"], "accounts": ["Two"], "names": ["d*"]}, "d"),
    ],
    ids=str,
)
def test_filters(emulator: Emulator, read: Read, filters: dict[str, Any], chosen: str) -> None:
    for name in ("a.example.com", "b.example.com"):
        emulator.add_zone(name, account="One")
    second = emulator.add_zone("c.example.net", account="Two").account_id
    emulator.add_zone("d.example.net", account="Two", status="pending")
    emulator.add_zone("e.example.net", account="Two", status="moved")
    if "accounts" in filters:
        filters = {**filters, "accounts": [account.format(second=second) for account in filters["accounts"]]}
    assert [name.removeprefix("zone-")[0] for name in hosts(read(**filters))] == chosen.split()


@pytest.mark.parametrize(
    ("filters", "warnings"),
    [
        ({"accounts": ["One"], "names": ["a.*", "*.EXAMPLE", "[ab].example"]}, []),
        ({"accounts": ["Won"]}, ["accounts: no zone that these credentials can read is in 'Won'"]),
        (
            {"names": ["a.example", "a.exmpl", "*.test"]},
            [
                "names: no zone that these credentials can read matches 'a.exmpl'",
                "names: no zone that these credentials can read matches '*.test'",
            ],
        ),
        (
            {"names": ["a.example", "b.example", "c.*"], "accounts": ["One"]},
            [
                "names: accounts or statuses exclude all zones that match 'b.example'",
                "names: accounts or statuses exclude all zones that match 'c.*'",
            ],
        ),
    ],
    ids=str,
)
def test_a_filter_that_selects_no_zone_is_warned_of(
    emulator: Emulator, read: Read, capsys: pytest.CaptureFixture[str], filters: dict[str, Any], warnings: list[str]
) -> None:
    emulator.add_zone("a.example", account="One")
    emulator.add_zone("b.example", account="One", status="pending")
    emulator.add_zone("c.example", account="Two")
    assert hosts(read(**filters)) == ([] if "Won" in filters.get("accounts", ()) else ["zone-a.example"])
    printed = " ".join(capsys.readouterr().err.split())
    assert printed == " ".join(f"[WARNING]: {warning}" for warning in warnings)


@pytest.mark.parametrize(
    ("filters", "unmatched"),
    [
        ({"names": ["a.example", "B.example", "lost.example", "*.test"]}, ["B.example", "lost.example"]),
        ({"names": ["a.example", "b.*", "c.example"]}, []),
        ({"names": ["a.example", "b.example"], "statuses": []}, []),
        ({"names": ["a.example", "c.example"], "accounts": ["One"]}, ["c.example"]),
        ({"names": ["a.example", "b.example"], "accounts": ["One"], "statuses": ["pending"]}, ["a.example"]),
    ],
    ids=str,
)
def test_unmatched_names(
    emulator: Emulator, read: Read, tmp_path: Path, filters: dict[str, Any], unmatched: list[str]
) -> None:
    emulator.add_zone("a.example", account="One")
    emulator.add_zone("b.example", account="One", status="pending")
    emulator.add_zone("c.example", account="Two")
    inventory = read(**filters)
    [file] = inventory.groups["all"].vars["cloudflare_zones_files"].values()
    assert file["unmatched"] == unmatched
    for host in inventory.hosts.values():
        assert host.vars["cloudflare_zones_inventory"]["unmatched"] == unmatched


def test_a_name_in_more_than_one_account(emulator: Emulator, read: Read) -> None:
    first, second = (emulator.add_zone("example.com", account=account) for account in ("One", "Two"))
    emulator.add_zone("example.net", account="Two")
    inventory = read()
    assert hosts(inventory) == [*sorted(f"zone-example.com_{zone.id}" for zone in (first, second)), "zone-example.net"]
    for zone in (first, second):
        variables = inventory.hosts[f"zone-example.com_{zone.id}"].vars
        assert (variables["cloudflare_zone_id"], variables["cloudflare_zone_name"]) == (zone.id, "example.com")
        assert variables["cloudflare_zone_account"]["name"] == zone.account
    # Only one of the selected zones has the name.
    assert read(accounts=["One"]).hosts["zone-example.com"].vars["cloudflare_zone_id"] == first.id
    emulator.add_zone("example.com", account="Two", status="moved")
    assert hosts(read()) == ["zone-example.com", "zone-example.net"]


@given(
    zones=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("123"), st.sampled_from(["active", "moved"])),
        unique_by=lambda zone: zone[:2],
    ),
    statuses=st.sets(st.sampled_from(["active", "moved"])),
)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_chosen_zone_is_a_host(read: Read, zones: list[tuple[str, str, str]], statuses: set[str]) -> None:
    responses = [
        {"id": name + account, "name": name, "status": status, "account": {"id": account, "name": "One"}}
        for name, account, status in zones
    ]
    with Stub(in_turn(success(responses, total_count=len(responses)))) as stub:
        inventory = read(api_url=stub.url, statuses=sorted(statuses))
    chosen = [zone for zone in responses if not statuses or zone["status"] in statuses]
    names = Counter(zone["name"] for zone in chosen)
    assert {host.name: host.vars["cloudflare_zone_id"] for host in inventory.hosts.values()} == {
        f"zone-{zone['name']}" if names[zone["name"]] == 1 else f"zone-{zone['name']}_{zone['id']}": zone["id"]
        for zone in chosen
    }
    assert {host.vars["cloudflare_zones_inventory"]["zones"] for host in inventory.hosts.values()} <= {len(chosen)}


@pytest.mark.parametrize(
    ("prefix", "earlier", "name"),
    [
        (None, "example.com", "zone-example.com"),
        (None, "zone-example.com", "zone-example.com_{id}"),
        ("", "zone-example.com", "example.com"),
        ("", "example.com", "example.com_{id}"),
        ("cf_", "example.com", "cf_example.com"),
        ("{{ 'c' ~ 'f.' }}", "example.com", "cf.example.com"),
    ],
)
def test_an_existing_host_is_not_replaced(
    emulator: Emulator, read: Read, prefix: str | None, earlier: str, name: str
) -> None:
    zone = emulator.add_zone("example.com")
    inventory = InventoryData()
    inventory.add_host(earlier)
    read(inventory, host_prefix=prefix)
    assert [host.name for host in inventory.groups[GROUP].get_hosts()] == [name.format(id=zone.id)]
    assert [host for host, data in inventory.hosts.items() if "ansible_connection" in data.vars] == [
        name.format(id=zone.id)
    ]


def test_the_same_zones_twice_are_the_same_hosts(emulator: Emulator, read: Read) -> None:
    emulator.add_zone("example.com")
    first = read()
    emulator.add_zone("example.net")
    assert hosts(read(first)) == ["zone-example.com", "zone-example.net"]
    # Each host counts once.
    sizes = {host.name: host.vars["cloudflare_zones_inventory"]["zones"] for host in first.hosts.values()}
    assert sizes == {"zone-example.com": 1, "zone-example.net": 1}


def test_constructed_groups_and_variables(emulator: Emulator, read: Read) -> None:
    emulator.add_zone("shop.example", account="One", plan="Pro Website")
    emulator.add_zone("example.com", account="Two")
    inventory = read(
        keyed_groups=[
            {"key": "cloudflare_zone_plan", "prefix": "plan"},
            {"key": "cloudflare_zone_account.name", "prefix": "account"},
        ],
        groups={"shops": "inventory_hostname is match('zone-shop')"},
        compose={
            "label": "cloudflare_zone_name ~ ' of ' ~ cloudflare_zone_account.name",
            "ansible_python_interpreter": "'/usr/bin/python3'",
            "missing": "there.is.none",
        },
    )
    assert members(inventory) == {
        "plan_Free_Website": ["zone-example.com"],
        "plan_Pro_Website": ["zone-shop.example"],
        "account_Two": ["zone-example.com"],
        "account_One": ["zone-shop.example"],
        "shops": ["zone-shop.example"],
    }
    variables = inventory.hosts["zone-shop.example"].vars
    assert variables["label"] == "shop.example of One"
    assert variables["ansible_python_interpreter"] == "/usr/bin/python3"
    assert "missing" not in variables


@pytest.mark.parametrize(
    "option",
    [
        {"compose": {"new": "there.is.none"}},
        {"groups": {"new": "there.is.none"}},
        {"keyed_groups": [{"key": "there.is.none"}]},
    ],
    ids=str,
)
def test_strict(emulator: Emulator, read: Read, option: dict[str, Any]) -> None:
    emulator.add_zone("example.com")
    assert hosts(read(**option)) == ["zone-example.com"]
    assert "example.com" in rejection(read, **option, strict=True)


def test_the_cache_saves_requests(emulator: Emulator, read: Read, tmp_path: Path) -> None:
    zones = [emulator.add_zone(name) for name in ("a.example", "b.example")]
    emulator.add_zone("c.example", status="pending")
    cached = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "cache")}

    def cost() -> int:
        number = len(emulator.requests)
        emulator.requests.clear()
        return number

    first = read(**cached)
    assert cost() == 1
    again = read(**cached)
    assert {host.name: host.vars for host in again.hosts.values()} == {
        host.name: host.vars for host in first.hosts.values()
    }
    # The cache includes zones that the filters excluded. Reading it needs no credentials.
    assert hosts(read(**cached, names=["c.*"], statuses=[], api_token=None)) == ["zone-c.example"]
    assert cost() == 0
    # With --flush-cache and meta: refresh_inventory, Ansible requests a new read, which updates the cache.
    emulator.add_zone("d.example")
    assert hosts(read(**cached, use_cache=False)) == ["zone-a.example", "zone-b.example", "zone-d.example"]
    assert cost() == 1
    assert hosts(read(**cached)) == ["zone-a.example", "zone-b.example", "zone-d.example"]
    assert cost() == 0
    # Without the option the cache is neither read nor written.
    emulator.add_zone("e.example")
    assert hosts(read())[-1] == "zone-e.example"
    assert cost() == 1
    assert hosts(read(**cached))[-1] == "zone-d.example"
    # Each service has its own cache.
    with Emulator() as other:
        other.add_zone("other.example")
        assert hosts(read(**cached, api_url=other.api_url)) == ["zone-other.example"]
    assert hosts(read(**cached))[0] == "zone-a.example"
    assert cost() == 0
    content = "".join(path.read_text("utf-8") for path in (tmp_path / "cache").iterdir())
    assert zones[0].id in content
    assert not [text for text in (TOKEN, sys.executable) if text in content]


def test_a_failed_read_keeps_the_cache(emulator: Emulator, read: Read, tmp_path: Path) -> None:
    emulator.add_zone("example.com")
    cached = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "cache")}
    read(**cached)
    assert "10000" in rejection(read, **cached, use_cache=False, api_token="wrong-6Wd4Hs9Pz")
    assert hosts(read(**cached)) == ["zone-example.com"]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"name": ["a.*"]}, "option name is unknown: did you mean names?"),
        ({"zone": "example.com"}, "option zone is unknown"),
        ({"zone_id": "1"}, "option zone_id is unknown"),
        ({"statuses": ["deleted"]}, "deleted"),
        ({"names": {"a": 1}}, "names"),
        ({"timeout": "soon"}, "timeout"),
        ({"host_prefix": "zone:"}, "host_prefix: 'zone:' has other characters than letters, digits and . _ -"),
        ({"host_prefix": ["zone"]}, "host_prefix"),
        ({"timeout": 0}, "timeout: 0 is not between 0 and 3600 seconds"),
        ({"retries": -1}, "retries: -1 is less than 0"),
        ({"ca_path": "/there/is/no/such/file"}, "ca_path: there is no '/there/is/no/such/file'"),
        ({"api_url": "http://192.0.2.1"}, "is not https"),
        ({"api_token": None}, "no credentials: set api_token"),
        ({"api_token": f"{TOKEN} {TOKEN}"}, "api_token is empty, or has blanks"),
        ({"api_token": {"value": TOKEN}}, "api_token is not text"),
        ({"api_token": [TOKEN]}, "api_token is not text"),
        ({"api_token": None, "api_email": "me@example.com", "api_key": {"value": TOKEN}}, "api_key is not text"),
        ({"account_api_key": {"value": TOKEN}}, "account_api_key is not text"),
        ({"api_email": "me@example.com"}, "mutually exclusive"),
        ({"api_token": None, "api_email": "me@example.com"}, "required together"),
        ({"api_token": "{{ there_is_none }}"}, "there_is_none"),
        ({"plugin": "originops.cloudflare.zone"}, "originops.cloudflare.zone"),
        ({"cache": True, "cache_plugin": "there.is.none"}, "there.is.none"),
    ],
    ids=str,
)
def test_unusable_options(emulator: Emulator, read: Read, options: dict[str, Any], part: str) -> None:
    assert part in rejection(read, **options)
    assert emulator.requests == []


def test_failures_of_the_service(emulator: Emulator, read: Read) -> None:
    refusal = rejection(read, api_token="wrong-6Wd4Hs9Pz")
    assert refusal.startswith("Listing the zones failed: HTTP 401: Authentication error (code 10000). Check that")
    assert "no usable response from http://127.0.0.1:9: " in rejection(read, api_url="http://127.0.0.1:9")
    emulator.quota = 0
    assert "HTTP 429" in rejection(read)


def test_failures_are_parser_errors(read: Read) -> None:
    # Ansible then reports the failed source, and continues with the next.
    for options in ({"api_token": "wrong-6Wd4Hs9Pz"}, {"retries": -1}, {"name": "x"}):
        with pytest.raises(AnsibleParserError):
            read(**options)


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({"CLOUDFLARE_API_TOKEN": Emulator.token}, {}),
        ({"CLOUDFLARE_EMAIL": Emulator.email, "CLOUDFLARE_API_KEY": Emulator.key}, {}),
        ({"CLOUDFLARE_API_KEY": Emulator.key}, {"api_email": Emulator.email}),
        # Credentials in the file have precedence, as a whole.
        ({"CLOUDFLARE_API_TOKEN": "wrong-6Wd4Hs9Pz"}, {"api_token": Emulator.token}),
        ({"CLOUDFLARE_API_TOKEN": "wrong-6Wd4Hs9Pz"}, {"api_email": Emulator.email, "api_key": Emulator.key}),
        ({}, {"account_email": Emulator.email, "account_api_key": Emulator.key}),
        ({"SOME_TOKEN": Emulator.token}, {"api_token": "{{ lookup('ansible.builtin.env', 'SOME_TOKEN') }}"}),
    ],
    ids=str,
)
def test_credentials(
    emulator: Emulator,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    options: dict[str, str],
) -> None:
    emulator.add_zone("example.com")
    for name, value in {"CLOUDFLARE_BASE_URL": emulator.api_url, **variables}.items():
        monkeypatch.setenv(name, value)
    assert hosts(read(**{"api_url": None, "api_token": None, **options})) == ["zone-example.com"]


ZONE = {"id": "1", "name": "example.com", "status": "active", "account": {"id": "2", "name": "One"}}


@pytest.mark.parametrize(
    ("zone", "left_out"),
    [
        (ZONE, "cloudflare_zone_plan"),
        ({**ZONE, "plan": None}, "cloudflare_zone_plan"),
        ({**ZONE, "plan": {"id": "3"}}, "cloudflare_zone_plan"),
        ({**ZONE, "plan": {"name": "Pro"}, "status": None}, "cloudflare_zone_status"),
    ],
)
def test_missing_values_are_null(read: Read, zone: dict[str, Any], left_out: str) -> None:
    with Stub(in_turn(success([zone], total_count=1))) as stub:
        inventory = read(api_url=stub.url, statuses=[])
    variables = inventory.hosts["zone-example.com"].vars
    assert [name for name, value in variables.items() if value is None and "zone" in name] == [left_out]


def test_free_text_is_made_printable(read: Read) -> None:
    zone = {**ZONE, "account": {"id": "2", "name": "One\x1b[2J\n\u202e\U0001f469"}, "plan": {"name": TOKEN}}
    with Stub(in_turn(success([zone], total_count=1))) as stub:
        variables = read(api_url=stub.url).hosts["zone-example.com"].vars
    assert variables["cloudflare_zone_account"] == {"id": "2", "name": "One [2J  \U0001f469"}
    assert variables["cloudflare_zone_plan"] == "********"


@pytest.mark.parametrize(
    "response",
    [
        success(None, total_count=0),
        success({}, total_count=0),
        success("example.com", total_count=1),
        success([None], total_count=1),
        success([5], total_count=1),
        success([{}], total_count=1),
        success([ZONE]),
        success([ZONE], total_count=None),
        success([ZONE], total_count="1"),
        success([ZONE], total_count=-1),
        success([ZONE], total_count=10**6),
        success([{**ZONE, "id": "../user"}], total_count=1),
        success([{**ZONE, "id": 5}], total_count=1),
        success([{**ZONE, "name": None}], total_count=1),
        success([{**ZONE, "name": ""}], total_count=1),
        success([{**ZONE, "name": "example.com\n"}], total_count=1),
        success([{**ZONE, "name": "example\x1b.com"}], total_count=1),
        success([{**ZONE, "name": "two zones"}], total_count=1),
        success([{**ZONE, "name": "{{example}}.com"}], total_count=1),
        success([{**ZONE, "name": "x" * 254}], total_count=1),
        success([{**ZONE, "status": 1}], total_count=1),
        success([{**ZONE, "account": None}], total_count=1),
        success([{**ZONE, "account": "One"}], total_count=1),
        success([{**ZONE, "account": {"id": None, "name": "One"}}], total_count=1),
        success([{**ZONE, "account": {"id": "a/b", "name": "One"}}], total_count=1),
        success([{**ZONE, "account": {"id": "2", "name": ["One"]}}], total_count=1),
        success([{**ZONE, "plan": "Pro"}], total_count=1),
        success([{**ZONE, "plan": {"name": 5}}], total_count=1),
        Response(200, b'{"success": true, "result": []}'),
        Response(200, b'{"success": true, "result": [], "result_info": null}'),
    ],
    ids=lambda response: response.body.decode()[-150:],
)
def test_unexpected_responses(read: Read, response: Response) -> None:
    with Stub(in_turn(response)) as stub:
        refusal = rejection(read, api_url=stub.url)
    message = "Listing the zones failed: HTTP 200, but the response does not have the format of the API"
    assert refusal.startswith(f"{message}. Ansible continues without these zones, unless ")
    assert len(stub.requests) == 1


def pages(request: Request) -> list[dict[str, Any]]:
    """Return the requested page of 120 zones."""
    number = int(parse_qs(urlsplit(request.path).query)["page"][0])
    return [{**ZONE, "id": str(i), "name": f"{i}.example"} for i in range(120)][(number - 1) * 50 : number * 50]


def repeat_a_page(request: Request) -> Response:
    return success(pages(Request("GET", request.path.replace("page=2", "page=1"), {}, b"")), total_count=120)


def lose_a_page(request: Request) -> Response:
    return success([] if "page=3" in request.path else pages(request), total_count=120)


def return_different_totals(request: Request) -> Response:
    return success(pages(request), total_count=121 if "page=3" in request.path else 120)


def return_endless_pages(request: Request) -> Response:
    """Serve full pages without end."""
    return success(pages(Request("GET", request.path.replace("page=3", "page=2"), {}, b"")), total_count=150)


@pytest.mark.parametrize("responder", [repeat_a_page, lose_a_page, return_different_totals, return_endless_pages])
def test_inconsistent_pages(read: Read, responder: Callable[[Request], Response]) -> None:
    with Stub(responder) as stub:
        assert "3 times the pages of the list did not add up to its total" in rejection(read, api_url=stub.url)
    assert len(stub.requests) == 9


def test_a_list_changed_between_pages_is_read_again(read: Read) -> None:
    responder = repeat_a_page

    def recover(request: Request) -> Response:
        return (responder if len(stub.requests) <= 3 else return_all)(request)

    def return_all(request: Request) -> Response:
        return success(pages(request), total_count=120)

    with Stub(recover) as stub:
        assert len(hosts(read(api_url=stub.url))) == 120
    assert len(stub.requests) == 6
