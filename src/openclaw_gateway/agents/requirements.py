"""What a skill says it needs of the machine, and what of that is missing.

The `metadata` of its front matter holds it, as JSON or YAML under the name of either brand:
`{"openclaw": {"os": ["linux"], "requires": {"bins": ["gh"], "anyBins": […], "env": ["GH_TOKEN"]}}}`; or a
`requires` of the front matter itself, which has the same keys or lists commands.
Needs that concern the configuration keep no skill back: the skill itself says what to do without.
"""

import shutil
import sys
from collections.abc import Mapping
from typing import Any

import msgspec
import pyjson5
from msgspec import Struct

from openclaw_gateway.config.brands import BRANDS

_MAX_DEPTH = 16
_FAULTS = (pyjson5.Json5DecoderException, msgspec.ValidationError, ValueError, OverflowError, RecursionError)


class _Requires(Struct, frozen=True, rename="camel"):
    """`config` are keys of the configuration, as it is written."""

    bins: tuple[str, ...] = ()
    any_bins: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    config: Any = ()

    @property
    def keys(self) -> tuple[str, ...]:
        written = self.config if isinstance(self.config, list) else ()
        return tuple(key for key in written if isinstance(key, str))


class Needs(Struct, frozen=True, rename="camel"):
    """`primary_env` is the variable that a skill's `apiKey` of the configuration is for, `skill_key` what the
    configuration calls the skill, where that is not its name."""

    os: tuple[str, ...] = ()
    always: bool = False
    primary_env: str = ""
    skill_key: str = ""
    requires: _Requires = _Requires()


def needs_of(metadata: str, requires: str = "") -> Needs:
    """Nothing for text that is not of this form: then somebody else is meant. Raises ValueError."""
    needs = _of_metadata(metadata)
    if needs.requires == _Requires() and requires.startswith(("{", "[")):
        try:
            written = pyjson5.decode(requires, _MAX_DEPTH)
            if isinstance(written, list):
                written = {"bins": written}
            return msgspec.structs.replace(needs, requires=msgspec.convert(written, _Requires, strict=False))
        except _FAULTS as error:
            raise ValueError("not what a skill requires") from error
    return needs


def _of_metadata(metadata: str) -> Needs:
    if not metadata.startswith("{"):
        return Needs()
    try:
        by_name = msgspec.convert(pyjson5.decode(metadata, _MAX_DEPTH), dict[str, object])
        found = (by_name[brand.name] for brand in BRANDS if brand.name in by_name)
        # YAML makes texts of all values here.
        return msgspec.convert(next(found, {}), Needs, strict=False)
    except _FAULTS as error:
        raise ValueError("not metadata of a skill") from error


class Lacks(Struct, frozen=True, rename="camel"):
    """What of the needs is not there; names, never values. Of `any_bins` all, or none."""

    bins: tuple[str, ...] = ()
    any_bins: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    os: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != Lacks()


def lacking(needs: Needs, environ: Mapping[str, str], platform: str = sys.platform) -> Lacks:
    """Nothing of a skill that is there always."""
    if needs.always:
        return Lacks()
    requires, path = needs.requires, environ.get("PATH")

    def absent(command: str) -> bool:
        return not shutil.which(command, path=path)

    return Lacks(
        tuple(filter(absent, requires.bins)),
        requires.any_bins if all(map(absent, requires.any_bins)) else (),
        tuple(name for name in requires.env if not environ.get(name, "").strip()),
        needs.os if needs.os and platform not in needs.os else (),
    )


def in_words(lacks: Lacks) -> str:
    """The first of it, as the end of "needs …"."""
    if lacks.os:
        return f"the system {' or '.join(lacks.os)}"
    if lacks.bins:
        return f"the command {lacks.bins[0]}"
    if lacks.any_bins:
        return f"one of the commands {', '.join(lacks.any_bins)}"
    return f"the environment variable {lacks.env[0]}"


def missing(needs: Needs, environ: Mapping[str, str], platform: str = sys.platform) -> str | None:
    """What is not there, as the end of "needs …"; None when all is."""
    lacks = lacking(needs, environ, platform)
    return in_words(lacks) if lacks else None
