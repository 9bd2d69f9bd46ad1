"""A tool's definition: what its folder says, as frozen values (`setup.tools` reads it)."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolsync.config.later import later_digest, later_patches
from toolsync.config.licensing import LicensePolicy
from toolsync.config.mended import mended_digest
from toolsync.config.packaging import packaging_files, require_plain
from toolsync.config.record import PageKind, Proof, Table
from toolsync.model.values import NEVER, WHILE_FILLED, told

_UPSTREAM_KEYS = (
    "upstream/signing-key.asc",
    "upstream/signing-key.pgp",
    "upstream-signing-key.pgp",
)
"""Where debian/ holds upstream's keys (uscan(1))."""


_FROM_ARCHIVE = re.compile(r"apt:[a-z0-9][a-z0-9+.-]+/([a-z]+)(?: |$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Where releases appear."""

    kind: str
    url: str = ""
    project: str = ""
    pattern: str = ""
    xpath: str = ""
    path: str = ""
    """A JMESPath expression, for a page of kind json."""
    member: str = ""
    """For kind probe: the member that names the version, empty for the top folder."""
    file_url: str = ""
    releases: str = "tags"
    prereleases: bool = False
    mangle: tuple[str, ...] = ()
    backlog: int = 1
    min_age: float = 0
    """Days that a release must have been out before it is taken."""
    ignore: Mapping[str, str] = field(default_factory=dict)
    """Versions that are never taken, each with the reason."""
    branch: str = ""
    """The only series of versions to follow, such as ``1.5``; empty for all."""
    lists: str = ""
    """``all`` or ``latest``: what the page lists; empty for what its kind does."""
    user_agent: str = ""
    """Sent to this page instead of our own; empty for our own."""
    text: str = ""
    """The debian/watch of a tool that is defined by one."""
    own: Table = field(default_factory=dict, metadata=WHILE_FILLED)
    """Keys that one kind of page alone has, and that no field above stands for."""
    record: PageKind | None = field(default=None, compare=False, metadata=NEVER)
    """The record of its kind, from the table that it was read with."""

    def __repr__(self) -> str:
        """Return all that a look depends on: what was seen is remembered by a digest of this."""
        return f"Watch({', '.join(f'{name}={getattr(self, name)!r}' for name in told(self))})"

    @property
    def rolls(self) -> bool:
        """Whether old releases leave the page as new ones come, so that one may be gone fairly."""
        return (self.lists or (self.record.lists if self.record else "all")) == "latest"

    @property
    def is_folder(self) -> bool:
        """Whether debian/watch says where releases appear."""
        return self.kind == "watch"

    @property
    def is_tree(self) -> bool:
        """Whether a release is the tree of a git tag, which no address leads to."""
        return self.kind == "git" and not self.file_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """How a release's origin is proved; an empty method means that nothing is declared."""

    method: str = ""
    signature: str = ""
    checksums: str = ""
    checksums_signature: str = ""
    keys: tuple[str, ...] = ()
    keys_url: str = ""
    """Where upstream publishes its keys; they are compared with ours, never taken from there."""
    pins: Mapping[str, str] = field(default_factory=dict)
    own: Table = field(default_factory=dict, metadata=WHILE_FILLED)
    """Keys that one method alone has, and that no field above stands for."""
    record: Proof | None = field(default=None, compare=False, metadata=NEVER)
    """The record of its method, from the table that it was read with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatPolicy:
    """What users of a tool care about, and what else may change without a person's word."""

    commands: tuple[str, ...] = ()
    """Patterns (fnmatch) of the commands that matter; empty for all."""
    services: tuple[str, ...] = ()
    """Likewise of a cloud's services, by their names in its models."""
    risky: str = "hold"
    """What becomes of risky changes: ``hold`` or ``pass``."""
    unknown: str = "hold"
    """What becomes of what could not be examined: ``hold`` or ``pass``."""
    first: str = "pass"
    """What becomes of a tool's first release, which nothing can be compared with."""
    waive: tuple[str, ...] = ()
    """Kinds of changes that pass where they are risky, such as ``dependency``."""
    probe: bool = True
    """Whether its commands are run in a sandbox."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """How a tool is published to a PPA."""

    copy: bool = False
    """Whether newer series get copies of what was built for the oldest (Architecture: all)."""
    channel: str = "stable"
    """``staging``: first to the staging PPA."""
    promote_after: int = 3 * 86400
    """Seconds in staging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One folder under conf/tools: everything particular to one tool."""

    name: str
    folder: Path
    summary: str
    homepage: str
    watch: Watch
    verify: Verify
    license: LicensePolicy
    compat: CompatPolicy
    source: str
    """The source package's name."""
    series: tuple[str, ...]
    """The series that it can be built for; empty for any."""
    epoch: int = 0
    """Of its Debian versions (Debian Policy 5.6.12)."""
    publish: Publish = Publish()
    lintian: tuple[str, ...] = ()
    """Errors that its packaging had before, as ``PACKAGE: TAG``; they hold nothing."""
    adopted: str = ""
    """Where its packaging was adopted from, and that one's version; empty where it was not."""
    nearer: str = ""
    """Why packaging that is nearer to the release was not adopted; empty where there was none."""
    in_main: str = ""
    """The release of which a distribution has the same content in its component main."""
    main_packages: tuple[str, ...] = ()
    """The binary packages of that release there."""
    own: Mapping[str, Table] = field(default_factory=dict)
    """The sections that one gate alone reads, and that no field above stands for."""
    git: Table = field(default_factory=dict)
    """What it says otherwise than [git] of toolsync.toml."""

    overlay: Path | None = None
    """The file for what an operator adds to it; it need not be there."""

    @property
    def editable(self) -> Path:
        """The file in which an operator changes what it says: never a shipped one."""
        if self.overlay is None or self.overlay.parent == self.folder.parent:
            return self.folder / "tool.toml"
        return self.overlay

    @property
    def debian(self) -> Path:
        """Its packaging."""
        return self.folder / "debian"

    @property
    def origin(self) -> str:
        """The series whose archive its packaging was adopted from; empty for another place."""
        return origin_of(self.adopted)

    @property
    def packages(self) -> tuple[str, ...]:
        """The binary packages by which apt installs it; none without debian/control."""
        control = self.debian / "control"
        text = control.read_text(encoding="utf-8") if control.is_file() else ""
        return tuple(re.findall(r"(?mi)^Package:[ \t]*(\S+)", text))

    @property
    def keyring(self) -> tuple[Path, ...]:
        """The upstream's signing keys: of keys/, or of a folder with debian/watch its own."""
        if self.watch.is_folder:
            return self.carried_keys
        place = f"{self.folder}/keys"
        try:
            names = os.listdir(place)  # noqa: PTH208 (a path's glob takes ten times as long)
        except FileNotFoundError:
            return ()
        armored = sorted(name for name in names if name.endswith(".asc"))
        return tuple(require_plain(Path(f"{place}/{name}")) for name in armored)

    @property
    def carried_keys(self) -> tuple[Path, ...]:
        """The upstream's signing keys that its packaging carries."""
        files = (self.debian / name for name in _UPSTREAM_KEYS)
        return tuple(file for file in files if file.is_file())

    @property
    def trusted_root(self) -> Path:
        """The file for a root of trust of Sigstore's; it need not be there."""
        return self.folder / "keys" / "trusted_root.json"

    @property
    def trust(self) -> tuple[Path, ...]:
        """All files by which signatures are judged: the keyring, and the root of trust if any."""
        return (*self.keyring, *((self.trusted_root,) if self.trusted_root.is_file() else ()))

    def base(self, gate: str) -> tuple[Path, str] | None:
        """Return what a gate would have kept of the release that was adopted, and its version.

        None where the tool was not adopted, or that is not known.
        """
        for path in sorted((self.folder / "base").glob(f"{gate}_*.json")):
            return path, path.name.removeprefix(f"{gate}_").removesuffix(".json")
        return None

    @property
    def mended(self) -> Path:
        """The folder for what an operator mends of its packaging; it need not be there."""
        if self.overlay is None or self.overlay.parent == self.folder.parent:
            return self.folder / "mended"
        return self.overlay.with_suffix("") / "mended"

    def packaging_digest(self, release: str = "") -> str:
        """Return a digest over names, executable bits and contents of debian/, links followed.

        With ``release`` (upstream's version) what counts for that alone is among them.

        A changelog is among them where packaging has one: it is gone on with.
        """
        hasher = hashlib.sha256()
        if (log := self.debian / "changelog").is_file():
            hasher.update(hashlib.sha256(log.read_bytes()).digest())
        for name, path in packaging_files(self.debian).items():
            mode = "x" if os.access(path, os.X_OK) else "-"
            if path.exists():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                content = f"link to {path.readlink()}"
            hasher.update(f"{name}\0{mode}\0{content}\n".encode(errors="surrogateescape"))
        if release:
            later = later_digest(self.folder) if later_patches(self.folder, release) else ""
            hasher.update(f"{later}{mended_digest(self.mended, release)}".encode())
        return hasher.hexdigest()


def origin_of(adopted: str) -> str:
    """Return the series whose archive packaging was adopted from; empty for another place."""
    found = _FROM_ARCHIVE.match(adopted)
    return found[1] if found else ""
