# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of an audit in a browser, as a person uses it.

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
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from support.reports import (
    HOSTILE,
    Report,
    failed_report,
    finding,
    full_zone,
    hostile_reports,
    shown,
    small_fleet,
    zone_report,
)

from .conftest import Open

SCREENSHOTS = Path(__file__).parents[2] / ".cache" / "browser"

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 812}

FLEETS: dict[str, Callable[[], list[Report]]] = {
    "small": small_fleet,
    "full": lambda: [full_zone(), *small_fleet()],
    "hostile": hostile_reports,
    "clean": lambda: [zone_report("example.com"), zone_report("example.org")],
    "failed": lambda: [failed_report("example.com", "the token is refused")],
}

fleets = pytest.mark.parametrize("fleet", FLEETS)
schemes = pytest.mark.parametrize("scheme", ["light", "dark"])
viewports = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])


def findings(page: Page) -> Locator:
    return page.get_by_role("table", name="Findings of all zones")


def mappings(page: Page, zone: str = "shop.example.com") -> Locator:
    return page.get_by_role("table", name=f"Mappings of {zone}")


def tools(page: Page, table: str) -> Locator:
    return page.get_by_role("group", name=table)


def column(table: Locator, number: int) -> list[str]:
    """Return the texts of a column in the visible rows."""
    return [
        row.locator("th, td").nth(number).inner_text().strip()
        for row in table.locator("tbody tr").filter(visible=True).all()
    ]


@fleets
@viewports
def test_nothing_is_loaded_and_nothing_fails(open_page: Open, fleet: str, viewport: Any) -> None:
    opened = open_page(FLEETS[fleet](), viewport=viewport)
    opened.page.mouse.wheel(0, 5000)
    opened.page.reload()
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
    assert opened.page.title().startswith("Audit of origin cloud regions: 8 findings")
    assert len(opened.problems) == 3
    assert all("Content Security Policy" in problem for problem in opened.problems)


@pytest.mark.parametrize("fleet", ["small", "hostile", "clean", "failed"])
@schemes
@viewports
def test_accessibility(open_page: Open, fleet: str, scheme: str, viewport: Any) -> None:
    """Check all rules of axe, such as names, contrast, headings and focus."""
    opened = open_page(FLEETS[fleet](), color_scheme=scheme, viewport=viewport)
    found = Axe().run(opened.page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()


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


@schemes
def test_the_contrast_of_all_text(open_page: Open, scheme: str) -> None:
    contrasts = open_page(small_fleet(), color_scheme=scheme).page.evaluate(CONTRASTS)
    assert len(contrasts) > 8
    assert {pair: contrast for pair, contrast in contrasts.items() if contrast < 4.5} == {}


@fleets
def test_headings_and_landmarks(open_page: Open, fleet: str) -> None:
    page = open_page(FLEETS[fleet]()).page
    levels = [
        int(name[1]) for name in page.locator("h1, h2, h3, h4, h5, h6").evaluate_all("e => e.map(h => h.tagName)")
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for landmark in ("banner", "main", "navigation", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)


@pytest.mark.parametrize("fleet", ["small", "hostile", "clean"])
def test_every_control_has_a_name(open_page: Open, fleet: str) -> None:
    page = open_page(FLEETS[fleet]()).page
    for role in ("button", "searchbox", "combobox", "link", "region", "table"):
        for control in page.get_by_role(role).all():
            expect(control).to_have_accessible_name(re.compile(r"\S"))


@fleets
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_page_never_scrolls_sideways(open_page: Open, fleet: str, script: bool) -> None:
    page = open_page(FLEETS[fleet](), java_script_enabled=script).page
    for width in (320, 375, 833, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator(".scroll").evaluate_all("all => all.every(e => e.scrollWidth <= e.clientWidth)")


def test_the_order_of_the_page(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    expect(page.locator(".headline")).to_have_text("8 findings in 1 of 3 zones. 1 zone could not be audited.")
    headings = page.locator("h2").all_inner_texts()
    assert headings == ["Could not be audited: 1 zone", "Totals", "Findings", "Origins by vendor and region", "Zones"]
    expect(page.locator("#not-audited")).to_contain_text("there is no zone gone.example.com that the token can see")
    totals = page.locator("#totals dl > div").evaluate_all("all => all.map(e => e.innerText.split('\\n'))")
    assert dict(totals) == {
        "Zones": "4",
        "Clean zones": "2",
        "Mappings": "3,418",
        "Missing": "1",
        "Wrong": "1",
        "Stale": "1",
        "Contradicted": "1",
        "Unsupported": "1",
        "Unresolved": "1",
        "Near limit": "1",
        "Without effect": "1",
    }


def test_findings_come_first(open_page: Open) -> None:
    page = open_page([*small_fleet(), zone_report("a.example.com", [])]).page
    assert page.locator("#zones h3").all_inner_texts() == [
        "shop.example.com",
        "a.example.com",
        "docs.example.org",
        "static.example.net",
    ]
    assert page.locator("details").evaluate_all("all => all.map(e => e.open)") == [True, False, False, False]
    with_findings = [bool(text) for text in column(mappings(page), 5)]
    assert with_findings == sorted(with_findings, reverse=True)
    assert any(with_findings)


def test_a_finding_leads_to_its_zone(open_page: Open) -> None:
    opened = open_page(small_fleet())
    opened.page.locator("#zone-3 summary").click()
    findings(opened.page).get_by_role("link").first.click()
    expect(opened.page.locator(":target h3")).to_have_text("shop.example.com")
    assert opened.is_clean


def test_the_facts_of_a_zone(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    lines = page.locator(".zone", has_text="shop.example.com").locator(".facts > div").all_inner_texts()
    facts = dict(line.split("\n") for line in lines)
    assert facts == {
        "Zone identifier": facts["Zone identifier"],
        "Tiered Cache": "on",
        "Smart Tiered Cache": "off",
        "Mappings": "3,400 of 3,500",
        "Data centres": "known",
        "API generation": "v2",
        "Audited": "2026-11-24 07:00 UTC",
    }
    alone = page.locator(".zone", has_text="static.example.net")
    alone.locator("summary").click()
    expect(alone).to_contain_text("Missing, Wrong, Stale (no inventory was given)")
    expect(alone).to_contain_text("Unsupported (the supported regions could not be read)")


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


def by_mouse(button: Locator) -> None:
    button.click()


def by_keyboard(button: Locator) -> None:
    button.focus()
    button.page.keyboard.press("Enter")


@pytest.mark.parametrize("press", [by_mouse, by_keyboard])
@viewports
def test_sorting(open_page: Open, press: Callable[[Locator], None], viewport: Any) -> None:
    opened = open_page(small_fleet(), viewport=viewport)
    table = mappings(opened.page)
    header = table.get_by_role("columnheader", name="Address")
    assert header.get_attribute("aria-sort") is None
    press(header.get_by_role("button"))
    assert header.get_attribute("aria-sort") == "ascending"
    addresses = column(table, 0)
    numerically = sorted(addresses, key=lambda text: (ip_address(text).version, int(ip_address(text))))
    assert addresses == numerically
    assert addresses != sorted(addresses)
    press(header.get_by_role("button"))
    assert header.get_attribute("aria-sort") == "descending"
    assert column(table, 0) == numerically[::-1]
    press(table.get_by_role("button", name="Region"))
    assert header.get_attribute("aria-sort") is None
    assert column(table, 2) == sorted(column(table, 2))
    press(table.get_by_role("button", name="Hosts"))
    press(table.get_by_role("button", name="Hosts"))
    hosts = [text for text in column(table, 4) if text]
    # Rows without hosts are last in both orders.
    assert column(table, 4) == [*sorted(hosts, reverse=True), ""]
    assert opened.is_clean


def test_filtering_by_text(open_page: Open) -> None:
    opened = open_page(small_fleet())
    page, table = opened.page, findings(opened.page)
    toolbar = tools(page, "Findings of all zones")
    expect(toolbar.get_by_role("status")).to_have_text("8 of 8 rows shown")
    field = toolbar.get_by_role("searchbox", name="Filter")
    field.focus()
    page.keyboard.type("US-WEST-2  web")
    expect(toolbar.get_by_role("status")).to_have_text("2 of 8 rows shown")
    assert column(table, 2) == ["192.0.2.44", "192.0.2.10"]
    field.fill("no such thing")
    expect(toolbar.get_by_role("status")).to_have_text("0 of 8 rows shown")
    field.fill("")
    expect(toolbar.get_by_role("status")).to_have_text("8 of 8 rows shown")
    expect(tools(page, "Mappings of shop.example.com").get_by_role("status")).to_have_text("7 of 7 rows shown")
    assert opened.is_clean


def test_filtering_by_kind(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    toolbar = tools(page, "Mappings of shop.example.com")
    choice = toolbar.get_by_role("combobox", name="Show")
    assert choice.locator("option").all_inner_texts() == [
        "All rows",
        "Rows with findings (4)",
        "Wrong (1)",
        "Stale (1)",
        "Contradicted (1)",
        "Unsupported (1)",
    ]
    choice.focus()
    page.keyboard.press("ArrowDown")
    expect(toolbar.get_by_role("status")).to_have_text("4 of 7 rows shown")
    choice.select_option("Stale (1)")
    assert column(mappings(page), 0) == ["198.51.100.20"]
    toolbar.get_by_role("searchbox").fill("aws")
    expect(toolbar.get_by_role("status")).to_have_text("0 of 7 rows shown")


def test_the_keyboard_reaches_everything_in_order(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    reached = []
    for _step in range(40):
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
    assert all(visible for _tag, _text, visible in reached if _tag != "BODY")
    names = [(tag, text.strip()) for tag, text, _visible in reached]
    assert names[0] == ("A", "Skip to the findings")
    assert names[4][0] == "INPUT"
    assert names[5][0] == "SELECT"
    assert names[6] == ("DIV", "Findings of all zones")
    assert names[7] == ("BUTTON", "Kind")
    assert ("SUMMARY", "shop.example.com") in [(tag, text.split("\n")[0]) for tag, text in names]


def test_the_skip_link(open_page: Open) -> None:
    page = open_page(small_fleet()).page
    skip = page.get_by_role("link", name="Skip to the findings")
    expect(skip).not_to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#findings")).to_be_focused()


def test_a_full_zone_is_usable(open_page: Open) -> None:
    opened = open_page(full_zone(3500), viewport=PHONE)
    page, table = opened.page, mappings(opened.page, "fleet.example.com")
    toolbar = tools(page, "Mappings of fleet.example.com")
    rows = table.locator("tbody tr")
    table.get_by_role("button", name="Address").click()
    table.get_by_role("button", name="Address").click()
    expect(rows.first.locator("th")).to_have_text(str(ip_address("2001:db8::") + 3499))
    toolbar.get_by_role("searchbox").fill("origin-0042")
    expect(toolbar.get_by_role("status")).to_have_text("1 of 3,500 rows shown")
    expect(rows.filter(visible=True).locator("th")).to_have_text("198.18.0.42")
    expect(tools(page, "Findings of all zones").get_by_role("status")).to_have_text("3,500 of 3,500 rows shown")
    # A table scrolls within its own region, so the page stays short.
    assert page.evaluate("document.documentElement.scrollHeight") < 10 * PHONE["height"]
    region = page.get_by_role("region", name="Findings of all zones")
    region.focus()
    page.keyboard.press("End")
    expect(findings(page).locator("tbody tr").last).to_be_in_viewport()
    assert opened.is_clean


def test_rows_of_a_full_zone_that_are_out_of_sight_are_not_laid_out(open_page: Open) -> None:
    page = open_page(full_zone()).page
    rows = mappings(page, "fleet.example.com").locator("tbody tr")
    shown = "row => row.querySelector('td').checkVisibility({ contentVisibilityAuto: true })"
    rows.first.scroll_into_view_if_needed()
    page.wait_for_function(
        "() => document.querySelector('.mappings td').checkVisibility({contentVisibilityAuto: true})"
    )
    assert rows.last.evaluate(shown) is False
    rows.last.scroll_into_view_if_needed()
    page.wait_for_timeout(100)
    assert rows.last.evaluate(shown) is True


def test_cards_on_a_phone_are_labelled_like_the_columns(open_page: Open) -> None:
    page = open_page(small_fleet(), viewport=PHONE).page
    for table in (findings(page), mappings(page)):
        headers = [text.strip() for text in table.locator("thead th").all_inner_texts()]
        labels = (
            table.locator("tbody tr")
            .first.locator("th, td")
            .evaluate_all('all => all.map(e => getComputedStyle(e, \'::before\').content.match(/^"([^"]*)"/)[1])')
        )
        assert labels == headers


@pytest.mark.parametrize("fleet", ["small", "hostile"])
def test_without_javascript(open_page: Open, fleet: str) -> None:
    opened = open_page(FLEETS[fleet](), java_script_enabled=False)
    page = opened.page
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_count(0)
    total = sum(len(report["findings"]) for report in FLEETS[fleet]())
    expect(findings(page).locator("tbody tr").filter(visible=True)).to_have_count(total)
    closed = page.locator("details:not([open])")
    for number in reversed(range(closed.count())):
        closed.nth(number).locator("summary").click()
    expect(closed).to_have_count(0)
    assert opened.is_clean


def test_hostile_texts_are_shown_and_run_nothing(open_page: Open) -> None:
    opened = open_page(hostile_reports())
    page = opened.page
    assert "broken into" not in page.title()
    assert page.locator("img, script:not(body > script:last-of-type), main style, main h1, iframe").count() == 0
    table = findings(page)
    for number in (1, 3, 6):
        texts = table.locator(f"tbody tr td:nth-child({number + 1})").all_text_contents()
        displayed = {" ".join(text.split()) for text in texts}
        expected = {shown(f"{text}, {text}" if number == 3 else text) for text in HOSTILE}
        assert displayed == expected
    assert page.locator("a").evaluate_all("all => all.every(e => e.getAttribute('href').startsWith('#'))")
    for button in table.get_by_role("button").all():
        button.click()
    tools(page, "Findings of all zones").get_by_role("searchbox").fill("<script>")
    assert table.locator("tbody tr").filter(visible=True).count() == 1
    page.wait_for_timeout(100)
    assert opened.is_clean


def test_kinds_have_names(open_page: Open) -> None:
    page = open_page([zone_report("example.com", [], [finding("near_limit"), finding("without_effect")])]).page
    assert page.locator("#findings .kind").all_inner_texts() == ["Near limit", "Without effect"]
    assert page.locator("summary .kind").all_inner_texts() == ["Near limit 1", "Without effect 1"]


@pytest.mark.parametrize("fleet", ["small", "full", "hostile"])
@viewports
def test_light_and_dark(open_page: Open, fleet: str, viewport: dict[str, int]) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    grounds = {}
    pictures = set()
    for scheme in ("light", "dark"):
        page = open_page(FLEETS[fleet](), color_scheme=scheme, viewport=viewport).page
        name = f"{fleet}-{viewport['width']}-{scheme}.png"
        pictures.add(hashlib.sha256(page.screenshot(path=SCREENSHOTS / name, full_page=True)).digest())
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds[scheme] = [int(part) for part in re.findall(r"\d+", colour)]
    assert min(grounds["light"]) > 220
    assert max(grounds["dark"]) < 40
    assert len(pictures) == 2
