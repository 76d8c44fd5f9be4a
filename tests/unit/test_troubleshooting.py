# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Codes and messages of the collection in docs/troubleshooting.md.

The page has all of them, and no others.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.originops.cloudflare.plugins.module_utils._hints import HINTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in re.findall(r"^\|.*\|$", PAGE, re.M)]
QUOTED = {" ".join(quoted.split()) for quoted in re.findall(r"`([^`]+)`", PAGE)}
"""Texts in code font on the page, including messages."""

# Codes of responses that are not errors need no hint.
HANDLED = {1142, 1163}
# Sentences in reports are not messages: only the errors of these files are checked.
REPORTS = {"_report"}
NO_MESSAGES = {
    "Running the module in the controller's process",  # a note at -vvv
    "bits of a host are set",  # the caller replaces this text
    # Comments in files of an export.
    "Origin cloud region mappings of the Cloudflare zone ….",
    "Variable for the option mappings of the module originops.cloudflare.origin_cloud_region_batch.",
    "Inventory of origins, for the role originops.cloudflare.origin_regions.",
    "# For Terraform 1.5 and Cloudflare's provider 5.20, or later.",
}


def template(node: ast.expr) -> str:
    """Return a text as the page quotes it, with … in place of values.

    It is empty if the node is not a text.
    """
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
        return " ".join("".join(map(str, parts)).split())
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " ".join(node.value.split())
    return ""


def literals(tree: ast.AST) -> Iterator[str]:
    """Yield texts in code that could be messages.

    Docstrings, documentation, queries and texts within values are left out.
    """
    passed: set[ast.AST] = set()
    for node in ast.walk(tree):  # parents come before their children
        match node:
            case ast.JoinedStr():
                passed.update(part for value in node.values for part in ast.walk(value))
            case (
                ast.Expr()
                | ast.Assign(
                    targets=[ast.Name(id="DOCUMENTATION" | "EXAMPLES" | "RETURN" | "SETTINGS_QUERY" | "TRAFFIC_QUERY")]
                )
            ):
                passed.add(node.value)
        if isinstance(node, ast.expr) and node not in passed and (text := template(node)):
            yield text


def texts_of_plugins() -> Iterator[str]:
    """Yield the texts of plugins that could be messages."""
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        if path.parent.name == "doc_fragments":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise if path.parent.name in REPORTS else ast.Module):
                yield from literals(node)


def messages_of_roles() -> Iterator[str]:
    """Yield the messages of assertions in roles."""

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict) and "fail_msg" in node:
            yield " ".join(re.sub(r"{{.*?}}", "…", node["fail_msg"], flags=re.S).split())
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from walk(child)

    for path in sorted(ROOT.glob("roles/*/tasks/*.yml")):
        yield from walk(yaml.safe_load(path.read_text("utf-8")))


TEXTS = set(texts_of_plugins())
FROM_ROLES = set(messages_of_roles())


def is_sentence(text: str) -> bool:
    """Check whether a text has at least four words.

    Names and fragments of messages have fewer.
    """
    return len(re.findall(r"(?<!\S)\S*[a-z]{2,}\S*", text)) >= 4


def test_every_code_has_its_row() -> None:
    advice = {int(row[0]): row[2] for row in ROWS if row[0].isdecimal()}
    assert advice.keys() == HINTS.keys() | HANDLED
    assert {code: hint for code, hint in advice.items() if hint} == {code: f"`{hint}`" for code, hint in HINTS.items()}


def test_every_message_is_explained() -> None:
    assert {text for text in TEXTS if is_sentence(text)} | FROM_ROLES <= QUOTED | NO_MESSAGES


def test_every_explained_message_exists() -> None:
    messages = {row[1].strip("`") for row in ROWS if len(row) == 3 and row[1].startswith("`")}
    assert len(messages) > 50
    assert messages - TEXTS - FROM_ROLES == set()


def test_every_row_has_a_remedy() -> None:
    assert [row for row in ROWS if not row[-1]] == []
