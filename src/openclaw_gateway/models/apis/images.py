"""An image as the URL that some dialects want. Pure."""

from openclaw_gateway.wire.messages import Image


def data_url(image: Image) -> str:
    return f"data:{image.media_type};base64,{image.data}"
