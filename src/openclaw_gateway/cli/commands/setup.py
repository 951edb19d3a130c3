"""`setup`: three questions, or flags, and there is a configuration that works, and what to paste for it."""

import sys

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.setup.choices import Choices
from openclaw_gateway.cli.setup.end import set_up
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.doors.ui.snippets import CLIENTS


@click.command("setup", cls=WithExample, example="--model ollama/qwen3:8b --yes", params=[json_option()])
@click.option("--model", metavar="REF", help="provider/model; else the best that is found.")
@click.option("--base-url", metavar="URL", help="A server of your own that speaks the OpenAI API.")
@click.option("--api-key-env", metavar="NAME", help="The variable that holds that server's key.")
@click.option("--bind", type=click.Choice(("loopback", "lan")), help="Where to listen; loopback by default.")
@click.option("--port", type=WholeNumber(1, 65_535), help="The port; 18789, or the next that is free.")
@click.option(
    "--connect",
    "clients",
    multiple=True,
    type=click.Choice(tuple(CLIENTS)),
    help="What to print for pasting.",
)
@click.option("--keep-key", is_flag=True, help="Copy the provider's key from the environment into .env.")
@click.option("--no-test", "untested", is_flag=True, help="Write it without asking the model first.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; what no flag says is taken as found.")
@pass_invocation
def command(
    invocation: Invocation,
    *,
    model: str | None,
    base_url: str | None,
    api_key_env: str | None,
    bind: str | None,
    port: int | None,
    clients: tuple[str, ...],
    keep_key: bool,
    untested: bool,
    yes: bool,
) -> None:
    """Make a configuration: which model, where to listen, what to connect. Leaves one that is there."""
    if api_key_env is not None and base_url is None:
        raise click.UsageError(
            "--api-key-env names the key of a server of your own: name that with --base-url."
        )
    asks = not yes and not invocation.json and sys.stdin.isatty() and sys.stdout.isatty()
    choices = Choices(invocation, asks=asks)
    choices.model(model, base_url, api_key_env, keep_key=keep_key)
    choices.place(bind, port)
    choices.clients(clients)
    set_up(choices, untested=untested)
