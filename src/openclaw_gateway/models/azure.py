"""Azure OpenAI: where it is by the forms of address people have, and how it differs from OpenAI's own. Pure.

The address is that of a resource, of its `/openai/v1`, or of a deployment; with `api-version` in its query it
is the older API, in which the deployment stands in the path and the model's name is the deployment's. Source:
learn.microsoft.com, Azure OpenAI, API version lifecycle.
"""

from urllib.parse import parse_qs, urlsplit, urlunsplit

# The last of the older API that is no preview.
_VERSION = "api-version=2024-10-21"
HOSTS = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com", ".openai.azure.us")


def is_azure(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith(HOSTS)


def address(url: str) -> str:
    """The base URL that requests are made to; that of anybody else as it is."""
    if not is_azure(url):
        return url
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    dated = "api-version" in parse_qs(parts.query)
    if path in {"", "/openai"}:
        path = "/openai" if dated else "/openai/v1"
    elif "/deployments/" in path and not dated:
        return urlunsplit(parts._replace(path=path, query="&".join(filter(None, (parts.query, _VERSION)))))
    return urlunsplit(parts._replace(path=path))


def names_deployments(url: str) -> bool:
    """Whether a request of the older API has still to say in its path which deployment it is for."""
    return is_azure(url) and urlsplit(url).path == "/openai"
