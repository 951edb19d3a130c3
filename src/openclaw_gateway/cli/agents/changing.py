"""An agent added or removed: by the running gateway, and where none runs by the same edit of the file."""

from pathlib import Path
from typing import Any

from msgspec import Struct

from openclaw_gateway.agents.homes import Home, homes_of
from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.rewriting import Rewriter
from openclaw_gateway.cli.failure import CommandFailed, of_gateway_error
from openclaw_gateway.cli.running.address import config_in_use, gateway_here, with_secret
from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which
from openclaw_gateway.cli.running.terminal_words import in_terminal_words
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.gateway.operator.config import ANY_BASE, Wanted
from openclaw_gateway.gateway.principal import ADMIN

_ANSWER_S = 60.0


class Here(Struct, frozen=True):
    """What a command changes: the gateway that `runs`, or the files of `around`."""

    around: Surroundings
    which: Which
    runs: bool

    @classmethod
    def found(cls, around: Surroundings, which: Which) -> "Here":
        """Raises ConfigError."""
        if which["url"] is not None:
            return cls(around, which, runs=True)
        used = config_in_use(around, None)
        loaded = around.load_partly(used)
        named = which["config_path"]
        same = named is None or named.resolve() == loaded.path.resolve()
        here = gateway_here(loaded)
        given = bool(which["token"] or which["password"])
        # Without a secret it changes nothing for us; it follows the file all the same.
        runs = same and not here.away and (given or _has_secret(loaded, here.origin))
        return cls(around, which, runs=runs)

    def asked(self, method: str, **params: Any) -> dict[str, Any]:
        """What the gateway answers. Raises CommandFailed."""
        given = {name: value for name, value in params.items() if value is not None}
        answer: dict[str, Any] = asked_gateway(
            self.around, method, given, scopes=(ADMIN,), timeout_s=_ANSWER_S, **self.which
        )
        return answer

    def rewrite(self, wanted: Wanted) -> Path:
        """The file that is written. Raises CommandFailed."""
        options = Options(**self.around.for_options(), config_path=self.which["config_path"])
        try:
            return Rewriter(options, None, lambda: None).rewrite(wanted, ANY_BASE).file
        except GatewayError as error:
            failed = of_gateway_error(error)
            failed.message = in_terminal_words(failed.message)
            raise failed from None

    def loaded(self) -> LoadedConfig:
        """Where agents are is known in spite of faults elsewhere. Raises ConfigError."""
        return self.around.load_partly(self.which["config_path"])

    def home(self, agent_id: str) -> Home:
        """Raises CommandFailed."""
        home = homes_of(self.loaded()).get(agent_id)
        if home is None:
            raise CommandFailed(f'There is no agent "{agent_id}".', code="agent_not_found")
        return home


def _has_secret(loaded: LoadedConfig, origin: str | None) -> bool:
    """Raises ConfigError."""
    if origin is None:
        return False
    address = with_secret(loaded, origin)
    return bool(address.token or address.password)
