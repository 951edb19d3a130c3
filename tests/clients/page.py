"""docs/clients.md: the table as text. Pure, but for `versions`, which looks into the lock files."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata

import msgspec

from tests.clients.behaviours import BEHAVIOURS
from tests.clients.rooms import HERE
from tests.clients.table import CLIENTS, Client, Room
from tests.clients.trial import PASSES, Row

PAGE = HERE.parents[1] / "docs" / "clients.md"
_HEAD = """# Which clients work

Each client below does each of these things against a started gateway and a scripted model, with its own code
and pinned versions (`tests/clients`). `make test` tries those that install quickly, at every push;
`make test-clients` tries all of them and writes this page; when each was last tried is its last column.

`yes`: it works, and the model server saw what it had to see. A number is a limit of that client, below.
**no**: it does not work, and it should. How each is set up is in [connect/](connect/README.md).
"""
_FAULT = "**no** "
_MEANINGS = """
- **plain, stream, usage**: an answer whole and in pieces, with the provider's figures, cached tokens too.
- **tools, parallel tools**: the client runs its own functions and goes on with the results, of one or two.
- **structured**: an object of a schema, with the schema sent to the model as such.
- **reasoning**: what the model thought, apart from what it answered.
- **images**: a PNG reaches the model as it was.
- **errors**: wrong key, unknown model, and the provider's 400, context overflow, 429, 500 and 503 are raised
  with the status and the gateway's sentence.
- **broken stream**: the provider fails in the middle; the client has the part that came, and an error.
- **cancel**: the client leaves a stream; the run ends and the provider's connection is closed (`aider` by
  Ctrl-C; `llm` and `llama-index` by cancelling the task that reads: where their iterator is closed, or no
  longer read, the stream under it stays open until Python's garbage collector comes by).
- **retry**: something in front of the gateway answers 503 once; the client asks again, the model once.
- **silence**: a stream in which nothing is said for 40 seconds, twice.
- **embeddings, models**: `/v1/embeddings` and `/v1/models`.
- **history**: with `user`, a history sent again is not doubled, and a message sent alone goes on from it
  (`llm` has no `user`: there it is the header `x-openclaw-session-key`, and messages sent alone; `litellm`
  leaves `user` out for models that are not OpenAI's, unless `allowed_openai_params=["user"]` is said).
"""


def expected(client: Client) -> Row:
    """What a row is where all is as the table says."""
    return {name: client.limits.get(name, PASSES) for name in BEHAVIOURS}


@dataclass(frozen=True)
class Told:
    """What the page says of a client: its packages with their versions, its row, and the day it was tried."""

    what: str
    row: Row
    date: str


def told(client: Client, row: Row, date: str) -> Told:
    """Of a trial with the versions of today's lock files."""
    what = ", ".join(f"{package} {version}" for package, version in versions(client).items())
    return Told(what, row, date)


def page(rows: Mapping[str, Told], not_tried: Mapping[str, str]) -> str:
    """`rows` are by the clients' names; `not_tried` says why of those that could not be installed."""
    notes: list[str] = []
    lines = [line(client, rows[client.name], notes) for client in CLIENTS if client.name in rows]
    names = ["client", *BEHAVIOURS, "tried"]
    head = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    numbered = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    absent = [f"- {name} was not tried: {why}" for name, why in not_tried.items()]
    parts = [_HEAD, "\n".join([*head, *lines]), "\n".join(numbered), "\n".join(absent), _MEANINGS]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def line(client: Client, of: Told, notes: list[str]) -> str:
    """One row of the table; a limit or a fault that is new is put to `notes`."""
    cells = [cell(client, name, of.row.get(name), notes) for name in BEHAVIOURS]
    return f"| {client.name} ({of.what}) | {' | '.join(cells)} | {of.date} |"


def cell(client: Client, name: str, seen: str | None, notes: list[str]) -> str:
    if seen == PASSES:
        return PASSES
    limit = client.limits.get(name)
    note = limit or f"{client.name}, {name}: {' '.join((seen or 'not tried').split())}"
    if note not in notes:
        notes.append(note)
    number = notes.index(note) + 1
    return f"{number}" if limit else f"{_FAULT}{number}"


def earlier(text: str) -> dict[str, Told]:
    """What a page says, by the names of the clients; notes stand for their numbers."""
    notes = dict(re.findall(r"^(\d+)\. (.*)$", text, re.MULTILINE))
    rows = re.findall(r"^\| ([^|(]+) \(([^|]*)\) \| (.*) \| ([\d-]+) \|$", text, re.MULTILINE)
    return {name: Told(what, _row(name, said.split(" | "), notes), date) for name, what, said, date in rows}


def _row(client: str, said: Iterable[str], notes: Mapping[str, str]) -> Row:
    """As it was seen: a fault's note begins with the names of client and behaviour, a limit's does not."""
    row = {}
    for name, one in zip(BEHAVIOURS, said, strict=True):
        number = one.removeprefix(_FAULT)
        row[name] = notes.get(number, number).removeprefix(f"{client}, {name}: ")
    return row


def versions(client: Client) -> dict[str, str]:
    return {package: _version(client, package) for package in client.versions}


def _version(client: Client, package: str) -> str:
    match client.room:
        case Room.OWN:
            return metadata.version(package)
        case Room.NODE:
            lock = msgspec.json.decode((HERE / "npm" / "package-lock.json").read_bytes())
            return str(lock["packages"][f"node_modules/{package}"]["version"])
        case Room.VENV:
            return pinned(client, package)


def pinned(client: Client, package: str) -> str:
    lines: Iterable[str] = (HERE / "python" / f"{client.packages}.txt").read_text().splitlines()
    found = [line.partition("==")[2] for line in lines if re.split(r"\[|==", line)[0] == package]
    return found[0].strip()
