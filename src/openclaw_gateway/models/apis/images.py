"""What a model that cannot see is told, and an image as the URL that some dialects want. Pure."""

from openclaw_gateway.wire.messages import Image

NO_IMAGE = "[An image was here. This model cannot see images.]"


def data_url(image: Image) -> str:
    return f"data:{image.media_type};base64,{image.data}"
