"""The built-in tools. The folder is the list: a module here is the tool of its name.

It has `REGISTRATION`, what the policy must know of it, and `build(services, agent)`, which returns the tool
in a tuple, or an empty one where this agent has none. It imports nothing from agents/, sessions/ or models/,
nor from tools/policy, which reads this list.
"""

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

from openclaw_gateway.tools.base import Tool, ToolAgent, ToolServices
from openclaw_gateway.tools.registration import Registration


def built_in(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    """Every built-in tool, before policy."""
    return tuple(tool for module in _modules().values() for tool in module.build(services, agent))


def registrations() -> dict[str, Registration]:
    """By the name of the tool."""
    return {name: module.REGISTRATION for name, module in _modules().items()}


@cache
def _modules() -> dict[str, ModuleType]:
    return {each.name: import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)}
