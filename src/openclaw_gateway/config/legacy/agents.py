"""Old shapes of the agents: one `agent`, `routing.agents`, `identity`, and agents directly in `agents`."""

from typing import Any

from openclaw_gateway.config.agent_id import DEFAULT_AGENT_ID, normal_agent_id
from openclaw_gateway.config.known import KNOWN, is_comment
from openclaw_gateway.config.legacy.draft import Draft, Part
from openclaw_gateway.config.merge import merge
from openclaw_gateway.config.places import PlacedList, PlacedObject, dotted, join_lists, same_place
from openclaw_gateway.config.schema.agents import AgentDefaults, AgentEntry, AgentsWritten
from openclaw_gateway.config.wording import nearest

_SECTIONS = frozenset({*AgentsWritten.__struct_encode_fields__, *KNOWN[AgentsWritten]})
_SHARED = frozenset({*AgentDefaults.__struct_encode_fields__, *KNOWN[AgentDefaults]})
# What one agent has: no name of one.
_OF_ONE = frozenset({*AgentEntry.__struct_encode_fields__, *KNOWN[AgentEntry]})
# What `agent` held and the tools hold now.
_OF_TOOLS: tuple[tuple[str, str], ...] = (
    ("tools", "tools"),
    ("elevated", "tools.elevated"),
    ("bash", "tools.exec"),
    ("sandbox.tools", "tools.sandbox.tools"),
    ("subagents.tools", "tools.subagents.tools"),
)
_LISTS = ("allowedModels", "modelFallbacks", "imageModelFallbacks")


def move_agents(draft: Draft) -> None:
    if isinstance(draft.at("agent"), dict):
        _models(draft, "agent")
        for old, new in _OF_TOOLS:
            draft.move(("agent", *old.split(".")), tuple(new.split(".")))
        draft.move(("agent",), ("agents", "defaults"))
    if isinstance(draft.at("agents"), dict):
        _models(draft, "agents", "defaults")
    _routed(draft)
    _directly(draft)
    if isinstance(draft.at("identity"), dict):
        _identity(draft)


def _models(draft: Draft, *where: str) -> None:
    """Models as they were chosen before `model` and `models` were objects."""
    holder = draft.object(*where)
    fallbacks = {key: _texts(holder.get(key)) for key in _LISTS}
    aliases = holder.get("modelAliases")
    aliases = aliases if isinstance(aliases, dict) else {}
    for name, key in (("model", "modelFallbacks"), ("imageModel", "imageModelFallbacks")):
        chosen = holder.get(name)
        if fallbacks[key]:
            chosen = chosen if isinstance(chosen, dict) else {"primary": chosen} if chosen else {}
            if not chosen.get("fallbacks"):
                _replace(draft, (*where, name), {**chosen, "fallbacks": fallbacks[key]})
    models = dict(holder["models"]) if isinstance(holder.get("models"), dict) else {}
    for name in [*fallbacks["allowedModels"], *(a for a in aliases.values() if isinstance(a, str))]:
        models.setdefault(name.strip(), {})
    for alias, name in aliases.items():
        entry = models.get(name.strip()) if isinstance(name, str) else None
        if isinstance(entry, dict) and "alias" not in entry:
            models[name.strip()] = {**entry, "alias": alias}
    if models and (aliases or fallbacks["allowedModels"]):
        _replace(draft, (*where, "models"), models)
    for old, new in (
        ("modelFallbacks", "model.fallbacks"),
        ("imageModelFallbacks", "imageModel.fallbacks"),
        ("allowedModels", "models"),
        ("modelAliases", "models.*.alias"),
    ):
        if draft.take(*where, old) is not None:
            draft.said.append(f"{dotted((*where, old))} -> {dotted(where)}.{new}")


def _replace(draft: Draft, path: tuple[str, ...], value: Any) -> None:
    old = draft.take(*path)
    draft.put(path, Part(value, old.place if old else None))


def _texts(value: Any) -> list[str]:
    return (
        [text for text in value if isinstance(text, str) and text.strip()] if isinstance(value, list) else []
    )


def _routed(draft: Draft) -> None:
    """`routing.agents`, by id, and which of them is the default."""
    agents = draft.at("routing", "agents")
    if isinstance(agents, dict) and agents:
        for agent in list(agents):
            part = draft.take("routing", "agents", agent)
            if part is not None and isinstance(part.value, dict):
                _add(draft, agent, Part(_apart(part.value), part.place))
            elif part is not None:
                # Refused there, as what is no agent.
                draft.put(("agents", "entries", agent), part)
        draft.said.append("routing.agents -> agents.list")
    chosen = draft.at("routing", "defaultAgentId")
    if isinstance(chosen, str) and chosen.strip():
        part = draft.take("routing", "defaultAgentId")
        if not any(entry.get("default") is True for entry in _entries(draft).values()):
            _add(draft, chosen, Part({"default": True}, part.place if part else None))
            draft.said.append("routing.defaultAgentId -> agents.list[].default")


def _apart(entry: dict[str, Any]) -> dict[str, Any]:
    """An agent as it was written there, with its sandbox's tools where they are looked for."""
    alone = Draft(entry)
    alone.move(("sandbox", "tools"), ("tools", "sandbox", "tools"))
    alone.move(("mentionPatterns",), ("groupChat", "mentionPatterns"))
    return alone.document


def _directly(draft: Draft) -> None:
    """What stands in `agents` without being one of its sections: what all agents share, or an agent."""
    for key, value in list(draft.object("agents").items()):
        if key in _SECTIONS or is_comment(key):
            continue
        if key in _SHARED:
            draft.move(("agents", key), ("agents", "defaults", key))
        elif (
            isinstance(value, dict)
            and key not in _OF_ONE
            and not nearest(key, _SECTIONS, likeness=0.75)
            and normal_agent_id(key) not in _entries(draft)
        ):
            draft.move(("agents", key), ("agents", "entries", key))


def _identity(draft: Draft) -> None:
    """Who the one agent there was is: the default one's now."""
    part = draft.take("identity")
    entries = _entries(draft)
    default = [agent for agent, entry in entries.items() if entry.get("default") is True]
    agent = next(iter((*default, *entries)), DEFAULT_AGENT_ID)
    if part is None or "identity" in entries.get(agent, {}):
        draft.said.append(f"identity is left out, because the agent {agent} has one")
        return
    _add(draft, agent, Part({"identity": part.value}, part.place))
    draft.said.append(f"identity -> the agent {agent}")


def _entries(draft: Draft) -> dict[str, dict[str, Any]]:
    """The agents by id."""
    listed, keyed = draft.at("agents", "list"), draft.object("agents", "entries")
    found: dict[str, dict[str, Any]] = {}
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            found.setdefault(normal_agent_id(entry["id"]), entry)
    for key, entry in keyed.items():
        if isinstance(entry, dict):
            found.setdefault(normal_agent_id(key), entry)
    return found


def _add(draft: Draft, agent: str, part: Part) -> None:
    """To the agent of that name what it does not say itself; the agent is made where there is none."""
    meant, keyed, listed = (
        normal_agent_id(agent),
        draft.object("agents", "entries"),
        draft.at("agents", "list"),
    )
    if listed is None and keyed:
        key = next((each for each in keyed if normal_agent_id(each) == meant), agent)
        own = keyed.get(key)
        draft.put(("agents", "entries", key), Part(_under(own, part), None) if own else part)
        return
    items = listed if isinstance(listed, list) else []
    for at, entry in enumerate(items):
        if isinstance(entry, dict) and normal_agent_id(str(entry.get("id", ""))) == meant:
            items = same_place([*items[:at], _under(entry, part), *items[at + 1 :]], items)
            break
    else:
        entry = _under({"id": agent.strip()}, part)
        new = [entry] if part.place is None else PlacedList([entry], part.place, [part.place])
        items = join_lists(items, new) if items else new
    draft.put(("agents", "list"), Part(items, None if isinstance(listed, list) else part.place))


def _under(entry: dict[str, Any], part: Part) -> Any:
    """The agent's own words over those of the part."""
    return merge(_placed(part), entry, lists="replace")


def _placed(part: Part) -> Any:
    if part.place is None or isinstance(part.value, PlacedObject):
        return part.value
    return PlacedObject(part.value, part.place, dict.fromkeys(part.value, part.place))
