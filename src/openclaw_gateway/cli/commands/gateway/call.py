"""`gateway call`: one method of the control protocol, with what is passed to it, and its answer as it is."""

from typing import Any, Unpack

import click
import msgspec

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.gateway.principal import ADMIN, READ, WRITE
from openclaw_gateway.logs import configure_logging


@click.command(
    "call", cls=WithExample, example="sessions.list --params '{\"limit\": 5}'", params=[json_option()]
)
@click.argument("method")
@click.option("--params", metavar="JSON", default="{}", help="An object; {} when left out.")
@click.option("--timeout", "timeout_ms", type=WholeNumber(1), default=10_000, show_default=True, metavar="MS")
@gateway_options
@pass_invocation
def command(
    invocation: Invocation,
    *,
    method: str,
    params: str,
    timeout_ms: int,
    **which: Unpack[Which],
) -> None:
    """Call METHOD of the running gateway, with the operator's rights, and print its answer."""
    configure_logging(level="silent")
    try:
        asked = msgspec.json.decode(params, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise click.BadParameter(f"no JSON object: {error}", param_hint="--params") from None
    answer = asked_gateway(
        Surroundings.of(invocation),
        method,
        asked,
        scopes=(READ, WRITE, ADMIN),
        timeout_s=timeout_ms / 1000,
        as_said=True,
        **which,
    )
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"result": answer})
    else:
        terminal.verbatim(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())
