"""`env.shellEnv`: what the operator's login shell knows and this process does not. Off unless asked for.

The shell runs once for each process and setting, as a child in a group of its own, with a deadline; then the
group is killed. Of its variables only those that may be meant are taken: provider keys, the gateway's own
secrets, and what the configuration refers to. What is set already always wins.
"""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from openclaw_gateway.config.brands import BRANDS, env
from openclaw_gateway.config.places import Problem
from openclaw_gateway.config.secrets.references import short_reference

_TIMEOUT_MS = 15_000
_MAX_BYTES = 2 * 1024 * 1024
_SHELL = "/bin/sh"
# What the shell's own start says comes before the first null character; the end is three of them.
_COMMAND = "printf '\\0'; env -0; printf '\\0\\0'"
_END = b"\0\0\0"
# What the variables of providers are called; a test holds it against their table, which stands higher up.
_KEY = re.compile(r"[A-Z][A-Z0-9_]*_(?:API_KEYS?|API_TOKEN|PLAN_KEY)|(?:HF|HUGGINGFACE_HUB)_TOKEN")
_REFERENCE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")
_SECRETS = frozenset(
    f"{brand.env_prefix}GATEWAY_{kind}" for brand in BRANDS for kind in ("TOKEN", "PASSWORD")
)
# They make a shell read other files than the operator's own.
_LEADING_ASTRAY = frozenset({"BASH_ENV", "ENV", "ZDOTDIR"})


class Asked(Struct, frozen=True):
    """`variables` are those that are new; `notice` says why there are none, when the shell did not answer."""

    variables: dict[str, str]
    problems: tuple[Problem, ...] = ()
    notice: str | None = None


def ask_login_shell(document: Mapping[str, Any], environ: Mapping[str, str]) -> Asked:
    """Blocks for at most `env.shellEnv.timeoutMs`, and only when the file or a variable asks for it."""
    block = document.get("env")
    written = block.get("shellEnv") if isinstance(block, dict) else None
    settings = {} if written is None else written
    if not isinstance(settings, dict):
        return Asked({}, (Problem(("env", "shellEnv"), "must be an object"),))
    enabled, timeout_ms = settings.get("enabled", False), settings.get("timeoutMs", _timeout_ms(environ))
    wrong = []
    if not isinstance(enabled, bool):
        wrong.append(Problem(("env", "shellEnv", "enabled"), "must be true or false"))
    if isinstance(timeout_ms, bool) or not isinstance(timeout_ms, int) or not 0 <= timeout_ms <= 600_000:
        wrong.append(Problem(("env", "shellEnv", "timeoutMs"), "must be milliseconds, from 0 to 600000"))
    if wrong or not (enabled or _is_true(environ)) or timeout_ms == 0:
        return Asked({}, tuple(wrong))
    known = _variables(_shell(environ), timeout_ms / 1000, tuple(sorted(environ.items())))
    if known is None:
        return Asked(
            {}, notice="The login shell told no variables (env.shellEnv); those that are set here count."
        )
    wanted = _SECRETS | _referred_to(document)
    return Asked(
        {
            name: value
            for name, value in known.items()
            if (name in wanted or _KEY.fullmatch(name))
            and value.strip()
            and not environ.get(name, "").strip()
        }
    )


def _is_true(environ: Mapping[str, str]) -> bool:
    found = env(environ, "LOAD_SHELL_ENV")
    return found is not None and found[0].lower() in {"1", "true", "yes", "on"}


def _timeout_ms(environ: Mapping[str, str]) -> int:
    found = env(environ, "SHELL_ENV_TIMEOUT_MS")
    return int(found[0]) if found and found[0].isascii() and found[0].isdigit() else _TIMEOUT_MS


def _shell(environ: Mapping[str, str]) -> str:
    """The one of the environment if this machine lists it among its shells."""
    chosen = environ.get("SHELL", "").strip()
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if chosen in Path("/etc/shells").read_text(encoding="utf-8").split():
            return chosen
    return _SHELL


def _referred_to(value: Any) -> frozenset[str]:
    match value:
        case str():
            short = short_reference(value)
            return frozenset(_REFERENCE.findall(value) if short is None else (short.id,))
        case {"source": "env", "id": str(name)}:
            return frozenset({name})
        case dict():
            return frozenset[str]().union(*map(_referred_to, value.values()))
        case list():
            return frozenset[str]().union(*map(_referred_to, value))
        case _:
            return frozenset()


@lru_cache(maxsize=8)
def _variables(shell: str, timeout_s: float, environ: tuple[tuple[str, str], ...]) -> dict[str, str] | None:
    """All that a login shell started in this environment knows; None when it does not say so in time."""
    kind = "-lic" if Path(shell).name == "bash" else "-lc"
    given = {name: value for name, value in environ if name not in _LEADING_ASTRAY}
    try:
        child = subprocess.Popen(  # noqa: S603  one of the machine's shells, with our own command
            [shell, kind, _COMMAND],
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None
    with child:
        try:
            said = _read(child, time.monotonic() + timeout_s)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    if not said.endswith(_END):
        return None
    lines = said[said.index(b"\0") + 1 : -len(_END)].decode(errors="replace").split("\0")
    return dict(line.split("=", 1) for line in lines if line.find("=") > 0)


def _read(child: subprocess.Popen[bytes], until: float) -> bytes:
    """What it says up to the end mark, its end, or the deadline."""
    said = b""
    with selectors.DefaultSelector() as selector:
        if child.stdout is None:
            return said
        selector.register(child.stdout, selectors.EVENT_READ)
        while not said.endswith(_END) and len(said) < _MAX_BYTES:
            if not selector.select(max(0.0, until - time.monotonic())):
                break
            piece = os.read(child.stdout.fileno(), 65536)
            if not piece:
                break
            said += piece
    return said
