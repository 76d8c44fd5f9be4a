# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of messages: quotes, suggestions, labels of items, foreign text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MAX_LISTED = 10
"""Items that a message names; the result has them all."""

MAX_MESSAGE = 4000
"""Characters of a message, and of all warnings of a task together."""


def quote(text: str) -> str:
    """Quote user input, shortened to 60 characters."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def suggest(name: str, known: Iterable[str]) -> str:
    """Suggest the likely spelling of an unknown name, or list all known names."""
    known = sorted(known)
    if not known:
        return "there are none"
    close = close_names(name, known)
    return f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(known)}"


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """List up to three known names that an unknown one is likely to mean."""
    from difflib import get_close_matches  # only failing tasks pay for this import

    known = sorted(known)
    close = [other for other in known if other.casefold() == name.strip().casefold()]
    return close or get_close_matches(name.casefold(), known, n=3)


def item_label(option: str, index: int) -> str:
    """Name an item of a list option by its position and index."""
    return f"item {index + 1} ({option}[{index}])"


def join_bounded(items: Sequence[str], see: str | None = None) -> str:
    """Join the first 10 items, and count the others.

    see names the result key that has the others, if there is one.
    """
    others = len(items) - MAX_LISTED
    more = f"and {others} more, see {see}" if see else f"and {others} more"
    return "; ".join([*items[:MAX_LISTED], *([more] if others > 0 else [])])


def clip(text: str, size: int = MAX_MESSAGE) -> str:
    """Shorten a text to a number of characters."""
    return text if len(text) <= size else f"{text[: size - 3]}..."


def clip_all(texts: Sequence[str]) -> list[str]:
    """Shorten texts to 4,000 characters together, an equal share for each."""
    return [clip(text, MAX_MESSAGE // len(texts)) for text in texts]


def sanitize(text: str) -> str:
    """Reduce foreign text to one printable line of at most 500 characters."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= 500 else line[:497] + "..."


def sentence(text: str) -> str:
    """End a text with a full stop, unless it ends with a question mark."""
    return text if text.endswith("?") else f"{text}."


def type_name(value: Any) -> str:
    """Name the type of a value, which Ansible may have wrapped."""
    return next(kind.__name__ for kind in type(value).__mro__ if not kind.__module__.startswith("ansible."))


def mask(value: Any, secrets: Iterable[str]) -> Any:
    """Mask secrets in the texts of a JSON value.

    As in ansible-core's own results, stars replace a part of a text, and a name a whole one.
    """
    longest_first = sorted(filter(None, secrets), key=len, reverse=True)

    def masked(value: Any) -> Any:
        if isinstance(value, str):
            if value in longest_first:
                return "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
            for secret in longest_first:
                value = value.replace(secret, "********")
            return value
        if isinstance(value, Mapping):
            return {name: masked(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [masked(item) for item in value]
        return value

    return masked(value)
