"""What a local archive itself did, written down beside toolsync and without asking it.

In front of reprepro stands a program that notes each call of ``include`` with its time, the
generation that it was made in, and how it ended; and a thread notes each generation to which the
archive's link was turned. What was included in a generation that nobody was ever shown is no
inclusion.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

_NOTING = """\
#!/bin/sh
{reprepro} "$@"
code=$?
case " $* " in
*" include "*) echo "$(date -u +%FT%TZ) $code $*" >>{log} ;;
esac
exit $code
"""
_OFTEN = 0.005


@dataclass(frozen=True, slots=True)
class Inclusion:
    """One call of ``include`` that succeeded."""

    at: str
    generation: str
    series: str
    source: str
    version: str

    @property
    def place(self) -> tuple[str, str, str]:
        """What was included where."""
        return self.series, self.source, self.version


@dataclass(slots=True)
class Watched:
    """An archive while it is watched."""

    log: Path
    turns: list[tuple[str, str]] = field(default_factory=list)
    """When the archive was turned to which generation."""

    def inclusions(self) -> list[Inclusion]:
        """Return all, in the order in which they ended."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [found for line in lines if (found := _read(line.split())) is not None]

    def shown(self) -> list[Inclusion]:
        """Return those in generations that were shown."""
        known = {name for _, name in self.turns}
        return [one for one in self.inclusions() if one.generation in known]


def _read(words: list[str]) -> Inclusion | None:
    at, code, *rest = words
    if code != "0":
        return None
    place = rest.index("include")
    source, version, _ = Path(rest[place + 2]).name.split("_")
    generation = Path(rest[rest.index("--dbdir") + 1]).parent.name
    return Inclusion(at, generation, rest[place + 1], source, version)


@contextmanager
def watched(archive: Path, folder: Path) -> Iterator[Watched]:
    """Watch an archive for the block; whatever is started in it finds the noting reprepro first.

    ``folder`` is made, for the program and what it notes.
    """
    reprepro, before = shutil.which("reprepro"), os.environ["PATH"]
    assert reprepro is not None
    folder.mkdir()
    found = Watched(folder / "log")
    program = folder / "reprepro"
    program.write_text(_NOTING.format(reprepro=reprepro, log=found.log))
    program.chmod(0o755)
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(archive / "current", found, ended), daemon=True)
    os.environ["PATH"] = f"{folder}:{before}"
    thread.start()
    try:
        yield found
    finally:
        os.environ["PATH"] = before
        ended.set()
        thread.join()


def _watch(link: Path, found: Watched, ended: threading.Event) -> None:
    """Note each target of a link; a generation takes many times as long to be made as a look."""
    last = ""
    while not ended.is_set():
        try:
            now = os.readlink(link).rpartition("/")[2]
        except OSError:
            now = last
        if now != last:
            found.turns.append((f"{datetime.now(UTC):%FT%TZ}", now))
            last = now
        time.sleep(_OFTEN)
