"""The configuration of somebody who has none: its text, and the file, written once.

Never overwrites a file. Knows nothing of what runs with it, and not how the answers were come by.
"""

import json
import os
import secrets
import tempfile
from pathlib import Path
from string import Template

from msgspec import Struct

from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.models.target import LOCAL

# The name that a server of one's own is given, in references too.
OWN_SERVER = "mine"


class FirstConfig(Struct, frozen=True):
    """What is decided. `model` is a reference; of an own server `base_url` says where it is, `key_variable`
    which variable holds its key, if it wants one. None = what is usual, and not written."""

    model: str
    base_url: str | None = None
    key_variable: str | None = None
    port: int | None = None
    bind: str | None = None


_CONFIG = Template("""\
// Written by the first start of the gateway, and yours to edit. Comments and trailing commas are fine.
// A running gateway takes up a change by itself.
{
  gateway: {
    mode: "local",
$listen    // Every caller sends this token. It stays the same until you change it here.
    auth: { mode: "token", token: $token },
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
$server}
""")
_PORT = Template("""\
    // The usual port, 18789, was taken.
    port: $port,
""")
_BIND = Template("""\
    // Where it listens: "loopback" is this computer alone, "lan" its network too.
    bind: $bind,
""")
_EMBEDDED = Template("""\
      // The small model that came with the gateway: no key, no account, and no great wit. Left to itself
      // it sometimes talks without end, hence its settings.
      model: $model,
      models: { $model: { params: { temperature: 0.2, maxTokens: 400 } } },""")
_CHOSEN = Template("""\
      // provider/model. Further ones to go on with when it fails: { primary: "…", fallbacks: ["…"] }
      model: $model,""")
_NO_SERVER = """\
  // A model of your own: remove the slashes, fill it in, and put its name into agents.defaults.model
  // above, here "mine/some-model". ${MY_API_KEY} takes the key from the environment;
  // leave apiKey out where the server needs none.
  // models: {
  //   providers: {
  //     mine: {
  //       baseUrl: "https://api.example.com/v1",
  //       apiKey: "${MY_API_KEY}",
  //       models: [{ id: "some-model" }],
  //     },
  //   },
  // },
"""
_SERVER = Template("""\
  models: {
    providers: {
      // Your own server. Its name here is the first part of agents.defaults.model.
      $name: {
        baseUrl: $base_url,
$key        models: [{ id: $id }],
      },
    },
  },
""")
_KEY = Template("""\
        // From the environment, or from the file .env beside this one.
        apiKey: "$${$variable}",
""")


def first_text(wanted: FirstConfig, *, token: str | None = None) -> str:
    """The whole file, with a `token` made up unless one is given."""
    return _CONFIG.substitute(
        token=json.dumps(secrets.token_hex(24) if token is None else token),
        listen=_listen(wanted),
        chosen=_chosen(wanted.model),
        server=_server(wanted),
    )


def _listen(wanted: FirstConfig) -> str:
    port = "" if wanted.port is None else _PORT.substitute(port=wanted.port)
    return port + ("" if wanted.bind is None else _BIND.substitute(bind=json.dumps(wanted.bind)))


def _chosen(model: str) -> str:
    template = _EMBEDDED if model.startswith(f"{LOCAL}/") else _CHOSEN
    return template.substitute(model=json.dumps(model))


def _server(wanted: FirstConfig) -> str:
    if wanted.base_url is None:
        return _NO_SERVER
    key = "" if wanted.key_variable is None else _KEY.substitute(variable=wanted.key_variable)
    return _SERVER.substitute(
        name=OWN_SERVER,
        base_url=json.dumps(wanted.base_url),
        key=key,
        id=json.dumps(wanted.model.partition("/")[2]),
    )


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


def write_first(path: Path, text: str) -> bool:
    """Write the file and its directory, readable by their owner only; False when there is one already. Raises
    CommandFailed where there can be no such directory, or no file in it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(f"{path.parent} cannot be made a directory", error) from None
    try:
        return not path.exists() and _wrote(path, text)
    except OSError as error:
        raise unusable(f"{path} cannot be written", error) from None


def unusable(what: str, error: OSError) -> CommandFailed:
    """`what` is the file or folder, and what cannot be done to it."""
    return CommandFailed(
        f"{what}: {error.strerror}. Mend that, or name another directory by what names this one (--state-dir "
        "or OPENCLAW_CONFIG_PATH), else with OPENCLAW_STATE_DIR; with make: make run OPENCLAW_STATE_DIR=...",
        code="state_dir_unusable",
        exit_code=CONFIG,
    )


def _wrote(path: Path, text: str) -> bool:
    """False when there is one by now."""
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
