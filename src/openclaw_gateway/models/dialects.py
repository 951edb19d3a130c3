"""Which dialects there are, and what the one of a target cannot do.

Pure. The folder `apis` is the list: a folder in it is a dialect, its `api.py` what is asked of it. It must
not know what any of them says.
"""

import pkgutil
from importlib import import_module
from typing import cast

from openclaw_gateway.models import apis, toolless
from openclaw_gateway.models.apis.dialect import Dialect
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget


def _found() -> dict[str, Dialect]:
    folders = (each.name for each in pkgutil.iter_modules(apis.__path__) if each.ispkg)
    modules = [import_module(f"{apis.__name__}.{name}.api") for name in folders]
    return {module.API: cast("Dialect", module) for module in modules}


DIALECTS: dict[str, Dialect] = _found()
"""By the name an operator writes as `api`."""


def unsupported(target: ModelTarget, request: ModelRequest) -> tuple[str, ...]:
    """Names of OpenAI fields in the request that have no effect with this target."""
    names = DIALECTS[target.api].unsupported(target, request)
    if not target.family.tools and toolless.ignores_tools(request):
        names = (*names, "tools")
    return names
