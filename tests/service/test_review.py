"""What waits for a person, what people decide, and for what exactly a decision holds."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.released import judged, open_bench, retrying, take
from tests.support.rig import ROOT, Rig, environment
from tests.support.tiny import LICENSE, accepted, archive, publish, write_tool
from toolsync.config.definition import Tool
from toolsync.journal.key import Key
from toolsync.model.errors import Changed, GateClosed, Rejected, UsageError
from toolsync.model.judgment import Judgment
from toolsync.pipeline.context import Context
from toolsync.pipeline.gates import source_cleared
from toolsync.pipeline.outcome import stand
from toolsync.pipeline.review import decide, fingerprint, questions, rejected, waiting
from toolsync.pipeline.survey import look_at_all
from toolsync.pipeline.sync import sync
from toolsync.pipeline.work import work_on
from toolsync.setup.tools import load_tool


@pytest.fixture
def context(rig: Rig) -> Iterator[Context]:
    """Everything that a run works with, in this process."""
    with open_bench(rig) as found:
        yield found


@pytest.fixture
def tool(rig: Rig, web: Web) -> Tool:
    """A tool whose terms and interfaces nobody has looked at yet."""
    publish(web, "1.0")
    return load_tool(closed(write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1")))


def closed(folder: Path) -> Path:
    file = folder / "tool.toml"
    text = file.read_text().replace(accepted(LICENSE), "[license]\n")
    file.write_text(text.replace("probe = false", 'first = "hold"'))
    return folder


def say(context: Context, tool: Tool, verdict: str, version: str = "1.0", *stages: str) -> None:
    decide(
        context.journal,
        tool.name,
        version,
        verdict=verdict,
        who="joe",
        reason="seen and\nunderstood",
        stages=stages,
    )


def held(context: Context, tool: Tool, version: str = "1.0") -> str:
    with pytest.raises(GateClosed) as caught:
        take(context, tool, version)
    return f"{caught.value} {caught.value.resolution}"


def approve_all(context: Context, tool: Tool) -> None:
    """Approve what each gate holds, one after the other."""
    for _ in ("license", "compat"):
        held(context, tool)
        say(context, tool, "approved")


def test_what_one_gate_holds_waits_and_then_what_the_other_does(
    context: Context, tool: Tool
) -> None:
    assert waiting(context.journal, tool) == []
    told = held(context, tool)
    assert "terms that are not known" in told
    assert "toolsync review hello" in told
    (item,) = waiting(context.journal, tool)
    assert [q.judged.key.stage for q in item.questions] == ["license"]
    assert (item.version, item.release["page"]) == ("1.0", tool.watch.url)


def test_what_is_approved_goes_on_and_says_by_whom(context: Context, tool: Tool) -> None:
    approve_all(context, tool)
    assert waiting(context.journal, tool) == []
    cleared = take(context, tool)
    version, *terms = cleared.source.licensed.passed
    assert [finding.code for finding in version.findings] == ["pin", "top-folder"]
    for passed in (*terms, *cleared.passed):
        assert passed.findings[-1].code == "approved"
        assert passed.findings[0].severity == "unknown"
        assert "joe approved 1.0 on 20" in passed.findings[-1].message
        assert passed.findings[-1].message.endswith(": seen and understood")
    assert take(context, tool) == cleared  # remembered, with its judgment


def test_what_is_held_as_before_is_logged_once(context: Context, tool: Tool) -> None:
    held(context, tool)
    held(context, tool)
    entries = [e.event for e in context.journal.log.of("hello") if e.stage == "license"]
    assert entries == ["held"]


def test_one_gate_may_be_decided_alone(context: Context, tool: Tool) -> None:
    held(context, tool)
    say(context, tool, "approved", "1.0", "license")
    assert "commands and interfaces" in held(context, tool)
    (item,) = waiting(context.journal, tool)
    assert [q.judged.key.stage for q in item.questions] == ["compat"]
    say(context, tool, "approved")
    take(context, tool)


def test_another_policy_asks_again(context: Context, tool: Tool) -> None:
    approve_all(context, tool)
    take(context, tool)
    other = replace(tool, license=replace(tool.license, expression="LicenseRef-another"))
    assert "license terms" in held(context, other)
    take(context, tool)  # under the old policy it still goes


def test_other_bytes_ask_again(context: Context, tool: Tool) -> None:
    approve_all(context, tool)
    cleared = take(context, tool)
    blob = context.store.add_bytes(archive("1.0", extra={"more": "x"}), "hello_1.0.orig.tar.gz")
    unpacked = replace(cleared.source.licensed.unpacked, orig=blob)
    work = work_on(context, tool, unpacked.release)
    with pytest.raises(GateClosed):
        source_cleared(work, unpacked)
    say(context, tool, "approved", "1.0", "license")
    licensed = source_cleared(work, unpacked)
    with pytest.raises(GateClosed):
        judged(context, tool, licensed)


def test_a_rejected_release_is_never_offered_again(context: Context, tool: Tool, web: Web) -> None:
    held(context, tool)
    say(context, tool, "rejected")
    assert set(rejected(context.journal, "hello")) == {"1.0"}
    assert waiting(context.journal, tool) == []
    with pytest.raises(Rejected, match=r"rejected by joe on 20.*seen and understood"):
        take(context, tool)
    (found,) = look_at_all(context, [tool], 1)
    outcome = stand(context, tool, found)
    assert (outcome.status, outcome.exit_status) == ("up-to-date", 0)
    assert outcome.rejected == ("1.0",)
    assert "1.0 was rejected by joe" in outcome.message
    publish(web, "1.0", "1.1")
    (found,) = look_at_all(context, [tool], 1)
    assert stand(context, tool, found).status == "new"


def test_where_the_newest_is_rejected_an_older_one_is_taken(
    context: Context, tool: Tool, web: Web
) -> None:
    publish(web, "1.0", "1.1")
    held(context, tool, "1.1")
    say(context, tool, "rejected", "1.1")
    (planned,) = sync(context, [tool], 1, dry_run=True)
    assert "would take 1.0 to local" in planned.message
    (outcome,) = sync(context, [tool], 1, dry_run=False)
    assert outcome.status == "held"  # the older one, at its own gate
    assert "hello 1.0: license terms" in outcome.message
    assert outcome.rejected == ("1.1",)
    other = replace(
        tool,
        license=replace(tool.license, expression="LicenseRef-another"),
        compat=replace(tool.compat, reason="another"),
    )
    (outcome,) = sync(context, [other], 1, dry_run=False)
    assert "hello 1.1: license terms" in outcome.message  # under another policy it asks again
    assert outcome.rejected == ()


def test_what_is_newer_than_a_rejected_one_is_told_of_alone(
    context: Context, tool: Tool, web: Web
) -> None:
    held(context, tool)
    say(context, tool, "rejected")
    publish(web, "1.0", "1.1")
    assert [i.version for i in waiting(context.journal, tool)] == []
    held(context, tool, "1.1")
    (item,) = waiting(context.journal, tool)
    assert item.version == "1.1"


def test_a_rejected_one_in_the_backlog_is_left_out(context: Context, tool: Tool, web: Web) -> None:
    two = replace(tool, watch=replace(tool.watch, backlog=2))
    held(context, two)
    say(context, two, "rejected")
    publish(web, "1.0", "1.1")
    (outcome,) = sync(context, [two], 1, dry_run=False)
    assert outcome.status == "held"
    assert "hello 1.1: license terms" in outcome.message
    assert "rejected" not in outcome.message


def test_only_what_a_sync_would_take_waits(context: Context, tool: Tool, web: Web) -> None:
    publish(web, "1.0", "1.1")
    held(context, tool)
    held(context, tool, "1.1")
    assert [i.version for i in waiting(context.journal, tool)] == ["1.1"]
    two = replace(tool, watch=replace(tool.watch, backlog=2))
    assert [i.version for i in waiting(context.journal, two)] == ["1.0", "1.1"]


def test_a_decision_may_be_replaced_until_it_is_published(context: Context, tool: Tool) -> None:
    held(context, tool)
    say(context, tool, "rejected")
    say(context, tool, "approved")
    held(context, tool)
    say(context, tool, "approved")
    take(context, tool)
    say(context, tool, "rejected")
    with pytest.raises(Rejected):
        take(context, tool)
    assert [d.verdict for d in context.journal.decisions.of("hello")] == [
        "rejected",
        *(["approved"] * 2),
        *(["rejected"] * 2),
    ]
    stages = [
        (e.event, e.message) for e in context.journal.log.of("hello") if e.event == "approved"
    ]
    assert stages == [("approved", "by joe: seen and understood")] * 2


def test_what_was_said_is_remembered_while_nothing_changes(context: Context, tool: Tool) -> None:
    held(context, tool)
    key = Key(tool="hello", version="1.0", stage="license")
    known = context.journal.judgments.get(Key(tool="hello", version="1.0", stage="license"))
    assert known is not None
    marked = replace(known.judgment, summary="as it was remembered")
    context.journal.judgments.keep(key, known.inputs, marked)
    assert "as it was remembered" in held(context, tool)
    assert "terms that are not known" in held(retrying(context), tool)


def test_an_approval_of_terms_carries_to_later_releases_and_says_so(
    context: Context, tool: Tool, web: Web
) -> None:
    publish(web, "1.0", "1.1")
    held(context, tool)
    known = context.journal.judgments.get(Key(tool="hello", version="1.0", stage="license"))
    assert known is not None
    terms = replace(known.judgment, carries=("f" * 64,))
    context.journal.judgments.keep(known.key, known.inputs, terms)
    say(context, tool, "approved")
    held(context, tool)
    say(context, tool, "approved")
    take(context, tool)
    held(context, tool, "1.1")
    later = context.journal.judgments.get(Key(tool="hello", version="1.1", stage="license"))
    assert later is not None
    passing = replace(later.judgment, verdict="silent", carries=("f" * 64,))
    context.journal.judgments.keep(later.key, later.inputs, passing)
    take(context, tool, "1.1")
    result = context.journal.results.get(Key(tool="hello", version="1.1", stage="license"))
    assert result is not None
    assert "joe approved 1.0" in result.data["findings"][-1]["message"]


REFUSALS = [
    ("9.9", "approved", "why", "was never taken"),
    ("1.0", "approved", " \n ", "the reason is empty"),
    ("1.0", "approved", "x" * 2001, "has 2001 characters"),
    ("1.0", "approved", "a\x1b[2Jb", "unprintable"),
    ("1.0", "rejected", "why", "nothing of hello 1.0 waits"),
]


@pytest.mark.parametrize(("version", "verdict", "reason", "sentence"), REFUSALS)
def test_what_cannot_be_decided_is_refused(
    context: Context, rig: Rig, web: Web, version: str, verdict: str, reason: str, sentence: str
) -> None:
    publish(web, "1.0")
    tool = load_tool(write_tool(rig.tools, web.url + "/dl/", "1.0"))
    take(context, tool)
    with pytest.raises(UsageError, match=sentence) as caught:
        decide(context.journal, "hello", version, verdict=verdict, who="joe", reason=reason)
    assert caught.value.resolution
    assert context.journal.decisions.of("hello") == []


def test_what_is_held_elsewhere_is_no_matter_of_approval(
    context: Context, tool: Tool, web: Web
) -> None:
    web.serve("/dl/hello-1.0.tar.gz", archive("6.6"), etag='"2"')
    with pytest.raises(Exception, match="not the pinned file"):
        take(context, tool)
    with pytest.raises(UsageError, match="held at verify, which nobody can approve away"):
        say(context, tool, "approved")


def test_decisions_cannot_be_changed(context: Context, tool: Tool, rig: Rig) -> None:
    import sqlite3

    held(context, tool)
    say(context, tool, "rejected")
    other = sqlite3.connect(rig.state / "journal.sqlite")
    for statement in ("DELETE FROM decision", "UPDATE decision SET verdict = 'approved'"):
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            other.execute(statement)
    other.close()


def test_a_judgment_that_cannot_be_read_was_never_said(context: Context) -> None:
    said = Judgment(stage="license", verdict="review", summary="s", findings=(), subject="0")
    key = Key(tool="t", version="1", stage="license")
    context.journal.judgments.keep(key, "", said)
    assert context.journal.judgments.get(Key(tool="t", version="1", stage="license")) is not None
    context.journal.judgments.keep(key, "", replace(said, findings=("no finding",)))  # type: ignore[arg-type]
    assert context.journal.judgments.get(Key(tool="t", version="1", stage="license")) is None


def account(**env: str) -> str:
    code = "from toolsync.system.account import account; print(account())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment() | env,
        cwd=ROOT,
    )
    return done.stdout.strip()


def test_the_account_is_not_what_the_environment_says() -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    login = Path("/proc/self/loginuid")
    if login.exists() and login.read_text() != str(2**32 - 1):
        assert account().startswith(pwd.getpwuid(int(login.read_text())).pw_name)
        return
    assert account() == me
    for uid in ("1", "2"):  # nobody of that name has become root above us
        assert account(SUDO_USER="daemon", SUDO_UID=uid) == me


def test_the_screen_shows_all_and_the_decision_is_told(rig: Rig, tool: Tool) -> None:
    rig.run("sync", "hello", status=3)
    screen = rig.run("review", "hello", status=3).stdout
    for part in (
        *("license: review", "waits since 20", "toolsync evidence hello 1.0"),
        *(tool.watch.url, f"{tool.watch.url}hello-1.0.tar.gz", "toolsync approve hello 1.0"),
    ):
        assert part in screen
    (one,) = rig.json("approve", "hello", "1.0", "--reason", "it is fine")
    assert (one["stage"], one["verdict"]) == ("license", "approved")
    rig.run("sync", "hello", status=3)
    assert "compat: unknown" in rig.run("review", "hello", status=3).stdout
    (two,) = rig.json("approve", "hello", "1.0", "--reason", "it is fine")
    assert (two["stage"], two["verdict"]) == ("compat", "approved")
    assert rig.json("review") == []


def test_a_decision_is_over_what_was_shown_and_over_nothing_else(
    context: Context, tool: Tool
) -> None:
    held(context, tool)
    journal = context.journal

    def decided(verdict: str, shown: str) -> None:
        decide(journal, tool.name, "1.0", verdict=verdict, who="j", reason="seen", shown=shown)

    shown = fingerprint(questions(journal, tool.name, "1.0"))
    (question,) = questions(journal, tool.name, "1.0")
    said = question.judged.judgment
    journal.judgments.keep(question.judged.key, "i", replace(said, subject="0" * 64))
    with pytest.raises(Changed, match="nothing was decided"):
        decided("approved", shown)
    journal.judgments.keep(question.judged.key, "i", said)
    decided("approved", shown)
    with pytest.raises(Changed, match="another's decision"):
        decided("rejected", shown)  # who rejects has not seen that it was approved
    assert [d.verdict for d in journal.decisions.of(tool.name)] == ["approved"]
    over = [(question.judged.key, said)]
    with pytest.raises(Changed, match="somebody else"):
        journal.decisions.add_all(over, verdict="rejected", who="k", reason="r", known=0)
    assert len(journal.decisions.of(tool.name)) == 1
