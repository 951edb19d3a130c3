"""Which model a start chooses after it has asked, and who is not asked."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.blueprint import Options, asking
from openclaw_gateway.blueprint.asking import draw_asking
from openclaw_gateway.blueprint.drawing import Drawing, draw
from openclaw_gateway.models.defaults import LOCAL_REF
from openclaw_gateway.models.families.served import PREFERRED
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.models.providers import BUILT_IN, BuiltIn
from openclaw_gateway.models.survey import SERVERS
from openclaw_gateway.models.target import Endpoint
from tests.models.test_survey import shelf

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with the embedded model, and without servers."""
    monkeypatch.setattr(LocalModel, "unavailable", lambda _: None)
    for server in SERVERS:
        here(monkeypatch, server.provider, NOWHERE)


def here(monkeypatch: pytest.MonkeyPatch, provider: str, url: str) -> None:
    monkeypatch.setitem(BUILT_IN, provider, BuiltIn(("X_KEY",), url, BUILT_IN[provider].api, keyless=True))


def options(home: Path, environ: Mapping[str, str] | None = None, **more: Any) -> Options:
    return Options(environ=environ or {}, home=home, cwd=home, **more)


def written(home: Path, **providers: str) -> None:
    file = home / ".openclaw" / "openclaw.json"
    file.parent.mkdir(exist_ok=True)
    entries = {name: {"baseUrl": url, "apiKey": "the-key"} for name, url in providers.items()}
    file.write_text(json.dumps({"models": {"providers": entries}}))


def model(drawing: Drawing) -> str:
    assert not drawing.plan.problems
    return drawing.plan.model.ref


@pytest.mark.promise("default-asked")
async def test_a_provider_is_asked_once_and_the_first_preferred_one_it_has_is_taken(tmp_path: Path) -> None:
    there = PREFERRED["groq"][1]
    async with shelf({"data": [{"id": "whisper"}, {"id": there}]}) as groq:
        written(tmp_path, groq=f"{groq.url}/v1")
        drawing = await draw_asking(options(tmp_path))
        assert model(drawing) == f"groq/{there}"
        assert "there is a key for groq" in drawing.plan.model.why
        # A second start, `config validate` and a reload know it from the first.
        assert model(await draw_asking(options(tmp_path))) == f"groq/{there}"
        assert model(draw(options(tmp_path))) == f"groq/{there}"
        assert len(groq.asked) == 1
    kept = tmp_path / ".openclaw" / "gateway" / "models.json"
    assert "the-key" not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


async def test_who_has_nothing_that_fits_is_passed_over_and_what_it_has_is_said(tmp_path: Path) -> None:
    async with (
        shelf({"data": [{"id": "theirs-1"}, {"id": "theirs-2"}]}) as groq,
        shelf({"data": [{"id": PREFERRED["xai"][0]}]}) as xai,
    ):
        written(tmp_path, groq=f"{groq.url}/v1", xai=f"{xai.url}/v1")
        drawing = await draw_asking(options(tmp_path))
    assert model(drawing) == f"xai/{PREFERRED['xai'][0]}"
    (note,) = [str(each) for each in drawing.plan.notes if "groq" in str(each)]
    assert "theirs-1, theirs-2" in note
    assert "set agents.defaults.model to groq/<model>" in note


async def test_all_providers_together_are_waited_for_as_long_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, float]] = []

    async def ask(endpoint: Endpoint, _api: str, until: float) -> tuple[str, ...]:
        asked.append((endpoint.provider, until))
        return ("theirs",)

    monkeypatch.setattr(asking, "ask", ask)
    written(tmp_path, groq=NOWHERE, xai=NOWHERE)
    await draw_asking(options(tmp_path))
    assert {provider for provider, _ in asked} == {"groq", "xai"}
    assert len({until for _, until in asked}) == 1


async def test_a_password_in_an_address_is_not_kept(tmp_path: Path) -> None:
    async with shelf({"data": [{"id": PREFERRED["groq"][0]}]}) as groq:
        written(tmp_path, groq=f"{groq.url.replace('//', '//me:the-password@')}/v1")
        await draw_asking(options(tmp_path))
        await draw_asking(options(tmp_path))
        assert len(groq.asked) == 1
    assert "the-password" not in (tmp_path / ".openclaw" / "gateway" / "models.json").read_text()


@pytest.mark.parametrize("status", [401, 500])
async def test_who_does_not_answer_is_believed_to_have_the_first(tmp_path: Path, status: int) -> None:
    async with shelf({}, status=status) as groq:
        written(tmp_path, groq=f"{groq.url}/v1")
        assert model(await draw_asking(options(tmp_path))) == f"groq/{PREFERRED['groq'][0]}"


@pytest.mark.promise("local-server-found")
async def test_a_server_here_comes_before_the_embedded_model_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert model(await draw_asking(options(tmp_path))) == LOCAL_REF
    async with shelf({"models": [{"name": "small:3b"}]}) as ollama:
        here(monkeypatch, "ollama", ollama.url)
        assert model(await draw_asking(options(tmp_path, local_servers=False))) == LOCAL_REF
        assert not ollama.asked
        drawing = await draw_asking(options(tmp_path))
        assert model(drawing) == "ollama/small:3b"
        assert f"{ollama.url} answers on this machine" in drawing.plan.model.why
        (target,) = drawing.plan.agents["main"].targets
        assert (target.endpoint.base_url, target.api) == (ollama.url, "ollama")
    assert model(await draw_asking(options(tmp_path))) == LOCAL_REF


@pytest.mark.promise("validate-asks-nobody")
async def test_nobody_is_asked_where_a_model_is_named_or_by_who_only_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shelf({"models": [{"name": "small:3b"}]}) as ollama, shelf({"data": []}) as groq:
        here(monkeypatch, "ollama", ollama.url)
        draw(options(tmp_path))
        written(tmp_path, groq=f"{groq.url}/v1")
        draw(options(tmp_path))
        file = tmp_path / ".openclaw" / "openclaw.json"
        config = json.loads(file.read_text())
        file.write_text(json.dumps({**config, "agents": {"defaults": {"model": "groq/some"}}}))
        assert model(await draw_asking(options(tmp_path))) == "groq/some"
    assert not ollama.asked
    assert not groq.asked


async def test_who_does_not_answer_any_more_has_what_it_had(tmp_path: Path) -> None:
    there = PREFERRED["groq"][1]
    async with shelf({"data": [{"id": there}]}) as groq:
        written(tmp_path, groq=f"{groq.url}/v1")
        await draw_asking(options(tmp_path))
    kept = tmp_path / ".openclaw" / "gateway" / "models.json"
    yesterday = json.loads(kept.read_text())
    yesterday["listed"]["groq"]["at"] -= 2 * 86_400
    kept.write_text(json.dumps(yesterday))
    assert model(await draw_asking(options(tmp_path))) == f"groq/{there}"
