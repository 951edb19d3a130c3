"""Every client that is quick to install does what it can do, and nothing that it cannot is kept quiet."""

import json
from pathlib import Path

import pytest

from tests.clients.behaviours import BEHAVIOURS, SLOW
from tests.clients.page import PAGE, cells, expected, page
from tests.clients.rooms import HERE
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


def test_the_rows_of_clients_that_were_not_tried_stay() -> None:
    before = PAGE.read_text()
    said = cells(before)
    row = expected(CLIENTS[0]) | {"plain": "it stutters"}
    after = cells(page({CLIENTS[0].name: row}, {}, "2001-01-01", before))
    assert after.pop(CLIENTS[0].name)[0].startswith("**no** ")
    del said[CLIENTS[0].name]
    assert after == said


@pytest.mark.parametrize(
    "lock",
    sorted([*HERE.parent.glob("*/npm*/**/package-lock.json"), HERE.parents[1] / "ui" / "package-lock.json"]),
    ids=lambda path: str(path.parent.relative_to(HERE.parents[1])),
)
def test_locks_say_what_and_not_from_where(lock: Path) -> None:
    packages = json.loads(lock.read_text())["packages"]
    pinned = {name: package for name, package in packages.items() if name}
    assert pinned
    # One in a bundle comes inside the package that has it, under that one's digest.
    alone = [package for package in pinned.values() if not package.get("inBundle")]
    assert all(package["integrity"].startswith("sha512-") for package in alone)
    assert not [name for name, package in pinned.items() if "resolved" in package]
    # Nor whom a package would like to be paid by.
    assert "://" not in lock.read_text()


def test_a_limit_is_no_cover_for_a_program_that_breaks() -> None:
    [client] = [client for client in CLIENTS if client.name == "LangGraph"]
    assert faults(client, {"reasoning": "reasoning: None instead of 'Let me think.'"}) == []
    assert faults(client, {"reasoning": "it ended: ImportError"}) == ["reasoning: it ended: ImportError"]
    assert faults(client, {"reasoning": PASSES})


def test_the_page_says_what_is_tried() -> None:
    said = cells(PAGE.read_text())
    assert said.keys() == {client.name for client in CLIENTS}, "make test-clients writes it anew"
    for client in QUICK:
        assert said[client.name] == list(expected(client).values()), "make test-clients writes it anew"
