"""`agent` through the running gateway, over its WebSocket. There is no second way when this one fails: the
run may have begun, and must not be executed twice.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from typing import Any

from openclaw_gateway.cli.conversation import MAIN_SESSION, Completed, Part, Question, refusal
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.running.address import LOCALLY, Address
from openclaw_gateway.cli.running.client import client_of
from openclaw_gateway.cli.running.shut_out import shut_out
from openclaw_gateway.cli.running.terminal_words import in_terminal_words
from openclaw_gateway.client.connection import GatewayClient
from openclaw_gateway.client.errors import AuthRefused, GatewayUnreachable
from openclaw_gateway.errors import GatewayError, error_type
from openclaw_gateway.gateway.principal import READ, WRITE
from openclaw_gateway.wire.events import ReasoningDelta, TextDelta

# A person who pressed Ctrl-C waits no longer for the gateway to confirm.
_ABORT_S = 5.0
_PARTS: Mapping[str, type[TextDelta | ReasoningDelta]] = {"assistant": TextDelta, "thinking": ReasoningDelta}


async def through_gateway(address: Address, question: Question) -> AsyncGenerator[Part, None]:
    """Raises CommandFailed. Cancelling aborts the run, and so does closing before the answer is there."""
    try:
        # It shows no questions, and must not count as somebody to ask.
        async with client_of(address, (READ, WRITE)) as client:
            try:
                async with aclosing(_ask(client, question)) as parts:
                    async for part in parts:
                        yield part
            except (asyncio.CancelledError, GeneratorExit):
                with suppress(GatewayError, TimeoutError):
                    async with asyncio.timeout(_ABORT_S):
                        await client.request("chat.abort", {"runId": question.run_id})
                raise
    except GatewayUnreachable as error:
        locally = "" if address.named else LOCALLY
        raise CommandFailed(f"{error.message}{locally}", code=error.code) from None
    except AuthRefused as error:
        raise shut_out(address, error) from None
    except GatewayError as error:
        message = in_terminal_words(error.message)
        raise refusal(question, message=message, code=error.code, kind=error_type(error)) from None


async def _ask(client: GatewayClient, question: Question) -> AsyncGenerator[Part, None]:
    said = ""
    params = {
        "message": question.text,
        "idempotencyKey": question.run_id,
        "agentId": question.agent,
        "sessionKey": question.session_key or MAIN_SESSION,
        "timeout": question.timeout_s,
    }
    async with client.agent({name: value for name, value in params.items() if value is not None}) as call:
        async for event in call:
            part = _PARTS.get(event.stream)
            delta = event.data.get("delta")
            if part is not None and isinstance(delta, str):
                said += delta if part is TextDelta else ""
                yield part(delta)
        answer = await call.answer()
    text = _text(answer)
    # Events may be lost where the answer is not.
    if text.startswith(said) and len(text) > len(said):
        yield TextDelta(text[len(said) :])
    yield Completed(answer)


def _text(answer: Mapping[str, Any]) -> str:
    match answer:
        case {"result": {"payloads": [{"text": str(text)}, *_]}}:
            return text
        case _:
            return ""
