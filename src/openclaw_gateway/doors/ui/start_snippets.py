"""The part of the start page that says how to connect: what is pasted where, of what is on. Pure.

It names switches, which a request without a secret is told as well, and nothing of agents or models.
"""

import html

from openclaw_gateway.config.schema import CHAT_SWITCH, MESSAGES_SWITCH, HttpEndpoints
from openclaw_gateway.doors.ui.snippets import CLIENTS, switches_on

_STANDS_FOR_IT = "YOUR_TOKEN"
_SHOWN = ("curl", "python", "open-webui", "claude-code", "form")
_NAMES = {CHAT_SWITCH: "The OpenAI API", MESSAGES_SWITCH: "Anthropic's API, for Claude Code,"}


def start_snippets(origin: str, endpoints: HttpEndpoints, program: str) -> str:
    """HTML. Whatever `origin` holds is text in it. Commands begin with `program`."""
    on = switches_on(endpoints)
    shown = [CLIENTS[name] for name in _SHOWN if CLIENTS[name].switch in on]
    parts = [
        f"<h3>{html.escape(each.title)}</h3><pre>{html.escape(each.lines(origin, _STANDS_FOR_IT))}</pre>"
        for each in shown
    ]
    parts += [
        f"<p>{html.escape(what)} is off. To switch it on: <code>{program} config set {key} true</code></p>"
        for key, what in _NAMES.items()
        if key not in on
    ]
    return "\n".join(parts)
