"""The record of a PPA on Launchpad, as a target, and what else is opened by [ppa]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from toolsync.config import keys
from toolsync.model.errors import SetupError
from toolsync.publish.kind import Opening, TargetKind

if TYPE_CHECKING:
    from toolsync.config.settings import Config
    from toolsync.http.client import Http
    from toolsync.model.release import Blob
    from toolsync.publish.origs import Fetch
    from toolsync.publish.target import Target
    from toolsync.system.clock import Clock
    from toolsync.system.dput import Sent, Server
    from toolsync.system.launchpad import Launchpad
    from toolsync.system.signing import Signer
    from toolsync.system.store import Store

_NAME = "[a-z0-9][a-z0-9+.-]*"


def _open(given: Opening) -> Target:
    place = re.fullmatch(f"({_NAME})/({_NAME})", given.rest)
    if place is None:
        raise SetupError(
            f"'ppa:{given.rest}' names no PPA, wanted: {PPA.form}",
            resolution="Mend `target` in toolsync.toml, or --target.",
        )

    from toolsync.publish.ppa import PpaTarget
    from toolsync.system import dput
    from toolsync.system.architectures import own

    config, workshop = given.config, given.workshop

    def send(changes: Path, server: Server, env: Mapping[str, str]) -> Sent:
        with workshop.folder("dput") as folder:
            return dput.send(changes, server, env=env, seconds=config.ppa.seconds, folder=folder)

    return PpaTarget(
        place[1],
        place[2],
        settings=config.ppa,
        api=open_launchpad(config, given.clock),
        send=send,
        fetch=fetcher(given.http, given.store, seconds=config.limits.seconds),
        limits=config.limits,
        signer=open_signer(config),
        store=given.store,
        workshop=workshop,
        clock=given.clock,
        architecture=own(),
    )


def fetcher(http: Http, store: Store, *, seconds: float) -> Fetch:
    """Return a downloader that puts one of Launchpad's files into the store, whole or not at all.

    ``seconds`` bound each download.
    """

    def fetch(url: str, name: str, limit: int) -> Blob:
        def attempt() -> Blob:
            with store.writing(name) as sink:
                http.download(url, lambda _: sink, limit=limit, seconds=seconds)
            return sink.blob

        return http.retrying(attempt)

    return fetch


def open_launchpad(config: Config, clock: Clock) -> Launchpad:
    """Return Launchpad as the set-up names it; nothing is asked yet."""
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
    from toolsync.system.gpg import SigningHome
    from toolsync.system.signing import Signer

    return Signer(
        SigningHome(config.state / "gnupg"),
        keyring=config.ppa.keyring,
        key=config.ppa.key,
        passphrase_file=config.ppa.passphrase_file,
    )


def _programs(config: Config) -> tuple[str, ...]:
    return ("dput", "sftp") if config.ppa.method == "sftp" else ("dput",)


def _builds_here(config: Config) -> bool:
    return config.ppa.build_first


PPA = TargetKind(
    name="ppa",
    about="Launchpad and its PPAs",
    form="ppa:OWNER/NAME",
    pattern=f"ppa:{_NAME}/{_NAME}",
    open=_open,
    distribution="ubuntu",
    settings={
        "host": keys.text(
            "the server that takes uploads, with a port after a colon if it is not the usual one"
        ),
        "alternative": keys.text("the server to try when the first one fails; empty for none"),
        "method": keys.choice("ftp or sftp", ("ftp", "sftp")),
        "login": keys.text("the login; for sftp the Launchpad id of the uploader"),
        "known_hosts": keys.text(
            "for sftp: the file that names the server's host key (ssh_known_hosts)"
        ),
        "identity": keys.text(
            "for sftp: the file of the private SSH key; ssh's own choice if empty"
        ),
        "seconds": keys.number("seconds for one try to upload"),
        "retries": keys.number("how often a failed upload is tried again in one run", least=0),
        "keyring": keys.text("the GnuPG home that holds the signing key; toolsync's own if empty"),
        "key": keys.text(
            "full fingerprint of the key that signs uploads; toolsync's own if empty",
            pattern="^([0-9A-Fa-f] *){40}$",
        ),
        "passphrase_file": keys.text(
            "the file that holds the key's passphrase, if it has one and no agent knows it"
        ),
        "build_first": keys.flag("whether a package is built here before it is uploaded"),
        "api": keys.text("production, or the address of another Launchpad's API"),
        "archive": keys.address("the address below which instances find PPAs"),
        "apt": keys.flag("whether a publication is confirmed with apt"),
        "accept_minutes": keys.number(
            "minutes after which an upload that Launchpad does not show is lost"
        ),
        "build_hours": keys.number("hours after which a build that has not ended is stuck"),
        "publish_hours": keys.number("hours after which what was built and is not served is stuck"),
        "staging": keys.text(
            "ppa:OWNER/NAME, where tools of the channel staging go first",
            pattern=f"^ppa:{_NAME}/{_NAME}$",
        ),
    },
    programs=_programs,
    builds_here=_builds_here,
)
