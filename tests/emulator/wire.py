# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wire format that all routes share: envelopes, JSON bodies, pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from flask import Response, request

from .state import ApiError

T = TypeVar("T")

BATCH_MAX = 100


def success(result: object, result_info: dict[str, int] | None = None) -> Response:
    """Return the envelope of a result, with `result_info` for a page."""
    envelope = {"success": True, "errors": [], "messages": [], "result": result}
    if result_info is not None:
        envelope["result_info"] = result_info
    return _json(envelope, 200)


def failure(error: ApiError) -> Response:
    """Return the envelope of an error."""
    errors = [{"code": code, "message": message} for code, message in error.errors]
    return _json({"success": False, "errors": errors, "messages": [], "result": None}, error.status)


def _json(envelope: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(envelope), status, mimetype="application/json")


def object_body() -> dict[str, Any]:
    """Return the request's JSON object. Raises ApiError 1146 without one."""
    body = _body()
    if not isinstance(body, dict):
        raise ApiError(400, (1146, "The request body must be a JSON object"))
    return body


def batch_body() -> list[Any]:
    """Return the request's JSON list of at most 100 items.

    Raises:
        ApiError: 1146, without such a list.
    """
    body = _body()
    if not isinstance(body, list):
        raise ApiError(400, (1146, "The request body must be a JSON list"))
    if len(body) > BATCH_MAX:
        raise ApiError(400, (1146, f"A batch holds at most {BATCH_MAX} items"))
    return body


def _body() -> object:
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise ApiError(400, (1146, "The request body is not valid JSON")) from None


def page_of(
    items: Sequence[T], *, smallest: int, largest: int, default: int = 20
) -> tuple[Sequence[T], dict[str, int]]:
    """Return the requested page of items, and its `result_info`.

    The size of a page has to be between `smallest` and `largest`.
    """
    page = _number("page", default=1, smallest=1)
    per_page = _number("per_page", default=default, smallest=smallest, largest=largest)
    chosen = items[(page - 1) * per_page : page * per_page]
    return chosen, {
        "page": page,
        "per_page": per_page,
        "count": len(chosen),
        "total_count": len(items),
        "total_pages": -(-len(items) // per_page),
    }


def _number(name: str, *, default: int, smallest: int, largest: int | None = None) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    # The code for invalid paging is not documented.
    refusal = ApiError(400, (1146, f"Out of bounds: {name}={text:.80}"))
    try:
        number = int(text)
    except ValueError:
        raise refusal from None
    if number < smallest or (largest is not None and number > largest):
        raise refusal
    return number
