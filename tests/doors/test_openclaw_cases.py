"""What a person who comes from OpenClaw meets: every case sent, every difference with its reason."""

from collections.abc import Mapping
from typing import Any

import msgspec

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.differences import PAGE, differs, page
from tests.doors.openclaw_cases import CASES, REASONS, SETTINGS, Case, Told
from tests.doors.raw import wire


async def test_every_case_is_answered_as_the_table_says(models: ModelServer) -> None:
    wrong = []
    for setting in SETTINGS:
        config = model_config(models.base_url, SETTINGS[setting])
        if setting in {"none", "password"}:
            config["gateway"]["auth"].pop("token")
        async with running_gateway(config) as gateway:
            for case in CASES:
                if case.setting == setting:
                    answered = await answer_of(gateway, case)
                    if answered != (case.gateway, case.code, case.param):
                        wrong.append((case.id, answered))
    assert wrong == []


async def answer_of(gateway: RunningGateway, case: Case) -> tuple[Told, str | None, str | None]:
    head = body = b""
    for _ in range(case.before + 1):
        async with wire(gateway) as raw:
            raw.send(_bytes(case))
            if case.method == "HEAD":
                head, body = await raw.until(b"\r\n\r\n"), b""
            else:
                answer = await raw.answer()
                head, body = answer.head, answer.body
    told: Mapping[str, Any] = msgspec.json.decode(body) if body else {}
    error = told.get("error") or {}
    assert not error or {"message", "type", "param", "code"} <= error.keys()
    name = case.gateway.header.partition(":")[0]
    lines = head.decode().split("\r\n")
    header = next((line for line in lines if name and line.startswith(f"{name}: ")), "")
    said = Told(int(head.split()[1]), error.get("type", ""), told.get("model", ""), header)
    return said, error.get("code"), error.get("param")


def _bytes(case: Case) -> bytes:
    lines = [f"{case.method} {case.path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in case.headers.items()]
    if case.body or case.method == "POST":
        lines.append(f"Content-Length: {len(case.body) if case.length is None else case.length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + case.body


def test_what_differs_has_its_reason_and_nothing_else_has_one() -> None:
    assert len({case.id for case in CASES}) == len(CASES) >= 90
    assert {case.id for case in CASES if differs(case)} == {case.id for case in CASES if case.wanted}
    assert {case.wanted for case in CASES if case.wanted} == set(REASONS)


def test_the_page_is_made_of_the_table() -> None:
    assert PAGE.read_text() == page(), "write it anew: .venv/bin/python -m tests.doors.differences"
