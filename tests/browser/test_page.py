# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Page of an audit in a browser.

Screenshots are kept in .cache/browser.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from support.reports import (
    ACCOUNT,
    HOSTILE,
    Report,
    failed_report,
    finding,
    fleet_with_traffic,
    full_traffic,
    full_zone,
    hostile_reports,
    mapping,
    shown,
    small_fleet,
    zone_report,
)

from .conftest import Open

SCREENSHOTS = Path(__file__).parents[2] / ".cache" / "browser"

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

FLEETS: dict[str, Callable[[], list[Report]]] = {
    "small": small_fleet,
    "traffic": fleet_with_traffic,
    "full": lambda: [full_zone(), *small_fleet()],
    "hostile": hostile_reports,
    "clean": lambda: [zone_report("example.com"), zone_report("example.org")],
    "failed": lambda: [failed_report("example.com", "the token is refused")],
}

looks = pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["light-desktop", "dark-phone"]
)


def findings(page: Page) -> Locator:
    return page.get_by_role("table", name="Findings of all zones")


def zones(page: Page) -> Locator:
    return page.get_by_role("table", name="Zones and kinds of findings")


def mappings(page: Page, zone: str = "shop.example.com") -> Locator:
    """Open a zone, and return the table of its mappings."""
    details = page.locator(".zone", has_text=zone)
    if details.get_attribute("open") is None:
        details.locator("summary").first.click()
    details.locator(".all > summary").click()
    return page.get_by_role("table", name=f"Mappings of {zone}")


def tools(page: Page, table: str) -> Locator:
    return page.get_by_role("group", name=table)


def column(table: Locator, number: int) -> list[list[str]]:
    """Return the lines of the cells of a column."""
    cells = table.locator(f"tbody tr > :nth-child({number + 1})")
    return [list(filter(None, text.split("\n"))) for text in cells.all_inner_texts()]


def open_everything(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(details => { details.open = true })")
    for name in ("all", "mapped", "unmapped"):
        if page.locator(f"details.{name}").count():
            expect(page.locator(f"details.{name}").last.get_by_role("table")).to_be_visible()


# The page as a whole


@pytest.mark.parametrize("fleet", ["small", "traffic", "hostile", "clean", "failed"])
@looks
def test_the_page_is_accessible_and_loads_nothing(open_page: Open, fleet: str, scheme: str, viewport: Any) -> None:
    """Check all rules of axe, headings, landmarks, and that nothing fails.

    The rules include contrast and focus.
    """
    opened = open_page(FLEETS[fleet](), color_scheme=scheme, viewport=viewport)
    page = opened.page
    open_everything(page)
    page.mouse.wheel(0, 5000)
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()
    levels = [
        int(name[1]) for name in page.locator("h1, h2, h3, h4, h5, h6").evaluate_all("e => e.map(h => h.tagName)")
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for landmark in ("banner", "main", "navigation", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    assert opened.is_clean, (opened.requests, opened.problems)


def test_the_policy_blocks_injected_content(open_page: Open) -> None:
    opened = open_page(small_fleet())
    failures: list[str | None] = []
    opened.page.on("requestfailed", lambda request: failures.append(request.failure))
    opened.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'broken into'";
            const image = document.createElement("img");
            image.src = "http://192.0.2.1/x.png";
            document.body.append(script, image);
            document.body.setAttribute("style", "display: none");
        }
        """
    )
    opened.page.wait_for_timeout(100)
    assert failures == ["csp"]  # nothing was sent
    assert opened.page.title().startswith("Failed: 9 findings in 2 of 4 zones.")
    assert len(opened.problems) == 3
    assert all("Content Security Policy" in problem for problem in opened.problems)


CONTRASTS = """() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (colour) => {
        const [r, g, b] = rgba(colour).slice(0, 3).map((value) => value / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        const own = element && getComputedStyle(element).backgroundColor;
        return !element ? "white" : rgba(own)[3] === 255 ? own : ground(element.parentElement);
    };
    const contrasts = new Map();
    for (const element of document.querySelectorAll("body *:not(script, template, rect)")) {
        if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
        if (!element.checkVisibility()) continue;
        const pair = [getComputedStyle(element).color, ground(element)];
        const [dark, light] = pair.map(luminance).sort((a, b) => a - b);
        contrasts.set(pair.join(" on "), (light + 0.05) / (dark + 0.05));
    }
    return Object.fromEntries(contrasts);
}"""


@looks
def test_the_contrast_of_all_text(open_page: Open, scheme: str, viewport: Any) -> None:
    page = open_page(small_fleet(), color_scheme=scheme, viewport=viewport).page
    open_everything(page)
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 8
    assert {pair: contrast for pair, contrast in contrasts.items() if contrast < 4.5} == {}


def test_every_control_has_a_name(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    open_everything(page)
    for role in ("button", "searchbox", "combobox", "link", "region", "table"):
        controls = page.get_by_role(role).all()
        assert controls
        for control in controls:
            expect(control).to_have_accessible_name(re.compile(r"\S"))


@pytest.mark.parametrize(
    ("fleet", "script"),
    [*((fleet, True) for fleet in FLEETS), ("small", False), ("traffic", False), ("hostile", False)],
)
def test_the_page_never_scrolls_sideways(open_page: Open, fleet: str, script: bool) -> None:
    page = open_page(FLEETS[fleet](), java_script_enabled=script).page
    if script:
        open_everything(page)
    for width in (320, 390, 833, 1000, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        overflows = page.locator(".scroll").evaluate_all("all => all.map(e => e.scrollWidth - e.clientWidth)")
        assert max(overflows, default=0) <= 0, width


# The verdict


def test_the_verdict_comes_first(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    expect(page.locator(".verdict")).to_contain_text("Failed")
    expect(page.locator(".headline")).to_have_text("9 findings in 2 of 4 zones. 1 zone could not be audited.")
    assert page.locator(".reasons li").all_inner_texts() == [
        *["1 missing", "1 wrong", "1 stale", "1 contradicted", "1 unsupported", "1 no origins"],
        *["1 zone in which unsupported could not be checked", "1 zone that could not be audited"],
    ]
    assert page.locator("h2").all_inner_texts() == [
        *["Could not be audited", "Could not be checked", "Not checked"],
        *["Zones", "Findings", "Details of the zones", "Origins by vendor and region"],
    ]
    unknown = page.locator(".unknown section").all_inner_texts()
    assert [" ".join(text.split("\n")[1:]).strip() for text in unknown] == [
        "gone.example.com: there is no zone gone.example.com that the token can see",
        "Unsupported, in static.example.net: the supported regions could not be read",
        "Missing, Wrong, Stale, Unresolved, No origins, in static.example.net: there are no origins to compare with "
        "Contradicted, in static.example.net: there are no published ranges to compare with",
    ]
    expect(page.locator("header .facts")).to_contain_text("2026-11-24 07:00 UTC (5 hours ago)")
    expect(page.locator("header .facts")).to_contain_text(
        "aws 2026-11-23 22:15 UTC (14 hours ago), gcp 2026-11-20 04:00 UTC (4 days ago)"
    )


def test_a_passed_audit(open_page: Open) -> None:
    page = open_page(FLEETS["clean"]()).page
    expect(page.locator(".outcome")).to_have_text("Passed")
    expect(page.locator(".headline")).to_have_text("No findings in 2 zones.")
    expect(page.locator(".unknown")).to_have_count(0)
    assert page.title().startswith("Passed: ")


# Zones


def test_the_table_of_zones(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    table = zones(page)
    # Zones that failed come first.
    assert [lines[0] for lines in column(table, 0)] == [
        "gone.example.com",
        "blog.example.org",
        "shop.example.com",
        "static.example.net",
        "docs.example.org",
    ]
    rows = [" ".join(text.split()) for text in table.locator("tbody tr").all_text_contents()]
    assert rows[0] == "gone.example.comcould not be audited"
    assert table.get_by_role("row", name="shop.example.com").get_by_role("cell").all_text_contents() == [
        "3,400",
        *["1"] * 8,
        "0",
    ]
    static = table.get_by_role("row", name="static.example.net").get_by_role("cell")
    unknown, unreadable = "—not checked", "?could not be checked"
    assert static.all_text_contents() == ["6", *[unknown] * 4, unreadable, unknown, "0", "0", unknown]
    assert static.nth(5).get_attribute("title") == "the supported regions could not be read"
    assert table.locator("tfoot td").all_text_contents() == ["3,421", *["1"] * 9]
    badges = page.locator(".zone", has_text="static.example.net").locator(".kind").all_inner_texts()
    assert badges == ["No findings in what was checked", "Could not be checked for all kinds"]


def test_numbers_link_to_findings_and_findings_to_zones(open_page: Open) -> None:
    opened = open_page([full_zone(2), *small_fleet()])
    page = opened.page
    tools(page, "Findings of all zones").get_by_role("searchbox").fill("blog")
    zones(page).get_by_role("link", name="1 wrong in shop.example.com").click()
    expect(tools(page, "Findings of all zones").get_by_role("status")).to_have_text("1 of 11 findings")
    assert column(findings(page), 2) == [["192.0.2.10", "web2.shop.example.com"]]
    findings(page).get_by_role("link", name="shop.example.com").click()
    expect(page.locator(":target h3")).to_have_text("shop.example.com")
    expect(page.locator(":target .facts")).to_be_visible()
    assert opened.is_clean


@pytest.mark.parametrize("fleet", ["small", "traffic"])
def test_the_numbers_of_a_zone_have_their_titles_in_a_narrow_window(open_page: Open, fleet: str) -> None:
    """Check that the titles before the numbers are those of the columns.

    With and without misrouted origins.
    """
    page = open_page(FLEETS[fleet](), viewport=PHONE).page
    columns = [text.strip() for text in zones(page).locator("thead th").all_text_contents()]
    for row in ("shop.example.com", "All 5 zones"):
        cells = zones(page).get_by_role("row", name=row).locator("td")
        assert cells.evaluate_all("all => all.map(e => e.dataset.title)") == columns[1:]
    drawn = "e => getComputedStyle(e, '::before').content"
    contents = zones(page).get_by_role("row", name="shop.example.com").locator("td").first.evaluate(drawn)
    assert contents.startswith(("attr(data-title)", '"Mappings"'))


# Traffic


def traffic_of(page: Page, name: str, zone: str = "shop.example.com") -> Locator:
    """Open a zone, and return a table of its traffic."""
    details = page.locator(".zone", has_text=zone)
    if details.get_attribute("open") is None:
        details.locator("summary").first.click()
    details.locator(f".{name} > summary").click()
    return details.locator(f"table.{name}-traffic")


def test_the_traffic_of_zones(open_page: Open) -> None:
    page = open_page(fleet_with_traffic()).page
    section = page.locator("#traffic")
    expect(section.locator(".summary")).to_have_text(
        "96 % of about 18,106 requests came through data centres near the regions of the mappings."
    )
    expect(section).to_contain_text("never tried on a real account")
    rows = [" ".join(text.split()) for text in section.locator("tbody tr").all_inner_texts()]
    # Unknown traffic comes first, then the lowest share.
    assert rows == [
        "static.example.net Not known: the analytics of the zone's plan lack the field originIP",
        "shop.example.com Known in part: data centres could not be compared, for their spelling is unknown: "
        "Frankfurt am Main 2026-11-23 07:00 UTC (1 day ago) 93.6 % 11,340 4 of 5 reached 5,071 requests to 3 origins",
        "docs.example.org 2026-11-23 07:00 UTC (1 day ago) 100 % 6,906 12 of 12 reached none",
        "blog.example.org Known in part: no request reached an origin in this time, so nothing is proven "
        "2026-11-23 07:00 UTC (1 day ago) not known 0 0 of 3 reached none",
    ]
    section.get_by_role("link", name="shop.example.com").click()
    facts = page.locator(":target .facts")
    expect(facts).to_contain_text(
        "93.6 % through expected data centres; 1 mapped origin without requests; data centres"
    )
    expect(page.get_by_role("navigation").get_by_role("link", name="Traffic")).to_be_visible()
    without = open_page(small_fleet()).page
    expect(without.locator("#traffic, .mapped, .unmapped")).to_have_count(0)
    expect(without.get_by_role("link", name="Traffic")).to_have_count(0)


def test_the_traffic_of_mapped_origins(open_page: Open) -> None:
    opened = open_page(fleet_with_traffic())
    page = opened.page
    table = traffic_of(page, "mapped")
    # Misrouted ones come first, then those with most requests.
    assert column(table, 0) == [
        ["192.0.2.10", "web2.shop.example.com"],
        ["192.0.2.9", "web1.shop.example.com"],
        ["192.0.2.100", "web3.shop.example.com"],
        ["203.0.113.7", "batch.shop.example.com"],
    ]
    assert column(table, 1)[0] == ["aws/us-east-1", "EWR, IAD"]
    assert [" ".join(lines) for lines in column(table, 2)] == ["10 % Misrouted", "100 %", "100 %", "not known"]
    assert column(table, 3) == [["800"], ["10,000"], ["500"], ["40"]]
    assert [
        [" ".join(text.split()) for text in cell.locator("li").all_text_contents()]
        for cell in table.locator("td:last-child").all()
    ] == [
        ["SEA 700, 87.5 % other", "IAD 80, 10 % \u2713 expected", "PDX 20, 2.5 % other"],
        ["IAD 9,000, 90 % \u2713 expected", "EWR 1,000, 10 % \u2713 expected"],
        ["FRA 400, 80 % \u2713 expected", "Frankfurt am Main 100, 20 % ? not known"],
        ["SEA 40, 100 % ? not known"],
    ]
    expect(table.locator("tr", has_text="web1").locator("td").last).to_contain_text("250 without an upper tier")
    widths = (
        table.locator("tbody tr")
        .first.locator("rect")
        .evaluate_all("all => all.map(e => e.getBoundingClientRect().width)")
    )
    assert widths[0] / widths[1] == pytest.approx(8.75, rel=0.01)
    controls = tools(page, "Traffic of mapped origins of shop.example.com")
    table.get_by_role("button", name="Through expected").click()
    assert column(table, 0)[0] == ["192.0.2.10", "web2.shop.example.com"]
    assert column(table, 0)[-1] == ["203.0.113.7", "batch.shop.example.com"]
    controls.get_by_role("searchbox").fill("frankfurt")
    expect(table.locator("tbody tr")).to_have_count(1)
    controls.get_by_role("searchbox").fill("")
    controls.get_by_role("combobox").select_option("Misrouted (1)")
    expect(table.locator("tbody tr")).to_have_count(1)
    assert opened.is_clean


def test_the_traffic_of_origins_without_a_mapping(open_page: Open) -> None:
    page = open_page(fleet_with_traffic()).page
    table = traffic_of(page, "unmapped")
    assert [
        [lines[0] for lines in row] for row in zip(column(table, 0), column(table, 1), column(table, 2), strict=True)
    ] == [
        ["192.0.2.44", "aws/us-west-2", "5,000"],
        ["203.0.113.200", "not in the published ranges", "71"],
        ["198.51.100.200", "aws", "0"],
    ]
    expect(table.locator("tbody tr").nth(1)).to_contain_text("2 through 1 other")
    # Nothing is expected without a mapping.
    expect(table.locator(".mark")).to_have_count(0)


def test_much_traffic_is_drawn_in_parts(open_page: Open) -> None:
    page = open_page([full_traffic(full_zone())]).page
    assert page.locator("tr").count() < 300
    table = traffic_of(page, "mapped", "fleet.example.com")
    expect(table.locator("tbody tr")).to_have_count(100)
    expect(page.locator(".mapped").get_by_role("status")).to_have_text("1,000 mapped origins, first 100 shown")


def test_zones_of_one_name(open_page: Open) -> None:
    reports = [zone_report("example.com", zone_id=text, account_id=f"account-{text}") for text in "ab"]
    page = open_page([{**report, "findings": [finding("near_limit")]} for report in reports]).page
    names = ["example.com (account account-a)", "example.com (account account-b)"]
    assert [lines[0] for lines in column(zones(page), 0)] == names
    assert [lines[0] for lines in column(findings(page), 1)] == names
    links = page.get_by_text("Open in Cloudflare").evaluate_all("all => all.map(e => e.href)")
    assert links == [f"https://dash.cloudflare.com/account-{text}/example.com" for text in "ab"]


def test_the_facts_of_a_zone(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    shop = page.locator(".zone", has_text="shop.example.com")
    shop.locator("summary").first.click()
    facts = dict(line.split("\n") for line in shop.locator(".facts > div").all_inner_texts())
    assert facts == {
        "Mappings": "3,400 of 3,500",
        "Tiered Cache": "on",
        "Smart Tiered Cache": "off",
        "Data centres": "known",
        "Origins from": "inventory",
        "Published ranges": "aws 2026-11-23 22:15 UTC (14 hours ago), gcp 2026-11-20 04:00 UTC (4 days ago)",
        "Audited": "2026-11-24 07:00 UTC (5 hours ago) by API v2",
        "Zone": f"{sum(map(ord, 'shop.example.com')):032x}",
        "Account": ACCOUNT,
        "Dashboard": "Open in Cloudflare",
    }
    assert shop.get_by_role("link", name="Open in Cloudflare").get_attribute("rel") == "noreferrer"
    alone = page.locator(".zone", has_text="static.example.net")
    expect(alone).to_contain_text(
        "Missing, Wrong, Stale, Unresolved, No origins (there are no origins to compare with)"
    )


def task(name: str, zone_id: str, state: str, mappings: list[Any]) -> dict[str, Any]:
    options = {"zone_id": zone_id, "state": state, "mappings": mappings}
    return {"name": name, "originops.cloudflare.origin_cloud_region_batch": options}


class Loader(yaml.SafeLoader):
    """YAML loader that accepts Ansible's tag !unsafe."""


Loader.add_constructor("!unsafe", lambda loader, node: ("unsafe", loader.construct_scalar(node)))


def test_the_repair_is_copied(open_page: Open) -> None:
    opened = open_page(small_fleet())
    page = opened.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shop = page.locator(".zone", has_text="shop.example.com")
    shop.locator("summary").first.click()
    shop.get_by_text("Repair: 2 to write, 1 to delete").click()
    shop.get_by_role("button", name="Copy the tasks").click()
    expect(shop.locator(".repair").get_by_role("status")).to_have_text("Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert text == shop.locator("pre").text_content()
    expected = {"vendor": "aws", "region": "us-west-2"}
    zone_id = f"{sum(map(ord, 'shop.example.com')):032x}"
    assert yaml.load(text, Loader) == [
        task(
            "Correct mappings of shop.example.com",
            zone_id,
            "present",
            [{"origin_ip": ip, **expected} for ip in ("192.0.2.44", "192.0.2.10")],
        ),
        task("Delete stale mappings of shop.example.com", zone_id, "absent", ["198.51.100.20"]),
    ]
    expect(page.locator(".zone", has_text="docs.example.org").locator(".repair")).to_have_count(0)
    assert opened.is_clean


def test_hostile_texts_are_only_text_in_a_repair(open_page: Open) -> None:
    page = open_page(hostile_reports()).page
    open_everything(page)
    texts = page.locator("pre").all_text_contents()
    read = [yaml.load(text, Loader)[0] for text in texts]
    regions = [item["originops.cloudflare.origin_cloud_region_batch"]["mappings"][0]["region"] for item in read]
    harmful = [text for text in HOSTILE if "{{" in text]
    assert harmful
    assert {" ".join(text.split()) for text in regions if isinstance(text, str)} == {
        shown(text) for text in HOSTILE if text not in harmful
    }
    assert {text[1] for text in regions if isinstance(text, tuple)} == set(harmful)


def test_the_chart_counts_all_mappings(open_page: Open) -> None:
    report = full_zone()
    page = open_page(report).page
    vendors = {mapping["vendor"] for mapping in report["mappings"]}
    assert [text.split()[0] for text in page.locator("#origins h3").all_inner_texts()] == sorted(vendors)
    widths = page.locator("#origins rect").evaluate_all("all => all.map(e => e.width.baseVal.value)")
    counts = [int(text) for text in page.locator("#origins .count").all_inner_texts()]
    assert sum(counts) == 3500
    assert widths == [pytest.approx(100 * count / max(counts), abs=0.01) for count in counts]
    assert page.get_by_text(re.compile(r"^\d+ other regions$")).count() == len(vendors)


# Tables


def test_a_wrong_mapping_shows_current_and_expected_data_centres(open_page: Open) -> None:
    table = findings(open_page(small_fleet()).page)
    wrong = table.get_by_role("row").nth(2).get_by_role("cell")
    assert [text.split("\n") for text in wrong.all_inner_texts()][2:5] == [
        ["192.0.2.10", "web2.shop.example.com"],
        ["aws/us-east-1", "EWR, IAD"],
        ["aws/us-west-2", "PDX, SEA"],
    ]


@pytest.mark.parametrize("fleet", ["small", "hostile"])
def test_the_script_renders_the_same_rows(open_page: Open, fleet: str) -> None:
    opened = open_page([full_zone(250), *FLEETS[fleet]()])
    page = opened.page
    rows = findings(page).locator("tbody tr")
    before = rows.evaluate_all("all => all.map(row => row.outerHTML)")
    field = tools(page, "Findings of all zones").get_by_role("searchbox")
    field.fill("no such thing")
    expect(rows).to_have_count(0)
    field.fill("")
    more = page.locator("#findings .more")
    while more.is_visible():
        more.click()
    # An HTML parser normalizes line ends.
    drawn = rows.evaluate_all("all => all.map(row => row.outerHTML)")
    assert [text.replace("\r\n", "\n") for text in drawn] == before
    assert opened.is_clean


def test_names_of_any_characters_are_shown_in_mappings(open_page: Open) -> None:
    """Check the data of mappings, in which texts are stored as differences.

    A text has only the difference from the text before.
    """
    hosts = ["web1.example.com", "web1.example.com", "wéb1.example.com", "wéb2.example.com", "💡1.example.com"]
    hosts += ["💡2.example.com", "", "w", "a" * 200 + "1" + "b" * 200, "a" * 200 + "2" + "b" * 200, "a" * 201, "w\\b"]
    listed = [
        mapping(f"192.0.2.{number}", "aws/us-east-1", hosts=filter(None, [host])) for number, host in enumerate(hosts)
    ]
    page = open_page([zone_report("example.com", listed)]).page
    cells = column(mappings(page, "example.com"), 0)
    assert cells == [[f"192.0.2.{number}", *filter(None, [host])] for number, host in enumerate(hosts)]


def by_mouse(button: Locator) -> None:
    button.click()


def by_keyboard(button: Locator) -> None:
    button.focus()
    button.page.keyboard.press("Enter")


@pytest.mark.parametrize(("press", "viewport"), [(by_mouse, PHONE), (by_keyboard, DESKTOP)], ids=["phone", "keyboard"])
def test_sorting(open_page: Open, press: Callable[[Locator], None], viewport: Any) -> None:
    opened = open_page(small_fleet(), viewport=viewport)
    table = mappings(opened.page)
    # Mappings with findings come first.
    assert [bool(lines) for lines in column(table, 2)] == [True] * 4 + [False] * 3
    header = table.get_by_role("columnheader", name="Origin")
    assert header.get_attribute("aria-sort") is None
    press(header.get_by_role("button"))
    assert header.get_attribute("aria-sort") == "ascending"
    addresses = [lines[0] for lines in column(table, 0)]
    numerically = sorted(addresses, key=lambda text: (ip_address(text).version, int(ip_address(text))))
    assert addresses == numerically
    assert addresses != sorted(addresses)
    press(header.get_by_role("button"))
    assert header.get_attribute("aria-sort") == "descending"
    assert [lines[0] for lines in column(table, 0)] == numerically[::-1]
    press(table.get_by_role("button", name="Mapped to"))
    assert header.get_attribute("aria-sort") is None
    locations = [lines[0] for lines in column(table, 1)]
    assert locations == sorted(locations)
    # Cells without a location are last in both orders.
    table = findings(opened.page)
    press(table.get_by_role("button", name="Expected"))
    press(table.get_by_role("button", name="Expected"))
    locations = ["".join(lines[:1]) for lines in column(table, 4)]
    assert locations == ["aws/us-west-2", "aws/us-west-2", "aws/eu-west-1", *[""] * 6]
    press(table.get_by_role("button", name="Origin"))
    addresses = ["".join(lines[:1]) for lines in column(table, 2)]
    assert addresses[:5] == ["192.0.2.10", "192.0.2.44", "198.51.100.20", "203.0.113.7", "2001:db8::30"]
    assert opened.is_clean


def test_sorting_zones_by_numbers(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    table = zones(page)
    table.get_by_role("button", name="Mappings").click()
    assert column(table, 1) == [["3"], ["6"], ["12"], ["3,400"], ["could not be audited"]]
    table.get_by_role("button", name="Wrong").click()
    table.get_by_role("button", name="Wrong").click()
    assert table.locator("tbody th").all_inner_texts()[0] == "shop.example.com"


def test_filtering_by_text(open_page: Open) -> None:
    opened = open_page(small_fleet())
    page, table = opened.page, findings(opened.page)
    toolbar = tools(page, "Findings of all zones")
    expect(toolbar.get_by_role("status")).to_have_text("9 findings")
    field = toolbar.get_by_role("searchbox", name="Filter")
    field.focus()
    page.keyboard.type("US-WEST-2  web")
    expect(toolbar.get_by_role("status")).to_have_text("2 of 9 findings")
    assert [lines[0] for lines in column(table, 2)] == ["192.0.2.44", "192.0.2.10"]
    for text, count in {"no such thing": "0 of 9 findings", "dub, lhr": "1 of 9 findings", "": "9 findings"}.items():
        field.fill(text)
        expect(toolbar.get_by_role("status")).to_have_text(count)
    tools(page, "Zones and kinds of findings").get_by_role("searchbox").fill("EXAMPLE.org")
    expect(tools(page, "Zones and kinds of findings").get_by_role("status")).to_have_text("2 of 5 zones")
    assert zones(page).locator("tbody th").all_inner_texts() == ["blog.example.org", "docs.example.org"]
    assert opened.is_clean


def test_filtering_by_kind(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    table = mappings(page)
    toolbar = tools(page, "Mappings of shop.example.com")
    choice = toolbar.get_by_role("combobox", name="Show")
    assert choice.locator("option").all_inner_texts() == [
        "All mappings",
        "With findings (4)",
        "Wrong (1)",
        "Stale (1)",
        "Contradicted (1)",
        "Unsupported (1)",
    ]
    choice.focus()
    page.keyboard.press("ArrowDown")
    expect(toolbar.get_by_role("status")).to_have_text("4 of 7 mappings")
    choice.select_option("Stale (1)")
    assert column(table, 0) == [["198.51.100.20"]]
    toolbar.get_by_role("searchbox").fill("aws")
    expect(toolbar.get_by_role("status")).to_have_text("0 of 7 mappings")
    toolbar = tools(page, "Findings of all zones")
    toolbar.get_by_role("combobox", name="Zone").select_option("blog.example.org (1)")
    assert column(findings(page), 0) == [["No origins"]]
    toolbar = tools(page, "Zones and kinds of findings")
    toolbar.get_by_role("combobox", name="Show").select_option("With findings (2)")
    assert zones(page).locator("tbody th").all_inner_texts() == ["blog.example.org", "shop.example.com"]


def test_a_full_zone_is_usable(open_page: Open) -> None:
    opened = open_page(full_zone(3500), viewport=PHONE)
    page = opened.page
    toolbar = tools(page, "Findings of all zones")
    rows = findings(page).locator("tbody tr")
    expect(rows).to_have_count(300)
    expect(toolbar.get_by_role("status")).to_have_text("3,500 findings, first 300 shown")
    page.get_by_role("button", name="Show 100 more").click()
    expect(rows).to_have_count(400)
    toolbar.get_by_role("searchbox").fill("origin-33")
    expect(toolbar.get_by_role("status")).to_have_text("100 of 3,500 findings")
    expect(page.locator("#findings .more")).to_be_hidden()
    table = mappings(page, "fleet.example.com")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(100)
    table.get_by_role("button", name="Origin").click()
    table.get_by_role("button", name="Origin").click()
    expect(rows.first.locator(".address")).to_have_text(str(ip_address("2001:db8::") + 3499))
    toolbar = tools(page, "Mappings of fleet.example.com")
    toolbar.get_by_role("searchbox").fill("origin-0042")
    expect(toolbar.get_by_role("status")).to_have_text("1 of 3,500 mappings")
    expect(rows.locator(".address")).to_have_text("198.18.0.42")
    # A table scrolls within its own region, so the page stays short.
    assert page.evaluate("document.documentElement.scrollHeight") < 10 * PHONE["height"]
    assert opened.is_clean


def test_cards_on_a_phone_are_labelled_like_the_columns(open_page: Open) -> None:
    page = open_page(small_fleet(), viewport=PHONE).page
    content = 'all => all.map(e => getComputedStyle(e, "::before").content.match(/^"([^"]*)"/)[1])'
    for table in (findings(page), mappings(page)):
        headers = [text.strip() for text in table.locator("thead th").all_inner_texts()]
        assert table.locator("tbody tr").first.locator("td").evaluate_all(content) == headers
    headers = [text.strip() for text in zones(page).locator("thead th").all_text_contents()]
    assert zones(page).locator("tfoot td").evaluate_all(content) == headers[1:]


# The keyboard


def test_the_keyboard_reaches_everything_in_order(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    reached = []
    for _step in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => {
                const element = document.activeElement;
                const ring = getComputedStyle(element);
                return [element.tagName, element.ariaLabel ?? element.innerText, ring.outlineStyle !== "none"];
            }
            """
        )
        reached.append(focus)
    assert all(visible for tag, _text, visible in reached if tag != "BODY")
    names = [(tag, text.strip()) for tag, text, _visible in reached]
    assert names[0] == ("A", "Skip to the findings")
    locations = [
        ("A", "Zones"),
        ("DIV", "Zones and kinds of findings"),
        ("BUTTON", "Wrong"),
        ("A", "1 wrong in shop.example.com"),
        ("DIV", "Findings of all zones"),
        ("BUTTON", "Kind"),
        ("A", "shop.example.com"),
    ]
    found = [names.index(location) for location in locations[:-1]]
    assert found == sorted(found)
    assert locations[-1] in names


def test_the_skip_link(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    skip = page.get_by_role("link", name="Skip to the findings")
    expect(skip).not_to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#findings")).to_be_focused()


# Without a script, on paper, and under attack


@pytest.mark.parametrize("fleet", ["small", "traffic", "hostile"])
def test_without_javascript(open_page: Open, fleet: str) -> None:
    reports = FLEETS[fleet]()
    opened = open_page(reports, java_script_enabled=False)
    page = opened.page
    expect(page.locator(".outcome")).to_have_text("Failed")
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_count(0)
    expect(zones(page).locator("tbody tr")).to_have_count(len(reports))
    total = sum(len(report["findings"]) for report in reports)
    expect(findings(page).locator("tbody tr").filter(visible=True)).to_have_count(total)
    zone = page.locator(".zone").last
    zone.locator("summary").first.click()
    zone.locator(".all > summary").click()
    expect(zone.locator(".all").get_by_text("This needs JavaScript. It is in report.json too.")).to_be_visible()
    assert opened.is_clean


def test_many_findings_without_javascript(open_page: Open) -> None:
    page = open_page(full_zone(3500), java_script_enabled=False).page
    expect(findings(page).locator("tbody tr")).to_have_count(300)
    expect(page.get_by_text("3,200 more findings need JavaScript. They are in report.json too.")).to_be_visible()


def test_on_paper(open_page: Open) -> None:
    page = open_page([full_zone(), *fleet_with_traffic()], color_scheme="dark").page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 720, "height": 1000})  # A4
    for hidden in (".tools", "nav", ".skip", ".more"):
        expect(page.locator(hidden).filter(visible=True)).to_have_count(0)
    heights = page.locator(".scroll").evaluate_all("all => all.map(e => e.scrollHeight - e.clientHeight)")
    assert max(heights) <= 0
    assert page.evaluate("document.documentElement.scrollWidth") == 720
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert max(int(part) for part in re.findall(r"\d+", ink)) < 60
    assert findings(page).locator("tr").first.evaluate("row => getComputedStyle(row).display") == "table-row"


def test_hostile_texts_are_displayed_and_not_executed(open_page: Open) -> None:
    opened = open_page(hostile_reports())
    page = opened.page
    open_everything(page)
    assert "broken into" not in page.title()
    scripts = "script:not([type='application/json']):not(body > script:last-of-type)"
    assert page.locator(f"img, {scripts}, main style, main h1, iframe").count() == 0
    table = findings(page)
    texts = {shown(text) for text in HOSTILE}
    assert {shown(text) for text in table.locator("td:nth-child(6)").all_text_contents()} == texts
    assert {shown(text) for text in table.locator("td:nth-child(2)").all_text_contents()} == texts
    hosts = {shown(text) for text in table.locator("td:nth-child(3) .soft").all_text_contents()}
    assert hosts == {shown(f"{text}, {text}") for text in HOSTILE}
    locations = {shown(text) for text in page.locator(".mappings .location").all_text_contents()}
    assert locations == {shown(f"{text}/{text}") for text in HOSTILE}
    starts = ("#", "https://dash.cloudflare.com/")
    assert all(
        link.startswith(starts) for link in page.locator("a").evaluate_all("e => e.map(a => a.getAttribute('href'))")
    )
    for button in table.get_by_role("button").all():
        button.click()
    tools(page, "Findings of all zones").get_by_role("searchbox").fill("<script>")
    expect(table.locator("tbody tr")).to_have_count(1)
    page.wait_for_timeout(100)
    assert opened.is_clean


@pytest.mark.parametrize("fleet", ["small", "traffic", "full", "hostile"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_light_and_dark(open_page: Open, fleet: str, viewport: dict[str, int]) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    grounds = {}
    pictures = set()
    page = open_page(FLEETS[fleet](), viewport=viewport).page
    page.locator(".zone > summary").first.click()
    page.locator(".zone:has(.unmapped), .mapped, .unmapped").evaluate_all("all => all.forEach(e => { e.open = true })")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        name = f"{fleet}-{viewport['width']}-{scheme}.png"
        pictures.add(hashlib.sha256(page.screenshot(path=SCREENSHOTS / name, full_page=True)).digest())
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds[scheme] = [int(part) for part in re.findall(r"\d+", colour)]
    assert min(grounds["light"]) > 220
    assert max(grounds["dark"]) < 40
    assert len(pictures) == 2
