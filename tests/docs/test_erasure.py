"""What operations.md says of erasing a person, done as written: nothing that was said is found again."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from openclaw_gateway.testing.gateway import TOKEN, model_config
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.testing.replies import calls, says
from tests.cli.conftest import Program, configured, program
from tests.docs.pages import blocks, pages
from tests.docs.test_agents_and_skills import call, shell
from tests.doors.chat import assistant, user

__all__ = ["configured", "program"]  # fixtures of another folder

PAGE = pages()["docs/operations.md"]
STEPS = PAGE.partition("## A person's data is erased")[2].partition("\n## ")[0]
SECRET = "the-blue-heron-at-dawn"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400


def traces(folder: Path, *needles: bytes) -> Iterator[str]:
    """The files below that hold one of them."""
    for path in folder.rglob("*"):
        if path.is_file() and any(needle in path.read_bytes() for needle in needles):
            yield str(path.relative_to(folder))


async def test_what_was_said_is_gone(configured: Program, models: ModelServer) -> None:
    log = configured.state / "gateway.log"
    configured.configure(
        model_config(models.base_url, {"logging": {"file": str(log), "level": "debug"}}, model="m")
    )
    note = call("write", path="memory/notes.md", content=f"Ada spoke of {SECRET}.")
    remembered = says(f"I remember {SECRET}.")
    models.script("m", calls(note), *[remembered] * 4, says("Hello."))
    started = await configured.gateway()
    url = started.row("gateway")
    image = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
    picture = {"type": "image_url", "image_url": {"url": image}}
    said = user(f"Remember {SECRET}.")
    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {TOKEN}"}) as session:

        async def ask(*messages: Any, **more: Any) -> dict[str, Any]:
            body = {"model": "openclaw", "user": "ada", "messages": [*messages], **more}
            async with session.post("/v1/chat/completions", json=body) as response:
                assert response.status == 200, await response.text()
                answer: dict[str, Any] = await response.json()
                return answer

        await ask(said)
        answer = assistant(f"I remember {SECRET}.")
        shown = {"role": "user", "content": [{"type": "text", "text": f"And {SECRET}?"}, picture]}
        await ask(said, answer, shown)
        # An edited history leaves a branch; what a client has stored is kept for it.
        await ask(said, answer, user(f"No, {SECRET}, I said."))
        kept = await ask(user(f"Once more, {SECRET}."), store=True)
        # Somebody else's stays.
        await ask(user("I am Ben."), user="ben")
        before = {*traces(configured.state, SECRET.encode())}
        assert {"gateway/memory/main/operator/user-ada/notes.md"} <= before
        assert any("sessions.sqlite" in name for name in before)

        listed = await configured.run("sessions", "--search", "ada", "--json")
        keys = [each["key"] for each in listed.json["sessions"]]
        assert "agent:main:openai-user:ada" in keys
        assert any("~fork:" in key for key in keys)
        for key in keys:
            assert (await configured.run("sessions", "delete", key, "--yes")).code == 0
        async with session.delete(f"/v1/chat/completions/{kept['id']}") as response:
            assert response.status == 200
    (removal,) = [block.text for block in blocks(STEPS, "sh") if "rm -r" in block.text]
    await shell(configured, removal.replace("~/.openclaw", str(configured.state)))
    left = {*traces(configured.state, SECRET.encode(), PICTURE[300:900])}
    assert left == set()
    assert b"openai-user:ben" in (configured.state / "gateway" / "sessions.sqlite").read_bytes()
    # What stays says when and how much, not what: the page names it.
    assert re.search(r"keepLedger", STEPS)
    assert msgspec.json.decode(log.read_bytes().splitlines()[0])
