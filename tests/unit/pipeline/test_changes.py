"""What differs between a held release and the last one that passed, for page and terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.archives import Item, tar
from tests.support.gallery import Story
from tests.support.served import Site
from toolsync.archives.differ import TreeDiff
from toolsync.cli.differences import lines
from toolsync.journal.key import Key
from toolsync.license.sidebyside import Row, Shown
from toolsync.license.terms import LicenseText, Terms, to_json
from toolsync.model.judgment import Judgment
from toolsync.model.release import Blob, dump
from toolsync.pipeline.changes import Changes, changes_of, is_known, steps_of
from toolsync.pipeline.context import Context, opened
from toolsync.setup.tools import load_tools

EVIL = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>\x1b[2J\u202egnp.exe"
LICENSE = "You may use it.\r\n" + "Whatever else you want to know of it, ask us first.\n" * 30
OLD = {"LICENSE": LICENSE, "src/main.c": "int main;\n", "src/old.c": "old\n"}
NEW = {
    "LICENSE": LICENSE.replace("may use", "may never use"),
    "src/main.c": f"int main;\n{EVIL}\n",
    "src/many.c": "".join(f"line {n}\n" for n in range(900)),
}
STORY = Story(
    name="hello",
    summary="says hello",
    versions=["1.0", "1.1"],
    lags=[3],
    held="the terms changed in LICENSE",
    diff="x",
)


def packed(top: str, files: Mapping[str, str]) -> bytes:
    return tar([Item(name=f"{top}/{name}", data=text.encode()) for name, text in files.items()])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a set-up with a held release whose tarballs are in the store."""
    site = Site(tmp_path, [STORY])
    with opening(site) as context:
        for version, files in (("1.0", OLD), ("1.1", NEW)):
            orig = context.store.add_bytes(packed(f"hello-{version}", files), "hello.orig.tar")
            data = {"orig": dump(orig), "components": []}
            keep(context, version, "unpack", data)
            judge(context, version, files["LICENSE"])
        debian = packed("debian", {"control": "Source: hello\n\nPackage: hello2\n"})
        blob = context.store.add_bytes(debian, "hello_1.0-1.debian.tar.xz")
        keep(context, "1.0", "package", {"files": [dump(blob)]}, "bookworm/1")
    return site


@contextmanager
def opening(site: Site) -> Iterator[Context]:
    with opened(
        site.load(),
        tell=lambda _: None,
        progress=lambda _: lambda *_: None,
        clock=site.shared.clock,
    ) as context:
        yield context


def keep(
    context: Context, version: str, stage: str, data: Mapping[str, object], scope: str = ""
) -> None:
    key = Key(tool="hello", version=version, stage=stage, scope=scope)
    context.journal.results.record(key, inputs="", outcome="done", started="", data=data)


def judge(context: Context, version: str, text: str) -> None:
    main = LicenseText(path="LICENSE", file="LICENSE", fingerprint=text[:12], words=text)
    said = Judgment(
        stage="license",
        verdict="review" if version == "1.1" else "silent",
        summary="the terms changed in LICENSE",
        findings=(),
        subject=version * 20,
        kept=context.store.add_bytes(to_json(Terms(mains=(main,))), "terms.json"),
        before="1.0",
    )
    key = Key(tool="hello", version=version, stage="license")
    context.journal.judgments.keep(key, "inputs", said)


def test_source_packaging_and_terms_are_compared_once(site: Site) -> None:
    (tool,), _ = load_tools(site.load())
    with opening(site) as context:
        assert not is_known(context, tool, "1.1")
        found = changes_of(context, tool, "1.1")
        assert found.before == "1.0"
        assert [(c.path, c.how) for c in found.source.changes] == [
            ("LICENSE", "changed"),
            ("src/main.c", "changed"),
            ("src/many.c", "added"),
            ("src/old.c", "removed"),
        ]
        (packaging,) = found.packaging.changes
        assert packaging.hunks.endswith("-Package: hello2\n+Package: hello1")
        (text,) = found.texts
        assert [p.text for p in text.pieces if p.kind == "come"] == ["never "]
        assert is_known(context, tool, "1.1")
        assert changes_of(context, tool, "1.1") == found
        assert list(context.workshop.root.iterdir()) == []
        first = changes_of(context, tool, "1.0")
        assert "nothing earlier" in first.source.told


def test_a_terminal_has_the_same(site: Site) -> None:
    (tool,), _ = load_tools(site.load())
    with opening(site) as context:
        told = list(lines(changes_of(context, tool, "1.1"), width=80))
    text = "\n".join(told)
    assert "You may {+never +}use it." in text
    assert "source: 4 files differ from 1.0, +902 and -2 lines; 0 are as they were" in text
    assert "  removed  src/old.c  +0 -1" in text
    assert "  +line 899" in told
    assert "packaging: 1 file differs from 1.0" in text


def test_much_changed_terms_stand_beside_each_other() -> None:
    rows = (Row(old="Do as you like. " * 9, new="Never do anything.", same=False),)
    shown = Shown(file="LICENSE", was="LICENSE", rows=rows)
    nothing = TreeDiff(told="nothing")
    found = Changes(before="1", source=nothing, packaging=nothing, texts=(shown,))
    told = list(lines(found, width=80))
    assert told[2].startswith("≠ Do as you like. Do as you like.")
    assert told[2].endswith("│ Never do anything.")
    assert all(len(line) <= 80 for line in told)


def test_the_page_shows_them_and_a_large_file_when_it_is_asked_for(site: Site) -> None:
    site.log_in(role="reader")
    path = "/review/hello/1.1"
    page = site.get(path).text
    for told in ("+904", '<h3 class="mono">src/</h3>', "Package: hello2", "may <ins>never </ins>"):
        assert told.replace("+904", "+902") in page, told
    assert "line 899" not in page
    found = re.search(r'href="(/review/hello/1.1/source\?path=src(?:/|%2F)many.c)"', page)
    assert found
    assert "+line 899" in site.get(found[1]).text
    assert site.get(f"{path}/source?path=nothing").status_code == 404
    assert site.get(f"{path}/elsewhere?path=LICENSE").status_code == 404
    for sign in ("<img", "<script>", "\x1b", "\u202e"):
        assert sign not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_cannot_be_read_is_told_and_the_rest_is_shown(site: Site) -> None:
    with opening(site) as context:
        bad = context.store.add_bytes(packed("../x", {"a": "b"}), "hello.orig.tar")
        keep(context, "1.1", "unpack", {"orig": dump(bad), "components": []})
    site.log_in(role="reader")
    page = site.get("/review/hello/1.1").text
    assert "which leads out of the tree" in page
    assert "Package: hello2" in page


def test_logs_and_findings_of_the_build_are_there(site: Site) -> None:
    with opening(site) as context:
        log = context.store.add_bytes(b"first\n" * 50_000 + EVIL.encode(), "build.log")
        keep(context, "1.1", "license", {})
        keep(context, "1.1", "package", {"files": []}, "bookworm/1")
        context.journal.results.record(
            Key(tool="hello", version="1.1", stage="build", scope="bookworm/1"),
            inputs="",
            outcome="held",
            started="",
            data={"log": {**dump(log), "path": "/x"}},
            message="a test failed",
            kind="PackageFailed",
        )
        steps = steps_of(context, "hello", "1.1")
        assert [(step.stage, step.outcome) for step in steps][-1] == ("build", "held")
        assert isinstance(steps[-1].log, Blob)
