"""What the commands share: settings, an opened context, and progress on stderr."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolsync.model.errors import SetupError, UsageError
from toolsync.model.text import escaped

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.config.settings import Config
    from toolsync.model.release import Outcome
    from toolsync.pipeline.context import Context
    from toolsync.pipeline.memory import Event
    from toolsync.setup.kept import Definitions


_MANY = 500
"""Tools from which on it pays to keep what their definitions say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The global options."""

    config: Path | None
    state: Path | None
    verbose: bool
    debug: bool

    @property
    def words(self) -> list[str]:
        """The same as words of a command line."""
        given = {"--config": self.config, "--state": self.state}
        return [word for name, path in given.items() if path for word in (name, str(path))]

    def load(self) -> Config:
        """Read the set-up."""
        from toolsync.setup.settings import load_config

        return load_config(self.config, self.state)

    def load_as_owner(self) -> Config:
        """Read the set-up, and from here on be the state's owner if we are root."""
        from toolsync.system.user import become_owner

        config = self.load()
        return self.load() if become_owner(config.state) else config


def tool_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the tools whose names begin with ``incomplete``, for shell completion."""
    from toolsync.model.errors import ToolsyncError
    from toolsync.setup.settings import load_config
    from toolsync.setup.tools import tool_places

    given = ctx.find_root().params
    try:
        places = dict(tool_places(load_config(given.get("config"), given.get("state"))))
    except ToolsyncError:
        return []
    return sorted(name for name in places if name.startswith(incomplete))


def say(text: str, *, err: bool = False) -> None:
    """Print a line without terminal control sequences from outside."""
    click.echo(printable(text), err=err)


def printable(text: str) -> str:
    """Return an untrusted text with escapes for what is not to be printed."""
    return escaped(text, "\n\t")


class RegularFile(click.Path):
    """An argument that names a file with an end: no pipe, no device, no folder.

    ``folders`` are allowed where a tree may stand for an archive, ``limit`` is in bytes.
    """

    def __init__(self, *, exists: bool = True, folders: bool = False, limit: int = 0) -> None:
        super().__init__(exists=exists, dir_okay=folders, path_type=Path)
        self._limit = limit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; fails where it is something that may be read for ever."""
        path = Path(str(super().convert(value, param, ctx)))
        try:
            seen = path.stat()
        except OSError:
            return path  # whoever reads it says what is wrong
        if not (stat.S_ISREG(seen.st_mode) or stat.S_ISDIR(seen.st_mode)):
            self.fail(f"{path} is no regular file: a pipe or device has no end", param, ctx)
        if self._limit and seen.st_size > self._limit:
            self.fail(f"{path} has more than {self._limit} bytes, the limit", param, ctx)
        return path


@contextmanager
def opened(
    settings: Settings,
    *,
    lock: str = "",
    target: str | None = None,
    archive_url: str | None = None,
    timeout: int | None = None,
    jobs: int | None = None,
    per_host: int | None = None,
) -> Iterator[Context]:
    """Open the context for the block; with ``lock`` hold the state's lock, for that purpose.

    Arguments that are given override the settings. Root works as the state's owner.
    """
    config = config_for(
        settings,
        target=target,
        archive_url=archive_url,
        timeout=timeout,
        jobs=jobs,
        per_host=per_host,
    )
    with opened_with(config, settings, lock=lock) as context:
        yield context


def config_for(settings: Settings, *, archive_url: str | None = None, **given: Any) -> Config:
    """Return the settings as `opened` uses them. Root works as the state's owner from here on."""
    config = settings.load_as_owner()
    if archive_url:
        config = replace(config, local=replace(config.local, url=archive_url))
    chosen = {key: value for key, value in given.items() if value}
    return replace(config.for_target(chosen.get("target", config.target)), **chosen)


@contextmanager
def opened_with(config: Config, settings: Settings, *, lock: str = "") -> Iterator[Context]:
    """Open the context for the block by settings from `config_for`."""
    from toolsync.maintain.plan import settle_names
    from toolsync.pipeline.context import opened as bench_opened
    from toolsync.system.clock import SystemClock

    with (
        long_steps_shown(state=config.state if lock else None, purpose=lock),
        bench_opened(
            config,
            tell=event_printer(settings.verbose),
            progress=progress_bar,
            clock=SystemClock(),
            purpose=lock,
        ) as context,
    ):
        if found := settle_names(config, context.journal):
            context = replace(context, config=replace(config, named_folders=found))
        yield context


@contextmanager
def long_steps_shown(
    label: str = "", *, state: Path | None = None, purpose: str = ""
) -> Iterator[None]:
    """For the block, show on stderr what takes long; with ``label`` the block itself, too.

    With ``state`` whoever else looks at that state folder sees it, too.
    """
    from toolsync.cli.progress import shown
    from toolsync.system.board import Board
    from toolsync.system.underway import step

    board = Board(state, purpose) if state else None
    with shown(lambda line: note(line, {}), board), step(label) if label else nullcontext():
        yield


def chosen_tools(
    config: Config, names: tuple[str, ...], *, elsewhere: bool = False, listed: bool = False
) -> tuple[tuple[Tool, ...], tuple[Outcome, ...]]:
    """Return the named tools, by name or by folder (all if none is named), and the faulty ones.

    With ``elsewhere`` the folders that were synced by their paths are among all. Tools that are
    only ``listed``, and not worked on, may be read from what is kept of them. Raises the error of a
    definition when no tool is left to work on.
    """
    places = places_of(config, names)
    if elsewhere and not names:
        places |= {str(folder): folder for folder in config.named_folders.values()}
    each, faulty = read_tools(config, places, listed=listed)
    tools = tuple(each)
    return tools, faulty()


def places_of(config: Config, names: tuple[str, ...]) -> dict[str, Path]:
    """Return the folders of the named tools (all if none is named) without reading them.

    For a tool's name it is the folder that holds the tool's own; a named folder stands for itself.
    """
    from toolsync.setup.tools import tool_places, tools_named

    names = tuple(str(config.named_folders.get(name, name)) for name in names)
    if any(not _is_folder(name) and _defines(Path(name)) for name in names):
        known = dict(tool_places(config))  # a tool of that name goes before a folder
        names = tuple(
            f"./{name}" if name not in known and _defines(Path(name)) else name for name in names
        )
    folders = {name: Path(name).resolve() for name in names if _is_folder(name)}
    for name, folder in folders.items():
        if not _defines(folder):
            raise UsageError(
                f"{name} has neither tool.toml nor debian/watch",
                resolution="Name a tool, or a folder that defines one.",
            )
    plain = tuple(name for name in names if name not in folders)
    return {**(tools_named(config, plain) if plain or not folders else {}), **folders}


def read_tools(
    config: Config, places: Mapping[str, Path], *, listed: bool = False
) -> tuple[Iterator[Tool], Callable[[], tuple[Outcome, ...]]]:
    """Return an iterator that reads the tools of `places_of`, and a function for the faulty ones.

    Call the function when the iterator has ended; it raises an error if no tool could be read.
    ``listed`` is as for `chosen_tools`.
    """
    from toolsync.config.definition import Tool
    from toolsync.pipeline.status import faulty

    reader = Reader(config, places, kept=listed and is_many(places))
    faults: dict[str, SetupError] = {}

    def each() -> Iterator[Tool]:
        for name in places:
            tool = reader.read(name)
            if isinstance(tool, Tool):
                yield tool
            else:
                faults[name] = tool
        reader.keep()

    def the_faulty() -> tuple[Outcome, ...]:
        require_some(places, faults)
        return tuple(faulty(name, error) for name, error in faults.items())

    return each(), the_faulty


def is_many(places: Mapping[str, Path]) -> bool:
    """Say whether there are so many tools that it pays to keep what is known of them."""
    return len(places) >= _MANY


def require_some(places: Mapping[str, Path], faults: Mapping[str, SetupError]) -> None:
    """Raise an error with all faults where not one of the tools could be read."""
    if faults and len(faults) == len(places):
        errors = list(faults.values())
        raise SetupError("\n".join(map(str, errors)), resolution=errors[0].resolution)


class Reader:
    """Reads the tools of `places_of`, one by one."""

    def __init__(self, config: Config, places: Mapping[str, Path], *, kept: bool) -> None:
        """Where ``kept``, take what was kept of the definitions that have not changed."""
        self._config, self._places, self._wants_kept = config, places, kept
        self._kept: Definitions | None = None
        self._count = 0

    def read(self, name: str) -> Tool | SetupError:
        """Return a tool as it is defined, or what is wrong with it."""
        from toolsync.setup.tools import overlay_of, read_tool

        place = self._places[name]
        if _is_folder(name):
            return _folder_tool(place)
        folder, overlay = f"{place}/{name}", overlay_of(self._config, name)
        if not self._wants_kept:
            return read_tool(Path(folder), overlay=overlay)
        self._count += 1
        if self._kept is None:
            self._kept = _kept(self._config)
        return self._kept.read(folder, overlay)

    def keep(self) -> None:
        """Keep what was read of the definitions, if all were."""
        if self._kept and self._count == sum(not _is_folder(name) for name in self._places):
            self._kept.keep()


def _kept(config: Config) -> Definitions:
    """Return what is kept of very many tools' definitions; what it needs is loaded only here."""
    from toolsync.setup.kept import definitions
    from toolsync.system.memory import for_long_lists

    for_long_lists()
    return definitions(config.state)


def anew(tools: tuple[Tool, ...]) -> tuple[tuple[Tool, ...], tuple[Outcome, ...]]:
    """Return tools that were only listed, read from their own files, and those that are faulty."""
    from toolsync.pipeline.status import faulty
    from toolsync.setup.tools import read_tool

    found = [(tool.name, read_tool(tool.folder, overlay=tool.overlay)) for tool in tools]
    return (
        tuple(tool for _, tool in found if not isinstance(tool, SetupError)),
        tuple(faulty(name, error) for name, error in found if isinstance(error, SetupError)),
    )


def chosen_tool(config: Config, name: str) -> Tool:
    """Return the one tool named, by name or by folder."""
    (tool,), _ = chosen_tools(config, (name,))
    return tool


def followed(context: Context, tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
    """Return the tools, those anew whose adopted packaging has changed where it came from."""
    if not any(tool.watch.is_folder for tool in tools):
        return tools  # none was adopted: nothing is loaded for it
    from toolsync.adopt.follow import follow_packaging

    return follow_packaging(context, tools, lambda line: note(line, {}))


def _is_folder(name: str) -> bool:
    return "/" in name or name in (".", "..")


def _defines(folder: Path) -> bool:
    return any((folder / file).is_file() for file in ("tool.toml", "debian/watch"))


def _folder_tool(folder: Path) -> Tool | SetupError:
    from toolsync.setup.tools import read_tool

    if (folder / "tool.toml").is_file():
        return read_tool(folder)
    from toolsync.watchfile.folder import load_folder

    return load_folder(folder)


def event_printer(verbose: bool) -> Callable[[Event], None]:
    """Return a function that prints events to stderr, so that stdout holds the result alone.

    If stderr is systemd's journal, each is an entry with fields (TOOLSYNC_TOOL, …).
    """

    def tell(event: Event) -> None:
        if event.detail and not verbose:
            return
        scope = f" [{event.scope}]" if event.scope else ""
        head = f"{event.tool} {event.version}: {event.stage}{scope} " if event.tool else ""
        names = ("tool", "version", "stage", "scope")
        note(f"{head}{event.text}", {name: getattr(event, name) for name in names})

    return tell


def note(text: str, fields: Mapping[str, str], *, grave: bool = False) -> None:
    """Print a line to stderr; to systemd's journal with fields, where stderr leads there."""
    from toolsync.system import journald

    if not journald.connected():
        say(text, err=True)
    elif not journald.send(printable(text), journald.WARNING if grave else journald.INFO, fields):
        # The journal reads a line's priority from such a prefix (sd-daemon(3)).
        say(f"<{4 if grave else 6}>{text}".replace("\n", " "), err=True)


def progress_bar(name: str) -> Callable[[int, int | None], None]:
    """Return a function that shows a download's progress: a bar on a terminal, a line at its end.

    It is a part of what is shown of the step; elsewhere than on a terminal it alone tells of it.
    """
    from toolsync.system.underway import current

    width, name, on_terminal = 30, escaped(name), sys.stderr.isatty()

    def show(done: int, total: int | None) -> None:
        share = done / total if total else 0.0
        bar = f"{'█' * int(share * width):<{width}} " if on_terminal else ""
        size = f"{done / 1e6:.1f}" + (f"/{total / 1e6:.1f} MB" if total else " MB")
        told = f"{name} {bar}{size}"
        if (step := current()) is not None:
            step.note = told
        if on_terminal and total and done >= total:
            click.echo(f"  {told}", err=True)

    return show
