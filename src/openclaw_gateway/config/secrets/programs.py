"""Asks a program for secrets, in OpenClaw's protocol: ids as JSON in, values as JSON out, no shell.

    {"protocolVersion": 1, "provider": "vault", "ids": ["a/b"]}
    {"protocolVersion": 1, "values": {"a/b": "..."}, "errors": {"a/b": {"code": "NOT_FOUND"}}}

The program gets no environment but what its provider names, a bounded time and bounded room for its answer,
and is killed with all it has started. What it writes is never shown: it may hold secrets.
"""

import os
import selectors
import signal
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from openclaw_gateway.config.schema.secrets import SecretProvider
from openclaw_gateway.config.secrets.references import Unresolved

# Whatever the file says: nobody waits longer for a start.
_LONGEST_S = 120.0
_LOOK_S = 0.005
# The only words of an answer that are repeated.
_CODES = {"NOT_FOUND", "AMBIGUOUS_DUPLICATE_KEY"}


# In one asking: ids have at most 256 characters, and all of them fit into any pipe.
MOST_IDS = 100


class Silent(Unresolved):
    """It was waited for in vain, and would be again."""


def ask_program(
    alias: str, provider: SecretProvider, names: Sequence[str], environ: Mapping[str, str]
) -> dict[str, str | Unresolved]:
    """What it says of each of at most MOST_IDS names. Raises Unresolved, Silent if it says nothing of any."""
    where = f"secrets.providers.{alias}"
    command = _trusted(where, provider)
    asked = msgspec.json.encode({"protocolVersion": 1, "provider": alias, "ids": names})
    passed = {key: environ[key] for key in provider.pass_env if key in environ}
    answer = _run([command, *provider.args], asked, {**passed, **provider.env}, where, provider)
    return _values(answer, names, where, json_only=provider.json_only)


def _trusted(where: str, provider: SecretProvider) -> str:
    """The program's path, if nobody else could have put it there."""
    command = provider.command
    if command is None or not Path(command).is_absolute():
        raise Unresolved(f"refers to {where}, which needs a command that begins with /")
    path = Path(command)
    try:
        if path.is_symlink():
            if not provider.allow_symlink_command:
                raise Unresolved(f"refers to {where}, whose command is a symbolic link; write where it leads")
            path = path.resolve(strict=True)
        seen = path.stat()
    except (OSError, ValueError, RuntimeError):
        raise Unresolved(f"refers to {where}, whose command is not there") from None
    if not stat.S_ISREG(seen.st_mode) or not os.access(path, os.X_OK):
        raise Unresolved(f"refers to {where}, whose command is no program")
    if (seen.st_mode & 0o022 or seen.st_uid not in {os.geteuid(), 0}) and not provider.allow_insecure_path:
        raise Unresolved(f"refers to {where}, whose command others can change; it must be yours alone")
    folders = provider.trusted_dirs
    if folders and not any(path.resolve().is_relative_to(Path(folder).resolve()) for folder in folders):
        raise Unresolved(f"refers to {where}, whose command is in none of its trustedDirs")
    return str(path)


def _run(
    command: list[str], asked: bytes, environ: Mapping[str, str], where: str, provider: SecretProvider
) -> bytes:
    limit_s = min(provider.timeout_ms / 1000, _LONGEST_S)
    silence_s = min((provider.no_output_timeout_ms or provider.timeout_ms) / 1000, limit_s)
    end = time.monotonic() + limit_s
    try:
        child = subprocess.Popen(  # noqa: S603  the operator's own program, without a shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            cwd=Path(command[0]).parent,
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError):
        raise Unresolved(f"refers to {where}, whose command cannot be started") from None
    with child:
        try:
            if child.stdin is not None:
                with suppress(BrokenPipeError):
                    child.stdin.write(asked)
                child.stdin.close()
            output = child.stdout.fileno() if child.stdout is not None else -1
            answer = _all_said(output, end, silence_s, provider.max_output_bytes)
            _wait(child.pid, end)
        except Unresolved as error:
            raise type(error)(f"refers to {where}, whose command {error}") from None
        finally:
            # With what it has left behind; its number is still its own, because nobody has asked for its end.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
    if child.returncode != 0:
        raise Unresolved(f"refers to {where}, whose command failed (exit code {child.returncode})")
    return answer


def _wait(pid: int, end: float) -> None:
    """Until it has ended, without asking how. Raises Unresolved."""
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() >= end:
            raise Silent("does not end")
        time.sleep(_LOOK_S)


def _all_said(output: int, end: float, silence_s: float, most: int) -> bytes:
    """All that a program says until it closes its output. Raises Unresolved with the end of a sentence."""
    answer = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            left = end - time.monotonic()
            if left <= 0 or not selector.select(min(left, silence_s)):
                raise Silent("took too long to answer")
            read = os.read(output, 1 << 16)
            if not read:
                return bytes(answer)
            answer += read
            if len(answer) > most:
                raise Unresolved("said more than its maxOutputBytes")


def _values(
    answer: bytes, names: Sequence[str], where: str, *, json_only: bool
) -> dict[str, str | Unresolved]:
    try:
        said: Any = msgspec.json.decode(answer.strip())
    except (msgspec.DecodeError, RecursionError):
        if json_only:
            raise Unresolved(f"refers to {where}, whose command answered with no JSON") from None
        try:
            return dict.fromkeys(names, answer.decode().strip())
        except UnicodeDecodeError:
            raise Unresolved(f"refers to {where}, whose command answered with no text") from None
    if isinstance(said, str) and not json_only:
        return dict.fromkeys(names, said)
    if not isinstance(said, dict) or said.get("protocolVersion") != 1:
        raise Unresolved(f"refers to {where}, whose command does not answer in version 1 of the protocol")
    return {name: _value(said, name, where) for name in names}


def _value(said: dict[str, Any], name: str, where: str) -> str | Unresolved:
    errors, values = said.get("errors"), said.get("values")
    if isinstance(errors, dict) and name in errors:
        code = errors[name].get("code") if isinstance(errors[name], dict) else None
        known = f" ({code})" if code in _CODES else ""
        return Unresolved(f"refers to {name} of {where}, which its command does not give{known}")
    found = values.get(name) if isinstance(values, dict) else None
    if not isinstance(found, str):
        return Unresolved(f"refers to {name} of {where}, for which its command gives no text")
    return found
