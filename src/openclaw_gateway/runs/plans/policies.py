"""What decides about one agent's tools: a policy for every model that may answer. Pure.

Joins the models floor, which knows the names a provider has, to the tools floor, which knows the steps.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from openclaw_gateway.config.schema import AgentToolsConfig, ProfiledToolPolicy, ToolsConfig
from openclaw_gateway.models.defaults import provider_id
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.tools.policy.pipeline import PolicyInput


def policies_of(
    tools: ToolsConfig, own: AgentToolsConfig, targets: Sequence[ModelTarget]
) -> tuple[PolicyInput, ...]:
    """At least one per model: any of them may be the one that calls a tool."""
    return tuple(
        PolicyInput(
            replace(tools, by_provider=shared),
            replace(own, by_provider=its),
            provider_id(target.provider),
            target.model,
        )
        for target in targets
        for shared in _folded(tools.by_provider)
        for its in _folded(own.by_provider)
    )


def _folded(scopes: Mapping[str, ProfiledToolPolicy]) -> list[dict[str, ProfiledToolPolicy]]:
    """With the names of providers as everything compares them. Two names of one provider both hold: the
    second one comes in a mapping of its own."""
    folded: list[dict[str, ProfiledToolPolicy]] = [{}]
    for key, scope in scopes.items():
        provider, slash, model = key.partition("/")
        name = f"{provider_id(provider)}{slash}{model.strip().lower()}"
        if all(name in each for each in folded):
            folded.append({})
        next(each for each in folded if name not in each)[name] = scope
    return folded
