"""An edit of the configuration file: tried on its text first, and written only when nothing gets worse.

The main file is what is edited. Where something else decides what counts (the overlay, an included file), it
is said and nothing is written.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import Drawing, draw
from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.config.places import KeyPath, Position
from openclaw_gateway.config.scan import NotJson5
from openclaw_gateway.config.write import ChangedMeanwhile, replace_text


class Edited(Struct, frozen=True):
    """A text that could be written. `faults` are the sentences of what would be wrong that is not now,
    `notes` those of what else would be said."""

    text: str
    drawing: Drawing
    faults: tuple[str, ...]
    notes: tuple[str, ...]


class Edit:
    """`file` is the main file as it was found."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._before = draw(options)
        self.file = self._before.plan.loaded.path
        self._text = self._before.read.texts.get(self.file)
        if self._text is None and self._before.plan.loaded.exists | self.file.exists():
            raise CommandFailed(f"{self.file} cannot be read; `config validate` says why.", exit_code=CONFIG)

    def tried(self, change: Callable[[str], str]) -> Edited:
        """Raises CannotEdit, CommandFailed."""
        try:
            text = change(self._text or "")
        except NotJson5 as error:
            raise CommandFailed(
                f"{self.file}:{error.place.line}: not valid JSON5: {error.reason}",
                code="config_invalid",
                exit_code=CONFIG,
            ) from None
        after = draw(self._options, texts={**self._before.read.texts, self.file: text})
        before, explained = self._before.explained(), after.explained()
        faults = _new(before.problems, explained.problems)
        return Edited(text, after, faults, _new(before.notes, explained.notes))

    def elsewhere(self, path: KeyPath, edited: Edited | None = None) -> Position | None:
        """Where else than in the main file is written what counts at `path`."""
        place = (edited.drawing if edited else self._before).place(path)
        return place if place is not None and place.file != str(self.file) else None

    def write(self, edited: Edited) -> Path | None:
        """The backup's path. Raises CommandFailed."""
        try:
            return replace_text(self.file, self._text, edited.text)
        except ChangedMeanwhile:
            message = f"{self.file} was changed meanwhile, and nothing is written; try again."
        except OSError as error:
            message = f"{self.file} cannot be written: {error.strerror}."
        raise CommandFailed(message)


def _new(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    told = {_without_place(sentence) for sentence in before}
    return tuple(each for each in after if _without_place(each) not in told)


def _without_place(sentence: str) -> str:
    return sentence.partition(": ")[2]
