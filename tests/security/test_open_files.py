"""What lies open on this machine is said at every place where one looks, and mended on request alone."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.agents.homes import Home
from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.blueprint.exposed import exposed, guessable, open_workspaces
from openclaw_gateway.config.auth import ResolvedAuth
from openclaw_gateway.config.modes import Open, mended
from openclaw_gateway.testing.gateway import model_config, running_gateway, write_config
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.logged import logged


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory of which nothing is open to others: main file, overlay, an include, a .env."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    config: dict[str, Any] = {**model_config("http://127.0.0.1:9/v1"), "$include": "more.json"}
    write_config(folder, config)
    for name, text in {"more.json": "{}", "openclaw-gateway.json": "{}", ".env": "A=b\n"}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    yield folder


def found(state: Path) -> tuple[str, ...]:
    drawing = draw(Options(environ={"OPENCLAW_STATE_DIR": str(state)}, home=state.parent / "home", cwd=state))
    assert drawing.plan.problems == ()
    return exposed(drawing.read, drawing.plan)


FILES = ["openclaw.json", "more.json", "openclaw-gateway.json", ".env", "."]


def test_what_only_its_owner_may_use_is_not_mentioned(state: Path) -> None:
    assert found(state) == ()
    state.chmod(0o711)
    assert found(state) == (), "who may only pass through reads nothing"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("bits", "may"), [(0o040, "read"), (0o004, "read"), (0o020, "change"), (0o066, "read and change")]
)
def test_each_file_and_folder_that_others_may_use_is_named(
    state: Path, name: str, bits: int, may: str
) -> None:
    path = state / name
    state.chmod(0o711)
    path.chmod(mode(path) | bits)
    (sentence,) = found(state)
    assert sentence.startswith(f"{path}: other users of this machine may {may} it (mode ")
    assert sentence.endswith(f"make it {'0700' if name == '.' else '0600'}, as config validate --fix does.")


def test_where_the_folder_keeps_others_out_that_is_said(state: Path) -> None:
    (state / ".env").chmod(0o644)
    (sentence,) = found(state)
    assert (
        "only its folder keeps other users of this machine out, its mode 0644 lets them read it" in sentence
    )


def test_a_file_of_another_user_is_left_to_him(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = state / "openclaw.json"
    file.chmod(0o644)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    done, said = mended(Open(file, 0o644, 0o600))
    assert not done
    assert "belongs to another user" in said
    assert mode(file) == 0o644


def test_a_file_that_is_gone_meanwhile_is_said(tmp_path: Path) -> None:
    done, said = mended(Open(tmp_path / "gone", 0o644, 0o600))
    assert not done
    assert "could not be made 0600: No such file" in said


@pytest.mark.parametrize(
    ("secret", "why"),
    [("short-one", "shorter than 16"), ("change-me-please", "placeholder"), ("ab" * 12, "repeats")],
)
@pytest.mark.parametrize("mode", ["token", "password", "trusted-proxy"])
def test_a_secret_that_can_be_guessed_is_named_on_loopback_too(mode: Any, secret: str, why: str) -> None:
    """The right one is let in whatever came before it: its strength is what makes guessing hopeless."""
    (said,) = guessable(ResolvedAuth(mode, secret, generated=False, source="test"))
    assert why in said
    assert secret not in said
    assert not list(guessable(ResolvedAuth(mode, "8f1c6b0e2d9a47358f1c6b0e", generated=False, source="test")))


def homes(*folders: Path) -> list[Home]:
    return [Home(f"a{number}", folder) for number, folder in enumerate(folders)]


def test_a_workspace_that_is_more_than_one_is_named(tmp_path: Path) -> None:
    home, state = tmp_path / "home" / "ada", tmp_path / "state"
    for folder in (home / ".ssh", state, tmp_path / "work", tmp_path / "keys" / ".aws"):
        folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to(home)
    told = {
        folder: " ".join(open_workspaces(homes(folder), home, state))
        for folder in (home, home.parent, tmp_path / "link", tmp_path / "keys", state)
    }
    assert "(a0) is a home directory, and the tools" in told[home]
    assert "is a home directory" in told[tmp_path / "link"]
    assert f"holds the home directory {home}" in told[home.parent]
    assert "holds .aws" in told[tmp_path / "keys"]
    assert "holds the state directory" in told[state]
    for fine in (tmp_path / "work", state / "workspace", home / "agent", tmp_path / "not-there"):
        assert not list(open_workspaces(homes(fine), home, state))


def test_agents_that_share_one_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (said,) = open_workspaces(homes(tmp_path, tmp_path), Path("/nobody"), Path("/nowhere"))
    assert "(a0, a1) holds .ssh" in said


@pytest.mark.parametrize("link", [".ssh", ".netrc"])
def test_a_key_that_is_a_link_counts(tmp_path: Path, link: str) -> None:
    (tmp_path / link).symlink_to(tmp_path / "elsewhere")
    assert list(open_workspaces(homes(tmp_path), Path("/nobody"), Path("/nowhere")))


@pytest.mark.promise("open-files", "open-workspace")
async def test_a_start_says_it_and_an_edit_says_what_is_new(models: ModelServer, tmp_path: Path) -> None:
    state, work = tmp_path / "state", tmp_path / "work"
    (work / ".ssh").mkdir(parents=True)
    state.mkdir(mode=0o750)
    config = model_config(models.base_url)
    with logged() as log:
        async with running_gateway(config, state_dir=state) as gateway:
            (line,) = log.lines("config.exposed")
            assert str(state) in line["detail"]
            config["agents"]["defaults"]["workspace"] = str(work)
            count = gateway.gateway.standing.count
            write_config(state, config)
            assert gateway.daemon.reload is not None
            async with asyncio.timeout(10):
                await gateway.daemon.reload.attempts_after(count)
        assert ["holds .ssh" in line["detail"] for line in log.lines("config.exposed")] == [False, True]
