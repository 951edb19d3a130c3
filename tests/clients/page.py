"""docs/clients.md: the table as text. Pure, but for `versions`, which looks into the lock files."""

import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

import msgspec

from tests.clients.behaviours import BEHAVIOURS
from tests.clients.rooms import HERE
from tests.clients.table import CLIENTS, Client, Room
from tests.clients.trial import PASSES, Row

PAGE = HERE.parents[1] / "docs" / "clients.md"
_HEAD = """# Which clients work

Each client below does each of these things against a started gateway and a scripted model, with its own code
and pinned versions (`tests/clients`). `make test` tries those that install quickly, at every push;
`make test-clients` tries all of them, or with `CLIENTS="opencode pi"` some, and writes their rows; the last
column says when that was.

`yes`: it works, and the model server saw what it had to see. A number is a limit of that client, below.
**no**: it does not work, and it should. How each is set up is in [connect/](connect/README.md).
"""
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

A command line is run as a person runs it, in a folder of its own and with an empty home. There **tools**
are its own (it reads a file that only its folder has, and the model sees none of the agent's tools for
files and commands), **errors** are told by what it prints (opencode asks again after 429, 502 and 503 until
it is answered; Codex has words of its own for 429 and context overflow), **cancel** is Ctrl-C, and
**history** a session that is gone on with, of which the model sees each message once.
"""


def expected(client: Client) -> Row:
    """What a row is where all is as the table says."""
    return {name: client.limits.get(name, PASSES) for name in BEHAVIOURS}


def page(rows: Mapping[str, Row], not_tried: Mapping[str, str], date: str, before: str) -> str:
    """`rows` are by the clients' names; `not_tried` says why of those that could not be installed. Those of
    neither are as the page `before` has them."""
    notes: list[str] = []
    kept = _lines(before)
    lines = [
        line(client, rows[client.name], notes, date)
        if client.name in rows
        else _numbered(kept[client.name], _notes(before), notes)
        for client in CLIENTS
        if client.name in rows or (client.name in kept and client.name not in not_tried)
    ]
    names = ["client", *BEHAVIOURS, "on"]
    head = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    told = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    absent = [f"- {name} was not tried: {why}" for name, why in not_tried.items()]
    parts = [
        _HEAD,
        "\n".join([*head, *lines]),
        "\n".join(told),
        "\n".join(absent),
        _MEANINGS,
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def line(client: Client, row: Row, notes: list[str], date: str) -> str:
    """One row of the table; a limit or a fault that is new is put to `notes`."""
    cells = [cell(client, name, row.get(name), notes) for name in BEHAVIOURS]
    what = ", ".join(f"{package} {version}" for package, version in versions(client).items())
    return f"| {client.name} ({what}) | {' | '.join(cells)} | {date} |"


def _lines(text: str) -> dict[str, str]:
    """The rows of a page, by the names of the clients."""
    rows = re.finditer(r"^\| ([^|(]+) \([^|]*\) \|.*\|$", text, re.MULTILINE)
    return {row[1]: row[0] for row in rows}


def _notes(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(\d+)\. (.*)$", text, re.MULTILINE))


def _numbered(line: str, before: Mapping[str, str], notes: list[str]) -> str:
    """A row of a page with the notes `before`, with the numbers that these have in `notes`."""

    def anew(number: re.Match[str]) -> str:
        note = before[number[1]]
        if note not in notes:
            notes.append(note)
        return f"{notes.index(note) + 1} |"

    return re.sub(r"(?<= )(\d+) \|", anew, line)


def cell(client: Client, name: str, seen: str | None, notes: list[str]) -> str:
    if seen == PASSES:
        return PASSES
    limit = client.limits.get(name)
    note = limit or f"{client.name}, {name}: {' '.join((seen or 'not tried').split())}"
    if note not in notes:
        notes.append(note)
    number = notes.index(note) + 1
    return f"{number}" if limit else f"**no** {number}"


def cells(text: str) -> dict[str, list[str]]:
    """By the name of the client, what a page says of each behaviour; the notes stand for their numbers."""
    notes = _notes(text)
    tried = {name: row.strip("| ").split(" | ")[1:-1] for name, row in _lines(text).items()}
    return {name: [notes.get(each, each) for each in said] for name, said in tried.items()}


def versions(client: Client) -> dict[str, str]:
    return {package: _version(client, package) for package in client.versions}


def _version(client: Client, package: str) -> str:
    match client.room:
        case Room.OWN:
            return metadata.version(package)
        case Room.NODE:
            return _locked(HERE / "npm", package)
        case Room.COMMAND:
            return _locked(HERE / "npm-cli" / client.packages, package)
        case Room.VENV:
            return pinned(client, package)


def _locked(folder: Path, package: str) -> str:
    lock = msgspec.json.decode((folder / "package-lock.json").read_bytes())
    return str(lock["packages"][f"node_modules/{package}"]["version"])


def pinned(client: Client, package: str) -> str:
    lines: Iterable[str] = (HERE / "python" / f"{client.packages}.txt").read_text().splitlines()
    found = [line.partition("==")[2] for line in lines if re.split(r"\[|==", line)[0] == package]
    return found[0].strip()
