"""What a failure below HTTP means: aiohttp's, the system's and TLS's errors in, one ProviderError out.

Pure. The text of those errors is not passed on: it names hosts, ports and paths.
"""

import ssl
from enum import Enum

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from openclaw_gateway.errors import ProviderError, ProviderReason
from openclaw_gateway.models.vendor_errors import Vendor

FAILURES = (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError, ValueError, RuntimeError)
"""Everything aiohttp raises for a request that goes wrong: ValueError for a bad URL, RuntimeError for a
connection that our own side has closed."""


class Phase(Enum):
    """Before or after the status line."""

    REQUEST = "before it answered"
    ANSWER = "in the middle of its answer"


_LIMITS = {Phase.REQUEST: "upstreamFirstByteSeconds", Phase.ANSWER: "upstreamSilenceSeconds"}
_BASE_URL = "models.providers.{provider}.baseUrl"

# The first row that fits counts: aiohttp's connection errors are OSErrors, its time-outs are both, its
# certificate errors are ValueErrors as well. The last column: whether the same request may work a moment
# later; None = as the reason says.
_TABLE: tuple[tuple[tuple[type[BaseException], ...], ProviderReason, str, bool | None], ...] = (
    (
        (aiohttp.ConnectionTimeoutError,),
        "timeout",
        f"did not take the connection in time. Check {_BASE_URL}.",
        None,
    ),
    (
        (TimeoutError,),
        "timeout",
        "sent nothing for too long {phase}. Try again later. How long it may be silent is set in "
        "models.providers.{provider}.timeoutSeconds, for all providers in gateway.limits.{limit}.",
        None,
    ),
    (
        (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError, ssl.SSLError),
        "unreachable",
        f"cannot be reached over TLS. Check {_BASE_URL}; for a private authority set SSL_CERT_FILE.",
        False,
    ),
    (
        (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError),
        "unreachable",
        "cannot be reached through the proxy. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
        None,
    ),
    (
        (aiohttp.ClientConnectorDNSError,),
        "unreachable",
        f"has a host name that is not found. Check {_BASE_URL}.",
        None,
    ),
    (
        (aiohttp.ClientConnectorError,),
        "unreachable",
        f"cannot be reached. Is its server running? Check {_BASE_URL}.",
        None,
    ),
    (
        (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientOSError),
        "cut",
        "closed the connection {phase}. Try again.",
        None,
    ),
    (
        (aiohttp.ClientResponseError, HttpProcessingError),
        "bad_response",
        f"did not answer in proper HTTP. Check {_BASE_URL}.",
        None,
    ),
    (
        (aiohttp.NonHttpUrlClientError, ValueError),
        "bad_response",
        "cannot be asked: its base URL, its key or one of its headers is not fit for a request. Check "
        "models.providers.{provider}.",
        None,
    ),
    ((BaseException,), "cut", "lost the connection {phase}. Try again.", None),
)


def translate(error: BaseException, vendor: Vendor, phase: Phase) -> ProviderError:
    """The ProviderError for one of FAILURES."""
    reason, sentence, retryable = next(row[1:] for row in _TABLE if isinstance(error, row[0]))
    what = sentence.format(provider=vendor.provider, phase=phase.value, limit=_LIMITS[phase])
    translated = ProviderError(reason, f"The provider {vendor.provider} {what}")
    if retryable is not None:
        translated.retryable = retryable
    return translated
