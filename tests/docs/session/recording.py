"""A first session with the gateway, in two terminals, and the page that is made of it.

Nothing is written by hand: what stands on the page stood on the screen, but for the token, the places of this
machine and the number of its process.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.docs.session.shell import PROMPT, Shell

_TOKEN = re.compile(r"\b[0-9a-f]{48}\b")
_PID = re.compile(r"\b(pid\W{1,3})\d+")
_HOME = "/home/ada"
_HEAD = """# A session in a terminal

Recorded by `make terminal-session` in a fresh clone with an empty home, and not written by hand: from nothing
to a chat, without a file that anybody has edited. The model is the embedded one, which answers as its 135
million parameters let it. Token, process and places of the machine are replaced.
[First steps](first-steps.md) says what each command is for.
"""


class Session(NamedTuple):
    """What stood on the two screens."""

    first: str
    second: str


def record(home: Path, checkout: Path, environ: Mapping[str, str], *, port: str, fresh: bool) -> Session:
    """`fresh`: the checkout is a clone in which nothing is installed yet; else `openclaw` is found already.
    An empty `port` takes what is offered. Raises TimeoutError where a step does not come to its end."""
    path = 'export PATH="$PWD/.venv/bin:$PATH"'
    with Shell({**environ, "HOME": str(home)}, checkout) as first:
        if fresh:
            first.does("make setup", deadline_s=1800)
            first.does(path)
        first.does(
            "openclaw setup",
            ("Model [1]", ""),
            ("Place [1]", ""),
            ("Port [", port),
            ("Several with spaces [1]", ""),
        )
        first.types("openclaw gateway run")
        first.waits_for("Ready.")
        with Shell({**environ, "HOME": str(home)}, checkout) as second:
            if fresh:
                second.does(path)
            second.does('openclaw agent "What is the capital of France?"')
            second.does(
                "openclaw chat",
                ("main> ", "And of Italy?"),
                ("main> ", "/usage"),
                ("main> ", "/quit"),
            )
            second.does("openclaw sessions")
            second.does("openclaw usage")
            second.does("openclaw doctor")
            second.does("find ~/.openclaw -type f | sort")
            said = second.text
        first.presses_control_c()
        first.waits_for(f"\n{PROMPT}")
        return Session(first.text, said)


def page(session: Session, home: Path, checkout: Path) -> str:
    first, second = (_shown(text, home, checkout) for text in session)
    return (
        f"{_HEAD}\n## One terminal\n\n```console\n{first}\n```\n\n"
        f"## Another one, while the gateway runs\n\n```console\n{second}\n```\n"
    )


def _shown(text: str, home: Path, checkout: Path) -> str:
    text = text.removesuffix(PROMPT)
    for place, shown in ((str(checkout), f"{_HOME}/openclaw-gateway"), (str(home), _HOME)):
        text = text.replace(place, shown)
    text = _PID.sub(r"\g<1>4242", _TOKEN.sub("YOUR_TOKEN", text))
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))
