"""A small archive as some version of toolsync left it: its vendor, and where a record of it lies.

A record is what `tests/tools/record_state.py` packs: ``conf/`` (settings and tools), ``state/``,
``vendor/`` (all that the vendor serves, and what it will release later), and ``said.json``, what
that version said of it. Nothing in it names a port: the vendor has a name, and is asked through a
proxy. (A mirror's address would do no such service: it is written down as that of the page.)
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.servers.web import Web
from tests.support.rig import ROOT, Rig

DATA = ROOT / "tests" / "data"
VENDOR = "http://vendor.example"
RECORDED = Path("/tmp/recorded")
"""Where records are made: always the same, so that it can be told from the rest of a message."""
TOOLS = ("brush", "clay", "drill", "easel", "flute", "glue", "hello", "horn", "iron", "kettle",
         "kiln")  # fmt: skip
OPERATOR = "operator@archive.example"
ASKED: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("review",),
    *(("log", name) for name in TOOLS),
    *(("evidence", name, "1.0") for name in ("brush", "easel", "hello")),
    *(("evidence", name, "1.1") for name in ("hello", "clay", "horn")),
)
"""What is asked with --json, and changes nothing."""


class Vendor:
    """A vendor whose pages and files lie in a folder; ``PLACE/index.html`` is the page /PLACE/."""

    def __init__(self, web: Web, folder: Path) -> None:
        self.web, self.folder = web, folder

    def file(self, name: str, file: str, data: bytes) -> Path:
        """Keep a file of the tool ``name``; no page names it by that."""
        path = self.folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def page(self, name: str, *versions: str) -> None:
        """Let the page of a tool list these versions, and serve all that is kept for it."""
        links = "".join(f'<a href="{name}-{v}.tar.gz">{name} {v}</a>\n' for v in versions)
        self.file(name, "index.html", f"<html><body>{links}</body></html>".encode())
        self.serve()

    def proxied(self) -> dict[str, str]:
        """Return the environment in which the vendor is found."""
        return {"http_proxy": self.web.url, "no_proxy": ""}

    def serve(self) -> None:
        """Serve all that is kept; an answer's ETag follows from its bytes."""
        for path in self.folder.rglob("*"):
            if path.is_file():
                place = f"/{path.parent.name}/" + path.name.removesuffix("index.html")
                data = path.read_bytes()
                etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
                self.web.serve(place, data, etag=etag)


def settings(mail: str) -> str:
    """Return toolsync.toml but for its series: quick builds, and mail by this server."""
    names = ", ".join(f'"{name}"' for name in TOOLS)
    return f"""
tools = [{names}]
[http]
timeout = 10
retries = 0
[build]
backend = "host"
tests = false
lint = false
[report.mail]
to = ["{OPERATOR}"]
from = "toolsync <toolsync@archive.example>"
server = "{mail}"
"""


SERIES = '"bookworm", "trixie"'


class Record:
    """A record, unpacked below a rig and served anew."""

    def __init__(self, name: str, rig: Rig, web: Web, mail: str) -> None:
        self.rig = rig
        words = ("tar", "--extract", "--file", DATA / f"{name}.tar.xz", "--directory", rig.root)
        subprocess.run(words, check=True)
        self.said: dict[str, Any] = json.loads((rig.root / "said.json").read_text())
        self.vendor = Vendor(web, rig.root / "vendor")
        self.vendor.serve()
        rig.configure(settings(mail), SERIES)
        with closing(sqlite3.connect(rig.state / "journal.sqlite")) as journal:
            self._logged = journal.execute("SELECT max(id) FROM log").fetchone()[0]

    def printed(self, *words: str) -> Any:
        """Return what is printed today, with --json, as if the record lay where it was made."""
        return json.loads(self.as_recorded(self.rig.run(*words, "--json", status=None).stdout))

    def as_recorded(self, text: str) -> str:
        """Return a text with the record's first place for its present one."""
        return text.replace(str(self.rig.root), str(RECORDED))

    def done_since(self) -> list[tuple[str, str, str, str]]:
        """Return what was logged since the record: tool, version, stage and event, in order."""
        asked = "SELECT tool, version, stage, event FROM log WHERE id > ? ORDER BY id"
        with closing(sqlite3.connect(self.rig.state / "journal.sqlite")) as journal:
            return list(journal.execute(asked, (self._logged,)))


def indices(archive: Path) -> dict[str, str]:
    """Return the sha256 of each series' signed index: it is another whenever it is signed again."""
    found = (archive / "dists").glob("*/InRelease")
    return {p.parent.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def pack(root: Path, file: Path) -> None:
    """Pack a record into ``file``, the same bytes for the same files and without any owner."""

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mtime = int(info.mtime)
        return info if info.isfile() or info.isdir() or info.issym() else None

    with tarfile.open(file, "w:xz", preset=9) as tar:
        for name in ("conf", "state", "vendor", "said.json"):
            tar.add(root / name, name, filter=plain)


def clear(root: Path) -> None:
    """Remove what only the machine of the recording needs: sockets, temporary files."""
    for path in (*root.glob("state/gnupg/S.*"), *root.glob("state/gnupg/.#*")):
        path.unlink()
    shutil.rmtree(root / "state" / "store" / "tmp", ignore_errors=True)
