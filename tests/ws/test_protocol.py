"""The protocol's rules, as tables and as properties: any bytes lead to a decision, never to an exception."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.doors.ws.protocol import (
    Close,
    Connect,
    Refusal,
    encoded,
    event,
    negotiate,
    read_connect,
    read_request,
    success,
    unknown_method,
)
from openclaw_gateway.wire.frames import ClientInfo, ErrorShape, RequestFrame, ResponseFrame
from tests.ws.peer import connect_params, request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def first(frame: object) -> Connect | Refusal:
    return read_connect(msgspec.json.encode(frame), 64)


def error_of(decision: object) -> ErrorShape:
    frame = decision.frame if isinstance(decision, Refusal) else decision
    assert isinstance(frame, ResponseFrame)
    assert isinstance(frame.error, ErrorShape)
    return frame.error


@pytest.mark.parametrize(
    ("lowest", "highest", "chosen"),
    [
        (3, 3, 3),
        (4, 4, 4),
        (3, 4, 4),
        (1, 3, 3),
        (1, 99, 4),
        (4, 9, 4),
        (1, 2, None),
        (5, 9, None),
        (4, 3, None),
    ],
)
def test_the_highest_common_version_is_chosen(lowest: int, highest: int, chosen: int | None) -> None:
    assert negotiate(lowest, highest) == chosen


def test_a_connect_is_read() -> None:
    decision = first(request("1", "connect", connect_params("s", scopes=["operator.read"], role="operator")))
    assert decision == Connect("1", 4, "s", ("operator.read",), ClientInfo("test", "1", "linux", "test"))


@pytest.mark.parametrize(
    ("auth", "secret"),
    [
        (None, None),
        ({}, None),
        ({"token": "t"}, "t"),
        ({"password": "p"}, "p"),
        ({"token": None, "password": "p"}, "p"),
        ({"token": "", "password": "p"}, "p"),
        ({"token": "t", "deviceToken": "x"}, "t"),
    ],
)
def test_the_secret_may_be_in_either_field(auth: object, secret: str | None) -> None:
    decision = first(request("1", "connect", {**connect_params(None), "auth": auth}))
    assert isinstance(decision, Connect)
    assert decision.secret == secret


def test_unknown_clients_and_extra_params_are_let_in() -> None:
    params = connect_params(
        "s", caps=["tool-events"], permissions={"camera": True}, device=None, role=None, scopes=None
    )
    params["client"] = {
        "id": "mine",
        "version": "0",
        "platform": "plan9",
        "mode": "operator",
        "displayName": "x",
    }
    assert isinstance(first(request("1", "connect", params)), Connect)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (request("1", "health"), "first request must be connect"),
        (request("1", "connect"), "must have required property 'minProtocol'"),
        (request("1", "connect", []), "expected an object, got an array"),
        (
            request("1", "connect", {**connect_params("s"), "client": {"id": "x"}}),
            "client: must have required",
        ),
        (
            request("1", "connect", {**connect_params("s"), "minProtocol": "3"}),
            "minProtocol: expected an integer",
        ),
        (request("1", "connect", connect_params("s", role="node")), 'only the role "operator"'),
        (request("1", "connect", connect_params("x" * 5000)), "auth.token"),
        ({**request("1", "connect", connect_params("s")), "token": "s"}, "unknown field `token`"),
        ({"type": "event", "id": "1", "event": "tick"}, 'type must be "req"'),
        ({"type": "call", "id": "1", "method": "health"}, "invalid value 'call'"),
        ({"id": "1", "method": "health"}, "invalid request frame: must have required property 'type'"),
        ({"type": "req", "id": "1"}, "must have required property 'method'"),
    ],
)
def test_a_wrong_first_frame_is_answered_and_refused(frame: dict[str, Any], message: str) -> None:
    decision = first(frame)
    assert isinstance(decision, Refusal)
    assert decision.code is Close.REFUSED
    assert decision.frame.id == "1"
    assert message in error_of(decision).message


@pytest.mark.parametrize(("lowest", "highest"), [(1, 2), (5, 6), (4, 3)])
def test_no_common_version_is_its_own_refusal(lowest: int, highest: int) -> None:
    params = {**connect_params("s"), "minProtocol": lowest, "maxProtocol": highest}
    decision = first(request("1", "connect", params))
    assert isinstance(decision, Refusal)
    assert decision.code is Close.PROTOCOL_MISMATCH
    details = error_of(decision).details
    assert isinstance(details, dict)
    assert details["expectedProtocol"] == 4


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"id":"\\ud800"}',
        b'{"type":"req","id":"","method":"connect"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"NaN",
    ],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    decision = read_connect(data, 64)
    assert isinstance(decision, Refusal)
    assert decision.frame.id == "invalid"


@pytest.mark.parametrize("half", ["\\ud83d", "\\udc00 x", "\\\\\\ud83d"])
def test_half_an_emoji_is_told_to_whoever_sent_it(half: str) -> None:
    frame = msgspec.json.encode(request("7", "chat.send", {"message": "here"}))
    decision = read_request(frame.replace(b"here", half.encode()), 64)
    assert isinstance(decision, ResponseFrame)
    assert decision.id == "7"
    assert "half of an emoji" in error_of(decision).message


@given(st.binary(max_size=300))
def test_any_bytes_lead_to_a_decision(data: bytes) -> None:
    for decision in (read_connect(data, 64), read_request(data, 64)):
        frame = decision.frame if isinstance(decision, Refusal) else decision
        if isinstance(frame, ResponseFrame):
            assert msgspec.json.decode(encoded(frame))["ok"] is False


@given(JSON, JSON, JSON, JSON)
def test_any_json_leads_to_a_decision(
    kind: object, request_id: object, method: object, params: object
) -> None:
    frames: list[object] = [
        {"type": kind, "id": request_id, "method": method, "params": params},
        {"type": "req", "id": "1", "method": "connect", "params": params},
        {
            "type": "req",
            "id": "1",
            "method": "connect",
            "params": connect_params("s", auth=params, scopes=kind),
        },
        params,
    ]
    for frame in frames:
        decision = first(frame)
        if isinstance(decision, Refusal):
            assert len(decision.reason) > 0
            msgspec.json.decode(encoded(decision.frame))


def test_a_later_frame_is_read_or_answered() -> None:
    read = read_request(msgspec.json.encode(request("7", "health", {"probe": True})), 64)
    assert isinstance(read, RequestFrame)
    assert (read.id, read.method) == ("7", "health")
    wrong = read_request(b'{"type":"req","id":"8"}', 64)
    assert isinstance(wrong, ResponseFrame)
    assert wrong.id == "8"
    deep = read_request(b'{"type":"req","id":"9","method":"m","params":' + b"[" * 70 + b"]" * 70 + b"}", 64)
    assert "nested deeper" in error_of(deep).message


def test_newer_clients_may_send_their_two_extra_fields() -> None:
    frame = {**request("1", "health"), "traceparent": "00-1", "expectedProfileId": None}
    assert isinstance(read_request(msgspec.json.encode(frame), 64), RequestFrame)


def test_frames_have_the_bytes_that_clients_know() -> None:
    assert event("tick", {"ts": 1}, 5) == b'{"type":"event","event":"tick","payload":{"ts":1},"seq":5}'
    assert success("1", {}) == b'{"type":"res","id":"1","ok":true,"payload":{}}'
    answer = msgspec.json.decode(unknown_method(RequestFrame("1", "nosuch.method")))
    assert answer["error"]["code"] == "INVALID_REQUEST"
    assert answer["error"]["message"].startswith("unknown method: nosuch.method. ")
    again = msgspec.json.decode(unknown_method(RequestFrame("1", "connect")))
    assert again["error"]["message"] == "connect is only valid as the first request"
