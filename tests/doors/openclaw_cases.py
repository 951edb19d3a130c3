"""What OpenClaw 2026.9.6 was asked on the wire, what it answered, and what this gateway answers. Data.

Both had an agent `main` on a scripted model server. `openclaw` was seen; `gateway` is held by
`test_openclaw_cases`, which sends every case to a started gateway. Where they differ, `wanted` names the
reason among `REASONS`; the words of messages are not compared (8.8). `differences` makes a page of it.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from openclaw_gateway.testing.gateway import TOKEN

CHAT = "/v1/chat/completions"
PASSWORD = "a-password-of-some-length"

# Numbers are those of the contract decisions (DESIGN, section 8).
REASONS = {
    "8.2": (
        "A `model` that is no agent is 404 with `code: model_not_found`, which SDKs make their NotFound "
        'error of. `unknownModel: "default"` makes it mean the default agent.'
    ),
    "8.3": "An agent that does not exist is 400 `agent_not_found`, and no folder is made for it.",
    "8.5": "A session key is printable and has at most 256 characters.",
    "8.7": "`n` above 1 is refused, since one answer would come.",
    "8.8": "Every error is JSON with `message`, `type`, `param` and `code`, never plain text.",
    "keys": "Many clients send their key as `api-key` or `x-api-key`: both count.",
    "kept": (
        "`GET` lists the chat completions that were kept with `store: true`, as at OpenAI; so `GET` is "
        "allowed there, and asks for the credential."
    ),
    "list": (
        "`x-openclaw-model` chooses among the models that the configuration lists for the agent; what is not "
        "listed is never asked, whether it exists or not."
    ),
    "lock-out": "A lock-out stops guesses; the right secret is let in all the same.",
}


class Told(NamedTuple):
    """`type` is the error's, "" = no JSON error; `model` what a success calls its model; `header` is one that
    tells a client more."""

    status: int
    type: str = ""
    model: str = ""
    header: str = ""


class Case(NamedTuple):
    """`code` and `param` are of the gateway's error. `setting` names one of `SETTINGS`. With `length` it is
    said that so many bytes come, and none comes. `before`: how often it is sent before."""

    id: str
    request: str
    openclaw: Told
    gateway: Told
    wanted: str = ""
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = {}
    body: bytes = b""
    method: str = "POST"
    path: str = CHAT
    setting: str = "token"
    length: int | None = None
    before: int = 0


_TWO_MODELS = {
    "models": {"providers": {"mock": {"models": [{"id": "mock-1-0", "name": "the other"}]}}},
    "agents": {"defaults": {"models": {"mock/mock-1-0": {}}}},
}
SETTINGS: dict[str, Mapping[str, Any]] = {
    "token": _TWO_MODELS,
    "lock-out": {
        "gateway": {
            "auth": {"rateLimit": {"maxAttempts": 2, "lockoutMs": 60_000, "exemptLoopback": False}},
        }
    },
    "none": {"gateway": {"auth": {"mode": "none"}}, **_TWO_MODELS},
    "password": {"gateway": {"auth": {"mode": "password", "password": PASSWORD}}},
}

_JSON = {"Content-Type": "application/json"}
_BEARER = {**_JSON, "Authorization": f"Bearer {TOKEN}"}
_HI = [{"role": "user", "content": "hi"}]
_FUNCTION = {"type": "function", "function": {"name": "f"}}
_INVALID = "invalid_request_error"
_BAD = Told(400, _INVALID)
_OK = Told(200, model="openclaw")


def _body(**fields: Any) -> bytes:
    return msgspec.json.encode({"model": "openclaw", "messages": _HI, **fields})


def _said(id_: str, request: str, headers: Mapping[str, str], told: Told, **more: Any) -> Case:
    """A good request with such headers."""
    return Case(id_, request, told, **{"gateway": told, "headers": headers, "body": _body(), **more})


def _refused(headers: Mapping[str, str], id_: str, request: str, **more: Any) -> Case:
    return _said(id_, request, headers, Told(401, "unauthorized"), code="invalid_api_key", **more)


def _method(method: str, **more: Any) -> Case:
    """With a token."""
    plain = Told(405, header="Allow: POST")
    ours = Told(405, "" if method == "HEAD" else _INVALID, header="Allow: POST, GET")
    code = None if method == "HEAD" else "method_not_allowed"
    return Case(
        f"method.{method.lower()}",
        f"`{method}`",
        plain,
        **{"gateway": ours, "wanted": "8.8", "code": code, "headers": _BEARER, "method": method, **more},
    )


def _wrong(
    id_: str, request: str, body: bytes, code: str = "invalid_request", param: str | None = None
) -> Case:
    """Both refuse it."""
    return Case(id_, request, _BAD, _BAD, code=code, param=param, headers=_BEARER, body=body)


def _turns(id_: str, request: str, messages: Any, **more: Any) -> Case:
    return _wrong(f"messages.{id_}", request, _body(messages=messages), **more)


def _field(id_: str, request: str, param: str, **fields: Any) -> Case:
    return _wrong(id_, request, _body(**fields), param=param)


def _fine(id_: str, request: str, **fields: Any) -> Case:
    """Both serve it."""
    return Case(id_, request, _OK, _OK, headers=_BEARER, body=_body(**fields))


def _model(name: str, told: Told, **more: Any) -> Case:
    more = {"gateway": told, "headers": _BEARER, "body": _body(model=name), **more}
    return Case(f"model.{name or 'empty'}", f"`model: {msgspec.json.encode(name).decode()}`", told, **more)


def _unknown_model(name: str) -> Case:
    gateway = Told(404, _INVALID)
    return _model(name, _BAD, gateway=gateway, wanted="8.2", code="model_not_found", param="model")


def _unknown_agent(name: str) -> Case:
    return _model(name, _BAD, code="agent_not_found", param="model")


def _agent_header(name: str) -> Case:
    headers = {**_BEARER, "x-openclaw-agent-id": name}
    param = "x-openclaw-agent-id"
    return _said(f"agent.{name}", f"`{param}: {name}`", headers, _BAD, code="agent_not_found", param=param)


def _key(key: str, told: Told, said: str | None = None, **more: Any) -> Case:
    shown = f"`x-openclaw-session-key: {key}`" if said is None else f"`x-openclaw-session-key` {said}"
    more.setdefault("param", "x-openclaw-session-key" if more.get("code") else None)
    return _said(f"key.{said or key}", shown, {**_BEARER, "x-openclaw-session-key": key}, told, **more)


def _chosen(model: str, told: Told, **more: Any) -> Case:
    more.setdefault("param", "x-openclaw-model" if more.get("code") else None)
    headers = {**_BEARER, "x-openclaw-model": model}
    return _said(f"chosen.{model}", f"`x-openclaw-model: {model}`", headers, told, **more)


def _image(id_: str, request: str, url: str) -> Case:
    parts = [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": url}}]
    where = "messages[0].content[1]"
    messages = [{"role": "user", "content": parts}]
    return _wrong(f"image.{id_}", request, _body(messages=messages), code="invalid_image", param=where)


def _scopes(scopes: str, **more: Any) -> Case:
    headers = {**_JSON, "x-openclaw-scopes": scopes, **more.pop("headers", {})}
    return _said(
        f"scopes.{scopes}", more.pop("request"), headers, Told(403, "forbidden"), setting="none", **more
    )


_USER = {"code": "missing_user_message", "param": "messages"}
_BASIC = base64.b64encode(f"x:{TOKEN}".encode()).decode()

CASES: Sequence[Case] = (
    # Who asks
    _refused(_JSON, "auth.missing", "no credential"),
    _refused({**_JSON, "Authorization": "Bearer wrong"}, "auth.wrong", "a wrong bearer token"),
    _refused({**_JSON, "Authorization": f"Basic {_BASIC}"}, "auth.basic", "the token as Basic"),
    _refused(_JSON, "auth.query", "the token as `?token=`", path=f"{CHAT}?token={TOKEN}"),
    _said(
        "auth.x-api-key",
        "the token as `x-api-key`",
        {**_JSON, "x-api-key": TOKEN},
        Told(401, "unauthorized"),
        gateway=_OK,
        wanted="keys",
    ),
    _said("auth.lower-case", "`authorization: bearer …`", {**_JSON, "authorization": f"bearer {TOKEN}"}, _OK),
    _said(
        "auth.password",
        "mode password, the password as bearer",
        {**_JSON, "Authorization": f"Bearer {PASSWORD}"},
        _OK,
        setting="password",
    ),
    _refused(
        {**_JSON, "Authorization": "Bearer wrong"},
        "auth.wrong-password",
        "mode password, another bearer",
        setting="password",
    ),
    _said(
        "auth.third-guess",
        "the third wrong secret, `rateLimit.maxAttempts: 2`",
        {**_JSON, "Authorization": "Bearer wrong"},
        Told(429, "rate_limited", header="Retry-After: 60"),
        code="rate_limited",
        setting="lock-out",
        before=2,
    ),
    _said(
        "auth.right-after-guesses",
        "the right secret, after that",
        _BEARER,
        Told(429, "rate_limited", header="Retry-After: 60"),
        gateway=_OK,
        wanted="lock-out",
        setting="lock-out",
    ),
    _scopes("operator.read", request="mode none, `x-openclaw-scopes: operator.read`", code="missing_scope"),
    _scopes(
        "operator.write",
        request="mode none, `x-openclaw-scopes: operator.write` and `x-openclaw-model`",
        headers={"x-openclaw-model": "mock/mock-1-0"},
        code="missing_scope",
    ),
    # How
    _method("GET", gateway=Told(200), wanted="kept", code=None),
    _method("PUT"),
    _method("DELETE"),
    _method("OPTIONS"),
    _method("HEAD", wanted="kept"),
    Case(
        "method.get-without-token",
        "`GET` without a credential",
        Told(405, header="Allow: POST"),
        Told(401, "unauthorized"),
        "kept",
        "invalid_api_key",
        method="GET",
    ),
    Case(
        "path.slash",
        "the path with a `/` behind it",
        Told(404),
        Told(404, _INVALID),
        "8.8",
        "not_found",
        headers=_BEARER,
        body=_body(),
        path=f"{CHAT}/",
    ),
    _said("type.text", "`Content-Type: text/plain`", {**_BEARER, "Content-Type": "text/plain"}, _OK),
    _said("type.none", "no `Content-Type`", {"Authorization": f"Bearer {TOKEN}"}, _OK),
    # The body
    _wrong("body.no-json", "`{nope`", b"{nope", "invalid_json"),
    _wrong("body.empty", "an empty body", b"", param="messages"),
    _wrong("body.array", "`[]`", b"[]", "invalid_json"),
    _wrong("body.null", "`null`", b"null", "invalid_json"),
    _wrong("body.string", '`"x"`', b'"x"', "invalid_json"),
    Case(
        "body.large",
        "a body of 21 MB",
        Told(413, _INVALID, header="Connection: close"),
        Told(413, _INVALID, header="Connection: close"),
        code="body_too_large",
        headers=_BEARER,
        length=21 << 20,
    ),
    # What is said
    _wrong("messages.missing", "no `messages`", b'{"model":"openclaw"}', param="messages"),
    _turns("none", "`messages: []`", [], **_USER),
    _turns("system", "only a system message", [{"role": "system", "content": "s"}], **_USER),
    _turns("empty", 'user content `""`', [{"role": "user", "content": ""}], **_USER),
    _turns("blank", "user content of blanks", [{"role": "user", "content": "  "}], **_USER),
    _turns("null", "user content `null`", [{"role": "user", "content": None}], **_USER),
    _turns("number", "user content a number", [{"role": "user", "content": 5}], param="messages[0].content"),
    _turns("no-object", "a message that is no object", [5], param="messages[0]"),
    _turns("role", "an unknown role", [{"role": "zz", "content": "hi"}], param="messages[0].role"),
    _turns("string", "`messages` a string", "x", param="messages"),
    _fine(
        "messages.assistant", "only an assistant message", messages=[{"role": "assistant", "content": "hi"}]
    ),
    # Whom it is for
    Case(
        "model.missing", "no `model`", _OK, _OK, headers=_BEARER, body=msgspec.json.encode({"messages": _HI})
    ),
    _model("", Told(200)),
    _field("model.number", "`model` a number", "model", model=5),
    *(
        _model(name, Told(200, model=name))
        for name in (
            *("openclaw", "OPENCLAW", "openclaw/default", "openclaw/main", "openclaw:main", "openclaw:MAIN"),
            "agent:main",
        )
    ),
    *map(_unknown_agent, ("openclaw/nosuch", "openclaw:nosuch", "agent:nosuch", "openclaw/bad agent!")),
    *map(_agent_header, ("nosuch", "../x")),
    *map(_unknown_model, ("gpt-4o", "mock/mock-1-0", "openclaw/")),
    # Which conversation
    *(
        _key(key, _BAD, code="session_key_reserved")
        for key in ("subagent:x", "cron:x", "acp:x", "agent:main:subagent:x", "agent:main:cron:1")
    ),
    _key("agent:nosuch:main", Told(500, "api_error"), gateway=_BAD, wanted="8.3", code="agent_not_found"),
    _key("", _OK, "empty"),
    _key("a b", _OK, "with a blank"),
    _key("a\tb", _OK, "with a tab", gateway=_BAD, wanted="8.5", code="session_key_invalid"),
    _key("x" * 600, _OK, "of 600 characters", gateway=_BAD, wanted="8.5", code="session_key_invalid"),
    # Which model
    _chosen("mock/mock-1-0", _OK),
    _chosen("mock-1-0", _OK),
    _chosen("nosuch/none", Told(404, _INVALID), gateway=_BAD, wanted="list", code="model_not_allowed"),
    _chosen("mock/nosuch", _OK, gateway=_BAD, wanted="list", code="model_not_allowed"),
    # Settings of the request
    _field("temperature.3", "`temperature: 3`", "temperature", temperature=3),
    _field("temperature.-1", "`temperature: -1`", "temperature", temperature=-1),
    _field("temperature.x", '`temperature: "x"`', "temperature", temperature="x"),
    _field("top_p.2", "`top_p: 2`", "top_p", top_p=2),
    _field("frequency_penalty.3", "`frequency_penalty: 3`", "frequency_penalty", frequency_penalty=3),
    _field("presence_penalty.-3", "`presence_penalty: -3`", "presence_penalty", presence_penalty=-3),
    _field("seed.1.5", "`seed: 1.5`", "seed", seed=1.5),
    _field("stop.5-entries", "`stop` with 5 entries", "stop", stop=list("abcde")),
    _field("stop.empty", '`stop: ""`', "stop", stop=""),
    _field("stop.number", "`stop: 5`", "stop", stop=5),
    _field("max_tokens.0", "`max_tokens: 0`", "max_tokens", max_tokens=0),
    _field("max_tokens.1.5", "`max_tokens: 1.5`", "max_tokens", max_tokens=1.5),
    _field(
        "max_completion_tokens.x",
        '`max_completion_tokens: "x"`',
        "max_completion_tokens",
        max_completion_tokens="x",
    ),
    _field("stream.yes", '`stream: "yes"`', "stream", stream="yes"),
    _field(
        "include_usage.x",
        '`stream_options.include_usage: "x"`',
        "stream_options.include_usage",
        stream_options={"include_usage": "x"},
    ),
    _field("user.5", "`user: 5`", "user", user=5),
    Case("n.2", "`n: 2`", _OK, _BAD, "8.7", "invalid_request", "n", headers=_BEARER, body=_body(n=2)),
    _fine("logprobs", "`logprobs: true`", logprobs=True),
    _fine("response_format", "`response_format`", response_format={"type": "json_object"}),
    _fine("reasoning_effort", '`reasoning_effort: "bogus"`', reasoning_effort="bogus"),
    _fine("user.empty", '`user: ""`', user=""),
    _fine("user.blank", "`user` of blanks", user="  "),
    # Tools
    _field("tools.object", "`tools: {}`", "tools", tools={}),
    _field("tools.type", "a tool of another type", "tools[0].type", tools=[{"type": "x"}]),
    _field("tools.function", "a tool without `function`", "tools[0].function", tools=[{"type": "function"}]),
    _field(
        "tools.name",
        "a tool with an empty name",
        "tools[0].function.name",
        tools=[{"type": "function", "function": {"name": ""}}],
    ),
    _field(
        "tool_choice.bogus", '`tool_choice: "bogus"`', "tool_choice", tools=[_FUNCTION], tool_choice="bogus"
    ),
    _field(
        "tool_choice.unknown",
        "`tool_choice` of a tool that is not there",
        "tool_choice",
        tools=[_FUNCTION],
        tool_choice={"type": "function", "function": {"name": "zz"}},
    ),
    _field(
        "tool_choice.required", "`tool_choice: required`, no tools", "tool_choice", tool_choice="required"
    ),
    # Images
    _image("url", "an image at an http URL", "http://example.com/x.png"),
    _image("base64", "an image that is no base64", "data:image/png;base64,%%%"),
    _image("other", "an image that is none", "data:image/png;base64,aGVsbG8="),
)
