"""What pages that may only read have done for them, and what they remember of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from tests.support.answering import answering
from tests.support.clock import DrivenClock
from tests.support.served import Site
from toolsync.maintain.errand import Done
from toolsync.model.errors import TryAgain
from toolsync.model.values import dump
from toolsync.pipeline.context import Context, opened
from toolsync.system.promise import NAME as PROMISE
from toolsync.web.acting import Behind


@pytest.fixture
def context(site: Site) -> Iterator[Context]:
    with opened(
        site.load(),
        tell=lambda _: None,
        progress=lambda _: lambda done, total: None,
        clock=site.shared.clock,
    ) as found:
        for series in found.config.series:
            path = found.config.archive / "dists" / series / "InRelease"
            path.parent.mkdir(parents=True)
            path.write_text("signed\n")
        yield found


def test_stanzas_are_asked_for_again_when_the_archive_is_another(
    context: Context, site: Site
) -> None:
    def told(_: Mapping[str, object]) -> Mapping[str, object]:
        found = dict.fromkeys(context.config.series, f"URIs: {url}")
        return dump(Done(fine=True, message="these are served", found=found))

    url, pages = "https://one.example/", Behind(site.shared.clock)
    with answering(site.folder / "door", told) as asked:
        assert pages.stanzas(context)["bookworm"] == f"URIs: {url}"
        assert pages.stanzas(context)["trixie"] == f"URIs: {url}"
        assert [question["act"] for question in asked] == ["stanzas"]
        url = "https://two.example/"
        local = replace(context.config.local, url=url)
        moved = replace(context, config=replace(context.config, local=local))
        assert pages.stanzas(moved)["bookworm"] == f"URIs: {url}"
        assert len(asked) == 2
        (context.config.archive / "conf").mkdir()
        (context.config.archive / "conf" / PROMISE).write_text("another key\n")
        pages.stanzas(moved)
        pages.stanzas(moved)
        assert len(asked) == 3


def test_stanzas_that_came_by_half_are_shown_and_asked_for_again(
    context: Context, site: Site
) -> None:
    whole = dict.fromkeys(context.config.series, "Types: deb")
    answers = iter(({}, {"bookworm": "Types: deb"}, whole))

    def told(_: Mapping[str, object]) -> Mapping[str, object]:
        return dump(Done(fine=True, message="these are served", found=next(answers)))

    pages = Behind(site.shared.clock)
    with answering(site.folder / "door", told) as asked:
        assert pages.stanzas(context) == {}
        assert pages.stanzas(context) == {"bookworm": "Types: deb"}
        assert pages.stanzas(context) == pages.stanzas(context) == whole
        assert len(asked) == 3


def test_what_is_lacking_is_asked_for_once_and_again_after_some_minutes(site: Site) -> None:
    clock = DrivenClock()
    pages, one, two = Behind(clock), "1" * 64, "2" * 64

    def told(question: Mapping[str, object]) -> Mapping[str, object]:
        away = question.get("version") == "2.0"
        return dump(Done(fine=not away, message="the bucket is away", kind="TryAgain"))

    with answering(site.folder / "door", told) as asked:
        assert pages.bring("hello", "1.0", {one})
        assert not pages.bring("hello", "1.0", {one})
        assert asked == [{"act": "bring", "who": "the pages", "tool": "hello", "version": "1.0"}]
        for _ in range(2):  # what went wrong is asked for again at once
            with pytest.raises(TryAgain, match="the bucket is away"):
                pages.bring("hello", "2.0", {one, two})
        assert pages.bring("hello", "", {one, two})
        assert "version" not in asked[-1]
        clock.sleep(3600)
        assert pages.bring("hello", "1.0", {one})
        assert len(asked) == 5
