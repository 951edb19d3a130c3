"""Every client that is quick to install does what it can do, and nothing that it cannot is kept quiet."""

import pytest

from tests.clients.behaviours import BEHAVIOURS, SLOW
from tests.clients.page import PAGE, cells, expected
from tests.clients.table import CLIENTS, Client
from tests.clients.trial import faults, row
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


def test_the_page_says_what_is_tried() -> None:
    said = cells(PAGE.read_text())
    assert said.keys() == {client.name for client in CLIENTS}, "make test-clients writes it anew"
    for client in QUICK:
        assert said[client.name] == list(expected(client).values()), "make test-clients writes it anew"
