"""A file that was replaced is noticed whatever kind of page names it, and nothing else is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.web import Answer, Asked, Web
from tests.support.clock import DrivenClock
from tests.support.watching import tool_with
from toolsync.config.definition import Tool, Verify
from toolsync.config.settings import Config
from toolsync.model.release import Outcome, dump
from toolsync.pipeline.context import Context, opened
from toolsync.pipeline.road import fetched, verified
from toolsync.pipeline.survey import check, look_at_all
from toolsync.pipeline.work import work_on
from toolsync.verify.methods import METHODS
from toolsync.watch.look import Sighting

OLD, NEW = b"first bytes", b"other bytes, more of them"
DATE = "Wed, 18 Nov 2020 10:00:00 GMT"
PATTERN = r"t-(?P<version>[\d.]+)\.tar\.gz"


class Upstream:
    """A project of which version 1.0, and all before, lie on one server."""

    def __init__(self, context: Context, web: Web, tool: Tool) -> None:
        self.context, self.web, self.tool = context, web, tool

    def accept(self) -> None:
        """Take the newest release as far as its bytes are pinned."""
        (found,) = look_at_all(self.context, [self.tool], 4)
        assert isinstance(found, Sighting), found
        release, journal = found.newest, self.context.journal
        journal.releases.see(self.tool.name, release.version, dump(release))
        work = work_on(self.context, self.tool, release)
        self.context.memory.accept(verified(work, fetched(work, release)))

    def check(self) -> Outcome:
        (outcome,) = check(self.context, [self.tool], 4)
        return outcome


@contextmanager
def upstream(
    state: Path, web: Web, watch: dict[str, str], verify: Verify | None = None
) -> Iterator[Upstream]:
    config = Config(
        file=state / "toolsync.toml", state=state, tool_folders=(), timeout=5, retries=0, jobs=4
    )
    pins = {f"{n}.{m}": hashlib.sha256(OLD).hexdigest() for n in range(3) for m in range(3)}
    policy = verify or Verify(method="pins", pins=pins, record=METHODS["pins"])
    policed = replace(tool_with(**{"url": web.url + "/dl/", **watch}), verify=policy)
    with opened(
        config,
        tell=lambda event: None,
        progress=lambda name: lambda done, total: None,
        clock=DrivenClock(),
    ) as context:
        yield Upstream(context, web, policed)


def serve_html(web: Web) -> dict[str, str]:
    web.serve("/dl/", '<a href="t-1.0.tar.gz">1.0</a>')
    return {"kind": "html", "pattern": PATTERN}


def serve_index(web: Web) -> dict[str, str]:
    file = {"filename": "t-1.0.tar.gz", "url": web.url + "/dl/t-1.0.tar.gz", "hashes": {}}
    page = {"meta": {"api-version": "1.0"}, "name": "t", "files": [file]}
    web.serve("/simple/t/", json.dumps(page), type="application/vnd.pypi.simple.v1+json")
    return {"kind": "index", "project": "t", "url": web.url + "/simple/"}


def serve_s3(web: Web) -> dict[str, str]:
    key = "<Contents><Key>t-1.0.tar.gz</Key><Size>11</Size></Contents>"
    listing = f"<ListBucketResult><IsTruncated>false</IsTruncated>{key}</ListBucketResult>"
    web.serve("/dl/", listing, type="application/xml")
    return {"kind": "s3", "pattern": PATTERN}


def serve_github(web: Web) -> dict[str, str]:
    entry = "<entry><id>tag:github.com,2008:Repository/1/v1.0</id><title>v1.0</title></entry>"
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>'
    web.serve("/o/t/tags.atom", feed, type="application/atom+xml")
    return {
        "kind": "github",
        "url": web.url + "/o/t",
        "pattern": r"v(?P<version>[\d.]+)",
        "file_url": web.url + "/dl/t-{version}.tar.gz",
    }


def serve_json(web: Web) -> dict[str, str]:
    web.serve("/dl/", '{"all": ["1.0"]}', type="application/json")
    return {"kind": "json", "path": "all[]", "file_url": web.url + "/dl/t-{version}.tar.gz"}


def serve_text(web: Web) -> dict[str, str]:
    web.serve("/dl/", "version 1.0\n", type="text/plain")
    return {
        "kind": "text",
        "pattern": r"version (?P<version>[\d.]+)",
        "file_url": web.url + "/dl/t-{version}.tar.gz",
    }


KINDS = [serve_html, serve_index, serve_s3, serve_github, serve_json, serve_text]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__.removeprefix("serve_"))
def test_other_bytes_are_noticed_by_every_kind(
    kind: Callable[[Web], dict[str, str]], tmp_path: Path, web: Web
) -> None:
    watch, file = kind(web), "/dl/t-1.0.tar.gz"
    web.serve(file, OLD, etag='"old"', last_modified=DATE)
    with upstream(tmp_path, web, watch) as project:
        project.accept()
        assert project.check().status == "new"
        assert web.requests(file)[-1].headers["if-none-match"] == '"old"'
        web.serve(file, NEW, etag='"new"', last_modified=DATE)
        seen = project.check()
        assert (seen.status, seen.exit_status) == ("replaced", 3)
        assert f"now gives {hashlib.sha256(NEW).hexdigest()}" in seen.message
        assert project.check().message == seen.message  # told once: the same words
        web.serve(file, OLD, etag='"old"', last_modified=DATE)
        assert project.check().status == "new"


@pytest.mark.parametrize(
    "told",
    [
        {"last_modified": "Thu, 19 Nov 2020 10:00:00 GMT"},
        {"etag": 'W/"1"'},
        {},
        {"etag": '"2"', "conditional": False},
    ],
    ids=["date", "weak", "nothing", "unconditional"],
)
def test_whatever_the_server_says_of_its_files(
    told: dict[str, object], tmp_path: Path, web: Web
) -> None:
    file = "/dl/t-1.0.tar.gz"
    with upstream(tmp_path, web, serve_html(web)) as project:
        etag = str(told.get("etag", "")).replace("2", "1")
        web.serve(file, OLD, etag=etag, last_modified=DATE)
        project.accept()
        assert project.check().status == "new"
        web.serve(file, OLD[::-1], **told)  # type: ignore[arg-type]
        assert project.check().status == "replaced"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=304),
        Answer(OLD[:4], 206, {"Content-Range": "bytes 0-3/11"}),
        Answer("no programs here", 403),
        Answer("gone", 404),
        Answer("busy", 503),
        Answer("<!DOCTYPE html><p>We have moved", headers={"Content-Type": "text/html"}),
        Answer(NEW, cut=5),
    ],
    ids=["unchanged", "part", "forbidden", "absent", "busy", "page", "cut"],
)
def test_a_server_that_gives_no_other_bytes_is_no_alarm(
    answer: Answer, tmp_path: Path, web: Web
) -> None:
    file = "/dl/t-1.0.tar.gz"

    def no_head(asked: Asked) -> Answer:
        return answer if asked.method == "GET" else Answer(status=405)

    with upstream(tmp_path, web, serve_html(web)) as project:
        web.serve(file, OLD, etag='"1"')
        project.accept()
        web.serve_by(file, no_head)
        assert project.check().status == "new"
        web.serve(file, NEW, etag='"1"')  # which says that nothing changed, and is believed
        assert project.check().status == "new"


def test_the_same_bytes_are_asked_for_and_not_read(tmp_path: Path, web: Web) -> None:
    file = "/dl/t-1.0.tar.gz"
    with upstream(tmp_path, web, serve_html(web)) as project:
        web.serve(file, OLD, etag='"1"')
        project.accept()
        web.serve(file, OLD, etag='"1"', conditional=False, trickle=0.5)
        project.check()
        web.serve(file, OLD, etag='"2"')
        assert project.check().status == "new"
        asked = web.requests(file)
        assert [a.headers.get("if-none-match") for a in asked] == [None, '"1"', '"1"']
        project.check()
        assert web.requests(file)[-1].headers["if-none-match"] == '"2"'


def test_a_page_that_speaks_of_other_bytes_is_believed_at_once(tmp_path: Path, web: Web) -> None:
    """The file's own server says that nothing changed; the listing gives another size."""
    file = "/dl/t-1.0.tar.gz"
    with upstream(tmp_path, web, serve_s3(web)) as project:
        web.serve(file, OLD, etag='"1"')
        project.accept()
        web.serve(file, NEW, etag='"1"')
        assert project.check().status == "new"
        key = "<Contents><Key>t-1.0.tar.gz</Key><Size>25</Size></Contents>"
        web.serve("/dl/", f"<ListBucketResult>{key}</ListBucketResult>", type="application/xml")
        assert project.check().status == "replaced"


def test_a_list_that_states_another_digest(tmp_path: Path, web: Web) -> None:
    file, old, new = "/dl/t-1.0.tar.gz", hashlib.sha256(OLD), hashlib.sha256(NEW)
    sums = Verify(method="checksums", checksums="{dir}/SUMS", record=METHODS["checksums"])
    with upstream(tmp_path, web, serve_html(web), sums) as project:
        web.serve(file, OLD, etag='"1"')
        web.serve("/dl/SUMS", f"{old.hexdigest()}  t-1.0.tar.gz\n")
        project.accept()
        assert project.check().status == "new"
        web.serve("/dl/SUMS", f"{old.hexdigest()}  t-1.0.tar.gz\n{new.hexdigest()}  t-1.1.tar.gz\n")
        assert project.check().status == "new"  # a list may grow
        web.serve("/dl/SUMS", f"{new.hexdigest()}  t-1.0.tar.gz\n")
        seen = project.check()
        assert seen.status == "replaced"
        assert f"/dl/SUMS now states sha256 {new.hexdigest()}" in seen.message
        web.serve("/dl/SUMS", f"{old.hexdigest()}  t-1.0.tar.gz\n")
        assert project.check().status == "new"
        web.serve(file, NEW, etag='"1"')  # its server denies it, the list does not
        web.serve("/dl/SUMS", f"{new.hexdigest()}  t-1.0.tar.gz\n")
        assert f"now gives {new.hexdigest()}" in project.check().message


def test_old_files_have_their_turn_and_an_ignored_one_is_settled(tmp_path: Path, web: Web) -> None:
    with upstream(tmp_path, web, {"kind": "html", "pattern": PATTERN}) as project:
        links = ""
        for version in ("0.1", "0.2", "1.0"):
            links += f'<a href="t-{version}.tar.gz">x</a>'
            web.serve("/dl/", links)
            web.serve(f"/dl/t-{version}.tar.gz", OLD + version.encode(), etag='"1"')
            pins = {v: hashlib.sha256(OLD + v.encode()).hexdigest() for v in ("0.1", "0.2", "1.0")}
            project.tool = replace(
                project.tool, verify=Verify(method="pins", pins=pins, record=METHODS["pins"])
            )
            project.accept()
        web.serve("/dl/t-0.1.tar.gz", NEW, etag='"2"')
        seen = []
        for _ in range(3):
            project.context.clock.sleep(3600)
            seen.append(project.check())
        assert seen[-1].status == "replaced"
        assert seen[-1].message.startswith("0.1 was accepted")
        assert 'watch.ignore = { "0.1" = "why" }' in seen[-1].resolution
        settled = replace(project.tool.watch, ignore={"0.1": "upstream has signed it anew"})
        project.tool = replace(project.tool, watch=settled)
        assert project.check().status == "new"


def test_an_address_without_a_version_leads_to_the_next_release(tmp_path: Path, web: Web) -> None:
    web.serve("/dl/", "version 1.0\n", type="text/plain")
    watch = {
        "kind": "text",
        "pattern": r"version (?P<version>[\d.]+)",
        "file_url": web.url + "/dl/latest.tar.gz",
    }
    with upstream(tmp_path, web, watch) as project:
        web.serve("/dl/latest.tar.gz", OLD, etag='"1"')
        project.accept()
        web.serve("/dl/latest.tar.gz", NEW, etag='"2"')
        assert project.check().status == "new"


def test_few_requests_of_one_run_and_host(tmp_path: Path, web: Web) -> None:
    with upstream(tmp_path, web, serve_html(web)) as project:
        web.serve("/dl/t-1.0.tar.gz", OLD, etag='"1"')
        tools = [replace(project.tool, name=f"t{n}") for n in range(20)]
        for project.tool in tools:
            project.accept()
        before = len(web.requests("/dl/t-1.0.tar.gz"))
        for _ in range(3):
            project.context.clock.sleep(3600)
            check(project.context, tools, 4)
        assert len(web.requests("/dl/t-1.0.tar.gz")) - before == 3 * 8
        asked = {t.name for t in tools if project.context.journal.origins.of(t.name)}
        assert asked == {t.name for t in tools}  # in turn: none is left out
