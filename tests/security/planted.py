"""What somebody plants beside an agent: a program that leaves a mark when it runs, a repository, a home."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from openclaw_gateway.tools.builtin import exec as exec_tool
from openclaw_gateway.tools.builtin import process
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from tests.tools.rooms import Room

SECRET = "what stands outside the workspace"
# What a git that only looks is asked.
LOOKS = (
    "git status",
    "git diff",
    "git diff HEAD -- a.txt",
    "git log -p --stat",
    "git show HEAD",
    "git blame a.txt",
    "git ls-files -m -o",
    "git branch -avv",
    "git rev-parse HEAD",
)


class PlantedRoom(Room):
    """An agent with `exec`, and what others planted around it. `mark` appears when a planted program ran."""

    def __init__(
        self,
        tmp_path: Path,
        commands: CommandSessions,
        settings: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        tmp_path.mkdir(exist_ok=True)
        super().__init__(tmp_path, settings=settings or {}, commands=commands)
        self.outside = tmp_path
        self.mark = tmp_path / "ran"
        (tmp_path / "secret").write_text(SECRET + "\n")
        self.evil = self.script(tmp_path / "evil")
        self.services = msgspec.structs.replace(
            self.services, environ={**self.services.environ, **(environ or {})}
        )
        tools = (*exec_tool.build(self.services, self.agent), *process.build(self.services, self.agent))
        self.tools = {tool.spec.name: tool for tool in tools}

    def script(self, path: Path, *, more: str = "exit 1") -> Path:
        """A program that leaves the mark."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho ran >> {self.mark}\n{more}\n")
        path.chmod(0o755)
        return path

    def repository(self, name: str = "repo") -> Path:
        """One with a commit, a file that was changed since and one that git does not know."""
        place = self.root / name
        place.mkdir(parents=True, exist_ok=True)
        git(place, "init", "-q", "-b", "main")
        (place / "a.txt").write_text("one\n")
        (place / ".gitattributes").write_text("*.txt filter=x diff=x\n")
        git(place, "add", ".")
        git(place, "commit", "-q", "-m", "first")
        (place / "a.txt").write_text("two\n")
        (place / "new.txt").write_text("new\n")
        return place


def git(place: Path, *words: str, **variables: str) -> str:
    """The operator's own git, which obeys whatever it reads. Its output, however it ends."""
    named = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always")
    asked = subprocess.run(
        ["git", *named, *words],
        cwd=place,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout + asked.stderr


def configure(place: Path, text: str, file: str = ".git/config") -> None:
    """Behind what stands there."""
    with (place / file).open("a") as config:
        config.write(text)
