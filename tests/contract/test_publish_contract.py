"""What holds for every target: the same cases for each, so that a new one joins by one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.faketarget import FakeTarget
from tests.support.keys import Keys, throwaway_keys
from tests.support.ppas import Served
from tests.support.tiny_packages import Context, passed
from toolsync.model.errors import Held, Replaced, TryAgain
from toolsync.model.release import Blob, Built, Receipt
from toolsync.publish.target import Target

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Opened = tuple[Context, Target]
Opener = Callable[[Context], Target]

TARGETS: dict[str, Opener] = {
    "local": lambda context: context.archive(),
    "ppa": lambda context: Served(context),
    "fake": lambda context: FakeTarget("fake", store=context.store),
    "fake-ppa": lambda context: FakeTarget("ppa:fake/fake", takes_source=True, store=context.store),
}
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with throwaway_keys() as made:
        Served.keys, Served.key = made, made.make("Maker")
        yield made


@pytest.fixture(params=sorted(TARGETS))
def opened(request: pytest.FixtureRequest, tmp_path: Path, keys: Keys) -> Iterator[Opened]:
    context = Context(tmp_path, series=("bookworm", "trixie"))
    target = TARGETS[request.param](context)
    yield context, target
    if isinstance(target, Served):
        target.close()


def orig_of(built: Built) -> Blob:
    """Return the orig tarball of a package."""
    return next(blob for blob in built.source.files if ".orig.tar." in blob.name)


def test_nothing_is_served_before_the_first(opened: Opened) -> None:
    _, target = opened
    assert target.state("bookworm", "tiny-tool") == ""
    assert target.newest("tiny-tool", "bookworm") is None


def test_what_is_published_is_confirmed_byte_for_byte(opened: Opened) -> None:
    context, target = opened
    built = context.built()
    confirmed = target.confirm(target.publish(passed(built)))
    served = {(b.name, b.sha256) for b in confirmed.served}
    if target.takes_source:  # it signs the .dsc, and builds for itself
        assert served == {(b.name, b.sha256) for b in built.source.files[1:]}
    else:
        assert served == {(b.name, b.sha256) for b in built.files}
    assert len(confirmed.fingerprint) == 40
    assert target.newest("tiny-tool", "bookworm") == built.source.version


def test_again_is_no_error_and_changes_nothing(opened: Opened) -> None:
    context, target = opened
    built = context.built()
    first = target.publish(passed(built))
    state = target.state("bookworm", "tiny-tool")
    assert state
    assert target.publish(passed(built)) == first
    assert target.state("bookworm", "tiny-tool") == state


def test_state_changes_with_what_its_own_series_serves_and_not_else(opened: Opened) -> None:
    context, target = opened
    target.publish(passed(context.built()))
    before = target.state("bookworm", "tiny-tool")
    target.publish(passed(context.built(series="trixie")))
    assert target.state("bookworm", "tiny-tool") == before
    target.publish(passed(context.built(upstream="1.1")))
    assert target.state("bookworm", "tiny-tool") != before


def test_state_is_of_one_source_package_alone(opened: Opened) -> None:
    """Else each publication would have all others looked at, and told as published, again."""
    context, target = opened
    target.publish(passed(context.built()))
    before = target.state("bookworm", "tiny-tool")
    target.publish(passed(context.built(name="other-tool")))
    assert target.state("bookworm", "tiny-tool") == before
    assert target.state("bookworm", "other-tool")


def test_other_bytes_under_a_version_are_replaced(opened: Opened) -> None:
    context, target = opened
    target.publish(passed(context.built()))
    state = target.state("bookworm", "tiny-tool")
    with pytest.raises(Replaced, match="sha256") as caught:
        target.publish(passed(context.built(payload="# other\n")))
    assert caught.value.resolution
    assert target.state("bookworm", "tiny-tool") == state


def test_a_version_is_burnt_also_after_a_newer_one(opened: Opened) -> None:
    context, target = opened
    target.publish(passed(context.built()))
    target.publish(passed(context.built(upstream="1.1")))
    with pytest.raises(Replaced):
        target.publish(passed(context.built(payload="# other\n")))


def test_a_known_orig_of_the_same_content_takes_the_place_of_ours(opened: Opened) -> None:
    context, target = opened
    known = orig_of(context.built())
    assert target.known_orig("tiny-tool", "1.0", known) is None
    ours = orig_of(context.built(preset=0))
    assert ours.sha256 != known.sha256
    target.publish(passed(context.built()))
    assert target.known_orig("tiny-tool", "1.0", known) is None
    assert target.known_orig("tiny-tool", "1.0", ours) == known
    with pytest.raises(Replaced):
        target.publish(passed(context.built(preset=0, revision=2)))
    target.confirm(target.publish(passed(context.built(preset=0, revision=2, known=known))))


def test_a_known_orig_of_other_content_is_not_used(opened: Opened) -> None:
    context, target = opened
    target.publish(passed(context.built(payload="# other\n")))
    assert target.known_orig("tiny-tool", "1.0", orig_of(context.built())) is None
    assert target.known_orig("tiny-tool", "1.1", orig_of(context.built(upstream="1.1"))) is None


def test_an_older_version_is_held(opened: Opened) -> None:
    context, target = opened
    target.publish(passed(context.built(upstream="1.1")))
    with pytest.raises(Held, match=r"has tiny-tool 1\.1.*wanted to publish 1\.0"):
        target.publish(passed(context.built(upstream="1.0")))
    assert target.newest("tiny-tool", "bookworm") == "1.1-0debian1~ppa1~deb12.1"


def test_versions_sort_as_debian_sorts_them(opened: Opened) -> None:
    context, target = opened
    target.publish(passed(context.built(upstream="1.9")))
    target.publish(passed(context.built(upstream="1.10~rc1")))
    assert target.newest("tiny-tool", "bookworm") == "1.10~rc1-0debian1~ppa1~deb12.1"


def test_series_are_served_apart(opened: Opened) -> None:
    context, target = opened
    target.publish(passed(context.built()))
    assert target.newest("tiny-tool", "trixie") is None
    trixie = context.built(series="trixie")
    target.confirm(target.publish(passed(trixie)))
    assert target.newest("tiny-tool", "trixie") == trixie.source.version
    assert target.newest("tiny-tool", "bookworm") != trixie.source.version


def test_one_orig_serves_two_packagings(opened: Opened) -> None:
    context, target = opened
    target.publish(passed(context.built()))
    again = context.built(revision=2)
    target.confirm(target.publish(passed(again)))
    assert target.newest("tiny-tool", "bookworm") == again.source.version


def test_non_free_is_served_too(opened: Opened) -> None:
    context, target = opened
    target.confirm(target.publish(passed(context.built(section="non-free/utils"))))


def test_what_is_not_served_is_not_confirmed(opened: Opened) -> None:
    context, target = opened
    target.publish(passed(context.built()))
    absent = context.built(upstream="1.1")
    with pytest.raises(Held, match=r"serves tiny-tool 1\.0.*wanted 1\.1"):
        target.confirm(Receipt(item=passed(absent), target=target.name, where=""))


def test_served_bytes_that_differ_from_what_was_built_are_not_confirmed(opened: Opened) -> None:
    context, target = opened
    built = context.built()
    receipt = target.publish(passed(built))

    def forged(blobs: tuple[Blob, ...]) -> tuple[Blob, ...]:
        return tuple(
            replace(blob, sha256="0" * 64) if blob.name.endswith(".debian.tar.xz") else blob
            for blob in blobs
        )

    source = replace(built.source, files=forged(built.source.files))
    item = replace(built, files=forged(built.files), source=source)
    with pytest.raises(Replaced, match="wanted 0000"):
        target.confirm(replace(receipt, item=passed(item)))


def test_there_is_no_stanza_before_something_is_served(opened: Opened) -> None:
    context, target = opened
    with pytest.raises(TryAgain, match="nothing is published for trixie yet") as caught:
        target.stanza("trixie")
    assert caught.value.resolution
    target.publish(passed(context.built(series="trixie")))
    assert "Suites: trixie\n" in target.stanza("trixie")


def test_what_is_served_is_checked_without_a_change(opened: Opened) -> None:
    context, target = opened
    assert "nothing is published" in target.check("bookworm", NOW)
    confirmed = target.confirm(target.publish(passed(context.built())))
    before = target.state("bookworm", "tiny-tool")
    told = target.check("bookworm", NOW)
    if target.takes_source:
        assert "1 source packages" in told
    else:
        assert f"signed by {confirmed.fingerprint}, {len(confirmed.served)} files" in told
    assert target.state("bookworm", "tiny-tool") == before


def test_the_stanza_is_deb822_with_the_key_inside(opened: Opened) -> None:
    context, target = opened
    target.publish(passed(context.built()))
    stanza = target.stanza("bookworm")
    assert "Suites: bookworm\n" in stanza
    assert "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n" in stanza
