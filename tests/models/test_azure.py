"""Azure OpenAI, Bedrock and Vertex AI: the addresses people have, and who asks."""

from typing import Any

import pytest

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.models.azure import address
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.family import AT_MOST_40
from openclaw_gateway.models.prepared import prepare
from openclaw_gateway.models.target import ModelTarget
from tests.models.test_catalog import config, resolve
from tests.models.test_providers import refusal

HOST = "https://house.openai.azure.com"


def asked(target: ModelTarget) -> tuple[str, dict[str, str]]:
    """The URL of a request, and how it shows who asks."""
    dialect = DIALECTS[target.api]
    endpoint = target.endpoint
    prepared = prepare(endpoint, dialect.path(target), dialect.headers(endpoint), Limits())
    shown = {
        name: prepared.headers[name] for name in ("api-key", "Authorization") if name in prepared.headers
    }
    return str(prepared.url), shown


@pytest.mark.promise("azure")
@pytest.mark.parametrize(
    ("url", "api", "path"),
    [
        ("", None, "/openai/v1/chat/completions"),
        ("/openai/", None, "/openai/v1/chat/completions"),
        ("/openai/v1", None, "/openai/v1/chat/completions"),
        ("/openai/v1/", "openai-responses", "/openai/v1/responses"),
        ("", "azure-openai-responses", "/openai/v1/responses"),
        (
            "?api-version=2025-01-01-preview",
            None,
            "/openai/deployments/my%20gpt/chat/completions?api-version=2025-01-01-preview",
        ),
        (
            "/openai/deployments/other?api-version=2024-06-01",
            None,
            "/openai/deployments/other/chat/completions?api-version=2024-06-01",
        ),
        (
            "/openai/deployments/other",
            None,
            "/openai/deployments/other/chat/completions?api-version=2024-10-21",
        ),
    ],
)
@pytest.mark.parametrize("name", ["azure-openai", "mine"])
def test_every_form_of_address(name: str, url: str, api: str | None, path: str) -> None:
    entry: dict[str, Any] = {"baseUrl": HOST + url, "apiKey": "the-key", **({"api": api} if api else {})}
    target = resolve(f"{name}/my gpt", config({name: entry}))
    assert asked(target) == (HOST + path, {"api-key": "the-key"})
    if target.api == "openai-completions":
        assert (target.family.max_tokens_field, target.family.call_ids) == (
            "max_completion_tokens",
            AT_MOST_40,
        )


def test_without_an_address_it_is_asked_for() -> None:
    said = refusal("azure-openai/m", environ={"AZURE_OPENAI_API_KEY": "k"})
    assert (
        "set models.providers.azure-openai.baseUrl to https://<resource>.openai.azure.com/openai/v1" in said
    )


def test_nobody_else_s_address_is_touched() -> None:
    for url in ("http://127.0.0.1:1", "https://example.com/openai", "https://openai.azure.com.example.org"):
        assert address(url) == url


@pytest.mark.promise("bedrock-vertex")
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("amazon-bedrock", "https://bedrock-runtime.eu-central-1.amazonaws.com/openai/v1"),
        (
            "google-vertex",
            "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/endpoints/openapi",
        ),
    ],
)
def test_bedrock_and_vertex_are_providers_like_any_other_at_their_openai_address(name: str, url: str) -> None:
    target = resolve(f"{name}/vendor/model", config({name: {"baseUrl": url, "apiKey": "the-key"}}))
    assert asked(target) == (f"{url}/chat/completions", {"Authorization": "Bearer the-key"})
    assert target.model == "vendor/model"
    said = refusal(f"{name}/m")
    assert "baseUrl" in said
    assert "apiKey" in said
