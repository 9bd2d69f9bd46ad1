"""A Launchpad with one PPA, uploads to it, and launchpadlib's client: for tests of its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.launchpad import LaunchpadServer
from tests.servers.launchpad_archive import Ppa
from tests.support.keys import throwaway_keys
from tests.support.uploads import PLACE, Makers, write_upload


@pytest.fixture(scope="module")
def makers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Makers]:
    folder = tmp_path_factory.mktemp("keys")
    with throwaway_keys() as keys:
        maker, other, stranger = [keys.make(name) for name in ("maker", "other", "stranger")]
        expired = keys.make("expired", expire="2025-01-01")
        keys.export(folder / "maker.asc", maker)
        keys.export(folder / "other.asc", other)
        keys.export(folder / "expired.asc", expired)
        yield Makers(keys, maker, other, stranger, expired, folder)


@pytest.fixture
def launchpad(tmp_path: Path, makers: Makers) -> Iterator[LaunchpadServer]:
    (tmp_path / "incoming").mkdir()
    with LaunchpadServer(tmp_path / "incoming") as server:
        server.add_person("maker", makers.folder / "maker.asc", makers.folder / "expired.asc")
        server.add_person("other", makers.folder / "other.asc")
        server.add_ppa("maker", "stable")
        yield server


@pytest.fixture
def ppa(launchpad: LaunchpadServer) -> Ppa:
    return launchpad.ppas["maker", "stable"]


@pytest.fixture
def upload(launchpad: LaunchpadServer, makers: Makers, tmp_path: Path) -> Callable[..., str]:
    """Make an upload, let Launchpad decide about it, and return what its mail says."""
    serial = iter(range(100))

    def send(signer: str = makers.maker, *, place: str = PLACE, **words: Any) -> str:
        folder = tmp_path / f"upload-{next(serial)}"
        write_upload(folder, makers.keys, signer, **words)
        before = len(launchpad.mails)
        launchpad.receive(folder, place)
        launchpad.tick(minutes=6)
        return "".join(mail.body for mail in launchpad.mails[before:])

    return send


@pytest.fixture
def log_in(launchpad: LaunchpadServer, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Make launchpadlib's client, anonymous or with a token, and close it after the test."""
    from launchpadlib.credentials import AccessToken, AnonymousAccessToken, Credentials
    from launchpadlib.launchpad import Launchpad

    opened: list[Any] = []

    class Closed(Launchpad):  # type: ignore[misc]
        def httpFactory(self, *words: Any) -> Any:  # noqa: N802
            opened.append(super().httpFactory(*words))
            return opened[-1]

    def make(token: str = "token", secret: str = "secret", *, anonymous: bool = False) -> Any:
        access = AnonymousAccessToken() if anonymous else AccessToken(token, secret)
        credentials = Credentials("toolsync-test", access_token=access)
        cache, root = str(tmp_path / "cache"), launchpad.service_root
        # No engine: nobody is asked for a new token where one is bad.
        return Closed(credentials, None, None, root, cache, version="devel")

    yield make
    for connection in opened:
        connection.close()


@pytest.fixture
def client(log_in: Callable[..., Any]) -> Any:
    """launchpadlib's client, anonymous."""
    return log_in(anonymous=True)


@pytest.fixture
def maker(launchpad: LaunchpadServer, log_in: Callable[..., Any]) -> Any:
    """launchpadlib's client, logged in as the PPA's owner."""
    launchpad.add_token("maker")
    return log_in()
