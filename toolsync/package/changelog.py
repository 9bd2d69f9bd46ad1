"""Write the changelog entry of a release: what was found, how it was proved, and its digest."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from debian.changelog import Changelog

from toolsync.model.release import Blob, Licensed
from toolsync.package.continued import former_date

_WIDTH = 78


def changelog(
    item: Licensed,
    *,
    source: str,
    version: str,
    series: str,
    maintainer: str,
    orig: Blob,
    former: str = "",
    more: Sequence[str] = (),
) -> str:
    """Return debian/changelog with an entry for this release in this series, above ``former``.

    ``more`` is what the entry says beside the release's origin. The entry's date is the release's
    own (see `entry_date`), so that the same release and packaging give the same source package
    on any day.
    """
    log = Changelog()
    log.new_block(
        package=source,
        version=version,
        distributions=series,
        urgency="medium",
        author=maintainer,
        date=format_datetime(entry_date(item, former)),
        changes=["", *_lines(item, orig, more), ""],
    )
    return f"{log}\n{former.lstrip()}" if former.strip() else str(log)


def entry_date(item: Licensed, former: str = "") -> datetime:
    """Return the newest modification time inside the release, in UTC; after the ``former`` entry's.

    Launchpad refuses files dated before 1975; `unpack` has already lifted those to 1980.
    """
    own = datetime.fromtimestamp(item.unpacked.epoch, UTC)
    return max(own, former_date(former) + timedelta(seconds=1)) if former else own


def _lines(item: Licensed, orig: Blob, more: Sequence[str]) -> list[str]:
    unpacked = item.unpacked
    verified = unpacked.verified
    release = verified.fetched.release
    day = f", published on {release.published[:10]}" if release.published else ""
    what = "upstream's own file" if unpacked.untouched else f"repacked from {release.filename}"
    if orig != unpacked.orig:
        what = "as the archive has it, with the same content as upstream's"
    points = [
        f"- Found on {release.page} as {release.raw_version}{day}.",
        f"- Verified: {verified.statement}.",
        f"- Archive: {release.filename}, sha256",
        f"  {verified.fetched.archive.sha256}",
        f"- Orig tarball ({what}): sha256",
        f"  {orig.sha256}",
    ]
    for part in unpacked.components:
        points += [f"- Component {part.component}: sha256", f"  {part.orig.sha256}"]
    if unpacked.excluded:
        points.append(f"- Left out of it: {len(unpacked.excluded)} files, see debian/copyright.")
    points += [f"- {text}." for text in more]
    lines = [f"  * New upstream release {release.version}."]
    for point in points:
        indent = "    " if point.startswith("-") else "      "
        lines += textwrap.wrap(
            point.strip(),
            _WIDTH,
            initial_indent=indent,
            subsequent_indent="      ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines
