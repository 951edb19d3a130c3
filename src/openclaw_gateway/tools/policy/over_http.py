"""Which tools no client calls itself over HTTP, whatever its agent may do. Pure.

Closed is what executes, what changes files, and what makes other agents do something: there is no model and
no conversation that would have to want it. The names that only the other systems have stand here as they do
there, so that an `allow` of theirs means no mistake.
"""

from openclaw_gateway.config.schema import HttpToolsConfig
from openclaw_gateway.tools.name_pattern import matches
from openclaw_gateway.tools.policy.matching import expanded, normal_name

_CLOSED = """
    exec process spawn shell write edit apply_patch manage fs_write fs_delete fs_move
    sessions_spawn sessions_send cron gateway nodes
"""
CLOSED = frozenset(_CLOSED.split())


def closed_over_http(name: str, settings: HttpToolsConfig) -> bool:
    """Of the two lists deny wins."""
    one = normal_name(name)
    if matches(one, expanded(settings.deny)):
        return True
    return one in CLOSED and not matches(one, expanded(settings.allow))
