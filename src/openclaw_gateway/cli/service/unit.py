"""The text of the systemd user unit. Pure; the rules are those of systemd.syntax(7) and systemd.service(5).

It takes nothing from the agents' tools that they have in a terminal: what systemd can take away from a user's
service (NoNewPrivileges, and all that implies it) would break sudo, ping and compilers there. It has the
kernel's out-of-memory killer end one command and not the gateway, keeps secrets out of core dumps, and does
not start again what cannot get better by it. The state directory's `.env` is not an EnvironmentFile: the
gateway reads it itself, and follows it, which a variable given here would win over.
"""

import re

from openclaw_gateway.cli.service.plan import PACKAGE, TITLE, ServicePlan

# The command line, the state directory, another gateway, the configuration: nobody but a person mends them.
_FOR_GOOD = (2, 73, 75, 78)
_UNIT = """\
# Written by `gateway install`, which writes it anew. To change something: systemctl --user edit {name}
[Unit]
Description={title}
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=exec
ExecStart={command}
ExecReload=kill -HUP $MAINPID
WorkingDirectory={folder}
{variables}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus={for_good}
TimeoutStopSec={stop_s}
KillMode=mixed
OOMPolicy=continue
LimitCORE=0

[Install]
WantedBy=default.target
"""
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class NotWritable(ValueError):
    """The message says what cannot stand in a unit."""


def unit_text(plan: ServicePlan) -> str:
    """Raises NotWritable."""
    return _UNIT.format(
        name=plan.name,
        title=TITLE,
        command=" ".join((_program(plan.words[0]), *map(_argument, plan.words[1:]))),
        folder=_path(str(plan.folder)),
        variables="\n".join(f"Environment={_quoted(f'{k}={v}')}" for k, v in sorted(plan.environ.items())),
        for_good=" ".join(map(str, _FOR_GOOD)),
        stop_s=plan.stop_s,
    )


def is_ours(text: str) -> bool:
    return f'"{PACKAGE}"' in text


def program_of(text: str) -> str | None:
    """The program that a unit of ours starts."""
    found = re.search(r'^ExecStart="([^"]*)"', text, re.MULTILINE)
    return found[1].replace("%%", "%") if found else None


def _program(path: str) -> str:
    """No `$` counts in it, and systemd takes no quotes or backslashes there, however they are written."""
    if _CONTROL.search(path) or set(path) & set("\"'\\"):
        raise NotWritable(f"{path!r} has a quote, a backslash or a control character in it")
    return f'"{path.replace("%", "%%")}"'


def _argument(word: str) -> str:
    return _quoted(word.replace("$", "$$"))


def _quoted(text: str) -> str:
    """Between the quotes `%` begins a specifier; a `$` counts in commands alone."""
    text = text.replace("%", "%%").translate(_ESCAPES)
    if _CONTROL.search(text):
        raise NotWritable(f"{text!r} has a control character in it")
    return f'"{text}"'


def _path(text: str) -> str:
    """The rest of the line as it is; a backslash at its end would take the next one with it."""
    if _CONTROL.search(text) or text.endswith("\\") or text != text.strip():
        raise NotWritable(f"the folder {text!r} cannot be written there")
    return text.replace("%", "%%")
