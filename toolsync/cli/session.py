"""What the commands share: settings, an opened bench, and lines that tell how far a run is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolsync.errors import UsageError

if TYPE_CHECKING:
    from toolsync.bench import Bench
    from toolsync.config import Config, Tool
    from toolsync.steps import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The global options."""

    config: Path | None
    state: Path | None
    verbose: bool
    debug: bool

    def load(self) -> Config:
        """Read the set-up."""
        from toolsync.config import load_config

        return load_config(self.config, self.state)


@contextmanager
def opened(
    settings: Settings, *, lock: str = "", target: str | None = None, archive_url: str | None = None
) -> Iterator[Bench]:
    """Open everything for the block; with ``lock`` hold the state alone, for that purpose."""
    from toolsync.bench import opened as bench_opened
    from toolsync.system.clock import SystemClock

    config = settings.load()
    if archive_url:
        config = replace(config, local=replace(config.local, url=archive_url))
    if target:
        config = replace(config, target=target)
    with bench_opened(
        config,
        tell=teller(settings.verbose),
        progress=download_bar,
        clock=SystemClock(),
        purpose=lock,
    ) as bench:
        yield bench


def chosen_tools(config: Config, names: tuple[str, ...]) -> tuple[Tool, ...]:
    """Return the tools named, by name or by folder; all of them if none is named."""
    from toolsync.config import load_tool, load_tools

    folders = [name for name in names if "/" in name or name in (".", "..")]
    for folder in folders:
        if not (Path(folder) / "tool.toml").is_file():
            raise UsageError(
                f"{folder} has no tool.toml",
                resolution="Name a tool, or a folder that defines one.",
            )
    plain = tuple(name for name in names if name not in folders)
    found = load_tools(config, plain) if plain or not folders else ()
    return (*found, *(load_tool(Path(folder).resolve()) for folder in folders))


def teller(verbose: bool) -> Callable[[Event], None]:
    """Return who prints a run's events to stderr, so that stdout stays for the result."""

    def tell(event: Event) -> None:
        if event.detail and not verbose:
            return
        scope = f" [{event.scope}]" if event.scope else ""
        head = f"{event.tool} {event.version}: {event.stage}{scope} " if event.tool else ""
        click.echo(f"{head}{event.text}", err=True)

    return tell


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
