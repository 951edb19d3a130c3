"""The `sandbox` section of an agent, or of `agents.defaults`: where its commands and file tools run."""

from typing import Literal

from msgspec import Struct

from openclaw_gateway.config.schema.values import PathText

SandboxMode = Literal["off", "non-main", "all"]
WorkspaceAccess = Literal["none", "ro", "rw"]


class SandboxConfig(Struct, frozen=True, rename="camel", omit_defaults=True):
    """`network` is a key of our own: whether commands in the sandbox may reach the network."""

    mode: SandboxMode | None = None
    workspace_access: WorkspaceAccess | None = None
    workspace_root: PathText | None = None
    network: bool | None = None
