"""Files as people have them: what of each is served, by which models, and what is said of the rest."""

import asyncio
import copy
import importlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyjson5
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import Drawing, draw
from openclaw_gateway.errors import ConfigError
from tests.blueprint.test_agreement import start
from tests.config import test_eras

# Some of the files have MCP servers: the first of them has it imported, on a thread that nobody waits for.
importlib.import_module("openclaw_gateway.tools.mcp.sdk")
STORE = "agents/main/agent/auth-profiles.json"


class File(Struct, frozen=True):
    """`served` are the models of each agent that has any, `refused` the others, `said` words of the notes."""

    config: dict[str, Any]
    served: dict[str, list[str]]
    refused: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    environ: Mapping[str, str] = {}
    beside: Mapping[str, Any] = {}


def model(primary: str, *fallbacks: str) -> dict[str, Any]:
    return {"defaults": {"model": {"primary": primary, "fallbacks": list(fallbacks)}}}


def api_key(provider: str) -> dict[str, str]:
    return {"type": "api_key", "provider": provider, "key": f"key-of-{provider}"}


FILES = {
    "onboarding with a Claude subscription and an OpenAI key behind it": File(
        {
            "auth": {"profiles": {"anthropic:default": {"provider": "anthropic", "mode": "token"}}},
            "agents": model("anthropic/claude-opus-4-5", "openai/gpt-5.2"),
        },
        {"main": ["openai/gpt-5.2"]},
        said=("claude setup-token", "agents.defaults.model"),
        environ={"OPENAI_API_KEY": "k"},
        beside={
            STORE: {
                "profiles": {
                    "anthropic:default": {
                        "type": "token",
                        "provider": "anthropic",
                        "token": "sk-ant-oat01-x",
                    }
                }
            }
        },
    ),
    "onboarding with an OpenRouter key": File(
        {
            "meta": {"lastTouchedVersion": "2026.2.3"},
            "auth": {"profiles": {"openrouter:default": {"provider": "openrouter", "mode": "api_key"}}},
            "agents": model("openrouter/auto"),
        },
        {"main": ["openrouter/auto"]},
        beside={STORE: {"version": 1, "profiles": {"openrouter:default": api_key("openrouter")}}},
    ),
    "a ChatGPT sign-in for one agent, a local model for another": File(
        {
            "agents": {
                "defaults": {"model": "openai-codex/gpt-5.2-codex"},
                "list": [{"id": "main"}, {"id": "home", "model": "ollama/qwen3:8b"}],
            },
        },
        {"home": ["ollama/qwen3:8b"]},
        refused=("main",),
        said=("signs in with a ChatGPT account", "openai-codex:default"),
        beside={STORE: {"profiles": {"openai-codex:default": {"type": "oauth", "provider": "openai-codex"}}}},
    ),
    "a gateway of models in a cloud, Bedrock and Vertex behind it": File(
        {
            "models": {
                "providers": {
                    "amazon-bedrock": {
                        "baseUrl": "https://bedrock-runtime.us-east-1.amazonaws.com",
                        "api": "bedrock-converse-stream",
                        "auth": "aws-sdk",
                        "models": [{"id": "us.anthropic.claude-opus-4-6-v1:0", "name": "Opus"}],
                    }
                }
            },
            "agents": model(
                "nvidia/moonshotai/kimi-k2.5", "amazon-bedrock/us.a", "google-vertex/gemini-3-pro"
            ),
        },
        {"main": ["nvidia/moonshotai/kimi-k2.5"]},
        said=("signs in with AWS credentials", "signs in with a Google account"),
        environ={"NVIDIA_API_KEY": "k"},
    ),
    "providers by name alone, one key missing": File(
        {
            "models": {"providers": {"zai": {"apiKey": "$ZAI"}, "kilocode": {"apiKey": "${KILO}"}}},
            "agents": {
                "list": [{"id": "a", "model": "zai/glm-5"}, {"id": "b", "model": "kilocode/kilo/auto"}]
            },
        },
        {"a": ["zai/glm-5"]},
        refused=("b",),
        said=("KILO, which is not set",),
        environ={"ZAI": "k"},
    ),
    "references to a vault that is not there": File(
        {
            "secrets": {"providers": {"vault": {"source": "exec", "command": "/nonexistent/vault"}}},
            "models": {
                "providers": {
                    "openai": {"apiKey": {"source": "exec", "provider": "vault", "id": "openai"}},
                    "unused": {
                        "baseUrl": "https://h.example/v1",
                        "apiKey": {"source": "exec", "provider": "vault", "id": "x"},
                    },
                }
            },
            "agents": model("openai/gpt-5", "lmstudio/m"),
        },
        {"main": ["lmstudio/m"]},
        said=(
            "models.providers.openai.apiKey refers to secrets.providers.vault, whose command is not there",
        ),
    ),
    "a bot with a channel and no key anywhere but in the store of another agent": File(
        {
            "channels": {"telegram": {"botToken": "1:x"}},
            "agents": {
                "defaults": {"model": "groq/llama"},
                "list": [{"id": "main"}, {"id": "work", "agentDir": "~/agents/work"}],
            },
        },
        {"work": ["groq/llama"]},
        refused=("main",),
        said=("set GROQ_API_KEY",),
        beside={"../agents/work/auth-profiles.json": {"profiles": {"groq:x": api_key("groq")}}},
    ),
    "servers of MCP of which one lacks its key": File(
        {
            "mcp": {
                "servers": {
                    "github": {
                        "command": "no-such-server",
                        "env": {"GITHUB_TOKEN": "${GITHUB_TOKEN}"},
                        "enabled": True,
                    },
                    "files": {"command": "no-such-server", "args": ["-y", "server"], "enabled": False},
                }
            },
            "agents": model("mistral/m"),
        },
        {"main": ["mistral/m"]},
        said=("mcp.servers.github.env.GITHUB_TOKEN uses", "GITHUB_TOKEN, which is not set"),
        environ={"MISTRAL_API_KEY": "k"},
    ),
}


def written(home: Path, file: File) -> Options:
    state = home / ".openclaw"
    for name, content in {"openclaw.json": file.config, **file.beside}.items():
        path = (state / name).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    # No embedded model.
    environ = {**file.environ, "OPENCLAW_LOCAL_MODEL": str(home)}
    return Options(environ=environ, home=home, cwd=home, port=0)


def notes(drawing: Drawing) -> str:
    return "\n".join(drawing.explained().notes).replace(": uses", " uses")


@pytest.mark.parametrize("name", FILES)
def test_what_can_be_served_is_and_the_rest_is_told(name: str, tmp_path: Path) -> None:
    file = FILES[name]
    drawing = draw(written(tmp_path, file))
    plan = drawing.check()
    assert {agent: [each.ref for each in settled.targets] for agent, settled in plan.agents.items()} == (
        file.served
    )
    assert tuple(plan.refusals) == file.refused
    said = notes(drawing)
    for words in file.said:
        assert words in said, said
    for secret in ("key-of-", "sk-ant-oat01-x"):
        assert secret not in said


@pytest.mark.parametrize("name", FILES)
def test_the_gateway_starts_with_it(name: str, tmp_path: Path) -> None:
    asyncio.run(start(written(tmp_path, FILES[name])))


_OTHERS: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, -1, "", "x", "${NOPE}", "$NOPE", "nosuch/m", [], {}, {"source": "store"}, True]
)


# The sixty of five eras, too: some bind to what this machine has not, which says nothing of a file.
ERAS: dict[str, File] = {
    str(path.relative_to(test_eras.ERAS)): File(
        pyjson5.decode(path.read_text(encoding="utf-8")), {}, environ=test_eras.ENVIRON
    )
    for path in test_eras.FILES
}


@pytest.mark.parametrize("name", ERAS)
def test_the_gateway_starts_with_every_one_of_the_eras(name: str, tmp_path: Path) -> None:
    asyncio.run(start(replace(written(tmp_path, ERAS[name]), bind="loopback")))


@st.composite
def edited(pick: Callable[[st.SearchStrategy[Any]], Any], files: Mapping[str, File] = FILES) -> File:
    """One of the files with a few of its keys gone or other than they were."""
    file = files[pick(st.sampled_from(sorted(files)))]
    config = copy.deepcopy(file.config)
    for _ in range(pick(st.integers(1, 3))):
        holder: Any = config
        key: Any = pick(st.sampled_from(sorted(config)))
        while isinstance(holder[key], dict | list) and holder[key] and pick(st.booleans()):
            holder = holder[key]
            key = pick(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if isinstance(holder, dict) and len(config) > 1 and pick(st.booleans()):
            del holder[key]
        else:
            holder[key] = copy.deepcopy(pick(_OTHERS))
    return replace(file, config=config)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(edited(), edited(ERAS)))
def test_whatever_is_edited_in_them_validate_and_start_agree(file: File) -> None:
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        options = replace(written(Path(folder), file), bind="loopback")
        validated = draw(options).explained().problems
        try:
            asyncio.run(start(options))
        except ConfigError as refused:
            assert tuple(refused.problems) == validated
        else:
            assert validated == ()
