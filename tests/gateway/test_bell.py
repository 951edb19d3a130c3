"""What is heard when it happens, once, and by whoever has not left."""

from openclaw_gateway.gateway.bell import Bell


async def test_who_hears_it_is_called_once_and_in_order() -> None:
    bell, heard = Bell(), list[str]()
    bell.heard(lambda: heard.append("first"))
    leave = bell.heard(lambda: heard.append("left"))
    bell.heard(lambda: heard.append("second"))
    leave()
    leave()
    bell.set()
    bell.set()
    assert heard == ["first", "second"]
    assert await bell.wait()


def test_who_comes_late_is_called_at_once_and_never_again() -> None:
    bell, heard = Bell(), list[str]()
    bell.set()
    bell.heard(lambda: heard.append("late"))()
    bell.set()
    assert heard == ["late"]
