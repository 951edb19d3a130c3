"""A model tried by a command, in its own process: past the gateway."""

from collections.abc import Mapping

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.models.trial import Trial, tried


async def tried_alone(target: ModelTarget, environ: Mapping[str, str]) -> Trial:
    """Raises ProviderError."""
    local = LocalModel.from_environment(environ)
    client = UpstreamClient(Limits())
    try:
        return await tried(ModelCaller(client, local.endpoint), target)
    finally:
        await client.close()
        await local.stop()
