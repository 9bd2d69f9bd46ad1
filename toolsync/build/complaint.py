"""Read in a build's log why it failed: what is told to people, and decides nothing.

The log's end is seldom the reason: make, debhelper and dpkg-buildpackage all give up after the
program that failed first. So the first of those that gave up is looked for, and what was complained
of before it. What debhelper went on after (`dh_auto_test || true`) did not end the build.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ENDED = re.compile(
    r"^(?:make(?:\[\d+\])?: \*\*\* (?!.*\(ignored\))|dh_\w+: error: |ninja: build stopped"
    r"|dpkg-\w+: error: |FAILED: )"
)
"""What gave up; the first such line ends the search."""
_STEP = re.compile(r"^   (?:dh_\w+|debian/rules \w+)")
"""dh(1) names each step before it takes it; the one that ended the build is the last."""
_CAUSE = re.compile(
    r"(?:\berror: |\berror\[|^error\b|^E: |^\[ERROR\]|CMake Error|undefined reference"
    r"|cannot find (?:-l|package|module)|No rule to make target|is not in (?:GOROOT|std)"
    r"|no required module|^\S+\.go:\d+(?::\d+)?: "
    r"|^(?:E\s+|\s*)[\w.]*(?:Error|Exception): |Can't locate \S+ in @INC"
    r"|\bFAILED\b"
    r"|^\s*(?:FAIL|ERROR)\b|^not ok |\(Wstat: (?!0 )"
    r"|dh_\w+: warning: .*(?:is not installed|Cannot find)"
    r"|^dh_\w+: error|: (?:command )?not found$|No such file or directory"
    r"|cannot (?:stat|open|create)|symbols or patterns disappeared|^#MISSING: )"
)
_HEADLINE = re.compile(r"(?:[A-Z]{3,} ?|Error installing \S+):$")
_HARMLESS = re.compile(
    r"^(?:checking |\s*-- |configure: |.*\bwarning: (?!.*is not installed).*\[-W)"
)
_TRACEBACK = re.compile(r"\s*Traceback \(most recent call last\):$")
_AROUND, _NEAR, _MOST, _LONG = 200, 4, 12, 300
_MEANT = (
    (
        re.compile(r"^dh_(?:install|missing): .*\blib[^/\s]*\.so\.\d"),
        "a library's files are not those that the packaging names: where its soname is another,"
        " its package must be renamed (Debian Policy 8.1)",
    ),
    (
        re.compile(r"^dh_missing: "),
        "the release installs files that the packaging does not know, and dh_missing holds that",
    ),
    (
        re.compile(r"^dh_(?:install|installman|installdocs|installexamples|link): "),
        "the packaging names files that this release does not have",
    ),
    (
        re.compile(r"symbols or patterns disappeared|^dpkg-gensymbols: "),
        "a library lost symbols that debian/*.symbols names: its package may need a new name",
    ),
    (
        re.compile(r"cannot find package|is not in (?:GOROOT|std)|no required module"),
        "the release needs a Go package that is not among its build dependencies",
    ),
    (
        re.compile(r"\.go:\d+:\d+: pattern .*: no matching files found"),
        "the release puts files into its program that the packaging does not bring to where it is"
        " built (DH_GOLANG_INSTALL_EXTRA of dh-golang)",
    ),
    (
        re.compile(r"can't open file .*setup\.py|setup\.py.*No such file"),
        "the release has no setup.py any more, by which the packaging builds it: it is built by"
        " pyproject.toml (pybuild-plugin-pyproject and its build backend)",
    ),
    (
        re.compile(r"ModuleNotFoundError|Can't locate \S+ in @INC|cannot find module"),
        "the release needs a module that is not among its build dependencies",
    ),
)
"""What a first complaint means to whoever mends the packaging."""


def complaints(text: str) -> tuple[str, ...]:
    """Return what was complained of before a build gave up, and what stood last before that."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    step = max((at for at, line in enumerate(lines) if _STEP.match(line)), default=0)
    end = next((at for at in range(step, len(lines)) if _ENDED.match(lines[at])), None)
    if end is None:
        return ()
    before = lines[max(step, end - _AROUND) : end]
    found = [line for line in before if _CAUSE.search(line) and not _HARMLESS.match(line)]
    near = before[-_NEAR:]
    chosen = dict.fromkeys([*found[:_MOST], *near, lines[end]] if found else [lines[end], *near])
    return tuple(line.strip()[:_LONG] for line in chosen)


def raised(lines: Sequence[str]) -> list[str]:
    """Return lines with each of Python's tracebacks told by what was raised, which is its end.

    Its headline says nothing, and the frames between name code alone.
    """
    found: list[str] = []
    inside = ""
    for line in lines:
        if _TRACEBACK.match(line):
            inside = line[: len(line) - len(line.lstrip())] + " "
        elif not inside:
            found.append(line)
        elif not line.startswith(inside):
            inside = ""
            found.append(line)
    return found


def reason(text: str) -> str:
    """Return the first complaint in a phrase, with what it means where that is known.

    A line that only announces others (``[ERROR] COMPILATION ERROR :``, or RubyGems' ``ERROR:  Error
    installing x.gem:``) is none.
    """
    found = complaints(text)
    if not found:
        return ""
    first = next((line for line in found if not _HEADLINE.search(line)), found[0])
    meant = next((said for pattern, said in _MEANT if pattern.search(first)), "")
    return f"{meant}: {first}" if meant else first
