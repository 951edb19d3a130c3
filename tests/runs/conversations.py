"""What the tests of this floor share: conversations with tools, by hand and by chance."""

from hypothesis import strategies as st

from openclaw_gateway.sessions.store import Entry
from openclaw_gateway.wire.messages import Message, ToolCall, ToolMessage, UserMessage, assistant

Turn = list[Message]


def tool_round(call_id: str, result: str, name: str = "read") -> Turn:
    """A model's message with one call, and the call's result."""
    call = ToolCall(call_id, name, "{}")
    return [assistant("", (call,)), ToolMessage(call_id, result, name)]


def entries(*turns: Turn) -> tuple[Entry, ...]:
    """Turns as a session keeps them, one run each."""
    said = [(f"run{number}", message) for number, turn in enumerate(turns) for message in turn]
    return tuple(Entry(seq, run, message) for seq, (run, message) in enumerate(said, 1))


def words(tokens: int) -> str:
    """A text of that many tokens."""
    return "abc " * tokens


@st.composite
def turns(draw: st.DrawFn, max_turns: int = 6, max_chars: int = 12_000) -> list[Turn]:
    """Legal turns of one session: rounds of tools, and calls that the next turn answers."""
    texts = st.integers(0, max_chars).map(lambda n: "x" * n)
    made: list[Turn] = []
    waiting: list[ToolCall] = []
    number = 0
    for _ in range(draw(st.integers(0, max_turns))):
        turn: Turn = [ToolMessage(call.id, draw(texts)) for call in waiting]
        if not waiting or draw(st.booleans()):
            turn.append(UserMessage(draw(texts)))
        waiting = []
        for _ in range(draw(st.integers(0, 3))):
            number += 1
            turn += tool_round(f"call{number}", draw(texts), draw(st.sampled_from(["read", "exec"])))
        if draw(st.integers(0, 3)) == 0:
            number += 1
            waiting = [ToolCall(f"call{number}", "theirs", "{}")]
        turn.append(assistant("done", tuple(waiting)))
        made.append(turn)
    return made
