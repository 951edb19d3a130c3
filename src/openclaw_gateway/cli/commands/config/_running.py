"""What a gateway that runs makes of an edit: it takes it up by itself, needs another start, or refuses it."""

from typing import Any

from msgspec import Struct

from openclaw_gateway.blueprint.comparison import dangers_of, needs_restart
from openclaw_gateway.blueprint.editing import Edit, Edited
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.instance import holder


class Effect(Struct, frozen=True):
    """`restart` are settings that count from the next start of the gateway; `refused` says why the one that
    runs goes on by what it has. Both are empty where none runs. `follows`: it looks at its files by itself;
    `pid` = 0: which one runs is not known."""

    restart: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    follows: bool = True
    pid: int = 0

    def say(self, terminal: Terminal) -> None:
        if not self.follows:
            look = f"`kill -HUP {self.pid}`" if self.pid else "SIGHUP"
            terminal.notice(
                "The gateway that runs does not look at its files by itself (gateway.reload.mode is off) and "
                f"goes by what it has: {look} has it look at them, unless it runs under nohup; another start "
                "always does."
            )
        if self.restart:
            names = " and ".join(self.restart)
            terminal.notice(
                f"The gateway that runs goes by the former {names} until it is started again: "
                "`openclaw gateway restart`, or `openclaw gateway stop` and `openclaw gateway run`."
            )
        for why in self.refused:
            terminal.notice(f"The gateway that runs does not take this up: {why}.")

    def as_json(self) -> dict[str, Any]:
        return {"restart": self.restart, "refused": self.refused, "follows": self.follows}


def effect(edit: Edit, edited: Edited) -> Effect:
    """The configuration as it was is what the gateway that runs was started with, as far as this can tell."""
    before, after = edit.before.plan, edited.drawing.plan
    found = holder(before.loaded.own_dir)
    if found is None:
        return Effect()
    refused = tuple(each.message for each in dangers_of(before, after))
    follows = before.loaded.config.gateway.reload.mode != "off"
    return Effect(needs_restart(before, after), refused, follows, found.pid or 0)
