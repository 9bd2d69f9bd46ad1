"""The list of tools, as page and as API: one state, searched, sorted, filtered and paged."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import replace

import pytest

from tests.support.gallery import Story
from tests.support.served import Site
from toolsync.journal.key import Key
from toolsync.maintain.overview import Plan, refresh
from toolsync.pipeline.context import opened
from toolsync.pipeline.outcome import last_standing
from toolsync.setup.tools import load_tools


@pytest.fixture
def read(site: Site) -> Site:
    site.log_in(role="reader")
    return site


def names(site: Site, query: str = "") -> list[str]:
    return re.findall(r'class="t"><a href="[^"]*">([^<]+)<', site.get(f"/{query}").text)


def test_held_comes_first_and_a_query_chooses(read: Site) -> None:
    assert names(read) == ["ec2-ami-tools", "euca2ools", "awscli"]
    assert names(read, "?sort=name") == ["awscli", "ec2-ami-tools", "euca2ools"]
    assert names(read, "?q=machine+images") == ["ec2-ami-tools"]
    assert names(read, "?q=%25") == []
    assert names(read, "?status=held") == ["ec2-ami-tools"]
    assert names(read, "?series=noble") == ["awscli"]
    assert names(read, "?holder=license&area=main") == ["ec2-ami-tools"]
    assert names(read, "?status=waiting") == ["ec2-ami-tools"]
    page = read.get("/").text
    assert "the terms changed in LICENSE.txt" in page
    assert re.search(r'title="2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d UTC">', page)
    for wrong in ("?sort=place", "?status=fine", "?most=0", "?first=-1", "?most=%D9%A3"):
        assert read.get(f"/{wrong}").status_code == 400, wrong


def test_the_api_pages_and_says_what_is_known_already(read: Site) -> None:
    seen, path = [], "/api/v1/tools?most=2&sort=name"
    while path:
        answer = read.get(path)
        found = json.loads(answer.text)
        seen += [tool["tool"] for tool in found["tools"]]
        path = found.get("next", "")
    assert seen == ["awscli", "ec2-ami-tools", "euca2ools"]
    assert found["version"] == 1
    assert found["total"] == 3
    assert found["counts"] == {"held": 1, "unreachable": 1, "new": 1}
    first = read.get("/api/v1/tools")
    again = read.get("/api/v1/tools", If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    wrong = read.get("/api/v1/tools?most=x")
    assert wrong.status_code == 400
    assert wrong.content_type == "application/problem+json"
    assert json.loads(wrong.text)["title"] == "most is 'x'; wanted: a number from 1 to 200"


def test_the_first_request_of_all_waits_for_few(tmp_path_factory: pytest.TempPathFactory) -> None:
    one = Story(name="", summary="x", versions=["1"], lags=[])
    stories = [replace(one, name=f"tool{number:02}") for number in range(45)]
    site = Site(tmp_path_factory.mktemp("many"), stories)
    site.log_in(role="reader")
    page = site.get("/").text
    assert "5 statuses are just being computed anew" in page
    assert "of 40<" in page
    with opened(
        site.load(),
        tell=lambda _: None,
        progress=lambda _: lambda *_: None,
        clock=site.shared.clock,
    ) as context:
        refresh(context, site.shared.plan)
    page = site.get("/").text
    assert "computed anew" not in page
    assert "of 45<" in page


def test_what_others_write_is_seen_by_the_next_request(read: Site) -> None:
    def status() -> tuple[str, str]:
        (tool,) = json.loads(read.get("/api/v1/tools?q=ec2-ami").text)["tools"]
        return tool["status"], tool["since"]

    before = status()
    journal = read.journal()
    key = Key(tool="ec2-ami-tools", version="1.5.20", stage="license")
    journal.results.record(key, inputs="", outcome="done", started="")
    at = journal.log.of("ec2-ami-tools")[-1].at
    journal.close()
    assert (before[0], status()) == ("held", ("new", at))


def test_every_row_is_what_the_command_line_computes(site: Site) -> None:
    config = site.load()
    tools, _ = load_tools(config)
    with opened(
        config, tell=lambda _: None, progress=lambda _: lambda *_: None, clock=site.shared.clock
    ) as context:
        refresh(context, Plan())
        for tool in tools:
            outcome, state = last_standing(context, tool), context.journal.states.get(tool.name)
            assert outcome is not None
            assert state is not None
            for name in ("status", "message", "resolution", "exit_status"):
                assert getattr(state, name) == getattr(outcome, name)
            assert (state.current or None) == outcome.current
            assert (state.newest or None) == outcome.newest
        assert context.journal.states.stale() == {}


def test_a_tool_that_is_changed_new_or_gone(read: Site) -> None:
    assert len(names(read)) == 3
    file = read.folder / "tools" / "awscli" / "tool.toml"
    file.write_text(file.read_text().replace("version 1", "version one"))
    (read.folder / "tools" / "euca2ools" / "tool.toml").write_text("nonsense")
    settings = read.folder / "toolsync.toml"
    settings.write_text(settings.read_text().replace('"ec2-ami-tools", ', ""))
    with opened(
        read.load(),
        tell=lambda _: None,
        progress=lambda _: lambda *_: None,
        clock=read.shared.clock,
    ) as context:
        refresh(context, read.shared.plan)
    assert names(read) == ["euca2ools", "awscli"]
    assert "version one" in read.get("/").text
    assert names(read, "?status=error") == ["euca2ools"]


def test_a_journal_that_others_write_is_read_all_the_same(read: Site) -> None:
    read.get("/")
    journal = read.journal()
    journal.log.add(Key(tool="awscli", version="", stage=""), "x", "y")
    journal.statuses.database.write("INSERT INTO stale (tool, at) VALUES ('awscli', '')")
    journal.close()
    read.shared.plan.read(read.load())
    with sqlite3.connect(read.folder / "state" / "journal.sqlite") as other:
        other.execute("BEGIN IMMEDIATE")
        assert "1 statuses are just being computed" in read.get("/").text
        other.rollback()
    other.close()
    assert "just being computed" not in read.get("/").text


def test_hostile_texts_are_shown_and_do_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    evil = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>\x1b[2J\u202egnp.exe\x00"
    story = Story(
        name="evil",
        summary="plain",
        versions=["1", "2"],
        lags=[3],
        held=evil + "m" * 1_000_000,
        diff=evil,
    )
    site = Site(tmp_path_factory.mktemp("evil"), [story])
    file = site.folder / "tools" / "evil" / "tool.toml"
    file.write_text(file.read_text().replace('"plain"', json.dumps(evil.replace("\x00", ""))))
    site.log_in(role="reader")
    for path in ("/", "/api/v1/tools", "/?q=%3Cscript%3E%E2%80%AE"):
        text = site.get(path).text
        assert "<img" not in text or path.startswith("/api"), path
        assert "<script>" not in text or path.startswith("/api"), path
        assert not {"\x1b", "\u202e", "\x00"} & set(text), path
    assert len(site.get("/").data) < 20_000
    assert site.get("/api/v1/tools").content_type == "application/json"
