"""Write a tool's folder of adopted packaging; what a person changed there stays."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from toolsync.adopt.adoption import Adoption
from toolsync.adopt.packaging import Packaging
from toolsync.config.packaging import packaging_files
from toolsync.model.errors import UsageError
from toolsync.pipeline.context import Context
from toolsync.setup.tools import load_tool, tool_places
from toolsync.system.store import replace_file

_TOLD = re.compile(r"(?m)^(adopted|digest|nearer|dsc|in_main|main_packages) = (.*)$")
"""What adopting says of packaging, each in a line."""


def digest_of_packaging(debian: Path) -> str:
    """Return a digest of packaging and its watch file."""
    beside = {name: debian / name for name in ("watch", "changelog")}
    files = {**packaging_files(debian), **beside}
    rows = (
        f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for name, path in sorted(files.items())
        if path.is_file()
    )
    return hashlib.sha256("".join(rows).encode(errors="surrogateescape")).hexdigest()


def target_of(context: Context, found: Adoption, packaging: Packaging, place: Path) -> Path:
    """Return the tool's folder; raise UsageError where another tool has the name, or an own one."""
    target = place / found.name
    taken = dict(tool_places(context.config)).get(found.name)
    if taken is not None and taken / found.name != target:
        raise UsageError(
            f"there is a tool {found.name} already: {taken / found.name}",
            resolution="It is followed there; retire it first, or go on with that.",
        )
    if not (target / "tool.toml").is_file():
        return target
    recorded = re.search(r'(?m)^digest = "([0-9a-f]{64})"$', (target / "tool.toml").read_text())
    if recorded is None or digest_of_packaging(target / "debian") not in (
        recorded[1],
        digest_of_packaging(packaging.debian),
    ):
        raise UsageError(
            f"{target} was {'changed since it was adopted' if recorded else 'not adopted'};"
            " nothing there is overwritten",
            resolution=f"Take what you need out of it and remove {target}, or merge by hand.",
        )
    return target


def write(found: Adoption, packaging: Packaging, target: Path) -> bool:
    """Write debian/ and tool.toml; say whether anything was changed. What a person added stays."""
    own = target / "tool.toml"
    same = own.is_file() and digest_of_packaging(target / "debian") == digest_of_packaging(
        packaging.debian
    )
    if not same:
        shutil.rmtree(target / "debian", ignore_errors=True)
        target.mkdir(parents=True, exist_ok=True)
        shutil.copytree(packaging.debian, target / "debian", symlinks=True)
    text = found.toml
    if own.is_file():
        text = _renewed(own.read_text(encoding="utf-8"), found.toml, same=same)
    changed = replace_file(own, text.encode())
    changed = _pinned_anew(own, found.toml) or changed
    if not same:
        load_tool(target)
    return changed or not same


def _pinned_anew(own: Path, toml: str) -> bool:
    """Add pins that were not known before to a tool.toml that ends with them; say whether any."""
    text = own.read_text(encoding="utf-8")
    head, _, pins = toml.partition("[verify.pins]\n")
    if not re.search(r'\[verify\.pins\]\n(?:".+" = ".+"\n)*\Z', text) or not head:
        return False
    more = [line for line in pins.splitlines() if line.partition(" = ")[0] + " = " not in text]
    return bool(more) and replace_file(own, (text + "".join(f"{m}\n" for m in more)).encode())


def _renewed(own: str, toml: str, *, same: bool) -> str:
    """Return a tool.toml with what adopting says of packaging as the new one has it.

    What that says for the first time is put in, and what it says no more is taken out; of the
    ``same`` packaging that is why none that is nearer was taken alone: an archive may not answer.
    """
    lines = dict(_TOLD.findall(toml))
    kept: list[str] = []
    for line in own.splitlines():
        match = _TOLD.match(line)
        key = match[1] if match else ""
        if key in lines:
            kept.append(f"{key} = {lines.pop(key)}")
        elif not key or (same and key != "nearer"):
            kept.append(line)
    text = "\n".join(kept) + "\n"
    more = "".join(f"{key} = {value}\n" for key, value in lines.items())
    return re.sub(r"(?m)^digest = .*\n", lambda match: match[0] + more, text, count=1)
