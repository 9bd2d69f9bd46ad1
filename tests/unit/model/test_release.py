"""Releases and what they become: frozen values that survive JSON."""

from __future__ import annotations

import pytest

from toolsync.model.release import Blob, Fetched, Release, Unpacked, Verified, dump, load

RELEASE = Release(
    tool="t", version="1.0", raw_version="1.0", url="u", filename="f", page="p", size=3
)
BLOB = Blob(name="f", sha256="0" * 64, size=3)


def test_a_value_survives_json() -> None:
    fetched = Fetched(release=RELEASE, archive=BLOB, final_url="u", extras=(BLOB,))
    again = load(Fetched, dump(fetched, without="release"), release=RELEASE)
    assert again == fetched
    with pytest.raises(TypeError):
        load(Fetched, {**dump(fetched, without="release"), "final_url": 3}, release=RELEASE)


def test_every_wrapper_knows_its_release() -> None:
    fetched = Fetched(release=RELEASE, archive=BLOB, final_url="u")
    verified = Verified(fetched=fetched, method="pins", statement="s")
    assert Unpacked(verified=verified, orig=BLOB, untouched=True, members=1).release is RELEASE
