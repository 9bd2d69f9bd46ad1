"""Small releases of every kind for the compatibility gate, each a folder made here."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolsync.compat.change import Change
from toolsync.compat.compare import compare
from toolsync.compat.reading import read_tree

Files = Mapping[str, str | bytes]


def lay(top: Path, files: Files) -> Path:
    """Write a tree; what lies in bin/ or starts with ``#!`` may be executed."""
    for name, content in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
        path.chmod(0o755 if name.startswith("bin/") or data.startswith(b"#!") else 0o644)
    top.mkdir(exist_ok=True)
    return top


def changes(tmp_path: Path, old: Files, new: Files, series: str = "bookworm") -> list[Change]:
    """Return what changed between two releases, by their files alone."""
    was = read_tree(lay(tmp_path / "old", old)).surface()
    now = read_tree(lay(tmp_path / "new", new)).surface()
    return list(compare(was, now, series=(series,)))


def said(found: list[Change]) -> set[tuple[str, str, str]]:
    """Return severity, kind and name of changes."""
    return {(change.severity, change.kind, change.name) for change in found}


def parser(*options: str, head: str = "") -> str:
    """Return a Python program whose parser has these ``add_argument`` calls' arguments."""
    calls = "".join(f"parser.add_argument({option})\n" for option in options)
    return (
        f"#!/usr/bin/python3\n{head}import argparse\nimport sys\n"
        f"parser = argparse.ArgumentParser(prog='tool')\n{calls}args = parser.parse_args()\n"
        "print('done')\n"
    )


def ruby(*options: str) -> str:
    """Return a Ruby program whose OptionParser has these ``on`` calls' arguments."""
    calls = "".join(f"  opts.on({option}) {{ |v| }}\n" for option in options)
    return f"#!/usr/bin/ruby\nrequire 'optparse'\nOptionParser.new do |opts|\n{calls}end.parse!\n"


def model(*operations: str, packed: bool = False) -> bytes:
    """Return a service model; an operation is written ``Name member:type !needed:type``."""
    shapes: dict[str, Any] = {}
    found = {}
    for operation in operations:
        name, *words = operation.split()
        members = {w.lstrip("!").split(":")[0]: w.split(":")[1] for w in words}
        shapes |= {kind: {"type": kind} for kind in members.values()}
        shapes[f"{name}Request"] = {
            "type": "structure",
            "required": [w[1:].split(":")[0] for w in words if w.startswith("!")],
            "members": {member: {"shape": kind} for member, kind in members.items()},
        }
        found[name] = {"name": name, "input": {"shape": f"{name}Request"}}
    data = json.dumps({"version": "2.0", "operations": found, "shapes": shapes}).encode()
    return gzip.compress(data) if packed else data


def class_file(major: int) -> bytes:
    """Return the head of a class file of this major version."""
    return b"\xca\xfe\xba\xbe\0\0" + major.to_bytes(2, "big") + b"\0\x10"


def jar(members: Mapping[str, bytes]) -> bytes:
    """Return a jar."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()
