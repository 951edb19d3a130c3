"""The shape of a danger, and how its cure is written down. Pure."""

import json
import shlex
from typing import Literal

from msgspec import Struct

from openclaw_gateway.config.places import KeyPath, dotted

Severity = Literal["critical", "warning", "info"]


class Danger(Struct, frozen=True):
    """`check` is a stable name, those of OpenClaw's audit where it has one; `means` one sentence; `mend` what
    is to be typed, a line each."""

    check: str
    severity: Severity
    means: str
    mend: str


def set_to(program: str, path: KeyPath, value: object) -> str:
    """The command that sets a value of the configuration."""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{program} config set {shlex.quote(dotted(path))} {shlex.quote(text)}"


def unset(program: str, path: KeyPath) -> str:
    return f"{program} config unset {shlex.quote(dotted(path))}"


def new_secret(program: str, kind: str) -> str:
    return f'{program} config set gateway.auth.{kind} "$(openssl rand -hex 24)"'
