"""What a built-in tool says of itself to the policy: its group, and which of the usual lists it is on.

Stands in the tool's own file as `REGISTRATION`; the file's name is the tool's. A table row, nothing more.
"""

from typing import Literal

from msgspec import Struct

from openclaw_gateway.config.schema import Profile

Group = Literal["fs", "runtime", "sessions", "memory", "plan", "web", "agents"]


class Registration(Struct, frozen=True):
    """`profiles` are those that have it without its group; `sandbox`: it may be used where the agent is in
    one; `subagents`: a run that a run started has it unless the configuration takes it away."""

    group: Group
    profiles: tuple[Profile, ...] = ()
    sandbox: bool = False
    subagents: bool = True
