"""A column of `COLUMNS` stands on the page, in the table of the command line and in its JSON."""

from __future__ import annotations

from pathlib import Path

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.report.columns import COLUMNS, Known, values
from toolsync.report.sentences import plain


def test_before_the_first_look_there_is_nothing_to_tell() -> None:
    told = values(Known(tool="hello", outcome=None, page=None))
    assert told == dict.fromkeys(column.name for column in COLUMNS)


def test_each_column_is_on_the_page_and_in_json(rig: Rig, web: Web, tmp_path: Path) -> None:
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    rig.run("check", "hello")
    (row,) = rig.json("status", "hello")
    head, line, *_ = rig.run("status", "hello").stdout.splitlines()
    rig.run("page", "--output", tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text()
    assert row["looked"]
    for column in COLUMNS:
        assert column.head.upper() in head
        assert (row[column.name] or "-") in line
        assert f">{column.head}</th>" in page
        assert f">{plain(row[column.name] or 'none')}</td>" in page
