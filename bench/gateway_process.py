"""The processes of a run: started as a user starts them, measured from outside, and always ended.

What a process costs is read from /proc, so the bench runs on Linux. Processor time is that of the whole
process, with all its threads: the storage thread is part of the bill.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.mock_model import READ_FILE, READ_TEXT

# Under a counter of instructions everything takes fifty times as long.
START_DEADLINE_S = 180.0
STOP_DEADLINE_S = 40.0
TOKEN = "bench-token-0123456789abcdef"  # noqa: S105 (guards nothing: a gateway that lives for a minute)
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class StartError(Exception):
    """A process of the run did not come up; the message holds the end of what it said."""


@dataclass(frozen=True)
class Process:
    """`ready_s` is the time from its start until it could be used."""

    pid: int
    port: int
    ready_s: float

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / 1e6

    def own_kb(self) -> float:
        """Memory that is this process's, its part of what it shares included."""
        shown = Path(f"/proc/{self.pid}/smaps_rollup").read_text("ascii")
        (line,) = (line for line in shown.splitlines() if line.startswith("Pss:"))
        return float(line.split()[1])


def python_of(checkout: Path) -> Path:
    """Raises StartError for a folder in which no `make setup` was run."""
    python = checkout / ".venv" / "bin" / "python"
    if not python.exists():
        raise StartError(
            f"There is no .venv in {checkout}: check out the other version there, run `make setup`."
        )
    return python.absolute()


def end(child: subprocess.Popen[Any]) -> None:
    child.terminate()
    try:
        child.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextlib.contextmanager
def helper(module: str, *arguments: str, counter: Sequence[str] = ()) -> Iterator[Process]:
    """One of the bench's own servers; it prints its port when it listens. `counter` is what it runs under."""
    began = time.perf_counter()
    command = [*counter, sys.executable, "-m", module, *arguments]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line.strip().isdigit():
            raise StartError(f"{module} did not start")
        yield Process(child.pid, int(line), time.perf_counter() - began)
    finally:
        end(child)
        if child.stdout is not None:
            child.stdout.close()


def gateway_config(model_port: int, models: list[str], workspace: Path) -> dict[str, Any]:
    """What an operator would write: one provider, one agent for each model, a token."""
    return {
        "gateway": {
            "mode": "local",
            "auth": {"mode": "token", "token": TOKEN},
            "http": {"endpoints": {"chatCompletions": {"enabled": True}, "responses": {"enabled": True}}},
            # All clients of the bench come from one address.
            "limits": {"maxConnectionsPerAddress": 5000},
        },
        "models": {
            "providers": {
                "bench": {
                    "baseUrl": f"http://127.0.0.1:{model_port}/v1",
                    "apiKey": "bench-key",
                    "api": "openai-completions",
                    "models": [{"id": model, "name": model} for model in models],
                }
            }
        },
        "agents": {
            "defaults": {"model": {"primary": f"bench/{models[0]}"}},
            "list": [
                {"id": model, "model": f"bench/{model}", "workspace": str(workspace)} for model in models
            ],
        },
    }


@contextlib.contextmanager
def gateway(
    folder: Path,
    model_port: int,
    models: list[str],
    counter: Sequence[str] = (),
    python: Path = Path(sys.executable),
    *,
    more: Mapping[str, Any] | None = None,
) -> Iterator[Process]:
    """`openclaw gateway run` with a state directory and an environment of its own; it is ready when given.

    `python` is that of the installation to be measured: this one's, or another checkout's. `more` are
    sections of its configuration.
    """
    state = folder / "state"
    (folder / "workspace").mkdir(parents=True, exist_ok=True)
    (folder / "workspace" / READ_FILE).write_text(f"{READ_TEXT}\n" * 20, "utf-8")
    state.mkdir(mode=0o700, exist_ok=True)
    config = state / "openclaw.json"
    written = gateway_config(model_port, models, folder / "workspace") | dict(more or {})
    config.write_text(json.dumps(written), "utf-8")
    config.chmod(0o600)
    port = free_port()
    # No provider key and no setting of the person who runs the bench may play a part.
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "OPENCLAW_STATE_DIR": str(state)}
    program = [str(python), "-m", "openclaw_gateway"]
    command = [*counter, *program, "gateway", "run", "--port", str(port)]
    log = folder / "gateway.log"
    with log.open("ab") as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        wait_until_ready(child, port, began, log)
        yield Process(child.pid, port, time.perf_counter() - began)
    finally:
        end(child)


def wait_until_ready(child: subprocess.Popen[Any], port: int, began: float, log: Path) -> None:
    while not is_ready(port):
        if child.poll() is not None or time.perf_counter() - began > START_DEADLINE_S:
            raise StartError(f"the gateway did not get ready; it said:\n{log.read_text('utf-8')[-3000:]}")
        time.sleep(0.005)


def is_ready(port: int) -> bool:
    try:
        return get(port, "/ready").startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def get(port: int, path: str) -> bytes:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request.encode())
        return connection.recv(65536)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
