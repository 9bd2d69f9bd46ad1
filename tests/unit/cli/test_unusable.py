"""A path that no file can have, or that is closed to us, is named: it is no bug of ours."""

from __future__ import annotations

import pytest

from tests.support.rig import Rig
from toolsync.model.errors import SETUP, Bug, SetupError, unforeseen

LONG = "./" + "a" * 300


@pytest.mark.parametrize(
    "words",
    [("check", LONG), ("status", LONG), ("why", LONG), ("sync", LONG), ("backup", LONG)],
    ids=lambda words: words[0],
)
def test_a_name_that_is_too_long_is_named(rig: Rig, words: tuple[str, ...]) -> None:
    done = rig.run(*words, status=SETUP)
    assert "cannot be used: File name too long" in done.stderr
    assert "bug" not in done.stderr


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError(13, "Permission denied", "/closed/x"), SetupError),
        (OSError(40, "Too many levels of symbolic links", "/loop"), SetupError),
        (PermissionError("refused, and nobody says what"), Bug),
        (ValueError("no"), Bug),
    ],
)
def test_only_what_names_a_path_is_the_set_up(error: Exception, kind: type[Exception]) -> None:
    assert type(unforeseen(error)) is kind
