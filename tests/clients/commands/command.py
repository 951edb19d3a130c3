"""What a client that is a command line is to the trial: the files it wants, its arguments, and how what it
prints is read. Plain values and pure functions, one of these per client beside this file; `terminal` runs
them. It must know neither gateway nor behaviour."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from openclaw_gateway.testing.model_server import Call

TOKEN = "OPENCLAW_GATEWAY_TOKEN"


@dataclass(frozen=True)
class Ask:
    """`url` is the gateway's, without /v1. `goes_on`: with the session before, of the same project. `schema`
    is a file with what the answer must be. `once`: it is not to ask again, where it can be told so."""

    url: str
    key: str
    prompt: str
    model: str = "openclaw"
    goes_on: bool = False
    image: Path | None = None
    schema: Path | None = None
    once: bool = False


@dataclass
class Said:
    """What it printed: the answer's text whole, tokens by `input`, `output` and `cached`, and what it tells
    when it could not."""

    text: str = ""
    reasoning: str = ""
    usage: Mapping[str, int] | None = None
    error: str = ""


@dataclass(frozen=True)
class Command:
    """`program` is its path below node_modules; Node runs what is JavaScript. `files` are by their path in
    the home. `reads` is how the model makes it read a file. `preset` is what `gateway.http.clients` has for
    it. What it says is in the file `report` of its folder, where it does not print it. `can` names what of
    usage, structured, reasoning, images and history it has. `asks_again` are the statuses at which it waits
    and asks again until it is answered; `own_words` are what it tells instead of the gateway's words."""

    program: str
    files: Callable[[Ask], Mapping[str, str]]
    arguments: Callable[[Ask], list[str]]
    said: Callable[[str], Said]
    reads: Callable[[Path, str], Call] | None = None
    can: frozenset[str] = frozenset()
    preset: str = ""
    report: str = ""
    asks_again: frozenset[int] = frozenset()
    own_words: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)


def events(printed: str) -> Iterator[dict[str, Any]]:
    """The JSON objects among the lines it printed."""
    for line in printed.splitlines():
        try:
            event = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        if isinstance(event, dict):
            yield event
