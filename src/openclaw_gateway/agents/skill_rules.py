"""What the configuration says of skills: where they lie, which may be used, and what each is given. Pure."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from openclaw_gateway.config.brands import env
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.schema import SkillEntry
from openclaw_gateway.config.schema.guarded import Guarded

FOLDER = "skills"


class SkillRules(Guarded, frozen=True):
    """`managed` is the state directory's folder, `bundled` that of the other program where its variable says
    so, `extra` the operator's. `entries` are by lower-case name."""

    hidden: ClassVar[frozenset[str]] = frozenset({"entries"})

    managed: Path
    bundled: Path | None = None
    extra: tuple[Path, ...] = ()
    allow_bundled: frozenset[str] | None = None
    entries: Mapping[str, SkillEntry] = {}

    @property
    def folders(self) -> tuple[Path, ...]:
        """Beside the workspace's own, the one that wins first."""
        bundled = () if self.bundled is None else (self.bundled,)
        return (self.managed, *bundled, *self.extra)

    def entry(self, *names: str) -> SkillEntry | None:
        """What is said of the skill that goes by these names."""
        return next(filter(None, map(self.entries.get, _folded(names))), None)

    def bundled_may(self, *names: str) -> bool:
        return self.allow_bundled is None or not self.allow_bundled.isdisjoint(_folded(names))


def skill_rules(loaded: LoadedConfig) -> SkillRules:
    written = loaded.config.skills
    bundled = env(loaded.environ, "BUNDLED_SKILLS_DIR")
    allowed = written.allow_bundled
    return SkillRules(
        managed=loaded.state_dir / FOLDER,
        bundled=Path(bundled[0]) if bundled else None,
        extra=tuple(loaded.state_dir / path for path in written.load.extra_dirs),
        allow_bundled=None if allowed is None else frozenset(_folded(allowed)),
        entries={name.lower(): entry for name, entry in written.entries.items()},
    )


def _folded(names: tuple[str, ...]) -> Iterator[str]:
    return (name.lower() for name in names if name)
