"""What reprepro reads and prints: its conf/distributions, and the files that it tracks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the archive says about itself."""

    origin: str
    label: str
    series: tuple[str, ...]
    architectures: tuple[str, ...]
    fingerprints: tuple[str, ...]
    """The full fingerprints of the keys that sign the indices."""
    keyring: int = 0
    """The version of toolsync-archive-keyring that is served; 0 for none."""
    valid_days: int = 0
    """How long an index is to be believed; 0 for ever."""
    automatic: bool = True
    """Whether apt takes its packages for the distribution's of the same names unasked."""
    recalls: tuple[str, ...] = ()
    """``SOURCE=VERSION`` of what is served and was recalled by its vendor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A version of a source, and which of its files are kept."""

    source: str
    version: str
    files: tuple[str, ...]
    """Below the archive's folder."""
    shown: bool
    """Whether an index names any of them."""


_NOT_AUTOMATIC = "NotAutomatic: yes\nButAutomaticUpgrades: yes\n"


def tracked(text: str) -> Iterator[Tracked]:
    """Read what ``reprepro dumptracks`` prints: fields, then lines of ``path type uses``."""
    for paragraph in filter(None, text.split("\n\n")):
        fields: dict[str, str] = {}
        files: list[tuple[str, int]] = []
        for line in paragraph.splitlines():
            if line.startswith(" "):
                path, _, uses = line.split()
                files.append((path, int(uses)))
            elif ": " in line:
                name, _, value = line.partition(": ")
                fields[name] = value
        yield Tracked(
            source=fields["Source"],
            version=fields["Version"],
            files=tuple(path for path, _ in files),
            shown=any(uses for _, uses in files),
        )


def configured(path: Path) -> list[str]:
    """Return the series that conf/distributions names."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split()[1] for line in lines if line.startswith("Codename:")]


def architectures(path: Path) -> list[str]:
    """Return the architectures that conf/distributions names, of all series together."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    named = [line.split()[1:] for line in lines if line.startswith("Architectures:")]
    return list(dict.fromkeys(name for names in named for name in names if name != "source"))


def signers(path: Path) -> list[str]:
    """Return the fingerprints of the keys by which conf/distributions lets indices be signed."""
    lines = path.read_text(encoding="utf-8").splitlines()
    named = (line.split()[1:] for line in lines if line.startswith("SignWith:"))
    return next(named, [])


def configuration(layout: Layout, present: Path) -> str:
    """Return conf/distributions for a layout: what is there stays, see `Reprepro`.

    The package of the keyring stands in a comment, so that a generation without it is not current.
    """
    series = dict.fromkeys((*configured(present), *layout.series))
    served = dict.fromkeys((*architectures(present), *layout.architectures))
    layout = replace(layout, architectures=tuple(served))
    head = f"# toolsync-archive-keyring {layout.keyring}\n" if layout.keyring else ""
    return head + "\n".join(distribution(layout, name) for name in series)


def distribution(layout: Layout, series: str) -> str:
    """Return one paragraph of conf/distributions.

    ``keep`` and not ``minimal``: the latter deletes the source of a .deb that is still served.
    ``includechanges`` makes a version's bytes binding for ever, as on Launchpad, and
    ``includebuildinfos`` lets anybody build it again as it was built. Recalls stand in
    the description: the one field of a Release file that is free text, signed with the rest of it
    and kept by apt on every instance. An archive that is not automatic has apt's priority 100, as
    backports have: it brings what it alone has, updates what was once taken from it, and replaces
    nothing of the distribution's unasked (apt_preferences(5)).
    """
    recalls = f"; recalled: {' '.join(layout.recalls)}" if layout.recalls else ""
    return (
        f"Origin: {layout.origin}\n"
        f"Label: {layout.label}\n"
        f"Suite: {series}\n"
        f"Codename: {series}\n"
        f"Architectures: {' '.join(layout.architectures)} source\n"
        "Components: main non-free\n"
        f"{'' if layout.automatic else _NOT_AUTOMATIC}"
        f"{f'ValidFor: {layout.valid_days}d{chr(10)}' if layout.valid_days else ''}"
        f"Description: vendor tools, kept in sync by toolsync{recalls}\n"
        f"SignWith: {' '.join(layout.fingerprints)}\n"
        "Tracking: keep includechanges includebuildinfos\n"
    )
