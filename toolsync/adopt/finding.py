"""Find out what can be known of packaging: nothing of it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from toolsync.adopt.adoption import Adoption
from toolsync.adopt.bases import Former, bases_of, former_of, known_terms, own_former
from toolsync.adopt.definition import accepted_terms, definition_of
from toolsync.adopt.lintian import errors_before
from toolsync.adopt.offered import known_pins, newest_offered
from toolsync.adopt.opened import Opened
from toolsync.adopt.packaging import Packaging
from toolsync.adopt.successor import bring_later
from toolsync.adopt.vouched import Vouched, vouched
from toolsync.build.archives import Archive, control_of
from toolsync.model.errors import ToolsyncError
from toolsync.model.versions import upstream_key
from toolsync.package.floors import is_lowered
from toolsync.pipeline.bringing import brought
from toolsync.pipeline.context import Context
from toolsync.watchfile.folder import Package, load_folder


def find(
    context: Context,
    packaging: Packaging,
    opened: Opened,
    folder: Path,
    undecided: list[str],
    tell: Callable[[str], None],
) -> Adoption:
    """Return what is found; what a person should know beside it goes into ``undecided``.

    ``folder`` is for what is brought meanwhile.
    """
    archives = opened.all(undecided)
    every = cache(lambda: [*archives, *opened.newer(undecided)])
    name = packaging.package.name
    tool = load_folder(packaging.folder)
    release, offered = newest_offered(context, tool, undecided, tell)
    newest = release.version if release else ""
    proof = vouched(context, tool, release, every, folder) if release else Vouched()
    known = {} if tool.keyring else known_pins(name, packaging, archives, offered)
    pins = _proved(newest, proof, known, undecided)
    served = {a.series: there[0].version for a in archives if (there := a.sources(name))}
    undecided += [*_newer(packaging, newest, served, undecided)]
    former = former_of(packaging, archives, context.config.series, folder)
    bases = bases_of(context, former, undecided, tell)
    patches = tuple(_patches(packaging.debian / "patches" / "series"))
    later = bring_later(packaging, every, newest, folder, undecided, tell) if patches else None
    lintian: tuple[str, ...] = ()
    if context.config.build.lint:
        lintian = errors_before(
            _formers(packaging, former, every(), folder),
            context.config.series,
            folder,
            undecided,
            tell,
        )
    terms = accepted_terms(proof, known_terms(context, proof, undecided), context)
    return Adoption(
        name=name,
        said=packaging.said,
        version=packaging.package.version,
        page=tool.watch.url,
        newest=newest,
        proof=proof.said if proof.signed or proof.digest else "none yet",
        licenses=_licenses(packaging.debian / "copyright"),
        patches=patches,
        lacks=_lacks(context, packaging, archives),
        served=served,
        lintian=lintian,
        undecided=tuple(undecided),
        toml=definition_of(packaging, tool, lintian, pins, proof, terms),
        bases=bases,
        later=later,
    )


def _proved(
    newest: str, proof: Vouched, known: Mapping[str, str], undecided: list[str]
) -> Mapping[str, str]:
    """Return the digests by which releases are proved where no signature is."""
    pins = {version: pin for version, pin in known.items() if version != newest}
    if proof.digest and not proof.signed:
        pins[newest] = proof.digest
    if not (proof.signed or proof.digest):
        why = proof.said or "no key is in debian/upstream, and no archive has its orig tarball"
        undecided.append(
            f"nothing proves {newest or 'the next release'}: {why}; put upstream's key into"
            " debian/upstream, or pin a digest that somebody has checked ([verify.pins])"
        )
    return pins


def _formers(
    packaging: Packaging, former: Former, archives: Sequence[Archive], folder: Path
) -> Sequence[Former]:
    """Return the packaging's own release, and the one that users have where that is another."""
    if former.package == packaging.package:
        return [former]
    try:
        return [own_former(packaging, archives, folder), former]
    except ToolsyncError:  # what was built of it is not to be had; its source package is here
        return [Former(package=packaging.package, dsc=packaging.dsc), former]


def _newer(
    packaging: Packaging, newest: str, served: Mapping[str, str], said: Sequence[str]
) -> Iterator[str]:
    """Yield that a series has packaging of a newer version, where that was not ``said`` before."""
    name = packaging.package.name
    for series, version in served.items():
        there = upstream_key(Package(name=name, version=version).upstream)
        told = any(f"packaging {version} in {series} " in line for line in said)
        if there > upstream_key(packaging.package.upstream) and not told:
            yield (
                f"{series} has packaging of a newer version, {version}:"
                f" toolsync adopt apt:{name} takes what is nearest to {newest or 'the release'}"
                f" and can be built, apt:{name}/{series} this one"
            )


def _lacks(
    context: Context, packaging: Packaging, archives: Sequence[Archive]
) -> Mapping[str, tuple[str, ...]]:
    """Return the build dependencies that series cannot meet, and who would bring them.

    What is lowered for an older series, when its source package is made, is not lacking.
    """
    control = control_of(packaging.debian / "control")
    found: dict[str, tuple[str, ...]] = {}
    for archive in (one for one in archives if one.series in context.config.series):
        lacks = archive.lacks(control)
        unmet = [u for u in lacks if not is_lowered(u.group, packaging.origin, archive.series)]
        if unmet:
            places = brought(context, archive.series, unmet)
            found[archive.series] = tuple(f"{one.told}; {places[one.told]}" for one in unmet)
    return found


def _licenses(path: Path) -> tuple[str, ...]:
    """Return the short names that a debian/copyright gives its licenses."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return tuple(dict.fromkeys(re.findall(r"(?mi)^License:[ \t]*(\S.*?)[ \t]*$", text)))


def _patches(series: Path) -> Iterator[str]:
    if series.is_file():
        for line in series.read_text(encoding="utf-8", errors="replace").splitlines():
            if words := line.partition("#")[0].split():
                yield words[0]
