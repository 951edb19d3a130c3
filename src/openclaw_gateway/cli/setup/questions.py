"""The three questions of `setup`, asked of a person: which model, where to listen, what to connect.

Only asks: what can be answered is given to it, and what is done with the answers is not its business.
"""

import click
from msgspec import Struct

from openclaw_gateway.cli.harmless import printable
from openclaw_gateway.cli.setup.candidates import Offer
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.doors.ui.snippets import CLIENTS

_PLACES = {"loopback": "this computer only", "lan": "this computer and its network"}


class ChosenModel(Struct, frozen=True):
    """Either a reference, or the address of a server."""

    ref: str | None = None
    base_url: str | None = None


def ask_model(terminal: Terminal, offers: tuple[Offer, ...]) -> ChosenModel:
    terminal.heading("1. Which model?")
    for number, offer in enumerate(offers, start=1):
        terminal.say(f"  {number}  {offer.ref}  ({offer.why})")
    terminal.say("  Or a provider/model, or the address of a server, such as http://127.0.0.1:8080/v1")
    while True:
        text = str(click.prompt("Model", default="1" if offers else None)).strip()
        if text.isdigit() and 1 <= int(text) <= len(offers):
            return ChosenModel(offers[int(text) - 1].ref)
        if text.startswith(("http://", "https://")):
            return ChosenModel(base_url=text)
        if "/" in text.strip("/"):
            return ChosenModel(text)
        terminal.say("  A number of the list, a provider/model, or an address that begins with http.")


def ask_which(terminal: Terminal, models: tuple[str, ...]) -> str:
    """One of a server's own."""
    shown = models[:20]
    for number, model in enumerate(shown, start=1):
        terminal.say(f"  {number}  {printable(model)}")
    while True:
        text = str(click.prompt("Which of its models", default="1" if shown else None)).strip()
        if text.isdigit() and 1 <= int(text) <= len(shown):
            return shown[int(text) - 1]
        if text and not text.isdigit():
            return text
        terminal.say("  A number of the list, or a name.")


def ask_key(variable: str, file: str) -> str:
    """Of a provider whose key was not found; "" = none. It is not shown."""
    text = click.prompt(
        f"{variable} (not shown; it is kept in {file})", default="", hide_input=True, show_default=False
    )
    return str(text).strip()


def ask_keep(variable: str, file: str) -> bool:
    return click.confirm(f"Keep {variable} in {file}, for other terminals and services?", default=True)


def ask_place(terminal: Terminal, port: int, taken: str) -> tuple[str, int]:
    """(bind, port). `taken` says by whom the usual port is, if it is."""
    terminal.heading("2. Where shall it listen?")
    for number, words in enumerate(_PLACES.values(), start=1):
        terminal.say(f"  {number}  {words}")
    chosen = click.prompt("Place", type=WholeNumber(1, len(_PLACES)), default=1)
    if taken:
        terminal.say(f"  {taken}")
    return list(_PLACES)[chosen - 1], click.prompt("Port", type=WholeNumber(1, 65_535), default=port)


def ask_clients(terminal: Terminal) -> tuple[str, ...]:
    terminal.heading("3. What do you connect?")
    names = list(CLIENTS)
    for number, snippet in enumerate(CLIENTS.values(), start=1):
        terminal.say(f"  {number}  {snippet.title}")
    while True:
        words = str(click.prompt("Several with spaces", default="1")).replace(",", " ").split()
        if all(word.isdigit() and 1 <= int(word) <= len(names) for word in words):
            return tuple(dict.fromkeys(names[int(word) - 1] for word in words))
        terminal.say("  Numbers of the list, such as: 1 3")
