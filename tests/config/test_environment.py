import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.config.environment import layered, parse_dotenv
from openclaw_gateway.config.secrets.references import Unset
from tests.config.conftest import House


@pytest.mark.parametrize(
    ("text", "found", "strange"),
    [
        ("A=1\nB = 2\n", {"A": "1", "B": "2"}, []),
        ("export A=1\r\nB=2", {"A": "1", "B": "2"}, []),
        ("\ufeff# note\n\n  # more\nA=1 # why\nB=a#b\nC=#x", {"A": "1", "B": "a#b", "C": ""}, []),
        ('A=\'$x \\n\' # c\nB="a\\n\\"b\\"\\\\"', {"A": "$x \\n", "B": 'a\n"b"\\'}, []),
        ('KEY="-----BEGIN\nabc\n-----END"\nB=1', {"KEY": "-----BEGIN\nabc\n-----END", "B": "1"}, []),
        ("A=b=c\nA.B-c=1\nE=", {"A": "b=c", "A.B-c": "1", "E": ""}, []),
        ("A=1\nnonsense\n1X=2\nB=2\nC='open\nD=4", {"A": "1", "B": "2", "D": "4"}, [2, 3, 5]),
        ("A=1\nA=2", {"A": "2"}, []),
        ("", {}, []),
    ],
)
def test_dotenv(text: str, found: dict[str, str], strange: list[int]) -> None:
    assert parse_dotenv(text) == (found, strange)


@given(st.text(alphabet="AB=\"'\\# \n\r\texport\ufeff"))
def test_any_text_is_read_to_its_end(text: str) -> None:
    _, strange = parse_dotenv(text)
    assert strange == sorted(set(strange))


def test_the_earlier_layer_wins_unless_blank() -> None:
    assert layered({"A": "1", "B": " "}, {"A": "2", "B": "2", "C": "2"}) == {"A": "1", "B": "2", "C": "2"}


@pytest.mark.promise("CVE-2026-59261")
def test_process_before_dotenv_before_env_block(house: House) -> None:
    house.write("P=dotenv\nD=dotenv\nnot a line\n", ".env")
    before = dict(os.environ)
    loaded = house.load(
        """{ env: { vars: { P: "block", D: "block", V: "block", R: "${P}!" },
                    DIRECT: "direct", shellEnv: {} },
             gateway: { allowedHosts: ["${P}", "${D}", "${V}", "${R}", "${DIRECT}"] } }""",
        environ={"P": "process"},
    )
    assert loaded.config.gateway.allowed_hosts == ("process", "dotenv", "block", "process!", "direct")
    assert dict(os.environ) == before
    assert loaded.environ["V"] == "block"
    assert [notice for notice in loaded.notices if ".env:3" in notice]


def test_what_is_wrong_with_the_env_block_is_said(house: House) -> None:
    assert house.problems('{ env: {\n vars: { A: 1,\n B: "x" }, C: true } }') == [
        "openclaw.json:2: env.vars.A: must be text in quotes",
        "openclaw.json:3: env.C: must be text in quotes",
    ]


def test_a_variable_that_needs_one_that_is_not_set_is_not_set_either(house: House) -> None:
    loaded = house.load('{ env: { vars: { A: "a", B: "${NOPE}-b" } } }')
    assert loaded.wanted == {("env", "vars", "B"): Unset(("NOPE",))}
    assert (loaded.environ["A"], "B" in loaded.environ) == ("a", False)
    assert house.problems("{ env: [] }") == ["openclaw.json:1: env: must be an object, but is a list"]
    assert house.problems("{ env: { vars: 1 } }") == ["openclaw.json:1: env.vars: must be an object"]


def test_a_dotenv_that_cannot_be_read_is_an_error(house: House) -> None:
    (house.state / ".env").mkdir(parents=True)
    assert house.problems("{}") == [".env: it is a directory, not a file"]


def test_half_a_character_from_a_variable_is_refused(house: House) -> None:
    (problem,) = house.problems('{ agents: { list: [{ id: "a", name: "${X}" }] } }', environ={"X": "a\udcff"})
    assert "agents.list[0].name: holds half of a character" in problem


@pytest.mark.promise("CVE-2026-59261")
def test_a_dotenv_anywhere_else_does_not_count(house: House) -> None:
    """Not in the folder the gateway is started in, nor in a workspace that an agent writes to."""
    for folder in (house.home, house.state / "workspace", house.state / "gateway"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".env").write_text(
            "TOKEN=planted\nOPENAI_API_KEY=planted\nOPENCLAW_GATEWAY_TOKEN=planted\n"
        )
    loaded = house.load('{ gateway: { auth: { token: "${TOKEN}" } } }', environ={"TOKEN": "the-real-one"})
    assert "planted" not in str(dict(loaded.environ))
    assert "planted" not in str(loaded.config)
