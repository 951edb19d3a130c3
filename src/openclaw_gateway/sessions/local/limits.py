"""LocalLimits: the SharedLimits of a gateway that is one process, which need tell nobody."""

from openclaw_gateway.sessions.limits import LockOutRule
from openclaw_gateway.sessions.local.room import LocalRoom


class LocalLimits:
    def __init__(self) -> None:
        self.runs = LocalRoom()

    def failed(self, subject: str, rule: LockOutRule) -> None:
        """Whoever asks counts for himself."""

    def succeeded(self, subject: str) -> None:
        """Likewise."""

    def locked_for(self, subject: str, now: float) -> float:
        return 0.0

    def share(self, most: float) -> float:
        return most
