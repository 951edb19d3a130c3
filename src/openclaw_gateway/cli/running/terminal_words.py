"""What a gateway says of its own protocol, said again in commands of the terminal. Pure.

A refusal names the method that helps; who typed a command knows none.
"""

import re

from openclaw_gateway.config.brands import BRANDS

_PROGRAM = BRANDS[0].name
# Sections of the protocol that are none of the configuration, and methods beside keys of it.
_METHOD = re.compile(
    r"\b(?:(?:config|sessions|chat|exec\.approvals?|usage|logs|docs|device\.pair)\.[a-z]\w*(?:\.\w+)*"
    r"|agents\.(?:create|update|delete)\b)"
)
_WRONG_PARAMS = re.compile(r"^invalid [\w.]+ params: (?:at \S+: )?")
_COMMANDS = {
    "sessions.list": "sessions",
    "sessions.preview": "sessions show",
    "sessions.reset": "sessions reset",
    "sessions.delete": "sessions delete",
    "sessions.usage": "usage",
    "usage.cost": "usage",
    "usage.status": "usage",
    "chat.history": "sessions show",
    "chat.send": "agent",
    "exec.approval.list": "approvals pending",
    "exec.approval.resolve": "approvals answer",
    "exec.approvals.get": "approvals list",
    "exec.approvals.set": "approvals allow",
    "logs.tail": "logs",
    "agents.create": "agents add",
    "agents.delete": "agents remove",
    "device.pair.list": "devices list",
    "device.pair.approve": "devices approve",
    "device.pair.reject": "devices reject",
    "device.pair.remove": "devices revoke",
    "config.get": "config get",
    "config.set": "config set",
    "config.patch": "config set",
    "config.apply": "config set",
    "config.preview": "config validate",
    "config.schema": "config schema",
}


def in_terminal_words(message: str) -> str:
    """A method without a command of its own can be called all the same."""

    def command(found: re.Match[str]) -> str:
        return f"`{_PROGRAM} {_COMMANDS.get(found[0], f'gateway call {found[0]}')}`"

    return _METHOD.sub(command, _WRONG_PARAMS.sub("The gateway does not take this: ", message))
