"""Which manager of services this machine has, and the service of a state directory there."""

import shutil

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.service.launchd import Launchd
from openclaw_gateway.cli.service.manager import Manager, ServiceState, unsupported
from openclaw_gateway.cli.service.plan import service_name
from openclaw_gateway.cli.service.systemd import Systemd
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.paths import Paths, resolve_paths
from openclaw_gateway.instance import Holder

OUTPUT = "service.log"


def manager_here(around: Surroundings, paths: Paths | None = None) -> Manager:
    """Raises CommandFailed (code "service_unsupported"), ConfigError."""
    paths = paths or resolve_paths(around.environ, home=around.home, cwd=around.cwd)
    name = service_name(paths.state_dir, around.home)
    if shutil.which("launchctl"):
        return Launchd(name, around.home, paths.own_dir / OUTPUT)
    if shutil.which("systemctl"):
        return Systemd(name, around.environ, around.home)
    raise unsupported("there is neither systemctl nor launchctl")


def said_pid(found: Holder) -> str:
    return "" if found.pid is None else f" (pid {found.pid})"


def service_here(around: Surroundings) -> tuple[Manager, ServiceState] | None:
    """None where there is no manager, or it cannot be asked: then nothing runs by it."""
    try:
        manager = manager_here(around)
        return manager, manager.look()
    except CommandFailed:
        return None
