"""`sessions.search`: messages of the caller's sessions that hold all words of a text, the newest first.

Shape is OpenClaw's; `score` is how often the words are there. `truncated` says that there is something which
was not looked at, or more that was found.
"""

from typing import Annotated

from msgspec import Meta, Struct

from openclaw_gateway.config.agent_id import asked_agent_id
from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.sessions.searching import MOST_WORDS, words_of

_METHOD = "sessions.search"
_Key = Annotated[str, Meta(min_length=1, max_length=512)]
_MOST = 25
_USUAL = 10


class SearchParams(Struct, frozen=True, rename="camel"):
    query: Annotated[str, Meta(min_length=1, max_length=4096)]
    agent_id: Annotated[str, Meta(max_length=256)] | None = None
    session_keys: Annotated[tuple[_Key, ...], Meta(min_length=1, max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None


async def _search(call: MethodCall, params: SearchParams) -> object:
    words = words_of(params.query)
    if not words:
        raise invalid(_METHOD, "query must not be blank", "query")
    if len(words) > MOST_WORDS:
        raise invalid(_METHOD, f"query has more than {MOST_WORDS} words", "query")
    agent = asked_agent_id(params.agent_id) if params.agent_id else None
    if params.agent_id and agent is None:
        raise invalid(_METHOD, "agentId is no agent id", "agentId")
    found = await call.gateway.session_search.search(
        call.principal,
        words,
        limit=min(params.limit or _USUAL, _MOST),
        agent=agent,
        sessions=None if params.session_keys is None else _keys(call, params.session_keys, agent),
    )
    results = [
        {
            "sessionKey": hit.session,
            "sessionId": hit.session,
            "messageId": hit.place,
            "role": hit.role,
            "timestamp": hit.at_ms,
            "snippet": hit.snippet,
            "score": hit.score,
        }
        for hit in found.hits
    ]
    return {"results": results, "truncated": not found.is_all}


def _keys(call: MethodCall, wanted: tuple[str, ...], agent: str | None) -> tuple[str, ...]:
    """Whole keys, each once. Raises InvalidRequest."""
    keys = (call.gateway.route(Ask(agent=agent, session_key=key)).session_key for key in wanted)
    return tuple(dict.fromkeys(key for key in keys if key is not None))


METHODS = (Method(_METHOD, READ, SearchParams, _search),)
