"""A release that waits, decided over in the browser: exactly what was shown, by a known person."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import replace

import pytest

from tests.support.served import Site
from toolsync.journal.decisions import Decision
from toolsync.journal.key import Key
from toolsync.model.judgment import Judgment
from toolsync.pipeline.review import MOST
from toolsync.system.store import Store

TOOL, VERSION = "ec2-ami-tools", "1.5.20"
PATH = f"/review/{TOOL}/{VERSION}"
EVIL = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>\x1b[2J\u202egnp.exe"


def judge(site: Site, summary: str, report: str, subject: str = "a" * 64) -> None:
    """Let the license gate say something of the release that the gallery holds."""
    blob = Store(site.folder / "state" / "store").add_bytes(report.encode(), "license.txt")
    said = Judgment(
        stage="license",
        verdict="review",
        summary=summary,
        findings=(),
        subject=subject,
        report=blob,
        before="1.5.19",
    )
    journal = site.journal()
    key = Key(tool=TOOL, version=VERSION, stage="license")
    journal.judgments.keep(key, "inputs", said)
    journal.close()


def decisions(site: Site) -> list[Decision]:
    journal = site.journal()
    found = journal.decisions.of(TOOL)
    journal.close()
    return found


def shown(site: Site) -> str:
    """Return the fingerprint that the form on the page carries."""
    found = re.search(r'name="shown" value="([0-9a-f]{64})"', site.get(PATH).text)
    assert found
    return found[1]


@pytest.fixture
def held(site: Site) -> Site:
    judge(
        site, "the terms of LICENSE.txt changed", "== LICENSE.txt\n… may [-not-] {+never+} be …\n"
    )
    return site


def test_a_release_is_approved_by_who_has_read_it(held: Site) -> None:
    held.log_in("ann")
    assert f'href="{PATH}"' in held.get("/?status=held").text
    page = held.get(PATH).text
    assert "terms of LICENSE.txt changed" in page
    assert "<del>[-not-]</del> <ins>{+never+}</ins>" in page
    form = {"verdict": "approved", "reason": "legal has agreed", "shown": shown(held)}
    assert held.post(PATH, page=PATH, **form).status_code == 303
    (made,) = decisions(held)
    assert (made.verdict, made.who, made.reason) == ("approved", "ann (web)", "legal has agreed")
    journal = held.journal()
    (line,) = (entry for entry in journal.log.of(TOOL) if entry.event == "approved")
    journal.close()
    assert line.message == "by ann (web): legal has agreed"
    after = held.get(PATH)
    assert (after.status_code, "ann (web) has approved it" in after.text) == (404, True)


@pytest.mark.parametrize("given", ["seen", "", "0" * 64])
def test_what_was_not_shown_is_not_decided(held: Site, given: str) -> None:
    held.log_in()
    fit = shown(held)
    judge(held, "and changed once more", "other words", subject="b" * 64)
    form = {"verdict": "approved", "reason": "fine", "shown": fit if given == "seen" else given}
    answer = held.post(PATH, page=PATH, **form)
    assert (answer.status_code, "nothing was decided" in answer.text) == (409, True)
    assert f'<a href="{PATH}">Look at the release again</a>' in answer.text
    assert decisions(held) == []
    again = held.post(PATH, page=PATH, verdict="rejected", reason="no", shown=shown(held))
    assert (again.status_code, decisions(held)[0].verdict) == (303, "rejected")


def test_what_was_decided_in_part_is_told(held: Site) -> None:
    held.log_in()
    journal = held.journal()
    (said,) = journal.judgments.of_release(TOOL, VERSION)
    key, other = replace(said.key, stage="binding"), replace(said.judgment, stage="binding")
    journal.judgments.keep(key, "inputs", replace(other, verdict="contradicted"))
    journal.decisions.add(key, other, verdict="approved", who="joe", reason="theirs is odd")
    journal.close()
    page = held.get(PATH).text
    assert "joe has approved what the gate binding said" in page
    assert "theirs is odd" in page
    held.post(PATH, page=PATH, verdict="rejected", reason="no", shown=shown(held))
    told = [(made.stage, made.verdict, made.who) for made in decisions(held)[1:]]
    assert sorted(told) == [(n, "rejected", "ann (web)") for n in ("binding", "license")]


def test_the_second_of_two_reviewers_is_refused(held: Site) -> None:
    held.log_in()
    form = {"verdict": "approved", "reason": "fine", "shown": shown(held)}
    token = re.search(r'name="csrf" value="([^"]+)"', held.get(PATH).text)
    assert token
    for verdict, status in (("approved", 303), ("rejected", 409)):
        sent = form | {"csrf": token[1], "verdict": verdict}
        assert held.browser.post(PATH, data=sent).status_code == status
    assert [made.verdict for made in decisions(held)] == ["approved"]


def test_who_may_not_and_what_makes_no_sense_decides_nothing(held: Site) -> None:
    fit = {"verdict": "approved", "reason": "fine"}
    held.log_in("joe", "reader")
    page = held.get(PATH).text
    assert ("LICENSE.txt changed" in page, "Approve" in page) == (True, False)
    assert held.post(PATH, page="/", **fit).status_code == 403
    held.log_in("ann", "reviewer")
    fit["shown"] = shown(held)
    assert held.browser.post(PATH, data=fit).status_code == 403  # without the form's token
    assert held.browser.post(PATH, data=fit | {"csrf": "x"}).status_code == 403
    for wrong in ({"reason": " "}, {"reason": "x" * (MOST + 1)}, {"verdict": "ignored"}):
        answer = held.post(PATH, page=PATH, **fit | wrong)
        assert answer.status_code == 400, wrong
    assert held.get(f"/review/{TOOL}/9").status_code == 404
    assert held.get("/review/nothing/1").status_code == 404
    assert decisions(held) == []


def test_a_journal_that_another_writes_decides_nothing(held: Site) -> None:
    held.log_in()
    held.get("/")
    form = {"verdict": "approved", "reason": "fine", "shown": shown(held)}
    with sqlite3.connect(held.folder / "state" / "journal.sqlite") as other:
        other.execute("BEGIN IMMEDIATE")
        answer = held.post(PATH, page=PATH, **form)
        other.rollback()
    other.close()
    assert (answer.status_code, "nothing was decided" in answer.text) == (503, True)
    assert int(answer.headers["Retry-After"]) > 0
    assert decisions(held) == []
    assert held.post(PATH, page=PATH, **form).status_code == 303


def test_hostile_texts_are_shown_and_do_nothing(site: Site) -> None:
    judge(site, EVIL + "m" * 300_000, f"{{+{EVIL}+}} {EVIL}" + "{+[-" * 200_000)
    site.log_in()
    page = site.get(PATH).text
    assert len(page) < 3_000_000
    assert "&lt;script&gt;alert(1)" in page
    assert "<ins>{+&lt;script&gt;" in page
    assert not re.search(r"<img|<script>|\x1b|\u202e", page)
    answer = site.post(PATH, page=PATH, verdict="approved", reason=EVIL, shown=shown(site))
    assert (answer.status_code, decisions(site)) == (400, [])
    reason = "<b>x</b>" * 200
    site.post(PATH, page=PATH, verdict="rejected", reason=reason, shown=shown(site))
    assert (decisions(site)[0].reason, "<b>x" in site.get(PATH).text) == (reason, False)


def test_an_approval_is_taken_back_until_it_is_published(held: Site) -> None:
    held.log_in()
    form = {"verdict": "approved", "reason": "legal has agreed", "shown": shown(held)}
    assert held.post(PATH, page=PATH, **form).status_code == 303
    page = held.get(f"/tool/{TOOL}").text
    assert "Take it back" in page
    assert "Waiting for a person" not in page
    assert "was approved by ann (web)" in page
    (told,) = json.loads(held.get(f"/api/v1/tools/{TOOL}").text)["approved"]
    assert (told["version"], told["who"]) == (VERSION, "ann (web)")
    form = {"verdict": "rejected", "reason": "they have not", "shown": "0" * 64}
    assert held.post(PATH, page=f"/tool/{TOOL}", **form).status_code == 409
    form["shown"] = told["shown"]
    assert held.post(PATH, page=f"/tool/{TOOL}", **form).status_code == 303
    assert [d.verdict for d in decisions(held)] == ["approved", "rejected"]
    assert "Take it back" not in held.get(f"/tool/{TOOL}").text
    assert json.loads(held.get(f"/api/v1/tools/{TOOL}").text)["approved"] == []
