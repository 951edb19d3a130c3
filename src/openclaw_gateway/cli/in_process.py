"""`agent --local`: the run happens in this process, by the same code that serves every other door.

Builds the whole gateway but opens no port. Refuses beside a running gateway, because two processes would
write one state directory.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing, suppress
from pathlib import Path

from openclaw_gateway.blueprint import Options
from openclaw_gateway.cli.conversation import MAIN_SESSION, Completed, Part, Question, refusal
from openclaw_gateway.cli.failure import CommandFailed, of_gateway_error
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.daemon import Daemon
from openclaw_gateway.doors.ws.results import completed
from openclaw_gateway.errors import GatewayError, StartupError, error_type
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.gateway.requests import Question as GatewayQuestion
from openclaw_gateway.gateway.requests import run_request
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.instance import EX_ALREADY_RUNNING, Holder, holder
from openclaw_gateway.runs.run import Run
from openclaw_gateway.wire.events import ReasoningDelta, RunEnded, TextDelta
from openclaw_gateway.wire.messages import UserMessage

# An aborted run still records what it has; a person who pressed Ctrl-C waits no longer for it.
_ABORT_S = 5.0
_LOOK_EVERY_S = 5.0


async def in_process(
    around: Surroundings, config_path: Path | None, question: Question
) -> AsyncGenerator[Part, None]:
    """Raises CommandFailed, ConfigError. Cancelling aborts the run, and so does closing before its end."""
    options = Options(**around.for_options(), config_path=config_path, listens=False)
    try:
        daemon = await Daemon.build(options)
    except StartupError as error:
        raise _refused(error, options) from None
    try:
        run = await _start(daemon, question)
        try:
            async with aclosing(_follow(run)) as parts:
                async for part in parts:
                    yield _answer(question, run, part) if isinstance(part, RunEnded) else part
        except (asyncio.CancelledError, GeneratorExit):
            run.abort("interrupted")
            with suppress(TimeoutError):
                await asyncio.wait_for(run.wait(), _ABORT_S)
            raise
    except GatewayError as error:
        raise refusal(question, message=error.message, code=error.code, kind=error_type(error)) from None
    finally:
        await daemon.close()


async def _start(daemon: Daemon, question: Question) -> Run:
    # Who may start this process with the configuration's secrets has nothing to prove.
    gateway, principal = daemon.gateway, OPERATOR
    route = gateway.route(Ask(agent=question.agent, session_key=question.session_key or MAIN_SESSION))
    asked = GatewayQuestion(
        (UserMessage(question.text),), idempotency_key=question.run_id, timeout_s=question.timeout_s
    )
    return await gateway.start(principal, run_request(principal, "terminal", route, asked))


async def _follow(run: Run) -> AsyncGenerator[TextDelta | ReasoningDelta | RunEnded, None]:
    """The parts of the answer and then the end."""
    with closing(run.reader()) as reader:
        place = 0
        while True:
            # Of a run that was lost to another process its log does not tell the end.
            for event in await reader.log.batch(_LOOK_EVERY_S) or await run.last_words(reader.log):
                match event:
                    case TextDelta() | ReasoningDelta():
                        yield event
                    case RunEnded():
                        yield event
                        return
                    case _:
                        pass
                place += 1
                reader.advance(place)


def _answer(question: Question, run: Run, ended: RunEnded) -> Completed:
    """Raises CommandFailed for a run that did not complete."""
    error = ended.result.error
    if error is not None:
        raise refusal(question, message=error.message, code=error.code, kind=error.type)
    return Completed(completed(run, ended.result))


def _refused(error: StartupError, options: Options) -> CommandFailed:
    if error.exit_code != EX_ALREADY_RUNNING:
        return of_gateway_error(error)
    paths = resolve_paths(options.environ, home=options.home, cwd=options.cwd)
    pid = (holder(paths.own_dir) or Holder()).pid
    return CommandFailed(
        f"A gateway is running for this state directory{f' (pid {pid})' if pid else ''}. Run without --local "
        "to use it, or stop it first.",
        code=error.code,
    )
