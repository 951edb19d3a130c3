"""The options of a command, as a table of those that are known to be harmless. Pure.

Never a table of what is known to harm: an option that is not here is refused, so abbreviations (`--outp`),
bundles (`-no file`) and options of newer versions are too.
"""

from msgspec import Struct

from openclaw_gateway.tools.exec.shell_words import Word

Refusal = str


class Options(Struct, frozen=True):
    """Letters without (`flags`) and with a value (`valued`), and long names: `takes` are those that take the
    next word, told apart only for commands that go through folders, and `longs` all others.

    `operands` is how many words beside options there may be; `free` those words are no paths.
    """

    flags: str = ""
    valued: str = ""
    longs: str = ""
    takes: str = ""
    operands: int | None = None
    free: bool = False
    digits: bool = False


def options_refusal(options: Options, words: tuple[Word, ...]) -> Refusal | None:
    """Every word with a dash must be known, also where it would be another option's value.

    So it does not matter which options take the next word: nothing is ever skipped.
    """
    operands = 0
    ended = False
    for word in words:
        text = word.text
        if not text.startswith("-") or text == "-":
            operands += 1
        elif ended:
            return "an argument that begins with a dash"
        elif text == "--":
            ended = True
        elif text.startswith("--"):
            if text[2:].partition("=")[0] not in (*options.longs.split(), *options.takes.split()):
                return f"the option {text.partition('=')[0]}"
        elif not (options.digits and text[1:].isdecimal()):
            unknown = _unknown_letter(options, text[1:])
            if unknown:
                return f"the option -{unknown}"
    if options.operands is not None and operands > options.operands:
        return "so many arguments (write an option's value directly behind it)"
    return None


def _unknown_letter(options: Options, letters: str) -> str | None:
    for letter in letters:
        if letter in options.valued:
            return None
        if letter not in options.flags:
            return letter
    return None
