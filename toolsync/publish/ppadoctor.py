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
        yield f"{name} {one}", lambda one=one: _series(api, archive(), one)  # type: ignore[misc]
    if series:
        yield (
            f"rights on {name}",
            lambda: preflight.check_rights(api, archive().reference, uploader(), series[-1], name),
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


def _series(api: Launchpad, archive: Archive, series: str) -> str:
    status = preflight.check_series(api, archive, series)
    built = api.architectures(archive.reference, series)
    if not built:
        raise SetupError(
            f"{archive.title or archive.reference} builds nothing in {series} ({status})",
            resolution="Wait until Launchpad builds for it, or let the PPA build another"
            " architecture (on its page: Change details).",
        )
    return f"takes uploads, builds {', '.join(built)}"


def _server(server: Server, workshop: Workshop) -> str:
    with workshop.folder("try") as folder:
        return dput.reach(server, folder)
