"""The sections that say how much of a long conversation is kept, and the keys a provider may have."""

import pytest

from openclaw_gateway.config.forms import Wrong, duration_s, zone
from openclaw_gateway.errors import ConfigError
from tests.config.conftest import House


def test_pruning_and_compaction_have_the_documented_defaults(house: House) -> None:
    defaults = house.load("{}").config.agents.defaults
    pruning, compaction = defaults.context_pruning, defaults.compaction
    assert (pruning.mode, pruning.keep_last_assistants, pruning.min_prunable_tool_chars) == (None, 3, 50_000)
    assert (pruning.soft_trim_ratio, pruning.hard_clear_ratio) == (0.3, 0.5)
    assert (pruning.soft_trim.max_chars, pruning.soft_trim.head_chars) == (4000, 1500)
    assert compaction.enabled
    assert (compaction.reserve_tokens, compaction.reserve_tokens_floor) == (16_384, 20_000)
    assert compaction.keep_recent_tokens == 20_000


def test_pruning_and_compaction_as_written(house: House) -> None:
    loaded = house.load(
        "{ agents: { defaults: { contextTokens: 50000, contextPruning: { mode: 'cache-ttl', ttl: '1h',"
        " tools: { deny: ['web_*'] }, hardClear: { placeholder: 'gone' } },"
        " compaction: { mode: 'safeguard', reserveTokensFloor: 9000, memoryFlush: { enabled: false } } } } }"
    )
    defaults = loaded.config.agents.defaults
    assert (defaults.context_pruning.ttl, defaults.context_pruning.tools.deny) == ("1h", ("web_*",))
    assert defaults.context_pruning.hard_clear.placeholder == "gone"
    assert defaults.compaction.reserve_tokens_floor == 9000
    assert "agents.defaults.compaction.memoryFlush" in loaded.notices[0]
    assert "contextPruning" not in loaded.notices[0]


@pytest.mark.parametrize("wrong", ["mode: 'much'", "ttl: 'soon'", "softTrimRatio: 1.5", "softTrim: 3"])
def test_a_mistake_in_pruning_is_named(house: House, wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"agents\.defaults\.contextPruning\."):
        house.load(f"{{ agents: {{ defaults: {{ contextPruning: {{ {wrong} }} }} }} }}")


@pytest.mark.parametrize(
    ("text", "seconds"), [("5m", 300.0), ("30s", 30.0), ("1h", 3600.0), ("5", 300.0), ("500 ms", 0.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


def test_no_duration() -> None:
    with pytest.raises(Wrong):
        duration_s("-5m")


def test_a_provider_may_have_several_keys(house: House) -> None:
    loaded = house.load(
        "{ models: { providers: { acme: { baseUrl: 'https://a.example/v1', apiKey: 'first-private-key',"
        " apiKeys: ['second-private-key', '${THIRD}', { source: 'env', id: 'THIRD' }] } } } }",
        environ={"THIRD": "third-private-key"},
    )
    acme = loaded.config.models.providers["acme"]
    assert acme.api_keys == ("second-private-key", "third-private-key", "third-private-key")
    assert "private-key" not in repr(loaded)


def test_a_zone_is_one_this_machine_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [zone(text) for text in ("Europe/Berlin", "UTC", "")] == ["Europe/Berlin", "UTC", ""]
    assert [zone(text) for text in ("europe/berlin", "utc")] == ["Europe/Berlin", "UTC"]
    for text in ("Mars/Base", "Europe", "../zone", "\x00"):
        with pytest.raises(Wrong):
            zone(text)
    monkeypatch.setattr("zoneinfo.available_timezones", set)
    assert zone("Mars/Base") == "Mars/Base", "who has no table cannot tell"
