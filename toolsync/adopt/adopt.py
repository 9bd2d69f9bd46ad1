"""Make a tool of existing packaging, and show what was found: nothing that can be known is asked.

The tool's folder holds debian/ as its maintainer left it; a short tool.toml says that debian/watch
is followed, how releases are proved where upstream's key is not there, and which errors lintian
found before.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from debian.deb822 import Deb822

from toolsync.adopt.bases import Bases, Former, bases_of, former_of, known_terms
from toolsync.adopt.packaging import Packaging, open_packaging
from toolsync.adopt.successor import bring_later
from toolsync.adopt.vouched import Vouched, vouched
from toolsync.build.archives import Archive, control_of, open_archive, series_of
from toolsync.build.lint import errors_of
from toolsync.config.definition import Tool
from toolsync.config.packaging import packaging_files
from toolsync.config.settings import Config
from toolsync.model.errors import SetupError, ToolsyncError, UsageError
from toolsync.model.release import Release
from toolsync.model.versions import upstream_key
from toolsync.pipeline.context import Context
from toolsync.setup.tools import load_tool, overlay_of, read_tool, tool_places
from toolsync.system.distro import supported
from toolsync.system.store import replace_file
from toolsync.watch.look import look
from toolsync.watchfile.folder import Package, load_folder

_UPSTREAM_ORIG = re.compile(r"_([^_]+)\.orig\.tar\.(?:gz|xz|bz2|zst|lzma)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What packaging was found to be, and the tool that follows it."""

    name: str
    said: str
    version: str
    """The packaging's own, a full Debian version."""
    page: str
    newest: str
    """The newest version that upstream's page offers; empty where it could not be read."""
    proof: str
    licenses: tuple[str, ...]
    patches: tuple[str, ...]
    lacks: Mapping[str, tuple[str, ...]]
    """Build dependencies that a series cannot meet, by series."""
    served: Mapping[str, str]
    """The newest version that the distribution serves, by series."""
    lintian: tuple[str, ...]
    undecided: tuple[str, ...]
    """What a person should know or say, each in a sentence."""
    toml: str
    bases: Bases = field(default_factory=Bases)
    """With what the gates compare its first release."""
    later: Path | None = None
    """A later packaging's patches, while the adoption goes on (`config.later`)."""
    folder: Path | None = None
    """Where it was written; None where nothing was."""
    changed: bool = False


def adopt(
    context: Context,
    word: str,
    place: Path,
    *,
    tell: Callable[[str], None],
    dry_run: bool = False,
) -> Adoption:
    """Return what was found of the packaging that ``word`` names, its tool written below ``place``.

    Raises UsageError for what is no packaging or a name that is taken, SetupError for packaging
    that cannot be followed.
    """
    opened = _Opened(context, tell)
    with context.workshop.folder("adopt") as folder:
        (laid := folder / "packaging").mkdir()
        packaging = open_packaging(word, opened.series, opened, laid)
        _require_followable(packaging)
        found = _found(context, packaging, opened, folder, tell)
        target = _target(context, found, packaging, place)
        if dry_run:
            return found
        changed = _write(found, packaging, target)
        found.bases.write(target)
        shutil.rmtree(target / "later", ignore_errors=True)
        if found.later:
            shutil.copytree(found.later, target / "later")
        return replace(found, folder=target, changed=changed)


def adopted(config: Config) -> Iterator[tuple[Tool, str]]:
    """Yield every tool that was adopted, and where from; what cannot be read is passed over."""
    for name, place in dict(tool_places(config)).items():
        told = re.search(r'(?m)^adopted = "(.*)"$', (place / name / "tool.toml").read_text())
        tool = read_tool(place / name, overlay=overlay_of(config, name)) if told else None
        if told and isinstance(tool, Tool):
            yield tool, told[1]


class _Opened:
    """The archives of series, each opened once and only where it is asked for."""

    def __init__(self, context: Context, tell: Callable[[str], None]) -> None:
        self._context, self._tell = context, tell
        self._known: dict[str, Archive] = {}
        named: tuple[str, ...] = ()
        with suppress(SetupError):  # told where the archive itself is asked for
            named = series_of(context.config.build)
        self.series = tuple(dict.fromkeys((*context.config.series, *named)))

    def __call__(self, series: str) -> Archive:
        if series not in self._known:
            self._tell(f"looking into the archive of {series}")
            folder = self._context.config.state / "apt" / series
            now = self._context.clock.now()
            self._known[series] = open_archive(series, self._context.config.build, folder, now)
        return self._known[series]

    def all(self, faults: list[str]) -> list[Archive]:
        """Return those of the set-up that answer; what the others say goes into ``faults``."""
        return self._answering(self.series, faults)

    def newer(self, faults: list[str]) -> list[Archive]:
        """Return those of later series, whose maintainers may have taken newer releases."""
        config, day = self._context.config, self._context.clock.now().date()
        if config.build.sources:
            return []
        later = supported(config.distribution, day)
        return self._answering([name for name in later if name not in self.series], faults)

    def _answering(self, names: Sequence[str], faults: list[str]) -> list[Archive]:
        found = []
        for series in names:
            try:
                found.append(self(series))
            except ToolsyncError as error:
                faults.append(f"the archive of {series} is not known: {error}")
        return found


def _require_followable(packaging: Packaging) -> None:
    for name in ("control", "watch"):
        if not (packaging.debian / name).is_file():
            raise SetupError(
                f"{packaging.said} has no debian/{name}"
                + (": nothing says where releases appear" if name == "watch" else ""),
                resolution="Write one (uscan(1) tells how), and adopt the folder.",
            )


def _found(
    context: Context,
    packaging: Packaging,
    opened: _Opened,
    folder: Path,
    tell: Callable[[str], None],
) -> Adoption:
    undecided: list[str] = []
    archives = opened.all(undecided)
    name, control = packaging.package.name, packaging.debian / "control"
    tool = load_folder(packaging.folder)
    release, offered = _newest(context, tool, undecided, tell)
    newest = release.version if release else ""

    @cache
    def all_archives() -> Sequence[Archive]:
        archives.extend(opened.newer(undecided))
        return archives

    proof = vouched(context, tool, release, all_archives, folder) if release else Vouched()
    pins = {} if tool.keyring else _pins(name, packaging, archives, offered)
    pins = {version: pin for version, pin in pins.items() if version != newest}
    if proof.digest and not proof.signed:
        pins[newest] = proof.digest
    if not (proof.signed or proof.digest):
        why = proof.said or "no key is in debian/upstream, and no archive has its orig tarball"
        undecided.append(
            f"nothing proves {newest or 'the next release'}: {why}; put upstream's key into"
            " debian/upstream, or pin a digest that somebody has checked ([verify.pins])"
        )
    served = {a.series: known[0].version for a in archives if (known := a.sources(name))}
    undecided += _newer(name, packaging.package, served)
    former = former_of(packaging, archives, folder)
    bases = bases_of(context, packaging, former, undecided, tell)
    patches = tuple(_patches(packaging.debian / "patches" / "series"))
    later = (
        bring_later(packaging, all_archives, newest, folder, undecided, tell) if patches else None
    )
    lint = context.config.build.lint
    lintian = _lintian(packaging, former, folder, undecided, tell) if lint else ()
    return Adoption(
        name=name,
        said=packaging.said,
        version=packaging.package.version,
        page=tool.watch.url,
        newest=newest,
        proof=proof.said if proof.signed or proof.digest else "none yet",
        licenses=_licenses(packaging.debian / "copyright"),
        patches=patches,
        lacks={
            archive.series: lacks
            for archive in archives
            if archive.series in context.config.series
            and (lacks := archive.lacks(control_of(control)))
        },
        served=served,
        lintian=lintian,
        undecided=tuple(undecided),
        toml=_toml(
            packaging,
            tool,
            control,
            lintian,
            pins,
            proof,
            _accepted(proof, known_terms(context, proof, undecided), context),
        ),
        bases=bases,
        later=later,
    )


def _newest(
    context: Context, tool: Tool, undecided: list[str], tell: Callable[[str], None]
) -> tuple[Release | None, tuple[str, ...]]:
    """Return the newest release that the page offers, and the versions of all that it offers."""
    tell(f"looking at {tool.watch.url}")
    try:
        sighting = look(tool, http=context.http, limits=context.config.limits)
    except ToolsyncError as error:
        undecided.append(f"the release page could not be read: {error}")
        return None, ()
    return sighting.newest, tuple(release.version for release in sighting.releases)


def _pins(
    name: str, packaging: Packaging, archives: Sequence[Archive], offered: Sequence[str]
) -> dict[str, str]:
    """Return the digests of orig tarballs that archives and the .dsc vouch for, by version."""
    known = [found.files for archive in archives for found in archive.sources(name)]
    if packaging.dsc is not None:
        rows = Deb822(packaging.dsc.read_text(encoding="utf-8", errors="replace"))
        listed = [line.split() for line in rows.get("Checksums-Sha256", "").splitlines()]
        known.append({row[2]: row[0] for row in listed if len(row) == 3})
    pins: dict[str, str] = {}
    for files in known:
        for file, digest in files.items():
            match = _UPSTREAM_ORIG.search(file)
            if match and (match[1] in offered or not offered):
                pins.setdefault(match[1], digest)
    return dict(sorted(pins.items(), key=lambda item: upstream_key(item[0])))


def _newer(name: str, package: Package, served: Mapping[str, str]) -> Iterator[str]:
    """Yield that a later series has packaging of a newer upstream version."""
    for series, version in served.items():
        there = Package(name=name, version=version)
        if upstream_key(there.upstream) > upstream_key(package.upstream):
            yield (
                f"{series} has packaging of a newer version, {version}, whose patches fit better:"
                f" toolsync adopt apt:{name}/{series}"
            )


def _lintian(
    packaging: Packaging,
    former: Former,
    folder: Path,
    undecided: list[str],
    tell: Callable[[str], None],
) -> tuple[str, ...]:
    """Return the errors that lintian finds in the packaging's own source package and binaries."""
    dsc = former.dsc
    if dsc is None:
        undecided.append(
            f"which errors lintian finds in {packaging.package.version} is not known: its source"
            " package is neither beside it nor in an archive"
        )
        return ()
    tell(f"reading {dsc.name} and its binaries with lintian")
    found = [
        error
        for files in ([dsc], former.debs)
        if files
        for error in errors_of(files, folder=folder)
    ]
    return tuple(sorted(set(found)))


def _licenses(path: Path) -> tuple[str, ...]:
    """Return the short names that a debian/copyright gives its licenses."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return tuple(dict.fromkeys(re.findall(r"(?mi)^License:[ \t]*(\S.*?)[ \t]*$", text)))


def _patches(series: Path) -> Iterator[str]:
    if series.is_file():
        for line in series.read_text(encoding="utf-8", errors="replace").splitlines():
            if words := line.partition("#")[0].split():
                yield words[0]


def _toml(
    packaging: Packaging,
    tool: Tool,
    control: Path,
    lintian: Sequence[str],
    pins: Mapping[str, str],
    proof: Vouched,
    accepted: Sequence[str],
) -> str:
    """Return the tool.toml: what debian/ does not say."""
    parts = [*Deb822.iter_paragraphs(control.read_text(encoding="utf-8", errors="replace"))]
    first = parts[0] if parts else Deb822()
    package = parts[1] if len(parts) > 1 else Deb822()
    summary = str(package.get("Description", packaging.package.name)).splitlines()[0]
    address = urlsplit(tool.watch.url)
    home = str(first.get("Homepage", "")).strip()
    if not home.startswith(("http://", "https://")):
        scheme = address.scheme if address.scheme in ("http", "https") else "https"
        home = f"{scheme}://{address.netloc.rpartition('@')[2] or 'unknown.invalid'}/"
    lines = [
        f"summary = {json.dumps(summary, ensure_ascii=False)}",
        f"homepage = {json.dumps(home)}",
        "",
        "[watch]",
        'kind = "watch"',
        "",
        "[package]",
        f"adopted = {json.dumps(f'{packaging.said} {packaging.package.version}')}",
        f'digest = "{_digest(packaging.debian)}"',
    ]
    if packaging.dsc:
        lines += [f'dsc = "{packaging.digest}"']
    if proof.main:
        lines += [f"in_main = {json.dumps(proof.version)}"]
    if lintian:
        lines += ["lintian = [", *(f"    {json.dumps(error)}," for error in lintian), "]"]
    lines += accepted
    if not tool.keyring:
        lines += ["", "[verify]", 'method = "pins"']
    if pins or not tool.keyring:
        lines += ["", f"# {' '.join(proof.said.split())}"] if pins and proof.digest else []
        lines += ["[verify.pins]"]
        lines += [f'"{version}" = "{digest}"' for version, digest in pins.items()]
    return "\n".join(lines) + "\n"


def _accepted(proof: Vouched, texts: Sequence[str], context: Context) -> Sequence[str]:
    """Return the lines of tool.toml by which terms pass that a distribution has in its main."""
    if not texts:
        return ()
    return (
        "",
        "[[license.accepted]]",
        'expression = "LicenseRef-in-main"',
        'by = "the review of the distribution\'s archive"',
        f'when = "{context.clock.now():%Y-%m-%d}"',
        f"why = {json.dumps(f'{proof.main} has this very release in its component main')}",
        "fingerprints = [",
        *(f'    "{text}",' for text in texts),
        "]",
    )


def _digest(debian: Path) -> str:
    """Return a digest of packaging and its watch file."""
    beside = {name: debian / name for name in ("watch", "changelog")}
    files = {**packaging_files(debian), **beside}
    rows = (
        f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for name, path in sorted(files.items())
        if path.is_file()
    )
    return hashlib.sha256("".join(rows).encode(errors="surrogateescape")).hexdigest()


def _target(context: Context, found: Adoption, packaging: Packaging, place: Path) -> Path:
    """Return the tool's folder; raise UsageError where another tool has the name, or an own one."""
    target = place / found.name
    taken = dict(tool_places(context.config)).get(found.name)
    if taken is not None and taken / found.name != target:
        raise UsageError(
            f"there is a tool {found.name} already: {taken / found.name}",
            resolution="It is followed there; retire it first, or go on with that.",
        )
    if not (target / "tool.toml").is_file():
        return target
    recorded = re.search(r'(?m)^digest = "([0-9a-f]{64})"$', (target / "tool.toml").read_text())
    if recorded is None or _digest(target / "debian") not in (
        recorded[1],
        _digest(packaging.debian),
    ):
        raise UsageError(
            f"{target} was {'changed since it was adopted' if recorded else 'not adopted'};"
            " nothing there is overwritten",
            resolution=f"Take what you need out of it and remove {target}, or merge by hand.",
        )
    return target


def _write(found: Adoption, packaging: Packaging, target: Path) -> bool:
    """Write debian/ and tool.toml; say whether anything was changed. What a person added stays."""
    own = target / "tool.toml"
    same = own.is_file() and _digest(target / "debian") == _digest(packaging.debian)
    if same:
        return _pinned_anew(own, found.toml)
    shutil.rmtree(target / "debian", ignore_errors=True)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(packaging.debian, target / "debian", symlinks=True)
    text = found.toml
    if own.is_file():
        text = re.sub(r'(?m)^(adopted|digest|dsc|in_main) = ".*"$', _renewed(text), own.read_text())
    replace_file(own, text.encode())
    _pinned_anew(own, found.toml)
    load_tool(target)
    return True


def _pinned_anew(own: Path, toml: str) -> bool:
    """Add pins that were not known before to a tool.toml that ends with them; say whether any."""
    text = own.read_text(encoding="utf-8")
    head, _, pins = toml.partition("[verify.pins]\n")
    if not re.search(r'\[verify\.pins\]\n(?:".+" = ".+"\n)*\Z', text) or not head:
        return False
    more = [line for line in pins.splitlines() if line.partition(" = ")[0] + " = " not in text]
    return bool(more) and replace_file(own, (text + "".join(f"{m}\n" for m in more)).encode())


def _renewed(text: str) -> Callable[[re.Match[str]], str]:
    """Return a function that gives a line of tool.toml its new value, in ``text``."""
    lines = dict(re.findall(r'(?m)^((?:adopted|digest|dsc|in_main)) = (".*")$', text))
    return lambda match: f"{match[1]} = {lines.get(match[1], '')}" if match[1] in lines else ""
