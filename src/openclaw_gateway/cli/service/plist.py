"""The property list of the launchd agent (launchd.plist(5)). Pure.

launchd starts again whatever did not end well, at most every `_AGAIN_S`; it cannot be told that
an exit is for good.
"""

import plistlib
from typing import Any

from openclaw_gateway.cli.service.plan import PACKAGE, ServicePlan

_AGAIN_S = 30


def plist_bytes(plan: ServicePlan) -> bytes:
    """Raises ValueError for what XML cannot hold."""
    return plistlib.dumps(
        {
            "Label": plan.name,
            "ProgramArguments": list(plan.words),
            "EnvironmentVariables": dict(plan.environ),
            "WorkingDirectory": str(plan.folder),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": _AGAIN_S,
            "ExitTimeOut": plan.stop_s,
            # Else macOS slows down what no window belongs to.
            "ProcessType": "Interactive",
            "StandardOutPath": str(plan.output),
            "StandardErrorPath": str(plan.output),
        },
        sort_keys=False,
    )


def read(data: bytes) -> dict[str, Any]:
    """Empty where it is no property list."""
    try:
        found = plistlib.loads(data)
    except Exception:  # noqa: BLE001 - expat's and plistlib's own, by what is wrong with it
        return {}
    return found if isinstance(found, dict) else {}


def is_ours(data: bytes) -> bool:
    return PACKAGE in read(data).get("ProgramArguments", ())


def program_of(data: bytes) -> str | None:
    words = read(data).get("ProgramArguments", ())
    return words[0] if words else None
