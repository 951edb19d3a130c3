"""Which agent and which session: the whole table, without a socket."""

import pytest

from openclaw_gateway.agents.roster import Agent, Roster
from openclaw_gateway.errors import InvalidRequest, NotFound
from openclaw_gateway.gateway.routing import Ask, Route, route

ROSTER = Roster([Agent("main", "Main", ""), Agent("beta", "Beta", "")], "main")
OTHER_DEFAULT = Roster([Agent("alpha", "A", ""), Agent("beta", "B", "")], "beta")


@pytest.mark.promise("agent-as-model")
@pytest.mark.parametrize("brand", ["openclaw", "clawdbot"])
@pytest.mark.parametrize(
    ("model", "agent"),
    [
        ("{}", "main"),
        ("{}/default", "main"),
        ("{}:beta", "beta"),
        ("{}/beta", "beta"),
        ("{}:BETA", "beta"),
        ("agent:beta", "beta"),
        ("", "main"),
        (None, "main"),
    ],
)
def test_models(brand: str, model: str | None, agent: str) -> None:
    for name in {model, model.upper()} if model else {model}:
        asked = name.format(brand) if name else name
        assert route(Ask(model=asked), ROSTER) == Route(agent, None)


def test_the_default_agent_is_the_configured_one() -> None:
    assert route(Ask(), OTHER_DEFAULT).agent_id == "beta"
    assert route(Ask(model="openclaw/default"), OTHER_DEFAULT).agent_id == "beta"


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (Ask(model="openclaw:main", agent="beta"), Route("beta", None)),
        (Ask(agent=" Beta "), Route("beta", None)),
        (Ask(user="Alice"), Route("main", "agent:main:openai-user:alice", "alice")),
        (
            Ask(user="x:thread:y", agent="beta"),
            Route("beta", "agent:beta:openai-user:x:thread:y", "x:thread:y"),
        ),
        (Ask(user="   "), Route("main", None)),
        (Ask(session_key="My Key", user="ada"), Route("main", "agent:main:my key", "ada")),
        (Ask(session_key="k", agent="beta"), Route("beta", "agent:beta:k")),
        (Ask(session_key="agent:BETA:K"), Route("beta", "agent:beta:k")),
        (Ask(session_key="agent:beta:k", model="openclaw"), Route("beta", "agent:beta:k")),
        (Ask(session_key="agent:beta:k", model="openclaw:beta"), Route("beta", "agent:beta:k")),
        (Ask(session_key="  ", user="ada"), Route("main", "agent:main:openai-user:ada", "ada")),
        (Ask(session_key="ключ 日本", agent="beta"), Route("beta", "agent:beta:ключ 日本")),
    ],
)
def test_routes(ask: Ask, expected: Route) -> None:
    assert route(ask, ROSTER) == expected


@pytest.mark.parametrize(
    ("ask", "code", "param"),
    [
        (Ask(model="openclaw/bad agent!"), "agent_not_found", "model"),
        (Ask(model="clawdbot:nosuch"), "agent_not_found", "model"),
        (Ask(agent="../x"), "agent_not_found", "x-openclaw-agent-id"),
        (Ask(session_key="agent:nosuch:x"), "agent_not_found", "x-openclaw-session-key"),
        (Ask(session_key="agent:beta:x", agent="main"), "session_agent_mismatch", "x-openclaw-session-key"),
        (Ask(session_key="subagent:x"), "session_key_reserved", "x-openclaw-session-key"),
        (Ask(user="u" * 300), "session_key_invalid", "user"),
    ],
)
def test_refusals(ask: Ask, code: str, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        route(ask, ROSTER)
    assert (caught.value.code, caught.value.param) == (code, param)


@pytest.mark.parametrize(
    ("ask", "choices"),
    [
        (Ask(model="openclaw/x"), "`openclaw`, `openclaw/main`, `openclaw/beta`"),
        (Ask(agent="x"), "`main`, `beta`"),
        (Ask(session_key="agent:x:y"), "`main`, `beta`"),
    ],
)
def test_an_unknown_agent_is_told_of_in_one_sentence_with_what_there_is(ask: Ask, choices: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        route(ask, ROSTER)
    assert caught.value.message == (
        f"Unknown agent 'x'. Use one of {choices}, or add the agent to the configuration (agents.list)."
    )


@pytest.mark.parametrize("model", ["gpt-4o", "openclaw/", "agent:"])
def test_an_unknown_model_is_not_found(model: str) -> None:
    with pytest.raises(NotFound) as caught:
        route(Ask(model=model), ROSTER)
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (
        404,
        "model_not_found",
        "model",
    )


def test_a_refusal_lists_what_to_use_and_cleans_what_it_quotes() -> None:
    with pytest.raises(NotFound, match="`openclaw/beta`") as caught:
        route(Ask(model="evil\r\n\x1b[31m" + "x" * 200), ROSTER)
    assert "\n" not in caught.value.message
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 500


def test_an_unknown_model_may_mean_the_default_agent() -> None:
    assert route(Ask(model="gpt-4o"), ROSTER, "default") == Route("main", None)
    with pytest.raises(InvalidRequest):
        route(Ask(model="openclaw/nosuch"), ROSTER, "default")


@pytest.mark.promise("limit.model-name")
@pytest.mark.parametrize(
    "ask", [Ask(model=" " * 257), Ask(model="x" * 257, agent="beta"), Ask(model="x" * 257)]
)
def test_a_name_that_every_chunk_repeats_is_not_long(ask: Ask) -> None:
    with pytest.raises(InvalidRequest) as refused:
        route(ask, ROSTER, "default")
    assert refused.value.param == "model"
    assert route(Ask(model="x" * 256), ROSTER, "default").agent_id == "main"
