"""`store migrate`: the store is brought to this release's schema now, not with the next start."""

import asyncio
from pathlib import Path

import click

from openclaw_gateway import engines
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.stores.meant import Meant, locked, store_meant
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.sessions.sqlite.standing import standing
from openclaw_gateway.sessions.sqlite.store import SqliteStore


@click.command("migrate", cls=WithExample, example="", params=[json_option()])
@click.option("--url", metavar="URL", help="Another database than the one of store.url.")
@config_option
@pass_invocation
def command(invocation: Invocation, *, url: str | None, config_path: Path | None) -> None:
    """Bring the store to this release's schema, as a start does. Gateways of a database may go on running,
    that of the file may not."""
    configure_logging(level="silent")
    meant = store_meant(Surroundings.of(invocation), url, config_path)
    if meant.url is None:
        with locked(invocation, meant.own_dir):
            before, after = run(_file_migrated(meant))
    else:
        before, after = run(engines.migrated(meant.url))
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result(
            {"store": "sqlite" if meant.url is None else "postgresql", "from": before, "to": after}
        )
    elif before == after:
        terminal.say(f"The store has schema {after} already.")
    else:
        terminal.say(f"The store is at schema {after}, it had {before or 'none'}.")


async def _file_migrated(meant: Meant) -> tuple[int, int]:
    before = (await asyncio.to_thread(standing, meant.file)).schema
    store = SqliteStore(meant.file)
    await store.open()
    await store.close()
    return before, (await asyncio.to_thread(standing, meant.file)).schema
