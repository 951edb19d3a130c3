"""docs/differences.md, made of the cases: `python -m tests.doors.differences` writes it."""

from pathlib import Path

from tests.doors.openclaw_cases import CASES, REASONS, Case, Told

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"
_HEAD = """\
# Where the gateway answers otherwise than OpenClaw

For those who come from OpenClaw. {asked} requests at `POST /v1/chat/completions` were sent to OpenClaw
2026.9.6 and are sent to this gateway by its tests: {same} are answered with the same status, type of error,
model and headers. Words of errors are the gateway's own. This page is made of that table
(`tests/doors/openclaw_cases.py`).

"""
_FOOT = """
Of every answer: a 401 has `WWW-Authenticate`, as HTTP wants it, and every answer an `X-Request-ID`;
`Permissions-Policy`, which is for pages, is not sent.
"""


def differs(case: Case) -> bool:
    return case.openclaw != case.gateway


def page() -> str:
    different = [case for case in CASES if differs(case)]
    text = _HEAD.format(asked=len(CASES), same=len(CASES) - len(different))
    for reason, sentence in REASONS.items():
        text += f"{sentence}\n\n| request | OpenClaw | here |\n|---|---|---|\n"
        for case in different:
            if case.wanted == reason:
                ours = _told(case.gateway, f" `{case.code}`" if case.code else "")
                text += f"| {case.request} | {_told(case.openclaw)} | {ours} |\n"
        text += "\n"
    return text.rstrip("\n") + "\n" + _FOOT


def _told(told: Told, code: str = "") -> str:
    more = ""
    if told.status >= 400:
        more = code or (f" `{told.type}`" if told.type else " in plain text")
    return f"{told.status}{more}{f', `{told.header}`' if told.header else ''}"


if __name__ == "__main__":
    PAGE.write_text(page())
