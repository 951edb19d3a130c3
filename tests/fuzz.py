"""`make fuzz`: thousands of requests that the OpenAPI document allows, and some that it does not.

No answer may be of the 500s, nor of a status, type or shape that the document does not tell. The requests are
made by schemathesis, in a virtual environment of its own, because it brings much that nothing else needs.
"""

import asyncio
import sys
from pathlib import Path

from openclaw_gateway.logs import configure_logging
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer

_PROGRAM = Path(__file__).parents[1] / ".cache" / "fuzz" / "bin" / "schemathesis"
_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "allow_header_conformance,unsupported_method"
)
# Of each operation; with what is tried of every field once, five thousand in all.
_EXAMPLES = 200
_DEADLINE_S = 3600.0
# Every endpoint that has a switch: one that is off answers all alike.
_SWITCHED = ("responses", "messages", "agents")
_ON = {
    "gateway": {"http": {"endpoints": {name: {"enabled": True} for name in _SWITCHED}}},
    "agents": {"defaults": {"memorySearch": {"provider": "mock", "model": "mock-vectors"}}},
}


async def main(examples: int) -> int:
    """The exit code of schemathesis."""
    configure_logging(level="silent")
    async with ModelServer() as models, running_gateway(model_config(models.base_url, _ON)) as gateway:
        program = await asyncio.create_subprocess_exec(
            *(str(_PROGRAM), "run", f"{gateway.url}/openapi.json", "--checks", _CHECKS),
            *("--phases", "examples,coverage,fuzzing", "-n", str(examples), "--continue-on-failure"),
            *("--header", f"Authorization: Bearer {gateway.token}", "--warnings", "off"),
        )
        async with asyncio.timeout(_DEADLINE_S):
            return await program.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else _EXAMPLES)))
