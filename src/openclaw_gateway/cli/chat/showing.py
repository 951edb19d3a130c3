"""A run on the screen, step by step. Decides nothing: asks about commands where it is told to."""

from openclaw_gateway.cli.chat.screen import Screen
from openclaw_gateway.cli.chat.tool_lines import call_line, ended_line, why_line
from openclaw_gateway.client.steps import (
    Compacted,
    Ended,
    ModelFailed,
    Said,
    Step,
    Thought,
    ToolBegan,
    ToolDone,
    ToolWorks,
    Waits,
)


class Showing:
    """One run."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._open_call = ""  # whose line is not ended

    def interrupt(self) -> None:
        """Something else is about to be written."""
        if self._open_call:
            self._open_call = ""
            self._screen.broken_off()

    def show(self, step: Step) -> None:
        screen = self._screen
        if isinstance(step, ToolDone):
            self._done(step)
            return
        if not isinstance(step, ToolWorks):
            self.interrupt()
        match step:
            case Said():
                screen.said(step.text)
            case Thought():
                screen.thought(step.text)
            case ToolBegan():
                screen.begun(call_line(step.name, step.arguments, screen.width))
                self._open_call = step.call_id
            case Waits(before=1):
                screen.beside("Waiting: one run of this conversation comes first.")
            case Waits():
                screen.beside(f"Waiting: {step.before} runs of this conversation come first.")
            case ModelFailed():
                screen.beside(f"{step.model} failed ({step.code}).")
            case Compacted():
                screen.beside("What was said earlier has been summed up to make room.")
            case Ended():
                self._ended(step)
            case ToolWorks():
                pass

    def _done(self, step: ToolDone) -> None:
        told = ended_line(failed=step.failed, ms=step.ms)
        if self._open_call == step.call_id:
            self._open_call = ""
            self._screen.went_on(f"  {told}", "bad" if step.failed else "good")
        else:
            self.interrupt()
            self._screen.beside(f"< {step.name}  {told}", "bad" if step.failed else "dim")
        if step.failed:
            self._screen.beside(why_line(step.text, self._screen.width), "bad")

    def _ended(self, step: Ended) -> None:
        self._screen.pause()
        if step.status == "aborted":
            self._screen.beside("Stopped.")
        elif step.status == "failed":
            self._screen.fault(step.message or "The run failed.")
        elif step.reason == "length":
            self._screen.beside("The answer was cut: it had reached the model's limit (maxTokens).")
