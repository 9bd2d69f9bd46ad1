"""What is kept of very many tools: as it was written, by the same settings and program."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.rig import Rig
from toolsync.maintain.standingsfile import (
    Kept,
    Listed,
    key_of,
    read_standings,
    write_standings,
)
from toolsync.model.release import Outcome
from toolsync.setup.cachefile import read_cache, write_cache
from toolsync.setup.settings import load_config


def kept(name: str, *questions: tuple[str, str]) -> Kept:
    outcome = Outcome(
        tool=name,
        status="new",
        current=None,
        newest="2",
        url=f"https://{name}.test/ä",
        message="2 is new",
        rejected=("3",),
        warnings=("look", "out"),
    )
    return Kept(
        "marks", questions, "answers", Listed(name, f"{name}-src", ("sid",), outcome, ("l",))
    )


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    some = [kept("a", ("SELECT a", "")), kept("b", ("SELECT a", ""), ("SELECT b", "ORDER BY c"))]
    write_standings(tmp_path / "s", "key", some)
    assert read_standings(tmp_path / "s", "key") == {one.listed.name: one for one in some}
    assert read_standings(tmp_path / "s", "other") == {}
    assert read_standings(tmp_path / "none", "key") == {}


@pytest.mark.parametrize("place", range(8))
def test_another_form_is_as_good_as_none(tmp_path: Path, place: int) -> None:
    write_standings(tmp_path / "s", "key", [kept("a", ("SELECT a", ""))])
    questions, (row,) = json.loads(read_cache(tmp_path / "s", "key"))
    row[place] = 7
    write_cache(tmp_path / "s", "key", json.dumps([questions, [row]]).encode())
    assert read_standings(tmp_path / "s", "key") == {}


@pytest.mark.parametrize("select", ["DELETE FROM page", "SELECT 1; DELETE FROM page", "", 7])
def test_nothing_but_questions_is_asked(tmp_path: Path, select: object) -> None:
    write_standings(tmp_path / "s", "key", [kept("a", (select, ""))])  # type: ignore[arg-type]
    assert read_standings(tmp_path / "s", "key") == {}


def test_other_settings_have_another_key(rig: Rig) -> None:
    config = load_config(rig.file, rig.state)
    key = key_of(config)
    assert key_of(load_config(rig.file, rig.state)) == key
    assert key_of(replace(config, series=("sid",))) != key
    assert key_of(replace(config, target="ppa:a/b")) != key
    rig.file.write_text(rig.file.read_text() + "\n# a word\n")
    assert key_of(load_config(rig.file, rig.state)) != key
