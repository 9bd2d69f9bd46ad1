"""Perl distributions: Makefile.PL or Build.PL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Set

from toolsync.scaffold.python import part
from toolsync.scaffold.system import ALL, ANY, BuildSystem, Names, Recipe
from toolsync.scaffold.tree import Tree
from toolsync.system.run import run

_CORE = "print join qq(\\n), keys %{$Module::CoreList::version{$]}}"


def _core() -> Set[str]:
    """Return the modules that Perl itself brings."""
    return frozenset(run("perl", "-MModule::CoreList", "-e", _CORE, timeout=60).out.split())


def _recipe(tree: Tree, _: str, names: Names, core: Callable[[], Set[str]] = _core) -> Recipe:
    xs = bool(tree.matching("*.xs"))
    build = [] if tree.has("Makefile.PL") else ["libmodule-build-perl"]
    wanted, questions = [], []
    for module in sorted({*_required(tree)} - core() - {"perl"}):
        low = module.lower().replace("::", "-")
        if package := names.first(f"lib{low}-perl", f"{low}-perl"):
            wanted.append(package)
        else:
            questions.append(f"which package brings {module}, which it requires")
    needs = ["perl-xs-dev" if xs else "perl", *build, *wanted]
    return Recipe(
        build_depends=needs,
        depends=["${perl:Depends}", *(["${shlibs:Depends}"] if xs else []), *wanted],
        architecture=ANY if xs else ALL,
        dh="--buildsystem=" + ("perl_makemaker" if tree.has("Makefile.PL") else "perl_build"),
        section="perl",
        test=f"perl -M{module} -e 1" if (module := _module(tree)) else "",
        path="PERL5LIB=debian/tmp/usr/share/perl5",
        questions=questions,
    )


def _required(tree: Tree) -> Iterator[str]:
    """Give the modules that the distribution requires to run, and those of its build and tests."""
    if tree.has("META.json"):
        try:
            raw = json.loads(tree.text("META.json"))
        except ValueError:
            raw = {}
        for phase in ("runtime", "configure", "build", "test"):
            yield from part(raw, "prereqs", phase, "requires")
        return
    made = tree.text("Makefile.PL") + tree.text("Build.PL")
    for block in re.findall(r"(?:PREREQ_PM|requires)\s*=>\s*\{([^}]*)\}", made):
        yield from re.findall(r"['\"]?([A-Z]\w*(?:::\w+)*)['\"]?\s*=>", block)


def _module(tree: Tree) -> str:
    near: Mapping[int, str] = {
        path.count("/"): path for path in reversed(tree.matching("lib/*.pm"))
    }
    first = near[min(near)] if near else ""
    named = re.search(r"(?m)^\s*package\s+([\w:]+)", tree.text(first)) if first else None
    return named[1] if named else ""


PERL = BuildSystem(
    name="perl",
    about="Makefile.PL or Build.PL",
    fits=lambda tree: tree.has("Makefile.PL", "Build.PL"),
    recipe=_recipe,
)
