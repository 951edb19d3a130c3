"""What a start decides from its configuration, all of it, before anything is opened.

Pure. `config validate` prints a blueprint, a start opens it, a reload compares two. What is wrong is in
`problems`, all of it at once: a blueprint without problems can be opened, and nothing but the machine (a port
that is taken, a disk that is full) can be in the way. What cannot be served while the rest can is in
`left_out`; what is right and perhaps not meant, and all that is left out, in `notes`.
"""

from collections.abc import Iterable, Mapping
from datetime import tzinfo

from msgspec import Struct

from openclaw_gateway.agents.homes import Home, homes_of
from openclaw_gateway.agents.roster import Roster, compile_roster, entries_of
from openclaw_gateway.agents.zone import zone_of
from openclaw_gateway.blueprint.cluster import Cluster, cluster_notes
from openclaw_gateway.blueprint.given import Flags, Machine, Options
from openclaw_gateway.blueprint.notes import notes_of
from openclaw_gateway.blueprint.problems import Findings
from openclaw_gateway.blueprint.written import agents_in
from openclaw_gateway.config.auth import ResolvedAuth
from openclaw_gateway.config.load import LoadedConfig, Partly
from openclaw_gateway.config.places import Problem, dotted
from openclaw_gateway.config.shown import Shown, shown
from openclaw_gateway.gateway.guard import Guard
from openclaw_gateway.gateway.proxies import Proxies
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import Choice
from openclaw_gateway.models.embeddings.choice import EmbeddingChoice
from openclaw_gateway.models.keys import Keys
from openclaw_gateway.runs.plans.known_models import KnownModels
from openclaw_gateway.runs.plans.model_choices import ModelChoices
from openclaw_gateway.runs.plans.planning import Settled, settle

__all__ = ["Blueprint", "Flags", "Listen", "Machine", "Options", "blueprint"]


class Listen(Struct, frozen=True):
    """`hosts` are addresses; `port` 0 is any free one."""

    hosts: tuple[str, ...]
    port: int


class Blueprint(Struct, frozen=True):
    """With problems, what they concern is missing or stands for nothing, and the blueprint is not opened.

    `model` is the default agents get, `agents` what is settled for each, `prompts` where each has its files.
    `refusals` say of the agents that have none of their models why not. `listen` is None for a gateway
    without a port. `unserved` are the keys of the file without effect; `shown` is what clients may see of it.
    """

    loaded: LoadedConfig
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    left_out: tuple[Problem, ...]
    roster: Roster
    model: Choice
    catalog: Catalog
    agents: Mapping[str, Settled]
    refusals: Mapping[str, str]
    prompts: Mapping[str, Home]
    zone: tzinfo | None
    guard: Guard
    proxies: Proxies
    auth: ResolvedAuth
    listen: Listen | None
    unserved: tuple[str, ...]
    shown: Shown
    embeddings: EmbeddingChoice
    choices: ModelChoices
    cluster: Cluster

    @property
    def known_models(self) -> KnownModels:
        listed = tuple(self.loaded.config.agents.defaults.models)
        return KnownModels(self.roster, self.catalog, self.model.ref, listed)


def blueprint(read: Partly, flags: Flags, machine: Machine) -> Blueprint:
    """Never raises: whatever is wrong becomes a problem."""
    loaded, config = read.loaded, read.loaded.config
    roster, homes = compile_roster(config.agents), homes_of(loaded)
    keys = Keys(config, flags.keys(loaded.environ), machine.outside)
    catalog = Catalog(config, flags.keys(loaded.environ), keys)
    found = Findings(read, roster, machine.missing)
    auth = found.auth(flags, machine)
    model = found.model(flags, machine, keys)
    served = found.targets(catalog, model)
    listen = None
    if flags.listens:
        hosts, port = found.listen(flags, auth)
        listen = Listen(hosts, port)
    found.default_agent()
    cluster = found.cluster(flags)
    entries = {entry.id: entry for entry in entries_of(config.agents)}
    left_out = (*served.left_out, *machine.left_out, *found.unreachable)
    notes = (
        *found.passed_over,
        *notes_of(read, catalog, machine.outside.stores),
        *cluster_notes(cluster),
    )
    choices = ModelChoices(config, homes, catalog)
    choices.look_up(roster)
    web = config.gateway
    return Blueprint(
        loaded=loaded,
        problems=found.problems(),
        notes=(*left_out, *(note for note in notes if not _told(note, left_out))),
        left_out=left_out,
        roster=roster,
        model=served.model,
        catalog=catalog,
        agents={
            agent.id: settle(
                agent,
                entries[agent.id],
                homes[agent.id],
                config,
                served.targets[agent.id],
                utility=served.utility.get(agent.id),
            )
            for agent in roster
            if served.targets[agent.id]
        },
        refusals=served.refusals,
        prompts=homes,
        zone=zone_of(config.agents.defaults.user_timezone),
        guard=Guard(web.allowed_hosts, (*web.http.cors.allowed_origins, *web.control_ui.allowed_origins)),
        proxies=Proxies(web.trusted_proxies),
        auth=auth,
        listen=listen,
        unserved=loaded.unserved,
        shown=shown(loaded),
        embeddings=EmbeddingChoice(
            config, catalog.endpoints, machine.outside, agents_in(loaded), embedded=machine.embedded_model
        ),
        choices=choices,
        cluster=cluster,
    )


def _told(note: Problem, left_out: Iterable[Problem]) -> bool:
    """Whether what is left out says it already: at its own place, or as the reason of a model."""
    reason = f"{dotted(note.path)} "
    return any(each.path == note.path or reason in each.message for each in left_out)
