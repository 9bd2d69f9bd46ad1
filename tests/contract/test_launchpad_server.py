"""The Launchpad that other tests run against, held to Launchpad's rules.

The client is the unmodified launchpadlib, over the wire. Each test of a rule names what a real
Launchpad does, so that a target which passes against this server has met that.
"""

from __future__ import annotations

import re
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers.launchpad import LaunchpadServer
from tests.servers.launchpad_archive import BUILT, Ppa
from tests.servers.launchpad_kinds import KINDS, SETS
from tests.servers.launchpad_operations import OPERATIONS
from tests.servers.launchpad_wadl import BadRequest, check
from tests.support.uploads import JAMMY, NOBLE, PLACE, Makers, archive, write_upload

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


# -- the wire -------------------------------------------------------------------------------


def test_launchpadlib_walks_from_a_person_to_a_file(
    client: Any, launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    assert upload(orig=b"pristine") == "Accepted\n"
    found = archive(client)
    assert (found.displayname, found.authorized_size, found.private) == (
        "maker's stable",
        8192,
        False,
    )
    (source,) = found.getPublishedSources(source_name="tiny", exact_match=True, version=NOBLE)
    assert source.distro_series.version == "24.04"
    assert source.package_signer.name == "maker"
    metas = {meta["url"].rpartition("/")[2]: meta for meta in source.sourceFileUrls(include_meta=1)}
    with urllib.request.urlopen(metas["tiny_1.0.orig.tar.xz"]["url"]) as answer:
        assert answer.read() == b"pristine"
    assert metas["tiny_1.0.orig.tar.xz"]["size"] == 8


def test_collections_come_in_pages_and_have_a_length(
    client: Any, launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    for number in range(5):
        upload(version=f"1.{number}-0ubuntu1~ppa1~ubuntu24.04.1")
    launchpad.api.page_size = 2
    sources = archive(client).getPublishedSources(order_by_date=True)
    assert len(sources) == 5
    assert [s.source_package_version[:3] for s in sources] == ["1.4", "1.3", "1.2", "1.1", "1.0"]
    assert [s.source_package_version[:3] for s in sources[1:3]] == ["1.3", "1.2"]
    assert launchpad.cost()["GET getPublishedSources"] >= 3


@pytest.mark.parametrize(
    ("kind", "sent", "wrong"),
    [
        ("archive", {"ws.op": "getPublishedSource"}, "No such operation: getPublishedSource"),
        ("archive", {"ws.op": "getPublishedSources", "names": "x"}, "unknown parameter names"),
        ("archive", {"ws.op": "getPublishedSources", "status": "published"}, 'value "published"'),
        ("archive", {"ws.op": "getUploadersForPackage"}, "source_package_name: Required input"),
        ("archive", {"ws.op": "copyPackage"}, "No such operation: copyPackage .GET"),
        ("archive", {"status": "Published"}, "No operation name given"),
    ],
)
def test_what_the_wadl_does_not_know_is_refused_by_name(
    kind: str, sent: dict[str, str], wrong: str
) -> None:
    with pytest.raises(BadRequest, match=wrong):
        check(kind, "GET", sent)


def test_every_operation_of_the_wadl_is_answered() -> None:
    known = {(kind, name) for kind, what in KINDS.items() for name in what.operations or {}}
    known |= {(kind, name) for kind, (_, what) in SETS.items() for name in what}
    assert {(kind.replace("team", "person"), name) for kind, name in known} == set(OPERATIONS)


def test_a_wrong_request_is_a_400_on_the_wire(launchpad: LaunchpadServer) -> None:
    query = urllib.parse.urlencode({"ws.op": "getPublishedSources", "sourcename": "tiny"})
    address = f"{launchpad.service_root}devel/~maker/+archive/ubuntu/stable?{query}"
    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        urllib.request.urlopen(address)
    assert b"unknown parameter sourcename" in caught.value.read()
    caught.value.close()


def test_what_is_not_there_is_a_404(client: Any, ppa: Ppa) -> None:
    from lazr.restfulclient.errors import NotFound

    with pytest.raises(KeyError):
        client.people["nobody"]
    with pytest.raises(NotFound):
        archive(client, "unstable")
    assert archive(client)
    ppa.deleted = True
    with pytest.raises(NotFound):
        archive(client)


def test_series_are_known_with_their_state(client: Any) -> None:
    ubuntu = client.distributions["ubuntu"]
    assert [s.name for s in ubuntu.series if s.active] == ["jammy", "noble", "resolute"]
    assert ubuntu.getSeries(name_or_version="26.04").name == "resolute"
    assert not ubuntu.getSeries(name_or_version="mantic").active


def test_keys_and_rights_can_be_asked(client: Any, makers: Makers, ppa: Ppa) -> None:
    from lazr.restfulclient.errors import HTTPError

    maker, other = client.people["maker"], client.people["other"]
    assert {key.fingerprint for key in maker.gpg_keys} == {makers.maker, makers.expired}
    words = {
        "distroseries": client.distributions["ubuntu"].getSeries(name_or_version="noble"),
        "sourcepackagename": "hello",
        "component": "main",
        "pocket": "Release",
    }
    assert archive(client).checkUpload(person=maker, **words)
    with pytest.raises(HTTPError, match="403"):
        archive(client).checkUpload(person=other, **words)
    ppa.uploaders.add("other")
    assert archive(client).checkUpload(person=other, **words)


def test_the_wadl_is_fetched_once_while_it_is_fresh(
    client: Any, launchpad: LaunchpadServer, log_in: Callable[..., Any]
) -> None:
    log_in(anonymous=True)
    assert launchpad.cost()["GET /"] == 2


# -- credentials ----------------------------------------------------------------------------


def test_a_token_is_who_it_belongs_to(maker: Any) -> None:
    assert maker.me.name == "maker"


@pytest.mark.parametrize(("token", "secret"), [("revoked", "secret"), ("token", "wrong")])
def test_a_bad_token_is_unauthorized(
    launchpad: LaunchpadServer, log_in: Callable[..., Any], token: str, secret: str
) -> None:
    from lazr.restfulclient.errors import Unauthorized

    launchpad.add_token("maker")
    with pytest.raises(Unauthorized):
        log_in(token, secret)


def test_a_private_ppa_is_for_its_people_alone(client: Any, maker: Any, ppa: Ppa) -> None:
    from lazr.restfulclient.errors import Unauthorized

    ppa.private = True
    with pytest.raises(Unauthorized):
        archive(client)
    assert archive(maker).private


def test_a_token_is_granted_by_a_person(
    launchpad: LaunchpadServer, log_in: Callable[..., Any]
) -> None:
    from launchpadlib.credentials import Credentials
    from lazr.restfulclient.errors import HTTPError

    credentials = Credentials("toolsync-test")
    page = credentials.get_request_token(web_root=launchpad.service_root)
    assert page.startswith(f"{launchpad.url}/+authorize-token?oauth_token=")
    with pytest.raises(HTTPError, match="401"):
        credentials.exchange_request_token_for_access_token(launchpad.service_root)
    launchpad.oauth.grant("maker")
    credentials.exchange_request_token_for_access_token(launchpad.service_root)
    token = credentials.access_token
    assert log_in(token.key, token.secret).me.name == "maker"


def test_a_token_can_be_refused_by_a_person(launchpad: LaunchpadServer) -> None:
    from launchpadlib.credentials import Credentials
    from lazr.restfulclient.errors import HTTPError

    credentials = Credentials("toolsync-test")
    credentials.get_request_token(web_root=launchpad.service_root)
    launchpad.oauth.grant("")
    with pytest.raises(HTTPError, match="403"):
        credentials.exchange_request_token_for_access_token(launchpad.service_root)


# -- uploads --------------------------------------------------------------------------------


def test_nothing_is_decided_before_its_time(
    launchpad: LaunchpadServer, makers: Makers, ppa: Ppa, tmp_path: Path
) -> None:
    write_upload(tmp_path / "up", makers.keys, makers.maker)
    launchpad.receive(tmp_path / "up", PLACE)
    launchpad.tick(minutes=4)
    assert not ppa.sources
    launchpad.tick(minutes=1)
    assert [p.status for p in ppa.sources] == ["Pending"]


@pytest.mark.parametrize(
    ("signer", "reason"),
    [("", "no known signer"), ("stranger", "no known signer"), ("expired", "no known signer")],
)
def test_what_no_known_key_has_signed_is_dropped_without_a_word(
    launchpad: LaunchpadServer,
    makers: Makers,
    ppa: Ppa,
    upload: Callable[..., str],
    signer: str,
    reason: str,
) -> None:
    assert upload(getattr(makers, signer) if signer else "") == ""
    assert launchpad.dropped == {reason: 1}
    assert not ppa.sources
    assert not launchpad.mails


def test_a_session_without_a_changes_file_is_dropped_without_a_word(
    launchpad: LaunchpadServer, makers: Makers, tmp_path: Path
) -> None:
    write_upload(tmp_path / "up", makers.keys, makers.maker)
    launchpad.receive(tmp_path / "up", PLACE, names=("tiny_1.0.orig.tar.xz",))
    launchpad.tick(minutes=6)
    assert launchpad.dropped == {"no .changes": 1}
    assert not launchpad.mails


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"contains": "amd64"}, "it contains binary packages"),
        ({"contains": "source amd64"}, "mixed"),
        ({"series": "lucid"}, "Unable to find distroseries: lucid"),
        ({"series": "mantic"}, "mantic is obsolete and will not accept"),
        ({"series": "noble-proposed"}, "must be for the RELEASE pocket"),
        ({"section": "unknown"}, "Unknown section 'unknown'"),
        ({"compression": "zst"}, "Unable to identify file"),
        ({"dsc_signer": ""}, "GPG verification of .*dsc failed"),
        ({"with_orig": False}, "Unable to find tiny_1.0.orig.tar.xz in upload"),
        ({"place": "~maker/ubuntu/unstable"}, "owned by 'maker' for 'ubuntu' named 'unstable'"),
        ({"place": "~maker/debian/stable"}, "Could not find a PPA"),
    ],
)
def test_what_is_refused_is_told_by_mail_alone(
    client: Any, ppa: Ppa, upload: Callable[..., str], words: dict[str, Any], said: str
) -> None:
    body = upload(**words)
    assert body.startswith("Rejected:\n")
    assert re.search(said, body)
    assert len(archive(client).getPublishedSources()) == 0


def test_a_suite_in_the_path_overrides_the_distribution(
    ppa: Ppa, upload: Callable[..., str]
) -> None:
    assert upload(place=f"{PLACE}/jammy", series="noble") == "Accepted\n"
    assert [p.series for p in ppa.sources] == ["jammy"]


def test_rights_are_needed_and_can_be_given(
    makers: Makers, ppa: Ppa, upload: Callable[..., str]
) -> None:
    assert "no upload rights" in upload(makers.other)
    ppa.uploaders.add("other")
    assert upload(makers.other) == "Accepted\n"


def test_members_of_a_team_may_upload(
    launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    launchpad.add_person("team", members=("maker",))
    launchpad.add_ppa("team", "tools")
    assert upload(place="~team/ubuntu/tools") == "Accepted\n"


def test_a_version_is_burnt_for_ever_in_every_series(
    launchpad: LaunchpadServer, ppa: Ppa, upload: Callable[..., str]
) -> None:
    upload()
    assert "already accepted in ubuntu/noble and you cannot" in upload()
    assert "already accepted in ubuntu/noble and you cannot" in upload(series="jammy")
    assert "has different contents" in upload(packaging=b"other")
    ppa.delete(ppa.sources[0], launchpad.clock.now())
    assert "already accepted in ubuntu/noble and you cannot" in upload()
    assert len(ppa.sources) == 1


def test_an_older_version_is_refused_in_its_series_alone(upload: Callable[..., str]) -> None:
    upload(version="2.0-0ubuntu1~ppa1~ubuntu24.04.1")
    assert "Version older than that in the archive" in upload()
    assert upload(version=JAMMY, series="jammy") == "Accepted\n"


def test_an_orig_has_the_same_bytes_for_ever(upload: Callable[..., str]) -> None:
    upload(orig=b"first")
    second = "1.0-0ubuntu1~ppa2~ubuntu24.04.1"
    assert "tiny_1.0.orig.tar.xz already exists in maker's stable" in upload(
        version=second, orig=b"second"
    )
    assert upload(version=second, orig=b"first") == "Accepted\n"


def test_an_orig_of_the_primary_archive_binds_too(
    client: Any, launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    launchpad.add_to_ubuntu("tiny", "1.0-3ubuntu1", b"ubuntu's")
    assert "already exists in Primary Archive for Ubuntu" in upload()
    (source,) = client.load("ubuntu/+archive/primary").getPublishedSources(source_name="tiny")
    (meta,) = source.sourceFileUrls(include_meta=True)
    with urllib.request.urlopen(meta["url"]) as answer:
        assert upload(orig=answer.read()) == "Accepted\n"


def test_an_orig_that_is_known_need_not_be_sent(upload: Callable[..., str]) -> None:
    upload()
    again = "1.0-0ubuntu1~ppa2~ubuntu24.04.1"
    assert upload(version=again, with_orig=False) == "Accepted\n"


def test_a_full_quota_refuses(ppa: Ppa, upload: Callable[..., str]) -> None:
    ppa.authorized_size = 0
    assert "exceeded its size limit (0.00 of 0.00 MiB)" in upload()


def test_a_file_that_arrived_broken_refuses(
    launchpad: LaunchpadServer, makers: Makers, tmp_path: Path
) -> None:
    write_upload(tmp_path / "up", makers.keys, makers.maker)
    (tmp_path / "up" / "tiny_1.0.orig.tar.xz").write_bytes(b"ori")
    launchpad.receive(tmp_path / "up", PLACE)
    launchpad.tick(minutes=6)
    assert "checksum mismatch" in launchpad.mails[-1].body


# -- builds and publications ----------------------------------------------------------------


def test_a_source_is_built_and_published_in_time(
    client: Any, launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    upload()
    (source,) = archive(client).getPublishedSources()
    (build,) = source.getBuilds()
    seen = [(source.status, build.buildstate, len(source.getPublishedBinaries()))]
    for _ in range(7):
        launchpad.tick(minutes=5)
        source.lp_refresh()
        build.lp_refresh()
        seen.append((source.status, build.buildstate, len(source.getPublishedBinaries())))
    assert list(dict.fromkeys(seen)) == [
        ("Pending", "Needs building", 0),
        ("Pending", "Currently building", 0),
        ("Pending", "Successfully built", 2),
        ("Published", "Successfully built", 2),
    ]
    binary = source.getPublishedBinaries()[0]
    assert (binary.status, binary.architecture_specific) == ("Published", False)
    summary = archive(client).getBuildSummariesForSourceIds(
        source_ids=[int(source.self_link.rpartition("/")[2])]
    )
    assert [s["status"] for s in summary.values()] == ["FULLYBUILT"]


@pytest.mark.parametrize(
    "state",
    [
        "Failed to build",
        "Dependency wait",
        "Chroot problem",
        "Failed to upload",
        "Cancelled build",
        "Reticulating splines",
    ],
)
def test_builds_end_as_scripted(
    client: Any, launchpad: LaunchpadServer, ppa: Ppa, upload: Callable[..., str], state: str
) -> None:
    ppa.script_builds("Needs building", state, series="noble")
    upload()
    upload(version=JAMMY, series="jammy")
    launchpad.tick(hours=1)
    records = archive(client).getBuildRecords(source_name="tiny")
    assert {b.buildstate for b in records if b.title.endswith("noble RELEASE")} == {state}
    assert {b.buildstate for b in records if b.title.endswith("jammy RELEASE")} == {BUILT}
    assert {b.series for b in ppa.binaries} == {"jammy"}


def test_a_build_may_be_retried(
    launchpad: LaunchpadServer, ppa: Ppa, upload: Callable[..., str]
) -> None:
    ppa.script_builds("Failed to build")
    upload()
    launchpad.tick(hours=1)
    assert not ppa.binaries
    ppa.script_builds("Needs building", BUILT)
    launchpad.tick(minutes=30)
    assert {b.status for b in ppa.binaries} == {"Published"}


def test_each_architecture_is_built_where_it_must_be(ppa: Ppa, upload: Callable[..., str]) -> None:
    ppa.processors = ("amd64", "arm64")
    upload()
    upload(version="1.1-0ubuntu1~ppa1~ubuntu24.04.1", binary_arch="any")
    assert [[b.arch for b in ppa.builds_of(p)] for p in ppa.sources] == [
        ["amd64"],
        ["amd64", "arm64"],
    ]


def test_a_newer_version_supersedes_and_both_stay_on_record(
    client: Any, launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    upload()
    launchpad.tick(hours=1)
    upload(version="1.1-0ubuntu1~ppa1~ubuntu24.04.1")
    launchpad.tick(hours=1)
    found = archive(client)
    assert [s.status for s in found.getPublishedSources()] == ["Published", "Superseded"]
    assert len(found.getPublishedSources(status="Published")) == 1
    both = {b.binary_package_version: b.status for b in found.getPublishedBinaries()}
    assert list(both.values()) == ["Published", "Superseded"]


def test_a_ppa_that_does_not_publish_keeps_everything_pending(
    launchpad: LaunchpadServer, ppa: Ppa, upload: Callable[..., str]
) -> None:
    ppa.publish = False
    upload()
    launchpad.tick(hours=5)
    assert [p.status for p in ppa.sources] == ["Pending"]


def test_filters_select_publications(
    client: Any, launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    upload()
    upload(version=JAMMY, series="jammy")
    launchpad.tick(hours=1)
    later = launchpad.clock.now()
    upload(version="1.1-0ubuntu1~ppa1~ubuntu24.04.1")
    upload(name="tiny-tool")
    found = archive(client)
    noble = client.distributions["ubuntu"].getSeries(name_or_version="noble")
    for words, count in (
        ({}, 4),
        ({"source_name": "tiny"}, 4),
        ({"source_name": "tiny", "exact_match": True}, 3),
        ({"distro_series": noble}, 3),
        ({"status": "Pending"}, 2),
        ({"created_since_date": later}, 2),
        ({"pocket": "Updates"}, 0),
        ({"source_name": "tiny", "version": JAMMY, "component_name": "main"}, 1),
    ):
        assert len(found.getPublishedSources(**words)) == count, words
    assert [s.source_package_version for s in found.getPublishedSources(exact_match=True)][:1] == [
        "1.1-0ubuntu1~ppa1~ubuntu24.04.1"
    ]
    oldest = found.getPublishedSources(order_by_date_ascending=True)[0]
    assert oldest.source_package_version == NOBLE
    amd64 = next(iter(noble.architectures))
    assert len(found.getPublishedBinaries(distro_arch_series=amd64)) == 1
    assert len(found.getPublishedBinaries(binary_name="tiny", exact_match=True)) == 4
    assert found.getBuildCounters() == {
        "total": 4,
        "succeeded": 2,
        "pending": 2,
        "failed": 0,
        "superseded": 0,
    }


def test_files_have_addresses(
    client: Any, launchpad: LaunchpadServer, ppa: Ppa, upload: Callable[..., str]
) -> None:
    upload()
    ppa.debs[f"tiny_{NOBLE}_all.deb"] = b"binary"
    launchpad.tick(hours=1)
    (source,) = archive(client).getPublishedSources()
    binary = source.getPublishedBinaries()[0]
    (meta,) = binary.binaryFileUrls(include_meta=True)
    assert meta["size"] == 6
    assert source.binaryFileUrls() == [meta["url"]]
    for address, content in ((meta["url"], b"binary"), (source.changesFileUrl(), b"Format: 1.8")):
        with urllib.request.urlopen(address) as answer:
            assert content in answer.read()


def test_an_owner_may_delete_and_the_version_stays_on_record(
    maker: Any, upload: Callable[..., str]
) -> None:
    upload()
    (source,) = archive(maker).getPublishedSources()
    source.requestDeletion(removal_comment="a mistake")
    (source,) = archive(maker).getPublishedSources()
    assert (source.status, source.removal_comment) == ("Deleted", "a mistake")


def test_archives_are_found_by_reference(client: Any, ppa: Ppa) -> None:
    ppa.signing_key, ppa.signing_key_fingerprint = "-----BEGIN PGP", "A" * 40
    found = client.archives.getByReference(reference="~maker/ubuntu/stable")
    assert found.signing_key_fingerprint == "A" * 40
    assert found.getSigningKeyData() == "-----BEGIN PGP"
    assert client.archives.getByReference(reference="~maker/ubuntu/unstable") is None
    ubuntu = client.distributions["ubuntu"]
    assert ubuntu.getArchive(name="primary").displayname == ubuntu.main_archive.displayname


# -- copies ---------------------------------------------------------------------------------


def copied(launchpad: LaunchpadServer, client: Any, series: str, **words: Any) -> str:
    """Copy tiny's NOBLE version to a series, wait, and return what was mailed about it."""
    found = archive(client)
    before = len(launchpad.mails)
    words = {"from_archive": found, "to_pocket": "Release", "to_series": series} | words
    found.copyPackage(source_name="tiny", version=NOBLE, **words)
    launchpad.tick(minutes=30)
    return "".join(mail.body for mail in launchpad.mails[before:])


def test_a_copy_with_binaries_needs_no_build(
    launchpad: LaunchpadServer, maker: Any, ppa: Ppa, upload: Callable[..., str]
) -> None:
    upload()
    launchpad.tick(hours=1)
    assert copied(launchpad, maker, "resolute", include_binaries=True) == ""
    assert [(p.series, p.status) for p in ppa.sources] == [
        ("noble", "Published"),
        ("resolute", "Published"),
    ]
    assert {(b.series, b.status) for b in ppa.binaries} == {
        ("noble", "Published"),
        ("resolute", "Published"),
    }
    assert len(ppa.builds) == 1


def test_a_copy_of_source_alone_is_refused_once_there_are_binaries(
    launchpad: LaunchpadServer, maker: Any, ppa: Ppa, upload: Callable[..., str]
) -> None:
    upload()
    launchpad.tick(hours=1)
    assert "already has published binaries" in copied(launchpad, maker, "resolute")
    assert [p.series for p in ppa.sources] == ["noble"]


@pytest.mark.parametrize(("minutes", "said"), [(0, "already building"), (10, "unpublished")])
def test_binaries_are_copied_once_they_are_published(
    launchpad: LaunchpadServer,
    maker: Any,
    ppa: Ppa,
    upload: Callable[..., str],
    minutes: int,
    said: str,
) -> None:
    launchpad.pace = ppa.pace = type(launchpad.pace)(copy=timedelta(0))
    upload()
    launchpad.tick(minutes=minutes)
    assert said in copied(launchpad, maker, "resolute", include_binaries=True)


def test_a_copy_to_another_ppa_is_built_there_or_brings_its_binaries(
    launchpad: LaunchpadServer, maker: Any, upload: Callable[..., str]
) -> None:
    upload()
    launchpad.tick(hours=1)
    source_only, whole = launchpad.add_ppa("maker", "plain"), launchpad.add_ppa("maker", "whole")
    words = {"source_names": ["tiny"], "from_archive": archive(maker), "to_pocket": "Release"}
    archive(maker, "plain").copyPackages(**words)
    archive(maker, "whole").copyPackages(include_binaries=True, **words)
    launchpad.tick(hours=1)
    assert [b.collected for b in source_only.builds] == [True]
    assert source_only.binaries[0].build is not whole.binaries[0].build
    (found,) = archive(maker, "whole").getPublishedSources()
    assert found.copied_from_archive.name == "stable"


def test_a_copy_needs_a_person_with_rights(
    client: Any, maker: Any, upload: Callable[..., str]
) -> None:
    from lazr.restfulclient.errors import BadRequest as BadAnswer
    from lazr.restfulclient.errors import Unauthorized

    words = {"source_name": "hello", "version": NOBLE, "to_pocket": "Release"}
    found = archive(client)
    with pytest.raises(Unauthorized):
        found.copyPackage(from_archive=found, **words)
    found = archive(maker)
    with pytest.raises(BadAnswer, match="is not published in"):
        found.copyPackage(from_archive=found, **words)


# -- faults ---------------------------------------------------------------------------------


def test_faults_come_as_often_as_scripted(client: Any, launchpad: LaunchpadServer) -> None:
    from lazr.restfulclient.errors import ServerError

    found = archive(client)
    launchpad.fault("getPublishedSources", status=500, times=2)
    for _ in range(2):
        with pytest.raises(ServerError):
            found.getPublishedSources()
    assert len(found.getPublishedSources()) == 0


def test_a_503_says_when_to_come_again(launchpad: LaunchpadServer) -> None:
    launchpad.fault(status=503, retry_after=7)
    with pytest.raises(urllib.error.HTTPError, match="503") as caught:
        urllib.request.urlopen(f"{launchpad.service_root}devel/")
    assert caught.value.headers["Retry-After"] == "7"
    caught.value.close()


def test_an_answer_can_be_cut(launchpad: LaunchpadServer) -> None:
    import http.client

    launchpad.fault(cut=20)
    with (
        urllib.request.urlopen(f"{launchpad.service_root}devel/") as answer,
        pytest.raises(http.client.IncompleteRead),
    ):
        answer.read()


def test_time_can_pass_with_each_request(client: Any, launchpad: LaunchpadServer) -> None:
    launchpad.per_request = timedelta(minutes=1)
    before = launchpad.clock.now()
    archive(client)
    assert launchpad.clock.now() - before == timedelta(minutes=2)
