"""Many chunks read as one say what each of them says alone."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_gateway.models.apis.openai_completions import stream
from openclaw_gateway.models.apis.openai_completions.leading_words import FEW
from openclaw_gateway.models.apis.openai_completions.stream import ChunkParser
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.events import Event, TextDelta

_BEFORE = '{"id":"c","choices":[{"index":0,"delta":{"content":'
_AFTER = '},"finish_reason":null}]}'


def chunk(text: str, before: str = _BEFORE, after: str = _AFTER) -> bytes:
    return f"{before}{msgspec.json.encode(text).decode()}{after}".encode()


def _told(payloads: list[bytes]) -> tuple[list[Event], bool, str]:
    parser = ChunkParser(Vendor("acme"))
    return parser.feed(payloads), parser.done, str(parser.failure)


def _told_of_each(payloads: list[bytes]) -> tuple[list[Event], bool, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "FEW", len(payloads))
        return _told(payloads)


WORDS = st.text(st.sampled_from('ab "\\\n\x00\x7f\u00a0\u2028é🙂~<content'), max_size=4)
ODD = st.sampled_from(
    [
        chunk("", before='{"choices":[{"delta":{"role":"assistant","content":'),
        chunk("x", after='},"finish_reason":"stop"}]}'),
        chunk("x", after='},"finish_reason":null}],"obfuscation":"aa"}'),
        chunk("x", before='{"id":"x","choices":[{"delta":{"content":"a","content":'),
        chunk("x").replace(b",", b"\n,"),
        chunk("x").replace(b'"x"', b'"\xff"'),
        chunk("x").replace(b'"x"', b'"\xed\xa0\x80"'),
        chunk("x").replace(b'"x"', b'"\\ud83d"'),
        chunk("x") + b"\n" + chunk("y"),
        chunk("x") + b"\n",
        # The beginning and the end of the others overlap in it.
        f"{_BEFORE}{_AFTER}".encode(),
        (_BEFORE + '"' + _AFTER).encode(),
        b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
        b'{"error":{"message":"no"}}',
        b"[DONE]",
        b"",
    ]
)


@given(st.lists(st.one_of(WORDS.map(chunk), WORDS.map(chunk), ODD), min_size=FEW + 1, max_size=FEW + 8))
@example([chunk("a")] * FEW + [(_BEFORE + '"' + _AFTER).encode()])
@example([chunk("a"), chunk("content")] + [chunk("b")] * FEW)
@example([chunk("a"), chunk("c")] + [chunk("b")] * (FEW - 2) + [chunk("x") + b"\n" + chunk("y")])
def test_together_they_say_what_each_says_alone(payloads: list[bytes]) -> None:
    assert _told(payloads) == _told_of_each(payloads)


def test_words_that_are_alike_are_not_decoded_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    word = stream._word

    def noted(payload: bytes) -> str:
        decoded.append(payload)
        return word(payload)

    monkeypatch.setattr(stream, "_word", noted)
    words = [f"w{number} " for number in range(100)]
    events, _, _ = _told([chunk(each) for each in words])
    assert events == [TextDelta("".join(words), tuple(words))]
    assert len(decoded) == 3
