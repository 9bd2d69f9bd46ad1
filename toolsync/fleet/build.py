"""Tasks of the kind build: build and test a source package for one series and architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from toolsync.build.backends import backend_of
from toolsync.build.job import Part
from toolsync.build.stage import Product, make
from toolsync.config.settings import Config
from toolsync.fleet.built import judged
from toolsync.fleet.checks import read_value, require_files, require_names
from toolsync.fleet.kind import FORM, Kind, Machine
from toolsync.model.errors import Hostile
from toolsync.model.values import WHILE_FILLED, Blob
from toolsync.system.architectures import native, own
from toolsync.system.programs import find


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildAsked:
    """One source package, to be built for one series on one architecture."""

    name: str
    version: str
    series: str
    architecture: str
    files: tuple[Blob, ...]
    """The .dsc first, then what it names: in the store."""
    backend: str
    tests: bool
    lint: bool
    rebuild: bool
    known: tuple[str, ...]
    """Errors of lintian's that the packaging had before."""
    alone: bool = field(default=False, metadata=WHILE_FILLED)
    """Whether only packages of the architecture are wanted: those for all are made elsewhere."""
    beside: tuple[Blob, ...] = field(default=(), metadata=WHILE_FILLED)
    """Those, which the tests may need: in the store."""
    form: int = FORM


def read_asked(data: object) -> BuildAsked:
    """Return a question that came by the broker; raises Hostile where it is none."""
    asked = read_value(BuildAsked, data, "a task")
    if asked.form != FORM:
        raise Hostile(f"a task of form {asked.form}, this worker knows {FORM}")
    require_names(asked.name, asked.series, asked.architecture, asked.backend)
    require_files((*asked.files, *asked.beside))
    if not asked.files or not asked.files[0].name.endswith(".dsc"):
        raise Hostile("a task without a .dsc")
    return asked


def _do(asked: BuildAsked, machine: Machine) -> Product:
    """Build on this machine: within its own limits, and as was asked for."""
    settings = replace(
        machine.config.build,
        backend=asked.backend,
        tests=asked.tests,
        lint=asked.lint,
        rebuild=asked.rebuild,
    )
    return make(
        asked,
        settings=settings,
        store=machine.store,
        workshop=machine.workshop,
        chroots=machine.chroots,
        known=asked.known,
        part=Part(architecture=asked.architecture, alone=asked.alone),
        beside=asked.beside,
    )


def _queues(config: Config) -> Sequence[str]:
    """Return the queues of the architectures that this machine's processor runs.

    None where it lacks what builds. What qemu-user could do besides is done where --queues says so:
    it takes many times as long.
    """
    if config.build.backend == "sbuild" and not find("sbuild"):
        return ()
    foreign = backend_of(config.build).foreign and find("arch-test")
    return tuple(map(queue_of, native() if foreign else (own(),)))


def queue_of(architecture: str) -> str:
    """Return the queue of those who build for an architecture."""
    return f"build.{architecture}"


BUILD = Kind(
    name="build",
    about=lambda asked: (
        f"{asked.name} {asked.version} for {asked.series}"
        + (f" on {asked.architecture}" if asked.alone else "")
    ),
    queue=lambda asked: queue_of(asked.architecture),
    queues=_queues,
    read=read_asked,
    do=_do,
    judge=lambda asked, data, store, _limits: judged(asked, data, store),
)
