"""Run a package's own tests (debian/tests) on the built .debs, in the clean chroot.

They are upstream's code, and run without this machine's network: from in there one proxy leads to
the mirrors that apt needs, and, for tests that say that they need the internet, to the hosts that
the settings name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolsync.build.job import (
    LOG_LIMIT,
    Job,
    decisive_lines,
    failed,
    last_lines,
    no_room,
    too_long,
    unreachable,
)
from toolsync.model.errors import ProgramFailed, TookTooLong, ToolsyncError, TryAgain
from toolsync.model.release import Finding
from toolsync.system import testproxy
from toolsync.system.run import run
from toolsync.system.testproxy import ADDRESS

_RESULT = re.compile(
    r"^(\S+) +(PASS|FAIL|SKIP|FLAKY)\b(.*)$",
    re.MULTILINE,
)
_TIMED_OUT = "timed out"
"""autopkgtest's own and whole word on such a test; a test's own words come after ``stderr:``."""
_PROXY = (
    f"printf '%s\\n' 'Acquire::http::Proxy \"{ADDRESS}\";' 'Acquire::https::Proxy \"{ADDRESS}\";'"
    " 'Acquire::http::Pipeline-Depth \"0\";' 'Acquire::Retries \"2\";'"
    " >/etc/apt/apt.conf.d/00toolsync"
)
"""A command in the testbed, by which apt there knows the proxy."""


_FAILED = (4, 6)
_SETTLED = (0, 2, 4, 6, 8)
"""Statuses that fresh package lists would not change: each test was run or skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run of autopkgtest came to."""

    code: int
    text: str
    """All that was said, by upstream's code, too."""
    summary: str = ""
    """autopkgtest's own file of results, one line for each test."""
    full: Path | None = None
    """Where a disk was full meanwhile."""
    missed: tuple[str, ...] = ()
    """Hosts that could not be reached and should have been."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    meaning: str
    passes: bool
    severity: str = "info"


VERDICTS: Mapping[int, _Verdict] = {
    0: _Verdict("all tests passed", passes=True),
    2: _Verdict("some tests were skipped or are flaky", passes=True, severity="risky"),
    4: _Verdict("a test failed", passes=False),
    6: _Verdict("a test failed and one was skipped", passes=False),
    8: _Verdict("no test, or only superficial ones", passes=True, severity="risky"),
    12: _Verdict("the package cannot be tested: it is erroneous", passes=False),
    14: _Verdict("the package is erroneous and a test was skipped", passes=False),
}
"""What autopkgtest(1) ends with and what follows; every other status is the testbed's trouble."""


def autopkgtest(
    job: Job, *, debs: tuple[Path, ...], tarball: Path
) -> tuple[str, tuple[Finding, ...]]:
    """Return the tests' outcome in one phrase, and findings where it is not a plain pass.

    Raises PackageFailed when a test fails, Unreachable when the testbed's mirror did not
    answer, OutOfSpace when the disk was full, TryAgain when the time was over or the testbed
    broke in another way. Appends all words to ``job.log``.
    """
    ran = _attempt(job, debs, tarball, update=False)
    if ran.code not in _SETTLED:
        ran = _attempt(job, debs, tarball, update=True)
    code, text = ran.code, ran.text
    with job.log.open("a", encoding="utf-8") as sink:
        sink.write(f"\n==== autopkgtest {job.dsc.name}\n{text}")
    verdict = VERDICTS.get(code)
    what = f"the tests of {job.dsc.name} for {job.series}"
    if code in _FAILED and (known := _known_failures(job, ran, tarball)):
        return _phrase(ran.summary), (known,)
    if verdict is None or not verdict.passes:
        raise trouble(ran, what)
    phrase = _phrase(ran.summary) or verdict.meaning
    if code == 0:
        return phrase, ()
    finding = Finding(
        stage="build",
        code=f"autopkgtest-{code}",
        severity=verdict.severity,
        message=f"{what}: {verdict.meaning}",
    )
    return f"{phrase} ({verdict.meaning})" if _phrase(ran.summary) else phrase, (finding,)


def _known_failures(job: Job, ran: Ran, tarball: Path) -> Finding | None:
    """Return that a test fails here with what the series itself serves as well; None if any is new.

    What fails before and after says something of the test or the testbed, nothing of the release:
    so migrations of Debian's archive are judged, too.
    """
    dsc = job.former()
    if dsc is None:
        return None
    place = dsc.parent / "tests"
    place.mkdir(exist_ok=True)
    before = _attempt(replace(job, dsc=dsc, folder=place), (), tarball, update=False)
    with job.log.open("a", encoding="utf-8") as sink:
        sink.write(f"\n==== autopkgtest {dsc.name}, to compare\n{before.text}")
    failed_now, failed_then = _failing(ran), _failing(before)
    if not failed_now or not failed_now <= failed_then:
        return None
    return Finding(
        stage="build",
        code="autopkgtest-as-before",
        severity="risky",
        message=f"{', '.join(sorted(failed_now))} failed, as with {dsc.name} of {job.series}",
    )


def _failing(ran: Ran) -> frozenset[str]:
    return frozenset(m.group(1) for m in _results(ran.summary) if m.group(2) == "FAIL")


def trouble(ran: Ran, what: str) -> ToolsyncError:
    """Return whose fault it is that the tests did not pass: the world's, or the package's."""
    if ran.full is not None:
        return no_room(what, ran.full, ran.text)
    if ran.missed:
        return unreachable(f"{what} ({', '.join(ran.missed)} could not be reached)", ran.text)
    verdict = VERDICTS.get(ran.code)
    if verdict is None:
        return TryAgain(
            f"{what} could not be run, autopkgtest's status is {ran.code}:\n{last_lines(ran.text)}",
            resolution="Run again; if it stays so, run autopkgtest by hand on the same files.",
        )
    failures = [match for match in _results(ran.summary) if match.group(2) == "FAIL"]
    if failures and all(match.group(3).strip() == _TIMED_OUT for match in failures):
        lines = "\n".join(match.group(0) for match in failures)
        return too_long(what, TookTooLong("autopkgtest stopped a test, its time was over"), lines)
    return failed(f"{what}: {verdict.meaning}", _failures(ran))


def _attempt(job: Job, debs: tuple[Path, ...], tarball: Path, *, update: bool) -> Ran:
    """Run autopkgtest once."""
    log, summary = job.folder / "autopkgtest.log", job.folder / "autopkgtest.summary"
    for old in (log, summary):
        old.unlink(missing_ok=True)
    temp = job.folder / "autopkgtest"
    temp.mkdir(exist_ok=True)
    way_out = temp / "way-out"
    way_out.mkdir(exist_ok=True)
    hosts = (*job.chroots.mirror_hosts(job.series), *job.hosts)
    try:
        with testproxy.opened(way_out, hosts) as opened:
            done = run(
                "autopkgtest",
                *(("--apt-upgrade",) if update else ()),
                *("--no-built-binaries", "--summary-file", summary, "--setup-commands", _PROXY),
                *_internet(job.hosts),
                *debs,
                job.dsc,
                *("--", "unshare", "--tarball", tarball, "--release", job.series),
                *("--prefix", f"{temp}/testbed-"),
                cwd=job.folder,
                timeout=job.seconds,
                log=log,
                limit=LOG_LIMIT,
                env={"TMPDIR": str(temp), "HOME": str(job.folder)},
                ok=range(256),
                isolation=replace(job.isolation, proxy=way_out),
            )
    except TookTooLong as error:
        raise too_long(f"the tests of {job.dsc.name} did not end", error, _text(log)) from error
    except ProgramFailed as error:  # it said, or used, too much
        raise failed(f"the tests of {job.dsc.name} did not end", str(error)) from error
    return Ran(
        code=done.code,
        text=_text(log),
        summary=_text(summary),
        full=done.full,
        missed=tuple(sorted(opened.missed)),
    )


def _internet(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words by which tests that need the internet are skipped, or shown the proxy."""
    if not hosts:
        return ("--needs-internet=skip",)
    names = ("http_proxy", "https_proxy", "HTTPS_PROXY")
    return ("--needs-internet=run", *(f"--env={name}={ADDRESS}" for name in names))


def _phrase(summary: str) -> str:
    """Return how many tests ended in which way, such as ``2 passed, 1 skipped``."""
    words = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "FLAKY": "flaky"}
    results = [match.group(2) for match in _results(summary)]
    counted = [f"{results.count(key)} {word}" for key, word in words.items() if key in results]
    return ", ".join(counted)


def _failures(ran: Ran) -> str:
    lines = [match.group(0) for match in _results(ran.summary) if match.group(2) == "FAIL"]
    text = ran.text.rpartition("@@@@")[0] or ran.text
    return "\n".join([*lines, decisive_lines(text, most=8)])


def _results(summary: str) -> list[re.Match[str]]:
    """Return the lines of the summary, one for each test: the last, where it is told twice."""
    return list({match.group(1): match for match in _RESULT.finditer(summary)}.values())


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
