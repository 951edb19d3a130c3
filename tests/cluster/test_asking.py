"""What a client of a trial takes for an answer: a whole one, and nothing else."""

import pytest

from tests.cluster.asking import Heard, heard_of

CHUNK = 'data: {"id":"r1","choices":[{"delta":{"content":"%s"}}]}\n\n'
LAST = 'data: {"id":"r1","choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = "data: [DONE]\n\n"
ERROR = 'data: {"error":{"message":"It has gone.","code":"gone"}}\n\n'


@pytest.mark.parametrize(
    ("status", "text", "heard"),
    [
        (200, '{"id":"r1","choices":[{"message":{"content":"one two"}}]}', Heard("r1", "one two")),
        (200, '{"id":"r1","choices":[{"message":{"content":null}}]}', Heard("r1", "")),
        (503, '{"error":{"message":"Later.","code":"away"}}', Heard(code="away")),
        (502, '{"error":"Later."}', Heard(code="Later.")),
        (200, "{}", Heard(code="no answer")),
        (200, "{", Heard(code="no JSON")),
        (502, "<html>", Heard(code="cut")),
        (200, CHUNK % "one " + ": keepalive\n\n" + CHUNK % "two" + LAST + DONE, Heard("r1", "one two")),
        (200, CHUNK % "one ", Heard("r1", code="cut")),
        (200, CHUNK % "one " + LAST, Heard("r1", code="cut")),
        (200, CHUNK % "one " + DONE, Heard("r1", code="cut")),
        (200, CHUNK % "one " + ERROR + DONE, Heard("r1", code="gone")),
    ],
)
def test_only_a_whole_answer_is_one(status: int, text: str, heard: Heard) -> None:
    assert heard_of(status, text) == heard
