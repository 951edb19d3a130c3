"""The agents of a configuration as it is written: one more, one changed, one less. Pure.

Both shapes of the file are kept (`agents.list`, and `agents.entries` by id). A file that names no agent has
`main`, which has to be written down as soon as another one is. What a file shared with OpenClaw says
elsewhere of an agent that goes (`bindings`, `tools.agentToAgent.allow`) goes with it, as there.
"""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.config.agent_id import DEFAULT_AGENT_ID, normal_agent_id
from openclaw_gateway.errors import InvalidRequest

Document = dict[str, Any]
# What is set at which place of an entry; None takes it away.
Fields = Mapping[tuple[str, ...], str | None]


def id_from_name(name: str) -> str:
    """The id of an agent that is called so. Raises InvalidRequest."""
    if not any(letter.isascii() and letter.isalnum() for letter in name):
        raise InvalidRequest(
            "A new agent's id is made from its name, which needs a letter a-z or a digit for that. Create it "
            "under a name that has one; then it can be given any other name.",
            code="agent_id_invalid",
            param="name",
        )
    return normal_agent_id(name)


def with_agent(document: Document, agent_id: str, fields: Fields) -> Document:
    """Raises InvalidRequest (agent_exists)."""
    entries = _entries(document)
    known = {each for each, _ in entries} or {DEFAULT_AGENT_ID}
    if agent_id in known:
        raise InvalidRequest(
            f"There is an agent '{agent_id}' already: agents.update changes it.", code="agent_exists"
        )
    if not entries and agent_id != DEFAULT_AGENT_ID:
        entries = [(DEFAULT_AGENT_ID, {"id": DEFAULT_AGENT_ID})]
    return _with_entries(document, [*entries, (agent_id, _changed({"id": agent_id}, fields))])


def with_changed_agent(document: Document, agent_id: str, fields: Fields) -> Document:
    """Raises InvalidRequest (agent_not_found)."""
    entries = _entries(document) or [(DEFAULT_AGENT_ID, {"id": DEFAULT_AGENT_ID})]
    if agent_id not in {each for each, _ in entries}:
        raise not_found(agent_id)
    new = [(each, _changed(entry, fields) if each == agent_id else entry) for each, entry in entries]
    return _with_entries(document, new)


def without_agent(document: Document, agent_id: str) -> tuple[Document, int]:
    """(the document, how many bindings went). Raises InvalidRequest (agent_not_found)."""
    entries = _entries(document)
    left = [(each, entry) for each, entry in entries if each != agent_id]
    if len(left) == len(entries):
        raise not_found(agent_id)
    document = _with_entries(document, left)
    removed = 0
    bindings = document.get("bindings")
    if isinstance(bindings, list):
        kept = [each for each in bindings if not _is_of(each, agent_id)]
        removed = len(bindings) - len(kept)
        document = {**document, "bindings": kept}
    match document.get("tools"):
        case {"agentToAgent": {"allow": list() as allow} as others, **rest}:
            named = [each for each in allow if not (isinstance(each, str) and _same(each, agent_id))]
            document = {**document, "tools": {**rest, "agentToAgent": {**others, "allow": named}}}
        case _:
            pass
    return document, removed


def not_found(agent_id: str) -> InvalidRequest:
    return InvalidRequest(
        f"There is no agent '{agent_id}': agents.list tells which there are.",
        code="agent_not_found",
        param="agentId",
    )


def is_default(agent_id: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{agent_id}' is the default agent, who answers when nobody is named: make another one the default "
        "first (default: true).",
        code="agent_is_default",
        param="agentId",
    )


def _entries(document: Document) -> list[tuple[str, dict[str, Any]]]:
    """Id and entry of each that is written so that it is one."""
    agents = document.get("agents")
    agents = agents if isinstance(agents, dict) else {}
    listed, keyed = agents.get("list"), agents.get("entries")
    found = [
        (normal_agent_id(str(each.get("id", ""))), each)
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict)
    ]
    for key, each in (keyed if isinstance(keyed, dict) else {}).items():
        if isinstance(each, dict):
            found.append((normal_agent_id(key), {"id": key, **each}))
    return found


def _with_entries(document: Document, entries: list[tuple[str, dict[str, Any]]]) -> Document:
    """Each where it stood; a new one in the shape that the others have."""
    agents = document.get("agents", {})
    keyed = agents.get("entries", {})
    by_key = {normal_agent_id(key): key for key in keyed}
    only_keyed = bool(keyed) and not agents.get("list")
    listed: list[Any] = []
    new_keyed: dict[str, Any] = {}
    for agent_id, entry in entries:
        if agent_id in by_key or only_keyed:
            rest = {key: value for key, value in entry.items() if key != "id"}
            new_keyed[by_key.get(agent_id, agent_id)] = rest
        else:
            listed.append(entry)
    agents = dict(agents)
    if listed or "list" in agents:
        agents["list"] = listed
    if new_keyed or "entries" in agents:
        agents["entries"] = new_keyed
    return {**document, "agents": agents}


def _changed(entry: dict[str, Any], fields: Fields) -> dict[str, Any]:
    for path, value in fields.items():
        entry = _set(entry, path, value)
    return entry


def _set(holder: dict[str, Any], path: tuple[str, ...], value: str | None) -> dict[str, Any]:
    key, rest = path[0], path[1:]
    old = holder.get(key)
    new: Any = value
    if rest:
        new = _set(old if isinstance(old, dict) else {}, rest, value) or None
    elif key == "model" and value is not None and isinstance(old, dict):
        # Those that are tried after it stay.
        new = {**old, "primary": value}
    if new is None:
        return {name: item for name, item in holder.items() if name != key}
    return {**holder, key: new}


def _is_of(binding: Any, agent_id: str) -> bool:
    named = binding.get("agentId") if isinstance(binding, dict) else None
    return isinstance(named, str) and _same(named, agent_id)


def _same(text: str, agent_id: str) -> bool:
    return text.strip() != "*" and normal_agent_id(text) == agent_id
