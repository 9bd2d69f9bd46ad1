"""Make binaries of a source package, and prove them: built, linted, tested.

All of it happens in one workshop folder. The .changes that comes out is written by
dpkg-genchanges over the source package's own files and the new binaries, always with the
orig; it is the same bytes for the same source, and so it does not name the .buildinfo, which holds
the hour of the build. That one is kept in the store, named by the evidence and repeated in the log,
and published beside the source by an archive of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from debian.deb822 import Changes

from toolsync.build.again import First, build_again, findings_of
from toolsync.build.archives import control_of, open_archive
from toolsync.build.autopkgtest import autopkgtest
from toolsync.build.backend import Backend
from toolsync.build.backends import backend_of
from toolsync.build.chroot import Chroots
from toolsync.build.foreign import require_builder
from toolsync.build.job import WHOLE, Job, Made, Part
from toolsync.build.lint import lint
from toolsync.build.packages import require_own
from toolsync.build.relations import Unmet
from toolsync.config.series import series_tag
from toolsync.config.settings import Build
from toolsync.model.errors import PackageFailed, ToolsyncError
from toolsync.model.release import Blob, Built, Finding, Rebuilt, SourcePackage
from toolsync.model.values import field_names
from toolsync.system.isolation import Isolation
from toolsync.system.run import run
from toolsync.system.store import Store
from toolsync.system.underway import step
from toolsync.system.work import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a build made: the fields of `Built` but for the source package that it is of."""

    changes: Blob
    files: tuple[Blob, ...]
    builder: str
    tests: str
    log: Blob
    findings: tuple[Finding, ...] = ()
    buildinfo: Blob | None = None
    rebuilt: Rebuilt | None = None


class Buildable(Protocol):
    """What is to be known of a source package to build it."""

    @property
    def series(self) -> str:
        """The series that it is built for."""

    @property
    def files(self) -> tuple[Blob, ...]:
        """The .dsc first, then what it names."""


def build(
    item: SourcePackage,
    *,
    settings: Build,
    store: Store,
    workshop: Workshop,
    chroots: Chroots,
    known: tuple[str, ...] = (),
    part: Part = WHOLE,
    beside: tuple[Blob, ...] = (),
) -> Built:
    """Return the package with its binaries and its whole .changes; see `make`."""
    made = make(
        item,
        settings=settings,
        store=store,
        workshop=workshop,
        chroots=chroots,
        known=known,
        part=part,
        beside=beside,
    )
    return built_of(item, made, part)


def built_of(item: SourcePackage, made: Product, part: Part = WHOLE) -> Built:
    """Return the package with what was made of it."""
    told = {name: getattr(made, name) for name in field_names(Product)}
    return Built(source=item, architecture=part.foreign, **told)


def make(
    item: Buildable,
    *,
    settings: Build,
    store: Store,
    workshop: Workshop,
    chroots: Chroots,
    known: tuple[str, ...] = (),
    part: Part = WHOLE,
    beside: tuple[Blob, ...] = (),
) -> Product:
    """Return the package's binaries and its whole .changes, all in the store.

    ``known`` are lintian's errors that the packaging had before (`lint`). ``part`` says which of
    the packages are made; ``beside`` are others that are there already, which tests may need.

    Raises PackageFailed, with the whole log, when build, lint or tests find the package at
    fault, TryAgain when the world was not ready, SetupError when this machine cannot build.
    """
    backend = backend_of(settings)
    require_builder(backend, part.architecture)
    with workshop.folder("build") as folder:
        made_in = folder / "made"
        made_in.mkdir()
        sources = [store.copy_to(blob, made_in) for blob in item.files]
        (others := folder / "beside").mkdir()
        job = Job(
            dsc=sources[0],
            folder=made_in,
            series=item.series,
            log=folder / "build.log",
            seconds=settings.seconds,
            chroots=chroots,
            isolation=Isolation(
                memory=settings.memory, processes=settings.processes, file=settings.file_size
            ),
            hosts=settings.test_hosts,
            own=settings.own,
            known=known,
            part=part,
            beside=tuple(store.copy_to(blob, others) for blob in beside),
            former=lambda: _former(job, settings),
            lacks=lambda: _lacks(job, settings),
        )
        try:
            return _proved(item, job, backend, settings, store)
        except PackageFailed as error:
            if job.log.exists():
                error.log = store.add_file(job.log, f"{job.dsc.stem}_{job.series}.build")
            raise


def _proved(item: Buildable, job: Job, backend: Backend, settings: Build, store: Store) -> Product:
    """Lint, build and test; keep what came of it."""
    findings = [] if job.part.alone else _linted(job, [job.dsc], settings)
    before = job.log.read_bytes() if job.log.exists() else b""
    made = backend.build(job)
    with job.log.open("ab") as sink:
        sink.write(before)
    buildinfo = _keep_buildinfo(made.changes, job.log, store)
    changes, names = _whole_changes(job, made.changes)
    findings += made.findings
    debs = [job.folder / name for name in names if name.endswith(".deb")]
    require_own(job.dsc, debs)
    findings += _linted(job, debs, settings)
    tests, more = _tests(job, made, debs, settings)
    rebuilt = _rebuilt(item, job, backend, debs, store) if settings.rebuild else None
    files = tuple(store.add_file(job.folder / name) for name in names)
    _same_source(item, files)
    log_name = changes.name.removesuffix(".changes") + ".build"
    return Product(
        changes=store.add_file(changes),
        files=files,
        builder=made.builder,
        tests=tests,
        log=store.add_file(job.log, log_name),
        findings=(*findings, *more, *findings_of(rebuilt)),
        buildinfo=buildinfo,
        rebuilt=rebuilt,
    )


def _rebuilt(
    item: Buildable, job: Job, backend: Backend, debs: list[Path], store: Store
) -> Rebuilt:
    """Build a second time, and compare."""
    told = next(iter(sorted(job.folder.glob("*.buildinfo"))), None)
    first = First(sources=item.files, debs=debs, buildinfo=told, job=job, backend=backend)
    with step("second build"):
        return build_again(first, store)


def _lacks(job: Job, settings: Build) -> tuple[Unmet, ...]:
    """Return what the series' archive does not have of what is built with; empty if unknown."""
    if job.part.foreign:
        return ()  # what this machine's apt knows is of its own architecture
    try:
        archive = open_archive(job.series, settings, job.folder.parent / "archive")
        return archive.lacks(control_of(job.dsc))
    except ToolsyncError:
        return ()


def _former(job: Job, settings: Build) -> Path | None:
    """Return the .dsc of the series' own newest version of a source package, None without one."""
    name = control_of(job.dsc).get("Source", "")
    try:
        archive = open_archive(job.series, settings, job.folder.parent / "archive")
        known = next(iter(archive.sources(name)), None)
        return archive.source(name, known.version, job.folder.parent / "former") if known else None
    except ToolsyncError:
        return None


def _linted(job: Job, files: list[Path], settings: Build) -> list[Finding]:
    """Return lintian's warnings, where it is asked."""
    if not settings.lint:
        return []
    distribution, _ = series_tag(job.series)
    place, known = job.folder.parent, job.known
    with step("lint"):
        needs = control_of(job.dsc).get("Build-Depends", "")
        found = lint(
            files,
            distribution=distribution,
            folder=place,
            log=job.log,
            known=known,
            needs=needs,
        )
    return [*found]


def _tests(
    job: Job, made: Made, debs: list[Path], settings: Build
) -> tuple[str, tuple[Finding, ...]]:
    """Run the package's tests where that is wanted and can be done cleanly."""
    if not settings.tests:
        return "not run: [build] tests is false", ()
    if made.tarball is None:
        why = f"not run: the backend {settings.backend} has no clean chroot to run them in"
        return why, ()
    with step("tests"):
        return autopkgtest(job, debs=(*debs, *job.beside), tarball=made.tarball)


def _keep_buildinfo(changes: Path, log: Path, store: Store) -> Blob | None:
    """Keep what tells in what environment the build was, in the store and in its log."""
    kept = None
    for path in sorted(changes.parent.glob("*.buildinfo")):
        kept = store.add_file(path)
        with log.open("a", encoding="utf-8") as sink:
            sink.write(f"\n==== {path.name}\n{path.read_text(encoding='utf-8')}")
    return kept


def _whole_changes(job: Job, binary: Path) -> tuple[Path, tuple[str, ...]]:
    """Write the .changes of source and binaries; return it and the names of what it names."""
    entries = [
        entry
        for entry in Changes(binary.read_text(encoding="utf-8"))["Files"]
        if not entry["name"].endswith(".buildinfo")
    ]
    if not any(entry["name"].endswith(".deb") for entry in entries):
        raise PackageFailed(
            f"the build of {job.dsc.name} made no .deb",
            resolution="See that debian/control names a package for"
            f" {job.part.architecture or 'this architecture'}.",
        )
    binary.unlink()
    tree = job.folder / "tree"
    if not tree.is_dir():
        run("dpkg-source", "--no-check", "-x", job.dsc, tree, timeout=600, cwd=job.folder)
    listing = "".join(f"{e['name']} {e['section']} {e['priority']}\n" for e in entries)
    (tree / "debian" / "files").write_text(listing, encoding="utf-8")
    run(
        *("dpkg-genchanges", "--build=full", "-sa", f"-O../{binary.name}"),
        cwd=tree,
        timeout=600,
        env={"DEB_HOST_ARCH": job.part.foreign} if job.part.foreign else None,
    )
    names = [e["name"] for e in Changes(binary.read_text(encoding="utf-8"))["Files"]]
    return binary, tuple(names)


def _same_source(item: Buildable, files: tuple[Blob, ...]) -> None:
    """See that the source files of the .changes are the source package's, and all of them."""
    found = {blob.name: blob.sha256 for blob in files}
    for blob in item.files:
        if found.get(blob.name) != blob.sha256:
            raise PackageFailed(
                f"the build changed or lost {blob.name}: found {found.get(blob.name, 'nothing')},"
                f" wanted sha256 {blob.sha256}",
                resolution="Look into the build's log for what wrote to its own source.",
            )
