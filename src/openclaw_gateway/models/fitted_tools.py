"""Lists of tools fitted to the models they are offered to, worked out once while an agent keeps its tools.

A tool that cannot be told to a model is left out alone, and named in the log, once. A list is known by being
the same tuple; what is given back for it is the same tuple too, so that the dialects encode it once.
"""

import structlog

from openclaw_gateway.models.family import Family
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.models.tool_schemas import Unfit, fitted
from openclaw_gateway.wire.run import ToolSpec

log = structlog.get_logger()

_MOST = 128
# Of one list. Larger ones are put together anew from what is kept of their tools.
_MOST_BYTES = 256 << 10
Tools = tuple[ToolSpec, ...]


def unfit(tools: Tools, target: ModelTarget) -> tuple[tuple[str, str], ...]:
    """(name, why) of each tool that cannot be told to this model. Pure."""
    found: list[tuple[str, str]] = []
    for spec in tools:
        try:
            _fit(spec, target)
        except Unfit as error:
            found.append((spec.name, str(error)))
    return tuple(found)


def _fit(spec: ToolSpec, target: ModelTarget) -> ToolSpec:
    """Raises Unfit."""
    name = spec.name
    if target.api == "google-generative-ai" and not (name[:1].isalpha() or name[:1] == "_"):
        raise Unfit("Google takes only names that begin with a letter or an underscore")
    return fitted(spec, target.family.schema_refuses, plain_names=target.api == "anthropic-messages")


class FittedTools:
    def __init__(self) -> None:
        # With the tuple and the family themselves, so that no other has their id meanwhile.
        self._kept: dict[tuple[int, int, str], tuple[Tools, Family, Tools]] = {}
        self._told: set[tuple[str, str]] = set()

    def __call__(self, tools: Tools, target: ModelTarget) -> Tools:
        if not tools:
            return tools
        key = (id(tools), id(target.family), target.api)
        kept = self._kept.get(key)
        if kept is not None and kept[0] is tools and kept[1] is target.family:
            return kept[2]
        made = self._fitted(tools, target)
        if sum(len(memoryview(spec.parameters)) for spec in tools) <= _MOST_BYTES:
            if len(self._kept) >= _MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (tools, target.family, made)
        return made

    def _fitted(self, tools: Tools, target: ModelTarget) -> Tools:
        made: list[ToolSpec] = []
        for spec in tools:
            try:
                made.append(_fit(spec, target))
            except Unfit as error:
                self._tell(spec.name, target, str(error))
        same = len(made) == len(tools) and all(
            ours is theirs for ours, theirs in zip(made, tools, strict=True)
        )
        return tools if same else tuple(made)

    def _tell(self, name: str, target: ModelTarget, why: str) -> None:
        told = (name, target.ref)
        if told not in self._told and len(self._told) < _MOST:
            self._told.add(told)
            log.warning("model.tool_left_out", tool=name, model=target.ref, reason=why)
