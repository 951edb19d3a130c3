"""What of a new blueprint a gateway cannot take up while it runs. Pure."""

from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.config.auth import exposure
from openclaw_gateway.config.brands import env, env_names
from openclaw_gateway.config.places import Problem


def needs_restart(started: Blueprint, now: Blueprint) -> tuple[str, ...]:
    """The settings that are other ones than those the gateway was started with and that it still goes by."""
    names: list[str] = []
    if started.listen is not None and now.listen is not None:
        if started.listen.port != now.listen.port:
            names.append("gateway.port")
        if started.listen.hosts != now.listen.hosts:
            names.append("gateway.bind")
    if started.cluster.store_url != now.cluster.store_url:
        names.append("store.url")
    if started.cluster.bus_url != now.cluster.bus_url:
        names.append("bus.url")
    if started.cluster.lease_s != now.cluster.lease_s:
        names.append("store.leaseSeconds")
    if started.cluster.keeps_config != now.cluster.keeps_config:
        names.append("store.config")
    if env(started.loaded.environ, "LOCAL_MODEL") != env(now.loaded.environ, "LOCAL_MODEL"):
        names.append(env_names("LOCAL_MODEL"))
    return tuple(names)


def dangers_of(started: Blueprint, now: Blueprint) -> tuple[Problem, ...]:
    """Why a gateway that was started otherwise must not go by `now`, though a start of its own would."""
    if now.auth.generated and not started.auth.generated:
        why = "names no secret any more, and one made up now nobody would know; set one, or start anew"
        return (Problem(("gateway", "auth"), why),)
    hosts = started.listen.hosts if started.listen is not None else ()
    why = next((weakness for host in hosts if (weakness := exposure(host, now.auth)) is not None), "")
    if not why:
        return ()
    return (Problem(("gateway", "auth"), f"the gateway listens where it was started to: {why}"),)
