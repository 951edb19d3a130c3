"""What an editor says, as a message of the gateway: text, with what is attached. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from openclaw_gateway.acp.jsonrpc import INVALID_PARAMS, RpcError


class Message(Struct, frozen=True):
    """`attachments` as `chat.send` takes them: base64 `content`, `mimeType`, `fileName`."""

    text: str
    attachments: list[dict[str, str]]


def message_of(blocks: Sequence[Mapping[str, Any]]) -> Message:
    """Raises RpcError."""
    texts: list[str] = []
    attachments: list[dict[str, str]] = []
    for block in blocks:
        match block:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "resource_link", "uri": str(uri), "name": str(name)}:
                texts.append(f"[{name}]({uri})")
            case {"type": "resource", "resource": {"uri": str(uri), "text": str(text)}}:
                texts.append(f'<context uri="{uri}">\n{text}\n</context>')
            case {"type": "resource", "resource": {"uri": str(uri), "blob": str(blob), **rest}}:
                attachments.append(_attachment("file", blob, rest.get("mimeType"), uri))
            case {"type": "image", "data": str(data), "mimeType": str(mime_type), **rest}:
                attachments.append(_attachment("image", data, mime_type, rest.get("uri")))
            case {"type": str(kind)}:
                raise RpcError(INVALID_PARAMS, f"A prompt with {kind!r} in it is not understood here.")
            case _:
                raise RpcError(INVALID_PARAMS, "Each part of a prompt has a type.")
    text = "".join(_joined(texts))
    if not text.strip():
        if not attachments:
            raise RpcError(INVALID_PARAMS, "The prompt is empty.")
        text = "See what is attached."
    return Message(text, attachments)


def _joined(texts: Sequence[str]) -> list[str]:
    """Editors cut a sentence where something is mentioned in it; a whole text stands on lines of its own."""
    out: list[str] = []
    for text in texts:
        own = text.startswith("<context ")
        if out and (own or out[-1].startswith("<context ")):
            out.append("\n")
        out.append(text)
    return out


def _attachment(kind: str, content: str, mime_type: object, uri: object) -> dict[str, str]:
    path = unquote(urlsplit(uri).path) if isinstance(uri, str) else ""
    name = path.rpartition("/")[2] or kind
    given = mime_type if isinstance(mime_type, str) and mime_type else "application/octet-stream"
    return {"type": kind, "mimeType": given, "fileName": name, "content": content}
