"""`make cluster`: one gateway as many processes on this machine, to be tried. PostgreSQL, Valkey, two fronts,
two workers, and one port in front of them; what runs where is said, and one signal ends all of it.

The configuration is a file that stays, or the one that is named; what makes a cluster of it stands in the
state directories of the processes. What was said is in the database, which goes with it.
"""

import argparse
import asyncio
import contextlib
import fcntl
import os
import shlex
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from openclaw_gateway.children import marked
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.setup.first_config import FirstConfig, first_text, write_first
from openclaw_gateway.config.brands import BRANDS, OVERLAY_FILE
from openclaw_gateway.config.load import LoadedConfig, load_config
from openclaw_gateway.doors.ui.snippets import curl_line
from openclaw_gateway.errors import ConfigError
from openclaw_gateway.models.defaults import LOCAL_REF
from openclaw_gateway.testing.balancer import Balancer, Place
from tests.cluster.asking import CHAT
from tests.cluster.replicas import Replica, free_port
from tests.cluster.shared import Engines, engines
from tests.engines.postgres import NotInstalled as NoPostgres
from tests.engines.valkey import NotInstalled as NoValkey

ROLES = {"front-1": "front", "front-2": "front", "worker-1": "worker", "worker-2": "worker"}


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument(
        "--port", type=port, default=18789, help="of the one address in front; 0 takes a free one"
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the files of the processes lie")
    parser.add_argument("--config", type=Path, help="a configuration of yours; else one is made")
    options = parser.parse_args()
    options.folder = options.folder.absolute()
    return options


def port(word: str) -> int:
    """Raises ArgumentTypeError."""
    if not (word.isascii() and word.isdecimal() and int(word[:6]) <= 65535):
        raise argparse.ArgumentTypeError(
            f"{word!r} is no port: a number up to 65535 is one, and 0 takes a free one"
        )
    return int(word)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Raises RuntimeError where the processes of another one use the folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "cluster.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(
                f"A cluster is at work in {folder}: end it first, with Ctrl-C where it was started."
            ) from None
        yield


def require_free(port: int) -> None:
    """Raises RuntimeError, before anything is started."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise RuntimeError(
                f"Port {port} cannot be had on 127.0.0.1: {error.strerror}. Take another one, or 0 for one "
                "that is free: make cluster PORT=0"
            ) from None


def overlay(store_url: str, bus_url: str, *, workspace: Path | None) -> dict[str, Any]:
    """What a process has beside the configuration that all of them read. `workspace` None: it is in there."""
    added: dict[str, Any] = {
        "store": {"url": store_url},
        "bus": {"url": bus_url},
        "gateway": {"trustedProxies": ["127.0.0.1"]},
    }
    return added if workspace is None else {**added, "agents": {"defaults": {"workspace": str(workspace)}}}


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Without what names another gateway of this person. Who has it dies with this process."""
    prefixes = tuple(brand.env_prefix for brand in BRANDS)
    return marked({name: value for name, value in environ.items() if not name.startswith(prefixes)})


def read(folder: Path, named: Path | None) -> LoadedConfig:
    """Raises ConfigError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = named or folder / "openclaw.json"
    if named is None and write_first(path, first_text(FirstConfig(LOCAL_REF))):
        click.echo(f"Wrote {path}")
    return load_config(environ=surroundings(os.environ), home=Path.home(), config_path=path.absolute())


def made(folder: Path, loaded: LoadedConfig, shared: Engines) -> list[Replica]:
    """The processes, not yet started. Their files of an earlier time are used again."""
    own = loaded.config.agents.defaults.workspace
    more = overlay(shared.url, shared.bus.url, workspace=None if own else folder / "workspace")
    environ = {**surroundings(os.environ), "OPENCLAW_CONFIG_PATH": str(loaded.path)}
    found = []
    for name, role in ROLES.items():
        state = folder / name
        state.mkdir(mode=0o700, exist_ok=True)
        (state / OVERLAY_FILE).write_bytes(msgspec.json.encode(more))
        (state / OVERLAY_FILE).chmod(0o600)
        (state / "said.log").unlink(missing_ok=True)
        one = Replica(name, state, free_port(), {}, role)
        one.environ.update({**environ, "OPENCLAW_STATE_DIR": str(state)})
        found.append(one)
    return found


def cut_lines(first: str, second: str, secret: str | None) -> tuple[str, str]:
    """What to type to have an answer streamed by one front that goes on without its client, and to read on
    at another."""
    known = ["-H", f"Authorization: Bearer {secret}"] if secret is not None else []
    question = {"role": "user", "content": "Tell me a long story about a fox."}
    body = msgspec.json.encode({"model": "openclaw", "stream": True, "messages": [question]}).decode()
    detached = ["-H", "x-openclaw-detach: true", "-H", "Content-Type: application/json", "-d", body]
    begun = ["curl", "-sSN", f"{first}{CHAT}", *known, *detached]
    return shlex.join(begun), shlex.join(
        ["curl", "-sSN", f"{second}{CHAT}/ID/events", *known, "-H", "Last-Event-ID: 5"]
    )


def tell(url: str, loaded: LoadedConfig, replicas: Sequence[Replica], shared: Engines) -> None:
    secret = loaded.config.gateway.auth.token
    click.echo(f"\n  {'in front':12}{url}")
    for each in replicas:
        click.echo(f"  {each.name:12}{each.url}   pid {each.pid}   log {each.state_dir / 'said.log'}")
    click.echo(f"  {'postgresql':12}{shared.url}   pid {shared.postgres.pid}")
    click.echo(f"  {'valkey':12}{shared.bus.url}")
    click.echo(f"  {'config':12}{loaded.path}")
    click.echo("\nTalk to it, from another terminal; any address of a front will do:\n")
    click.echo(f"  {curl_line(url, secret)}\n")
    first, second = (each for each in replicas if each.role == "front")
    click.echo("Which processes there are, and what they had to do when they last said so:\n")
    # Of the front that is still there when the other was taken away.
    words = [f"OPENCLAW_CONFIG_PATH={loaded.path}", f"OPENCLAW_STATE_DIR={second.state_dir}"]
    click.echo(f"  {shlex.join([*words, sys.executable, '-m', 'openclaw_gateway', 'status'])}\n")
    begun, read_on = cut_lines(first.url, second.url, secret)
    click.echo(
        "Take a front away in mid-answer, and read on at the other one, behind the last number (`id:`)"
    )
    click.echo("that came; ID is that of the answer (`chatcmpl_...`), which a worker goes on with:\n")
    click.echo(f"  {begun}\n  kill -9 {first.pid}\n  {read_on}\n")
    click.echo("Ctrl-C ends all of it, with what was said.")


async def main(options: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    folder: Path = options.folder
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(alone(folder))
        require_free(options.port)
        loaded = read(folder, options.config)
        click.echo("Starting PostgreSQL, Valkey, two fronts and two workers")
        own = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ocgw-cluster-")))
        shared = await stack.enter_async_context(engines(own))
        replicas = made(folder, loaded, shared)
        balancer = Balancer([Place.of(each.url) for each in replicas if each.role == "front"])
        stack.push_async_callback(balancer.close)
        url = await balancer.open(port=options.port)
        stack.push_async_callback(ended, replicas)
        starting = asyncio.ensure_future(asyncio.gather(*(each.start() for each in replicas)))
        stack.push_async_callback(called_off, starting)
        if await first(starting, stop):
            return 0
        await starting
        await balancer.wait_ready(2)
        tell(url, loaded, replicas, shared)
        watching = [asyncio.create_task(watch(each, stop), name=each.name) for each in replicas]
        stack.callback(lambda: [task.cancel() for task in watching])
        await stop.wait()
        click.echo("\nStopping: what runs is given its time to end")
    return 0


async def called_off(starting: asyncio.Future[Any]) -> None:
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)


async def first(starting: asyncio.Future[Any], stop: asyncio.Event) -> bool:
    """Whether it is to stop before all have started."""
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return stop.is_set()
    finally:
        waiting.cancel()


async def watch(replica: Replica, stop: asyncio.Event) -> None:
    """Say it when one goes that was not asked to."""
    while True:
        with contextlib.suppress(TimeoutError):
            status = await replica.ended()
            break
    if not stop.is_set():
        click.echo(f"{replica.name} has gone (exit status {status}); the others go on.")


async def ended(replicas: Sequence[Replica]) -> None:
    """In order where that can be."""
    there = [each for each in replicas if each.alive]
    for each in there:
        each.ask_to_end()
    await asyncio.gather(*(each.ended() for each in there), return_exceptions=True)
    for each in replicas:
        await each.kill()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(read_options())))
    except (CommandFailed, ConfigError, NoPostgres, NoValkey, OSError, RuntimeError) as reason:
        click.echo(str(reason), err=True)
        sys.exit(1)
