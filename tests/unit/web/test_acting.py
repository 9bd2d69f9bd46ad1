"""What pages that may only read have done for them, and what they remember of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from tests.support.answering import answering
from tests.support.served import Site
from toolsync.maintain.errand import Done
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

    url, pages = "https://one.example/", Behind()
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

    pages = Behind()
    with answering(site.folder / "door", told) as asked:
        assert pages.stanzas(context) == {}
        assert pages.stanzas(context) == {"bookworm": "Types: deb"}
        assert pages.stanzas(context) == pages.stanzas(context) == whole
        assert len(asked) == 3
