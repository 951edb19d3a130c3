"""Which tools an agent has: a pipeline of steps that only ever take away. Pure.

    profile -> provider profile -> global -> global by provider -> agent -> agent by provider
            -> sandbox -> sub-agent

Rules. Inside a step deny wins; between steps nothing comes back. A list of what is allowed that matches no
tool leaves no tool. `alsoAllow` widens the list of its own profile (or of the sandbox) and nothing else: what
another step takes away stays away. An agent's profile, and its `alsoAllow`, replace the global ones. Without
any profile the default one applies, unless an `allow` of the operator's says itself what is wanted.
`apply_patch` and `manage` go with `write`: allowed with it, denied with it, for they change files.
"""

from collections.abc import Iterable

from msgspec import Struct

from openclaw_gateway.config.schema import (
    AgentToolsConfig,
    GlobalWebSettings,
    Profile,
    ProfiledToolPolicy,
    ToolPolicy,
    ToolsConfig,
)
from openclaw_gateway.tools.name_pattern import matches
from openclaw_gateway.tools.policy.matching import expanded, normal_name
from openclaw_gateway.tools.policy.profiles import (
    DEFAULT_PROFILE,
    PROFILES,
    SANDBOX_ALLOW,
    SANDBOX_DENY,
    SPAWNING,
    SUBAGENT_DENY,
)

_WITH_WRITE = ("apply_patch", "manage")


class PolicyInput(Struct, frozen=True):
    """All that decides. `provider` and `model` are those of the run's model reference `provider/model`.
    `spawns`: a sub-agent that may have sub-agents of its own."""

    tools: ToolsConfig = ToolsConfig()
    agent: AgentToolsConfig = AgentToolsConfig()
    provider: str = ""
    model: str = ""
    sandboxed: bool = False
    subagent: bool = False
    spawns: bool = False


class Step(Struct, frozen=True):
    """Patterns in their normal form. `allow` None is no limit; an empty one lets nothing pass."""

    allow: tuple[str, ...] | None
    deny: tuple[str, ...] = ()

    def passes(self, name: str) -> bool:
        """`name` in its normal form."""
        if matches(name, self.deny) or (name in _WITH_WRITE and matches("write", self.deny)):
            return False
        if self.allow is None or matches(name, self.allow):
            return True
        return name in _WITH_WRITE and matches("write", self.allow)


def allowed(names: Iterable[str], policy: PolicyInput) -> tuple[str, ...]:
    """Those of the names that every step lets pass, in the order given."""
    pipeline = steps(policy)

    def passes(name: str) -> bool:
        normal = normal_name(name)
        return all(step.passes(normal) for step in pipeline)

    return tuple(filter(passes, names))


def profile_of(tools: ToolsConfig, agent: AgentToolsConfig) -> Profile | None:
    """The profile that an agent has by its configuration; None = no limit."""
    profile = agent.profile or tools.profile
    if profile is None and not (agent.allow or tools.allow):
        return DEFAULT_PROFILE
    return profile


def steps(policy: PolicyInput) -> tuple[Step, ...]:
    """The pipeline for this agent, model and place; steps that say nothing are left out."""
    tools, agent = policy.tools, policy.agent
    for_all = _for_model(tools.by_provider, policy)
    for_agent = _for_model(agent.by_provider, policy)
    found = [
        _profile(policy),
        _provider_profile(for_agent, for_all),
        _written(tools, _switched_off(tools)),
        _written(for_all),
        _written(agent, _switched_off(agent)),
        _written(for_agent),
    ]
    if policy.sandboxed:
        found.append(_sandbox(tools, agent))
    if policy.subagent:
        found.append(_subagent(tools, agent, spawns=policy.spawns))
    return tuple(step for step in found if step.allow is not None or step.deny)


def _profile(policy: PolicyInput) -> Step:
    tools, agent = policy.tools, policy.agent
    return _of_profile(profile_of(tools, agent), agent.also_allow or tools.also_allow)


def _provider_profile(*scopes: ProfiledToolPolicy) -> Step:
    """Of the first scope that names one."""
    named = next((scope for scope in scopes if scope.profile), ProfiledToolPolicy())
    return _of_profile(named.profile, named.also_allow)


def _of_profile(profile: Profile | None, also: tuple[str, ...]) -> Step:
    members = PROFILES[profile] if profile else None
    return Step(None if members is None else expanded((*members, *also)))


def _written(scope: ToolPolicy, more: tuple[str, ...] = ()) -> Step:
    return Step(expanded(scope.allow) if scope.allow else None, expanded((*scope.deny, *more)))


def _switched_off(tools: ToolsConfig | AgentToolsConfig) -> tuple[str, ...]:
    """Tools with a switch of their own: off means denied in that scope."""
    off = []
    if tools.exec and tools.exec.apply_patch and tools.exec.apply_patch.enabled is False:
        off.append("apply_patch")
    if tools.web and tools.web.fetch and tools.web.fetch.enabled is False:
        off.append("web_fetch")
    if isinstance(tools.web, GlobalWebSettings) and tools.web.search and tools.web.search.enabled is False:
        off.append("web_search")
    return tuple(off)


def _sandbox(tools: ToolsConfig, agent: AgentToolsConfig) -> Step:
    scopes = [scope.sandbox.tools for scope in (agent, tools) if scope.sandbox and scope.sandbox.tools]
    allow = next((scope.allow for scope in scopes if scope.allow), SANDBOX_ALLOW)
    also = next((scope.also_allow for scope in scopes if scope.also_allow), ())
    deny = next((scope.deny for scope in scopes if scope.deny), SANDBOX_DENY)
    return Step(expanded((*allow, *also)), expanded(deny))


def _subagent(tools: ToolsConfig, agent: AgentToolsConfig, *, spawns: bool) -> Step:
    """What is denied by default comes back only by name in `alsoAllow`, and the tool that makes sub-agents by
    their depth; what is denied on purpose never."""
    scopes = [scope.subagents.tools for scope in (agent, tools) if scope.subagents and scope.subagents.tools]
    allow = next((scope.allow for scope in scopes if scope.allow), ())
    also = expanded(next((scope.also_allow for scope in scopes if scope.also_allow), ()))
    if spawns:
        also = (*also, SPAWNING)
    usual = tuple(name for name in SUBAGENT_DENY if not matches(name, also))
    denied = tuple(pattern for scope in scopes for pattern in scope.deny)
    return Step(expanded((*allow, *also)) if allow else None, expanded((*usual, *denied)))


def _for_model(scopes: dict[str, ProfiledToolPolicy], policy: PolicyInput) -> ProfiledToolPolicy:
    """The entry for the model, else the one for its provider."""
    folded = {key.strip().lower(): scope for key, scope in scopes.items()}
    provider = policy.provider.strip().lower()
    exact = folded.get(f"{provider}/{policy.model.strip().lower()}") if policy.model else None
    return exact or folded.get(provider) or ProfiledToolPolicy()
