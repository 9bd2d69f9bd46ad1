"""Each operation of the tests' Launchpad, held to Launchpad's own filter: launchpad_rules.md.

The client is the unmodified launchpadlib, over the wire.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers import launchpad_operations
from tests.servers.launchpad import LaunchpadServer
from tests.servers.launchpad_archive import BUILT, Ppa
from tests.support.uploads import JAMMY, NOBLE, archive

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TABLE = Path(launchpad_operations.__file__).with_name("launchpad_rules.md")


def answer(call: Callable[..., Any], **words: Any) -> tuple[int, str]:
    """Return the status and the text of a refusal."""
    from lazr.restfulclient.errors import HTTPError

    with pytest.raises(HTTPError) as caught:
        call(**words)
    return int(caught.value.response.status), caught.value.content.decode()


def published(client: Any, series: str, **words: Any) -> Any:
    """Return tiny's newest publication of a series."""
    place = client.load(f"ubuntu/{series}")
    return archive(client).getPublishedSources(source_name="tiny", distro_series=place, **words)[0]


def copy(client: Any, series: str, *, to: str = "stable", version: str = NOBLE) -> None:
    archive(client, to).copyPackage(
        source_name="tiny",
        version=version,
        from_archive=archive(client),
        to_pocket="Release",
        to_series=series,
        include_binaries=True,
    )


def test_every_operation_has_a_rule_and_every_rule_a_test() -> None:
    rows = [line.split(" | ") for line in TABLE.read_text().splitlines() if " | test_" in line]
    named = [tuple(row[0].removeprefix("| ").split(".")) for row in rows if len(row) == 4]
    assert sorted(named) == sorted(launchpad_operations.OPERATIONS)
    here = Path(__file__).parent
    text = "".join(path.read_text() for path in here.glob("test_launchpad_*.py"))
    assert {row[-1].removesuffix(" |") for row in rows} <= set(re.findall(r"def (test_\w+)", text))


def test_a_ppa_that_is_switched_off_is_hidden_from_others(
    client: Any, maker: Any, ppa: Ppa
) -> None:
    ppa.enabled = False
    status, said = answer(lambda: archive(client))
    assert (status, "launchpad.View" in said) == (401, True)
    assert archive(maker).status == "Active"
    ppa.status = "Deleting"
    assert archive(maker).status == "Deleting"
    ppa.deleted = True
    assert answer(lambda: archive(maker)) == (404, "No such ppa: 'stable'.")


def test_a_reference_to_what_is_not_seen_is_null(client: Any, maker: Any, ppa: Ppa) -> None:
    ppa.private = True
    reference = "~maker/ubuntu/stable"
    assert client.archives.getByReference(reference=reference) is None
    assert maker.archives.getByReference(reference=reference).private


def test_publications_are_found_in_every_status(
    client: Any, launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    upload()
    launchpad.tick(hours=1)
    upload(version="1.1-0ubuntu1~ppa1~ubuntu24.04.1")
    launchpad.tick(hours=1)
    found = archive(client)
    assert [one.status for one in found.getPublishedSources(source_name="in")] == [
        "Published",
        "Superseded",
    ]
    assert len(found.getPublishedSources(source_name="in", exact_match=True)) == 0
    both = [(b.status, b.distro_arch_series.architecture_tag) for b in found.getPublishedBinaries()]
    assert sorted(both) == [
        ("Published", "amd64"),
        ("Published", "arm64"),
        ("Superseded", "amd64"),
        ("Superseded", "arm64"),
    ]
    for ask in (found.getPublishedSources, found.getPublishedBinaries):
        assert answer(lambda ask=ask: len(ask(version=NOBLE)))[0] == 400


def test_build_records_are_of_what_was_built_here(
    maker: Any, launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    upload()
    launchpad.tick(hours=1)
    launchpad.add_ppa("maker", "prod")
    copy(maker, "noble", to="prod")
    launchpad.tick(hours=1)
    assert len(archive(maker).getBuildRecords(source_name="in")) == 1
    prod = archive(maker, "prod")
    assert len(prod.getBuildRecords()) == 0
    (source,) = prod.getPublishedSources()
    (build,) = source.getBuilds()  # in the same series: what is published there was built so
    assert (build.archive.name, build.buildstate) == ("stable", BUILT)


def test_a_summary_says_building_before_failed(
    client: Any, launchpad: LaunchpadServer, ppa: Ppa, upload: Callable[..., str]
) -> None:
    ppa.processors = ("amd64", "arm64")
    ppa.script_builds("Failed to build", arch="amd64")
    ppa.script_builds("Currently building", "Currently building", BUILT, arch="arm64")
    upload(binary_arch="any")
    number = ppa.sources[0].id

    def word() -> str:
        summaries = archive(client).getBuildSummariesForSourceIds(source_ids=[number])
        return str(summaries[str(number)]["status"])

    assert word() == "BUILDING"
    launchpad.tick(hours=1)
    assert word() == "FAILEDTOBUILD"


def test_cancelled_builds_count_nowhere(client: Any, ppa: Ppa, upload: Callable[..., str]) -> None:
    ppa.script_builds("Cancelled build", series="noble")
    ppa.script_builds("Needs building", series="jammy")
    upload()
    upload(version=JAMMY, series="jammy")
    none = {"succeeded": 0, "failed": 0, "superseded": 0}
    found = archive(client)
    assert found.getBuildCounters() == {**none, "pending": 1, "total": 1}
    assert found.getBuildCounters(include_needsbuild=False) == {**none, "pending": 0, "total": 0}


def test_a_key_is_null_until_there_is_one(
    client: Any, launchpad: LaunchpadServer, ppa: Ppa
) -> None:
    found = archive(client)
    assert found.getSigningKeyData() is None
    ppa.signing_key = "-----BEGIN PGP"
    assert found.getSigningKeyData() == "-----BEGIN PGP"
    launchpad.fault("getSigningKeyData", status=404)
    assert answer(found.getSigningKeyData)[0] == 404


def test_an_upload_is_checked_in_launchpads_order(
    client: Any, maker: Any, launchpad: LaunchpadServer, ppa: Ppa, upload: Callable[..., str]
) -> None:
    other = f"{launchpad.api.root}~other"

    def checked(**words: str) -> tuple[int, str]:
        given = {
            "person": f"{launchpad.api.root}~maker",
            "distroseries": f"{launchpad.api.root}ubuntu/noble",
            "sourcepackagename": "hello",
            "component": "main",
            "pocket": "Release",
        }
        return answer(archive(maker).checkUpload, **(given | words))

    assert checked(person=other) == (403, "Signer has no upload rights to this PPA.")
    ppa.enabled = False
    assert checked(person=other) == (403, "maker's stable is disabled.")
    mantic = f"{launchpad.api.root}ubuntu/mantic"
    obsolete = "mantic is obsolete and will not accept new uploads."
    assert checked(distroseries=mantic) == (403, obsolete)
    assert checked(pocket="Updates", distroseries=mantic)[1].startswith("PPA uploads must be")
    unknown = (404, "No such source package: 'tiny'.")
    assert checked(sourcepackagename="tiny", pocket="Updates") == unknown
    ppa.enabled = ppa.permit_obsolete_series_uploads = True
    assert checked(person=other, distroseries=mantic)[1].startswith("Signer has no")
    upload()  # from now on the name is known
    assert checked(sourcepackagename="tiny", person=other)[0] == 403


def test_rights_on_a_package_are_not_those_on_the_archive(
    client: Any, launchpad: LaunchpadServer, ppa: Ppa
) -> None:
    launchpad.add_person("team", members=("other",))
    ppa.uploaders.add("team")
    found = archive(client)
    assert answer(lambda: len(found.getUploadersForPackage(source_package_name="tiny")))[0] == 404
    assert len(found.getUploadersForPackage(source_package_name="hello")) == 0
    (right,) = found.getPermissionsForPerson(person=client.people["other"])
    assert (right.person.name, right.component_name) == ("team", "main")
    assert len(found.getPermissionsForPerson(person=client.people["maker"])) == 0


def test_copies_follow_one_another(
    maker: Any, launchpad: LaunchpadServer, ppa: Ppa, upload: Callable[..., str]
) -> None:
    assert answer(copy, client=maker, series="noble")[:1] == (404,)
    upload()
    assert answer(copy, client=maker, series="noble", version="9")[1] == (
        "tiny is not published in maker's stable."
    )
    launchpad.tick(hours=1)
    prod = launchpad.add_ppa("maker", "prod")
    for where, target in (("stable", ppa), ("prod", prod)):
        before = len(launchpad.mails)
        copy(maker, "jammy", to=where)
        copy(maker, "resolute", to=where)
        launchpad.tick(minutes=10)
        (mail,) = launchpad.mails[before:]
        assert "unpublished binaries in the destination archive for Jammy" in mail.body
        launchpad.tick(minutes=30)
        copy(maker, "resolute", to=where)
        launchpad.tick(hours=1)
        assert {p.series for p in target.sources} >= {"jammy", "resolute"}
        assert len(launchpad.mails) == before + 1


def test_many_are_copied_only_where_they_are_alive(
    maker: Any, launchpad: LaunchpadServer, ppa: Ppa, upload: Callable[..., str]
) -> None:
    upload()
    launchpad.tick(hours=1)
    launchpad.add_ppa("maker", "prod")
    ppa.delete(ppa.sources[0], launchpad.clock.now())
    words = {"from_archive": archive(maker), "to_pocket": "Release", "source_names": ["tiny"]}
    assert answer(archive(maker, "prod").copyPackages, **words) == (
        400,
        "tiny is not published in maker's stable.",
    )


def test_a_copy_has_no_builds_in_another_series(
    maker: Any, launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    upload()
    launchpad.tick(hours=1)
    copy(maker, "resolute")
    launchpad.tick(hours=1)
    assert [len(published(maker, s).getBuilds()) for s in ("noble", "resolute")] == [1, 0]
    binaries = published(maker, "resolute").getPublishedBinaries()
    assert {b.distro_arch_series_link.split("/")[-2] for b in binaries} == {"resolute"}
    assert {b.status for b in binaries} == {"Published"}


def test_binaries_of_what_was_superseded_are_not_active(
    maker: Any, launchpad: LaunchpadServer, upload: Callable[..., str]
) -> None:
    upload()
    launchpad.tick(hours=1)
    upload(version="1.1-0ubuntu1~ppa1~ubuntu24.04.1")
    launchpad.tick(hours=1)
    old = published(maker, "noble", version=NOBLE, exact_match=True)
    assert old.status == "Superseded"
    assert len(old.getPublishedBinaries()) == 0
    assert len(old.getPublishedBinaries(active_binaries_only=False)) == 2


def test_only_main_archives_are_a_distributions(client: Any) -> None:
    ubuntu = client.distributions["ubuntu"]
    assert ubuntu.getArchive(name="primary").name == "primary"
    assert ubuntu.getArchive(name="stable") is None


def test_a_401_is_told_apart_by_its_body(
    launchpad: LaunchpadServer, log_in: Callable[..., Any], ppa: Ppa
) -> None:
    launchpad.add_token("other")
    ppa.private = True
    other = log_in()
    status, said = answer(lambda: archive(other))
    assert (status, said[:9]) == (401, "(<Archive")
    launchpad.oauth.troubles["token"] = "Expired token"
    assert answer(lambda: archive(other)) == (401, "Expired token (token).")
    launchpad.oauth.troubles.clear()
    launchpad.people["other"].active = False
    assert answer(lambda: archive(other)) == (401, "Inactive account.")


def test_uploads_are_judged_by_content_and_series(
    launchpad: LaunchpadServer, ppa: Ppa, upload: Callable[..., str]
) -> None:
    def packaging(name: str, size: int) -> bytes:
        """Return a debian.tar with one text, a link where it has no size."""
        packed, member = io.BytesIO(), tarfile.TarInfo(name)
        member.size = size
        if not size:
            member.type, member.linkname = tarfile.SYMTYPE, "../NEWS"
        with tarfile.open(fileobj=packed, mode="w:xz", preset=0) as made:
            made.addfile(member, io.BytesIO(bytes(size)))
        return packed.getvalue()

    for name in ("debian/changelog", "debian/copyright"):
        assert f"Symbolic link for {name} not allowed" in upload(packaging=packaging(name, 0))
        too_large = packaging(name, 10 * 2**20 + 1)
        assert f"{name} file too large, 10MiB max" in upload(packaging=too_large)
    said = upload(binary_arch="s390x")
    assert "Cannot build any of the architectures requested: s390x" in said
    noble = launchpad.series["noble"]
    launchpad.series["noble"] = replace(noble, status="Obsolete")
    assert "noble is obsolete and will not accept new uploads" in upload()
    ppa.permit_obsolete_series_uploads = True
    assert upload() == "Accepted\n"
    launchpad.series["noble"] = replace(noble, status="Future")
    assert upload(version="1.1-0ubuntu1~ppa1~ubuntu24.04.1") == "Accepted\n"
