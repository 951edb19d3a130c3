"""What a model reference means, and which model is used when nobody has chosen one."""

import re
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from openclaw_gateway.config.schema import AgentDefaults, AgentsConfig, Config, ModelsConfig
from openclaw_gateway.errors import ConfigError, InvalidRequest
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import LOCAL_REF, choose_default
from openclaw_gateway.models.families.served import PREFERRED
from openclaw_gateway.models.family import ANY_ID, NINE_ALPHANUMERICS, Thinking
from openclaw_gateway.models.providers import BUILT_IN
from openclaw_gateway.wire.run import Sampling


def config(providers: dict[str, Any] | None = None, *, mode: str = "merge", **defaults: Any) -> Config:
    return Config(
        agents=AgentsConfig(defaults=msgspec.convert(defaults, AgentDefaults)),
        models=msgspec.convert({"mode": mode, "providers": providers or {}}, ModelsConfig),
    )


def provider(*models: Any, **fields: Any) -> dict[str, Any]:
    listed = [{"id": model} if isinstance(model, str) else model for model in models]
    return {"baseUrl": "http://127.0.0.1:9/v1/", "models": listed, **fields}


def resolve(ref: str, whole: Config, environ: dict[str, str] | None = None) -> Any:
    return Catalog(whole, environ or {}).resolve(ref)


def test_a_reference_is_split_at_its_first_slash() -> None:
    target = resolve(" Acme/org/model:free ", config({"acme": provider("x", apiKey="k")}))
    assert (target.provider, target.model, target.ref) == ("acme", "org/model:free", "acme/org/model:free")
    assert (target.endpoint.base_url, target.endpoint.api_key) == ("http://127.0.0.1:9/v1", "k")


def test_settings_of_a_listed_model() -> None:
    model = {
        "id": "m",
        "contextWindow": 32768,
        "maxTokens": 2048,
        "params": {"temperature": 0.3},
        "compat": {"maxTokensField": "max_completion_tokens", "supportsUsageInStreaming": False},
    }
    target = resolve("acme/m", config({"acme": provider(model, timeoutSeconds=7, headers={"X": "1"})}))
    assert (target.context_window, target.max_tokens) == (32768, 2048)
    assert target.sampling == Sampling(temperature=0.3)
    assert (target.family.max_tokens_field, target.family.usage_in_stream) == ("max_completion_tokens", False)
    assert (target.endpoint.timeout_s, target.endpoint.headers) == (7, {"X": "1"})


def test_models_share_their_provider_s_endpoint() -> None:
    catalog = Catalog(config({"acme": provider("a", "b")}), {})
    assert catalog.resolve("acme/a").endpoint is catalog.resolve("acme/b").endpoint
    assert catalog.refs() == ("acme/a", "acme/b")


def test_aliases_in_any_case() -> None:
    whole = config({"acme": provider("big-1")}, models={"acme/big-1": {"alias": "Opus"}})
    assert resolve("OPUS", whole).ref == "acme/big-1"


def test_a_bare_id_must_be_of_one_provider() -> None:
    whole = config({"a": provider("one", "both"), "b": provider("both", "org/two")})
    assert resolve("one", whole).ref == "a/one"
    with pytest.raises(InvalidRequest, match=r'"both" fits a/both, b/both\. Write it as provider/model'):
        resolve("both", whole)


def test_names_of_one_provider_are_folded() -> None:
    whole = config({"Z.AI": provider("glm")}, models={"z-ai/glm": {"params": {"topP": 0.5}}})
    target = resolve("zai/glm", whole)
    assert target.provider == "Z.AI"
    assert target.sampling == Sampling(top_p=0.5)
    assert resolve("gemini/x", config(), {"GEMINI_API_KEY": "k"}).provider == "google"


@pytest.mark.parametrize("ref", ["nosuch/m", "nosuch", "", "/", "acme/", "/m", "  "])
def test_what_is_not_known_says_what_is(ref: str) -> None:
    whole = config({"acme": provider("m1")}, models={"acme/m1": {"alias": "fast"}})
    with pytest.raises(InvalidRequest) as caught:
        resolve(ref, whole)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert "acme" in caught.value.message
    assert "acme/m1" in caught.value.message
    assert "fast" in caught.value.message


def test_a_built_in_provider_needs_only_its_key() -> None:
    target = resolve("openai/gpt-x", config(), {"OPENAI_API_KEY": " k "})
    assert (target.endpoint.base_url, target.endpoint.api_key) == ("https://api.openai.com/v1", "k")
    assert target.family.max_tokens_field == "max_completion_tokens"
    with pytest.raises(InvalidRequest, match="no API key for openai: set OPENAI_API_KEY"):
        resolve("openai/gpt-x", config(), {"OPENAI_API_KEY": " "})
    with pytest.raises(InvalidRequest, match="not configured"):
        resolve("openai/gpt-x", config(mode="replace"), {"OPENAI_API_KEY": "k"})


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({"apiKey": "a", "apiKeys": ["b", "c"]}, ["a", "b", "c"]),
        ({"apiKey": "a", "apiKeys": ["b", "a", "", "b"]}, ["a", "b"]),
        ({"apiKeys": ["b", "c"]}, ["b", "c"]),
        ({"apiKey": "a"}, ["a"]),
        ({}, [None]),
    ],
)
def test_all_keys_of_a_provider_are_known_from_the_start(fields: dict[str, Any], keys: list[Any]) -> None:
    endpoint = resolve("acme/m", config({"acme": provider("m", headers={"x": "y"}, **fields)})).endpoint
    every = [endpoint.with_key(place) for place in range(endpoint.keys)]
    assert [each.api_key for each in every] == keys
    assert {(each.base_url, each.headers["x"]) for each in every} == {("http://127.0.0.1:9/v1", "y")}
    assert every[0] is endpoint


def test_the_configured_key_is_above_the_environment_s() -> None:
    environ = {"OPENAI_API_KEY": "env", "MY_BOX_API_KEY": "box"}
    providers = {"openai": provider(apiKey="own"), "my-box": provider()}
    assert resolve("openai/x", config(providers), environ).endpoint.api_key == "own"
    assert resolve("my-box/x", config(providers), environ).endpoint.api_key == "box"
    assert resolve("my-box/x", config(providers)).endpoint.api_key is None
    del providers["openai"]["apiKey"]
    assert resolve("openai/x", config(providers), environ).endpoint.api_key == "env"


def test_a_dialect_that_is_not_spoken_is_said_to_be() -> None:
    whole = config(
        {"acme": provider("m", {"id": "n", "api": "openai-completions"}, api="bedrock-converse-stream")}
    )
    with pytest.raises(InvalidRequest, match=r"bedrock-converse-stream.*models\.providers\.acme\.api"):
        resolve("acme/m", whole)
    assert resolve("acme/n", whole).api == "openai-completions"


@pytest.mark.parametrize(
    ("host", "compat", "back"),
    [
        ("api.deepseek.com", {}, True),
        ("api.moonshot.ai", {}, True),
        ("api.moonshot.cn", {}, True),
        ("deepseek.com.example.org", {}, False),
        ("notdeepseek.com", {}, False),
        ("127.0.0.1", {}, False),
        ("127.0.0.1", {"requiresReasoningContentOnAssistantMessages": True}, True),
        ("api.deepseek.com", {"requiresReasoningContentOnAssistantMessages": False}, False),
    ],
)
def test_who_wants_reasoning_back(host: str, compat: dict[str, Any], *, back: bool) -> None:
    entry = provider({"id": "m", "compat": compat}, baseUrl=f"https://{host}/v1")
    assert resolve("acme/m", config({"acme": entry})).family.reasoning_back is back


def test_what_a_model_can_do() -> None:
    models = [
        {"id": "blind", "compat": {"supportsTools": False}},
        {"id": "seeing", "input": ["text", "image"], "params": {"cacheRetention": "long"}},
        {
            "id": "thinking",
            "compat": {
                "supportedReasoningEfforts": ["low", "high"],
                "reasoningEffortMap": {"off": "none"},
                "requiresToolResultName": True,
            },
        },
    ]
    whole = config({"acme": provider(*models)})
    blind, seeing, thinking = (resolve(f"acme/{model['id']}", whole) for model in models)
    assert [(each.family.tools, each.family.images) for each in (blind, seeing)] == [
        (False, False),
        (True, True),
    ]
    assert (blind.cache, seeing.cache) == ("5m", "1h")
    assert (thinking.family.thinking.levels, thinking.family.thinking.words) == (
        ("low", "high"),
        {"off": "none"},
    )
    assert thinking.family.results_named
    assert resolve("acme/not-listed", whole).family.images
    embedded = resolve(LOCAL_REF, config())
    assert (embedded.family.tools, embedded.family.images) == (False, False)


@pytest.mark.parametrize(
    ("provider_", "variable", "api"),
    [
        ("anthropic", "ANTHROPIC_API_KEY", "anthropic-messages"),
        ("google", "GEMINI_API_KEY", "google-generative-ai"),
        ("openai", "OPENAI_API_KEY", "openai-completions"),
    ],
)
def test_the_built_in_providers_are_spoken_to_in_their_own_dialect(
    provider_: str, variable: str, api: str
) -> None:
    assert resolve(f"{provider_}/m", config(), {variable: "k"}).api == api


def test_params_from_the_widest_to_the_narrowest() -> None:
    providers = {
        "acme": provider(
            {"id": "m", "params": {"temperature": 0.2, "topP": 0.2, "seed": 2}},
            params={"temperature": 0.1, "topP": 0.1, "stop": "END", "extraBody": {"seed": 1, "top_k": 1}},
        )
    }
    whole = config(
        providers,
        params={"topP": 0.3, "cacheRetention": "long", "maxTokens": None},
        models={"acme/m": {"params": {"maxTokens": 4, "extra_body": {"top_k": 2, "model": "other"}}}},
    )
    target = Catalog(whole, {}).resolve(
        "acme/m", params={"presencePenalty": 1, "responseFormat": {"type": "text"}}
    )
    assert target.sampling == Sampling(
        temperature=0.2,
        top_p=0.3,
        max_tokens=4,
        stop=("END",),
        seed=2,
        presence_penalty=1.0,
        response_format=Raw(b'{"type":"text"}'),
    )
    assert target.extra_body == {"top_k": 2}


def test_wrong_params_name_the_model() -> None:
    whole = config({"acme": provider({"id": "m", "params": {"temperature": "warm"}})})
    with pytest.raises(ConfigError, match=r"params of acme/m are wrong.*temperature"):
        resolve("acme/m", whole)


def test_the_context_is_capped_for_all_agents() -> None:
    providers = {"acme": provider({"id": "m", "contextWindow": 9000}, "n")}
    assert resolve("acme/m", config(providers, contextTokens=5000)).context_window == 5000
    assert resolve("acme/n", config(providers, contextTokens=5000)).context_window == 5000
    assert resolve("acme/n", config(providers)).context_window is None


def test_the_embedded_model() -> None:
    target = resolve(LOCAL_REF, config())
    assert (target.provider, target.endpoint.base_url, target.context_window) == ("local", "", 2048)
    assert target.system
    own = resolve("local/m", config({"local": provider("m")}))
    assert (own.endpoint.base_url, own.system) == ("http://127.0.0.1:9/v1", "")


def test_secrets_are_not_printed() -> None:
    target = resolve(
        "acme/m", config({"acme": provider("m", apiKey="hunter2hunter2", headers={"X": "hush-hush"})})
    )
    assert "hunter2" not in repr(target)
    assert "hush" not in repr(target)
    assert set(target.endpoint.vendor.secrets) == {"hunter2hunter2", "hush-hush"}


@pytest.mark.parametrize("variable", sorted({each.variables[0] for each in BUILT_IN.values()}))
def test_every_built_in_provider_with_a_default_model_can_be_chosen(variable: str) -> None:
    environ = {variable: "k"}
    takers = [name for name, each in BUILT_IN.items() if variable in each.variables and name in PREFERRED]
    choice = choose_default(config(), environ, local_available=True)
    if not takers:
        assert choice.ref == LOCAL_REF
        return
    name = takers[0]
    assert choice.ref == f"{name}/{PREFERRED[name][0]}"
    assert variable in choice.why
    assert resolve(choice.ref, config(), environ).ref == choice.ref


@pytest.mark.promise("key-in-environment")
def test_the_default_in_order_of_preference() -> None:
    environ = {"GROQ_API_KEY": "k"}
    providers = {"empty": provider(), "acme": provider("m1", "m2")}
    primary = {"primary": "acme/m2", "fallbacks": []}
    chosen = choose_default(config(providers, model=primary), environ, local_available=True)
    assert (chosen.ref, "agents.defaults.model" in chosen.why) == ("acme/m2", True)
    listed = choose_default(config(providers), environ, local_available=True)
    assert (listed.ref, "models.providers" in listed.why) == ("acme/m1", True)
    assert choose_default(config(), environ, local_available=True).ref.startswith("groq/")
    assert choose_default(config(mode="replace"), environ, local_available=True).ref == LOCAL_REF
    embedded = choose_default(config(), {}, local_available=True)
    assert (embedded.ref, "very small" in embedded.why) == (LOCAL_REF, True)
    with pytest.raises(ConfigError, match=r"agents\.defaults\.model.*OPENAI_API_KEY.*\[local\]") as refused:
        choose_default(config(), {}, local_available=False)
    named = re.findall(r"[A-Z]\w*_KEY", str(refused.value))
    assert len(named) == len(set(named)) == 12


def test_what_is_known_by_name_alone_is_neither_chosen_nor_advised_where_the_list_replaces_it() -> None:
    replacing = config(mode="replace")
    assert choose_default(replacing, {}, local_available=True, has_key={"groq"}.__contains__).ref == LOCAL_REF
    with pytest.raises(ConfigError, match=r"agents\.defaults\.model.*\[local\]") as refused:
        choose_default(replacing, {"OPENAI_API_KEY": "k"}, local_available=False)
    assert "environment" not in str(refused.value)


@pytest.mark.parametrize(
    ("model", "compat", "facts"),
    [
        ("m", {"requiresMistralToolIds": True}, {"call_ids": NINE_ALPHANUMERICS}),
        ("mistral-large-latest", {"requiresMistralToolIds": False}, {"call_ids": ANY_ID}),
        ("m", {"requiresAssistantAfterToolResult": True}, {"alternate": True}),
        ("m", {"supportsTemperature": False}, {"refuses": frozenset({"temperature"})}),
        ("m", {"unsupportedToolSchemaKeywords": ["format"]}, {"schema_refuses": frozenset({"format"})}),
        ("m", {"thinkingFormat": "qwen"}, {"thinking": Thinking("qwen")}),
        ("m", {"supportsReasoningEffort": False}, {"thinking": Thinking("never")}),
        ("m", {"supportsReasoningEffort": False, "thinkingFormat": "zai"}, {"thinking": Thinking("zai")}),
        ("gpt-5-chat", {"supportsReasoningEffort": True}, {"thinking": Thinking()}),
        ("m", {"supportsStore": False, "supportsDeveloperRole": False}, {}),
    ],
)
def test_what_the_operator_says_is_above_what_is_known(
    model: str, compat: Any, facts: dict[str, Any]
) -> None:
    target = resolve(f"acme/{model}", config({"acme": provider({"id": model, "compat": compat})}))
    family = target.family
    assert {name: getattr(family, name) for name in facts} == facts


def test_sight_of_a_listed_model_is_what_is_known_unless_the_file_says_it() -> None:
    models: list[dict[str, Any]] = [
        {"id": "gpt-4o"},
        {"id": "gpt-oss-20b"},
        {"id": "nobodys"},
        {"id": "gpt-4.1", "input": ["text"]},
    ]
    whole = config({"acme": provider(*models)})
    seen = [resolve(f"acme/{model['id']}", whole).family.images for model in models]
    assert seen == [True, False, False, False]


def test_the_window_of_a_known_model_needs_no_setting() -> None:
    whole = config({"acme": provider("gpt-oss-20b", {"id": "gpt-4o", "contextWindow": 64000}, "nobodys")})
    windows = [resolve(ref, whole).context_window for ref in whole_refs(whole)]
    assert windows == [131_072, 64_000, None]
    assert (
        resolve("acme/gpt-oss-20b", config({"acme": provider()}, contextTokens=9000)).context_window == 9000
    )


def whole_refs(whole: Config) -> tuple[str, ...]:
    return Catalog(whole, {}).refs()
