# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: Chromium, and pages opened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible.plugins.loader import filter_loader
from playwright.sync_api import Browser, Page, sync_playwright

from unit.conftest import pytest_configure, pytest_unconfigure

__all__ = ["pytest_configure", "pytest_unconfigure"]  # for this directory too

NOW = "2026-11-24T12:30:00Z"

CHROMIUM = [Path("/usr/bin", name) for name in ("chromium-headless-shell", "chromium")]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next((path for path in CHROMIUM if path.exists()), None)  # otherwise Playwright's own download
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=executable, args=FLAGS) as browser:
        yield browser


@dataclass
class Opened:
    """Page open in the browser, and the events since then."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    """Requested addresses, the page's own first."""
    problems: list[str] = field(default_factory=list)
    """Console messages (with policy violations), exceptions and dialogs."""

    @property
    def is_clean(self) -> bool:
        """Check that only the page itself was loaded, without problems."""
        return set(self.requests) == {self.address} and self.problems == []


Open = Callable[..., Opened]


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Yield a function to open the page of reports, at NOW.

    Its options are Playwright's: viewport, color_scheme, java_script_enabled.
    """
    contexts = []
    audit_report = filter_loader.get("originops.cloudflare.audit_report").j2_function

    def open_page(reports: Any, **options: Any) -> Opened:
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(audit_report(reports, "html"), "utf-8")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.clock.set_fixed_time(NOW)
        opened = Opened(page, file.as_uri())
        page.on("request", lambda request: opened.requests.append(request.url.partition("#")[0]))
        page.on("console", lambda message: opened.problems.append(message.text))
        page.on("pageerror", lambda error: opened.problems.append(str(error)))
        page.on("dialog", lambda dialog: (opened.problems.append(dialog.message), dialog.dismiss()))
        page.goto(opened.address)
        return opened

    yield open_page
    for context in contexts:
        context.close()
