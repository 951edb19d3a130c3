"""Whether a path is a folder or something in it, by their texts alone: links are resolved before. Pure."""


def below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
