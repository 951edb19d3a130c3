"""What every endpoint is, and which there are: the folder doors/http/ is the list."""

import importlib
import pkgutil
from typing import ClassVar, Protocol

import openclaw_gateway.doors.http as folder
from openclaw_gateway.doors.answers import HttpAnswer
from openclaw_gateway.doors.operation import Operation, Refusals
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway


class HttpEndpoint(Protocol):
    """`paths` are exact, or prefixes when they end in "/"; a "*" stands for one name. `public` endpoints need
    no credential.

    `switch` names the configuration key that would turn the endpoint on; None = it is on. `operations` and
    `refusals` are for the OpenAPI document: all that can be asked and answered here, under its path with /v1.
    """

    paths: ClassVar[tuple[str, ...]]
    methods: ClassVar[tuple[str, ...]]
    public: ClassVar[bool]
    operations: ClassVar[tuple[Operation, ...]]
    refusals: ClassVar[Refusals]

    @property
    def switch(self) -> str | None: ...

    def __init__(self, gateway: Gateway) -> None: ...

    async def answer(self, request: Request, principal: Principal) -> HttpAnswer | None:
        """None when it has written the answer itself."""


def endpoints() -> list[type[HttpEndpoint]]:
    modules = pkgutil.iter_modules(folder.__path__, f"{folder.__name__}.")
    return [importlib.import_module(module.name).Endpoint for module in modules]
