"""Session keys: how a conversation is named, and which names a client may choose.

Pure. Knows nothing of configuration: whether an agent exists is decided by routing. A key is always
`agent:<agent id>:<name>`, in lower case and composed (NFC); only the agent id is structure, the name is
opaque and may hold further colons. What looks alike but is written with other letters (NFKC) stays apart.
Keys never become paths.
"""

import re
import unicodedata
from typing import NamedTuple

from openclaw_gateway.config.agent_id import is_agent_id
from openclaw_gateway.errors import InvalidRequest

MAX_NAME_CHARS = 256
# Of a whole key: it may hold a person's name, each letter of it escaped, a conversation's id, and the
# numbers of a branch of a branch.
MAX_WHOLE_CHARS = 5 * MAX_NAME_CHARS
RESERVED_NAMESPACES = ("subagent", "cron", "acp")
SESSION_KEY_HEADER = "x-openclaw-session-key"

# Control characters, line and paragraph separators, direction overrides, the byte order mark and lone
# surrogates: what breaks a log line, a terminal, a header or SQLite. Joiners and the spaces of other
# scripts are letters' company in real names and may stay.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class SessionKey(NamedTuple):
    """A whole key, and the agent it belongs to."""

    agent_id: str
    key: str


def explicit_key(header_value: str, agent_id: str) -> SessionKey:
    """The key a client chose in a header. A bare name belongs to `agent_id`.

    A bare name has the bound of names; a whole key has room for what we make of them, so that a key we
    answered with can be sent back.
    Raises InvalidRequest (code "session_key_invalid" | "session_key_reserved" | "agent_not_found").
    """
    text = _folded(header_value)
    name = text
    most = MAX_NAME_CHARS
    if text.startswith("agent:"):
        _, owner, name = text.split(":", 2) if text.count(":") > 1 else ("", "", "")
        owner, name = owner.strip(), name.strip()
        if not owner or not name:
            raise _invalid("A session key that starts with 'agent:' must be 'agent:<agent id>:<name>'.")
        if not is_agent_id(owner):
            raise InvalidRequest(
                "The session key names something that is not an agent id: use letters, digits, '_' and '-' "
                "after 'agent:', or send a key without 'agent:' and choose the agent by the model field.",
                code="agent_not_found",
                param=SESSION_KEY_HEADER,
            )
        agent_id = owner
        most = MAX_WHOLE_CHARS
    _check_name(name, "session key", SESSION_KEY_HEADER, most)
    # Empty segments are skipped because OpenClaw skips them when it reads a key.
    segments = [segment for part in name.split(":") if (segment := part.strip())]
    if not segments:
        raise _invalid("The session key has no name in it: send at least one letter or digit.")
    if ":" in name and segments[0] in RESERVED_NAMESPACES:
        raise InvalidRequest(
            f"Session keys in the namespaces {', '.join(f'{n}:' for n in RESERVED_NAMESPACES)} are reserved "
            "for internal use: choose another name.",
            code="session_key_reserved",
            param=SESSION_KEY_HEADER,
        )
    return SessionKey(agent_id, f"agent:{agent_id}:{name}")


def user_name(user: str) -> str | None:
    """A client's `user` field as it names a person; None when it is blank.

    Raises InvalidRequest (code "session_key_invalid", param "user").
    """
    name = _folded(user)
    if not name:
        return None
    _check_name(name, "user", "user")
    return name


def user_key(agent_id: str, name: str) -> str:
    """The key of the conversation with a person, by `user_name`."""
    return f"agent:{agent_id}:openai-user:{name}"


def chat_key(agent_id: str, client: str, chat: str, user: str | None, source: str) -> str:
    """The key of a front end's conversation: `<client>:<chat>`, or `<client>-user:<user>:<chat>` where the
    request names a person (by `user_name`): two people's chats never meet, whatever their ids.

    `source` is the header or field that the id came in. Raises InvalidRequest (code "session_key_invalid").
    """
    name = _folded(chat)
    _check_name(name, "conversation id", source)
    if user is None:
        return f"agent:{agent_id}:{client}:{name}"
    # Without a colon, so that it is plain where the one ends and the other begins.
    whose = user.replace("%", "%25").replace(":", "%3a")
    return f"agent:{agent_id}:{client}-user:{whose}:{name}"


def main_key(agent_id: str) -> str:
    """The session the terminal uses when none is named."""
    return f"agent:{agent_id}:main"


def agent_of(key: str) -> str | None:
    """The agent a whole key belongs to; None when it is not a whole key."""
    head, _, rest = key.partition(":")
    agent_id, _, name = rest.partition(":")
    return agent_id if head == "agent" and name and is_agent_id(agent_id) else None


def _folded(text: str) -> str:
    """The same for the same letters, whether a keyboard or a file system composed them."""
    text = text.strip().lower()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _check_name(name: str, what: str, param: str, most: int = MAX_NAME_CHARS) -> None:
    if not name:
        raise _invalid(f"The {what} is empty: send a name, or leave it out for a stateless request.")
    if len(name) > most:
        raise _invalid(
            f"The {what} has {len(name)} characters (after folding to lower case); "
            f"at most {most} are allowed: send a shorter one.",
            param,
        )
    if _UNPRINTABLE.search(name):
        raise _invalid(
            f"The {what} has control characters or is not valid UTF-8: send printable text in UTF-8.",
            param,
        )


def _invalid(message: str, param: str = SESSION_KEY_HEADER) -> InvalidRequest:
    return InvalidRequest(message, code="session_key_invalid", param=param)
