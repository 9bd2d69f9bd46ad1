"""The values that a release becomes on its way, each wrapping the one before.

Nothing here does anything: no files, no network, no clock. A stage takes one of
these and returns the next, so a stage cannot be given what its predecessor has not
cleared. ``dump`` and ``load`` (of `values`) turn a value's own part, all but the predecessor,
into JSON and back, which is how the journal remembers a stage's result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from toolsync.model.judgment import Judgment
from toolsync.model.plan import Plan
from toolsync.model.values import NEVER, WHILE_FILLED
from toolsync.model.values import Blob as Blob
from toolsync.model.values import Finding as Finding
from toolsync.model.values import dump as dump
from toolsync.model.values import load as load


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One tarball of a release: the main one, or a component (dpkg-source(1))."""

    url: str
    filename: str
    version: str
    """Its own upstream version, which a component may have."""
    component: str = ""
    """The component's name, empty for the main tarball."""
    page: str = ""
    tag: str = ""
    """The git ref of which the tarball is made, empty where the address leads to a file."""
    git: tuple[str, ...] = ()
    """How a tarball is made of a ref: ``full`` (with history), ``all`` (with what attributes
    leave out)."""
    plan: Plan = field(default_factory=Plan)
    compression: str = ""
    """What a tarball that is packed anew is compressed with, empty for xz."""
    repack: bool = False
    """Whether it is packed anew where it has another compression."""
    wrap: bool = True
    """Whether a tarball without a top folder of its own gets one."""
    orig_version: str = ""
    """The version in the orig tarballs' names, where it is not the release's."""
    repacked_version: str = ""
    """Likewise, where something was left out of any of them."""


class Release(NamedTuple):
    """One version of a tool as its release page offers it.

    A tuple, because a page can name thousands: one is made in a fifth of a dataclass's time.
    """

    tool: str
    version: str
    """Debian's upstream version, after mangling."""
    raw_version: str
    """The spelling on the page."""
    url: str
    """Where the archive is."""
    filename: str
    page: str
    """The page that named it."""
    tag: str = ""
    published: str = ""
    """ISO 8601 in UTC where the page tells, else empty."""
    prerelease: bool = False
    yanked: str = ""
    """Upstream's reason for withdrawing it, empty while it stands."""
    sha256: str = ""
    """The digest that the page itself states, where it does."""
    size: int | None = None
    etag: str = ""
    parts: tuple[Part, ...] = ()
    """All its tarballs, the main one first; empty where the file at ``url`` is the whole."""
    refused: str = ""
    """Why it cannot be taken; ``version`` is then where it would stand, empty if unknown."""
    sha512: str = ""
    """Likewise."""

    @staticmethod
    def later() -> tuple[str, ...]:
        """Return the fields that came later: empty they are not dumped, so old digests stay."""
        return ("refused", "sha512")

    @property
    def main(self) -> Part:
        """The main tarball."""
        if self.parts:
            return self.parts[0]
        return Part(
            url=self.url,
            filename=self.filename,
            version=self.version,
            page=self.page,
            tag=self.tag,
        )

    @property
    def components(self) -> tuple[Part, ...]:
        """The tarballs beside the main one."""
        return self.parts[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPart:
    """A component's bytes are in the store."""

    component: str
    archive: Blob
    final_url: str
    extras: tuple[Blob, ...] = ()
    """As of `Fetched`."""
    etag: str = field(default="", metadata=WHILE_FILLED)
    """As of `Fetched`."""
    last_modified: str = field(default="", metadata=WHILE_FILLED)
    """As of `Fetched`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The release's bytes are in the store."""

    release: Release
    archive: Blob
    final_url: str
    """The address after redirects."""
    extras: tuple[Blob, ...] = ()
    """Signatures and checksum files fetched beside it, named by their role:
    ``signature``, ``checksums``, ``checksums-signature``, ``tag``."""
    components: tuple[FetchedPart, ...] = ()
    etag: str = field(default="", metadata=WHILE_FILLED)
    """What the server calls these bytes (RFC 9110, 8.8), by which it is asked again later."""
    last_modified: str = field(default="", metadata=WHILE_FILLED)
    """Likewise."""

    @property
    def parts(self) -> tuple[FetchedPart, ...]:
        """All tarballs, the main one first, in the order of the release's parts."""
        main = FetchedPart(
            component="", archive=self.archive, final_url=self.final_url, extras=self.extras
        )
        return (main, *self.components)

    def extra(self, role: str) -> Blob | None:
        """Return the file fetched in this role, if there is one."""
        return next((blob for blob in self.extras if blob.name == role), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is known of one tarball's origin."""

    component: str
    statement: str
    fingerprint: str = ""
    signed_at: str = ""
    content: Blob | None = None
    """The tarball inside, where what was fetched is a signed message that holds it."""
    listed: str = ""
    """The name that a signed checksum file gives the tarball, where one proves it."""
    plain: str = ""
    """Digest of the tar without its compression, where that is what was signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The bytes are proved to be the ones that upstream published."""

    fetched: Fetched
    method: str
    """``openpgp``, ``checksums``, ``pins``, ``index`` or ``tag``."""
    statement: str
    """One sentence for changelog and evidence."""
    fingerprint: str = ""
    """The pinned primary key that signed, where one did."""
    signed_at: str = ""
    findings: tuple[Finding, ...] = ()
    verdict: str = "good"
    """``good``, or ``unchecked`` where a person asked to take what nothing proves."""
    content: Blob | None = None
    """The tarball inside, where what was fetched is a signed message that holds it."""
    listed: str = ""
    """As of `Proof`."""
    plain: str = ""
    """As of `Proof`."""
    components: tuple[Proof, ...] = ()

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """What is known of each tarball's origin, the main one first."""
        main = Proof(
            component="",
            statement=self.statement,
            fingerprint=self.fingerprint,
            signed_at=self.signed_at,
            content=self.content,
            listed=self.listed,
            plain=self.plain,
        )
        return (main, *self.components)

    @property
    def contents(self) -> tuple[Blob, ...]:
        """The tarballs that are proved, the main one first."""
        parts = zip(self.proofs, self.fetched.parts, strict=True)
        return tuple(proof.content or part.archive for proof, part in parts)

    @property
    def release(self) -> Release:
        """The release that this was made of."""
        return self.fetched.release


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentOrig:
    """A component's orig tarball, in the store."""

    component: str
    orig: Blob
    untouched: bool
    members: int
    excluded: tuple[str, ...] = ()
    top: str = ""
    """As of `Unpacked`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """The archive was read without harm and its orig tarball is in the store."""

    verified: Verified
    orig: Blob
    """Named as dpkg-source wants it, e.g. ``awscli_1.46.2.orig.tar.xz``."""
    untouched: bool
    """The orig is upstream's own file, byte for byte."""
    members: int
    excluded: tuple[str, ...] = ()
    """Members left out because debian/copyright says so."""
    epoch: int = 0
    """The newest modification time inside, in seconds since 1970 (UTC)."""
    findings: tuple[Finding, ...] = ()
    components: tuple[ComponentOrig, ...] = ()
    named: str = ""
    """The upstream version in the orig tarballs' names, where it is not the release's."""
    top: str = ""
    """The one folder that holds all that is kept of the archive; empty where there is none."""
    stated: str = ""
    """The version in the archive's member that the definition names, where it names one."""

    @property
    def upstream(self) -> str:
        """The upstream version that the orig tarballs, and so the package, carry."""
        return self.named or self.release.version

    @property
    def origs(self) -> tuple[Blob, ...]:
        """All orig tarballs, the main one first."""
        return (self.orig, *(component.orig for component in self.components))

    @property
    def release(self) -> Release:
        """The release that this was made of."""
        return self.verified.release


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A gate lets the release go on, by itself or by a person's word."""

    findings: tuple[Finding, ...]
    judgment: Judgment
    """What the gate said, and is compared with the next release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Licensed:
    """The terms are allowed to pass, and so is what other gates look at in a release's files."""

    unpacked: Unpacked
    passed: tuple[Passed, ...]
    """One for each gate over files, in their order (`gate.gates`)."""

    @property
    def notice(self) -> Blob | None:
        """debian/copyright completed by a gate; None where the packaging's own lacks nothing."""
        notices = (gate.judgment.notice for gate in self.passed)
        return next((notice for notice in notices if notice is not None), None)

    @property
    def release(self) -> Release:
        """The release that this was made of."""
        return self.unpacked.release


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePackage:
    """A source package for one series."""

    licensed: Licensed
    series: str
    name: str
    version: str
    """The full Debian version."""
    content: str
    """Digest of what went in (orig and packaging), the same for every series."""
    revision: int
    files: tuple[Blob, ...]
    """The .dsc first, then what it names."""
    findings: tuple[Finding, ...] = ()

    @property
    def source(self) -> SourcePackage:
        """Itself: what is published is asked for its source package, built here or not."""
        return self

    @property
    def release(self) -> Release:
        """The release that this was made of."""
        return self.licensed.release


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a second build of a source package came to, in other surroundings."""

    verdict: str
    """``reproduced``, ``different``, or ``not built`` again."""
    statement: str
    """The same in a sentence: that all bytes are the same, the first difference, or what failed."""
    varied: tuple[str, ...] = ()
    """What was other than in the first build."""
    notes: tuple[str, ...] = ()
    """What could not be varied, or could not be kept as it was, each with its reason."""
    report: Blob | None = field(default=None, metadata=WHILE_FILLED)
    """All that diffoscope(1) says of a difference, where it is installed."""


UNSERVED = (".udeb", ".ddeb")
"""How names of packages end that no archive for instances serves: the installer's, and those of
debugging symbols where Ubuntu's debhelper makes them, which Ubuntu's archive does not serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Binaries from that source package, linted and tested."""

    source: SourcePackage
    changes: Blob
    files: tuple[Blob, ...]
    """All files that the .changes names: source and binaries."""
    builder: str
    """Which builder made it, and from which chroot."""
    tests: str
    """The package's own tests in one phrase, e.g. ``2 passed``."""
    log: Blob
    findings: tuple[Finding, ...] = ()
    buildinfo: Blob | None = field(default=None, metadata=WHILE_FILLED)
    """In what environment they were built (deb-buildinfo(5)); None of what was built before."""
    rebuilt: Rebuilt | None = field(default=None, metadata=WHILE_FILLED)
    """What a second build came to; None where none was wanted."""
    architecture: str = field(default="", metadata=WHILE_FILLED)
    """For which it was built, where that is not the machine's own."""
    others: tuple[Built, ...] = field(default=(), metadata=NEVER)
    """The same for further architectures: each has its own packages, and none for all of them."""

    @property
    def made_for(self) -> str:
        """The architecture that it was built for, on whatever machine that is asked.

        The .changes is named by it (dpkg-buildpackage), that of a build for the machine's own too,
        of which nothing else was written down: the state may be gone on with on another machine.
        Empty, for a machine's own, where a builder names it by packages for all of them.
        """
        named = self.changes.name.removesuffix(".changes").rpartition("_")[2]
        return self.architecture or ("" if named == "all" else named)

    @property
    def whole(self) -> tuple[Built, ...]:
        """Itself and the others: all that is published."""
        return (self, *self.others)

    @property
    def debs(self) -> tuple[Blob, ...]:
        """The binary packages among the files."""
        return tuple(blob for blob in self.files if blob.name.endswith(".deb"))

    @property
    def for_all(self) -> tuple[Blob, ...]:
        """Those of them that are for all architectures."""
        return tuple(blob for blob in self.debs if blob.name.endswith("_all.deb"))

    @property
    def served(self) -> tuple[Blob, ...]:
        """The files that an archive for instances serves."""
        return tuple(blob for blob in self.files if not blob.name.endswith(UNSERVED))

    @property
    def release(self) -> Release:
        """The release that this was made of."""
        return self.source.release


Package = Built | SourcePackage
"""What is published: with binaries made here, or for a target that makes them itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compatible:
    """What users would miss is known and allowed to pass."""

    package: Package
    passed: tuple[Passed, ...]
    """One for each gate over packages, in their order."""

    @property
    def source(self) -> SourcePackage:
        """The source package, built here or not."""
        return self.package.source

    @property
    def files(self) -> tuple[Blob, ...]:
        """All files that are published, the .dsc among them."""
        return self.package.files

    @property
    def release(self) -> Release:
        """The release that this was made of."""
        return self.package.release


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The target took it."""

    item: Compatible
    target: str
    where: str
    """Address of the archive, as a person would look it up."""

    @property
    def release(self) -> Release:
        """The release that this was made of."""
        return self.item.release


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The target serves exactly our digests to an instance's apt."""

    receipt: Receipt
    statement: str
    served: tuple[Blob, ...]
    """What apt was offered: each .deb and source file, by name and digest."""
    fingerprint: str
    """The key under which apt accepted the index."""

    @property
    def release(self) -> Release:
        """The release that this was made of."""
        return self.receipt.release


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one tool in one run: the words of ``check``, ``sync`` and ``why``."""

    tool: str
    status: str
    """One of ``STATUSES``."""
    current: str | None
    """The newest version published, None before the first."""
    newest: str | None
    """The newest version that the page names, None if it could not be told."""
    url: str | None
    message: str
    resolution: str = ""
    exit_status: int = 0
    done: tuple[str, ...] = field(default=())
    """Versions that this run published."""
    rejected: tuple[str, ...] = field(default=())
    """Versions, newest first, that people rejected and that would be the newest without that."""
    warnings: tuple[str, ...] = field(default=())
    """What will need somebody soon, such as a key that is about to end."""


STATUSES = (
    "up-to-date",
    "new",
    "held",
    "recalled",
    "replaced",
    "drifted",
    "unreachable",
    "error",
)
