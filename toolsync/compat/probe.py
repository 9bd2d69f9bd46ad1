"""Run a release's commands in a sandbox: help trees, versions, exit codes, vanished options.

Nothing is run but commands of the release, by the system's own runtimes. What cannot be run is
a gap with its reason, and what its files say stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from functools import cached_property

from toolsync.compat import helptext, python
from toolsync.compat.commands import DIST, language
from toolsync.compat.compiled import library_folders
from toolsync.compat.options import Option
from toolsync.compat.reading import Release, add_options
from toolsync.system.sandbox import TOOL, Sandbox, Seen

FULL = 40
"""Of a release with more commands than this, only the help of each is asked for."""
MOST_SUBCOMMANDS = 60
"""Of one command whose help is asked for."""
_AT_ONCE = 2
_BOGUS = "--toolsync-asks-for-nothing"
_BROKEN = re.compile(
    r"Traceback \(most recent call last\)|ModuleNotFoundError|ImportError|LoadError|SyntaxError"
    r"|cannot load such file|NoClassDefFoundError|ClassNotFoundException|UnsupportedClassVersion"
    r"|error while loading shared libraries|Can't locate \S+ in @INC|command not found"
)
_REFUSED = re.compile(
    r"(?i)unrecogni[sz]ed|unknown|invalid|illegal|no such|not (?:a )?(?:recogni[sz]ed|valid)"
    r"|unexpected|bad option|ambiguous"
)

_VERSION = re.compile(r"(?<![\w.])v?\d+(?:\.\w+)+|(?:^|[\s/(\"'-])v?\d+\b")
"""A version number, also one without a point, which then stands alone."""


class Prober:
    """Runs the commands of one release; with ``only``, those that match one of its patterns."""

    def __init__(self, release: Release, sandbox: Sandbox, only: tuple[str, ...] = ()) -> None:
        self._release, self.sandbox, self._only = release, sandbox, only
        self._cannot: dict[str, str] = {}
        names = release.draft.of("environment")
        homes = {n: TOOL for n in names if n.endswith("_HOME") and n not in ("JAVA_HOME", "HOME")}
        self._environment = {
            "PYTHONPATH": ":".join((TOOL, f"{TOOL}/src", f"{TOOL}/lib", f"{TOOL}/{DIST}")),
            "RUBYLIB": f"{TOOL}/lib",
            "LD_LIBRARY_PATH": ":".join(f"{TOOL}/{f}" for f in library_folders(release.tree)),
            "PERL5LIB": f"{TOOL}/lib",
            "JAVA_HOME": sandbox.home_of("java"),
            **homes,
        }

    def examine(self) -> None:
        """Add what the commands say of themselves, and a gap for those that cannot be run."""
        commands = [
            name
            for name in self._release.commands.files
            if not self._only or any(fnmatchcase(name, pattern) for pattern in self._only)
        ]
        unusable = self.sandbox.unusable() if commands else ""
        self._cannot |= {c: unusable or self._missing(c) for c in commands}
        usable = [command for command in commands if not self._cannot[command]]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for command, reason in zip(usable, pool.map(self._help, usable), strict=True):
                self._cannot[command] = reason
            helped = [command for command in usable if not self._cannot[command]]
            if len(commands) <= FULL:
                list(pool.map(self._conventions, helped))
        self._release.draft.probed |= dict.fromkeys(sorted(helped))
        self._note_gaps()

    def _note_gaps(self) -> None:
        """Add one gap for all commands that cannot be run for the same reason."""
        reasons: dict[str, list[str]] = {}
        for command, reason in self._cannot.items():
            if reason:
                reasons.setdefault(reason, []).append(command)
        for reason, commands in reasons.items():
            more = f" and {len(commands) - 1} more" if len(commands) > 1 else ""
            vague = any(command in self._release.draft.vague for command in commands)
            told = "which do not tell everything" if vague else "which tell their options"
            self._release.draft.gap(
                "command",
                commands[0] + more,
                f"not run, only its files were read, {told}: {reason}",
            )

    def _missing(self, command: str) -> str:
        """Return which runtime a command lacks here, empty if it has what it needs."""
        program = self._runtime(command)
        if program.startswith("/") or self.sandbox.has(program):
            return ""
        return f"{program} is not on this machine"

    def _runtime(self, command: str) -> str:
        """Return the program that runs a command: its shebang's, or its own file."""
        tree, path = self._release.tree, self._release.commands.files[command]
        program = tree.interpreter(path) if path else "python3"
        if re.fullmatch(r"python3(\.\d+)?", program) or (path and path.endswith(".py")):
            program = "python3"
        if program == "python":
            program = "python3" if self._modern else "python2"
        return program or f"{TOOL}/{path}"

    @cached_property
    def _modern(self) -> bool:
        """Whether all of the release's Python is Python 3."""
        tree = self._release.tree
        sources = (path for path in tree.sources if language(tree, path) == "python")
        return all(python.read(tree.text(path) or "").modern for path in sources)

    def _argv(self, command: str) -> list[str]:
        path, target = self._release.commands.files[command], self._release.commands.target(command)
        if target:
            module, _, function = target.partition(":")
            call = f"getattr(m, {function.split('.')[0]!r})()" if function else "m.main()"
            code = f"import sys, importlib; sys.argv[0] = {command!r}"
            return [
                "python3",
                "-c",
                f"{code}; m = importlib.import_module({module!r}); sys.exit({call})",
            ]
        program = self._runtime(command)
        return [program] if program.startswith("/") else [program, f"{TOOL}/{path}"]

    def _run(self, command: str, *arguments: str) -> Seen:
        return self.sandbox.run(*self._argv(command), *arguments, environment=self._environment)

    def _help(self, command: str) -> str:
        """Add what a command's help names; return why that could not be had, or nothing."""
        seen, reason = self._asked(command, ())
        if reason:
            return reason
        self._add(command, seen.text)
        below = helptext.subcommands(seen.text)
        for name in below:
            self._release.draft.add("subcommand", f"{command} {name}")
        if len(below) >= helptext.MAX_SUBCOMMANDS:
            told = f"its help names {len(below)} subcommands and more, which are not looked at"
            self._release.draft.gap("subcommand", command, told)
        for name in below[:MOST_SUBCOMMANDS]:
            deeper, failed = self._asked(command, (name,))
            if failed:
                self._release.draft.gap("subcommand", f"{command} {name}", failed)
            else:
                self._add(f"{command} {name}", deeper.text)
        return ""

    def _asked(self, command: str, before: tuple[str, ...]) -> tuple[Seen, str]:
        """Return the most helpful answer to --help, -h or help, and why there is none."""
        first: tuple[Seen, str] | None = None
        for word in ("--help", "-h", "help"):
            seen = self._run(command, *before, word)
            reason = seen.stopped or _failure(seen)
            if not reason and any(True for _ in helptext.options(seen.text)):
                return seen, ""
            first = first or (seen, reason)
            if reason:
                break
        assert first is not None
        return first

    def _add(self, scope: str, text: str) -> None:
        if len(text) > helptext.TEXT_LIMIT:
            told = f"its help has more than {helptext.TEXT_LIMIT} characters"
            self._release.draft.gap("option", scope, told)
        add_options(self._release.draft, scope, list(helptext.options(text)))

    def _conventions(self, command: str) -> None:
        """Add exit codes for no and for bad arguments, and the shape of the version."""
        draft, echoed = self._release.draft, ""
        for name, arguments in (("no arguments", ()), ("unknown option", (_BOGUS,))):
            seen = self._run(command, *arguments)
            if seen.stopped:
                draft.gap("exit-code", f"{command} ({name})", seen.stopped)
            else:
                draft.put("exit-code", f"{command} ({name})", str(seen.code))
            echoed = seen.text.replace(_BOGUS.lstrip("-"), "version")
        seen = self._run(command, "--version")
        if seen.code == 0 and not seen.stopped:
            line = next(filter(_VERSION.search, seen.text.splitlines()), "")
            is_echo = "version" in line and line in echoed.splitlines()
            if line and not (is_echo or "--version" in line):  # that tells of what it was asked
                shape = re.sub(r"\d[\w.:+-]*", "N", line.strip())[:200]
                draft.put("version-output", command, shape)

    def vanished(self, scope: str, option: str, was: Option) -> tuple[str, str] | None:
        """Try an option that nothing names any more; None where the command cannot be run.

        It is compared with an option that no program has: a program that answers both alike
        takes neither. The answer counts only where it names the option that was made up.
        """
        command, *below = scope.split()
        if self._cannot.get(command, "it is no command"):
            return None
        for arguments in _arguments(was):
            control = self._run(command, *below, _BOGUS, *arguments)
            if control.stopped or _BOGUS.lstrip("-") not in control.text:
                continue
            seen = self._run(command, *below, option, *arguments)
            shown = " ".join([scope, option, *arguments])
            if seen.stopped:
                return "unknown", f"`{shown}` told nothing: {seen.stopped}"
            if _alike(seen, option, control):
                return "breaking", f"`{shown}` is refused: {_line(seen.text, option)}"
            return "risky", f"no longer named, and still accepted by `{shown}`"
        return "unknown", f"no longer named; {command} does not tell whether it still takes it"


def _arguments(was: Option) -> Iterator[tuple[str, ...]]:
    """Yield words to put after an option, until the program complains of the option itself."""
    longest = 4
    start = 1 if was.takes == "value" else 0
    yield from (("1",) * count for count in (*range(start, longest), *range(start)))


def _alike(seen: Seen, option: str, control: Seen) -> bool:
    """Say whether a program answers an option as it answers one that it cannot know."""
    if seen.code != control.code:
        return False
    plain = control.text.replace(_BOGUS, "@").replace(_BOGUS.lstrip("-"), "@")
    mine = seen.text.replace(option, "@").replace(option.lstrip("-"), "@")
    if mine == plain:
        return True
    return any(_REFUSED.search(line) and option in line for line in seen.text.splitlines())


def _line(text: str, word: str) -> str:
    lines = text.strip().splitlines() or [""]
    return next((line for line in lines if word in line), lines[-1]).strip()[:200]


def _failure(seen: Seen) -> str:
    """Return why a run shows nothing of the command: it crashed, or something is missing."""
    match = _BROKEN.search(seen.text)
    if seen.code in (126, 127) or seen.code >= 128 or (match and seen.code != 0):
        lines = [line.strip() for line in seen.text.strip().splitlines() if line.strip()]
        telling = _telling(lines)
        return f"it ended with status {seen.code}" + (f": {telling[:200]}" if telling else "")
    return ""


def _telling(lines: Iterable[str]) -> str:
    lines = list(lines)
    named = [line for line in lines if _BROKEN.search(line) and "Traceback" not in line]
    return named[-1] if named else lines[-1] if lines else ""
