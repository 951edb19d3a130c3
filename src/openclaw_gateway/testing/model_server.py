"""A scripted model server: an upstream on a real socket that plays what it is told, in the dialect of the
request (chat completions, responses, Anthropic messages, Gemini, Ollama), and vectors as OpenAI, Gemini and
Ollama send them.

Shipped, so that everybody who tests against the gateway can make a model stream, fail, cut or hang on
demand. It must not know the gateway: it speaks HTTP and JSON only. Nothing is timed: a script waits for
events (`Hold`), a test waits for conditions (`wait_requests`, `wait_aborted`, `wait_idle`).

    async with ModelServer() as server:
        gate = asyncio.Event()
        server.script("m", fails(429, retry_after="1"), says("Hel", Hold(gate), "lo"))
        ...                               # first call of model "m" gets 429, all later ones stream
        server.requests[0].body["messages"]

A request takes, in this order: the next reply of `server.enqueue(...)`; the next reply scripted for its
model (the last one repeats), or what `server.compute(...)` makes of it; the built-in behaviour of its model
name (the part after the last "/"):

    mock-<n>-<gap_us>   n deltas "tok0 ", "tok1 ", … that many microseconds apart
    mock-echo           the last user message, word by word; without one "Hello."
    mock-err-<status>   that HTTP status
    mock-drop           three deltas, then the connection is cut
    mock-hang           never answers
    anything else       one delta, "Hello."
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, assert_never

import msgspec
from aiohttp import web

from openclaw_gateway.testing.embedding_voices import is_for_vectors, vectors_said
from openclaw_gateway.testing.replies import (
    DEFAULT_USAGE,
    Call,
    Chunk,
    Cut,
    Flush,
    Hang,
    Hold,
    Pause,
    Raw,
    Reasoning,
    Reply,
    Step,
    Text,
    calls,
    embeds,
    fails,
    hangs,
    says,
    sends,
)
from openclaw_gateway.testing.strict_vendors import STRICT, Rule
from openclaw_gateway.testing.voices import voice_for
from openclaw_gateway.wire.run import Usage

__all__ = [
    "DEFAULT_USAGE",
    "Call",
    "Chunk",
    "Cut",
    "Flush",
    "Hang",
    "Hold",
    "ModelServer",
    "Pause",
    "Raw",
    "Reasoning",
    "Recorded",
    "Reply",
    "Step",
    "Text",
    "calls",
    "embeds",
    "fails",
    "hangs",
    "says",
    "sends",
]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it arrived. `port` is the client's: equal ports mean one connection was reused."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes
    body: Any
    port: int

    @property
    def model(self) -> str:
        named = self.body.get("model") if isinstance(self.body, dict) else None
        # Gemini's API has the name in the path.
        return str(named or self.path.partition("/models/")[2].partition(":")[0])

    @property
    def messages(self) -> list[Any]:
        body = self.body if isinstance(self.body, dict) else {}
        return list(body.get("messages") or body.get("input") or body.get("contents") or ())


class ModelServer:
    """The server. Use as an async context manager; it listens on 127.0.0.1 on a free port.

    `requests` are all requests so far, or the last `keeps` of them; `asked` is how many there were, `open`
    those being answered now, `aborted` those whose client left before the answer was complete.
    """

    def __init__(self, *, keeps: int | None = None) -> None:
        self.requests: list[Recorded] = []
        self._keeps = keeps
        self._forgotten = 0
        self.open = 0
        self.aborted = 0
        self.port = 0
        self._queue: deque[Reply] = deque()
        self._scripts: dict[str, deque[Reply]] = {}
        self._computed: dict[str, Callable[[Recorded], Reply]] = {}
        self._strict: dict[str, Rule] = {}
        self._waiters: dict[asyncio.Future[None], Callable[[], bool]] = {}
        self._runner: web.AppRunner | None = None
        self._closing = False

    @property
    def base_url(self) -> str:
        """What a provider's `baseUrl` is set to."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def asked(self) -> int:
        return self._forgotten + len(self.requests)

    @property
    def connections(self) -> int:
        """TCP connections open now, idle ones included."""
        server = self._runner.server if self._runner else None
        return len(server.connections) if server else 0

    def script(self, model: str, *replies: Reply) -> None:
        """What requests for `model` get, in order; the last reply repeats. Replaces an earlier script."""
        self._scripts[model] = deque(replies)

    def compute(self, model: str, reply: Callable[[Recorded], Reply]) -> None:
        """What requests for `model` get, unless there is a script for it."""
        self._computed[model] = reply

    def strict(self, model: str, vendor: str) -> None:
        """Requests for `model` are refused with a 400 as that vendor would (`strict_vendors`), before any
        script is played."""
        self._strict[model] = STRICT[vendor]

    def enqueue(self, *replies: Reply) -> None:
        """What the next requests get, whatever their model."""
        self._queue.extend(replies)

    async def wait_requests(self, count: int, *, deadline_s: float = 5) -> None:
        """Until that many requests have arrived in all. Raises TimeoutError, as every wait here."""
        await self._wait(lambda: self.asked >= count, deadline_s)

    async def wait_aborted(self, count: int, *, deadline_s: float = 5) -> None:
        """Until that many clients have left before their answer was complete."""
        await self._wait(lambda: self.aborted >= count, deadline_s)

    async def wait_idle(self, *, deadline_s: float = 5) -> None:
        """Until no request is being answered."""
        await self._wait(lambda: self.open == 0, deadline_s)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/v1/models", self._models)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        if self._runner:
            await self._runner.cleanup()

    async def _wait(self, condition: Callable[[], bool], deadline_s: float) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = condition
        self._notify()
        try:
            async with asyncio.timeout(deadline_s):
                await waiter
        except TimeoutError:
            state = f"{self.asked} requests, {self.open} open, {self.aborted} aborted"
            raise TimeoutError(f"still {state} after {deadline_s} s") from None
        finally:
            del self._waiters[waiter]

    def _notify(self) -> None:
        for waiter, condition in self._waiters.items():
            if condition() and not waiter.done():
                waiter.set_result(None)

    async def _models(self, request: web.Request) -> web.Response:
        names = [*self._scripts, "mock-20-0", "mock-echo"]
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "scripted"} for name in names]
        return web.json_response({"object": "list", "data": data})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            body = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            body = None
        peer = request.transport.get_extra_info("peername") if request.transport else None
        recorded = Recorded(
            request.method, request.path, request.headers.copy(), raw, body, peer[1] if peer else 0
        )
        self.requests.append(recorded)
        if self._keeps is not None and len(self.requests) > self._keeps:
            self._forgotten += 1
            del self.requests[0]
        self.open += 1
        self._notify()
        try:
            return await _play(request, recorded, _with_vectors(recorded, self._reply(recorded)))
        except _Silently:
            raise
        except (asyncio.CancelledError, ConnectionError) as error:
            if not self._closing:
                self.aborted += 1
            if isinstance(error, asyncio.CancelledError):
                raise
            raise _Silently from error
        finally:
            self.open -= 1
            self._notify()

    def _reply(self, request: Recorded) -> Reply:
        rule = self._strict.get(request.model)
        complaint = rule(request.body, request.model) if rule else None
        if complaint:
            return fails(400, complaint)
        if self._queue:
            return self._queue.popleft()
        script = self._scripts.get(request.model)
        if script:
            return script.popleft() if len(script) > 1 else script[0]
        if computed := self._computed.get(request.model):
            return computed(request)
        if is_for_vectors(request.path):
            return embeds()
        return _built_in(request)


class _Silently(asyncio.CancelledError):
    """Ends the handler of a client that has gone, or is cut off, without a word in aiohttp's log."""


def _built_in(request: Recorded) -> Reply:
    match request.model.rpartition("/")[2].split("-"):
        case ["mock", "err", status]:
            return fails(int(status), f"mock error {status}", code=f"mock_{status}")
        case ["mock", "echo"]:
            users = [_text(m) for m in request.messages if m.get("role") == "user"]
            return says(*re.findall(r"[^ ]* |[^ ]+", users[-1]) if users else ("Hello.",))
        case ["mock", "drop"]:
            return says("one ", "two ", "three ", Cut())
        case ["mock", "hang"]:
            return hangs()
        case ["mock", count, gap] if count.isdecimal() and gap.isdecimal():
            steps: list[str | Step] = []
            for index in range(int(count)):
                if index and int(gap):
                    steps.append(Pause(int(gap) / 1e6))
                steps.append(f"tok{index} ")
            prompt = len(request.raw) // 4
            return says(*steps, usage=Usage(prompt, int(count), prompt + int(count)))
        case _:
            return says("Hello.")


def _with_vectors(request: Recorded, reply: Reply) -> Reply:
    """A reply that ends with the vectors that were asked for, with those."""
    if not reply.embeds:
        return reply
    said = vectors_said(request.path, request.body, counted=reply.usage is not None)
    return sends(*reply.steps, said, content_type="application/json")


def _streams(request: Recorded, body: Mapping[str, Any]) -> bool:
    return bool(body.get("stream")) or request.path.endswith(":streamGenerateContent")


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or message.get("parts") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


async def _play(request: web.Request, recorded: Recorded, reply: Reply) -> web.StreamResponse:
    body = recorded.body if isinstance(recorded.body, dict) else {}
    if reply.refuses_stream_options and "stream_options" in body:
        reply = fails(400, "Unrecognized request argument supplied: stream_options")
    whole = reply.as_json or (reply.finish is not None and not _streams(recorded, body))
    content_type = "application/json" if whole else reply.content_type
    headers = {"Content-Type": content_type, **reply.headers}
    response = web.StreamResponse(status=reply.status, headers=headers)
    output = _Output(request, response, reply.split)
    voice = voice_for(recorded.path, recorded.model)
    texts: list[str] = []
    made: list[Call] = []
    for step in reply.steps:
        match step:
            case Text() | Reasoning() if whole:
                texts.append(step.text if isinstance(step, Text) else "")
            case Call() if whole:
                made.append(step)
            case Text(text):
                output.add(voice.text(text))
            case Reasoning():
                output.add(voice.reasoning(step))
            case Call():
                output.add(voice.call(step))
            case Chunk(payload):
                output.add(b"data: " + msgspec.json.encode(payload) + b"\n\n")
            case Raw(data):
                output.add(data)
            case _:
                await _stop(output, step)
    if whole:
        output.add(voice.whole(reply, "".join(texts), made))
    else:
        options = body.get("stream_options")
        asked = isinstance(options, dict) and bool(options.get("include_usage"))
        output.add(voice.ending(reply, usage_asked=asked))
    await output.flush()
    await response.write_eof()
    return response


async def _stop(output: "_Output", step: Flush | Hold | Pause | Hang | Cut) -> None:
    if not (output.is_fresh and isinstance(step, Hold | Pause | Hang)):
        await output.flush()
    match step:
        case Flush():
            pass
        case Hold(gate):
            await gate.wait()
        case Pause(seconds):
            await asyncio.sleep(seconds)
        case Hang():
            await asyncio.Event().wait()
        case Cut():
            output.cut()
        case _:
            assert_never(step)


class _Output:
    """Collects bytes and writes them with the fewest writes a script allows."""

    def __init__(self, request: web.Request, response: web.StreamResponse, split: int | None) -> None:
        self._request = request
        self._response = response
        self._split = split
        self._pending: list[bytes] = []

    @property
    def is_fresh(self) -> bool:
        return not self._pending and not self._response.prepared

    def add(self, data: bytes) -> None:
        self._pending.append(data)

    async def flush(self) -> None:
        if not self._response.prepared:
            await self._response.prepare(self._request)
        data = b"".join(self._pending)
        self._pending.clear()
        if self._split is None:
            if data:
                await self._response.write(data)
            return
        for start in range(0, len(data), self._split):
            await self._response.write(data[start : start + self._split])
            # Let the reader read, so that it really sees pieces.
            await asyncio.sleep(0)

    def cut(self) -> None:
        if self._request.transport:
            self._request.transport.abort()
        raise _Silently
