"""The configuration of somebody who has none: written once, into a state directory that was named.

Never touches the directories of the person's other programs, never overwrites a file. Knows nothing of
what runs with it.
"""

import os
import secrets
import tempfile
from pathlib import Path
from string import Template

from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.config.brands import BRANDS

_CONFIG = Template("""\
// Written by the first start of the gateway, and yours to edit. Comments and trailing commas are fine.
// A running gateway takes up a change by itself.
{
  gateway: {
    mode: "local",
    // Every caller sends this token. It stays the same until you change it here.
    auth: { mode: "token", token: "$token" },
    // /v1/chat/completions, /v1/responses and, for Claude's tools, /v1/messages. They are off unless
    // switched on.
    http: {
      endpoints: {
        chatCompletions: { enabled: true },
        responses: { enabled: true },
        messages: { enabled: true },
      },
    },
  },
  agents: {
    defaults: {
$chosen
    },
  },
  // A model of your own: remove the slashes, fill it in, and put its name into agents.defaults.model
  // above, here "mine/some-model". $${MY_API_KEY} takes the key from the environment;
  // leave apiKey out where the server needs none.
  // models: {
  //   providers: {
  //     mine: {
  //       baseUrl: "https://api.example.com/v1",
  //       apiKey: "$${MY_API_KEY}",
  //       models: [{ id: "some-model" }],
  //     },
  //   },
  // },
}
""")


_EMBEDDED = Template("""\
      // The small model that came with the gateway: no key, no account, and no great wit. Left to itself
      // it sometimes talks without end, hence its settings.
      model: "$model",
      models: { "$model": { params: { temperature: 0.2, maxTokens: 400 } } },""")
_FOUND = Template("""\
      // A model of a server that was found on this machine.
      model: "$model",""")


def refuse_other_homes(state_dir: Path, home: Path) -> None:
    """Raises CommandFailed when `state_dir` is, or lies in, what another program calls its own."""
    real, real_home = state_dir.resolve(), home.resolve()
    if not real.is_relative_to(real_home):
        return
    inside = real.relative_to(real_home).parts
    if not inside or any(_belongs(inside[0], brand.state_dir) for brand in BRANDS):
        raise CommandFailed(
            f"{state_dir} is not for a first try: it may hold the files of another program. Name a "
            "directory of its own with --state-dir.",
            code="state_dir_refused",
            exit_code=CONFIG,
        )


def write_first_config(path: Path, *, model: str) -> bool:
    """Write the file and its directory, readable by their owner only; False when there is one already."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return False
    chosen = _EMBEDDED if model.startswith("local/") else _FOUND
    text = _CONFIG.substitute(token=secrets.token_hex(24), chosen=chosen.substitute(model=model))
    # mkstemp makes the file 0600 from its first moment; the link appears whole, or not at all.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        Path(temporary).unlink()
    return True


def _belongs(name: str, state_dir: str) -> bool:
    """Whether `name` is a brand's state directory, or that of one of its profiles."""
    return name == state_dir or name.startswith(f"{state_dir}-")
