"""What Launchpad would refuse, tell otherwise or hide, told as what it is before and after."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.ppas import REFERENCE, Yard
from tests.support.tiny_packages import passed
from toolsync.model.errors import Held, SetupError, Unreachable, Waiting
from toolsync.model.release import SourcePackage
from toolsync.publish import preflight

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def refused(yard: Yard, source: SourcePackage | None = None) -> str:
    """Publish; return how that is refused, before anything is sent."""
    source = source or yard.goods.source()
    with pytest.raises((Held, SetupError)) as caught:
        yard.target().publish(passed(source), yard.row())
    assert yard.dput.hosts == []
    assert caught.value.resolution
    return str(caught.value)


def test_a_series_of_the_future_is_sent_and_an_obsolete_one_where_it_is_allowed(yard: Yard) -> None:
    noble = yard.server.series["noble"]
    for status in ("Future", "Experimental"):
        yard.server.series["noble"] = replace(noble, status=status)
        api = yard.api()
        found = preflight.check_series(api, api.archive(REFERENCE), "noble")
        assert found == status
    yard.server.series["noble"] = replace(noble, status="Obsolete")
    assert "noble takes no uploads any more" in refused(yard)
    yard.ppa.permit_obsolete_series_uploads = True
    yard.target().publish(passed(yard.goods.source()), yard.row())
    yard.later(minutes=6)
    assert [pub.series for pub in yard.ppa.sources] == ["noble"]


@pytest.mark.parametrize(
    ("processors", "arch", "told"),
    [
        (("riscv64",), "all", "builds nothing in noble, and tiny-tool is for all"),
        (("amd64",), "s390x", "builds amd64 in noble, and tiny-tool is for s390x"),
        (("amd64",), "any-arm64", "builds amd64 in noble, and tiny-tool is for any-arm64"),
        (("amd64",), "linux-any", ""),
        (("amd64", "arm64"), "arm64", ""),
    ],
)
def test_a_package_that_the_ppa_cannot_build_is_told(
    yard: Yard, processors: tuple[str, ...], arch: str, told: str
) -> None:
    yard.ppa.processors = processors
    source = yard.goods.source()
    text = yard.goods.store.path(source.files[0]).read_text()
    other = text.replace("\nArchitecture: all\n", f"\nArchitecture: {arch}\n")
    dsc = yard.goods.store.add_bytes(other.encode(), source.files[0].name)
    source = replace(source, files=(dsc, *source.files[1:]))
    if told:
        assert told in refused(yard, source)
    else:
        yard.target().publish(passed(source), yard.row())
        assert len(yard.dput.hosts) == 1


def _linked(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "../NEWS"
    return member


def _large(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = 10 * 2**20 + 1
    return member


@pytest.mark.parametrize("name", ["debian/changelog", "debian/copyright"])
@pytest.mark.parametrize(
    ("make", "told"), [(_linked, "is a symlink to ../NEWS"), (_large, "has 10485761 bytes")]
)
def test_a_text_that_launchpad_does_not_read_is_told(
    yard: Yard, make: Callable[[str], tarfile.TarInfo], name: str, told: str
) -> None:
    source, packed = yard.goods.source(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        member = make(name)
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    (old,) = (blob for blob in source.files if ".debian.tar." in blob.name)
    new = yard.goods.store.add_bytes(packed.getvalue(), old.name)
    files = tuple(new if blob is old else blob for blob in source.files)
    assert f"{name} of tiny-tool" in (said := refused(yard, replace(source, files=files)))
    assert told in said


def test_a_ppa_that_is_switched_off_or_deleted_is_named(yard: Yard) -> None:
    yard.ppa.enabled = False
    assert "private, switched off or being deleted" in refused(yard)
    yard.log_in()
    assert "maker's stable is disabled." in refused(yard)
    yard.ppa.status = "Deleting"
    assert "maker's stable is being deleted, or was: Launchpad calls it Deleting" in refused(yard)
    yard.ppa.deleted = True
    assert f"the PPA {REFERENCE}; it was deleted, or never was" in refused(yard)


def test_a_401_says_whether_the_token_or_the_rights_are_at_fault(yard: Yard) -> None:
    yard.log_in()
    yard.server.add_person("other")
    yard.server.tokens["token"] = ("secret", "other")
    yard.ppa.private = True

    def told() -> SetupError:
        with pytest.raises(SetupError) as caught:
            yard.api().archive(REFERENCE)
        return caught.value

    assert "has no right to" in str(told())
    assert "give the rights" in told().resolution
    for trouble in ("Expired token", "Unauthorized token"):
        yard.server.oauth.troubles["token"] = trouble
        assert f"no longer takes the token for {REFERENCE}: {trouble} (token)." in str(told())
        assert "Log in anew" in told().resolution
    yard.server.oauth.troubles.clear()
    yard.server.people["other"].active = False
    assert "is not active" in str(told())


def test_an_upload_that_a_newer_one_overtook_is_told_as_such(yard: Yard) -> None:
    row, source = yard.row(), yard.goods.source()
    receipt = yard.target().publish(passed(source), row)
    yard.later(minutes=6)
    yard.target().publish(passed(yard.goods.source(upstream="1.1")), yard.row(upstream="1.1"))
    yard.later(hours=2)
    with pytest.raises(Held, match=r"tiny-tool 1\.0\S* was superseded in .* by 1\.1") as caught:
        yard.target().confirm(receipt, row)
    assert row.state == "superseded"
    assert "Nothing is to be done" in caught.value.resolution


def test_a_key_server_that_fails_is_a_matter_of_time(yard: Yard) -> None:
    for status in (404, 500):
        yard.server.fault("getSigningKeyData", status=status, times=4)
        with pytest.raises(Unreachable):
            yard.api().signing_key(REFERENCE)
        yard.server.clear_faults()
    assert "BEGIN PGP" in yard.api().signing_key(REFERENCE)


def test_a_copy_waits_until_no_other_series_has_unpublished_binaries(yard: Yard) -> None:
    yard.log_in()
    target, source = yard.target(), yard.goods.source("jammy")
    row = yard.row("jammy")
    target.publish(passed(source), row)
    yard.later(hours=1)
    copy = {"copy": {"from": "ppa:maker/stable", "series": "jammy"}}
    rows = {name: yard.row("jammy") for name in ("noble", "resolute")}
    for one in rows.values():
        one.note("claimed", **copy)
    noble = yard.server.series["noble"]
    yard.server.series["noble"] = replace(noble, status="Obsolete")
    with pytest.raises(SetupError, match="noble takes no uploads any more"):
        yard.target().publish(passed(replace(source, series="noble")), rows["noble"])
    yard.server.series["noble"] = noble
    target.publish(passed(replace(source, series="noble")), rows["noble"])
    assert yard.server.cost()["POST copyPackage"] == 1
    rows["resolute"].elsewhere = {"noble": yard.now}  # asked for, and not shown yet
    for minutes in (6, 30):
        with pytest.raises(Waiting, match="in noble: Launchpad copies to one series after"):
            target.publish(passed(replace(source, series="resolute")), rows["resolute"])
        rows["resolute"].elsewhere = {}  # the journal was lost: Launchpad shows it
        yard.later(minutes=minutes)
    rows["resolute"].elsewhere = {"mantic": yard.now}  # refused by mail, and given up since
    yard.server.clock.sleep(3600)
    target.publish(passed(replace(source, series="resolute")), rows["resolute"])
    yard.later(hours=1)
    for name, one in rows.items():
        receipt = target.publish(passed(replace(source, series=name)), one)
        target.confirm(receipt, one)
        assert one.state == "published"
        assert one.detail["launchpad"]["builds"] == []
        assert len(one.detail["launchpad"]["binaries"]) == 2
    assert not [mail for mail in yard.server.mails if "Failed to copy" in mail.subject]
