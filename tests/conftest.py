"""Fixtures that many tests share."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig

if TYPE_CHECKING:
    from tests.support.ppas import Goods, Yard


def pytest_configure() -> None:
    """Let what is started here be stopped, also where the tests run in the background.

    A shell starts a background job with SIGINT ignored, nohup with SIGHUP, and every child
    inherits that; of a handler none does.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: what a compressor writes may have the time in it.

    pytest-xdist's workers each collect the tests and have to find the same names.
    """
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Collect what launchpadlib leaves open while the test's own filter still stands.

    Its connections lie in reference cycles: whichever test ran when they were collected was blamed.
    """
    filters = [text for mark in item.iter_markers("filterwarnings") for text in mark.args]
    if any("ResourceWarning" in text for text in filters):
        gc.collect()


@pytest.fixture
def web() -> Iterator[Web]:
    """A vendor's web server on loopback."""
    with Web() as server:
        yield server


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A set-up that builds quickly, on this machine as it is."""
    return Rig(tmp_path)


@pytest.fixture(scope="module")
def goods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Goods]:
    """Signed source packages, made once for a module."""
    from tests.support.keys import throwaway_keys
    from tests.support.ppas import Goods

    with throwaway_keys() as keys:
        yield Goods(tmp_path_factory.mktemp("goods"), keys)


@pytest.fixture
def yard(tmp_path: Path, goods: Goods) -> Iterator[Yard]:
    """A PPA on a Launchpad of its own, and what is to be sent there."""
    from tests.support.ppas import Yard

    found = Yard(tmp_path, goods)
    yield found
    found.close()
