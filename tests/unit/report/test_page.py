"""The static site: what a reader finds, what outsiders cannot put there, what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, html

from tests.servers.web import Web
from tests.service.test_run import only
from tests.support.gallery import STORIES, Story, archive
from tests.support.rig import Rig
from toolsync.config.definition import Tool
from toolsync.journal.key import Key
from toolsync.model.errors import SetupError
from toolsync.model.judgment import Judgment
from toolsync.pipeline.context import Context
from toolsync.pipeline.status import faulty
from toolsync.report.chart import Point, small
from toolsync.report.page import render, templates
from toolsync.report.site import gather, write_site

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\u202e{{7*7}}'


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Context, list[Tool], Path]]:
    folder = tmp_path_factory.mktemp("gallery")
    with archive(folder) as (context, tools):
        broken = faulty("broken", SetupError("tool.toml: 1 fault"))
        write_site(context, tools, [broken], folder / "page")
        yield context, tools, folder / "page"


@pytest.fixture
def page(shown: tuple[Context, list[Tool], Path]) -> Path:
    return shown[2]


def tree(path: Path) -> Any:
    return html.fromstring(path.read_bytes())


def words(element: Any) -> str:
    return " ".join(element.text_content().split())


def row(page: Path, name: str) -> str:
    found = tree(page / "index.html").xpath(f'//tr[th/a[text()="{name}"]]')
    assert len(found) == 1
    return words(found[0])


def why(page: Path, name: str) -> str:
    """Return what stands below a tool's row."""
    below = f'//tr[th/a[text()="{name}"]]/following-sibling::tr[1][@class="why"]'
    (found,) = tree(page / "index.html").xpath(below)
    return words(found)


def test_every_tool_has_upstream_archive_and_ppa_versions_and_a_sentence(page: Path) -> None:
    told = row(page, "awscli")
    assert "1.46.23 bookworm, trixie" in told
    assert "1.46.23 noble · ppa:cloud/tools" in told
    assert "2 h" in told
    assert "1.5.20 waits for a person" in why(page, "ec2-ami-tools")
    assert "503 Service Unavailable" in why(page, "euca2ools")
    heads = [words(th) for th in tree(page / "index.html").xpath("//table[1]/thead//th")]
    assert heads == ["Status", "Tool", "Newest", "Published", "Lag", "Last look"]
    statuses = tree(page / "index.html").xpath('//tbody//td[@class="s"]')
    assert [words(s) for s in statuses] == ["held", "error", "unreachable", "up-to-date"]
    assert "1 fault" in words(tree(page / "tools" / "broken.html"))


def test_what_a_gate_holds_stands_there_with_its_diff(page: Path) -> None:
    found = tree(page / "tools" / "ec2-ami-tools.html")
    (diff,) = found.xpath('//section[@aria-labelledby="waits"]//pre')
    assert '+"Amazon Software License, with one more clause"' in diff.text
    assert "toolsync approve ec2-ami-tools 1.5.20" in words(found)


def test_a_gates_report_and_signed_evidence_stand_there(tmp_path: Path) -> None:
    with archive(tmp_path, STORIES[1:2]) as (context, tools):
        report = context.store.add_bytes(b"[-old clause-]{+new clause+}", "report.txt")
        judgment = Judgment(
            stage="license", verdict="review", summary="s", findings=(), subject="0", report=report
        )
        key = Key(tool="ec2-ami-tools", version="1.5.20", stage="license")
        context.journal.judgments.keep(key, "", judgment)
        envelope = context.store.add_bytes(b'{"payload": ""}', "e.intoto.json")
        context.journal.evidence.keep("ec2-ami-tools", "1.5.19", envelope, "0")
        write_site(context, tools, [], tmp_path / "page")
    found = tree(tmp_path / "page" / "tools" / "ec2-ami-tools.html")
    (diff,) = found.xpath('//section[@aria-labelledby="waits"]//pre')
    assert diff.text == "[-old clause-]{+new clause+}"
    (link,) = found.xpath('//a[starts-with(@href, "../evidence/")]/@href')
    assert (tmp_path / "page" / "tools" / link).read_bytes() == b'{"payload": ""}'


def test_the_lag_is_a_chart_and_a_table(page: Path) -> None:
    found = tree(page / "tools" / "awscli.html")
    (chart,) = found.xpath("//*[local-name()='svg']")
    assert chart.get("role") == "img"
    assert "2 h in the middle, 2 h for 1.46.23" in chart.get("aria-label")
    assert len(chart.xpath(".//*[local-name()='rect']")) == 24
    lags = [words(cell) for cell in found.xpath('//section[@aria-labelledby="lag"]//tbody/tr[9]/*')]
    assert (lags[0], lags[2]) == ("1.46.15", "7 days 22 h")


def test_evidence_is_there_for_people_and_for_programs(page: Path) -> None:
    told = words(tree(page / "tools" / "euca2ools.html"))
    assert "3.4.2: confirmed" in told
    assert "statement: verify of 3.4.2 is proved" in told
    records = json.loads((page / "tools" / "euca2ools.json").read_text())
    assert [record["version"] for record in records] == ["3.4.2", "3.4.1"]


def test_it_tells_how_to_install_and_carries_the_key(page: Path) -> None:
    found = tree(page / "index.html")
    (source, commands) = found.xpath('//div[@class="copy"]/pre')
    assert source.text.startswith("Types: deb deb-src\nURIs: https://archive.example/")
    assert (page / "toolsync-bookworm.sources").read_text().strip() == source.text.strip()
    assert "apt-get install awscli1/bookworm" in commands.text
    assert "BEGIN PGP PUBLIC KEY BLOCK" in (page / "key.asc").read_text()
    (fingerprint,) = found.xpath('//code[@class="fingerprint"]')
    assert len(fingerprint.text) == 40


def test_every_link_inside_leads_somewhere_and_none_outside_is_needed(page: Path) -> None:
    for path in page.rglob("*.html"):
        found = tree(path)
        for place in found.xpath("//link/@href | //script/@src | //img/@src | //a/@href"):
            if place.startswith(("data:,", "#", "https://vendor.example/")):
                continue
            assert (path.parent / place).resolve().is_file(), f"{path}: {place}"
        assert not found.xpath("//script[not(@src)] | //@onclick | //@style")
        ids = found.xpath("//@id")
        assert len(ids) == len(set(ids))


def test_the_feed_is_beside_it(page: Path) -> None:
    root = etree.parse(page / "feed.xml").getroot()
    titles = root.xpath("//a:entry/a:title/text()", namespaces={"a": "http://www.w3.org/2005/Atom"})
    assert "awscli 1.46.23 for noble" in titles


def test_nothing_from_outside_is_markup(tmp_path: Path) -> None:
    evil = Story(
        name="hello", summary=EVIL, versions=["1.0", "1.1" + EVIL], lags=[2], held=EVIL, diff=EVIL
    )
    with archive(tmp_path, [evil]) as (context, tools):
        bad = replace(tools[0], homepage="javascript:alert(1)")
        files = dict(render(gather(context, [bad])))
        write_site(context, [bad], [], tmp_path / "page")
    for name, content in files.items():
        if name.endswith(".html"):
            found = html.fromstring(content)
            assert [s.get("src", "")[-7:] for s in found.xpath("//script")] == ["page.js"]
            assert not found.xpath("//img | //@onerror | //a[starts-with(@href, 'java')]")
            assert b"\x1b" not in content
            assert "\u202e".encode() not in content
            assert b"{{7*7}}" in content  # shown, not computed
    etree.parse(tmp_path / "page" / "feed.xml")


def test_files_of_tools_that_are_gone_go_and_those_of_others_stay(tmp_path: Path) -> None:
    with archive(tmp_path, STORIES[1:]) as (context, tools):
        folder = tmp_path / "page"
        first = write_site(context, tools, [], folder)
        assert "tools/euca2ools.html" in first
        (folder / "tools" / "notes.html").write_text("mine")
        write_site(context, tools[:1], [], folder)
        assert not (folder / "tools" / "euca2ools.html").exists()
        assert (folder / "tools" / "notes.html").read_text() == "mine"
        assert (folder / "tools" / "ec2-ami-tools.html").exists()


def test_several_processes_write_what_one_writes(tmp_path: Path) -> None:
    with archive(tmp_path, STORIES) as (context, tools):
        names = write_site(context, tools, [], tmp_path / "one")
        assert write_site(context, tools, [], tmp_path / "three", processes=3) == names
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "three" / name).read_bytes()


def test_somebody_elses_page_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("mine")
    with (
        archive(tmp_path, STORIES[1:2]) as (context, tools),
        pytest.raises(SetupError, match="did not write"),
    ):
        write_site(context, tools, [], tmp_path / "page")
    assert (tmp_path / "page" / "index.html").read_text() == "mine"


def test_the_command_writes_it_before_anything_was_published(rig: Rig, web: Web) -> None:
    only(rig, web)
    told = rig.json("page", "--output", rig.root / "out")
    assert told["index"] == str(rig.root / "out" / "index.html")
    assert "hello has never been looked at" in (rig.root / "out" / "index.html").read_text()
    assert "Nothing is published yet" in (rig.root / "out" / "index.html").read_text()


def test_a_run_writes_it_where_it_is_set_up(rig: Rig, web: Web) -> None:
    only(rig, web)
    rig.configure(f'[http]\nretries = 0\n[report.page]\npath = "{rig.root}/site"\n')
    rig.run("run", status=4)
    assert "unreachable" in (rig.root / "site" / "tools" / "hello.html").read_text()


def test_a_chart_of_nothing_and_of_the_absurd_is_drawn() -> None:
    for points in (
        [],
        [Point(version="<&", at="", seconds=0.0)],
        [Point(version="1", at="2026-01-01", seconds=10.0**12)] * 60,
    ):
        for drawn in ("small(trend(points))", "large(history(points))"):
            head = '{% from "chart.html.j2" import small, large %}'
            page = templates().from_string(head + "{{ " + drawn + " }}")
            etree.fromstring(page.render(points=points, trend=small))
