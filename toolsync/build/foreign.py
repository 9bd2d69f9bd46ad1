"""Whether this machine can build for an architecture: its own, or one whose programs it runs."""

from __future__ import annotations

from toolsync.build.backend import Backend
from toolsync.model.errors import SetupError
from toolsync.system.architectures import own, runs
from toolsync.system.programs import find, how_to_get

_MEASURE = "arch-test"


def require_builder(backend: Backend, architecture: str) -> str:
    """Return in a phrase how this machine builds for an architecture.

    Raises SetupError where it cannot, or where that cannot be measured.
    """
    if architecture in ("", own()):
        return f"by the backend {backend.name}, on this machine's own architecture"
    elsewhere = (
        "have a worker of that architecture do it (docs/howto/fleet.md), or leave it out of"
        " [local] architectures."
    )
    if not backend.foreign:
        raise SetupError(
            f"nothing is built here for {architecture}: the backend {backend.name} builds for"
            f" {own()} alone",
            resolution=f"Build in clean chroots ([build] backend = 'sbuild'), {elsewhere}",
        )
    if find(_MEASURE) is None:
        raise SetupError(
            f"it cannot be told whether this machine ({own()}) runs programs of {architecture}:"
            f" {_MEASURE} is not here",
            resolution=f"{how_to_get(_MEASURE)}, {elsewhere}",
        )
    if not runs(architecture):
        raise SetupError(
            f"nothing is built here for {architecture}: this machine ({own()}) runs no programs of"
            " that architecture, neither by itself nor by qemu-user",
            resolution=f"apt install qemu-user-static binfmt-support, {elsewhere}",
        )
    return f"by the backend {backend.name}: this machine ({own()}) runs its programs"
