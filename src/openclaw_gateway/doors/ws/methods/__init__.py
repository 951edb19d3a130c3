"""The methods. The folder is the list: every module here has a tuple `METHODS`."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from openclaw_gateway.doors.ws.method import Method


def _collect() -> Mapping[str, Method[Any]]:
    modules = pkgutil.iter_modules(__path__, f"{__name__}.")
    found = [method for module in modules for method in importlib.import_module(module.name).METHODS]
    return MappingProxyType({method.name: method for method in found})


TABLE = _collect()
