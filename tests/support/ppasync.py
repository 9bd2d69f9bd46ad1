"""A whole set-up that publishes a tiny vendor's tool to a PPA on the loopback, three series."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.servers.launchpad import LaunchpadServer
from tests.servers.web import Web
from tests.support.keys import Keys
from tests.support.ppas import SERIES, write_token
from tests.support.tiny import publish, write_tool
from toolsync.config.settings import Config
from toolsync.journal.journal import Journal
from toolsync.journal.uploads import Upload
from toolsync.model.release import Outcome
from toolsync.pipeline.context import opened
from toolsync.pipeline.sync import sync
from toolsync.setup.settings import load_config
from toolsync.setup.tools import load_tools
from toolsync.system.clock import Clock

TARGET = "ppa:maker/stable"

STUB = """#!/bin/sh
# Carries an upload file by file, as slowly as a server does, the .changes last. A process's
# number tells no session from another: each runs in a process namespace of its own.
case "$*" in *--check-only*) exit 0;; esac
for changes; do :; done
incoming={incoming}
session=$(mktemp -d "$incoming/.session-XXXXXX")
place=$session/$(sed -n 's/^incoming = //p' dput.cf)
mkdir -p "$place"
for file in $(cd "${{changes%/*}}" && ls | grep -v changes$) "${{changes##*/}}"; do
  echo "  Uploading $file: "
  cp "${{changes%/*}}/$file" "$place/.part"
  sleep {pause}
  mv "$place/.part" "$place/$file"
done
mv -T "$session" "$incoming/upload-stub-${{session##*-}}"
echo "Successfully uploaded packages."
"""


class FileClock:
    """A clock that stands still at what a file says, so that two processes share it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def now(self) -> datetime:
        return datetime.fromisoformat(self.path.read_text())

    def monotonic(self) -> float:
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        now = self.now() + timedelta(seconds=seconds)
        new = self.path.with_suffix(".new")
        new.write_text(now.isoformat())
        new.replace(self.path)


class Site:
    """Launchpad, the vendor's page, and toolsync's state below one folder."""

    def __init__(
        self,
        root: Path,
        keys: Keys,
        key: str,
        web: Web,
        incoming: Path | None = None,
        series: tuple[str, ...] = SERIES,
        publish_as: str = "",
        **ppa: Any,
    ) -> None:
        self.root, self.keys, self.key, self.web = root, keys, key, web
        self.arrived: set[Path] = set()
        """The .changes of all uploads that ever arrived whole."""
        for name in ("incoming", "conf/tools", "bin", "work"):
            (root / name).mkdir(parents=True)
        (root / "clock").write_text(datetime.now(UTC).replace(microsecond=0).isoformat())
        self.clock = FileClock(root / "clock")
        arrivals = incoming or root / "incoming"
        self.server = LaunchpadServer(arrivals, clock=self.clock)  # type: ignore[arg-type]
        self.server.__enter__()
        self.server.add_person("maker", keys.export(root / "maker.asc", key))
        self.ppa = self.server.add_ppa("maker", "stable")
        self.ppa.signing_key_fingerprint = key
        self.ppa.signing_key = (root / "maker.asc").read_text()
        given = {"host": "ppa.invalid", "alternative": "", "retries": 0, "apt": "false"}
        given |= {"build_first": "false", "api": self.server.service_root} | ppa
        given |= {"key": key, "keyring": str(keys.home)}
        table = "".join(f"{k} = {_toml(v)}\n" for k, v in given.items())
        names = ", ".join(f'"{name}"' for name in series)
        self.file = root / "conf" / "toolsync.toml"
        self.file.write_text(
            f'target = "{TARGET}"\nseries = [{names}]\ntool_folders = ["{root}/conf/tools"]\n'
            f'[http]\nretries = 0\n[build]\nwork = "{root}/work"\nbackend = "host"\n'
            f"lint = false\ntests = false\n[ppa]\n{table}"
        )
        publish(web, "1.0")
        folder = write_tool(root / "conf" / "tools", web.url + "/dl/", "1.0", "1.1")
        with (folder / "tool.toml").open("a") as toml:
            toml.write(f"[publish]\n{publish_as}\n" if publish_as else "")

    def close(self) -> None:
        self.server.__exit__(None, None, None)

    def log_in(self) -> None:
        """Let toolsync act as the maker."""
        self.server.add_token("maker")
        write_token(self.root / "state" / "launchpad" / "token")

    def stub(self, pause: float = 0.0) -> Path:
        """Write a dput that carries uploads by itself; return the folder to put on PATH."""
        program = self.root / "bin" / "dput"
        program.write_text(STUB.format(incoming=self.root / "incoming", pause=pause))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program.parent

    def config(self) -> Config:
        config = load_config(self.file, self.root / "state")
        return replace(config, tool_folders=(self.root / "conf" / "tools",))

    def sync(self, **words: Any) -> list[Outcome]:
        return run_sync(self.config(), self.clock, **words)

    def uploads(self, tool: str = "hello") -> list[Upload]:
        path = self.root / "state" / "journal.sqlite"
        if not path.exists():
            return []
        journal = Journal.open(path, self.clock)
        try:
            return journal.uploads.of(tool)
        finally:
            journal.close()

    def states(self) -> dict[str, str]:
        return {upload.series: upload.state for upload in self.uploads()}

    def end_sessions(self) -> None:
        """Take in what killed uploads have left, as the upload server does."""
        for left in (self.root / "incoming").glob(".session-*"):
            for part in left.rglob(".part"):
                part.unlink()
            left.rename(left.with_name(f"upload-cut-{left.name[9:]}"))

    def later(self, **words: float) -> None:
        self.arrived |= set((self.root / "incoming").glob("upload-*/*/*/*/*.changes"))
        self.server.tick(**words)


def run_sync(config: Config, clock: Clock, **words: Any) -> list[Outcome]:
    """Do what `toolsync sync` does, in this process."""
    with opened(
        config,
        tell=lambda event: None,
        progress=lambda name: lambda done, total: None,
        clock=clock,
        purpose="sync",
    ) as context:
        tools, _ = load_tools(context.config)
        return sync(context, tools, 1, dry_run=False, **words)


def _toml(value: object) -> str:
    if value in ("true", "false") or isinstance(value, int):
        return str(value)
    return f'"{value}"'
