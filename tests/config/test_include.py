from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.config.merge import merge
from tests.config.conftest import DATA, House

VALUES = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


def test_a_split_configuration_reads_like_one(house: House) -> None:
    loaded = house.load(config=DATA / "split/openclaw.json")
    config = loaded.config
    assert (config.gateway.port, config.gateway.bind) == (19500, "lan")
    assert [entry.id for entry in config.agents.entries] == ["main", "beta"]
    assert config.agents.defaults.model is not None
    assert config.agents.defaults.model.primary == "local/m"
    assert list(config.models.providers) == ["local"]
    assert "$include" not in str(loaded.document)


def test_faults_name_the_file_they_are_in(house: House) -> None:
    house.write("{ agents: {\n list: [\n { id: 'b', nam: 'x' } ] } }", "parts/b.json")
    house.write("{ gateway: {\n\n prt: 1 } }", "parts/c.json")
    problems = house.problems(
        "{ $include: ['parts/b.json', './parts/c.json'],\n agents: { list: [ { id: 'a' }, { id: 'B' } ] },\n"
        " gateway: { bind: 1 } }"
    )
    assert problems == [
        'openclaw.json:2: agents.list[2].id: is the agent "b", which is already at agents.list[0].id; '
        "rename one",
        'openclaw.json:3: gateway.bind: must be one of "auto", "custom", "lan", "loopback", "tailnet", '
        "but is a number",
        'parts/b.json:3: agents.list[0].nam: is not a known key; did you mean "name"?',
        'parts/c.json:3: gateway.prt: is not a known key; did you mean "port"?',
    ]


def test_an_include_may_replace_anything(house: House) -> None:
    house.write("[ { id: 'x' } ]", "list.json")
    loaded = house.load("{ agents: { list: { $include: 'list.json' } } }")
    assert [entry.id for entry in loaded.config.agents.entries] == ["x"]
    assert house.problems("{ agents: {\n list: { $include: 'list.json', more: 1 } } }") == [
        "openclaw.json:2: agents.list: must be a list, but is an object",
        "openclaw.json:2: agents.list.$include: has keys next to it, so the included file must hold "
        "an object",
    ]


def test_every_include_that_fails_is_reported(house: House, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("{}")
    house.write("{ a: 1\n b: 2 }", "broken.json")
    (house.state / "link.json").symlink_to(tmp_path / "outside.json")
    problems = house.problems(
        """{
        gateway: { $include: "gone.json" },
        agents: { $include: "../outside.json" },
        models: { $include: "link.json" },
        session: { $include: "broken.json" },
        logging: { $include: [] },
        tools: { $include: [1] },
        env: { $include: "a\\0b" },
        }"""
    )
    outside = "it is outside the configuration's folder; list its folder in OPENCLAW_INCLUDE_ROOTS"
    assert [problem.split(" (or")[0] for problem in problems] == [
        'openclaw.json:2: gateway.$include: includes "gone.json", but there is no such file',
        f'openclaw.json:3: agents.$include: includes "../outside.json", but {outside}',
        f'openclaw.json:4: models.$include: includes "link.json", but {outside}',
        "openclaw.json:6: logging.$include: must be a file name or a list of file names",
        "openclaw.json:7: tools.$include: must be a file name or a list of file names",
        'openclaw.json:8: env.$include: includes "a\0b", but that is not a usable path',
        "broken.json:2: session.$include: not valid JSON5: a comma or } is missing before this",
    ]


def test_a_listed_folder_may_be_included_from(house: House, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "g.json").write_text("{ port: 1234 }")
    text = f"{{ gateway: {{ $include: '{shared}/g.json' }} }}"
    assert "CLAWDBOT_INCLUDE_ROOTS" in house.problems(text)[0]
    loaded = house.load(text, environ={"OPENCLAW_INCLUDE_ROOTS": str(shared)})
    assert loaded.config.gateway.port == 1234


def test_a_linked_main_file_includes_from_its_own_folder(house: House, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles"
    real.mkdir()
    (real / "main.json").write_text("{ gateway: { $include: 'g.json' } }")
    house.write("{ port: 1234 }", "g.json")
    (house.state / "openclaw.json").symlink_to(real / "main.json")
    assert house.load().config.gateway.port == 1234


def test_a_circle_is_named_with_the_whole_chain(house: House) -> None:
    house.write("{ $include: 'b.json' }", "a.json")
    house.write("{ $include: 'a.json' }", "b.json")
    (problem,) = house.problems("{ $include: 'a.json' }")
    assert problem == (
        'b.json:1: $include: includes "a.json", but that leads in a circle: a.json -> b.json -> a.json'
    )


def test_includes_end_at_ten_levels_and_at_a_thousand_files(house: House) -> None:
    for level in range(11):
        house.write(f"{{ $include: '{level + 1}.json' }}", f"{level}.json")
    house.write("{}", "11.json")
    assert house.problems("{ $include: '0.json' }") == [
        '9.json:1: $include: includes "10.json", but includes are more than 10 files deep'
    ]
    house.load("{ $include: '2.json' }")
    names = ["wide.json"] * 40
    house.write(f"{{ $include: {['leaf.json'] * 40} }}", "wide.json")
    house.write("{}", "leaf.json")
    assert "more than 1000 included files" in house.problems(f"{{ $include: {names} }}")[0]


@pytest.mark.promise("overlay")
def test_the_overlay_corrects_and_its_lists_replace(house: House) -> None:
    house.write(
        """{ gateway: { limits: { maxRuns: 7 }, trustedProxies: ["10.0.0.1"],
             http: { $include: "http.json" } } }""",
        "openclaw-gateway.json",
    )
    house.write("{ cors: { allowedOrigins: ['*'] } }", "http.json")
    loaded = house.load("{ gateway: { port: 5, trustedProxies: ['10.0.0.2', '10.0.0.3'] } }")
    gateway = loaded.config.gateway
    assert (gateway.port, gateway.limits.max_runs, gateway.trusted_proxies) == (5, 7, ("10.0.0.1",))
    assert gateway.http.cors.allowed_origins == ("*",)
    house.write("{ gateway: {\n limits: { maxRun: 1 } } }", "openclaw-gateway.json")
    assert house.problems() == [
        'openclaw-gateway.json:2: gateway.limits.maxRun: is not a known key; did you mean "maxRuns"?'
    ]


@pytest.mark.promise("overlay")
def test_the_overlay_may_stand_alone(house: House) -> None:
    house.write("{\n gateway: { prt: 1 } }", "openclaw-gateway.json")
    assert house.problems() == [
        'openclaw-gateway.json:2: gateway.prt: is not a known key; did you mean "port"?'
    ]
    house.write("{ gateway: { port: 7 } }", "openclaw-gateway.json")
    loaded = house.load()
    assert loaded.config.gateway.port == 7
    assert not loaded.exists


@given(VALUES, VALUES)
def test_merging_keeps_what_only_one_side_has(one: object, other: object) -> None:
    merged = merge(one, other, lists="concatenate")
    if isinstance(one, dict) and isinstance(other, dict):
        assert merged.keys() == one.keys() | other.keys()
    elif isinstance(one, list) and isinstance(other, list):
        assert merged == one + other
    else:
        assert merged == other
    assert merge({}, one, lists="replace") == one
