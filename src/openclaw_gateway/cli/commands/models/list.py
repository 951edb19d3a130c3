"""`models list`: the models of the configuration, who uses them; with --all what providers offer."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import click

from openclaw_gateway.blueprint import Blueprint, Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.models.providers import BUILT_IN
from openclaw_gateway.models.survey import ask
from openclaw_gateway.models.target import LOCAL
from openclaw_gateway.runs.plans.known_models import KnownModel

_ANSWER_S = 10.0


@click.command("list", cls=WithExample, example="--all", params=[json_option()])
@click.option("--all", "everything", is_flag=True, help="Ask the providers which models they have.")
@config_option
@pass_invocation
def command(invocation: Invocation, *, everything: bool, config_path: Path | None) -> None:
    """List the models: those that agents use, then what else the configuration has."""
    plan = draw(Options(**Surroundings.of(invocation).for_options(), config_path=config_path)).check()
    models = plan.known_models.all()
    offered = run(_offered(plan)) if everything else {}
    terminal = Terminal(invocation)
    if invocation.json:
        more = {"offered": offered} if everything else {}
        terminal.result(
            {"default": plan.model.ref, "models": [_described(model) for model in models], **more}
        )
        return
    for model in models:
        used = f"used by {', '.join(model.agents)}" if model.agents else ""
        terminal.title(model.ref)
        if used:
            terminal.row("", used)
        if model.problem:
            terminal.row("wrong", model.problem)
        elif model.target and model.target.context_window:
            terminal.row("", f"{model.target.context_window:,} tokens of context")
    for provider, names in offered.items():
        terminal.heading(f"{provider} has {len(names)}" if names else f"{provider} does not answer")
        for name in names:
            terminal.say(f"  {provider}/{name}")


def _described(model: KnownModel) -> dict[str, object]:
    return {
        "ref": model.ref,
        "agents": model.agents,
        "available": model.target is not None,
        "problem": model.problem or None,
        "api": model.target.api if model.target else None,
        "contextWindow": model.target.context_window if model.target else None,
    }


async def _offered(plan: Blueprint) -> Mapping[str, tuple[str, ...]]:
    """By provider; () of one that does not say."""
    names = [name for name in plan.catalog.endpoints.usable() if name != LOCAL]
    lists = await asyncio.gather(*(_listed(plan, name) for name in names))
    return dict(zip(names, lists, strict=True))


async def _listed(plan: Blueprint, provider: str) -> tuple[str, ...]:
    entry = plan.loaded.config.models.providers.get(provider)
    known = BUILT_IN.get(provider)
    api = (entry and entry.api) or (known.api if known else "openai-completions")
    try:
        endpoint = plan.catalog.endpoints.of(provider, "")
        return await ask(endpoint, api, asyncio.get_running_loop().time() + _ANSWER_S)
    except (TimeoutError, GatewayError, KeyError):
        return ()
