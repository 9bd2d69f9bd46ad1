"""Run a package's own tests (debian/tests) on the built .debs, in the clean chroot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolsync.build.job import (
    LOG_LIMIT,
    Job,
    decisive_lines,
    failed,
    is_full_disk,
    is_network_trouble,
    last_lines,
    no_room,
    too_long,
    unreachable,
)
from toolsync.model.errors import ProgramFailed, TookTooLong, ToolsyncError, TryAgain
from toolsync.model.release import Finding
from toolsync.system.run import run

_RESULT = re.compile(
    r"^(\S+) +(PASS|FAIL|SKIP|FLAKY)\b(.*)$",
    re.MULTILINE,
)
_NEEDS_NEWS = re.compile(r"badpkg|unmet dependencies|Unable to locate package|404 +Not Found")


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
    log = job.folder / "autopkgtest.log"
    code = _attempt(job, debs, tarball, log, update=False)
    if code not in (0, 2, 8) and _NEEDS_NEWS.search(_text(log)):
        code = _attempt(job, debs, tarball, log, update=True)
    text = _text(log)
    with job.log.open("a", encoding="utf-8") as sink:
        sink.write(f"\n==== autopkgtest {job.dsc.name}\n{text}")
    verdict = VERDICTS.get(code)
    what = f"the tests of {job.dsc.name} for {job.series}"
    if verdict is None or not verdict.passes:
        raise trouble(job, code, what, text)
    phrase = _phrase(text) or verdict.meaning
    if code == 0:
        return phrase, ()
    finding = Finding(
        stage="build",
        code=f"autopkgtest-{code}",
        severity=verdict.severity,
        message=f"{what}: {verdict.meaning}",
    )
    return f"{phrase} ({verdict.meaning})" if _phrase(text) else phrase, (finding,)


def trouble(job: Job, code: int, what: str, text: str) -> ToolsyncError:
    """Return whose fault it is that the tests did not pass: the world's, or the package's."""
    if is_full_disk(text):
        return no_room(what, job.folder, text)
    if is_network_trouble(text):
        return unreachable(what, text)
    verdict = VERDICTS.get(code)
    if verdict is None:
        return TryAgain(
            f"{what} could not be run, autopkgtest's status is {code}:\n{last_lines(text)}",
            resolution="Run again; if it stays so, run autopkgtest by hand on the same files.",
        )
    failures = [match for match in _results(text) if match.group(2) == "FAIL"]
    if failures and all("timed out" in match.group(3) for match in failures):
        lines = "\n".join(match.group(0) for match in failures)
        return too_long(what, TookTooLong("autopkgtest stopped a test, its time was over"), lines)
    return failed(f"{what}: {verdict.meaning}", _failures(text))


def _attempt(job: Job, debs: tuple[Path, ...], tarball: Path, log: Path, *, update: bool) -> int:
    """Run autopkgtest once and return its status."""
    log.unlink(missing_ok=True)
    temp = job.folder / "autopkgtest"
    temp.mkdir(exist_ok=True)
    try:
        return run(
            "autopkgtest",
            *(("--apt-upgrade",) if update else ()),
            "--no-built-binaries",
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
        ).code
    except TookTooLong as error:
        raise too_long(f"the tests of {job.dsc.name} did not end", error, _text(log)) from error
    except ProgramFailed as error:  # too much to say
        raise failed(f"the tests of {job.dsc.name} did not end", str(error)) from error


def _phrase(text: str) -> str:
    """Return how many tests ended in which way, such as ``2 passed, 1 skipped``."""
    words = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "FLAKY": "flaky"}
    results = [match.group(2) for match in _results(text)]
    counted = [f"{results.count(key)} {word}" for key, word in words.items() if key in results]
    return ", ".join(counted)


def _failures(text: str) -> str:
    lines = [match.group(0) for match in _results(text) if match.group(2) == "FAIL"]
    return "\n".join([*lines, decisive_lines(text.rpartition("@@@@")[0] or text, most=8)])


def _results(text: str) -> list[re.Match[str]]:
    """Return the lines of the summary, one for each test."""
    summary = text.rpartition("@@@@ summary")[2] or text.rpartition("summary")[2]
    return list(_RESULT.finditer(summary))


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
