"""A state that an older version left is taken over: nothing is done twice, nothing forgotten.

The state was recorded by `tests/tools/record_state.py` with the code of November 2026, before
modules and stages were rearranged: a small archive with whatever waits, was decided, or failed.
What is compared is what users see: commands, the archive, mails.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.support.recorded import ASKED, OPERATOR, TOOLS, Record, indices
from tests.support.reporting import MailServer
from tests.support.rig import Rig

AT_WORK = ("drill", "easel")
"""Tools that an upgrade may have work for: a gate to ask, an approval to follow."""
SETTLED = tuple(name for name in TOOLS if name not in AT_WORK)
OURS = ("package", "build", "publish", "confirm")
"""What is done once for a release."""
SEEN = ("status", "current", "newest", "message")


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """The operator's mail server, which was down when the record ended."""
    with MailServer() as server:
        yield server


@pytest.fixture
def record(tmp_path: Path, web: Web, mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> Record:
    """The state of November 2026, and its vendor."""
    found = Record("state-2026-11", Rig(tmp_path), web, mail.url)
    for name, value in found.vendor.proxied().items():
        monkeypatch.setenv(name, value)
    return found


def seen(printed: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return what users read of each tool in a list of outcomes."""
    return {row["tool"]: [row[name] for name in SEEN] for row in printed}


def signed(rig: Rig) -> list[str]:
    """Return when the evidence of some releases was signed, and where that lies."""
    some = (("hello", "1.1"), ("brush", "1.0"), ("clay", "1.1"))
    return [rig.run("evidence", *words).stdout.splitlines()[-1] for words in some]


def _without_what_is_said_since(reviews: list[dict[str, Any]]) -> None:
    findings = [f for row in reviews for gate in row["gates"] for f in gate["findings"]]
    assert findings
    for finding in findings:
        assert finding.pop("matters")
        assert finding.pop("todo")


def test_everything_is_said_as_before(record: Record) -> None:
    for words in ASKED:
        printed = record.printed(*words)
        if words == ("status",):
            assert [row.pop("orphans") for row in printed] == [[] for _ in printed]  # said since
        if words == ("review",):
            _without_what_is_said_since(printed)
        assert printed == record.said["printed"][" ".join(words)], words
    for name in ("brush", "drill", "easel", "iron", "kiln"):
        told, before = record.rig.run("why", name).stdout, record.said["why"][name]
        assert told.partition(":")[0] == before.partition(":")[0]  # the words after it are others
        commands = re.findall(r"`?toolsync [a-z|]+(?: [a-z-]+)?", before)
        assert commands
        assert [command for command in commands if command not in told] == []


def test_a_look_finds_everything_as_before(record: Record) -> None:
    assert record.printed("check") == record.said["checked"]
    assert record.printed("check", str(record.rig.root / "conf" / "jug")) == record.said["jug"]
    assert record.done_since() == []
    pages = [ask for ask in record.vendor.web.asked if not ask.path.endswith(".tar.gz")]
    assert len(pages) == len(TOOLS) + 1  # once anew, since more is read out of a page than then
    count = len(record.vendor.web.asked)
    record.printed("check")
    later = [ask for ask in record.vendor.web.asked[count:] if not ask.path.endswith(".tar.gz")]
    cold = [ask.path for ask in later if "if-none-match" not in ask.headers]
    assert cold == []  # what they said is remembered


def as_then(record: Record) -> None:
    """Let the archive have the priority that all had then (docs/adr/0027)."""
    config = record.rig.root / "conf" / "toolsync.toml"
    config.write_text(config.read_text() + "[local]\nautomatic = true\n")


def test_the_archives_new_priority_is_signed_once_and_nothing_is_built(record: Record) -> None:
    rig = record.rig
    rig.run("sync", *SETTLED, status=3)
    assert {stage for _, _, stage, _ in record.done_since()} == {"publish", "confirm"}
    assert rig.pool() == record.said["pool"]
    release = (rig.archive / "dists/bookworm/InRelease").read_text()
    assert "NotAutomatic: yes" in release
    count = len(record.done_since())
    rig.run("sync", *SETTLED, status=3)
    assert len(record.done_since()) == count


def test_what_is_settled_is_left_alone(record: Record) -> None:
    """No stage is run, no index and no evidence is signed again.

    Of the accepted files, of which that version kept no validators, a few are asked for.
    """
    as_then(record)
    rig = record.rig
    before = signed(rig)
    rig.run("sync", *SETTLED, status=3)
    assert seen(record.printed("status")) == seen(record.said["printed"]["status"])
    assert record.done_since() == []
    assert (rig.pool(), indices(rig.archive)) == (record.said["pool"], record.said["indices"])
    assert signed(rig) == before
    files = [ask.path for ask in record.vendor.web.asked if not ask.path.endswith("/")]
    assert 0 < len(files) <= 8


def test_decisions_and_holds_go_on_counting(record: Record) -> None:
    """What was approved is published and not asked about; what is held can be approved."""
    rig = record.rig
    found = rig.json("sync", status=3)
    (easel,) = (row for row in found if row["tool"] == "easel")
    assert (easel["status"], easel["published"]) == ("up-to-date", ["1.1"])
    said = seen(record.said["printed"]["status"])
    assert seen(record.printed("status")) == said | seen([easel])
    assert {item["tool"]: item["gates"][0]["stage"] for item in rig.json("review", status=3)} == {
        "brush": "license",
        "drill": "compat",
    }
    rig.run("approve", "drill", "1.1", "--reason", "Nobody drills.")
    assert rig.json("sync", "drill")[0]["published"] == ["1.1"]
    done = record.done_since()
    made = [entry[:3] for entry in done if entry[3] == "done"]
    for name in AT_WORK:
        stages = [stage for tool, version, stage in made if (tool, version) == (name, "1.1")]
        assert [stage for stage in stages if stage in OURS] == list(OURS)
    assert {t for t, _, stage in made if stage in ("package", "build")} == set(AT_WORK)
    assert not any(entry[0] == "easel" and entry[3] == "held" for entry in done)
    assert rig.pool().items() >= record.said["pool"].items()
    new = set(rig.pool()) - set(record.said["pool"])
    assert {name for name in new if name.endswith(".deb")} == {
        f"{name}_1.1-0debian1~ppa1~deb12.1_all.deb" for name in AT_WORK
    }
    (decision,) = rig.json("evidence", "easel", "1.1")["predicate"]["decisions"]
    assert decision["reason"] == "Nobody uses --size."


def test_what_did_not_build_is_tried_again_when_a_person_asks(record: Record) -> None:
    as_then(record)
    told = record.rig.run("sync", "iron", status=3)
    assert "build" not in told.stderr
    assert "did not build" in told.stdout
    told = record.rig.run("sync", "iron", "--retry", status=3)
    assert "iron 1.1: build [bookworm/1] …" in told.stderr
    # It fails as before, and in words that may be this version's own.
    assert {entry[2:4] for entry in record.done_since()} <= {("build", "held")}


def test_what_was_refused_is_taken_when_a_person_says_so(record: Record) -> None:
    """A rejection is taken back; a pin that was missing is given."""
    rig = record.rig
    rig.run("approve", "flute", "1.1", "--reason", "They are free now.")
    assert rig.json("sync", "flute")[0]["published"] == ["1.1"]
    data = (record.vendor.folder / "kettle" / "kettle-1.1.tar.gz").read_bytes()
    pin = f'[verify.pins]\n"1.1" = "{hashlib.sha256(data).hexdigest()}"\n'
    toml = rig.tools / "kettle" / "tool.toml"
    toml.write_text(toml.read_text().replace("[verify.pins]\n", pin))
    assert rig.json("sync", "kettle")[0]["published"] == ["1.1"]


def test_a_new_release_goes_the_whole_way(record: Record) -> None:
    """Also by what was decided before: clay's terms of 1.2 are those that were approved in 1.1."""
    rig = record.rig
    for name in ("hello", "clay"):
        record.vendor.page(name, "1.0", "1.1", "1.2")
    assert [row["published"] for row in rig.json("sync", "hello", "clay")] == [["1.2"], ["1.2"]]
    new = set(rig.pool()) - set(record.said["pool"])
    assert {name for name in new if name.endswith(".deb")} == {
        "clay_1.2-0debian1~ppa1~deb12.1_all.deb",
        "hello_1.2-0debian1~ppa1~deb12.1_all.deb",
        "hello_1.2-0debian1~ppa1~deb13.1_all.deb",
    }
    proof = rig.json("evidence", "clay", "1.2")["predicate"]
    assert "approved-earlier" in {finding["code"] for finding in proof["license"]["findings"]}
    made = [entry for entry in record.done_since() if entry[2] in ("package", "build")]
    assert {version for _, version, *_ in made} == {"1.2"}


def test_what_was_not_told_is_told_once(record: Record, mail: MailServer) -> None:
    rig = record.rig
    rig.run("run", status=3)
    waited, new = (message.get_content() for message in mail.received)
    for words in ("horn is recalled", "clay 1.1 is published"):
        assert words in waited
    assert "easel 1.1 is published" in new
    assert [name for name in SETTLED if name in new] == []
    assert {str(message["To"]) for message in mail.received} == {OPERATOR}
    mail.received.clear()
    rig.run("run", "--all", status=3)
    assert mail.received == []
    index = (rig.archive / "dists" / "bookworm" / "InRelease").read_text()
    assert "; recalled: horn=1.1-0debian1~ppa1~deb12.1\n" in index
    assert rig.leftovers() == []
