"""What Launchpad keeps of a PPA: sources, builds, publications, and how time changes them.

What each operation of the API makes of it stands in launchpad_rules.md, row by row.

Nothing here waits: `Ppa.advance` brings everything to the moment that it is given. A source is
Pending when it is accepted and Published by the next run of the publisher; its builds walk
through a script of states, and what the last state "Successfully built" made is published
like a source. A newer version supersedes older ones of its series; no version is ever
forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from debian.debian_support import Version

BUILT = "Successfully built"
SCRIPT = ("Needs building", "Currently building", BUILT)
ARCHITECTURES = ("amd64", "arm64")
"""Of every series; what is built for "all" is published for each of them."""
FINAL = (BUILT, "Failed to build", "Chroot problem", "Failed to upload", "Cancelled build")
_IDS = count(9001)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long Launchpad takes over each thing."""

    upload: timedelta = timedelta(minutes=5)
    """From the end of an upload to the decision about it."""
    publish: timedelta = timedelta(minutes=20)
    build: timedelta = timedelta(minutes=5)
    """For each state in a build's script but the last, which stays."""
    copy: timedelta = timedelta(minutes=5)


@dataclass(kw_only=True, eq=False)
class Source:
    """An accepted source package."""

    name: str
    version: str
    files: Mapping[str, bytes]
    """By name: all that the .dsc names, and the .dsc; not the .changes."""
    changes_name: str
    changes: bytes
    binaries: tuple[tuple[str, str], ...]
    """Names and architectures of what it builds, from the .dsc's Package-List."""
    section: str
    signer: str
    """A person's name."""


@dataclass(kw_only=True, eq=False)
class Build:
    """One build of a source on one architecture."""

    archive: Ppa = field(repr=False)
    source: Source
    series: str
    arch: str
    created: datetime
    script: tuple[str, ...] = SCRIPT
    step: timedelta
    id: int = field(default_factory=lambda: next(_IDS))
    collected: bool = False

    def state(self, now: datetime) -> str:
        """Return the state at a moment."""
        passed = int((now - self.created) / self.step) if self.step else len(self.script)
        return self.script[max(0, min(passed, len(self.script) - 1))]

    @property
    def ended(self) -> datetime:
        """When the last state of its script begins."""
        return self.created + self.step * (len(self.script) - 1)


@dataclass(kw_only=True, eq=False)
class Publication:
    """A source (``arch`` is empty) or a binary in one series."""

    name: str
    version: str
    series: str
    source: Source
    created: datetime
    arch: str = ""
    specific: bool = True
    """Whether the binary is of one architecture, and not "all"."""
    build: Build | None = None
    """A binary's."""
    status: str = "Pending"
    published: datetime | None = None
    superseded: datetime | None = None
    removed: datetime | None = None
    comment: str = ""
    copied_from: Ppa | None = None
    id: int = field(default_factory=lambda: next(_IDS))

    @property
    def live(self) -> bool:
        return self.status in ("Pending", "Published")

    @property
    def filename(self) -> str:
        """The name of a binary's file: as in a pool, without the epoch."""
        plain = self.version.split(":", 1)[-1]
        return f"{self.name}_{plain}_{self.arch if self.specific else 'all'}.deb"


@dataclass(kw_only=True, eq=False)
class Ppa:
    """One archive. Set its fields at any time to script what Launchpad does with it."""

    owner: str
    name: str
    displayname: str
    pace: Pace
    uploaders: set[str] = field(default_factory=set)
    """Persons with upload rights besides the owner (and the members of an owning team)."""
    private: bool = False
    publish: bool = True
    authorized_size: int = 8192
    """The quota in MiB; 0 makes it full."""
    deleted: bool = False
    """Whether its deletion is over: then its name is another."""
    status: str = "Active"
    """Or "Deleting", or "Deleted"."""
    enabled: bool = True
    """Whether it is not switched off, as it is while it is deleted; the API does not tell."""
    permit_obsolete_series_uploads: bool = False
    processors: tuple[str, ...] = ("amd64",)
    signing_key: str = ""
    """Armored; with its fingerprint beside it."""
    signing_key_fingerprint: str = ""
    scripts: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    sources: list[Publication] = field(default_factory=list)
    binaries: list[Publication] = field(default_factory=list)
    builds: list[Build] = field(default_factory=list)
    debs: dict[str, bytes] = field(default_factory=dict)
    """Binary packages by file name, as far as a test handed them in."""

    @property
    def reference(self) -> str:
        return f"~{self.owner}/ubuntu/{self.name}" if self.owner else "ubuntu"

    @property
    def place(self) -> str:
        """Where it is below the API's root; only Ubuntu's own archive has no owner."""
        return f"{'~' if self.owner else ''}{self.owner or 'ubuntu'}/+archive/" + (
            f"ubuntu/{self.name}" if self.owner else self.name
        )

    @property
    def size(self) -> int:
        """Bytes of all files that are kept (``estimated_size``)."""
        return sum(map(len, (self.known_files() | self.debs).values()))

    def script_builds(
        self, *states: str, source: str = "", series: str = "", arch: str = ""
    ) -> None:
        """Let builds walk through these states; the last one stays. Empty words mean any.

        A state that the API does not know is served as it is. Builds that exist restart.
        """
        self.scripts[source, series, arch] = states
        for build in self.builds:
            if build.script != (found := self._script(build.source.name, build.series, build.arch)):
                build.script = found

    def builds_of(self, pub: Publication) -> list[Build]:
        """Return a source publication's builds: those of its own series, and none else.

        They were made here, or have made what is published here.
        """
        copied = [b.build for b in self.binaries_of(pub) if b.build is not None]
        every = [*self.builds, *copied]
        mine = {b.id: b for b in every if b.source is pub.source and b.series == pub.series}
        return [mine[key] for key in sorted(mine)]

    def binaries_of(self, pub: Publication) -> list[Publication]:
        """Return what is or was published here, in a source publication's series, of its source."""
        return [b for b in self.binaries if b.source is pub.source and b.series == pub.series]

    def known_files(self) -> dict[str, bytes]:
        """Return every source file that was ever published here."""
        return {name: data for pub in self.sources for name, data in pub.source.files.items()}

    def versions(self, source: str, series: str = "") -> list[Publication]:
        """Return a source's publications, of one series or of all."""
        return [p for p in self.sources if p.name == source and (not series or p.series == series)]

    def accept(self, source: Source, series: str, now: datetime) -> Publication:
        """Add an accepted source, with its builds."""
        self.builds += (
            Build(
                archive=self,
                source=source,
                series=series,
                arch=arch,
                created=now,
                script=self._script(source.name, series, arch),
                step=self.pace.build,
            )
            for arch in self.architectures(source)
        )
        pub = Publication(
            name=source.name,
            version=source.version,
            series=series,
            source=source,
            created=now,
        )
        self.sources.append(pub)
        return pub

    def delete(self, pub: Publication, now: datetime, comment: str = "") -> None:
        """Delete a source publication and its binaries; the version stays burnt."""
        for one in (pub, *self.binaries_of(pub)):
            one.status, one.removed, one.comment = "Deleted", now, comment

    def advance(self, now: datetime) -> bool:
        """Bring builds and publications to ``now``; say whether something was published."""
        for build in self.builds:
            if build.state(now) == BUILT and not build.collected:
                build.collected = True
                self.binaries.extend(_made(build))
        fresh = [p for p in (*self.sources, *self.binaries) if self._is_due(p, now)]
        for pub in fresh:
            pub.status, pub.published = "Published", pub.created + self.pace.publish
        for pub in fresh:
            self._supersede(pub)
        return bool(fresh)

    def _is_due(self, pub: Publication, now: datetime) -> bool:
        alive = self.publish and not self.deleted and pub.status == "Pending"
        return alive and now >= pub.created + self.pace.publish

    def _supersede(self, fresh: Publication) -> None:
        rivals = self.binaries if fresh.arch else self.sources
        place = (fresh.name, fresh.series, fresh.arch)
        live = [p for p in rivals if (p.name, p.series, p.arch) == place and p.live]
        newest = max((Version(p.version) for p in live if p.published), default=None)
        for pub in live:
            if pub.published and newest is not None and Version(pub.version) < newest:
                pub.status, pub.superseded = "Superseded", fresh.published

    def architectures(self, source: Source) -> Iterator[str]:
        """Give the architectures on which builds are made: "all" alone is built on the first."""
        archs = {arch for _, arch in source.binaries}
        for number, name in enumerate(self.processors):
            if archs & {"any", "linux-any", name} or (number == 0 and "all" in archs):
                yield name

    def _script(self, source: str, series: str, arch: str) -> tuple[str, ...]:
        """Return the script whose words fit best; a later one wins among equals."""
        wanted = (source, series, arch)
        fits = [
            (sum(map(bool, key)), states)
            for key, states in self.scripts.items()
            if all(not word or word == want for word, want in zip(key, wanted, strict=True))
        ]
        return max(fits, key=lambda fit: fit[0])[1] if fits else SCRIPT


def _made(build: Build) -> Iterator[Publication]:
    """Give the binaries that a build has made."""
    for name, arch in build.source.binaries:
        if arch in ("all", "any", "linux-any", build.arch):
            for place in ARCHITECTURES if arch == "all" else (build.arch,):
                yield Publication(
                    name=name,
                    version=build.source.version,
                    series=build.series,
                    source=build.source,
                    created=build.ended,
                    arch=place,
                    specific=arch != "all",
                    build=build,
                )
