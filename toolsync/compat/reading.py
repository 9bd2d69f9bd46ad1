"""Read a release's surface from its tree, with nothing executed: the table of readers."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from pathlib import Path

from toolsync.compat import compiled, golang, helptext, java, metadata, models, ruby
from toolsync.compat.commands import MOST_FILES, Commands, environment_in, language, options_in
from toolsync.compat.files import TEXT_LIMIT, Tree
from toolsync.compat.options import MAX_OPTIONS, Option, merged
from toolsync.compat.python import read as read_python
from toolsync.compat.surface import Draft, Surface

_MAN = re.compile(r"(?:.*/)?([\w.+-]+)\.([18])(?:\.gz)?")
_CONFFILE = re.compile(r"(?:(?:.*/)?etc|conf|config)/.+|[^/]+\.(?:conf|ini|cfg\.sample)")
_PATH = re.compile(
    r"(?:share|systemd|init\.d|completions?|udev)/.+|bin/.+|.*\.(?:service|timer|socket)"
)
_OLD_PYTHON = re.compile(r"python2?(?:\.[0-7])?")

_EVERYBODYS = frozenset(
    re.findall(
        r"\w+",
        "PATH HOME PWD OLDPWD IFS USER SHELL OPTARG OPTIND RANDOM UID EUID PPID HOSTNAME OSTYPE "
        "REPLY SECONDS FUNCNAME LINENO PIPESTATUS LOGNAME TERM LANG TMPDIR BASH_SOURCE "
        "BASH_REMATCH BASH_VERSION ",
    )
)
"""Environment of every process or of the shell itself, which says nothing of a tool."""


class Release:
    """A tree while it is read: readers share what they found."""

    def __init__(self, root: Path) -> None:
        self.tree = Tree(root)
        self.draft = Draft()
        self.entries: dict[str, str] = {}
        self.commands = Commands(self.tree, self.entries)

    def surface(self) -> Surface:
        """Return what is known by now."""
        return self.draft.done(self.tree.digest())


Reader = Callable[[Release], None]


def _metadata(release: Release) -> None:
    metadata.read(release.tree, release.draft, release.entries)


def _commands(release: Release) -> None:
    """Add commands with the options that their files declare."""
    for command, path in release.commands.files.items():
        release.draft.add("command", command, path)
        declared: dict[str, list[Option]] = {}
        loaded = release.commands.loaded(path)
        if len(loaded) >= MOST_FILES or not release.commands.tell_all(loaded):
            release.draft.vague[command] = None
        for file in release.commands.reached(loaded):
            for scope, options in options_in(release.tree, file).items():
                declared.setdefault(scope, []).extend(options)
            if language(release.tree, file) == "python":
                for name in read_python(release.tree.text(file) or "").subcommands:
                    release.draft.add("subcommand", f"{command} {name}")
        for scope, options in declared.items():
            add_options(release.draft, f"{command} {scope}".rstrip(), options)


def add_options(draft: Draft, scope: str, options: list[Option]) -> None:
    """Add options to a command; what is known already says more than what comes later."""
    if len(options) >= MAX_OPTIONS and len({option.name for option in options}) >= MAX_OPTIONS:
        draft.gap("option", scope, f"it names {MAX_OPTIONS} options and more; not all were read")
    for name, option in merged(options).items():
        draft.add("option", f"{scope} {name}", option.words())


def _man_pages(release: Release) -> None:
    """Add the options that a command's man page names; other commands' pages tell nothing."""
    for path in release.tree.files:
        match = _MAN.fullmatch(path)
        if not match or match[1] not in release.commands.files:
            continue
        text = _unpacked(release.tree.read(path), packed=path.endswith(".gz"))
        if text is None or len(text) > helptext.TEXT_LIMIT:
            release.draft.gap("option", match[1], f"{path} is too long for a man page, or damaged")
            continue
        add_options(release.draft, match[1], list(helptext.options(helptext.man_page(text))))


def _unpacked(data: bytes | None, *, packed: bool) -> str | None:
    """Return a man page's text; None for one that is too long or damaged."""
    try:
        if packed and data is not None:
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            data = unpacker.decompress(data, TEXT_LIMIT)
            data = data if unpacker.eof else None
    except zlib.error:
        return None
    return None if data is None else data.decode("utf-8", errors="replace")


def _sources(release: Release) -> None:
    """Add the environment names that sources read, and the API versions that they speak."""
    for path in release.tree.sources:
        if language(release.tree, path) == "python":
            for name, version in read_python(release.tree.text(path) or "").apis.items():
                release.draft.add("api", name, version)
        for name in environment_in(release.tree, path) - _EVERYBODYS:
            release.draft.add("environment", name)


def _required_libraries(release: Release) -> None:
    """Add Ruby libraries that are required and not in the tree."""
    for path in release.tree.sources:
        if language(release.tree, path) != "ruby":
            continue
        for name, near in ruby.read(release.tree.text(path) or "").requires:
            inside = {f"lib/{name}.rb", f"{name}.rb", f"lib/{name}", name} & set(release.tree.files)
            if not near and not inside:
                release.draft.add("dependency", f"ruby {name.split('/')[0]}")


def _runtimes(release: Release) -> None:
    """Add the runtimes that commands' shebangs name; a numbered Python is a floor."""
    for path in release.commands.files.values():
        program = release.tree.interpreter(path) if path else ""
        match = re.fullmatch(r"(python|ruby)(\d+(?:\.\d+)?)", program)
        if match and match[0] != "python3":
            release.draft.add("runtime", match[1], f"=={match[2]}.*")


def _java(release: Release) -> None:
    java.read(release.tree, release.draft)


def _models(release: Release) -> None:
    models.read(release.tree, release.draft)


def _headers(release: Release) -> None:
    compiled.read_headers(release.tree, release.draft)


def _go(release: Release) -> None:
    golang.read_go(release.tree, release.draft)


def _paths(release: Release) -> None:
    commands = set(release.commands.files.values())
    for path in release.tree.sources:
        if _CONFFILE.fullmatch(path):
            release.draft.add("conffile", path)
        elif _PATH.fullmatch(path) and path not in commands:
            release.draft.add("path", path)


READERS: tuple[tuple[str, Reader], ...] = (
    ("what the release declares", _metadata),
    ("commands and their sources", _commands),
    ("man pages", _man_pages),
    ("environment and API versions", _sources),
    ("Ruby libraries", _required_libraries),
    ("runtimes", _runtimes),
    ("jars", _java),
    ("service models", _models),
    ("headers", _headers),
    ("Go packages", _go),
    ("paths", _paths),
)
"""What is read of every tree, in this order: a later reader sees what an earlier one found."""


def read_tree(root: Path) -> Release:
    """Return the release below a folder with everything that is known without running it."""
    release = Release(root)
    for what, reader in READERS:
        try:
            reader(release)
        except OSError as error:
            release.draft.gap("tree", what, f"a file could not be read: {error.strerror}")
    for name, why in sorted(release.tree.unread.items()):
        release.draft.gap("file", name, why)
    if release.tree.too_many:
        release.draft.gap("tree", "files", "the release has more files than are looked at")
    return release
