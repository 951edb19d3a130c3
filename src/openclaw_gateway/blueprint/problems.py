"""Everything for which a start is refused, found all at once; and what is left out of it. Pure.

The faults of keys and values come with what was read; here is what shows when the parts are put together.
Where a part could not be read, what depends on it is not judged: one slip is one line. A model that cannot
be had is left out, and with its last one an agent; only where nothing is left to serve, the start is refused.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from msgspec import Struct

from openclaw_gateway.agents.roster import Roster
from openclaw_gateway.blueprint.cluster import (
    BUS_URL,
    STORE_URL,
    Cluster,
    cluster_of,
    cluster_problems,
)
from openclaw_gateway.blueprint.given import Flags, Machine
from openclaw_gateway.blueprint.written import agents_in, any_above, any_near, places_of
from openclaw_gateway.config.auth import ResolvedAuth, exposure, is_loopback, resolve_auth
from openclaw_gateway.config.brands import env_names
from openclaw_gateway.config.listen import resolve_bind, resolve_port
from openclaw_gateway.config.load import Partly
from openclaw_gateway.config.places import KeyPath, Position, Problem
from openclaw_gateway.errors import ConfigError, GatewayError
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import Choice, choose_default, provider_id
from openclaw_gateway.models.keys import Keys
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.plans.planning import Targets, targets_of, utility_of

_AUTH: tuple[KeyPath, ...] = (("gateway", "auth"), ("env",))
_TOKEN: KeyPath = ("gateway", "auth", "token")
_OWN_SECRETS = (
    "is not set, and of the processes that share store.url each would make up a secret of its own; set it, "
    f"or {env_names('GATEWAY_TOKEN')}, to the same random secret for all (for instance from: openssl rand "
    "-hex 24)"
)
_BIND: tuple[KeyPath, ...] = (*_AUTH, ("gateway", "bind"), ("gateway", "customBindHost"))
_MODEL: KeyPath = ("agents", "defaults", "model")
_UTILITY_MODEL: KeyPath = ("agents", "defaults", "utilityModel")
_PROVIDERS: KeyPath = ("models", "providers")
_NO_TAILNET = (
    'is "tailnet", but this machine has no address in one, so the gateway listens on loopback only; start '
    "Tailscale and then the gateway anew"
)
# Stand where a problem is; nobody opens them.
_NO_AUTH = ResolvedAuth("none", None, generated=False, source="")
_NO_MODEL = Choice("", "")


class Served(Struct, frozen=True):
    """`targets` are every agent's models that can be had; `refusals` say of agents without any why;
    `left_out` are all that cannot be had while something can, each once. `model` is the default one, with
    what is used instead where it cannot be had."""

    targets: Mapping[str, Targets]
    refusals: Mapping[str, str]
    left_out: tuple[Problem, ...]
    model: Choice
    utility: Mapping[str, ModelTarget] = {}


class Findings:
    """Each method settles one part and remembers what is wrong with it."""

    def __init__(self, read: Partly, roster: Roster, missing: tuple[Problem, ...]) -> None:
        self._read = read
        self._loaded = read.loaded
        self._roster = roster
        self._unread = places_of(read.unread)
        self._faulty = places_of((*read.unread, *read.broken, *missing))
        # Providers of which a part could not be read.
        self._torn = {
            provider_id(str(path[2])) for path in self._unread if path[:2] == _PROVIDERS and len(path) > 2
        }
        self._found: list[Problem] = list(missing)
        self._no_model = ""
        # What was asked for and cannot be had on this machine, for which no start is refused.
        self.unreachable: tuple[Problem, ...] = ()
        # Providers with a key that have nothing one would choose.
        self.passed_over: tuple[Problem, ...] = ()

    def problems(self) -> tuple[Problem, ...]:
        """Each once, those of the files first."""
        mine = (each for each in self._found if not any_above(self._unread, each.path))
        return tuple(dict.fromkeys((*self._read.unread, *self._read.broken, *mine)))

    def auth(self, flags: Flags, machine: Machine) -> ResolvedAuth:
        if any_near(self._faulty, *_AUTH):
            return _NO_AUTH
        self._proxies(flags)
        with self._noting():
            auth = resolve_auth(
                self._loaded.config.gateway.auth,
                environ=self._loaded.environ,
                flag_mode=flags.auth,
                flag_token=flags.token,
                flag_password=flags.password,
                made_up=machine.token,
            )
            if auth.generated and self._loaded.config.store.url is not None:
                self._found.append(Problem(_TOKEN, _OWN_SECRETS))
            return auth
        return _NO_AUTH

    def _proxies(self, flags: Flags) -> None:
        """Whose word counts, where a proxy's does: somebody's, and not everybody's."""
        gateway = self._loaded.config.gateway
        if (flags.auth or gateway.auth.mode) != "trusted-proxy":
            return
        if any_near(self._faulty, ("gateway", "trustedProxies")):
            return
        path: KeyPath = ("gateway", "trustedProxies")
        networks = [ip_network(each, strict=False) for each in gateway.trusted_proxies]
        if not networks:
            why = 'is empty although gateway.auth.mode is "trusted-proxy"; name the address of the proxy'
            self._found.append(Problem(path, why))
        for at, network in enumerate(networks):
            if network.prefixlen == 0:
                why = "is every address there is, so that anybody could say who he is; name the proxy's alone"
                self._found.append(Problem((*path, at), why))
        trusted = gateway.auth.trusted_proxy
        beside = bool(networks) and all(network.is_loopback for network in networks)
        if beside and trusted is not None and not trusted.allow_loopback:
            why = (
                "must be true, because gateway.trustedProxies names this machine alone; every program on it "
                "can then say who its user is"
            )
            self._found.append(Problem(("gateway", "auth", "trustedProxy", "allowLoopback"), why))

    def listen(self, flags: Flags, auth: ResolvedAuth) -> tuple[tuple[str, ...], int]:
        """(the addresses, the port)."""
        config, environ = self._loaded.config, self._loaded.environ
        self._served()
        hosts: tuple[str, ...] = ()
        port = 0
        if not any_near(self._faulty, ("gateway", "port")):
            with self._noting():
                port = resolve_port(config, environ=environ, flag=flags.port)
        if not any_near(self._faulty, *_BIND):
            with self._noting():
                hosts = resolve_bind(config, flag=flags.bind)
        if (flags.bind or config.gateway.bind) == "tailnet" and all(map(is_loopback, hosts)):
            self.unreachable = (Problem(("gateway", "bind"), _NO_TAILNET),)
        for host in hosts if auth is not _NO_AUTH else ():
            weakness = exposure(host, auth)
            if weakness is not None:
                where = Problem(("gateway", "bind"), weakness)
                self._found.append(
                    where if flags.bind is None else Problem((), weakness, Position("--bind", 0))
                )
        return hosts, port

    def model(self, flags: Flags, machine: Machine, keys: Keys) -> Choice:
        """What agents are given that name none."""
        config, environ = self._loaded.config, flags.keys(self._loaded.environ)
        if any_near(self._faulty, _MODEL, ("models",), ("env",)):
            return _NO_MODEL
        try:
            choice = choose_default(
                config,
                environ,
                local_available=machine.embedded_model,
                has_key=keys.has,
                survey=machine.survey if flags.local_servers else replace(machine.survey, servers={}),
            )
        except ConfigError as error:
            self._no_model = error.message
            if all(agent.model is not None for agent in self._roster):
                return Choice("", "each agent names its own.")
            why = "there is none; the agents that name their own are served."
            return Choice("", why, searches=config.models.mode == "merge")
        self.passed_over = tuple(Problem(_MODEL, remark) for remark in choice.remarks)
        return choice

    def targets(self, catalog: Catalog, default: Choice) -> Served:
        """The models of every agent, as far as they can be had."""
        where = agents_in(self._loaded)
        own = {entry.id for entry in self._loaded.config.agents.entries if entry.model is not None}
        found: dict[str, Targets] = {}
        refusals: dict[str, str] = {}
        left_out: list[Problem] = []
        without: dict[KeyPath, list[str]] = {}
        lacking = False
        for agent in self._roster:
            path = (*where[agent.id], "model") if agent.id in own else _MODEL
            found[agent.id], errors = targets_of(agent, catalog, default.ref)
            reasons: list[str] = []
            for ref, why in errors:
                if isinstance(why, ConfigError) and not self._explained(ref):
                    self._found.append(Problem(path, why.message))
                elif not ref and self._no_model:
                    reasons.append(self._no_model)
                elif not self._explained(ref):
                    reasons.append(why.message)
            left_out += [Problem(path, reason) for reason in reasons]
            lacking = lacking or (path == _MODEL and any(ref == default.ref for ref, _ in errors))
            if not found[agent.id] and reasons:
                refusals[agent.id] = " ".join(dict.fromkeys(reasons))
                without.setdefault(path, []).append(agent.id)
        if left_out and not any(found.values()):
            self._found += left_out
            return Served(found, {}, (), default)
        instead = [found[agent.id][:1] for agent in self._roster if agent.id not in own]
        model = _replaced(default, instead) if lacking else default
        utility = self._utility(catalog, left_out)
        return Served(found, refusals, tuple(_with_agents(dict.fromkeys(left_out), without)), model, utility)

    def _utility(self, catalog: Catalog, left_out: list[Problem]) -> dict[str, ModelTarget]:
        """The models for what is no part of a conversation; one that cannot be had is left out."""
        where = agents_in(self._loaded)
        own = {each.id for each in self._loaded.config.agents.entries if each.utility_model is not None}
        found: dict[str, ModelTarget] = {}
        for agent in self._roster:
            try:
                target = utility_of(agent, catalog)
            except GatewayError as error:
                path = (*where[agent.id], "utilityModel") if agent.id in own else _UTILITY_MODEL
                left_out.append(Problem(path, error.message))
            else:
                if target is not None:
                    found[agent.id] = target
        return found

    def cluster(self, flags: Flags) -> Cluster:
        """What is shared with other processes."""
        found = cluster_of(self._loaded.config, flags.role)
        if not any_near(self._faulty, STORE_URL, BUS_URL, ("env",)):
            self._found += cluster_problems(found)
        return found

    def default_agent(self) -> None:
        """The rules have looked, but not at what a `$${NAME}` has become."""
        default_id = self._roster.default_id
        if not self._faulty and self._roster.get(default_id) is None:
            path = ("agents", "defaults", "systemAgent", "agentId")
            known = ", ".join(self._roster.ids)
            self._found.append(Problem(path, f'names the agent "{default_id}", which is none of {known}'))

    def _served(self) -> None:
        """What is asked for and would be missed, were it ignored in silence."""
        if self._loaded.config.gateway.mode == "remote":
            self._found.append(
                Problem(
                    ("gateway", "mode"),
                    'is "remote": this configuration is for a client of another machine\'s gateway; set it '
                    'to "local" to run one here',
                )
            )
        if _asks_for_tls(self._loaded.document):
            self._found.append(
                Problem(
                    ("gateway", "tls", "enabled"),
                    "is true, but this gateway does not serve TLS itself, and will not go without it in "
                    "silence; put a reverse proxy with TLS in front and remove gateway.tls",
                )
            )

    def _explained(self, ref: str) -> bool:
        """Whether what could not be read may be why this model is not known."""
        if not ref or any_above(self._unread, _PROVIDERS) or any_near(self._unread, ("env",)):
            return True
        if "/" not in ref and (self._torn or any_near(self._unread, ("agents", "defaults", "models"))):
            return True
        return provider_id(ref.partition("/")[0]) in self._torn

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except ConfigError as error:
            self._found += map(_placed, error.problems)


def _replaced(default: Choice, instead: Iterable[Targets]) -> Choice:
    """`instead` are the first models that agents have in its place."""
    refs = ", ".join(dict.fromkeys(target.ref for targets in instead for target in targets))
    if not refs:
        return Choice(default.ref, f"{default.ref} cannot be had, and no other takes its place.")
    return Choice(default.ref, f"{refs} is used, because {default.ref} cannot be had.")


def _with_agents(left_out: Iterable[Problem], without: Mapping[KeyPath, list[str]]) -> Iterator[Problem]:
    """The last reason at each path says which agents answer 503 for it, so that no agent is told twice."""
    last = {problem.path: problem for problem in left_out}
    for problem in left_out:
        agents = without.get(problem.path, ())
        if not agents or last[problem.path] != problem:
            yield problem
            continue
        names = ", ".join(f'"{agent}"' for agent in agents)
        one = f"the agent {names} has no other model and answers 503"
        many = f"the agents {names} have no other model and answer 503"
        yield Problem(problem.path, f"{problem.message.rstrip('.')}; {one if len(agents) == 1 else many}")


def _placed(sentence: str) -> Problem:
    """A sentence that begins with a key of the file belongs to that key; else with a flag or a variable."""
    key, _, message = sentence.partition(": ")
    if key.startswith("gateway."):
        return Problem(tuple(key.split(".")), message)
    return Problem((), message, Position(key, 0))


def _asks_for_tls(document: Mapping[str, Any]) -> bool:
    gateway = document.get("gateway")
    tls = gateway.get("tls") if isinstance(gateway, dict) else None
    return isinstance(tls, dict) and tls.get("enabled") is True
