"""Read what a release declares about itself: entry points, dependencies, floors.

Python's setup.py (as text), setup.cfg, pyproject.toml and built metadata; Ruby's gemspec.
"""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterable

from toolsync.compat import python
from toolsync.compat.files import Tree
from toolsync.compat.surface import Draft

_NAME = re.compile(
    r"\s*+([A-Za-z0-9][\w.-]*+)\s*+(?:\[[^\]]*+\])?+\s*+\(?+([^;)#]*+)\)?+\s*+(?:;(.*))?"
)
_GEM = re.compile(
    r"add_(?:runtime_)?dependency\s*+(?:\(\s*+)?['\"]([\w.-]+)['\"]"
    r"((?:\s*+,\s*+['\"][^'\"]+['\"])*+)"
)
_NOT_OF_ITS_FORM = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    configparser.Error,
)
_LIST = r"\s{0,9}=\s{0,9}\[([^\]]{0,5000})\]"
_SCRIPT = re.compile(r"\s*([\w.+-]+)\s*=\s*([\w.]+)\s*(?::\s*([\w.]+))?")


def read(tree: Tree, draft: Draft, entries: dict[str, str]) -> None:
    """Add dependencies and floors; put console scripts into ``entries`` as ``name → module``."""
    readers = (
        (r"(?:src/)?setup\.py", _setup_py),
        (r"setup\.cfg", _setup_cfg),
        (r"pyproject\.toml", _pyproject),
        (r"(?:.*/)?[^/]+\.(?:dist|egg)-info/METADATA|PKG-INFO", _core_metadata),
        (r"(?:.*/)?[^/]+\.(?:dist|egg)-info/entry_points\.txt", _entry_points),
        (r"(?:.*/)?[^/]+\.egg-info/requires\.txt", _requires_txt),
        (r"[^/]+\.gemspec", _gemspec),
    )
    for pattern, reader in readers:
        for name in tree.named(pattern):
            text = tree.text(name)
            if text is None:
                draft.gap("dependency", name, "the file is too long or cannot be read")
                continue
            try:
                reader(text, draft, entries)
            except _NOT_OF_ITS_FORM as error:
                draft.gap("dependency", name, f"it cannot be understood: {error}")


def _require(lines: Iterable[object], draft: Draft) -> None:
    """Add requirements (PEP 508); what only an extra wants is nobody's who did not ask."""
    for line in lines:
        match = _NAME.fullmatch(str(line).strip())
        if not match or "extra" in (match[3] or ""):
            continue
        name = re.sub(r"[-_.]+", "-", match[1]).lower()
        draft.add("dependency", name, ",".join(sorted(match[2].replace(" ", "").split(","))))


def _floor(wanted: object, draft: Draft, runtime: str = "python") -> None:
    if wanted and str(wanted).strip():
        draft.add("runtime", runtime, str(wanted).replace(" ", ""))


def _scripts(lines: Iterable[str], entries: dict[str, str]) -> None:
    for line in lines:
        match = _SCRIPT.match(line)
        if match:
            entries.setdefault(match[1], f"{match[2]}:{match[3]}" if match[3] else match[2])


def _setup_py(text: str, draft: Draft, entries: dict[str, str]) -> None:
    """Read install_requires, python_requires and console scripts without running it."""
    tree = python.parse(text)
    if tree is None:
        _old_setup(text, draft, entries)
        return
    values = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        keywords = {k.arg: k.value for k in call.keywords if k.arg}
        keywords |= _double_starred(call, values)
        if "install_requires" in keywords:
            _require(_plain(keywords["install_requires"], values, draft), draft)
        for wanted in _plain(keywords.get("python_requires"), values, draft):
            _floor(wanted, draft)
        points = keywords.get("entry_points")
        if points is not None:
            scripts = re.findall(
                r"console_scripts'?\]?\s*[:=]\s*\[([^\]]{0,5000})", ast.unparse(points)
            )
            _scripts(re.findall(r"'([^']+)'", " ".join(scripts)), entries)


def _double_starred(call: ast.Call, values: dict[str, ast.expr]) -> dict[str, ast.expr]:
    """Return what ``**options`` brings where ``options = dict(…)`` stands in the same file."""
    found: dict[str, ast.expr] = {}
    for keyword in call.keywords:
        named = keyword.value if keyword.arg is None else None
        value = values.get(named.id) if isinstance(named, ast.Name) else None
        if isinstance(value, ast.Call):
            found |= {k.arg: k.value for k in value.keywords if k.arg}
    return found


def _plain(node: ast.AST | None, values: dict[str, ast.expr], draft: Draft) -> list[str]:
    """Return the strings of a literal, or of a name that is assigned one."""
    if node is None:
        return []
    if isinstance(node, ast.Name):
        node = values.get(node.id)
    try:
        found = ast.literal_eval(node) if isinstance(node, ast.expr) else None
    except ValueError:
        found = None
    if isinstance(found, str):
        return [found]
    if isinstance(found, list | tuple):
        return [item for item in found if isinstance(item, str)]
    draft.gap("dependency", "setup.py", "a requirement is computed there, not written")
    return []


def _old_setup(text: str, draft: Draft, entries: dict[str, str]) -> None:
    """Read a setup.py of Python 2 by its shape."""
    for name in ("install_requires", "REQUIREMENTS", "requires"):
        for block in re.findall(rf"\b{name}" + _LIST, text):
            _require(re.findall(r"['\"]([^'\"]+)['\"]", block), draft)
    for block in re.findall(r"console_scripts['\"]?\s*[:=]\s*\[([^\]]{0,5000})", text):
        _scripts(re.findall(r"['\"]([^'\"]+)['\"]", block), entries)
    draft.add("runtime", "python", "<3")


def _setup_cfg(text: str, draft: Draft, entries: dict[str, str]) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    _require(parser.get("options", "install_requires", fallback="").splitlines(), draft)
    _floor(parser.get("options", "python_requires", fallback=""), draft)
    points = parser.get("options.entry_points", "console_scripts", fallback="")
    _scripts(points.splitlines(), entries)


def _pyproject(text: str, draft: Draft, entries: dict[str, str]) -> None:
    """Read the tables project (PEP 621) and tool.poetry of a pyproject.toml."""
    raw = tomllib.loads(text)
    project = raw.get("project", {})
    poetry = raw.get("tool", {}).get("poetry", {})
    _require(project.get("dependencies", []), draft)
    _floor(project.get("requires-python"), draft)
    for name, wanted in poetry.get("dependencies", {}).items():
        spec = wanted if isinstance(wanted, str) else ""
        spec = re.sub(r"^\^", ">=", spec).replace("*", "")
        if name == "python":
            _floor(spec, draft)
        else:
            _require([f"{name} {spec}"], draft)
    scripts = {**poetry.get("scripts", {}), **project.get("scripts", {})}
    _scripts((f"{name} = {target}" for name, target in scripts.items()), entries)


def _core_metadata(text: str, draft: Draft, _entries: dict[str, str]) -> None:
    head = text.replace("\r", "").split("\n\n", 1)[0]
    _require(re.findall(r"(?m)^Requires-Dist:\s*(.+)$", head), draft)
    for wanted in re.findall(r"(?m)^Requires-Python:\s*(.+)$", head):
        _floor(wanted, draft)


def _entry_points(text: str, _draft: Draft, entries: dict[str, str]) -> None:
    for block in re.findall(r"(?ms)^\[console_scripts\]\s*$(.*?)(?=^\[|\Z)", text):
        _scripts(block.splitlines(), entries)


def _requires_txt(text: str, draft: Draft, _entries: dict[str, str]) -> None:
    _require(text.split("[", 1)[0].splitlines(), draft)


def _gemspec(text: str, draft: Draft, entries: dict[str, str]) -> None:
    for name, wanted in _GEM.findall(text):
        parts = re.findall(r"['\"]([^'\"]+)['\"]", wanted)
        spec = ",".join(sorted(part.replace(" ", "") for part in parts))
        draft.add("dependency", f"gem {name}", spec)
    floor = re.search(r"required_ruby_version\s*=\D{0,200}?['\"]([^'\"]{1,200})['\"]", text)
    _floor(floor and floor[1], draft, "ruby")
    for name in re.findall(r"executables\s*+(?:=|<<)\s*+(?:\[\s*+)?['\"]([\w.-]+)['\"]", text):
        entries.setdefault(name, "")
