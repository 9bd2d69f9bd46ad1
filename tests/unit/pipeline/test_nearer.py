"""A hold for packaging tells why the packaging that is nearer to the release was not adopted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tiny import write_tool
from toolsync.model.errors import Held, PackageFailed
from toolsync.pipeline.nearer import telling
from toolsync.setup.tools import load_tool


def test_only_what_fails_for_its_packaging_tells_it(tmp_path: Path) -> None:
    folder = write_tool(tmp_path, "http://127.0.0.1:9/")
    plain = load_tool(folder)
    toml = folder / "tool.toml"
    toml.write_text(f'{toml.read_text()}\n[package]\nnearer = "2-1 was not taken: it is green"\n')
    adopted = load_tool(folder)

    def fails() -> str:
        raise PackageFailed("a patch does not apply", resolution="Mend it.")

    def held() -> str:
        raise Held("terms changed")

    assert telling(adopted, lambda: "made") == "made"
    with pytest.raises(PackageFailed, match=r"^a patch does not apply$"):
        telling(plain, fails)
    with pytest.raises(PackageFailed) as found:
        telling(adopted, fails)
    assert str(found.value) == (
        "a patch does not apply\nAs it was adopted: 2-1 was not taken: it is green"
    )
    assert found.value.resolution == "Mend it."
    with pytest.raises(Held, match=r"^terms changed$"):
        telling(adopted, held)
