"""What to say of a path that is not served here: which setting of the client leads to one that is.

Pure. Clients build these paths themselves, from a base URL and the API they were told to speak; the person
in front of them sees only this sentence.
"""

from collections.abc import Container

CHAT = "/v1/chat/completions"
_USE_CHAT = f"set your client to the chat completions API, POST {CHAT}"
# By the first segment after /v1.
_APIS = {
    "responses": f"Of the Responses API only POST /v1/responses is served here. Or {_USE_CHAT}.",
    "messages": (
        "Of Anthropic's API only POST /v1/messages, POST /v1/messages/count_tokens and GET /v1/models are "
        "served here: its batches are not."
    ),
    "embeddings": "Of embeddings only POST /v1/embeddings is served here.",
    "images": "Images are not made here: set your client's image generation to another provider.",
    "audio": "Speech is not served here: set your client's speech settings to another provider.",
    "moderations": "Moderation is not served here: set it to another provider in your client, or off.",
    "files": "Files are not kept here: send what is in them in the messages.",
    "assistants": f"The Assistants API is not served here: {_USE_CHAT}.",
    "threads": f"The Assistants API is not served here: {_USE_CHAT}.",
    "realtime": f"The Realtime API is not served here: {_USE_CHAT}.",
    "conversations": (
        "Conversations are not kept by themselves here: name one in `conversation` of POST /v1/responses, or "
        f"{_USE_CHAT} with `user`."
    ),
    "batches": f"Batches are not served here: send the requests one by one, POST {CHAT}.",
    "vector_stores": "Files are not searched here: set your client's retrieval to another provider, or off.",
    "fine_tuning": "Models are not trained here: set your client's fine-tuning to another provider.",
    "videos": "Videos are not made here: set your client's video generation to another provider.",
    "rerank": "Ranking is not served here: set your client's reranker to another provider, or off.",
    "agents": (
        "Of the Agents API sessions are served here, with their events, items and turns "
        "(/v1/agents/sessions). Agents stand in the gateway's configuration (agents.list; GET /v1/models "
        "lists them). Environments, automations, and a session's subagents, artifacts and traces are not "
        "served."
    ),
    "vaults": "Vaults are not kept here: an agent's secrets stand in the gateway's configuration.",
    "engines": f"Engines are an older name of models: {_USE_CHAT}, with the model in its body.",
}
_WITH_VERSION = {"chat", "models", *_APIS}
# By the first segment: what other systems begin their paths with.
_COMPATIBLE = "choose 'OpenAI compatible' in your client, and a base URL that ends in /v1"
_GOOGLE = f"Google's API is not served here: {_COMPATIBLE}."
_AZURE = f"Azure's paths are not served here: {_COMPATIBLE}."
_VENDORS = {
    "api": f"Ollama's own API is not served here: {_COMPATIBLE}.",
    "openai": _AZURE,
    "azure": _AZURE,
    "v1beta": _GOOGLE,
    "v1alpha": _GOOGLE,
}


def instead(path: str) -> str:
    """The end of a sentence that says that the endpoint at `path` is off: what a client's setting can do."""
    if not f"{path}/".removeprefix("/v1").startswith("/responses/"):
        return ""
    return (
        f". Or {_USE_CHAT} (a switch such as 'use Responses API' off; client.chat.completions in the openai "
        "packages, openai.chat(model) in the Vercel AI SDK)"
    )


def absent(path: str, served: Container[str]) -> str:
    """The sentence for `path`; `served` are the paths there are."""
    segments = [segment for segment in path.lower().split("/") if segment]
    plain = "/" + "/".join(segments)
    if plain != path and plain in served:
        return f"There is no such path here: it is {plain}, in lower case and without further slashes."
    match segments:
        case ["v1", "v1", *_]:
            return "The path has /v1 twice: your client adds it itself, so give it the base URL without /v1."
        case ["v1", api, *_] if api in _APIS:
            return _APIS[api]
        case [vendor, *_] if vendor in _VENDORS:
            return _VENDORS[vendor]
        case [first, *_] if first in _WITH_VERSION:
            return "The path lacks /v1: the base URL in your client's settings must end in /v1."
        case _:
            return (
                f"There is no such path here. The OpenAI API is at {CHAT} and /v1/models: the base URL in "
                "your client's settings must end in /v1, with nothing behind it."
            )
