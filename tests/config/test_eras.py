"""Sixty files as people had them in five eras: each loads, serves what it can, and says the rest.

`eras/said.json` holds for each file the agents that answer and what is said about it, word for word.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from tests.config.conftest import House

ERAS = Path(__file__).parent / "eras"
SAID: dict[str, dict[str, Any]] = json.loads((ERAS / "said.json").read_text(encoding="utf-8"))
_SET = (
    "ANTHROPIC_API_KEY CLAWDBOT_PASSWORD DISCORD_BOT_TOKEN HOOKS_TOKEN HOUSE_KEY MCP_TOKEN MINIMAX_API_KEY "
    "OPENAI_API_KEY OPENCLAW_GATEWAY_TOKEN OPENROUTER_API_KEY TELEGRAM_BOT_TOKEN"
)
ENVIRON = dict.fromkeys(_SET.split(), "a-value-of-some-length-0123456789")
FILES = sorted(path for path in ERAS.rglob("*.json*") if path.parent != ERAS)


def test_there_are_sixty_of_five_eras() -> None:
    assert len(FILES) == 60
    assert len({path.parent for path in FILES}) == 5
    assert {str(path.relative_to(ERAS)) for path in FILES} == SAID.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ERAS)))
def test_it_loads_and_says_what_it_leaves_out(house: House, path: Path) -> None:
    house.write(path.read_text(encoding="utf-8"))
    drawing = draw(Options(environ=ENVIRON, home=house.home, cwd=house.home))
    explained, plan = drawing.explained(), drawing.plan
    assert explained.problems == ()
    said = [notice.replace(str(house.home), "~") for notice in (*plan.loaded.notices, *explained.notes)]
    off = [notice for notice in said if notice.startswith("The agents cannot be reached with the OpenAI API")]
    answering = [name for name, agent in plan.agents.items() if agent.targets]
    expected = SAID[str(path.relative_to(ERAS))]
    assert (answering, [each for each in said if each not in off]) == (expected["serves"], expected["says"])
    switched_on = plan.loaded.config.gateway.http.endpoints.chat_completions.enabled
    assert len(off) == int(not switched_on and bool(plan.loaded.document.get("agents")))
