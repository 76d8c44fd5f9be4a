# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures of plain language; ruff's D205 and D401 check each docstring."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from prose import avoided_in, files, passages

ROOT = Path(__file__).parents[2]

RELATIVE = re.compile(
    r"(all )?(as|how|that|those|what(ever)?|when(ever)?|where(ver)?|whether|which(ever)?|who(ever|m|se)?|why)\b",
    re.IGNORECASE,
)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

trees = pytest.mark.parametrize("tree", ["plugins", "tests", "tools"])


def first_lines(tree: str) -> Iterator[str]:
    """Yield the first line of every docstring in the files of a tree."""
    for path in sorted((ROOT / tree).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            docstring = ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None
            if docstring:
                yield docstring.partition("\n")[0]


@trees
def test_few_docstrings_begin_with_a_relative_word(tree: str) -> None:
    lines = list(first_lines(tree))
    relative = [line for line in lines if RELATIVE.match(line)]
    assert len(relative) < 0.04 * len(lines), "\n".join(relative)


@trees
def test_docstrings_have_short_first_lines(tree: str) -> None:
    lines = list(first_lines(tree))
    assert median(map(len, lines)) < 65
    assert [line for line in lines if len(line) > 72] == []


WHERE_WORDS_ARE_AVOIDED = {
    "page.md": ("Text.\n\n- A list of zones\n  whose names\n\n| a | besides |\n| --- | --- |\n", ["whose", "besides"]),
    "code.md": ("Code like `besides`, and\n\n```yaml\nwhose: besides\n```\n", []),
    "module.py": (
        'DOCUMENTATION = r"""\noptions:\n  zone:\n    description: [It is told\n      apart.]\n"""',
        ["told"],
    ),
    "message.py": ('raise ValueError(\n    f"the zone {zone}, whose "\n    "mappings")', ["whose"]),
    "docstring.py": ('def f():\n    """Return all that stands for it."""', ["stands for"]),
    "argument_specs.yml": ("argument_specs: {main: {description: [All the same]}}", ["All the same"]),
}


@pytest.mark.parametrize("name", WHERE_WORDS_ARE_AVOIDED)
def test_words_to_avoid_are_found(name: str, tmp_path: Path) -> None:
    content, words = WHERE_WORDS_ARE_AVOIDED[name]
    (tmp_path / name).write_text(content)
    problems = [problem for passage in passages(tmp_path / name) for problem in avoided_in(passage.text)]
    assert [word for word in words for problem in problems if repr(word) in problem] == words
    assert len(problems) == len(words)


def test_the_linter_reads_pages_plugins_and_roles() -> None:
    found = {str(path.relative_to(ROOT)) for path in files()}
    assert {"README.md", "docs/first-zone.md", "plugins/modules/tiered_cache.py", "roles/audit/README.md"} <= found
