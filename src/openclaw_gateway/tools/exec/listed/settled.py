"""The words of a listed command, written so that nobody can read them in two ways. Pure.

An option's value goes into the option's own word, and what is searched for in front, as `--regexp=…`: no
program opens such a word, so it may look like a path (`grep '/api/v1' src`), and what the shell would take
for a glob there stays what it is. Nothing is judged here.
"""

import re
from collections.abc import Iterator

from openclaw_gateway.tools.exec.listed.options import Options
from openclaw_gateway.tools.exec.listed.table import DATE, FIND_TEXTS, FIND_VALUED, TABLE
from openclaw_gateway.tools.exec.shell_words import Word, plain_word

# Where the first word that is no option is what is looked for, or done, unless an option says it.
_FIRST = {"grep": "regexp", "egrep": "regexp", "fgrep": "regexp", "rg": "regexp", "sed": "expression"}
# With these there is none.
_NONE_SOUGHT = frozenset(("files", "type-list", "version", "help"))
# Long options that take a value, of commands whose table does not tell them apart; none is a file.
_TEXTS = frozenset(
    """lines bytes delimiter fields characters output-delimiter key field-separator skip-fields format printf
    date width""".split()  # noqa: SIM905
)
_GIT_TEXTS = frozenset(
    "grep author committer format pretty since until after before date max-count".split()  # noqa: SIM905
)
_GIT_ALONE = frozenset(("format", "pretty", "date"))
# Of the others `blame -S` names a file.
_GIT_SEEKS = frozenset(("log", "diff", "show"))
# Options that take a value elsewhere, but none here, or only in their own word.
_NO_VALUE = frozenset((("wc", "lines"), ("wc", "bytes"), ("date", "I")))


def settled(words: tuple[Word, ...]) -> tuple[Word, ...]:
    name, *rest = words
    match name.text:
        case "find":
            return (name, *_find(rest))
        case "git":
            return (name, *_git(rest))
        case "date":
            return (name, *_Settling("date", DATE).options(rest))
        case "sed" | "grep" | "egrep" | "fgrep" | "rg":
            return (name, *_with_sought(name.text, rest))
        case text if text in TABLE and text != "jq":
            return (name, *_Settling(text, TABLE[text]).options(rest))
        case _:
            return words


class _Settling:
    """`sought` says afterwards whether an option says what is looked for, `operands` where the rest is."""

    def __init__(self, name: str, options: Options) -> None:
        self._name = name
        self._options = options
        self.sought = False
        self.operands: list[int] = []

    def options(self, words: list[Word]) -> list[Word]:
        done: list[Word] = []
        waiting = iter(words)
        for word in waiting:
            text = word.text
            if text == "--":
                done.append(word)
                for operand in waiting:
                    self.operands.append(len(done))
                    done.append(operand)
            elif not text.startswith("-") or text == "-":
                self.operands.append(len(done))
                done.append(word)
            elif text.startswith("--"):
                done.append(self._long(word, waiting))
            else:
                done += self._letters(word, waiting)
        return done

    def _long(self, word: Word, waiting: Iterator[Word]) -> Word:
        option, mark, _ = word.text[2:].partition("=")
        self.sought |= option == _FIRST.get(self._name) or option in _NONE_SOUGHT
        texts = option in _TEXTS and option in self._options.longs.split()
        texts = texts and (self._name, option) not in _NO_VALUE
        if not texts and option not in self._options.takes.split():
            return word
        if mark:
            return plain_word(word.text, inert=True)
        if (value := next(waiting, None)) is None:
            return word
        return plain_word(f"{word.text}={value.text}", inert=True)

    def _letters(self, word: Word, waiting: Iterator[Word]) -> list[Word]:
        letters = word.text[1:]
        at = next((at for at, letter in enumerate(letters) if letter in self._options.valued), None)
        if at is None or any(letter not in self._options.flags for letter in letters[:at]):
            return [word]
        self.sought |= letters[at] == "e" and self._name in _FIRST
        if (self._name, letters[at]) in _NO_VALUE:
            return [word]
        if at < len(letters) - 1:
            return [plain_word(word.text, inert=True)]
        value = next(waiting, None)
        if value is None:
            return [word]
        # Behind an empty one the program would take the next word.
        return [plain_word(word.text + value.text, inert=True)] if value.text else [word, value]


def _with_sought(name: str, words: list[Word]) -> list[Word]:
    settling = _Settling(name, TABLE[name])
    done = settling.options(words)
    if settling.sought or not settling.operands:
        return done
    sought = done[settling.operands[0]]
    if name != "sed" and not sought.glob and not _like_a_path(sought.text):
        return done
    del done[settling.operands[0]]
    # What is quoted in a glob is not said apart any more: it is the text that counts.
    return [plain_word(f"--{_FIRST[name]}={_as_written(sought)}", inert=True), *done]


def _as_written(word: Word) -> str:
    """Without the `./` that a glob gets in front."""
    lead = word.glob and word.text[:2] == "./" and word.text[2:3] in ("*", "?", "[")
    return word.text[2:] if lead else word.text


def _like_a_path(text: str) -> bool:
    return text.startswith("/") or ".." in re.split(r"[/=:]", text)


def _find(words: list[Word]) -> Iterator[Word]:
    waiting = iter(words)
    for word in waiting:
        yield word
        if word.text in FIND_VALUED and (value := next(waiting, None)) is not None:
            text = word.text in FIND_TEXTS
            yield plain_word(_as_written(value), inert=True) if text else value


def _git(words: list[Word]) -> Iterator[Word]:
    seeks = next((word.text for word in words if not word.text.startswith("-")), "") in _GIT_SEEKS
    waiting = iter(words)
    for word in waiting:
        option, mark, _ = word.text.removeprefix("--").partition("=")
        if word.text == "--" or not seeks:
            yield word
            yield from waiting
        elif word.text.startswith("--") and option in _GIT_TEXTS:
            if mark or option in _GIT_ALONE or (value := next(waiting, None)) is None:
                yield plain_word(word.text, inert=True)
            else:
                yield plain_word(f"{word.text}={value.text}", inert=True)
        elif word.text in ("-S", "-G") and (value := next(waiting, None)) is not None:
            yield plain_word(word.text + value.text, inert=True)
        elif word.text[:2] in ("-S", "-G"):
            yield plain_word(word.text, inert=True)
        else:
            yield word
