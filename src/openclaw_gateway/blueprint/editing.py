"""An edit of the configuration file: tried on its text first, and written only when nothing gets worse.

It goes the same way for a command and for a client of a running gateway.

The main file is what is edited. Where something else decides what counts (the overlay, an included file), it
is said and nothing is written.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import Drawing, draw
from openclaw_gateway.config.brands import typed
from openclaw_gateway.config.places import KeyPath, Position
from openclaw_gateway.config.scan import NotJson5
from openclaw_gateway.config.secrets.sources import Secrets
from openclaw_gateway.config.write import ChangedMeanwhile, replace_text
from openclaw_gateway.errors import ConfigChanged, ConfigError, ConfigUnwritable


class Edited(Struct, frozen=True):
    """A text that could be written. `faults` are the sentences of what would be wrong that is not now,
    `notes` those of what else would be said."""

    text: str
    drawing: Drawing
    faults: tuple[str, ...]
    notes: tuple[str, ...]


class Edit:
    """`file` is the main file as it was found, `before` what is drawn from it. `token` and `secrets` are as
    for `draw`: those of a gateway that runs."""

    def __init__(self, options: Options, *, token: str | None = None, secrets: Secrets | None = None) -> None:
        """Raises ConfigError, ConfigUnwritable."""
        self._options = options
        self._token = token
        self._secrets = secrets
        self.before = draw(options, token=token, before=secrets)
        self.file = self.before.plan.loaded.path
        self._text = self.before.read.texts.get(self.file)
        if self._text is None and self.before.plan.loaded.exists | self.file.exists():
            program = typed(self.before.plan.loaded.environ)
            raise ConfigError([f"{self.file} cannot be read; `{program} config validate` says why."])

    def tried(self, change: Callable[[str], str]) -> Edited:
        """Raises CannotEdit, ConfigError."""
        try:
            text = change(self._text or "")
        except NotJson5 as error:
            raise ConfigError([f"{self.file}:{error.place.line}: not valid JSON5: {error.reason}"]) from None
        texts = {**self.before.read.texts, self.file: text}
        after = draw(self._options, token=self._token, before=self._secrets, texts=texts)
        before, explained = self.before.explained(), after.explained()
        faults = _new(before.problems, explained.problems)
        return Edited(text, after, faults, _new(before.notes, explained.notes))

    def elsewhere(self, path: KeyPath, edited: Edited | None = None) -> Position | None:
        """Where else than in the main file is written what counts at `path`."""
        place = (edited.drawing if edited else self.before).place(path)
        return place if place is not None and place.file != str(self.file) else None

    def write(self, edited: Edited) -> Path | None:
        """The backup's path. Raises ConfigChanged, ConfigUnwritable."""
        try:
            return replace_text(self.file, self._text, edited.text)
        except ChangedMeanwhile:
            message = f"{self.file} was changed meanwhile, and nothing is written; try again."
            raise ConfigChanged(message) from None
        except OSError as error:
            message = f"{self.file} cannot be written: {error.strerror}."
            raise ConfigUnwritable(message) from None


def _new(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    told = {_without_place(sentence) for sentence in before}
    return tuple(each for each in after if _without_place(each) not in told)


def _without_place(sentence: str) -> str:
    return sentence.partition(": ")[2]
