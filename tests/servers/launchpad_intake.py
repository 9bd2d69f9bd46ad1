"""How the Launchpad that tests run against decides about uploads.

The rules are those of Launchpad's upload processor, as its manual and its users tell them.
Three ends are possible: accepted; rejected, with a mail to the signer and nothing in the API;
or dropped without a word, where no signer is known.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from functools import partial
from pathlib import Path

from debian.deb822 import Changes, Deb822, Dsc
from debian.debian_support import Version

from tests.servers.launchpad_archive import Ppa, Source
from tests.servers.launchpad_world import World

SECTIONS = (
    "admin cli-mono comm database debian-installer debug devel doc editors education electronics"
    " embedded fonts games gnome gnu-r gnustep golang graphics hamradio haskell httpd interpreters"
    " introspection java javascript kde kernel libdevel libs lisp localization mail math"
    " metapackages misc net news ocaml oldlibs otherosfs perl php python raku ruby rust science"
    " shells sound tasks tex text translations utils vcs video web x11 xfce zope"
)


class Rejected(Exception):
    """The text of the mail."""


class Intake:
    """Watches the upload server's incoming folder and decides about what arrives."""

    def __init__(self, world: World, incoming: Path | None = None) -> None:
        self._world, self.incoming = world, incoming
        self._seen: set[Path] = set()

    def scan(self) -> None:
        """Note the sessions that are new in the folder; each is decided after the delay."""
        for session in sorted(self.incoming.iterdir()) if self.incoming else ():
            if session not in self._seen and session.name.startswith("upload-"):
                self._seen.add(session)
                self._world.later(self._world.pace.upload, partial(self.decide, session))

    def decide(self, session: Path) -> None:
        """Accept, reject or drop what one session of the upload server has left."""
        found = sorted(session.rglob("*.changes"))
        if not found:
            self._world.dropped["no .changes"] += 1
        for changes in found:
            signer, text = self._world.signer(changes)
            if not signer:
                self._world.dropped["no known signer"] += 1
                continue
            place = changes.parent.relative_to(session).parts
            subject = f"[{'/'.join(place)}] {changes.name}"
            try:
                self._accept(changes, text, signer, place)
            except Rejected as error:
                self._world.tell(signer, f"{subject} (Rejected)", f"Rejected:\n{error}\n")
            else:
                self._world.tell(signer, f"{subject} (Accepted)", "Accepted\n")

    def _accept(self, path: Path, text: bytes, signer: str, place: tuple[str, ...]) -> None:
        ppa = self._ppa(place)
        changes = Changes(text.decode())
        series = place[3] if len(place) > 3 else changes.get("Distribution", "")
        self._check_rights(ppa, signer, series)
        self._check_kind(path, changes)
        given = {entry["name"]: _checked(path.parent, entry) for entry in _entries(changes)}
        files, dsc = self._source_files(path.parent, given, ppa)
        source = Source(
            name=changes["Source"],
            version=changes["Version"],
            files=files,
            changes_name=path.name,
            changes=path.read_bytes(),
            binaries=_binaries(dsc),
            section=changes["Files"][0]["section"],
            signer=signer,
        )
        self._check_version(ppa, source, series)
        _check_texts(files)
        if not any(ppa.architectures(source)):
            wanted = " ".join(sorted({arch for _, arch in source.binaries}))
            raise Rejected(f"Cannot build any of the architectures requested: {wanted}")
        size = (ppa.size + path.stat().st_size + sum(map(len, given.values()))) / 2**20
        if size > ppa.authorized_size:
            raise Rejected(
                f"PPA exceeded its size limit ({size:.2f} of {ppa.authorized_size:.2f} MiB). Ask a"
                " question in https://answers.launchpad.net/soyuz/ if you need more space."
            )
        ppa.accept(source, series, self._world.clock.now())

    def _ppa(self, place: tuple[str, ...]) -> Ppa:
        owner, distribution, name = (*place, "", "", "")[:3]
        ppa = self._world.ppas.get((owner.removeprefix("~"), name))
        if not owner.startswith("~") or distribution != "ubuntu" or ppa is None or ppa.deleted:
            raise Rejected(
                f"Launchpad failed to process the upload path '{'/'.join(place)}':\n\nCould not"
                f" find a PPA owned by '{owner.removeprefix('~')}' for '{distribution}' named"
                f" '{name}'."
            )
        return ppa

    def _check_rights(self, ppa: Ppa, signer: str, suite: str) -> None:
        name, _, pocket = suite.partition("-")
        series = self._world.series.get(name)
        if series is None:
            raise Rejected(f"Unable to find distroseries: {suite}")
        if pocket not in ("", "release"):
            raise Rejected("PPA uploads must be for the RELEASE pocket.")
        if not self._world.may_take(series, ppa):
            raise Rejected(f"{series.name} is obsolete and will not accept new uploads.")
        if not ppa.enabled:
            raise Rejected(f"{ppa.displayname} is disabled.")
        if not self._world.may_upload(signer, ppa):
            raise Rejected("Signer has no upload rights to this PPA.")

    def _check_kind(self, path: Path, changes: Changes) -> None:
        if changes.get("Format") not in ("1.5", "1.6", "1.7", "1.8", "2.0"):
            raise Rejected(f"Format out of acceptable range for changes file: {changes['Format']}")
        words = set(changes.get("Architecture", "").split())
        if "source" not in words:
            raise Rejected(
                "Upload rejected because it contains binary packages. Ensure you are using"
                " `debuild -S`, or an equivalent command, to generate only the source package"
                " before re-uploading."
            )
        if words != {"source"}:
            raise Rejected("Source/binary (i.e. mixed) uploads are not allowed.")
        for entry in changes["Files"]:
            section = entry["section"].rpartition("/")[2]
            if section not in SECTIONS.split():
                raise Rejected(f"{entry['name']}: Unknown section '{section}'")
            if entry["name"].endswith(".tar.zst"):
                raise Rejected(f"{entry['name']}: Unable to identify file, or it is not allowed.")

    def _source_files(
        self, folder: Path, given: dict[str, bytes], ppa: Ppa
    ) -> tuple[dict[str, bytes], str]:
        """Return all files of a source, those that it has in common with others found by name."""
        names = [name for name in given if name.endswith(".dsc")]
        if len(names) != 1:
            raise Rejected("Changes file has no .dsc, or more than one.")
        dsc_signer, text = self._world.signer(folder / names[0])
        if not dsc_signer:
            raise Rejected(f"GPG verification of {folder / names[0]} failed: no known signature")
        dsc = Dsc(text.decode())
        files = {names[0]: given[names[0]]}
        for entry in dsc["Checksums-Sha256"]:
            files[entry["name"]] = self._identical(entry, given, ppa)
        return files, text.decode()

    def _identical(self, entry: dict[str, str], given: dict[str, bytes], ppa: Ppa) -> bytes:
        """Return a file's bytes: as uploaded, and the same as any that had this name before."""
        name = entry["name"]
        places = {ppa.displayname: ppa.known_files()}
        if ".orig" in name:
            places["Primary Archive for Ubuntu"] = self._world.primary.known_files()
        known = {place: files[name] for place, files in places.items() if name in files}
        data = given.get(name, next(iter(known.values()), None))
        if data is None:
            raise Rejected(f"Unable to find {name} in upload or distribution.")
        for place, bytes_there in known.items():
            if hashlib.sha256(bytes_there).hexdigest() != entry["sha256"]:
                raise Rejected(
                    f"File {name} already exists in {place}, but uploaded version has different"
                    " contents. See more information about this error in"
                    " https://documentation.ubuntu.com/launchpad/user/explanation/packaging/"
                    "package-upload-errors/.\nFiles specified in DSC are broken or missing,"
                    " skipping package unpack verification."
                )
        return data

    def _check_version(self, ppa: Ppa, source: Source, series: str) -> None:
        burnt = [p for p in ppa.versions(source.name) if p.version == source.version]
        if burnt:
            raise Rejected(
                f"The source {source.name} - {source.version} is already accepted in"
                f" ubuntu/{burnt[0].series} and you cannot upload the same version within the same"
                " distribution. You have to modify the source version and re-upload."
            )
        live = [p for p in ppa.versions(source.name, series) if p.live]
        newest = max((p.version for p in live), key=Version, default="")
        if newest and Version(source.version) < Version(newest):
            raise Rejected(
                f"{source.name}_{source.version}.dsc: Version older than that in the archive."
                f" {source.version} <= {newest}"
            )


def _entries(changes: Changes) -> list[dict[str, str]]:
    """Return a .changes file's files, or refuse one that has no good checksums."""
    entries: list[dict[str, str]] = changes.get("Checksums-Sha256", [])
    if not entries or {e["name"] for e in entries} != {e["name"] for e in changes["Files"]}:
        raise Rejected("Files and Checksums-Sha256 do not name the same files.")
    return entries


def _checked(folder: Path, entry: dict[str, str]) -> bytes:
    path = folder / entry["name"]
    if "/" in entry["name"] or not path.is_file():
        raise Rejected(f"File {entry['name']} mentioned in the changes has not been uploaded.")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != entry["sha256"] or len(data) != int(entry["size"]):
        raise Rejected(f"File {entry['name']} mentioned in the changes has a checksum mismatch.")
    return data


def _check_texts(files: dict[str, bytes]) -> None:
    """Refuse a changelog or copyright that is a link or too large; hand-made uploads have none."""
    packaging = next((data for name, data in files.items() if ".debian.tar." in name), b"")
    try:
        with tarfile.open(fileobj=io.BytesIO(packaging)) as archive:
            members = {member.name.removeprefix("./"): member for member in archive}
    except tarfile.TarError:
        return
    for text in ("debian/changelog", "debian/copyright"):
        if (member := members.get(text)) is None:
            continue
        if member.issym():
            raise Rejected(f"Symbolic link for {text} not allowed")
        if member.size > 10 * 2**20:
            raise Rejected(f"{text} file too large, 10MiB max")


def _binaries(dsc: str) -> tuple[tuple[str, str], ...]:
    """Return name and architectures of each binary package, by the Package-List field."""
    found = []
    for line in Deb822(dsc)["Package-List"].split("\n"):
        words = line.split()
        if len(words) > 4 and words[1] == "deb":
            archs = next(w.removeprefix("arch=") for w in words if w.startswith("arch="))
            found += [(words[0], arch) for arch in archs.split(",")]
    return tuple(found)
