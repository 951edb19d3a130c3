"""`sessions show`, `export`, `reset`, `delete`, and `usage`: what the gateway remembers and has spent."""

import json

import pytest

from openclaw_gateway.testing.model_server import ModelServer, Reasoning, says
from tests.cli.a_terminal import in_a_terminal
from tests.cli.conftest import Program

WHOLE = "agent:main:talk"


async def talked(program: Program, models: ModelServer) -> None:
    models.script("m", says(Reasoning("Hm.\nYes."), "One **bold** word."), says("Two."))
    await program.gateway()
    for text in ("first", "second"):
        assert (await program.run("agent", text, "--session-key", "talk")).code == 0


@pytest.mark.promise("error.export_failed")
async def test_a_conversation_is_shown_and_written_down(configured: Program, models: ModelServer) -> None:
    await talked(configured, models)
    shown = await configured.run("sessions", "show", "talk")
    assert shown.code == 0
    assert shown.out.startswith(f"{WHOLE}\n\n## user, ")
    for said in ("first", "> Hm.\n> Yes.", "One **bold** word.", "second", "Two."):
        assert f"\n{said}\n" in shown.out
    last = await configured.run("sessions", "show", "talk", "--limit", "1", "--json")
    assert (last.json["key"], last.json["hasMore"]) == (WHOLE, True)
    assert [part["text"] for part in last.json["messages"][0]["content"]] == ["Two."]
    for name in ("talk.md", "talk.json"):
        done = await configured.run("sessions", "export", "talk", name)
        assert (done.code, "Saved 4 messages" in done.out) == (0, True)
        again = await configured.run("sessions", "export", "talk", name, "--json")
        assert (again.code, again.json["error"]["code"]) == (1, "export_failed")
    assert (configured.home / "talk.md").read_text().startswith(f"# {WHOLE}\n\n## user, ")
    assert len(json.loads((configured.home / "talk.json").read_text())["messages"]) == 4
    piped = await configured.run("sessions", "export", "talk", "--format", "json")
    assert json.loads(piped.out)["key"] == WHOLE


@pytest.mark.parametrize("command", ["show", "export", "reset", "delete", "fork", "compact"])
async def test_what_is_not_there_is_said(configured: Program, models: ModelServer, command: str) -> None:
    await configured.gateway()
    more = ["--yes"] if command == "delete" else []
    done = await configured.run("sessions", command, "nothing", *more, "--json")
    assert (done.code, done.json["ok"], done.json["error"]["code"]) == (1, False, "not_found")
    assert "`openclaw sessions`" in done.json["error"]["message"]


async def test_a_conversation_begins_anew_and_is_deleted(configured: Program, models: ModelServer) -> None:
    await talked(configured, models)
    done = await configured.run("sessions", "reset", "talk", "--json")
    assert (done.code, done.json) == (0, {"ok": True, "key": WHOLE})
    models.script("m", says("Three."))
    assert (await configured.run("agent", "third", "--session-key", "talk")).code == 0
    assert "first" not in str(models.requests[-1].messages)
    asked = await configured.run("sessions", "delete", "talk")
    assert (asked.code, "--yes" in asked.err) == (2, True)
    done = await configured.run("sessions", "delete", "talk", "--yes", "--json")
    assert (done.code, done.json) == (0, {"ok": True, "key": WHOLE, "deleted": True})
    assert (await configured.run("sessions", "show", "talk")).code == 1


async def test_a_conversation_is_forked_named_searched_and_summarised(
    configured: Program, models: ModelServer
) -> None:
    await talked(configured, models)
    found = await configured.run("sessions", "search", "SECOND", "--json")
    (hit,) = found.json["results"]
    assert (found.code, hit["sessionKey"], found.json["truncated"]) == (0, WHOLE, False)
    shown = await configured.run("sessions", "search", "bold", "word", "--key", "talk")
    assert shown.out.startswith(f"{WHOLE}, assistant, ")
    assert "One **bold** word." in shown.out
    assert (await configured.run("sessions", "search", "nowhere")).out == "There is none.\n"
    forked = await configured.run(
        "sessions", "fork", "talk", "--at", hit["messageId"], "--label", "B", "--json"
    )
    assert (forked.code, forked.json["parent"], forked.json["text"]) == (0, WHOLE, "second")
    listed = await configured.run("sessions", "list")
    assert f"B, from {WHOLE}" in listed.out
    show = await configured.run("sessions", "show", forked.json["key"], "--json")
    assert len(show.json["messages"]) == 2
    done = await configured.run("sessions", "fork", "talk")
    assert (done.code, done.out.startswith("agent:main:chat-")) == (0, True)
    done = await configured.run("sessions", "rename", "talk", "Trip to Oslo", "--json")
    assert (done.code, done.json) == (0, {"ok": True, "key": WHOLE, "label": "Trip to Oslo"})
    done = await configured.run("sessions", "rename", "talk", "")
    assert done.out == f"{WHOLE} has no name.\n"
    models.script("m", says("They talked."))
    done = await configured.run("sessions", "compact", "talk", "--json")
    assert (done.code, done.json["compacted"], done.json["summary"] != "") == (0, True, True)
    done = await configured.run("sessions", "compact", "talk")
    assert done.out.startswith("Nothing was summarised: ")
    missing = await configured.run("sessions", "fork", "talk", "--at", "x:1", "--json")
    assert (missing.code, missing.json["error"]["code"]) == (1, "not_found")


async def test_usage_is_told_by_day_agent_and_model(configured: Program, models: ModelServer) -> None:
    await configured.gateway()
    assert (await configured.run("usage")).out == "Nothing was asked in 30 days.\n"
    models.script("m", says("One."), says("Two."))
    for text in ("first", "second"):
        assert (await configured.run("agent", text)).code == 0
    # The ledger is written once a second.
    done = await configured.run("gateway", "stop")
    assert done.code == 0
    await configured.started[0].ends()
    await configured.gateway()
    for by, name in (("day", None), ("agent", "main"), ("model", "mock/m")):
        done = await configured.run("usage", "--by", by, "--json")
        (row,) = done.json["rows"]
        assert (done.code, done.json["by"], row["input"] > 0, row["output"] > 0) == (0, by, True, True)
        assert name is None or row["name"] == name
        assert (row["input"], row["output"]) == (done.json["input"], done.json["output"])
    shown = await configured.run("usage", "--days", "1")
    head, day, both = shown.out.splitlines()
    assert head.split() == ["in", "cached", "out", "cost"]
    assert (day.split()[1:], both.split()[0], "#" in shown.out) == (both.split()[1:], "all", False)
    assert day.split()[-1] == "?"
    async with in_a_terminal(configured, "usage", TERM="xterm", COLUMNS="60") as screen:
        await screen.says("all ")
    drawn = [line.rstrip() for line in screen.text.splitlines() if "#" in line]
    assert [len(line) for line in drawn] == [59]
