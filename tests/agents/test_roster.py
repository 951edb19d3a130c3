"""Agents from both shapes of the configuration, with defaults under their own settings."""

import pytest

from openclaw_gateway.agents.prompt import with_instructions
from openclaw_gateway.agents.roster import DEFAULT_TIMEOUT_S, compile_roster
from openclaw_gateway.config.schema import AgentDefaults, AgentEntry, AgentIdentity, AgentsConfig, ModelChoice


def test_without_any_agent_there_is_main() -> None:
    roster = compile_roster(AgentsConfig())
    assert (roster.ids, roster.default_id) == (("main",), "main")
    agent = roster.get("MAIN")
    assert agent is not None
    assert agent.prompt == "You are a helpful assistant."
    assert agent.timeout_s == DEFAULT_TIMEOUT_S


@pytest.mark.parametrize(
    ("entries", "system_agent", "default"),
    [
        ((AgentEntry(id="a"), AgentEntry(id="b")), None, "a"),
        ((AgentEntry(id="a"), AgentEntry(id="b", default=True)), None, "b"),
        ((AgentEntry(id="a", default=True), AgentEntry(id="b")), "b", "b"),
    ],
)
def test_the_default_agent(entries: tuple[AgentEntry, ...], system_agent: str | None, default: str) -> None:
    config = AgentsConfig(entries=entries, system_agent_id=system_agent)
    assert compile_roster(config).default_id == default


def test_an_agent_s_own_settings_win() -> None:
    defaults = AgentDefaults(model=ModelChoice("p/m", ("p/f",)), timeout_seconds=30)
    own = AgentEntry(
        id="own",
        model=ModelChoice("q/n"),
        timeout_seconds=0,
        identity=AgentIdentity(name="Basho", theme="You speak in haiku."),
    )
    roster = compile_roster(AgentsConfig(defaults=defaults, entries=(AgentEntry(id="plain"), own)))
    plain, special = roster.get("plain"), roster.get("own")
    assert plain is not None
    assert special is not None
    assert (plain.model, plain.fallbacks, plain.timeout_s) == ("p/m", ("p/f",), 30)
    assert (special.model, special.fallbacks, special.timeout_s) == ("q/n", (), None)
    assert special.name == "Basho"
    assert special.prompt == "You are Basho, a helpful assistant. You speak in haiku."


@pytest.mark.parametrize(
    ("name", "identity", "told"),
    [
        (None, None, "You are a helpful assistant."),
        ("Dev", None, "You are Dev, a helpful assistant."),
        (None, "Basho", "You are Basho, a helpful assistant."),
        ("Dev", "Basho", "You are Basho, a helpful assistant."),
    ],
)
def test_an_agent_is_told_the_name_it_was_given(name: str | None, identity: str | None, told: str) -> None:
    entry = AgentEntry(id="dev", name=name, identity=AgentIdentity(name=identity))
    agent = compile_roster(AgentsConfig(entries=(entry,))).get("dev")
    assert agent is not None
    assert agent.prompt == told


def test_instructions_follow_the_agent_s_prompt() -> None:
    assert with_instructions("A", "B") == "A\n\nB"
    assert with_instructions("", "B") == "B"
    assert with_instructions("A", "") == "A"
