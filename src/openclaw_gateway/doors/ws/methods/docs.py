"""`docs.list`, `docs.get`, `docs.search`: the documentation that came with this gateway. Our own methods.

The control page shows it. It is text for everybody; nothing of a configuration is in it.
"""

import asyncio
from typing import Annotated

from msgspec import Meta, Struct

from openclaw_gateway.doors.ui.documents import documents, found
from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import READ


class GetParams(Struct, frozen=True):
    """`name` as `docs.list` gives it."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]


class SearchParams(Struct, frozen=True):
    """A section is found that has all the words of `query`."""

    query: Annotated[str, Meta(min_length=1, max_length=200)]
    limit: Annotated[int, Meta(ge=1, le=100)] = 30


async def _list(_: MethodCall, __: Nothing) -> object:
    pages = await asyncio.to_thread(documents)
    return {"documents": [{"name": page.name, "title": page.title} for page in pages.values()]}


async def _get(_: MethodCall, params: GetParams) -> object:
    page = (await asyncio.to_thread(documents)).get(params.name)
    if page is None:
        raise invalid("docs.get", "name is one of those that docs.list tells", "name")
    return {"name": page.name, "title": page.title, "text": page.text}


async def _search(_: MethodCall, params: SearchParams) -> object:
    pages = await asyncio.to_thread(documents)
    return {"found": await asyncio.to_thread(found, pages, params.query, params.limit)}


METHODS = (
    Method("docs.list", READ, Nothing, _list),
    Method("docs.get", READ, GetParams, _get),
    Method("docs.search", READ, SearchParams, _search),
)
