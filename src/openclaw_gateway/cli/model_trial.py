"""A model tried from the terminal: with a client, and an embedded model, of its own."""

from collections.abc import Mapping

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.models.trial import Trial
from openclaw_gateway.models.trial import tried as asked


async def tried(target: ModelTarget, environ: Mapping[str, str]) -> Trial:
    """Raises ProviderError."""
    local = LocalModel.from_environment(environ)
    client = UpstreamClient(Limits())
    try:
        return await asked(ModelCaller(client, local.endpoint), target)
    finally:
        await client.close()
        await local.stop()
