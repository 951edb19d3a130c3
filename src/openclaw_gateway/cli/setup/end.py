"""The end of `setup`: what was decided is tried, written, and said to whoever will use it."""

import click

from openclaw_gateway.cli.failure import CommandFailed, of_gateway_error
from openclaw_gateway.cli.running.address import EVERYWHERE
from openclaw_gateway.cli.setup.choices import Choices
from openclaw_gateway.cli.setup.own_address import own_address
from openclaw_gateway.cli.setup.setting_up import Draft, drafted
from openclaw_gateway.config.auth import is_loopback
from openclaw_gateway.config.listen import DEFAULT_PORT
from openclaw_gateway.doors.ui.snippets import CLIENTS
from openclaw_gateway.errors import ConfigError, GatewayError
from openclaw_gateway.models.trial import Trial


def set_up(choices: Choices, *, untested: bool = False, starts: bool = False) -> None:
    """Nothing is written where the model does not answer, unless a person says so. `starts`: the gateway is
    started right afterwards. Raises CommandFailed, ConfigError."""
    draft = drafted(choices.around, choices.paths, choices.wanted, choices.variables)
    trial = None if untested else _trial(choices, draft)
    draft.write()
    if choices.invocation.json:
        choices.terminal.result(_described(choices, draft, trial))
    else:
        _tell(choices, draft, trial, starts=starts)


def _trial(choices: Choices, draft: Draft) -> Trial | None:
    if choices.asks:
        choices.terminal.aside(f"\nAsking {draft.plan.model.ref} …\n")
    try:
        return draft.tried()
    except GatewayError as error:
        if not choices.asks:
            raise _not_written(error) from None
        choices.terminal.fault(error.message)
        if not click.confirm("Write the configuration all the same?", default=False):
            raise _not_written(error) from None
        return None


def _not_written(error: GatewayError) -> CommandFailed:
    failed = of_gateway_error(error)
    if isinstance(error, ConfigError):
        return failed
    return CommandFailed(
        f"{error.message} Nothing is written; --no-test writes it without asking the model.",
        code=failed.code,
        kind=failed.kind,
    )


def _described(choices: Choices, draft: Draft, trial: Trial | None) -> dict[str, object]:
    origin, token = _origin(draft), draft.plan.auth.secret
    return {
        "config": str(draft.path),
        "model": draft.plan.model.ref,
        "url": origin,
        "urlElsewhere": _origin_elsewhere(draft),
        "token": token,
        "trial": {"text": trial.text, "durationMs": trial.duration_ms} if trial else None,
        "connect": {name: CLIENTS[name].lines(origin, token) for name in choices.connect},
    }


def _tell(choices: Choices, draft: Draft, trial: Trial | None, *, starts: bool) -> None:
    terminal, program = choices.terminal, choices.invocation.typed
    origin, token = _origin(draft), draft.plan.auth.secret
    if trial is not None:
        terminal.say(f"{draft.plan.model.ref} answers, in {trial.duration_ms / 1000:.1f} s.")
    terminal.say(f"Wrote {draft.path}" + (f" and {draft.dotenv}." if draft.variables else "."))
    if not starts:
        terminal.heading("Start it:")
        terminal.verbatim(f"{program} gateway run")
    for name in choices.connect:
        terminal.heading(f"{CLIENTS[name].title}:")
        terminal.verbatim(CLIENTS[name].lines(origin, token))
    elsewhere = _origin_elsewhere(draft)
    if elsewhere is not None:
        terminal.heading("From other machines, the same with this address:")
        terminal.verbatim(elsewhere)
    terminal.heading("Talk to it in a terminal:")
    terminal.verbatim(f"{program} agent hi")


def _origin_elsewhere(draft: Draft) -> str | None:
    """What other machines say instead; None where they cannot reach it, or nobody knows how."""
    listen = draft.plan.listen
    if listen is None or all(map(is_loopback, listen.hosts)):
        return None
    host = next((host for host in listen.hosts if not is_loopback(host) and host not in EVERYWHERE), None)
    host = host or own_address()
    return None if host is None else f"http://{f'[{host}]' if ':' in host else host}:{listen.port}"


def _origin(draft: Draft) -> str:
    listen = draft.plan.listen
    return f"http://127.0.0.1:{listen.port if listen else DEFAULT_PORT}"
