"""A run's result as the control protocol gives it. Pure."""

from typing import Any

from openclaw_gateway.runs.run import Run
from openclaw_gateway.wire.run import RunResult, Usage


def usage_object(usage: Usage) -> dict[str, int]:
    """Tokens in this protocol's words: `input` is without what the provider's cache gave or was given."""
    return {
        "input": usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens,
        "output": usage.completion_tokens,
        "cacheRead": usage.cached_tokens,
        "cacheWrite": usage.cache_write_tokens,
        "total": usage.total_tokens,
    }


def accepted(run: Run) -> dict[str, Any]:
    """The first answer to `agent`."""
    request = run.request
    return {
        "runId": run.shown_id,
        "sessionKey": request.session_key,
        "agentId": request.agent_id,
        "status": "accepted",
        "acceptedAt": run.created_ms,
        **place_in_line(run),
    }


def place_in_line(run: Run) -> dict[str, int]:
    """Of a run that waits for others of its session, how many come before it. Ours."""
    return {"queued": run.queued} if run.queued else {}


def completed(run: Run, result: RunResult) -> dict[str, Any]:
    """The last answer to `agent` when all went well."""
    provider, _, model = result.model.partition("/")
    return {
        "runId": run.shown_id,
        "status": "ok",
        "summary": "completed",
        "result": {
            "payloads": [{"text": result.text, "mediaUrl": None}],
            "meta": {
                "durationMs": run.elapsed_ms(),
                "agentMeta": {
                    "sessionKey": run.request.session_key,
                    "provider": provider,
                    "model": model,
                    "usage": usage_object(result.usage),
                },
                "aborted": False,
                "stopReason": result.finish_reason or "stop",
            },
        },
    }
