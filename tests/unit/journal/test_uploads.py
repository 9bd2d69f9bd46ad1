"""Uploads: claimed once, and followed by their states."""

from __future__ import annotations

from datetime import timedelta

from tests.support.clock import TODAY, DrivenClock
from toolsync.journal.followed import Follows
from toolsync.journal.journal import Journal
from toolsync.journal.uploads import Upload
from toolsync.system.clock import stamp

CLAIM: dict[str, object] = {
    "target": "local",
    "source": "s",
    "version": "1.0-1",
    "series": "bookworm",
    "tool": "t",
    "upstream": "1.0",
    "content": "c",
    "revision": 1,
    "dsc": "d",
}


def claimed(journal: Journal) -> Upload:
    journal.uploads.claim(CLAIM)
    found = journal.uploads.get("local", "s", "1.0-1", "bookworm")
    assert found is not None
    return found


def test_a_claim_is_made_once_and_keeps_its_state(journal: Journal) -> None:
    upload = claimed(journal)
    assert upload.state == "claimed"
    assert {name: getattr(upload, name) for name in CLAIM} == CLAIM
    journal.uploads.advance(upload, "confirmed", "state")
    assert claimed(journal).state == "confirmed"
    (only,) = journal.uploads.of("t")
    assert (only.state, only.served) == ("confirmed", "state")
    assert journal.uploads.get("local", "s", "1.0-2", "bookworm") is None


def test_details_stay_and_since_changes_with_the_state_alone(
    journal: Journal, clock: DrivenClock
) -> None:
    journal.uploads.advance(claimed(journal), "sent", detail={"tries": [1]})
    clock.moment += timedelta(hours=1)
    journal.uploads.advance(claimed(journal), "sent")
    upload = claimed(journal)
    assert upload.detail == {"tries": [1]}
    assert (upload.since, upload.changed) == (stamp(TODAY), stamp(clock.moment))
    journal.uploads.advance(upload, "accepted")
    assert claimed(journal).since == stamp(clock.moment)


def test_they_come_oldest_first(journal: Journal) -> None:
    for version in ("1.0-2", "1.0-1", "1.0-3"):
        journal.uploads.claim({**CLAIM, "version": version})
    assert [u.version for u in journal.uploads.of("t")] == ["1.0-2", "1.0-1", "1.0-3"]


def test_what_a_target_served_of_followed_tools_is_given_oldest_first(journal: Journal) -> None:
    journal.followed.follow([Follows(tool="t", source="s", folder="")])
    for version in ("1.0-2", "1.0-1", "1.0-3"):
        journal.uploads.claim({**CLAIM, "version": version})
    for version, state in (("1.0-2", "confirmed"), ("1.0-1", "published"), ("1.0-3", "lost")):
        upload = journal.uploads.get("local", "s", version, "bookworm")
        assert upload is not None
        journal.uploads.advance(upload, state)
    other = {**CLAIM, "tool": "other", "source": "o"}
    journal.uploads.claim(other)
    unfollowed = journal.uploads.get("local", "o", "1.0-1", "bookworm")
    assert unfollowed is not None
    journal.uploads.advance(unfollowed, "confirmed")
    assert journal.uploads.served("local") == [
        ("s", "bookworm", "1.0-2"),
        ("s", "bookworm", "1.0-1"),
    ]
    assert journal.uploads.served("ppa:a/b") == []
