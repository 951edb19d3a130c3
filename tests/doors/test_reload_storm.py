"""Edits at random under streams: no stream is cut, and the last edit that is valid is always in force.

`make soak` runs the large one; SOAK in the environment asks for it.
"""

import asyncio
import os
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.config.merge import merge
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import CHAT, user

STREAMS, EDITS = (100, 500) if os.environ.get("SOAK") else (8, 24)
DELTAS = 100
# The promise is one second; a machine that tests many things at once is given more.
DEADLINE_S = 5.0

_AGENTS = st.lists(st.sampled_from(["a", "b", "c"]), unique=True)
_TOKENS = st.sampled_from(["the-first-token-there-was", "the-second-token-there-is"])
VALID = st.one_of(
    _AGENTS.map(lambda ids: {"agents": {"list": [{"id": "main"}, *({"id": each} for each in ids)]}}),
    _TOKENS.map(lambda token: {"gateway": {"auth": {"token": token}}}),
    st.sampled_from([10, 200]).map(lambda most: {"agents": {"defaults": {"maxConcurrent": most}}}),
    st.sampled_from(["minimal", "coding", "full"]).map(lambda profile: {"tools": {"profile": profile}}),
    st.sampled_from([{"mode": "idle", "idleMinutes": 5}, {"mode": "daily"}]).map(
        lambda reset: {"session": {"reset": reset}}
    ),
    st.integers(1, 50).map(lambda depth: {"gateway": {"limits": {"maxJsonDepth": 10 + depth}}}),
    st.sampled_from(["info", "warn"]).map(lambda level: {"logging": {"level": level}}),
    st.just({"gateway": {"http": {"cors": {"allowedOrigins": ["https://a.example"]}}}}),
    st.just({"models": {"providers": {"more": {"baseUrl": "http://127.0.0.1:9/v1"}}}}),
)
INVALID = st.sampled_from(
    [
        {"gateway": {"mode": "remote"}},
        {"gateway": {"tls": {"enabled": True}}},
        {"gateway": {"prot": 1}},
        {"gateway": {"auth": {"mode": "password"}}},
        {"agents": {"defaults": {"model": "no/m"}}},
        {"agents": {"defaults": {"params": {"temperature": "hot"}}}},
        {"logging": {"redactPatterns": ["("]}},
        {"session": 5},
        b"",
        b'{ "gateway": ',
    ]
)


@pytest.mark.promise("reload-cuts-nothing")
@settings(max_examples=1, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(VALID, VALID, INVALID), min_size=EDITS, max_size=EDITS))
def test_a_storm_of_edits_cuts_no_stream(edits: list[dict[str, Any] | bytes]) -> None:
    asyncio.run(storm(edits))


class Streams:
    """Clients that ask again and again."""

    def __init__(self, gateway: RunningGateway) -> None:
        self.gateway = gateway
        self.token = gateway.token
        self.whole = 0
        self.stop = False

    async def client(self) -> None:
        async with aiohttp.ClientSession(self.gateway.url) as session:
            while not self.stop:
                headers = {"Authorization": f"Bearer {self.token}"}
                body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
                async with session.post(CHAT, json=body, headers=headers) as response:
                    text = await response.text()
                    if response.status != 200:
                        # Between two edits the token is another one, or there are fewer runs at once.
                        assert response.status in {401, 503}, text
                        await asyncio.sleep(0.05)
                        continue
                assert text.endswith("data: [DONE]\n\n"), text[-500:]
                assert all(f"tok{n} " in text for n in range(DELTAS)), text[-500:]
                self.whole += 1


async def storm(edits: list[dict[str, Any] | bytes]) -> None:
    async with ModelServer() as models:
        config = model_config(
            models.base_url,
            {
                "gateway": {"auth": {"token": "the-first-token-there-was"}},
                "agents": {"list": [{"id": "main"}]},
            },
            model=f"mock-{DELTAS}-10000",
        )
        async with running_gateway(config) as gateway:
            streams = Streams(gateway)
            clients = [asyncio.create_task(streams.client()) for _ in range(STREAMS)]
            for number, edit in enumerate(edits):
                config = await apply(gateway, config, edit, number)
                streams.token = config["gateway"]["auth"]["token"]
                assert not [client for client in clients if client.done()]
            streams.stop = True
            await asyncio.gather(*clients)
            assert streams.whole >= STREAMS


async def apply(
    gateway: RunningGateway, config: dict[str, Any], edit: dict[str, Any] | bytes, number: int
) -> dict[str, Any]:
    """The configuration in force afterwards."""
    reload, path, before = (
        gateway.daemon.reload,
        gateway.state_dir / "openclaw.json",
        gateway.gateway.standing,
    )
    assert reload is not None
    edited = config if isinstance(edit, bytes) else merge(config, edit, lists="replace")
    # Something nobody has written before, so that every edit is one.
    edited = merge(edited, {"agents": {"defaults": {"bootstrapMaxChars": 1_000 + number}}}, lists="replace")
    text = edit + b"/" * number if isinstance(edit, bytes) else msgspec.json.encode(edited)
    if number % 2:
        path.write_bytes(text)
    else:
        path.with_suffix(".new").write_bytes(text)
        path.with_suffix(".new").replace(path)
    folder = gateway.state_dir
    options = Options(environ={"OPENCLAW_STATE_DIR": str(folder)}, home=folder, cwd=folder, port=0)
    right = not (await asyncio.to_thread(draw, options)).plan.problems
    async with asyncio.timeout(DEADLINE_S):
        while True:
            standing = await reload.attempts_after(before.count)
            in_force = gateway.gateway.config.agents.defaults.bootstrap_max_chars
            if (in_force == 1_000 + number) == right and bool(standing.problems) != right:
                return edited if right else config
            before = standing
