"""What decides about one agent's tools: a policy for every model that may answer. Pure.

Joins the models floor, which knows the names a provider has, to the tools floor, which knows the steps.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from openclaw_gateway.config.schema import AgentToolsConfig, ProfiledToolPolicy, ToolsConfig
from openclaw_gateway.models.defaults import provider_id
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.tools.policy import PolicyInput

_NOTHING = ProfiledToolPolicy()


def policies_of(
    tools: ToolsConfig, own: AgentToolsConfig, targets: Sequence[ModelTarget]
) -> tuple[PolicyInput, ...]:
    """One per model: any of them may be the one that calls a tool."""
    tools = replace(tools, by_provider=_folded(tools.by_provider))
    own = replace(own, by_provider=_folded(own.by_provider))
    return tuple(PolicyInput(tools, own, provider_id(each.provider), each.model) for each in targets)


def _folded(scopes: Mapping[str, ProfiledToolPolicy]) -> dict[str, ProfiledToolPolicy]:
    """With the names of providers as everything compares them."""
    folded: dict[str, ProfiledToolPolicy] = {}
    for key, scope in scopes.items():
        provider, slash, model = key.partition("/")
        name = f"{provider_id(provider)}{slash}{model.strip().lower()}"
        before = folded.get(name, _NOTHING)
        # Two names of one provider: neither loses what it takes away.
        folded[name] = replace(
            scope,
            profile=scope.profile or before.profile,
            allow=scope.allow or before.allow,
            deny=(*before.deny, *scope.deny),
        )
    return folded
