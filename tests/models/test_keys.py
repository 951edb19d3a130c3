"""Which keys a provider is asked with, in which order, and what is said where there is none."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.config.places import KeyPath
from openclaw_gateway.config.schema import Config
from openclaw_gateway.config.schema.secrets import SecretsConfig
from openclaw_gateway.config.secrets.profiles import Profile, Store, Stores
from openclaw_gateway.config.secrets.references import SecretRef, Unresolved, Unset, Wanted
from openclaw_gateway.config.secrets.sources import Secrets
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.keys import Keys, Outside

NOW = 1_800_000_000_000.0


def key(secret: str, provider: str = "openai", **more: Any) -> Profile:
    return Profile("api_key", provider, secret, **more)


def token(secret: str, provider: str = "openai", **more: Any) -> Profile:
    return Profile("token", provider, secret, **more)


def keys(
    profiles: dict[str, Profile] | Stores,
    *,
    order: dict[str, tuple[str, ...]] | None = None,
    last_good: dict[str, str] | None = None,
    environ: dict[str, str] | None = None,
    wanted: dict[KeyPath, Wanted] | None = None,
    **config: Any,
) -> Keys:
    whole = msgspec.convert(config, Config)
    stores = profiles
    if not isinstance(stores, Stores):
        stores = Stores(Store(profiles if isinstance(profiles, dict) else {}, order or {}, last_good or {}))
    secrets = Secrets(SecretsConfig(), environ or {}, Path("/nonexistent"))
    return Keys(whole, environ or {}, Outside(wanted or {}, secrets, stores, NOW))


def providers(**entries: Any) -> dict[str, Any]:
    return {"models": {"providers": entries}}


def test_stored_profiles_come_before_the_configuration_and_the_environment() -> None:
    stored = {"openai:a": key("stored")}
    environ = {"OPENAI_API_KEY": "variable"}
    assert keys(stored, environ=environ).of("openai").keys == ("stored", "variable")
    written = providers(openai={"apiKey": "written", "apiKeys": ["further"]})
    assert keys(stored, environ=environ, **written).of("openai").keys == ("stored", "written", "further")
    assert keys({}, environ=environ).of("openai").keys == ("variable",)
    assert keys(stored).of("groq").keys == ()


def test_tokens_before_keys_the_last_good_one_first_else_as_they_stand() -> None:
    stored = {"a": key("a"), "b": key("b"), "t": token("t"), "other": key("x", "groq")}
    assert keys(stored).of("openai").keys == ("t", "a", "b")
    assert keys(stored, last_good={"openai": "b"}).of("openai").keys == ("t", "b", "a")


def test_an_order_that_is_written_down_is_the_whole_list() -> None:
    stored = {"a": key("a"), "b": key("b"), "t": token("t")}
    assert keys(stored, auth={"order": {"OpenAI": ["b", "t"]}}).of("openai").keys == ("b", "t")
    both = keys(stored, order={"openai": ("a",)}, auth={"order": {"openai": ["b"]}})
    assert both.of("openai").keys == ("a",), "what is stored counts more"
    stale = keys(stored, auth={"order": {"openai": ["gone"]}})
    assert stale.of("openai").keys == ("t", "a", "b"), "of a time when they had other names"


def test_the_configuration_may_name_the_profiles_and_what_they_are() -> None:
    stored = {"a": key("a"), "b": key("b"), "t": token("t")}
    named = {"profiles": {"b": {"provider": "openai", "mode": "api_key"}}}
    assert keys(stored, auth=named).of("openai").keys == ("b",)
    meant = {
        "profiles": {
            "a": {"provider": "openai", "mode": "token"},
            "t": {"provider": "openai", "mode": "oauth"},
        }
    }
    assert keys(stored, auth=meant).of("openai").keys == ("t",)


def test_providers_that_take_the_same_key_share_what_is_stored() -> None:
    assert keys({"v": key("k", "volcengine")}).of("volcengine-plan").keys == ("k",)
    assert keys({"q": key("k", "modelstudio")}).of("qwen").keys == ("k",)
    assert keys({"z": key("k", "Z.AI")}).of("zai").keys == ("k",)


def test_every_agent_has_its_own() -> None:
    stores = Stores(Store({"m": key("main")}), {"work": Store({"w": key("work")})})
    found = keys(stores)
    assert [found.of("openai", agent).keys for agent in ("main", "work", "x")] == [
        ("main",),
        ("work",),
        ("main",),
    ]
    catalog = Catalog(msgspec.convert({}, Config), {}, found)
    main, work = (catalog.resolve("openai/m", agent=agent) for agent in ("main", "work"))
    assert (main.endpoint.api_key, work.endpoint.api_key) == ("main", "work")
    assert main.circle != work.circle, "a key that rests is not another agent's"
    assert catalog.resolve("openai/n", agent="other").endpoint is main.endpoint


@pytest.mark.promise("sign-ins")
def test_what_is_stored_and_cannot_be_used_is_said_without_its_name() -> None:
    stored = {
        "openai:me@example.com": token("old-secret", expires_ms=NOW - 1),
        "b": Profile("api_key", "openai"),
        "c": Profile("api_key", "openai", ref=SecretRef("env", "", "UNSET")),
        "d": Profile("oauth", "openai"),
    }
    found = keys(stored).of("openai")
    assert found.keys == ()
    assert found.signed_in
    said = " ".join(found.unused)
    for what in ("has expired", "holds no key", "UNSET, which is not set"):
        assert what in said
    with pytest.raises(InvalidRequest) as caught:
        Catalog(msgspec.convert({}, Config), {}, keys(stored)).resolve("openai/m")
    assert "There is no API key for openai: set OPENAI_API_KEY" in caught.value.message
    assert "sign-in of an account" in caught.value.message
    assert "old-secret" not in caught.value.message
    assert "example.com" not in caught.value.message


def test_a_reference_of_the_configuration_is_not_replaced_by_another_key() -> None:
    path: KeyPath = ("models", "providers", "openai", "apiKey")
    stored = {"a": key("stored")}
    refused = keys(stored, wanted={path: SecretRef("exec", "vault", "x")}, **providers(openai={}))
    with pytest.raises(
        Unresolved, match=r"models\.providers\.openai\.apiKey refers to secrets\.providers\.v"
    ):
        refused.of("openai")
    unset = keys(stored, wanted={path: Unset(("NOPE",))}, **providers(openai={}))
    assert unset.of("openai").keys == ("stored",)
    assert "NOPE" in unset.of("openai").unused[0]


def test_a_setup_token_is_no_key() -> None:
    stored = {"a": token("sk-ant-oat01-private", "anthropic")}
    found = keys(stored).of("anthropic")
    assert (found.keys, len(found.unused)) == ((), 1)
    assert "console.anthropic.com" in found.unused[0]
    assert keys(stored, environ={"ANTHROPIC_API_KEY": "sk-ant-api03-x"}).of("anthropic").keys == (
        "sk-ant-api03-x",
    )
