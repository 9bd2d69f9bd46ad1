"""The table of targets: the settings choose one of its names, and never code.

The part after the colon (``ppa:OWNER/NAME``) is the argument of the entry before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from toolsync.config.settings import Config
from toolsync.http.gateway import open_http
from toolsync.model.errors import SetupError
from toolsync.model.release import Blob
from toolsync.publish.target import Target
from toolsync.system.clock import Clock
from toolsync.system.gpg import SigningHome
from toolsync.system.run import run
from toolsync.system.signing import Signer
from toolsync.system.store import Store
from toolsync.system.work import Workshop

if TYPE_CHECKING:
    from toolsync.publish.origs import Fetch
    from toolsync.system.dput import Sent, Server
    from toolsync.system.launchpad import Launchpad

Opener = Callable[[str, Config, Store, Workshop, Clock], Target]
"""Takes what stands after the colon, the set-up, and where files are."""


_PPA = re.compile(r"([a-z0-9][a-z0-9+.-]*)/([a-z0-9][a-z0-9+.-]*)")


def _local(_rest: str, config: Config, store: Store, workshop: Workshop, clock: Clock) -> Target:
    from toolsync.publish.local import LocalArchive

    return LocalArchive(
        config.archive,
        settings=config.local,
        series=config.series,
        owner=config.maintainer,
        store=store,
        workshop=workshop,
        signing=SigningHome(config.state / "gnupg"),
        limits=config.limits,
        clock=clock,
    )


def _ppa(rest: str, config: Config, store: Store, workshop: Workshop, clock: Clock) -> Target:
    place = _PPA.fullmatch(rest)
    if place is None:
        raise SetupError(
            f"'ppa:{rest}' names no PPA, wanted: ppa:OWNER/NAME",
            resolution="Mend `target` in toolsync.toml, or --target.",
        )

    from toolsync.publish.ppa import PpaTarget
    from toolsync.system import dput

    def send(changes: Path, server: Server, env: Mapping[str, str]) -> Sent:
        with workshop.folder("dput") as folder:
            return dput.send(changes, server, env=env, seconds=config.ppa.seconds, folder=folder)

    return PpaTarget(
        place[1],
        place[2],
        settings=config.ppa,
        api=open_launchpad(config, clock),
        send=send,
        fetch=fetcher(config, store, clock),
        limits=config.limits,
        signer=open_signer(config),
        store=store,
        workshop=workshop,
        clock=clock,
        architecture=run("dpkg", "--print-architecture", timeout=20).out.strip(),
    )


def fetcher(config: Config, store: Store, clock: Clock) -> Fetch:
    """Return a downloader that puts one of Launchpad's files into the store, whole or not."""

    def fetch(url: str, name: str, limit: int) -> Blob:
        with closing(open_http(config, clock)) as http:

            def attempt() -> Blob:
                with store.writing(name) as sink:
                    http.download(url, lambda _: sink, limit=limit, seconds=config.limits.seconds)
                return sink.blob

            return http.retrying(attempt)

    return fetch


def open_launchpad(config: Config, clock: Clock) -> Launchpad:
    """Return a client of the Launchpad that the settings name; nothing is requested yet."""
    from toolsync.system.launchpad import Launchpad

    token = launchpad_token(config)
    return Launchpad(
        config.ppa.api,
        cache=token.with_name("cache"),
        token=token,
        clock=clock,
        timeout=max(config.timeout, 30),
    )


def launchpad_token(config: Config) -> Path:
    """Return where the token lies, or would."""
    return config.state / "launchpad" / "token"


def open_signer(config: Config) -> Signer:
    """Return the signer of uploads."""
    return Signer(
        SigningHome(config.state / "gnupg"),
        keyring=config.ppa.keyring,
        key=config.ppa.key,
        passphrase_file=config.ppa.passphrase_file,
    )


TARGETS: Mapping[str, Opener] = {"local": _local, "ppa": _ppa}


def open_target(
    name: str, config: Config, store: Store, workshop: Workshop, clock: Clock
) -> Target:
    """Return the target called ``name``; raise SetupError when there is none of that kind.

    Nothing is written or connected to before the target is first used.
    """
    kind, _, rest = name.partition(":")
    if kind not in TARGETS:
        raise SetupError(
            f"there is no target {name!r}; there are: {', '.join(sorted(TARGETS))}",
            resolution="Mend `target` in toolsync.toml, or name one of these with --target.",
        )
    return TARGETS[kind](rest, config, store, workshop, clock)
