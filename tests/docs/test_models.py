"""The page about models: each provider as the code knows it, each snippet drawn as a start would draw it."""

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import Drawing, draw
from openclaw_gateway.models.families.served import PREFERRED
from openclaw_gateway.models.providers import BUILT_IN, OTHER_NAMES, SIGN_IN
from tests.docs.pages import blocks, pages

PAGE = pages()["docs/models.md"]
ROW = re.compile(r"^\| `([\w-]+)` \| (`.+?`) \| (\S.*?) \| `(.+?)` \|$", re.MULTILINE)
ROWS = {name: (keys, place, ref) for name, keys, place, ref in ROW.findall(PAGE)}
SNIPPETS = [block.text for block in blocks(PAGE, "json5")]
PROGRAM = "/usr/local/bin/vertex-token"
CHAT = "gateway: { auth: { token: 'a-secret-of-some-length' } },"


def drawn(home: Path, text: str, environ: dict[str, str]) -> Drawing:
    state = home / ".openclaw"
    state.mkdir(mode=0o700)
    (state / "openclaw.json").write_text(text.replace("{", f"{{ {CHAT}", 1), "utf-8")
    (state / "openclaw.json").chmod(0o600)
    return draw(Options(environ=environ, home=home, cwd=home))


def served(drawing: Drawing) -> dict[str, tuple[str, ...]]:
    assert drawing.explained().problems == ()
    assert drawing.plan.left_out == ()
    assert drawing.plan.refusals == {}
    return {
        name: tuple(each.ref for each in settled.targets) for name, settled in drawing.plan.agents.items()
    }


def test_every_provider_stands_on_the_page_as_it_is_known() -> None:
    assert ROWS.keys() == BUILT_IN.keys()
    for name, (keys, place, ref) in ROWS.items():
        known = BUILT_IN[name]
        assert tuple(re.findall(r"`(\w+)`", keys)) == known.variables
        assert place == (known.base_url or known.hint)
        assert ref == f"{name}/{PREFERRED[name][0] if name in PREFERRED else '<model>'}"


def test_other_names_and_sign_ins_are_named() -> None:
    assert all(f"`{name}`" in PAGE for name in (*OTHER_NAMES, *SIGN_IN))


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "<" not in row[1]])
def test_a_key_and_the_line_of_the_page_are_enough(name: str, tmp_path: Path) -> None:
    keys, place, ref = ROWS[name]
    variable = re.findall(r"`(\w+)`", keys)[0]
    drawing = drawn(tmp_path, f"{{ agents: {{ defaults: {{ model: '{ref}' }} }} }}", {variable: "a-key"})
    assert served(drawing) == {"main": (ref,)}
    target = drawing.plan.catalog.resolve(ref)
    assert target.endpoint.base_url.startswith(place)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_each_snippet_is_served_as_it_stands(number: int, tmp_path: Path) -> None:
    text = SNIPPETS[number]
    program = tmp_path / "vertex-token"
    if PROGRAM in text:
        write_program(program, *(block.text for block in blocks(PAGE, "sh")))
        tool = tmp_path / "bin" / "gcloud"
        tool.parent.mkdir()
        write_program(tool, "#!/bin/sh\necho ya29.token\n")
        text = text.replace(PROGRAM, str(program))
    named = re.findall(r"\$\{(\w+)\}", text)
    environ = {name: f"value-of-{name}" for name in named}
    environ["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for provider, known in BUILT_IN.items():
        if f'"{provider}/' in text and not known.keyless:
            environ[known.variables[0]] = "a-key"
    drawing = drawn(tmp_path, text, environ)
    models = served(drawing)
    assert models["main"][0] == re.search(r'model: (?:\{ primary: )?"([^"]+)"', text)[1]  # type: ignore[index]
    if PROGRAM in SNIPPETS[number]:
        assert drawing.plan.catalog.resolve(models["main"][0]).endpoint.api_key == "ya29.token"


def write_program(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(stat.S_IRWXU)


def test_the_program_of_the_page_is_a_program() -> None:
    for block in blocks(PAGE, "sh"):
        subprocess.run(["sh", "-n"], input=block.text, text=True, check=True, timeout=10)
