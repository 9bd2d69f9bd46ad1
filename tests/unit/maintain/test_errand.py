"""What may be asked for, and what is refused before anything is done."""

from __future__ import annotations

import pytest

from toolsync.maintain.errands import ACTS, errand_of
from toolsync.model.errors import UsageError

GOOD = {"act": "retry", "tool": "hello", "who": "ann (web)"}


def test_each_act_wants_its_fields() -> None:
    texts = {"url": "https://vendor.example/", "shown": "0" * 64, "reason": "old", "version": "1"}
    for name, act in ACTS.items():
        needs = {need: texts.get(need, "hello") for need in act.needs}
        assert errand_of({"act": name, "who": "ann", **needs}).act == name
        for need in needs:
            with pytest.raises(UsageError, match=f"{need} is empty"):
                errand_of({"act": name, "who": "ann", **needs, need: " "})


@pytest.mark.parametrize(
    "change",
    [
        {"act": "remove"},
        {"act": ""},
        {"who": ""},
        {"tool": 7},
        {"tool": ["hello"]},
        {"early": "yes"},
        {"tool": "../../etc"},
        {"tool": ".hidden"},
        {"tool": "x" * 3000},
        {"reason": "two\nlines"},
        {"who": "ann\x1b[2J"},
        {"tool": "\u202egnp"},
        {"files": {"debian/rules": "#!/bin/sh"}},
        {"url": "file:///etc/shadow"},
        {"shown": "0"},
    ],
)
def test_what_no_errand_can_mean_is_refused(change: dict[str, object]) -> None:
    errand_of(GOOD)
    with pytest.raises(UsageError):
        errand_of(GOOD | change)
