"""Python: pyproject.toml with its back end, or setup.py, by pybuild."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping

from toolsync.scaffold.system import ALL, ANY, BuildSystem, Names, Recipe
from toolsync.scaffold.tree import Tree

_BACKENDS = {
    "setuptools": "python3-setuptools", "hatchling": "python3-hatchling", "flit_core": "flit",
    "poetry": "python3-poetry-core", "pdm": "python3-pdm-backend", "mesonpy": "meson-python",
    "scikit_build_core": "python3-scikit-build-core", "maturin": "python3-maturin",
}  # fmt: skip
_OTHERS = {
    "setuptools-scm": "python3-setuptools-scm", "wheel": "python3-wheel", "cython": "cython3",
    "flit-core": "flit", "pyyaml": "python3-yaml", "poetry-core": "python3-poetry-core",
    "setuptools": "python3-setuptools", "numpy": "python3-numpy", "meson-python": "meson-python",
    "oldest-supported-numpy": "python3-numpy",
}  # fmt: skip
_QUOTED = re.compile(r"['\"]([^'\"]+)['\"]")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def table(text: str) -> Mapping[str, object]:
    """Return a TOML text's table, empty for what is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def part(whole: object, *path: str) -> Mapping[str, object]:
    """Return a table in a table, empty where there is none."""
    for name in path:
        whole = whole.get(name) if isinstance(whole, Mapping) else None
    return whole if isinstance(whole, Mapping) else {}


def words(value: object) -> list[str]:
    """Return the texts of a list, none where it is none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _fits(tree: Tree) -> bool:
    raw = table(tree.text("pyproject.toml"))
    return bool(part(raw, "project") or part(raw, "build-system")) or tree.has("setup.py")


def _recipe(tree: Tree, name: str, names: Names) -> Recipe:
    raw = table(tree.text("pyproject.toml"))
    compiled = _is_compiled(tree)
    needs = ["dh-sequence-python3", "python3-all-dev" if compiled else "python3-all"]
    questions: list[str] = []
    build = part(raw, "build-system")
    if build or (part(raw, "project") and not tree.has("setup.py")):
        needs.append("pybuild-plugin-pyproject")
    backend = str(build.get("build-backend", "setuptools")).partition(".")[0]
    needs.append(_BACKENDS.get(backend, f"python3-{backend.replace('_', '-')}"))
    asked = re.search(r"\bsetup_requires\s*=\s*\[([^\]]*)\]", tree.text("setup.py"))
    required = [*words(build.get("requires")), *_QUOTED.findall(asked[1] if asked else "")]
    needs += _packages(required, names, questions)
    rules = "export PYBUILD_NAME = " + name + "\n"
    rules += "# Upstream's tests want modules that only they need; name these, and take this out.\n"
    rules += "export PYBUILD_DISABLE = test\n"
    if "setuptools-scm" in str(build.get("requires")) or "setuptools_scm" in tree.text("setup.py"):
        rules += "export SETUPTOOLS_SCM_PRETEND_VERSION = $(DEB_VERSION_UPSTREAM)\n"
    return Recipe(
        build_depends=list(dict.fromkeys(needs)),
        depends=["${python3:Depends}", *(["${shlibs:Depends}"] if compiled else [])],
        architecture=ANY if compiled else ALL,
        dh="--buildsystem=pybuild",
        rules=rules,
        section="python" if not _commands(raw, tree) else "utils",
        test=f"python3 -c 'import {module}'" if (module := _module(tree)) else "",
        path="PYTHONPATH=debian/" + name + "/usr/lib/python3/dist-packages",
        questions=questions,
    )


def _packages(requires: Iterable[str], names: Names, questions: list[str]) -> list[str]:
    """Return the packages of what building requires; setuptools and wheel are always there."""
    found = []
    for word in requires:
        match = _NAME.match(word)
        plain = re.sub(r"[-_.]+", "-", match[1]).lower() if match else ""
        if not plain:
            continue
        package = names.first(*filter(None, (_OTHERS.get(plain, ""), f"python3-{plain}")))
        if package:
            found.append(package)
        else:
            questions.append(f"which package brings {plain}, which building it requires")
    return found


def _is_compiled(tree: Tree) -> bool:
    asks = "ext_modules" in tree.text("setup.py") or "Extension(" in tree.text("setup.py")
    backend = str(part(table(tree.text("pyproject.toml")), "build-system").get("build-backend", ""))
    return (
        asks or bool(tree.matching("*.pyx")) or backend.startswith(("mesonpy", "maturin", "scik"))
    )


def _commands(raw: Mapping[str, object], tree: Tree) -> bool:
    said = tree.text("setup.py") + tree.text("setup.cfg")
    return bool(
        part(raw, "project", "scripts")
        or part(raw, "tool", "poetry", "scripts")
        or "console_scripts" in said
        or re.search(r"\bscripts\s*=", said)
    )


def _module(tree: Tree) -> str:
    """Return the one package or module that is imported, empty where that is not certain."""
    tops = {path.split("/")[-2] for path in tree.matching("*/__init__.py") if path.count("/") == 1}
    tops |= {
        path.split("/")[1] for path in tree.matching("src/*/__init__.py") if path.count("/") == 2
    }
    tops -= {"tests", "test", "docs", "examples", "scripts", "benchmarks", "tools"}
    single = {path[:-3] for path in tree.at_top("*.py")} - {"setup", "conftest", "noxfile"}
    found = tops or single
    name = next(iter(found)) if len(found) == 1 else ""
    return name if name.isidentifier() else ""


PYTHON = BuildSystem(name="python", about="pyproject.toml or setup.py", fits=_fits, recipe=_recipe)
