"""Find a release's commands, and for each the files of the tree that it loads."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import PurePosixPath

from toolsync.compat import python, ruby, shell
from toolsync.compat.files import Tree
from toolsync.compat.options import Option

_PLACES = re.compile(r"(?:(?:src|usr|usr/local)/)?(?:s?bin|exe|scripts|games)/([^/]+)")
DIST = "usr/lib/python3/dist-packages"
"""Where a binary package has its Python."""
_WINDOWS = (".cmd", ".bat", ".exe", ".ps1", ".dll")
_NO_PROGRAM = (
    *_WINDOWS,
    *(".txt", ".md", ".rst", ".in", ".1", ".8", ".jar", ".so", ".pyc", ".json"),
)
_NO_COMMAND = frozenset({"setup.py", "configure", "install", "install.sh", "conftest.py"})
"""Executables at the top of a tree that build it or install it."""
_SHELLS = ("sh", "bash", "dash", "ksh", "zsh")
_OLD_MODULES = frozenset(
    re.findall(
        r"\w+",
        "ConfigParser StringIO cStringIO Queue urllib2 urlparse httplib cPickle commands imp "
        "distutils __builtin__ HTMLParser xmlrpclib ",
    )
)
"""Of Python's own library in earlier versions."""
MOST_FILES = 2000
"""That one command loads and that are looked at; of more, not all its options are known."""
_ELF = b"\x7fELF"


class Commands:
    """The commands of one tree."""

    def __init__(self, tree: Tree, entries: dict[str, str]) -> None:
        self._tree, self._entries = tree, entries

    @cached_property
    def files(self) -> dict[str, str]:
        """Every command's file in the tree, empty for one that an installer makes."""
        found = {name: self._module(target) for name, target in self._entries.items()}
        for path in self._tree.sources:
            match = _PLACES.fullmatch(path)
            name = match[1] if match else path if self._is_top_script(path) else ""
            if name and self._is_program(path):
                found[name] = path
        for name in _setup_scripts(self._tree.text("setup.py") or ""):
            if name in self._tree.files and self._is_program(name):
                found.setdefault(PurePosixPath(name).name, name)
        return dict(sorted(found.items()))

    def target(self, command: str) -> str:
        """Return the ``module:function`` behind an entry point, empty for a file of its own."""
        return self._entries.get(command, "")

    def _is_top_script(self, path: str) -> bool:
        return (
            "/" not in path
            and path not in _NO_COMMAND
            and self._tree.executable(path)
            and self._tree.head(path, 2) == b"#!"
        )

    def _is_program(self, path: str) -> bool:
        name = PurePosixPath(path).name
        if name.startswith((".", "__")) or name.endswith(_NO_PROGRAM):
            return False
        head = self._tree.head(path, 4)
        return head[:2] == b"#!" or head == _ELF

    def _module(self, target: str) -> str:
        return next(reversed([*self._python_files(target.partition(":")[0])]), "")

    def loaded(self, path: str) -> tuple[str, ...]:
        """Return a program's file and the files of the tree that it loads, directly or not."""
        seen: dict[str, None] = {path: None}
        queue = [path] if path else []
        while queue and len(seen) < MOST_FILES:
            for name in self._loads(queue.pop()):
                if name not in seen and name in self._tree.files:
                    seen[name] = None
                    queue.append(name)
        return tuple(seen)

    def reached(self, files: Sequence[str]) -> tuple[str, ...]:
        """Return those of a program's `loaded` files whose options may be the program's own."""
        sources = {
            path: ruby.read(self._tree.text(path) or "")
            for path in files
            if language(self._tree, path) == "ruby"
        }
        programs = set(files[:1]) & set(sources)
        for path in files:
            if path not in sources:
                programs |= set(self._loads(path)) & set(sources)
        kept = ruby.reached(sources, programs)
        return tuple(path for path in files if path not in sources or path in kept)

    def tell_all(self, files: Iterable[str]) -> bool:
        """Say whether all options of a program with these files must stand in them.

        Not so where no reader knows the language, where Python imports what is neither its own
        nor the release's, and where a shell script hands its arguments to who knows what.
        """
        spoken = {language(self._tree, path) for path in files}
        if "" in spoken or (spoken == {"shell"} and any(map(self._hands_on, files))):
            return False
        return not self._borrow(files)

    def _hands_on(self, path: str) -> bool:
        return bool(re.search(r"\$[@*]", self._tree.text(path) or ""))

    def _borrow(self, files: Iterable[str]) -> bool:
        known = set(sys.stdlib_module_names) | _OLD_MODULES
        for path in files:
            if language(self._tree, path) == "python":
                for name in python.read(self._tree.text(path) or "", _package(path)).imports:
                    if name.split(".")[0] not in known and not any(self._python_files(name)):
                        return True
        return False

    def _loads(self, path: str) -> Iterable[str]:
        """Return what one file loads; wrong guesses are left out by the caller."""
        text = self._tree.text(path)
        if text is None:
            return ()
        match language(self._tree, path):
            case "python":
                imports = python.read(text, _package(path)).imports
                return [file for name in imports for file in self._python_files(name)]
            case "ruby":
                return [
                    f
                    for name, near in ruby.read(text).requires
                    for f in self._gem(path, name, near)
                ]
            case "shell":
                return [file for word in shell.read(text).paths for file in self._ending(word)]
        return ()

    def _python_files(self, dotted: str) -> Iterator[str]:
        """Yield the files that importing a dotted name loads: packages on the way, the module."""
        parts = dotted.split(".")
        roots = ("", "src/", "lib/", "python/", "src/python/", f"{DIST}/")
        for end in range(1, len(parts) + 1):
            path = "/".join(parts[:end])
            for root in roots:
                for file in (f"{root}{path}.py", f"{root}{path}/__init__.py"):
                    if file in self._tree.files:
                        yield file

    def _gem(self, path: str, name: str, near: bool) -> Iterator[str]:
        name = name if name.endswith(".rb") else f"{name}.rb"
        if near:
            yield _joined(PurePosixPath(path).parent, name)
        else:
            yield from (f"lib/{name}", name)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self._tree.files:
            found.setdefault(PurePosixPath(path).name, []).append(path)
        return found

    def _ending(self, word: str) -> Iterator[str]:
        """Yield files whose path ends as a word of a script does."""
        for path in self._by_name.get(PurePosixPath(word).name, ()):
            if f"/{path}".endswith(f"/{word}"):
                yield path


def options_in(tree: Tree, path: str) -> dict[str, list[Option]]:
    """Return the options that one source file declares, by subcommand (empty for none)."""
    text = tree.text(path) or ""
    match language(tree, path):
        case "python":
            return python.read(text).options
        case "ruby":
            return {"": list(ruby.read(text).options)}
        case "shell":
            return {"": list(shell.read(text).options)}
    return {}


def environment_in(tree: Tree, path: str) -> frozenset[str]:
    """Return the environment variables that one source file reads."""
    text = tree.text(path) or ""
    match language(tree, path):
        case "python":
            return frozenset(python.read(text).environment)
        case "ruby":
            return ruby.read(text).environment
        case "shell":
            return shell.read(text).environment
    return frozenset()


def language(tree: Tree, path: str) -> str:
    """Return ``python``, ``ruby``, ``shell`` or ``java``, empty for what no reader knows."""
    suffix = PurePosixPath(path).suffix
    known = {".py": "python", ".rb": "ruby", ".sh": "shell", ".jar": "java"}
    if suffix in known:
        return known[suffix]
    program = tree.interpreter(path)
    if program.startswith(("python", "pypy")):
        return "python"
    if program.startswith(("ruby", "jruby")):
        return "ruby"
    return "shell" if program in _SHELLS else ""


def _setup_scripts(text: str) -> list[str]:
    """Return the files of ``scripts=[…]`` in a setup.py."""
    block = re.search(r"\bscripts\s*=\s*\[([^\][]*)\]", text)
    names = re.findall(r"['\"]([\w./+-]+)['\"]", block[1]) if block else []
    return [name for name in names if not name.endswith(_WINDOWS)]


def _package(path: str) -> str:
    """Return the dotted package that a Python file lies in."""
    return ".".join(PurePosixPath(path).parts[:-1])


def _joined(folder: PurePosixPath, name: str) -> str:
    parts: list[str] = []
    for part in (folder / name).parts:
        if part == "..":
            del parts[-1:]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
