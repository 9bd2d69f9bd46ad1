"""Build a source package, here or by workers, for each architecture that the target serves.

One build is that of the release: it makes the packages for all architectures, too, and is what the
gates over packages judge. The others make what is of their architecture alone. An architecture that
the package's last version had at the target must be there before anything is published; one that it
never had joins what is published. docs/adr/0044 tells why.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from toolsync.build.archives import control_of
from toolsync.build.backends import backend_of
from toolsync.build.foreign import require_builder
from toolsync.build.job import Part
from toolsync.build.lint import UPSTREAMS_OWN
from toolsync.build.needs import Lacking
from toolsync.build.stage import build, built_of
from toolsync.journal.key import Key
from toolsync.model.errors import ToolsyncError
from toolsync.model.release import Blob, Built, Package, SourcePackage
from toolsync.pipeline.bringing import brought
from toolsync.pipeline.context import Context
from toolsync.pipeline.memory import Event
from toolsync.pipeline.nearer import telling
from toolsync.pipeline.places import side_by_side
from toolsync.pipeline.sources import upload_of
from toolsync.pipeline.stages import BUILD
from toolsync.pipeline.work import Work, key_of
from toolsync.publish.target import ForArchitectures
from toolsync.system.architectures import ALL, own, permits
from toolsync.system.clock import stamp

if TYPE_CHECKING:
    from toolsync.fleet.build import BuildAsked


@dataclass(frozen=True, slots=True)
class Architectures:
    """For what a source package is to be built."""

    first: str
    """Whose build makes the packages for all architectures, too."""
    needed: tuple[str, ...] = ()
    """Those without which nothing is published; none where it is built for the first alone."""
    welcome: tuple[str, ...] = ()
    """The others, which may join what is published."""


def ready(work: Work, source: SourcePackage) -> Package:
    """Return what the target is given: binaries from here, or the source package alone.

    Raises as `build.stage.make`, and before anything is built where an architecture that must be
    there can be built nowhere.
    """
    context = work.context
    if context.target.takes_source and not context.config.ppa.build_first:
        why = f"[ppa] build_first is false: the builds of {context.target.name} are the proof"
        skip(context, source, "build", why)
        return source
    wanted = architectures_of(context, source)
    for name in wanted.needed:
        if context.journal.results.get(_key(source, wanted, name)) is None:
            require_somebody(context, name)
    if context.journal.results.get(_key(source, wanted, wanted.first)) is None:
        for name in wanted.welcome:
            if name != wanted.first:
                _tell_of_nobody(context, source, name)
    first = _built(work, source, Part(architecture=wanted.first))
    works = [partial(_further, work, first, name) for name in _but(wanted.needed, first)]
    return replace(first, others=tuple(side_by_side(works, max(1, len(works)))))


def joined(work: Work, item: Built) -> tuple[Built, tuple[ToolsyncError, ...]]:
    """Return a package with the builds that may join it where it is published.

    What kept others away is told beside it. A version that was overtaken stays as it is.
    """
    context = work.context
    wanted = architectures_of(context, item.source)
    names = _but(wanted.welcome, item)
    if not names or context.target.newest(item.source.name, item.source.series) != (
        item.source.version
    ):
        return item, ()
    made: list[Built] = [*item.others]
    errors: list[ToolsyncError] = []
    for name in names:
        known = context.journal.results.get(_key(item.source, wanted, name))
        try:
            if known is None or context.memory.retry:
                require_somebody(context, name)
            made.append(_further(work, item, name))
        except ToolsyncError as error:
            errors.append(error)
    return replace(item, others=tuple(made)), tuple(errors)


def architectures_of(context: Context, source: SourcePackage) -> Architectures:
    """Return for what a source package is to be built, by its .dsc and the target."""
    target = context.target
    if not isinstance(target, ForArchitectures):
        return Architectures(own())
    if len(target.architectures) == 1:
        return Architectures(target.architectures[0])
    words = control_of(context.store.path(source.files[0])).get("Architecture", "any").split()
    served = target.served_architectures(source.name, source.series)
    return choose(words, target.architectures, target.architectures if target.together else served)


def further_scopes(context: Context, source: SourcePackage) -> tuple[str, ...]:
    """Return the scopes of the builds that are wanted beside the first one."""
    wanted = architectures_of(context, source)
    names = (name for name in (*wanted.needed, *wanted.welcome) if name != wanted.first)
    return tuple(_key(source, wanted, name).scope for name in names)


def choose(words: Sequence[str], offered: Sequence[str], needed: Collection[str]) -> Architectures:
    """Return for what a package of these words of Architecture is built.

    The target offers what is ``offered``; of that must be there what is ``needed``. What is for all
    is made by the first one, or by the first for which anything is made.
    """
    built = [name for name in offered if permits(words, name)]
    first = offered[0] if ALL in words or not built else built[0]
    if set(built) <= {first}:
        return Architectures(first)
    return Architectures(
        first,
        tuple(name for name in built if name in needed),
        tuple(name for name in built if name not in needed),
    )


def require_somebody(context: Context, architecture: str) -> None:
    """Raise SetupError where this machine cannot build for an architecture and has no workers.

    Where it has some, TryAgain says that none of those that answer does.
    """
    if not _by_workers(context):
        require_builder(backend_of(context.config.build), architecture)
        return
    from toolsync.fleet.build import queue_of  # only where there is a fleet

    assert context.fleet is not None
    context.fleet.require_served(queue_of(architecture))


def _key(source: SourcePackage, wanted: Architectures, name: str) -> Key:
    """Return the key of the build for an architecture."""
    return key_of(source, "build", architecture="" if name == wanted.first else name)


def skip(context: Context, source: SourcePackage, stage: str, why: str) -> None:
    """Write down why a stage is not done for this package."""
    if context.journal.results.get(key := key_of(source, stage)) is None:
        now = stamp(context.clock.now())
        context.journal.results.record(key, inputs="", outcome="skipped", started=now, message=why)


def _tell_of_nobody(context: Context, source: SourcePackage, architecture: str) -> None:
    """Tell before anything is built that an architecture will be missing."""
    try:
        require_somebody(context, architecture)
    except ToolsyncError as error:
        about = asdict(key_of(source, "build", architecture=architecture))
        context.memory.tell(Event(**about, text=f"left: {error}"))


def _but(names: Sequence[str], item: Built) -> list[str]:
    """Return the architectures for which there is no build yet."""
    there = {built.made_for or own() for built in item.whole}
    return [name for name in names if name not in there]


def _further(work: Work, first: Built, architecture: str) -> Built:
    """Return the build for a further architecture, made or remembered."""
    part = Part(architecture=architecture, alone=True)
    return replace(_built(work, first.source, part, first.for_all), architecture=architecture)


def _built(work: Work, source: SourcePackage, part: Part, beside: tuple[Blob, ...] = ()) -> Built:
    """Return a build; what was claimed for a target stays what it is."""
    context, known = work.context, work.tool.lintian
    if work.tool.in_main == work.version:
        known = (*known, UPSTREAMS_OWN)
    key = key_of(source, "build", architecture=part.architecture if part.alone else "")
    kept = context.journal.results.get(key) if upload_of(context, source) else None
    if kept is not None:
        value = context.memory.recall(BUILD, kept, source)
        if value is not None and source.files[0] in value.files:
            return value
    settings = context.config.build
    again = ["rebuild"] if settings.rebuild else []
    how = [settings.backend, settings.tests, settings.lint, *again, *known]
    more = {"for": part.architecture} if part.foreign or part.alone else {}
    return context.memory.do(
        BUILD,
        key,
        source,
        lambda: {"dsc": source.files[0].sha256, "how": how, **more},
        lambda: telling(work.tool, lambda: _build(context, source, known, part, beside)),
    )


def _by_workers(context: Context) -> bool:
    return context.fleet is not None and "build" in context.config.fleet.tasks


def _build(
    context: Context,
    source: SourcePackage,
    known: tuple[str, ...],
    part: Part,
    beside: tuple[Blob, ...],
) -> Built:
    if _by_workers(context):
        from toolsync.fleet.build import BUILD as KIND  # only where there is a fleet

        assert context.fleet is not None
        asked = _asked(context, source, known, part, beside)
        made = context.fleet.ask(KIND, asked, again=context.memory.retry)
        return built_of(source, made, part)
    try:
        with context.places.building():
            return build(
                source,
                settings=context.config.build,
                store=context.store,
                workshop=context.workshop,
                chroots=context.chroots,
                known=known,
                part=part,
                beside=beside,
            )
    except Lacking as error:
        raise error.with_places(brought(context, source.series, error.unmet)) from error


def _asked(
    context: Context,
    source: SourcePackage,
    known: tuple[str, ...],
    part: Part,
    beside: tuple[Blob, ...],
) -> BuildAsked:
    """Return what a worker is asked."""
    from toolsync.fleet.build import BuildAsked  # only where there is a fleet

    settings = context.config.build
    return BuildAsked(
        name=source.name,
        version=source.version,
        series=source.series,
        architecture=part.architecture or own(),
        files=source.files,
        backend=settings.backend,
        tests=settings.tests,
        lint=settings.lint,
        rebuild=settings.rebuild,
        known=known,
        alone=part.alone,
        beside=beside,
    )
