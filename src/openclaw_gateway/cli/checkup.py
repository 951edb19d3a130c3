"""What `doctor` looks at: configuration, rights, models, the gateway, its port, its store, room on the disk.

One finding each, with what to do about it. Writes nothing but, where that is asked for, the modes of the
configuration's files. Never raises for what it finds.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

from msgspec import Struct

from openclaw_gateway.blueprint import Blueprint, Options
from openclaw_gateway.blueprint.dangers import dangers
from openclaw_gateway.blueprint.dangers.files import open_files
from openclaw_gateway.blueprint.drawing import Drawing, draw
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.machine import missing_here
from openclaw_gateway.cli.process.port_holder import free_port, port_holder
from openclaw_gateway.cli.running.address import config_in_use, gateway_here
from openclaw_gateway.cli.running.readiness import ask_readiness
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.modes import mended
from openclaw_gateway.errors import ConfigError
from openclaw_gateway.sizes import size_text

_ANSWER_S = 5.0
_LITTLE_BYTES = 500 << 20
Verdict = Literal["ok", "warning", "wrong"]


class Finding(Struct, frozen=True):
    """`check` is what was looked at, `text` one sentence."""

    check: str
    verdict: Verdict
    text: str


def checked(around: Surroundings, program: str, *, fix: bool) -> Iterator[Finding]:
    try:
        drawing = draw(Options(**around.for_options(), config_path=config_in_use(around)))
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("config", "wrong", problem)
        return
    yield from _configuration(drawing)
    yield from _rights(drawing, fix=fix)
    yield from _dangers(drawing, program)
    plan = drawing.plan
    if not plan.problems:
        yield from _models(plan)
    yield from _gateway(plan)
    yield from _store(plan.loaded.own_dir / "sessions.sqlite")
    yield from _room(plan.loaded.state_dir)


def _configuration(drawing: Drawing) -> Iterator[Finding]:
    plan, loaded = drawing.plan, drawing.plan.loaded
    if not loaded.exists:
        yield Finding("config", "wrong", f"There is no {loaded.path}. `openclaw setup` makes one.")
        return
    for problem in drawing.explained().problems if plan.problems else ():
        yield Finding("config", "wrong", problem)
    if plan.problems:
        return
    said = [*map(str, plan.left_out), *map(str, plan.notes), *loaded.notices, *run(missing_here(plan))]
    for sentence in dict.fromkeys(said):
        yield Finding("config", "warning", sentence)
    if not said:
        yield Finding("config", "ok", f"{loaded.path} is valid.")


def _rights(drawing: Drawing, *, fix: bool) -> Iterator[Finding]:
    """Where they are only looked at, they are among the dangers."""
    for found in open_files(drawing.read, drawing.plan) if fix else ():
        done, sentence = mended(found)
        yield Finding("rights", "ok" if done else "wrong", sentence)


def _dangers(drawing: Drawing, program: str) -> Iterator[Finding]:
    """What `security audit` tells, but for what is only worth knowing."""
    for each in dangers(drawing.read, drawing.plan, program):
        if each.severity == "info":
            continue
        mend = "; ".join(each.mend.splitlines())
        of_files = each.check.startswith("fs.")
        also = f", or {program} doctor --fix" if of_files else ""
        yield Finding("rights" if of_files else "security", "warning", f"{each.means} Mend it: {mend}{also}")


def _models(plan: Blueprint) -> Iterator[Finding]:
    for model in plan.known_models.all():
        if model.agents and model.target is None:
            yield Finding("models", "wrong", f"{', '.join(model.agents)}: {model.problem}")
        elif model.agents:
            yield Finding(
                "models",
                "ok",
                f"{model.ref} is configured for {', '.join(model.agents)}; `openclaw models test` asks it.",
            )


def _gateway(plan: Blueprint) -> Iterator[Finding]:
    here = gateway_here(plan.loaded)
    if not here.away and here.origin is not None:
        try:
            ready = ask_readiness(here.origin, timeout_s=_ANSWER_S)
        except OSError as error:
            yield Finding(
                "gateway", "wrong", f"It holds its lock, and does not answer at {here.origin}: {error}."
            )
            return
        why = "" if ready.ready else f": {ready.answer.get('failing')}"
        state = "ready" if ready.ready else f"not ready{why}"
        yield Finding(
            "gateway", "ok" if ready.ready else "wrong", f"It runs at {here.origin} and is {state}."
        )
        return
    was = f" The last one was at {here.last}." if here.last else ""
    yield Finding(
        "gateway",
        "warning",
        f"It does not run.{was} `openclaw gateway run` starts it in a terminal, `openclaw gateway install` "
        "as a service.",
    )
    if plan.listen is not None and plan.listen.port:
        hosts, port = plan.listen.hosts, plan.listen.port
        if free_port(hosts, port - 1) != port:
            yield Finding("port", "wrong", f"Port {port} is taken by {port_holder(hosts[0], port)}.")


def _store(path: Path) -> Iterator[Finding]:
    if not path.exists():
        return
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=_ANSWER_S)
        ) as db:
            found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        found = str(error)
    if found == "ok":
        yield Finding("store", "ok", f"{path.name} is whole, {size_text(path.stat().st_size)}.")
    else:
        yield Finding(
            "store",
            "wrong",
            f"{path} is damaged ({found}): `openclaw backup restore FILE` puts a backup back.",
        )


def _room(folder: Path) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(folder if folder.exists() else folder.parent).free
    except OSError:
        return
    if free < _LITTLE_BYTES:
        yield Finding("disk", "warning", f"Only {size_text(free)} are free where {folder} is.")
