"""`config.set`, `config.apply`, `config.patch`: edits of the file, judged, written whole, put in force."""

import asyncio
import contextlib
import errno
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.errors import Forbidden, GatewayError
from openclaw_gateway.gateway.operator.config import OperatorConfig
from openclaw_gateway.gateway.principal import ADMIN, Principal
from openclaw_gateway.testing.gateway import TOKEN, RunningGateway, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.work.deeds import Deeds
from tests.ws.peer import Peer, connected

KEY = "sk-proj-Zx81kQpw03nVb"
TEXT = """{
  // Mine, all mine.
  gateway: {
    auth: { mode: "token", token: "%(token)s" },
    http: { endpoints: { chatCompletions: { enabled: true } } },
  },
  models: {
    providers: {
      mock: { baseUrl: "%(url)s", apiKey: "%(key)s", models: [{ id: "mock-echo" }, { id: "other" }] }, // one
      far: { baseUrl: "http://127.0.0.1:9/v1", apiKey: "${FAR_KEY}", models: [{ id: "m" }] },
    },
  },
  agents: {
    defaults: { model: "mock/mock-echo", skipBootstrap: true, workspace: "%(work)s" },
    list: [
      { id: "main" },
      { id: "ada", name: "Ada" }, // writes
    ],
  },
}
"""


class Written:
    """A gateway whose file was written by hand, and a client of its operator."""

    def __init__(self, gateway: RunningGateway, peer: Peer, text: str) -> None:
        self.gateway, self.peer, self.before = gateway, peer, text

    @property
    def file(self) -> Path:
        return self.gateway.state_dir / "openclaw.json"

    @property
    def text(self) -> str:
        return self.file.read_text()

    async def shown(self) -> dict[str, Any]:
        told: dict[str, Any] = await self.peer.result("config.get", {})
        return told

    async def patch(self, raw: object, **more: Any) -> dict[str, Any]:
        base = (await self.shown())["hash"]
        answer: dict[str, Any] = await self.peer.call(
            "config.patch",
            {"raw": raw if isinstance(raw, str) else json.dumps(raw), "baseHash": base, **more},
        )
        return answer

    async def refused(self, raw: object, **more: Any) -> dict[str, Any]:
        """The error of a patch that changes nothing."""
        before = self.text
        answer = await self.patch(raw, **more)
        assert not answer["ok"], answer
        assert self.text == before
        error: dict[str, Any] = answer["error"]
        assert str(self.gateway.state_dir) not in error["message"]
        assert KEY not in error["message"]
        return error


@contextlib.asynccontextmanager
async def written(
    models: ModelServer, state: Path, text: str = TEXT, files: dict[str, str] | None = None
) -> AsyncIterator[Written]:
    text = text % {"token": TOKEN, "url": models.base_url, "key": KEY, "work": str(state / "work")}
    for name, content in (files or {}).items():
        (state / name).write_text(content)
    environ = {"FAR_KEY": "a-far-key-of-some-length"}
    async with (
        running_gateway({}, state_dir=state, environ=environ, text=text) as gateway,
        connected(gateway) as peer,
    ):
        yield Written(gateway, peer, text)


async def test_a_patch_is_an_edit_of_the_file_and_comes_into_force(
    models: ModelServer, tmp_path: Path
) -> None:
    async with written(models, tmp_path) as there:
        answer = await there.patch({"agents": {"list": [{"id": "ada", "model": "mock/other"}]}})
        told = answer["payload"]
        assert told["changedPaths"] == ["agents.list[1].model"]
        assert told["reload"] == {"state": "applied", "restartNeededFor": []}
        assert there.text == there.before.replace('name: "Ada" }', 'name: "Ada", model: "mock/other" }')
        assert (tmp_path / "openclaw.json.bak").read_text() == there.before
        shown = await there.shown()
        assert (shown["hash"], shown["config"]) == (told["hash"], told["config"])
        agents = (await there.peer.result("agents.list"))["agents"]
        assert agents[1]["model"]["primary"] == "mock/other"
        # And back: null removes.
        assert (await there.patch('{agents: {list: [{id: "ada", model: null}]}}'))["ok"]
        assert there.text == there.before


async def test_what_is_so_already_is_not_written(models: ModelServer, tmp_path: Path) -> None:
    async with written(models, tmp_path) as there:
        seen = there.file.stat()
        told = (await there.patch({"agents": {"defaults": {"skipBootstrap": True}}}))["payload"]
        assert (told["noop"], told["changedPaths"]) == (True, [])
        assert there.file.stat().st_mtime_ns == seen.st_mtime_ns
        assert not (tmp_path / "openclaw.json.bak").exists()


async def test_what_would_come_of_a_change_is_told_and_nothing_written(
    models: ModelServer, tmp_path: Path
) -> None:
    async with written(models, tmp_path) as there:
        shown = await there.shown()
        config, seen = shown["config"], there.file.stat()

        async def foreseen(**more: Any) -> dict[str, Any]:
            raw = json.dumps({**config, **more})
            told: dict[str, Any] = await there.peer.call(
                "config.preview", {"raw": raw, "baseHash": shown["hash"]}
            )
            return told

        gateway = config["gateway"]
        told = (
            await foreseen(
                logging={"level": "debug"},
                gateway={**gateway, "bind": "lan", "portals": {}, "controlUi": {"root": "/ui"}},
            )
        )["payload"]
        assert {each["path"]: each["effect"] for each in told["changes"]} == {
            "logging": "at_once",
            "gateway.bind": "restart",
            "gateway.portals": "none",
            "gateway.controlUi": "at_once",
        }
        assert told["withoutEffect"] == ["gateway.portals", "gateway.controlUi.root"]
        assert told["reload"] == {"state": "applied", "restartNeededFor": ["gateway.bind"]}
        assert told["endsConnections"] is False
        assert (await foreseen())["payload"]["changes"] == []
        other = {**gateway, "auth": {"mode": "token", "token": "another-token-of-some-length"}}
        assert (await foreseen(gateway=other))["payload"]["endsConnections"] is True
        off = await foreseen(gateway={**gateway, "reload": {"mode": "off"}})
        assert off["payload"]["reload"]["state"] == "applied", "it goes by the mode in force"
        # What `config.set` would refuse, in its words.
        for more in ({"agents": {"list": [{"id": "a"}, {"id": "a"}]}}, {"gateway": {**gateway, "port": "x"}}):
            refused = (await foreseen(**more))["error"]
            raw = json.dumps({**config, **more})
            error = await there.peer.error("config.set", {"raw": raw, "baseHash": shown["hash"]})
            assert refused == error
            assert refused["details"]["code"] == "config_refused"
        assert there.text == there.before
        assert there.file.stat().st_mtime_ns == seen.st_mtime_ns
        assert not (tmp_path / "openclaw.json.bak").exists()
        assert (await there.shown())["hash"] == shown["hash"]


@pytest.mark.promise("error.config_changed")
async def test_who_has_not_seen_the_newest_writes_nothing(models: ModelServer, tmp_path: Path) -> None:
    async with written(models, tmp_path) as there:
        old = (await there.shown())["hash"]
        assert (await there.patch({"logging": {"level": "debug"}}))["ok"]
        text = there.text
        for method in ("config.patch", "config.set", "config.apply", "config.preview"):
            error = await there.peer.error(method, {"raw": "{}", "baseHash": old})
            assert (error["code"], error["details"]["code"]) == ("INVALID_REQUEST", "config_changed")
            assert "config.get" in error["message"]
            error = await there.peer.error(method, {"raw": "{}"})
            assert (error["details"]["code"], error["details"]["param"]) == ("invalid_params", "baseHash")
        assert there.text == text


async def test_what_was_masked_stays_what_it_is(models: ModelServer, tmp_path: Path) -> None:
    async with written(models, tmp_path) as there:
        for method in ("config.set", "config.apply"):
            shown = await there.shown()
            config = shown["config"]
            assert config["models"]["providers"]["mock"]["apiKey"] == "***"
            assert config["agents"]["defaults"]["workspace"] == ".../work"
            level = config.setdefault("logging", {"level": "info"})
            level["level"] = "debug" if level["level"] == "info" else "info"
            answer = await there.peer.result(method, {"raw": json.dumps(config), "baseHash": shown["hash"]})
            assert answer["reload"]["state"] == "applied"
            for kept in (f'apiKey: "{KEY}"', TOKEN, "${FAR_KEY}", str(tmp_path / "work"), "// one"):
                assert kept in there.text
            assert KEY not in json.dumps(answer)
            assert TOKEN not in json.dumps(answer)
        # A list that gets longer before it: found by its id.
        shown = await there.shown()
        shown["config"]["agents"]["list"].append({"id": "bob"})
        shown["config"]["agents"]["list"].remove({"id": "ada", "name": "Ada"})
        call = {"raw": json.dumps(shown["config"]), "baseHash": shown["hash"]}
        assert (await there.peer.result("config.apply", call))["ok"]
        assert KEY in there.text
        assert "***" not in there.text


@pytest.mark.promise("error.config_masked")
@pytest.mark.parametrize(
    "raw",
    [
        {"models": {"providers": {"far": {"apiKey": "***"}}}},
        {"models": {"providers": {"new": {"baseUrl": "http://127.0.0.1:9", "apiKey": "***"}}}},
        {"models": {"providers": {"mock": {"headers": {"Authorization": "Bearer ***"}}}}},
        {"agents": {"list": [{"id": "ada", "workspace": ".../work"}]}},
        {"gateway": {"auth": {"token": "__OPENCLAW_REDACTED__"}}},
        {"channels": {"telegram": {"botToken": "***"}}},
    ],
)
async def test_a_mask_where_none_was_shown_is_no_value(
    models: ModelServer, tmp_path: Path, raw: object
) -> None:
    async with written(models, tmp_path) as there:
        error = await there.refused(raw)
        assert (error["code"], error["details"]["code"]) == ("INVALID_REQUEST", "config_masked")
        assert "is masked" in error["message"]


async def test_a_secret_is_not_shown_by_a_change_beside_it(models: ModelServer, tmp_path: Path) -> None:
    """The option before it is what tells that it is one."""
    secret = "of-no-form-at-all"
    command = {"plugins": {"entries": {"x": {"config": {"command": ["run", "--token", secret]}}}}}
    place = "plugins.entries.x.config.command"
    async with written(models, tmp_path) as there:
        assert (await there.patch(command))["ok"]

        def now(*words: str) -> dict[str, Any]:
            return {"plugins": {"entries": {"x": {"config": {"command": [*words]}}}}}

        for words in (("run", "--label", "***"), ("run", "then", "***")):
            error = await there.refused(now(*words), replacePaths=[place])
            assert error["details"]["code"] == "config_masked"
            assert place in error["message"]
        done = await there.patch(now("go", "--token", "***"), replacePaths=[place])
        assert done["ok"]
        assert secret not in json.dumps(await there.shown())
        assert f'["go","--token","{secret}"]' in there.text.replace(" ", "")


@pytest.mark.promise("error.config_elsewhere")
async def test_what_another_file_decides_is_changed_there(models: ModelServer, tmp_path: Path) -> None:
    text = TEXT.replace("// Mine, all mine.", 'session: { $include: "more.json5" },')
    files = {
        "more.json5": '{ reset: { mode: "daily" } }',
        "openclaw-gateway.json": "{ gateway: { limits: { maxRuns: 7 } } }",
    }
    async with written(models, tmp_path, text, files) as there:
        for raw, where in (
            ({"session": {"reset": {"mode": "idle", "idleMinutes": 4}}}, "more.json5:1"),
            ({"session": {"reset": None}}, "more.json5:1"),
            ({"session": None}, "more.json5:1"),
            ({"gateway": {"limits": {"maxRuns": 8}}}, "openclaw-gateway.json:1"),
            ({"gateway": {"limits": None}}, "openclaw-gateway.json:1"),
        ):
            error = await there.refused(raw)
            assert error["details"]["code"] == "config_elsewhere", error
            assert where in error["message"]
        # What nobody else says may be added beside it.
        assert (await there.patch({"gateway": {"limits": {"maxBodyBytes": 1_000_000}}}))["ok"]
        assert (await there.shown())["config"]["gateway"]["limits"] == {
            "maxRuns": 7,
            "maxBodyBytes": 1_000_000,
        }


@pytest.mark.promise("error.config_refused")
@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"gateway": {"prot": 1}}, 'did you mean "port"?'),
        ({"gateway": {"port": "many"}}, "gateway.port: must be a whole number"),
        ({"agents": {"list": [{"id": "Ada"}]}}, "agents.list"),
        (
            {"models": {"providers": {"mock": None}}, "agents": {"defaults": {"model": "${NOT_SET}"}}},
            "NOT_SET",
        ),
        ({"gateway": {"auth": None}}, "names no secret any more"),
        ({"gateway": {"auth": {"mode": None, "password": "a-password-of-length"}}}, "password"),
    ],
)
async def test_what_would_be_wrong_is_not_written(
    models: ModelServer, tmp_path: Path, raw: object, why: str
) -> None:
    async with written(models, tmp_path) as there:
        error = await there.refused(raw, replacePaths=["models.providers.mock.models"])
        assert error["details"]["code"] == "config_refused", error
        assert why in error["message"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("[" * 10_000, "must be JSON5"),
        ('{a: {"b": ' * 100 + "1" + "}}" * 100, "must be JSON5"),
        ("null", "must be an object"),
        ("[]", "must be an object"),
        ("{ a: 1,, }", "line 1"),
        ('{ channels: { a: "\\ud800" } }', "must be JSON5"),
        ('{ channels: { "\\udfff": 1 } }', "must be JSON5"),
        ("{ channels: { a: Infinity } }", "too large"),
        (f"{{ channels: {{ a: {'9' * 400} }} }}", "too large"),
        ('{ $include: "/etc/passwd" }', "must not include files"),
        ('{ agents: { defaults: { $include: "x.json" } } }', "must not include files"),
        (json.dumps({"channels": {"a": "x" * 1_000_001}}), "at most 1,000,000 characters"),
        ("{ agents: { list: [] } }", "replacePaths"),
        ("{ agents: { list: null } }", "agents.list"),
        ("{ agents: null }", "agents.list"),
        ("{ models: { providers: { mock: { models: null } } } }", "models.providers.mock.models"),
        ('{ agents: { list: [{id: "x"}, {id: "x"}] } }', "stands twice"),
    ],
)
async def test_hostile_and_careless_texts_are_refused(
    models: ModelServer, tmp_path: Path, raw: str, why: str
) -> None:
    async with written(models, tmp_path) as there:
        error = await there.refused(raw)
        assert (error["code"], error["details"]["code"]) == ("INVALID_REQUEST", "invalid_params")
        assert why in error["message"]


async def test_thousands_of_sections_are_refused_before_they_are_tried(
    models: ModelServer, tmp_path: Path
) -> None:
    """Each would be an edit that reads the whole text: for the half of an hour nobody else could write."""
    async with written(models, tmp_path) as there:
        error = await there.refused({f"section{number}": number for number in range(20_000)})
        assert error["details"]["code"] == "config_refused"
        assert "20000 keys of the file" in error["message"]
        assert (await there.patch({"agents": {"defaults": {"userTimezone": "UTC"}}}))["ok"]


async def test_a_list_is_replaced_where_that_is_said(models: ModelServer, tmp_path: Path) -> None:
    async with written(models, tmp_path) as there:
        raw = {"models": {"providers": {"mock": {"models": [{"id": "mock-echo"}]}}}}
        # A list that merges loses nothing by being sent in part.
        assert (await there.patch(raw))["payload"]["noop"] is True
        told = await there.patch(raw, replacePaths=["models.providers.mock.models"])
        assert told["payload"]["changedPaths"] == ["models.providers.mock.models[1]"]
        assert 'models: [{ id: "mock-echo" }] }, // one' in there.text


async def test_what_counts_after_a_restart_is_told(models: ModelServer, tmp_path: Path) -> None:
    async with written(models, tmp_path) as there:
        told = (await there.patch({"logging": {"level": "debug"}}))["payload"]
        assert told["reload"] == {"state": "applied", "restartNeededFor": []}
        answer = await there.patch({"gateway": {"bind": "lan"}})
        assert answer["payload"]["reload"] == {"state": "applied", "restartNeededFor": ["gateway.bind"]}


async def test_words_of_any_language_are_kept(models: ModelServer, tmp_path: Path) -> None:
    async with written(models, tmp_path) as there:
        assert (await there.patch({"agents": {"list": [{"id": "ada", "name": "阿达 🦞"}]}}))["ok"]
        assert 'name: "阿达 🦞"' in there.text
        assert (await there.peer.result("agents.list"))["agents"][1]["name"] == "阿达 🦞"


async def test_of_many_writers_who_saw_the_same_one_wins(models: ModelServer, tmp_path: Path) -> None:
    async with written(models, tmp_path) as there:
        base = (await there.shown())["hash"]
        calls = [
            there.peer.call("config.patch", {"raw": json.dumps({"env": {"N": str(n)}}), "baseHash": base})
            for n in range(1)
        ]
        async with contextlib.AsyncExitStack() as stack:
            peers = [await stack.enter_async_context(connected(there.gateway)) for _ in range(6)]
            calls += [
                peer.call("config.patch", {"raw": json.dumps({"env": {"N": str(n)}}), "baseHash": base})
                for n, peer in enumerate(peers, 1)
            ]
            answers = await asyncio.gather(*calls)
        assert sum(answer["ok"] for answer in answers) == 1
        codes = {answer["error"]["details"]["code"] for answer in answers if not answer["ok"]}
        assert codes == {"config_changed"}
        assert there.text.count("N:") == 1


async def test_a_new_secret_is_written_before_its_connection_ends(
    models: ModelServer, tmp_path: Path
) -> None:
    async with written(models, tmp_path) as there:
        told = (await there.patch({"gateway": {"auth": {"token": "another-token-of-some-length"}}}))[
            "payload"
        ]
        assert told["reload"]["state"] == "pending"
        with pytest.raises(EOFError):
            while True:
                await there.peer.frame()
        assert "the secret has changed" in there.peer.reason


@pytest.mark.promise("error.config_unwritable")
async def test_a_full_disk_leaves_the_file_as_it_was(
    models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with written(models, tmp_path) as there:
        monkeypatch.setattr("openclaw_gateway.config.write.os.fsync", full)
        error = await there.refused({"logging": {"level": "debug"}})
        assert (error["code"], error["details"]["code"]) == ("UNAVAILABLE", "config_unwritable")
        assert "No space left" in error["message"]
        names = await asyncio.to_thread(os.listdir, tmp_path)
        assert [name for name in names if "openclaw.json" in name] == ["openclaw.json"]


@pytest.mark.promise("error.config_not_in_force")
async def test_what_cannot_be_put_in_force_is_said(
    models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> None:
        raise GatewayError("The machine is out of threads.")

    async with written(models, tmp_path) as there:
        assert there.gateway.daemon.reload is not None
        monkeypatch.setattr(there.gateway.daemon.reload, "_apply", fail)
        answer = await there.patch({"logging": {"level": "debug"}})
        assert answer["error"]["details"]["code"] == "config_not_in_force"
        assert "out of threads" in answer["error"]["message"]
        assert (await there.shown())["valid"] is False


async def test_a_gateway_that_does_not_follow_is_told_to(models: ModelServer, tmp_path: Path) -> None:
    async with written(
        models, tmp_path, TEXT.replace("gateway: {", "gateway: { reload: { mode: 'off' },", 1)
    ) as there:
        shown = await there.shown()
        config = shown["config"] | {"logging": {"level": "debug"}}
        told = await there.peer.result("config.set", {"raw": json.dumps(config), "baseHash": shown["hash"]})
        assert told["reload"]["state"] == "off"
        config["logging"] = {"level": "info"}
        told = await there.peer.result("config.apply", {"raw": json.dumps(config), "baseHash": told["hash"]})
        assert told["reload"]["state"] == "applied"
        assert (await there.shown())["config"]["logging"] == {"level": "info"}


async def test_it_is_the_operator_s_alone() -> None:
    own = OperatorConfig(lambda: "token", Deeds())
    with pytest.raises(Forbidden, match="the operator's alone"):
        await own.change(Principal("ada", frozenset({ADMIN})), lambda shown: shown)
    with pytest.raises(Forbidden, match="the operator's alone"):
        await own.foresee(Principal("ada", frozenset({ADMIN})), lambda shown: shown)


async def test_where_nobody_proves_who_he_is_nobody_writes(models: ModelServer, tmp_path: Path) -> None:
    async with written(
        models, tmp_path, TEXT.replace('mode: "token", token: "%(token)s"', 'mode: "none"')
    ) as there:
        for method, params in (
            ("config.patch", {"raw": "{}"}),
            ("config.set", {"raw": "{}"}),
            ("config.apply", {"raw": "{}"}),
            ("config.preview", {"raw": "{}"}),
            ("agents.create", {"name": "bob"}),
            ("agents.update", {"agentId": "ada", "name": "bob"}),
            ("agents.delete", {"agentId": "ada"}),
            ("agents.files.set", {"agentId": "ada", "name": "SOUL.md", "content": "x"}),
            ("exec.approvals.set", {"file": {"version": 1}}),
        ):
            error = await there.peer.error(method, params)
            assert error["code"] == "FORBIDDEN", method
            assert "gateway.auth.mode" in error["message"]
        assert there.text == there.before
