"""The control page beside its conversations: configuration, usage, models, live runs, what to paste."""

import json
from pathlib import Path

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.testing.replies import says
from openclaw_gateway.wire.run import Usage
from tests.page.person import Person, Sits


async def test_the_configuration_is_edited_and_says_what_changes(
    models: ModelServer, tmp_path: Path, person: Sits
) -> None:
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        person(gateway) as ada,
    ):
        page = ada.page
        await ada.signs_in()
        await ada.looks_at("config")
        await page.until("document.querySelector('pre.document')")
        assert gateway.token not in await page.value("document.querySelector('pre.document').textContent")
        await page.click("button", "Edit")
        await writes_configuration(ada, "{")
        await ada.sees("This is no JSON yet", ".view [role=alert]")
        await writes_configuration(ada, shown_with(await page.value(_DRAFT), "Jeeves"))
        await ada.sees("Jeeves", ".view dl ins")
        await page.click("button", "Save")
        await ada.sees("It is in force.", ".view [role=status]")
        await page.until("document.querySelector('pre.document')?.textContent.includes('Jeeves')")
        assert gateway.token in (tmp_path / "openclaw.json").read_text()
        assert page.errors == []


async def test_the_editor_says_what_would_come_of_a_change(
    models: ModelServer, tmp_path: Path, person: Sits
) -> None:
    async with (
        running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway,
        person(gateway) as ada,
    ):
        page = ada.page
        await ada.signs_in()
        await ada.looks_at("config")
        await page.click("button", "Edit")
        before = (tmp_path / "openclaw.json").read_text()
        await writes_configuration(ada, "{}")
        draft = json.loads(await page.value(_DRAFT))
        save = "[...document.querySelectorAll('button')].find(each => each.textContent === 'Save')"
        draft["gateway"] |= {"port": "x"}
        await writes_configuration(ada, json.dumps(draft))
        await ada.sees("Nothing is written:", ".view [role=alert]")
        assert await page.value(f"{save}.disabled")
        del draft["gateway"]["port"]
        draft["gateway"] |= {"bind": "lan", "portals": {}}
        draft["agents"]["list"] = [{"id": "main", "name": "Jeeves"}]
        await writes_configuration(ada, json.dumps(draft))
        await page.until("document.querySelectorAll('.effects dt').length === 3")
        told = await page.value("document.querySelector('.effects').innerText.split('\\n').filter(Boolean)")
        assert told == [
            "Counts at once",
            "agents.list",
            "Counts after a restart only",
            "gateway.bind",
            "Has no effect here",
            "gateway.portals",
        ]
        assert (tmp_path / "openclaw.json").read_text() == before
        assert await ada.serious() == []
        await page.click("button", "Save")
        await ada.sees("After a restart only: gateway.bind.", ".view [role=status]")
        assert page.errors == []


_DRAFT = "JSON.stringify(JSON.parse(globalThis.first))"


async def writes_configuration(at: Person, text: str) -> None:
    await at.page.value("globalThis.first ??= document.querySelector('textarea.document').value")
    await at.page.value("document.querySelector('textarea.document').select()")
    await at.page.click("textarea.document")
    await at.page.value("document.querySelector('textarea.document').select()")
    await at.page.type(text)


def shown_with(document: str, name: str) -> str:
    config = json.loads(document)
    config["agents"]["list"] = [{"id": "main", "name": name}]
    return json.dumps(config)


async def test_usage_is_plotted_and_models_are_tried(
    models: ModelServer, gateway: RunningGateway, person: Sits
) -> None:
    async with person(gateway) as ada:
        page = ada.page
        models.script("mock-echo", says("Hello.", usage=Usage(100, 7, cached_tokens=60)))
        await ada.signs_in()
        await ada.writes("Hello")
        await ada.said(2)
        await ada.looks_at("usage")
        await page.until("document.querySelector('.plot canvas')")
        await ada.sees("mock/mock-echo", ".tables")
        row = "document.querySelector('.tables tbody tr').innerText"
        # As the terminal says it: of 100 that were asked the provider had 60 in its cache.
        assert (await page.value(row)).split()[1:4] == ["100", "60", "7"]
        await page.click("button", "7 days")
        await page.until("document.querySelector('[aria-pressed=true]').textContent === '7 days'")
        await ada.looks_at("models")
        await page.click(".provider button", "Test")
        await ada.sees("answers in", ".provider [role=status]")
        await ada.looks_at("live")
        await ada.sees("done", ".view table")
        assert page.errors == []


async def test_the_token_is_put_in_on_the_way_to_the_clipboard(gateway: RunningGateway, person: Sits) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await page.may("clipboardReadWrite", "clipboardSanitizedWrite")
        await ada.looks_at("connect")
        await page.click(".client summary", "curl")
        assert f"{gateway.url}/v1" in await page.value(
            "document.querySelector('.client[open] pre').innerText"
        )
        assert gateway.token not in await page.value("document.documentElement.outerHTML")
        await page.click(".client[open] button", "Copy with the token")
        await ada.sees("Copied", ".client[open]")
        assert f"Bearer {gateway.token}" in await page.value("navigator.clipboard.readText()")


async def test_a_token_is_put_in_as_it_stands(models: ModelServer, person: Sits) -> None:
    token = "dollars-$&-and-it's-quoted"
    more = {"gateway": {"auth": {"token": token}}}
    async with running_gateway(model_config(models.base_url, more)) as gateway, person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await page.may("clipboardReadWrite", "clipboardSanitizedWrite")
        await ada.looks_at("connect")
        for client, expected in (
            ("curl", f"Bearer {token}'"),
            ("Claude Code", "ANTHROPIC_AUTH_TOKEN='dollars-$&-and-it'\\''s-quoted'"),
        ):
            await page.click(".client:not([open]) summary", client)
            await page.click(".client[open] button", "Copy with the token")
            await ada.sees("Copied", ".client[open]")
            assert expected in await page.value("navigator.clipboard.readText()")
            await page.click(".client[open] summary", client)
