"""What a merge request says: nothing of upstream's in it may act."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.tiny_packages import Context
from toolsync.git.text import request_text, request_title, text_digest
from toolsync.model.judgment import Judgment
from toolsync.model.values import Finding

EVIL = "``` @all\n/merge\n<img src=x> [link](http://e) \u202e#1"


def test_what_upstream_wrote_is_one_code_span_a_line(tmp_path: Path) -> None:
    source = Context(tmp_path).source()
    finding = Finding(stage="license", code="x", severity="risky", message=EVIL)
    said = Judgment(
        stage="license", verdict="review", summary=EVIL, findings=(finding,) * 70, subject="0" * 64
    )
    text, whole = request_text(source, (replace(said, verdict="silent"), said), "local")
    assert whole
    assert request_title(source) == f"{source.name} {source.version}"
    lines = text.splitlines()
    assert not [line for line in lines if line.startswith("/")]
    evil = [line for line in lines if "@all" in line]
    assert len(evil) == 71 + 61
    for line in evil:
        before, span, rest = line.split("`")
        assert ("@all" in span, rest) == (True, "")
        assert before in ("", "- risky: ")
    assert text.count("- and 10 more") == 1
    assert text.isprintable() or text.replace("\n", "").isprintable()
    assert "### license: review, **waits for a person**" in lines
    held, passing = (
        lines.index(f"### license: {word}")
        for word in ("review, **waits for a person**", "silent, passes")
    )
    assert held < passing


def _held(count: int, message: str = "a change of the surface") -> Judgment:
    found = [
        Finding(stage="compat", code="x", severity=severity, message=f"{place} {message}")
        for place, severity in enumerate((*("info",) * count, "breaking"))
    ]
    return Judgment(
        stage="compat",
        verdict="breaking",
        summary="it breaks",
        findings=tuple(found),
        subject="0" * 64,
    )


def test_the_gravest_stands_first(tmp_path: Path) -> None:
    text, _ = request_text(Context(tmp_path).source(), (_held(3),), "local")
    found = [line for line in text.splitlines() if "a change of the surface" in line]
    assert found[0] == "- breaking: `3 a change of the surface`"


@pytest.mark.parametrize(
    "said", [_held(5000), _held(1, "x" * 5000), replace(_held(1), summary="x" * 5000)]
)
def test_what_waits_and_does_not_fit_is_approved_by_no_merge(
    tmp_path: Path, said: Judgment
) -> None:
    text, whole = request_text(Context(tmp_path).source(), (_held(400), said), "local")
    assert not whole
    assert len(text) <= 60_000
    assert "to merge this approves none of it" in text
    assert " --reason TEXT`. To merge this" in text
    assert "`toolsync approve " in text


def test_a_text_is_the_same_however_its_lines_end() -> None:
    assert text_digest("a\n\nb\n") == text_digest("a\r\n\r\nb")
    assert text_digest("a\nb\n") != text_digest("a\nc\n")
