"""Agent ids: one normal form, and what names an agent as it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.agents.roster import compile_roster
from openclaw_gateway.config.agent_id import asked_agent_id, is_agent_id, normal_agent_id
from openclaw_gateway.config.schema import AgentEntry, AgentsConfig
from tests.config.conftest import House


@pytest.mark.parametrize(
    ("text", "agent_id"),
    [
        ("  Ops Team! ", "ops-team"),
        ("-x", "x"),
        ("é", "main"),
        ("", "main"),
        ("Beta", "beta"),
        ("a" * 70, "a" * 64),
        ("İstanbul", "i-stanbul"),
        ("a_b-c", "a_b-c"),
        ("\u212aelvin", "kelvin"),  # the Kelvin sign folds to k
        ("///", "main"),
        ("../../etc", "etc"),
    ],
)
def test_the_normal_form_is_that_of_both_systems(text: str, agent_id: str) -> None:
    assert normal_agent_id(text) == agent_id


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("main", True),
        ("Beta_2", True),
        ("", False),
        ("-x", False),
        ("a b", False),
        ("é", False),
        ("a" * 65, False),
    ],
)
def test_an_agent_id_is_recognised(text: str, *, yes: bool) -> None:
    assert is_agent_id(text) is yes


@pytest.mark.promise("CVE-2026-100533")
@given(st.text())
def test_a_normal_id_is_one_and_stays(text: str) -> None:
    agent_id = normal_agent_id(text)
    assert is_agent_id(agent_id)
    assert normal_agent_id(agent_id) == asked_agent_id(agent_id) == agent_id
    assert 0 < len(agent_id) <= 64


@pytest.mark.parametrize(
    ("text", "agent_id"),
    [
        ("ops-team", "ops-team"),
        (" Ops-Team\n", "ops-team"),
        ("Ops Team", None),
        ("main!", None),
        ("", None),
        ("///", None),
        ("\u212aelvin", None),
    ],
)
def test_a_name_nobody_has_is_not_taken_for_another_agent_s(text: str, agent_id: str | None) -> None:
    assert asked_agent_id(text) == agent_id
    roster = compile_roster(AgentsConfig(entries=(AgentEntry(id="ops-team"), AgentEntry(id="kelvin"))))
    found = roster.get(text)
    assert (found.id if found else None) == agent_id


def test_two_names_in_other_letters_are_told_which_letters_count(house: House) -> None:
    (problem,) = house.problems("{ agents: { list: [{ id: '小助手' }, { id: 'Помощник' }] } }")
    assert (
        'is the agent "main" (of a name only a to z, 0 to 9, _ and - count), which is already at' in problem
    )
