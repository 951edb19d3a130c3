"""The behaviours that a command line is tried for: as `behaviours` has them, with the program's own tools, in
a folder of its own, and its sessions. It knows no client.
"""

import base64
import json
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import (
    Cut,
    Flush,
    Hang,
    ModelServer,
    Pause,
    Reasoning,
    Reply,
    calls,
    says,
)
from openclaw_gateway.wire.run import Usage
from tests.clients.behaviours import (
    ERRORS,
    LATE_S,
    MODEL,
    PIXEL,
    SILENCE_S,
    Absent,
    Differs,
    holds,
    same,
    text_of,
)
from tests.clients.commands.command import Ask, Said
from tests.clients.front import failing_once, keeping
from tests.clients.terminal import Terminal, tell

# The model of what is not an answer: titles and the like.
SIDE_MODEL = "mock-20-0"
# More than the gateway's own for one request.
_TRIES = 4
# The agent's own, which no model may see beside the client's.
_WORKSPACE = {"ls", "find", "manage", "exec", "process"}
_WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "rain": {"type": "boolean"}},
    "required": ["city", "rain"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Scene:
    models: ModelServer
    gateway: RunningGateway
    terminal: Terminal

    def plays(self, *replies: Reply) -> None:
        """From now on; what was asked before is forgotten."""
        self.models.requests.clear()
        self.models.script(MODEL, *replies)

    def ask(self, prompt: str = "Greet.", **more: Any) -> Ask:
        return Ask(**{"url": self.gateway.url, "key": self.gateway.token, "prompt": prompt, **more})

    async def did(self, ask: Ask, project: Path | None = None, *, deadline_s: float = 120.0) -> Said:
        """What it said, where nothing may go wrong."""
        said = await self.terminal.says(ask, project or self.terminal.project(), deadline_s=deadline_s)
        if said.error:
            raise Differs(f"it tells: {said.error[-300:]}")
        return said

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What the model was asked, but for titles and the like."""
        return [request.body for request in self.models.requests if request.model == MODEL]

    def can(self, what: str) -> None:
        if what not in self.terminal.command.can:
            raise Absent


async def plain(scene: Scene) -> None:
    scene.plays(says("Hello ", "there"))
    same("text", (await scene.did(scene.ask())).text, "Hello there")
    same("requests", len(scene.bodies), 1)


async def stream(scene: Scene) -> None:
    """It asks for a stream, and has the whole of it."""
    scene.plays(says("Hello ", Flush(), "there", Flush(), " you"))
    asked = bytearray()
    async with keeping(scene.gateway.url, asked) as url:
        said = await scene.did(scene.ask(url=url))
    same("text", said.text, "Hello there you")
    holds("a stream is asked for", b'"stream":true' in asked.replace(b" ", b""))


async def usage(scene: Scene) -> None:
    scene.can("usage")
    scene.plays(says("Hello", usage=Usage(9, 2, 11, 4, 1)))
    same("usage", (await scene.did(scene.ask())).usage, {"input": 9, "output": 2, "cached": 4})


async def tools(scene: Scene) -> None:
    await _tools(scene, "heron")


async def parallel_tools(scene: Scene) -> None:
    await _tools(scene, "heron", "stork")


async def _tools(scene: Scene, *words: str) -> None:
    """It reads files of its own folder, where the agent's workspace has none; the model sees one tool of a
    name, and none of the agent's for files and commands."""
    reads = scene.terminal.command.reads
    if reads is None:
        raise Absent
    project = scene.terminal.project()
    for word in words:
        (project / f"{word}.txt").write_text(f"a {word} in the reeds\n")
    scene.plays(calls(*(reads(project / f"{word}.txt", f"call_{word}") for word in words)), says("A bird."))
    same("text", (await scene.did(scene.ask(), project)).text, "A bird.")
    same("requests", len(scene.bodies), 2)
    results = [text_of(message) for message in scene.bodies[-1]["messages"] if message["role"] == "tool"]
    same("results", len(results), len(words))
    for word, result in zip(words, results, strict=True):
        holds(f"what is in {word}.txt is in {result!r:.300}", f"a {word} in the reeds" in result)
    names = [tool["function"]["name"] for tool in scene.bodies[0]["tools"]]
    same("tools of one name", len(names) - len(set(names)), 0)
    holds(f"none of the agent's workspace is in {names}", not _WORKSPACE & set(names))


async def structured(scene: Scene) -> None:
    scene.can("structured")
    project = scene.terminal.project()
    schema = project / "weather.json"
    schema.write_text(json.dumps(_WEATHER))
    scene.plays(says('{"city": "Oslo", ', '"rain": true}'))
    said = await scene.did(scene.ask(schema=schema), project)
    same("parsed", json.loads(said.text), {"city": "Oslo", "rain": True})
    asked = scene.bodies[-1].get("response_format") or {}
    same("the schema goes to the model", asked.get("type"), "json_schema")
    same("its properties", sorted(asked["json_schema"]["schema"]["properties"]), ["city", "rain"])


async def reasoning(scene: Scene) -> None:
    scene.can("reasoning")
    scene.plays(says(Reasoning("Let me think."), "Forty-two"))
    said = await scene.did(scene.ask())
    same("text", said.text, "Forty-two")
    same("reasoning", said.reasoning, "Let me think.")


async def images(scene: Scene) -> None:
    scene.can("images")
    project = scene.terminal.project()
    picture = project / "dot.png"
    picture.write_bytes(base64.b64decode(PIXEL))
    scene.plays(says("A dot."))
    same("text", (await scene.did(scene.ask(image=picture), project)).text, "A dot.")
    holds("the image goes to the model", f"data:image/png;base64,{PIXEL}" in json.dumps(scene.bodies[-1]))


async def errors(scene: Scene) -> None:
    """Each is told in the words that are meant, or the program's own for it. A program that asks again until
    it is answered has the answer in the end."""
    command = scene.terminal.command
    for reply, wrong, status, meant in ERRORS:
        words = command.own_words.get(meant, meant)
        more = {{"api_key": "key"}.get(name, name): value for name, value in wrong.items()}
        if reply is not None and status in command.asks_again:
            scene.plays(*[replace(reply, headers={})] * _TRIES, says("Later."))
            same(f"text after {status}", (await scene.did(scene.ask(**more))).text, "Later.")
        else:
            scene.plays(reply or says("never"))
            said = await scene.terminal.says(scene.ask(**more, once=True), scene.terminal.project())
            holds(f"{status}: {words!r} is told, not {said.error[-300:]!r}", words in said.error)


async def broken_stream(scene: Scene) -> None:
    scene.plays(says("Hello ", Flush(), "there", Cut()))
    said = await scene.terminal.says(scene.ask(), scene.terminal.project())
    holds("an error is told", bool(said.error))


async def cancel(scene: Scene) -> None:
    """Ctrl-C while the model is at its answer."""
    aborted = scene.models.aborted
    scene.plays(says("Hello", Hang()))
    async with scene.terminal.running(scene.ask(), scene.terminal.project()) as process:
        while not scene.bodies:
            await scene.models.wait_requests(len(scene.models.requests) + 1, deadline_s=60)
        tell(process, signal.SIGINT)
        try:
            await scene.models.wait_aborted(aborted + 1)
            await scene.gateway.wait_no_runs()
        except TimeoutError:
            raise Differs("the run goes on after Ctrl-C") from None


async def retry(scene: Scene) -> None:
    """Something in front of the gateway answers 503 once; it asks again by itself."""
    scene.plays(says("Hello there"))
    async with failing_once(scene.gateway.url) as base_url:
        said = await scene.did(scene.ask("Ask twice.", url=base_url.removesuffix("/v1")))
    same("text", said.text, "Hello there")
    same("requests", len(scene.bodies), 1)


async def silence(scene: Scene) -> None:
    """The model says nothing for 40 s, before its first word and after it."""
    scene.plays(says(Flush(), Pause(SILENCE_S), "Hello ", Flush(), Pause(SILENCE_S), "there"))
    said = await scene.did(scene.ask(), deadline_s=2 * SILENCE_S + LATE_S)
    same("text", said.text, "Hello there")


async def history(scene: Scene) -> None:
    """A session that goes on: the model has each message once, in order."""
    scene.can("history")
    scene.plays(says("A-one"), says("A-two"), says("A-three"))
    project = scene.terminal.project()
    for number, prompt in enumerate(("Q-one", "Q-two", "Q-three")):
        await scene.did(scene.ask(prompt, goes_on=number > 0), project)
    told = [_marks(body["messages"]) for body in scene.bodies]
    whole = ["Q-one", "A-one", "Q-two", "A-two", "Q-three"]
    same("what the model was told", told, [whole[:1], whole[:3], whole])


def _marks(messages: list[dict[str, Any]]) -> list[str]:
    marks = ("Q-one", "A-one", "Q-two", "A-two", "Q-three")
    told = [text_of(message) for message in messages if message["role"] != "system"]
    return [mark for text in told for mark in marks for _ in range(text.count(mark))]


BEHAVIOURS: dict[str, Callable[[Scene], Awaitable[None]]] = {
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
    "history": history,
}
