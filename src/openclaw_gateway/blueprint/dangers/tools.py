"""How far the agents' tools reach: commands without a list, a sandbox that may be written through, folders
with more in them than an agent's own, tools that HTTP clients call themselves."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.blueprint.dangers.danger import Danger, set_to, unset
from openclaw_gateway.blueprint.exposed import held_workspaces
from openclaw_gateway.blueprint.written import agents_in
from openclaw_gateway.config.places import KeyPath
from openclaw_gateway.runs.plans.planning import Settled
from openclaw_gateway.tools.policy.over_http import CLOSED, closed_over_http
from openclaw_gateway.tools.policy.pipeline import allowed

_SHARED: KeyPath = ("agents", "defaults")


def of_tools(plan: Blueprint, program: str) -> Iterator[Danger]:
    opened = plan.loaded.config.gateway.tools
    names = sorted(name for name in CLOSED if not closed_over_http(name, opened))
    if names:
        yield Danger(
            "gateway.tools_invoke_http.dangerous_allow",
            "critical",
            f"Whoever has the secret may call {', '.join(names)} over POST /tools/invoke, and no agent and "
            "no person is asked.",
            unset(program, ("gateway", "tools", "allow")),
        )
    for agent_id, settled in plan.agents.items():
        yield from _commands(plan, program, agent_id, settled)
        yield from _sandbox(plan, program, agent_id, settled)
    yield from _workspaces(plan, program)


def _commands(plan: Blueprint, program: str, agent_id: str, settled: Settled) -> Iterator[Danger]:
    if not any(allowed(("exec",), policy) for policy in settled.policies):
        return
    in_sandbox = settled.tools.sandbox.get("mode", "off") == "all"
    if in_sandbox or settled.tools.settings.get("exec", {}).get("security", "allowlist") != "full":
        return
    keys = ("mode", "security")
    own = _place(plan, agent_id, ("tools", "exec"), keys) or ()
    path = (*own, "tools", "exec")
    # The one word stands for both of the other two, and not beside them.
    key = next((each for each in keys if each in (_written(plan, path) or {})), "security")
    yield Danger(
        "tools.exec.full_without_sandbox",
        "critical",
        f'The agent "{agent_id}" runs any command its model thinks of, with all that your account may do, '
        "outside of a sandbox.",
        set_to(program, (*path, key), "allowlist"),
    )


def _sandbox(plan: Blueprint, program: str, agent_id: str, settled: Settled) -> Iterator[Danger]:
    sandbox = settled.tools.sandbox
    if sandbox.get("mode", "off") == "off":
        return
    if sandbox.get("workspaceAccess") == "rw":
        path = _place(plan, agent_id, ("sandbox",), ("workspaceAccess",)) or _SHARED
        yield Danger(
            "sandbox.workspace_writable",
            "info",
            f'What runs in the sandbox of the agent "{agent_id}" may change its workspace, and with it what '
            "runs outside later.",
            set_to(program, (*path, "sandbox", "workspaceAccess"), "ro"),
        )
    if sandbox.get("network") is True:
        path = _place(plan, agent_id, ("sandbox",), ("network",)) or _SHARED
        yield Danger(
            "sandbox.network",
            "info",
            f'What runs in the sandbox of the agent "{agent_id}" reaches the network, and what it has read '
            "can leave.",
            set_to(program, (*path, "sandbox", "network"), value=False),
        )


def _workspaces(plan: Blueprint, program: str) -> Iterator[Danger]:
    state_dir = plan.loaded.state_dir
    for folder, ids, what in held_workspaces(plan.prompts.values(), plan.loaded.home, state_dir):
        path = _place(plan, ids[0], (), ("workspace",)) or _SHARED
        own = state_dir / "workspaces"
        yield Danger(
            "agents.workspace_holds_more",
            "warning",
            f"The workspace {folder} ({', '.join(ids)}) {what}, and the tools of its agents reach all of it.",
            set_to(program, (*path, "workspace"), str(own if path == _SHARED else own / Path(ids[0]).name)),
        )


def _place(plan: Blueprint, agent_id: str, section: KeyPath, keys: tuple[str, ...]) -> KeyPath | None:
    """Where the agent is written, if it has a word of its own there; None where the shared one counts."""
    path = agents_in(plan.loaded).get(agent_id)
    written = None if path is None else _written(plan, (*path, *section))
    return path if written is not None and any(key in written for key in keys) else None


def _written(plan: Blueprint, path: KeyPath) -> Mapping[str, object] | None:
    """The section that stands there in the file."""
    value: object = plan.loaded.document
    for step in path:
        match value:
            case dict():
                value = value.get(str(step))
            case list() if isinstance(step, int) and step < len(value):
                value = value[step]
            case _:
                return None
    return value if isinstance(value, dict) else None
