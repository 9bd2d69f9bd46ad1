"""Ask licensecheck what files say of their license, each content once.

It explains and never decides (on changed terms it is often wrong). Its answers are kept by content
digest, so that a new release costs only what is new in it. It runs on copies that have the
digest for a name: neither a file's name nor what it prints can be taken for another's.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from toolsync.model.errors import ProgramFailed
from toolsync.system.clock import SystemClock
from toolsync.system.run import run
from toolsync.system.store import replace_file
from toolsync.system.work import Workshop

PROGRAM = "licensecheck"
SECONDS = 300.0
"""For one batch; it takes about a second for a hundred files."""
ALL_SECONDS = 1800.0
"""For all batches of one release."""
BATCH = 400
MAX_KEPT = 400_000
"""Answers that are remembered, the newest."""
LINES = 60
"""Of a file that are looked at: its header."""
COPY_BYTES = 64 * 1024

_RUN = re.compile(rb"((.)\2{79})\2+", re.DOTALL)
"""More of one sign than a line has: licensecheck's expressions take their square in time."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_SPLIT = re.compile(r"\s+(?:and/or|and|or|with)\s+|\s*[,|]\s*")
_NOTHING = frozenset({"unknown", "public-domain", "none", "no-copyright", "generated"})


@dataclass(slots=True)
class Detector:
    """licensecheck, with a memory in ``cache`` (a JSON file) if one is given."""

    workshop: Workshop
    cache: Path | None = None
    program: str = PROGRAM
    seconds: float = SECONDS
    problems: list[str] = field(default_factory=list)
    """Why some files could not be looked at."""

    def look(self, files: Mapping[str, Path]) -> dict[str, tuple[str, ...]]:
        """Return the ids that each content carries; ``files`` tells where each digest lies.

        What it cannot tell is left out, and `problems` says why. Raises ProgramMissing.
        """
        known = self._remembered()
        told = {digest: known[digest] for digest in files if digest in known}
        rest = iter(sorted((digest, path) for digest, path in files.items() if digest not in known))
        fresh: dict[str, tuple[str, ...]] = {}
        with self.workshop.folder("license") as folder:
            clock = SystemClock()
            end = clock.monotonic() + ALL_SECONDS
            while batch := dict(islice(rest, BATCH)):
                if clock.monotonic() > end:
                    left = hashlib.sha256("".join([*batch, *dict(rest)]).encode()).hexdigest()
                    self.problems.append(
                        f"{self.program} took more than {ALL_SECONDS:g} s: not all files were"
                        f" looked at (digest {left})"
                    )
                    break
                fresh.update(self._ask(batch, folder))
        if fresh:
            self._remember(known | fresh)
        return told | fresh

    def _ask(self, batch: Mapping[str, Path], folder: Path) -> dict[str, tuple[str, ...]]:
        """Run licensecheck over copies of a batch; note a problem where it does not answer."""
        copies = []
        for digest, path in batch.items():
            copies.append(folder / digest)
            with path.open("rb") as source, copies[-1].open("wb") as copy:
                copy.write(_RUN.sub(rb"\1", source.read(COPY_BYTES)))
        options = ["--machine", "--shortname-scheme=spdx,debian", f"--lines={LINES}", "--check=."]
        try:
            done = run(self.program, *options, "--", *copies, timeout=self.seconds, cwd=folder)
        except ProgramFailed as error:
            self.problems.append(str(error).splitlines()[0])
            return {}
        finally:
            for copy_path in copies:
                copy_path.unlink(missing_ok=True)
        found = dict(_answers(done.out, folder, batch))
        if len(found) < len(batch):
            self.problems.append(
                f"{self.program} answered for {len(found)} of {len(batch)} files in the form that "
                "is wanted (path, tab, license)"
            )
        return found

    def _remembered(self) -> dict[str, tuple[str, ...]]:
        if self.cache is None or not self.cache.is_file():
            return {}
        try:
            raw = json.loads(self.cache.read_bytes())
            return {str(digest): tuple(map(str, ids)) for digest, ids in raw.items()}
        except (ValueError, TypeError, AttributeError):
            return {}  # a damaged memory is no memory

    def _remember(self, known: Mapping[str, tuple[str, ...]]) -> None:
        if self.cache is not None:
            newest = dict(islice(known.items(), max(0, len(known) - MAX_KEPT), None))
            replace_file(self.cache, json.dumps(newest, separators=(",", ":")).encode())


def available() -> bool:
    """Say whether licensecheck is on this machine."""
    return shutil.which(PROGRAM) is not None


def _answers(
    out: str, folder: Path, asked: Mapping[str, Path]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield digest and ids of each line that is an answer; anything else is not listened to."""
    for line in out.splitlines():
        path, tab, words = line.partition("\t")
        digest = path.removeprefix(f"{folder}/")
        if tab and digest in asked:
            parts = _SPLIT.split(words.strip())
            ids = {part for part in parts if _NAME.fullmatch(part) and part.lower() not in _NOTHING}
            yield digest, tuple(sorted(ids))
