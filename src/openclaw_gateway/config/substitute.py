"""`${NAME}` in a text becomes the variable's value. Pure; knows neither files nor paths.

Only names of capital letters, digits and underscores count; `$${NAME}` is the literal `${NAME}`; every
other dollar sign stays as it is. What a variable holds is not looked into again.
"""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?P<literal>\$)?\{(?P<name>[A-Z_][A-Z0-9_]*)\}")


class MissingVariable(LookupError):
    """`names` are the variables that are unset or blank."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def substitute(text: str, environ: Mapping[str, str]) -> str:
    """Raises MissingVariable; a blank variable is as good as none, as in the systems we follow."""
    if "${" not in text:
        return text
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        name = match["name"]
        if match["literal"]:
            return "${" + name + "}"
        found = environ.get(name, "")
        if not found.strip() and name not in missing:
            missing.append(name)
        return found

    result = _REFERENCE.sub(value, text)
    if missing:
        raise MissingVariable(missing)
    return result
