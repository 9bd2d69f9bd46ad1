"""Which errors lintian finds in packaging before it is adopted: they hold no release of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from toolsync.adopt.bases import Former
from toolsync.build.lint import errors_of
from toolsync.config.series import series_tag


def errors_before(
    formers: Sequence[Former],
    series: Sequence[str],
    folder: Path,
    undecided: list[str],
    tell: Callable[[str], None],
) -> tuple[str, ...]:
    """Return the errors in source packages and in what was built of them, each once.

    What is never one for packages of the first of ``series`` is none. The first of ``formers`` is
    the packaging's own.
    """
    found: set[str] = set()
    distribution, _ = series_tag(series[0])
    if formers[0].dsc is None:
        undecided.append(
            f"which errors lintian finds in {formers[0].package.version} is not known: its source"
            " package is neither beside it nor in an archive"
        )
    for former in formers:
        if former.dsc is not None:
            tell(f"reading {former.dsc.name} and its binaries with lintian")
        for files in ([former.dsc] if former.dsc else [], former.debs):
            found.update(
                errors_of(files, distribution=distribution, folder=folder) if files else ()
            )
    return tuple(sorted(found))
