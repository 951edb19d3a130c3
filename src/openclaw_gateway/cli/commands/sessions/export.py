"""`sessions export`: one conversation as a file."""

from pathlib import Path
from typing import Literal, Unpack

import click
import msgspec

from openclaw_gateway.cli.counted import counted
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.running.session import history, whole_key
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.transcript_text import markdown
from openclaw_gateway.logs import configure_logging


@click.command("export", cls=WithExample, example="main talk.md", params=[json_option()])
@click.argument("key")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "json"]),
    default=None,
    help="Markdown or JSON; else as FILE ends, Markdown on stdout.",
)
@gateway_options
@pass_invocation
def command(
    invocation: Invocation,
    *,
    key: str,
    file: Path | None,
    form: Literal["md", "json"] | None,
    **which: Unpack[Which],
) -> None:
    """Write the conversation KEY to FILE, which must not be there yet, or to stdout."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    told = history(around, whole_key(around, key, which), which)
    as_json = form == "json" or (form is None and file is not None and file.suffix == ".json")
    if as_json:
        text = msgspec.json.format(
            msgspec.json.encode({"key": told["sessionKey"], "messages": told["messages"]}), indent=1
        ).decode()
    else:
        text = f"# {told['sessionKey']}\n\n" + "\n".join(markdown(told["messages"]))
    terminal = Terminal(invocation)
    if told["hasMore"]:
        terminal.notice(
            f"of {told['totalMessages']:,} messages these are the newest {len(told['messages']):,}: "
            "older ones do not fit into one answer."
        )
    if file is None:
        terminal.verbatim(text.rstrip("\n"))
        return
    target = around.cwd / file
    try:
        with target.open("x", encoding="utf-8") as out:
            out.write(text.rstrip("\n") + "\n")
    except FileExistsError:
        raise CommandFailed(f"{target} is there already. Name another file.", code="export_failed") from None
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error}.", code="export_failed") from None
    if invocation.json:
        terminal.result({"file": str(target), "messages": len(told["messages"]), "hasMore": told["hasMore"]})
        return
    terminal.say(f"Saved {counted(len(told['messages']), 'message')} in {target}.")
