"""What the endpoints of vendors' APIs have in common: a JSON body, decoded beside the loop if it is large.

They are on with chat completions unless they say otherwise. Knows no dialect.
"""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from openclaw_gateway.doors.large_bodies import LargeBodies
from openclaw_gateway.doors.operation import OF_A_RUN, Refusals
from openclaw_gateway.doors.requests import Request, note_attempt, read_body
from openclaw_gateway.gateway.brought.sent import Terms
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.routing import Route
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.wire.messages import Message

T = TypeVar("T")


class AgentEndpoint:
    methods: ClassVar[tuple[str, ...]] = ("POST",)
    public: ClassVar = False
    refusals: ClassVar[Refusals] = OF_A_RUN

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._bodies = LargeBodies()

    @property
    def switch(self) -> str | None:
        return self._gateway.chat_switch

    async def _asked(self, request: Request, decode: Callable[[bytes, int], T]) -> T:
        """What `decode` makes of the body, given how deep its JSON may be. Raises what it, and reading the
        body, raises."""
        limits = self._gateway.limits
        body = await read_body(request, limits)

        def decoded(data: bytes) -> T:
            note_attempt(request, data)
            return decode(data, limits.max_json_depth)

        return await self._bodies.decode(body, decoded)

    async def _taken_in(
        self,
        request: Request,
        principal: Principal,
        route: Route,
        messages: tuple[Message, ...],
        terms: Terms,
    ) -> tuple[Message, ...]:
        """The messages with what they bring besides text, which counts as if it had been in the body. Raises
        InvalidRequest, Forbidden, Overloaded."""
        limits = self._gateway.limits

        def hold(more: int) -> None:
            request.take_body(request.body_taken + more, limits)

        return await self._gateway.take_in(principal, route, messages, terms, hold)
