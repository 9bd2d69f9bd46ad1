"""Origs that Launchpad knows with other bytes: used where they hold the same, else refused."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from tests.servers.launchpad_archive import Source
from tests.support.ppas import Row, Yard
from tests.support.tiny_packages import passed
from toolsync.model.errors import Replaced, Unreachable
from toolsync.model.release import Blob, SourcePackage

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
MOMENTS = count(1_600_000_000)
NAME = "tiny-tool_1.0.orig.tar.xz"


def orig_of(source: SourcePackage) -> Blob:
    return next(blob for blob in source.files if ".orig.tar." in blob.name)


def ours(yard: Yard) -> tuple[Blob, bytes]:
    """Return our orig and its tar, uncompressed."""
    blob = orig_of(yard.goods.source())
    return blob, lzma.decompress(yard.goods.store.path(blob).read_bytes())


def again(data: bytes, more: str = "") -> bytes:
    """Return a tar of the same content, never twice the same; ``more`` names one more file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old.getmembers():
            member.mtime = next(MOMENTS)
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
        if more:
            new.addfile(tarfile.TarInfo(f"{old.getnames()[0]}/{more}"))
    return out.getvalue()


def known(yard: Yard) -> Blob | None:
    return yard.target().known_orig("tiny-tool", "1.0", ours(yard)[0])


def test_nothing_known_means_ours(yard: Yard) -> None:
    assert known(yard) is None


def test_an_orig_is_used_for_its_own_version_only(yard: Yard) -> None:
    """Also where upstream has given the same bytes out as two versions."""
    made, data = ours(yard)
    yard.server.add_to_ubuntu("tiny-tool", "1.0-1", lzma.compress(again(data)))
    target = yard.target()
    first = target.known_orig("tiny-tool", "1.0", made)
    assert first is not None
    assert first.name == "tiny-tool_1.0.orig.tar.xz"
    other = replace(made, name="tiny-tool_1.1.orig.tar.xz")
    assert target.known_orig("tiny-tool", "1.1", other) is None


def test_an_orig_in_ubuntu_itself_is_used(yard: Yard) -> None:
    data = lzma.compress(again(ours(yard)[1]))
    yard.server.add_to_ubuntu("tiny-tool", "1.0-1", data)
    found = known(yard)
    assert found is not None
    assert yard.goods.store.path(found).read_bytes() == data
    source = yard.goods.source(known=found)
    row, target = Row(yard), yard.target()
    target.publish(passed(source), row)
    yard.later(hours=1)
    yard.target().confirm(target.publish(passed(source), row), row)
    assert row.state == "published"
    assert yard.ppa.sources[0].source.files[NAME] == data


def test_its_own_orig_is_used_again_without_a_download(yard: Yard) -> None:
    yard.server.add_to_ubuntu(
        "tiny-tool", "1.0-1", yard.goods.store.path(ours(yard)[0]).read_bytes()
    )
    assert known(yard) is None
    assert not [asked for asked in yard.server.asked if "+sourcefiles" in asked.path]


def test_an_orig_of_another_compression_is_used(yard: Yard) -> None:
    data = gzip.compress(again(ours(yard)[1]))
    yard.server.add_to_ubuntu("tiny-tool", "1.0-1", data)
    files = yard.server.primary.sources[0].source
    files.files = {NAME.replace(".xz", ".gz"): data}
    found = known(yard)
    assert found is not None
    assert found.name == "tiny-tool_1.0.orig.tar.gz"


BAD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "more in it": (
        lambda tar: lzma.compress(again(tar, more="backdoor")),
        "'backdoor' is a file of sha256",
    ),
    "no archive": (
        lambda tar: b"<html>",
        "the known one cannot be compared: the archive is a web page",
    ),
    "cut short": (lambda tar: lzma.compress(again(tar))[:-9], "cannot be compared: the archive"),
    "another form": (
        lambda tar: gzip.compress(again(tar)),
        "the known one is called .xz and is gz",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_any_other_content_is_refused_before_anything_is_sent(yard: Yard, case: str) -> None:
    make, phrase = BAD[case]
    yard.server.add_to_ubuntu("tiny-tool", "1.0-1", make(ours(yard)[1]))
    assert known(yard) is None
    row = Row(yard)
    with pytest.raises(Replaced, match=r"known to Launchpad \(Ubuntu itself\)") as caught:
        yard.target().publish(passed(yard.goods.source()), row)
    assert phrase in str(caught.value)
    assert caught.value.resolution
    assert (row.state, yard.dput.carried) == ("rejected", [])


def test_what_is_not_what_launchpad_says_is_not_taken(yard: Yard) -> None:
    data = lzma.compress(again(ours(yard)[1]))
    yard.server.add_to_ubuntu("tiny-tool", "1.0-1", data)
    yard.server.twisted["+sourcefiles"] = data[:-1] + b"!"
    with pytest.raises(Unreachable, match="but says that it has"):
        known(yard)
    yard.server.twisted.clear()
    assert known(yard) is not None


def test_a_file_that_is_gone_is_not_used(yard: Yard) -> None:
    yard.server.add_to_ubuntu("tiny-tool", "1.0-1", lzma.compress(again(ours(yard)[1])))
    yard.server.twisted["+sourcefiles"] = None
    assert known(yard) is None
    with pytest.raises(Replaced, match=r"cannot be compared: .* 404"):
        yard.target().publish(passed(yard.goods.source()), Row(yard))


def test_files_of_a_private_ppa_are_not_asked_for(yard: Yard) -> None:
    by_hand = Source(
        name="tiny-tool",
        version="1.0-0byhand1",
        files={NAME: lzma.compress(again(ours(yard)[1]))},
        changes_name="",
        changes=b"",
        binaries=(),
        section="utils",
        signer="maker",
    )
    yard.ppa.accept(by_hand, "jammy", yard.now)
    assert known(yard) is not None
    by_hand.files = {NAME: lzma.compress(again(ours(yard)[1]))}
    yard.ppa.private = True
    yard.log_in()
    assert known(yard) is None
    with pytest.raises(Replaced, match="files of a private PPA are not fetched"):
        yard.target().publish(passed(yard.goods.source()), Row(yard))
