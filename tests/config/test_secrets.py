"""References to secrets: how they are written, where they lead, and that nobody is told what is there."""

import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.config.filled import with_auth, with_servers
from openclaw_gateway.config.secrets.references import SecretRef, Unresolved, Unset
from openclaw_gateway.config.secrets.sources import Secrets
from tests.config.conftest import House

SECRET = "sk-nobody-may-see-this"
KEY = ("models", "providers", "acme", "apiKey")


def provider(key: Any, **sources: Any) -> str:
    acme = {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": key}
    return json.dumps({"models": {"providers": {"acme": acme}}, "secrets": {"providers": sources}})


def looked_up(house: House, text: str, environ: dict[str, str] | None = None) -> str:
    loaded = house.load(text, environ=environ)
    return Secrets.of(loaded).line(loaded.wanted[KEY])


def refused(house: House, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(Unresolved) as caught:
        looked_up(house, text, environ)
    assert SECRET not in str(caught.value)
    assert str(house.home) not in str(caught.value)
    return str(caught.value)


def program(house: House, body: str) -> Path:
    """A program of the operator's own, for a provider of source exec."""
    path = house.home / "resolver"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{body}\n")
    path.chmod(0o700)
    return path


@pytest.mark.parametrize("written", ["$ACME", {"source": "env", "id": "ACME"}])
def test_a_variable_that_is_set_is_the_key(house: House, written: Any) -> None:
    loaded = house.load(provider(written), environ={"ACME": f" {SECRET}\n"})
    assert loaded.config.models.providers["acme"].api_key == SECRET
    assert loaded.wanted == {}
    assert SECRET not in repr(loaded)


@pytest.mark.promise("references")
def test_what_is_not_set_is_looked_up_only_by_who_needs_it(house: House) -> None:
    loaded = house.load(provider("${NOPE}"))
    assert loaded.wanted == {KEY: Unset(("NOPE",))}
    assert loaded.config.models.providers["acme"].api_key is None
    assert "NOPE, which is not set" in refused(house, provider("$NOPE"))
    with pytest.raises(Unresolved, match="NOPE, which is not set"):
        Secrets.of(loaded).line(loaded.wanted[KEY])


@pytest.mark.parametrize("text", ["$5", "$lower", "$A B", "cash$NAME", "$$NAME"])
def test_other_texts_with_a_dollar_are_the_key_itself(house: House, text: str) -> None:
    assert house.load(provider(text)).config.models.providers["acme"].api_key == text


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"source": "env"}, 'needs an "id" that names an environment variable'),
        ({"source": "store", "id": "lower"}, "names an entry of the secret store"),
        ({"source": "exec", "provider": "p", "id": "a/../b"}, 'without "." and ".."'),
        ({"source": "exec", "provider": "P!", "id": "a"}, 'needs as "provider"'),
        ({"source": "file", "provider": "p", "id": "no-pointer"}, "JSON pointer"),
        ({"source": "vault", "id": "x"}, "the source 'vault' is not known"),
        ({"source": "env", "id": "X", "key": 1}, 'unknown key "key"'),
    ],
)
def test_a_reference_that_means_nothing_is_a_fault_of_the_file(
    house: House, reference: dict[str, Any], said: str
) -> None:
    (problem,) = house.problems(provider(reference))
    assert "models.providers.acme.apiKey: " in problem
    assert said in problem


def test_an_allowlist_holds_for_the_default_source_too(house: House) -> None:
    allowed = provider("$ACME", default={"source": "env", "allowlist": ["OTHER"]})
    assert "allowlist" in refused(house, allowed, {"ACME": SECRET})
    allowed = provider("$ACME", default={"source": "env", "allowlist": ["ACME"]})
    assert looked_up(house, allowed, {"ACME": SECRET}) == SECRET


def test_a_source_that_is_not_there_or_another_one_is_said_to_be(house: House) -> None:
    ref = {"source": "exec", "provider": "vault", "id": "a"}
    assert "secrets.providers.vault, which is not there" in refused(house, provider(ref))
    assert 'whose source is "env"' in refused(house, provider(ref, vault={"source": "env"}))


def test_a_file_gives_the_text_at_a_pointer(house: House) -> None:
    path = house.write(json.dumps({"a/b": {"~": [SECRET]}, "number": 5}), "secrets.json")
    path.chmod(0o600)
    source = {"source": "file", "path": str(path)}

    def ref(pointer: str) -> dict[str, str]:
        return {"source": "file", "provider": "box", "id": pointer}

    assert looked_up(house, provider(ref("/a~1b/~0/0"), box=source)) == SECRET
    assert "which is not there" in refused(house, provider(ref("/a~1b/x"), box=source))
    assert "which is no text" in refused(house, provider(ref("/number"), box=source))
    path.write_text(f"{SECRET} no json")
    assert "is no JSON" in refused(house, provider(ref("/a"), box=source))
    single = {**source, "mode": "singleValue"}
    path.write_text(f"{SECRET}\n")
    assert looked_up(house, provider(ref("value"), box=single)) == SECRET
    assert 'its id is "value"' in refused(house, provider(ref("/x"), box=single))
    path.write_text("a\nb")
    assert "line break" in refused(house, provider(ref("value"), box=single))


def test_a_file_that_others_can_read_or_replace_is_not_read(house: House) -> None:
    ref = {"source": "file", "provider": "box", "id": "value"}
    path = house.write(SECRET, "one")

    def source(file: Path, **more: Any) -> str:
        box = {"source": "file", "path": str(file), "mode": "singleValue", **more}
        return provider(ref, box=box)

    path.chmod(0o644)
    assert "chmod 600" in refused(house, source(path))
    assert looked_up(house, source(path, allowInsecurePath=True)) == SECRET
    path.chmod(0o600)
    link = path.with_name("link")
    link.symlink_to(path)
    assert "cannot be read" in refused(house, source(link))
    assert "larger than its maxBytes" in refused(house, source(path, maxBytes=3))
    os.link(path, path.with_name("second"))
    assert "no file of a single name" in refused(house, source(path))
    pipe = path.with_name("pipe")
    os.mkfifo(pipe, 0o600)
    assert "no file of a single name" in refused(house, source(pipe))
    assert "cannot be read" in refused(house, source(path.with_name("gone")))


def test_the_store_of_the_older_system_is_read_and_left_as_it_is(house: House) -> None:
    ref = {"source": "store", "id": "ACME_KEY"}
    assert "no entry of that name" in refused(house, provider(ref))
    path = house.state / "state" / "openclaw.sqlite"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("PRAGMA journal_mode=WAL")
        store.execute(
            "CREATE TABLE secret_store_entries (scope_kind TEXT, scope_id TEXT, name TEXT, value TEXT,"
            " kind TEXT, deleted_at_ms INTEGER)"
        )
        rows = (("identity", "me", "other", None), ("team", "", SECRET, None), ("team", "", "old", 5))
        for kind, scope, value, deleted in rows:
            store.execute(
                "INSERT INTO secret_store_entries VALUES (?, ?, 'ACME_KEY', ?, 'secret', ?)",
                (kind, scope, value, deleted),
            )
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    assert looked_up(house, provider(ref)) == SECRET
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before
    path.write_bytes(b"no database at all" * 100)
    assert "cannot be read" in refused(house, provider(ref))


ASKED = {"source": "exec", "provider": "vault", "id": "a/b#c"}


def vault(path: Path, **more: Any) -> str:
    return provider(ASKED, vault={"source": "exec", "command": str(path), **more})


def test_a_program_is_asked_in_the_protocol_and_given_only_what_is_named(house: House) -> None:
    path = program(
        house,
        "asked = json.load(sys.stdin)\n"
        "assert asked == {'protocolVersion': 1, 'provider': 'vault', 'ids': ['a/b#c']}, asked\n"
        "given = [f'{name}={text}' for name, text in sorted(os.environ.items()) if name != 'LC_CTYPE']\n"
        "value = '|'.join([*sys.argv[1:], *given])\n"
        "print(json.dumps({'protocolVersion': 1, 'values': {'a/b#c': value}}))",
    )
    text = vault(path, args=["--x", "y z"], env={"B": "2"}, passEnv=["A", "NONE"])
    assert looked_up(house, text, {"A": "1", "HIDDEN": SECRET}) == "--x|y z|A=1|B=2"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("print('{}')", "version 1 of the protocol"),
        (f"print('{SECRET}')", "answered with no JSON"),
        (f"print('{SECRET}'); sys.exit(3)", "exit code 3"),
        (
            "print(json.dumps({'protocolVersion': 1, 'errors': {'a/b#c': {'code': 'NOT_FOUND'}}}))",
            "does not give (NOT_FOUND)",
        ),
        (
            f"print(json.dumps({{'protocolVersion': 1, 'errors': {{'a/b#c': {{'code': '{SECRET}'}}}}}}))",
            "does not give",
        ),
        ("print(json.dumps({'protocolVersion': 1, 'values': {'a/b#c': 5}}))", "gives no text"),
        ("sys.stdout.write('x' * 5000)", "more than its maxOutputBytes"),
    ],
)
def test_what_a_program_says_wrongly_is_not_repeated(house: House, body: str, said: str) -> None:
    assert said in refused(house, vault(program(house, body), maxOutputBytes=4096))


def test_a_program_without_the_protocol_says_just_the_secret(house: House) -> None:
    assert looked_up(house, vault(program(house, f"print('{SECRET}')"), jsonOnly=False)) == SECRET


def test_a_program_that_does_not_end_is_ended_with_what_it_started(house: House) -> None:
    mark = house.home / "child"
    path = program(
        house,
        "child = os.fork()\n"
        f"if child == 0:\n    open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)\n"
        "time.sleep(60)",
    )
    began = time.monotonic()
    assert "took too long" in refused(house, vault(path, timeoutMs=2000))
    assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        for _ in range(500):
            os.kill(int(mark.read_text()), 0)
            time.sleep(0.01)


def test_a_program_that_others_could_have_put_there_is_not_run(house: House) -> None:
    path = program(house, f"print('{SECRET}')")
    assert "begins with /" in refused(house, vault(Path("resolver")))
    assert "not there" in refused(house, vault(path.with_name("gone")))
    link = path.with_name("link")
    link.symlink_to(path)
    assert "symbolic link" in refused(house, vault(link))
    assert looked_up(house, vault(link, allowSymlinkCommand=True, jsonOnly=False)) == SECRET
    assert "none of its trustedDirs" in refused(house, vault(path, trustedDirs=["/usr/bin"]))
    assert looked_up(house, vault(path, trustedDirs=[str(house.home)], jsonOnly=False)) == SECRET
    path.chmod(0o722)
    assert "others can change" in refused(house, vault(path))
    path.chmod(0o600)
    assert "is no program" in refused(house, vault(path))


def test_a_secret_is_asked_for_once(house: House) -> None:
    path = program(house, "print('x', os.getpid())")
    loaded = house.load(vault(path, jsonOnly=False))
    secrets = Secrets.of(loaded)
    assert secrets.line(loaded.wanted[KEY]) == secrets.line(SecretRef("exec", "vault", "a/b#c"))


def of_three(house: House, path: Path, **more: Any) -> Secrets:
    """Asked in a configuration that refers to a, b and c of one program."""
    refs = [{"source": "exec", "provider": "vault", "id": each} for each in "abc"]
    document = json.loads(vault(path, **more))
    document["models"]["providers"]["acme"]["apiKeys"] = refs
    return Secrets.of(house.load(json.dumps(document)))


def said_of_three(secrets: Secrets) -> list[str]:
    said = []
    for each in "abc":
        try:
            said.append(secrets.line(SecretRef("exec", "vault", each)))
        except Unresolved as error:
            said.append(str(error))
    return said


LOG = "asked = json.load(sys.stdin)['ids']; open(__file__ + '.log', 'a').write(' '.join(asked) + ';')\n"


def test_a_program_is_asked_once_for_all_its_ids(house: House) -> None:
    values = "{each: 'secret of ' + each for each in asked if each != 'b'}"
    path = program(house, f"{LOG}print(json.dumps({{'protocolVersion': 1, 'values': {values}}}))")
    a, b, c = said_of_three(of_three(house, path))
    assert (a, c) == ("secret of a", "secret of c")
    assert "b of secrets.providers.vault, for which its command gives no text" in b
    assert Path(f"{path}.log").read_text() == "a a/b#c b c;"


def test_a_program_that_fails_for_several_ids_is_asked_for_each(house: House) -> None:
    body = (
        "if 'b' in asked: sys.exit(4)\nprint(json.dumps({'protocolVersion': 1, 'values': {asked[0]: 'x'}}))"
    )
    path = program(house, f"{LOG}{body}")
    a, b, c = said_of_three(of_three(house, path))
    assert (a, c) == ("x", "x")
    assert "exit code 4" in b
    assert Path(f"{path}.log").read_text() == "a a/b#c b c;a;b;c;"


def test_a_program_that_may_say_just_the_secret_is_asked_for_each(house: House) -> None:
    path = program(house, f"{LOG}print('just', *asked)")
    assert said_of_three(of_three(house, path, jsonOnly=False)) == ["just a", "just b", "just c"]


@pytest.mark.parametrize("json_only", [True, False])
def test_a_dead_vault_costs_one_time_out(house: House, json_only: bool) -> None:
    path = program(house, f"{LOG}time.sleep(60)")
    said = said_of_three(of_three(house, path, jsonOnly=json_only, timeoutMs=2000))
    assert all("took too long" in each for each in said)
    assert Path(f"{path}.log").read_text().count(";") == 1


def test_what_a_source_said_before_counts_while_it_fails(house: House) -> None:
    path = program(house, f"print('{SECRET}')")
    text = vault(path, jsonOnly=False)
    first = house.load(text)
    before = Secrets.of(first)
    before.line(first.wanted[KEY])
    path.chmod(0o600)
    again = Secrets.of(first, before)
    assert again.line(first.wanted[KEY]) == SECRET
    assert list(again.stale.values()) == ["refers to secrets.providers.vault, whose command is no program"]
    assert Secrets.of(first, again).line(first.wanted[KEY]) == SECRET, "however long it fails"
    other = house.load(vault(path, jsonOnly=False, args=["--other"]))
    with pytest.raises(Unresolved):
        Secrets.of(other, again).line(other.wanted[KEY])
    path.chmod(0o700)
    mended = Secrets.of(first, again)
    assert (mended.line(first.wanted[KEY]), mended.stale) == (SECRET, {})


def test_the_gateway_s_own_secret_may_be_elsewhere(house: House) -> None:
    path = house.write(SECRET, "one")
    path.chmod(0o600)
    config = {
        "gateway": {"auth": {"token": {"source": "file", "provider": "box", "id": "value"}}},
        "secrets": {"providers": {"box": {"source": "file", "path": str(path), "mode": "singleValue"}}},
    }
    loaded = house.load(json.dumps(config))
    full, problems = with_auth(loaded, Secrets.of(loaded))
    assert (full.config.gateway.auth.token, problems) == (SECRET, ())
    path.unlink()
    _, problems = with_auth(loaded, Secrets.of(loaded))
    assert [problem.path for problem in problems] == [("gateway", "auth", "token")]


def test_an_mcp_server_whose_secrets_cannot_be_had_is_left_out(house: House) -> None:
    servers = {
        "good": {"command": "x", "env": {"A": "$SET"}},
        "bad": {"command": "x", "env": {"A": {"source": "store", "id": "NONE"}}},
        "unset": {"command": "${NOPE}"},
        "off": {"command": "${NOPE}", "enabled": False},
    }
    loaded = house.load(json.dumps({"mcp": {"servers": servers}}), environ={"SET": SECRET})
    full, left_out = with_servers(loaded, Secrets.of(loaded))
    assert list(full.config.mcp.servers) == ["good", "off"]
    assert full.config.mcp.servers["good"].env == {"A": SECRET}
    assert [problem.path[2] for problem in left_out] == ["bad", "unset"]


def test_mcp_servers_that_cannot_be_reached_are_left_out_and_told(house: House) -> None:
    loaded = house.load(
        "{ mcp: { servers: { a: {}, b: { enabled: false }, c: { command: 'x', url: 'http://h/mcp' },"
        " d: { url: 'http://h/mcp', auth: 'oauth' }, e: { command: '${NOT_SET}' } } } }"
    )
    full, left_out = with_servers(loaded, Secrets.of(loaded))
    assert list(full.config.mcp.servers) == ["b", "c"]
    said = {".".join(map(str, problem.path)): problem.message for problem in left_out}
    assert "has neither command nor url, so the server is left out" in said["mcp.servers.a"]
    assert "is not used, because there is a command" in said["mcp.servers.c.url"]
    assert "is a sign-in" in said["mcp.servers.d.auth"]
    assert "NOT_SET" in said["mcp.servers.e.command"]
    assert len(said) == 4
