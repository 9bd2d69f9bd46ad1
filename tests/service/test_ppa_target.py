"""A PPA as toolsync sees it: every state, and every way in which an upload can go wrong.

Launchpad is real as far as its rules go (`launchpad`), asked over the wire by the unmodified
launchpadlib; dput's place is taken, so that it can be made to lie. Time is driven.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.ppas import SERIES, Row, Yard
from tests.support.tiny_packages import passed
from toolsync.model.errors import (
    Held,
    NotThere,
    Replaced,
    SetupError,
    TryAgain,
    Unreachable,
    Waiting,
)
from toolsync.model.release import Confirmed
from toolsync.publish.ppa import PpaTarget

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def step(yard: Yard, row: Row, series: str = "noble", **words: object) -> Confirmed:
    """Do what one run does: bring it there, and see how it stands."""
    target = yard.target()
    source = yard.goods.source(series, **words)
    return target.confirm(target.publish(passed(source), row), row)


def until_confirmed(yard: Yard, row: Row, series: str = "noble", **words: object) -> Confirmed:
    for _ in range(40):
        try:
            return step(yard, row, series, **words)
        except Waiting:
            yard.later(minutes=4)
    raise AssertionError(row.states)


def test_the_way_of_an_upload_with_every_state_named(yard: Yard) -> None:
    row = yard.row()
    confirmed = until_confirmed(yard, row)
    assert row.states == ["claimed", "sent", "accepted", "building", "published"]
    assert len(yard.dput.carried) == 1
    assert "is built and published in ppa:maker/stable noble" in confirmed.statement
    assert row.detail["launchpad"]["builds"][0]["state"] == "Successfully built"
    assert row.detail["launchpad"]["publication"].startswith(yard.server.url)
    assert row.detail["tries"][0]["result"] == "sent"


def test_an_upload_is_signed_here_when_it_was_not_before(yard: Yard) -> None:
    row = Row(yard)
    until_confirmed(yard, row)
    (pub,) = yard.ppa.sources
    assert row.detail["key"] == yard.goods.key
    assert b"BEGIN PGP SIGNED MESSAGE" in pub.source.changes
    assert pub.source.signer == "maker"


def test_three_series_share_one_orig_and_one_failure_hides_no_other(yard: Yard) -> None:
    yard.ppa.script_builds("Needs building", "Failed to build", series="noble")
    rows = {series: yard.row(series) for series in SERIES}
    until_confirmed(yard, rows["jammy"], "jammy")
    with pytest.raises(Held, match="did not build in ppa:maker/stable noble: amd64 Failed"):
        until_confirmed(yard, rows["noble"], "noble")
    until_confirmed(yard, rows["resolute"], "resolute")
    assert rows["noble"].state == "build-failed"
    origs = {
        (name, data)
        for pub in yard.ppa.sources
        for name, data in pub.source.files.items()
        if ".orig." in name
    }
    assert len(origs) == 1
    assert len({pub.version for pub in yard.ppa.sources}) == 3


def test_a_build_that_is_retried_on_launchpad_goes_on_here(yard: Yard) -> None:
    yard.ppa.script_builds("Chroot problem")
    row = yard.row()
    with pytest.raises(Held, match="Chroot problem"):
        until_confirmed(yard, row)
    yard.ppa.script_builds("Needs building", "Successfully built")
    until_confirmed(yard, row)
    assert row.state == "published"
    assert len(yard.dput.carried) == 1


@pytest.mark.parametrize("state", ["Dependency wait", "Needs building", "Grandly enqueued"])
def test_a_build_that_does_not_end_is_stuck(yard: Yard, state: str) -> None:
    yard.ppa.script_builds(state)
    row = yard.row()
    with pytest.raises(Waiting):
        step(yard, row)
    yard.later(minutes=20)
    with pytest.raises(Waiting, match=state):
        step(yard, row)
    assert row.state == "building"
    yard.server.clock.sleep(50 * 3600)
    with pytest.raises(Held, match=r"for 50 hours; wanted: 48 hours at most") as caught:
        step(yard, row)
    assert row.state == "stuck"
    assert ("does not know" in str(caught.value)) == (state == "Grandly enqueued")
    assert caught.value.resolution


def test_nothing_is_sent_that_launchpad_has(yard: Yard) -> None:
    until_confirmed(yard, yard.row())
    fresh = Row(yard)  # a journal that was lost
    until_confirmed(yard, fresh)
    assert len(yard.dput.carried) == 1
    assert fresh.state == "published"


def test_dput_may_say_failure_where_it_succeeded(yard: Yard) -> None:
    yard.dput.words = ["unknown"]
    row = yard.row()
    until_confirmed(yard, row)
    assert len(yard.dput.carried) == 1
    assert yard.server.mails == [] or "Rejected" not in str(yard.server.mails)


def test_a_half_upload_is_sent_again_when_the_time_for_it_is_over(yard: Yard) -> None:
    yard.dput.words = ["half"]
    row = yard.row()
    with pytest.raises(Waiting, match="does not show it yet"):
        step(yard, row)
    yard.later(minutes=30)
    with pytest.raises(Waiting):
        step(yard, row)
    assert len(yard.dput.hosts) == 1
    yard.later(minutes=31)
    until_confirmed(yard, row)
    assert len(yard.dput.carried) == 1
    assert len(yard.ppa.sources) == 1


def test_an_upload_that_is_dropped_without_a_word_is_lost(yard: Yard) -> None:
    yard.dput.words = ["drop"]
    row = yard.row()
    with pytest.raises(Waiting):
        step(yard, row)
    yard.later(minutes=61)
    with pytest.raises(Held, match="Launchpad shows nothing of tiny-tool") as caught:
        step(yard, row)
    assert row.state == "lost"
    assert "sync --retry" in caught.value.resolution
    with pytest.raises(Held):
        step(yard, row)
    assert len(yard.dput.hosts) == 1
    row.again = True
    until_confirmed(yard, row)
    assert len(yard.dput.carried) == 1


def test_a_server_that_refuses_is_tried_again_and_another_one_too(yard: Yard) -> None:
    yard.dput.words = ["not-sent", "not-sent"]
    before = yard.now
    until_confirmed(yard, row := yard.row())
    assert yard.dput.hosts == [
        "ppa.launchpad.net",
        "upload.ppa.launchpad.net",
        "ppa.launchpad.net",
    ]
    assert [one["result"] for one in row.detail["tries"]] == ["not-sent", "not-sent", "sent"]
    assert (yard.now - before).total_seconds() > 30


def test_servers_that_never_answer_are_told_of_and_nothing_is_claimed_as_sent(yard: Yard) -> None:
    yard.dput.words = ["not-sent"] * 5
    row = yard.row()
    with pytest.raises(Unreachable, match=r"no server took .* in 5 tries"):
        step(yard, row)
    assert row.state == "claimed"
    until_confirmed(yard, row)
    assert len(yard.dput.carried) == 1


def test_other_bytes_of_an_orig_are_refused_before_they_are_sent(yard: Yard) -> None:
    until_confirmed(yard, yard.row())
    row = yard.row("jammy", payload="# other\n")
    with pytest.raises(Replaced, match=r"tiny-tool_1\.0\.orig\.tar\.xz is known to Launchpad"):
        step(yard, row, "jammy", payload="# other\n")
    assert row.state == "rejected"
    assert len(yard.dput.carried) == 1


def test_a_deleted_version_is_burnt_and_not_sent_again(yard: Yard) -> None:
    row = yard.row()
    until_confirmed(yard, row)
    yard.ppa.delete(yard.ppa.sources[0], yard.now, "a mistake")
    with pytest.raises(Held, match="was deleted in ppa:maker/stable noble by somebody"):
        step(yard, row)
    assert row.state == "lost"
    assert len(yard.dput.carried) == 1


def test_an_older_version_than_the_series_has_is_not_sent(yard: Yard) -> None:
    until_confirmed(yard, yard.row(upstream="1.1"), upstream="1.1")
    with pytest.raises(Held, match=r"noble has tiny-tool 1\.1.*wanted to publish 1\.0"):
        step(yard, yard.row())
    assert len(yard.dput.carried) == 1


def test_a_series_that_takes_no_uploads_is_told_before_it_is_sent(yard: Yard) -> None:
    yard.server.series["noble"] = replace(yard.server.series["noble"], status="Obsolete")
    with pytest.raises(SetupError, match=r"noble takes no uploads any more.*jammy"):
        step(yard, yard.row())
    assert yard.dput.hosts == []


def test_a_key_that_nobody_has_registered_is_told_before_it_is_sent(yard: Yard) -> None:
    yard.server.people["maker"].fingerprints.clear()
    with pytest.raises(SetupError, match="is not registered for ~maker"):
        step(yard, yard.row())
    assert yard.dput.hosts == []


def test_a_key_that_expires_between_signing_and_upload_is_told(yard: Yard) -> None:
    """The upload is signed; then its time is over, and Launchpad would drop it."""
    from toolsync.system.gpg import SigningHome
    from toolsync.system.signing import Signer

    keys = yard.goods.keys
    short = keys.make("Short", expire="2026-12-01")
    signer = Signer(SigningHome(yard.root / "none"), keyring=str(keys.home), key=short)
    yard.server.clock.sleep(40 * 24 * 3600)
    target = yard.target(signer=signer)
    with pytest.raises(SetupError, match=f"{short} that signs uploads expired on 2026-12-01"):
        target.publish(passed(yard.goods.source()), yard.row())
    assert yard.dput.hosts == []


def test_a_ppa_that_was_deleted_is_told(yard: Yard) -> None:
    yard.ppa.deleted = True
    with pytest.raises((NotThere, SetupError)):
        step(yard, yard.row())
    assert yard.dput.hosts == []


def test_a_ppa_that_is_switched_off_is_told(yard: Yard) -> None:
    yard.ppa.publish = False
    with pytest.raises(SetupError, match="switched off"):
        step(yard, yard.row())
    assert yard.dput.hosts == []


def test_a_full_quota_ends_in_a_named_state(yard: Yard) -> None:
    yard.ppa.authorized_size = 0
    row = yard.row()
    with pytest.raises(Waiting):
        step(yard, row)
    yard.later(minutes=61)
    with pytest.raises(Held, match="rejected, or dropped"):
        step(yard, row)
    assert row.state == "lost"
    assert "mail" in str(yard.server.mails[0]).lower() or yard.server.mails


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 503, "retry_after": 3}, {"cut": 40}, {"status": 429}]
)
def test_an_api_that_fails_for_a_while_changes_nothing(yard: Yard, fault: dict[str, int]) -> None:
    yard.server.fault("getPublishedSources", times=2, **fault)
    row = yard.row()
    until_confirmed(yard, row)
    assert len(yard.dput.carried) == 1


def test_an_api_that_stays_down_is_told_and_nothing_is_sent(yard: Yard) -> None:
    yard.server.fault("getPublishedSources", status=500, times=-1)
    with pytest.raises(Unreachable, match="status 500"):
        step(yard, yard.row())
    assert yard.dput.hosts == []


def test_an_api_that_fails_after_the_upload_forgets_nothing(yard: Yard) -> None:
    row, target = yard.row(), yard.target()
    receipt = target.publish(passed(yard.goods.source()), row)
    yard.server.fault("", status=500, times=-1)
    with pytest.raises(TryAgain):
        target.confirm(receipt, row)
    assert row.state == "sent"
    yard.server.clear_faults()
    until_confirmed(yard, row)
    assert len(yard.dput.carried) == 1


def test_a_clock_that_is_off_sends_nothing_twice(yard: Yard) -> None:
    """The run's clock falls back by a day after the upload."""
    yard.dput.words = ["drop"]
    row = yard.row()
    with pytest.raises(Waiting):
        step(yard, row)
    yard.server.clock.sleep(-24 * 3600)
    with pytest.raises(Waiting, match="0 minutes ago"):
        step(yard, row)
    assert len(yard.dput.hosts) == 1


def test_what_is_served_is_asked_once_for_all(yard: Yard) -> None:
    for series in SERIES:
        until_confirmed(yard, yard.row(series), series)
    target = yard.target()
    before = sum(yard.server.cost().values())
    states = {series: target.state(series, "tiny-tool") for series in SERIES}
    assert len(set(states.values())) == 3
    assert target.newest("tiny-tool", "noble") == "1.0-0ubuntu1~ppa1~ubuntu24.04.1"
    assert target.newest("tiny-tool", "bookworm") is None
    assert sum(yard.server.cost().values()) - before <= 5, yard.server.cost()


def test_the_stanza_names_the_ppa_and_carries_its_key(yard: Yard) -> None:
    until_confirmed(yard, yard.row())
    stanza = yard.target().stanza("noble")
    assert "URIs: https://ppa.launchpadcontent.net/maker/stable/ubuntu\nSuites: noble\n" in stanza
    assert "Components: main\n" in stanza
    assert "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n" in stanza


def test_a_target_without_a_good_name_is_told(yard: Yard) -> None:
    assert isinstance(yard.target(), PpaTarget)
    assert yard.target().name == "ppa:maker/stable"
