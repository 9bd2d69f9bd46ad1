"""What has to be right before uploads to a PPA can succeed, each as something to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from toolsync.model.errors import SetupError
from toolsync.publish import preflight
from toolsync.publish.target import Looks
from toolsync.system import dput
from toolsync.system.dput import Server
from toolsync.system.launchpad import Launchpad
from toolsync.system.launchpadvalues import Archive
from toolsync.system.signing import Signer
from toolsync.system.work import Workshop


def looks(
    name: str,
    archive: Callable[[], Archive],
    *,
    api: Launchpad,
    signer: Signer,
    uploader: Callable[[], str],
    servers: Sequence[Server],
    series: Sequence[str],
    workshop: Workshop,
    now: datetime,
) -> Looks:
    """Yield all looks at one PPA; ``series`` are those that the set-up names."""
    yield "signing key", lambda: _key(signer, workshop, now)
    yield "Launchpad login", lambda: _login(api)
    yield (
        "registered key",
        lambda: preflight.check_key(api, signer.fingerprint, uploader()),
    )
    yield name, lambda: _archive(archive())
    for one in series:
        yield f"{name} {one}", lambda one=one: _series(api, one)  # type: ignore[misc]
    if series:
        yield (
            f"rights on {name}",
            lambda: _rights(api, archive().reference, uploader(), series[-1]),
        )
    for server in servers:
        yield (
            f"server {server.host}",
            lambda server=server: _server(server, workshop),  # type: ignore[misc]
        )


def _key(signer: Signer, workshop: Workshop, now: datetime) -> str:
    key = signer.alive(now)
    with workshop.folder("try") as folder, signer.opened() as env:
        probe = folder / "probe"
        probe.write_text("signed to see whether it can be\n", encoding="ascii")
        signer.clearsign(probe, env)
    until = f"until {key.expires:%Y-%m-%d}" if key.expires else "without an end"
    return f"{key.fingerprint} is valid {until}, and signs"


def _login(api: Launchpad) -> str:
    if api.is_anonymous:
        return "nobody, which is enough to publish; to copy needs: toolsync launchpad login"
    return f"~{api.me()}"


def _archive(archive: Archive) -> str:
    preflight.check_archive(archive)
    room = f", {archive.allowed // 1024**2} MiB allowed" if archive.allowed else ""
    key = archive.fingerprint or "made after the first upload"
    kind = "private" if archive.private else "public"
    return f"{kind}{room} (used: see {archive.link}), its key: {key}"


def _series(api: Launchpad, series: str) -> str:
    preflight.check_series(api, series)
    return "takes uploads"


def _rights(api: Launchpad, reference: str, person: str, series: str) -> str:
    refusal = api.may_upload(reference, person, series, "toolsync-probe")
    if refusal:
        raise SetupError(
            f"~{person} may not upload: {refusal}",
            resolution="Let the PPA's owner give the rights, or upload as somebody else:"
            " [ppa] login, key.",
        )
    return f"~{person} may upload"


def _server(server: Server, workshop: Workshop) -> str:
    with workshop.folder("try") as folder:
        return dput.reach(server, folder)
