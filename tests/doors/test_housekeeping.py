"""What front ends ask for themselves beside a conversation: known, and kept from the agent."""

from typing import Any

import pytest

from openclaw_gateway.doors.openai.housekeeping import task_of
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.messages import Message, UserMessage, assistant
from tests.doors.chat import ask, user

HISTORY = "### Chat History:\n<chat_history>\nUSER: hi\nASSISTANT: hello\n</chat_history>"


def asking(key: str, value: str) -> str:
    output = f'### Output:\nJSON format: {{ "{key}": {value} }}'
    return f"### Task:\nSomething about the history.\n### Guidelines:\n- Short.\n{output}\n{HISTORY}"


COMPLETE = (
    "### Task:\nYou are an autocompletion system. Continue it.\n<type>General</type>\n<text>The sun</text>"
)
LIBRECHAT = (
    "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. "
    "Only return the title itself.\n\nConversation:\nUser: hi\nAI: hello"
)
DETECTED = (
    "Analyze this conversation and provide:\n1. The detected language of it\n2. A concise title\n\nUser: hi"
)
OPENCODE = "You are a title generator. You output ONLY a thread title. Nothing else.\n\nRules."
# A question about a file, as Open WebUI asks it.
ABOUT_A_FILE = (
    "### Task:\nRespond to the user query using the provided context.\n### Output:\nA clear answer.\n"
    '<context>\n<source id="1">text</source>\n</context>\n\nWhat is the title?'
)


@pytest.mark.parametrize(
    ("header", "instructions", "text", "task"),
    [
        ("title_generation", "", "anything", "title"),
        (" Tags_Generation ", "", "anything", "tags"),
        ("title", "", "anything", "title"),
        ("default", "", asking("title", "x"), None),
        ("moa_response_generation", "", "anything", None),
        ("{{TASK}}", "", "hi", None),
        ("", "", asking("title", '"a"'), "title"),
        (None, "", asking("title", '"a"'), "title"),
        (None, "", asking("tags", '["a"]'), "tags"),
        (None, "", asking("follow_ups", '["a"]'), "follow_up"),
        (None, "", asking("queries", '["a"]') + "\n", "query"),
        (None, "", asking("prompt", '"a"'), "image_prompt"),
        (None, "", asking("answer", '"a"'), None),
        (None, "", asking("title", '"a"') + "\nAnd what do you think?", None),
        (None, "", COMPLETE, "autocomplete"),
        (None, "", LIBRECHAT, "title"),
        (None, "", DETECTED, "title"),
        (None, OPENCODE, "Generate a title for this conversation:", "title"),
        (None, "You are a title generator.", "hi", None),
        (None, "", ABOUT_A_FILE, None),
        (None, "", "### Task: write me a title", None),
        (None, "", "Provide a concise, 5-word-or-less title for the conversation of my book.", None),
        (None, "", "", None),
    ],
)
def test_a_task_is_known_by_its_header_or_its_whole_shape(
    header: str | None, instructions: str, text: str, task: str | None
) -> None:
    assert task_of(header, instructions, [UserMessage(text)]) == task


def test_a_prompt_in_a_conversation_is_part_of_it() -> None:
    said: list[Message] = [UserMessage("hi"), assistant("hello"), UserMessage(asking("title", '"a"'))]
    assert task_of(None, "", said) is None


def config(models: ModelServer, **more: Any) -> dict[str, Any]:
    return model_config(models.base_url, more)


TITLE: Any = {"model": "openclaw", "user": "ann", "messages": [user(asking("title", '"a"'))]}


@pytest.mark.promise("housekeeping")
async def test_a_task_is_asked_of_the_model_alone_and_remembered_by_nobody(models: ModelServer) -> None:
    models.enqueue(says('{"title": "x"}'), says("hello"))
    async with running_gateway(config(models)) as gateway:
        answer = await ask(gateway, TITLE)
        assert answer.headers["x-openclaw-task"] == "title"
        assert "x-openclaw-session-key" not in answer.headers
        sent = models.requests[-1].body
        assert [one["role"] for one in sent["messages"]] == ["user"]
        assert "tools" not in sent
        answer = await ask(gateway, {"model": "openclaw", "user": "ann", "messages": [user("hi")]})
        assert "x-openclaw-task" not in answer.headers
        assert [one["content"] for one in models.requests[-1].body["messages"][1:]] == ["hi"]


@pytest.mark.promise("housekeeping-model")
async def test_it_has_a_model_of_its_own_if_that_is_configured(models: ModelServer) -> None:
    models.script("mock-echo", says("the agent's"))
    own = {"agents": {"defaults": {"utilityModel": "mock/small"}}}
    async with running_gateway(config(models, **own)) as gateway:
        await ask(gateway, TITLE)
        assert models.requests[-1].body["model"] == "small"
        await ask(gateway, {**TITLE, "messages": [user("hi")]})
        assert models.requests[-1].body["model"] == "mock-echo"


@pytest.mark.promise("housekeeping-off")
async def test_it_can_be_switched_off(models: ModelServer) -> None:
    off = {"gateway": {"http": {"endpoints": {"chatCompletions": {"housekeeping": False}}}}}
    async with running_gateway(config(models, **off)) as gateway:
        answer = await ask(gateway, TITLE)
    assert "x-openclaw-task" not in answer.headers
    assert answer.headers["x-openclaw-session-key"]


async def test_a_model_that_cannot_be_had_is_left_out(models: ModelServer) -> None:
    own = {"agents": {"defaults": {"utilityModel": "nobody/x"}}}
    async with running_gateway(config(models, **own)) as gateway:
        answer = await ask(gateway, TITLE)
    assert answer.status == 200
    assert models.requests[-1].body["model"] == "mock-echo"


async def test_a_named_title_is_no_answer_to_the_question_itself(models: ModelServer) -> None:
    models.script("mock-echo", says("A title"), says("An answer"))
    body = {"model": "openclaw", "messages": [user("hi")]}
    named = {"Idempotency-Key": "k"}
    async with running_gateway(model_config(models.base_url)) as gateway:
        title = await ask(gateway, body, headers={**named, "x-openclaw-task": "title"})
        assert (title.headers["x-openclaw-task"], title.content) == ("title", "A title")
        refused = await ask(gateway, body, headers=named)
    assert (refused.status, refused.error["code"]) == (422, "idempotency_key_reused")
