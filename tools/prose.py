# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the language of pages, plugin documentation and messages.

The check uses proselint and a list of words to avoid.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
GENERATED = {"CHANGELOG.md"}

AVOIDED = {
    r"told|tells?|telling": "report, show, determine",
    r"whose": "with, of",
    r"by which": "with, the … that",
    r"besides": "in addition, other",
    r"stands? for": "means",
    r"in force": "in effect",
    r"wherever|whatever|whoever|whichever": "any, if",
    r"where (nothing|none|no|it would not)": "if",
    r"(that|which) must not": "what has to be",
    r"nothing is ever": "an active verb",
    r"keeps? \S+( \S+)? from \w+ing": "prevent",
    r"all the same|as ever|meanwhile|thereby|likewise": "nothing",
    r"nothing but|none but": "only",
    r"what (becomes?|became) of": "outcome",
    r"side by side": "in parallel",
}
"""Words that obscure a sentence, as patterns, each with better ones."""


class Passage(NamedTuple):
    """Text of one paragraph, option or message, and its place."""

    place: str
    text: str


def passages(path: Path) -> Iterator[Passage]:
    """Yield the prose of a file."""
    content = path.read_text("utf-8")
    place = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
    match path.suffix:
        case ".md":
            found = _in_markdown(content)
        case ".py":
            found = _in_python(content)
        case _:
            found = ((0, text) for text in _in_documentation(yaml.safe_load(content)))
    for line, text in found:
        yield Passage(f"{place}:{line}", " ".join(text.split()))


def _in_markdown(content: str) -> Iterator[tuple[int, str]]:
    line = 0
    for token in MarkdownIt("commonmark").enable("table").parse(content):
        line = token.map[0] + 1 if token.map else line
        if token.type == "inline":
            yield line, "".join(_as_prose(child) for child in token.children or ())


def _as_prose(token: Token) -> str:
    return {"text": token.content, "code_inline": "CODE", "softbreak": " "}.get(token.type, "")


def _in_python(content: str) -> Iterator[tuple[int, str]]:
    """Yield comments, documentation in YAML, docstrings, and messages.

    Messages have … in place of values.
    """
    for token in tokenize.generate_tokens(StringIO(content).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.removeprefix("# ")
    passed: set[ast.AST] = set()
    for node in ast.walk(ast.parse(content)):  # parents come before their children
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str() as text)) if "\n" in text:
                passed.add(node.value)
                if name != "EXAMPLES" and not name.endswith("QUERY"):
                    yield from ((node.lineno, part) for part in _in_documentation(yaml.safe_load(text)))
            case ast.JoinedStr():
                passed.update(part for value in node.values for part in ast.walk(value))
                parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values]
                yield node.lineno, "".join(parts)
            case ast.Constant(value=str() as text) if " " in text and node not in passed:
                yield node.lineno, text


def _in_documentation(node: Any) -> Iterator[str]:
    """Yield the descriptions in the documentation of a plugin or role."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("description", "short_description", "notes", "details"):
                texts = value if isinstance(value, list) else [value]
                yield from (re.sub(r"\b[A-Z]+\([^)]*\)", "CODE", text) for text in texts if isinstance(text, str))
            yield from _in_documentation(value)
    elif isinstance(node, list):
        for item in node:
            yield from _in_documentation(item)


def avoided_in(text: str) -> Iterator[str]:
    """Yield the problem of each word to avoid in a text."""
    for pattern, better in AVOIDED.items():
        for match in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE):
            excerpt = text[max(0, match.start() - 30) : match.end() + 30]
            yield f"write {better} instead of {match[0]!r} in {excerpt!r}"


def files() -> Iterator[Path]:
    """Yield the files with prose for users and contributors."""
    yield from (path for path in ROOT.glob("*.md") if path.name not in GENERATED)
    yield from ROOT.glob(".github/**/*.md")
    yield from ROOT.glob("docs/**/*.md")
    yield from ROOT.glob("plugins/**/*.py")
    yield from (path for path in ROOT.glob("tools/**/*.py") if path != Path(__file__))
    yield ROOT / "noxfile.py"
    yield from ROOT.glob("roles/*/README.md")
    yield from ROOT.glob("roles/*/meta/argument_specs.yml")


def main() -> None:
    """Print the problems, and exit with 1 if there are any."""
    found = [passage for path in sorted(files()) for passage in passages(path)]
    problems = [f"{place}: {problem}" for place, text in found for problem in avoided_in(text)]
    # Each passage is a line of the input. What to check is in .proselintrc.json.
    lines = "\n".join(text for _place, text in found)
    command = ["proselint", "--output-format", "compact", "check"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    for line, problem in re.findall(r"^<stdin>:(\d+):\d+: (.*)$", done.stdout, re.M):
        problems.append(f"{found[int(line) - 1].place}: {problem}")
    if done.returncode > 1 or (done.returncode and not problems):
        sys.exit(done.stdout + done.stderr)
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
