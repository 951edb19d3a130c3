"""Requests of coding clients: their tools for files and commands, and not the agent's beside them."""

from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.tools.policy.client_tools import brings_workspace
from tests.doors.chat import ask, user

# The tools that each one sends with its first request, by name.
CLIENTS = {
    "opencode": "bash edit glob grep list read skill task todoread todowrite webfetch write",
    "codex": "shell update_plan view_image apply_patch",
    "codex, newer": "exec_command write_stdin update_plan view_image",
    "codex 0.171": "exec_command write_stdin request_user_input view_image get_goal create_goal update_goal",
    "claude code": "Task Bash Glob Grep Read Edit Write NotebookEdit WebFetch TodoWrite WebSearch",
    "cline": "execute_command read_file write_to_file replace_in_file search_files list_files",
    "cline's command line": "read_files search_codebase run_commands fetch_web_content editor ask_question",
    "qwen-code 0.24": "agent edit glob grep_search notebook_edit read_file run_shell_command write_file",
    "continue's command line": "Read List Bash Fetch Checklist CheckBackgroundJob AskQuestion Search Exit",
    "qwen-code": "list_directory read_file search_file_content glob edit write_file run_shell_command",
    "continue": "builtin_read_file builtin_create_new_file builtin_run_terminal_command builtin_grep_search",
    "zed": "read_file edit_file terminal find_path grep list_directory thinking",
    "pi": "read bash edit write",
    "a server of the client's": "mcp__filesystem__read_file",
}
OTHERS = {
    "home assistant": "HassTurnOn HassTurnOff HassLightSet GetLiveContext",
    "a search": "web_search fetch get_weather read_email create_event list_calendars run_workflow",
}
WORKSPACE = {"read", "write", "edit", "apply_patch", "ls", "find", "grep", "manage", "exec", "process"}


def functions(names: str) -> list[Any]:
    return [{"type": "function", "function": {"name": name}} for name in names.split()]


@pytest.mark.parametrize("names", CLIENTS.values(), ids=CLIENTS)
def test_a_coding_client_is_known_by_its_tools(names: str) -> None:
    assert brings_workspace(names.split())


@pytest.mark.parametrize("names", OTHERS.values(), ids=OTHERS)
def test_others_are_not_taken_for_one(names: str) -> None:
    assert not brings_workspace(names.split())


async def offered(gateway: RunningGateway, models: ModelServer, names: str) -> tuple[set[str], str | None]:
    """What the model is offered, and what the answer's header says."""
    answer = await ask(gateway, {"messages": [user("x")], "tools": functions(names)})
    assert answer.status == 200, answer.text
    tools = models.requests[-1].body["tools"]
    return {tool["function"]["name"] for tool in tools}, answer.headers.get("x-openclaw-tools-set-aside")


@pytest.mark.promise("own-workspace-aside")
async def test_the_model_sees_one_workspace_the_client_s(models: ModelServer, tmp_path: Path) -> None:
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        for names in CLIENTS.values():
            tools, told = await offered(gateway, models, names)
            theirs = set(names.split())
            assert theirs <= tools
            assert not (tools - theirs) & WORKSPACE
            assert tools - theirs, "what has nothing to do with files is still there"
            assert told is not None
            assert set(told.split(", ")) <= WORKSPACE
        for names in OTHERS.values():
            tools, told = await offered(gateway, models, names)
            assert tools >= {"read", "exec"}
            assert told is None


@pytest.mark.promise("with-client-tools")
@pytest.mark.parametrize(
    ("word", "names", "is_there"), [("beside", "read_file bash", True), ("instead", "get_weather", False)]
)
async def test_the_operator_has_the_last_word(
    models: ModelServer, tmp_path: Path, word: str, names: str, is_there: bool
) -> None:
    mine = {"agents": {"list": [{"id": "main", "tools": {"withClientTools": word}}]}}
    config = model_config(models.base_url, mine)
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        tools, told = await offered(gateway, models, names)
    assert ("read" in tools) is is_there
    assert (told is None) is is_there
