"""`config validate`: everything that is wrong with the configuration, at once, without starting anything."""

from pathlib import Path
from typing import Any

import click

from openclaw_gateway.agents.roster import Agent, compile_roster
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.auth import check_exposure, resolve_auth
from openclaw_gateway.config.listen import resolve_bind, resolve_port
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.errors import ConfigError, GatewayError
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.tools.patterns import pattern_problems


@click.command("validate", cls=WithExample, example="--json", params=[json_option()])
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="Another configuration file.")
@pass_invocation
def command(invocation: Invocation, config_path: Path | None) -> int:
    """Check the configuration and print every problem. Exit code 0 or 78."""
    terminal = Terminal(invocation)
    try:
        loaded = Surroundings.of(invocation).load(config_path)
    except ConfigError as error:
        return _tell(terminal, invocation, None, error.problems)
    return _tell(terminal, invocation, loaded, _problems(loaded))


def _problems(loaded: LoadedConfig) -> list[str]:
    """What only shows when the parts are put together as a start does it."""
    gateway, environ = loaded.config.gateway, loaded.environ
    problems: list[str] = []

    def attempt(check: Any) -> Any:
        try:
            return check()
        except ConfigError as error:
            problems.extend(error.problems)
        except GatewayError as error:
            problems.append(error.message)
        return None

    auth = attempt(lambda: resolve_auth(gateway.auth, environ=environ))
    attempt(lambda: resolve_port(loaded.config, environ=environ))
    hosts = attempt(lambda: resolve_bind(loaded.config))
    if auth and hosts:
        attempt(lambda: check_exposure(hosts[0], auth))
    catalog = Catalog(loaded.config, environ)
    for agent in compile_roster(loaded.config.agents):
        attempt(lambda agent=agent: _check_model(catalog, agent))
    problems.extend(pattern_problems(loaded.config))
    return list(dict.fromkeys(problems))


def _check_model(catalog: Catalog, agent: Agent) -> None:
    """Raises GatewayError. Without a model of its own an agent has the default, chosen at the start."""
    if agent.model is not None:
        catalog.resolve(agent.model, params={**agent.model_params.get(agent.model, {}), **agent.params})


def _tell(
    terminal: Terminal, invocation: Invocation, loaded: LoadedConfig | None, problems: list[str]
) -> int:
    notices = list(loaded.notices) if loaded else []
    if invocation.json:
        path = {"path": str(loaded.path), "exists": loaded.exists} if loaded else {}
        terminal.json({"ok": not problems, **path, "problems": problems, "notices": notices})
        return CONFIG if problems else 0
    for problem in problems:
        terminal.fault(problem)
    for notice in notices:
        terminal.notice(notice)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        terminal.fault(f"{count} found.")
        return CONFIG
    if loaded:
        valid = f"{loaded.path} is valid."
        terminal.say(valid if loaded.exists else f"There is no {loaded.path}: the defaults apply.")
    return 0
