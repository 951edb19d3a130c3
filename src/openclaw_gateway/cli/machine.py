"""What a configuration without problems asks for and does not find on this machine.

No start is refused for any of it: it looks at folders, programs and packages that may come and go.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from openclaw_gateway.agents.roster import entries_of
from openclaw_gateway.agents.skill_rules import skill_rules
from openclaw_gateway.agents.skills import find_skills
from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.blueprint.written import agents_in
from openclaw_gateway.config.places import KeyPath, dotted
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.models.target import LOCAL
from openclaw_gateway.runs.plans.planning import without_sandbox
from openclaw_gateway.tools.mcp.servers import missing_package


async def missing_here(plan: Blueprint) -> list[str]:
    """One sentence each."""
    found = [*_skills(plan), *_log_file(plan), *_embedded_model(plan)]
    if (notice := missing_package(plan.loaded.config.mcp)) is not None:
        found.append(notice)
    return [*found, *(await no_sandbox(plan))]


async def no_sandbox(plan: Blueprint) -> list[str]:
    """Why agents that were promised a sandbox answer 503."""
    with_tools = {name: agent.tools for name, agent in plan.agents.items() if agent.policies}
    return list((await without_sandbox(with_tools, plan.loaded.environ)).values())


def _skills(plan: Blueprint) -> Iterator[str]:
    """Names of skills that are nowhere; those of the defaults where no agent has one of that name."""
    loaded, where = plan.loaded, agents_in(plan.loaded)
    rules = skill_rules(loaded)
    found: dict[tuple[KeyPath, str], bool] = {}
    for entry in entries_of(loaded.config.agents):
        path = ("agents", "defaults") if entry.skills is None else where[entry.id]
        home = plan.prompts[entry.id]
        for name in home.skills or ():
            looked = find_skills(home.workspace, rules, (name,), loaded.environ)
            written = rules.entry(name)
            here = bool(looked.skills or looked.unmet) or (written is not None and not written.enabled)
            found[path, name] = found.get((path, name), False) or here
    for (path, name), there in found.items():
        if not there:
            folders = ", ".join(map(str, rules.folders))
            what = f'no skill "{name}" is found, neither in the workspace nor in {folders}'
            yield f"{dotted((*path, 'skills'))}: {what}."


def _log_file(plan: Blueprint) -> Iterator[str]:
    """The start would make what is missing; it cannot make what is in the way."""
    file = plan.loaded.config.logging.file
    if not file:
        return
    path = Path(file)
    folder = next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
    if path.is_dir():
        yield f"logging.file: {path} is a directory; name a file in it."
    elif folder != path.absolute() and not folder.is_dir():
        yield f"logging.file: {folder} is no directory, so that {path} cannot be made."
    elif not os.access(folder, os.W_OK):
        yield f"logging.file: {folder} may not be written to by this user."


def _embedded_model(plan: Blueprint) -> Iterator[str]:
    targets = (target for agent in plan.agents.values() for target in agent.targets)
    if any(target.provider == LOCAL and not target.endpoint.base_url for target in targets):
        missing = LocalModel.from_environment(plan.loaded.environ).unavailable()
        if missing is not None:
            yield missing
