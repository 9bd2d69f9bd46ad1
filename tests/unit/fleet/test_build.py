"""Questions: the same one has one fingerprint, and what comes by a broker is read as hostile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.fleet import asked_for
from toolsync.fleet.build import BUILD, read_asked
from toolsync.model.errors import Hostile
from toolsync.model.values import Blob, dump
from toolsync.system.store import Store


def test_a_question_comes_as_it_went(tmp_path: Path) -> None:
    asked = asked_for(Store(tmp_path))
    assert read_asked(dump(asked)) == asked
    assert BUILD.queue(asked) == "build.amd64"
    assert BUILD.fingerprint(asked) == BUILD.fingerprint(read_asked(dump(asked)))
    assert BUILD.fingerprint(replace(asked, tests=True)) != BUILD.fingerprint(asked)


@pytest.mark.parametrize(
    "spoil",
    [
        {"name": "../x"},
        {"series": "book worm"},
        {"backend": "rm -rf"},
        {"form": 2},
        {"files": []},
        {"files": [{"name": "a.dsc", "sha256": "0", "size": 1}]},
        {"files": [{"name": "/a.dsc", "sha256": "0" * 64, "size": 1}]},
        {"files": [{"name": "a.dsc", "sha256": "0" * 64, "size": -1}]},
        {"files": [{"name": "a.dsc", "sha256": "0" * 64, "size": 1}] * 2},
        {"more": 1},
    ],
)
def test_what_is_none_is_refused(spoil: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(Hostile):
        read_asked({**dump(asked_for(Store(tmp_path))), **spoil})
    with pytest.raises(Hostile):
        read_asked("text")


def test_a_blob_is_a_value_of_the_store(tmp_path: Path) -> None:
    asked = asked_for(Store(tmp_path))
    assert all(isinstance(blob, Blob) for blob in asked.files)
