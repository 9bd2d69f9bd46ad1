"""XPath and JMESPath on hostile pages: they end, and mean what they meant."""

from __future__ import annotations

import time

import pytest

from tests.support.watching import Watcher, versions
from toolsync.model.errors import Hostile, TooMuch
from toolsync.watch import selecting, text


@pytest.mark.slow
def test_an_xpath_without_end_is_ended() -> None:
    links = "<a href='tool-1.0.zip'>x</a>" * 20_000
    with Watcher() as upstream:
        upstream.web.serve("/", f"<!DOCTYPE html><html><body>{links}</body></html>")
        start = time.monotonic()
        with pytest.raises(TooMuch, match="it had not ended after 5 s"):
            upstream.look(kind="html", xpath="//a[count(//a[count(//a) > 1]) > 1]")
        assert time.monotonic() - start < 20
        found = upstream.look(kind="html", xpath="//a[1]", pattern=r"tool-(?P<version>.*)\.zip")
        assert versions(found) == ["1.0"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["|".join(["[@,@][]"] * 40), "|".join(["[@,@]"] * 40) + "|to_string(@)"]
)
def test_a_path_that_doubles_is_ended(path: str) -> None:
    with pytest.raises(TooMuch):
        selecting.select({"a": [1]}, path)


@pytest.mark.parametrize(
    "path", ["a[].{v: b, w: c[0].d}", "a[?b=='1'].b", "sort_by(a, &b)[-1].b", "join('-', a[].b)"]
)
def test_a_path_means_the_same_wherever_it_runs(path: str) -> None:
    import jmespath

    data = {"a": [{"b": "1", "c": [{"d": 2}]}, {"b": "0", "c": []}]}
    assert selecting.select(data, path) == jmespath.search(path, data)


def test_a_text_of_very_many_lines_is_told() -> None:
    with Watcher() as upstream:
        upstream.web.serve("/", "1.0\n" + "x\n" * text.MAX_LINES, type="text/plain")
        with pytest.raises(Hostile, match="more than 50000 lines"):
            upstream.look(
                kind="text", pattern=r"(?P<version>[\d.]+)", file_url="http://h/{version}"
            )
