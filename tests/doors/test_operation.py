"""What a request must be allowed, by the path that it is for: before any of it is read."""

import pytest

from openclaw_gateway.doors.http import agents, chat_completions, messages, models, responses, stored_chats
from openclaw_gateway.doors.operation import Operation, scope_at
from openclaw_gateway.gateway.principal import ADMIN, READ, WRITE

AGENTS = agents.Endpoint.operations
ONE = "/v1/agents/sessions/agent:main:a"


@pytest.mark.parametrize(
    ("operations", "method", "path", "scope"),
    [
        (chat_completions.Endpoint.operations, "POST", "/v1/chat/completions", WRITE),
        (chat_completions.Endpoint.operations, "GET", "/chat/completions", READ),
        (messages.Endpoint.operations, "POST", "/messages/count_tokens", READ),
        (models.Endpoint.operations, "HEAD", "/v1/models", READ),
        (models.Endpoint.operations, "GET", "/v1/models/openclaw/main", READ),
        (responses.Endpoint.operations, "DELETE", "/v1/responses/resp_1/", WRITE),
        (responses.Endpoint.operations, "POST", "/v1/responses/resp_1%2Fcancel", WRITE),
        (stored_chats.Endpoint.operations, "POST", "/v1/chat/completions/a/b/c", WRITE),
        (AGENTS, "DELETE", ONE, ADMIN),
        (AGENTS, "DELETE", f"{ONE}/", ADMIN),
        (AGENTS, "DELETE", f"{ONE}//", ADMIN),
        (AGENTS, "DELETE", "/agents/%73essions/agent:main:a", ADMIN),
        (AGENTS, "POST", f"{ONE}/%65vents", WRITE),
        (AGENTS, "GET", f"{ONE}/%65vents", READ),
    ],
)
def test_no_spelling_of_a_path_asks_for_less(
    operations: tuple[Operation, ...], method: str, path: str, scope: str
) -> None:
    assert scope_at(operations, method, path) == scope
