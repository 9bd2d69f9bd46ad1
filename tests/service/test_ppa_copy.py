"""Copies: to newer series instead of rebuilding, and from a staging PPA to the stable one."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.servers.launchpad_archive import Ppa
from tests.servers.web import Web
from tests.support.keys import Keys, throwaway_keys
from tests.support.ppas import SERIES
from tests.support.ppasync import TARGET, Site
from tests.support.tiny import archive
from toolsync.cli.main import group
from toolsync.model.errors import Held, SetupError, UsageError, Waiting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
STAGING = "ppa:maker/staging"


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Keys, str]]:
    with throwaway_keys() as keys:
        yield keys, keys.make("Maker")


@pytest.fixture
def build(
    tmp_path: Path, made: tuple[Keys, str], web: Web, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def one(**words: Any) -> Site:
        site = Site(tmp_path / "site", *made, web, **words)
        monkeypatch.setenv("PATH", f"{site.stub()}:/usr/bin:/bin:/usr/sbin:/sbin")
        sites.append(site)
        return site

    yield one
    for site in sites:
        site.close()


def uploads_of(proof: Any) -> list[dict[str, Any]]:
    """Return the uploads of an in-toto statement's record."""
    found: list[dict[str, Any]] = proof["predicate"]["uploads"]
    return found


def until(site: Site, done: Callable[[], bool], most: int = 10) -> list[str]:
    told: list[str] = []
    while not done():
        assert len(told) < most, (told, site.server.mails)
        (outcome,) = site.sync()
        told.append(outcome.message)
        site.later(minutes=26)
    return told


def test_what_need_not_be_rebuilt_is_uploaded_once_and_copied_up(
    build: Callable[..., Site],
) -> None:
    site = build(publish_as="copy = true")
    told = until(site, lambda: "login at Launchpad" in str(site.sync()))
    assert any("is copied when" in line or "is copied to" in line for line in told), told
    site.log_in()
    told = until(
        site, lambda: set(site.states().values()) == {"confirmed"} and len(site.states()) == 3
    )
    assert any("one series after the other" in line for line in told), told
    assert not [m for m in site.server.mails if "Failed to copy" in m.subject]
    assert len({path.name for path in site.arrived}) == 1
    assert {pub.version for pub in site.ppa.sources} == {"1.0-0ubuntu1~ppa1~ubuntu22.04.1"}
    assert {pub.series for pub in site.ppa.sources} == set(SERIES)
    assert site.server.cost()["POST copyPackage"] == 2
    (last,) = site.sync()
    assert last.status == "up-to-date"
    assert site.server.cost()["POST copyPackage"] == 2


def staged(build: Callable[..., Site], after: str) -> tuple[Site, Ppa]:
    """Return a site whose releases go to staging first, and that PPA."""
    site = build(
        series=("noble",),
        publish_as=f'channel = "staging"\npromote_after = "{after}"',
        staging=STAGING,
        build_first="true",
    )
    staging = site.server.add_ppa("maker", "staging")
    site.log_in()
    return site, staging


def test_a_release_waits_in_staging_and_goes_on_by_itself(build: Callable[..., Site]) -> None:
    site, staging = staged(build, after="2 days")
    told = until(site, lambda: bool(site.uploads()) and site.uploads()[0].state == "confirmed")
    (outcome,) = site.sync()
    assert f"it goes on to {TARGET} after" in outcome.message, told
    assert (outcome.status, outcome.current) == ("new", None)
    site.clock.sleep(2 * 86400)
    until(site, lambda: len(site.uploads()) == 2 and site.uploads()[1].state == "confirmed")
    assert [pub.version for pub in site.ppa.sources] == [p.version for p in staging.sources]
    assert len({path.name for path in site.arrived}) == 1
    (outcome,) = site.sync()
    assert (outcome.status, outcome.current) == ("up-to-date", "1.0")


def test_a_repository_in_trouble_keeps_nothing_in_staging(build: Callable[..., Site]) -> None:
    site, _ = staged(build, after="1 hour")
    with site.file.open("a") as file:
        file.write(f'[git]\nrepository = "{site.root}/not-there.git"\n')
    told = until(site, lambda: [u.state for u in site.uploads()] == ["confirmed"] * 2)
    assert any("not-there.git" in line for line in told), told
    (outcome,) = site.sync()
    assert "git could not ls-remote" in outcome.message


def test_what_need_not_be_rebuilt_goes_on_from_staging_in_every_series(
    build: Callable[..., Site],
) -> None:
    """Each series waits its turn: Launchpad refuses the others by mail meanwhile."""
    site = build(
        publish_as='copy = true\nchannel = "staging"\npromote_after = "1 hour"',
        staging=STAGING,
        build_first="true",
    )
    staging = site.server.add_ppa("maker", "staging")
    site.log_in()
    until(site, lambda: [u.state for u in site.uploads()] == ["confirmed"] * 6, most=20)
    assert len({path.name for path in site.arrived}) == 1
    for ppa in (staging, site.ppa):
        assert {pub.series for pub in ppa.sources} == set(SERIES)
        assert {pub.version for pub in ppa.sources} == {"1.0-0ubuntu1~ppa1~ubuntu22.04.1"}
    assert site.server.cost()["POST copyPackage"] == 5
    assert not [m for m in site.server.mails if "Failed to copy" in m.subject]


def test_one_version_is_promoted_to_every_series_in_turn(build: Callable[..., Site]) -> None:
    site = build(publish_as="copy = true")
    prod = site.server.add_ppa("maker", "prod")
    site.log_in()
    until(site, lambda: set(site.states().values()) == {"confirmed"} and len(site.states()) == 3)
    head = ["--config", str(site.file), "--state", str(site.root / "state")]
    words = ["promote", "hello", "1.0", "--from", TARGET, "--to", "ppa:maker/prod"]
    for _ in range(8):
        result = CliRunner().invoke(
            group, [*head, *words, "--early", "--untested"], standalone_mode=False
        )
        if result.exception is None:
            break
        assert isinstance(result.exception, Waiting), result.exception
        site.later(minutes=26)
    assert "hello 1.0 is served by ppa:maker/prod: jammy, noble, resolute" in result.output
    assert {(pub.series, pub.status) for pub in prod.sources} == {(s, "Published") for s in SERIES}
    assert not [m for m in site.server.mails if "Failed to copy" in m.subject]


def test_what_took_a_known_orig_is_copied_as_it_was_made(build: Callable[..., Site]) -> None:
    site, staging = staged(build, after="1 hour")
    theirs = lzma.compress(gzip.decompress(archive("1.0")))
    site.server.add_to_ubuntu("hello", "1.0-1", theirs)
    until(site, lambda: [u.state for u in site.uploads()] == ["confirmed"] * 2)
    for ppa in (staging, site.ppa):
        (pub,) = ppa.sources
        assert pub.source.files["hello_1.0.orig.tar.xz"] == theirs
        assert "hello_1.0.orig.tar.gz" not in pub.source.files


def test_promote_asks_for_tests_and_time_and_copies_once(build: Callable[..., Site]) -> None:
    site = build(series=("noble",))
    site.server.add_ppa("maker", "prod")
    site.log_in()
    until(site, lambda: set(site.states().values()) == {"confirmed"})

    def promote(*words: str, to: str = "ppa:maker/prod") -> Any:
        head = ["--config", str(site.file), "--state", str(site.root / "state")]
        tail = ["promote", "hello", "1.0", "--from", TARGET, "--to", to, *words]
        return CliRunner().invoke(group, [*head, *tail], standalone_mode=False)

    assert "no test of it was run here" in str(promote().exception)
    assert isinstance(promote().exception, Held)
    assert isinstance(promote("--untested").exception, Waiting)
    for _ in range(3):
        result = promote("--untested", "--early")
        site.later(minutes=26)
    assert result.exception is None, result.exception
    assert "hello 1.0 is served by ppa:maker/prod: noble" in result.output
    assert site.server.cost()["POST copyPackage"] == 1
    proof = json.loads(
        CliRunner()
        .invoke(
            group,
            [
                *("--config", str(site.file), "--state", str(site.root / "state")),
                *("evidence", "hello", "1.0", "--json"),
            ],
            standalone_mode=False,
        )
        .output
    )
    (copied,) = [u for u in uploads_of(proof) if u["target"] == "ppa:maker/prod"]
    assert copied["detail"]["copy"] == {"from": TARGET, "series": "noble"}
    assert isinstance(promote(to="local").exception, UsageError)


def test_a_promotion_without_a_login_says_what_to_do(build: Callable[..., Site]) -> None:
    site = build(series=("noble",))
    site.server.add_ppa("maker", "prod")
    until(site, lambda: set(site.states().values()) == {"confirmed"})
    head = ["--config", str(site.file), "--state", str(site.root / "state")]
    words = ["promote", "hello", "1.0", "--from", TARGET, "--to", "ppa:maker/prod"]
    result = CliRunner().invoke(
        group, [*head, *words, "--early", "--untested"], standalone_mode=False
    )
    assert isinstance(result.exception, SetupError)
    assert "toolsync launchpad login" in result.exception.resolution
