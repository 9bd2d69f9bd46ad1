"""The record of the local archive, as a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolsync.config import keys
from toolsync.publish.kind import Opening, TargetKind

if TYPE_CHECKING:
    from toolsync.config.settings import Config
    from toolsync.publish.target import Target


def _open(given: Opening) -> Target:
    from toolsync.publish.local import LocalArchive
    from toolsync.system.gpg import SigningHome

    config = given.config
    return LocalArchive(
        config.archive,
        settings=config.local,
        series=config.series,
        owner=config.maintainer,
        store=given.store,
        workshop=given.workshop,
        signing=SigningHome(config.state / "gnupg"),
        limits=config.limits,
        clock=given.clock,
    )


def _programs(_: Config) -> tuple[str, ...]:
    return ("reprepro",)


LOCAL = TargetKind(
    name="local",
    about="the local archive",
    form="local",
    pattern="local",
    open=_open,
    settings={
        "path": keys.text("the archive's folder"),
        "url": keys.text("the address under which instances see it"),
        "origin": keys.text("Origin of the archive"),
        "label": keys.text("Label of the archive"),
        "valid_days": keys.number(
            "days for which instances believe an index, which each run signs anew when it is a day"
            " old; 0 for ever; 14 for the service if not given, else 0",
            least=0,
        ),
        "snapshot_days": keys.number(
            "days for which each state of the archive stays to be had, as an archive of its own"
            " below snapshots/; 0, as if not given, for none",
            least=0,
        ),
        "architectures": keys.texts(
            "what it serves, such as amd64 and i386; this machine's own alone if not given. The"
            " first also has the packages for all",
            each="an architecture, as dpkg calls it",
            pattern="^[a-z0-9][a-z0-9-]*$",
            least=1,
        ),
        "together": keys.flag(
            "whether a release is published with all of them at once or not at all, and not, as if"
            " not given, with those at least that its last one had there"
        ),
        "automatic": keys.flag(
            "whether apt takes its newer package for the distribution's of the same name unasked"
        ),
    },
    programs=_programs,
)
