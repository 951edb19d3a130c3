"""What makes a gateway that works a dangerous one, each with the exact words that mend it.

`security audit` tells it, and `doctor` the same. The facts are those that a start and `config validate` go
by (`blueprint.exposed`, `config.modes`, `config.auth`); here is what they mean, how bad it is and what mends
it. Looks at files, and changes none.
"""

from collections.abc import Iterator

from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.blueprint.dangers.danger import Danger
from openclaw_gateway.blueprint.dangers.door import at_the_door
from openclaw_gateway.blueprint.dangers.files import in_files
from openclaw_gateway.blueprint.dangers.network import on_the_network
from openclaw_gateway.blueprint.dangers.tools import of_tools
from openclaw_gateway.config.load import Partly

__all__ = ["Danger", "dangers"]


def dangers(read: Partly, plan: Blueprint, program: str) -> Iterator[Danger]:
    """`program` is how this one is called. Of a configuration with problems it tells what could be read."""
    yield from at_the_door(plan, program)
    yield from on_the_network(plan, program)
    yield from in_files(read, plan)
    yield from of_tools(plan, program)
