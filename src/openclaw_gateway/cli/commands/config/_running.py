"""What a gateway that runs makes of an edit: it takes it up by itself, needs another start, or refuses it."""

from msgspec import Struct

from openclaw_gateway.blueprint.comparison import dangers_of, needs_restart
from openclaw_gateway.blueprint.editing import Edit, Edited
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.instance import holder


class Effect(Struct, frozen=True):
    """`restart` are settings that count from the next start of the gateway; `refused` says why the one that
    runs goes on by what it has. Both are empty where none runs."""

    restart: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def say(self, terminal: Terminal) -> None:
        if self.restart:
            names = " and ".join(self.restart)
            terminal.notice(
                f"The gateway that runs goes by the former {names} until it is started again: "
                "`openclaw gateway restart`, or `openclaw gateway stop` and `openclaw gateway run`."
            )
        for why in self.refused:
            terminal.notice(f"The gateway that runs does not take this up: {why}.")


def effect(edit: Edit, edited: Edited) -> Effect:
    """The configuration as it was is what the gateway that runs was started with, as far as this can tell."""
    before, after = edit.before.plan, edited.drawing.plan
    if holder(before.loaded.own_dir) is None:
        return Effect()
    refused = tuple(each.message for each in dangers_of(before, after))
    return Effect(needs_restart(before, after), refused)
