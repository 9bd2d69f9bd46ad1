"""An archive as it looks after a year, made in a journal by hand: for the page and its pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from tests.support.clock import TODAY, DrivenClock
from tests.support.keys import throwaway_keys
from tests.support.watching import tool_with
from toolsync.config.definition import Tool
from toolsync.config.settings import Config, Local
from toolsync.journal.key import Key
from toolsync.journal.pages import Looked
from toolsync.model.errors import TryAgain
from toolsync.model.release import Release, dump
from toolsync.pipeline.context import Context, opened
from toolsync.pipeline.memory import fingerprint
from toolsync.publish.local import LocalArchive
from toolsync.system.clock import stamp
from toolsync.system.gpg import SigningHome
from toolsync.watch import kept
from toolsync.watch.look import Sighting


class Served(LocalArchive):
    """A local archive that has a key and serves bookworm, without reprepro having run."""

    key = ""

    def offers(self, source: str, series: str) -> bool:
        return True

    def stanza(self, series: str) -> str:
        if series != "bookworm":
            raise TryAgain(f"nothing is published for {series} yet")
        block = "".join(f" {line.strip() or '.'}\n" for line in self.key.strip().splitlines())
        url = "https://archive.example/toolsync"
        return f"Types: deb deb-src\nURIs: {url}\nSuites: {series}\nSigned-By:\n{block}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a tool has been through."""

    name: str
    summary: str
    versions: Sequence[str]
    lags: Sequence[float]
    """Hours from release to apt; a version without one waits."""
    held: str = ""
    diff: str = ""
    down: str = ""
    series: Sequence[tuple[str, str]] = (("local", "bookworm"), ("local", "trixie"))


STORIES = (
    Story(
        name="awscli",
        summary="Amazon's command line, version 1",
        versions=[f"1.46.{n}" for n in range(24)],
        lags=[3, 2, 2.5, 40, 2, 1.5, 3, 2, 2, 9, 2, 1, 2, 2.2, 3, 190, 2, 1.2, 2, 2, 1, 2, 1.5, 2],
        series=[("local", "bookworm"), ("local", "trixie"), ("ppa:cloud/tools", "noble")],
    ),
    Story(
        name="ec2-ami-tools",
        summary="tools for machine images",
        versions=["1.5.18", "1.5.19", "1.5.20"],
        lags=[30, 26],
        held="the terms changed in LICENSE.txt",
        diff="--- 1.5.19/LICENSE.txt\n+++ 1.5.20/LICENSE.txt\n@@ -3 +3 @@\n"
        '-"Amazon Software License"\n'
        '+"Amazon Software License, with one more clause"\n',
    ),
    Story(
        name="euca2ools",
        summary="Eucalyptus's command line",
        versions=["3.4.1", "3.4.2"],
        lags=[100, 51],
        down="https://downloads.example/ answered 503 Service Unavailable",
    ),
)


@contextmanager
def archive(
    folder: Path, stories: Sequence[Story] = STORIES
) -> Iterator[tuple[Context, list[Tool]]]:
    """Give a context whose journal tells the stories, and their tools."""
    config = Config(
        file=folder / "toolsync.toml",
        state=folder / "state",
        tool_folders=(),
        series=("bookworm", "trixie"),
        local=Local(label="toolsync"),
    )
    clock = DrivenClock()
    with opened(config, tell=lambda _: None, progress=lambda _: _nothing, clock=clock) as context:
        with throwaway_keys() as keys:
            exported = keys.export(folder / "key.asc", keys.make("Archive"))
        served = Served(
            folder,
            settings=config.local,
            series=config.series,
            owner="",
            store=context.store,
            workshop=context.workshop,
            signing=SigningHome(folder / "gnupg"),
        )
        served.key = exported.read_text()
        tools = [_tell(context, clock, story) for story in stories]
        clock.moment = TODAY
        yield replace(context, target=served), tools


def _nothing(done: int, total: int | None) -> None:
    """Show no progress."""


def _tell(context: Context, clock: DrivenClock, story: Story) -> Tool:
    tool = replace(
        tool_with(
            kind="html",
            url="https://vendor.example/",
            pattern=rf"{story.name}-(?P<version>[0-9.]+)\.tar\.gz",
        ),
        name=story.name,
        folder=context.config.state / "tools" / story.name,
        summary=story.summary,
        homepage="https://vendor.example/",
    )
    tool.debian.mkdir(parents=True)
    control = f"Source: {story.name}\n\nPackage: {story.name}1\nArchitecture: all\n"
    (tool.debian / "control").write_text(control)
    releases: list[Release] = []
    for number, version in enumerate(story.versions):
        released = TODAY - timedelta(days=14 * (len(story.versions) - number))
        release = Release(
            tool=story.name,
            version=version,
            raw_version=version,
            url=f"https://vendor.example/{story.name}-{version}.tar.gz",
            filename=f"{story.name}-{version}.tar.gz",
            page="https://vendor.example/",
            published=stamp(released),
        )
        releases.insert(0, release)
        clock.moment = released
        context.journal.releases.see(story.name, version, dump(release))
        if number < len(story.lags):
            clock.moment = released + timedelta(hours=story.lags[number])
            _publish(context, story, version)
    if story.held:
        _hold(context, story)
    clock.moment = TODAY - timedelta(minutes=7)
    _look(context, tool, tuple(releases), story.down)
    return tool


def _publish(context: Context, story: Story, version: str) -> None:
    for stage in ("fetch", "verify", "unpack", "license"):
        _done(context, story.name, version, stage)
    for target, series in story.series:
        for stage in ("package", "build", "compat"):
            _done(context, story.name, version, stage, f"{series}/1")
        for stage in ("publish", "confirm"):
            _done(context, story.name, version, stage, f"{series}/1@{target}")
        row = {"target": target, "source": story.name, "series": series, "tool": story.name}
        row |= {"upstream": version, "version": f"{version}-1~{series}1", "content": "", "dsc": ""}
        context.journal.uploads.claim({**row, "revision": 1})
        (upload,) = (
            u
            for u in context.journal.uploads.of(story.name)
            if (u.upstream, u.target, u.series) == (version, target, series)
        )
        context.journal.uploads.advance(upload, "confirmed", "x")


def _done(context: Context, tool: str, version: str, stage: str, scope: str = "") -> None:
    key = Key(tool=tool, version=version, stage=stage, scope=scope)
    now = stamp(context.clock.now())
    data = {"statement": f"{stage} of {version} is proved", "sha256": "0" * 64}
    context.journal.results.record(key, inputs="", outcome="done", started=now, data=data)


def _hold(context: Context, story: Story) -> None:
    version = story.versions[-1]
    for stage in ("fetch", "verify", "unpack"):
        _done(context, story.name, version, stage)
    log = context.store.add_bytes(story.diff.encode(), "license.diff")
    context.journal.results.record(
        Key(tool=story.name, version=version, stage="license"),
        inputs="",
        outcome="held",
        started=stamp(context.clock.now()),
        data={"log": dump(log)},
        message=story.held,
        resolution=f"Read it, then: toolsync approve {story.name} {version} --reason TEXT",
        kind="GateClosed",
    )


def _look(context: Context, tool: Tool, releases: tuple[Release, ...], down: str) -> None:
    sighting = Sighting(releases=releases, page="https://vendor.example/")
    look = Looked(
        tool=tool.name,
        definition=fingerprint(dump(tool.watch)),
        sighting=kept.pack(sighting),
        answered=True,
        status="answered",
    )
    context.journal.pages.remember([look])
    if down:
        failed = replace(
            look, sighting=None, answered=False, status="unreachable", message=down, exit_status=4
        )
        context.journal.pages.remember([failed])
