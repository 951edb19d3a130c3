"""`store copy`: all that is kept goes from the file into a database, or back."""

from pathlib import Path

import click

from openclaw_gateway import engines
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.stores.long_work import Tell, shown
from openclaw_gateway.cli.stores.meant import SCHEMES, Meant, locked, store_meant
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.sessions.copying.copy import Copied, copy
from openclaw_gateway.sessions.copying.ends import Source, Target
from openclaw_gateway.sessions.copying.sqlite_ends import SqliteSource, SqliteTarget

_FILE, _DATABASE = "sqlite", "postgresql"


@click.command("copy", cls=WithExample, example="--to postgresql", params=[json_option()])
@click.option(
    "--to",
    "to",
    required=True,
    metavar="STORE",
    help="sqlite (the state directory's file), postgresql (the database of store.url), or a URL of one.",
)
@click.option("--from", "from_", metavar="STORE", help="The same; else the other one of the two.")
@click.option("--anew", is_flag=True, help="Drop what an earlier start has copied, and begin again.")
@config_option
@pass_invocation
def command(
    invocation: Invocation, *, to: str, from_: str | None, anew: bool, config_path: Path | None
) -> None:
    """Copy all that is kept into an empty store of the other kind: sessions, runs, what is kept beside them,
    usage. The gateway must not run. What is cut off goes on where it was with the same command, and all of it
    is compared at the end. The source stays as it is."""
    configure_logging(level="silent")
    into_file = _is_file(to)
    if from_ is not None and _is_file(from_) is into_file:
        raise click.UsageError("One end is sqlite, the other a database.")
    database = from_ if into_file else to
    url = database if database is not None and database.startswith(SCHEMES) else None
    meant = store_meant(Surroundings.of(invocation), url, config_path)
    if meant.url is None:
        raise click.UsageError(
            "store.url is not set: name the database, like postgresql://user@host/database."
        )
    terminal = Terminal(invocation)
    with locked(invocation, meant.own_dir), shown(invocation, terminal) as tell:
        done = run(_copied(meant, meant.url, tell, into_file=into_file, anew=anew))
    _tell(invocation, terminal, done)


def _is_file(end: str) -> bool:
    if end == _FILE:
        return True
    if end == _DATABASE or end.startswith(SCHEMES):
        return False
    # Of an address only what cannot be a password.
    named, mark, _ = end.partition("://")
    shown_end = f"{named}{mark}…" if mark else named
    raise click.UsageError(
        f"{shown_end!r} is no store: say sqlite, postgresql, or postgresql://user@host/database."
    )


async def _copied(meant: Meant, url: str, tell: Tell, *, into_file: bool, anew: bool) -> Copied:
    database = engines.copy_end(url)
    source: Source = database if into_file else SqliteSource(meant.file)
    target: Target = SqliteTarget(meant.file) if into_file else database
    try:
        await source.open()
        await target.open()
        return await copy(source, target, tell, anew=anew)
    finally:
        try:
            await source.close()
        finally:
            await target.close()


def _tell(invocation: Invocation, terminal: Terminal, done: Copied) -> None:
    if invocation.json:
        tables = [
            {"name": name, "rows": rows, "sha256": done.digests[name]} for name, rows in done.rows.items()
        ]
        terminal.result({"from": done.source, "to": done.target, "wentOn": done.went_on, "tables": tables})
        return
    terminal.title(f"{done.source} is copied into {done.target}, and is the same there.")
    for name, rows in done.rows.items():
        terminal.row(name, f"{rows:,}")
