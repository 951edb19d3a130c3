"""One browser for the tests of the control page in a process, a person with a page of their own for each."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.npm_packages import NotInstalled
from tests.page.chromium import Browser
from tests.page.person import Sits, at_a_desk


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """To start one costs as much as what a test does in it."""
    try:
        found = Browser()
    except NotInstalled as error:
        pytest.skip(str(error))
    yield found
    found.end()


@pytest.fixture
def person(browser: Browser) -> Sits:
    return partial(at_a_desk, browser)
