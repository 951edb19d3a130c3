"""`store status`: which store is used and how it stands. Nothing is changed, and a gateway may be at work."""

from pathlib import Path

import click

from openclaw_gateway import engines
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.counted import counted
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import FAILED
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.stores.meant import Meant, store_meant
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.instance import holder
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.sessions.sqlite.standing import standing
from openclaw_gateway.sessions.standing import Standing
from openclaw_gateway.sizes import size_text


@click.command("status", cls=WithExample, example="", params=[json_option()])
@click.option("--url", metavar="URL", help="Another database than the one of store.url.")
@config_option
@pass_invocation
def command(invocation: Invocation, *, url: str | None, config_path: Path | None) -> int:
    """Show where conversations are kept, and how that stands. Exit code 0, or 1 when it takes no writes."""
    configure_logging(level="silent")
    meant = store_meant(Surroundings.of(invocation), url, config_path)
    found = standing(meant.file) if meant.url is None else run(engines.standing(meant.url))
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"ok": not found.trouble, **_described(found)})
    else:
        _show(invocation, terminal, meant, found)
    return FAILED if found.trouble else 0


def _described(found: Standing) -> dict[str, object]:
    return {
        "store": found.kind,
        "place": found.place,
        "schema": found.schema,
        "newestSchema": found.newest,
        "bytes": found.size,
        "sessions": found.sessions,
        "openRuns": found.open_runs,
        "replicas": [
            {"id": one.id, "role": one.role, "version": one.version, "address": one.address}
            | {"startedMs": one.started_ms, "runs": one.runs, "maxRuns": one.most}
            for one in found.replicas
        ],
        "documents": list(found.documents),
        "takesWrites": not found.trouble,
        "detail": found.trouble,
    }


def _show(invocation: Invocation, terminal: Terminal, meant: Meant, found: Standing) -> None:
    terminal.title(found.place)
    if not found.schema:
        made = (
            "with its first start"
            if meant.url is None
            else "with its first start or `openclaw store migrate`"
        )
        terminal.row("schema", "none yet", aside=invocation.worded(f"a gateway makes it {made}"))
    else:
        behind = f"this release has {found.newest}" if found.schema != found.newest else ""
        terminal.row("schema", str(found.schema), aside=behind)
    terminal.row("size", size_text(found.size))
    terminal.row("sessions", f"{found.sessions:,}")
    terminal.row("runs", f"{found.open_runs:,} open")
    if found.documents:
        terminal.row("documents", ", ".join(found.documents), aside="what all processes go by")
    for one in found.replicas:
        aside = f"{counted(one.runs, 'run')}, {one.version}"
        terminal.row("replica", f"{one.role} at {one.address}", aside=aside)
    at_work = holder(meant.own_dir) if meant.url is None else None
    if at_work is not None:
        terminal.row("gateway", at_work.url or "at work", aside=f"pid {at_work.pid}" if at_work.pid else "")
    terminal.row("writes", f"no: {found.trouble}" if found.trouble else "yes")
