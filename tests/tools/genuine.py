# ruff: noqa: T201 (a program for the terminal)
"""Take the shipped tools the whole way on genuine releases: ``make genuine TREES=FOLDER``.

    python -m tests.tools.genuine FOLDER [TOOL …] [--series SERIES …] [--no-use]

FOLDER/TOOL/ holds upstream's archives, called as upstream calls them; those that a forge makes of
a tag are called after the tag (v2.2.0.tar.gz). Each is served on the loopback in the form of the
tool's release page, with its measured digest as the pin, and synced with the shipped definition
into clean chroots. A first decision over terms is taken as an operator would, and counted; nothing
else is done by hand. Tools of the package index are taken from there. Then the archive is added
to a clean machine of the series, where nothing may change by that, and each tool is installed
from the printed stanza and used (genuine.uses). Nothing of it is kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from textwrap import indent
from typing import Any

from tests.servers.s3 import serve_bucket
from tests.servers.web import Web
from tests.support.chroots import clean_rig
from tests.support.rig import ROOT, Rig
from tests.tools.genuine_use import used

SHIPPED = ROOT / "conf" / "tools"
_VERSION = re.compile(r"\d+(?:\.\d+)+(?:-\d+)?")
_ATOM = "application/atom+xml"
_HOUR = 3600


@dataclass(kw_only=True)
class Row:
    """Where a tool ended in a series."""

    tool: str
    series: str
    version: str = "-"
    status: str = ""
    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds of each stage, in their order."""
    lintian: str = "-"
    tests: str = "-"
    by_hand: list[str] = field(default_factory=list)
    message: str = ""

    def __str__(self) -> str:
        hands = "; ".join(self.by_hand) or "nothing"
        said = "" if self.status == "up-to-date" else "\n" + indent(self.message, "    ")
        head = f"{self.tool:21} {self.series:9} {self.version:12} {self.status:11}"
        stages = " ".join(f"{name} {seconds:.0f}" for name, seconds in self.stages.items())
        proved = f"{self.seconds:6.0f} s ({stages}) | lintian {self.lintian} | {self.tests}"
        return f"{head} {proved} | by hand: {hands}{said}"


def defined(tools: Path, web: Web, name: str, files: list[Path]) -> None:
    """Put the shipped definition into ``tools``, turned to the loopback and pinned."""
    folder = tools / name
    shutil.copytree(SHIPPED / name, folder)
    text = (folder / "tool.toml").read_text()
    if 'kind = "index"' in text:
        return
    kind = re.search(r'(?m)^kind = "(\w+)"', text)
    assert kind is not None, name
    text = _SERVED[kind[1]](text, web, name, files)
    pins = "".join(f'"{_version(text, f)}" = "{_sha256(f)}"\n' for f in files)
    verify = f'[verify]\nmethod = "pins"\n[verify.pins]\n{pins}\n'
    text = re.sub(r"(?ms)^\[verify\]\n.*?(?=^\[(?!verify))", verify, text)
    (folder / "tool.toml").write_text(text)


def _bucket(text: str, web: Web, _name: str, files: list[Path]) -> str:
    serve_bucket(web, [(file.name, file.read_bytes()) for file in files])
    return re.sub(r'(?m)^url = ".*"', f'url = "{web.url}/"', text)


def _forge(text: str, web: Web, name: str, files: list[Path]) -> str:
    entries = "".join(
        f"<entry><id>tag:github.com,2008:Repository/1/{_tag(file)}</id>"
        f"<updated>2026-01-{number:02}T00:00:00Z</updated></entry>"
        for number, file in reversed(list(enumerate(files, 1)))
    )
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'
    web.serve(f"/up/{name}/tags.atom", feed, type=_ATOM)
    for file in files:
        web.serve(f"/up/{name}/{file.name}", file.read_bytes(), type="application/octet-stream")
    given = re.search(r'(?m)^file_url = ".*/(.*)"', text)
    place = f'file_url = "{web.url}/up/{name}/{given[1] if given else "{tag}.tar.gz"}"'
    text = re.sub(r'(?m)^url = ".*"', f'url = "{web.url}/up/{name}"', text)
    return re.sub(r'(?m)^file_url = ".*"', place, text)


def _text(text: str, web: Web, name: str, files: list[Path]) -> str:
    newest = max(files, key=lambda f: [int(n) for n in re.findall(r"\d+", _version(text, f))])
    web.serve(f"/{name}/version.txt", f"{_version(text, newest)}\n", type="text/plain")
    for file in files:
        web.serve(f"/{name}/{file.name}", file.read_bytes(), type="application/gzip")
    text = re.sub(r'(?m)^url = ".*"', f'url = "{web.url}/{name}/version.txt"', text)
    return re.sub(r'(?m)^file_url = ".*/(.*)"', rf'file_url = "{web.url}/{name}/\1"', text)


_SERVED = {"s3": _bucket, "github": _forge, "text": _text}


def _tag(file: Path) -> str:
    stem = re.sub(r"\.(?:tar\.\w+|zip|tgz)$", "", file.name)
    return stem if re.match(r"v?\d", stem) else f"v{_VERSION.findall(stem)[-1]}"


def _version(text: str, file: Path) -> str:
    found = _VERSION.findall(file.name)[-1]
    return found.replace("-", ".") if "mangle" in text else str(found)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def taken(rig: Rig, tool: str, series: str) -> Row:
    """Sync a tool, as an operator does who decides over terms once and does nothing else."""
    row = Row(tool=tool, series=series)
    began = time.monotonic()
    for _ in range(3):
        said = rig.run("sync", tool, status=None, timeout=_HOUR)
        (state,) = json.loads(rig.run("status", tool, "--json", status=None).stdout)
        row.status, row.version = state["status"], state["newest"] or "-"
        row.message = state["message"]
        if row.status != "held" or "held at license" not in state["message"]:
            break
        rig.run("approve", tool, row.version, "--stage", "license", "--reason", "read", status=None)
        row.by_hand.append("a first decision over the terms")
    row.seconds = time.monotonic() - began
    if row.status == "up-to-date":
        _prove(row, rig.json("evidence", tool, row.version)["predicate"])
    elif not row.message:
        row.message = said.stderr.strip()[-2000:]
    return row


def _prove(row: Row, proof: Mapping[str, Any]) -> None:
    """Take from a release's evidence what its stages took and found."""
    place = proof["series"][row.series]
    build = place["build"]
    told = [f["message"] for f in build["findings"] if f["code"].startswith("lintian:")]
    row.tests, row.lintian = build["tests"], "; ".join(told) or "says nothing"
    parts = {name: stage for name, stage in proof.items() if name != "series"} | place
    parts |= place.get("local", {})
    row.stages = {
        name: (_moment(stage["finished"]) - _moment(stage["started"])).total_seconds()
        for name, stage in parts.items()
        if isinstance(stage, dict) and "finished" in stage
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@contextmanager
def _set_up(series: str) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory() as place:
        rig = clean_rig(Path(place) / "rig")
        rig.configure(rig.settings, f'"{series}"')
        try:
            yield rig
        finally:
            shutil.rmtree(rig.work, ignore_errors=True)


def _tool(rig: Rig, name: str, series: str, trees: Path) -> Row:
    """Take one tool; whatever befalls it is its row's, so that the next one has its turn."""
    files = sorted(p for p in (trees / name).glob("*") if p.is_file())
    try:
        with Web() as web:
            defined(rig.tools, web, name, files)
            return taken(rig, name, series)
    except (AssertionError, KeyError, OSError, ValueError, subprocess.SubprocessError) as error:
        said = f"{type(error).__name__}: {error}"[-2000:]
        return Row(tool=name, series=series, status="broken", message=said)


def main() -> int:
    """Print a row for each tool and series as it ends, then what was seen on a machine."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("trees", type=Path)
    parser.add_argument("tools", nargs="*")
    parser.add_argument("--series", action="append")
    parser.add_argument("--no-use", action="store_true")
    given = parser.parse_args()
    names = given.tools or sorted(p.name for p in SHIPPED.iterdir() if (p / "tool.toml").is_file())
    right = True
    for series in given.series or ["bookworm"]:
        with _set_up(series) as rig:
            rows = []
            for name in names:
                rows.append(_tool(rig, name, series, given.trees))
                print(rows[-1], flush=True)
            good = [row.tool for row in rows if row.status == "up-to-date"]
            right = right and len(good) == len(rows)
            if good and not given.no_use:
                right = _machine(rig, series, good) and right
    return 0 if right else 1


def _machine(rig: Rig, series: str, tools: Sequence[str]) -> bool:
    with tempfile.TemporaryDirectory() as place:
        found = used(rig, series, tools, Path(place))
    print(*found.lines(), sep="\n", flush=True)
    return not found.changes and not found.faults


if __name__ == "__main__":
    sys.exit(main())
