"""`approvals pending`: which commands wait for an operator's word, in the running gateway."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli.commands.approvals._gateway import operator
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.harmless import visible
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.running.options import gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.client.connection import GatewayClient

_LOOK_S = 0.5


@click.command("pending", cls=WithExample, example="--follow", params=[json_option()])
@click.option(
    "--follow", is_flag=True, help="Stay there to be asked, and show each question until interrupted."
)
@gateway_options
@pass_invocation
def command(
    invocation: Invocation,
    *,
    follow: bool,
    url: str | None,
    token: str | None,
    password: str | None,
    config_path: Path | None,
) -> None:
    """Show the commands that wait for an answer. Questions are only asked while somebody is connected."""
    around = Surroundings.of(invocation)

    async def show() -> None:
        async with operator(around, config_path, url, token, password) as client:
            if follow:
                await _follow(client, invocation)
                return
            asked = await _open(client)
        if invocation.json:
            Terminal(invocation).result({"pending": asked})
            return
        for one in asked:
            _say(one, invocation)
        if not asked:
            Terminal(invocation).say("No command waits for an answer.")

    run(show())


async def _follow(client: GatewayClient, invocation: Invocation) -> None:
    terminal = Terminal(invocation)
    terminal.notice("Waiting for questions; end with Ctrl-C.")
    known: set[str] = set()
    while True:
        asked = {one["id"]: one for one in await _open(client)}
        for id_, one in asked.items():
            if id_ not in known and invocation.json:
                terminal.json(one)
            elif id_ not in known:
                _say(one, invocation)
        if not invocation.json:
            for id_ in known - asked.keys():
                terminal.say(f"{id_} is answered, or over.")
        known = set(asked)
        await asyncio.sleep(_LOOK_S)


async def _open(client: GatewayClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.request("exec.approval.list")).get("items", [])
    return items


def _say(asked: Mapping[str, Any], invocation: Invocation) -> None:
    request = asked["request"]
    terminal = Terminal(invocation)
    terminal.heading(asked["id"])
    terminal.row("command", visible(request["command"]))
    terminal.row("in", visible(request["cwd"]))
    terminal.row("program", request["resolvedPath"] or "")
    if request["envKeys"]:
        terminal.row("sets", ", ".join(request["envKeys"]))
    terminal.row("why", request["warningText"])
    terminal.say(f"{invocation.typed} approvals answer {asked['id']} {'|'.join(request['decisions'])}")
