"""A test that needs engines which this machine has not is skipped, and says what is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.engines import postgres, valkey


@contextmanager
def without_engines() -> Iterator[None]:
    try:
        yield
    except (postgres.NotInstalled, valkey.NotInstalled) as reason:
        pytest.skip(str(reason))
