"""What of an MCP server's settings must not come back from it: into a log, to a client, to a model. Pure."""

from openclaw_gateway.config.schema import McpServer
from openclaw_gateway.secret_values import in_arguments, in_url, in_value, worth_masking


def secrets_of(server: McpServer) -> tuple[str, ...]:
    """Every variable and header whatever it is called, and what looks like a secret elsewhere."""
    values = (*server.env.values(), *server.headers.values())
    found = [part for value in values for part in in_value(value)]
    return worth_masking((*found, *in_arguments(server.args), *in_url(server.url or "")))
