"""`models test`: one short call to each model, one after the other. Uses a few tokens of each."""

from collections.abc import Mapping
from pathlib import Path

import click
from msgspec import Struct

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
from openclaw_gateway.errors import GatewayError, InvalidRequest, error_type
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.models.trial import Trial
from openclaw_gateway.runs.known_models import KnownModel


class _Outcome(Struct, frozen=True):
    model: KnownModel
    trial: Trial | None
    error: GatewayError | None


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
    outcomes: list[_Outcome] = []
    for model in wanted:
        if terminal.errors_are_seen and not invocation.json:
            terminal.aside(f"{model.ref} …\n")
        outcomes.append(run(_outcome(model, plan.loaded.environ)))
        if not invocation.json:
            _tell(terminal, outcomes[-1])
    failed = any(each.error is not None for each in outcomes)
    if invocation.json:
        terminal.result({"ok": not failed, "models": [_described(each) for each in outcomes]})
    return FAILED if failed else 0


async def _outcome(model: KnownModel, environ: Mapping[str, str]) -> _Outcome:
    if model.target is None:
        return _Outcome(model, None, InvalidRequest(model.problem, code="model_not_found"))
    try:
        return _Outcome(model, await tried_alone(model.target, environ), None)
    except GatewayError as error:
        return _Outcome(model, None, error)


def _tell(terminal: Terminal, outcome: _Outcome) -> None:
    if outcome.error is not None:
        terminal.fault(f"{outcome.model.ref} fails. {outcome.error.message}")
    elif outcome.trial is not None:
        said = " ".join(outcome.trial.text.split())[:60] or "(nothing yet: it still thinks)"
        terminal.say(f"{outcome.model.ref} answers in {outcome.trial.duration_ms / 1000:.1f} s: {said}")


def _described(outcome: _Outcome) -> dict[str, object]:
    trial, error = outcome.trial, outcome.error
    return {
        "ref": outcome.model.ref,
        "ok": error is None,
        "text": trial.text if trial else None,
        "durationMs": trial.duration_ms if trial else None,
        "usage": trial.usage if trial else None,
        "error": None
        if error is None
        else {"type": error_type(error), "code": error.code, "message": error.message},
    }
