from pathlib import Path

import pytest

from openclaw_gateway.config.paths import Paths, include_roots, resolve_paths
from openclaw_gateway.errors import ConfigError


def resolve(home: Path, *, flag: str | None = None, **environ: str) -> Paths:
    return resolve_paths(environ, home=home, cwd=Path("/where"), config_path=Path(flag) if flag else None)


def test_defaults(tmp_path: Path) -> None:
    paths = resolve(tmp_path)
    assert paths.state_dir == tmp_path / ".openclaw"
    assert paths.config_file == tmp_path / ".openclaw/openclaw.json"
    assert paths.overlay_file == tmp_path / ".openclaw/openclaw-gateway.json"
    assert paths.own_dir == tmp_path / ".openclaw/gateway"
    assert not paths.named
    assert not paths.state_dir.exists()


def test_the_ancestors_directory_and_file_are_found(tmp_path: Path) -> None:
    (tmp_path / ".clawdbot").mkdir()
    assert resolve(tmp_path).config_file == tmp_path / ".clawdbot/openclaw.json"
    (tmp_path / ".clawdbot/clawdbot.json").write_text("{}")
    assert resolve(tmp_path).config_file == tmp_path / ".clawdbot/clawdbot.json"
    (tmp_path / ".openclaw").mkdir()
    assert resolve(tmp_path).config_file == tmp_path / ".openclaw/openclaw.json"


@pytest.mark.parametrize(
    ("environ", "state", "file"),
    [
        ({"OPENCLAW_STATE_DIR": "~/s"}, "HOME/s", "HOME/s/openclaw.json"),
        ({"CLAWDBOT_STATE_DIR": "/s"}, "/s", "/s/openclaw.json"),
        ({"OPENCLAW_STATE_DIR": "/a", "CLAWDBOT_STATE_DIR": "/b"}, "/a", "/a/openclaw.json"),
        ({"OPENCLAW_STATE_DIR": "rel"}, "/where/rel", "/where/rel/openclaw.json"),
        ({"OPENCLAW_CONFIG_PATH": "~/c.json"}, "HOME/.openclaw", "HOME/c.json"),
        ({"CLAWDBOT_CONFIG_PATH": "c.json"}, "HOME/.openclaw", "/where/c.json"),
        ({"OPENCLAW_HOME": "/h"}, "/h/.openclaw", "/h/.openclaw/openclaw.json"),
        ({"OPENCLAW_HOME": "/h", "OPENCLAW_CONFIG_PATH": "~/c"}, "/h/.openclaw", "/h/c"),
        ({"OPENCLAW_PROFILE": "work"}, "HOME/.openclaw-work", "HOME/.openclaw-work/openclaw.json"),
        ({"OPENCLAW_PROFILE": "default"}, "HOME/.openclaw", "HOME/.openclaw/openclaw.json"),
        ({"OPENCLAW_PROFILE": "work", "OPENCLAW_STATE_DIR": "/s"}, "/s", "/s/openclaw.json"),
    ],
)
def test_the_environment_decides(tmp_path: Path, environ: dict[str, str], state: str, file: str) -> None:
    paths = resolve(tmp_path, **environ)
    assert str(paths.state_dir) == state.replace("HOME", str(tmp_path))
    assert str(paths.config_file) == file.replace("HOME", str(tmp_path))


@pytest.mark.parametrize("name", ["moltbot", "moldbot"])
def test_what_it_was_called_in_between_is_found_last(tmp_path: Path, name: str) -> None:
    folder = tmp_path / f".{name}"
    folder.mkdir()
    (folder / f"{name}.json").write_text("{}")
    paths = resolve_paths(environ={}, home=tmp_path, cwd=tmp_path)
    assert (paths.state_dir, paths.config_file) == (folder, folder / f"{name}.json")
    (tmp_path / ".clawdbot").mkdir()
    assert resolve_paths(environ={}, home=tmp_path, cwd=tmp_path).state_dir == tmp_path / ".clawdbot"


def test_the_flag_beats_the_environment(tmp_path: Path) -> None:
    paths = resolve(tmp_path, flag="~/x.json", OPENCLAW_CONFIG_PATH="/y.json")
    assert paths.config_file == tmp_path / "x.json"
    assert paths.named


@pytest.mark.parametrize("name", ["../up", "a/b", "-x", "a b", "x" * 65])
def test_a_profile_cannot_leave_the_home(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="OPENCLAW_PROFILE"):
        resolve(tmp_path, OPENCLAW_PROFILE=name)


def test_include_roots_are_a_path_list(tmp_path: Path) -> None:
    environ = {"OPENCLAW_INCLUDE_ROOTS": f"~/a::{tmp_path}/b"}
    assert include_roots(environ, home=tmp_path, cwd=tmp_path) == (tmp_path / "a", tmp_path / "b")
    assert include_roots({}, home=tmp_path, cwd=tmp_path) == ()
