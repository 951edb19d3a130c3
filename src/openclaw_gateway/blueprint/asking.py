"""The blueprint of a start: drawn, and drawn again with what was asked where nobody has chosen a model.

A provider with a key is asked which models it has, this machine which servers run on it; for all providers
together a start waits no longer than for one. What was said is kept, and a provider is not asked again for a
day.
"""

import asyncio
import time
from hashlib import sha256

import structlog
from msgspec.structs import replace

from openclaw_gateway.blueprint.drawing import Drawing, draw
from openclaw_gateway.blueprint.given import Options
from openclaw_gateway.blueprint.last_survey import Kept, Listed, read_kept, write_kept
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.models.defaults import NOTHING_ASKED
from openclaw_gateway.models.providers import BUILT_IN
from openclaw_gateway.models.survey import ANSWER_S, ask, servers_here

log = structlog.get_logger()

_DAY_S = 86400.0
# Providers that are asked one after the other, each because the one before has nothing that fits.
_MOST_ASKED = 4


async def draw_asking(options: Options) -> Drawing:
    """Raises ConfigError, as `draw` does."""
    drawing = draw(options, survey=NOTHING_ASKED)
    own_dir = drawing.plan.loaded.own_dir
    before, kept = read_kept(own_dir), Kept()
    searched = not options.local_servers
    until = asyncio.get_running_loop().time() + ANSWER_S
    for _ in range(_MOST_ASKED + 1):
        choice = drawing.plan.model
        if choice.asks:
            listed = await _listed(drawing, choice.asks, before.listed.get(choice.asks), until)
            kept = replace(kept, listed={**kept.listed, choice.asks: listed})
        elif choice.searches and not searched:
            searched = True
            kept = replace(kept, servers=dict(await servers_here()))
            log.info("models.searched", found=sorted(kept.servers))
        else:
            break
        drawing = draw(options, token=drawing.plan.auth.secret, before=drawing.secrets, survey=kept.survey)
    if kept != before:
        write_kept(own_dir, kept)
    return drawing


async def _listed(drawing: Drawing, provider: str, before: Listed | None, until: float) -> Listed:
    now = time.time()
    kept: Listed | None = None
    try:
        endpoint = drawing.plan.catalog.endpoints.of(provider, "")
        address = sha256(endpoint.base_url.encode()).hexdigest()
        if before and before.models and before.address == address:
            kept = before
            if 0 <= now - before.at < _DAY_S:
                return before
        models = await ask(endpoint, BUILT_IN[provider].api, until)
    except (TimeoutError, GatewayError) as error:
        log.info("models.not_asked", provider=provider, error=str(error))
        # An old list is better than none: a default does not change because nobody answered.
        return kept or Listed(now, "", ())
    log.info("models.asked", provider=provider, models=len(models))
    return Listed(now, address, models)
