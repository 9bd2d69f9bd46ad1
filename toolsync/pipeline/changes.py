"""What is not as it was in a release: its source, its terms, its packaging.

It is computed as the gates read archives: bounded in bytes, memory and time, in a process of its
own. What was computed is kept in the state folder by a digest of all that it was made of, since a
person looks at it more than once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolsync.archives.differ import TreeDiff, listed, with_lines
from toolsync.archives.entries import Part, Tree, contents, read_tree
from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.journal.key import Key
from toolsync.journal.results import Result
from toolsync.license.report import predecessor
from toolsync.license.sidebyside import Shown, compared
from toolsync.license.terms import Terms, from_json
from toolsync.model.errors import Hostile, ProgramFailed
from toolsync.model.release import Blob, dump, load
from toolsync.model.versions import upstream_key
from toolsync.pipeline.context import Context
from toolsync.pipeline.memory import fingerprint
from toolsync.system.confined import confined
from toolsync.system.private import for_readers
from toolsync.system.store import replace_file

RULES = 1
"""Raised when the same releases would come to another difference."""
_FOLDER, _KEPT = "changes", 24
"""Where differences are kept, and how many."""
_SECONDS = 300
_TEXTS, _TEXT, _LARGEST = 12, 256 * 1024, 2 * 1024 * 1024
"""Texts of terms that are shown, bytes of each, and of the largest file that one is read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All that is not as it was."""

    before: str
    """The version compared with, empty where there is none."""
    source: TreeDiff
    packaging: TreeDiff
    texts: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """What is compared with what."""

    before: str
    old: tuple[tuple[str, Blob], ...]
    new: tuple[tuple[str, Blob], ...]
    """Orig tarballs, each with its component."""
    packaged: Blob | None
    """The packaging of ``before``, as it was published."""
    packaging: Blob | Path
    """The one of the release where it was made, else the tool's folder."""
    terms: tuple[Blob | None, Blob | None]


def changes_of(context: Context, tool: Tool, version: str) -> Changes:
    """Return what differs between a release and the one that it is compared with.

    Raises Damaged where the store has other bytes, OutOfSpace, and Bug.
    """
    sides = _sides(context, tool, version)
    place = _place(context, tool, sides)
    known = _known(place)
    if known is None:
        known = _computed(context, sides)
        _keep(place, known)
    return known


def bring_sides(context: Context, tool: Tool, version: str) -> None:
    """Have here all that a difference is made of: by that alone its readers find it again.

    Raises Damaged where something is gone, TryAgain while a shared place is away.
    """
    sides = _sides(context, tool, version)
    made = (sides.packaged, sides.packaging, *sides.terms, *(b for _, b in sides.old + sides.new))
    for blob in made:
        if isinstance(blob, Blob):
            context.store.require(blob)


def is_known(context: Context, tool: Tool, version: str) -> bool:
    """Say whether `changes_of` answers at once."""
    return _place(context, tool, _sides(context, tool, version)).is_file()


def before_of(context: Context, tool: Tool, version: str) -> str:
    """Return the newest older version that all gates let pass and whose tarball is here."""
    here = upstream_key(version)
    older = (v for v in context.journal.results.cleared(tool.name) if upstream_key(v) < here)
    for found in sorted(older, key=upstream_key, reverse=True):
        if _origs(context, tool.name, found):
            return found
    return ""


def _sides(context: Context, tool: Tool, version: str) -> _Sides:
    before = before_of(context, tool, version)
    made = _packaging(context, tool.name, version)
    return _Sides(
        before=before,
        old=_origs(context, tool.name, before) if before else (),
        new=_origs(context, tool.name, version),
        packaged=_packaging(context, tool.name, before) if before else None,
        packaging=made or tool.debian,
        terms=(_terms(context, tool.name, before), _terms(context, tool.name, version)),
    )


def _place(context: Context, tool: Tool, sides: _Sides) -> Path:
    own = {} if isinstance(sides.packaging, Blob) else {"debian": tool.packaging_digest()}
    named = {
        "rules": RULES,
        "before": sides.before,
        **{side: [[c, b.sha256] for c, b in getattr(sides, side)] for side in ("old", "new")},
        "packaged": sides.packaged and sides.packaged.sha256,
        "packaging": sides.packaging.sha256 if isinstance(sides.packaging, Blob) else "",
        "terms": [terms and terms.sha256 for terms in sides.terms],
        **own,
    }
    return context.config.state / _FOLDER / f"{fingerprint(named)}.json"


def _origs(context: Context, tool: str, version: str) -> tuple[tuple[str, Blob], ...]:
    """Return a release's orig tarballs that are in the store, none where one is missing."""
    result = context.journal.results.get(Key(tool=tool, version=version, stage="unpack"))
    if result is None or result.outcome != "done":
        return ()
    try:
        found = [("", load(Blob, result.data["orig"]))]
        found += [(c["component"], load(Blob, c["orig"])) for c in result.data["components"]]
    except (KeyError, TypeError, ValueError):
        return ()  # written by another version
    return tuple(found) if all(context.store.has(blob) for _, blob in found) else ()


def _packaging(context: Context, tool: str, version: str) -> Blob | None:
    """Return the debian.tar of a release's newest source package, where it is in the store."""
    results = context.journal.results.of_release(tool, version)
    made = [r for r in results if r.key.stage == "package" and r.outcome == "done"]
    for result in sorted(made, key=lambda r: r.finished, reverse=True):
        for blob in _blobs(result.data.get("files")):
            if ".debian.tar." in blob.name and context.store.has(blob):
                return blob
    return None


def _terms(context: Context, tool: str, version: str) -> Blob | None:
    said = context.journal.judgments.get(Key(tool=tool, version=version, stage="license"))
    kept = said.judgment.kept if said else None
    return kept if kept is not None and context.store.has(kept) else None


def _blobs(data: object) -> Iterator[Blob]:
    for item in data if isinstance(data, list) else ():
        with suppress(KeyError, TypeError, ValueError):
            yield load(Blob, item)


def _computed(context: Context, sides: _Sides) -> Changes:
    """Compare, and tell in place of a tree's difference why there is none."""
    limits, store = context.config.limits, context.store
    old = [Part(path=store.path(blob), below=below) for below, blob in sides.old]
    new = [Part(path=store.path(blob), below=below) for below, blob in sides.new]
    terms = [from_json(store.path(blob).read_bytes()) if blob else None for blob in sides.terms]
    packaged = [Part(path=store.path(sides.packaged))] if sides.packaged else []
    made = sides.packaging
    packaging = [Part(path=store.path(made) if isinstance(made, Blob) else made)]
    with context.workshop.folder("changes") as folder:
        source, texts = _compared(
            partial(_source, old, new, terms, folder / "source", limits), limits, bool(old and new)
        )
        debian, _ = _compared(
            partial(_tree, packaged, packaging, folder / "debian", limits), limits, bool(packaged)
        )
        for name, diff in (("source", source), ("debian", debian)):
            with suppress(ProgramFailed):
                lines = with_lines(diff, folder / name, seconds=_SECONDS) if diff.changes else diff
                source, debian = (lines, debian) if name == "source" else (source, lines)
    return Changes(before=sides.before, source=source, packaging=debian, texts=texts)


def _compared(
    work: partial[tuple[TreeDiff, tuple[Shown, ...]]], limits: Limits, there: bool
) -> tuple[TreeDiff, tuple[Shown, ...]]:
    """Compare two trees within the limits, or tell why that cannot be."""
    seconds = min(_SECONDS, limits.gate_seconds)
    try:
        found, texts = confined(
            work, what="comparing the trees", seconds=seconds, memory=limits.gate_memory
        )
    except Hostile as error:
        return TreeDiff(told=f"{error}. {error.resolution}"), ()
    return (found if there else TreeDiff(told="there is nothing earlier to compare it with")), texts


def _source(
    old: Sequence[Part],
    new: Sequence[Part],
    terms: Sequence[Terms | None],
    folder: Path,
    limits: Limits,
) -> tuple[TreeDiff, tuple[Shown, ...]]:
    was, now = read_tree(old, limits), read_tree(new, limits)
    texts = tuple(_texts(was, now, terms[0] or Terms(), terms[1], limits)) if terms[1] else ()
    return listed(was, now, folder, limits) if old and new else TreeDiff(), texts


def _tree(
    old: Sequence[Part], new: Sequence[Part], folder: Path, limits: Limits
) -> tuple[TreeDiff, tuple[Shown, ...]]:
    return listed(read_tree(old, limits), read_tree(new, limits), folder, limits), ()


def _texts(was: Tree, now: Tree, old: Terms, new: Terms, limits: Limits) -> Iterator[Shown]:
    """Yield the texts of terms that changed or are new, as they stand in their files."""
    known = {text.fingerprint for text in old.texts}
    fresh = [text for text in new.texts if text.fingerprint not in known][:_TEXTS]
    bases = [predecessor(text, old, new) for text in fresh]
    here = _read(now, {text.file for text in fresh}, limits)
    there = _read(was, {base.file for base in bases if base}, limits)
    for text, base in zip(fresh, bases, strict=True):
        if text.file in here:
            file = base.file if base and base.file in there else ""
            yield compared(text.file, file, there.get(file, ""), here[text.file])


def _read(tree: Tree, files: set[str], limits: Limits) -> Mapping[str, str]:
    small = {f for f in files if f in tree.found and tree.found[f].size <= _LARGEST}
    return {
        path: data[:_TEXT].decode("utf-8", "replace").replace("\r\n", "\n")
        for path, data in contents(tree, small, limits)
    }


def _known(place: Path) -> Changes | None:
    try:
        return load(Changes, json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _keep(place: Path, found: Changes) -> None:
    """Keep a difference, and no more than so many of them."""
    mode = 0o600 | for_readers(place.parent.parent) & 0o040
    replace_file(place, json.dumps(dump(found)).encode(), mode, durable=False)
    kept = sorted(place.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for path in kept[:-_KEPT]:
        path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step of a release has left for a person to read."""

    stage: str
    scope: str
    outcome: str
    message: str
    findings: tuple[Mapping[str, str], ...]
    log: Blob | None


_STEPS = ("package", "build")


def steps_of(context: Context, tool: str, version: str) -> list[Step]:
    """Return what packaging, building, linting and testing of a release came to."""
    found = context.journal.results.of_release(tool, version)
    return [_step(result) for result in found if result.key.stage in _STEPS]


def _step(result: Result) -> Step:
    data: Mapping[str, object] = result.data
    told, log = data.get("findings"), data.get("log")
    findings = [f for f in told if isinstance(f, Mapping)] if isinstance(told, list) else []
    named = ("name", "sha256", "size")
    kept = {name: log.get(name) for name in named} if isinstance(log, Mapping) else {}
    logs = list(_blobs([kept]))
    return Step(
        stage=result.key.stage,
        scope=result.key.scope,
        outcome=result.outcome,
        message=result.message,
        findings=tuple({str(k): str(v) for k, v in f.items()} for f in findings),
        log=logs[0] if logs else None,
    )


def end_of(context: Context, blob: Blob, most: int) -> str:
    """Return the last bytes of a log as text, empty where it is not in the store any more."""
    if not context.store.has(blob):
        return ""
    with context.store.path(blob).open("rb") as file:
        file.seek(max(0, blob.size - most))
        return file.read(most).decode("utf-8", "replace")
