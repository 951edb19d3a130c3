"""`models test`: one short call to each model, one after the other. Uses a few tokens of each."""

from collections.abc import Mapping
from pathlib import Path

import click

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import FAILED
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.model_trial import tried_alone
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.errors import GatewayError, InvalidRequest
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.models.trial import Outcome, answered, failed
from openclaw_gateway.runs.plans.known_models import KnownModel


@click.command("test", cls=WithExample, example="openai/gpt-5", params=[json_option()])
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@config_option
@pass_invocation
def command(invocation: Invocation, *, models: tuple[str, ...], config_path: Path | None) -> int:
    """Ask each MODEL one short question (else those that agents use). Exit code 0, or 1 if one fails."""
    configure_logging(level="silent")
    plan = draw(Options(**Surroundings.of(invocation).for_options(), config_path=config_path)).check()
    known = plan.known_models
    wanted = [known.one(ref) for ref in models] or [each for each in known.all() if each.agents]
    terminal = Terminal(invocation)
    outcomes: list[Outcome] = []
    for model in wanted:
        if terminal.errors_are_seen and not invocation.json:
            terminal.aside(f"{model.ref} …\n")
        outcomes.append(run(_outcome(model, plan.loaded.environ)))
        if not invocation.json:
            _tell(terminal, outcomes[-1])
    any_failed = not all(each.ok for each in outcomes)
    if invocation.json:
        terminal.result({"ok": not any_failed, "models": outcomes})
    return FAILED if any_failed else 0


async def _outcome(model: KnownModel, environ: Mapping[str, str]) -> Outcome:
    if model.target is None:
        return failed(model.ref, InvalidRequest(model.problem, code="model_not_found"))
    try:
        return answered(model.ref, await tried_alone(model.target, environ))
    except GatewayError as error:
        return failed(model.ref, error)


def _tell(terminal: Terminal, outcome: Outcome) -> None:
    if outcome.error is not None:
        terminal.fault(f"{outcome.ref} fails. {outcome.error.message}")
    else:
        said = " ".join((outcome.text or "").split())[:60] or "(nothing yet: it still thinks)"
        terminal.say(f"{outcome.ref} answers in {(outcome.duration_ms or 0) / 1000:.1f} s: {said}")
