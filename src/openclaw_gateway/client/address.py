"""Where a gateway is, and what to say when it is not there. Pure."""

import aiohttp
from yarl import URL

from openclaw_gateway.client.errors import ConnectionLost, GatewayUnreachable

_RESTART = 1012


class Address:
    """`shown` leaves out what may be secret in an address. `here`: it is this machine's own gateway that is
    meant, which whoever asks can start."""

    def __init__(self, url: str, *, here: bool = True) -> None:
        self._remedy = (
            "Start it with `openclaw gateway run`."
            if here
            else "Check the address, and whether a gateway runs there and can be reached from this machine."
        )
        self.url: URL | None
        try:
            self.url = URL(url)
        except ValueError:
            self.url = None
        usable = self.url is not None and self.url.scheme in ("ws", "wss") and bool(self.url.host)
        if not usable:
            self.url = None
        self.shown = str(self.url.with_user(None).with_query(None).with_fragment(None)) if self.url else "?"

    def unreachable(self, why: str) -> GatewayUnreachable:
        """Nobody is there, or not who was expected."""
        return GatewayUnreachable(f"Gateway not reachable at {self.shown}: {why}. {self._remedy}")

    def unopened(self, error: Exception) -> GatewayUnreachable:
        """`error` is what aiohttp says of a connection that could not be made."""
        match error:
            case aiohttp.ClientConnectorCertificateError():
                why = "this machine does not trust its certificate"
            case aiohttp.ClientSSLError():
                why = "it does not speak TLS (ws:// instead of wss://?)"
            case aiohttp.ClientConnectorDNSError():
                why = "no such name is known"
            case _:
                why = "nothing listens there"
        return self.unreachable(why)

    def unusable(self) -> GatewayUnreachable:
        return GatewayUnreachable("The gateway's address must be a URL such as ws://127.0.0.1:18789.")

    def lost(self, close_code: int | None, reason: str) -> ConnectionLost:
        """It was there, and is no longer."""
        if close_code == _RESTART:
            text = f"The gateway at {self.shown} is restarting. Try again in a few seconds."
        else:
            why = f" ({reason})" if reason else ""
            text = f"The connection to the gateway at {self.shown} was lost{why}."
        return ConnectionLost(text, close_code=close_code)

    def garbled(self) -> ConnectionLost:
        """Something answers, in another language."""
        return ConnectionLost(f"What answers at {self.shown} does not speak the gateway's protocol.")
