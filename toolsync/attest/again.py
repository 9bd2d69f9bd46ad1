"""Repeat, from the files alone, what made a release trusted: proof, orig tarball, terms.

Nothing is fetched: the files come from the store or from a folder, and the policy from
the evidence itself.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from toolsync.archives.compare import difference
from toolsync.attest.check import BAD, GOOD, MISSING, Check, Find, known_orig
from toolsync.attest.statement import Record
from toolsync.binding.gate import bound_by
from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import LicensePolicy
from toolsync.config.settings import Config
from toolsync.gate.binding import BINDING
from toolsync.gate.record import Asked
from toolsync.license.gate import judge
from toolsync.model.errors import ToolsyncError
from toolsync.model.judgment import Judgment
from toolsync.model.release import Fetched, FetchedPart, Part, Release, Unpacked, Verified
from toolsync.model.values import Blob, load
from toolsync.system.clock import parsed
from toolsync.system.store import Store
from toolsync.system.work import Workshop
from toolsync.unpack.stage import unpack
from toolsync.verify.stage import verify

_MALFORMED = (KeyError, TypeError, AttributeError, ValueError)
"""What reading a record raises that its signer left something out of."""


def run_again(record: Record, find: Find, *, config: Config, workshop: Workshop) -> Iterator[Check]:
    """Yield a check for each stage that can be done again, in their order, up to the first fault.

    ``record`` is a statement's predicate whose parts were seen to agree.
    """
    with workshop.folder("again") as folder:
        try:
            again = _Again(record, find, config, workshop, folder)
        except _MALFORMED as error:
            yield _malformed("predicate.policy", error)
            return
        for place, act in (
            ("predicate.verify", again.verify),
            ("predicate.unpack", again.unpack),
            ("predicate.binding", again.binding),
            ("predicate.license", again.license),
        ):
            check = _tried(place, act)
            yield check
            if check.verdict != GOOD:
                return


def _tried(place: str, act: Callable[[], str]) -> Check:
    try:
        return Check(place=place, verdict=GOOD, sentence=act())
    except _NotHere as error:
        return Check(place=place, verdict=MISSING, sentence=str(error))
    except _Different as error:
        return Check(place=place, verdict=BAD, sentence=str(error))
    except ToolsyncError as error:
        return Check(place=place, verdict=BAD, sentence=f"done again, it fails: {error}")
    except _MALFORMED as error:
        return _malformed(place, error)


def _malformed(place: str, error: Exception) -> Check:
    said = f"is not of the form that this version reads: {error!r}"
    return Check(place=place, verdict=BAD, sentence=said)


class _NotHere(Exception):
    """A file that is needed is not at hand."""


class _Different(Exception):
    """Done again, it comes to something else."""


class _Again:
    """The first stages over one record, in a store and with a tool's folder of their own."""

    def __init__(
        self,
        record: Record,
        find: Find,
        config: Config,
        workshop: Workshop,
        folder: Path,
    ) -> None:
        self._record, self._find, self._config = record, find, config
        self._workshop, self._store = workshop, Store(folder / "store")
        self._tool = _tool(record, folder / "tool")
        self._verified: Verified | None = None
        self._unpacked: Unpacked | None = None

    def verify(self) -> str:
        """Verify as it was verified then, at that time."""
        record = self._record
        for item in record["policy"]["files"]:
            path = PurePosixPath(item["path"])
            if path.parts[0] not in ("keys", "debian") or not 2 <= len(path.parts) <= 3:
                raise _Different(f"{item['path']} is no file of a tool's definition")
            place = self._tool.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            blob = Blob(name=item["path"], sha256=item["sha256"], size=item["size"])
            shutil.copyfile(self._path(blob), place)
        seen, fetched = record["release"], record["fetch"]
        release = Release(
            tool=record["tool"],
            version=record["version"],
            raw_version=record["page"]["named"],
            url=seen["url"],
            filename=seen["filename"],
            page=record["page"]["url"],
            tag=seen["tag"],
            sha256=seen["sha256"],
            parts=tuple(load(Part, part) for part in seen.get("parts", ())),
        )
        item = Fetched(
            release=release,
            archive=self._kept(fetched["archive"]),
            final_url=fetched["final_url"],
            extras=tuple(self._kept(extra) for extra in fetched["extras"]),
            components=tuple(self._component(part) for part in fetched.get("components", ())),
        )
        then = record["verify"]
        now = parsed(then["finished"])
        limits = self._config.limits
        found = verify(item, tool=self._tool, store=self._store, now=now, limits=limits)
        for name in ("method", "fingerprint", "signed_at", "listed"):
            # What came to be noted later is not in older records.
            _same(name, getattr(found, name), then.get(name) or getattr(found, name))
        self._verified = found
        return f"done again with the same result: {found.statement}"

    def unpack(self) -> str:
        """Make the orig tarball again."""
        assert self._verified is not None
        found = unpack(
            self._verified,
            tool=self._tool,
            store=self._store,
            limits=self._config.limits,
            workshop=self._workshop,
        )
        _same(
            f"sha256 of {found.orig.name}",
            found.orig.sha256,
            self._record["unpack"]["orig"]["sha256"],
        )
        for ours, theirs in zip(
            found.components, self._record["unpack"].get("components", ()), strict=True
        ):
            _same(f"sha256 of {ours.orig.name}", ours.orig.sha256, theirs["orig"]["sha256"])
        self._unpacked = found
        known = set(filter(None, map(known_orig, self._record["series"].values())))
        for orig in known:
            how = difference(self._path(orig), self._store.path(found.orig), self._config.limits)
            if how:
                raise _Different(f"{orig.name}, which the target had, has other content: {how}")
        and_so = ", and that of the target has the same content" if known else ""
        return f"{found.orig.name} was made again with the same bytes{and_so}"

    def binding(self) -> str:
        """Look again by what the version is bound to the bytes."""
        then = self._record.get(BINDING.name)
        if then is None:
            return "the record is older than the gate over the version, so nothing was claimed"
        told, said = load(Judgment, then["judgment"]), BINDING.judge(self._asked())
        claimed, found = bound_by(told.findings), bound_by(said.findings)
        if claimed - found:
            raise _Different(
                f"done again, the version is not bound by {', '.join(sorted(claimed - found))}"
            )
        if told.passes and not said.passes:
            raise _Different(f"done again, something speaks against the version: {said.summary}")
        return f"done again with the same result: {told.summary}"

    def license(self) -> str:
        """Read the terms again and compare their fingerprints."""
        said = judge(self._asked())
        then = self._record["license"]["judgment"]["kept"]
        if then is None or said.kept is None:
            _same("terms", said.kept, then)
            return "no terms were kept, then or now"
        path = self._path(load(Blob, then))
        old, new = (
            json.loads(path.read_bytes()),
            json.loads(self._store.path(said.kept).read_bytes()),
        )
        if old.get("rules") != new.get("rules"):
            raise _NotHere("this version of toolsync reads terms by other rules than then")
        for kept in (old, new):
            kept.pop("told", None)  # what a detector explained, which decides nothing
        if old != new:
            raise _Different("the license terms, read again, are not those that were judged")
        return "the license terms were read again with the same fingerprints"

    def _asked(self) -> Asked[Unpacked]:
        """Return the release at a gate, with no other before it."""
        assert self._unpacked is not None
        return Asked(
            item=self._unpacked,
            tool=self._tool,
            config=self._config,
            store=self._store,
            workshop=self._workshop,
            before=None,
            before_version="",
            approved=frozenset(),
        )

    def _component(self, item: Record) -> FetchedPart:
        """Return a component of the record, its files put into our store."""
        part = load(FetchedPart, item)
        for blob in (part.archive, *part.extras):
            self._store.add_file(self._path(blob), blob.name)
        return part

    def _kept(self, item: Record) -> Blob:
        """Return a file of the record, put into our store."""
        blob = load(Blob, item)
        self._store.add_file(self._path(blob), blob.name)
        return blob

    def _path(self, blob: Blob) -> Path:
        path = self._find(blob)
        if path is None:
            raise _NotHere(f"cannot be done again: {blob.name} is not here")
        return path


def _same(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise _Different(f"done again, the {what} is {found!r}; the record says {wanted!r}")


def _tool(record: Record, folder: Path) -> Tool:
    policy = record["policy"]
    return Tool(
        name=record["tool"],
        folder=folder,
        summary="",
        homepage="",
        watch=Watch(
            kind="watch" if policy["verify"]["method"] == "watch" else "",
            mangle=tuple(policy.get("mangle", ())),
        ),
        verify=load(Verify, policy["verify"]),
        license=load(LicensePolicy, policy["license"]),
        compat=load(CompatPolicy, policy["compat"]),
        source=policy["source"],
        series=(),
        own=policy.get("own", {}),
    )
