"""The conversation on stdin and stdout, which carry nothing else."""

import asyncio
import contextlib
import os
import stat
import sys
from collections.abc import AsyncIterator

MOST_BYTES = 64 << 20
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def stdio() -> AsyncIterator[Streams]:
    """What else is written to stdout meanwhile comes out on stderr. Raises ValueError that names the one of
    them which is a file: an editor is no file, and libuv ends the whole process over one."""
    for name, number in (("stdin", 0), ("stdout", 1)):
        if not _can_be_waited_for(number):
            raise ValueError(name)
    loop = asyncio.get_running_loop()
    ours = os.dup(1)
    os.dup2(2, 1)
    with open(ours, "wb", buffering=0) as out, open(os.dup(0), "rb", buffering=0) as source:  # noqa: ASYNC230, PTH123
        reader = asyncio.StreamReader(MOST_BYTES)
        reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), source)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, out)
        writer = asyncio.StreamWriter(transport, protocol, None, loop)
        try:
            yield reader, writer
            sys.stdout.flush()
        finally:
            reading.close()
            writer.close()


def _can_be_waited_for(number: int) -> bool:
    mode = os.fstat(number).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(number)
