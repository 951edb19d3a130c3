"""Which models somebody could begin with: of providers whose key is here, of servers on this machine, the
embedded one. Looks and asks; decides nothing.
"""

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from openclaw_gateway.config.schema import Config
from openclaw_gateway.errors import ConfigError, GatewayError
from openclaw_gateway.models.defaults import LOCAL_REF, Survey, choose_default, key_from
from openclaw_gateway.models.endpoints import Endpoints
from openclaw_gateway.models.families.served import PREFERRED
from openclaw_gateway.models.keys import Keys
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.models.providers import BUILT_IN
from openclaw_gateway.models.survey import ANSWER_S, ask, servers_here
from openclaw_gateway.models.target import Endpoint

_MOST_OF_A_SERVER = 5


class Offer(Struct, frozen=True):
    """`variable` holds the key it needs, where it needs one."""

    ref: str
    why: str
    variable: str | None = None


async def offers(environ: Mapping[str, str]) -> tuple[Offer, ...]:
    """The best first."""
    keys: dict[str, str] = {}
    for name in BUILT_IN:
        if name in PREFERRED and (key := key_from(environ, name)) is not None:
            keys.setdefault(key[0], name)  # some providers share a variable: it is the first one's
    asked = (_of_key(name, variable, environ[variable].strip()) for variable, name in keys.items())
    of_keys, servers = await asyncio.gather(asyncio.gather(*asked), servers_here())
    found = [offer for offer in of_keys if offer is not None]
    for name, models in servers.items():
        why = f"{BUILT_IN[name].base_url} answers on this machine"
        found += [Offer(f"{name}/{model}", why) for model in models[:_MOST_OF_A_SERVER]]
    if LocalModel.from_environment(environ).unavailable() is None:
        found.append(Offer(LOCAL_REF, "very small, here already, needs no key; it cannot use tools"))
    return tuple(found)


async def _of_key(provider: str, variable: str, key: str) -> Offer | None:
    """The model that a start would take of it, from those that it says it has."""
    environ = {variable: key}
    listed: tuple[str, ...] = ()
    try:
        endpoint = Endpoints(Config(), environ, Keys(Config(), environ)).of(provider, "")
        listed = await ask(endpoint, BUILT_IN[provider].api, asyncio.get_running_loop().time() + ANSWER_S)
    except (TimeoutError, GatewayError):
        pass  # it may answer later: its key is here all the same
    try:
        chosen = choose_default(
            Config(), environ, local_available=False, survey=Survey(listed={provider: listed})
        )
    except ConfigError:
        return None
    return Offer(chosen.ref, f"{variable} is set", variable)


async def server_at(url: str, key: str | None) -> tuple[str, tuple[str, ...]]:
    """(the base URL at which its list of models is, the models): that which was named, or below /v1 of it.
    () where neither answers."""
    url = url.rstrip("/")
    tries = [url] if url.endswith("/v1") else [url, f"{url}/v1"]
    for base_url in tries:
        try:
            models = await ask(
                Endpoint("mine", base_url, key),
                "openai-completions",
                asyncio.get_running_loop().time() + ANSWER_S,
            )
        except (TimeoutError, GatewayError):
            continue
        if models:
            return base_url, models
    return tries[-1], ()
