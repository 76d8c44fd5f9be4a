# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of an audit: totals, and every format, with any texts."""

from __future__ import annotations

import copy
import json
import os
import re
import stat
from collections.abc import Callable
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

from ansible_collections.originops.cloudflare.plugins.module_utils._errors import InvalidInput, OriginOpsError
from ansible_collections.originops.cloudflare.plugins.module_utils._mapping import canonical
from ansible_collections.originops.cloudflare.plugins.module_utils._schema import FAILING_KINDS, KINDS
from ansible_collections.originops.cloudflare.plugins.plugin_utils._report import markdown
from ansible_collections.originops.cloudflare.plugins.plugin_utils._report.files import (
    FORMATS,
    read_report,
    write_reports,
)
from ansible_collections.originops.cloudflare.plugins.plugin_utils._report.html import MAX_DRAWN
from ansible_collections.originops.cloudflare.plugins.plugin_utils._report.model import (
    TITLES,
    Report,
    aggregate,
    combine,
    failure_message,
    merge,
)
from support.reports import (
    ACCOUNT,
    HOSTILE,
    WITHOUT_ORIGINS,
    failed_report,
    finding,
    fleet_with_traffic,
    full_traffic,
    full_zone,
    hostile_reports,
    limit,
    mapping,
    reached,
    shown,
    small_fleet,
    traffic,
    unknown_traffic,
    zone_report,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "roles/audit/files/report.schema.json").read_text("utf-8"))


formats = pytest.mark.parametrize("format", FORMATS)


def as_text(report: Report, format: str) -> str:
    return FORMATS[format][1](report)


def render(reports: Any, format: str = "json", **options: Any) -> str:
    """Format reports with the options of aggregate: expected, fail_on."""
    return as_text(aggregate(reports, **options), format)


def rejection(reports: Any) -> str:
    with pytest.raises(InvalidInput) as failed:
        aggregate(reports)
    return str(failed.value)


def markdown_tables(text: str) -> list[list[list[str]]]:
    """Return the visible texts of the cells of tables."""
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
    """Parse Markdown with common extensions, and return its construct types."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    return {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}


class Elements(HTMLParser):
    """Elements, attributes and text of a page, to detect injected markup."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Blocks of data are not executed.
        self.tags.append("data" if ("type", "application/json") in attrs else tag)
        self.attributes |= {name for name, _value in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


# Aggregation


def test_the_totals() -> None:
    assert aggregate(small_fleet())["totals"] == {
        "zones": 5,
        "audited": 4,
        "clean": 2,
        "mappings": 3421,
        **dict.fromkeys(KINDS, 1),
        "misrouted": 0,
    }


def test_zones_are_sorted_by_name() -> None:
    names = [zone["zone"] for zone in aggregate(small_fleet())["zones"]]
    assert names == [
        "blog.example.org",
        "docs.example.org",
        "gone.example.com",
        "shop.example.com",
        "static.example.net",
    ]
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
    assert json.loads(render(reports)) == whole


def test_unknown_keys_are_left_out() -> None:
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
        pytest.param([at(8, zone_id=None, error="no response"), at(9, zone_id="a")], [1], id="failed-then-found"),
        pytest.param(
            [at(8, zone_id=None, account_id="other", error="no response"), at(9, zone_id="a")],
            [1, 0],
            id="failed-in-another-account",
        ),
        pytest.param(
            [at(8, zone_id=None, account_id=None, error="no response"), at(9, zone_id="a")],
            [0, 1],
            id="failed-in-an-unknown-account",
        ),
        pytest.param(
            [at(8, zone_id=None, account_id=None, error="no response"), at(9, zone_id="a", account_id=None)],
            [0, 1],
            id="failed-and-found-in-unknown-accounts",
        ),
        pytest.param(
            [at(8, zone_id=None, zone="Example.COM.", error="no response"), at(9, zone_id="a")],
            [1],
            id="failed-in-another-spelling",
        ),
        pytest.param(
            [at(8, zone_id=None, zone="Example.COM.", error="first"), at(9, zone_id=None, error="second")],
            [1],
            id="failed-twice-in-two-spellings",
        ),
        pytest.param([at(8, zone_id="a"), at(9, zone_id=None, error="no response")], [1, 0], id="found-then-failed"),
        pytest.param(
            [at(8, zone_id="a"), at(8, zone_id="b"), at(9, zone_id=None, error="ambiguous")], [2, 0, 1], id="ambiguous"
        ),
    ],
)
def test_the_latest_report_of_a_zone_counts(reports: list[Report], left: list[int]) -> None:
    report = aggregate(reports)
    assert report["zones"] == [reports[number] for number in left]
    assert report["generated_on"] == max(reports[number]["audited_on"] for number in left)


def identity(zone: str | None, zone_id: str | None = None, account_id: str | None = None) -> dict[str, str | None]:
    return {"zone": zone, "zone_id": zone_id, "account_id": account_id}


NO_RANGES = {"contradicted": "the published ranges could not be read: [Errno 2]"}


@pytest.mark.parametrize(
    ("reports", "options", "failures"),
    [
        pytest.param([zone_report("a")], {}, [], id="clean"),
        pytest.param([zone_report("a", [], [finding("stale")])], {}, ["1 stale"], id="finding"),
        pytest.param([zone_report("a", [], [finding("unresolved")])], {}, [], id="kind-that-fails-nothing"),
        pytest.param(
            [zone_report("a", [], [finding("unresolved")])], {"fail_on": ["unresolved"]}, ["1 unresolved"], id="chosen"
        ),
        pytest.param([zone_report("a", not_checked=NO_RANGES)], {}, [], id="not-requested"),
        pytest.param(
            [zone_report("a", not_checked=NO_RANGES, unavailable=["contradicted"])],
            {},
            ["1 zone in which contradicted could not be checked"],
            id="unavailable",
        ),
        pytest.param(
            [zone_report("a", not_checked=NO_RANGES, unavailable=["contradicted"])],
            {"fail_on": ["stale"]},
            [],
            id="unavailable-and-not-needed",
        ),
        pytest.param([failed_report("a", "no")], {"fail_on": []}, ["1 zone that could not be audited"], id="failed"),
        pytest.param(
            [zone_report("a")],
            {"expected": [identity("a"), identity("b")]},
            ["1 zone that could not be audited"],
            id="missing",
        ),
        pytest.param(
            [zone_report("a")],
            {"expected": [identity("a", None, "another account")]},
            ["1 zone that could not be audited"],
            id="missing-in-another-account",
        ),
        pytest.param([zone_report("a.example")], {"expected": [identity("A.Example.")]}, [], id="another-spelling"),
        pytest.param(
            [],
            {"expected": [identity("a.example"), identity("A.Example.")]},
            ["1 zone that could not be audited"],
            id="missing-in-two-spellings",
        ),
        pytest.param(
            [],
            {"expected": [identity(None, "a"), identity(None, "a"), identity("b")]},
            ["2 zones that could not be audited"],
            id="nothing",
        ),
    ],
)
def test_an_audit_fails_by_findings_and_by_unchecked_kinds(
    reports: list[Report], options: dict[str, Any], failures: list[str]
) -> None:
    report = aggregate(reports, **options)
    assert report["failures"] == failures
    # Every format reports the same outcome.
    root = ElementTree.fromstring(render(reports, "junit", **options))
    assert (int(root.attrib["failures"]) + int(root.attrib["errors"]) > 0) is bool(failures)
    document = render(reports, "markdown", **options)
    assert document.splitlines()[4] == (f"**Failed: {', '.join(failures)}**" if failures else "**Passed**")


def test_an_audit_of_no_zone_fails_in_every_format() -> None:
    report = combine([], [], FAILING_KINDS)
    Draft202012Validator(SCHEMA).validate(report)
    assert report["failures"] == ["no zone to audit"]
    [error] = ElementTree.fromstring(as_text(report, "junit")).iter("error")
    assert error.text == "no zone to audit"
    assert "**Failed: no zone to audit**" in as_text(report, "markdown")
    assert "Failed No zone was audited. no zone to audit" in " ".join(Elements(as_text(report, "html")).text)
    assert not any("1970" in as_text(report, format) for format in ("markdown", "html"))


@pytest.mark.parametrize("reports", [[], [zone_report("a")]], ids=["none", "one"])
def test_an_unmerged_report_fails_in_every_format(reports: list[Report]) -> None:
    lost = ["There is no readable report of an audit in b\x00: No such file", "c is of yesterday"]
    shown = lost[0].replace("\x00", "\ufffd")
    part = combine([], [], FAILING_KINDS, not_merged=lost)
    # Another merge and the filter keep the error.
    for report in (merge([part, *map(aggregate, reports), part], [], FAILING_KINDS), aggregate([part, *reports])):
        Draft202012Validator(SCHEMA).validate(report)
        assert report["failures"] == [*([] if reports else ["no zone to audit"]), shown, lost[1]]
        [error] = junit(report).iter("error")
        assert shown in str(error.text)
        assert lost[1] in str(error.text)
        assert f"{shown}, {lost[1]}**" in as_text(report, "markdown")
        assert f"{shown} {lost[1]}" in " ".join(Elements(as_text(report, "html")).text)


def test_the_message_of_a_merge_without_many_reports_is_short() -> None:
    report = combine([], [], FAILING_KINDS, not_merged=[f"part{number} is missing" for number in range(12)])
    assert failure_message(report).endswith("part8 is missing; and 3 more, see failures")


@formats
def test_the_text_is_a_function_of_the_reports(format: str) -> None:
    reports = small_fleet()
    before = copy.deepcopy(reports)
    text = render(reports, format)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert render(reports[::-1], format) == text
    assert reports == before


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
        ({}, "the report is not a report of an audit: schema_version missing"),
        ([broken(), without("counts")], "item 2 (reports[1]) is not a report of an audit: counts missing"),
        (broken(schema_version=1, counts={}), "schema_version is '1'; this release supports version 2 only"),
        ({"schema_version": 1, "zones": []}, "schema_version is '1'"),
        (
            {"schema_version": 2, "zones": [without("zone")]},
            "the report: zones[0] is not a report of an audit: zone missing",
        ),
        ({"schema_version": 2, "zones": {}}, "the report: zones should be a list"),
        (broken(zone=None, zone_id=None), "the report names neither zone nor zone_id"),
        (broken(audited_on="today"), "audited_on should be a time like 2026-11-24T07:00:00Z, not 'today'"),
        (broken(ranges={"aws": "today"}), "ranges: aws should be a time like 2026-11-24T07:00:00Z, not 'today'"),
        (broken(findings=None), "findings should be a list, not 'None'"),
        (broken(findings=[{"kind": "stale"}]), "findings[0] is not a report of an audit: origin_ip, hosts"),
        (
            broken(findings=[finding("stael")]),
            "kind is 'stael', which is no kind of finding: did you mean stale?",
        ),
        (broken(findings=[finding("stale", "192.0.2.256")]), "findings[0]: origin_ip: '192.0.2.256' is not an IPv4 or"),
        (broken(tiered_cache="on"), "tiered_cache should be true or false, not 'on'"),
        (broken(total_count=True), "total_count should be a whole number, not 'True'"),
        (broken(error=5), "error should be text, not '5'"),
    ],
)
def test_other_data_is_no_report(reports: Any, message: str) -> None:
    assert message in rejection(reports)


def test_the_filter() -> None:
    audit_report = filter_loader.get("originops.cloudflare.audit_report").j2_function
    for format in FORMATS:
        assert audit_report(small_fleet(), format) == render(small_fleet(), format)
    assert audit_report(small_fleet()) == render(small_fleet())
    with pytest.raises(AnsibleFilterError, match=r"format 'htm' is unknown: did you mean html\?"):
        audit_report(small_fleet(), "htm")
    with pytest.raises(AnsibleFilterError, match="there is no report in the input"):
        audit_report([])


# JSON


@pytest.mark.parametrize("reports", [small_fleet(), [full_zone()], hostile_reports()], ids=["small", "full", "hostile"])
def test_the_schema_describes_the_aggregate(reports: list[Report]) -> None:
    Draft202012Validator(SCHEMA).validate(aggregate(reports))


# Markdown


def test_markdown() -> None:
    text = render(small_fleet(), "markdown")
    lines = text.splitlines()
    assert lines[2] == "# Audit of origin cloud regions"
    assert lines[4].startswith(
        "**Failed: 1 missing, 1 wrong, 1 stale, 1 contradicted, 1 unsupported, 1 no&#95;origins, "
    )
    assert lines[6:8] == [
        "9 findings in 2 of 4 zones. 1 zone could not be audited. 3,421 mappings, 2 zones without findings.",
        "Audited 2026-11-24 07:00 UTC, to fail on missing, wrong, stale, contradicted, unsupported, no&#95;origins.",
    ]
    assert "- **gone.example.com**: there is no zone gone.example.com that the token can see\n" in text
    unavailable, not_checked = text.partition("## Could not be checked\n")[2].split("## ")[:2]
    assert unavailable.strip() == "- Unsupported, in static.example.net: the supported regions could not be read"
    assert not_checked.splitlines()[2:4] == [
        "- Missing, Wrong, Stale, Unresolved, No origins, in static.example.net: there are no origins to compare with",
        "- Contradicted, in static.example.net: there are no published ranges to compare with",
    ]
    overview, *findings = markdown_tables(text)
    header, *rows = overview
    assert header[:3] == ["Zone", "Mappings", "Missing"]
    unknown = "not checked"
    assert {row[0]: row[1:] for row in rows} == {
        "blog.example.org": ["3", *["0"] * 9, "1"],
        "docs.example.org": ["12", *["0"] * 10],
        "gone.example.com": ["could not be audited", *[""] * 10],
        "shop.example.com": ["3,400", *["1"] * 5, "0", *["1"] * 3, "0"],
        "static.example.net": ["6", *[unknown] * 5, "0", unknown, "0", "0", unknown],
    }
    assert len(findings) == len(KINDS) - 1  # no audit of traffic
    assert findings[2][1] == [
        "192.0.2.10",
        "web2.shop.example.com",
        "aws/us-east-1",
        "aws/us-west-2",
        "The zone maps the address to another region than the inventory has.",
    ]


def test_markdown_of_traffic() -> None:
    text = render(fleet_with_traffic(), "markdown")
    assert (
        "## Traffic\n\n96 % of about 18,106 requests came through data centres near the regions of the mappings.\n"
    ) in text
    assert "never tried on a real account" in text
    header = "Through expected data centres"
    [zones] = [table for table in markdown_tables(text) if header in table[0]]
    reason = "the analytics of the zone's plan lack the field originIP"
    assert {row[0]: row[1:] for row in zones[1:]} == {
        "static.example.net": ["", "", "", "", reason],
        "shop.example.com": [
            *("93.6 %", "11,340", "4 of 5 reached", "5,071 requests to 3 origins"),
            "data centres could not be compared, for their spelling is unknown: Frankfurt am Main",
        ],
        "docs.example.org": ["100 %", "6,906", "12 of 12 reached", "none", ""],
        "blog.example.org": [
            *("not known", "0", "0 of 3 reached", "none"),
            "no request reached an origin in this time, so nothing is proven",
        ],
    }
    shop = text.partition("## shop")[2]
    mapped, unmapped = [table[1:] for table in markdown_tables(shop) if table[0][-1].startswith("Data centres")][:2]
    assert mapped == [
        ["192.0.2.10", "aws/us-east-1", "10 %", "800", "SEA 87.5 %, IAD ✓ 10 %, PDX 2.5 %"],
        [
            *("192.0.2.9", "aws/us-east-1", "100 %", "10,000"),
            "IAD ✓ 90 %, EWR ✓ 10 %, 250 requests without an upper tier",
        ],
        ["192.0.2.100", "aws/eu-central-1", "100 %", "500", "FRA ✓ 80 %, Frankfurt am Main ? 20 %"],
        ["203.0.113.7", "oci/us-seattle-0", "not known", "40", "SEA ? 100 %"],
    ]
    assert unmapped == [
        ["192.0.2.44", "aws/us-west-2", "5,000", "SEA 80 %, IAD 20 %"],
        [
            *("203.0.113.200", "not in the published ranges", "71"),
            "FRA 42.3 %, AMS 28.2 %, CDG 14.1 %, LHR 7 %, MAD 5.6 %, 1 more",
        ],
        ["198.51.100.200", "aws", "0", "12 requests without an upper tier"],
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "no published ranges"),
        ({"unavailable": ["contradicted"]}, "the ranges could not be read"),
    ],
)
def test_unmapped_origins_without_ranges(fields: Report, text: str) -> None:
    zone = zone_report("example.com", traffic=traffic([reached("192.0.2.44", None, {"SEA": 1})]), **fields)
    assert f"| 192.0.2.44 | {text} |" in render(zone, "markdown")
    assert text in render(zone, "html")


@pytest.mark.parametrize(
    "reason", [{"error": "the query broke"}, {"not_available": limit("permission", "the query broke")}, {}], ids=str
)
def test_unknown_traffic(reason: Report) -> None:
    """Check that unknown traffic is not shown as none.

    An error in it fails no other zone.
    """
    zones = [
        zone_report("a.example", [mapping("192.0.2.1", "aws/us-east-1")], traffic=unknown_traffic(**reason)),
        zone_report("b.example", traffic=traffic([reached("192.0.2.1", "aws/us-east-1", {"IAD": 4})])),
    ]
    for format in ("markdown", "html"):
        text = re.sub("<[^>]+>", "", render(zones, format))
        assert ("the query broke" if reason else "the report has no reason") in text
        assert "100 % of about 4 requests came through" in text
        assert "No request can be compared with the expected data centres." in render(zones[:1], format)
        assert "0 of 1 reached" not in text


def test_markdown_of_much_traffic_is_readable() -> None:
    text = render(full_traffic(full_zone(1)), "markdown")
    assert "### Traffic of mapped origins (1,000)" in text
    assert "… and 980 more origins." in text
    assert "… and 229 more origins." in text
    assert len(text.splitlines()) < 90


def test_markdown_of_thousands_of_findings_is_readable() -> None:
    crowd = [finding("stale", "192.0.2.1", hosts=[f"host{number}" for number in range(50)])]
    text = render([full_zone(3500), zone_report("example.com", [], crowd)], "markdown")
    assert "### Wrong (3,500)" in text
    assert "… and 3,480 more of this kind." in text
    assert "host19, and 30 more" in text
    assert len(text.splitlines()) < 70


def test_markdown_is_cut_at_a_line() -> None:
    zones = [
        zone_report(
            f"zone{number}.example.com", [], [finding("stale", "192.0.2.1", "\u201c" * 300)] * 20, zone_id=str(number)
        )
        for number in range(60)
    ]
    whole = render(zones[:1], "markdown")
    text = render(zones, "markdown")
    assert markdown.MAX_BYTES - 2000 < len(text.encode()) <= markdown.MAX_BYTES == 900_000
    *lines, empty, note = text.removesuffix("\n").split("\n")
    assert empty == ""
    assert note == "The report is cut here, because it is too long. The other formats have all of it."
    assert lines[-1] in whole.splitlines()


def test_markdown_shows_hostile_texts_literally() -> None:
    text = render(hostile_reports(), "markdown")
    cells = {cell for table in markdown_tables(text) for row in table for cell in row}
    for hostile in HOSTILE:
        line = shown(hostile)
        assert (line if len(line) <= 300 else line[:299] + "…") in cells
    assert markdown_constructs(text) <= markdown_constructs(render(small_fleet(), "markdown"))


# JUnit XML

# By element of schema junit-10 of Jenkins' xunit plugin: required attributes, other attributes, and children.
JUNIT: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}
MIXED = {"failure", "error", "skipped", "system-out"}
"""Elements that may have text."""


def junit(reports: Any, **options: Any) -> ElementTree.Element:
    """Parse the JUnit XML of reports, and validate it for Jenkins."""
    root = ElementTree.fromstring(render(reports, "junit", **options))
    assert root.tag == "testsuites"
    for element in root.iter():
        required, others, children = JUNIT[element.tag]
        assert required <= element.attrib.keys() <= required | others
        assert {child.tag for child in element} <= children
        assert element.tag in MIXED or not (element.text or "").strip()
        assert not (element.tail or "").strip()
        assert re.fullmatch(r"\d+(\.\d+)?", element.get("time", "0"))
    return root


def outcomes(suite: ElementTree.Element) -> list[str]:
    """Return the outcomes of all cases by kind, empty if passed."""
    assert [case.get("name") for case in suite] == list(TITLES.values())
    return [" ".join(element.tag for element in case) for case in suite]


def test_junit() -> None:
    root = junit(small_fleet())
    blog, docs, gone, shop, static = root
    assert [suite.get("name") for suite in root] == [zone["zone"] for zone in aggregate(small_fleet())["zones"]]
    assert root.attrib == {
        "name": "Audit of origin cloud regions",
        "tests": "41",
        "failures": "6",
        "errors": "2",
    }
    assert shop.attrib == {
        "name": "shop.example.com",
        "timestamp": "2026-11-24T07:00:00",
        "time": "0",
        "tests": "10",
        "failures": "5",
        "errors": "0",
        "skipped": "0",
    }
    assert docs.findall("testcase/*") == []
    assert gone.findtext("testcase/error") == "there is no zone gone.example.com that the token can see"
    assert outcomes(blog) == [*[""] * 9, "failure"]
    assert outcomes(shop) == [*["failure"] * 5, "", *["system-out"] * 3, ""]
    assert outcomes(static) == [*["skipped"] * 4, "error", "", "skipped", "", "", "skipped"]
    assert [skipped.get("message") for skipped in static.iter("skipped")] == [
        *["there are no origins to compare with"] * 3,
        "there are no published ranges to compare with",
        *["there are no origins to compare with"] * 2,
    ]
    wrong = shop.find("testcase[@name='Wrong']/failure")
    assert wrong is not None
    assert wrong.attrib == {"type": "wrong", "message": "Wrong: 1 finding"}
    assert wrong.text == (
        "192.0.2.10; hosts web2.shop.example.com; actual aws/us-east-1; expected aws/us-west-2: "
        "The zone maps the address to another region than the inventory has."
    )


def test_junit_fails_by_the_chosen_kinds_only() -> None:
    root = junit(small_fleet(), fail_on=["unresolved"])
    [failure] = root.iter("failure")
    [error] = root.iter("error")
    assert failure.get("type") == "unresolved"
    assert error.text == "there is no zone gone.example.com that the token can see"
    assert len(list(root.iter("system-out"))) == 8
    assert len(list(root.iter("skipped"))) == 7


def test_junit_has_a_line_for_each_finding() -> None:
    [failure] = junit(full_zone(3500)).iter("failure")
    assert failure.get("message") == "Wrong: 3,500 findings"
    assert len(str(failure.text).splitlines()) == 3500


# Zones of one name


def test_zones_of_one_name_have_different_labels() -> None:
    accounts = [zone_report("example.com", zone_id=text, account_id=f"account {text}") for text in "ab"]
    accounts += [zone_report("example.net", zone_id=text, account_id=None) for text in "cd"]
    accounts += [zone_report("example.org"), failed_report("example.com", "no response", account_id="account e")]
    labels = {
        "example.com (account account a)",
        "example.com (account account b)",
        "example.com (account account e)",
        "example.net (zone c)",
        "example.net (zone d)",
        "example.org",
    }
    assert {suite.get("name") for suite in junit(accounts)} == labels
    [overview] = markdown_tables(render(accounts, "markdown"))
    assert {row[0] for row in overview[1:]} == labels


# Files


def failure_to_write(folder: str, *formats: str) -> str:
    with pytest.raises(OriginOpsError) as failed:
        write_reports(folder, aggregate(small_fleet()), formats or FORMATS, 0o600)
    return str(failed.value)


def test_files_are_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "build" / "audit"
    previous = os.umask(0o022)
    try:
        first = write_reports(str(folder), aggregate(small_fleet()), FORMATS, 0o640)
        (folder / "notes.txt").write_text("mine")
        second = write_reports(f"{folder}/", aggregate(zone_report("example.com")), ["junit", "json"], 0o600)
    finally:
        os.umask(previous)
    names = ["report.json", "report.md", "report.xml", "report.html"]
    assert [Path(path) for path in first] == [folder / name for name in names]
    # Otherwise reports of the first run in other formats could be mistaken for new ones.
    assert [Path(path) for path in second] == [
        folder / name for name in ("report.xml", "report.json", "report.md", "report.html")
    ]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "notes.txt"])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent, *map(Path, first))}
    assert modes == {
        "audit": 0o700,
        "build": 0o755,
        "report.json": 0o600,
        "report.md": 0o600,
        "report.xml": 0o600,
        "report.html": 0o600,
    }
    assert (folder / "report.html").read_text("utf-8") == render(zone_report("example.com"), "html")
    assert read_report(str(folder)) == read_report(first[0]) == aggregate(zone_report("example.com"))


def make_file(path: Path) -> None:
    path.write_text('{"generator": "somebody else"}')


def make_link(path: Path) -> None:
    target = path.with_name("target")
    target.write_text(as_text(aggregate(small_fleet()), {".json": "json", ".md": "markdown"}[path.suffix]))
    path.symlink_to(target)


def make_directory(path: Path) -> None:
    path.mkdir()
    (path / "mine").touch()


def make_empty_file(path: Path) -> None:
    path.touch()


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def contents(folder: Path) -> dict[Path, Any]:
    return {
        path: path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("make", [make_file, make_link, make_directory, make_empty_file, make_dangling_link])
def test_foreign_files_are_left_alone(make: Callable[[Path], None], tmp_path: Path) -> None:
    for name in ("report.json", "report.md"):
        make(tmp_path / name)
    before = contents(tmp_path)
    assert failure_to_write(str(tmp_path)) == (
        f"Left alone, because no audit wrote it: {tmp_path}/report.json, {tmp_path}/report.md. "
        "Move it away, or set another audit_folder"
    )
    after = contents(tmp_path)
    assert {path: after.pop(path) for path in before} == before
    # The other formats were written.
    assert {path.name for path in after} == {"report.xml", "report.html"}
    # Foreign files of other formats cause no failure.
    assert len(write_reports(str(tmp_path), aggregate(small_fleet()), ["junit"], 0o600)) == 2
    assert {path: contents(tmp_path)[path] for path in before} == before


def test_an_unwritable_directory(tmp_path: Path) -> None:
    assert failure_to_write(" ") == "audit_folder is empty: name the directory of the reports"
    file = tmp_path / "file"
    file.write_text("mine")
    assert failure_to_write(str(file)) == f"The reports cannot be written: {file}: File exists"
    assert failure_to_write(str(file / "audit")) == f"The reports cannot be written: {file / 'audit'}: Not a directory"
    assert file.read_text() == "mine"
    # Not even root can create files there.
    assert failure_to_write("/proc/self/fd", "json") == (
        "The reports cannot be written: /proc/self/fd/report.json: No such file or directory"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "There is no readable report of an audit in {}: No such file or directory"),
        ("", "{} is not a report of an audit: it has no valid JSON"),
        (b"\xff", "{} is not a report of an audit: it has no valid JSON"),
        ("[" * 100_000, "{} is not a report of an audit: it has no valid JSON"),
        ("[]", "{} is not a report of an audit: its generator is not originops.cloudflare.audit"),
        ("{}", "{} is not a report of an audit: its generator is not originops.cloudflare.audit"),
    ],
)
def test_a_file_without_a_report(text: str | bytes | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "report.json").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InvalidInput) as failed:
        read_report(str(tmp_path))
    assert str(failed.value) == message.format(tmp_path / "report.json")


# HTML


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: text[:10].encode("ascii", "ignore").hex())
def test_hostile_texts_are_only_text_in_a_page(hostile: str) -> None:
    page = Elements(render(hostile_reports([hostile]), "html"))
    harmless = Elements(render(hostile_reports(["harmless"]), "html"))
    assert sorted(set(page.tags) - {"wbr"}) == sorted(set(harmless.tags) - {"wbr"})
    assert page.tags.count("script") == page.tags.count("style") == 1
    assert page.attributes == harmless.attributes


def test_a_page_of_many_mappings_is_small() -> None:
    """Check the size of a page: 10 MB for 50 zones with 3,500 mappings each."""
    zone = full_zone(1750)
    zones = [{**zone, "zone": f"zone{number}.example.com", "zone_id": str(number)} for number in range(3)]
    size, *more = (len(render(zones[:number], "html").encode()) for number in (1, 2, 3))
    assert more[1] - size < 2 * 200_000
    page = Elements(render(zones, "html"))
    assert page.tags.count("tr") == MAX_DRAWN + 1 + len(zones) + 2 + 1


def test_a_page_of_much_traffic_is_small() -> None:
    """Check that the traffic of 50 zones adds less than 5 MB.

    The traffic is the most that queries return. Each zone adds one row only.
    """
    zones = [{**full_zone(1), "zone": f"zone{number}.example.com", "zone_id": str(number)} for number in range(3)]
    without = Elements(page := render(zones, "html"))
    size = len(page.encode())
    added = Elements(page := render([*map(full_traffic, zones)], "html"))
    assert len(page.encode()) - size < 3 * 100_000
    # The table of zones, and two templates.
    assert added.tags.count("tr") - without.tags.count("tr") == 1 + 3 + 2


@pytest.mark.parametrize(
    ("zone", "address"),
    [
        ({}, f"https://dash.cloudflare.com/{ACCOUNT}/example.com"),
        ({"zone": "../a?b#c <&"}, f"https://dash.cloudflare.com/{ACCOUNT}/..%2Fa%3Fb%23c%20%3C%26"),
        (
            {"account_id": "javascript:alert(1)//"},
            "https://dash.cloudflare.com/javascript%3Aalert%281%29%2F%2F/example.com",
        ),
        ({"zone": None}, None),
        ({"account_id": None}, None),
    ],
)
def test_the_link_to_the_dashboard(zone: Report, address: str | None) -> None:
    page = render({**zone_report("example.com"), **zone}, "html")
    links = re.findall(r'<a href="(https:[^"]*)" rel="noreferrer">', page)
    assert links == ([address] if address else [])
    assert page.count("href=") == len(re.findall(r'href="(?:#|https://dash\.cloudflare\.com/)', page))


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
        "actual_colos": st.lists(texts, max_size=2),
        "expected_colos": st.lists(texts, max_size=2),
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
        not_checked={} if known else WITHOUT_ORIGINS,
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
def test_every_address_of_a_finding_is_reported(reports: list[Report]) -> None:
    report = aggregate(reports)
    Draft202012Validator(SCHEMA).validate(report)
    expected = addresses_of(report["zones"])
    assert expected <= addresses_of(reports)
    root = junit(reports)
    lines = [
        line
        for tag in ("failure", "system-out")
        for element in root.iter(tag)
        for line in str(element.text).split("\n")
    ]
    assert len(lines) == sum(len(zone["findings"]) for zone in report["zones"])
    assert {address for address in expected if any(line.startswith(address) for line in lines)} == expected
    assert report["totals"]["zones"] == len({report["zone_id"] for report in reports}) == len(root)
    # Aggregating an aggregated report does not change it.
    for format in FORMATS:
        assert render(report, format) == render(reports, format)


@given(zones)
def test_no_text_breaks_a_format(report: Report) -> None:
    document = render(report, "markdown")
    overview, *tables = markdown_tables(document)
    assert [len(row) for row in overview] == [12, 12]
    assert {len(row) for table in tables for row in table} <= {5}
    assert sum(len(table) - 1 for table in tables) == len(report["findings"])
    constructs = "link_open image html_inline html_block code_inline em_open s_open fence blockquote_open hr"
    assert markdown_constructs(document.partition("\n")[2]).isdisjoint(constructs.split())
    page = Elements(render(report, "html"))
    assert page.tags.count("script") == page.tags.count("style") == page.tags.count("h1") == 1
    # The table of zones, that of findings, and the template of that of mappings.
    assert page.tags.count("tr") == 3 + (len(report["findings"]) + 1 if report["findings"] else 0) + 1
    assert not any(name.startswith("on") for name in page.attributes)


@formats
def test_invalid_characters_are_replaced(format: str) -> None:
    text = render(zone_report("a\x00b\x1bc\ud800d\ufffee", [], [finding("near_limit", None, "\x0b")]), format)
    assert "a\ufffdb\ufffdc\ufffdd\ufffde" in text
    text.encode("utf-8")


def test_types_of_ansible_become_plain_types() -> None:
    # Ansible parses text that is not JSON as YAML, into its own types.
    read = DataLoader().load("---\n" + json.dumps(small_fleet()))
    assert type(read) is not type(small_fleet())
    assert render(read) == render(small_fleet())
