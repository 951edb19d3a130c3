"""Rules between several keys, checked on the document as it was written. Pure.

Each rule is a generator of Problems over the merged document; a part of the wrong kind is somebody else's
problem and skipped here.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from openclaw_gateway.config.agent_id import DEFAULT_AGENT_ID, normal_agent_id
from openclaw_gateway.config.known import is_comment
from openclaw_gateway.config.places import KeyPath, PlacedObject, Problem, dotted

# RFC 9110: a token.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def broken_rules(document: dict[str, Any]) -> list[Problem]:
    rules = (_one_secret, _custom_bind, _agents, _tool_policies, _header_names)
    return [problem for rule in rules for problem in rule(document)]


def keys_twice(document: Any) -> Iterator[Problem]:
    """Keys of one file that stand twice in its outermost object, or anywhere in `agents`: one is lost.

    Only a document with places knows them: they are something to note, and fail no start.
    """
    if isinstance(document, PlacedObject):
        yield from _twice(document, (), deep=False)
        yield from _twice(document.get("agents"), ("agents",), deep=True)


def _twice(value: Any, path: KeyPath, *, deep: bool) -> Iterator[Problem]:
    if isinstance(value, PlacedObject):
        for key, place in value.lost:
            message = f"stands in the same object again on line {value.places[key].line}, which alone counts"
            yield Problem((*path, key), f"{message}; make one of the two", place)
    items: Iterable[tuple[str | int, Any]] = ()
    if deep and isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
    for step, item in items:
        yield from _twice(item, (*path, step), deep=True)


def agent_ids(document: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Every agent's id as written, and where."""
    for at, entry in enumerate(_at(document, "agents", "list", kind=list)):
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            yield ("agents", "list", at, "id"), entry["id"]
    for key, entry in _at(document, "agents", "entries", kind=dict).items():
        if isinstance(entry, dict) or not is_comment(key):
            yield ("agents", "entries", key), key


def _one_secret(document: dict[str, Any]) -> Iterator[Problem]:
    auth = _at(document, "gateway", "auth", kind=dict)
    if "mode" not in auth and auth.get("token") and auth.get("password"):
        yield Problem(
            ("gateway", "auth"),
            'has both a token and a password; set gateway.auth.mode to "token" or "password"',
        )


def _custom_bind(document: dict[str, Any]) -> Iterator[Problem]:
    gateway = _at(document, "gateway", kind=dict)
    if gateway.get("bind") == "custom" and "customBindHost" not in gateway:
        yield Problem(
            ("gateway", "bind"), 'is "custom"; set gateway.customBindHost to the address to listen on'
        )


def _agents(document: dict[str, Any]) -> Iterator[Problem]:
    seen: dict[str, KeyPath] = {}
    for path, text in agent_ids(document):
        if not text.strip():
            yield Problem(path, "is empty; give the agent an id")
            continue
        agent = normal_agent_id(text)
        if agent in seen:
            folded = agent != text.strip().lower()
            why = " (of a name only a to z, 0 to 9, _ and - count)" if folded else ""
            yield Problem(
                path, f'is the agent "{agent}"{why}, which is already at {dotted(seen[agent])}; rename one'
            )
        seen.setdefault(agent, path)
    system = _at(document, "agents", "defaults", "systemAgent", kind=dict).get("agentId")
    if isinstance(system, str) and "${" not in system:
        known = seen or {DEFAULT_AGENT_ID: ()}
        if normal_agent_id(system) not in known:
            yield Problem(
                ("agents", "defaults", "systemAgent", "agentId"),
                f'names the agent "{system}", which is not configured; use one of {", ".join(known)}',
            )


def _tool_policies(document: dict[str, Any]) -> Iterator[Problem]:
    for path, tools in tool_scopes(document):
        yield from _allow_twice(tools, path)
        settings = _at(tools, "exec", kind=dict)
        if "mode" in settings and ("security" in settings or "ask" in settings):
            yield Problem(
                (*path, "exec", "mode"), "stands for security and ask together; remove it, or those"
            )


def tool_scopes(document: dict[str, Any]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """Every `tools` section as written, and where: the global one, then the agents'."""
    places: list[tuple[KeyPath, Any]] = [((), document)]
    for at, entry in enumerate(_at(document, "agents", "list", kind=list)):
        places.append((("agents", "list", at), entry))
    for key, entry in _at(document, "agents", "entries", kind=dict).items():
        places.append((("agents", "entries", key), entry))
    for path, entry in places:
        if isinstance(entry, dict) and isinstance(entry.get("tools"), dict):
            yield (*path, "tools"), entry["tools"]


def _header_names(document: dict[str, Any]) -> Iterator[Problem]:
    for path in (("models", "providers"), ("mcp", "servers")):
        for name, entry in _at(document, *path, kind=dict).items():
            headers = entry.get("headers") if isinstance(entry, dict) else None
            for header in headers if isinstance(headers, dict) else ():
                if not _HEADER.fullmatch(header):
                    message = "is no name of a header; write letters, digits and hyphens, such as X-Api-Key"
                    yield Problem((*path, name, "headers", header), message)


def _allow_twice(policy: Any, path: KeyPath) -> Iterator[Problem]:
    """In one scope `allow` is the whole list and `alsoAllow` an addition to a profile: not both."""
    if not isinstance(policy, dict):
        return
    if policy.get("allow") and policy.get("alsoAllow"):
        yield Problem(path, "has both allow and alsoAllow; put all names into one of them")
    for key, value in policy.items():
        yield from _allow_twice(value, (*path, key))


def _at(document: dict[str, Any], *path: str, kind: type) -> Any:
    """What stands at `path`, or an empty `kind` when there is nothing of that kind."""
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, kind) else kind()
