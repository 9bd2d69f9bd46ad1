"""What the commands share: settings, an opened context, and lines that tell how far a run is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolsync.model.errors import UsageError

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.config.settings import Config
    from toolsync.model.release import Outcome
    from toolsync.pipeline.context import Context
    from toolsync.pipeline.memory import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The global options."""

    config: Path | None
    state: Path | None
    verbose: bool
    debug: bool

    def load(self) -> Config:
        """Read the set-up."""
        from toolsync.config.settings import load_config

        return load_config(self.config, self.state)

    def load_as_owner(self) -> Config:
        """Read the set-up, and from here on be the state's owner if we are root."""
        from toolsync.system.user import become_owner

        config = self.load()
        return self.load() if become_owner(config.state) else config


def tool_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the tools whose names begin so, for the shell that completes a command line."""
    from toolsync.config.definition import tool_places
    from toolsync.config.settings import load_config
    from toolsync.model.errors import ToolsyncError

    given = ctx.find_root().params
    try:
        places = dict(tool_places(load_config(given.get("config"), given.get("state"))))
    except ToolsyncError:
        return []
    return sorted(name for name in places if name.startswith(incomplete))


_CONTROLS = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def say(text: str, *, err: bool = False) -> None:
    """Print a line in which nothing from outside can give the terminal orders."""
    click.echo(harmless(text), err=err)


def harmless(text: str) -> str:
    """Return a stranger's text without what a terminal takes for an order."""
    return text.translate(_CONTROLS)


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
    """Open everything for the block; with ``lock`` hold the state alone, for that purpose.

    What is given here goes before what the settings say. Root works as the state's owner.
    """
    config = settled(
        settings,
        target=target,
        archive_url=archive_url,
        timeout=timeout,
        jobs=jobs,
        per_host=per_host,
    )
    with opened_by(config, settings, lock=lock) as context:
        yield context


def settled(settings: Settings, *, archive_url: str | None = None, **given: Any) -> Config:
    """Return the set-up as `opened` uses it. Root works as the state's owner from here on."""
    config = settings.load_as_owner()
    if archive_url:
        config = replace(config, local=replace(config.local, url=archive_url))
    chosen = {key: value for key, value in given.items() if value}
    return replace(config.for_target(chosen.get("target", config.target)), **chosen)


@contextmanager
def opened_by(config: Config, settings: Settings, *, lock: str = "") -> Iterator[Context]:
    """Open everything for the block, by a set-up that is settled."""
    from toolsync.pipeline.context import opened as bench_opened
    from toolsync.system.clock import SystemClock

    with bench_opened(
        config,
        tell=teller(settings.verbose),
        progress=download_bar,
        clock=SystemClock(),
        purpose=lock,
    ) as context:
        yield context


def chosen_tools(
    config: Config, names: tuple[str, ...]
) -> tuple[tuple[Tool, ...], tuple[Outcome, ...]]:
    """Return the tools named, by name or by folder (all if none is named), and the faulty ones.

    Raises what is wrong with the definitions when none is left to work on.
    """
    each, faulty = tools_in_turn(places_of(config, names))
    tools = tuple(each)
    return tools, faulty()


def places_of(config: Config, names: tuple[str, ...]) -> dict[str, Path]:
    """Return where the tools named are (all if none is named); what they hold is not read.

    With a tool's name comes the folder that its own lies in; a folder that is named comes itself.
    """
    from toolsync.config.definition import tools_named

    folders = {name: Path(name).resolve() for name in names if _is_folder(name)}
    for name, folder in folders.items():
        if not any((folder / file).is_file() for file in ("tool.toml", "debian/watch")):
            raise UsageError(
                f"{name} has neither tool.toml nor debian/watch",
                resolution="Name a tool, or a folder that defines one.",
            )
    plain = tuple(name for name in names if name not in folders)
    return {**(tools_named(config, plain) if plain or not folders else {}), **folders}


def tools_in_turn(
    places: Mapping[str, Path],
) -> tuple[Iterator[Tool], Callable[[], tuple[Outcome, ...]]]:
    """Return the tools of `places_of`, each read when it is asked for; and the faulty ones.

    These are known, and what is wrong is raised, when all tools have been asked for.
    """
    from toolsync.config.definition import Tool, read_tool
    from toolsync.model.errors import SetupError
    from toolsync.pipeline.status import faulty

    faults: dict[str, SetupError] = {}

    def each() -> Iterator[Tool]:
        for name, place in places.items():
            tool = _folder_tool(place) if _is_folder(name) else read_tool(place / name)
            if isinstance(tool, Tool):
                yield tool
            else:
                faults[name] = tool

    def the_faulty() -> tuple[Outcome, ...]:
        if faults and len(faults) == len(places):
            errors = list(faults.values())
            raise SetupError("\n".join(map(str, errors)), resolution=errors[0].resolution)
        return tuple(faulty(name, error) for name, error in faults.items())

    return each(), the_faulty


def chosen_tool(config: Config, name: str) -> Tool:
    """Return the one tool named, by name or by folder."""
    (tool,), _ = chosen_tools(config, (name,))
    return tool


def _is_folder(name: str) -> bool:
    return "/" in name or name in (".", "..")


def _folder_tool(folder: Path) -> Tool:
    from toolsync.config.definition import load_tool

    if (folder / "tool.toml").is_file():
        return load_tool(folder)
    from toolsync.watchfile.folder import load_folder

    return load_folder(folder)


def teller(verbose: bool) -> Callable[[Event], None]:
    """Return who tells a run's events: on stderr, so that stdout stays for the result.

    Where stderr is systemd's journal, each is an entry with fields there (TOOLSYNC_TOOL, …).
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
    elif not journald.send(text, journald.WARNING if grave else journald.INFO, fields):
        # The journal reads a line's priority from such a prefix (sd-daemon(3)).
        say(f"<{4 if grave else 6}>{text}".replace("\n", " "), err=True)


def _silent(done: int, total: int | None) -> None:
    """Tell nothing."""


def download_bar(name: str) -> Callable[[int, int | None], None]:
    """Return who shows how far a download has come: a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        return _silent
    width = 30

    def show(done: int, total: int | None) -> None:
        share = done / total if total else 0.0
        bar = "█" * int(share * width)
        size = f"{done / 1e6:.1f}" + (f"/{total / 1e6:.1f} MB" if total else " MB")
        end = "\n" if total and done >= total else ""
        click.echo(f"\r  {name} {bar:<{width}} {size}{end}", err=True, nl=False)

    return show
