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
    assert median(map(len, first_lines(tree))) < 65


def test_plugins_report_instead_of_telling() -> None:
    files = [path for path in (ROOT / "plugins").rglob("*.*") if "__pycache__" not in path.parts]
    told = re.compile(r"\btold\b", re.IGNORECASE)
    assert [path.name for path in files if path.is_file() and told.search(path.read_text("utf-8"))] == []
