"""What other users of this machine may read or change: configuration, secrets, sessions, log, backups."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.blueprint.dangers.danger import Danger
from openclaw_gateway.config.load import Partly
from openclaw_gateway.config.modes import FILE, Open, open_among, open_to_others
from openclaw_gateway.secret_values import is_secret_name, looks_secret

_SHORTEST = 4


def open_files(read: Partly, plan: Blueprint) -> list[Open]:
    """All of them, each once."""
    found = {each.path: each for each in open_to_others(read)}
    found |= {each.path: each for each in open_among(_private(plan), FILE)}
    return list(found.values())


def in_files(read: Partly, plan: Blueprint) -> Iterator[Danger]:
    secrets = set(_in_clear(plan.loaded.document))
    for each in open_files(read, plan):
        text = read.texts.get(each.path) or ""
        has_secrets = each.path.name == ".env" or any(secret in text for secret in secrets)
        means = each.means
        if has_secrets and "read" in each.may:
            means += ", and secrets stand in it in clear"
        yield Danger(
            f"fs.{_kind(each.path, plan)}.perms",
            "critical" if not each.shut and (has_secrets or "change" in each.may) else "warning",
            f"{means}.",
            f"chmod {each.wanted:o} {shlex.quote(str(each.path))}",
        )


def _private(plan: Blueprint) -> Iterator[Path]:
    """What the gateway and its commands write; in folders that others may not enter, too."""
    loaded = plan.loaded
    yield from sorted(loaded.own_dir.glob("*.sqlite*"))
    yield from sorted(loaded.own_dir.glob("*.json"))
    yield from sorted(loaded.own_dir.glob("*.log*"))
    for folder in (loaded.state_dir, loaded.own_dir):
        yield from sorted(folder.glob("*.tar.gz"))
    yield from sorted(loaded.state_dir.glob("agents/*/agent/auth-profiles.json"))
    if loaded.config.logging.file:
        yield Path(loaded.config.logging.file)


def _kind(path: Path, plan: Blueprint) -> str:
    loaded = plan.loaded
    log = loaded.config.logging.file
    kinds = {
        "state_dir": path in {loaded.state_dir, loaded.own_dir},
        "dotenv": path.name == ".env",
        "backup": path.name.endswith(".tar.gz"),
        "auth_profiles": path.name == "auth-profiles.json",
        "sessions_store": ".sqlite" in path.name,
        "log_file": bool(log) and path == Path(log or ""),
        "state_file": path.parent == loaded.own_dir,
    }
    return next((kind for kind, fits in kinds.items() if fits), "config")


def _in_clear(value: Any, name: str = "") -> Iterator[str]:
    """Texts of the configuration, as written, that are secrets by their key or their look."""
    match value:
        case dict():
            for key, item in value.items():
                yield from _in_clear(item, str(key))
        case list():
            for item in value:
                yield from _in_clear(item, name)
        case str() if len(value) >= _SHORTEST and "${" not in value:
            if is_secret_name(name) or looks_secret(value):
                yield value
