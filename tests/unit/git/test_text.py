"""What a merge request says: nothing of upstream's in it may act."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.support.tiny_packages import Context
from toolsync.git.text import request_text, request_title
from toolsync.model.judgment import Judgment
from toolsync.model.values import Finding

EVIL = "``` @all\n/merge\n<img src=x> [link](http://e) \u202e#1"


def test_what_upstream_wrote_is_one_code_span_a_line(tmp_path: Path) -> None:
    source = Context(tmp_path).source()
    finding = Finding(stage="license", code="x", severity="risky", message=EVIL)
    said = Judgment(
        stage="license", verdict="review", summary=EVIL, findings=(finding,) * 70, subject="0" * 64
    )
    text = request_text(source, (said, replace(said, verdict="silent")), "local")
    assert request_title(source) == f"{source.name} {source.version}"
    lines = text.splitlines()
    assert not [line for line in lines if line.startswith("/")]
    evil = [line for line in lines if "@all" in line]
    assert len(evil) == 2 * 61
    for line in evil:
        before, span, rest = line.split("`")
        assert ("@all" in span, rest) == (True, "")
        assert before in ("", "- risky: ")
    assert text.count("- and 10 more") == 2
    assert text.isprintable() or text.replace("\n", "").isprintable()
    assert "### license: review, **waits for a person**" in lines
    assert "### license: silent, passes" in lines
