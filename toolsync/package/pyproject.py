"""Build a Python release by its pyproject.toml where the packaging knows its setup.py alone.

Many projects have left setup.py since a stable series was made. What builds them now their
pyproject.toml says (PEP 518), and pybuild does so by itself where its plugin is installed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from toolsync.model.release import Finding

_PLUGIN = "pybuild-plugin-pyproject"
_FIELD = re.compile(r"(?mi)^Build-Depends:[ \t]*(?:.*(?:\n(?:[ \t]|#).*)*)")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_DEBIANS = {
    "flit-core": "flit",
    "cython": "cython3",
    "meson-python": "python3-mesonpy",
    "scikit-build-core": "python3-scikit-build-core",
}
"""Packages that are not called by Debian's Python Policy 4.3, ``python3-NAME``."""


def build_by_pyproject(tree: Path, debian: Path) -> tuple[Finding, ...]:
    """Add what a pyproject.toml asks for to Build-Depends, where setup.py is gone; say so."""
    control, rules = debian / "control", debian / "rules"
    project = tree / "pyproject.toml"
    if (tree / "setup.py").exists() or not (project.is_file() and rules.is_file()):
        return ()
    text = control.read_text(encoding="utf-8", errors="surrogateescape")
    head, blank, rest = text.partition("\n\n")
    field = _FIELD.search(head)
    told = f"{rules.read_text(encoding='utf-8', errors='replace')}{head}"
    if field is None or _PLUGIN in head or not re.search(r"pybuild|dh-sequence-python3", told):
        return ()
    known = set(re.findall(r"[a-z0-9][a-z0-9+.-]+", field[0]))
    more = [name for name in dict.fromkeys((_PLUGIN, *_required(project))) if name not in known]
    value = field[0].rstrip().rstrip(",") + "".join(f",\n {name}" for name in more)
    head = head[: field.start()] + value + head[field.end() :]
    control.write_text(head + blank + rest, "utf-8", "surrogateescape")
    said = (
        "it is built by pyproject.toml, since the release has no setup.py any more:"
        f" {', '.join(more)} added to Build-Depends"
    )
    return (Finding(stage="package", code="build-system", severity="risky", message=said),)


def _required(project: Path) -> Iterator[str]:
    """Yield the Debian packages of what a pyproject.toml is built with."""
    try:
        told = tomllib.loads(project.read_text(encoding="utf-8"))
        names = told.get("build-system", {}).get("requires", ["setuptools"])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError):
        return
    for one in names if isinstance(names, list) else ():
        if isinstance(one, str) and (match := _NAME.match(one)):
            name = re.sub(r"[-_.]+", "-", match[0]).lower()
            yield _DEBIANS.get(name, f"python3-{name}")
