"""Which ids a provider's program is asked for at once: it runs once, and a dead one costs one time-out.

One that fails with several ids is asked for each alone, because one strange id may be the reason. One that
may answer with the secret alone (`jsonOnly: false`) can only be asked for one.
"""

from collections.abc import Iterable, Mapping

from openclaw_gateway.config.schema.secrets import SecretProvider
from openclaw_gateway.config.secrets.programs import MOST_IDS, Silent, ask_program
from openclaw_gateway.config.secrets.references import Unresolved


class Askings:
    """Of one configuration. `ids` are those it refers to, by provider."""

    def __init__(self, ids: Mapping[str, Iterable[str]], environ: Mapping[str, str]) -> None:
        self._ids = {alias: tuple(dict.fromkeys(names)) for alias, names in ids.items()}
        self._environ = environ
        self._found: dict[tuple[str, str], str | Unresolved] = {}
        self._silent: dict[str, Silent] = {}
        self._alone: set[str] = set()

    def secret(self, alias: str, provider: SecretProvider, name: str) -> str:
        """Raises Unresolved."""
        if (alias, name) not in self._found:
            self._ask(alias, provider, name)
        found = self._found[alias, name]
        if isinstance(found, Unresolved):
            raise Unresolved(*found.args)
        return found

    def _ask(self, alias: str, provider: SecretProvider, name: str) -> None:
        names = [name]
        if provider.json_only and alias not in self._alone:
            others = (each for each in self._ids.get(alias, ()) if (alias, each) not in self._found)
            names = [name, *(each for each in others if each != name)][:MOST_IDS]
        try:
            if alias in self._silent:
                raise self._silent[alias]
            said = ask_program(alias, provider, names, self._environ)
        except Silent as error:
            self._silent[alias] = error
            self._found[alias, name] = error
        except Unresolved as error:
            if len(names) == 1:
                self._found[alias, name] = error
            else:
                self._alone.add(alias)
                self._ask(alias, provider, name)
        else:
            self._found |= {(alias, each): text for each, text in said.items()}
