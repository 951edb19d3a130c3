"""Lists as OpenAI pages them: what a query asks for, and the page.

Pure. `after` is the id of the last item that the client has.
Source: platform.openai.com/docs/api-reference/chat/list, /responses/input-items.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from msgspec import Raw, Struct

from openclaw_gateway.errors import InvalidRequest, NotFound

USUAL: Final = 20
MOST: Final = 100
_MOST_FIELDS = 100
_ORDERS = {"asc": False, "desc": True}


# For the OpenAPI document.
PAGED = {
    "after": "The id of the last item that the client has.",
    "limit": f"How many at most, from 1 to {MOST}.",
    "order": "asc or desc, by time.",
}


class Paging(Struct, frozen=True):
    after: str | None
    limit: int
    newest_first: bool


def query_of(raw_path: str) -> dict[str, str]:
    """The fields behind the `?` of a path. Raises InvalidRequest."""
    try:
        return dict(
            parse_qsl(raw_path.partition("?")[2], keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        )
    except ValueError:
        raise InvalidRequest(f"The query may hold at most {_MOST_FIELDS} fields.") from None


def paging_of(query: Mapping[str, str], *, order: str) -> Paging:
    """`order` is what counts where the query has none. Raises InvalidRequest."""
    limit = query.get("limit") or str(USUAL)
    if not (limit.isascii() and limit.isdecimal() and len(limit) < 9 and 1 <= int(limit) <= MOST):
        raise InvalidRequest(f"`limit` must be a number from 1 to {MOST}.", param="limit")
    order = query.get("order") or order
    if order not in _ORDERS:
        raise InvalidRequest("`order` must be asc or desc.", param="order")
    return Paging(query.get("after") or None, int(limit), _ORDERS[order])


def page_of(items: Sequence[dict[str, Any]], paging: Paging) -> dict[str, Any]:
    """`items` are all there are, oldest first, each with its id. Raises NotFound."""
    ordered = items[::-1] if paging.newest_first else items
    ordered = ordered if paging.after is None else behind(ordered, paging.after)
    page = ordered[: paging.limit]
    return listed(page, [item["id"] for item in page], has_more=len(ordered) > paging.limit)


def behind(items: Sequence[dict[str, Any]], after: str | None) -> Sequence[dict[str, Any]]:
    """Those behind the item `after`. Raises NotFound."""
    for place, item in enumerate(items):
        if item["id"] == after:
            return items[place + 1 :]
    raise unknown_after(after or "")


def listed(data: Sequence[dict[str, Any] | Raw], ids: Sequence[str], *, has_more: bool) -> dict[str, Any]:
    """OpenAI's list object."""
    first, last = (ids[0], ids[-1]) if ids else (None, None)
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more}


def unknown_after(after: str) -> NotFound:
    return NotFound(
        f"`after`: nothing with id '{after[:80]}' is in this list (any more). Begin at its start.",
        param="after",
    )
