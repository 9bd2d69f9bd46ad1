"""The ecosystem's own order: dpkg orders what is spelled here as PEP 440 and semver order it."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.watching import Watcher, tool_with, versions
from toolsync.model.release import Outcome
from toolsync.model.versions import upstream_key
from toolsync.model.words import changed_scheme
from toolsync.pipeline.status import with_untaken
from toolsync.watch.ordering import by_pep_440, by_semver

PEP_440 = """
1.0.dev1 1.0a1.dev2 1.0a1 1.0alpha2 1.0b1 1.0-preview1 1.0rc2 1.0 1.0+local.1
1.0+mkl 1.0+rocm5.6 1.0+ubuntu1 1.0+2 1.0+10.a
1.0.post1.dev1 1.0.post1 1.0-2 1.0.r3 1.0.1.dev1 1.0.1 1.1 1.10
""".split()  # noqa: SIM905 (it is read more easily so)
OF_PACKAGING = """
1.0.dev456 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456
1.0b2.post345 1.0b2-346 1.0c1.dev456 1.0c1 1.0rc2 1.0c3 1.0 1.0.post456.dev34 1.0.post456 1.1.dev1
1.2+123abc 1.2+123abc456 1.2+abc 1.2+abc123 1.2+abc123def 1.2+1234.abc 1.2+123456 1.2.r32+123456
1.2.rev33+123456
""".split()  # noqa: SIM905
"""As pypa/packaging's own tests have them, in their order."""
SEMVER = """
1.0.0-1 1.0.0-2 1.0.0-10 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta
1.0.0-beta.2 1.0.0-beta.11 1.0.0-next.3 1.0.0-rc.1 1.0.0 1.0.1 1.10.0
""".split()  # noqa: SIM905 (likewise)


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


@pytest.mark.parametrize("ordered", [PEP_440, OF_PACKAGING], ids=["ours", "of packaging"])
def test_pep_440_in_dpkgs_order(ordered: list[str]) -> None:
    spelled = [found[1] for version in ordered if (found := by_pep_440(version))]
    shuffled = random.sample(spelled, len(spelled))
    assert sorted(shuffled, key=upstream_key) == spelled
    assert len(set(spelled)) == len(ordered)
    assert by_pep_440("1!2.0") == (1, "2.0")


def test_semver_in_dpkgs_order() -> None:
    spelled = [by_semver(version) or "" for version in SEMVER]
    assert sorted(random.sample(spelled, len(spelled)), key=upstream_key) == spelled
    assert len(set(spelled)) == len(SEMVER)
    assert by_semver("1.0") is None


def index(upstream: Watcher, *wanted: str, **watch: Any) -> Any:
    files = [{"filename": f"tool-{v}.tar.gz", "url": f"/f/tool-{v}.tar.gz"} for v in wanted]
    data = {"meta": {"api-version": "1.0"}, "name": "tool", "files": files}
    kind = "application/vnd.pypi.simple.v1+json"
    upstream.web.serve("/tool/", json.dumps(data), type=kind)
    return upstream.look(kind="index", project="tool", **watch)


def test_a_post_release_is_older_than_the_next(upstream: Watcher) -> None:
    found = index(upstream, "1.0", "1.0.post1", "1.0.1")
    assert versions(found) == ["1.0.1", "1.0+post1", "1.0"]
    assert found.releases[1].raw_version == "1.0.post1"
    assert versions(index(upstream, "1.0.post1", mangle=("s/[.]post/+p/",))) == ["1.0+p1"]


def test_an_epoch_is_asked_about(upstream: Watcher) -> None:
    found = index(upstream, "2024.1", "1!1.0")
    assert versions(found) == ["2024.1"]
    (untaken,) = found.untaken
    assert (untaken.raw, untaken.newer) == ("1!1.0", True)
    assert "epoch = 1 in tool.toml takes it" in untaken.why


def npm(upstream: Watcher, latest: str, **watch: Any) -> Any:
    digest = base64.b64encode(hashlib.sha512(b"x").digest()).decode()
    listed = ("1.9.0", "1.10.0-rc.1", "1.10.0", "2.0.0", "2.1.0-next.3")
    data = {
        "dist-tags": {"latest": latest, "next": "2.1.0-next.3"} if latest else {},
        "versions": {
            v: {
                "dist": {
                    "tarball": f"http://h/t-{v}.tgz",
                    "integrity": f"sha1-eA== sha512-{digest}",
                }
            }
            for v in listed
        },
    }
    upstream.web.serve("/t", json.dumps(data), type="application/json")
    return upstream.look(kind="npm", url=upstream.web.url, project="t", **watch)


def test_the_tag_latest_wins_unless_told_otherwise(upstream: Watcher) -> None:
    found = npm(upstream, "1.10.0")
    assert versions(found) == ["1.10.0", "1.9.0"]
    (untaken,) = found.untaken
    assert (untaken.raw, untaken.newer) == ("2.0.0", False)
    assert "the dist-tag latest names 1.10.0" in untaken.why
    assert found.newest.sha512 == hashlib.sha512(b"x").hexdigest()
    assert versions(npm(upstream, ""))[0] == "2.0.0"
    assert versions(npm(upstream, "1.10.0", prereleases=True))[0] == "2.1.0~next.3"
    own = {"dist_tag": "next"}
    assert versions(npm(upstream, "1.10.0", own=own))[0] == "2.0.0"


@pytest.mark.parametrize(
    ("newest", "later", "mangled"),
    [
        ("20240101", "1.1", "0~20240101"),
        ("2024.1", "1.0.0", "0~2024.1"),
        ("2024-01-31", "1.0.0", "0~2024-01-31"),
        ("202401", "0.9.1", "0~202401"),
        ("4521", "1.0", "0~4521"),
        ("590", "2.0.1", "0~590"),
        ("257", "256.10", ""),
        ("12", "1.9", ""),
        ("1.0.SP1", "1.0.1", "1.0+SP1"),
        ("2.0", "1.9.9", ""),
        ("1.0.2u", "1.0.3", ""),
        ("20240101", "20231231", ""),
        ("1.0.SP1", "0.9.9", ""),
    ],
)
def test_a_change_of_scheme(newest: str, later: str, mangled: str) -> None:
    from toolsync.model.versions import mangle

    rule = changed_scheme(newest, later)
    assert bool(rule) == bool(mangled)
    if rule:
        assert mangle(newest, (rule,)) == mangled
        assert upstream_key(mangled) < upstream_key(mangle(later, (rule,)))


def test_a_change_of_scheme_is_told_by_the_dates(upstream: Watcher) -> None:
    entries = "".join(
        f"<Contents><Key>t-{v}.zip</Key><LastModified>{day}T00:00:00Z</LastModified></Contents>"
        for v, day in (("20240101", "2024-01-01"), ("1.1", "2024-03-01"))
    )
    upstream.web.serve("/", f"<ListBucketResult>{entries}</ListBucketResult>")
    watch: dict[str, Any] = {"kind": "s3", "pattern": r"t-(?P<version>[\d.]+)\.zip"}
    found = upstream.look(**watch)
    assert found.newest.version == "20240101"
    (untaken,) = found.untaken
    assert (untaken.raw, untaken.newer) == ("1.1", True)
    outcome = Outcome(
        tool="t", status="up-to-date", current="20240101", newest="20240101", url="", message="m"
    )
    told = with_untaken(tool_with(url="http://h/", **watch), outcome, found.untaken)
    assert (told.status, told.exit_status) == ("held", 3)
    assert "puts the old one below" in told.message
