"""The two names this program answers to, in one table. Nothing else in the code knows there are two.

Pure: no file, no environment of its own. Who needs a name (a header prefix, an environment variable, a
file name) iterates over BRANDS or calls a function here; the first row always wins over the second.
"""

from collections.abc import Mapping

from msgspec import Struct


class Brand(Struct, frozen=True):
    """`name` is the program and the distribution's command, `title` how people write it; `model_word` is what
    clients say as model."""

    name: str
    title: str
    env_prefix: str
    state_dir: str
    config_file: str
    header_prefix: str
    model_word: str


BRANDS: tuple[Brand, ...] = (
    Brand(
        name="openclaw",
        title="OpenClaw",
        env_prefix="OPENCLAW_",
        state_dir=".openclaw",
        config_file="openclaw.json",
        header_prefix="x-openclaw-",
        model_word="openclaw",
    ),
    Brand(
        name="clawdbot",
        title="Clawdbot",
        env_prefix="CLAWDBOT_",
        state_dir=".clawdbot",
        config_file="clawdbot.json",
        header_prefix="x-clawdbot-",
        model_word="clawdbot",
    ),
)

# What the program was called for a few days between the two: only its files are left of it.
OLDER_STATE_DIRS = (".moltbot", ".moldbot")
OLDER_CONFIG_FILES = ("moltbot.json", "moldbot.json")

# Our own keys, for whoever shares the main file with a program that refuses keys it does not know.
OVERLAY_FILE = "openclaw-gateway.json"


def env(environ: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """The value and full name of the first brand's variable that is not blank: `env(e, "STATE_DIR")`."""
    for brand in BRANDS:
        full = brand.env_prefix + name
        value = environ.get(full, "").strip()
        if value:
            return value, full
    return None


def env_names(name: str) -> str:
    """Every brand's spelling of a variable, for messages: "OPENCLAW_PORT (or CLAWDBOT_PORT)"."""
    first, *others = (brand.env_prefix + name for brand in BRANDS)
    return f"{first} (or {', '.join(others)})" if others else first


def typed(environ: Mapping[str, str]) -> str:
    """What a command begins with that is meant for the gateway of this environment, wherever it is typed.

    The profile is in it where it decides which folder is the gateway's; a path is not, since clients read it.
    """
    profile = env(environ, "PROFILE")
    if profile is None or profile[0].lower() == "default" or env(environ, "STATE_DIR") is not None:
        return BRANDS[0].name
    return f"{BRANDS[0].name} --profile {profile[0]}"
