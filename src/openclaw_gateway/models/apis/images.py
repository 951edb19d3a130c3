"""An image or file as the URL that some dialects want. Pure."""

from openclaw_gateway.wire.messages import File, Media

_PDF_NAME = "document.pdf"


def data_url(one: Media) -> str:
    return f"data:{one.media_type};base64,{one.data}"


def file_name(file: File) -> str:
    """Vendors want one, and some go by its end."""
    return file.name if file.name.lower().endswith(".pdf") else f"{file.name}.pdf" if file.name else _PDF_NAME
