"""Which agent and which session a request means. Pure; the only reader of model names and routing headers.

Order (DESIGN 8.2 to 8.6): a session key that names an agent, then the agent header, then the model
field, then the default agent; for the session, the session key, then what a front end that is configured
says, then `user`. Nothing after this reads headers.
"""

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from openclaw_gateway.agents.roster import Roster
from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.errors import InvalidRequest, NotFound
from openclaw_gateway.gateway.clients import CLIENTS, HINTS, Chat
from openclaw_gateway.sessions.keys import MAX_NAME_CHARS, chat_key, explicit_key, user_key, user_name

_WORDS = "|".join(re.escape(brand.model_word) for brand in BRANDS)
_TARGET = re.compile(rf"(?:(?:{_WORDS})[:/]|agent:)(?P<agent>.+)", re.IGNORECASE | re.DOTALL)
_BARE = re.compile(rf"(?:{_WORDS})(?:/default)?", re.IGNORECASE)


class Ask(Struct, frozen=True):
    """What a door knows of where a request wants to go. `backend` is the model that shall be asked for the
    agent, if it names one; `chat` is what a front end's own marks say."""

    model: str | None = None
    agent: str | None = None
    session_key: str | None = None
    user: str | None = None
    backend: str | None = None
    chat: Chat | None = None


class Route(Struct, frozen=True):
    """`session_key` None = stateless. `user` is the person whom the request names, folded as in keys;
    `backend` the reference of the model that it chose, "" = none. `is_whole`: it is a front end's
    conversation, which is sent whole with each request, or with `is_windowed` its end once it is long;
    `named_by` is the header or field of the body that said which."""

    agent_id: str
    session_key: str | None
    user: str | None = None
    backend: str = ""
    is_whole: bool = False
    is_windowed: bool = False
    named_by: str = ""


def route(ask: Ask, roster: Roster, unknown_model: Literal["error", "default"] = "error") -> Route:
    """Raises NotFound (model_not_found); InvalidRequest: a model's name that is too long, agent_not_found,
    session_agent_mismatch, session_key_*."""
    asked = _asked_agent(ask, roster, unknown_model)
    if ask.model is not None and len(ask.model) > MAX_NAME_CHARS:
        # Every chunk of a stream repeats it.
        raise InvalidRequest(
            f"`model` may have at most {MAX_NAME_CHARS} characters: GET /v1/models lists what to use.",
            param="model",
        )
    if ask.session_key is not None and ask.session_key.strip():
        key = explicit_key(ask.session_key, asked or roster.default_id)
        named = _known(key.agent_id, roster, "x-openclaw-session-key")
        if asked is not None and named != asked:
            raise InvalidRequest(
                f"The session key belongs to agent '{named}' but the request asks for agent '{asked}'. "
                "Name the same agent in both, or only in the session key.",
                code="session_agent_mismatch",
                param="x-openclaw-session-key",
            )
        return Route(named, key.key, _user(ask))
    agent_id = asked or roster.default_id
    user = _user(ask)
    if ask.chat is not None and (user is None or ask.chat.source not in HINTS):
        return _of_chat(ask.chat, agent_id, user)
    return Route(agent_id, None if user is None else user_key(agent_id, user), user)


def _of_chat(chat: Chat, agent_id: str, user: str | None) -> Route:
    if chat.user is not None:
        user = user_name(chat.user)
    if not chat.id:
        return Route(agent_id, None, user)
    key = chat_key(agent_id, chat.client, chat.id, user, chat.source)
    # A person may have several conversations.
    is_whole = chat.source != "safety_identifier"
    return Route(
        agent_id,
        key,
        user,
        is_whole=is_whole,
        is_windowed=CLIENTS[chat.client].is_windowed,
        named_by=chat.source.partition(".")[0],
    )


def agent_of_model(model: str, roster: Roster) -> str | None:
    """The agent id a model name stands for ("" parts and case as the older systems have them).

    None when the name is no agent target at all. Raises InvalidRequest (agent_not_found).
    """
    if _BARE.fullmatch(model):
        return roster.default_id
    target = _TARGET.fullmatch(model)
    return _known(target["agent"], roster, "model") if target else None


def _user(ask: Ask) -> str | None:
    return None if ask.user is None else user_name(ask.user)


def _asked_agent(ask: Ask, roster: Roster, unknown_model: Literal["error", "default"]) -> str | None:
    """The agent that was named, or None when the request leaves it open."""
    if ask.agent is not None and ask.agent.strip():
        return _known(ask.agent.strip(), roster, "x-openclaw-agent-id")
    if ask.model is None or _BARE.fullmatch(ask.model) or not ask.model.strip():
        return None
    named = agent_of_model(ask.model, roster)
    if named is not None:
        return named
    if unknown_model == "default":
        return None
    raise NotFound(
        f"The model `{_shown(ask.model)}` does not exist here: models are agents. Use one of "
        f"{_choices(roster)} (GET /v1/models lists them), or set "
        'gateway.http.endpoints.chatCompletions.unknownModel to "default".',
        code="model_not_found",
        param="model",
    )


def unknown_agent(agent_id: str, roster: Roster, param: str | None = None) -> InvalidRequest:
    """The one sentence of all doors; it names what there is as it is written in that `param`."""
    choices = _listed(roster.ids) if param != "model" else _choices(roster)
    return InvalidRequest(
        f"Unknown agent '{_shown(agent_id)}'. Use one of {choices}, or add the agent to the "
        "configuration (agents.list).",
        code="agent_not_found",
        param=param,
    )


def _known(agent_id: str, roster: Roster, param: str) -> str:
    agent = roster.get(agent_id)
    if agent is None:
        raise unknown_agent(agent_id, roster, param)
    return agent.id


def _choices(roster: Roster) -> str:
    word = BRANDS[0].model_word
    return _listed([word, *(f"{word}/{agent_id}" for agent_id in roster.ids)])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:10])
    return shown if len(names) <= 10 else f"{shown}, … ({len(names)} in all)"


def _shown(text: str) -> str:
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:80])
    return clean if len(text) <= 80 else f"{clean}…"
