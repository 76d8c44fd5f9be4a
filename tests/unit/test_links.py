# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links in all Markdown pages, resolved as by a Git host.

Links to other hosts are not followed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
# Folders that git ignores, and git's own.
PASSED = {".cache", ".git", ".hypothesis", ".venv", "build"}
PAGES = sorted(
    [*ROOT.glob("*.md")]
    + [
        page
        for folder in ROOT.iterdir()
        if folder.is_dir() and folder.name not in PASSED
        for page in folder.rglob("*.md")
    ]
)
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text("utf-8"))


@cache
def tokens(page: Path) -> list[Token]:
    parsed = MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))
    return [inner for token in parsed for inner in (token, *(token.children or ()))]


def links(page: Path) -> Iterator[str]:
    for token in tokens(page):
        if token.type == "link_open":
            yield str(token.attrs["href"])
        elif token.type == "image":
            yield str(token.attrs["src"])
        elif token.type.startswith("html_"):
            yield from re.findall(r'href="([^"]*)"', token.content)


@cache
def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: its headings, and identifiers in HTML.

    Headings are spelled as by Git hosts.
    """
    found = {name for token in tokens(page) for name in re.findall(r'id="([^"]*)"', token.content)}
    times: Counter[str] = Counter()
    for before, heading in zip(tokens(page), tokens(page)[1:], strict=False):
        if before.type == "heading_open":
            text = "".join(inner.content for inner in heading.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.add(f"{slug}-{times[slug]}" if times[slug] else slug)
            times[slug] += 1
    return found


def problem(page: Path, link: str) -> str | None:
    """Return the problem of a link, or None."""
    parts = urlsplit(link)
    if parts.scheme:
        well_formed = parts.scheme == "mailto" or (parts.scheme == "https" and "." in parts.netloc)
        return None if well_formed else "is not an https address"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return "leads nowhere"
    if parts.fragment and (target.suffix != ".md" or parts.fragment not in anchors(target)):
        return "has no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_have_targets(page: Path) -> None:
    assert {link: found for link in links(page) if (found := problem(page, link))} == {}


def is_in_tarball(path: Path) -> bool:
    names = [path.relative_to(ROOT), *path.relative_to(ROOT).parents][: len(path.relative_to(ROOT).parts)]
    return not any(fnmatch(str(name), pattern) for name in names for pattern in GALAXY["build_ignore"])


@pytest.mark.parametrize("page", [*filter(is_in_tarball, PAGES)], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_in_the_tarball_have_targets_in_it(page: Path) -> None:
    targets = [(page.parent / urlsplit(link).path).resolve() for link in links(page) if not urlsplit(link).scheme]
    assert [target for target in targets if not is_in_tarball(target)] == []


def test_the_tarball_has_the_pages_for_users_and_contributors() -> None:
    names = {path.name for path in ROOT.iterdir() if path.suffix == ".md" and is_in_tarball(path)}
    assert names == {"AGENTS.md", "CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"}
    assert not is_in_tarball(ROOT / "docs" / "site" / "index.md")
    assert not is_in_tarball(ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md")


def test_the_repository_address_is_in_a_single_file() -> None:
    address = GALAXY["repository"]
    assert {key: GALAXY[key] for key in ("homepage", "documentation", "issues")} == {
        "homepage": address,
        "documentation": address,
        "issues": f"{address}/issues",
    }
    host = urlsplit(address).netloc
    assert [page for page in PAGES if host in page.read_text("utf-8")] == []


def test_problems_are_found() -> None:
    page = ROOT / "docs" / "security.md"
    assert problem(page, "#bounds") is None
    assert problem(page, "audit.md#what-it-finds") is None
    assert problem(page, "../roles/audit/files/report.schema.json") is None
    assert problem(page, "#no-such-heading") == "has no such heading"
    assert problem(page, "nowhere.md") == "leads nowhere"
    assert problem(page, "../../elsewhere.md") == "leads nowhere"
    assert problem(page, "http://example.com") == "is not an https address"
