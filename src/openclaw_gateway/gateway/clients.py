"""What front ends send with a request that says which conversation it is of, and whose. Pure: one table.

A front end is trusted with what stands here for it when `gateway.http.clients` names it; whoever may call may
send any header, so nothing of this reaches beyond the caller's own sessions. Where it comes from:
open-webui: ENABLE_FORWARD_USER_INFO_HEADERS (open_webui/env.py); librechat: the header of its documentation's
example, `X-Conversation-Id: {{LIBRECHAT_BODY_CONVERSATIONID}}` (librechat.yaml, `headers`), beside the `user`
that it sends by itself; opencode: session/llm/request.ts; pi: `sendSessionAffinityHeaders`, else like zed the
`prompt_cache_key`, which is the thread's id. The others are no programs but habits. LibreChat leaves
out the oldest messages that its own limit of tokens has no room for; the others send all, or a summary of
theirs instead.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct

from openclaw_gateway.config.schema import HttpClient

METADATA = ("metadata.session_id", "metadata.chat_id", "metadata.conversation_id")
# What says less than `user` does.
HINTS = ("prompt_cache_key", "safety_identifier")
_LADDER = (*METADATA, *HINTS)
# Ids that repeat: Open WebUI has the socket's for chats that are not to be remembered.
_PASSING = ("temporary:", "local:")


class Client(Struct, frozen=True):
    """Of `headers` and then `fields` (of the body) the first that is there is the conversation's id; of
    `users` (headers) the first is the person's, where the client stands before several. All of them send a
    conversation whole; `is_windowed`: its end only, once that is all there is room for."""

    headers: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    is_windowed: bool = False


CLIENTS: dict[HttpClient, Client] = {
    "open-webui": Client(("X-OpenWebUI-Chat-Id",), users=("X-OpenWebUI-User-Id",)),
    "librechat": Client(("X-Conversation-Id",), users=("X-User-Id",), is_windowed=True),
    "opencode": Client(("X-Session-Id", "x-session-affinity", "x-opencode-session")),
    "pi": Client(("x-session-affinity",), ("prompt_cache_key",)),
    "zed": Client(fields=("prompt_cache_key",)),
    "session-headers": Client(("X-Session-Id", "x-session-affinity", "X-Conversation-Id", "X-Chat-Id")),
    "metadata": Client(fields=METADATA),
    "prompt-cache-key": Client(fields=("prompt_cache_key",)),
    "safety-identifier": Client(fields=("safety_identifier",)),
}


class Chat(Struct, frozen=True):
    """A conversation as its front end names it. `source` is the header or field that said so; `id` is "" for
    one that is not to be remembered. `user` is the person, where that is told."""

    client: HttpClient
    source: str
    id: str
    user: str | None = None


def chat_of(
    clients: tuple[HttpClient, ...], header: Callable[[str], str | None], fields: Mapping[str, str]
) -> Chat | None:
    """By the headers of all `clients`, in their order, and then by what the body says."""
    for name in clients:
        client = CLIENTS[name]
        for source in client.headers:
            if (found := _text(header(source))) is not None:
                return _chat(name, client, source, found, header)
    for source in _LADDER if fields else ():
        if (found := _text(fields.get(source))) is not None:
            for name in clients:
                if source in CLIENTS[name].fields:
                    return _chat(name, CLIENTS[name], source, found, header)
    return None


def _chat(
    name: HttpClient, client: Client, source: str, found: str, header: Callable[[str], str | None]
) -> Chat:
    if found.lower().startswith(_PASSING):
        return Chat(name, source, "")
    users = (user for each in client.users if (user := _text(header(each))) is not None)
    return Chat(name, source, found, next(users, None))


def _text(value: str | None) -> str | None:
    return None if value is None or not value.strip() else value.strip()
