"""The configuration changed as a client of a running gateway asks, and written into its main file.

A client sees the merged files with masks and sends them back changed. What that changes is found, and made in
the main file by single edits, tried and judged as those of a command. Where the outcome would not be what was
asked for, because another file has the last word, nothing is written. What is raised names no folder. Blocks
as the file system does.
"""

from collections.abc import Callable, Sequence
from typing import Any

from openclaw_gateway.blueprint import Blueprint, Options
from openclaw_gateway.blueprint.comparison import dangers_of, needs_restart
from openclaw_gateway.blueprint.editing import Edit, Edited
from openclaw_gateway.config.changes import MOST_EDITS, Change, changed_text, changes
from openclaw_gateway.config.edit import CannotEdit
from openclaw_gateway.config.load import place_in
from openclaw_gateway.config.places import KeyPath, Position, dotted, written_below
from openclaw_gateway.config.secrets.sources import Secrets
from openclaw_gateway.config.unmasking import Masked, unmasked, unveiled
from openclaw_gateway.errors import ConfigChanged, ConfigError, ConfigUnwritable, InvalidRequest
from openclaw_gateway.gateway.operator.config import ANY_BASE, Base, Rewritten, Wanted


class Rewriter:
    """For a gateway `started` so; `secrets` are those in force. `started` None: no gateway runs, faults that
    are there already may have their reason in this terminal, and folders are named."""

    def __init__(
        self, options: Options, started: Blueprint | None, secrets: Callable[[], Secrets | None]
    ) -> None:
        self._options = options
        self._started = started
        self._secrets = secrets
        self._folder = "" if started is None else f"{started.loaded.path.parent}/"

    def rewrite(self, wanted: Wanted, base: Base) -> Rewritten:
        """Raises InvalidRequest, ConfigChanged, ConfigUnwritable, and what `wanted` raises."""
        return self._judged(wanted, base, writes=True)

    def foresee(self, wanted: Wanted, base: Base) -> Rewritten:
        """What `rewrite` would write. Raises what it raises."""
        return self._judged(wanted, base, writes=False)

    def _judged(self, wanted: Wanted, base: Base, *, writes: bool) -> Rewritten:
        try:
            return self._rewrite(wanted, base, writes=writes)
        except ConfigError as error:
            told = self._told("; ".join(error.problems))
            raise InvalidRequest(f"Nothing is written: {told}", code="config_refused") from None
        except (ConfigChanged, ConfigUnwritable) as error:
            raise type(error)(self._told(error.message), code=error.code) from None

    def _rewrite(self, wanted: Wanted, base: Base, *, writes: bool) -> Rewritten:
        token = None if self._started is None else self._started.auth.secret
        edit = Edit(self._options, token=token, secrets=self._secrets())
        before = edit.before.plan
        if before.problems and self._started is not None:
            raise ConfigError(
                ["the file has faults already; mend it first.", *edit.before.explained().problems]
            )
        _check_base(base, before)
        document = before.loaded.document
        shown = before.shown.document
        try:
            back = wanted(shown)
            target = unmasked(back, shown, document)
        except Masked as error:
            raise InvalidRequest(f"Nothing is written: {error}.", code="config_masked") from None
        steps = changes(document, target)
        text = edit.before.read.texts.get(edit.file)
        if not steps:
            return Rewritten(before.shown, edit.file, text or "", (), (), new_secret=False)
        if len(steps) > MOST_EDITS:
            raise InvalidRequest(
                f"Nothing is written: {len(steps)} keys of the file would change at its top, where it has no "
                f"more than {MOST_EDITS} that mean anything. Change them in the file itself.",
                code="config_refused",
            )
        edited = self._tried(edit, steps)
        plan = edited.drawing.plan
        dangers = () if plan.problems or self._started is None else dangers_of(self._started, plan)
        if edited.faults or dangers:
            raise ConfigError(list(edited.faults or edited.drawing.explained(*dangers).problems))
        if left := changes(edited.drawing.read.loaded.document, target):
            placed = edited.drawing.placed()
            raise self._elsewhere(left[0].path, place_in(placed, left[0].path))
        if (place := unveiled(back, plan.shown.document)) is not None:
            raise InvalidRequest(
                f"Nothing is written: {dotted(place)} is masked for what stands beside it, and without that "
                "everybody would be shown it: write the value itself.",
                code="config_masked",
            )
        if writes:
            edit.write(edited)
        return Rewritten(
            plan.shown,
            edit.file,
            edited.text,
            tuple(dict.fromkeys(dotted(step.path) for step in steps)),
            tuple(map(self._told, edited.notes)),
            new_secret=plan.auth != before.auth,
            restart=() if self._started is None else needs_restart(self._started, plan),
            idle=tuple(key for key in plan.loaded.unserved if key not in before.loaded.unserved),
        )

    def _tried(self, edit: Edit, steps: Sequence[Change]) -> Edited:
        """Raises InvalidRequest, ConfigError."""
        placed = edit.before.placed()
        main = str(edit.file)
        for step in steps:
            other = None if step.is_new else _other_place(placed, step.path, main)
            if other is not None:
                raise self._elsewhere(step.path, other)
        try:
            return edit.tried(lambda text: changed_text(text, steps))
        except CannotEdit as error:
            raise InvalidRequest(
                f"Nothing is written: {dotted(steps[0].path)} is written in another shape ({error}); change "
                "the file itself.",
                code="config_elsewhere",
            ) from None

    def _elsewhere(self, path: KeyPath, place: Position | None) -> InvalidRequest:
        where = "in another file" if place is None else f"at {place}"
        return InvalidRequest(
            f"Nothing is written: {dotted(path)} is set {self._told(where)}, which counts; change it there.",
            code="config_elsewhere",
        )

    def _told(self, text: str) -> str:
        return text.replace(self._folder, "") if self._folder else text


def _other_place(placed: dict[str, Any], path: KeyPath, main: str) -> Position | None:
    return next((place for place in written_below(placed, path) if place.file != main), None)


def _check_base(base: Base, before: Blueprint) -> None:
    """Raises ConfigChanged, InvalidRequest."""
    if base is ANY_BASE or not before.loaded.exists:
        return
    if base is None:
        raise InvalidRequest(
            "baseHash is missing: send the hash that config.get told with what you have changed.",
            code="invalid_params",
            param="baseHash",
        )
    if base != before.shown.digest:
        raise ConfigChanged(
            "The configuration is not the one that baseHash is of: call config.get again, and send your "
            "change of that with its hash. Nothing is written.",
            param="baseHash",
        )
