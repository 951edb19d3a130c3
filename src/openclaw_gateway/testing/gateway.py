"""A real gateway on a free port with a state directory of its own, for as long as a block lasts."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.blueprint import Options
from openclaw_gateway.config.merge import merge
from openclaw_gateway.daemon import Daemon, running
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.sessions.shared import Role

TOKEN = "a-test-token-of-some-length"  # noqa: S105


class RunningGateway(Struct, frozen=True):
    """`url` has no trailing slash; `base_url` is what an OpenAI client wants."""

    url: str
    token: str
    state_dir: Path
    daemon: Daemon

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def ws_url(self) -> str:
        return self.url.replace("http://", "ws://", 1) + "/"

    @property
    def gateway(self) -> Gateway:
        return self.daemon.gateway

    async def wait_runs(self, count: int, *, deadline_s: float = 5) -> None:
        """Wait until `count` runs are live."""
        gateway = self.gateway
        started = asyncio.Event()
        silence = gateway.listen(OPERATOR, Listener(lambda _: started.set()))
        try:
            async with asyncio.timeout(deadline_s):
                while gateway.live_runs() < count:
                    started.clear()
                    await started.wait()
        finally:
            silence()

    async def wait_no_runs(self, *, deadline_s: float = 10) -> None:
        """Wait until no run is live."""
        async with asyncio.timeout(deadline_s):
            await self.gateway.idle()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def model_config(
    model_server_url: str, more: Mapping[str, Any] | None = None, *, model: str = "mock-echo"
) -> dict[str, Any]:
    """A configuration whose agents use `model` of the scripted server at `model_server_url` (…/v1).

    `more` is merged over it.
    """
    base: dict[str, Any] = {
        "gateway": {
            "auth": {"mode": "token", "token": TOKEN},
            "http": {"endpoints": {"chatCompletions": {"enabled": True}}},
        },
        "models": {"providers": {"mock": {"baseUrl": model_server_url, "apiKey": "mock-key", "models": []}}},
        "agents": {"defaults": {"model": f"mock/{model}", "skipBootstrap": True}},
    }
    return dict(merge(base, dict(more or {}), lists="replace"))


def write_config(state_dir: Path, config: Mapping[str, Any]) -> None:
    """Make `state_dir` the state directory of a gateway with `config`."""
    state_dir.mkdir(parents=True, exist_ok=True)
    path = state_dir / "openclaw.json"
    path.write_bytes(msgspec.json.encode(config))
    path.chmod(0o600)


@contextlib.asynccontextmanager
async def running_gateway(
    config: Mapping[str, Any],
    *,
    state_dir: Path | None = None,
    environ: Mapping[str, str] | None = None,
    port: int = 0,
    text: str | None = None,
    role: Role | None = None,
) -> AsyncIterator[RunningGateway]:
    """Start the gateway with `config`, or with a file that holds `text`. A given `state_dir` outlives the
    block, as over a restart."""
    with contextlib.ExitStack() as stack:
        if state_dir is None:
            state_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-")))
        write_config(state_dir, config)
        if text is not None:
            (state_dir / "openclaw.json").write_text(text, encoding="utf-8")
        options = Options(
            environ={"OPENCLAW_STATE_DIR": str(state_dir), **(environ or {})},
            home=state_dir,
            cwd=state_dir,
            port=port,
            role=role,
        )
        async with running(options) as (daemon, urls):
            yield RunningGateway(urls[0], daemon.auth.secret or "", state_dir, daemon)
