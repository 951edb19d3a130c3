"""The variables of a service, which are not those of the terminal it is installed from.

What finds programs and reaches networks is taken along, and where the gateway's files are; secrets are not,
because who may read a unit is not who may read a `.env`. What the service lacks of what the configuration
wants is found before it is installed.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from openclaw_gateway.blueprint import Blueprint, Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.cli.dotenv_file import keep_in_dotenv
from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.config.environment import parse_dotenv
from openclaw_gateway.config.paths import Paths

_TAKEN = (
    *("HOME", "PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
)
_SECRET = re.compile(r"TOKEN|PASSWORD|SECRET|KEY")
_PREFIX = BRANDS[0].env_prefix
# They say where files are, and are written down as what they lead to.
_PLACES = ("STATE_DIR", "CONFIG_PATH", "PROFILE")


def service_variables(environ: Mapping[str, str], paths: Paths) -> dict[str, str]:
    places = {brand.env_prefix + name for brand in BRANDS for name in _PLACES}
    prefixes = tuple(brand.env_prefix for brand in BRANDS)
    own = {
        name: value
        for name, value in environ.items()
        if name.startswith(prefixes) and name not in places and not _SECRET.search(name)
    }
    taken = {name: environ[name] for name in _TAKEN if environ.get(name)}
    named = {f"{_PREFIX}CONFIG_PATH": str(paths.config_file)} if paths.named else {}
    return {**taken, **own, f"{_PREFIX}STATE_DIR": str(paths.state_dir), **named}


def keep_variables(names: tuple[str, ...], environ: Mapping[str, str], file: Path) -> None:
    """Put them into the `.env`. Raises CommandFailed."""
    missing = [name for name in names if not environ.get(name, "").strip()]
    if missing:
        raise CommandFailed(f"{', '.join(missing)} is not set in this terminal.", code="service_environment")
    try:
        kept, _ = parse_dotenv(file.read_text("utf-8")) if file.exists() else ({}, [])
    except (OSError, UnicodeDecodeError):
        kept = {}
    new = {name: environ[name].strip() for name in names if kept.get(name) != environ[name].strip()}
    if new:
        keep_in_dotenv(file, new)


def planned(around: Surroundings, paths: Paths, variables: Mapping[str, str]) -> tuple[Blueprint, list[str]]:
    """(what the service would serve, what it lacks that this terminal has). Raises CommandFailed where it
    would not start, or nobody would know its secret; ConfigError."""
    file, home = paths.config_file, around.home
    here = draw(Options(environ=around.environ, home=home, cwd=around.cwd, config_path=file))
    there = draw(Options(environ=variables, home=home, cwd=home, config_path=file))
    here.check()
    file = paths.state_dir / ".env"
    into = f"Write it into {file}, or have it written: --env NAME."
    if there.plan.problems:
        raise CommandFailed(
            "The service has not all variables of this terminal, and would not start:\n"
            + "\n".join(there.explained().problems)
            + f"\n{into}",
            code="service_environment",
            exit_code=CONFIG,
        )
    auth = there.plan.auth
    if auth.generated:
        raise CommandFailed(
            "The service would make up a new token at each start, and nobody would see it. Set one: "
            f"config set gateway.auth.token, or {_PREFIX}GATEWAY_TOKEN in {file}.",
            code="service_environment",
            exit_code=CONFIG,
        )
    return there.plan, list(_differences(here.plan, there.plan, into))


def _differences(here: Blueprint, there: Blueprint, into: str) -> Iterator[str]:
    if (here.auth.mode, here.auth.secret) != (there.auth.mode, there.auth.secret):
        yield f"Its secret is that of {there.auth.source}, not {here.auth.source} of this terminal. {into}"
    known = set(map(str, here.left_out))
    for each in map(str, there.left_out):
        if each not in known:
            yield f"In the service: {each} {into}"
    if here.model.ref != there.model.ref:
        yield f"Its model is {there.model.ref}, and not {here.model.ref} as in this terminal. {into}"
