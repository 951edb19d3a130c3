"""The worked example of the page about agents and skills, typed as it stands: it does what the page says."""

import asyncio
import os
import sys
from pathlib import Path

import msgspec
import pytest

from openclaw_gateway.agents.front_matter import front_matter
from openclaw_gateway.agents.requirements import needs_of
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.testing.replies import Call, calls, says
from tests.cli.conftest import Program, configured, program
from tests.docs.pages import blocks, pages

__all__ = ["configured", "program"]  # fixtures of another folder

EXAMPLE = pages()["docs/agents-and-skills.md"].partition("## An example")[2].partition("\n## ")[0]
WRITTEN, USED = (block.text for block in blocks(EXAMPLE, "sh"))
LINE = "- Daniel Deronda, George Eliot\n"


async def shell(program: Program, text: str) -> str:
    """What the lines write, typed into a shell in which `openclaw` is found."""
    tools = program.home.parent / "bin"
    tools.mkdir(exist_ok=True)
    command = tools / "openclaw"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m openclaw_gateway "$@"\n')
    command.chmod(0o700)
    environ = {**program.environ, "PATH": f"{tools}{os.pathsep}{program.environ['PATH']}"}
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", text),
        env=environ,
        cwd=program.home,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


def call(name: str, **arguments: str) -> Call:
    return Call(name, msgspec.json.encode(arguments).decode())


@pytest.mark.promise("show-prompt")
async def test_the_librarian_works_as_it_is_written(configured: Program, models: ModelServer) -> None:
    models.script(
        "m",
        calls(call("read", path="skills/reading-list/SKILL.md")),
        calls(call("read", path="books.md")),
        calls(call("write", path="books.md", content=f"- Middlemarch, George Eliot\n{LINE}")),
        says("Daniel Deronda, for its Gwendolen. It is on the list."),
    )
    await shell(configured, WRITTEN)
    await configured.gateway()
    said = await shell(configured, USED)
    library: Path = configured.home / "library"
    assert "You look after Ada's library." in said
    assert "Puts a book on Ada's reading list" in said
    assert "Read it first." not in said.partition("Daniel")[0], (
        "the rest of a skill is read when it is needed"
    )
    assert said.rstrip().endswith("It is on the list.")
    assert (library / "books.md").read_text() == f"- Middlemarch, George Eliot\n{LINE}"
    first, second, third, _ = (request.body["messages"] for request in models.requests)
    assert "You look after Ada's library." in first[0]["content"]
    assert "Read it first." in second[-1]["content"]
    assert "Middlemarch" in third[-1]["content"]
    offered = {tool["function"]["name"] for tool in models.requests[0].body["tools"]}
    assert "write" in offered
    assert offered.isdisjoint({"exec", "process"})


def test_the_needs_of_the_page_are_read() -> None:
    (block,) = blocks(pages()["docs/agents-and-skills.md"], "yaml")
    head = front_matter(f"---\nname: github\ndescription: Looks.\n{block.text}---\n")
    needs = needs_of(head["metadata"])
    assert (needs.os, needs.primary_env) == (("linux", "darwin"), "GH_TOKEN")
    assert (needs.requires.bins, needs.requires.env) == (("gh",), ("GH_TOKEN",))
