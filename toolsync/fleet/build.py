"""Tasks of the kind build: build and test a source package for one series and architecture."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolsync.build.stage import Product, make
from toolsync.config.settings import Config
from toolsync.fleet.built import judged
from toolsync.fleet.checks import read_value, require_files, require_names
from toolsync.fleet.kind import FORM, Kind, Machine
from toolsync.model.errors import Hostile
from toolsync.model.values import Blob
from toolsync.system.run import run


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
    form: int = FORM


def read_asked(data: object) -> BuildAsked:
    """Return a question that came by the broker; raises Hostile where it is none."""
    asked = read_value(BuildAsked, data, "a task")
    if asked.form != FORM:
        raise Hostile(f"a task of form {asked.form}, this worker knows {FORM}")
    require_names(asked.name, asked.series, asked.architecture, asked.backend)
    require_files(asked.files)
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
    )


def _queues(config: Config) -> Sequence[str]:
    """Return the queue of this machine's architecture, where it has what builds."""
    if config.build.backend == "sbuild" and not shutil.which("sbuild"):
        return ()
    return (f"build.{run('dpkg', '--print-architecture', timeout=60).out.strip()}",)


BUILD = Kind(
    name="build",
    about=lambda asked: f"{asked.name} {asked.version} for {asked.series}",
    queue=lambda asked: f"build.{asked.architecture}",
    queues=_queues,
    read=read_asked,
    do=_do,
    judge=lambda asked, data, store, _limits: judged(asked, data, store),
)
