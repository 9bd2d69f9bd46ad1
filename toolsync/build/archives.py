"""Look into a series' own archive with apt: its source packages, binaries and what they need.

Which archives these are, and by which keys they are believed, says `[build] sources`, a file of
the form of sources.list(5); without it they are the distribution's own, by its keyring.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event
from urllib.parse import unquote

from debian.deb822 import Deb822, Dsc, Sources

from toolsync.build.chroot import default_mirror
from toolsync.build.keyrings import archive_keyring
from toolsync.build.relations import Unmet, build_relations, unmet
from toolsync.config.series import series_tag
from toolsync.config.settings import Build
from toolsync.model.errors import NotThere, ProgramFailed, SetupError, Unreachable, Unverified
from toolsync.model.versions import sort_key
from toolsync.system.apt import ABSENT, DISTRUST, private_apt
from toolsync.system.architectures import own
from toolsync.system.run import run
from toolsync.system.work import remove_tree

_SECONDS = 600
_HELPER = "/usr/lib/apt/apt-helper"
_SECURITY = "http://security.debian.org/debian-security"
_COMPONENTS = {"debian": "main", "ubuntu": "main universe"}
_DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A source package that an archive serves."""

    version: str
    files: Mapping[str, str]
    """The sha256 of each of its files, by name."""
    binaries: tuple[str, ...]
    is_main: bool = True
    """Whether it is in the archive's component main (Debian Policy 2.2.1)."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What apt knows of one series."""

    series: str
    folder: Path
    env: Mapping[str, str]
    _renewed: Event = field(default_factory=Event, compare=False)
    """Set when its indices were fetched once more, which is done once."""

    def sources(self, name: str) -> tuple[Known, ...]:
        """Return the versions of a source package, newest first; none where there are none."""
        done = self._apt("apt-cache", "showsrc", "--only-source", name, ok=(0, 100))
        found = [_known(part) for part in Sources.iter_paragraphs(done, use_apt_pkg=False)]
        once = {known.version: known for known in found}  # apt tells each index's own
        return tuple(sorted(once.values(), key=lambda known: sort_key(known.version), reverse=True))

    def source(self, name: str, version: str, into: Path) -> Path:
        """Get a source package, whose files apt compares with the signed index; return its .dsc.

        Where the index was older than the mirror it is fetched once more, and the newest is taken
        that it then names, where ``version`` is gone. Raises NotThere for what the mirror lacks.
        """
        into.mkdir(parents=True, exist_ok=True)
        self._had(lambda: self._download(f"{name}={self.current(name, version).version}", into))
        found = [*into.glob("*.dsc")]
        return max(found, key=lambda path: sort_key(path.stem.partition("_")[2]))

    def current(self, name: str, version: str) -> Known:
        """Return a version of a source package, or where the index lost it the newest one.

        Raises NotThere where the index names none.
        """
        known = self.sources(name)
        found = next((one for one in known if one.version == version), None) or next(
            iter(known), None
        )
        if found is None:
            raise NotThere(f"the index of {self.series} names no source package {name}")
        return found

    def file(self, name: str, version: str, file: str, into: Path) -> Path:
        """Get one file of a source package, by the digest that the signed index has of it.

        Raises NotThere for one that the mirror lacks, also after the index was fetched once more.
        """
        into.mkdir(parents=True, exist_ok=True)
        self._had(lambda: self._one_file(name, version, file, into))
        return into / file

    def _one_file(self, name: str, version: str, file: str, into: Path) -> None:
        words = ("source", "--print-uris", "--only-source", f"{name}={version}")
        for line in self._apt("apt-get", "-q", *words).splitlines():
            url, _, rest = line.lstrip("'").partition("' ")
            found = rest.split(" ")
            if len(found) == 3 and found[0] == file and found[2].startswith("SHA256:"):
                self._apt(_HELPER, "download-file", url, str(into / file), found[2], files=True)
                return
        raise Unreachable(f"apt knows no address of {file} of {name} {version} in {self.series}")

    def binaries(self, names: Sequence[str], into: Path) -> tuple[Path, ...]:
        """Get the newest of binary packages, those that the archive has for this machine."""
        into.mkdir(parents=True, exist_ok=True)
        listed = self._apt("apt-cache", "pkgnames").split()
        if there := [name for name in names if name in listed]:
            words = ("apt-get", "-q", "download", *there)
            self._had(lambda: self._apt(*words, cwd=into, files=True))
        return tuple(sorted(into.glob("*.deb")))

    def lacks(self, control: Mapping[str, str]) -> tuple[Unmet, ...]:
        """Return the build dependencies that the series cannot meet.

        ``control`` is a .dsc, or the first paragraph of a debian/control.
        """
        groups = build_relations(control, own())
        names = sorted({str(one["name"]) for group in groups for one in group})
        return tuple(unmet(groups, self.versions(names)))

    def can_build(self, dsc: Path) -> bool:
        """Say whether apt could install all that a source package is built with."""
        words = ("apt-get", "--simulate", "-q", "build-dep", str(dsc.absolute()))
        done = run(*words, timeout=_SECONDS, env=self.env, cwd=self.folder, ok=range(256))
        return done.code == 0

    def offers(self, names: Sequence[str]) -> frozenset[str]:
        """Return those of some binary packages that the series has, also as others provide them."""
        return frozenset(name for name, versions in self.versions(names).items() if versions)

    def versions(self, names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the versions of packages, also those that others provide, by name."""
        if not names:
            return {}
        text = self._apt("apt-cache", "showpkg", *names, ok=(0, 100))
        return {
            name: tuple(_offered(part))
            for part in re.split(r"(?m)^(?=Package: )", text)
            if (name := part.partition("\n")[0].removeprefix("Package: ").partition(":")[0].strip())
        }

    def update(self) -> None:
        """Fetch the indices; apt judges by whom they are signed."""
        self._apt("apt-get", "-q", "update", "--error-on=any")

    def _download(self, what: str, into: Path) -> None:
        words = ("source", "--download-only", "--only-source", what)
        self._apt("apt-get", "-q", *words, cwd=into, files=True)

    def _had(self, get: Callable[[], object]) -> None:
        """Get what an index names; fetch the index once more where a file of it cannot be had.

        A mirror's files change while a day's lists are believed: a point release takes them away.
        Apt ends with one status for whatever fails, so it is done for all, and not by its words.
        """
        try:
            get()
        except Unreachable:
            if self._renewed.is_set():
                raise
            self._renewed.set()
            self.update()
            get()

    def _apt(
        self, *words: str, cwd: Path | None = None, ok: Sequence[int] = (0,), files: bool = False
    ) -> str:
        """Return what a program of apt's says; ``files`` are what it fetches, and no indices."""
        try:
            done = run(*words, timeout=_SECONDS, env=self.env, cwd=cwd or self.folder, ok=ok)
        except ProgramFailed as error:
            raise _refusal(self.series, error, files=files) from error
        return done.out


def open_archive(
    series: str, settings: Build, folder: Path, now: datetime | None = None
) -> Archive:
    """Return a series' archive, its indices in ``folder``: those of the day before ``now`` do.

    Raises SetupError where no keyring vouches for it, Unreachable where it does not answer,
    Unverified where its index is not signed by these keys.
    """
    return _opened(series, stanzas(series, settings), folder, now)


def open_backports(series: str, settings: Build, folder: Path, now: datetime) -> Archive | None:
    """Return what a distribution has of newer packages for a series, as `open_archive` does.

    None where `[build] sources` says what there is: backports that it names are the series' own.
    """
    if settings.sources:
        return None
    distribution, _ = series_tag(series)
    place = (settings.mirror if distribution == "debian" else "") or default_mirror(distribution)
    text = _stanza(place, [f"{series}-backports"], distribution, archive_keyring(series))
    return _opened(f"{series}-backports", text, folder, now)


def _opened(series: str, text: str, folder: Path, now: datetime | None) -> Archive:
    told, root = folder / "stanzas", folder / "root"
    known = told.read_text(encoding="utf-8") if told.is_file() else ""
    young = now and known == text and now.timestamp() - told.stat().st_mtime < _DAY
    if not young:
        remove_tree(folder)
        root.mkdir(parents=True)
    archive = Archive(series, root, private_apt(root, text))
    if not young:
        archive.update()
        told.write_text(text, encoding="utf-8")
    return archive


def stanzas(series: str, settings: Build) -> str:
    """Return the sources of a series, each with its keys; SetupError where there are none."""
    if settings.sources:
        return "\n".join(_of_file(Path(settings.sources), series))
    distribution, _ = series_tag(series)
    keyring = archive_keyring(series)
    own = settings.mirror if distribution == "debian" else ""
    places = {own or default_mirror(distribution): [series]}
    if distribution == "ubuntu":
        places[default_mirror(distribution)] += [f"{series}-updates", f"{series}-security"]
    elif not own:
        places[default_mirror(distribution)] += [f"{series}-updates"]
        places[_SECURITY] = [f"{series}-security"]
    return "\n".join(_stanza(url, suites, distribution, keyring) for url, suites in places.items())


def _stanza(url: str, suites: Sequence[str], distribution: str, keyring: Path) -> str:
    return (
        f"Types: deb deb-src\nURIs: {url}\nSuites: {' '.join(suites)}\n"
        f"Components: {_COMPONENTS[distribution]}\nSigned-By: {keyring}\n"
    )


def series_of(settings: Build) -> tuple[str, ...]:
    """Return the series that `[build] sources` names, in its order; none without it."""
    if not settings.sources:
        return ()
    suites = (name for part in _parts(Path(settings.sources)) for name in part["Suites"].split())
    return tuple(dict.fromkeys(name.partition("-")[0] for name in suites))


def _parts(path: Path) -> list[Deb822]:
    try:
        parts = [*Deb822.iter_paragraphs(path.read_text(encoding="utf-8"))]
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read ({error.strerror}); `[build] sources` names it",
            resolution="Write one of the form of sources.list(5), deb822.",
        ) from error
    for part in parts:
        if not part.get("Suites") or not part.get("Signed-By"):
            raise SetupError(
                f"{path} has a stanza without Suites or Signed-By: whom its index is signed by",
                resolution="Say so in each; sources.list(5) tells how.",
            )
    return parts


def _of_file(path: Path, series: str) -> Iterator[str]:
    """Yield the stanzas of a series and its -updates, -security and the like."""
    found = False
    for part in _parts(path):
        suites = [name for name in part["Suites"].split() if name.partition("-")[0] == series]
        if suites:
            found = True
            yield str(Deb822({**part, "Types": "deb deb-src", "Suites": " ".join(suites)}))
    if not found:
        raise SetupError(
            f"{path} has no archive for {series}",
            resolution="Add a stanza with that suite, or name another series: apt:NAME/SERIES.",
        )


def _known(part: Sources) -> Known:
    files = {row["name"]: row["sha256"] for row in part.get("Checksums-Sha256", [])}
    binaries = re.split(r"[,\s]+", part.get("Binary", "").strip())
    main = "main" in part.get("Directory", "main").split("/")[:3]
    return Known(version=part["Version"], files=files, binaries=tuple(binaries), is_main=main)


def control_of(path: Path) -> Mapping[str, str]:
    """Return the first paragraph of a .dsc, signed or not, or of a debian/control."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".dsc":
        return {key: str(value) for key, value in Dsc(text).items() if isinstance(value, str)}
    return dict(next(iter(Deb822.iter_paragraphs(text.splitlines())), Deb822()))


def _offered(part: str) -> Iterator[str]:
    """Yield a package's versions, and those that others provide; ``""`` for one without."""
    own = part.partition("\nVersions: \n")[2].partition("\nReverse Depends")[0]
    yield from re.findall(r"(?m)^(\S+) \(", own)
    provided = part.partition("\nReverse Provides: \n")[2]
    for line in provided.splitlines():
        version = re.search(r"\(= ([^)\s]+)\)\s*$", line)
        if line.strip():
            yield version[1] if version else ""


def _refusal(series: str, error: ProgramFailed, *, files: bool = False) -> Unverified | Unreachable:
    said = "; ".join(re.findall(r"(?m)^E: (.+)$", str(error)))
    text = f"apt cannot read the archive of {series}: {said or error}"
    if files and (absent := dict.fromkeys(ABSENT.findall(str(error)))):
        names = ", ".join(unquote(url.rpartition("/")[2]) for url in absent)
        return NotThere(
            f"the archive's mirror does not have {names}, which the index of {series} names",
            resolution="Run again later, or name a mirror that has it: `[build] sources`.",
        )
    if DISTRUST.search(str(error)):
        return Unverified(text, resolution="See by which key it is signed: `[build] sources`.")
    return Unreachable(
        text, resolution="Run again later, or name archives that answer: `[build] sources`."
    )
