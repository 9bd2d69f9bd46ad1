"""An old release under a newer name, each with its own good proof: bytes are of one version."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.keys import BEFORE, Keys, throwaway_keys
from tests.support.released import open_bench, release_of
from tests.support.rig import Rig
from tests.support.tiny import archive, write_tool
from toolsync.model.errors import GateClosed, Unverified
from toolsync.model.release import Licensed, dump
from toolsync.pipeline.locate import whole
from toolsync.pipeline.road import licensed
from toolsync.setup.tools import load_tool
from toolsync.watchfile.folder import load_folder
from toolsync.watchfile.locate import locate


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with throwaway_keys() as made:
        yield made


@pytest.fixture(scope="module")
def owner(keys: Keys) -> str:
    return keys.make("Vendor")


class Vendor:
    """A vendor who signs, the server that somebody else has taken, and the tool that follows."""

    def __init__(self, root: Path, web: Web, rig: Rig, keys: Keys, owner: str) -> None:
        self.root, self.web, self.rig, self.keys, self.owner = root, web, rig, keys, owner
        self.debian = root / "hello" / "debian"

    def signed(self, data: bytes, *how: str, at: str = BEFORE) -> bytes:
        file = self.root / "to-sign"
        file.write_bytes(data)
        words = how or ("--armor", "--detach-sign")
        return self.keys.sign(file, self.root / "signed", self.owner, how=words, at=at).read_bytes()

    def serve(self, name: str, data: bytes, proof: bytes = b"", ending: str = ".asc") -> None:
        """Put a file on the server, and a proof beside it."""
        self.web.serve(f"/dl/{name}", data)
        if proof:
            self.web.serve(f"/dl/{name}{ending}", proof)

    def tool(self, proof: str) -> None:
        """Follow the vendor by a tool.toml that declares this proof."""
        home = write_tool(self.rig.tools, f"{self.web.url}/dl/", "1.0")
        toml = (home / "tool.toml").read_text()
        rest = toml[toml.index("[license]") :]
        (home / "tool.toml").write_text(f"{toml.partition('[verify]')[0]}{proof}\n{rest}")
        if "keys = [" in proof:
            self.keys.export(home / "keys" / "vendor.asc", self.owner)

    def take(self, version: str) -> Licensed:
        """Take a release of the tool.toml's through the gates over its files."""
        with open_bench(self.rig) as context:
            tool = load_tool(self.rig.tools / "hello")
            release = release_of(tool, version)
            context.journal.releases.see(tool.name, version, dump(release))
            return licensed(context, tool, release)

    def watch(self, *lines: str) -> None:
        """Follow the vendor by a folder with debian/watch."""
        home = write_tool(self.root, f"{self.web.url}/dl/", "1.0")
        (home / "tool.toml").unlink()
        end = " -- A <a@a.invalid>  Mon, 01 Jan 2024 00:00:00 +0000\n"
        (home / "debian" / "changelog").write_text(
            f"hello (0.1-1) sid; urgency=low\n\n  * x\n\n{end}"
        )
        self.keys.export(home / "debian" / "upstream" / "signing-key.asc", self.owner)
        text = "\n".join(("version=4", *lines)).replace("BASE", f"{self.web.url}/dl")
        (home / "debian" / "watch").write_text(f"{text}\n")

    def page(self, *names: str) -> None:
        self.web.serve("/dl/", "".join(f'<a href="{name}">x</a>\n' for name in names))

    def follow(self) -> str:
        """Take the newest release that the watch file finds up to its terms, which nobody knows."""
        with open_bench(self.rig) as context:
            tool = load_folder(self.debian.parent)
            found = locate(tool, http=context.http, limits=context.config.limits).release
            context.journal.releases.see(tool.name, found.version, dump(found))
            release = whole(context, tool, found)
            context.journal.releases.see(tool.name, found.version, dump(release))
            with pytest.raises(GateClosed, match="license terms"):
                licensed(context, tool, release)
        return release.version


@pytest.fixture
def vendor(tmp_path: Path, web: Web, rig: Rig, keys: Keys, owner: str) -> Vendor:
    return Vendor(tmp_path, web, rig, keys, owner)


def openpgp(owner: str) -> str:
    return f'[verify]\nmethod = "openpgp"\nsignature = "{{url}}.asc"\nkeys = ["{owner}"]'


def test_accepted_bytes_are_never_another_version(vendor: Vendor) -> None:
    data = archive("1.0")
    vendor.tool(openpgp(vendor.owner))
    for version in ("1.0", "2.0"):
        vendor.serve(f"hello-{version}.tar.gz", data, vendor.signed(data))
    assert vendor.take("1.0").release.version == "1.0"
    with pytest.raises(Unverified, match=r"hello 2\.0 is offered with the same bytes as .* 1\.0"):
        vendor.take("2.0")
    assert vendor.take("1.0").release.version == "1.0"


def test_a_pinned_file_is_no_other_version(vendor: Vendor) -> None:
    digest = hashlib.sha256(archive("1.0")).hexdigest()
    vendor.tool(f'[verify]\nmethod = "pins"\n[verify.pins]\n"1.0" = "{digest}"')
    vendor.serve("hello-2.0.tar.gz", archive("1.0"))
    with pytest.raises(Unverified, match=r"the very file that is pinned as 1\.0") as caught:
        vendor.take("2.0")
    assert caught.value.resolution.startswith("Treat it as an attack")


def test_the_same_signed_tar_under_another_compression_is_the_same(vendor: Vendor) -> None:
    """A signature over the plain tar is good for whatever anybody compresses it with."""
    plain = gzip.decompress(archive("1.0"))
    proof = vendor.signed(plain)
    vendor.watch(
        'opts="pgpsigurlmangle=s/\\.[gx]z$|\\.bz2$/.asc/, decompress" \\',
        "BASE/ hello-([\\d.]+)\\.tar\\.(?:gz|xz|bz2)",
    )
    vendor.page("hello-1.0.tar.gz")
    vendor.serve("hello-1.0.tar.gz", archive("1.0"))
    vendor.web.serve("/dl/hello-1.0.tar.asc", proof)
    assert vendor.follow() == "1.0"
    vendor.web.serve("/dl/hello-2.0.tar.asc", proof)
    for ending, data in (
        ("gz", gzip.compress(plain, 1)),
        ("xz", lzma.compress(plain)),
        ("bz2", bz2.compress(plain)),
    ):
        vendor.page(f"hello-2.0.tar.{ending}")
        vendor.serve(f"hello-2.0.tar.{ending}", data)
        with pytest.raises(Unverified, match=r"2\.0 is offered with the same bytes .* 1\.0"):
            vendor.follow()


def test_a_tarball_inside_another_signed_message_is_the_same(vendor: Vendor) -> None:
    data = archive("1.0")
    vendor.watch('opts="pgpmode=self" BASE/ hello-([\\d.]+)\\.tar\\.gz\\.gpg')
    for version, how in (("1.0", ("--sign",)), ("2.0", ("--armor", "--sign"))):
        vendor.page(f"hello-{version}.tar.gz.gpg")
        vendor.serve(f"hello-{version}.tar.gz.gpg", vendor.signed(data, *how))
        if version == "1.0":
            vendor.follow()
    with pytest.raises(Unverified, match=r"2\.0 is offered with the same bytes .* 1\.0"):
        vendor.follow()


COMPONENT = 'opts="component=extra" BASE/ extra-([\\d.]+)\\.tar\\.gz VERSION'
MAIN = "BASE/ hello-([\\d.]+)\\.tar\\.gz debian"


def test_a_component_is_no_main_tarball(vendor: Vendor) -> None:
    """Nor the other way round, in one release or over several; one that stays as it is may."""
    main, extra = archive("1.0"), archive("1.0", name="extra")
    vendor.watch(MAIN, COMPONENT.replace("VERSION", "ignore"))
    vendor.page("hello-1.0.tar.gz", "extra-1.0.tar.gz")
    vendor.serve("hello-1.0.tar.gz", main, vendor.signed(main))
    vendor.serve("extra-1.0.tar.gz", main, vendor.signed(main))
    with pytest.raises(Unverified, match=r"component extra 1\.0, is offered with the same"):
        vendor.follow()
    vendor.page("hello-1.0.tar.gz", "extra-3.0.tar.gz")
    vendor.serve("extra-3.0.tar.gz", main, vendor.signed(main))
    with pytest.raises(Unverified, match=r"component extra 3\.0, is offered with the same"):
        vendor.follow()
    vendor.page("hello-1.0.tar.gz", "extra-1.0.tar.gz")
    vendor.serve("extra-1.0.tar.gz", extra, vendor.signed(extra))
    vendor.follow()
    vendor.page("hello-2.0.tar.gz", "extra-1.0.tar.gz")
    vendor.serve("hello-2.0.tar.gz", extra, vendor.signed(extra))
    with pytest.raises(Unverified, match=r"main tarball|component extra 1\.0 on"):
        vendor.follow()
    newer = archive("2.0")
    vendor.serve("hello-2.0.tar.gz", newer, vendor.signed(newer))
    assert vendor.follow() == "2.0"


def test_a_folder_has_the_same_bytes_under_another_version(vendor: Vendor) -> None:
    data = archive("1.0")
    vendor.watch(MAIN)
    vendor.page("hello-2.0.tar.gz")
    vendor.serve("hello-2.0.tar.gz", data, vendor.signed(data))
    (vendor.root / "hello_1.0.orig.tar.gz").write_bytes(data)
    (found,) = [
        vendor.rig.json("fetch", vendor.debian.parent, "--output", vendor.root / "out", status=3)
    ]
    assert (found["accepted"], found["verify"], found["orig"]) == (False, "bad", None)
    assert "2.0" in found["message"]
    assert "hello_1.0.orig.tar.gz, which is 1.0" in found["message"]


def test_a_top_folder_of_another_version_is_held_for_a_person(vendor: Vendor) -> None:
    """The first release that is taken is a renamed one: nothing was accepted before."""
    data = archive("1.0")
    vendor.tool(openpgp(vendor.owner))
    vendor.serve("hello-2.0.tar.gz", data, vendor.signed(data))
    with pytest.raises(GateClosed, match=r"top folder is 'hello-1\.0': it says version 1\.0, not"):
        vendor.take("2.0")
    genuine = archive("2.0")
    vendor.serve("hello-2.0.tar.gz", genuine, vendor.signed(genuine))
    assert vendor.take("2.0").release.version == "2.0", "what was held was never accepted"


def test_a_person_may_let_an_odd_top_folder_pass(vendor: Vendor) -> None:
    data = archive("1.0")
    vendor.tool(openpgp(vendor.owner))
    vendor.serve("hello-2.0.tar.gz", data, vendor.signed(data))
    with pytest.raises(GateClosed):
        vendor.take("2.0")
    (waits,) = vendor.rig.json("review", "hello", status=3)
    assert [(gate["stage"], gate["verdict"]) for gate in waits["gates"]] == [
        ("binding", "contradicted")
    ]
    vendor.rig.run("approve", "hello", "2.0", "--stage", "binding", "--reason", "theirs is odd")
    assert vendor.take("2.0").passed[0].judgment.verdict == "contradicted"


def test_a_signed_list_binds_by_the_name_that_it_gives(vendor: Vendor) -> None:
    """The address ends in an old file's name, and the pattern reads a newer version from it."""
    data = archive("1.0")
    sums = f"{hashlib.sha256(data).hexdigest()}  hello-1.0.tar.gz\n".encode()
    vendor.tool(
        '[verify]\nmethod = "checksums"\nchecksums = "{dir}/SUMS"\n'
        f'checksums_signature = "{{checksums}}.asc"\nlisted_as = "hello-1.0.tar.gz"\n'
        f'keys = ["{vendor.owner}"]'
    )
    vendor.serve("hello-2.0.tar.gz", data)
    vendor.serve("SUMS", sums, vendor.signed(sums))
    with pytest.raises(GateClosed, match=r"signed list calls the file 'hello-1\.0\.tar\.gz'"):
        vendor.take("2.0")


def test_an_older_signature_is_held(vendor: Vendor) -> None:
    """An archive that says nothing of its version, signed before what was accepted."""
    vendor.tool(openpgp(vendor.owner))
    new, old = (untold(archive(version)) for version in ("1.1", "1.0"))
    vendor.serve("hello-1.1.tar.gz", new, vendor.signed(new, at="20240301T000000"))
    assert vendor.take("1.1").passed[0].judgment.verdict == "unbound"
    vendor.serve("hello-2.0.tar.gz", old, vendor.signed(old, at="20240201T000000"))
    with pytest.raises(
        GateClosed, match=r"2024-02-01.* before that of the older 1\.1 \(2024-03-01"
    ):
        vendor.take("2.0")
    vendor.serve("hello-2.1.tar.gz", old, vendor.signed(old, at="20240301T000000"))
    assert vendor.take("2.1").release.version == "2.1"


def untold(data: bytes) -> bytes:
    """Return an archive whose top folder is ``hello`` alone."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(data)) as source,
        tarfile.open(fileobj=out, mode="w:gz") as made,
    ):
        for info in source:
            content = source.extractfile(info) if info.isfile() else None
            info.name = "hello" + "".join(info.name.partition("/")[1:])
            made.addfile(info, content)
    return out.getvalue()


def test_a_watch_folder_holds_a_renamed_release(vendor: Vendor) -> None:
    """By each way in which a watch file's tarball is proved; nothing is in the output folder."""
    data = archive("1.0")
    sums = f"{hashlib.sha256(data).hexdigest()}  hello-2.0.tar.gz\n".encode()
    plain = gzip.decompress(data)
    detached = "BASE/ hello-([\\d.]+)\\.tar\\.gz debian"
    inside = 'opts="pgpmode=self" BASE/ hello-([\\d.]+)\\.tar\\.gz\\.gpg debian'
    unpacked = f'opts="pgpsigurlmangle=s/\\.gz$/.asc/, decompress" {detached}'
    name = "hello-2.0.tar.gz"
    for line, files in (
        (detached, {name: data, f"{name}.asc": vendor.signed(data)}),
        (detached, {name: data, "SHA256SUMS": sums, "SHA256SUMS.asc": vendor.signed(sums)}),
        (inside, {f"{name}.gpg": vendor.signed(data, "--sign")}),
        (unpacked, {name: data, "hello-2.0.tar.asc": vendor.signed(plain)}),
    ):
        vendor.watch(line)
        vendor.page(next(iter(files)))
        for path, content in files.items():
            vendor.serve(path, content)
        found = vendor.rig.json(
            "fetch", vendor.debian.parent, "--output", vendor.root / "out", status=3
        )
        assert (found["accepted"], found["verify"], found["orig"]) == (False, "bad", None)
        assert "it says version 1.0, not 2.0" in found["message"]
        assert not (vendor.root / "out").exists()
        for path in files:
            vendor.web.remove(f"/dl/{path}")


def test_a_component_under_the_main_tarballs_name_is_held(vendor: Vendor) -> None:
    main = archive("2.0", name="extra", extra={"x": "y"})
    extra = archive("2.0", name="extra")
    vendor.watch(MAIN, COMPONENT.replace("VERSION", "same"))
    vendor.page("hello-2.0.tar.gz", "extra-2.0.tar.gz")
    vendor.serve("hello-2.0.tar.gz", main, vendor.signed(main))
    vendor.serve("extra-2.0.tar.gz", extra, vendor.signed(extra))
    found = vendor.rig.json(
        "fetch", vendor.debian.parent, "--output", vendor.root / "out", status=3
    )
    assert "top folder of the main tarball is 'extra-2.0'" in found["message"]


def test_a_member_that_the_definition_names_binds(vendor: Vendor) -> None:
    data = archive("2.0", extra={"PKG-INFO": "Name: hello\nVersion: 1.0\n"})
    proof = f'{openpgp(vendor.owner)}\n[binding]\nmember = "*/PKG-INFO"'
    vendor.tool(proof)
    vendor.serve("hello-2.0.tar.gz", data, vendor.signed(data))
    with pytest.raises(GateClosed, match=r"member '\*/PKG-INFO' says '1\.0'"):
        vendor.take("2.0")
    data = archive("2.0", extra={"PKG-INFO": "Name: hello\nVersion: 2.0\n"})
    vendor.serve("hello-2.0.tar.gz", data, vendor.signed(data))
    findings = vendor.take("2.0").passed[0].findings
    assert [finding.code for finding in findings] == ["top-folder", "member"]
    vendor.tool(proof.replace("PKG-INFO", "METADATA"))
    with pytest.raises(GateClosed, match="no member"):
        vendor.take("2.0")


def test_what_nothing_proves_is_asked_nothing(vendor: Vendor) -> None:
    """Without a key a person may fetch what a watch file finds, as ever; no sync takes it."""
    vendor.watch(MAIN)
    (vendor.debian / "upstream" / "signing-key.asc").unlink()
    vendor.page("hello-2.0.tar.gz")
    vendor.serve("hello-2.0.tar.gz", archive("1.0"))
    found = vendor.rig.json("fetch", vendor.debian.parent, "--output", vendor.root / "out")
    assert (found["accepted"], found["verify"]) == (True, "unchecked")
