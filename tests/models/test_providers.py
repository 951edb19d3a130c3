"""The providers that are known by name: what is enough to use them, and what works instead."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from openclaw_gateway.config.schema.secrets import SecretsConfig
from openclaw_gateway.config.secrets.profiles import Profile, Store, Stores
from openclaw_gateway.config.secrets.sources import Secrets
from openclaw_gateway.errors import ConfigError, InvalidRequest
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import LOCAL_REF, choose_default
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.families.served import PREFERRED
from openclaw_gateway.models.keys import Keys, Outside
from openclaw_gateway.models.providers import BUILT_IN, OTHER_NAMES, SIGN_IN
from tests.models.test_catalog import config, provider, resolve


def refusal(ref: str, whole: Any = None, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(InvalidRequest) as caught:
        resolve(ref, whole or config(), environ)
    assert caught.value.code == "model_not_found"
    return caught.value.message


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_row_is_whole(name: str) -> None:
    row = BUILT_IN[name]
    assert name == name.lower()
    assert name not in SIGN_IN
    assert row.api in DIALECTS
    address = urlsplit(row.base_url or row.hint)
    here = address.hostname in {"127.0.0.1", "localhost"}
    assert here == row.keyless
    assert address.scheme == ("http" if here else "https")
    assert not row.base_url.endswith("/")
    assert not (row.keyless and name in PREFERRED), "nothing tells whether it is there"
    assert bool(row.base_url) != bool(row.hint)


@pytest.mark.promise("known-by-name")
@pytest.mark.parametrize("name", [name for name, row in BUILT_IN.items() if row.base_url and not row.keyless])
def test_a_key_is_enough(name: str) -> None:
    row = BUILT_IN[name]
    target = resolve(f"{name}/m", config(), {row.variables[-1]: "k"})
    assert (target.endpoint.base_url, target.endpoint.api_key, target.api) == (row.base_url, "k", row.api)
    assert row.variables[0] in refusal(f"{name}/m")
    # The file may have an entry for it that says only what differs.
    whole = config({name: {"timeoutSeconds": 7, "apiKey": "own"}})
    target = resolve(f"{name}/m", whole)
    assert (target.endpoint.base_url, target.endpoint.api_key, target.api) == (row.base_url, "own", row.api)
    assert target.endpoint.timeout_s == 7


@pytest.mark.parametrize("name", [name for name, row in BUILT_IN.items() if row.keyless])
def test_programs_on_this_machine_need_no_key_and_are_not_chosen(name: str) -> None:
    row = BUILT_IN[name]
    target = resolve(f"{name}/m", config())
    assert (target.endpoint.base_url, target.endpoint.api_key, target.api) == (row.base_url, None, row.api)
    environ = {row.variables[0]: "k"}
    assert resolve(f"{name}/m", config(), environ).endpoint.api_key == "k"
    with pytest.raises(ConfigError):
        choose_default(config(), environ, local_available=False)
    elsewhere = config({name: {"baseUrl": "http://box:1/v1"}})
    assert resolve(f"{name}/m", elsewhere).endpoint.base_url == "http://box:1/v1"


@pytest.mark.promise("signed-in-to")
@pytest.mark.parametrize("name", SIGN_IN)
def test_what_is_signed_in_to_says_what_works_instead(name: str) -> None:
    said = refusal(f"{name}/m")
    assert said.startswith(f"The provider {name} signs in with ")
    assert "use " in said
    assert refusal(f"{name}/m", config({name: {"apiKey": "k"}})) == said
    # An address of one's own that speaks what we speak is a provider like any other.
    assert resolve(f"{name}/m", config({name: provider()})).endpoint.base_url == "http://127.0.0.1:9/v1"


def test_what_is_signed_in_to_in_a_dialect_of_its_own_says_so_too() -> None:
    bedrock = {"baseUrl": "https://bedrock.example.com", "api": "bedrock-converse-stream"}
    assert "signs in with AWS" in refusal("amazon-bedrock/m", config({"amazon-bedrock": bedrock}))


def test_a_known_name_at_an_own_address_speaks_its_dialect_unless_it_has_models_of_its_own() -> None:
    own = {"baseUrl": "http://127.0.0.1:9"}
    assert resolve("anthropic/m", config({"anthropic": own})).api == "anthropic-messages"
    listed = config({"anthropic": {**own, "models": [{"id": "m"}]}})
    assert resolve("anthropic/m", listed).api == "openai-completions"


def test_an_address_that_ends_in_openai_speaks_that() -> None:
    url = "https://generativelanguage.googleapis.com/v1beta/openai/"
    google = config({"google": {"baseUrl": url, "apiKey": "k"}})
    assert resolve("google/gemini-3-pro", google).api == "openai-completions"


def test_what_works_instead_is_known() -> None:
    for sentence in SIGN_IN.values():
        named = [word.partition("/")[0] for word in sentence.split() if "/<model>" in word]
        assert named
        assert set(named) <= BUILT_IN.keys()


@pytest.mark.parametrize(("name", "other"), OTHER_NAMES.items())
def test_other_names_of_a_provider(name: str, other: str) -> None:
    environ = {BUILT_IN[other].variables[0]: "k"}
    assert resolve(f"{name}/m", config(), environ).provider == other


@pytest.mark.parametrize(
    ("ref", "api"),
    [
        ("opencode/claude-sonnet-4-5", "anthropic-messages"),
        ("opencode/gpt-5", "openai-responses"),
        ("opencode/gemini-3-pro", "google-generative-ai"),
        ("opencode/kimi-k2", "openai-completions"),
        ("opencode-go/qwen3.8-max", "anthropic-messages"),
    ],
)
def test_a_provider_may_speak_several_dialects(ref: str, api: str) -> None:
    assert resolve(ref, config(), {"OPENCODE_API_KEY": "k"}).api == api
    chosen = config({"opencode": {"api": "openai-completions"}, "opencode-go": {"api": "openai-completions"}})
    assert resolve(ref, chosen, {"OPENCODE_API_KEY": "k"}).api == "openai-completions"


def test_an_address_per_account_is_asked_for_or_taken_from_what_is_stored() -> None:
    environ = {"CLOUDFLARE_AI_GATEWAY_API_KEY": "k"}
    said = refusal("cloudflare-ai-gateway/m", environ=environ)
    assert (
        "set models.providers.cloudflare-ai-gateway.baseUrl to https://gateway.ai.cloudflare.com/v1/" in said
    )
    account = {"accountId": "a-1", "gatewayId": "g-2"}
    stored = Profile("api_key", "cloudflare-ai-gateway", "k", account=account)
    secrets = Secrets(SecretsConfig(), {}, Path("/nonexistent"))
    keys = Keys(config(), {}, Outside({}, secrets, Stores(Store({"c": stored})), 0))
    target = Catalog(config(), {}, keys).resolve("cloudflare-ai-gateway/m")
    assert target.endpoint.base_url == "https://gateway.ai.cloudflare.com/v1/a-1/g-2/anthropic"


def test_a_provider_of_one_s_own_needs_an_address() -> None:
    said = refusal("acme/m", config({"acme": {"apiKey": "k"}}))
    assert said.startswith("models.providers.acme.baseUrl is missing")


def test_an_own_address_of_a_known_provider_needs_no_key_of_it() -> None:
    own = config({"openai": {"baseUrl": "http://127.0.0.1:9/v1"}})
    assert resolve("openai/m", own).endpoint.api_key is None
    by_header = config({"openai": {"headers": {"Authorization": "Bearer x"}}})
    assert resolve("openai/m", by_header).endpoint.headers == {"Authorization": "Bearer x"}


@pytest.mark.parametrize(
    ("url", "more", "said"),
    [
        ("https://api.example.com/v1", {}, True),
        ("https://api.example.com/v1", {"apiKey": "k"}, False),
        ("https://api.example.com/v1", {"headers": {"X-Key": "k"}}, False),
        ("https://me:pw@api.example.com/v1", {}, False),
        ("http://127.0.0.1:1/v1", {}, False),
        ("http://192.168.1.5:1/v1", {}, False),
        ("http://box:1/v1", {}, False),
        ("http://box.local:1/v1", {}, False),
        ("http://8.8.8.8:1/v1", {}, True),
    ],
)
def test_who_is_asked_over_the_internet_without_a_key_is_known(url: str, more: Any, *, said: bool) -> None:
    catalog = Catalog(config({"acme": {"baseUrl": url, **more}}), {})
    assert catalog.endpoints.keyless() == (), "nobody has wanted it yet"
    catalog.resolve("acme/m")
    assert catalog.endpoints.keyless() == (("acme",) if said else ())


def test_a_stored_key_chooses_the_model_too() -> None:
    choice = choose_default(
        config(), {}, local_available=True, has_key=lambda name: name in {"groq", "ollama"}
    )
    assert choice.ref.startswith("groq/")
    assert (
        choose_default(config(), {}, local_available=True, has_key={"ollama"}.__contains__).ref == LOCAL_REF
    )
