"""todo: the plan of one conversation."""

from pathlib import Path

import pytest

from openclaw_gateway.tools.builtin import todo
from tests.tools.rooms import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, todo)


async def test_a_plan_is_kept_and_shown_as_it_changes(room: Room) -> None:
    assert await room.call("todo") == "[the plan is empty]"
    steps = [
        {"content": "look", "status": "completed"},
        {"step": "mend  it", "status": "in progress"},
        "test",
    ]
    plan = "1. [x] look\n2. [>] mend it\n3. [ ] test\n[1 of 3 done]"
    assert await room.call("todo", todos=steps) == plan
    assert room.shown == [plan]
    assert await room.call("todo") == plan
    other = await room.result("todo", session_key="agent:main:other")
    assert other.text == "[the plan is empty]"
    assert await room.call("todo", plan=[]) == "[the plan is empty]"


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("x", "must be a list"),
        ([1], "step 1 must be an object"),
        ([{"content": " "}], "step 1 has no content"),
        ([{"content": "x", "status": "maybe"}], "must be one of pending"),
        (["x"] * 51, "at most 50"),
    ],
)
async def test_what_is_no_plan_is_said(room: Room, steps: object, why: str) -> None:
    assert why in await room.refused("todo", todos=steps)


async def test_plans_are_bounded(room: Room) -> None:
    for number in range(300):
        await room.result("todo", session_key=f"agent:main:{number}", todos=["x"])
    assert (await room.result("todo", session_key="agent:main:0")).text == "[the plan is empty]"
    assert "1 " in (await room.result("todo", session_key="agent:main:299")).text
