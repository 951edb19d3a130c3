"""The behaviours that every client is tried for: what the model plays, what the program is asked, and what
must have been seen, by it and by the model server.

A behaviour raises `Differs` with what was not as it must be, and `Absent` where the program has nothing to do
it with. It knows no client.
"""

import math
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from openclaw_gateway.testing.embedding_voices import vector_of
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import (
    Call,
    Cut,
    Flush,
    Hang,
    ModelServer,
    Pause,
    Reasoning,
    Reply,
    calls,
    fails,
    says,
)
from openclaw_gateway.wire.run import Usage
from tests.clients.front import failing_once
from tests.clients.program import Program

MODEL = "mock-echo"
SILENCE_S = 40.0
LATE_S = 90.0
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_NEAR = 1e-6


class Differs(Exception):
    """What was seen is not what must be seen; the message says both."""


class Absent(Exception):
    """The program has no function for it."""


@dataclass(frozen=True)
class Stage:
    models: ModelServer
    gateway: RunningGateway
    program: Program

    def plays(self, *replies: Reply) -> None:
        """From now on; what was asked before is forgotten."""
        self.models.requests.clear()
        self.models.script(MODEL, *replies)

    async def saw(self, do: str, *, deadline_s: float = 120.0, **task: Any) -> dict[str, Any]:
        """What the program saw, whether or not something was raised in it."""
        given = {"base_url": self.gateway.base_url, "api_key": self.gateway.token, **task}
        seen = await self.program.does({"do": do, **given}, deadline_s=deadline_s)
        if seen.get("absent"):
            raise Absent
        return seen

    async def did(self, do: str, **task: Any) -> dict[str, Any]:
        """What it saw, where nothing may be raised."""
        seen = await self.saw(do, **task)
        if error := seen.get("error"):
            raise Differs(f"{do}: it raises {error['kind']} {error['status']}: {error['message'][:300]}")
        return seen

    @property
    def asked(self) -> list[list[dict[str, Any]]]:
        """The messages of each request that the model got, without the system's."""
        return [
            [message for message in request.messages if message["role"] != "system"]
            for request in self.models.requests
        ]


def same(what: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        raise Differs(f"{what}: {seen!r:.300} instead of {wanted!r}")


def holds(what: str, condition: bool) -> None:
    if not condition:
        raise Differs(f"not so: {what}")


async def plain(stage: Stage) -> None:
    stage.plays(says("Hello ", "there"))
    same("text", (await stage.did("plain"))["text"], "Hello there")
    same("requests", len(stage.models.requests), 1)


async def stream(stage: Stage) -> None:
    stage.plays(says("Hello ", Flush(), "there", Flush(), " you"))
    pieces = (await stage.did("stream"))["pieces"]
    same("text", "".join(pieces), "Hello there you")
    holds("more than one piece", len(pieces) > 1)


async def usage(stage: Stage) -> None:
    stage.plays(says("Hello", usage=Usage(9, 2, 11, 4, 1)))
    wanted = {"input": 9, "output": 2, "cached": 4}
    same("usage", (await stage.did("plain")).get("usage"), wanted)
    same("usage of a stream", (await stage.did("stream_usage")).get("usage"), wanted)


async def tools(stage: Stage) -> None:
    await _tools(stage, "Oslo")


async def parallel_tools(stage: Stage) -> None:
    await _tools(stage, "Oslo", "Rome")


async def _tools(stage: Stage, *cities: str) -> None:
    wanted = [Call("get_weather", f'{{"city": "{city}"}}', id=f"call_{city}") for city in cities]
    stage.plays(calls(*wanted), says("Take an umbrella."))
    seen = await stage.did("tools")
    same("text", seen["text"], "Take an umbrella.")
    same("requests", len(stage.models.requests), 2)
    results = [text_of(message) for message in stage.asked[-1] if message["role"] == "tool"]
    same("results", results, [f"rain in {city}" for city in cities])


async def structured(stage: Stage) -> None:
    stage.plays(says('{"city": "Oslo", ', '"rain": true}'))
    seen = await stage.did("structured")
    same("parsed", seen.get("parsed"), {"city": "Oslo", "rain": True})
    asked = stage.models.requests[-1].body.get("response_format") or {}
    same("the schema goes to the model", asked.get("type"), "json_schema")
    same("its properties", sorted(asked["json_schema"]["schema"]["properties"]), ["city", "rain"])


async def reasoning(stage: Stage) -> None:
    stage.plays(says(Reasoning("Let me think."), "Forty-two"))
    seen = await stage.did("reasoning")
    same("text", seen["text"], "Forty-two")
    same("reasoning", seen.get("reasoning"), "Let me think.")


async def images(stage: Stage) -> None:
    stage.plays(says("A dot."))
    seen = await stage.did("image", image=f"data:image/png;base64,{PIXEL}")
    same("text", seen["text"], "A dot.")
    contents = [message["content"] for message in stage.asked[-1]]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    got = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    same("the image goes to the model", got, [f"data:image/png;base64,{PIXEL}"])


# What the model answers, what of the request is wrong, and the status and words that the client must tell.
# Three hundred seconds are more than anybody waits, gateway or client.
ERRORS: tuple[tuple[Reply | None, dict[str, Any], int, str], ...] = (
    (None, {"api_key": "wrong"}, 401, "wrong token"),
    (None, {"model": "gpt-4o"}, 404, "gpt-4o"),
    (fails(400, "a bad thing"), {}, 400, "a bad thing"),
    (fails(400, "too long", code="context_length_exceeded"), {}, 400, "too long"),
    (fails(429, "slow down", retry_after="300"), {}, 429, "slow down"),
    (fails(500, "a broken thing", retry_after="300"), {}, 502, "broken"),
    (fails(503, "no room", retry_after="300"), {}, 503, "no room"),
)


async def errors(stage: Stage) -> None:
    for reply, wrong, status, words in ERRORS:
        stage.plays(reply or says("never"))
        error = (await stage.saw("plain", **wrong)).get("error")
        if error is None:
            raise Differs(f"{status}: nothing is raised")
        same(f"status where {words!r} is meant", error["status"], status)
        holds(f"{words!r} is told, not {error['message']!r:.300}", words in error["message"])


async def broken_stream(stage: Stage) -> None:
    stage.plays(says("Hello ", Flush(), "there", Cut()))
    seen = await stage.saw("stream")
    same("the part that came", "".join(seen["pieces"]), "Hello there")
    holds("an error is raised", "error" in seen)


async def cancel(stage: Stage) -> None:
    aborted = stage.models.aborted
    stage.plays(says("Hello", Hang()))
    seen = await stage.did("cancel")
    same("pieces", seen["pieces"], ["Hello"])
    try:
        await stage.models.wait_aborted(aborted + 1)
        await stage.gateway.wait_no_runs()
    except TimeoutError:
        raise Differs("the run goes on after the client has left") from None


async def retry(stage: Stage) -> None:
    """Something in front of the gateway answers 503 once; the client asks again by itself.

    The text is of this one alone: what is sent again is answered as the same request was before."""
    stage.plays(says("Hello there"))
    async with failing_once(stage.gateway.url) as base_url:
        seen = await stage.did("plain", base_url=base_url, retries=None, text="Ask twice.")
    same("text", seen["text"], "Hello there")
    same("requests", len(stage.models.requests), 1)


async def silence(stage: Stage) -> None:
    """The model says nothing for 40 s, before its first word and after it."""
    stage.plays(says(Flush(), Pause(SILENCE_S), "Hello ", Flush(), Pause(SILENCE_S), "there"))
    seen = await stage.did("stream", deadline_s=2 * SILENCE_S + LATE_S)
    same("text", "".join(seen["pieces"]), "Hello there")


async def embeddings(stage: Stage) -> None:
    texts = ["one", "two words"]
    seen = (await stage.did("embeddings", texts=texts))["vectors"]
    same("vectors", len(seen), len(texts))
    for vector, text in zip(seen, texts, strict=True):
        wanted = vector_of(text)
        near = len(vector) == len(wanted) and all(map(_near, vector, wanted))
        holds(f"the vector of {text!r}, not {vector!r:.200}", near)


async def models(stage: Stage) -> None:
    ids = (await stage.did("models"))["ids"]
    same("the agents are listed", sorted({"openclaw", "openclaw/main", "openclaw/poet"} & set(ids)),
         ["openclaw", "openclaw/main", "openclaw/poet"])  # fmt: skip


async def history(stage: Stage) -> None:
    """With `user` there is a session: a history that is sent again is not doubled, a message that is sent
    alone goes on from it."""
    stage.plays(says("A one"), says("A two"), says("A three"))
    said = [_user("Q one")]
    await stage.did("plain", messages=said, user="ada")
    said += [_assistant("A one"), _user("Q two")]
    await stage.did("plain", messages=said, user="ada")
    await stage.did("plain", messages=[_user("Q three")], user="ada")
    told = [[text_of(message) for message in messages] for messages in stage.asked]
    whole = ["Q one", "A one", "Q two", "A two", "Q three"]
    same("what the model was told", told, [whole[:1], whole[:3], whole])


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def text_of(message: dict[str, Any]) -> str:
    return "".join(_texts(message.get("content") or ""))


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    else:
        yield from (part.get("text", "") for part in content)


def _near(one: float, other: float) -> bool:
    return math.isclose(one, other, abs_tol=_NEAR)


Behaviour = Callable[[Stage], Awaitable[None]]
BEHAVIOURS: dict[str, Behaviour] = {
    "plain": plain,
    "stream": stream,
    "usage": usage,
    "tools": tools,
    "parallel tools": parallel_tools,
    "structured": structured,
    "reasoning": reasoning,
    "images": images,
    "errors": errors,
    "broken stream": broken_stream,
    "cancel": cancel,
    "retry": retry,
    "silence": silence,
    "embeddings": embeddings,
    "models": models,
    "history": history,
}
SLOW = frozenset({"silence"})
