"""The keys of OpenClaw and Clawdbot that this gateway knows of and does not serve (yet).

For each struct of the schema the keys that may stand next to its fields. They are accepted whatever they
hold, and named once in one notice. No key is both here and a field; what is in neither place is a mistake
of the operator's. `known_keys.json` is what those systems say of themselves, written by `make config-tables`.
"""

import re
from pathlib import Path

import msgspec
from msgspec import Struct

from openclaw_gateway.config.kinds import kind_of, structs
from openclaw_gateway.config.schema import agents, mcp, models, root, sessions, tools

# Among the names of a place it says that any other may stand there too.
ANY = "*"
# The program's own notes about the file: not worth a notice.
SILENT = frozenset({"$schema", "meta", "wizard"})

_AGENT = """
    agentRuntime blockStreamingDefault cliBackends compaction contextPruning elevatedDefault imageModel
    mediaModels promptOverlays silentReply startupContext
"""
# What the schemas do not tell: keys from before the oldest of them, of versions between those asked, and of
# these systems' own pages.
_BETWEEN: dict[type[Struct], str] = {
    root.Written: """
            agent cli crestodian discord heartbeat identity imessage memorySearch msteams routing signal slack
            telegram tui whatsapp
        """,
    agents.AgentDefaults: "agentDir agentRuntime groupChat maxActiveTranscriptBytes runtime skillsLimits tts",
    agents.AgentEntry: _AGENT,
    agents.KeyedAgentEntry: _AGENT,
    agents.ModelChoice: "timeoutMs",
    agents.ModelEntry: "thinking",
    models.ProviderConfig: "sanitizeToolCallIds",
    sessions.SessionConfig: "forkAfterTokens heartbeatIdleMinutes historyLimit",
    tools.AgentToolsConfig: "experimental links media sessions_spawn toolSearch",
    mcp.McpServer: "description",
}


class _Table(Struct, frozen=True):
    """`keys`: at each place, such as `agents.list[].tools`, the names that may stand there."""

    newest: str
    keys: dict[str, str]


_TABLE = msgspec.json.decode(Path(__file__).with_name("known_keys.json").read_bytes(), type=_Table)


def is_newer(version: object) -> bool:
    """Whether a file that this version of the other program wrote may hold keys that the table lacks."""
    return isinstance(version, str) and _numbers(version) > _numbers(_TABLE.newest)


def is_comment(key: str) -> bool:
    """Whether a key is how people write a comment into plain JSON."""
    return key.startswith(("_", "$comment"))


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]{1,9}", version)[:3]]


def _known() -> dict[type[Struct], frozenset[str]]:
    found: dict[type[Struct], set[str]] = {}
    for place, kind in structs(kind_of(root.Written)):
        fields = {field.encode_name for field in kind.fields}
        # Both ways to write agents take the keys of both.
        keys = {key for twin in _twins(place) for key in _TABLE.keys.get(twin, "").split()}
        if kind.cls is agents.KeyedAgentEntry:
            keys.discard("id")
        found.setdefault(kind.cls, set()).update((keys | set(_BETWEEN.get(kind.cls, "").split())) - fields)
    return {struct: frozenset(keys) for struct, keys in found.items()}


def _twins(place: str) -> tuple[str, ...]:
    listed, keyed = "agents.list[]", "agents.entries.*"
    if place.startswith((listed, keyed)):
        rest = place.removeprefix(listed).removeprefix(keyed)
        return listed + rest, keyed + rest
    return (place,)


KNOWN = _known()
