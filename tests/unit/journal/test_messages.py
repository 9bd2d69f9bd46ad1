"""Messages: kept with the note of what they tell, until they were taken."""

from __future__ import annotations

import pytest

from toolsync.journal.journal import Journal
from toolsync.model.errors import SetupError


def test_a_message_stays_until_it_was_taken(journal: Journal) -> None:
    journal.messages.tell("c", {"tool:t": "held"}, "one", {"subject": "t is held"})
    journal.messages.tell("c", {"tool:t": ""}, "two", {"subject": "t is well"})
    journal.messages.tell("d", {"published": "0"}, "", None)
    first, second = journal.messages.unsent("c")
    assert (first.id, first.data, first.tries) == ("one", {"subject": "t is held"}, 0)
    journal.messages.not_sent(first, "down")
    (again, _) = journal.messages.unsent("c")
    assert (again.tries, again.error) == (1, "down")
    journal.messages.sent(first)
    assert journal.messages.unsent("c") == [second]
    assert journal.messages.unsent("d") == []
    assert journal.messages.told("c") == {"tool:t": ""}
    assert journal.messages.told("d") == {"published": "0"}


def test_nothing_is_noted_as_told_which_no_message_says(journal: Journal) -> None:
    journal.messages.tell("c", {"tool:t": "held"}, "one", {})
    with pytest.raises(SetupError, match=r"(?i)unique"):
        journal.messages.tell("c", {"tool:t": "well"}, "one", {})
    assert journal.messages.told("c") == {"tool:t": "held"}
