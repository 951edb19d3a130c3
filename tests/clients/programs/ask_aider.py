"""`aider`: its Coder, as its command line makes it, asked a question in a git repository of its own."""

import asyncio
import base64
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aider.coders import base_coder
from aider.io import InputOutput
from aider.models import Model, register_litellm_models

from tests.clients.programs.frame import Call, serve

_ME = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b",
}
_REPOSITORY = Path.home() / "repository"
_REPOSITORY.mkdir()
os.environ.update(_ME)
os.chdir(_REPOSITORY)
subprocess.run(["git", "init", "--quiet"], check=True, timeout=60)

_OWN_RETRIES_S = base_coder.RETRY_TIMEOUT
_LAST_OF_ITS_GREETING = "Repo-map: disabled"
# As connect/aider.md says it: what aider is to know of the model.
_METADATA = _REPOSITORY / ".aider.model.metadata.json"
_METADATA.write_text(
    json.dumps({"openai/openclaw": {"max_input_tokens": 128_000, "mode": "chat", "supports_vision": True}})
)
register_litellm_models([_METADATA])


class Heard(InputOutput):  # type: ignore[misc]
    """What aider shows, and the error for which it shows an error."""

    def __init__(self) -> None:
        super().__init__(pretty=False, yes=True, fancy_input=False)
        self.answer = ""
        self.error: BaseException | None = None

    def assistant_output(self, message: str, pretty: bool | None = None) -> None:
        self.answer = message

    def tool_error(self, message: str = "", strip: bool = True) -> None:
        self.error = self.error or sys.exc_info()[1] or RuntimeError(message)


def coder(call: Call, *, streams: bool = False, files: tuple[str, ...] = ()) -> Any:
    os.environ.update(OPENAI_API_BASE=call.base_url, OPENAI_API_KEY=call.api_key)
    model: Any = Model(f"openai/{call.model}")
    # How long it asks again, beside the retries of the library it asks with.
    base_coder.RETRY_TIMEOUT = _OWN_RETRIES_S if call.retries is None else 0
    if call.retries is not None:
        model.extra_params = {"max_retries": call.retries}
    made: Any = base_coder.Coder.create(
        main_model=model, edit_format="ask", io=Heard(), fnames=files, stream=streams, map_tokens=0
    )
    made.done_messages = call.conversation[:-1]
    return made


def asked(call: Call, **more: Any) -> Any:
    """The coder after its answer; raises what made it show an error."""
    with contextlib.redirect_stdout(io.StringIO()):
        made = coder(call, **more)
        for _ in made.run_stream(call.conversation[-1]["content"]):
            pass
    if made.io.error:
        raise made.io.error
    return made


def plain(call: Call) -> dict[str, Any]:
    made = asked(call)
    usage = {"input": made.total_tokens_sent, "output": made.total_tokens_received}
    hit = re.search(r"(\d+) cache hit", made.usage_report or "")
    return {"text": made.io.answer, "usage": {**usage, "cached": int(hit[1]) if hit else 0}}


def stream(call: Call) -> Iterator[str]:
    with contextlib.redirect_stdout(io.StringIO()):
        made = coder(call, streams=True)
        yield from made.run_stream(call.text)
    if made.io.error:
        raise made.io.error


async def cancel(call: Call) -> dict[str, Any]:
    """The command line, interrupted as with Ctrl-C when the first words are there."""
    os.environ.update(OPENAI_API_BASE=call.base_url, OPENAI_API_KEY=call.api_key)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aider", "--model", f"openai/{call.model}", "--message", call.text,
        "--chat-mode", "ask", "--map-tokens", "0", "--no-pretty", "--no-check-update", "--no-gitignore",
        "--no-show-release-notes",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert child.stdout
    shown, answer = "", ""
    try:
        while not answer and (more := await child.stdout.read(4096)):
            shown += more.decode()
            answer = shown.partition(_LAST_OF_ITS_GREETING)[2].strip()
        child.send_signal(signal.SIGINT)
        await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if not answer:
        raise RuntimeError(shown)
    return {"pieces": [answer]}


def stream_usage(call: Call) -> dict[str, Any]:
    made = asked(call, streams=True)
    return {"usage": {"input": made.total_tokens_sent, "output": made.total_tokens_received}}


def reasoning(call: Call) -> dict[str, Any]:
    _, _, shown = asked(call).io.answer.partition("**THINKING**")
    thoughts, _, answer = shown.partition("------------\n► **ANSWER**")
    return {"text": answer.strip(), "reasoning": thoughts.strip()}


def image(call: Call) -> dict[str, Any]:
    picture = _REPOSITORY / "picture.png"
    picture.write_bytes(base64.b64decode(call.image.partition(",")[2]))
    return {"text": asked(call, files=(str(picture),)).io.answer}


if __name__ == "__main__":
    serve(globals())
