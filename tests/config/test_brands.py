from openclaw_gateway.config.brands import BRANDS, env, env_names


def test_there_are_two_names_and_openclaw_comes_first() -> None:
    assert [brand.name for brand in BRANDS] == ["openclaw", "clawdbot"]
    assert [brand.header_prefix for brand in BRANDS] == ["x-openclaw-", "x-clawdbot-"]


def test_the_first_brand_with_a_value_wins_and_blank_is_no_value() -> None:
    both = {"OPENCLAW_STATE_DIR": "/a", "CLAWDBOT_STATE_DIR": "/b"}
    assert env(both, "STATE_DIR") == ("/a", "OPENCLAW_STATE_DIR")
    assert env(both | {"OPENCLAW_STATE_DIR": "  "}, "STATE_DIR") == ("/b", "CLAWDBOT_STATE_DIR")
    assert env({"STATE_DIR": "/c"}, "STATE_DIR") is None


def test_messages_name_every_spelling() -> None:
    assert env_names("GATEWAY_PORT") == "OPENCLAW_GATEWAY_PORT (or CLAWDBOT_GATEWAY_PORT)"
