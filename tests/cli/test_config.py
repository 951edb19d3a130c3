"""`config file`, `config get`, `config validate`."""

import asyncio

import pytest

from openclaw_gateway.cli.key_path import look_up, parse_key_path
from openclaw_gateway.config.masking import masked
from openclaw_gateway.config.places import dotted
from openclaw_gateway.redaction import MASK
from openclaw_gateway.testing.model_server import ModelServer
from tests.cli.conftest import Program

CONFIG = """{
  // a comment
  gateway: { port: 19999, auth: { token: "0123456789abcdef-secret" } },
  agents: { list: [ { id: "main" }, { id: "Work", model: "mine/m" } ] },
  models: { providers: { mine: { baseUrl: "http://127.0.0.1:9/v1", apiKey: "${MY_KEY}" } } },
  channels: { telegram: { botToken: "123:abc" } },
}"""


@pytest.fixture
def written(program: Program) -> Program:
    program.configure(CONFIG)
    program.environ["MY_KEY"] = "sk-something-private"
    return program


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("gateway.port", ("gateway", "port")),
        ("agents.list[0].id", ("agents", "list", 0, "id")),
        ('models.providers["a.b"].api', ("models", "providers", "a.b", "api")),
        ("x[1][2]", ("x", 1, 2)),
    ],
)
def test_paths_are_read_as_they_are_written(path: str, steps: tuple[str | int, ...]) -> None:
    assert parse_key_path(path) == steps
    assert dotted(steps) == path


@pytest.mark.parametrize("path", ["", ".", "a..b", "a[", "a[x]", "a]b", ".a", 'a["b]'])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        parse_key_path(path)


def test_a_step_that_leads_nowhere_is_a_lookup_error() -> None:
    for path in ("a.b", "a[2]", "a.x", "b"):
        with pytest.raises(LookupError):
            look_up({"a": [1, 2]}, parse_key_path(path))


def test_masking_knows_secrets_by_name_and_leaves_references() -> None:
    document = {
        "gateway": {"auth": {"token": "t", "password": "${PASSWORD}"}, "port": 1},
        "env": {"vars": {"ANYTHING": "x"}},
        "models": {"providers": {"p": {"apiKey": {"source": "env", "id": "P"}, "headers": {"X": "y"}}}},
        "agents": {"defaults": {"maxTokens": 5, "note": "key sk-abcdefghijk"}},
    }
    assert masked(document) == {
        "gateway": {"auth": {"token": MASK, "password": "${PASSWORD}"}, "port": 1},
        "env": {"vars": {"ANYTHING": MASK}},
        "models": {"providers": {"p": {"apiKey": {"source": "env", "id": "P"}, "headers": {"X": MASK}}}},
        "agents": {"defaults": {"maxTokens": 5, "note": f"key {MASK}"}},
    }


async def test_file_says_where_the_configuration_is(written: Program) -> None:
    done = await written.run("config", "file")
    assert (done.code, done.out) == (0, f"{written.state / 'openclaw.json'}\n")
    done = await written.run("config", "file", "--json")
    assert done.json["exists"] is True
    assert done.json["stateDir"] == str(written.state)


async def test_get_prints_one_value(written: Program) -> None:
    values = {
        "gateway.port": "19999",
        "agents.list[1].id": "Work",
        "agents.list.1.model": "mine/m",
        "gateway.bind": "loopback",
        "models.providers.mine.apiKey": "${MY_KEY}",
        "gateway.auth.token": "***",
        "channels.telegram.botToken": "***",
    }
    done = await asyncio.gather(*(written.run("config", "get", path) for path in values))
    assert [(one.code, one.out) for one in done] == [(0, f"{value}\n") for value in values.values()]


async def test_get_shows_secrets_only_when_told_to(written: Program) -> None:
    done = await written.run("config", "get", "gateway.auth.token", "--show-secrets")
    assert done.out == "0123456789abcdef-secret\n"
    whole = await written.run("config", "get", "gateway")
    assert "secret" not in whole.out
    assert "sk-something-private" not in (await written.run("config", "get", "models", "--show-secrets")).out


async def test_get_json_is_json(written: Program) -> None:
    assert (await written.run("config", "get", "gateway.bind", "--json")).out == '"loopback"\n'
    assert (await written.run("config", "get", "agents.list", "--json")).json[0] == {"id": "main"}


@pytest.mark.promise("error.config_path_not_found")
async def test_get_of_nothing_says_so(written: Program) -> None:
    done = await written.run("config", "get", "gateway.nosuch")
    assert (done.code, done.out) == (1, "")
    assert "gateway.nosuch" in done.err
    done = await written.run("config", "get", "gateway.nosuch", "--json")
    assert done.code == 1
    assert done.json["error"]["code"] == "config_path_not_found"
    assert (await written.run("config", "get", "a[")).code == 2


@pytest.mark.promise("unserved-sections")
async def test_validate_accepts_and_names_what_is_not_served(written: Program) -> None:
    done = await written.run("config", "validate")
    assert (done.code, done.out) == (0, f"{written.state / 'openclaw.json'} is valid.\n")
    assert "channels" in done.err
    done = await written.run("config", "validate", "--json")
    assert done.json["ok"] is True
    assert "channels" in done.json["notices"][0]


async def test_validate_prints_every_problem_with_its_line(program: Program) -> None:
    path = program.configure('{\n gateway: {\n auth: { tokn: "x" },\n port: "many" } }')
    for command in (["config", "validate"], ["gateway"], ["agent", "-m", "hi"]):
        done = await program.run(*command)
        assert (done.code, done.out) == (78, "")
        assert f"{path}:3: gateway.auth.tokn" in done.err
        assert f"{path}:4: gateway.port" in done.err
    done = await program.run("config", "validate", "--json")
    assert done.code == 78
    assert len(done.json["problems"]) == 2


async def test_validate_sees_what_only_a_start_would_notice(program: Program) -> None:
    path = program.configure(
        """{ gateway: { auth: { token: "short" },
        bind: "lan" },
        agents: {
        defaults: { model: { primary: "no/m",
        fallbacks: ["nosuch/x"] } },
        list: [{ id: "a" }, { id: "b" },
        { id: "${WHO}", model: { primary: "openai/gpt-5",
        fallbacks: ["other/x"] } }],
        entries: { id: {
        model: "again/x" } } } }"""
    )
    program.environ |= {"OPENAI_API_KEY": "sk-something", "WHO": "C"}
    done = await program.run("config", "validate", "--json")
    assert done.code == 78
    (bind,) = done.json["problems"]
    primary, fallback, own, keyed, *_ = done.json["notes"]
    assert bind.startswith(f"{path}:2: gateway.bind: ")
    assert "shorter than 16" in bind
    assert primary.startswith(f'{path}:4: agents.defaults.model: The provider "no"')
    assert fallback.startswith(f'{path}:4: agents.defaults.model: The provider "nosuch"')
    assert fallback.endswith('; the agents "a", "b" have no other model and answer 503')
    assert own.startswith(f'{path}:7: agents.list[2].model: The provider "other"')
    assert keyed.startswith(f'{path}:10: agents.entries.id.model: The provider "again"')
    assert keyed.endswith('; the agent "id" has no other model and answers 503')


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('{ logging: {\n redactPatterns: ["ok", "("] } }', ":2: logging.redactPatterns[1]: is not a regular"),
        ('{ agents: { defaults: {\n userTimezone: "Mars/Base" } } }', ":2: agents.defaults.userTimezone: is"),
        (
            '{ agents: { defaults: {\n model: { primary: "no/m", fallbacks: ["nosuch/x"] } } } }',
            ":2: agents.",
        ),
        ('{ gateway: {\n mode: "remote" } }', ':2: gateway.mode: is "remote"'),
        ("{ gateway: { tls: {\n enabled: true } } }", ":2: gateway.tls.enabled: is true"),
        ('{ gateway: { bind: "custom",\n customBindHost: "::", auth: { token: "x" } } }', "a placeholder"),
        ('{ gateway: { auth: {\n mode: "password" } } }', ": gateway.auth.password: is missing"),
        ('{ agents: { defaults: {\n params: { temperature: "hot" } } } }', "params of mock/m are wrong"),
        ("{ agents: { defaults: { params: {\n seed: NaN } } } }", ":2: agents.defaults.params.seed: is no"),
        ("{ agents: { defaults: {\n thinkingDefault: 3 } } }", ":2: agents.defaults.thinkingDefault: "),
        ('{ agents: { defaults: { systemAgent: {\n agentId: "$${WHO}" } } } }', "systemAgent.agentId: names"),
        ('{ logging: {\n file: "a\\0b" } }', ":2: logging.file: holds a null character"),
        ('{ gateway: {\n trustedProxies: ["here"] } }', ":2: gateway.trustedProxies[0]: must be an IP"),
        ("{ gateway: { limits: {\n maxRuns: 0 } } }", ":2: gateway.limits.maxRuns: must be more than 0"),
    ],
)
async def test_a_start_and_validate_refuse_the_same(configured: Program, config: str, said: str) -> None:
    configured.configure(config, "openclaw-gateway.json")
    for command in (["config", "validate", "--port", "0"], ["gateway", "run", "--port", "0"]):
        done = await configured.run(*command)
        assert (done.code, done.out) == (78, "")
        assert said in done.err


@pytest.mark.promise("validate-flags")
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ("--bind", "lan", "--token", "short"),
            "--bind: other machines can reach 0.0.0.0, and the secret is",
        ),
        (("--auth", "password"), "gateway.auth.password: is missing"),
        ((), "OPENCLAW_GATEWAY_PORT: must be a number"),
    ],
)
async def test_flags_count_the_same_for_both(configured: Program, flags: tuple[str, ...], said: str) -> None:
    configured.environ["OPENCLAW_GATEWAY_PORT"] = "1" if flags else "70000"
    for command in (("config", "validate"), ("gateway", "run")):
        done = await configured.run(*command, *flags)
        assert (done.code, done.out) == (78, "")
        assert said in done.err


async def test_a_model_that_is_only_the_first_one_there_is_is_looked_at_too(program: Program) -> None:
    provider = {"baseUrl": "http://127.0.0.1:9/v1", "api": "google-vertex", "models": [{"id": "m"}]}
    program.configure({"models": {"providers": {"p": provider}}})
    for command in (["config", "validate"], ["gateway", "run", "--port", "0"]):
        done = await program.run(*command)
        assert (done.code, done.out) == (78, "")
        assert 'p/m uses the API "google-vertex"' in done.err


async def test_agents_that_all_name_their_model_need_no_default(
    program: Program, models: ModelServer
) -> None:
    program.configure(
        {
            "models": {"providers": {"p": {"baseUrl": models.base_url}}},
            "agents": {"list": [{"id": "a", "model": "p/m"}]},
        }
    )
    missing = {"OPENCLAW_LOCAL_MODEL": str(program.home / "nothing.gguf")}
    assert (await program.run("config", "validate", **missing)).code == 0
    started = await program.start("gateway", "run", "--port", "0", **missing)
    await started.says("each agent names its own")


async def test_a_fault_of_many_agents_is_one_line(program: Program) -> None:
    agents = [{"id": f"a{number}"} for number in range(40)]
    program.configure({"agents": {"defaults": {"model": "no/m"}, "list": agents}})
    done = await program.run("gateway", "run", "--port", "0")
    assert done.code == 78
    (line,) = (line for line in done.err.splitlines() if '"no/m"' in line)
    assert "agents.defaults.model: " in line
    done = await program.run("config", "validate", "--json")
    assert len(done.json["problems"]) == 1


@pytest.mark.promise("CVE-2026-104873")
async def test_validate_names_tool_patterns_that_match_nothing(configured: Program) -> None:
    path = configured.configure(
        """{ mcp: { servers: { files: { command: "x" } } },
        tools: { deny: ["canvas", "mcp__files__write",
        "${SLIP}"],
        byProvider: { mock: { allow: ["mcp__fils__*"] } } },
        agents: { entries: { a: {
        tools: { sandbox: { tools: { alsoAllow: ["group:fss"] } } } } } } }""",
        "openclaw-gateway.json",
    )
    configured.environ["SLIP"] = "reed"
    done = await configured.run("config", "validate", "--json")
    assert (done.code, done.json["ok"]) == (0, True)
    reed, fils, fss = done.json["notes"]
    assert reed == f'{path}:3: tools.deny[2]: the pattern "reed" matches no tool; did you mean "read"?'
    assert fils.startswith(f'{path}:4: tools.byProvider.mock.allow[0]: the pattern "mcp__fils__*" matches no')
    assert "; it names a server" in fils
    assert fss.startswith(f"{path}:6: agents.entries.a.tools.sandbox.tools.alsoAllow[0]: the pattern")
    assert 'did you mean "group:fs"?' in fss


async def test_validate_names_providers_nobody_has(configured: Program) -> None:
    path = configured.configure(
        """{ tools: { byProvider: { mock: { deny: ["exec"] },
        anthropic: { deny: ["exec"] }, Gemini: { deny: ["exec"] }, "mock/some-model": { deny: ["exec"] },
        "antropic/claude": { deny: ["exec"] },
        zzz: { deny: ["exec"] } } } }""",
        "openclaw-gateway.json",
    )
    done = await configured.run("config", "validate", "--json")
    assert (done.code, done.json["ok"]) == (0, True)
    slip, strange = done.json["notes"]
    assert slip.startswith(f'{path}:3: tools.byProvider["antropic/claude"]: names no provider')
    assert slip.endswith('did you mean "anthropic"?')
    assert strange.startswith(f"{path}:4: tools.byProvider.zzz: names no provider")


@pytest.mark.promise("validate-all")
async def test_validate_names_every_fault_at_once_in_the_order_of_the_lines(program: Program) -> None:
    path = program.configure(
        """{ gateway: { prot: 1 },
        tools: { deny: [5,
        "reed"],
        byProvider: { zzz: { deny: ["exec"] }, torn: { deny: ["exec"] } } },
        models: { providers: { torn: { baseUrl: "x" },
        whole: { baseUrl: "http://127.0.0.1:9/v1" } } },
        agents: { list: [{ id: "a", model: { primary: "nope/ok",
        fallbacks: ["nada/x", "torn/m", "whole/m"] } },
        { model: "lost/m" },
        { id: "b", tools: "none" }] } }"""
    )
    done = await program.run("config", "validate", "--json")
    assert done.code == 78
    beginnings = [
        "1: gateway.prot: ",
        "2: tools.deny[0]: ",
        "5: models.providers.torn.baseUrl: must be a URL",
        "9: agents.list[1].id: is missing",
        "10: agents.list[2].tools: ",
    ]
    notes = [
        '3: tools.deny[1]: the pattern "reed"',
        "4: tools.byProvider.zzz: names no provider",
        '7: agents.list[0].model: The provider "nope"',
        '7: agents.list[0].model: The provider "nada"',
    ]
    for told, expected in ((done.json["problems"], beginnings), (done.json["notes"], notes)):
        assert len(told) == len(expected), told
        for sentence, beginning in zip(told, expected, strict=True):
            assert sentence.startswith(f"{path}:{beginning}"), sentence


@pytest.mark.parametrize(
    ("config", "only"),
    [
        ('{ gateway: { bind: "lan", auth: { token: "${NOPE}" } } }', "gateway.auth.token: "),
        (
            '{ gateway: { bind: "lan" }, env: { vars: { OPENCLAW_GATEWAY_TOKEN: "${NOPE}" } } }',
            "gateway.bind: ",
        ),
        ('{ models: 3, agents: { defaults: { model: "mine/m" } } }', "models: "),
        ('{ mcp: 3, tools: { deny: ["mcp__files__x"] } }', "mcp: "),
        ('{ tools: { deny: ["reed" }', "not valid JSON5"),
        ('{ agents: { $include: "nosuch.json", defaults: { model: "no/m" } } }', "agents.$include: "),
        ('{ models: { providers: { mine: 1 } }, agents: { defaults: { model: "mine/m" } } }', "mine: must"),
        (
            '{ agents: { list: [{ id: "a" }, { id: "A" }], defaults: { model: { primary: 1 } } } }',
            "primary: ",
        ),
    ],
)
async def test_what_only_follows_from_a_fault_is_not_told(program: Program, config: str, only: str) -> None:
    program.configure(config)
    done = await program.run("config", "validate", "--json")
    problems = [one for one in done.json["problems"] if "is the agent" not in one]
    assert (done.code, len(problems)) == (78, 1), problems
    assert only in problems[0]


async def test_what_cannot_be_meant_is_a_note_and_stops_no_start(configured: Program) -> None:
    path = configured.configure(
        """{ agents: { list: [{ id: "a", default: true,
        name: "one",
        name: "two" }, { id: "b" },
        { id: "c", default: true }] },
        logging: { level: "info", level: "debug" },
        session: {},
        session: {} }""",
        "openclaw-gateway.json",
    )
    done = await configured.run("config", "validate", "--json")
    assert (done.code, done.json["ok"]) == (0, True)
    name, default, session = done.json["notes"]
    assert name.startswith(f"{path}:2: agents.list[0].name: stands in the same object again on line 3,")
    assert default.startswith(f"{path}:4: agents.list[2].default: is true as well as that of agents.list[0],")
    assert session.startswith(f"{path}:6: session: stands in the same object again on line 7,")
    await configured.gateway()


@pytest.mark.promise("validate-notes")
async def test_validate_notes_what_may_not_be_meant(configured: Program) -> None:
    configured.configure(
        """{ models: { providers: { mock: { params: { temperature: 2.5 } } } },
        agents: { defaults: { skills: ["here", "gone"], params: { temperature: 2 } },
        list: [{ id: "Grün 1", workspace: "w" }, { id: "B", workspace: "w", skills: ["nosuch"] }],
        entries: { c: { params: { temperature: -1 } } } } }""",
        "openclaw-gateway.json",
    )
    skill = configured.state / "w" / "skills" / "here" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\nname: here\ndescription: something\n---\n")
    done = await configured.run("config", "validate", "--json")
    assert (done.code, done.json["ok"]) == (0, True)
    nowhere = f"is found, neither in the workspace nor in {configured.state / 'skills'}."
    overlay = configured.state / "openclaw-gateway.json"
    assert done.json["notes"] == [
        f"{overlay}:1: models.providers.mock.params.temperature: is 2.5; providers take 0 to 2.",
        f"{overlay}:2: agents: gr-n-1, b share one workspace, {configured.state / 'w'}.",
        f'{overlay}:3: agents.list[0].id: the agent "Grün 1" is called "gr-n-1".',
        f"{overlay}:4: agents.entries.c.params.temperature: is -1; providers take 0 to 2.",
        f'agents.defaults.skills: no skill "gone" {nowhere}',
        f'agents.list[1].skills: no skill "nosuch" {nowhere}',
    ]
    done = await configured.run("config", "validate")
    assert (done.code, done.err.count("note: ")) == (0, 6)


async def test_validate_notes_what_this_machine_lacks_and_a_start_goes_on(configured: Program) -> None:
    configured.configure(
        {
            "agents": {"defaults": {"sandbox": {"mode": "all"}}},
            "logging": {"file": str(configured.state)},
        },
        "openclaw-gateway.json",
    )
    configured.environ["PATH"] = str(configured.home)
    done = await configured.run("config", "validate", "--json")
    assert (done.code, done.json["ok"]) == (0, True)
    log, sandbox = done.json["notes"]
    assert log == f"logging.file: {configured.state} is a directory; name a file in it."
    assert "bubblewrap (bwrap) is not installed" in sandbox
    configured.configure({"agents": {"defaults": {"sandbox": {"mode": "all"}}}}, "openclaw-gateway.json")
    await configured.gateway()


async def test_the_schema_is_printed_without_a_gateway_and_without_a_file(program: Program) -> None:
    for arguments in (("config", "schema"), ("config", "schema", "--json")):
        printed = await program.run(*arguments)
        assert printed.json["properties"]["gateway"]["properties"]["port"]["type"] == "integer"
        assert printed.err == ""


async def test_processes_that_share_a_store_have_one_secret(program: Program) -> None:
    """One that a start makes up is another one at each of them."""
    shared = '{{ store: {{ url: "postgresql://db/gateway" }}, bus: {{ url: "redis://bus" }}{} }}'
    program.configure(shared.format(""))
    done = await program.run("config", "validate", "--json")
    assert [one for one in done.json["problems"] if "gateway.auth.token: is not set" in one], done.json
    assert "OPENCLAW_GATEWAY_TOKEN" in str(done.json["problems"])
    program.configure(shared.format(', gateway: { auth: { token: "12345678901234567890" } }'))
    done = await program.run("config", "validate", "--json")
    assert "gateway.auth.token" not in str(done.json["problems"])
