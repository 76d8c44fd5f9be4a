# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mutants of a source, and the selection among them."""

from __future__ import annotations

import pytest

from mutants import choose, find_mutants

SOURCE = '''\
"""A docstring, 1."""
LIMIT = 10


@decorator(frozen=True)
def fetch(pages: Literal[1], *, é="é", retry=True) -> Literal[2]:
    """Another docstring."""
    assert pages > 1
    if (  # in, or not in
        pages
    ) in cache:
        log(f"{pages + 1}")
    return None
'''


def changes(source: str) -> set[tuple[str, str]]:
    return {(mutant.old, mutant.new) for mutant in find_mutants("a.py", source.encode())}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a == b", {("==", "!=")}),
        ("(a) <= (b) > c", {("<=", "<"), (">", ">=")}),
        ("a is  not b", {("is  not", "is")}),
        ("a and b or c", {("and", "or"), ("or", "and")}),
        ("a + b", {("+", "-")}),
        ("a += b", {("+", "-")}),
        ("a **= b", {("**", "*")}),
        ("a >> b | c", {(">>", "<<")}),
        ("'%s' % a", set()),
        ("a[1:]", {("1", "2")}),
        ("a = 0.5", {("0.5", "1.5")}),
        ("a: Literal[1] = False", {("False", "True")}),
        ("a = not b", {("not b", "b")}),
        ("a = f(b)", set()),
        ("f(b)", {("f(b)", "pass")}),
        ("while a: pass", {("a", "not (a)")}),
        ("if a < b: pass", {("<", "<="), ("a < b", "not (a < b)")}),
        ("if a != b: pass", {("!=", "==")}),
        ("a = b if c else d", {("c", "not (c)")}),
        ("a = [b for b in c if d(b)]", {("d(b)", "not (d(b))")}),
        ("def f():\n    return a, b", {("a, b", "None")}),
        ("def f():\n    return False", {("False", "True")}),
    ],
)
def test_changes(source: str, expected: set[tuple[str, str]]) -> None:
    assert changes(source) == expected


def test_places() -> None:
    found = find_mutants("a.py", SOURCE.encode())
    assert {str(mutant): (site.lines, site.imported) for mutant, site in found.items()} == {
        "a.py:2:9: 10 -> 11": (range(2, 3), True),
        "a.py:6:48: True -> False": (range(6, 7), True),
        "a.py:11:7: in -> not in": (range(9, 12), False),
        'a.py:12:9: log(f"{pages + 1}") -> pass': (range(12, 13), False),
    }
    mutated = {mutant.new: site.mutated(mutant.new).decode() for mutant, site in found.items()}
    assert mutated["False"] == SOURCE.replace("retry=True", "retry=False")
    assert mutated["not in"] == SOURCE.replace(") in cache", ") not in cache")


def test_choice() -> None:
    mutants = find_mutants("a.py", "\n".join(f"a = {number}" for number in range(100)).encode())
    chosen = choose(mutants, 10, 1)
    assert len(chosen) == 10
    assert chosen == sorted(chosen)
    assert chosen == choose(reversed(mutants), 10, 1)
    assert chosen != choose(mutants, 10, 2)
    assert choose(mutants, 1000, 1) == list(mutants)
