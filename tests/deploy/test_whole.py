"""What deploy/ starts, without containers: the engines by the options that the compose file gives them, and
fronts and a worker by its configuration, behind its Caddyfile."""

import asyncio
import shlex
import subprocess
from pathlib import Path

import aiohttp
import pytest
import redis

from openclaw_gateway.testing.model_server import ModelServer
from tests.cluster.replicas import Replica, free_port
from tests.deploy.caddy import in_front, needs_caddy
from tests.deploy.test_compose import FILLED, SERVICES
from tests.deploy.tools import DEPLOY
from tests.doors.chat import CHAT, user
from tests.engines import valkey
from tests.engines.postgres import Postgres

PASSWORD = FILLED["VALKEY_PASSWORD"]


@pytest.mark.usefixtures("valkey_of_session")  # which says what is missing
def test_valkey_takes_its_options_and_wants_its_password(tmp_path: Path) -> None:
    shell, flag, script = SERVICES["valkey"]["command"]
    port = free_port()
    # What compose makes of `$$`, and a place that is free here.
    here = f"{valkey.program()} --port {port} --bind 127.0.0.1 --dir {tmp_path}"
    words = ["timeout", "60", shell, flag, script.replace("$$", "$").replace("valkey-server", here, 1)]
    with subprocess.Popen(
        words, env={"VALKEY_PASSWORD": PASSWORD}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said: list[str] = []
            while not any("Ready to accept connections" in line for line in said):
                said.append(process.stdout.readline())
                assert said[-1], said
            with pytest.raises(redis.AuthenticationError), redis.Redis(port=port) as stranger:
                stranger.ping()
            with redis.Redis(port=port, password=PASSWORD, decode_responses=True) as server:
                settings = server.config_get("appendonly", "save", "maxmemory-policy")
            assert settings == {"appendonly": "no", "save": "", "maxmemory-policy": "volatile-ttl"}
        finally:
            process.terminate()


def test_postgresql_takes_its_options(postgres_server: Postgres) -> None:
    environment = SERVICES["postgres"]["environment"]
    words = [str(postgres_server._programs / "initdb"), "-D", str(postgres_server.folder / "of-compose")]
    words += ["-U", environment["POSTGRES_USER"], *shlex.split(environment["POSTGRES_INITDB_ARGS"])]
    as_user = postgres_server._as_user()
    done = subprocess.run([*words, "--no-sync"], capture_output=True, timeout=60, check=False, **as_user)
    assert done.returncode == 0, done.stderr


@needs_caddy
async def test_fronts_and_a_worker_answer_behind_the_proxy(
    models: ModelServer, postgres_url: str, valkey: valkey.Valkey, tmp_path: Path
) -> None:
    """The configuration is the one of deploy/, but for where things are."""
    text = (DEPLOY / "openclaw.json").read_text("utf-8")
    for written, here in {
        "postgresql://openclaw:${POSTGRES_PASSWORD}@postgres:5432/openclaw": postgres_url,
        "redis://:${VALKEY_PASSWORD}@valkey:6379/0": valkey.url,
        '"172.30.83.2"': '"127.0.0.1"',
        'bind: "lan"': 'bind: "loopback"',
        "/workspaces/main": str(tmp_path / "workspace"),
    }.items():
        assert written in text
        text = text.replace(written, here)
    config = tmp_path / "openclaw.json"
    config.write_text(text, "utf-8")
    environ = {**FILLED, "MODEL_BASE_URL": models.base_url, "MODEL_NAME": "mock-echo"}
    found = [
        Replica(name, tmp_path / name, free_port(), {}, name.partition("-")[0])
        for name in SERVICES
        if name in ("front-1", "front-2", "worker")
    ]
    try:
        for one in found:
            one.state_dir.mkdir()
            one.environ.update({**environ, "OPENCLAW_CONFIG_PATH": str(config)})
        await asyncio.gather(*(one.start() for one in found))
        token = {"Authorization": f"Bearer {FILLED['OPENCLAW_GATEWAY_TOKEN']}"}
        async with (
            in_front(tmp_path, found[0].url, found[1].url) as url,
            aiohttp.ClientSession(url, headers=token) as session,
        ):
            for said in ("one", "two", "three"):
                body = {"user": "ada", "messages": [user(said)]}
                async with session.post(CHAT, json=body) as response:
                    assert response.status == 200, await response.text()
                    assert (await response.json())["choices"][0]["message"]["content"] == said
        asked = [each["content"] for each in models.requests[-1].body["messages"] if each["role"] == "user"]
        assert asked == ["one", "two", "three"]
        # The worker has executed them all. (A log is whole once its process has ended.)
        for one in found:
            one.ask_to_end()
        assert set(await asyncio.gather(*(one.ended() for one in found))) == {0}
        assert all(one.log.count("work.taken_up") == (3 if one.role == "worker" else 0) for one in found)
    finally:
        for one in found:
            await one.kill()
