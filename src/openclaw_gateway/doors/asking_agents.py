"""What endpoints that start a run have in common: where a request goes, and what its answer's headers tell.

Knows the routing headers and no dialect.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeVar, get_args
from urllib.parse import quote

from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.config.schema import HttpClient, Progress
from openclaw_gateway.doors.requests import Request, brand_header, header_text
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.clients import chat_of
from openclaw_gateway.gateway.routing import Ask, Route
from openclaw_gateway.wire.run import Queue

T = TypeVar("T", bound=str)
# Who asks over HTTP wants an answer of its own, so there is no "steer".
QUEUES: tuple[Queue, ...] = ("wait", "reject", "interrupt")
PROGRESS: tuple[Progress, ...] = get_args(Progress)

_SAFE = ":/@+,;=!$&'()*~"
# As nearly all are. What `quote` says of such a text after many steps is the text itself.
_PLAIN = re.compile(rf"[\w.{re.escape(_SAFE)}-]*", re.ASCII)
_NOTHING: Mapping[str, str] = {}
# Headers of a request that count, with what they say, for the OpenAPI document.
TO_WHOM = {f"{BRANDS[0].header_prefix}agent-id": "The agent, whatever the model says."}
CHOSEN = {f"{BRANDS[0].header_prefix}model": "The model that is asked, if the configuration lists it."}
QUEUED = {f"{BRANDS[0].header_prefix}queue": f"If the session is at work: {', '.join(QUEUES)}."}
STREAMED = {
    f"{BRANDS[0].header_prefix}detach": "true: the run outlives its client.",
    f"{BRANDS[0].header_prefix}progress": f"How a stream tells of the agent's tools: {', '.join(PROGRESS)}.",
}
_OF_CHATS = ("detach", "progress")
HEADERS = {
    **TO_WHOM,
    f"{BRANDS[0].header_prefix}session-key": "The conversation that the answer goes on with, and is kept in.",
    "Idempotency-Key": "A name for the request: sent again under it, it gets the first answer.",
}


def asked(
    request: Request,
    model: str | None,
    user: str | None,
    clients: tuple[HttpClient, ...] = (),
    fields: Mapping[str, str] = _NOTHING,
) -> Ask:
    """`clients` are the front ends whose headers, and `fields` of the body, say which conversation it is."""
    return Ask(
        model=model,
        agent=brand_header(request, "agent-id", "agent"),
        session_key=brand_header(request, "session-key"),
        user=user,
        backend=brand_header(request, "model"),
        chat=chat_of(clients, partial(header_text, request), fields) if clients else None,
    )


def is_detached(request: Request, *, usual: bool) -> bool:
    """Whether the run is to go on without its client; `usual` where the request does not say. Raises
    InvalidRequest."""
    return _one_of(request, "detach", ("true", "false"), "true" if usual else "false") == "true"


def queue_wish(request: Request) -> Queue:
    """What is to be done when the session is at work. Raises InvalidRequest."""
    return _one_of(request, "queue", QUEUES, "wait")


def progress_wish(request: Request, usual: Progress) -> Progress:
    """How a stream tells of the agent's own tools; `usual` where the request does not say. Raises
    InvalidRequest."""
    return _one_of(request, "progress", PROGRESS, usual)


def _one_of(request: Request, name: str, words: Sequence[T], usual: T) -> T:
    wish = brand_header(request, name)
    if wish is None or not wish.strip():
        return usual
    for word in words:
        if word == wish.strip().lower():
            return word
    header = f"{BRANDS[0].header_prefix}{name}"
    raise InvalidRequest(f"{header} is one of: {', '.join(words)}.", code="invalid_header", param=header)


def without_effect(request: Request, *more: str) -> tuple[str, ...]:
    """Of the headers that only chat completions go by, and of these `more`, those that this other request
    has."""
    there = (name for name in (*_OF_CHATS, *more) if brand_header(request, name) is not None)
    return tuple(f"{BRANDS[0].header_prefix}{name}" for name in there)


def model_shown(model: str | None) -> str:
    """The model name as it was asked for."""
    return model if model is not None else BRANDS[0].model_word


def tell(
    request: Request,
    model: str | None,
    route: Route,
    ignored: tuple[str, ...],
    task: str | None = None,
    *,
    set_aside: tuple[str, ...] = (),
) -> None:
    """Answer headers under the first brand's name, and under the one the request came by."""
    if route.named_by in ignored:
        ignored = tuple(name for name in ignored if name != route.named_by)
    told = {}
    if task is not None:
        told["task"] = task
        if route.backend:
            ignored = (*ignored, f"{BRANDS[0].header_prefix}model")
    elif route.session_key is not None:
        told["session-key"] = _sayable(route.session_key)
    if route.backend and task is None:
        told["model"] = _sayable(route.backend)
    if ignored:
        told["ignored-params"] = ", ".join(ignored)
    if set_aside:
        told["tools-set-aside"] = ", ".join(set_aside)
    if not told:
        return
    for index, brand in enumerate(BRANDS):
        if index == 0 or _came_as(request, model, brand.header_prefix, brand.model_word):
            request.answer_headers.update({brand.header_prefix + name: value for name, value in told.items()})


def _sayable(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=_SAFE)


def _came_as(request: Request, model: str | None, prefix: str, word: str) -> bool:
    return (model or "").lower().startswith(word) or prefix in request.brands
