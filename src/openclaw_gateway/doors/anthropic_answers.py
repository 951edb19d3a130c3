"""Which requests are answered in Anthropic's words, and what of that is not in a body: the status, and the
request's name in a header. Knows no endpoint."""

from msgspec.structs import replace
from multidict import istr

from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.anthropic.errors import error_object, status_of
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.wire.error_info import ErrorInfo

MESSAGES = ("/v1/messages", "/messages")
# Where both APIs have something.
_BOTH = ("/v1/models", "/models")
_VERSION = istr("anthropic-version")


def speaks_anthropic(request: Request, *, is_served: bool) -> bool:
    """The path says so, where something is served that one API has alone: an answer would be in two shapes
    else. For the other paths the header does, which Anthropic's clients always send."""
    path = request.route_path
    if path.startswith(MESSAGES):
        return True
    return _VERSION in request.headers and (not is_served or path.startswith(_BOTH))


def named(request: Request) -> str:
    """The request's name, which its answer has under Anthropic's name, too."""
    headers = request.answer_headers
    id_ = headers["request-id"] = headers.get("x-request-id", "")
    return id_


def anthropic_error(request: Request, answer: HttpAnswer, error: ErrorInfo) -> HttpAnswer:
    """`answer`, which is OpenAI's, with the same advice and the same end."""
    headers = answer.headers
    if not error.retryable:
        # Claude Code would ask nine times more with the same wrong key.
        headers = {**headers, "x-should-retry": "false"}
    return replace(answer, status=status_of(error), body=error_object(error, named(request)), headers=headers)
