"""What is wrong with a pattern to allow or deny, whoever writes it: it could never match. Pure."""

import shlex

_BETWEEN_COMMANDS = frozenset(("&&", "||", "|", "|&", ";", "&"))


def fault_of(pattern: str) -> str | None:
    """The fault and what to do; None where there is none."""
    try:
        program, *arguments = shlex.split(pattern) or [""]
    except ValueError:
        return "a quote in it is not closed"
    if not program:
        return "it is empty; write the name of a program"
    if not _BETWEEN_COMMANDS.isdisjoint(arguments):
        between = ", ".join(sorted(_BETWEEN_COMMANDS.intersection(arguments)))
        return f"a pattern is for one command: each of those between {between} needs one of its own"
    if "/" in program and not program.startswith(("/", "*")):
        return "a pattern with a slash is compared with the whole path: begin it with / or *"
    return None
