"""What a line of a chat means: a message, or an order such as `/new`. Pure."""

from typing import NamedTuple

ORDERS: dict[str, str] = {
    "/new": "begin another conversation with the agent; the old one stays under /sessions",
    "/agent": "[ID]  talk to another agent, or list them",
    "/model": "[REF]  have the next messages answered by another model, or list them; `default` goes back",
    "/attach": "[FILE]  send an image, a PDF or a text with the next message, or list what goes with it; "
    "`none` takes it away",
    "/sessions": "[NUMBER or KEY]  go on with another conversation, or list them",
    "/usage": "the tokens that this conversation took",
    "/abort": "end what runs in this conversation, whoever asked it",
    "/help": "show this",
    "/quit": "leave; so does Ctrl-D",
}
_SAME = {"/exit": "/quit", "/stop": "/abort", "/session": "/sessions", "/?": "/help"}


class Order(NamedTuple):
    name: str
    rest: str


def order_of(line: str) -> Order | None:
    """None for a message. A path such as /etc/hosts at its beginning is one, too."""
    word, _, rest = line.strip().partition(" ")
    if not word.startswith("/") or "/" in word[1:] or "\n" in line.strip():
        return None
    word = word.lower()
    return Order(_SAME.get(word, word), rest.strip())
