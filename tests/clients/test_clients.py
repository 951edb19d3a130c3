"""Every client that is quick to install does what it can do, and nothing that it cannot is kept quiet."""

import pytest

from tests.clients.behaviours import BEHAVIOURS, SLOW
from tests.clients.page import PAGE, Told, earlier, expected, page
from tests.clients.table import CLIENTS, Client
from tests.clients.trial import PASSES, faults, row
from tests.npm_packages import NotInstalled

QUICK = [client for client in CLIENTS if not client.heavy]


@pytest.mark.parametrize("client", QUICK, ids=lambda client: client.name)
async def test_client(client: Client) -> None:
    try:
        seen = await row(client, without=SLOW)
    except NotInstalled as error:
        pytest.skip(f"{client.name} is not tried: {error}")
    assert not faults(client, seen)
    assert seen.keys() == BEHAVIOURS.keys() - SLOW


def test_limits_name_behaviours() -> None:
    assert all(client.limits.keys() <= BEHAVIOURS.keys() for client in CLIENTS)


def test_a_limit_is_no_cover_for_a_program_that_breaks() -> None:
    [client] = [client for client in CLIENTS if client.name == "LangGraph"]
    assert faults(client, {"reasoning": "reasoning: None instead of 'Let me think.'"}) == []
    assert faults(client, {"reasoning": "it ended: ImportError"}) == ["reasoning: it ended: ImportError"]
    assert faults(client, {"reasoning": PASSES})


def test_the_page_says_what_is_tried() -> None:
    said = earlier(PAGE.read_text())
    assert said.keys() == {client.name for client in CLIENTS}, "make test-clients writes it anew"
    for client in QUICK:
        assert said[client.name].row == expected(client), "make test-clients writes it anew"


def test_a_page_can_be_written_of_what_it_says() -> None:
    """So some clients can be tried again, and the others stay as they were: faults and old versions too."""
    before = PAGE.read_text()
    said = earlier(before)
    assert page(said, {}) == before
    name, *_ = said
    broken = said | {name: Told("old 1.0", {**said[name].row, "plain": "'a' instead of 'b'"}, "2026-01-02")}
    assert earlier(page(broken, {})) == broken
