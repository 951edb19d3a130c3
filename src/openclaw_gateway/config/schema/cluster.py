"""The `store` and `bus` sections: where several machines keep what they have in common. Ours alone."""

from msgspec import Struct

from openclaw_gateway.config.schema.values import Seconds, Secret


class StoreConfig(Struct, frozen=True, rename="camel"):
    """`url` None is a file in the state directory. With `config` the rest of the configuration is kept in the
    store too, the same for all. A process that has not been heard of for `lease_seconds` counts as gone."""

    url: Secret | None = None
    config: bool = False
    lease_seconds: Seconds = 15.0


class BusConfig(Struct, frozen=True, rename="camel"):
    """`url` None is the memory of this one process."""

    url: Secret | None = None
