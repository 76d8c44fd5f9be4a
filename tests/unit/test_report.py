# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reports of an audit: totals, and every format, with any texts."""

from __future__ import annotations

import copy
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import canonical
from support.reports import (
    HOSTILE,
    KINDS,
    Report,
    finding,
    full_zone,
    hostile_reports,
    mapping,
    shown,
    small_fleet,
    zone_report,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "roles/audit/files/report.schema.json").read_text("utf-8"))
FORMATS = ("json", "markdown", "junit", "html")


render = filter_loader.get("originops.cloudflare.audit_report").j2_function


def aggregate(reports: Any) -> Report:
    return json.loads(render(reports))


def rejection(reports: Any, *formats: str) -> str:
    with pytest.raises(AnsibleFilterError) as failed:
        render(reports, *formats)
    return str(failed.value)


def markdown_tables(text: str) -> list[list[list[str]]]:
    """Return the texts of the cells of tables, as a reader sees them."""
    tables: list[list[list[str]]] = []
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    for number, token in enumerate(tokens):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type in ("td_open", "th_open"):
            tables[-1][-1].append("".join(child.content for child in tokens[number + 1].children or ()))
    return tables


def markdown_constructs(text: str) -> set[str]:
    """Return the types of the constructs that Markdown, with common extensions, finds in a text."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    return {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}


class Elements(HTMLParser):
    """Counts the elements of a page that text could have made, and gathers its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _value in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


# The aggregate


def test_the_totals() -> None:
    assert aggregate(small_fleet())["totals"] == {
        "zones": 4,
        "audited": 3,
        "clean": 2,
        "mappings": 3418,
        **dict.fromkeys(KINDS, 1),
    }


def test_zones_are_sorted_by_name() -> None:
    names = [zone["zone"] for zone in aggregate(small_fleet())["zones"]]
    assert names == ["docs.example.org", "gone.example.com", "shop.example.com", "static.example.net"]
    same_name = [zone_report("example.com", zone_id=identifier) for identifier in ("b", "c", "a")]
    assert [zone["zone_id"] for zone in aggregate(same_name)["zones"]] == ["a", "b", "c"]


def test_one_report_and_an_aggregate_and_lists_of_either() -> None:
    reports = small_fleet()
    single = aggregate(reports[0])
    assert single["zones"] == [reports[0]]
    assert single == aggregate([reports[0]])
    whole = aggregate(reports)
    assert aggregate(whole) == whole
    assert aggregate([aggregate(reports[:2]), aggregate(reports[2:])]) == whole
    assert aggregate(report for report in reports) == whole


def test_keys_that_no_report_has_are_left_out() -> None:
    report = zone_report("example.com")
    assert aggregate({**report, "changed": False, "failed": False})["zones"] == [report]


def at(hour: int, **fields: Any) -> Report:
    return {**zone_report("example.com"), "audited_on": f"2026-11-24T{hour:02}:00:00Z", **fields}


@pytest.mark.parametrize(
    ("reports", "left"),
    [
        pytest.param([at(8), at(9)], [1], id="later-last"),
        pytest.param([at(9), at(8)], [0], id="later-first"),
        pytest.param([at(8, api_version="v1"), at(8)], [1], id="same-time"),
        pytest.param([at(8, zone_id="a"), at(9, zone_id="b")], [0, 1], id="same-name-two-zones"),
        pytest.param([at(8, zone_id="a", zone=None), at(9, zone_id="a")], [1], id="a-name-that-came-later"),
        pytest.param([at(8, zone_id=None, error="no answer"), at(9, zone_id="a")], [1], id="failed-then-found"),
        pytest.param([at(8, zone_id="a"), at(9, zone_id=None, error="no answer")], [1], id="found-then-failed"),
        pytest.param(
            [at(8, zone_id="a"), at(8, zone_id="b"), at(9, zone_id=None, error="ambiguous")], [2, 0, 1], id="ambiguous"
        ),
    ],
)
def test_of_a_zone_the_latest_report_counts(reports: list[Report], left: list[int]) -> None:
    report = aggregate(reports)
    assert report["zones"] == [reports[number] for number in left]
    assert report["generated_on"] == max(reports[number]["audited_on"] for number in left)


@pytest.mark.parametrize("format", FORMATS)
def test_the_text_is_a_function_of_the_reports(format: str) -> None:
    reports = small_fleet()
    before = copy.deepcopy(reports)
    text = render(reports, format)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert render(reports[::-1], format) == text
    assert reports == before


def test_json_is_the_default() -> None:
    assert render(small_fleet()) == render(small_fleet(), "json")


def broken(**fields: Any) -> Report:
    return {**zone_report("example.com", [mapping("192.0.2.1", "aws/us-east-1")], [finding("stale")]), **fields}


def without(key: str) -> Report:
    return {name: value for name, value in broken().items() if name != key}


@pytest.mark.parametrize(
    ("reports", "message"),
    [
        ("text", "'text' is neither a report of an audit nor a list of them"),
        (None, "'None' is neither"),
        (7, "'7' is neither"),
        ([], "there is no report in the input"),
        ([broken(), "text"], "item 2 (reports[1]) should be a dictionary, not 'text'"),
        ({}, "the report is no report of an audit: schema_version missing"),
        ([broken(), without("counts")], "item 2 (reports[1]) is no report of an audit: counts missing"),
        (broken(schema_version=2, counts={}), "schema_version is '2'; this release knows version 1 only"),
        ({"schema_version": 2, "zones": []}, "schema_version is '2'"),
        (
            {"schema_version": 1, "zones": [without("zone")]},
            "the report: zones[0] is no report of an audit: zone missing",
        ),
        ({"schema_version": 1, "zones": {}}, "the report: zones should be a list"),
        (broken(zone=None, zone_id=None), "the report names neither zone nor zone_id"),
        (broken(audited_on="today"), "audited_on should be a time like 2026-11-24T07:00:00Z, not 'today'"),
        (broken(findings=None), "findings should be a list, not 'None'"),
        (broken(findings=[{"kind": "stale"}]), "findings[0] is no report of an audit: origin_ip, hosts"),
        (
            broken(findings=[finding("stael")]),
            "kind is 'stael', which is no kind of finding: did you mean stale?",
        ),
        (broken(findings=[finding("stale", "192.0.2.256")]), "findings[0]: origin_ip: '192.0.2.256' is not an IPv4 or"),
        (broken(compared=None), "compared should be true or false, not 'None'"),
        (broken(total_count=True), "total_count should be a whole number, not 'True'"),
        (broken(error=5), "error should be text, not '5'"),
    ],
)
def test_what_is_no_report_is_refused(reports: Any, message: str) -> None:
    assert message in rejection(reports)


def test_an_unknown_format_is_refused() -> None:
    assert "format 'htm' is unknown: did you mean html?" in rejection(small_fleet(), "htm")


# JSON


@pytest.mark.parametrize("reports", [small_fleet(), [full_zone()], hostile_reports()], ids=["small", "full", "hostile"])
def test_the_schema_describes_the_aggregate(reports: list[Report]) -> None:
    Draft202012Validator(SCHEMA).validate(aggregate(reports))


# Markdown


def test_markdown() -> None:
    text = render(small_fleet(), "markdown")
    assert text.startswith(
        "# Audit of origin cloud regions\n\n**8 findings in 1 of 3 zones. 1 zone could not be audited.**\n\n"
        "3,418 mappings, 2 zones without findings, audited 2026-11-24 07:00 UTC.\n"
    )
    assert "- **gone.example.com**: there is no zone gone.example.com that the token can see\n" in text
    overview, *findings = markdown_tables(text)
    header, *rows = overview
    assert header[:3] == ["Zone", "Mappings", "Missing"]
    assert {row[0]: row[1:] for row in rows} == {
        "docs.example.org": ["12", *["0"] * 8],
        "gone.example.com": ["could not be audited", *[""] * 8],
        "shop.example.com": ["3,400", *["1"] * 8],
        "static.example.net": ["6", *["not known"] * 3, "0", "not known", "0", "0", "0"],
    }
    assert len(findings) == len(KINDS)
    assert findings[1][1] == [
        "192.0.2.10",
        "web2.shop.example.com",
        "aws/us-east-1",
        "aws/us-west-2",
        "The zone maps the address to another region than the inventory has.",
    ]


def test_markdown_of_thousands_of_findings_is_readable() -> None:
    crowd = [finding("stale", "192.0.2.1", hosts=[f"host{number}" for number in range(50)])]
    text = render([full_zone(3500), zone_report("example.com", [], crowd)], "markdown")
    assert "### Wrong (3,500)" in text
    assert "… and 3,480 more of this kind." in text
    assert "host19, and 30 more" in text
    assert len(text.splitlines()) < 60


def test_markdown_shows_hostile_texts_as_they_are() -> None:
    text = render(hostile_reports(), "markdown")
    cells = {cell for table in markdown_tables(text) for row in table for cell in row}
    for hostile in HOSTILE:
        line = shown(hostile)
        assert (line if len(line) <= 300 else line[:299] + "…") in cells
    assert markdown_constructs(text) <= markdown_constructs(render(small_fleet(), "markdown"))


# JUnit XML


def test_junit() -> None:
    root = ElementTree.fromstring(render(small_fleet(), "junit"))
    docs, gone, shop, static = root
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == [
        "docs.example.org",
        "gone.example.com",
        "shop.example.com",
        "static.example.net",
    ]
    counts = {"tests": "25", "failures": "8", "errors": "1", "skipped": "4"}
    assert {name: root.get(name) for name in counts} == counts
    assert shop.attrib == {
        "name": "shop.example.com",
        "timestamp": "2026-11-24T07:00:00",
        "time": "0",
        "tests": "8",
        "failures": "8",
        "errors": "0",
        "skipped": "0",
    }
    assert docs.findall("testcase/*") == []
    assert gone.findtext("testcase/error") == "there is no zone gone.example.com that the token can see"
    assert [skipped.get("message") for skipped in static.iter("skipped")] == [
        *["no inventory was given"] * 3,
        "the supported regions could not be read",
    ]
    wrong = shop.find("testcase[@name='Wrong']/failure")
    assert wrong is not None
    assert wrong.attrib == {"type": "wrong", "message": "Wrong: 1 finding"}
    assert wrong.text == (
        "192.0.2.10; hosts web2.shop.example.com; actual aws/us-east-1; expected aws/us-west-2: "
        "The zone maps the address to another region than the inventory has."
    )


def test_junit_has_a_line_for_each_finding() -> None:
    root = ElementTree.fromstring(render(full_zone(3500), "junit"))
    [failure] = root.iter("failure")
    assert failure.get("message") == "Wrong: 3,500 findings"
    assert len(str(failure.text).splitlines()) == 3500


# HTML


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: text[:10].encode("ascii", "ignore").hex())
def test_hostile_texts_are_only_text_in_a_page(hostile: str) -> None:
    page = Elements(render(hostile_reports([hostile]), "html"))
    harmless = Elements(render(hostile_reports(["harmless"]), "html"))
    assert sorted(set(page.tags) - {"wbr"}) == sorted(set(harmless.tags) - {"wbr"})
    assert page.tags.count("script") == page.tags.count("style") == 1
    assert page.attributes == harmless.attributes


# All formats, of any report


texts = st.text(min_size=1, max_size=30) | st.sampled_from(HOSTILE)
addresses = st.ip_addresses().map(canonical)
places = st.fixed_dictionaries({"vendor": texts, "region": texts})
vendors_alone = st.fixed_dictionaries({"vendor": texts, "region": st.none()})
findings = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "origin_ip": addresses | st.none(),
        "hosts": st.lists(texts, max_size=3),
        "actual": places | st.none(),
        "expected": places | vendors_alone | st.none(),
        "message": texts,
    }
)
zones = st.builds(
    lambda name, number, found, minute, mapped, known: zone_report(
        name,
        [mapping(address, "aws/us-east-1") for address in mapped],
        found,
        zone_id=f"{number:032x}",
        audited_on=f"2026-11-24T07:{minute:02}:00Z",
        compared=known is True,
        tiered_cache=known,
        obtained_codes=known,
        repair={"present": [], "absent": []},
    ),
    texts,
    st.integers(0, 5),
    st.lists(findings, max_size=5),
    st.integers(0, 59),
    st.lists(addresses, max_size=3, unique=True),
    st.booleans() | st.none(),
)


def addresses_of(reports: list[Report]) -> set[str]:
    return {item["origin_ip"] for report in reports for item in report["findings"] if item["origin_ip"]}


@given(st.lists(zones, min_size=1, max_size=4))
def test_every_address_of_a_finding_is_told(reports: list[Report]) -> None:
    report = aggregate(reports)
    Draft202012Validator(SCHEMA).validate(report)
    expected = addresses_of(report["zones"])
    assert expected <= addresses_of(reports)
    root = ElementTree.fromstring(render(reports, "junit"))
    lines = [line for failure in root.iter("failure") for line in str(failure.text).split("\n")]
    assert len(lines) == sum(len(zone["findings"]) for zone in report["zones"])
    assert {address for address in expected if any(line.startswith(address) for line in lines)} == expected
    assert report["totals"]["zones"] == len({report["zone_id"] for report in reports}) == len(root)
    # What was summed up sums up to itself.
    for format in FORMATS:
        assert render(report, format) == render(reports, format)


@given(zones)
def test_no_text_breaks_a_format(report: Report) -> None:
    document = render(report, "markdown")
    overview, *tables = markdown_tables(document)
    assert [len(row) for row in overview] == [10, 10]
    assert {len(row) for table in tables for row in table} <= {5}
    assert sum(len(table) - 1 for table in tables) == len(report["findings"])
    constructs = "link_open image html_inline html_block code_inline em_open s_open fence blockquote_open hr"
    assert markdown_constructs(document).isdisjoint(constructs.split())
    page = Elements(render(report, "html"))
    assert page.tags.count("script") == page.tags.count("style") == page.tags.count("h1") == 1
    assert page.tags.count("tr") == (len(report["findings"]) + 1 if report["findings"] else 0) + (
        len(report["mappings"]) + 1 if report["mappings"] else 0
    )
    assert not any(name.startswith("on") for name in page.attributes)


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_no_character_is_replaced(format: str) -> None:
    text = render(zone_report("a\x00b\x1bc\ud800d\ufffee", [], [finding("near_limit", None, "\x0b")]), format)
    assert "a\ufffdb\ufffdc\ufffdd\ufffde" in text
    text.encode("utf-8")


def test_plain_types_come_out_of_what_ansible_has_read_from_a_file() -> None:
    # What is no JSON, Ansible reads as YAML, into types of its own.
    read = DataLoader().load("---\n" + json.dumps(small_fleet()))
    assert type(read) is not type(small_fleet())
    assert render(read) == render(small_fleet())
