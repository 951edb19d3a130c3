"""The documentation within the page: its pages, what leads from one to another, what is found in it."""

import json
from pathlib import Path

from openclaw_gateway.testing.gateway import RunningGateway
from tests.page.person import Person, Sits

DOCS = Path(__file__).parents[2] / "docs"
PAPER = ".paper .words"


async def reads(at: Person, name: str) -> None:
    """The page is there, and whole: its last heading too."""
    await at.page.value(f"location.hash = '#/docs/' + encodeURIComponent({json.dumps(name)})")
    await at.page.until(
        f"document.querySelector('{PAPER} h1, {PAPER} h2')?.id"
        f" && document.querySelector('select[aria-label=Page]').value === {json.dumps(name)}"
    )


async def test_pages_lead_to_each_other_and_to_their_headings(gateway: RunningGateway, person: Sits) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await page.click("nav[aria-label=Views] a", "Documentation")
        await ada.sees("Documentation", f"{PAPER} h1")
        # A link to another page, one from there to a heading of a third, and out of the folder again.
        await page.click(f"{PAPER} a", "Connect a client")
        await page.until(
            "document.querySelector('select[aria-label=Page]').value === 'connect/README.md'"
            f" && document.querySelector('{PAPER} a[href*=\"clients.md\"]')"
        )
        await reads(ada, "connect/zed.md")
        await page.click(f"{PAPER} a[href$='%23acp']")
        await page.until("document.activeElement?.id === 'doc-acp'")
        top = await page.value("document.activeElement.getBoundingClientRect().top")
        assert 0 <= top < 400, top
        assert await page.value("location.hash") == "#/docs/command-line.md%23acp"
        await page.value("history.back()")
        await page.until("document.querySelector('select[aria-label=Page]').value === 'connect/zed.md'")
        # What is not among the pages has no link, and an address elsewhere opens beside the page.
        hosts = await page.value(f"[...document.querySelectorAll('{PAPER} a')].map(each => each.href)")
        assert all(each.startswith((gateway.url, "https://", "http://")) or not each for each in hosts)
        await page.value("location.hash = '#/docs/nothing-like-it.md'")
        await ada.sees("There is no such page.", ".view [role=alert]")
        assert all(each.startswith((gateway.url, "data:", "ws:")) for each in page.asked), page.asked


async def test_every_page_is_shown_as_what_its_marks_mean(gateway: RunningGateway, person: Sits) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await ada.looks_at("docs")
        await ada.sees("Documentation", f"{PAPER} h1")
        names = sorted(file.relative_to(DOCS).as_posix() for file in DOCS.rglob("*.md"))
        assert sorted(await page.value(_OPTIONS)) == names
        wrong: list[str] = []
        for name in names:
            await reads(ada, name)
            wrong += [f"{name}: {each}" for each in await page.value(_WRONG)]
        assert wrong == []
        assert page.errors == []


async def test_words_are_found_in_all_pages(gateway: RunningGateway, person: Sits) -> None:
    async with person(gateway) as ada:
        page = ada.page
        await ada.signs_in()
        await ada.looks_at("docs")
        await page.click("input[aria-label='Search the documentation']")
        await page.type("ESCAPE stops")
        await page.click(".found a", "The control page")
        await ada.sees("Escape stops the run", PAPER)
        await page.click("input[aria-label='Search the documentation']")
        await page.type("<img src=x onerror=alert(1)>")
        await ada.sees("No page has that.", ".view")
        assert page.errors == []
        assert await ada.serious() == []


async def test_swedish_is_said_to_be_swedish(gateway: RunningGateway, person: Sits) -> None:
    async with person(gateway) as ada:
        await ada.signs_in()
        await reads(ada, "sv/openai-http-api.md")
        assert await ada.page.value("document.querySelector('.paper').lang") == "sv"


_OPTIONS = "[...document.querySelectorAll('select[aria-label=Page] option')].map(each => each.value)"
# Marks that are left in the text, outside of code, and links within the page that lead nowhere.
_WRONG = """(() => {
    const copy = document.querySelector('.paper .words').cloneNode(true);
    for (const code of copy.querySelectorAll('code, pre, button')) code.remove();
    const text = copy.textContent;
    const left = ['](', '```', '<!--', '**', '|--', '\\n## '].filter(mark => text.includes(mark));
    const options = [...document.querySelectorAll('select[aria-label=Page] option')];
    const known = new Set(options.map(each => each.value));
    const lost = [...document.querySelectorAll(".paper a[href^='#/docs/']")].map(each =>
        decodeURIComponent(each.hash.slice('#/docs/'.length)))
        .filter(place => !known.has(place.split('#')[0]));
    return [...left, ...lost];
})()"""
