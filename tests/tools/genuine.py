# ruff: noqa: T201 (a program for the terminal)
"""Take the shipped tools the whole way on genuine releases: ``make genuine TREES=FOLDER``.

    python -m tests.tools.genuine FOLDER [TOOL …] [--series SERIES …]

FOLDER/TOOL/ holds upstream's archives, called as upstream calls them; those that a forge makes of
a tag are called after the tag (v2.2.0.tar.gz). Each is served on the loopback in the form of the
tool's release page, with its measured digest as the pin, and synced with the shipped definition
into clean chroots. A first decision over terms is taken as an operator would, and counted; nothing
else is done by hand. Tools of the package index are taken from there. Nothing of it is kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.s3 import serve_bucket
from tests.servers.web import Web
from tests.support.chroots import clean_rig
from tests.support.rig import ROOT, Rig

SHIPPED = ROOT / "conf" / "tools"
_VERSION = re.compile(r"\d+(?:\.\d+)+(?:-\d+)?")
_ATOM = "application/atom+xml"


@dataclass(kw_only=True)
class Row:
    """Where a tool ended in a series."""

    tool: str
    series: str
    version: str = "-"
    status: str = ""
    seconds: float = 0.0
    tests: str = "-"
    by_hand: list[str] = field(default_factory=list)
    message: str = ""

    def __str__(self) -> str:
        hands = "; ".join(self.by_hand) or "nothing"
        said = "" if self.status == "up-to-date" else f" | {self.message}"
        head = f"{self.tool:21} {self.series:9} {self.version:12} {self.status:11}"
        return f"{head} {self.seconds:6.0f} s | {self.tests:9} | {hands}{said}"


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
        said = rig.run("sync", tool, status=None)
        (state,) = json.loads(rig.run("status", tool, "--json", status=None).stdout)
        row.status, row.version = state["status"], state["newest"] or "-"
        row.message = state["message"].splitlines()[0][:200]
        if row.status != "held" or "held at license" not in state["message"]:
            break
        rig.run("approve", tool, row.version, "--stage", "license", "--reason", "read", status=None)
        row.by_hand.append("a first decision over the terms")
    row.seconds = time.monotonic() - began
    if row.status == "up-to-date":
        proof = rig.json("evidence", tool, row.version)["predicate"]
        row.tests = proof["series"][series]["build"]["tests"]
    elif not row.message:
        row.message = said.stderr.strip()[-200:]
    return row


def main() -> None:
    """Print a row for each tool and series as it ends."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("trees", type=Path)
    parser.add_argument("tools", nargs="*")
    parser.add_argument("--series", action="append")
    given = parser.parse_args()
    names = given.tools or sorted(p.name for p in SHIPPED.iterdir() if (p / "tool.toml").is_file())
    for series in given.series or ["bookworm"]:
        for name in names:
            files = sorted(p for p in (given.trees / name).glob("*") if p.is_file())
            with tempfile.TemporaryDirectory() as place, Web() as web:
                rig = clean_rig(Path(place))
                rig.configure(rig.settings, f'"{series}"')
                try:
                    defined(rig.tools, web, name, files)
                    print(taken(rig, name, series), flush=True)
                finally:
                    shutil.rmtree(rig.work, ignore_errors=True)


if __name__ == "__main__":
    main()
