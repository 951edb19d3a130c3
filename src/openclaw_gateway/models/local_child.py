"""The embedded model's own process: llama.cpp's OpenAI-compatible server on a random loopback port.

Run as `python -m openclaw_gateway.models.local_child`. One JSON line on stdin says what to serve; one JSON
line on stdout says where. It lives as long as its stdin is open, so it dies with the gateway however
that dies. It must not know anything else of the gateway.
"""

import os
import sys
from typing import Any

import msgspec
from msgspec import Struct


class Orders(Struct, frozen=True):
    """What the parent writes. The key is here because arguments and environments can be read by others.

    The context is shared by `parallel` requests; each number is measured, see the embedded model's notes.
    """

    model: str
    api_key: str
    threads: int = 1  # 2 on a busy machine with two cores fell to 3.6 tokens a second
    context: int = 4096
    parallel: int = 2
    batch: int = 256  # with 2048 one long prompt stops the other streams for 14 s
    # Vectors instead of answers: the mean of a text's tokens, of length 1. A text must fit into one batch.
    embeds: bool = False


class Ready(Struct, frozen=True):
    """What the child answers when it can take requests."""

    base_url: str


def main() -> None:
    """Serve until stdin closes."""
    answer = _private_stdout()
    line = sys.stdin.buffer.readline()
    if not line:
        return
    orders = msgspec.json.decode(line, type=Orders)
    server = _serve(orders)
    os.write(answer, msgspec.json.encode(Ready(f"{server.listening_address}/v1")) + b"\n")
    os.close(answer)
    while sys.stdin.buffer.read(4096):
        pass
    # Not a clean end of the server: a prefill cannot be interrupted and would hold the process for seconds.
    os._exit(0)


def _private_stdout() -> int:
    """Where the answer goes, and llama.cpp's own chatter does not."""
    private = os.dup(1)
    os.dup2(2, 1)
    return private


def _serve(orders: Orders) -> Any:
    # Here, not at the top: the parent imports this module for its structs and does without the library.
    import xllamacpp  # noqa: PLC0415

    params = xllamacpp.CommonParams()
    params.model.path = orders.model
    params.api_keys = [orders.api_key]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.cpuparams.n_threads = orders.threads
    params.cpuparams_batch.n_threads = orders.threads
    params.n_ctx = orders.context
    params.n_parallel = orders.parallel
    params.n_batch = orders.batch
    if orders.embeds:
        params.n_ubatch = orders.batch
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.cache_ram_mib = 0  # 8192 if not set
    params.sse_ping_interval = 1
    params.ui = False
    params.endpoint_slots = False
    params.cors_origins = ""
    params.verbosity = 1
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
