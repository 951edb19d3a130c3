"""An operator's `compat` of a model, laid over what is known of it. Pure."""

from dataclasses import replace
from typing import Any

from openclaw_gateway.config.schema.models import Compat
from openclaw_gateway.models.family import ANY_ID, NINE_ALPHANUMERICS, Family

# What is said yes or no to.
_SWITCHES = {
    "supports_tools": "tools",
    "supports_usage_in_streaming": "usage_in_stream",
    "requires_tool_result_name": "results_named",
    "requires_assistant_after_tool_result": "alternate",
    "requires_reasoning_content_on_assistant_messages": "reasoning_back",
}
_FORMATS = {"openai": "effort"}


def corrected(family: Family, compat: Compat) -> Family:
    facts: dict[str, Any] = {}
    for field, name in _SWITCHES.items():
        if (said := getattr(compat, field)) is not None:
            facts[name] = said
    if compat.requires_mistral_tool_ids is not None:
        facts["call_ids"] = NINE_ALPHANUMERICS if compat.requires_mistral_tool_ids else ANY_ID
    if compat.max_tokens_field is not None:
        facts["max_tokens_field"] = compat.max_tokens_field
    if compat.unsupported_tool_schema_keywords is not None:
        facts["schema_refuses"] = frozenset(compat.unsupported_tool_schema_keywords)
    if compat.supports_temperature is not None:
        without = family.refuses - {"temperature"}
        facts["refuses"] = without if compat.supports_temperature else without | {"temperature"}
        facts["refuses_thinking"] = family.refuses_thinking - {"temperature"}
    return replace(family, thinking=_thinking(family, compat), **facts)


def _thinking(family: Family, compat: Compat) -> Any:
    facts: dict[str, Any] = {}
    if compat.thinking_format is not None:
        facts["way"] = _FORMATS.get(compat.thinking_format, compat.thinking_format)
    elif compat.supports_reasoning_effort and family.thinking.way == "never":
        facts["way"] = "effort"
    if compat.supports_reasoning_effort is False and compat.thinking_format is None:
        facts["way"] = "never"
    if compat.supported_reasoning_efforts is not None:
        facts["levels"] = compat.supported_reasoning_efforts
    if compat.reasoning_effort_map is not None:
        facts["words"] = compat.reasoning_effort_map
    return replace(family.thinking, **facts)
