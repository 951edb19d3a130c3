"""What `status` says of the processes of one gateway."""

from typing import Any

import pytest

from openclaw_gateway.cli.commands import status


class Rows:
    def __init__(self) -> None:
        self.said: list[str] = []

    def worded(self, words: str) -> str:
        return words

    def row(self, label: str, value: str, *, aside: str = "") -> None:
        self.said.append(f"{label}: {value} ({aside})")


@pytest.mark.parametrize(
    ("roles", "lacks"), [(("front", "worker"), False), (("front", "front"), True), ((), False)]
)
def test_each_is_named_with_its_version_and_that_none_executes(roles: tuple[str, ...], lacks: bool) -> None:
    rows: Any = Rows()
    replicas = tuple(status._Replica(role, "1.2.3", f"host:{n}", n, 8) for n, role in enumerate(roles))
    status._tell_replicas(rows, status._Status(replicas=replicas))
    said = "\n".join(rows.said)
    assert said.count("version 1.2.3") == len(roles)
    assert ("No worker is there" in said) == lacks
