"""Run lintian over source, then binaries: errors fail the package, the rest is written down.

The source is linted before it is built, since a build can take minutes and cannot mend it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from toolsync.model.errors import PackageFailed, ProgramFailed
from toolsync.model.release import Finding
from toolsync.system.run import run

_SECONDS = 1800
_TAG = re.compile(r"^([EWIPX]): (.+?): (\S+)(?: (.*))?$")

UPSTREAMS_OWN = "upstream's own files"
"""Among what is known: errors about files of the orig tarball, which a distribution has in main."""

SUPPRESSED = (
    # lintian's list of series is as old as lintian; toolsync builds for newer ones.
    "bad-distribution-in-changes-file",
    # An archive without a mail address of its own signs as …@localhost.
    "bogus-mail-host",
    "bogus-mail-host-in-debian-changelog",
    # That is about uploads to Debian, where each new package closes a request for it.
    "initial-upload-closes-no-bugs",
    # The changelog has the date of upstream's release, which may be older than the standards.
    "timewarp-standards-version",
    # Versions end in ~ppaN~SERIES so that the distribution's own package may take over.
    "maintainer-upload-has-incorrect-version-number",
    # One packaging is for all releases, and overrides name files that not all of them have.
    "mismatched-override",
)
"""Tags that say nothing about the package, each with its reason above it."""

SUPPRESSED_FOR: Mapping[str, tuple[str, ...]] = {
    "debian": (),
    "ubuntu": (
        # Ubuntu's dpkg-deb compresses with zstd, which Debian's lintian reads and calls malformed.
        "malformed-deb-archive",
        # A version ends in its series' number, ~ubuntu24.04.1, whose two dots are no binary NMU's.
        "binary-nmu-debian-revision-in-source",
    ),
}
"""The same, by the distribution that a package is built for."""


SUPPRESSED_WITH: Mapping[str, tuple[str, ...]] = {
    # Go links so; lintian leaves it out by itself where it sees the source package beside.
    "golang": ("statically-linked-binary",),
}
"""The same, by how the name of a build dependency begins."""


def lint(
    files: Sequence[Path],
    *,
    distribution: str,
    folder: Path,
    log: Path,
    known: Sequence[str] = (),
    needs: str = "",
) -> tuple[Finding, ...]:
    """Return lintian's warnings about a .dsc or about .debs, appending its words to ``log``.

    ``needs`` is the source package's Build-Depends. ``known`` errors, as ``PACKAGE: TAG``, count as
    warnings: the packaging had them before; so do those that `UPSTREAMS_OWN` means. Raises
    PackageFailed with the tags when there are others.
    """
    moot = [*SUPPRESSED, *SUPPRESSED_FOR[distribution]]
    moot += [
        tag
        for start, tags in SUPPRESSED_WITH.items()
        if re.search(rf"(?:^|[\s,|]){start}", needs)
        for tag in tags
    ]
    done = run(
        *("lintian", "--no-cfg", "--allow-root", "--color=never", "--fail-on=error"),
        *("--suppress-tags", ",".join(moot)),
        *files,
        timeout=_SECONDS,
        cwd=folder,
        env={"HOME": str(folder), "TMPDIR": str(folder)},
        ok=(0, 2),
    )
    name = files[0].name
    with log.open("a", encoding="utf-8") as sink:
        sink.write(f"\n==== lintian {name}\n{done.out}{done.err}")
    found = tuple(_tags(done.out, known))
    errors = [finding.message for finding in found if finding.severity == "breaking"]
    if errors:
        raise PackageFailed(
            f"lintian finds {len(errors)} errors in {name}:\n" + "\n".join(errors),
            resolution="Mend the tool's debian/, or override a tag there and say why;"
            " `lintian-explain-tags TAG` tells what each means.",
        )
    if done.code and not any(finding.severity == "risky" for finding in found):
        raise ProgramFailed(
            f"lintian ended with status {done.code}, wanted 0, though it names no error in"
            f" {name}:\n{done.tail}",
            resolution="Run again; if it stays so, see that `lintian --version` works here, or"
            " leave it out: [build] lint = false in toolsync.toml.",
        )
    return found


def _tags(text: str, known: Sequence[str] = ()) -> Iterator[Finding]:
    """Yield a finding for each error and warning; the finer grades stay in the log."""
    for line in text.splitlines():
        match = _TAG.match(line)
        # Tags that say "Show-Always" are shown whatever lintian is told.
        if match and match.group(1) in "EW" and match.group(3) not in SUPPRESSED:
            old = f"{match.group(2)}: {match.group(3)}" in known
            old = old or (UPSTREAMS_OWN in known and _is_upstreams(match.group(2), match.group(4)))
            grave = "risky" if old else "breaking"
            yield Finding(
                stage="build",
                code=f"lintian:{match.group(3)}",
                severity=grave if match.group(1) == "E" else "info",
                message=f"{line} (as the distribution has it)" if old else line,
            )


def _is_upstreams(package: str, context: str | None) -> bool:
    """Say whether a tag is about a file of the source that is no part of the packaging."""
    found = re.search(r"\[([^\]:]+)(?::\d+)?\]$", context or "")
    inside = found is not None and not found[1].startswith("debian/")
    return package.endswith(" source") and inside


def errors_of(files: Sequence[Path], *, distribution: str, folder: Path) -> tuple[str, ...]:
    """Return lintian's errors about a .dsc or .debs as `[package] lintian` names them."""
    moot = [*SUPPRESSED, *SUPPRESSED_FOR[distribution]]
    done = run(
        *("lintian", "--no-cfg", "--allow-root", "--color=never", "--fail-on=none"),
        *("--suppress-tags", ",".join(moot)),
        *files,
        timeout=_SECONDS,
        cwd=folder,
        env={"HOME": str(folder), "TMPDIR": str(folder)},
    )
    matches = filter(None, map(_TAG.match, done.out.splitlines()))
    return tuple(dict.fromkeys(f"{m.group(2)}: {m.group(3)}" for m in matches if m.group(1) == "E"))
