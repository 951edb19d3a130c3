"""What is to be said of keys where nothing is wrong: of variables, stored profiles, providers without any.

Pure: no start is refused for it.
"""

from collections.abc import Iterator

from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.places import Problem
from openclaw_gateway.config.secrets.profiles import Stores
from openclaw_gateway.config.secrets.references import Unset
from openclaw_gateway.config.wording import missing_variables
from openclaw_gateway.models.defaults import is_known
from openclaw_gateway.models.endpoints import Endpoints


def keys_notes(loaded: LoadedConfig, endpoints: Endpoints, stores: Stores) -> Iterator[Problem]:
    for path, what in loaded.wanted.items():
        if isinstance(what, Unset):
            yield Problem(path, missing_variables(list(what.names)))
    for name, entry in loaded.config.models.providers.items():
        url = ("models", "providers", name, "baseUrl")
        if entry.base_url is None and url not in loaded.wanted and not is_known(name):
            yield Problem(url, "is missing, and no provider is known by that name; add it")
    yield from stores.faults
    every = [stores.common, *stores.own.values()]
    signed_in = {name for store in every for name, each in store.profiles.items() if each.kind == "oauth"}
    if signed_in:
        yield Problem(
            ("auth", "profiles"),
            f"the stored {', '.join(sorted(signed_in))} are sign-ins of accounts, which this gateway does "
            "not use; it uses stored keys and tokens, and those of the environment",
        )
    for name in endpoints.keyless():
        yield Problem(
            ("models", "providers", name),
            "has no key, neither here nor in the environment nor stored; it is asked without one",
        )
    for name, reason in endpoints.unused():
        yield Problem(("models", "providers", name), reason)
