"""Which folder is whose, and which settings hold there."""

from pathlib import Path

import pytest

from openclaw_gateway.agents.homes import Home, compile_homes, shared_homes
from openclaw_gateway.config.schema import AgentDefaults, AgentEntry, AgentsConfig

STATE = Path("/home/u/.openclaw")


@pytest.mark.promise("workspace-place")
@pytest.mark.parametrize(
    ("shared", "own", "profile", "main", "other"),
    [
        (None, None, None, "/home/u/.openclaw/workspace", "/home/u/.openclaw/workspace-other"),
        (None, None, "default", "/home/u/.openclaw/workspace", "/home/u/.openclaw/workspace-other"),
        ("/data/ws", None, None, "/data/ws", "/data/ws/other"),
        ("/data/ws", "/mine", None, "/data/ws", "/mine"),
        (None, "relative", None, "/home/u/.openclaw/workspace", "/home/u/.openclaw/relative"),
    ],
)
def test_workspaces(shared: str | None, own: str | None, profile: str | None, main: str, other: str) -> None:
    config = AgentsConfig(
        defaults=AgentDefaults(workspace=shared),
        entries=(AgentEntry(id="other", workspace=own), AgentEntry(id="main", default=True)),
    )
    homes = compile_homes(config, state_dir=STATE, profile=profile)
    assert {agent: str(home.workspace) for agent, home in homes.items()} == {"other": other, "main": main}


@pytest.mark.parametrize(
    ("state", "folder"),
    [
        ("/home/u/.openclaw-work", "/home/u/.openclaw/workspace-work"),
        ("/srv/state", "/srv/state/workspace-work"),
    ],
)
def test_a_profile_s_workspace(state: str, folder: str) -> None:
    homes = compile_homes(AgentsConfig(), state_dir=Path(state), profile="work")
    assert str(homes["main"].workspace) == folder


def test_an_agent_s_own_settings_win_key_by_key() -> None:
    config = AgentsConfig(
        defaults=AgentDefaults(
            skip_bootstrap=True, bootstrap_max_chars=100, context_injection="never", workspace="/w"
        ),
        entries=(
            AgentEntry(id="a"),
            AgentEntry(id="b", skip_bootstrap=False, bootstrap_total_max_chars=9, skills=("x",)),
            AgentEntry(id="c", bootstrap_max_chars=7, context_injection="always"),
        ),
    )
    homes = compile_homes(config, state_dir=STATE)
    assert homes["a"] == Home("a", Path("/w"), "never", 100, seed=False)
    assert homes["b"] == Home("b", Path("/w/b"), "never", 100, 9, ("x",))
    assert homes["c"] == Home("c", Path("/w/c"), "always", 7, seed=False)


def test_shared_folders_are_known() -> None:
    config = AgentsConfig(
        entries=(AgentEntry(id="a", workspace="/w"), AgentEntry(id="b"), AgentEntry(id="c", workspace="/w"))
    )
    homes = compile_homes(config, state_dir=STATE)
    assert shared_homes(homes.values()) == ((Path("/w"), ("a", "c")),)
