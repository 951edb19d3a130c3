"""The estimate of tokens, against counts of a real tokenizer (the embedded model's)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from openclaw_gateway.models.target import LOCAL, Endpoint, ModelTarget
from openclaw_gateway.models.tokens import count_tokens
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    ReasoningBlock,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from openclaw_gateway.wire.run import ToolSpec

TINY = ModelTarget(Endpoint(LOCAL, ""), "m")
LARGE = ModelTarget(Endpoint("acme", ""), "m")


def of(text: str, target: ModelTarget = LARGE) -> int:
    return count_tokens([], text, [], target) - count_tokens([], "", [], target)


@pytest.mark.parametrize(
    ("text", "real"),
    [
        (
            "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age "
            "of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season "
            "of Light. The weather in Oslo was cold and the children walked slowly towards the harbour, "
            "where a ship from Bergen was waiting for its passengers.",
            79,
        ),
        (
            "Быстрая коричневая лиса перепрыгивает через ленивую собаку. Правительство в четверг решило "
            "значительно увеличить поддержку возобновляемых источников энергии.",
            123,
        ),
        ("敏捷的棕色狐狸跳过了懒狗。政府周四决定明年大幅增加对可再生能源的支持,以实现气候目标。", 81),
        (
            "素早い茶色の狐がのろまな犬を飛び越える。"
            "政府は木曜日、再生可能エネルギーへの支援を来年大幅に増やすことを決定した。",
            103,
        ),
        (
            "빠른 갈색 여우가 게으른 개를 뛰어넘는다. "
            "정부는 목요일 재생 가능 에너지 지원을 내년에 크게 늘리기로 결정했다.",
            136,
        ),
    ],
)
def test_against_a_real_tokenizer(text: str, real: int) -> None:
    assert 0.8 * real <= of(text, TINY) <= 1.25 * real


def test_long_texts_are_sampled() -> None:
    page = "Some words, a number 42 and a line.\n" * 100
    assert of(page * 300) == pytest.approx(of(page) * 300, rel=0.05)


def test_everything_in_a_request_counts() -> None:
    bare = count_tokens([UserMessage("hi")], "", [], LARGE)
    tool = ToolSpec("f", "Does it.", Raw(b'{"type":"object"}'))
    sealed = ReasoningBlock(LARGE.api, "hm hm", "c2VhbA")
    more = [
        count_tokens([UserMessage("hi", images=(Image("image/png", "aGk="),))], "", [], LARGE),
        count_tokens([UserMessage("hi")], "Be nice.", [], LARGE),
        count_tokens([UserMessage("hi")], "", [tool], LARGE),
        count_tokens([UserMessage("hi"), AssistantMessage("", (ToolCall("c", "f", "{}"),))], "", [], LARGE),
        count_tokens([UserMessage("hi"), AssistantMessage("x", blocks=(sealed,))], "", [], LARGE),
        count_tokens([UserMessage("hi"), ToolMessage("c", "result")], "", [], LARGE),
    ]
    assert all(count > bare for count in more)


@given(st.text(max_size=200), st.text(max_size=200))
def test_more_text_is_never_fewer_tokens(first: str, second: str) -> None:
    assert of(first + second) >= of(first) - 1
