"""One question to one engine: what is sent where, and what its answers mean, in sentences without its words.

The engine's address is the operator's: it is dialled as it is written, private or not. Wherever it sends us
from there is anybody's, and under the same rule as every page; the key does not go with it.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from msgspec import Struct

from openclaw_gateway.errors import ToolError
from openclaw_gateway.sizes import size_text
from openclaw_gateway.tools.web.fetched import FetchLimits, Reply
from openclaw_gateway.tools.web.search import brave, searxng, tavily
from openclaw_gateway.tools.web.search.question import Asking, Engine, EngineName, Found, Question

if TYPE_CHECKING:
    from openclaw_gateway.tools.web.fetching import Fetcher

_MAX_BYTES = 2 * 1024 * 1024
_MAX_REDIRECTS = 3


class _Dialect(Struct, frozen=True):
    title: str
    asking: Callable[[Engine, Question], Asking]
    results: Callable[[Any], list[Found]]


_DIALECTS: dict[EngineName, _Dialect] = {
    "brave": _Dialect("Brave Search", brave.asking, brave.results),
    "tavily": _Dialect("Tavily", tavily.asking, tavily.results),
    "searxng": _Dialect("SearXNG", searxng.asking, searxng.results),
}


def title(engine: Engine) -> str:
    return _DIALECTS[engine.name].title


async def search(engine: Engine, question: Question, fetcher: "Fetcher", timeout_s: float) -> list[Found]:
    """At most as many as asked for. Raises ToolError with a sentence for the model."""
    dialect = _DIALECTS[engine.name]
    asking = dialect.asking(engine, question)
    limits = FetchLimits(max_bytes=_MAX_BYTES, max_redirects=_MAX_REDIRECTS, timeout_s=timeout_s)
    reply = await fetcher.ask(asking.url, limits, secret=asking.secret, body=asking.body)
    if reply.status != 200:
        _refused(dialect.title, engine, reply)
    if reply.page.cut:
        raise ToolError(
            f"{dialect.title} answered with more than {size_text(_MAX_BYTES)}; that is no list of results."
        )
    try:
        answer = json.loads(reply.page.body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        hint = _JSON_OFF if engine.name == "searxng" else ""
        raise ToolError(f"{dialect.title} did not answer with JSON.{hint} Tell the user; do not ask again.")
    return dialect.results(answer)[: question.count]


_JSON_OFF = (
    " Its settings.yml must list json under search.formats, and the configured URL must be the instance's "
    "own."
)


def _refused(name: str, engine: Engine, reply: Reply) -> NoReturn:
    match reply.status:
        case 403 if engine.name == "searxng":
            raise ToolError(
                f"{name} refuses to answer as JSON (403).{_JSON_OFF} Tell the user; do not ask again."
            )
        case 401 | 403:
            raise ToolError(f"{name} refuses the key ({reply.status}). Tell the user; do not ask again.")
        case 402 | 432 | 433:
            raise ToolError(
                f"{name}: the quota is used up ({reply.status}). Tell the user; do not ask again."
            )
        case 429:
            when = f"in {reply.retry_s:,} s" if reply.retry_s is not None else "in a while"
            raise ToolError(f"{name} is asked too often just now (429). Ask again {when}, or go on without.")
        case 400 | 422:
            raise ToolError(
                f"{name} does not accept this question ({reply.status}), or its key. Ask more simply: a "
                "short query, without freshness, country and language."
            )
        case status if status >= 500:
            raise ToolError(f"{name} has a fault of its own ({status}). Ask again later, or go on without.")
        case status:
            raise ToolError(f"{name} answered {status}; the configured URL may be wrong. Tell the user.")
