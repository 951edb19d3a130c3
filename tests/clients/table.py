"""The clients, and what each cannot do of what is tried: the table of docs/clients.md.

A limit is a limit of the client (or of the API it speaks), found by the behaviour failing; where it begins to
work the test says so, and the row is taken out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Room(Enum):
    """Where the packages of a program come from."""

    OWN = "the lock of the test group"
    VENV = "python/<packages>.txt"
    NODE = "npm/package-lock.json"
    COMMAND = "npm-cli/<packages>/package-lock.json"


@dataclass(frozen=True)
class Client:
    """`program` is the name in programs/ with its arguments, of a command line the name in commands/;
    `versions` are the packages whose versions the page names."""

    name: str
    program: str
    room: Room
    versions: tuple[str, ...]
    packages: str = ""
    heavy: bool = False
    limits: Mapping[str, str] = field(default_factory=dict)


_NO_LIST = {"models": "does not list models"}
_CHATS_ONLY = {**_NO_LIST, "embeddings": "asks for no vectors"}
_TEXT_ONLY = "edits by text: it offers no tools and asks for no schema"
_NODE_SAME = {"embeddings": "as openai Node", "models": "as openai Node"}
_AT_A_TERMINAL = {
    "embeddings": "a command line: makes no vectors",
    "models": "a command line: takes the model from its configuration",
}
_NO_SCHEMA = {"structured": "a command line: cannot be given a schema"}

CLIENTS = (
    Client("openai Python", "openai_python", Room.OWN, ("openai",)),
    Client("openai Python, async and helpers", "openai_python_async", Room.OWN, ("openai",)),
    Client("openai Python, responses", "openai_responses", Room.OWN, ("openai",)),
    Client("openai Node", "openai_node", Room.NODE, ("openai",)),
    Client("openai Node, responses", "openai_node_responses", Room.NODE, ("openai",), limits=_NODE_SAME),
    Client(
        "AI SDK, openai-compatible",
        "ai_sdk compatible",
        Room.NODE,
        ("ai", "@ai-sdk/openai-compatible"),
        limits=_NO_LIST,
    ),
    Client("AI SDK, openai", "ai_sdk openai", Room.NODE, ("ai", "@ai-sdk/openai"), limits=_NO_LIST),
    Client(
        "AI SDK, openai.chat",
        "ai_sdk openai-chat",
        Room.NODE,
        ("ai", "@ai-sdk/openai"),
        limits={**_NO_LIST, "reasoning": "drops reasoning text"},
    ),
    Client(
        "LangChain",
        "ask_langchain_openai",
        Room.OWN,
        ("langchain-openai",),
        limits={**_NO_LIST, "reasoning": "drops reasoning text"},
    ),
    Client(
        "LangGraph",
        "ask_langgraph",
        Room.OWN,
        ("langgraph", "langchain-openai"),
        limits={**_CHATS_ONLY, "reasoning": "drops reasoning text"},
    ),
    Client(
        "Haystack",
        "ask_haystack",
        Room.VENV,
        ("haystack-ai",),
        "agents",
        limits={**_NO_LIST, "reasoning": "drops reasoning text"},
    ),
    Client("Pydantic AI", "ask_pydantic_ai", Room.VENV, ("pydantic-ai-slim",), "agents", limits=_NO_LIST),
    Client(
        "Pydantic AI, responses",
        "ask_pydantic_ai responses",
        Room.VENV,
        ("pydantic-ai-slim",),
        "agents",
        limits=_NO_LIST,
    ),
    Client(
        "OpenAI Agents, responses",
        "ask_openai_agents",
        Room.VENV,
        ("openai-agents",),
        "agents",
        limits=_CHATS_ONLY,
    ),
    Client(
        "OpenAI Agents, chat",
        "ask_openai_agents chat",
        Room.VENV,
        ("openai-agents",),
        "agents",
        limits=_CHATS_ONLY,
    ),
    Client(
        "instructor",
        "ask_instructor",
        Room.VENV,
        ("instructor",),
        "instructor",
        limits=dict.fromkeys(
            ("usage", "tools", "parallel tools", "reasoning", "images", "embeddings", "models"),
            "hands this on to the openai package as it is",
        ),
    ),
    Client(
        "llm",
        "ask_llm",
        Room.VENV,
        ("llm",),
        "agents",
        limits={
            **_NO_LIST,
            "embeddings": "asks nobody but OpenAI for vectors",
            "reasoning": "drops reasoning text",
        },
    ),
    Client("litellm", "ask_litellm", Room.VENV, ("litellm",), "litellm", heavy=True),
    Client(
        "llama-index",
        "ask_llama_index",
        Room.VENV,
        ("llama-index-llms-openai-like", "llama-index-embeddings-openai-like"),
        "llama-index",
        heavy=True,
        limits=_NO_LIST,
    ),
    Client(
        "CrewAI",
        "ask_crewai",
        Room.VENV,
        ("crewai",),
        "crewai",
        heavy=True,
        limits={
            **_NO_LIST,
            "reasoning": "drops reasoning text",
            "cancel": "its agents ask in a thread, which goes on when their stream is closed",
        },
    ),
    Client(
        "aider",
        "ask_aider",
        Room.VENV,
        ("aider-chat",),
        "aider",
        heavy=True,
        limits={
            **_CHATS_ONLY,
            "usage": "does not read cached tokens, and counts those of a stream itself",
            "tools": _TEXT_ONLY,
            "parallel tools": _TEXT_ONLY,
            "structured": _TEXT_ONLY,
            "history": "sends messages of its own before the newest",
        },
    ),
    Client(
        "opencode",
        "opencode",
        Room.COMMAND,
        ("opencode-linux-x64",),
        "opencode",
        heavy=True,
        limits={**_AT_A_TERMINAL, **_NO_SCHEMA},
    ),
    Client(
        "Codex CLI",
        "codex",
        Room.COMMAND,
        ("@openai/codex",),
        "codex",
        heavy=True,
        limits=_AT_A_TERMINAL,
    ),
    Client(
        "pi",
        "pi",
        Room.COMMAND,
        ("@earendil-works/pi-coding-agent",),
        "pi",
        heavy=True,
        limits={**_AT_A_TERMINAL, **_NO_SCHEMA},
    ),
    Client(
        "qwen-code",
        "qwen_code",
        Room.COMMAND,
        ("@qwen-code/qwen-code",),
        "qwen-code",
        heavy=True,
        limits={
            **_AT_A_TERMINAL,
            **_NO_SCHEMA,
            "images": "takes a picture into its prompt in its own window alone",
        },
    ),
    Client(
        "Continue CLI",
        "continue_cli",
        Room.COMMAND,
        ("@continuedev/cli",),
        "continue",
        heavy=True,
        limits={
            **_AT_A_TERMINAL,
            **_NO_SCHEMA,
            **dict.fromkeys(
                ("usage", "reasoning", "images"), "prints the answer alone, and takes text alone"
            ),
        },
    ),
    Client(
        "promptfoo",
        "promptfoo",
        Room.COMMAND,
        ("promptfoo",),
        "promptfoo",
        heavy=True,
        limits={
            **_AT_A_TERMINAL,
            "stream": "asks for whole answers alone",
            "retry": "asks again after a 5xx only where PROMPTFOO_RETRY_5XX says so",
            "history": "asks each question alone",
            **dict.fromkeys(
                ("usage", "tools", "parallel tools", "reasoning", "images"),
                "asks and compares answers: is tried for nothing more",
            ),
        },
    ),
    Client(
        "Cline CLI",
        "cline",
        Room.COMMAND,
        ("@cline/cli-linux-x64",),
        "cline",
        heavy=True,
        limits={
            **_AT_A_TERMINAL,
            **_NO_SCHEMA,
            "images": "takes no picture on its command line",
            "history": "begins a new task each time",
        },
    ),
)
